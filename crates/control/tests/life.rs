//! The life of a job, from its submission to its end, as the server drives it: real store, settable clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gambeson_api::work::{Append, Enrol, Entry, HandBack, Heartbeat, Lease, LeaseRequest, Room, Settle};
use gambeson_api::*;
use gambeson_control::{Caller, Clock, Config, Control, WorkerCaller};

const NOW: Time = Time(1_764_059_400_000);

/// An installation in a directory of its own, with a clock that stands.
struct Installation {
    control: Control,
    owner: Caller,
    key: String,
    clock: Arc<AtomicU64>,
    dir: tempfile::TempDir,
}

impl Installation {
    fn new() -> Installation {
        let dir = tempfile::tempdir().unwrap();
        let (clock, handle) = Clock::manual(NOW);
        let opened = Control::open(Config::new(dir.path()), clock).unwrap();
        let key = opened.setup_key.unwrap();
        let owner = opened.control.authenticate(Some(&key)).unwrap();
        Installation { control: opened.control, owner, key, clock: handle, dir }
    }

    /// Stops the server and starts another on the same directory.
    async fn restart(self) -> Installation {
        self.control.close().await;
        drop(self.control);
        let clock = Clock::Manual(Arc::clone(&self.clock));
        let opened = Control::open(Config::new(self.dir.path()), clock).unwrap();
        assert_eq!(opened.setup_key, None);
        let owner = opened.control.authenticate(Some(&self.key)).unwrap();
        Installation { control: opened.control, owner, ..self }
    }

    fn pass(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::AcqRel);
    }

    async fn worker(&self) -> WorkerCaller {
        let token = self.control.join_token(&self.owner).await.unwrap().token;
        let id = WorkerId::new();
        let credential = gambeson_api::work::credential(id, &[7; 32]);
        let enrol = Enrol {
            worker: id,
            credential: Digest::of(credential.as_bytes()),
            name: "one".into(),
            room: ROOM,
            version: "0".into(),
            environment: "CPython".into(),
            layers: Vec::new(),
        };
        let enrolled = self.control.worker_enrol(Some(&token), enrol.clone()).await.unwrap();
        assert_eq!(enrolled.worker, id);
        let again = self.control.worker_enrol(Some(&token), enrol.clone()).await.unwrap();
        assert_eq!(again, enrolled, "the answer may have been lost");
        for other in
            [Enrol { worker: WorkerId::new(), ..enrol.clone() }, Enrol { credential: Digest::of(b"x"), ..enrol }]
        {
            let refused = self.control.worker_enrol(Some(&token), other).await.unwrap_err();
            assert_eq!(refused.code, Code::Unauthenticated, "a join token is good for one worker");
        }
        self.control.authenticate_worker(Some(&credential)).unwrap()
    }

    async fn submit(&self, change: impl FnOnce(&mut Submission)) -> Result<JobId, Problem> {
        let mut submission = Submission::of_source("print(1)");
        change(&mut submission);
        match self.control.submit(&self.owner, submission, Duration::ZERO).await? {
            Accepted::Job(job) => Ok(job.id),
            Accepted::Array(array) => Ok(array.first),
        }
    }

    async fn leases(&self, worker: &WorkerCaller, wait_ms: u64) -> Vec<Lease> {
        let request = LeaseRequest {
            room: ROOM,
            free: ROOM,
            wait_ms,
            version: "0".into(),
            environment: "CPython".into(),
            layers: None,
        };
        self.control.worker_lease(worker, request).await.unwrap().leases
    }

    async fn append(&self, lease: &Lease, first: u64, entries: Vec<Entry>) -> Result<u64, Problem> {
        let append = Append { first, entries };
        self.control.lease_append(lease.id, Some(&lease.token), append).await.map(|appended| appended.next)
    }

    async fn settle(&self, lease: &Lease, first: u64, entries: Vec<Entry>) -> Result<(), Problem> {
        let settle = Settle { first, entries, report: report(), artifacts: Vec::new(), skipped: Vec::new() };
        self.control.lease_settle(lease.id, Some(&lease.token), settle).await.map(drop)
    }

    async fn job(&self, id: JobId) -> Job {
        self.control.job(&self.owner, id, Duration::ZERO).await.unwrap()
    }

    async fn events(&self, id: JobId) -> Vec<Event> {
        let mut follower = self.control.job_events(&self.owner, id, 0, false).await.unwrap();
        let mut all = Vec::new();
        while let Some(events) = follower.next().await.unwrap() {
            all.extend(events);
        }
        all
    }

    /// Waits for an event of a kind.
    async fn until(&self, id: JobId, kind: &str) {
        let mut follower = self.control.job_events(&self.owner, id, 0, true).await.unwrap();
        while let Some(events) = follower.next().await.unwrap() {
            if events.iter().any(|event| event.body.kind() == kind) {
                return;
            }
        }
        panic!("it ended without {kind}");
    }

    async fn kinds(&self, id: JobId) -> Vec<&'static str> {
        let events = self.events(id).await;
        let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>(), "without gaps");
        events.iter().map(|event| event.body.kind()).collect()
    }

    async fn kinds_left(&self, id: JobId) -> Vec<&'static str> {
        self.events(id).await.iter().map(|event| event.body.kind()).collect()
    }

    async fn usage(&self) -> UsageLine {
        self.control.usage(&self.owner, None, None).await.unwrap().lines[0].clone()
    }
}

const ROOM: Room = Room { slots: 4, cpus_milli: 4000, memory_bytes: 8 << 30 };

fn report() -> Report {
    Report {
        outcome: Outcome { end: End::Exited { code: 0 }, message: "the program ended normally".into() },
        usage: Usage { cpu_ms: 12.5, wall_ms: 20.0, ..Usage::default() },
        layers: Vec::new(),
        denials: Vec::new(),
        start: Start::Cold,
    }
}

fn output(text: &str) -> Entry {
    Entry::Output { stream: OutputStream::Stdout, data: Content(text.as_bytes().to_vec()) }
}

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
async fn a_worker_that_lost_its_lease_cannot_finish_the_job() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|submission| submission.may_rerun = true).await.unwrap();
    let stale = here.leases(&worker, 1000).await.remove(0);
    here.append(&stale, 0, vec![Entry::Started {}, output("a")]).await.unwrap();
    here.pass(16_000);
    assert_eq!(here.append(&stale, 2, vec![output("b")]).await.unwrap_err().code, Code::LeaseLost);
    here.until(id, "requeued").await;
    here.pass(2_000);
    let fresh = here.leases(&worker, 5000).await.remove(0);
    assert_eq!(fresh.attempt, 2);
    assert_eq!(here.settle(&stale, 2, vec![]).await.unwrap_err().code, Code::LeaseLost);
    here.append(&fresh, 0, vec![Entry::Started {}, output("c")]).await.unwrap();
    here.settle(&fresh, 2, vec![]).await.unwrap();
    let job = here.job(id).await;
    assert_eq!((job.stdout.as_deref(), job.attempt), (Some("c"), 2));
    assert_eq!(
        here.kinds(id).await,
        ["queued", "leased", "started", "output", "requeued", "leased", "started", "output", "ended"]
    );
}

#[tokio::test]
async fn a_report_under_a_lease_that_ran_out_is_refused_though_its_job_ended_under_it() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let stale = here.leases(&worker, 1000).await.remove(0);
    here.append(&stale, 0, vec![Entry::Started {}]).await.unwrap();
    here.control.job_cancel(&here.owner, id).await.unwrap();
    here.pass(16_000);
    let job = here.control.job(&here.owner, id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(job.outcome.unwrap().end, End::Cancelled {});
    assert_eq!(here.settle(&stale, 1, vec![output("late")]).await.unwrap_err().code, Code::LeaseLost);
}

#[tokio::test]
async fn what_an_attempt_uploaded_that_was_not_settled_is_paid_for_by_nobody() {
    let here = Installation::new();
    let worker = here.worker().await;
    let upload = async |lease: &Lease, content: &[u8]| {
        let token = Some(lease.token.as_str());
        let digest = Digest::of(content);
        let mut writer = here.control.lease_blob_write(lease.id, token, digest).await.unwrap();
        writer.write(content).unwrap();
        writer.finish().await.unwrap();
        Artifact { path: "left.txt".into(), size: content.len() as u64, digest }
    };
    let lost = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    upload(&lease, b"never settled").await;
    upload(&lease, b"settled by another").await;
    assert_eq!(here.usage().await.stored_bytes, 13 + 18);

    here.submit(|_| {}).await.unwrap();
    let other = here.leases(&worker, 1000).await.remove(0);
    let artifacts = vec![upload(&other, b"settled by another").await];
    let settle = Settle {
        first: 0,
        entries: vec![Entry::Started {}],
        report: report(),
        artifacts: artifacts.clone(),
        skipped: Vec::new(),
    };
    here.control.lease_settle(other.id, Some(&other.token), settle).await.unwrap();

    here.pass(16_000);
    let ended = here.control.job(&here.owner, lost, Duration::from_secs(10)).await.unwrap();
    assert_eq!(ended.outcome.unwrap().end, End::Lost {});
    assert_eq!(here.usage().await.stored_bytes, 18);
    assert_eq!(here.job(other.job).await.artifacts, artifacts);
    let here = here.restart().await;
    assert_eq!(here.usage().await.stored_bytes, 18, "as the store says it");
}

#[tokio::test]
async fn a_report_that_is_refused_leaves_nothing_of_itself() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    let twice = vec![output("a"), Entry::Started {}];
    assert_eq!(here.append(&lease, 1, twice).await.unwrap_err().code, Code::InvalidValue);
    let too_much = vec![output("a"), output(&"x".repeat(100 << 20))];
    assert_eq!(here.append(&lease, 1, too_much).await.unwrap_err().code, Code::TooLarge);
    here.append(&lease, 1, vec![output("b")]).await.unwrap();
    here.settle(&lease, 2, vec![]).await.unwrap();
    assert_eq!(here.kinds(id).await, ["queued", "leased", "started", "output", "ended"]);
    assert_eq!(here.job(id).await.stdout.as_deref(), Some("b"));
}

#[tokio::test]
async fn what_runs_out_after_the_start_is_lost_unless_it_may_run_twice() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    here.pass(16_000);
    let job = here.control.job(&here.owner, id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(job.outcome.unwrap().end, End::Lost {});
    assert_eq!(here.usage().await.cpu_ms, 0, "what was our fault is not charged");
}

#[tokio::test]
async fn what_runs_out_before_the_start_is_tried_again_and_not_for_ever() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    for attempt in 1..=3 {
        let lease = here.leases(&worker, 5000).await.remove(0);
        assert_eq!(lease.attempt, attempt);
        let back = HandBack { why: "no room\n".into() };
        here.control.lease_hand_back(lease.id, Some(&lease.token), back).await.unwrap();
        here.pass(5_000);
    }
    let job = here.job(id).await;
    assert!(matches!(job.outcome.unwrap().end, End::Fault { .. }));
    assert_eq!(here.usage().await.cpu_reserved_ms, 0);
}

#[tokio::test]
async fn heartbeats_keep_a_lease_and_bring_the_cancellation() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    for _ in 0..4 {
        here.pass(10_000);
        let beat = Heartbeat { leases: vec![lease.id], wait_ms: 0 };
        let answer = here.control.worker_heartbeat(&worker, beat).await.unwrap();
        assert!(answer.lost.is_empty() && answer.cancel.is_empty());
    }
    let beat = Heartbeat { leases: vec![lease.id], wait_ms: 7_000 };
    let parked = {
        let (control, worker) = (here.control.clone(), worker.clone());
        tokio::spawn(async move { control.worker_heartbeat(&worker, beat).await.unwrap() })
    };
    let job = here.control.job_cancel(&here.owner, id).await.unwrap();
    assert!(job.cancel_requested);
    let mut answer = parked.await.unwrap();
    if answer.cancel.is_empty() {
        // The heartbeat came after the cancellation was told to nobody: the next one brings it.
        let beat = Heartbeat { leases: vec![lease.id], wait_ms: 0 };
        answer = here.control.worker_heartbeat(&worker, beat).await.unwrap();
    }
    assert_eq!(answer.cancel, [lease.id]);
    // The worker is gone before it can report: cancelled all the same, and not run again.
    here.pass(16_000);
    let job = here.control.job(&here.owner, id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(job.outcome.unwrap().end, End::Cancelled {});
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
async fn a_parked_request_is_served_by_the_commit_that_brings_the_job() {
    let here = Installation::new();
    let worker = here.worker().await;
    let parked = {
        let (control, worker) = (here.control.clone(), worker.clone());
        let request = LeaseRequest {
            room: ROOM,
            free: ROOM,
            wait_ms: 20_000,
            version: "0".into(),
            environment: "CPython".into(),
            layers: None,
        };
        tokio::spawn(async move { control.worker_lease(&worker, request).await.unwrap().leases })
    };
    let id = here.submit(|_| {}).await.unwrap();
    assert_eq!(parked.await.unwrap()[0].job, id);
}

#[tokio::test]
async fn a_follower_sees_every_event_once_across_waits() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let mut follower = here.control.job_events(&here.owner, id, 0, true).await.unwrap();
    let following = tokio::spawn(async move {
        let mut seqs = Vec::new();
        while let Some(events) = follower.next().await.unwrap() {
            seqs.extend(events.iter().map(|event| event.seq));
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
async fn what_is_sent_with_a_submission_counts_as_kept() {
    let here = Installation::new();
    let project = here.control.project(&here.owner, "default").await.unwrap();
    let quota = Quota { stored_bytes: 1 << 20, ..project.quota };
    let change = ProjectChange { quota: Some(quota), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let large = |size: usize| move |submission: &mut Submission| *submission = Submission::of_source("#".repeat(size));
    here.submit(|_| {}).await.unwrap();
    assert_eq!(here.usage().await.stored_bytes, 0);
    here.submit(large(900 << 10)).await.unwrap();
    assert!(here.usage().await.stored_bytes > 900 << 10);
    assert_eq!(here.submit(large(200 << 10)).await.unwrap_err().code, Code::QuotaExceeded);
    let listed = here.control.jobs(&here.owner, gambeson_control::JobFilter::default()).await.unwrap().jobs;
    assert_eq!((here.usage().await.queued, listed.len()), (2, 2), "what was refused left nothing");
    assert!(here.control.audit_verify(&here.owner, None).await.unwrap().whole);
}

#[tokio::test]
async fn quotas_refuse_with_the_time_to_come_again() {
    let here = Installation::new();
    let project = here.control.project(&here.owner, "default").await.unwrap();
    let quota = Quota { queued: 2, ..project.quota };
    let change = ProjectChange { quota: Some(quota), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    here.submit(|_| {}).await.unwrap();
    here.submit(|_| {}).await.unwrap();
    let refused = here.submit(|_| {}).await.unwrap_err();
    assert_eq!((refused.code, refused.retry_after_s), (Code::QuotaExceeded, Some(10)));
    let rows = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    let last = rows.iter().rfind(|row| row.action == "job.submit").unwrap();
    assert!(!last.allowed && last.detail["code"] == "quota_exceeded", "{last:?}");
}

/// Uploads a blob under a lease.
async fn upload(here: &Installation, lease: &Lease, bytes: &[u8]) -> Result<Digest, Problem> {
    let digest = Digest::of(bytes);
    let mut writer = here.control.lease_blob_write(lease.id, Some(&lease.token), digest).await?;
    writer.write(bytes)?;
    writer.finish().await.map(|blob| blob.digest)
}

#[tokio::test]
async fn artifacts_are_kept_counted_and_deleted_when_their_time_is_over() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    let digest = upload(&here, &lease, b"result").await.unwrap();
    let artifact = |path: &str, digest| Artifact { path: path.into(), size: 6, digest };
    let settle = Settle {
        first: 0,
        entries: vec![Entry::Started {}],
        report: report(),
        artifacts: vec![
            artifact("a.txt", digest),
            artifact("../b.txt", digest),
            artifact("c.txt", Digest::of(b"never uploaded")),
        ],
        skipped: Vec::new(),
    };
    here.control.lease_settle(lease.id, Some(&lease.token), settle).await.unwrap();
    let list = here.control.artifacts(&here.owner, id).await.unwrap();
    assert_eq!(list.artifacts.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["a.txt"]);
    assert_eq!(list.skipped.len(), 2, "{:?}", list.skipped);
    let open = here.control.artifact(&here.owner, id, "a.txt").await.unwrap();
    assert_eq!(std::io::read_to_string(open.file).unwrap(), "result");
    assert_eq!(here.usage().await.stored_bytes, 6);
    assert!(upload(&here, &lease, b"late").await.is_err(), "its lease is over");

    here.pass(8 * 86_400_000);
    // The house is kept beside everything else: wait until it was.
    for _ in 0..200 {
        if here.usage().await.stored_bytes == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(here.usage().await.stored_bytes, 0);
    let gone = here.control.artifact(&here.owner, id, "a.txt").await.unwrap_err();
    assert_eq!(gone.code, Code::Gone);
    assert_eq!(here.job(id).await.state, JobState::Ended, "the job itself is kept longer");
    assert_eq!(here.kinds_left(id).await, ["ended"], "and of its events the last");
}

#[tokio::test]
async fn a_job_may_name_only_blobs_that_its_project_has() {
    let here = Installation::new();
    let digest = Digest::of(b"data");
    let with_blob = |submission: &mut Submission| {
        submission.files.insert("data".into(), FileContent::Blob { digest, size: None, executable: false });
    };
    assert_eq!(here.submit(with_blob).await.unwrap_err().code, Code::BlobsMissing);
    let put = async |project: &str| {
        let mut writer = here.control.blob_write(&here.owner, Some(project), digest).await.unwrap();
        writer.write(b"data").unwrap();
        writer.finish().await.unwrap();
    };
    let other = NewProject { name: "other".into(), settings: ProjectChange::default() };
    here.control.project_create(&here.owner, other).await.unwrap();
    put("other").await;
    let in_default = |submission: &mut Submission| {
        with_blob(submission);
        submission.project = Some("default".into());
    };
    assert_eq!(here.submit(in_default).await.unwrap_err().code, Code::BlobsMissing, "a digest is no key");
    put("default").await;
    let id = here.submit(in_default).await.unwrap();
    let worker = here.worker().await;
    let lease = here.leases(&worker, 1000).await.remove(0);
    assert_eq!(lease.job, id);
    let open = here.control.lease_blob_read(lease.id, Some(&lease.token), digest).await.unwrap();
    assert_eq!(std::io::read_to_string(open.file).unwrap(), "data");
    let foreign = here.control.lease_blob_read(lease.id, Some(&lease.token), Digest::of(b"other")).await.unwrap_err();
    assert_eq!(foreign.code, Code::NotFound);
}

#[tokio::test]
async fn submitters_see_their_own_jobs_and_viewers_all_of_the_project() {
    let here = Installation::new();
    let mut callers = Vec::new();
    for (name, role) in [("ada", "submitter"), ("bob", "submitter"), ("vera", "viewer")] {
        here.control.user_create(&here.owner, NewUser { name: name.into(), kind: UserKind::Person }).await.unwrap();
        let change = MemberChange { project: "default".into(), user: name.into(), role: role.into() };
        here.control.member_add(&here.owner, change).await.unwrap();
        let new = NewKey {
            name: "k".into(),
            user: Some(name.into()),
            project: None,
            scopes: vec!["jobs:read".into(), "jobs:write".into()],
            expires_in: None,
        };
        let key = here.control.key_create(&here.owner, new).await.unwrap();
        callers.push(here.control.authenticate(Some(&key.secret)).unwrap());
    }
    let [ada, bob, vera] = &callers[..] else { unreachable!() };
    let submitted = here.control.submit(ada, Submission::of_source("1"), Duration::ZERO).await.unwrap();
    let Accepted::Job(job) = submitted else { unreachable!() };
    let count = async |caller: &Caller| {
        here.control.jobs(caller, gambeson_control::JobFilter::default()).await.unwrap().jobs.len()
    };
    assert_eq!((count(ada).await, count(bob).await, count(vera).await), (1, 0, 1));
    let seen = |caller| here.control.job(caller, job.id, Duration::ZERO);
    assert_eq!(seen(bob).await.unwrap_err().code, Code::NotFound);
    assert!(seen(vera).await.is_ok());
    assert_eq!(here.control.job_cancel(bob, job.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(here.control.job_cancel(vera, job.id).await.unwrap_err().code, Code::Forbidden);
    let refused = here.control.submit(vera, Submission::of_source("1"), Duration::ZERO).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    let rows = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    let denied: Vec<(&str, &str)> =
        rows.iter().filter(|row| !row.allowed).map(|row| (row.actor.as_str(), row.action.as_str())).collect();
    assert_eq!(denied, [("bob", "job.view"), ("bob", "job.cancel"), ("vera", "job.cancel"), ("vera", "job.submit")]);
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
