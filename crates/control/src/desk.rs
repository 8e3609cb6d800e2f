//! The writer's desk: the store's writing side, the state in memory that decisions look at, and what has to be told
//! once a commit is done.
//!
//! Invariants:
//! 1. The state is what the store says: it changes with the store in one operation, and is read anew when a commit
//!    failed.
//! 2. Nobody outside hears of a change before its commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gambeson_api::trace::{Span, SpanId};
use gambeson_api::work::{HeartbeatAnswer, Lease, Room};
use gambeson_api::{
    AuditRow, Code, End, Event, EventBody, JobId, JobState, LayerReport, LeaseId, Outcome, Problem, Project, ProjectId,
    Report, Sample, Start, Time, Usage, UserId, Vitals, WorkerId,
};
use tokio::sync::oneshot;

use crate::audit::{self, Chain};
use crate::books::{Books, DAY_MS};
use crate::changes::Touches;
use crate::clock::{Attended, Attention, Clock};
use crate::config::Config;
use crate::directory::Directory;
use crate::house::House;
use crate::meters::Fact;
use crate::past::{Gauges, Happened, Now, Trouble};
use crate::queue::{self, Demand, Estimates, JobKey, ProjectKey, Queue, Queued, UserKey, WorkerKey};
use crate::store::{JobRow, LeaseRow, OpenJob, Store, StoreError, Stored, UsageRow};
use crate::tally::{Due, Tally};

/// Why an operation changed nothing that it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was decided on a directory that is no longer the newest: decide again.
    Stale,
    /// It is not to be; what the operation wrote before (its audit row) stays.
    Refused(Box<Problem>),
    /// The store failed; the whole transaction is undone.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::Refused(Box::new(problem))
    }
}

pub(crate) type Act<T> = Result<T, Failure>;

/// What everybody is told after a commit.
pub(crate) enum Effect {
    /// There are events of a job.
    Tell { job: JobId, ended: bool, touches: Touches },
    /// Something about a job changed that no event tells of.
    Changed { job: JobId },
    /// It is known what a job uses now.
    Sampled { job: JobId, attempt: u32, sample: Sample },
    /// Leases were granted to a parked request.
    Leases { reply: oneshot::Sender<Vec<Lease>>, leases: Vec<Lease> },
    /// A parked heartbeat has something to do.
    Beat { reply: oneshot::Sender<HeartbeatAnswer>, answer: HeartbeatAnswer },
    /// Something is to be remembered.
    Happened(Happened),
    /// Something is to be counted.
    Count(Fact),
    /// Something that was done for a job is to be told.
    Trace(Box<Span>),
    /// The directory changed.
    Directory,
    /// Files of blobs are to be removed.
    Forget(Vec<gambeson_api::Digest>),
}

/// A job that a worker has.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub project: ProjectId,
    pub user: UserId,
    pub worker: WorkerId,
    pub lease: LeaseId,
    pub attempt: u32,
    pub hash: [u8; 32],
    pub appended: u64,
    pub granted: Attended,
    pub started: Option<Time>,
    /// When the lease runs out.
    pub expires: Attended,
    pub cancel: bool,
    /// Whether the worker was told to cancel.
    pub cancel_told: bool,
    /// The last event.
    pub seq: u64,
    /// Bytes of output recorded of this attempt.
    pub output: u64,
    pub output_most: u64,
    /// Entries that told of denials, since we know of it.
    pub denials: usize,
    /// Connections recorded of this attempt.
    pub connections: usize,
    /// Samples of this attempt, since we know of it, and of which moment the last one is.
    pub samples: usize,
    pub sampled_ms: u64,
}

/// A job that waits for an approval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub since: Time,
    pub project: ProjectId,
}

/// What is known of a worker while it is heard of.
#[derive(Debug, Clone)]
pub(crate) struct Present {
    pub seen: Time,
    /// The same, as it counts.
    pub heard: Attended,
    /// When its last heartbeat came, by a clock that nobody sets, milliseconds.
    pub beat_ms: Option<u64>,
    /// When that was stored last.
    pub stored: Time,
    pub room: Room,
    /// How it is, as its last heartbeat said.
    pub vitals: Option<Vitals>,
}

/// A request for leases that waits.
pub(crate) struct Poll {
    pub worker: WorkerId,
    pub reply: oneshot::Sender<Vec<Lease>>,
    pub granted: Vec<Lease>,
}

/// A heartbeat that waits.
pub(crate) struct Beat {
    pub reply: oneshot::Sender<HeartbeatAnswer>,
}

/// What decisions look at.
pub(crate) struct State {
    pub queue: Queue,
    /// Shared with whoever looks ahead.
    pub estimates: Arc<Estimates>,
    pub books: Books,
    pub directory: Directory,
    pub live: HashMap<JobId, Live>,
    pub leases: HashMap<LeaseId, JobId>,
    pub order: u64,
    /// Jobs that wait for an approval, since when.
    pub held: BTreeMap<JobId, Held>,
    pub present: HashMap<WorkerId, Present>,
    pub workers: HashMap<WorkerId, crate::store::WorkerRow>,
}

/// The desk.
pub(crate) struct Desk {
    pub store: Box<dyn Store>,
    pub config: Arc<Config>,
    pub clock: Clock,
    /// What leases and presence run by.
    pub attention: Attention,
    pub chain: Chain,
    /// What is told by one row for many; shared with whoever counts.
    pub tally: Arc<Tally>,
    /// What this commit tells of it.
    pub told: Vec<Due>,
    pub state: State,
    pub effects: Vec<Effect>,
    pub polls: BTreeMap<u64, Poll>,
    pub next_poll: u64,
    pub beats: HashMap<WorkerId, Beat>,
    /// Leases whose request had gone away when they were granted.
    pub undelivered: Vec<LeaseId>,
    /// No more leases.
    pub draining: bool,
    pub house: House,
    /// Held as long as the desk lives.
    pub _lock: std::fs::File,
}

/// The day of a time, in days since the epoch (UTC).
pub(crate) fn day_of(time: Time) -> u32 {
    u32::try_from(time.0 / DAY_MS).unwrap_or(u32::MAX)
}

pub(crate) fn queue_class(class: gambeson_api::Class) -> queue::Class {
    match class {
        gambeson_api::Class::Low => queue::Class::Low,
        gambeson_api::Class::Normal => queue::Class::Normal,
        gambeson_api::Class::High => queue::Class::High,
    }
}

const SHARES: &str = "queue.shares";
/// A pause of our own that is worth a line in the log, milliseconds.
const STALL_TOLD_MS: u64 = 1000;

impl State {
    /// Reads everything from the store. Leases get their whole time again: their workers could not renew them.
    pub(crate) fn load(
        store: &dyn Store,
        config: &Config,
        (now, attended): (Time, Attended),
        version: u64,
    ) -> Stored<State> {
        let rules = queue::Rules {
            half_life_ms: config.half_life_ms,
            age_step_ms: config.age_step_ms,
            class_ceiling_percent: config.class_ceiling_percent,
            ..queue::Rules::default()
        };
        let directory = Directory::load(store, version)?;
        let mut state = State {
            queue: Queue::new(rules),
            estimates: Arc::default(),
            books: Books::of(day_of(now)),
            directory,
            live: HashMap::new(),
            leases: HashMap::new(),
            order: store.order_last()?,
            held: BTreeMap::new(),
            present: HashMap::new(),
            workers: store.workers()?.into_iter().map(|worker| (worker.id, worker)).collect(),
        };
        for project in state.directory.projects.values() {
            state.queue.set_project(ProjectKey(project.id.as_u128()), project_rules(project));
        }
        let leases: HashMap<JobId, LeaseRow> =
            store.leases_open()?.into_iter().map(|lease| (lease.job, lease)).collect();
        let mut running = Vec::new();
        store.jobs_open(&mut |job| {
            state.enter(&job);
            state.books.change(job.project, job.user, |account| account.cpu_reserved_ms += job.cpu_ms);
            match job.state {
                JobState::Queued | JobState::Ended => {
                    state.books.change(job.project, job.user, |account| account.queued += 1);
                }
                JobState::Starting | JobState::Running => running.push(job),
            }
        })?;
        for job in running {
            state.books.change(job.project, job.user, |account| account.running += 1);
            let Some(lease) = leases.get(&job.id) else {
                return Err(StoreError::Failed(format!("{} has a worker, but no lease", job.id)));
            };
            let row = store.job(job.id)?.ok_or_else(|| StoreError::Failed(format!("{} is gone", job.id)))?;
            let started = job.started.unwrap_or(lease.granted);
            state.queue.start(JobKey(job.id.as_u128()), WorkerKey(lease.worker.as_u128()), started.0, job.wall_ms);
            state.leases.insert(lease.id, job.id);
            state.live.insert(
                job.id,
                Live {
                    project: job.project,
                    user: job.user,
                    worker: lease.worker,
                    lease: lease.id,
                    attempt: lease.attempt,
                    hash: lease.hash,
                    appended: lease.appended,
                    granted: attended,
                    started: if lease.started { job.started } else { None },
                    expires: attended.plus_ms(config.lease_ms),
                    cancel: row.cancel_requested,
                    cancel_told: false,
                    seq: store.event_last(job.id)?,
                    output: 0,
                    connections: 0,
                    output_most: row.ask.limits.output_bytes,
                    denials: 0,
                    samples: 0,
                    sampled_ms: 0,
                },
            );
        }
        for row in store.usage(state.books.day)? {
            state.books.change(row.project, row.user, |account| {
                account.cpu_used_ms += row.cpu_ms;
                account.jobs += row.jobs;
            });
        }
        for (project, user, bytes) in store.stored()? {
            state.books.change(project, user, |account| account.stored += bytes);
        }
        if let Some(shares) = store.meta(SHARES)? {
            let shares: Vec<(ProjectId, UserId, f64, u64)> = serde_json::from_slice(&shares).unwrap_or_default();
            for (project, user, seconds, at_ms) in shares {
                let age = now.0.saturating_sub(at_ms) as f64 / config.half_life_ms.max(1) as f64;
                let left = seconds * 0.5f64.powf(age);
                state.queue.restore_usage(ProjectKey(project.as_u128()), UserKey(user.as_u128()), left, now.0);
            }
        }
        Ok(state)
    }

    /// Puts a job into the queue, with the rules of its user.
    pub(crate) fn enter(&mut self, job: &OpenJob) {
        if job.held {
            self.held.insert(job.id, Held { since: job.submitted, project: job.project });
            return;
        }
        let (project, user) = (ProjectKey(job.project.as_u128()), UserKey(job.user.as_u128()));
        if let Some(settings) = self.directory.projects.get(&job.project) {
            let running_max = u32::try_from(settings.user_quota.running).unwrap_or(u32::MAX);
            self.queue.set_user(project, user, queue::UserRules { weight: 1, running_max });
        }
        self.queue.push(Queued {
            job: JobKey(job.id.as_u128()),
            project,
            user,
            class: queue_class(job.class),
            order: job.order,
            submitted_ms: job.submitted.0,
            not_before_ms: job.not_before.0,
            demand: Demand { cpus_milli: job.cpus_milli, memory_bytes: job.memory_bytes },
            wall_ms: job.wall_ms,
        });
    }

    /// The shares as they are stored, so that a restart forgets no debt.
    fn shares(&self, now: Time) -> Vec<(ProjectId, UserId, f64, u64)> {
        let snapshot = self.queue.snapshot(now.0);
        let lines = snapshot.projects.into_iter().flat_map(|project| {
            let id = ProjectId::from_u128(project.project.0);
            project.users.into_iter().map(move |user| (id, UserId::from_u128(user.user.0), user.usage_seconds, now.0))
        });
        lines.filter(|(.., seconds, _)| *seconds > 0.01).collect()
    }

    /// How many jobs of each project wait for an approval.
    pub(crate) fn held_jobs(&self) -> BTreeMap<ProjectId, u64> {
        let mut held = BTreeMap::new();
        self.held.values().for_each(|one| *held.entry(one.project).or_default() += 1);
        held
    }

    /// What projects are doing, and what workers have.
    pub(crate) fn gauges(&self) -> Gauges {
        let mut gauges = Gauges::default();
        let held = self.held_jobs();
        for (project, account) in self.books.projects().filter(|(_, account)| account.queued + account.running > 0) {
            // What is held counts against quotas; it is in no queue.
            let queued = account.queued.saturating_sub(held.get(project).copied().unwrap_or(0));
            let now = Now { queued, running: account.running, ..Now::default() };
            gauges.projects.insert(*project, now);
        }
        for job in self.queue.running() {
            let now = gauges.projects.entry(ProjectId::from_u128(job.queued.project.0)).or_default();
            now.cpus_milli += u64::from(job.queued.demand.cpus_milli);
            now.memory_bytes += job.queued.demand.memory_bytes;
        }
        for present in self.present.values() {
            gauges.cpus_milli_most += u64::from(present.room.cpus_milli);
            gauges.memory_bytes_most += present.room.memory_bytes;
        }
        gauges
    }

    pub(crate) fn quotas(&self, project: ProjectId) -> Result<(&gambeson_api::Quota, &gambeson_api::Quota), Problem> {
        let project = self.directory.projects.get(&project);
        let project = project.ok_or_else(|| Problem::new(Code::NotFound, "the project is gone"))?;
        Ok((&project.quota, &project.user_quota))
    }
}

pub(crate) fn project_rules(project: &Project) -> queue::ProjectRules {
    queue::ProjectRules {
        weight: project.weight,
        running_max: u32::try_from(project.quota.running).unwrap_or(u32::MAX),
    }
}

impl Desk {
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// The time that leases and presence run by.
    pub(crate) fn attended(&self) -> Attended {
        self.attention.now()
    }

    /// Takes a look at the clock, once before whatever has come is done.
    pub(crate) fn look(&mut self) {
        let missed_ms = self.attention.look(self.clock.steady_ms());
        if missed_ms >= STALL_TOLD_MS {
            tracing::warn!(missed_ms, "the server stood still for {missed_ms} ms: no lease ran out meanwhile");
        }
    }

    /// Refuses to act on a decision that was made with an older directory.
    pub(crate) fn check(&self, version: u64) -> Act<()> {
        if version == self.state.directory.version { Ok(()) } else { Err(Failure::Stale) }
    }

    pub(crate) fn audit(&mut self, row: AuditRow) -> Stored<()> {
        self.chain.append(&mut *self.store, row)
    }

    /// Says by a row that the audit log did not fit its seal when it was loaded, if it did not.
    pub(crate) fn confess(&mut self) -> Stored<()> {
        let now = self.now();
        self.chain.confess(&mut *self.store, now)
    }

    /// A row about what the platform does by itself.
    pub(crate) fn audit_own(
        &mut self,
        actor: &str,
        action: &str,
        job: JobId,
        project: ProjectId,
        detail: serde_json::Value,
    ) -> Stored<()> {
        let row = audit::row(self.now(), actor, action, job.to_string());
        self.audit(AuditRow { project: Some(project), detail, ..row })
    }

    /// The directory changed: everybody gets the new one after the commit.
    pub(crate) fn directory_changed(&mut self) {
        self.state.directory.version += 1;
        self.directory_touched();
    }

    /// Something in the directory changed that no decision looks at: what was decided meanwhile stays good.
    pub(crate) fn directory_touched(&mut self) {
        if !self.effects.iter().any(|effect| matches!(effect, Effect::Directory)) {
            self.effects.push(Effect::Directory);
        }
    }

    /// Records an event.
    pub(crate) fn event(&mut self, job: JobId, seq: u64, attempt: u32, body: EventBody) -> Stored<()> {
        let (ended, touches) = (matches!(body, EventBody::Ended { .. }), Touches::by(&body));
        self.store.event_put(job, &Event { seq, at: self.now(), attempt, body })?;
        self.effects.push(Effect::Tell { job, ended, touches });
        Ok(())
    }

    /// Ends a job, for good: its row, its last event, its lease, its reservation, its charge.
    pub(crate) fn end(&mut self, mut row: JobRow, report: Report) -> Stored<()> {
        let now = self.now();
        let live = self.state.live.remove(&row.id);
        let key = JobKey(row.id.as_u128());
        let charged = report.outcome.end.is_charged();
        let ran_ms = row.started.map_or(0, |started| now.since_ms(started));
        let mut granted = None;
        let seq = match &live {
            Some(live) => {
                self.state.leases.remove(&live.lease);
                granted = self.end_lease(live.lease)?;
                self.state.queue.finish(key, now.0, if charged { ran_ms } else { 0 });
                live.seq
            }
            None => {
                self.state.held.remove(&row.id);
                row.held = None;
                self.state.queue.remove(key);
                self.store.event_last(row.id)?
            }
        };
        self.count(Fact::ended(&row, &report, live.as_ref(), granted));
        self.trace_lease(&row, granted, "ended");
        self.trace(row.id, || crate::trail::whole(&row, &report, now));
        // What a worker says is not believed beyond what the job could use.
        let cpu_ms = if charged { (report.usage.cpu_ms.max(0.0) as u64).min(row.ask.limits.cpu_ms) } else { 0 };
        if row.started.is_some() && charged {
            let (project, user) = (ProjectKey(row.project.as_u128()), UserKey(row.user.as_u128()));
            Arc::make_mut(&mut self.state.estimates).record(project, user, ran_ms);
        }
        let day = day_of(now);
        self.state.books.turn(day);
        self.store.usage_add(day, &UsageRow { project: row.project, user: row.user, jobs: 1, cpu_ms })?;
        let was_live = live.is_some();
        let reserved = row.ask.limits.cpu_ms;
        self.state.books.change(row.project, row.user, |account| {
            if was_live {
                account.running = account.running.saturating_sub(1);
            } else {
                account.queued = account.queued.saturating_sub(1);
            }
            account.cpu_reserved_ms = account.cpu_reserved_ms.saturating_sub(reserved);
            account.cpu_used_ms += cpu_ms;
            account.jobs += 1;
        });
        let until = now.plus_ms(self.config.keep_artifacts_ms);
        for (digest, size) in self.store.holds_end(row.id, until)? {
            // Uploaded by an attempt that was not settled: nobody can see it, and nobody pays for it.
            self.let_go(&digest, row.project, row.user, size)?;
        }
        self.happened(Happened::Ended { project: row.project, failed: report.outcome.end != End::Exited { code: 0 } });
        let (project, user, job) = (row.project, row.user, row.id);
        match &report.outcome.end {
            End::Fault { step } => {
                self.happened(Happened::Trouble(Trouble::Fault { project, user, job, step: step.clone() }));
            }
            End::Lost {} => self.happened(Happened::Trouble(Trouble::Lost { project, user, job })),
            End::Exited { .. } | End::Signalled { .. } | End::LimitHit { .. } | End::Refused {} | End::Cancelled {} => {
            }
        }
        let outcome = report.outcome.clone();
        row.state = JobState::Ended;
        row.ended = Some(now);
        row.report = Some(report);
        self.store.job_update(&row)?;
        // What an array brought is kept until the last of its elements has ended.
        if let Some(place) = row.array
            && !self.store.array_is_open(place.id)?
        {
            self.store.holds_end(JobId::from_u128(place.id.as_u128()), until)?;
        }
        self.event(row.id, seq + 1, row.attempt, EventBody::Ended { outcome })
    }

    /// Has something remembered, once it is committed.
    pub(crate) fn happened(&mut self, happened: Happened) {
        self.effects.push(Effect::Happened(happened));
    }

    /// Notes the end of a lease. When it was granted, if there is such.
    pub(crate) fn end_lease(&mut self, lease: LeaseId) -> Stored<Option<Time>> {
        let Some(mut row) = self.store.lease(lease)? else { return Ok(None) };
        row.ended = Some(self.now());
        self.store.lease_put(&row)?;
        Ok(Some(row.granted))
    }

    /// Has something told of a job, once it is committed, if its spans are told.
    pub(crate) fn trace(&mut self, job: JobId, span: impl FnOnce() -> Span) {
        if self.config.tracer.follows(job) {
            self.effects.push(Effect::Trace(Box::new(span())));
        }
    }

    /// Tells of an attempt that is over.
    pub(crate) fn trace_lease(&mut self, row: &JobRow, granted: Option<Time>, how: &'static str) {
        let (job, attempt, now) = (row.id, row.attempt, self.now());
        let Some(granted) = granted else { return };
        self.trace(job, || {
            let worker = row.worker.map(|worker| worker.to_string()).unwrap_or_default();
            Span::of(job, "lease", attempt, SpanId::of_job(job), granted.into(), now.into())
                .with("attempt", attempt)
                .with("worker.id", worker)
                .with("how", how)
        });
    }

    /// Has something counted, once it is committed.
    pub(crate) fn count(&mut self, fact: Fact) {
        self.effects.push(Effect::Count(fact));
    }

    /// Counts somebody whose token is not the one.
    pub(crate) fn note_stranger(&self, action: &str) {
        let detail = serde_json::json!({"code": "unauthenticated"});
        let row = audit::row(self.now(), "nobody", action, "platform");
        self.tally.note(AuditRow { allowed: false, detail, ..row });
    }

    /// Writes the rows of what was counted, as far as they are due; all of them before the end.
    pub(crate) fn tell_counted(&mut self, last: bool) -> Stored<()> {
        let due = self.tally.due(self.clock.steady_ms(), self.now(), last);
        self.told.extend(due.iter().cloned());
        for due in due {
            self.audit(due.row)?;
        }
        Ok(())
    }

    /// Once a second or so: what time alone brings about.
    pub(crate) fn tick(&mut self) -> Act<()> {
        let now = self.now();
        self.tell_counted(false)?;
        self.state.books.turn(day_of(now));
        for lease in std::mem::take(&mut self.undelivered) {
            self.retry(lease, "the worker had stopped asking when it was granted")?;
        }
        let attended = self.attended();
        let late: Vec<LeaseId> =
            self.state.live.values().filter(|live| live.expires <= attended).map(|live| live.lease).collect();
        for lease in late {
            self.expire(lease)?;
        }
        self.expire_held()?;
        let gone_after = self.config.lease_ms.saturating_mul(2);
        let gone: Vec<WorkerId> = self
            .state
            .present
            .iter()
            .filter(|(worker, present)| {
                attended.since_ms(present.heard) > gone_after
                    && !self.polls.values().any(|poll| poll.worker == **worker)
            })
            .map(|(worker, _)| *worker)
            .collect();
        for worker in gone {
            self.state.present.remove(&worker);
            self.state.queue.worker_gone(WorkerKey(worker.as_u128()));
        }
        self.keep_house()
    }

    /// Stores the shares, so that a restart forgets no debt.
    pub(crate) fn store_shares(&mut self) -> Stored<()> {
        let shares = serde_json::to_vec(&self.state.shares(self.now())).unwrap_or_default();
        if self.store.meta(SHARES)?.as_ref() != Some(&shares) {
            self.store.meta_put(SHARES, &shares)?;
        }
        Ok(())
    }
}

/// A report of a job that no worker reported on.
pub(crate) fn report_without_run(end: End, message: impl Into<String>) -> Report {
    Report {
        outcome: Outcome { end, message: message.into() },
        usage: Usage::default(),
        layers: Vec::<LayerReport>::new(),
        denials: Vec::new(),
        start: Start::Cold,
    }
}
