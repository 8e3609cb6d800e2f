//! The same work by everybody in turn.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use gambeson_api::client::Client;
use gambeson_api::{Accepted, End, Job, Start, Submission};
use gambeson_testkit::Platform;

use super::inside::Inside;
use crate::bench::cold::{Contestant, bubblewrap, ratio};
use crate::bench::{median, percentile};

/// Rounds that do not count.
const WARM_UP: usize = 3;
/// After each turn, for what is cleared away and made anew behind it.
const REST: Duration = Duration::from_millis(15);
/// How long a job is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(30);

/// What is done.
pub(super) struct Work<'a> {
    pub(super) python: &'a str,
    /// Modules to import ahead of need.
    pub(super) preload: &'a [&'a str],
    pub(super) program: &'a Path,
    /// What it prints.
    pub(super) expected: &'a str,
}

/// Who does it, and how long it took each time that is asked.
struct Entrant<'a> {
    name: String,
    goal: &'a str,
    turn: Box<dyn FnMut() -> anyhow::Result<Duration> + 'a>,
}

/// What the stages of [`Inside`]'s answer are called.
const STAGES: [&str; 8] = [
    "handed over (`Spare::run` returned)",
    "the program's first line",
    "its first byte of output seen",
    "the interpreter begins to end",
    "the guest's process is gone, and with it the writers of its output",
    "**Exit returned** (`Cell::wait` returned)",
    "what it left is dropped",
    "the reaper is gone",
];

impl Work<'_> {
    /// Everybody in turn: a report that begins in the middle of a sentence. `goals`: of the platform, and of the
    /// sandbox's own interface.
    pub(super) fn run(&self, binary: &Path, rounds: usize, stages: usize, goals: [&str; 2]) -> anyhow::Result<String> {
        let platform = self.platform(binary);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = platform.client();
        let submission = self.submission()?;
        let twice = Submission { may_rerun: true, ..self.submission()? };
        runtime.block_on(self.until_warm(&client, &submission))?;
        let cold = Cell::new(0);
        let inside = RefCell::new(Inside::start(self)?);
        let (births, spent) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let bare = self.bare();
        let (others, absent) = self.others();
        let mut entrants = vec![
            Entrant { name: "bare `python3 -I`".into(), goal: "", turn: Box::new(|| bare.time(self.expected)) },
            Entrant {
                name: "`POST /v1/jobs?wait=30s`, until the outcome is read".into(),
                goal: goals[0],
                turn: Box::new(|| {
                    let begun = Instant::now();
                    let accepted = runtime.block_on(client.job_submit(&submission, Some(WAIT)))?;
                    let took = begun.elapsed();
                    if self.done(accepted)? == Start::Cold {
                        cold.set(cold.get() + 1);
                    }
                    Ok(took)
                }),
            },
            Entrant {
                name: "the same, of a job that may run twice (`may_rerun`): it waits for two commits instead of three"
                    .into(),
                goal: "",
                turn: Box::new(|| {
                    let begun = Instant::now();
                    let accepted = runtime.block_on(client.job_submit(&twice, Some(WAIT)))?;
                    let took = begun.elapsed();
                    self.done(accepted)?;
                    Ok(took)
                }),
            },
            Entrant {
                name: "the sandbox's own interface, spare to Exit".into(),
                goal: goals[1],
                turn: Box::new(|| {
                    let [born, took, _, cpu] = inside.borrow_mut().ask("run")?;
                    births.borrow_mut().push(Duration::from_nanos(born));
                    spent.borrow_mut().push(Duration::from_nanos(cpu));
                    Ok(Duration::from_nanos(took))
                }),
            },
        ];
        for (name, other) in &others {
            let turn = Box::new(|| other.time(self.expected));
            entrants.push(Entrant { name: (*name).to_owned(), goal: "", turn });
        }
        let times = race(&mut entrants, rounds)?;
        let rows: Vec<String> =
            entrants.iter().zip(&times).map(|(entrant, times_of)| row(entrant, times_of, &times[0])).collect();
        drop(entrants);

        let mut report = format!(
            "{rounds} rounds, everybody in turn:\n\n\
             | | median | 99th percentile | to bare: median | to bare: 99th percentile | goal |\n|---|---|---|---|---|---|\n{}",
            rows.concat()
        );
        for why in absent {
            report.push_str(&format!("\n{why}\n"));
        }
        let births = births.into_inner();
        report.push_str(&format!(
            "\nOf the platform's jobs, {} of {} started cold. A spare is born in {} (99th percentile {}), and its program uses {} of CPU time.\n",
            cold.get(),
            rounds + WARM_UP,
            fine(median(&births)),
            fine(percentile(&births, 99)),
            fine(median(&spent.into_inner())),
        ));
        drop(platform);
        report.push_str(&stages_of(&mut inside.into_inner(), stages)?);
        Ok(report)
    }

    /// A server and a worker as installed, but that a key may ask as often as it likes.
    pub(super) fn platform(&self, binary: &Path) -> Platform {
        let python = format!("worker.python={}", self.python);
        let preload = format!("worker.preload={}", self.preload.join(","));
        let mut flags = vec!["--set", "server.rate_per_key=1000000", "--set", "server.rate_burst=1000000"];
        flags.extend(["--set", &python]);
        if !self.preload.is_empty() {
            flags.extend(["--set", &preload]);
        }
        Platform::up(binary, &flags)
    }

    pub(super) fn submission(&self) -> anyhow::Result<Submission> {
        Ok(Submission::of_source(std::fs::read_to_string(self.program)?))
    }

    pub(super) fn bare(&self) -> Contestant {
        Contestant::new("bare python3 -I", &[self.python, "-I", &self.program.to_string_lossy()])
    }

    /// The other sandboxes that can run here, and why those that are missing cannot.
    fn others(&self) -> (Vec<(&'static str, Contestant)>, Vec<String>) {
        let (mut others, mut absent) = (Vec::new(), Vec::new());
        for (name, contestant) in [
            ("bubblewrap, the same mounts and namespaces", bubblewrap(self.python, self.program)),
            ("firejail, without network, capabilities and a writable tree, with its filter", self.firejail()),
        ] {
            let tried = contestant.and_then(|contestant| contestant.time(self.expected).map(|_| contestant));
            match tried {
                Ok(contestant) => others.push((name, contestant)),
                Err(error) => absent
                    .push(format!("{name}: did not run here: {}.", format!("{error:#}").trim().replace('\n', " "))),
            }
        }
        (others, absent)
    }

    fn firejail(&self) -> anyhow::Result<Contestant> {
        if Command::new("firejail").arg("--version").output().is_err() {
            bail!("firejail is not here; apt-get install firejail");
        }
        let jail = ["firejail", "--quiet", "--noprofile", "--net=none", "--caps.drop=all", "--nonewprivs", "--seccomp"];
        let mut command = jail.to_vec();
        let program = self.program.to_string_lossy();
        command.extend(["--nogroups", "--private-dev", "--read-only=/", self.python, "-I", &program]);
        Ok(Contestant::new("firejail", &command))
    }

    /// Whether a job did the work, and from what it started.
    pub(super) fn done(&self, accepted: Accepted) -> anyhow::Result<Start> {
        let Accepted::Job(job) = accepted else { bail!("one job became an array") };
        let Job { outcome, stdout, stderr, start, .. } = *job;
        let ended = outcome.as_ref().map(|outcome| &outcome.end);
        ensure!(
            ended == Some(&End::Exited { code: 0 }) && stdout.as_deref() == Some(self.expected),
            "the platform did other work: {outcome:?} {stdout:?} {stderr:?}"
        );
        Ok(start.unwrap_or(Start::Cold))
    }

    /// Until the nursery has what it needs: a worker starts jobs cold before.
    pub(super) async fn until_warm(&self, client: &Client, submission: &Submission) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.done(client.job_submit(submission, Some(WAIT)).await?)? == Start::Cold {
            ensure!(begun.elapsed() < Duration::from_secs(60), "this worker starts every job cold; its log says why");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// Everybody in turn, `rounds` times, after a few that do not count.
fn race(entrants: &mut [Entrant<'_>], rounds: usize) -> anyhow::Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::with_capacity(rounds); entrants.len()];
    for round in 0..rounds + WARM_UP {
        for place in places(round, entrants.len()) {
            let took = (entrants[place].turn)()?;
            thread::sleep(REST);
            if round >= WARM_UP {
                times[place].push(took);
            }
        }
    }
    Ok(times)
}

/// Nobody is always the first: each round begins with the next one.
fn places(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |place| (round + place) % count)
}

fn row(entrant: &Entrant<'_>, times: &[Duration], bare: &[Duration]) -> String {
    format!(
        "| {} | {} | {} | **{:.3}** | **{:.3}** | {} |\n",
        entrant.name,
        fine(median(times)),
        fine(percentile(times, 99)),
        ratio(times, bare),
        percentile(times, 99).as_secs_f64() / percentile(bare, 99).as_secs_f64(),
        entrant.goal
    )
}

fn stages_of(inside: &mut Inside, runs: usize) -> anyhow::Result<String> {
    let mut stages = vec![Vec::with_capacity(runs); STAGES.len() + 1];
    for _ in 0..runs {
        let answer: [u64; STAGES.len() + 1] = inside.ask("stages")?;
        for (times, nanoseconds) in stages.iter_mut().zip(answer) {
            times.push(Duration::from_nanos(nanoseconds));
        }
        thread::sleep(REST);
    }
    let [stages @ .., cpu] = stages.as_slice() else { bail!("no stages") };
    let rows = STAGES
        .iter()
        .zip(stages)
        .map(|(name, times)| format!("| {name} | {} | {} |\n", fine(median(times)), fine(percentile(times, 99))));
    Ok(format!(
        "\nStages of a program that says when it begins and when it ends, {runs} runs, from the beginning of the hand-over (one that \
         looks on takes a part of it):\n\n| done | median | 99th percentile |\n|---|---|---|\n{}\n\
         CPU time of the program: {}.\n",
        rows.collect::<String>(),
        fine(median(cpu))
    ))
}

/// Milliseconds, finer than tenths.
pub(super) fn fine(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_one_turn_a_round_and_begins_as_often_as_the_others() {
        let mut begins = [0; 3];
        for round in 0..6 {
            let mut order: Vec<usize> = places(round, 3).collect();
            begins[order[0]] += 1;
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2]);
        }
        assert_eq!(begins, [2, 2, 2]);
    }

    #[test]
    fn a_race_counts_no_round_of_the_warm_up() {
        let turns = Cell::new(0);
        let turn = Box::new(|| {
            turns.set(turns.get() + 1);
            Ok(Duration::from_millis(turns.get()))
        });
        let times = race(&mut [Entrant { name: "one".into(), goal: "", turn }], 2).unwrap();
        let first = WARM_UP as u64 + 1;
        assert_eq!(times, [[first, first + 1].map(Duration::from_millis)]);
    }

    #[test]
    fn a_row_compares_with_bare() {
        let entrant = Entrant { name: "half".into(), goal: "at most 1", turn: Box::new(|| bail!("not asked")) };
        let times = |ms: u64| vec![Duration::from_millis(ms); 4];
        let row = row(&entrant, &times(5), &times(10));
        assert_eq!(row, "| half | 5.00 ms | 5.00 ms | **0.500** | **0.500** | at most 1 |\n");
    }
}
