//! The life of a worker: how it becomes known, and how it ends.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use gambeson_api::{Digest, End, FileContent};
use gambeson_worker::WorkerError;
use tempfile::TempDir;

use crate::server::{Inner, dead, lease, listen};
use crate::{TTL, Worker};

fn waits_for_a_blob() -> gambeson_api::work::Lease {
    let mut lease = lease("print(1)");
    let digest = Digest::of(b"data");
    lease.files.insert("data".into(), FileContent::Blob { digest, size: Some(4), executable: false });
    lease
}

#[tokio::test]
async fn a_credential_is_kept_and_serves_without_the_token() {
    let server = listen(TTL).await;
    let mut worker = Worker::start(&server, |_| {});
    server.until("it asks for work", |inner| inner.seen.polls.first().map(drop)).await;
    worker.stop();
    let (state, ended) = worker.ended().await;
    ended.unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(state.path().join("credential.json")), 0o600);
    assert_eq!(mode(state.path().to_owned()), 0o700);

    let worker = Worker::start_in(state, &server, |config| config.join_token = None);
    let job = server.submit(lease("print('again')"));
    server.settled(job).await;
    let enrolled = server.inner().seen.enrolled.clone();
    assert_eq!(enrolled.len(), 1);
    assert!(enrolled[0].environment.starts_with("CPython 3.") && !enrolled[0].layers.is_empty());
    worker.finish().await;
}

#[tokio::test]
async fn a_worker_that_the_server_no_longer_knows_ends_with_what_to_do() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease("print('ready')\nimport time\ntime.sleep(600)"));
    server.printed(job, "ready").await;
    server.change(|inner| inner.faults.forget = true);
    // The next request ends it.
    server.change(|inner| inner.cancel.insert(job));
    let (state, ended) = worker.ended().await;
    let said = ended.unwrap_err().to_string();
    assert!(said.contains("credential.json") && said.contains("new join token"), "{said}");
    dead(job).await;
    let again = Worker::start_in(state, &server, |_| {});
    assert!(matches!(again.ended().await.1, Err(WorkerError::CredentialRefused { .. })));
}

#[tokio::test]
async fn an_enrolment_whose_answer_is_lost_does_not_use_the_token_up() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.cut = 1);
    let worker = Worker::start(&server, |_| {});
    server.until("it asks for work", |inner| inner.seen.polls.first().map(drop)).await;
    let asked = server.inner().seen.asked_to_enrol;
    assert_eq!((asked, server.inner().seen.enrolled.len()), (2, 1));
    worker.finish().await;
}

#[tokio::test]
async fn a_join_token_serves_once() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    server.until("it asks for work", |inner| inner.seen.polls.first().map(drop)).await;
    let second = Worker::start(&server, |_| {});
    assert!(matches!(second.ended().await.1, Err(WorkerError::JoinRefused { .. })));
    let none = Worker::start(&server, |config| config.join_token = None);
    assert!(matches!(none.ended().await.1, Err(WorkerError::NotEnrolled { .. })));
    worker.finish().await;
}

#[tokio::test]
async fn a_worker_that_stops_finishes_what_runs_and_hands_back_what_does_not() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.mute_blobs = true);
    let mut worker = Worker::start(&server, |_| {});
    let runs = server.submit(lease("import time\nprint('ready')\ntime.sleep(.7)\nprint('done')"));
    let waits = server.submit(waits_for_a_blob());
    server.printed(runs, "ready").await;
    worker.stop();
    let back = |inner: &mut Inner| inner.seen.handed_back.get(&waits).cloned();
    assert_eq!(server.until("it is handed back", back).await, "the worker is to stop");
    let settled = server.settled(runs).await;
    assert_eq!(settled.report.outcome.end, End::Exited { code: 0 });
    assert_eq!(server.stdout(runs), "ready\ndone\n");
    let late = server.submit(lease("print('late')"));
    worker.finish().await;
    assert!(server.inner().queue.iter().any(|lease| lease.id == late), "it took more work");
}

#[tokio::test]
async fn what_still_runs_when_the_time_is_over_is_killed_and_not_reported() {
    let server = listen(TTL).await;
    let mut worker = Worker::start(&server, |config| config.drain = Duration::from_millis(500));
    let job = server.submit(lease("print('ready')\nimport time\ntime.sleep(600)"));
    server.printed(job, "ready").await;
    worker.stop();
    let (_state, ended) = worker.ended().await;
    ended.unwrap();
    dead(job).await;
    assert!(!server.inner().seen.settled.contains_key(&job) && server.inner().seen.handed_back.is_empty());
}

#[tokio::test]
async fn a_drained_worker_finishes_its_job_idles_and_works_again_when_it_is_undrained() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease("import time\nprint('ready')\ntime.sleep(.5)"));
    server.printed(job, "ready").await;
    server.change(|inner| inner.drain = true);
    assert_eq!(server.settled(job).await.report.outcome.end, End::Exited { code: 0 });
    let later = server.submit(lease("print('later')"));
    let polls = server.inner().seen.polls.len();
    let beats = server.inner().seen.heartbeats;
    server.until("it beats on", |inner| (inner.seen.heartbeats >= beats + 3).then_some(())).await;
    assert_eq!(server.inner().seen.polls.len(), polls, "it asks for work");
    server.change(|inner| inner.drain = false);
    server.settled(later).await;
    worker.finish().await;
}

#[tokio::test]
async fn a_second_worker_in_the_same_directory_is_refused() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    server.until("it asks for work", |inner| inner.seen.polls.first().map(drop)).await;
    let mut config = crate::config(&server, &TempDir::new().unwrap());
    config.state_dir = worker.state.path().to_owned();
    let said = gambeson_worker::run(config, std::future::pending(), || {}).await.unwrap_err().to_string();
    assert!(said.starts_with("another worker uses "), "{said}");
    worker.finish().await;
}
