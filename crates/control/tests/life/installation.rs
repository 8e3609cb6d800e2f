//! An installation to try things on.

use std::sync::Arc;
use std::time::Duration;

use gambeson_api::work::{Append, Enrol, Entry, Lease, LeaseRequest, Room, Settle};
use gambeson_api::*;
use gambeson_control::{Caller, Clock, Config, Control, Hands, WorkerCaller};

pub const NOW: Time = Time(1_764_059_400_000);

pub fn config(dir: &std::path::Path) -> Config {
    Config { lease_ms: 15_000, ..Config::new(dir) }
}

/// An installation in a directory of its own, with a clock that stands.
pub struct Installation {
    pub control: Control,
    pub owner: Caller,
    pub key: String,
    pub clock: Arc<Hands>,
    pub dir: tempfile::TempDir,
}

impl Installation {
    pub fn new() -> Installation {
        Installation::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> Installation {
        let dir = tempfile::tempdir().unwrap();
        let (clock, handle) = Clock::manual(NOW);
        let mut config = config(dir.path());
        change(&mut config);
        let opened = Control::open(config, clock).unwrap();
        let key = opened.setup_key.unwrap();
        let owner = opened.control.authenticate(Some(&key)).unwrap();
        Installation { control: opened.control, owner, key, clock: handle, dir }
    }

    /// Stops the server and starts another on the same directory.
    pub async fn restart(self) -> Installation {
        self.control.close().await;
        drop(self.control);
        let clock = Clock::Manual(Arc::clone(&self.clock));
        let opened = Control::open(config(self.dir.path()), clock).unwrap();
        assert_eq!(opened.setup_key, None);
        let owner = opened.control.authenticate(Some(&self.key)).unwrap();
        Installation { control: opened.control, owner, ..self }
    }

    /// Time passes, and the server is there all the while.
    pub async fn pass(&self, ms: u64) {
        for step in (0..ms).step_by(200) {
            self.clock.pass(200.min(ms - step));
            self.control.tick().await.unwrap();
        }
    }

    pub async fn worker(&self) -> WorkerCaller {
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

    pub async fn submit(&self, change: impl FnOnce(&mut Submission)) -> Result<JobId, Problem> {
        let mut submission = Submission::of_source("print(1)");
        change(&mut submission);
        match self.control.submit(&self.owner, submission, Duration::ZERO).await? {
            Accepted::Job(job) => Ok(job.id),
            Accepted::Array(array) => Ok(array.first),
        }
    }

    pub async fn leases(&self, worker: &WorkerCaller, wait_ms: u64) -> Vec<Lease> {
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

    pub async fn append(&self, lease: &Lease, first: u64, entries: Vec<Entry>) -> Result<u64, Problem> {
        let append = Append { first, entries };
        self.control.lease_append(lease.id, Some(&lease.token), append).await.map(|appended| appended.next)
    }

    pub async fn settle(&self, lease: &Lease, first: u64, entries: Vec<Entry>) -> Result<(), Problem> {
        let settle = Settle { first, entries, report: report(), artifacts: Vec::new(), skipped: Vec::new() };
        self.control.lease_settle(lease.id, Some(&lease.token), settle).await.map(drop)
    }

    pub async fn job(&self, id: JobId) -> Job {
        self.control.job(&self.owner, id, Duration::ZERO).await.unwrap()
    }

    pub async fn events(&self, id: JobId) -> Vec<Event> {
        let mut follower = self.control.job_events(&self.owner, id, 0, false).await.unwrap();
        let mut all = Vec::new();
        while let Some(page) = follower.next().await.unwrap() {
            all.extend_from_slice(page.events());
        }
        all
    }

    /// Waits for an event of a kind.
    pub async fn until(&self, id: JobId, kind: &str) {
        let mut follower = self.control.job_events(&self.owner, id, 0, true).await.unwrap();
        while let Some(page) = follower.next().await.unwrap() {
            if page.events().iter().any(|event| event.body.kind() == kind) {
                return;
            }
        }
        panic!("it ended without {kind}");
    }

    pub async fn kinds(&self, id: JobId) -> Vec<&'static str> {
        let events = self.events(id).await;
        let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>(), "without gaps");
        events.iter().map(|event| event.body.kind()).collect()
    }

    pub async fn kinds_left(&self, id: JobId) -> Vec<&'static str> {
        self.events(id).await.iter().map(|event| event.body.kind()).collect()
    }

    pub async fn usage(&self) -> UsageLine {
        self.control.usage(&self.owner, None, None).await.unwrap().lines[0].clone()
    }
}

pub const ROOM: Room = Room { slots: 4, cpus_milli: 4000, memory_bytes: 8 << 30 };

pub fn report() -> Report {
    Report {
        outcome: Outcome { end: End::Exited { code: 0 }, message: "the program ended normally".into() },
        usage: Usage { cpu_ms: 12.5, wall_ms: 20.0, ..Usage::default() },
        layers: Vec::new(),
        denials: Vec::new(),
        start: Start::Cold,
    }
}

pub fn output(text: &str) -> Entry {
    Entry::Output { stream: OutputStream::Stdout, data: Content(text.as_bytes().to_vec()) }
}
