//! The queue, workers, usage, the audit log, and questions about access.

use std::collections::BTreeMap;
use std::sync::Arc;

use gambeson_api::{
    AuditList, AuditVerdict, Backup, BackupRequest, Code, ExplainRequest, Explained, ExplainedPolicy, JobId, JoinToken,
    Posture, Problem, ProjectId, Queue, QueuedJob, Quota, Share, Time, UsageLine, UsageReport, UserId, Worker,
    WorkerId, WorkerList, WorkerPosture,
};

use super::{Answer, Caller, Control, Target, unseen};
use crate::access::{self, Action, KeyScope};
use crate::audit;
use crate::books::{Account, DAY_MS};
use crate::depot::io_problem;
use crate::desk::{Act, Desk, day_of};
use crate::directory::Directory;
use crate::disk::{Part, private_dir};
use crate::queue::{self, ProjectKey, UserKey};
use crate::reading::store_problem;
use crate::secret;
use crate::store::{AuditSearch, WorkerRow};

/// Jobs that `GET /v1/queue` looks at in the expected order.
const NEXT_LOOKED_AT: usize = 200;
/// Rows of the audit log that one page of a search looks at.
const AUDIT_SPAN: u64 = 200_000;
/// How long a join token can be used.
const JOIN_TOKEN_MS: u64 = 3_600_000;

/// Which rows of the audit log to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only those of this project, by name or id.
    pub project: Option<String>,
    /// Only those of this actor.
    pub actor: Option<String>,
    /// Only those of this action, or of all whose name begins with it and a dot.
    pub action: Option<String>,
    /// Only those about this.
    pub resource: Option<String>,
    /// Only what was allowed, or only what was refused.
    pub allowed: Option<bool>,
    /// Not before this.
    pub from: Option<Time>,
    /// Before this.
    pub until: Option<Time>,
    /// Where the page before ended.
    pub after: Option<u64>,
    /// Whether the newest come first.
    pub newest_first: bool,
    /// From 1 to 1000.
    pub limit: u32,
}

fn day_text(day: u32) -> String {
    let ms = i64::from(day) * DAY_MS as i64;
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| day.to_string(), |time| time.to_string()[..10].to_owned())
}

pub(crate) fn shown_worker(desk: &Desk, row: &WorkerRow) -> Worker {
    let running = desk.state.live.values().filter(|live| live.worker == row.id).count() as u64;
    let present = desk.state.present.get(&row.id);
    Worker {
        id: row.id,
        name: row.name.clone(),
        connected: present.is_some(),
        draining: row.draining,
        version: row.version.clone(),
        cpus_milli: row.room.cpus_milli,
        memory_bytes: row.room.memory_bytes,
        slots: row.room.slots,
        running,
        environment: row.environment.clone(),
        seen_at: present.map_or(row.seen, |present| present.seen),
        enrolled_at: row.enrolled,
        vitals: present.and_then(|present| present.vitals),
    }
}

impl Control {
    /// The queue, as far as the caller may see it.
    ///
    /// # Errors
    /// When the key is not valid any more.
    pub async fn queue(&self, caller: &Caller) -> Answer<Queue> {
        let directory = self.shared.directory();
        let mut seen: Vec<(ProjectId, bool)> = Vec::new();
        for project in self.projects_where(&directory, caller, Action::QueueView)? {
            seen.push((project, self.sees_all(&directory, caller, project)?));
        }
        match seen.first() {
            Some((project, _)) => drop(self.look(caller, Action::QueueView, Target::Project(*project)).await?),
            None => {
                self.nothing_to_list(&directory, caller, Action::QueueView).await?;
                return Err(Problem::new(Code::Forbidden, "you have no role that sees the queue of a project"));
            }
        }
        Ok(self.line_up().await?.seen_by(&directory, &seen, caller.user))
    }

    /// The whole queue, for nobody yet. The writer only hands out what is looked at.
    pub(super) async fn line_up(&self) -> Answer<LineUp> {
        let looked = self.act(|desk| {
            let (state, now) = (&desk.state, desk.now());
            Ok((state.queue.overview(now.0), Arc::clone(&state.estimates), state.held_jobs()))
        });
        let (overview, estimates, held) = looked.await?;
        let names = self.shared.directory();
        self.read(move |store| {
            let estimate =
                |project: ProjectKey, user: UserKey, wall_ms: u64| estimates.estimate(project, user, wall_ms);
            let mut next = Vec::new();
            for (position, ahead) in overview.next(NEXT_LOOKED_AT, &estimate).into_iter().enumerate() {
                next.extend(store.job(JobId::from_u128(ahead.job.0))?.map(|row| QueuedJob {
                    id: row.id,
                    entry: row.ask.entry,
                    project: row.project,
                    project_name: names.name_of_project(row.project),
                    user: row.user,
                    user_name: names.name_of_user(row.user),
                    class: row.class,
                    position: position as u64,
                    submitted_at: row.submitted,
                    expected_start_p50: Some(Time(ahead.start_ms)),
                    why: ahead.why.map(|why| why.to_string()),
                }));
            }
            Ok(LineUp { snapshot: overview.snapshot(), held, next })
        })
        .await
    }

    /// All workers, by name.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn workers(&self, caller: &Caller) -> Answer<WorkerList> {
        self.look(caller, Action::WorkerView, Target::Platform).await?;
        self.act(|desk| {
            let mut workers: Vec<Worker> = desk.state.workers.values().map(|row| shown_worker(desk, row)).collect();
            workers.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
            Ok(WorkerList { workers })
        })
        .await
    }

    /// Makes a token by which one worker enrols, once, within an hour.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn join_token(&self, caller: &Caller) -> Answer<JoinToken> {
        let fresh = secret::fresh("gmj").map_err(|error| store_problem(&error))?;
        let expires_at = self.now().plus_ms(JOIN_TOKEN_MS);
        let hash = fresh.hash;
        let act = move |desk: &mut Desk| Ok(desk.store.join_token_put(&hash, expires_at)?);
        self.perform(caller, Action::WorkerJoin, Target::Platform, self.context(), act).await?;
        Ok(JoinToken { token: fresh.text, expires_at })
    }

    /// Has a worker finish what it has and take nothing more, until [`Control::worker_undrain`].
    ///
    /// # Errors
    /// When there is none, or the caller may not.
    pub async fn worker_drain(&self, caller: &Caller, id: WorkerId) -> Answer<Worker> {
        let act = move |desk: &mut Desk| set_draining(desk, id, true);
        self.perform(caller, Action::WorkerDrain, Target::Platform, self.context(), act).await
    }

    /// Lets a drained worker take jobs again. One that is not drained stays as it is.
    ///
    /// # Errors
    /// When there is none, or the caller may not.
    pub async fn worker_undrain(&self, caller: &Caller, id: WorkerId) -> Answer<Worker> {
        let act = move |desk: &mut Desk| set_draining(desk, id, false);
        self.perform(caller, Action::WorkerUndrain, Target::Platform, self.context(), act).await
    }

    /// The layers of each worker, as probed at its start.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn posture(&self, caller: &Caller) -> Answer<Posture> {
        self.look(caller, Action::PostureView, Target::Platform).await?;
        self.act(|desk| {
            let mut workers: Vec<WorkerPosture> = desk
                .state
                .workers
                .values()
                .map(|row| WorkerPosture { worker: row.id, name: row.name.clone(), layers: row.layers.clone() })
                .collect();
            workers.sort_by(|one, other| (&one.name, one.worker).cmp(&(&other.name, other.worker)));
            Ok(Posture { workers })
        })
        .await
    }

    /// What was used on a day (UTC, `2026-11-25`; today when left out), is reserved, and may be used.
    ///
    /// # Errors
    /// When the day makes no sense, or names a project that the caller may not see.
    pub async fn usage(&self, caller: &Caller, project: Option<&str>, day: Option<&str>) -> Answer<UsageReport> {
        let directory = self.shared.directory();
        let today = day_of(self.now());
        let day = match day {
            None => today,
            Some(text) => {
                let time: Result<Time, _> = format!("{text}T00:00:00Z").parse();
                day_of(time.map_err(|_| {
                    let text: String = text.chars().take(40).collect();
                    Problem::new(Code::InvalidQuery, format!("day is {text:?}; write it like 2026-11-25"))
                })?)
            }
        };
        let mut seen: Vec<(ProjectId, bool)> = Vec::new();
        let named = match project {
            Some(name) => Some(self.named_project(&directory, caller, Action::UsageView, name).await?),
            None => None,
        };
        let projects = match named {
            Some(id) if self.may(&directory, caller, Action::UsageView, Target::Project(id))? => vec![id],
            Some(_) => Vec::new(),
            None => self.projects_where(&directory, caller, Action::UsageView)?,
        };
        for project in projects {
            seen.push((project, self.sees_all(&directory, caller, project)?));
        }
        match seen.first().map(|(project, _)| *project).or(named) {
            Some(first) => {
                let looked = self.look(caller, Action::UsageView, Target::Project(first)).await;
                drop(looked.map_err(unseen(first, project))?);
            }
            None => self.nothing_to_list(&directory, caller, Action::UsageView).await?,
        }
        let me = caller.user;
        let past = if day == today { Vec::new() } else { self.read(move |store| store.usage(day)).await? };
        let lines = self
            .act(move |desk| {
                let mut lines = Vec::new();
                let mut books = desk.state.books.clone();
                if day != today {
                    books = crate::books::Books::of(day);
                    for row in &past {
                        books.change(row.project, row.user, |account| {
                            account.cpu_used_ms += row.cpu_ms;
                            account.jobs += row.jobs;
                        });
                    }
                }
                for (project, all) in seen {
                    let quotas = desk.state.quotas(project)?;
                    let names = &desk.state.directory;
                    if all {
                        lines.push(line(names, project, None, books.project(project), quotas.0));
                    }
                    let mut users: Vec<UserId> =
                        books.users().filter(|((at, _), _)| *at == project).map(|((_, user), _)| *user).collect();
                    users.sort_unstable();
                    for user in users.into_iter().filter(|user| all || *user == me) {
                        lines.push(line(names, project, Some(user), books.user(project, user), quotas.1));
                    }
                }
                Ok(lines)
            })
            .await?;
        Ok(UsageReport { day: day_text(day), lines })
    }

    /// Rows of the audit log after a place, oldest first.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn audit(&self, caller: &Caller, project: Option<&str>, after: u64, limit: u32) -> Answer<AuditList> {
        let filter =
            AuditFilter { project: project.map(str::to_owned), after: Some(after), limit, ..AuditFilter::default() };
        self.audit_search(caller, filter).await
    }

    /// A page of the rows of the audit log that are looked for.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn audit_search(&self, caller: &Caller, filter: AuditFilter) -> Answer<AuditList> {
        let AuditFilter { project, actor, action, resource, allowed, from, until, after, newest_first, limit } = filter;
        if !(1..=1000).contains(&limit) {
            return Err(Problem::new(Code::InvalidQuery, format!("limit is {limit}; it is from 1 to 1000")));
        }
        if after.is_some_and(|after| i64::try_from(after).is_err()) {
            return Err(Problem::new(Code::InvalidQuery, "after is no place in the log"));
        }
        let project = project.as_deref();
        let directory = self.shared.directory();
        let name = project;
        let project = match name {
            Some(name) => Some(self.named_project(&directory, caller, Action::AuditView, name).await?),
            None => None,
        };
        let target = project.map_or(Target::Platform, Target::Project);
        let looked = self.look(caller, Action::AuditView, target).await;
        match project {
            Some(id) => drop(looked.map_err(unseen(id, name))?),
            None => drop(looked?),
        }
        let narrow = actor.is_some() || action.is_some() || resource.is_some() || allowed.is_some();
        let narrow = narrow || from.is_some() || until.is_some();
        self.read(move |store| {
            let last = store.audit_last()?.map_or(0, |row| row.seq);
            // What is looked for may be rare: of a long log so much is read at once, and the rest is the next page.
            let span = if narrow { AUDIT_SPAN } else { u64::MAX };
            let places = if newest_first {
                let last = after.map_or(last, |after| last.min(after.saturating_sub(1)));
                (last.saturating_sub(span - 1).max(1), last)
            } else {
                let first = after.map_or(0, |after| after.min(last)) + 1;
                (first, last.min(first.saturating_add(span - 1)))
            };
            let search =
                AuditSearch { project, actor, action, resource, allowed, from, until, places, newest_first, limit };
            let rows = store.audit_search(&search)?;
            let next = match (rows.last(), newest_first) {
                (Some(row), _) if rows.len() == limit as usize => Some(row.seq),
                (_, true) => Some(places.0).filter(|first| *first > 1),
                (_, false) => Some(places.1).filter(|end| *end < last),
            };
            Ok(AuditList { rows, next })
        })
        .await
    }

    /// Whether the audit log is whole, and holds a value that was noted earlier.
    ///
    /// # Errors
    /// When the caller may not ask.
    pub async fn audit_verify(&self, caller: &Caller, expected_head: Option<&str>) -> Answer<AuditVerdict> {
        self.look(caller, Action::AuditVerify, Target::Platform).await?;
        let key = self.shared.sealing_key;
        let expected = expected_head.map(str::to_owned);
        let verdict = self.read(move |store| audit::verify(store, &key, expected.as_deref())).await?;
        // A value that somebody noted wrongly says nothing about the log.
        if expected_head.is_none() {
            self.shared.audit_looked_at(verdict.broken.clone());
        }
        Ok(verdict)
    }

    /// Whether somebody may do something, why, and what would change that.
    ///
    /// # Errors
    /// When the caller may not ask, or the question makes no sense.
    pub async fn access_explain(&self, caller: &Caller, question: ExplainRequest) -> Answer<Explained> {
        let directory = self.shared.directory();
        let invalid = |detail: String| Problem::new(Code::InvalidValue, detail);
        let action: Action = question.action.parse().map_err(|error| invalid(format!("{error}")))?;
        let scope = match question.project.as_deref() {
            None | Some("platform") => None,
            Some(name) => {
                let id = self.named_project(&directory, caller, Action::AccessExplain, name).await?;
                if !self.knows_project(&directory, caller, id)? {
                    let none = crate::directory::no_project(name);
                    return self.refuse(&directory, caller, Action::AccessExplain, id.to_string(), none).await;
                }
                Some(id)
            }
        };
        let job = match question.job {
            Some(id) => Some(self.job_to_explain(caller, id).await?),
            None => None,
        };
        let scope = job.map_or(scope, Target::project);
        let user = match question.user.as_deref().map(|name| directory.user(name)) {
            None => caller.user,
            Some(Ok(user)) if user.id == caller.user => caller.user,
            // Of oneself everybody may ask; of others, also whether there are such, who may explain access there.
            Some(other) => {
                let asked = scope.map_or(Target::Platform, Target::Project);
                let looked = self.look(caller, Action::AccessExplain, asked).await;
                match scope {
                    Some(id) => drop(looked.map_err(unseen(id, question.project.as_deref()))?),
                    None => drop(looked?),
                }
                other?.id
            }
        };
        let target = match (job, scope) {
            (Some(job), _) => job,
            // Of a job of the user's own, when none is named.
            (None, Some(project)) if action.kinds().contains(&access::Kind::Job) => {
                Target::Job(JobId::from_u128(0), project, user)
            }
            (None, None) if action.kinds().contains(&access::Kind::Job) => {
                return Err(invalid(format!("{action} is asked of a job: name one, or a project")));
            }
            (None, project) if action.kinds().contains(&access::Kind::Key) => Target::Key(caller.key, user, project),
            (None, project) => project.map_or(Target::Platform, Target::Project),
        };
        let own = if question.user.is_none() { Some(Self::key_row(&directory, caller)?) } else { None };
        let principal = directory.principal(user, own);
        let context = asked_context(self.context(), action, &question)?;
        let explanation = self.shared.authority.explain(&principal, action, &target.facts(&directory), &context);
        Ok(Explained {
            allowed: explanation.decision.allowed,
            says: explanation.decision.says,
            policies: explanation
                .policies
                .into_iter()
                .map(|policy| ExplainedPolicy { id: policy.id, file: policy.file, text: policy.text })
                .collect(),
            roles: explanation.roles.iter().map(|held| format!("{} in {}", held.role, held.scope)).collect(),
            remedies: explanation.would_change,
        })
    }

    /// Whether the caller knows of a project, whatever else the key that is used may not.
    pub(super) fn knows_project(&self, directory: &Directory, caller: &Caller, id: ProjectId) -> Answer<bool> {
        let key = Self::key_row(directory, caller)?;
        if key.project.is_some_and(|only| only != id) {
            return Ok(false);
        }
        let principal = directory.principal(caller.user, None);
        let facts = Target::Project(id).facts(directory);
        Ok(self.shared.authority.allows(&principal, Action::ProjectView, &facts, &self.context()))
    }

    /// A job about which access may be explained: one that the caller sees, or of whose project the caller may ask.
    async fn job_to_explain(&self, caller: &Caller, id: JobId) -> Answer<Target> {
        let row = self.job_row(caller, Action::AccessExplain, id).await?;
        let target = Target::job(&row);
        if !self.may(&self.shared.directory(), caller, Action::AccessExplain, Target::Project(row.project))? {
            self.look(caller, Action::JobView, target).await?;
        }
        Ok(target)
    }

    /// Writes a copy of the store to `backups/` in the data directory, while everything goes on. It has no blobs and no
    /// `audit.key`: the whole is [`backup`](crate::backup)'s.
    ///
    /// # Errors
    /// When the caller may not, the name cannot be used or is taken, or the disk is full.
    pub async fn backup(&self, caller: &Caller, request: BackupRequest) -> Answer<Backup> {
        crate::admit::name_is_plain(&request.name)?;
        if request.name.starts_with('.') {
            return Err(Problem::new(Code::InvalidName, "a backup's name does not begin with a dot"));
        }
        self.perform(caller, Action::BackupCreate, Target::Platform, self.context(), |_| Ok(())).await?;
        let dir = self.shared.config.data_dir.join("backups");
        let path = dir.join(&request.name);
        let taken = Problem::new(Code::NameTaken, format!("there is a backup {:?}", request.name));
        let to = path.clone();
        // In one piece on one thread: whoever asked may go, and what was begun is finished or removed all the same.
        let copied = self.read(move |store| {
            let part = match private_dir(&dir).and_then(|()| Part::beside(&to)) {
                Ok(part) if !to.exists() => part,
                Ok(_) => return Ok(Err(taken)),
                Err(error) => return Ok(Err(io_problem(&error))),
            };
            store.backup(part.path())?;
            Ok(part.put(&to).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => taken,
                _ => io_problem(&error),
            }))
        });
        let size = copied.await??;
        Ok(Backup { path: path.display().to_string(), size })
    }
}

/// Whether a worker is to take no more jobs. It hears of it at once, if it beats.
fn set_draining(desk: &mut Desk, id: WorkerId, draining: bool) -> Act<Worker> {
    let Some(row) = desk.state.workers.get_mut(&id) else {
        return Err(Problem::new(Code::NotFound, format!("there is no worker {id}")).into());
    };
    row.draining = draining;
    let row = row.clone();
    desk.store.worker_put(&row)?;
    if draining {
        crate::lease::connect(&mut desk.state, id, row.room, false);
        desk.polls.retain(|_, poll| poll.worker != id);
    }
    desk.tell_drain(id);
    Ok(shown_worker(desk, &row))
}

/// The whole queue at one moment.
pub(super) struct LineUp {
    snapshot: queue::Snapshot,
    held: BTreeMap<ProjectId, u64>,
    next: Vec<QueuedJob>,
}

impl LineUp {
    /// What somebody sees of it who sees these projects, and of some only the own jobs.
    pub(super) fn seen_by(&self, directory: &Directory, seen: &[(ProjectId, bool)], me: UserId) -> Queue {
        let visible =
            |job: &&QueuedJob| seen.iter().any(|(project, all)| *project == job.project && (*all || job.user == me));
        let next = self.next.iter().filter(visible).cloned().collect();
        // What others have to do is theirs to know.
        let shares = shares(&self.snapshot, directory, seen, me);
        let projects = || shares.iter().filter(|share| share.user.is_none());
        let (queued, running) =
            (projects().map(|share| share.queued).sum(), projects().map(|share| share.running).sum());
        let held = seen.iter().filter_map(|(project, _)| self.held.get(project)).sum();
        Queue { queued, held, running, shares, next }
    }
}

fn line(names: &Directory, project: ProjectId, user: Option<UserId>, account: Account, quota: &Quota) -> UsageLine {
    UsageLine {
        project,
        project_name: names.name_of_project(project),
        user,
        user_name: user.map(|user| names.name_of_user(user)),
        jobs: account.jobs,
        cpu_ms: account.cpu_used_ms,
        cpu_reserved_ms: account.cpu_reserved_ms,
        queued: account.queued,
        running: account.running,
        stored_bytes: account.stored,
        quota: *quota,
    }
}

fn shares(snapshot: &queue::Snapshot, directory: &Directory, seen: &[(ProjectId, bool)], me: UserId) -> Vec<Share> {
    let busy = |queued: u64, running: u32, share: f64| queued > 0 || running > 0 || share > 0.0;
    let all: u64 = snapshot
        .projects
        .iter()
        .filter(|project| busy(project.queued, project.running, project.share))
        .map(|project| u64::from(project.weight))
        .sum();
    let due = |weight: u32, all: u64| f64::from(weight) / (all.max(1) as f64);
    let mut lines = Vec::new();
    for project in &snapshot.projects {
        let id = ProjectId::from_u128(project.project.0);
        let Some((_, everybody)) = seen.iter().find(|(seen, _)| *seen == id) else { continue };
        let project_name = directory.name_of_project(id);
        lines.push(Share {
            project: id,
            project_name: project_name.clone(),
            user: None,
            user_name: None,
            queued: project.queued,
            running: project.running.into(),
            weight: project.weight,
            used: project.share,
            due: due(project.weight, all).min(1.0),
        });
        let siblings: u64 = project
            .users
            .iter()
            .filter(|user| busy(user.queued, user.running, user.share))
            .map(|user| u64::from(user.weight))
            .sum();
        for user in &project.users {
            let user_id = UserId::from_u128(user.user.0);
            if *everybody || user_id == me {
                lines.push(Share {
                    project: id,
                    project_name: project_name.clone(),
                    user: Some(user_id),
                    user_name: Some(directory.name_of_user(user_id)),
                    queued: user.queued,
                    running: user.running.into(),
                    weight: user.weight,
                    used: user.share,
                    due: due(user.weight, siblings).min(1.0),
                });
            }
        }
    }
    lines
}

/// What a question says of the request, over what a plain one would be.
fn asked_context(now: access::Context, action: Action, question: &ExplainRequest) -> Answer<access::Context> {
    let invalid = |name: &str| Problem::new(Code::InvalidValue, format!("context {name} makes no sense"));
    let text = |name: &str, default: &str| match question.context.get(name) {
        None => Ok(default.to_owned()),
        Some(value) => value.as_str().map(str::to_owned).ok_or_else(|| invalid(name)),
    };
    let number = |name: &str, default: u64| match question.context.get(name) {
        None => Ok(default),
        Some(value) => value.as_u64().ok_or_else(|| invalid(name)),
    };
    let words = |name: &str| match question.context.get(name) {
        None => Ok(Vec::new()),
        Some(value) => serde_json::from_value::<Vec<String>>(value.clone()).map_err(|_| invalid(name)),
    };
    Ok(match action {
        action if action.is_of_submission() => {
            let usual = super::jobs::usual_facts();
            now.submitting(access::SubmissionFacts {
                class: text("class", &usual.class)?,
                cpus_milli: number("cpus_milli", usual.cpus_milli)?,
                memory_bytes: number("memory_bytes", usual.memory_bytes)?,
                wall_ms: number("wall_ms", usual.wall_ms)?,
                network: text("network", &usual.network)?,
                network_allow: words("network_allow")?,
                labels: words("labels")?,
                findings: findings(question, &usual.findings)?,
            })
        }
        Action::KeyCreate => {
            let scopes: Result<Vec<KeyScope>, _> = words("scopes")?.iter().map(|scope| scope.parse()).collect();
            now.making_key(scopes.map_err(|_| invalid("scopes"))?)
        }
        _ => now,
    })
}

/// What a question says of findings: an object, `{"rules": ["V402"], "high": 1}`.
fn findings(question: &ExplainRequest, usual: &access::FindingsFacts) -> Answer<access::FindingsFacts> {
    let Some(said) = question.context.get("findings") else { return Ok(usual.clone()) };
    let mut all = serde_json::to_value(usual).unwrap_or_default();
    let fits = match (all.as_object_mut(), said.as_object()) {
        (Some(all), Some(said)) => {
            said.iter().all(|(name, value)| all.get_mut(name).map(|place| *place = value.clone()).is_some())
        }
        _ => false,
    };
    let facts = if fits { serde_json::from_value(all).ok() } else { None };
    facts.ok_or_else(|| Problem::new(Code::InvalidValue, "context findings makes no sense"))
}
