//! What a worker holds: leases, each until a time, and what was decided about them meanwhile.
//!
//! Invariants:
//! 1. A lease whose time is over stays lost, whatever answer still comes: a worker that was stopped and comes back
//!    finds it so before it starts or reports anything.
//! 2. What was decided about a lease only ever gets graver.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gambeson_api::LeaseId;
use tokio::sync::{Notify, watch};

use crate::boot_time::BootTime;

/// Why nothing more may be done or said about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gone {
    /// The server says that the lease is no longer ours.
    Lost,
    /// No heartbeat was answered in time.
    Expired,
    /// We are to end, and its time to finish is over.
    Drained,
}

impl Gone {
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Gone::Lost => "the server gave it to somebody else",
            Gone::Expired => "no heartbeat was answered in its time",
            Gone::Drained => "the time to finish is over; the server decides when its lease runs out",
        }
    }
}

/// What is to be done with a job, the gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Go on.
    Go,
    /// Give it back, if it was not started; else go on.
    HandBack,
    /// Kill it and say so.
    Cancel,
    /// Kill it and say nothing.
    Gone(Gone),
}

/// One lease.
#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) lease: LeaseId,
    deadline: Mutex<BootTime>,
    verdict: watch::Sender<Verdict>,
}

impl Holding {
    pub(crate) fn new(lease: LeaseId, deadline: BootTime) -> Holding {
        Holding { lease, deadline: Mutex::new(deadline), verdict: watch::Sender::new(Verdict::Go) }
    }

    fn deadline(&self) -> MutexGuard<'_, BootTime> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be done with it as of `now`.
    pub(crate) fn verdict(&self, now: BootTime) -> Verdict {
        if now >= *self.deadline() {
            self.raise(Verdict::Gone(Gone::Expired));
        }
        *self.verdict.borrow()
    }

    /// Decides something; what was decided already stays, if it is as grave.
    pub(crate) fn raise(&self, verdict: Verdict) -> bool {
        self.verdict.send_if_modified(|old| {
            let graver = verdict > *old && !matches!(old, Verdict::Gone(_));
            if graver {
                *old = verdict;
            }
            graver
        })
    }

    /// The server has renewed it.
    fn renew(&self, deadline: BootTime, now: BootTime) {
        let mut held = self.deadline();
        if now >= *held {
            drop(held);
            self.raise(Verdict::Gone(Gone::Expired));
        } else if deadline > *held {
            *held = deadline;
        }
    }

    /// Waits for a verdict at least as grave.
    pub(crate) async fn at_least(&self, verdict: Verdict) {
        let mut watched = self.verdict.subscribe();
        // The sender is ours, so that this cannot fail.
        let _ = watched.wait_for(|now| *now >= verdict).await;
    }

    /// Waits until it is gone, which it is at the latest at its deadline.
    pub(crate) async fn gone(&self) -> Gone {
        // A timer does not count the time that the machine slept, so that the clock is asked now and then.
        const LOOK: Duration = Duration::from_millis(500);
        let mut watched = self.verdict.subscribe();
        loop {
            let now = BootTime::now();
            if let Verdict::Gone(gone) = self.verdict(now) {
                return gone;
            }
            let left = now.until(*self.deadline());
            let _ = tokio::time::timeout(left.min(LOOK) + Duration::from_millis(1), watched.changed()).await;
        }
    }
}

/// All leases.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    held: Mutex<BTreeMap<LeaseId, Arc<Holding>>>,
    /// Told when there is one more.
    pub(crate) grown: Notify,
}

impl Holdings {
    fn held(&self) -> MutexGuard<'_, BTreeMap<LeaseId, Arc<Holding>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, lease: LeaseId, deadline: BootTime) -> Arc<Holding> {
        let holding = Arc::new(Holding::new(lease, deadline));
        self.held().insert(lease, holding.clone());
        self.grown.notify_one();
        holding
    }

    pub(crate) fn remove(&self, lease: LeaseId) {
        self.held().remove(&lease);
    }

    /// Those that are still ours.
    pub(crate) fn ours(&self, now: BootTime) -> Vec<LeaseId> {
        self.held()
            .values()
            .filter(|holding| !matches!(holding.verdict(now), Verdict::Gone(_)))
            .map(|holding| holding.lease)
            .collect()
    }

    /// All that were named in a heartbeat, and not lost by its answer, hold until `deadline`.
    pub(crate) fn renew(&self, named: &[LeaseId], deadline: BootTime, now: BootTime) {
        let held = self.held();
        for holding in named.iter().filter_map(|lease| held.get(lease)) {
            holding.renew(deadline, now);
        }
    }

    /// Decides something about one. Returns whether that was news.
    pub(crate) fn raise(&self, lease: LeaseId, verdict: Verdict) -> bool {
        let holding = self.held().get(&lease).cloned();
        holding.is_some_and(|holding| holding.raise(verdict))
    }

    /// Decides something about all.
    pub(crate) fn raise_all(&self, verdict: Verdict) {
        for holding in self.held().values() {
            holding.raise(verdict);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> BootTime {
        BootTime(Duration::from_millis(ms))
    }

    #[test]
    fn a_lease_that_ran_out_stays_lost_whatever_answer_still_comes() {
        let holdings = Holdings::default();
        let lease = LeaseId::new();
        let holding = holdings.add(lease, at(100));
        holdings.renew(&[lease], at(200), at(50));
        assert_eq!(holding.verdict(at(150)), Verdict::Go);
        holdings.renew(&[lease], at(900), at(250));
        assert_eq!(holding.verdict(at(251)), Verdict::Gone(Gone::Expired));
        assert!(holdings.ours(at(251)).is_empty());
    }

    #[test]
    fn a_late_answer_never_shortens_a_lease() {
        let holding = Holding::new(LeaseId::new(), at(100));
        holding.renew(at(60), at(50));
        assert_eq!(holding.verdict(at(99)), Verdict::Go);
    }

    #[test]
    fn what_was_decided_only_gets_graver() {
        let holding = Holding::new(LeaseId::new(), at(100));
        assert!(holding.raise(Verdict::Cancel));
        assert!(!holding.raise(Verdict::HandBack) && !holding.raise(Verdict::Cancel));
        assert!(holding.raise(Verdict::Gone(Gone::Lost)));
        assert!(!holding.raise(Verdict::Gone(Gone::Drained)));
        assert_eq!(holding.verdict(at(0)), Verdict::Gone(Gone::Lost));
    }
}
