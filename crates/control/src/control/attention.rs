//! What wants somebody's attention, each matter for those who may see what it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use gambeson_api::{AttentionList, JobId, LayerState, Matter, ProjectId, Quota, Time, UserId, WorkerId};

use super::{Answer, Caller, Control, Target};
use crate::access::Action;
use crate::books::Account;
use crate::desk::Desk;
use crate::directory::Directory;
use crate::disk;
use crate::past::Trouble;
use crate::queue::ProjectKey;
use crate::store::{KeyRow, WorkerRow};

/// Matters of one answer: the gravest.
const MATTERS_MOST: usize = 100;
/// A worker that was not heard of for so long is taken to be gone for good, milliseconds.
const GONE_MS: u64 = 7 * 86_400_000;
/// So long before it ends a key is told of, milliseconds.
const KEY_MS: u64 = 7 * 86_400_000;
/// A quota of which this part is used, percent.
const QUOTA_PERCENT: u64 = 90;
/// The disk is low when less than both of these is free, and very low below the third.
const DISK_BYTES: u64 = 10 << 30;
const DISK_PERCENT: u64 = 10;
const DISK_BYTES_LEAST: u64 = 512 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Error,
    Warning,
}

/// A matter that is about nothing in particular yet.
fn matter(severity: Severity, kind: &str, says: impl Into<String>, remedy: impl Into<String>) -> (Severity, Matter) {
    let word = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (says, remedy) = (says.into(), remedy.into());
    let (job, project, worker) = (None, None, None);
    (severity, Matter { severity: word.into(), kind: kind.into(), says, remedy, job, project, worker })
}

/// `1 job`, `2 jobs`.
fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `90 s`, `3 min`, `2 h`, `5 days`: for people, who need no more.
fn span(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds @ 7200..=172_799 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// What a caller may see of one project.
#[derive(Debug, Clone, Copy)]
struct Sight {
    project: ProjectId,
    /// All of it, or only one's own.
    all: bool,
    queue: bool,
    usage: bool,
    jobs: bool,
    approves: bool,
}

/// What the writer has in memory about it.
struct Facts {
    /// Jobs that wait for a worker, and what is used of quotas: of the project, and by whoever asks.
    projects: BTreeMap<ProjectId, (u64, Account, Account)>,
    held: BTreeMap<ProjectId, (u64, JobId, Time)>,
    /// Nobody, for who may see no worker.
    workers: Vec<(WorkerRow, bool)>,
    /// Whether any worker is connected.
    connected: bool,
    /// Whether any connected worker takes jobs.
    served: bool,
}

impl Facts {
    fn gather(desk: &Desk, sights: &[Sight], me: UserId, workers: bool) -> Facts {
        let state = &desk.state;
        let of = |sight: &Sight| {
            let waiting = state.queue.len_of_project(ProjectKey(sight.project.as_u128()));
            let accounts = (state.books.project(sight.project), state.books.user(sight.project, me));
            (sight.project, (waiting, accounts.0, accounts.1))
        };
        let mut held: BTreeMap<ProjectId, (u64, JobId, Time)> = BTreeMap::new();
        for (job, one) in &state.held {
            held.entry(one.project).or_insert((0, *job, one.since)).0 += 1;
        }
        let connected = |row: &WorkerRow| state.present.contains_key(&row.id);
        Facts {
            projects: sights.iter().map(of).collect(),
            held,
            workers: state.workers.values().filter(|_| workers).map(|row| (row.clone(), connected(row))).collect(),
            connected: !state.present.is_empty(),
            served: state.workers.values().any(|row| connected(row) && !row.draining),
        }
    }
}

impl Control {
    /// What wants attention, the gravest first, of what the caller may see.
    ///
    /// # Errors
    /// When the key is not valid any more.
    pub async fn attention(&self, caller: &Caller) -> Answer<AttentionList> {
        let directory = self.shared.directory();
        let (now, me) = (self.now(), caller.user);
        let platform = |action| self.may(&directory, caller, action, Target::Platform);
        let (workers, posture, audit) =
            (platform(Action::WorkerView)?, platform(Action::PostureView)?, platform(Action::AuditVerify)?);
        let mut sights = Vec::new();
        let of_projects = [Action::QueueView, Action::UsageView, Action::JobList, Action::JobApprove, Action::JobView];
        for project in self.within_reach(&directory, caller, &of_projects)? {
            let may = |action| self.may(&directory, caller, action, Target::Project(project));
            let anybodys = Target::Job(JobId::from_u128(0), project, UserId::from_u128(0));
            let sight = Sight {
                project,
                all: self.sees_all(&directory, caller, project)?,
                queue: may(Action::QueueView)?,
                usage: may(Action::UsageView)?,
                jobs: may(Action::JobList)?,
                approves: self.may(&directory, caller, Action::JobApprove, anybodys)?,
            };
            if sight.queue || sight.usage || sight.jobs || sight.approves {
                sights.push(sight);
            }
        }
        // One row for all, on the first that it shows. Of oneself everybody may know.
        if let Some(first) = sights.iter().find(|sight| sight.queue) {
            drop(self.look(caller, Action::QueueView, Target::Project(first.project)).await?);
        }
        let gathered = sights.clone();
        let facts = self.act(move |desk| Ok(Facts::gather(desk, &gathered, me, workers || posture))).await?;
        let troubles = self.shared.past.lock().unwrap_or_else(PoisonError::into_inner).troubles(now);

        let mut matters = Vec::new();
        if audit && let Some(why) = self.shared.audit_broken() {
            let says = format!("The audit log is not whole: {why}.");
            matters.push(matter(
                Severity::Error,
                "audit_broken",
                says,
                "See `gambeson audit verify`, and compare the log with a backup.",
            ));
        }
        if posture {
            matters.extend(self.disk_matter());
        }
        matters.extend(no_worker(&facts, &sights));
        if workers {
            matters.extend(silent_workers(&facts, now));
            matters.extend(lost_leases(&facts, &troubles));
        }
        if posture {
            matters.extend(missing_layers(&facts));
        }
        matters.extend(failed_jobs(&directory, &sights, &troubles, me));
        matters.extend(held_jobs(&directory, &facts, &sights, now));
        matters.extend(quotas(&directory, &facts, &sights));
        for key in directory.keys.values().filter(|key| key.user == me) {
            let target = Target::Key(key.id, key.user, key.project);
            if key.id == caller.key || self.may(&directory, caller, Action::KeyView, target)? {
                matters.extend(ending_key(key, now));
            }
        }
        matters.sort_by(|(one, a), (other, b)| (one, &a.kind, &a.says).cmp(&(other, &b.kind, &b.says)));
        matters.truncate(MATTERS_MOST);
        Ok(AttentionList { matters: matters.into_iter().map(|(_, matter)| matter).collect() })
    }

    fn disk_matter(&self) -> Option<(Severity, Matter)> {
        let room = disk::room(&self.shared.config.data_dir).ok()?;
        if room.free >= DISK_BYTES || room.free >= room.size / 100 * DISK_PERCENT {
            return None;
        }
        let severity = if room.free < DISK_BYTES_LEAST { Severity::Error } else { Severity::Warning };
        let says =
            format!("The disk of the server's data has {} MiB free, of {} MiB.", room.free >> 20, room.size >> 20);
        let remedy = "Make room, or shorten `retention` in the configuration; when it is full, nothing is accepted.";
        Some(matter(severity, "disk_low", says, remedy))
    }
}

fn no_worker(facts: &Facts, sights: &[Sight]) -> Option<(Severity, Matter)> {
    let queues = sights.iter().filter(|sight| sight.queue);
    let waiting: u64 = queues.filter_map(|sight| facts.projects.get(&sight.project)).map(|(waiting, ..)| waiting).sum();
    if facts.served || waiting == 0 {
        return None;
    }
    let why = if facts.connected { "every connected worker is drained" } else { "no worker is connected" };
    let says =
        format!("{} and {why}.", if waiting == 1 { "1 job waits".into() } else { format!("{waiting} jobs wait") });
    let remedy = "Start `gambeson worker` on a host, or let one that is drained take jobs: `gambeson worker undrain`.";
    Some(matter(Severity::Error, "no_worker", says, remedy))
}

fn silent_workers(facts: &Facts, now: Time) -> Vec<(Severity, Matter)> {
    let silent =
        facts.workers.iter().filter(|(row, connected)| !connected && !row.draining && now.since_ms(row.seen) < GONE_MS);
    let told = silent.map(|(row, _)| {
        let says = format!("Worker {} was heard of last {} ago.", row.name, span(now.since_ms(row.seen)));
        let remedy = format!(
            "Look at its host and at the log of `gambeson worker` there. If it is gone for good: `gambeson worker drain {}`.",
            row.id
        );
        // While others serve, nobody waits for it.
        let severity = if facts.served { Severity::Warning } else { Severity::Error };
        let (severity, matter) = matter(severity, "worker_silent", says, remedy);
        (severity, Matter { worker: Some(row.id), ..matter })
    });
    told.collect()
}

fn missing_layers(facts: &Facts) -> Vec<(Severity, Matter)> {
    let mut told = Vec::new();
    for (row, _) in facts.workers.iter().filter(|(_, connected)| *connected) {
        let missing: Vec<&str> = row
            .layers
            .iter()
            .filter(|layer| layer.state == LayerState::Missing && !layer.is_extra())
            .map(|layer| layer.name.as_str())
            .collect();
        if !missing.is_empty() {
            let says = format!("Worker {} runs programs without: {}.", row.name, missing.join(", "));
            let remedy =
                "`gambeson doctor` on its host says what each of them takes; `gambeson posture` has the details.";
            let (severity, matter) = matter(Severity::Warning, "layer_missing", says, remedy);
            told.push((severity, Matter { worker: Some(row.id), ..matter }));
        }
    }
    told
}

fn lost_leases(facts: &Facts, troubles: &[Trouble]) -> Vec<(Severity, Matter)> {
    let mut lost: BTreeMap<WorkerId, u64> = BTreeMap::new();
    for trouble in troubles {
        if let Trouble::LeaseLost { worker } = trouble {
            *lost.entry(*worker).or_default() += 1;
        }
    }
    let told = lost.into_iter().map(|(worker, times)| {
        let row = facts.workers.iter().find(|(row, _)| row.id == worker);
        let name = row.map_or_else(|| worker.to_string(), |(row, _)| row.name.clone());
        let says = format!("{} of worker {name} ran out in the last hour without a word.", count(times, "lease"));
        let remedy = "Look at the network between it and the server, and whether its host is overloaded or stops.";
        let (severity, matter) = matter(Severity::Warning, "lost_leases", says, remedy);
        (severity, Matter { worker: Some(worker), ..matter })
    });
    told.collect()
}

/// Jobs that came to nothing by faults of ours, by project: those that whoever asks may list.
fn failed_jobs(directory: &Directory, sights: &[Sight], troubles: &[Trouble], me: UserId) -> Vec<(Severity, Matter)> {
    let mut told = Vec::new();
    for sight in sights.iter().filter(|sight| sight.jobs) {
        let mine = |project: &ProjectId, user: &UserId| *project == sight.project && (sight.all || *user == me);
        let (mut faults, mut steps, mut lost) = (Vec::new(), BTreeSet::new(), Vec::new());
        for trouble in troubles {
            match trouble {
                Trouble::Fault { project, user, job, step } if mine(project, user) => {
                    faults.push(*job);
                    steps.insert(step.as_str());
                }
                Trouble::Lost { project, user, job } if mine(project, user) => lost.push(*job),
                Trouble::Fault { .. } | Trouble::Lost { .. } | Trouble::LeaseLost { .. } => {}
            }
        }
        let name = directory.name_of_project(sight.project);
        let about =
            |matter: Matter, job: Option<&JobId>| Matter { project: Some(sight.project), job: job.copied(), ..matter };
        if !faults.is_empty() {
            let steps: Vec<&str> = steps.into_iter().take(3).collect();
            let says = format!(
                "{} of project {name} ended in the last hour by a fault of the platform ({}). Nothing is charged.",
                count(faults.len() as u64, "job"),
                steps.join(", ")
            );
            let (severity, matter) = matter(
                Severity::Error,
                "faults",
                says,
                "`gambeson job` of the newest says more; the operator finds the cause in the log of its worker.",
            );
            told.push((severity, about(matter, faults.last())));
        }
        if !lost.is_empty() {
            let says = format!(
                "{} lost in the last hour, of project {name}: its worker was not heard of after the program had started.",
                if lost.len() == 1 { "1 job was".into() } else { format!("{} jobs were", lost.len()) }
            );
            let (severity, matter) = matter(
                Severity::Warning,
                "lost_jobs",
                says,
                "Submit them again; with `--may-rerun`, jobs that may run twice are tried again by themselves.",
            );
            told.push((severity, about(matter, lost.last())));
        }
    }
    told
}

fn held_jobs(directory: &Directory, facts: &Facts, sights: &[Sight], now: Time) -> Vec<(Severity, Matter)> {
    let approves = sights.iter().filter(|sight| sight.approves);
    let held = approves.filter_map(|sight| Some((sight.project, *facts.held.get(&sight.project)?)));
    let told = held.map(|(project, (number, oldest, since))| {
        let says = format!(
            "{} of project {} for an approval, the oldest for {}.",
            if number == 1 { "1 job waits".into() } else { format!("{number} jobs wait") },
            directory.name_of_project(project),
            span(now.since_ms(since))
        );
        let remedy = format!(
            "Look at it with `gambeson job {oldest}`, then `gambeson approve {oldest}` or `gambeson cancel {oldest}`."
        );
        let (severity, matter) = matter(Severity::Warning, "held_jobs", says, remedy);
        (severity, Matter { project: Some(project), job: Some(oldest), ..matter })
    });
    told.collect()
}

fn quotas(directory: &Directory, facts: &Facts, sights: &[Sight]) -> Vec<(Severity, Matter)> {
    let mut told = Vec::new();
    for sight in sights.iter().filter(|sight| sight.usage) {
        let (Some((_, whole, own)), Some(project)) =
            (facts.projects.get(&sight.project), directory.projects.get(&sight.project))
        else {
            continue;
        };
        let sides = [
            sight.all.then(|| (format!("Project {}", project.name), whole, &project.quota)),
            Some((format!("You, in project {},", project.name), own, &project.user_quota)),
        ];
        for (whose, account, quota) in sides.into_iter().flatten() {
            for (severity, says, remedy) in near(&whose, account, quota) {
                let (severity, matter) = matter(severity, "quota_near", says, remedy);
                told.push((severity, Matter { project: Some(sight.project), ..matter }));
            }
        }
    }
    told
}

/// What of a quota is used up, or nearly.
fn near(whose: &str, account: &Account, quota: &Quota) -> Vec<(Severity, String, String)> {
    let mut told = Vec::new();
    let mut look = |used: u64, most: u64, least: u64, what: &str, remedy: &str| {
        // What nobody may have is not used up.
        let Some(percent) = used.saturating_mul(100).checked_div(most) else { return };
        if percent >= least {
            let severity = if percent >= 100 { Severity::Error } else { Severity::Warning };
            let has = if whose.starts_with("You") { "have used" } else { "has used" };
            told.push((severity, format!("{whose} {has} {percent} % of {what}."), remedy.to_owned()));
        }
    };
    let raise = "An operator of the platform sets quotas: `gambeson project set`.";
    look(
        account.cpu_used_ms + account.cpu_reserved_ms,
        quota.cpu_ms_per_day,
        QUOTA_PERCENT,
        "the CPU time of the day, what waiting and running jobs reserve included",
        &format!("It begins anew at midnight (UTC); what is reserved and not used comes back sooner. {raise}"),
    );
    look(
        account.stored,
        quota.stored_bytes,
        QUOTA_PERCENT,
        "what may be stored",
        &format!("Files go with their jobs when `retention` is over. {raise}"),
    );
    look(
        account.queued,
        quota.queued,
        100,
        "the places in the queue",
        &format!("Cancel what is not wanted any more: `gambeson cancel`. {raise}"),
    );
    told
}

fn ending_key(key: &KeyRow, now: Time) -> Option<(Severity, Matter)> {
    let expires = key.expires.filter(|expires| key.revoked.is_none() && *expires > now)?;
    let left_ms = expires.since_ms(now);
    if left_ms > KEY_MS {
        return None;
    }
    let says = format!("Your key {:?} ends in {}.", key.name, span(left_ms));
    let remedy = "Make another with `gambeson key create`, and give it to who uses this one.";
    Some(matter(Severity::Warning, "key_expires", says, remedy))
}
