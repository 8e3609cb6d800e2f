//! Who used how much: usage of projects and of their users, decaying.
//!
//! All usage decays alike, so it is kept as if it had been made at one common instant (`at_ms`), larger
//! the later it was made. Time then passes for all accounts at once, and touches none of them.

use std::collections::BTreeMap;

use super::queued::{Demand, ProjectKey, Room, UserKey};
use super::rules::{ProjectRules, UserRules};

/// Costs are whole numbers of this: the billionth part of one second of all workers.
pub(super) const COST_PER_SECOND: f64 = 1e9;

/// A place in [`Ledger`]; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UserIx(pub u32);

/// A place in [`Ledger`]; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProjectIx(pub u32);

/// What a project or a user used, uses, and may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub weight: u32,
    pub running_max: u32,
    pub running: u32,
    /// The place of its key among all keys of its kind, for ties.
    pub rank: u32,
    /// Charged for what runs. Whole numbers, so that giving back leaves nothing.
    pub in_flight: u64,
    /// What ended, as if used at `Ledger::at_ms`.
    usage: f64,
}

impl Account {
    fn new(rank: u32, weight: u32, running_max: u32) -> Account {
        Account { weight, running_max, running: 0, rank, in_flight: 0, usage: 0.0 }
    }

    /// What ended, given the decay since `Ledger::at_ms`.
    pub fn used(&self, decay: f64) -> f64 {
        self.usage * decay
    }

    /// What counts against it: what ended, and what is charged for what runs.
    pub fn counted(&self, decay: f64) -> f64 {
        self.used(decay) + self.in_flight as f64
    }

    /// Who has the least of these goes first.
    pub fn score(&self, decay: f64) -> f64 {
        self.counted(decay) / f64::from(self.weight.max(1))
    }
}

#[derive(Debug, Clone)]
pub(super) struct ProjectRow {
    pub key: ProjectKey,
    pub account: Account,
}

#[derive(Debug, Clone)]
pub(super) struct UserRow {
    pub key: UserKey,
    pub project: ProjectIx,
    pub account: Account,
}

#[derive(Debug, Clone)]
pub(super) struct Ledger {
    half_life_ms: u64,
    at_ms: u64,
    pub projects: Vec<ProjectRow>,
    pub users: Vec<UserRow>,
    project_of: BTreeMap<ProjectKey, ProjectIx>,
    user_of: BTreeMap<(ProjectKey, UserKey), UserIx>,
}

impl Ledger {
    pub fn new(half_life_ms: u64) -> Ledger {
        Ledger {
            half_life_ms: half_life_ms.max(1),
            at_ms: 0,
            projects: Vec::new(),
            users: Vec::new(),
            project_of: BTreeMap::new(),
            user_of: BTreeMap::new(),
        }
    }

    pub fn project(&self, ix: ProjectIx) -> &ProjectRow {
        &self.projects[ix.0 as usize]
    }

    pub fn user(&self, ix: UserIx) -> &UserRow {
        &self.users[ix.0 as usize]
    }

    pub fn find_project(&self, project: ProjectKey) -> Option<ProjectIx> {
        self.project_of.get(&project).copied()
    }

    pub fn find_user(&self, project: ProjectKey, user: UserKey) -> Option<UserIx> {
        self.user_of.get(&(project, user)).copied()
    }

    /// Users by the order of their keys, project by project.
    pub fn users_sorted(&self) -> impl Iterator<Item = UserIx> + '_ {
        self.user_of.values().copied()
    }

    /// The users of a project, by key.
    pub fn users_of(&self, project: ProjectKey) -> impl Iterator<Item = UserIx> + '_ {
        let all = (project, UserKey(u128::MIN))..=(project, UserKey(u128::MAX));
        self.user_of.range(all).map(|(_, &user)| user)
    }

    pub fn set_project(&mut self, project: ProjectKey, rules: ProjectRules) {
        let ix = self.enter_project(project);
        let account = &mut self.projects[ix.0 as usize].account;
        account.weight = rules.weight;
        account.running_max = rules.running_max;
    }

    pub fn set_user(&mut self, project: ProjectKey, user: UserKey, rules: UserRules) {
        let ix = self.enter_user(project, user);
        let account = &mut self.users[ix.0 as usize].account;
        account.weight = rules.weight;
        account.running_max = rules.running_max;
    }

    fn enter_project(&mut self, project: ProjectKey) -> ProjectIx {
        if let Some(ix) = self.find_project(project) {
            return ix;
        }
        let ix = ProjectIx(self.projects.len() as u32);
        let rank = self.projects.iter().filter(|row| row.key < project).count() as u32;
        for row in self.projects.iter_mut().filter(|row| row.key > project) {
            row.account.rank += 1;
        }
        let ProjectRules { weight, running_max } = ProjectRules::default();
        self.projects.push(ProjectRow { key: project, account: Account::new(rank, weight, running_max) });
        self.project_of.insert(project, ix);
        ix
    }

    /// The place of a user, made with the default rules when it is new.
    pub fn enter_user(&mut self, project: ProjectKey, user: UserKey) -> UserIx {
        if let Some(ix) = self.find_user(project, user) {
            return ix;
        }
        let project_ix = self.enter_project(project);
        let ix = UserIx(self.users.len() as u32);
        let mut rank = 0;
        for row in &mut self.users {
            let other = (self.projects[row.project.0 as usize].key, row.key);
            if other < (project, user) {
                rank += 1;
            } else {
                row.account.rank += 1;
            }
        }
        let UserRules { weight, running_max } = UserRules::default();
        self.users.push(UserRow { key: user, project: project_ix, account: Account::new(rank, weight, running_max) });
        self.user_of.insert((project, user), ix);
        ix
    }

    /// By what usage kept in accounts is to be multiplied at `now_ms`. A clock that went back decays nothing.
    pub fn decay(&self, now_ms: u64) -> f64 {
        (-self.half_lives_until(now_ms)).exp2()
    }

    fn half_lives_until(&self, now_ms: u64) -> f64 {
        now_ms.saturating_sub(self.at_ms) as f64 / self.half_life_ms as f64
    }

    pub fn set_half_life(&mut self, half_life_ms: u64, now_ms: u64) {
        self.restate(now_ms);
        self.half_life_ms = half_life_ms.max(1);
    }

    /// Makes `now_ms` the common instant. Rare: an `f64` holds a thousand half-lives.
    fn restate(&mut self, now_ms: u64) {
        let decay = self.decay(now_ms);
        for row in &mut self.projects {
            row.account.usage *= decay;
        }
        for row in &mut self.users {
            row.account.usage *= decay;
        }
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// Adds `cost` that was used until `now_ms`.
    pub fn add_usage(&mut self, user: UserIx, cost: f64, now_ms: u64) {
        if self.half_lives_until(now_ms) > 100.0 {
            self.restate(now_ms);
        }
        let inflated = cost * self.half_lives_until(now_ms).exp2();
        self.each(user, |account| account.usage += inflated);
    }

    pub fn charge(&mut self, user: UserIx, cost: u64) {
        self.each(user, |account| {
            account.in_flight = account.in_flight.saturating_add(cost);
            account.running += 1;
        });
    }

    pub fn discharge(&mut self, user: UserIx, cost: u64) {
        self.each(user, |account| {
            account.in_flight = account.in_flight.saturating_sub(cost);
            account.running -= 1;
        });
    }

    /// Does the same to a user's account and to its project's.
    fn each(&mut self, user: UserIx, change: impl Fn(&mut Account)) {
        let row = &mut self.users[user.0 as usize];
        change(&mut row.account);
        change(&mut self.projects[row.project.0 as usize].account);
    }
}

/// What it costs to hold `demand` for `ms`: the dominant share of `total`, times the time.
pub(super) fn cost(demand: Demand, total: Room, ms: u64) -> u64 {
    // Milliseconds times a million are billionths of a second.
    let part = |held: u64, whole: u64| match whole {
        0 => 0,
        whole => u128::from(held) * u128::from(ms) * 1_000_000 / u128::from(whole),
    };
    let dominant = part(demand.cpus_milli.into(), total.cpus_milli).max(part(demand.memory_bytes, total.memory_bytes));
    u64::try_from(dominant).unwrap_or(u64::MAX)
}
