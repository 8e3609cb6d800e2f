//! All that the decision reads except the jobs that wait: accounts, workers, what runs, what is claimed.
//!
//! Small (it grows with users and workers, not with the queue), so a forecast works on a copy.

use std::collections::BTreeMap;

use super::lanes::LaneIx;
use super::ledger::{self, Ledger, UserIx};
use super::queued::{Class, Demand, JobKey, Queued, Room, WorkerKey};
use super::rules::Rules;

/// A worker, as the queue knows it.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub capacity: Demand,
    pub slots: u32,
    pub asking: bool,
    pub held: Room,
    pub running: u32,
}

impl Worker {
    pub fn free(&self) -> Room {
        Room::from(self.capacity).minus(self.held)
    }

    pub fn slots_free(&self) -> u32 {
        self.slots.saturating_sub(self.running)
    }

    pub fn has_room_for(&self, demand: Demand) -> bool {
        self.slots_free() > 0 && demand.fits(self.free())
    }

    fn could_hold(&self, demand: Demand) -> bool {
        self.slots > 0 && demand.fits(self.capacity.into())
    }
}

/// A job that runs.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub queued: Queued,
    pub user: UserIx,
    pub worker: WorkerKey,
    pub started_ms: u64,
    pub expected_ms: u64,
    /// What is charged to its accounts until it ends.
    pub charge: u64,
}

impl Running {
    /// When it has ended at the latest.
    pub fn ends_by(&self) -> u64 {
        self.started_ms.saturating_add(self.queued.wall_ms)
    }
}

/// What running jobs that were submitted in one class hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Held {
    pub room: Room,
    pub running: u32,
}

/// Jobs that were the best of all (or of their class) and could not start. Each goes before others of its
/// effective class until it did: without that, a change of ranks could take the room that is being
/// cleared for it, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Claims {
    /// Waits for room on a worker.
    pub room: Option<Claim>,
    /// Waits for its class to hold less, by class.
    pub class: [Option<Claim>; 3],
}

/// The job that claims: its lane and its `order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub lane: LaneIx,
    pub order: u64,
}

impl Claims {
    pub fn each_mut(&mut self) -> impl Iterator<Item = &mut Option<Claim>> {
        std::iter::once(&mut self.room).chain(&mut self.class)
    }

    pub fn forget(&mut self, claim: Claim) {
        for slot in self.each_mut() {
            if *slot == Some(claim) {
                *slot = None;
            }
        }
    }

    /// Whether the job at `order` of `lane` is claimed for, or goes before one of its lane that is.
    pub fn reach(&self, lane: LaneIx, order: u64) -> bool {
        let reaches = |claim: &Option<Claim>| claim.is_some_and(|claim| claim.lane == lane && order <= claim.order);
        reaches(&self.room) || self.class.iter().any(reaches)
    }
}

#[derive(Debug, Clone)]
pub(super) struct State {
    pub rules: Rules,
    pub ledger: Ledger,
    pub workers: BTreeMap<WorkerKey, Worker>,
    pub running: BTreeMap<JobKey, Running>,
    pub held: [Held; 3],
    pub claims: Claims,
    /// Of all workers; of the last ones, while none is connected.
    pub total: Room,
    /// Capacities of which none is within another: a demand fits some worker if it fits one of these.
    pub largest: Vec<Demand>,
}

impl Held {
    pub fn plus(self, demand: Demand) -> Held {
        Held { room: self.room.plus(demand), running: self.running + 1 }
    }

    fn minus(self, demand: Demand) -> Held {
        Held { room: self.room.minus(demand), running: self.running - 1 }
    }
}

impl State {
    pub fn new(rules: Rules) -> State {
        State {
            rules,
            ledger: Ledger::new(rules.half_life_ms),
            workers: BTreeMap::new(),
            running: BTreeMap::new(),
            held: [Held::default(); 3],
            claims: Claims::default(),
            total: Room::default(),
            largest: Vec::new(),
        }
    }

    /// Whether some worker is large enough, were it empty.
    pub fn ever_fits(&self, demand: Demand) -> bool {
        self.largest.iter().any(|&capacity| demand.fits(capacity.into()))
    }

    /// Whether a job that asks for `demand` would be over the ceiling of `class`, which holds `held`.
    pub fn over_ceiling(&self, class: Class, held: Held, demand: Demand) -> bool {
        // All of the workers is no ceiling: that they are full is a wait for room, and closes no class.
        let percent = self.rules.class_ceiling_percent[class as usize];
        percent < 100 && held.running > 0 && !held.room.plus(demand).within(self.total.percent(percent))
    }

    /// The class that a job counts as at `now_ms`.
    pub fn effective(&self, class: Class, submitted_ms: u64, now_ms: u64) -> Class {
        class.aged(now_ms.saturating_sub(submitted_ms), self.rules.age_step_ms)
    }

    /// Changes the workers. Answers whether what fits some worker may have changed.
    pub fn change_workers(&mut self, change: impl FnOnce(&mut BTreeMap<WorkerKey, Worker>)) -> bool {
        change(&mut self.workers);
        for (key, worker) in &mut self.workers {
            let here = self.running.values().filter(|running| running.worker == *key);
            (worker.held, worker.running) =
                here.fold((Room::default(), 0), |(room, n), running| (room.plus(running.queued.demand), n + 1));
        }
        let usable = || self.workers.values().filter(|worker| worker.slots > 0);
        if usable().next().is_some() {
            self.total = usable().fold(Room::default(), |sum, worker| sum.plus(worker.capacity));
        }
        let mut largest: Vec<Demand> = Vec::new();
        for capacity in usable().map(|worker| worker.capacity) {
            if !largest.iter().any(|&other| capacity.fits(other.into())) {
                largest.retain(|&other| !other.fits(capacity.into()));
                largest.push(capacity);
            }
        }
        self.charge_again();
        let changed = largest != self.largest;
        self.largest = largest;
        changed
    }

    /// Charges what runs by the workers that there are now: shares of another whole would not compare.
    fn charge_again(&mut self) {
        for running in self.running.values_mut() {
            self.ledger.discharge(running.user, running.charge);
            running.charge = ledger::cost(running.queued.demand, self.total, running.expected_ms);
            self.ledger.charge(running.user, running.charge);
        }
    }

    pub fn start(&mut self, queued: Queued, user: UserIx, worker: WorkerKey, now_ms: u64, expected_ms: u64) {
        let expected_ms = expected_ms.min(queued.wall_ms);
        let charge = ledger::cost(queued.demand, self.total, expected_ms);
        self.ledger.charge(user, charge);
        let held = &mut self.held[queued.class as usize];
        *held = held.plus(queued.demand);
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.held = worker.held.plus(queued.demand);
            worker.running += 1;
        }
        let running = Running { queued, user, worker, started_ms: now_ms, expected_ms, charge };
        self.running.insert(queued.job, running);
    }

    /// Takes a job from what runs, charges given back and nothing used.
    pub fn stop(&mut self, job: JobKey) -> Option<Running> {
        let running = self.running.remove(&job)?;
        self.ledger.discharge(running.user, running.charge);
        let held = &mut self.held[running.queued.class as usize];
        *held = held.minus(running.queued.demand);
        if let Some(worker) = self.workers.get_mut(&running.worker) {
            worker.held = worker.held.minus(running.queued.demand);
            worker.running -= 1;
        }
        Some(running)
    }

    /// Takes a job from what runs, and counts what it used.
    pub fn finish(&mut self, job: JobKey, now_ms: u64, ran_ms: u64) -> Option<Running> {
        let running = self.stop(job)?;
        let used = ledger::cost(running.queued.demand, self.total, ran_ms);
        self.ledger.add_usage(running.user, used as f64, now_ms);
        Some(running)
    }

    /// Where, and when at the latest, `demand` has room if nothing else starts: the earliest there is.
    pub fn shadow(&self, demand: Demand, now_ms: u64) -> Option<Shadow> {
        let mut ends: BTreeMap<WorkerKey, Vec<(u64, Demand)>> = BTreeMap::new();
        for running in self.running.values() {
            // What is overdue is about to be ended.
            let by = running.ends_by().max(now_ms);
            ends.entry(running.worker).or_default().push((by, running.queued.demand));
        }
        let able = self.workers.iter().filter(|(_, worker)| worker.could_hold(demand));
        able.filter_map(|(&key, worker)| {
            let (mut held, mut running, mut at_ms) = (worker.held, worker.running, now_ms);
            let mut here = ends.remove(&key).unwrap_or_default();
            here.sort_unstable_by_key(|&(by, _)| std::cmp::Reverse(by));
            let free = |held| Room::from(worker.capacity).minus(held);
            while running >= worker.slots || !demand.fits(free(held)) {
                let (by, ended) = here.pop()?;
                (held, running, at_ms) = (held.minus(ended), running - 1, by);
            }
            let beside = free(held).minus(demand);
            let slots_beside = worker.slots - running - 1;
            Some(Shadow { worker: key, at_ms, beside, slots_beside })
        })
        .min_by_key(|shadow| (shadow.at_ms, shadow.worker))
    }
}

/// Room that is kept for a job that fits nowhere yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shadow {
    pub worker: WorkerKey,
    /// When the job has room at the latest, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What is free beside it then.
    pub beside: Room,
    /// Slots that are free beside it then.
    pub slots_beside: u32,
}

impl Shadow {
    /// Whether a job that starts on `worker` now takes nothing of the room that is kept.
    pub fn allows(&self, worker: WorkerKey, demand: Demand, wall_ms: u64, now_ms: u64) -> bool {
        worker != self.worker
            || now_ms.saturating_add(wall_ms) <= self.at_ms
            || (self.slots_beside > 0 && demand.fits(self.beside))
    }
}
