//! The invariants at the head of the module, each by its number, on a simulated platform with a clock of its own.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

mod fairness;
mod room;
mod words;

const START: u64 = 1_700_000_000_000;
const MINUTE: u64 = 60_000;
const GIB: u64 = 1 << 30;

/// So many cases, and no file of failures beside the sources: a failure becomes a test with a name.
fn few(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn demand(cpus: u32, gib: u64) -> Demand {
    Demand { cpus_milli: cpus * 1000, memory_bytes: gib * GIB }
}

/// A queue, what really happens to its jobs, and what we know of the rules without asking the queue.
struct World {
    queue: Queue,
    rules: Rules,
    project_max: BTreeMap<ProjectKey, u32>,
    user_max: BTreeMap<(ProjectKey, UserKey), u32>,
    now: u64,
    /// How long each job really runs.
    takes: BTreeMap<JobKey, u64>,
    ends: BTreeSet<(u64, JobKey)>,
    started: Vec<(JobKey, u64)>,
    pushed: u64,
}

/// A submission, in few words: 1 CPU, 1 GiB, class normal, 10 s of at most 20 s.
#[derive(Debug, Clone, Copy)]
struct Job {
    project: u128,
    user: u128,
    class: Class,
    demand: Demand,
    takes_ms: u64,
    wall_ms: u64,
    delay_ms: u64,
}

impl Job {
    fn of(project: u128, user: u128) -> Job {
        let demand = demand(1, 1);
        Job { project, user, class: Class::Normal, demand, takes_ms: 10_000, wall_ms: 20_000, delay_ms: 0 }
    }

    fn class(self, class: Class) -> Job {
        Job { class, ..self }
    }

    fn asks(self, cpus: u32, gib: u64) -> Job {
        Job { demand: demand(cpus, gib), ..self }
    }

    fn takes(self, takes_ms: u64, wall_ms: u64) -> Job {
        Job { takes_ms, wall_ms, ..self }
    }
}

impl World {
    fn new(rules: Rules) -> World {
        World {
            queue: Queue::new(rules),
            rules,
            project_max: BTreeMap::new(),
            user_max: BTreeMap::new(),
            now: START,
            takes: BTreeMap::new(),
            ends: BTreeSet::new(),
            started: Vec::new(),
            pushed: 0,
        }
    }

    fn with_workers(capacities: &[(Demand, u32)]) -> World {
        let mut world = World::new(Rules::default());
        for (key, &(capacity, slots)) in (1..).zip(capacities) {
            world.queue.worker_set(WorkerKey(key), capacity, slots);
        }
        world.all_ask();
        world
    }

    fn all_ask(&mut self) {
        let workers: Vec<_> = self.queue.workers().map(|view| view.worker).collect();
        for worker in workers {
            self.queue.worker_asks(worker, true);
        }
    }

    fn push(&mut self, job: Job) -> JobKey {
        self.pushed += 1;
        self.push_as(job, self.pushed)
    }

    fn push_as(&mut self, job: Job, order: u64) -> JobKey {
        let key = JobKey(order.into());
        let queued = Queued {
            job: key,
            project: ProjectKey(job.project),
            user: UserKey(job.user),
            class: job.class,
            order,
            submitted_ms: self.now,
            not_before_ms: if job.delay_ms == 0 { 0 } else { self.now + job.delay_ms },
            demand: job.demand,
            wall_ms: job.wall_ms,
        };
        assert!(self.queue.push(queued));
        self.takes.insert(key, job.takes_ms);
        key
    }

    fn limit_project(&mut self, project: u128, running_max: u32) {
        self.queue.set_project(ProjectKey(project), ProjectRules { running_max, ..ProjectRules::default() });
        self.project_max.insert(ProjectKey(project), running_max);
    }

    fn limit_user(&mut self, project: u128, user: u128, running_max: u32) {
        let key = (ProjectKey(project), UserKey(user));
        self.queue.set_user(key.0, key.1, UserRules { running_max, ..UserRules::default() });
        self.user_max.insert(key, running_max);
    }

    /// Starts one job, if one can; checks invariants 1 and 2.
    fn step(&mut self) -> Option<JobKey> {
        let asking: BTreeSet<_> = self.queue.workers().filter(|view| view.asking).map(|view| view.worker).collect();
        let Grant { job, worker } = self.queue.choose(self.now)?;
        assert!(asking.contains(&worker), "granted to a worker that did not ask");
        let queued = self.queue.start(job, worker, self.now, self.takes[&job]).unwrap();
        assert!(self.queue.workers().all(|view| view.worker != worker || !view.asking));
        self.check_ceilings(&queued, worker);
        self.ends.insert((self.now + self.takes[&job], job));
        self.started.push((job, self.now));
        Some(job)
    }

    /// What runs, counted anew, is within every ceiling that the start of `last` could have exceeded.
    fn check_ceilings(&self, last: &Queued, worker: WorkerKey) {
        let running: Vec<_> = self.queue.running().collect();
        let sum = |of: &dyn Fn(&RunningView) -> bool| {
            let chosen = running.iter().filter(|view| of(view));
            chosen.fold((0, 0, 0), |(n, cpus, memory), view| {
                let Demand { cpus_milli, memory_bytes } = view.queued.demand;
                (n + 1, cpus + u64::from(cpus_milli), memory + memory_bytes)
            })
        };
        let (jobs, cpus, memory) = sum(&|view| view.worker == worker);
        let (capacity, slots) = self.capacity_of(worker);
        assert!(cpus <= u64::from(capacity.cpus_milli) && memory <= capacity.memory_bytes, "worker is over-full");
        assert!(jobs <= slots, "more jobs than slots");
        let of_project = sum(&|view| view.queued.project == last.project).0;
        assert!(of_project <= self.project_max.get(&last.project).copied().unwrap_or(u32::MAX));
        let user = (last.project, last.user);
        let of_user = sum(&|view| (view.queued.project, view.queued.user) == user).0;
        assert!(of_user <= self.user_max.get(&user).copied().unwrap_or(u32::MAX));
        let (jobs, cpus, memory) = sum(&|view| view.queued.class == last.class);
        let percent = u64::from(self.rules.class_ceiling_percent[last.class as usize]);
        let capacities: Vec<_> = self.queue.workers().map(|view| self.capacity_of(view.worker).0).collect();
        let total_cpus: u64 = capacities.iter().map(|capacity| u64::from(capacity.cpus_milli)).sum();
        let total_memory: u64 = capacities.iter().map(|capacity| capacity.memory_bytes).sum();
        // 100 is no ceiling; and jobs of workers that are gone still count as running.
        let within = percent >= 100 || (cpus * 100 <= total_cpus * percent && memory * 100 <= total_memory * percent);
        assert!(jobs == 1 || within, "class {} holds too much", last.class);
    }

    /// What a worker has, of which views show only what is free.
    fn capacity_of(&self, worker: WorkerKey) -> (Demand, u32) {
        let worker = &self.queue.state.workers[&worker];
        (worker.capacity, worker.slots)
    }

    /// Invariant 8: free room, limits and charges, counted anew.
    fn check_sums(&self) {
        let running: Vec<_> = self.queue.running().collect();
        for view in self.queue.workers() {
            let (capacity, slots) = self.capacity_of(view.worker);
            let here = running.iter().filter(|running| running.worker == view.worker);
            let (mut cpus, mut memory, mut jobs) = (0, 0, 0);
            for running in here {
                cpus += running.queued.demand.cpus_milli;
                memory += running.queued.demand.memory_bytes;
                jobs += 1;
            }
            assert_eq!(view.free.cpus_milli, capacity.cpus_milli.saturating_sub(cpus));
            assert_eq!(view.free.memory_bytes, capacity.memory_bytes.saturating_sub(memory));
            assert_eq!(view.slots_free, slots.saturating_sub(jobs));
        }
        let state = &self.queue.state;
        for (ix, row) in (0..).map(ledger::UserIx).zip(&state.ledger.users) {
            let mine = || state.running.values().filter(|running| running.user == ix);
            assert_eq!(row.account.running as usize, mine().count());
            assert_eq!(row.account.in_flight, mine().map(|running| running.charge).sum::<u64>());
        }
        for (ix, row) in (0..).map(ledger::ProjectIx).zip(&state.ledger.projects) {
            let users = || state.ledger.users.iter().filter(|user| user.project == ix);
            assert_eq!(row.account.running, users().map(|user| user.account.running).sum::<u32>());
            assert_eq!(row.account.in_flight, users().map(|user| user.account.in_flight).sum::<u64>());
        }
        for class in Class::ALL {
            let mine = || state.running.values().filter(|running| running.queued.class == class);
            assert_eq!(state.held[class as usize].running as usize, mine().count());
            let room = mine().fold(queued::Room::default(), |sum, running| sum.plus(running.queued.demand));
            assert_eq!(state.held[class as usize].room, room);
        }
        let snapshot = self.queue.snapshot(self.now);
        assert_eq!(snapshot.queued as usize, self.queue.len());
        assert_eq!(snapshot.projects.iter().map(|line| line.queued).sum::<u64>(), snapshot.queued);
        assert_eq!(snapshot.classes.iter().sum::<u64>(), snapshot.queued);
        assert_eq!(snapshot.projects.iter().map(|line| u64::from(line.running)).sum::<u64>(), snapshot.running);
    }

    fn settle(&mut self) {
        loop {
            self.all_ask();
            if self.step().is_none() {
                break;
            }
        }
    }

    /// Goes to the next end or wake, and starts what can start then. False when nothing is to come.
    fn advance(&mut self) -> bool {
        let next = self.ends.first().map(|&(at, _)| at).into_iter().chain(self.queue.next_wake_ms()).min();
        let Some(at) = next else { return false };
        self.now = self.now.max(at);
        while let Some(&(at, job)) = self.ends.first()
            && at <= self.now
        {
            self.ends.pop_first();
            self.queue.finish(job, self.now, self.takes[&job]).unwrap();
        }
        self.settle();
        true
    }

    fn run(&mut self) {
        self.settle();
        while self.advance() {}
    }

    fn start_of(&self, job: JobKey) -> Option<u64> {
        self.started.iter().find(|(other, _)| *other == job).map(|&(_, at)| at)
    }

    fn order_of_starts(&self) -> Vec<u128> {
        self.started.iter().map(|(job, _)| job.0).collect()
    }

    /// The estimate that is true: of each `wall_ms` there is one run time.
    fn truth(&self) -> impl Fn(ProjectKey, UserKey, u64) -> Estimate + use<> {
        |_, _, wall_ms| Estimate { p50_ms: wall_ms / 2, p90_ms: wall_ms / 2 }
    }
}

// ---- 1, 2, 8: ceilings and sums, under whatever happens ----

#[derive(Debug, Clone)]
enum Act {
    Push(Job),
    Cancel(usize),
    Grant,
    Finish(usize),
    Requeue(usize, u64),
    LimitProject(u128, u32),
    LimitUser(u128, u128, u32),
    Worker(u128, Demand, u32),
    Gone(u128),
    Ask(u128, bool),
    Pass(u64),
}

fn any_class() -> impl Strategy<Value = Class> {
    (0usize..3).prop_map(|class| Class::ALL[class])
}

fn any_job() -> impl Strategy<Value = Job> {
    let who = (1u128..4, 1u128..4, any_class());
    let what = (1u32..5, 1u64..9, 1u64..30, prop_oneof![4 => Just(0), 1 => 1_000u64..90_000]);
    (who, what).prop_map(|((project, user, class), (cpus, gib, seconds, delay_ms))| Job {
        delay_ms,
        ..Job::of(project, user).class(class).asks(cpus, gib).takes(seconds * 1000, seconds * 2000)
    })
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any_job().prop_map(Act::Push),
        1 => any::<usize>().prop_map(Act::Cancel),
        8 => Just(Act::Grant),
        3 => any::<usize>().prop_map(Act::Finish),
        1 => (any::<usize>(), prop_oneof![Just(0), 1_000u64..60_000]).prop_map(|(n, delay)| Act::Requeue(n, delay)),
        1 => (1u128..4, 0u32..5).prop_map(|(project, max)| Act::LimitProject(project, max)),
        1 => (1u128..4, 1u128..4, 0u32..4).prop_map(|(project, user, max)| Act::LimitUser(project, user, max)),
        1 => (1u128..4, 1u32..9, 1u64..17, 0u32..5).prop_map(|(key, c, g, s)| Act::Worker(key, demand(c, g), s)),
        1 => (1u128..4).prop_map(Act::Gone),
        4 => (1u128..4, prop::bool::weighted(0.8)).prop_map(|(worker, asks)| Act::Ask(worker, asks)),
        2 => (1u64..600_000).prop_map(Act::Pass),
    ]
}

impl World {
    fn act(&mut self, act: &Act) {
        match *act {
            Act::Push(job) => {
                self.push(job);
            }
            Act::Cancel(n) => {
                let job = JobKey(1 + n as u128 % u128::from(self.pushed.max(1)));
                let waits = self.queue.lanes.contains(job);
                assert_eq!(self.queue.remove(job).map(|queued| queued.job), waits.then_some(job));
            }
            Act::Grant => {
                self.step();
            }
            Act::Finish(n) => {
                let Some(job) = self.running_at(n) else { return };
                let taken = self.takes[&job];
                assert_eq!(self.queue.finish(job, self.now, taken).unwrap().queued.job, job);
                assert!(self.queue.finish(job, self.now, taken).is_none());
            }
            Act::Requeue(n, delay) => {
                let Some(job) = self.running_at(n) else { return };
                let not_before = if delay == 0 { 0 } else { self.now + delay };
                assert!(self.queue.requeue(job, not_before));
                assert!(!self.queue.requeue(job, not_before));
            }
            Act::LimitProject(project, max) => self.limit_project(project, max),
            Act::LimitUser(project, user, max) => self.limit_user(project, user, max),
            Act::Worker(key, capacity, slots) => self.queue.worker_set(WorkerKey(key), capacity, slots),
            Act::Gone(key) => self.queue.worker_gone(WorkerKey(key)),
            Act::Ask(key, asks) => self.queue.worker_asks(WorkerKey(key), asks),
            Act::Pass(ms) => self.now += ms,
        }
    }

    fn running_at(&self, n: usize) -> Option<JobKey> {
        let running: Vec<_> = self.queue.running().map(|view| view.queued.job).collect();
        (!running.is_empty()).then(|| running[n % running.len()])
    }
}

proptest! {
    #![proptest_config(few(96))]

    /// Invariants 1, 2, 8, 11, and that every waiting job has a reason and a forecast.
    #[test]
    fn no_ceiling_is_exceeded_and_all_sums_hold_whatever_happens(acts in prop::collection::vec(any_act(), 1..150)) {
        let mut world = World::new(Rules { class_ceiling_percent: [100, 75, 50], ..Rules::default() });
        world.queue.worker_set(WorkerKey(1), demand(8, 16), 4);
        for act in &acts {
            world.act(act);
            world.check_sums();
        }
        let truth = world.truth();
        for key in 1..=world.pushed {
            let job = JobKey(key.into());
            let waits = world.queue.lanes.contains(job);
            let forecast = world.queue.forecast(job, world.now, &truth);
            prop_assert_eq!(forecast.is_some(), waits);
            let position = forecast.map(|forecast| forecast.position);
            prop_assert!(position.is_none_or(|position| (1..=world.queue.len() as u64).contains(&position)));
            prop_assert_eq!(world.queue.explain(job, world.now, position).is_some(), waits);
        }
    }

    /// Invariant 8: what never ran to an end has left no trace in the shares.
    #[test]
    fn a_job_that_is_handed_back_was_never_charged(jobs in prop::collection::vec(any_job(), 1..20)) {
        let mut world = World::with_workers(&[(demand(8, 16), 8)]);
        jobs.iter().for_each(|&job| { world.push(job); });
        world.settle();
        for (job, _) in world.started.clone() {
            prop_assert!(world.queue.requeue(job, 0));
        }
        world.check_sums();
        prop_assert!(world.queue.snapshot(world.now).projects.iter().all(|line| line.share == 0.0));
    }

    /// Invariant 3.
    #[test]
    fn the_order_in_which_unrelated_lanes_are_filled_does_not_matter(
        jobs in prop::collection::vec(any_job(), 1..40),
        shuffled in Just((0..40usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let starts = |arrival: &[usize]| {
            let mut world = World::with_workers(&[(demand(4, 8), 4), (demand(2, 12), 2)]);
            for &n in arrival.iter().filter(|&&n| n < jobs.len()) {
                world.push_as(jobs[n], n as u64);
            }
            world.run();
            world.started
        };
        let in_order: Vec<usize> = (0..40).collect();
        let expected = starts(&in_order);
        prop_assert_eq!(expected.len(), jobs.len(), "every job fits a worker, so every job runs");
        prop_assert_eq!(&starts(&in_order), &expected);
        prop_assert_eq!(&starts(&shuffled), &expected);
    }

    /// Invariant 4, for jobs of one size.
    #[test]
    fn jobs_of_one_lane_and_size_start_in_their_order(jobs in prop::collection::vec(any_job(), 1..60)) {
        let mut world = World::with_workers(&[(demand(3, 8), 3)]);
        world.limit_user(1, 1, 2);
        let mut lanes: BTreeMap<_, Vec<u128>> = BTreeMap::new();
        for job in jobs {
            let job = Job { delay_ms: 0, ..job.asks(1, 1) };
            let key = world.push(job);
            lanes.entry((job.project, job.user, job.class)).or_default().push(key.0);
        }
        world.run();
        for lane in lanes.values() {
            let started: Vec<_> = world.order_of_starts().into_iter().filter(|job| lane.contains(job)).collect();
            prop_assert_eq!(&started, lane);
        }
    }

    /// Invariant 9: with classes, delays, limits, backfill and jobs that run already.
    #[test]
    fn a_forecast_is_what_happens_when_jobs_run_as_estimated(
        jobs in prop::collection::vec(any_job(), 1..60),
        events in 0usize..10,
        limit in 1u32..5,
    ) {
        let mut world = World::with_workers(&[(demand(4, 8), 4), (demand(2, 12), 2)]);
        world.limit_project(1, limit);
        world.limit_user(2, 1, limit);
        jobs.iter().for_each(|&job| { world.push(job); });
        world.settle();
        for _ in 0..events {
            world.advance();
        }
        world.all_ask();
        let truth = world.truth();
        let (from, seen) = (world.now, world.started.len());
        let order = world.queue.order(from, 1000, &truth);
        for (place, next) in world.queue.overview(from).next(1000, &truth).into_iter().enumerate() {
            prop_assert_eq!((next.job, next.start_ms), order[place]);
            prop_assert_eq!(next.why, world.queue.explain(next.job, from, Some(place as u64 + 1)));
        }
        let keys = (1..=world.pushed).map(|key| JobKey(key.into()));
        let told: Vec<_> = keys.filter_map(|job| Some((job, world.queue.forecast(job, from, &truth)?))).collect();
        while world.advance() {}
        let really = &world.started[seen..];
        prop_assert_eq!(&order, really);
        prop_assert_eq!(told.len(), really.len());
        for (job, forecast) in told {
            let place = really.iter().position(|(other, _)| *other == job).unwrap();
            let expected = Forecast {
                position: place as u64 + 1,
                start_p50_ms: Some(really[place].1),
                start_p90_ms: Some(really[place].1),
            };
            prop_assert_eq!(forecast, expected);
        }
    }
}
