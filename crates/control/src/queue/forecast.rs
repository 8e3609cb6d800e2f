//! The same decision, run forward over estimated run times: when will a job start?
//!
//! Nothing is copied that grows with the queue. A forecast has a copy of the [`State`], and for each lane a
//! cursor into the real one ([`Cursors`]).

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::Queue;
use super::decide::{Ranking, decide};
use super::estimates::Estimate;
use super::lanes::{Head, Item, LaneIx, Lanes, Lines};
use super::ledger::{self, UserIx};
use super::queued::{Class, Demand, JobKey, ProjectKey, Queued, Room, UserKey, WorkerKey};
use super::reason::Reason;
use super::snapshot::Snapshot;
use super::state::{Claim, Claims, State, Worker};

/// So many jobs are started one by one, exactly as the queue would.
const EXACT_JOBS: u64 = 2_000;
/// And so many are looked at while doing so: only a queue of which little fits gets there first.
const EXACT_LOOKS: u64 = 100_000;
/// After that, a step starts this part of the jobs that were started before it.
const COARSE_PART: u64 = 500;
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

/// The queue at one instant, as one of its jobs sees it: to look ahead somewhere else, while the queue goes on.
#[derive(Debug)]
pub struct Outlook {
    queue: Queue,
    job: JobKey,
    now_ms: u64,
}

/// The queue at one instant, as a whole.
#[derive(Debug)]
pub struct Overview {
    queue: Queue,
    queued: u64,
    now_ms: u64,
}

impl Overview {
    /// The jobs of [`Queue::order`], and of each what [`Queue::explain`] says. The reasons cost one decision together.
    pub fn next(&self, n: usize, estimate: Estimator<'_>) -> Vec<Next> {
        let (now_ms, decided) = (self.now_ms, OnceCell::new());
        let next = |(place, (Claim { lane, order }, job, start_ms))| {
            let why = self
                .queue
                .lanes
                .find_at(lane, order, job)
                .map(|found| self.queue.reason(found, now_ms, Some(place as u64 + 1), &decided));
            Next { job, start_ms, why }
        };
        self.queue.run_on(now_ms, n, estimate).order.into_iter().enumerate().map(next).collect()
    }

    /// As [`Queue::snapshot`].
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { queued: self.queued, ..self.queue.snapshot(self.now_ms) }
    }
}

/// A job that waits, in its expected place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Which.
    pub job: JobKey,
    /// When it starts if all jobs take their p50 estimate, in milliseconds since the epoch.
    pub start_ms: u64,
    /// Why it does not run yet.
    pub why: Option<Reason>,
}

impl Outlook {
    /// As [`Queue::forecast`].
    pub fn forecast(&self, estimate: Estimator<'_>) -> Option<Forecast> {
        self.queue.forecast(self.job, self.now_ms, estimate)
    }

    /// As [`Queue::explain`].
    pub fn explain(&self, position: Option<u64>) -> Option<Reason> {
        self.queue.explain(self.job, self.now_ms, position)
    }
}

/// How a guess of run times is asked for: project, user and `wall_ms`.
pub type Estimator<'a> = &'a dyn Fn(ProjectKey, UserKey, u64) -> Estimate;

impl Queue {
    /// What [`Queue::forecast`] and [`Queue::explain`] need to tell of `job`, seen at `now_ms` (milliseconds since the
    /// epoch); `None` when it does not wait. Costs O(users + workers + running + delayed jobs), and nothing that grows
    /// with the number of jobs that wait: those are shared.
    pub fn outlook(&self, job: JobKey, now_ms: u64) -> Option<Outlook> {
        let queue = Queue { lanes: self.lanes.outlook(job)?, state: self.state.clone() };
        Some(Outlook { queue, job, now_ms })
    }

    /// When `job` will start, seen at `now_ms` (milliseconds since the epoch); `None` when it does not wait.
    ///
    /// Assumes that nothing more is submitted, that no rule changes, that workers stay and ask whenever
    /// they have a slot, that a job that runs takes its p50 estimate (if it is past that: its p90, then
    /// its `wall_ms`), and that a job which starts is charged for its p50.
    ///
    /// Under these it is exact, the very choice of [`Queue::choose`] at each step, for a job that has
    /// fewer than 2,000 before it (fewer, where hundreds of jobs are looked at for each that starts).
    /// For those behind, it is approximate, so that the work is bounded. Ranks, limits and ceilings hold as
    /// before, but: a step starts up to 1/500 of the number that was started before as one run of their summed
    /// time, all of them as like the first; all workers count as one; and where the first in rank has no room,
    /// none is backfilled; and the late start is the usual wait, longer as the estimates are. Expect a
    /// position far behind to be off by a quarter, at times by a half.
    pub fn forecast(&self, job: JobKey, now_ms: u64, estimate: Estimator<'_>) -> Option<Forecast> {
        let (lane, order, ..) = self.lanes.find(job)?;
        let target = Some(Claim { lane, order });
        if self.state.largest.is_empty() {
            let mut imagined = self.state.clone();
            let worker = Worker { capacity: IMAGINED, slots: 1, asking: true, held: Default::default(), running: 0 };
            imagined.change_workers(|workers| *workers = BTreeMap::from([(WorkerKey(0), worker)]));
            let run = Run::new(imagined, &self.lanes, now_ms, Pace::P50, estimate).until(target, u64::MAX);
            return Some(Forecast { position: run.position(), start_p50_ms: None, start_p90_ms: None });
        }
        let run = |pace| Run::new(self.state.clone(), &self.lanes, now_ms, pace, estimate);
        let usual = run(Pace::P50).until(target, u64::MAX);
        let start_p90_ms = match usual.found_ms {
            None => None,
            Some(_) if usual.position() <= EXACT_JOBS => run(Pace::P90).until(target, u64::MAX).found_ms,
            // Far behind, a second run would tell of other steps more than of other run times.
            Some(found_ms) => Some(now_ms.saturating_add(usual.late_of(found_ms - now_ms))),
        };
        // Slower runs can bring a job forward (others' charges weigh longer); a late start is not before the
        // usual one.
        let start_p90_ms = start_p90_ms.max(usual.found_ms);
        Some(Forecast { position: usual.position(), start_p50_ms: usual.found_ms, start_p90_ms })
    }

    /// All of it at this instant, to look at its order somewhere else, while the queue goes on.
    pub fn overview(&self, now_ms: u64) -> Overview {
        let queued = self.len() as u64;
        Overview { queue: Queue { lanes: self.lanes.overview(), state: self.state.clone() }, queued, now_ms }
    }

    /// The first `n` jobs in the order in which they will start if all take their p50 estimate, with the
    /// times, in milliseconds since the epoch. At most 2,000 (fewer, where hundreds of jobs are looked at for
    /// each that starts); those that cannot start are not among them.
    pub fn order(&self, now_ms: u64, n: usize, estimate: Estimator<'_>) -> Vec<(JobKey, u64)> {
        self.run_on(now_ms, n, estimate).order.into_iter().map(|(_, job, start_ms)| (job, start_ms)).collect()
    }

    fn run_on<'a>(&'a self, now_ms: u64, n: usize, estimate: Estimator<'a>) -> Run<'a> {
        let most = (n as u64).min(EXACT_JOBS);
        Run::new(self.state.clone(), &self.lanes, now_ms, Pace::P50, estimate).until(None, most)
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
    /// No job asks for less.
    least: Demand,
    started: u64,
    /// The p50 and p90 estimates of all jobs that were started, summed.
    usual_ms: u128,
    late_ms: u128,
    /// Users that had a quantum.
    first_quanta: BTreeSet<UserIx>,
    looked: u64,
    /// Jobs started one by one: where they waited, and the time of their start.
    order: Vec<(Claim, JobKey, u64)>,
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
        let least = lanes.least_of_all();
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
            least,
            usual_ms: 0,
            late_ms: 0,
            started: 0,
            first_quanta: BTreeSet::new(),
            looked: 0,
            order: Vec::new(),
            found_ms: None,
        }
    }

    /// The place of the job that was asked for: behind all that can start, if it cannot.
    fn position(&self) -> u64 {
        self.started + u64::from(self.found_ms.is_none())
    }

    /// How long `waited_ms` would be if all jobs took their p90 estimate.
    fn late_of(&self, waited_ms: u64) -> u64 {
        let late_ms = u128::from(waited_ms) * self.late_ms / self.usual_ms.max(1);
        u64::try_from(late_ms).unwrap_or(u64::MAX)
    }

    fn is_exact(&self) -> bool {
        self.started < EXACT_JOBS && self.looked < EXACT_LOOKS
    }

    /// Runs until `target` or `most` jobs have started, or nothing more can.
    fn until(mut self, target: Option<Claim>, most: u64) -> Run<'a> {
        // Without a target the order itself is asked for, and coarse steps have none.
        while self.started < most && (target.is_some() || self.is_exact()) {
            self.take_arrivals();
            let (chosen, quantum) = match self.is_exact() {
                true => (self.choose(), 1),
                false => {
                    let quantum = (self.started / COARSE_PART).max(1);
                    (self.choose_coarsely(quantum, target), quantum)
                }
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
    ///
    /// Others have had from nothing to a whole quantum more than the wanted job's accounts when it is first; half
    /// of one on average. So it is ranked as if it had that half less: then it comes neither late nor early.
    fn choose_coarsely(&self, quantum: u64, target: Option<Claim>) -> Option<(LaneIx, Head, WorkerKey)> {
        let state = &self.state;
        let (mut held, mut jobs) = (Room::default(), 0);
        for of_class in state.held {
            held = held.plus(of_class.room);
            jobs += u64::from(of_class.running);
        }
        let free = state.total.minus(held);
        if jobs >= self.slots || !self.least.fits(free) {
            return None;
        }
        let mut ranking = Ranking::new(state, Claims::default(), self.now_ms);
        if let Some(wanted) = target
            && let Some(head) = self.cursors.head(wanted.lane)
        {
            let user = state.ledger.user(wanted.lane.user());
            let project = state.ledger.project(user.project).key;
            let each_ms = (self.estimate)(project, user.key, head.item.wall_ms).p50_ms;
            let cost = ledger::cost(head.item.demand, state.total, each_ms.saturating_mul(quantum));
            ranking = ranking.with_ahead(wanted, cost as f64 / 2.0);
        }
        let may = |lane: LaneIx, head: &Head| {
            let class = lane.class();
            !state.over_ceiling(class, state.held[class as usize], head.item.demand)
        };
        let (lane, head) = ranking.best(&self.cursors, may)?;
        head.item.demand.fits(free).then_some((lane, head, POOL))
    }

    fn start(&mut self, lane: LaneIx, head: Head, worker: WorkerKey, quantum: u64, target: Option<Claim>) {
        // Within a user what decides is the order: none of theirs goes before the wanted job that would not.
        let wanted = target.filter(|wanted| wanted.lane.user() == lane.user()).map(|wanted| wanted.order);
        let quantum = self.quantum_of(lane.user(), quantum);
        let taken = self.cursors.take(lane, head.order, quantum, wanted, &self.state);
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
        self.started += taken;
        self.usual_ms += u128::from(estimate.p50_ms) * u128::from(taken);
        self.late_ms += u128::from(estimate.p90_ms) * u128::from(taken);
        if target == Some(Claim { lane, order: head.order }) {
            self.found_ms = Some(self.now_ms);
        }
        if taken == 1 {
            self.order.push((Claim { lane, order: head.order }, queued.job, self.now_ms));
        }
        let ran_ms = each_ms.saturating_mul(taken);
        self.ends.push(Reverse((self.now_ms.saturating_add(ran_ms), queued.job, ran_ms)));
        self.state.start(queued, lane.user(), worker, self.now_ms, estimate.p50_ms.saturating_mul(taken));
    }

    /// The quantum of a user: the first of each is another part of it, spread evenly. Else all users would be
    /// a quantum ahead at the same time, and then none.
    fn quantum_of(&mut self, user: UserIx, quantum: u64) -> u64 {
        if quantum == 1 || !self.first_quanta.insert(user) {
            return quantum;
        }
        const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
        let part = (f64::from(user.0) * GOLDEN_RATIO).fract();
        ((quantum as f64 * part) as u64).max(1)
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
    /// only that one. Those from `wanted` on are left for another time. Answers how many.
    fn take(&mut self, lane: LaneIx, order: u64, quantum: u64, wanted: Option<u64>, state: &State) -> u64 {
        if self.head(lane).is_none_or(|head| head.order != order) {
            self.uneven.insert(lane);
            self.taken.insert((lane, order));
            return 1;
        }
        if quantum > 1 && wanted.is_none() && !self.uneven.contains(&lane) && state.ever_fits(self.lanes.most(lane)) {
            return self.skip(lane, quantum);
        }
        let (mut taken, mut from, mut head) = (0, self.cursors[lane.index()].from, None);
        let mut arrived = Vec::new();
        for job in self.walk(lane).filter(|job| state.ever_fits(job.item.demand)) {
            if taken == quantum || (taken > 0 && wanted.is_some_and(|wanted| job.order >= wanted)) {
                head = Some(job);
                break;
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
        taken
    }
}

impl Cursors<'_> {
    /// Takes up to `quantum` jobs of a lane of which none has to be looked at: memory is not touched for them.
    fn skip(&mut self, lane: LaneIx, quantum: u64) -> u64 {
        let (taken, head) = self.lanes.skip(lane, self.cursors[lane.index()].from, quantum as usize);
        self.cursors[lane.index()] = Cursor { from: head.map_or(u64::MAX, |head| head.order), head };
        taken as u64
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
