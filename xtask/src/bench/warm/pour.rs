//! As many jobs as go through: clients that each send the next one when the last has ended, in turn with bare
//! interpreters that do the same work in a loop on each CPU.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use gambeson_api::Start;
use gambeson_api::client::{Client, Connection};
use gambeson_testkit::Platform;
use tokio::task::JoinSet;

use super::race::{WAIT, Work, fine};
use crate::bench::percentile;
use crate::bench::processes::{Times, busy, cpu};

const CLIENTS: usize = 16;
const LOOPS: usize = 2;
/// Times as many jobs as bare.
const GOAL: f64 = 5.0;
/// After each turn.
const REST: Duration = Duration::from_millis(500);

/// What came of some turns together.
#[derive(Default)]
struct Poured {
    jobs: usize,
    cold: usize,
    seconds: f64,
    times: Vec<Duration>,
    /// CPU time, seconds, by who used it.
    cpu: BTreeMap<String, f64>,
}

pub(super) fn measure(binary: &Path, work: &Work<'_>, each: Duration, turns: usize) -> anyhow::Result<String> {
    let platform = work.platform(binary);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let target: gambeson_api::client::Target = platform.url.parse().map_err(anyhow::Error::msg)?;
    // A connection of its own for each.
    let clients =
        (0..CLIENTS).map(|_| Ok(Client::new(Connection::new(target.clone(), Some(platform.key.clone()), None)?)));
    let clients: Vec<Client> = clients.collect::<anyhow::Result<_>>()?;
    let submission = Arc::new(work.submission()?);
    runtime.block_on(work.until_warm(&clients[0], &submission))?;
    thread::sleep(REST);

    let (mut bare, mut ours) = (Poured::default(), Poured::default());
    for _ in 0..turns {
        bare.loops(work, each)?;
        thread::sleep(REST);
        let before = users(&platform)?;
        runtime.block_on(ours.jobs(work, &clients, each))?;
        for (name, seconds) in users(&platform)? {
            *ours.cpu.entry(name.clone()).or_default() += seconds - before.get(&name).copied().unwrap_or(0.0);
        }
        thread::sleep(REST);
    }
    Ok(report(work, &bare, &ours))
}

impl Poured {
    /// Bare interpreters, one after the other in each loop.
    fn loops(&mut self, work: &Work<'_>, each: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        let counts = thread::scope(|scope| {
            let one = || -> anyhow::Result<usize> {
                let (bare, mut count) = (work.bare(), 0);
                while begun.elapsed() < each {
                    bare.time(work.expected)?;
                    count += 1;
                }
                Ok(count)
            };
            let loops: Vec<_> = (0..LOOPS).map(|_| scope.spawn(one)).collect();
            loops.into_iter().map(|one| one.join().expect("it returns its errors")).collect::<Vec<_>>()
        });
        self.seconds += begun.elapsed().as_secs_f64();
        for count in counts {
            self.jobs += count?;
        }
        Ok(())
    }

    /// Jobs, from all clients at once.
    async fn jobs(&mut self, work: &Work<'_>, clients: &[Client], each: Duration) -> anyhow::Result<()> {
        let submission = Arc::new(work.submission()?);
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for client in clients {
            let (client, submission) = (client.clone(), Arc::clone(&submission));
            tasks.spawn(async move {
                let mut done = Vec::new();
                while begun.elapsed() < each {
                    let sent = Instant::now();
                    let accepted = client.job_submit(&submission, Some(WAIT)).await?;
                    done.push((sent.elapsed(), accepted));
                }
                anyhow::Ok(done)
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done??);
        }
        self.seconds += begun.elapsed().as_secs_f64();
        self.jobs += all.len();
        for (took, accepted) in all {
            self.times.push(took);
            self.cold += usize::from(work.done(accepted)? == Start::Cold);
        }
        ensure!(self.jobs > 0, "no job ended");
        Ok(())
    }

    fn rate(&self) -> f64 {
        self.jobs as f64 / self.seconds
    }
}

const MACHINE: &str = "the whole machine";
const KERNEL: &str = "of that, in the kernel";

/// Who used how much CPU time so far, seconds.
fn users(platform: &Platform) -> anyhow::Result<BTreeMap<String, f64>> {
    let (server, worker) = platform.children();
    let mut users = BTreeMap::new();
    for (role, pid) in [("server", server), ("worker", worker)] {
        users.extend(threads(role, &cpu(pid)?, Times::of_process(pid)?.own));
    }
    let nursery = nursery(worker).context("the worker has no nursery")?;
    let nursery = Times::of_process(nursery)?.own;
    users.insert("the nursery".into(), nursery);
    users.insert("cells and janitors, all that have ended".into(), Times::of_process(worker)?.children);
    users.insert("the clients".into(), Times::of_process(std::process::id())?.own);
    let busy = busy()?;
    users.insert(MACHINE.into(), busy.whole);
    users.insert(KERNEL.into(), busy.kernel);
    Ok(users)
}

/// The threads of a process by name. Each cell has one of its own, most of which have ended: they are in `whole`, the
/// time of the process.
fn threads(role: &str, living: &BTreeMap<String, f64>, whole: f64) -> BTreeMap<String, f64> {
    let mut users = BTreeMap::new();
    let ended = (whole - living.values().sum::<f64>()).max(0.0);
    let brief = match role {
        "worker" => "worker, threads of cells, most of which have ended".to_owned(),
        _ => format!("{role}, threads that have ended"),
    };
    for (name, seconds) in living {
        let name = if name.starts_with("cell-") { brief.clone() } else { format!("{role}, threads `{name}`") };
        *users.entry(name).or_default() += seconds;
    }
    *users.entry(brief).or_default() += ended;
    users
}

/// The worker's nursery, which is its child.
fn nursery(worker: u32) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{worker}/task")).ok()?.flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<u32> =
        children.flat_map(|line| line.split_whitespace().map(str::parse).collect::<Vec<_>>()).flatten().collect();
    pids.into_iter().find(|pid| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains("gambeson-nursery")
    })
}

fn report(work: &Work<'_>, bare: &Poured, ours: &Poured) -> String {
    let mut report = format!(
        "\n{CLIENTS} clients, each with a connection of its own, for {:.0} s, in turn with {LOOPS} loops of bare `python3 -I` for as long, \
         `print(1)` with {}: **{:.0} jobs a second**, durable, of which {:.1} % started cold; bare {:.0} a second: **{:.2}** times as many \
         (goal: at least {GOAL}). Median {}, 99th percentile {}.\n\n\
         | who | CPUs busy | CPU time of a job |\n|---|---|---|\n",
        ours.seconds,
        work.python,
        ours.rate(),
        100.0 * ours.cold as f64 / ours.jobs.max(1) as f64,
        bare.rate(),
        ours.rate() / bare.rate(),
        fine(percentile(&ours.times, 50)),
        fine(percentile(&ours.times, 99)),
    );
    for (name, seconds) in shares(&ours.cpu, ours.seconds) {
        let each = seconds / ours.jobs.max(1) as f64 * 1e6;
        report.push_str(&format!("| {name} | {:.2} | {each:.0} µs |\n", seconds / ours.seconds));
    }
    report.push_str(&format!(
        "\nTo be {GOAL} times as many as bare, a job may take {:.0} µs of CPU time on these {LOOPS} CPUs, whoever uses it.\n",
        LOOPS as f64 * 1e6 / (GOAL * bare.rate())
    ));
    report
}

/// Those who count, the busiest first; what nobody named has used; and the whole.
fn shares(cpu: &BTreeMap<String, f64>, seconds: f64) -> Vec<(String, f64)> {
    let mut named: Vec<(String, f64)> = cpu
        .iter()
        .filter(|(name, _)| ![MACHINE, KERNEL].contains(&name.as_str()))
        .map(|(name, time)| (name.clone(), *time))
        .collect();
    named.sort_by(|one, other| other.1.total_cmp(&one.1));
    let of = |name: &str| cpu.get(name).copied().unwrap_or(0.0);
    let machine = of(MACHINE);
    let rest = machine - named.iter().map(|(_, time)| time).sum::<f64>();
    named.retain(|(_, time)| time / seconds >= 0.005);
    named.push(("everybody else, the kernel's own threads among them".into(), rest.max(0.0)));
    named.extend([(MACHINE.into(), machine), (KERNEL.into(), of(KERNEL))]);
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rows: &[(&str, f64)]) -> BTreeMap<String, f64> {
        rows.iter().map(|(name, time)| ((*name).to_owned(), *time)).collect()
    }

    #[test]
    fn threads_of_cells_are_counted_together_with_those_that_ended() {
        let living = map(&[("spares", 1.0), ("cell-ab", 0.25), ("cell-cd", 0.25)]);
        let all = threads("worker", &living, 4.0);
        let ended = "worker, threads of cells, most of which have ended";
        assert_eq!(all, map(&[("worker, threads `spares`", 1.0), (ended, 3.0)]));
    }

    #[test]
    fn what_nobody_named_used_is_the_rest_of_the_machine() {
        let all = shares(&map(&[("a", 1.0), ("b", 3.0), ("idle", 0.001), (MACHINE, 10.0), (KERNEL, 7.0)]), 10.0);
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a", "everybody else, the kernel's own threads among them", MACHINE, KERNEL]);
        assert!((all[2].1 - 5.999).abs() < 1e-9);
    }
}
