//! The jobs that wait: one lane for each user and class, first in, first out.
//!
//! A lane remembers its head: its first job that fits some worker. What can never run here is passed once,
//! not at every decision.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::UserIx;
use super::line::Line;
use super::queued::{Class, Demand, JobKey, Queued};

/// A place in [`Lanes`]: a user and a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneIx(u32);

impl LaneIx {
    pub fn of(user: UserIx, class: Class) -> LaneIx {
        LaneIx(user.0 * 3 + class as u32)
    }

    pub fn user(self) -> UserIx {
        UserIx(self.0 / 3)
    }

    pub fn class(self) -> Class {
        Class::ALL[(self.0 % 3) as usize]
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A job in its lane: what the lane and its place there do not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub job: JobKey,
    pub submitted_ms: u64,
    pub wall_ms: u64,
    pub demand: Demand,
}

impl From<&Queued> for Item {
    fn from(queued: &Queued) -> Item {
        Item { job: queued.job, submitted_ms: queued.submitted_ms, wall_ms: queued.wall_ms, demand: queued.demand }
    }
}

/// The first job of a lane that fits some worker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub order: u64,
    pub item: Item,
}

/// What the decision sees of the jobs that wait: those in [`Lanes`], or what a forecast left of them.
pub(super) trait Lines {
    /// Users of whom some lane has a head. In any order: ranks are total.
    fn busy(&self) -> impl Iterator<Item = UserIx> + '_;
    /// The first job of `lane` that fits some worker.
    fn head(&self, lane: LaneIx) -> Option<&Head>;
    /// The jobs of `lane` from its head on, in order.
    fn walk(&self, lane: LaneIx) -> impl Iterator<Item = Head> + '_;
    /// No job of `lane` asks for less than this, in either kind.
    fn least(&self, lane: LaneIx) -> Demand;
    /// Whether that job waits in that lane.
    fn holds(&self, lane: LaneIx, order: u64) -> bool;
}

#[derive(Debug, Clone)]
struct Lane {
    jobs: Line,
    head: Option<Head>,
    /// The least and the most, in each kind, that jobs asked for since the lane was empty.
    least: Demand,
    most: Demand,
}

const NO_DEMAND: Demand = Demand { cpus_milli: u32::MAX, memory_bytes: u64::MAX };

impl Lane {
    fn empty() -> Lane {
        Lane { jobs: Line::default(), head: None, least: NO_DEMAND, most: Demand::default() }
    }

    fn find_head(&mut self, from: u64, fits: impl Fn(Demand) -> bool) {
        self.head = self.jobs.range(from).find(|head| fits(head.item.demand));
    }
}

/// Where a job waits.
#[derive(Debug, Clone, Copy)]
enum Place {
    Lane(LaneIx, u64),
    Delayed,
}

#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    places: BTreeMap<JobKey, Place>,
    /// Jobs before their `not_before_ms`, by job and by time.
    delayed: BTreeMap<JobKey, (UserIx, Queued)>,
    wakes: BTreeSet<(u64, JobKey)>,
    busy: BTreeSet<UserIx>,
    /// Waiting jobs by user and class, the delayed ones included.
    counts: Vec<[u64; 3]>,
}

impl Lanes {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn count(&self, user: UserIx) -> [u64; 3] {
        self.counts.get(user.0 as usize).copied().unwrap_or_default()
    }

    pub fn contains(&self, job: JobKey) -> bool {
        self.places.contains_key(&job)
    }

    /// A waiting job, and its lane.
    pub fn find(&self, job: JobKey) -> Option<(LaneIx, u64, Item, u64)> {
        match *self.places.get(&job)? {
            Place::Lane(lane, order) => self.find_at(lane, order, job),
            Place::Delayed => {
                let (user, queued) = &self.delayed[&job];
                let lane = LaneIx::of(*user, queued.class);
                Some((lane, queued.order, Item::from(queued), queued.not_before_ms))
            }
        }
    }

    /// The same of a job of which it is known where it waits, or will when it is no longer delayed.
    pub fn find_at(&self, lane: LaneIx, order: u64, job: JobKey) -> Option<(LaneIx, u64, Item, u64)> {
        match self.delayed.get(&job) {
            Some((_, queued)) => Some((lane, order, Item::from(queued), queued.not_before_ms)),
            None => Some((lane, order, self.lanes[lane.index()].jobs.get(order)?, 0)),
        }
    }

    /// A copy that shares the jobs, and in which only this one can be found by its key. Costs O(lanes + delayed jobs).
    pub fn outlook(&self, job: JobKey) -> Option<Lanes> {
        let place = *self.places.get(&job)?;
        Some(Lanes { places: BTreeMap::from([(job, place)]), ..self.overview() })
    }

    /// The same, in which no job can be found by its key.
    pub fn overview(&self) -> Lanes {
        Lanes {
            lanes: self.lanes.clone(),
            places: BTreeMap::new(),
            delayed: self.delayed.clone(),
            wakes: self.wakes.clone(),
            busy: self.busy.clone(),
            counts: self.counts.clone(),
        }
    }

    /// Jobs that are delayed, the first to wake first.
    pub fn delayed(&self) -> impl Iterator<Item = (LaneIx, &Queued)> + '_ {
        self.wakes.iter().map(|(_, job)| {
            let (user, queued) = &self.delayed[job];
            (LaneIx::of(*user, queued.class), queued)
        })
    }

    /// When the next delayed job is to be looked at.
    pub fn next_wake_ms(&self) -> Option<u64> {
        self.wakes.first().map(|&(at_ms, _)| at_ms)
    }

    /// No job of a lane asks for more than this, in either kind.
    pub fn most(&self, lane: LaneIx) -> Demand {
        self.lanes.get(lane.index()).map_or(NO_DEMAND, |lane| lane.most)
    }

    /// No job asks for less than this, in either kind.
    pub fn least_of_all(&self) -> Demand {
        let waiting = self.lanes.iter().map(|lane| lane.least);
        self.delayed.values().map(|(_, queued)| queued.demand).chain(waiting).fold(NO_DEMAND, Demand::least)
    }

    /// The jobs of a lane from `order` on, those that fit no worker among them.
    pub fn range(&self, lane: LaneIx, order: u64) -> impl Iterator<Item = Head> + '_ {
        let jobs = self.lanes.get(lane.index()).map(|lane| lane.jobs.range(order));
        jobs.into_iter().flatten()
    }

    /// Goes past up to `most` jobs of a lane from `order` on. How many there were, and the one behind them.
    pub fn skip(&self, lane: LaneIx, order: u64, most: usize) -> (usize, Option<Head>) {
        self.lanes.get(lane.index()).map_or((0, None), |lane| lane.jobs.skip(order, most))
    }

    /// Adds a job that is not here yet. False, and nothing done, when its job or its order is known.
    pub fn push(&mut self, user: UserIx, queued: Queued, fits: impl Fn(Demand) -> bool) -> bool {
        let lane = LaneIx::of(user, queued.class);
        if self.contains(queued.job) || self.holds(lane, queued.order) {
            return false;
        }
        self.make_room(user);
        self.counts[user.0 as usize][queued.class as usize] += 1;
        if queued.not_before_ms == 0 {
            self.enter(lane, queued.order, Item::from(&queued), fits);
        } else {
            self.places.insert(queued.job, Place::Delayed);
            self.wakes.insert((queued.not_before_ms, queued.job));
            self.delayed.insert(queued.job, (user, queued));
        }
        true
    }

    fn make_room(&mut self, user: UserIx) {
        let users = user.0 as usize + 1;
        if self.counts.len() < users {
            self.counts.resize(users, [0; 3]);
            self.lanes.resize_with(users * 3, Lane::empty);
        }
    }

    fn enter(&mut self, ix: LaneIx, order: u64, item: Item, fits: impl Fn(Demand) -> bool) {
        let lane = &mut self.lanes[ix.index()];
        lane.least = lane.least.least(item.demand);
        lane.most = lane.most.most(item.demand);
        if lane.head.is_none_or(|head| order < head.order) && fits(item.demand) {
            lane.head = Some(Head { order, item });
            self.busy.insert(ix.user());
        }
        lane.jobs.insert(order, item);
        self.places.insert(item.job, Place::Lane(ix, order));
    }

    /// Puts delayed jobs whose time has come into their lanes.
    pub fn wake(&mut self, now_ms: u64, fits: impl Fn(Demand) -> bool) {
        while let Some(&(at_ms, job)) = self.wakes.first()
            && at_ms <= now_ms
        {
            self.wakes.pop_first();
            if let Some((user, queued)) = self.delayed.remove(&job) {
                self.enter(LaneIx::of(user, queued.class), queued.order, Item::from(&queued), &fits);
            }
        }
    }

    /// Takes a job out.
    pub fn remove(&mut self, job: JobKey, fits: impl Fn(Demand) -> bool) -> Option<(LaneIx, u64, Item, u64)> {
        let (lane, order, item, not_before_ms) = self.find(job)?;
        self.places.remove(&job);
        self.counts[lane.user().0 as usize][lane.class() as usize] -= 1;
        if self.delayed.remove(&job).is_some() {
            self.wakes.remove(&(not_before_ms, job));
            return Some((lane, order, item, not_before_ms));
        }
        let row = &mut self.lanes[lane.index()];
        row.jobs.remove(order);
        if row.jobs.is_empty() {
            (row.least, row.most) = (NO_DEMAND, Demand::default());
        }
        if row.head.is_some_and(|head| head.order == order) {
            row.find_head(order, fits);
            self.note_busy(lane.user());
        }
        Some((lane, order, item, not_before_ms))
    }

    /// Finds all heads anew: the workers have changed.
    pub fn find_heads(&mut self, fits: impl Fn(Demand) -> bool) {
        for lane in &mut self.lanes {
            lane.find_head(0, &fits);
        }
        for user in 0..self.counts.len() {
            self.note_busy(UserIx(user as u32));
        }
    }

    fn note_busy(&mut self, user: UserIx) {
        let has_head = Class::ALL.iter().any(|&class| self.head(LaneIx::of(user, class)).is_some());
        if has_head {
            self.busy.insert(user);
        } else {
            self.busy.remove(&user);
        }
    }
}

impl Lines for Lanes {
    fn busy(&self) -> impl Iterator<Item = UserIx> + '_ {
        self.busy.iter().copied()
    }

    fn head(&self, lane: LaneIx) -> Option<&Head> {
        self.lanes.get(lane.index())?.head.as_ref()
    }

    fn walk(&self, lane: LaneIx) -> impl Iterator<Item = Head> + '_ {
        let head = self.head(lane).map(|head| self.range(lane, head.order));
        head.into_iter().flatten()
    }

    fn least(&self, lane: LaneIx) -> Demand {
        self.lanes.get(lane.index()).map_or(NO_DEMAND, |lane| lane.least)
    }

    fn holds(&self, lane: LaneIx, order: u64) -> bool {
        self.lanes.get(lane.index()).is_some_and(|lane| lane.jobs.get(order).is_some())
    }
}
