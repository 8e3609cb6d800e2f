//! Cells that are ready before their program comes.

use gambeson_api::{End, Start, StartAsked};
use gambeson_worker::Warmth;

use crate::server::{Listening, lease, listen};
use crate::{TTL, Worker};

/// One after the other: a nursery is told from another by whose child it is.
pub static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn warm(server: &Listening) -> Worker {
    Worker::start(server, |config| config.warmth = Some(Warmth::new(gambeson_nursery_image::LIBRARY)))
}

/// Runs a program, and says what it printed and how it started.
async fn run(server: &Listening, source: &str, asked: StartAsked) -> (String, Start) {
    let mut lease = lease(source);
    lease.start = asked;
    let job = server.submit(lease);
    let settled = server.settled(job).await;
    assert_eq!(settled.report.outcome.end, End::Exited { code: 0 }, "{:?}", settled.report.outcome);
    (server.stdout(job), settled.report.start)
}

/// Runs programs until one starts warm.
async fn run_until_warm(server: &Listening) {
    for _ in 0..100 {
        if run(server, "print(1)", StartAsked::Warm).await == ("1\n".into(), Start::Warm) {
            return;
        }
    }
    panic!("a hundred programs started cold");
}

/// Nurseries that are children of this process.
fn nurseries() -> Vec<i32> {
    let own = std::process::id().to_string();
    let is_ours = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        // The first process of a cell is its copy, in a pid namespace of its own.
        let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(1).map(str::to_owned));
        parent.as_deref() == Some(own.as_str())
            && command.contains("gambeson-nursery-has-no-script")
            && pids.split_whitespace().count() == 1
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_ours).collect()
}

fn signal(pids: &[i32], signal: rustix::process::Signal) {
    for pid in pids {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(*pid).unwrap(), signal);
    }
}

#[tokio::test]
async fn programs_start_warm_one_after_the_other_and_a_nursery_that_dies_or_wedges_loses_none_of_them() {
    use rustix::process::Signal;
    let _alone = ALONE.lock().await;
    let server = listen(TTL).await;
    let worker = warm(&server);
    run_until_warm(&server).await;
    // Each cell is new.
    let trace =
        "import os, sys\nprint(os.path.exists('/tmp/x'), 'kept' in dir(sys))\nopen('/tmp/x', 'w')\nsys.kept = 1";
    for _ in 0..5 {
        assert_eq!(run(&server, trace, StartAsked::Warm).await.0, "False False\n");
    }
    let before = nurseries();
    assert_eq!(before.len(), 1);
    signal(&before, Signal::KILL);
    for number in 0..10 {
        let (printed, _) = run(&server, &format!("print({number})"), StartAsked::Warm).await;
        assert_eq!(printed, format!("{number}\n"));
    }
    run_until_warm(&server).await;
    let after = nurseries();
    assert!(after.len() == 1 && after != before, "{before:?}, then {after:?}");
    // More at once than there are spares, of a nursery that does not answer.
    signal(&after, Signal::STOP);
    let jobs: Vec<_> = (0..12).map(|number| server.submit(lease(&format!("print({number})")))).collect();
    for (number, job) in jobs.into_iter().enumerate() {
        server.settled(job).await;
        assert_eq!(server.stdout(job), format!("{number}\n"));
    }
    worker.finish().await;
    for pid in after.iter().chain(&before) {
        assert!(!nurseries().contains(pid), "a nursery outlives its worker");
    }
}

#[tokio::test]
async fn who_asks_for_an_interpreter_of_their_own_gets_one() {
    let _alone = ALONE.lock().await;
    let server = listen(TTL).await;
    let worker = warm(&server);
    run_until_warm(&server).await;
    for asked in [StartAsked::Fresh, StartAsked::Cold] {
        assert_eq!(run(&server, "print(1)", asked).await, ("1\n".into(), Start::Cold), "{asked:?}");
    }
    // What is read when an interpreter starts is another for this one.
    let mut own = lease("import sys; print(sys.flags.hash_randomization)");
    own.env.insert("PYTHONHASHSEED".into(), "0".into());
    let job = server.submit(own);
    assert_eq!((server.settled(job).await.report.start, server.stdout(job)), (Start::Cold, "0\n".into()));
    worker.finish().await;
}

#[tokio::test]
async fn a_job_with_long_arguments_or_a_tight_limit_costs_nobody_else_the_nursery() {
    let _alone = ALONE.lock().await;
    let server = listen(TTL).await;
    let worker = warm(&server);
    run_until_warm(&server).await;
    let before = nurseries();
    let mut long = lease("import sys; print(len(sys.argv))");
    long.args = vec!["x".repeat(100); 1000];
    let job = server.submit(long);
    assert_eq!((server.settled(job).await.report.start, server.stdout(job)), (Start::Cold, "1001\n".into()));
    // One that takes its time to build itself, and one whose limits let it never be.
    let mut slow = lease("print('slow')");
    slow.limits.cpus_milli = 20;
    let slow = server.submit(slow);
    let mut small = lease("print('small')");
    small.limits.pids = 1;
    small.limits.open_files = 16;
    let small = server.submit(small);
    for _ in 0..10 {
        assert_eq!(run(&server, "print(1)", StartAsked::Warm).await, ("1\n".into(), Start::Warm));
    }
    server.settled(small).await;
    server.settled(slow).await;
    assert_eq!((server.stdout(slow), server.stdout(small)), ("slow\n".into(), "small\n".into()));
    assert_eq!(nurseries(), before, "it is the same nursery");
    worker.finish().await;
}
