//! `cargo xtask chaos`: jobs by the hundred on a platform to which everything happens at random points, and then:
//! every promise about every job, checked.

mod chance;
mod check;
mod faults;
mod ghost;
mod proxy;
mod scene;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use gambeson_api::client::{Client, JobFilter};
use gambeson_api::{End, EventBody, Job, JobId};
use gambeson_testkit::Platform;
use rustix::process::Signal;
use tokio::time::sleep;

use chance::Chance;
use check::{Books, History, Promise};
use faults::{Done, Faults, SecondWorker};
use ghost::{Ghost, GhostCounts};
use proxy::Proxy;
use scene::Disk;
use work::{Ledger, Submitter, Wanted, locked};

/// How long a worker may be silent.
const LEASE: Duration = Duration::from_secs(2);

/// So that both workers run several cells at once, on whatever machine.
const WORKER_SETTINGS: &[&str] = &["--set", "worker.slots=4", "--set", "worker.cpus=4", "--set", "worker.memory=512M"];

/// What is wanted of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    /// How long faults go on.
    faults_for: Duration,
    seed: u64,
    submitters: u64,
    pause_ms: (u64, u64),
    /// No more submissions beyond this many jobs.
    jobs_most: u64,
    release: bool,
}

fn wish(args: &[String]) -> anyhow::Result<Wish> {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos() as u64 % 1_000_000_007;
    let mut wish = Wish {
        faults_for: Duration::from_secs(300),
        seed,
        submitters: 16,
        pause_ms: (400, 3000),
        jobs_most: u64::MAX,
        release: false,
    };
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut number = || -> anyhow::Result<u64> {
            words.next().and_then(|text| text.parse().ok()).with_context(|| format!("{word} wants a number"))
        };
        match word {
            "--seconds" => wish.faults_for = Duration::from_secs(number()?),
            "--seed" => wish.seed = number()?,
            "--release" => wish.release = true,
            "--short" => {
                wish = Wish { faults_for: Duration::from_secs(14), pause_ms: (200, 1400), jobs_most: 110, ..wish };
            }
            _ => bail!("cargo xtask chaos [--short] [--seconds N] [--seed N] [--release]"),
        }
    }
    Ok(wish)
}

/// Runs it. Ends the process with 1 where a promise is broken.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let wish = wish(args)?;
    let mut build = Command::new("cargo");
    build.args(["build", "-q", "-p", "gambeson"]).args(wish.release.then_some("--release"));
    if !build.status()?.success() {
        bail!("the build failed");
    }
    let binary = super::root().join("target").join(if wish.release { "release" } else { "debug" }).join("gambeson");
    println!("seed {}, faults for {} s", wish.seed, wish.faults_for.as_secs());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ledger = Arc::new(Ledger::new());
    let verdict = runtime.block_on(async {
        tokio::select! {
            verdict = chaos(wish, binary, Arc::clone(&ledger)) => verdict,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminated() => bail!("terminated"),
        }
    });
    // All that is ours is dropped, and with it killed and unmounted: by the thread of faults, if that is the last.
    ledger.stop.store(true, Ordering::Relaxed);
    runtime.shutdown_timeout(Duration::from_secs(40));
    let failed = verdict?.print();
    if failed > 0 {
        println!("again: cargo xtask chaos --seed {} --seconds {}", wish.seed, wish.faults_for.as_secs());
        std::process::exit(1);
    }
    Ok(())
}

async fn terminated() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// What came out: each promise with its breaches, and counts.
#[derive(Debug, Default)]
struct Report {
    promises: Vec<(String, Vec<String>)>,
    counts: Vec<(String, u64)>,
}

impl Report {
    fn promise(&mut self, what: &str, breaches: Vec<String>) {
        self.promises.push((what.to_owned(), breaches));
    }

    fn count(&mut self, what: impl Into<String>, count: u64) {
        self.counts.push((what.into(), count));
    }

    /// Prints it. How many promises are broken.
    fn print(&self) -> usize {
        println!();
        for (what, count) in &self.counts {
            println!("{count:>8}  {what}");
        }
        println!();
        for (what, breaches) in &self.promises {
            println!("{} {what}", if breaches.is_empty() { "kept  " } else { "BROKEN" });
            for breach in breaches.iter().take(20) {
                println!("         {breach}");
            }
            if breaches.len() > 20 {
                println!("         and {} more", breaches.len() - 20);
            }
        }
        let failed = self.promises.iter().filter(|(_, breaches)| !breaches.is_empty()).count();
        println!("\n{} passed, {failed} failed, 0 skipped", self.promises.len() - failed);
        failed
    }
}

async fn chaos(wish: Wish, binary: PathBuf, ledger: Arc<Ledger>) -> anyhow::Result<Report> {
    let begun = Instant::now();
    let disk = Arc::new(Disk::mount(192)?);
    let data = disk.dir.join("data");
    let lease = format!("queue.lease={}ms", LEASE.as_millis());
    let mut args = vec!["--set", &lease, "--set", "queue.attempts_max=8", "--set", "server.rate_per_key=100000"];
    args.extend(["--set", "server.rate_burst=100000", "--set", "worker.drain=20s", "--set", "server.drain=5s"]);
    args.extend(WORKER_SETTINGS);
    let platform = Arc::new(Platform::up_at(&binary, &data, &args));
    let client = platform.client();
    let server = platform.url.trim_start_matches("http://").parse().context("the server's address")?;
    let proxy = Arc::new(Proxy::start(server).await?);
    let entry = format!("chaos-{}-{}.py", wish.seed, std::process::id());

    let token_file = disk.dir.join("token");
    std::fs::write(&token_file, client.join_token_create().await?.token)?;
    let second = SecondWorker::start(&binary, &proxy.url, token_file, disk.dir.join("second"));
    let ghosts = Arc::new(GhostCounts::default());
    let by_proxy = work::client(&proxy.url, &platform.key)?;
    let chance = Chance::of(wish.seed, 1);
    let ghost = Ghost::enrol(client.clone(), &proxy.url, chance, Arc::clone(&ledger), Arc::clone(&ghosts)).await?;
    // Whoever joins gets in before anything happens: a token serves once.
    joined(&client, 3).await?;

    let ghost = tokio::spawn(ghost.haunt());
    let mut submitters = Vec::new();
    for number in 0..wish.submitters {
        let submitter = Submitter {
            name: format!("s{number}"),
            client: if number % 2 == 0 { client.clone() } else { by_proxy.clone() },
            entry: entry.clone(),
            chance: Chance::of(wish.seed, 100 + number),
            ledger: Arc::clone(&ledger),
            jobs_most: wish.jobs_most,
            hasty: number % 4 < 2 && number < 8,
        };
        submitters.push(tokio::spawn(submitter.work()));
    }
    let until = Instant::now() + wish.faults_for;
    let faults = Faults {
        platform: Arc::clone(&platform),
        second,
        disk: Arc::clone(&disk),
        proxy: Arc::clone(&proxy),
        ledger: Arc::clone(&ledger),
        chance: Chance::of(wish.seed, 2),
        pause_ms: wish.pause_ms.0..wish.pause_ms.1,
        counts: BTreeMap::new(),
        workers: BTreeSet::new(),
    };
    // So that a run that hangs shows where.
    let said = |what: &str| println!("{:>6.1} s  {what}", begun.elapsed().as_secs_f64());
    said("the platform stands; faults begin");
    let faults = tokio::task::spawn_blocking(move || faults.go_on(until));
    let faults = match faults.await {
        Ok(faults) => faults,
        Err(panicked) => {
            bail!("the faults ended early ({panicked}); the platform said:\n{}", tail(&platform.process.said()))
        }
    };
    said("faults are over");
    ledger.stop.store(true, Ordering::Relaxed);
    for submitter in submitters {
        submitter.await.context("a submitter failed")?;
    }
    said("submitters are done");
    let mut report = Report::default();
    let calm = Instant::now();
    report.promise("every job ends soon after the last fault", all_ended(&client, Duration::from_secs(120)).await?);
    let calm_s = calm.elapsed().as_secs();
    said("jobs have ended");
    ghost.await.context("the ghost failed")?;
    said("the ghost is gone");
    look(&client, &ledger, &mut report).await?;

    said("all was looked at");
    // An end in order, with nothing left.
    let Done { second, workers, counts } = faults;
    platform.process.signal(Signal::TERM);
    let (mut said, mut unended) = (String::new(), Vec::new());
    let (second_said, ended) = tokio::task::spawn_blocking(move || second.stop()).await?;
    said += &second_said;
    if !ended {
        unended.push("the second worker had to be killed".to_owned());
    }
    let mut platform = Arc::into_inner(platform).context("somebody still has the platform")?;
    match platform.process.wait(Duration::from_secs(60)) {
        Some(status) if status.success() => {}
        other => unended.push(format!("up ended with {other:?}")),
    }
    said += &platform.process.said();
    if let Ok(path) = std::env::var("GAMBESON_CHAOS_LOG") {
        std::fs::write(path, &said)?;
    }
    drop(platform);
    report.promise("server and workers end when they are told to", unended);
    report.promise("the store's file is sound", scene::store_damage(&data.join("store.sqlite"))?);
    let gone = Instant::now() + Duration::from_secs(20);
    let mut left = scene::left_behind(&workers, &entry, &disk.dir);
    while !left.is_empty() && Instant::now() < gone {
        sleep(Duration::from_millis(100)).await;
        left = scene::left_behind(&workers, &entry, &disk.dir);
    }
    match Arc::into_inner(disk) {
        Some(disk) => left.extend(disk.unmount().err().map(|error| error.to_string())),
        None => left.push("a fault still has the disk".into()),
    }
    report.promise("no cell, mount or cgroup is left", left);
    report.promise(
        "nothing panicked",
        said.lines().filter(|line| line.contains("panicked at")).map(str::to_owned).collect(),
    );
    let took = ghosts.leases.load(Ordering::Relaxed);
    report.promise("what was wrong on the way", std::mem::take(&mut *locked(&ledger.breaches)));

    for (fault, count) in &counts {
        report.count(fault.name(), *count);
    }
    report.count("leases that the ghost took", took);
    report.count("reports under a lease that was gone, refused", ghosts.refused.load(Ordering::Relaxed));
    report.count(
        "jobs that workers let go, dead, with nothing reported",
        said.matches("its cell is dead").count() as u64,
    );
    report.count("lives of workers", workers.len() as u64);
    report.count("seconds from the last fault to the last end", calm_s);
    report.count("seconds in all", begun.elapsed().as_secs());
    Ok(report)
}

fn tail(said: &str) -> &str {
    let from = said.len().saturating_sub(4000);
    said.get(from..).unwrap_or(said)
}

/// Waits until so many workers are known.
async fn joined(client: &Client, count: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.worker_list().await?.workers.len() < count {
        if Instant::now() > deadline {
            bail!("the workers do not join");
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Waits until no job is open; names those that still are after `patience`.
async fn all_ended(client: &Client, patience: Duration) -> anyhow::Result<Vec<String>> {
    let deadline = Instant::now() + patience;
    loop {
        let queue = client.queue().await?;
        if queue.queued + queue.running == 0 {
            return Ok(Vec::new());
        }
        if Instant::now() > deadline {
            let open = listed(client).await?.into_iter().filter(|job| job.outcome.is_none());
            return Ok(open.map(|job| format!("{} is {} after {patience:?}", job.id, job.state.name())).collect());
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Every job that there is.
async fn listed(client: &Client) -> anyhow::Result<Vec<Job>> {
    let (mut jobs, mut filter) = (Vec::new(), JobFilter { limit: Some(200), ..JobFilter::default() });
    loop {
        let page = client.job_list(&filter).await?;
        jobs.extend(page.jobs);
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            return Ok(jobs);
        }
    }
}

/// Looks at everything that was promised, through the API.
async fn look(client: &Client, ledger: &Ledger, report: &mut Report) -> anyhow::Result<()> {
    let answered = locked(&ledger.answered).clone();
    let listed = listed(client).await?;
    let (mut answers, mut wanted): (Vec<(String, JobId)>, BTreeMap<JobId, Wanted>) = Default::default();
    for one in &answered {
        let Some((array, size)) = one.array else {
            answers.push((one.key.clone(), one.first));
            wanted.insert(one.first, one.wanted.clone());
            continue;
        };
        let places: BTreeMap<u32, JobId> = listed
            .iter()
            .filter_map(|job| job.array.filter(|place| place.id == array).map(|place| (place.index, job.id)))
            .collect();
        if !places.keys().copied().eq(0..size) || places.get(&0) != Some(&one.first) {
            ledger.breach(format!("{array} ({}) has the elements {:?} of {size}", one.key, places.keys()));
        }
        for (index, job) in places {
            answers.push((format!("{}.{index}", one.key), job));
            wanted.insert(job, Wanted { tag: format!("{}.{index}", one.wanted.tag), ..one.wanted.clone() });
        }
    }
    let ids: BTreeSet<JobId> = listed.iter().map(|job| job.id).collect();
    report.promise(
        "each idempotency key became one submission, and every job is somebody's",
        check::jobs_by_key(&answers, &ids),
    );

    let mut histories = Vec::new();
    for (id, wanted) in wanted {
        let job = client.job(id, None).await.with_context(|| id.to_string())?;
        let (mut events, mut follower) = (Vec::new(), client.events_so_far(id, 0));
        loop {
            match follower.next().await {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => {
                    ledger.breach(format!("the events of {id} cannot be read: {error}"));
                    break;
                }
            }
        }
        histories.push(History { job, events, wanted });
    }
    let breaches: check::Breaches = histories.iter().flat_map(check::history).collect();
    for (promise, what) in Promise::ALL {
        let of_it = breaches.iter().filter(|(broken, _)| *broken == promise).map(|(_, what)| what.clone());
        report.promise(what, of_it.collect());
    }
    let followed = locked(&ledger.followed).clone();
    let differing = histories
        .iter()
        .filter_map(|history| followed.get(&history.job.id).and_then(|seen| check::followed(history, seen)));
    report.promise("who followed a job through all of it saw the same events", differing.collect());
    books(client, ledger, &histories, report).await?;
    let verdict = client.audit_verify(None).await?;
    report.promise("the audit log is whole", verdict.broken.into_iter().collect());
    count(ledger, &answered, &histories, followed.len(), verdict.rows, report);
    Ok(())
}

async fn books(client: &Client, ledger: &Ledger, histories: &[History], report: &mut Report) -> anyhow::Result<()> {
    let should = check::books(histories.iter().map(|history| &history.job), ledger.uploaded.load(Ordering::Relaxed));
    let usage = client.usage(None, None).await?;
    let mut breaches = Vec::new();
    if usage.lines.is_empty() {
        breaches.push("there is no line".to_owned());
    }
    // One project with one user: both lines say the same.
    for line in usage.lines {
        let is = Books {
            jobs: line.jobs,
            cpu_ms: line.cpu_ms,
            cpu_reserved_ms: line.cpu_reserved_ms,
            queued: line.queued,
            running: line.running,
            stored_bytes: line.stored_bytes,
        };
        if is != should {
            let whose = line.user_name.unwrap_or(line.project_name);
            breaches.push(format!("{whose}: the books say {is:?}; the jobs add up to {should:?}"));
        }
    }
    report.promise("quotas add up: what is reserved, charged and stored", breaches);
    Ok(())
}

fn count(
    ledger: &Ledger,
    answered: &[work::Answered],
    histories: &[History],
    followed: usize,
    audited: u64,
    report: &mut Report,
) {
    report.count("jobs accepted", histories.len() as u64);
    report.count("submissions accepted, arrays among them", answered.len() as u64);
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let (mut requeued, mut started, mut events) = (0, 0, 0);
    for history in histories {
        if let Some(outcome) = &history.job.outcome {
            let what = match &outcome.end {
                End::Fault { step } => format!("ended: fault ({step}: {})", outcome.message),
                other => format!("ended: {}", other.kind()),
            };
            *ends.entry(what).or_default() += 1;
        }
        events += history.events.len() as u64;
        let times =
            |what: fn(&EventBody) -> bool| history.events.iter().filter(|event| what(&event.body)).count() as u64;
        requeued += times(|body| matches!(body, EventBody::Requeued { .. }));
        started += times(|body| matches!(body, EventBody::Started {}));
    }
    for (what, times) in ends {
        report.count(what, times);
    }
    report.count("attempts started", started);
    report.count("attempts requeued", requeued);
    report.count("events", events);
    report.count("jobs followed live", followed as u64);
    report.count("audit rows", audited);
    report.count("submissions sent again: no answer had come", ledger.unanswered.load(Ordering::Relaxed));
    report.count("submissions sent again: though answered", ledger.doubled.load(Ordering::Relaxed));
    report.count("requests given up: neither answered nor broken off", ledger.unheard.load(Ordering::Relaxed));
    report.count("answers that the disk is full", ledger.store_full.load(Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_wish() {
        let of = |text: &str| wish(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let long = of("--seed 7").unwrap();
        assert_eq!((long.seed, long.faults_for.as_secs(), long.jobs_most), (7, 300, u64::MAX));
        assert_eq!(of("--short --seed 7 --seconds 9").unwrap().faults_for.as_secs(), 9);
        assert!(of("--seed").is_err() && of("--long").is_err());
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let numbers = |seed| {
            let mut chance = Chance::of(seed, 2);
            (0..9).map(|_| chance.among(0..1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(5), numbers(5));
        assert_ne!(numbers(5), numbers(6));
    }
}
