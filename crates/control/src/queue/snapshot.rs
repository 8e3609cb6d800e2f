//! What `GET /v1/queue` shows: counts and shares, by project and user.

use super::Queue;
use super::ledger::COST_PER_SECOND;
use super::queued::{ProjectKey, UserKey};

/// The queue at an instant. Projects, and their users, by key.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Jobs that wait.
    pub queued: u64,
    /// Jobs that run.
    pub running: u64,
    /// Waiting jobs by the class they were submitted in: low, normal, high.
    pub classes: [u64; 3],
    /// Each project that ever had a job or rules.
    pub projects: Vec<ProjectLine>,
}

/// A project in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectLine {
    /// Which.
    pub project: ProjectKey,
    /// Its weight among projects.
    pub weight: u32,
    /// The most of its jobs that may run at once.
    pub running_max: u32,
    /// Its jobs that wait.
    pub queued: u64,
    /// Its jobs that run.
    pub running: u32,
    /// Its part, from 0 to 1, of what all projects used of late, and of what is charged for what runs.
    pub share: f64,
    /// Its waiting jobs by class: low, normal, high.
    pub classes: [u64; 3],
    /// Its users.
    pub users: Vec<UserLine>,
}

/// A user of a project in a [`Snapshot`].
#[derive(Debug, Clone, PartialEq)]
pub struct UserLine {
    /// Who.
    pub user: UserKey,
    /// Their weight among the project's users.
    pub weight: u32,
    /// The most of their jobs that may run at once.
    pub running_max: u32,
    /// Their jobs that wait.
    pub queued: u64,
    /// Their jobs that run.
    pub running: u32,
    /// Their part, from 0 to 1, of what the project used of late, and of what is charged for what runs.
    pub share: f64,
    /// What they used, decayed, in seconds of all workers: to be stored, for [`Queue::restore_usage`].
    pub usage_seconds: f64,
    /// Their waiting jobs by class: low, normal, high.
    pub classes: [u64; 3],
}

impl Queue {
    /// Each project that ever had a job or rules, by key, with its waiting jobs by class and how many run. Costs O(users).
    pub fn counts(&self) -> Vec<(ProjectKey, [u64; 3], u32)> {
        let ledger = &self.state.ledger;
        let mut counts: Vec<(ProjectKey, [u64; 3], u32)> = Vec::with_capacity(ledger.projects.len());
        for user in ledger.users_sorted() {
            let project = ledger.project(ledger.user(user).project);
            if counts.last().is_none_or(|(key, ..)| *key != project.key) {
                counts.push((project.key, [0; 3], project.account.running));
            }
            if let Some((_, classes, _)) = counts.last_mut() {
                classes.iter_mut().zip(self.lanes.count(user)).for_each(|(sum, jobs)| *sum += jobs);
            }
        }
        counts
    }

    /// The queue at `now_ms`, in milliseconds since the epoch.
    pub fn snapshot(&self, now_ms: u64) -> Snapshot {
        let ledger = &self.state.ledger;
        let decay = ledger.decay(now_ms);
        let part = |of: f64, whole: f64| if whole > 0.0 { of / whole } else { 0.0 };
        let counted: f64 = ledger.projects.iter().map(|row| row.account.counted(decay)).sum();
        let mut projects: Vec<ProjectLine> = Vec::new();
        let mut classes = [0; 3];
        for user_ix in ledger.users_sorted() {
            let user = ledger.user(user_ix);
            let project = ledger.project(user.project);
            if projects.last().is_none_or(|line| line.project != project.key) {
                projects.push(ProjectLine {
                    project: project.key,
                    weight: project.account.weight,
                    running_max: project.account.running_max,
                    queued: 0,
                    running: project.account.running,
                    share: part(project.account.counted(decay), counted),
                    classes: [0; 3],
                    users: Vec::new(),
                });
            }
            let Some(line) = projects.last_mut() else { continue };
            let waiting = self.lanes.count(user_ix);
            for (class, n) in waiting.into_iter().enumerate() {
                classes[class] += n;
                line.classes[class] += n;
                line.queued += n;
            }
            line.users.push(UserLine {
                user: user.key,
                weight: user.account.weight,
                running_max: user.account.running_max,
                queued: waiting.iter().sum(),
                running: user.account.running,
                share: part(user.account.counted(decay), project.account.counted(decay)),
                usage_seconds: user.account.used(decay) / COST_PER_SECOND,
                classes: waiting,
            });
        }
        Snapshot { queued: self.len() as u64, running: self.state.running.len() as u64, classes, projects }
    }
}
