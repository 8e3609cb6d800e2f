//! Which reason holds for a job that waits.

use std::cell::OnceCell;

use super::Queue;
use super::decide::{Decision, decide};
use super::lanes::{Item, LaneIx};
use super::queued::{Demand, JobKey};
use super::reason::Reason;
use super::state::Claim;

impl Queue {
    /// Why `job` does not run at `now_ms` (milliseconds since the epoch); `None` when it does not wait.
    ///
    /// `position` is what [`Queue::forecast`] said of it, if it was asked: the sentence then tells how many
    /// jobs are before this one. Costs about one decision.
    pub fn explain(&self, job: JobKey, now_ms: u64, position: Option<u64>) -> Option<Reason> {
        Some(self.reason(self.lanes.find(job)?, now_ms, position, &OnceCell::new()))
    }

    /// The same of a job that was found. Of many at one instant, `decided` has the one decision that all are told of.
    pub(super) fn reason(
        &self,
        (lane, order, item, not_before_ms): (LaneIx, u64, Item, u64),
        now_ms: u64,
        position: Option<u64>,
        decided: &OnceCell<Decision>,
    ) -> Reason {
        let state = &self.state;
        if not_before_ms > now_ms {
            return Reason::Delayed { for_ms: not_before_ms - now_ms };
        }
        let Some(&largest) = state.largest.iter().max_by(|a, b| self.size(a).total_cmp(&self.size(b))) else {
            return Reason::NoWorker;
        };
        let demand = item.demand;
        if !state.ever_fits(demand) {
            return Reason::TooLarge { demand, largest };
        }
        let user = state.ledger.user(lane.user());
        let project = &state.ledger.project(user.project).account;
        if project.running >= project.running_max {
            return Reason::ProjectLimit { running: project.running, limit: project.running_max };
        }
        if user.account.running >= user.account.running_max {
            return Reason::UserLimit { running: user.account.running, limit: user.account.running_max };
        }
        let decision = decided.get_or_init(|| decide(state, &self.lanes, state.rules.backfill_depth, now_ms));
        if decision.start.is_some_and(|(_, head, _)| head.item.job == item.job) {
            return Reason::Next;
        }
        let before = position.map(|position| position.saturating_sub(1));
        let class = lane.class();
        if state.over_ceiling(class, state.held[class as usize], demand) {
            return Reason::ClassCeiling { class, percent: state.rules.class_ceiling_percent[class as usize] };
        }
        let mut with_room = state.workers.iter().filter(|(_, worker)| worker.has_room_for(demand)).peekable();
        if with_room.peek().is_none() {
            return Reason::WorkersFull { before };
        }
        if let Some((kept, claim)) = &decision.kept
            && *claim != (Claim { lane, order })
            && with_room.all(|(&worker, _)| !kept.allows(worker, demand, item.wall_ms, now_ms))
        {
            return Reason::Backfill;
        }
        if before == Some(0) { Reason::Next } else { Reason::Behind { before } }
    }

    fn size(&self, demand: &Demand) -> f64 {
        super::queued::Room::from(*demand).dominant_share(self.state.total)
    }
}
