//! The same decision, run forward over estimated run times: when will a job start?
//!
//! Nothing is copied that grows with the queue. A forecast has a copy of the [`State`], and for each lane a
//! cursor into the real one ([`Cursors`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::Queue;
use super::decide::{Ranking, decide};
use super::estimates::Estimate;
use super::lanes::{Head, Item, LaneIx, Lanes, Lines};
use super::ledger::UserIx;
use super::queued::{Class, Demand, JobKey, ProjectKey, Queued, Room, UserKey, WorkerKey};
use super::state::{Claims, State, Worker};

/// So many jobs are started one by one, exactly as the queue would.
const EXACT_JOBS: u64 = 2_000;
/// And so many are looked at while doing so: only a queue of which little fits gets there first.
const EXACT_LOOKS: u64 = 500_000;
/// After that, a step starts this part of the jobs that were started before it.
const COARSE_PART: u64 = 125;
/// All workers as one: not a key of any of them, so that none of them is charged.
const POOL: WorkerKey = WorkerKey(u128::MAX);
/// A worker to imagine when there is none, so that positions can be told: as large as limits go.
const IMAGINED: Demand = Demand { cpus_milli: 4_096_000, memory_bytes: 1 << 46 };

/// When a job will start, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Its place among the jobs that wait, in the order of their starts: 1 is next.
    pub position: u64,
    /// When it starts if all jobs take their p50 estimate, in milliseconds since the epoch. `None` when it
    /// cannot start under the present rules and workers.
    pub start_p50_ms: Option<u64>,
    /// When it starts if all jobs take their p90 estimate: a late start, since not all of them will.
    pub start_p90_ms: Option<u64>,
}

/// How a guess of run times is asked for: project, user and `wall_ms`.
pub type Estimator<'a> = &'a dyn Fn(ProjectKey, UserKey, u64) -> Estimate;

impl Queue {
    /// When `job` will start, seen at `now_ms` (milliseconds since the epoch); `None` when it does not wait.
    ///
    /// Assumes that nothing more is submitted, that no rule changes, that workers stay and ask whenever
    /// they have a slot, that a job that runs takes its p50 estimate (if it is past that: its p90, then
    /// its `wall_ms`), and that a job which starts is charged for its p50.
    ///
    /// Under these it is exact, the very choice of [`Queue::choose`] at each step, for a job that has
    /// fewer than 2,000 before it (fewer, where hundreds of jobs are looked at for each that starts).
    /// For those behind, it is approximate, so that the work is bounded. Ranks, limits and ceilings hold as
    /// before, but: a step starts up to 1/125 of the number that was started before as one run of their summed
    /// time, all of them as like the first; all workers count as one; and where the first in rank has no room,
    /// none is backfilled. So a start may be off by the time of such a run, and by what workers lose by being several.
    pub fn forecast(&self, job: JobKey, now_ms: u64, estimate: Estimator<'_>) -> Option<Forecast> {
        let (lane, order, ..) = self.lanes.find(job)?;
        let target = Some((lane, order));
        if self.state.largest.is_empty() {
            let mut imagined = self.state.clone();
            let worker = Worker { capacity: IMAGINED, slots: 1, asking: true, held: Default::default(), running: 0 };
            imagined.change_workers(|workers| *workers = BTreeMap::from([(WorkerKey(0), worker)]));
            let run = Run::new(imagined, &self.lanes, now_ms, Pace::P50, estimate).until(target, u64::MAX);
            return Some(Forecast { position: run.position(), start_p50_ms: None, start_p90_ms: None });
        }
        let run = |pace| Run::new(self.state.clone(), &self.lanes, now_ms, pace, estimate).until(target, u64::MAX);
        let (usual, late) = (run(Pace::P50), run(Pace::P90));
        Some(Forecast {
            position: usual.position(),
            start_p50_ms: usual.found_ms,
            // Slower runs can bring a job forward (others' charges weigh longer); a late start is not before
            // the usual one.
            start_p90_ms: late.found_ms.max(usual.found_ms),
        })
    }

    /// The first `n` jobs in the order in which they will start if all take their p50 estimate, with the
    /// times, in milliseconds since the epoch. At most 2,000 (fewer, where hundreds of jobs are looked at for
    /// each that starts); those that cannot start are not among them.
    pub fn order(&self, now_ms: u64, n: usize, estimate: Estimator<'_>) -> Vec<(JobKey, u64)> {
        let most = (n as u64).min(EXACT_JOBS);
        Run::new(self.state.clone(), &self.lanes, now_ms, Pace::P50, estimate).until(None, most).order
    }
}

/// Which of its estimates a job takes.
#[derive(Debug, Clone, Copy)]
enum Pace {
    P50,
    P90,
}

impl Pace {
    fn of(self, estimate: Estimate) -> u64 {
        match self {
            Pace::P50 => estimate.p50_ms,
            Pace::P90 => estimate.p90_ms,
        }
    }

    /// How long a job that has run for `elapsed_ms` will have run at its end.
    fn of_running(self, estimate: Estimate, elapsed_ms: u64, wall_ms: u64) -> u64 {
        let longer = [self.of(estimate), estimate.p90_ms, wall_ms].into_iter().find(|&ms| ms > elapsed_ms);
        longer.unwrap_or(elapsed_ms)
    }
}

/// A run of the queue into the future.
struct Run<'a> {
    state: State,
    cursors: Cursors<'a>,
    now_ms: u64,
    pace: Pace,
    estimate: Estimator<'a>,
    /// When what runs ends, the next first, with how long it will have run.
    ends: BinaryHeap<Reverse<(u64, JobKey, u64)>>,
    /// Delayed jobs, the last to wake first.
    arrivals: Vec<(LaneIx, Queued)>,
    /// Of all workers.
    slots: u64,
    started: u64,
    looked: u64,
    /// Jobs started one by one, with the time of their start.
    order: Vec<(JobKey, u64)>,
    /// When the job that is asked for started.
    found_ms: Option<u64>,
}

impl<'a> Run<'a> {
    fn new(mut state: State, lanes: &'a Lanes, now_ms: u64, pace: Pace, estimate: Estimator<'a>) -> Run<'a> {
        for worker in state.workers.values_mut() {
            worker.asking = true;
        }
        let ends = state.running.values().map(|running| {
            let user = state.ledger.user(running.user);
            let project = state.ledger.project(user.project);
            let elapsed_ms = now_ms.saturating_sub(running.started_ms);
            let wall_ms = running.queued.wall_ms;
            let ran_ms = pace.of_running(estimate(project.key, user.key, wall_ms), elapsed_ms, wall_ms);
            Reverse(((running.started_ms.saturating_add(ran_ms)).max(now_ms), running.queued.job, ran_ms))
        });
        let ends = ends.collect();
        let mut arrivals: Vec<_> = lanes.delayed().map(|(lane, queued)| (lane, *queued)).collect();
        arrivals.reverse();
        let cursors = Cursors::new(lanes, &state);
        let slots = state.workers.values().map(|worker| u64::from(worker.slots)).sum();
        Run {
            state,
            cursors,
            now_ms,
            pace,
            estimate,
            ends,
            arrivals,
            slots,
            started: 0,
            looked: 0,
            order: Vec::new(),
            found_ms: None,
        }
    }

    /// The place of the job that was asked for: behind all that can start, if it cannot.
    fn position(&self) -> u64 {
        self.started + u64::from(self.found_ms.is_none())
    }

    fn is_exact(&self) -> bool {
        self.started < EXACT_JOBS && self.looked < EXACT_LOOKS
    }

    /// Runs until `target` or `most` jobs have started, or nothing more can.
    fn until(mut self, target: Option<(LaneIx, u64)>, most: u64) -> Run<'a> {
        // Without a target the order itself is asked for, and coarse steps have none.
        while self.started < most && (target.is_some() || self.is_exact()) {
            self.take_arrivals();
            let (chosen, quantum) = match self.is_exact() {
                true => (self.choose(), 1),
                false => (self.choose_coarsely(), (self.started / COARSE_PART).max(1)),
            };
            if let Some((lane, head, worker)) = chosen {
                self.start(lane, head, worker, quantum, target);
                if self.found_ms.is_some() {
                    break;
                }
            } else if !self.pass_time() {
                break;
            }
        }
        self
    }

    fn choose(&mut self) -> Option<(LaneIx, Head, WorkerKey)> {
        let depth = self.state.rules.backfill_depth;
        let decision = decide(&self.state, &self.cursors, depth, self.now_ms);
        self.state.claims = decision.claims;
        self.looked += decision.looked;
        decision.start
    }

    /// The first in rank of what its class may hold, on all workers as if they were one.
    fn choose_coarsely(&mut self) -> Option<(LaneIx, Head, WorkerKey)> {
        let state = &self.state;
        let (mut held, mut jobs) = (Room::default(), 0);
        for of_class in state.held {
            held = held.plus(of_class.room);
            jobs += u64::from(of_class.running);
        }
        if jobs >= self.slots {
            return None;
        }
        let mut best = None;
        Ranking::new(state, Claims::default(), self.now_ms).each(&self.cursors, |rank, head| {
            let class = rank.lane.class();
            if best.is_none_or(|(best, _)| rank < best)
                && !state.over_ceiling(class, state.held[class as usize], head.item.demand)
            {
                best = Some((rank, *head));
            }
        });
        let (rank, head) = best?;
        head.item.demand.fits(state.total.minus(held)).then_some((rank.lane, head, POOL))
    }

    fn start(
        &mut self,
        lane: LaneIx,
        head: Head,
        worker: WorkerKey,
        quantum: u64,
        target: Option<(LaneIx, u64)>,
    ) {
        let wanted = target.filter(|&(wanted, _)| wanted == lane).map(|(_, order)| order);
        let (taken, before_wanted) = self.cursors.take(lane, head.order, quantum, wanted, &self.state);
        let user = self.state.ledger.user(lane.user());
        let project = self.state.ledger.project(user.project).key;
        let estimate = (self.estimate)(project, user.key, head.item.wall_ms);
        let each_ms = self.pace.of(estimate).min(head.item.wall_ms);
        let queued = Queued {
            job: head.item.job,
            project,
            user: user.key,
            class: lane.class(),
            order: head.order,
            submitted_ms: head.item.submitted_ms,
            not_before_ms: 0,
            demand: head.item.demand,
            wall_ms: head.item.wall_ms.saturating_mul(taken),
        };
        if let Some(before) = before_wanted {
            self.started += before + 1;
            self.found_ms = Some(self.now_ms.saturating_add(each_ms.saturating_mul(before)));
        } else {
            self.started += taken;
        }
        if taken == 1 {
            self.order.push((queued.job, self.now_ms));
        }
        let ran_ms = each_ms.saturating_mul(taken);
        self.ends.push(Reverse((self.now_ms.saturating_add(ran_ms), queued.job, ran_ms)));
        self.state.start(queued, lane.user(), worker, self.now_ms, estimate.p50_ms.saturating_mul(taken));
    }

    /// Goes to the next instant at which something ends or wakes. False if there is none.
    fn pass_time(&mut self) -> bool {
        let end = self.ends.peek().map(|Reverse((at_ms, ..))| *at_ms);
        let wake = self.arrivals.last().map(|(_, queued)| queued.not_before_ms);
        let Some(at_ms) = end.into_iter().chain(wake).min() else { return false };
        self.now_ms = self.now_ms.max(at_ms);
        while let Some(&Reverse((at_ms, job, ran_ms))) = self.ends.peek()
            && at_ms <= self.now_ms
        {
            self.ends.pop();
            self.state.finish(job, self.now_ms, ran_ms);
        }
        self.take_arrivals();
        true
    }

    fn take_arrivals(&mut self) {
        while let Some(&(lane, queued)) = self.arrivals.last()
            && queued.not_before_ms <= self.now_ms
        {
            self.arrivals.pop();
            self.cursors.arrive(lane, Head { order: queued.order, item: Item::from(&queued) }, &self.state);
        }
    }
}

/// What a run has left of the lanes: cursors into them, and what is not in their order.
struct Cursors<'a> {
    lanes: &'a Lanes,
    cursors: Vec<Cursor>,
    busy: Vec<UserIx>,
    /// Lanes of which something behind the head was taken, or in which something arrived.
    uneven: BTreeSet<LaneIx>,
    taken: BTreeSet<(LaneIx, u64)>,
    arrived: BTreeMap<(LaneIx, u64), Item>,
}

#[derive(Clone, Copy)]
struct Cursor {
    /// Jobs of the real lane before this have started, or fit no worker.
    from: u64,
    head: Option<Head>,
}

impl<'a> Cursors<'a> {
    /// `state` may have other workers than the queue, so heads are looked for.
    fn new(lanes: &'a Lanes, state: &State) -> Cursors<'a> {
        let busy = (0..state.ledger.users.len() as u32).map(UserIx).filter(|&user| lanes.count(user) != [0; 3]);
        let mut cursors = Cursors {
            lanes,
            cursors: vec![Cursor { from: 0, head: None }; state.ledger.users.len() * Class::ALL.len()],
            busy: busy.collect(),
            uneven: BTreeSet::new(),
            taken: BTreeSet::new(),
            arrived: BTreeMap::new(),
        };
        for lane in cursors.busy.iter().flat_map(|&user| Class::ALL.map(|class| LaneIx::of(user, class))) {
            let from = lanes.head(lane).map_or(0, |head| head.order);
            let head = lanes.range(lane, from).find(|head| state.ever_fits(head.item.demand));
            cursors.cursors[lane.index()] = Cursor { from, head };
        }
        cursors
    }

    fn arrive(&mut self, lane: LaneIx, new: Head, state: &State) {
        self.uneven.insert(lane);
        self.arrived.insert((lane, new.order), new.item);
        let cursor = &mut self.cursors[lane.index()];
        if cursor.head.is_none_or(|head| new.order < head.order) && state.ever_fits(new.item.demand) {
            cursor.head = Some(new);
        }
    }

    /// Takes up to `quantum` jobs from the head of `lane` on, if the job at `order` is the head; else
    /// only that one. Answers how many, and how many of them go before the one at `wanted`.
    fn take(
        &mut self,
        lane: LaneIx,
        order: u64,
        quantum: u64,
        wanted: Option<u64>,
        state: &State,
    ) -> (u64, Option<u64>) {
        if self.head(lane).is_none_or(|head| head.order != order) {
            self.uneven.insert(lane);
            self.taken.insert((lane, order));
            return (1, (wanted == Some(order)).then_some(0));
        }
        if quantum > 1 && wanted.is_none() && !self.uneven.contains(&lane) && state.ever_fits(self.lanes.most(lane)) {
            return (self.skip(lane, quantum), None);
        }
        let (mut taken, mut before_wanted, mut from, mut head) = (0, None, self.cursors[lane.index()].from, None);
        let mut arrived = Vec::new();
        for job in self.walk(lane).filter(|job| state.ever_fits(job.item.demand)) {
            if taken == quantum {
                head = Some(job);
                break;
            }
            if wanted == Some(job.order) {
                before_wanted = Some(taken);
            }
            taken += 1;
            if self.arrived.contains_key(&(lane, job.order)) {
                arrived.push(job.order);
            } else {
                from = job.order + 1;
            }
        }
        for order in arrived {
            self.arrived.remove(&(lane, order));
        }
        self.cursors[lane.index()] = Cursor { from, head };
        (taken, before_wanted)
    }
}

impl Cursors<'_> {
    /// Takes up to `quantum` jobs of a lane of which none has to be looked at: memory is not touched for them.
    fn skip(&mut self, lane: LaneIx, quantum: u64) -> u64 {
        let mut jobs = self.lanes.range(lane, self.cursors[lane.index()].from);
        let taken = jobs.by_ref().take(quantum as usize).count() as u64;
        let head = jobs.next();
        self.cursors[lane.index()] = Cursor { from: head.map_or(u64::MAX, |head| head.order), head };
        taken
    }
}

impl Lines for Cursors<'_> {
    fn busy(&self) -> impl Iterator<Item = UserIx> + '_ {
        self.busy.iter().copied()
    }

    fn head(&self, lane: LaneIx) -> Option<&Head> {
        self.cursors[lane.index()].head.as_ref()
    }

    fn walk(&self, lane: LaneIx) -> impl Iterator<Item = Head> + '_ {
        let uneven = self.uneven.contains(&lane);
        let first = self.cursors[lane.index()].head.map_or(u64::MAX, |head| head.order);
        let mut real = self.lanes.range(lane, self.cursors[lane.index()].from).peekable();
        let arrived = uneven.then(|| self.arrived.range((lane, 0)..=(lane, u64::MAX)));
        let mut arrived = arrived.into_iter().flatten().map(|(&(_, order), &item)| Head { order, item }).peekable();
        std::iter::from_fn(move || match (real.peek(), arrived.peek()) {
            (Some(waits), Some(new)) if new.order < waits.order => arrived.next(),
            (None, Some(_)) => arrived.next(),
            _ => real.next(),
        })
        .filter(move |job| job.order >= first && !(uneven && self.taken.contains(&(lane, job.order))))
    }

    fn least(&self, lane: LaneIx) -> Demand {
        // What arrives was not counted, so a lane where something did is always looked at.
        if self.uneven.contains(&lane) { Demand::default() } else { self.lanes.least(lane) }
    }

    fn holds(&self, lane: LaneIx, order: u64) -> bool {
        let waits = order >= self.cursors[lane.index()].from && self.lanes.holds(lane, order);
        (waits && !self.taken.contains(&(lane, order))) || self.arrived.contains_key(&(lane, order))
    }
}
