//! A worker that takes a job, falls silent past its lease, and then comes back and talks as if nothing had been.
//! Nothing of what it says may be taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use gambeson_api::client::worker::WorkerClient;
use gambeson_api::client::{Client, ClientError, Connection};
use gambeson_api::work::{Append, Enrol, Entry, HandBack, Lease, LeaseRequest, Room, Settle};
use gambeson_api::{Code, Content, Digest, End, JobState, Outcome, OutputStream, Report, Start, Usage, WorkerId};
use tokio::time::sleep;

use super::chance::Chance;
use super::work::Ledger;

/// What it says when it comes back; it must stand in no job's output.
pub(crate) const SAYS: &str = "said by a worker whose lease is gone\n";

/// A worker that is not one.
pub(crate) struct Ghost {
    worker: WorkerClient,
    client: Client,
    chance: Chance,
    ledger: Arc<Ledger>,
    counts: Arc<GhostCounts>,
}

#[derive(Debug, Default)]
pub(crate) struct GhostCounts {
    pub(crate) leases: AtomicU64,
    pub(crate) refused: AtomicU64,
}

const ROOM: Room = Room { slots: 1, cpus_milli: 1000, memory_bytes: 256 << 20 };

impl Ghost {
    /// Becomes known to the server.
    pub(crate) async fn enrol(
        client: Client,
        url: &str,
        chance: Chance,
        ledger: Arc<Ledger>,
        counts: Arc<GhostCounts>,
    ) -> anyhow::Result<Ghost> {
        let token = client.join_token_create().await?.token;
        let target = url.parse().map_err(anyhow::Error::msg)?;
        let connection = Connection::new(target, Some(token), None)?;
        let id = WorkerId::new();
        let credential = gambeson_api::work::credential(id, &[7; 32]);
        let enrol = Enrol {
            worker: id,
            credential: Digest::of(credential.as_bytes()),
            name: "ghost".into(),
            room: ROOM,
            version: "0".into(),
            environment: "none".into(),
            layers: Vec::new(),
        };
        WorkerClient::new(connection.clone()).enrol(&enrol).await.context("the ghost cannot enrol")?;
        let worker = WorkerClient::new(connection.with_token(credential));
        Ok(Ghost { worker, client, chance, ledger, counts })
    }

    /// Haunts until it is over.
    pub(crate) async fn haunt(mut self) {
        let request = LeaseRequest {
            room: ROOM,
            free: ROOM,
            wait_ms: 1000,
            version: "0".into(),
            environment: "none".into(),
            layers: None,
        };
        while !self.ledger.is_over() {
            let leases = self.worker.leases(&request).await.map(|answer| answer.leases).unwrap_or_default();
            for lease in leases {
                self.counts.leases.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = self.hold(lease).await {
                    self.ledger.breach(format!("the ghost heard what it should not: {error:#}"));
                }
            }
            sleep(self.chance.ms(1500..4000)).await;
        }
    }

    async fn hold(&mut self, lease: Lease) -> anyhow::Result<()> {
        let asked = self.worker.lease(lease.id, &lease.token);
        let mut first = 0;
        if self.chance.percent(50) {
            // Only once: if the answer is lost, so be it.
            let started = Append { first, entries: vec![Entry::Started {}] };
            first = asked.append(&started).await.map_or(0, |answer| answer.next);
        }
        // Until it is somebody else's, or nobody's: a server that was started again gives every lease its time anew.
        loop {
            let (job, _) = self.ledger.insist("a look at a job", || self.client.job(lease.job, None)).await?;
            if job.attempt > lease.attempt || matches!(job.state, JobState::Queued | JobState::Ended) {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        let entry = Entry::Output { stream: OutputStream::Stdout, data: Content(SAYS.into()) };
        let append = Append { first, entries: vec![entry.clone()] };
        let report = Report {
            outcome: Outcome { end: End::Exited { code: 0 }, message: "all went well".into() },
            usage: Usage { cpu_ms: 5000.0, ..Usage::default() },
            layers: Vec::new(),
            denials: Vec::new(),
            start: Start::Cold,
        };
        let settle = Settle { first, entries: vec![entry], report, artifacts: Vec::new(), skipped: Vec::new() };
        let hand_back = HandBack { why: "it thinks that it may".into() };
        self.refused("a report", self.ledger.insist("a report", || asked.append(&append)).await.map(drop))?;
        self.refused("an end", self.ledger.insist("an end", || asked.settle(&settle)).await.map(drop))?;
        self.refused(
            "a handing back",
            self.ledger.insist("a handing back", || asked.hand_back(&hand_back)).await.map(drop),
        )
    }

    fn refused(&self, what: &str, answer: Result<(), ClientError>) -> anyhow::Result<()> {
        match answer {
            Err(error) if error.code() == Some(Code::LeaseLost) => {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(error).context(format!("{what} under a lease that is gone")),
            Ok(()) => anyhow::bail!("{what} under a lease that is gone was taken"),
        }
    }
}
