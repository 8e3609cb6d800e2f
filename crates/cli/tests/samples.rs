//! What running jobs use, from the cell to the client: the real binary, server and worker.

use std::path::PathBuf;
use std::time::Duration;

use gambeson_api::{Accepted, EventBody, Job, JobId, JobState, Sample, StartAsked, Submission};
use gambeson_testkit::{Platform, until};

/// Whatever this machine lacks: these tests are about something else.
const ACCEPT: [&str; 2] = [
    "--set",
    "worker.accept_missing=cgroup.memory,cgroup.pids,cgroup.cpu,namespace.user,namespace.time,namespace.cgroup,landlock",
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// `GAMBESON_TEST_START` says how the jobs start, as in the tests of escapes.
fn start() -> StartAsked {
    match std::env::var("GAMBESON_TEST_START").as_deref() {
        Ok("cold") => StartAsked::Cold,
        _ => StartAsked::Warm,
    }
}

async fn submit(platform: &Platform, source: &str) -> JobId {
    let submission = Submission { start: start(), ..Submission::of_source(source) };
    match platform.client().job_submit(&submission, None).await.unwrap() {
        Accepted::Job(job) => job.id,
        Accepted::Array(_) => panic!("no array"),
    }
}

async fn ended(platform: &Platform, id: JobId) -> (Job, Vec<Sample>) {
    let client = platform.client();
    let job = client.job(id, Some(Duration::from_secs(30))).await.unwrap();
    assert_eq!(job.state, JobState::Ended, "{job:?}");
    let mut events = client.events_so_far(id, 0);
    let mut samples = Vec::new();
    while let Some(event) = events.next().await.unwrap() {
        if let EventBody::Sample(sample) = event.body {
            samples.push(sample);
        }
    }
    (job, samples)
}

#[test]
fn a_job_that_runs_says_what_it_uses_and_one_that_ends_soon_costs_no_sample() {
    let platform = Platform::up(&PathBuf::from(env!("CARGO_BIN_EXE_gambeson")), &ACCEPT);
    let runtime = runtime();
    let busy =
        "import time\nprint('begins', flush=True)\nend = time.time() + 2\nwhile time.time() < end: pass\nprint('ends')";
    let runs = runtime.block_on(submit(&platform, busy));
    let now = until("it is known what it uses", || {
        let job = runtime.block_on(platform.client().job(runs, None)).unwrap();
        assert_ne!(job.state, JobState::Ended, "{job:?}");
        job.now
    });
    assert!(now.wall_ms >= 250 && now.cpu_ms > 0, "{now:?}");
    let shown = platform.command(&["job", &runs.to_string()]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("\nuses         time "), "{shown}");
    let (job, samples) = runtime.block_on(ended(&platform, runs));
    assert!(samples.len() >= 3, "{samples:?}");
    for pair in samples.windows(2) {
        assert!(pair[1].wall_ms > pair[0].wall_ms && pair[1].cpu_ms > pair[0].cpu_ms, "{samples:?}");
    }
    let (last, usage) = (samples[samples.len() - 1], job.usage.unwrap());
    assert!(last.wall_ms as f64 <= usage.wall_ms && last.cpu_ms as f64 <= usage.cpu_ms, "{last:?} of {usage:?}");
    assert_eq!((job.now, job.stdout.as_deref()), (None, Some("begins\nends\n")));
    let logs = platform.command(&["logs", &runs.to_string()]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&logs.stdout), "begins\nends\n");
    // After the nursery has had its time: a cold start alone may take longer than this on a busy machine.
    let soon = runtime.block_on(submit(&platform, "import time; time.sleep(0.05)"));
    let (job, samples) = runtime.block_on(ended(&platform, soon));
    let wall_ms = job.usage.unwrap().wall_ms;
    assert!(samples.is_empty() || wall_ms > 250.0, "{samples:?} in {wall_ms} ms");
    let workers = runtime.block_on(platform.client().worker_list()).unwrap().workers;
    assert!(workers[0].vitals.is_some(), "its heartbeats say how it is: {workers:?}");
    let shown = platform.command(&["workers"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.trim_end_matches('\n').split('\t').count(), 12, "{shown}");
}
