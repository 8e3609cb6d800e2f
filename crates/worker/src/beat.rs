//! Heartbeats: they renew what we hold, and bring what is to be done.

use std::sync::Arc;
use std::time::Duration;

use gambeson_api::client::ClientError;
use gambeson_api::client::worker::WorkerClient;
use gambeson_api::work::{Heartbeat, HeartbeatAnswer};
use gambeson_api::{Code, LeaseId, Vitals};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::boot_time::BootTime;
use crate::holding::{Gone, Holdings, Verdict};
use crate::outage::{Outage, chance, pause};

/// No heartbeat waits longer to be answered: as old is at most what people see of how we are.
const WAIT_MOST: Duration = Duration::from_secs(5);

/// What heartbeats need and change.
#[derive(Debug)]
pub(crate) struct Beat {
    pub(crate) client: WorkerClient,
    pub(crate) outage: Arc<Outage>,
    pub(crate) holdings: Arc<Holdings>,
    /// Whether the server wants us to take nothing more.
    pub(crate) drain: watch::Sender<bool>,
    /// How long a lease holds.
    pub(crate) ttl: watch::Sender<Duration>,
}

/// Whether the server does not know our credential.
pub(crate) fn is_unknown(error: &ClientError) -> bool {
    error.code() == Some(Code::Unauthenticated)
}

impl Beat {
    /// The first: shows that the server is there and knows us. Returns only when it does, or does not know us.
    pub(crate) async fn first(&self) -> Result<(), ClientError> {
        let mut failed = 0;
        loop {
            let beat = Heartbeat { leases: Vec::new(), wait_ms: 0, vitals: None };
            match self.client.heartbeat(&beat, Duration::from_secs(10)).await {
                Ok(answer) => {
                    self.outage.over();
                    self.heed(&answer);
                    return Ok(());
                }
                Err(error) if error.is_passing() => self.outage.failed(&error),
                Err(error) => return Err(error),
            }
            sleep(pause(failed, Duration::from_secs(5), chance())).await;
            failed += 1;
        }
    }

    /// One after the other, until the server no longer knows us. Each says how we are.
    pub(crate) async fn go_on(&self, vitals: impl Fn() -> Vitals) -> ClientError {
        let mut failed = 0;
        loop {
            let ttl = *self.ttl.borrow();
            let leases = self.holdings.ours(BootTime::now());
            // Two tries, should one be lost on its way, fit into the time that is left.
            let wait = (ttl / 3).min(WAIT_MOST);
            let (sent, begun) = (BootTime::now(), Instant::now());
            let beat = Heartbeat { leases: leases.clone(), wait_ms: wait.as_millis() as u64, vitals: Some(vitals()) };
            let answer = tokio::select! {
                answer = self.client.heartbeat(&beat, ttl / 2) => answer,
                // One more lease, which the server does not hear of by this request. It is made anew; nothing is lost
                // by that, since every answer says all that is still to be done.
                () = self.grown(&leases, ttl) => continue,
            };
            match answer {
                Ok(answer) => {
                    failed = 0;
                    self.outage.over();
                    let news = self.heed(&answer);
                    let renewed: Vec<LeaseId> =
                        leases.into_iter().filter(|lease| !answer.lost.contains(lease)).collect();
                    let holds = Duration::from_millis(answer.ttl_ms);
                    self.holdings.renew(&renewed, sent.plus(holds), BootTime::now());
                    if !news && begun.elapsed() < wait / 2 {
                        // It says again what we already do; asking on at once would only keep both busy.
                        sleep((ttl / 8).min(Duration::from_millis(250))).await;
                    }
                }
                Err(error) if is_unknown(&error) => return error,
                Err(error) => {
                    self.outage.failed(&error);
                    sleep(pause(failed, (ttl / 8).min(Duration::from_secs(2)), chance())).await;
                    failed += 1;
                }
            }
        }
    }

    /// Does what an answer says. Returns whether that was news.
    fn heed(&self, answer: &HeartbeatAnswer) -> bool {
        let mut news = false;
        for lease in &answer.lost {
            news |= self.holdings.raise(*lease, Verdict::Gone(Gone::Lost));
        }
        for lease in &answer.cancel {
            news |= self.holdings.raise(*lease, Verdict::Cancel);
        }
        news |= self.drain.send_if_modified(|drain| std::mem::replace(drain, answer.drain) != answer.drain);
        // A time of zero would make us ask without a pause.
        self.ttl.send_replace(Duration::from_millis(answer.ttl_ms.max(100)));
        news
    }

    /// Waits until there is a lease that is not in `named` and did not end soon after its beginning.
    async fn grown(&self, named: &[LeaseId], ttl: Duration) {
        loop {
            self.holdings.grown.notified().await;
            sleep((ttl / 8).min(Duration::from_millis(200))).await;
            if self.holdings.ours(BootTime::now()).iter().any(|lease| !named.contains(lease)) {
                return;
            }
        }
    }
}
