//! How it was, in memory: what happened, folded into steps of time.
//!
//! Invariants:
//! 1. Memory is bounded: a number of steps, in each of them a number of projects. What is beyond that is summed.
//! 2. A step is closed once and does not change: who reads takes the steps and sums them elsewhere.
//! 3. How long jobs waited is kept as counts, so that quantiles of several projects and steps are those of all their jobs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use gambeson_api::{JobId, Moment, ProjectId, Time, UserId, WorkerId};

/// One step, milliseconds, and how many are kept: an hour.
pub(crate) const STEP_MS: u64 = 5_000;
/// Steps that make a long one, of which a day is kept.
const LONG: u32 = 24;
pub(crate) const LONG_STEP_MS: u64 = STEP_MS * LONG as u64;
const STEPS_MOST: usize = 720;
/// Projects of one step; those with the least to do are summed.
const PROJECTS_MOST: usize = 128;
/// Troubles that are remembered, and how long.
const TROUBLES_MOST: usize = 1000;
const TROUBLES_MS: u64 = 3_600_000;

/// What happened, as it is told after its commit.
#[derive(Debug, Clone)]
pub(crate) enum Happened {
    Submitted { project: ProjectId, jobs: u32 },
    Started { project: ProjectId, waited_ms: u64 },
    Ended { project: ProjectId, failed: bool },
    Trouble(Trouble),
}

/// Something that ought not to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A job ended by a fault of ours.
    Fault { project: ProjectId, user: UserId, job: JobId, step: String },
    /// A job that had started was lost with its worker.
    Lost { project: ProjectId, user: UserId, job: JobId },
    /// A lease ran out without a word.
    LeaseLost { worker: WorkerId },
}

/// How long jobs waited: below 8 ms exactly, above in buckets of an eighth of a power of two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Waits(Vec<(u8, u32)>);

impl Waits {
    fn bucket(ms: u64) -> u8 {
        if ms < 8 {
            return ms as u8;
        }
        // Longer than half a year is as good as that.
        let ms = ms.min((1 << 34) - 1);
        let octave = ms.ilog2();
        (8 + (octave - 3) * 8 + ((ms >> (octave - 3)) & 7) as u32) as u8
    }

    /// The middle of a bucket.
    fn middle(bucket: u8) -> u64 {
        let bucket = u32::from(bucket);
        if bucket < 8 {
            return bucket.into();
        }
        let (octave, part) = (3 + (bucket - 8) / 8, (bucket - 8) % 8);
        let width = 1u64 << (octave - 3);
        (8 + u64::from(part)) * width + width / 2
    }

    fn add(&mut self, bucket: u8, count: u32) {
        match self.0.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => self.0[place].1 += count,
            Err(place) => self.0.insert(place, (bucket, count)),
        }
    }

    fn merge(&mut self, other: &Waits) {
        other.0.iter().for_each(|(bucket, count)| self.add(*bucket, *count));
    }

    /// What `percent` of them waited at most; `None` of nobody.
    fn quantile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.0.iter().map(|(_, count)| u64::from(*count)).sum();
        let mut left = (all * percent).div_ceil(100);
        let found = self.0.iter().find(|(_, count)| {
            let reached = left <= u64::from(*count);
            left = left.saturating_sub(u64::from(*count));
            reached
        });
        found.map(|(bucket, _)| Waits::middle(*bucket))
    }
}

/// What projects are doing at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Now {
    pub queued: u64,
    pub running: u64,
    pub cpus_milli: u64,
    pub memory_bytes: u64,
}

impl Now {
    fn add(&mut self, other: Now) {
        self.queued += other.queued;
        self.running += other.running;
        self.cpus_milli += other.cpus_milli;
        self.memory_bytes += other.memory_bytes;
    }
}

/// All projects that do anything, and what the connected workers have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauges {
    pub projects: BTreeMap<ProjectId, Now>,
    pub cpus_milli_most: u64,
    pub memory_bytes_most: u64,
}

/// A project's part of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Part {
    now: Now,
    submitted: u64,
    started: u64,
    ended: u64,
    failed: u64,
    waits: Waits,
}

impl Part {
    /// What happened in both; what is, is as in neither.
    fn happened(&mut self, other: &Part) {
        self.submitted += other.submitted;
        self.started += other.started;
        self.ended += other.ended;
        self.failed += other.failed;
        self.waits.merge(&other.waits);
    }

    fn merge(&mut self, other: &Part) {
        self.happened(other);
        self.now.add(other.now);
    }

    fn busy(&self) -> u64 {
        self.now.queued + self.now.running + self.submitted + self.started + self.ended
    }
}

/// A step of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    /// Its end.
    at: Time,
    projects: BTreeMap<ProjectId, Part>,
    /// Projects beyond the number that is kept.
    other: Part,
    cpus_milli_most: u64,
    memory_bytes_most: u64,
}

impl Step {
    /// What happens in this step, and `next` after it: as one.
    fn take(&mut self, next: &Step) {
        self.projects.values_mut().for_each(|part| part.now = Now::default());
        self.other.now = next.other.now;
        self.other.happened(&next.other);
        for (project, part) in &next.projects {
            let mine = self.projects.entry(*project).or_default();
            mine.happened(part);
            mine.now = part.now;
        }
        self.at = next.at;
        (self.cpus_milli_most, self.memory_bytes_most) = (next.cpus_milli_most, next.memory_bytes_most);
        self.bound();
    }

    fn bound(&mut self) {
        if self.projects.len() <= PROJECTS_MOST {
            return;
        }
        let mut by_busy: Vec<(u64, ProjectId)> = self.projects.iter().map(|(id, part)| (part.busy(), *id)).collect();
        by_busy.sort_unstable_by(|one, other| other.cmp(one));
        for (_, id) in by_busy.split_off(PROJECTS_MOST) {
            if let Some(part) = self.projects.remove(&id) {
                self.other.merge(&part);
            }
        }
    }

    /// As it is shown to who sees these projects; `others`: also those that are not kept by name.
    pub(crate) fn shown(&self, seen: &[ProjectId], others: bool, workers: bool) -> Moment {
        let mut sum = Part::default();
        // Few projects are in a step, however many are seen.
        let visible = |(id, part)| seen.binary_search(id).is_ok().then_some(part);
        self.projects.iter().filter_map(visible).chain(others.then_some(&self.other)).for_each(|part| sum.merge(part));
        let most = |most| if workers { most } else { 0 };
        Moment {
            at: self.at,
            queued: sum.now.queued,
            running: sum.now.running,
            submitted: sum.submitted,
            started: sum.started,
            ended: sum.ended,
            failed: sum.failed,
            wait_p50_ms: sum.waits.quantile(50),
            wait_p90_ms: sum.waits.quantile(90),
            cpus_milli: sum.now.cpus_milli,
            memory_bytes: sum.now.memory_bytes,
            cpus_milli_most: most(self.cpus_milli_most),
            memory_bytes_most: most(self.memory_bytes_most),
        }
    }
}

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// A quarter of an hour.
    Quarter,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// How it was, since the server started.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// When the open step ends, by a clock that nobody sets; `None` before the first look.
    due_ms: Option<u64>,
    open: Step,
    steps: VecDeque<Arc<Step>>,
    /// The long step that is not over, and how many steps it has.
    long: (Step, u32),
    long_steps: VecDeque<Arc<Step>>,
    troubles: VecDeque<(Time, Trouble)>,
}

fn keep(steps: &mut VecDeque<Arc<Step>>, step: Step) {
    if steps.len() == STEPS_MOST {
        steps.pop_front();
    }
    steps.push_back(Arc::new(step));
}

impl Past {
    /// Whether the open step is over.
    pub(crate) fn is_due(&mut self, steady_ms: u64) -> bool {
        steady_ms >= *self.due_ms.get_or_insert(steady_ms + STEP_MS)
    }

    /// Closes the steps that are over, as it is now.
    pub(crate) fn turn(&mut self, now: Time, steady_ms: u64, gauges: &Gauges) {
        let mut due_ms = self.due_ms.unwrap_or(steady_ms);
        // Who slept for days needs no step of each minute.
        let most_ms = LONG_STEP_MS * STEPS_MOST as u64;
        due_ms = due_ms.max(steady_ms.saturating_sub(most_ms));
        while steady_ms >= due_ms {
            let mut step = std::mem::take(&mut self.open);
            step.at = Time(now.0.saturating_sub(steady_ms - due_ms));
            (step.cpus_milli_most, step.memory_bytes_most) = (gauges.cpus_milli_most, gauges.memory_bytes_most);
            for (project, now) in &gauges.projects {
                step.projects.entry(*project).or_default().now = *now;
            }
            step.bound();
            self.long.0.take(&step);
            self.long.1 += 1;
            keep(&mut self.steps, step);
            if self.long.1 == LONG {
                keep(&mut self.long_steps, std::mem::take(&mut self.long).0);
            }
            due_ms += STEP_MS;
        }
        self.due_ms = Some(due_ms);
        let over = |(at, _): &(Time, Trouble)| now.since_ms(*at) > TROUBLES_MS;
        while self.troubles.front().is_some_and(over) {
            self.troubles.pop_front();
        }
    }

    /// Takes what happened.
    pub(crate) fn note(&mut self, now: Time, happened: Happened) {
        let open = &mut self.open.projects;
        match happened {
            Happened::Submitted { project, jobs } => open.entry(project).or_default().submitted += u64::from(jobs),
            Happened::Started { project, waited_ms } => {
                let part = open.entry(project).or_default();
                part.started += 1;
                part.waits.add(Waits::bucket(waited_ms), 1);
            }
            Happened::Ended { project, failed } => {
                let part = open.entry(project).or_default();
                part.ended += 1;
                part.failed += u64::from(failed);
            }
            Happened::Trouble(trouble) => {
                if self.troubles.len() == TROUBLES_MOST {
                    self.troubles.pop_front();
                }
                self.troubles.push_back((now, trouble));
            }
        }
    }

    /// The steps of a window, oldest first, and how long each is, milliseconds. The last one may be shorter.
    pub(crate) fn steps(&self, window: Window) -> (u64, Vec<Arc<Step>>) {
        let last = |steps: &VecDeque<Arc<Step>>, most: usize| {
            steps.iter().skip(steps.len().saturating_sub(most)).cloned().collect::<Vec<_>>()
        };
        match window {
            Window::Quarter => (STEP_MS, last(&self.steps, STEPS_MOST / 4)),
            Window::Hour => (STEP_MS, last(&self.steps, STEPS_MOST)),
            Window::Day => {
                let open = (self.long.1 > 0).then(|| Arc::new(self.long.0.clone()));
                let mut steps = last(&self.long_steps, STEPS_MOST - usize::from(open.is_some()));
                steps.extend(open);
                (LONG_STEP_MS, steps)
            }
        }
    }

    /// The troubles of the last hour, oldest first.
    pub(crate) fn troubles(&self, now: Time) -> Vec<Trouble> {
        let lately = self.troubles.iter().filter(|(at, _)| now.since_ms(*at) <= TROUBLES_MS);
        lately.map(|(_, trouble)| trouble.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn project(number: u128) -> ProjectId {
        ProjectId::from_u128(number)
    }

    proptest! {
        #[test]
        fn the_middle_of_a_bucket_is_near_all_that_it_holds(ms in 0u64..200_000_000) {
            let middle = Waits::middle(Waits::bucket(ms));
            prop_assert!(middle.abs_diff(ms) * 16 <= ms, "{ms} in {middle}");
        }

        #[test]
        fn quantiles_of_sums_are_those_of_all_jobs(
            one in proptest::collection::vec(0u64..1_000_000, 1..50),
            other in proptest::collection::vec(0u64..1_000_000, 1..50),
            percent in 1u64..=100,
        ) {
            let waits = |all: &[u64]| {
                let mut waits = Waits::default();
                all.iter().for_each(|ms| waits.add(Waits::bucket(*ms), 1));
                waits
            };
            let mut sum = waits(&one);
            sum.merge(&waits(&other));
            let mut all = [one, other].concat();
            all.sort_unstable();
            let rank = (all.len() as u64 * percent).div_ceil(100) as usize;
            prop_assert_eq!(sum.quantile(percent), Some(Waits::middle(Waits::bucket(all[rank - 1]))));
        }
    }

    #[test]
    fn an_hour_has_720_moments_and_a_day_as_many_and_nothing_is_counted_twice() {
        let mut past = Past::default();
        assert!(!past.is_due(0));
        let gauges = Gauges { cpus_milli_most: 4000, ..Gauges::default() };
        let mut steady_ms = 0;
        for second in 0..100_000 {
            steady_ms = second * 1000;
            past.note(Time(steady_ms), Happened::Submitted { project: project(1), jobs: 2 });
            if past.is_due(steady_ms) {
                past.turn(Time(steady_ms), steady_ms, &gauges);
            }
        }
        for (window, count, step_ms) in
            [(Window::Quarter, 180, 5000), (Window::Hour, 720, 5000), (Window::Day, 720, 120_000)]
        {
            let (step, steps) = past.steps(window);
            assert_eq!((step, steps.len()), (step_ms, count));
            let moments: Vec<Moment> = steps.iter().map(|step| step.shown(&[project(1)], false, true)).collect();
            let whole = &moments[..moments.len() - 1];
            assert!(whole.iter().all(|moment| moment.submitted == 2 * step_ms / 1000), "{window:?}");
            assert!(whole.windows(2).all(|two| two[1].at.since_ms(two[0].at) == step_ms));
            assert!(steady_ms - moments[moments.len() - 1].at.0 < 5000);
            assert_eq!(moments[0].cpus_milli_most, 4000);
        }
        let unseen = past.steps(Window::Hour).1[0].shown(&[project(2)], true, false);
        assert_eq!((unseen.submitted, unseen.cpus_milli_most), (0, 0));
    }

    #[test]
    fn a_time_in_which_nobody_looked_has_its_steps_all_the_same() {
        let mut past = Past::default();
        past.is_due(0);
        past.note(Time(0), Happened::Started { project: project(1), waited_ms: 100 });
        let now = Now { queued: 1, ..Now::default() };
        past.turn(Time(21_000), 21_000, &Gauges { projects: [(project(1), now)].into(), ..Gauges::default() });
        let steps = past.steps(Window::Hour).1;
        let shown: Vec<(u64, u64, u64)> = steps
            .iter()
            .map(|step| step.shown(&[project(1)], false, false))
            .map(|moment| (moment.at.0, moment.started, moment.queued))
            .collect();
        assert_eq!(shown, [(5000, 1, 1), (10_000, 0, 1), (15_000, 0, 1), (20_000, 0, 1)]);
        past.turn(Time(u64::MAX / 2), u64::MAX / 2, &Gauges::default());
        assert!(past.steps.len() == STEPS_MOST && past.long_steps.len() == STEPS_MOST);
    }

    #[test]
    fn projects_beyond_the_bound_are_summed_for_who_sees_all() {
        let mut past = Past::default();
        past.is_due(0);
        for number in 0..200 {
            past.note(Time(0), Happened::Submitted { project: project(number), jobs: 1 + number as u32 });
        }
        past.turn(Time(5000), 5000, &Gauges::default());
        let step = &past.steps(Window::Hour).1[0];
        assert_eq!(step.projects.len(), PROJECTS_MOST);
        let all: Vec<ProjectId> = (0..200).map(project).collect();
        assert_eq!(step.shown(&all, true, false).submitted, 200 * 201 / 2);
        assert_eq!(step.shown(&[project(199)], false, false).submitted, 200, "the busiest is kept");
        assert_eq!(step.shown(&[project(0)], false, false).submitted, 0);
    }

    #[test]
    fn troubles_are_forgotten_after_an_hour() {
        let mut past = Past::default();
        let trouble = Trouble::LeaseLost { worker: WorkerId::from_u128(1) };
        (0..2 * TROUBLES_MOST).for_each(|_| past.note(Time(1000), Happened::Trouble(trouble.clone())));
        assert_eq!(past.troubles(Time(2000)).len(), TROUBLES_MOST);
        assert_eq!(past.troubles(Time(TROUBLES_MS + 1001)), []);
    }
}
