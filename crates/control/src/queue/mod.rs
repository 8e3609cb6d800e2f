//! Which job starts next, where, and when the others will: the queue as a value.
//!
//! Nothing here reads a clock, a file or a random number. Times come in as milliseconds since the epoch;
//! the same calls in the same order give the same answers. The server's writer owns one [`Queue`], fills
//! it from the store at start, and tells it what happens:
//!
//! ```text
//! push, remove ──▶ lanes (one per user and class, first in, first out) ─┐
//! worker_*     ──▶ workers ─┐                                           ├─▶ decide ─▶ Grant
//! start, finish ─▶ running ─┴─▶ state (shares, what is held, claims) ───┘     ▲
//!                                                                             │ over estimated times
//!                                        explain, forecast, order, snapshot ──┘
//! ```
//!
//! # How it is decided
//!
//! Jobs are ranked: by effective class (as submitted, one higher for each [`Rules::age_step_ms`] waited),
//! then by the project that has used the least for its weight, then by the user within it, likewise, then
//! by `order`. Usage is the dominant share of all workers, times the time; it decays, and what runs is
//! charged in advance. The first in rank that is within its limits and fits an asking worker starts.
//!
//! The first that fits no worker gets *room kept* for it: on the worker where, by the longest that running jobs may
//! take, it fits the earliest (the shadow time). Others start there only if they end before, or fit beside it.
//! The first of a class that is over its ceiling likewise closes its class. Both are *claims*: once overtaken, a
//! job goes first in its effective class until it has started. Without that, each that overtakes could change the
//! ranks, and another take the room that was cleared.
//!
//! # Invariants
//!
//! 1. No ceiling is exceeded by a grant: capacity and slots of a worker, jobs of a project and of a user,
//!    room of a class (but a class that holds nothing may start one job).
//! 2. Only a worker that asks is granted a job, and the grant answers its question.
//! 3. The same calls give the same order; the order in which unrelated lanes were filled does not matter.
//! 4. Within a lane jobs of one size start in their order. A smaller one may overtake a larger one that
//!    does not fit, until that has waited three age steps.
//! 5. Backfill never delays the job that room is kept for beyond its shadow time.
//! 6. Nobody starves: a job that can run does so within a bounded time, however much others submit. (Its own
//!    project's other jobs can hold it up, while they use more than the project's part.)
//! 7. Under saturation shares go to the weights.
//! 8. What is held is the sum of what runs, and charges are given back in full: accounts of idle queues are even.
//! 9. A forecast is what happens, if jobs run as estimated.
//! 10. A job that fits no worker holds up nobody.
//! 11. A reason names no other project and no other user.

mod decide;
mod estimates;
mod explain;
mod forecast;
mod lanes;
mod ledger;
mod line;
mod queued;
mod reason;
mod rules;
mod snapshot;
mod state;

#[cfg(test)]
mod tests;

pub use estimates::{Estimate, Estimates};
pub use forecast::{Estimator, Forecast, Next, Outlook, Overview};
pub use queued::{Class, Demand, JobKey, ProjectKey, Queued, UserKey, WorkerKey};
pub use reason::Reason;
pub use rules::{ProjectRules, Rules, UserRules};
pub use snapshot::{ProjectLine, Snapshot, UserLine};

use lanes::{Item, LaneIx, Lanes};
use ledger::COST_PER_SECOND;
use state::{Running, State, Worker};

/// A job to start now, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Which job.
    pub job: JobKey,
    /// On which worker.
    pub worker: WorkerKey,
}

/// A worker, as the queue sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerView {
    /// Which.
    pub worker: WorkerKey,
    /// All that it has.
    pub capacity: Demand,
    /// What of it no job holds.
    pub free: Demand,
    /// How many jobs more it takes.
    pub slots_free: u32,
    /// Whether it waits for a job now.
    pub asking: bool,
}

/// A job that runs, as the queue sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunningView {
    /// As it was queued.
    pub queued: Queued,
    /// Where it runs.
    pub worker: WorkerKey,
    /// Since when, in milliseconds since the epoch.
    pub started_ms: u64,
}

/// All jobs that wait or run, and the rules by which they do.
///
/// Changes cost O(log n) for n jobs, those of workers O(workers × running + lanes); [`Queue::choose`] costs
/// O(users + workers), more only while what is first does not fit.
#[derive(Debug)]
pub struct Queue {
    state: State,
    lanes: Lanes,
}

impl Queue {
    /// An empty queue without workers.
    pub fn new(rules: Rules) -> Queue {
        Queue { state: State::new(rules), lanes: Lanes::default() }
    }

    /// Sets the rules of the whole queue. `now_ms`: usage until then decays by the old half-life.
    pub fn set_rules(&mut self, rules: Rules, now_ms: u64) {
        self.state.ledger.set_half_life(rules.half_life_ms, now_ms);
        self.state.rules = rules;
    }

    /// Sets the rules of a project. What runs is not stopped by a lower limit.
    pub fn set_project(&mut self, project: ProjectKey, rules: ProjectRules) {
        self.state.ledger.set_project(project, rules);
    }

    /// Sets the rules of a user within a project. What runs is not stopped by a lower limit.
    pub fn set_user(&mut self, project: ProjectKey, user: UserKey, rules: UserRules) {
        self.state.ledger.set_user(project, user, rules);
    }

    /// Adds what a user had used before a restart, as [`UserLine::usage_seconds`] told it, decayed to `now_ms`.
    pub fn restore_usage(&mut self, project: ProjectKey, user: UserKey, usage_seconds: f64, now_ms: u64) {
        let user = self.state.ledger.enter_user(project, user);
        // A stored number that is none would spoil every comparison from here on.
        let cost = (usage_seconds * COST_PER_SECOND).max(0.0);
        self.state.ledger.add_usage(user, if cost.is_finite() { cost } else { 0.0 }, now_ms);
    }

    /// A worker is connected, or has another size than before. It does not ask until it says so.
    ///
    /// A worker that will ask no more but still runs jobs (it drains) is to be set to no slots: else room may
    /// be kept on it.
    pub fn worker_set(&mut self, worker: WorkerKey, capacity: Demand, slots: u32) {
        self.change_workers(|workers| {
            let asking = workers.get(&worker).is_some_and(|worker| worker.asking);
            let held = queued::Room::default();
            workers.insert(worker, Worker { capacity, slots, asking, held, running: 0 });
        });
    }

    /// Whether a worker waits for a job now. No effect on one that is not connected.
    pub fn worker_asks(&mut self, worker: WorkerKey, asking: bool) {
        if let Some(worker) = self.state.workers.get_mut(&worker) {
            worker.asking = asking;
        }
    }

    /// A worker is gone. Its jobs count as running until [`Queue::finish`] or [`Queue::requeue`] says else.
    pub fn worker_gone(&mut self, worker: WorkerKey) {
        self.change_workers(|workers| {
            workers.remove(&worker);
        });
    }

    fn change_workers(&mut self, change: impl FnOnce(&mut std::collections::BTreeMap<WorkerKey, Worker>)) {
        if self.state.change_workers(change) {
            self.lanes.find_heads(|demand| self.state.ever_fits(demand));
        }
    }

    /// The workers that are connected, by key.
    pub fn workers(&self) -> impl Iterator<Item = WorkerView> + '_ {
        self.state.workers.iter().map(|(&key, worker)| WorkerView {
            worker: key,
            capacity: worker.capacity,
            free: worker.free().into(),
            slots_free: worker.slots_free(),
            asking: worker.asking,
        })
    }

    /// Adds a job that waits. False, and nothing changed, if it waits or runs already, or its `order` is taken.
    pub fn push(&mut self, queued: Queued) -> bool {
        if self.state.running.contains_key(&queued.job) {
            return false;
        }
        let user = self.state.ledger.enter_user(queued.project, queued.user);
        self.lanes.push(user, queued, |demand| self.state.ever_fits(demand))
    }

    /// Takes a waiting job out: it was cancelled. `None` if it does not wait.
    pub fn remove(&mut self, job: JobKey) -> Option<Queued> {
        let (lane, order, item, not_before_ms) = self.lanes.remove(job, |demand| self.state.ever_fits(demand))?;
        Some(self.queued(lane, order, item, not_before_ms))
    }

    fn queued(&self, lane: LaneIx, order: u64, item: Item, not_before_ms: u64) -> Queued {
        let user = self.state.ledger.user(lane.user());
        Queued {
            job: item.job,
            project: self.state.ledger.project(user.project).key,
            user: user.key,
            class: lane.class(),
            order,
            submitted_ms: item.submitted_ms,
            not_before_ms,
            demand: item.demand,
            wall_ms: item.wall_ms,
        }
    }

    /// The next job to start at `now_ms`, and the worker; `None` while nothing can. The caller then says
    /// [`Queue::start`], and asks again.
    ///
    /// Changes nothing that a caller can see: jobs whose delay has passed enter their lanes, and it is
    /// remembered for whom room is kept.
    pub fn choose(&mut self, now_ms: u64) -> Option<Grant> {
        self.lanes.wake(now_ms, |demand| self.state.ever_fits(demand));
        let decision = decide::decide(&self.state, &self.lanes, self.state.rules.backfill_depth, now_ms);
        self.state.claims = decision.claims;
        decision.start.map(|(_, head, worker)| Grant { job: head.item.job, worker })
    }

    /// When [`Queue::choose`] is to be asked again although nothing happened: a delayed job's time comes.
    pub fn next_wake_ms(&self) -> Option<u64> {
        self.lanes.next_wake_ms()
    }

    /// A waiting job runs on `worker` since `now_ms`. `None`, and nothing changed, if it does not wait.
    ///
    /// Its accounts are charged for `expected_ms` (at most its `wall_ms`): the p50 of an estimate, the
    /// same that forecasts are asked with. The worker's question is answered: it asks no more until
    /// [`Queue::worker_asks`]. The worker may be unknown: after a restart jobs run before their worker is back.
    pub fn start(&mut self, job: JobKey, worker: WorkerKey, now_ms: u64, expected_ms: u64) -> Option<Queued> {
        let user = self.lanes.find(job)?.0.user();
        let queued = self.remove(job)?;
        self.state.start(queued, user, worker, now_ms, expected_ms);
        self.worker_asks(worker, false);
        Some(queued)
    }

    /// A running job has ended at `now_ms`. Its charge is given back, and `ran_ms` is counted as used: 0 if
    /// it ended by a fault of ours. `None`, and nothing changed, if it does not run.
    pub fn finish(&mut self, job: JobKey, now_ms: u64, ran_ms: u64) -> Option<RunningView> {
        self.state.finish(job, now_ms, ran_ms).map(view)
    }

    /// A running job waits again, at its old place: its lease was lost before it began. Its charge is
    /// given back. It is not started before `not_before_ms` (0: no delay). False if it does not run.
    pub fn requeue(&mut self, job: JobKey, not_before_ms: u64) -> bool {
        self.state.stop(job).is_some_and(|running| self.push(Queued { not_before_ms, ..running.queued }))
    }

    /// How many jobs wait.
    pub fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Whether no job waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many jobs of a project wait. Costs O(its users).
    pub fn len_of_project(&self, project: ProjectKey) -> u64 {
        let users = self.state.ledger.users_of(project);
        users.map(|user| self.lanes.count(user).iter().sum::<u64>()).sum()
    }

    /// How many jobs of a user within a project wait.
    pub fn queued_of(&self, project: ProjectKey, user: UserKey) -> u64 {
        self.state.ledger.find_user(project, user).map_or(0, |user| self.lanes.count(user).iter().sum())
    }

    /// How many jobs of a user within a project run.
    pub fn running_of(&self, project: ProjectKey, user: UserKey) -> u32 {
        self.state.ledger.find_user(project, user).map_or(0, |user| self.state.ledger.user(user).account.running)
    }

    /// How many jobs of a project run.
    pub fn running_of_project(&self, project: ProjectKey) -> u32 {
        let project = self.state.ledger.find_project(project);
        project.map_or(0, |project| self.state.ledger.project(project).account.running)
    }

    /// The jobs that run, by key.
    pub fn running(&self) -> impl Iterator<Item = RunningView> + '_ {
        self.state.running.values().cloned().map(view)
    }
}

fn view(running: Running) -> RunningView {
    RunningView { queued: running.queued, worker: running.worker, started_ms: running.started_ms }
}
