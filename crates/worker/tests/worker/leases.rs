//! Leases: cancelled, lost, expired.

use std::time::Duration;

use gambeson_api::work::{Entry, Lease};
use gambeson_api::{Digest, End, FileContent};
use tokio::time::Instant;

use crate::server::{dead, lease, listen, processes};
use crate::{TTL, Worker, room};

const FOREVER: &str = "print('ready')\nimport time\ntime.sleep(600)";

#[tokio::test]
async fn a_job_that_is_cancelled_while_it_runs_is_killed_and_settled() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease(FOREVER));
    server.printed(job, "ready").await;
    let begun = Instant::now();
    server.change(|inner| inner.cancel.insert(job));
    let settled = server.settled(job).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(settled.report.outcome.end, End::Cancelled {});
    assert_eq!(settled.report.outcome.message, "cancelled on request");
    assert!(settled.report.usage.wall_ms > 0.0 && !settled.report.layers.is_empty());
    dead(job).await;
    worker.finish().await;
}

#[tokio::test]
async fn a_job_that_is_cancelled_before_its_start_never_starts() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.mute_blobs = true);
    let worker = Worker::start(&server, |_| {});
    let mut waits = lease(FOREVER);
    let digest = Digest::of(b"data");
    waits.files.insert("data".into(), FileContent::Blob { digest, size: Some(4), executable: false });
    let job = server.submit(waits);
    server.change(|inner| inner.cancel.insert(job));
    let settled = server.settled(job).await;
    assert_eq!(settled.report.outcome.end, End::Cancelled {});
    assert!(server.inner().seen.entries[&job].is_empty(), "it was started");
    worker.finish().await;
}

#[tokio::test]
async fn a_program_starts_when_that_is_recorded_unless_it_may_run_twice() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.mute_starts = true);
    let worker = Worker::start(&server, |_| {});
    let once = server.submit(lease(FOREVER));
    server.until("the start is asked for", |inner| (inner.seen.starts_asked == 1).then_some(())).await;
    let twice = server.submit(Lease { may_rerun: true, ..lease(FOREVER) });
    while processes(twice).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(processes(once).is_empty(), "it runs, and nobody knows");
    server.change(|inner| inner.faults.mute_starts = false);
    server.printed(once, "ready").await;
    server.change(|inner| inner.cancel.extend([once, twice]));
    for job in [once, twice] {
        assert_eq!(server.settled(job).await.report.outcome.end, End::Cancelled {});
        assert_eq!(server.inner().seen.entries[&job][0], Entry::Started {});
    }
    worker.finish().await;
}

#[tokio::test]
async fn a_worker_that_lost_a_lease_kills_its_cell_and_says_nothing() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease(FOREVER));
    server.printed(job, "ready").await;
    assert!(!processes(job).is_empty(), "a process can be found by its mark");
    let said = server.change(|inner| {
        inner.lost.insert(job);
        inner.seen.entries[&job].clone()
    });
    assert!(dead(job).await < Duration::from_secs(2));
    // Another job shows that it goes on, and that its room came back.
    let other = server.submit(lease("print('other')"));
    server.settled(other).await;
    server.change(|inner| {
        assert!(!inner.seen.settled.contains_key(&job) && !inner.seen.handed_back.contains_key(&job));
        assert_eq!(inner.seen.entries[&job], said);
    });
    worker.finish().await;
}

#[tokio::test]
async fn a_worker_whose_reports_are_refused_kills_the_cell() {
    let server = listen(TTL).await;
    // Heartbeats do not say it.
    server.change(|inner| inner.faults.mute_heartbeats = false);
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease("import time\nprint('ready')\nwhile True:\n    time.sleep(.01)\n    print('more')"));
    server.printed(job, "ready").await;
    server.change(|inner| {
        inner.faults.mute_heartbeats = true;
        inner.lost.insert(job);
    });
    assert!(dead(job).await < Duration::from_secs(2));
    server.change(|inner| inner.faults.mute_heartbeats = false);
    worker.finish().await;
}

#[tokio::test]
async fn a_worker_that_is_cut_off_kills_its_cells_when_their_leases_run_out() {
    let ttl = Duration::from_millis(800);
    let server = listen(ttl).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease(FOREVER));
    server.printed(job, "ready").await;
    let beats = server.inner().seen.heartbeats;
    server.until("the lease is renewed a few times", |inner| (inner.seen.heartbeats > beats + 4).then_some(())).await;
    assert!(!processes(job).is_empty(), "heartbeats keep it alive");
    server.change(|inner| inner.faults.mute_heartbeats = true);
    let took = dead(job).await;
    // The last answer may be older than the silence, never younger.
    assert!(took < ttl + Duration::from_millis(500), "{took:?}");
    server.change(|inner| inner.faults.mute_heartbeats = false);
    let other = server.submit(lease("print('other')"));
    server.settled(other).await;
    assert!(!server.inner().seen.settled.contains_key(&job));
    worker.finish().await;
}

#[tokio::test]
async fn a_long_job_is_kept_while_short_ones_come_and_go_all_the_time() {
    let ttl = Duration::from_secs(2);
    let server = listen(ttl).await;
    let worker = Worker::start(&server, |config| config.room = room(8));
    let long = server.submit(lease(FOREVER));
    server.printed(long, "ready").await;
    let begun = Instant::now();
    while begun.elapsed() < ttl * 3 {
        server.submit(lease("import time\ntime.sleep(0.6)"));
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(!processes(long).is_empty(), "let go after {:?}", begun.elapsed());
    }
    server.change(|inner| inner.cancel.insert(long));
    server.settled(long).await;
    worker.finish().await;
}
