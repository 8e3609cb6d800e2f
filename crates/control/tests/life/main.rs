//! The life of a job, from its submission to its end, as the server drives it: real store, settable clock.

mod access;
mod blobs;
mod egress;
mod following;
mod installation;
mod leases;
mod meters;
mod samples;
mod vetting;
mod watching;

use std::time::Duration;

use gambeson_api::work::{Entry, HandBack, Heartbeat, Lease, LeaseRequest, Settle, Skipped};
use gambeson_api::*;
use gambeson_control::{Caller, Clock, Config, Control, Hands};

use installation::{Installation, NOW, ROOM, output, report};

#[tokio::test]
async fn a_job_lives_from_submission_to_settlement_and_is_paid_for_once() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let reserved = here.usage().await;
    assert_eq!((reserved.queued, reserved.cpu_reserved_ms), (1, 30_000));
    let waiting = here.job(id).await.waiting.unwrap();
    assert_eq!(waiting.why, "no worker is connected");
    let leases = here.leases(&worker, 1000).await;
    assert_eq!(leases.len(), 1);
    let lease = &leases[0];
    assert_eq!(lease.files["main.py"], FileContent::text("print(1)"));
    assert_eq!(here.append(lease, 0, vec![Entry::Started {}, output("1")]).await, Ok(2));
    // The same report once more, with more behind it: what is known is passed over.
    assert_eq!(here.append(lease, 0, vec![Entry::Started {}, output("1"), output("2")]).await, Ok(3));
    assert_eq!(here.append(lease, 4, vec![output("4")]).await.unwrap_err().code, Code::InvalidValue, "a gap");
    here.settle(lease, 3, vec![output("3\n")]).await.unwrap();
    here.settle(lease, 3, vec![output("3\n")]).await.expect("the answer was lost, and it is said again");
    let job = here.job(id).await;
    assert_eq!((job.state, job.stdout.as_deref(), job.attempt), (JobState::Ended, Some("123\n"), 1));
    assert_eq!(job.outcome.unwrap().end, End::Exited { code: 0 });
    assert_eq!(here.kinds(id).await, ["queued", "leased", "started", "output", "output", "output", "ended"]);
    let used = here.usage().await;
    assert_eq!((used.queued, used.running, used.cpu_reserved_ms, used.cpu_ms, used.jobs), (0, 0, 0, 12, 1));
    assert!(here.control.audit_verify(&here.owner, None).await.unwrap().whole);
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once_and_twice_is_once() {
    let here = Installation::new();
    let id = here.submit(|_| {}).await.unwrap();
    for _ in 0..2 {
        let job = here.control.job_cancel(&here.owner, id).await.unwrap();
        assert_eq!(job.outcome.unwrap().end, End::Cancelled {});
    }
    assert_eq!(here.kinds(id).await, ["queued", "ended"]);
    let usage = here.usage().await;
    assert_eq!((usage.queued, usage.cpu_reserved_ms), (0, 0));
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let here = Installation::new();
    let worker = here.worker().await;
    let waits = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    let runs = lease.job;
    assert_eq!(runs, waits);
    here.append(&lease, 0, vec![Entry::Started {}, output("before ")]).await.unwrap();
    let second = here.submit(|_| {}).await.unwrap();
    let before = here.usage().await;
    let here = here.restart().await;
    assert_eq!(here.usage().await, before);
    here.append(&lease, 1, vec![output("before "), output("after")]).await.unwrap();
    here.settle(&lease, 3, vec![]).await.unwrap();
    assert_eq!(here.job(runs).await.stdout.as_deref(), Some("before after"));
    let other = here.leases(&worker, 1000).await.remove(0);
    assert_eq!(other.job, second);
    assert!(here.control.audit_verify(&here.owner, None).await.unwrap().whole);
}

#[tokio::test]
async fn an_idempotency_key_makes_one_job_of_two_submissions() {
    let here = Installation::new();
    let with_key = |source: &'static str| {
        move |submission: &mut Submission| {
            *submission = Submission::of_source(source);
            submission.idempotency_key = Some("k1".into());
        }
    };
    let first = here.submit(with_key("print(1)")).await.unwrap();
    assert_eq!(here.submit(with_key("print(1)")).await.unwrap(), first);
    assert_eq!(here.submit(with_key("print(2)")).await.unwrap_err().code, Code::IdempotencyMismatch);
    assert_eq!(here.usage().await.queued, 1);
}

#[tokio::test]
async fn an_array_is_one_submission_of_many_jobs() {
    let here = Installation::new();
    let worker = here.worker().await;
    let accepted = here.control.submit(
        &here.owner,
        Submission { array: Some(10), ..Submission::of_source("x") },
        Duration::from_secs(5),
    );
    let Accepted::Array(array) = accepted.await.unwrap() else { panic!("an array") };
    let leases = here.leases(&worker, 1000).await;
    assert_eq!(leases.len(), 4, "as many as the worker has slots");
    assert_eq!(leases[0].array.map(|place| (place.index, place.size)), Some((0, 10)));
    let seen = here.control.array(&here.owner, array.array).await.unwrap();
    assert_eq!((seen.states["queued"], seen.states["starting"]), (6, 4));
    here.control.array_cancel(&here.owner, array.array).await.unwrap();
    let seen = here.control.array(&here.owner, array.array).await.unwrap();
    assert_eq!((seen.states["ended"], seen.outcomes["cancelled"], seen.states["starting"]), (6, 6, 4));
    let filter = gambeson_control::JobFilter { array: Some(array.array), limit: Some(3), ..Default::default() };
    let page = here.control.jobs(&here.owner, filter.clone()).await.unwrap();
    assert_eq!(page.jobs.len(), 3);
    let rest = gambeson_control::JobFilter { cursor: page.next, limit: Some(1000), ..filter };
    assert_eq!(here.control.jobs(&here.owner, rest).await.unwrap().jobs.len(), 7);
}

#[tokio::test]
async fn a_follower_sees_every_event_once_across_waits() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let mut follower = here.control.job_events(&here.owner, id, 0, true).await.unwrap();
    let following = tokio::spawn(async move {
        let mut seqs = Vec::new();
        while let Some(page) = follower.next().await.unwrap() {
            seqs.extend(page.events().iter().map(|event| event.seq));
        }
        seqs
    });
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    for place in 0..50 {
        here.append(&lease, 1 + place, vec![output("x")]).await.unwrap();
    }
    here.settle(&lease, 51, vec![]).await.unwrap();
    assert_eq!(following.await.unwrap(), (1..=54).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_backup_that_is_made_while_running_is_a_whole_installation() {
    let here = Installation::new();
    let id = here.submit(|_| {}).await.unwrap();
    let backup = here.control.backup(&here.owner, BackupRequest { name: "one".into() }).await.unwrap();
    let again = here.control.backup(&here.owner, BackupRequest { name: "one".into() }).await.unwrap_err();
    assert_eq!(again.code, Code::NameTaken);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(&backup.path, elsewhere.path().join("store.sqlite")).unwrap();
    std::fs::copy(here.dir.path().join("audit.key"), elsewhere.path().join("audit.key")).unwrap();
    let opened = Control::open(Config::new(elsewhere.path()), Clock::System).unwrap();
    assert_eq!(opened.setup_key, None);
    let owner = opened.control.authenticate(Some(&here.key)).unwrap();
    assert_eq!(opened.control.job(&owner, id, Duration::ZERO).await.unwrap().state, JobState::Queued);
    assert!(opened.control.audit_verify(&owner, None).await.unwrap().whole);
    let second = Control::open(Config::new(elsewhere.path()), Clock::System).err().unwrap();
    assert!(second.to_string().contains("in use by another server"), "{second}");
}
