//! What is durable: rows, and the operations on them that decisions need. No SQL shows through.
//!
//! SQLite implements it ([`sqlite`]); PostgreSQL will by the same traits. Nothing here decides.
//!
//! Invariants:
//! 1. What is written is written inside a transaction of the writer; readers see committed states only.
//! 2. A transaction stays as a whole, or not at all.

pub(crate) mod sqlite;

use std::collections::BTreeMap;
use std::path::Path;

use gambeson_api::{
    ArrayId, ArrayPlace, Artifact, AuditRow, Class, Content, Digest, Event, Job, JobId, JobState, KeyId, LayerReport,
    LeaseId, Limits, Network, Project, ProjectId, Report, StartAsked, Time, User, UserId, WorkerId, work::Room,
    work::Skipped,
};
use serde::{Deserialize, Serialize};

use crate::house::EventsForgotten;
use crate::vetting::Verdicts;

/// Why the store did not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    /// The disk is full; nothing of the transaction was written.
    #[error("the disk is full")]
    Full,
    /// Something else: a broken file, a broken disk, a mistake of ours.
    #[error("the store failed: {0}")]
    Failed(String),
}

pub(crate) type Stored<T> = Result<T, StoreError>;

/// A key with the hash of its secret.
#[derive(Debug, Clone)]
pub(crate) struct KeyRow {
    pub id: KeyId,
    pub name: String,
    pub user: UserId,
    pub project: Option<ProjectId>,
    pub scopes: Vec<String>,
    pub hash: [u8; 32],
    pub created: Time,
    pub expires: Option<Time>,
    pub last_used: Option<Time>,
    pub revoked: Option<Time>,
}

impl KeyRow {
    /// Since when it is not valid any more.
    pub(crate) fn ended(&self, now: Time) -> Option<Time> {
        let expired = self.expires.filter(|expires| *expires <= now);
        self.revoked.into_iter().chain(expired).min()
    }
}

/// A role, held in a project or (`None`) on the whole platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberRow {
    pub user: UserId,
    pub project: Option<ProjectId>,
    pub role: String,
}

/// A worker with the hash of its credential.
#[derive(Debug, Clone)]
pub(crate) struct WorkerRow {
    pub id: WorkerId,
    pub name: String,
    pub hash: [u8; 32],
    pub room: Room,
    pub version: String,
    pub environment: String,
    pub layers: Vec<LayerReport>,
    pub draining: bool,
    pub enrolled: Time,
    pub seen: Time,
}

/// What a job asks for, beside what its program is given: stored as one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub entry: String,
    pub limits: Limits,
    pub network: Network,
    pub labels: BTreeMap<String, String>,
    pub may_rerun: bool,
    #[serde(default)]
    pub start: StartAsked,
}

/// What a program is given beside its files. It may be megabytes, which most who look at a job do not need: it is stored
/// as a source is, by its digest, and once for all elements of an array.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Input {
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub stdin: Content,
}

/// Why a job is held until somebody approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    /// The policies that hold it.
    pub policies: Vec<String>,
    /// The words of the first of them.
    pub says: String,
}

/// A job.
#[derive(Debug, Clone)]
pub(crate) struct JobRow {
    pub id: JobId,
    /// Place in the order of submission.
    pub order: u64,
    pub project: ProjectId,
    pub user: UserId,
    pub key: KeyId,
    pub state: JobState,
    pub class: Class,
    pub source: Digest,
    pub ask: Ask,
    /// Where its [`Input`] is, unless that is empty.
    pub input: Option<Digest>,
    pub array: Option<ArrayPlace>,
    pub submitted: Time,
    pub not_before: Time,
    pub started: Option<Time>,
    pub ended: Option<Time>,
    pub attempt: u32,
    /// Attempts that a worker gave back before the program started.
    pub handed_back: u32,
    pub worker: Option<WorkerId>,
    pub cancel_requested: bool,
    pub report: Option<Report>,
    pub skipped: Vec<Skipped>,
    /// How many findings are kept about it, under its own id or its array's; `None` if nobody read its source.
    pub vetted: Option<u32>,
    /// Set while it waits for an approval, and not in the queue.
    pub held: Option<Hold>,
    /// What became of the findings.
    pub verdicts: Option<Verdicts>,
}

impl JobRow {
    /// Under which id the findings about its source are kept.
    pub(crate) fn findings_holder(&self) -> JobId {
        self.array.map_or(self.id, |place| JobId::from_u128(place.id.as_u128()))
    }
}

/// What the queue needs to know of a job that has not ended: little, since there may be a million.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenJob {
    pub id: JobId,
    pub order: u64,
    pub project: ProjectId,
    pub user: UserId,
    pub state: JobState,
    pub class: Class,
    pub submitted: Time,
    pub not_before: Time,
    pub started: Option<Time>,
    pub cpus_milli: u32,
    pub memory_bytes: u64,
    pub wall_ms: u64,
    pub cpu_ms: u64,
    /// Whether it waits for an approval, and not for a worker.
    pub held: bool,
}

/// A worker's right to an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeaseRow {
    pub id: LeaseId,
    pub job: JobId,
    pub attempt: u32,
    pub worker: WorkerId,
    pub hash: [u8; 32],
    /// Entries recorded.
    pub appended: u64,
    pub started: bool,
    pub granted: Time,
    pub ended: Option<Time>,
}

/// Which jobs to list, newest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobQuery {
    pub state: Option<JobState>,
    /// Any job of these projects.
    pub projects: Vec<ProjectId>,
    /// Of these, only the jobs of `me`.
    pub own: Vec<ProjectId>,
    pub me: Option<UserId>,
    pub user: Option<UserId>,
    pub label: Option<String>,
    pub array: Option<ArrayId>,
    /// Only jobs older than this one.
    pub before: Option<JobId>,
    pub limit: u32,
}

/// What a submission with an idempotency key became.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remembered {
    pub fingerprint: [u8; 32],
    pub job: JobId,
    pub array: Option<(ArrayId, u32)>,
}

/// What was used on a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UsageRow {
    pub project: ProjectId,
    pub user: UserId,
    pub jobs: u64,
    pub cpu_ms: u64,
}

/// Who keeps a blob, why, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlobHold {
    pub digest: Digest,
    pub project: ProjectId,
    pub user: UserId,
    /// The job that needs it or made it, or the array (its id, as a job's) whose elements need it; `None` for a plain
    /// upload.
    pub job: Option<JobId>,
    pub size: u64,
    /// `None` while the job has not ended, but for what its worker uploaded and has not settled.
    pub until: Option<Time>,
}

/// Transactions.
pub(crate) trait Transactions {
    fn begin(&mut self) -> Stored<()>;
    fn commit(&mut self) -> Stored<()>;
    fn rollback(&mut self);
    /// Writes a consistent copy over an empty file, while others read and write. Syncing it is the caller's.
    fn backup(&self, to: &Path) -> Stored<()>;
}

/// Users, projects, roles, keys, workers, and single values.
pub(crate) trait People {
    fn meta(&self, name: &str) -> Stored<Option<Vec<u8>>>;
    fn meta_put(&mut self, name: &str, value: &[u8]) -> Stored<()>;
    fn users(&self) -> Stored<Vec<User>>;
    fn user_put(&mut self, user: &User) -> Stored<()>;
    fn projects(&self) -> Stored<Vec<Project>>;
    fn project_put(&mut self, project: &Project) -> Stored<()>;
    fn members(&self) -> Stored<Vec<MemberRow>>;
    fn member_put(&mut self, member: &MemberRow) -> Stored<()>;
    fn member_delete(&mut self, member: &MemberRow) -> Stored<bool>;
    fn keys(&self) -> Stored<Vec<KeyRow>>;
    fn key_put(&mut self, key: &KeyRow) -> Stored<()>;
    fn key_used(&mut self, key: KeyId, at: Time) -> Stored<()>;
    fn key_delete(&mut self, key: KeyId) -> Stored<()>;
    fn workers(&self) -> Stored<Vec<WorkerRow>>;
    fn worker_put(&mut self, worker: &WorkerRow) -> Stored<()>;
    fn join_token_put(&mut self, hash: &[u8; 32], expires: Time) -> Stored<()>;
    /// Uses it up. Whether it was there and valid.
    fn join_token_take(&mut self, hash: &[u8; 32], now: Time) -> Stored<bool>;
}

/// Jobs, their sources, leases and events.
pub(crate) trait Jobs {
    fn source_put(&mut self, digest: &Digest, body: &[u8]) -> Stored<()>;
    fn source(&self, digest: &Digest) -> Stored<Option<Vec<u8>>>;
    /// What a job's program is given.
    fn input(&self, job: &JobRow) -> Stored<Input> {
        let Some(digest) = &job.input else { return Ok(Input::default()) };
        let body =
            self.source(digest)?.ok_or_else(|| StoreError::Failed(format!("the input of {} is gone", job.id)))?;
        serde_json::from_slice(&body).map_err(|error| StoreError::Failed(error.to_string()))
    }
    /// Keeps what was remarked about the source of a job, or of all elements of an array (under its id, as a job's).
    fn findings_put(&mut self, holder: JobId, body: &[u8]) -> Stored<()>;
    fn findings(&self, holder: JobId) -> Stored<Option<Vec<u8>>>;
    /// Counts how advice came out: of which rule or act, and how.
    fn vet_record_add(&mut self, what: &str, outcome: &str, count: u64) -> Stored<()>;
    fn vet_record(&self) -> Stored<Vec<(String, String, u64)>>;
    fn job_insert(&mut self, job: &JobRow) -> Stored<()>;
    fn job(&self, id: JobId) -> Stored<Option<JobRow>>;
    /// Replaces what changes in a job's life: state, times, attempt, worker, cancellation, report.
    fn job_update(&mut self, job: &JobRow) -> Stored<()>;
    /// Calls `each` for every job that has not ended, in the order of submission.
    fn jobs_open(&self, each: &mut dyn FnMut(OpenJob)) -> Stored<()>;
    /// Jobs as a list shows them: their reports have no layers and no denials, and they have nothing that was skipped.
    fn jobs(&self, query: &JobQuery) -> Stored<Vec<JobRow>>;
    /// The highest order of any job.
    fn order_last(&self) -> Stored<u64>;
    /// The project of an array, how many of its elements are in each state, and how many ended in each way.
    #[expect(clippy::type_complexity, reason = "two small tables of one query")]
    fn array(
        &self,
        array: ArrayId,
    ) -> Stored<Option<(ProjectId, UserId, u32, BTreeMap<String, u64>, BTreeMap<String, u64>)>>;
    /// At most `count` elements after one that have not ended, in order.
    fn array_open(&self, array: ArrayId, after: JobId, count: u32) -> Stored<Vec<JobId>>;
    fn array_is_open(&self, array: ArrayId) -> Stored<bool>;
    fn remembered(&self, user: UserId, project: ProjectId, key: &str) -> Stored<Option<Remembered>>;
    fn remember(&mut self, user: UserId, project: ProjectId, key: &str, what: &Remembered, at: Time) -> Stored<()>;
    fn lease_put(&mut self, lease: &LeaseRow) -> Stored<()>;
    fn lease(&self, id: LeaseId) -> Stored<Option<LeaseRow>>;
    fn leases_open(&self) -> Stored<Vec<LeaseRow>>;
    fn event_put(&mut self, job: JobId, event: &Event) -> Stored<()>;
    /// Events after `after`, in order: at most `count`, and no more once `bytes` of output are reached.
    fn events(&self, job: JobId, after: u64, count: usize, bytes: usize) -> Stored<Vec<Event>>;
    /// The same of output alone: of a job that ran long, most other events are samples.
    fn events_of_output(&self, job: JobId, after: u64, count: usize, bytes: usize) -> Stored<Vec<Event>>;
    /// The last place.
    fn event_last(&self, job: JobId) -> Stored<u64>;
    /// Deletes at most `count` jobs that ended before `before`, with all that hangs on them, and at most `events` events.
    /// Whether there may be more.
    fn jobs_forget(&mut self, before: Time, count: u32, events: u32) -> Stored<bool>;
    /// Deletes the events but the last of at most `count` jobs that ended after a place and before `before`, at most
    /// `events` of them. The place up to which that is done, and whether there may be more.
    fn events_forget(
        &mut self,
        after: EventsForgotten,
        before: Time,
        count: u32,
        events: u32,
    ) -> Stored<(EventsForgotten, bool)>;
}

/// Blobs, artifacts, usage.
pub(crate) trait Blobs {
    fn artifact_put(&mut self, job: JobId, artifact: &Artifact) -> Stored<()>;
    fn artifacts(&self, job: JobId) -> Stored<Vec<Artifact>>;
    fn blob_size(&self, digest: &Digest) -> Stored<Option<u64>>;
    /// Known blobs with their sizes, in the order of their digests, after one.
    fn blobs(&self, after: Option<&Digest>, count: u32) -> Stored<Vec<(Digest, u64)>>;
    fn blob_put(&mut self, digest: &Digest, size: u64, at: Time) -> Stored<()>;
    fn hold_put(&mut self, hold: &BlobHold) -> Stored<()>;
    /// Whether anybody in one of the projects keeps it.
    fn is_held(&self, digest: &Digest, project: ProjectId) -> Stored<bool>;
    /// Whether this user of this project keeps it: by the table's key, however many others do.
    fn is_kept(&self, digest: &Digest, project: ProjectId, user: UserId) -> Stored<bool>;
    /// Whether this job of theirs keeps it.
    fn is_held_by(&self, digest: &Digest, project: ProjectId, user: UserId, job: JobId) -> Stored<bool>;
    /// The projects that keep it, with who does.
    fn holders(&self, digest: &Digest) -> Stored<Vec<(ProjectId, UserId)>>;
    /// Bytes kept, for each project and user; a blob kept twice by the same counts once.
    fn stored(&self) -> Stored<Vec<(ProjectId, UserId, u64)>>;
    /// Bytes of all blobs. Costs a look at each.
    fn blob_bytes(&self) -> Stored<u64>;
    /// The holds of a job get their end. Those that had one already, of uploads that no settlement named, are deleted,
    /// and returned with their sizes.
    fn holds_end(&mut self, job: JobId, until: Time) -> Stored<Vec<(Digest, u64)>>;
    /// Deletes at most `count` holds that are over, and names them with their sizes.
    fn holds_forget(&mut self, now: Time, count: u32) -> Stored<Vec<(Digest, ProjectId, UserId, u64)>>;
    /// Looks at `count` blobs after one, in the order of digests, and deletes those that were there before `before` and
    /// nobody keeps. Names them, and the last that it looked at, unless it was at the end.
    fn blobs_forget(
        &mut self,
        after: Option<&Digest>,
        before: Time,
        count: u32,
    ) -> Stored<(Vec<Digest>, Option<Digest>)>;
    fn usage_add(&mut self, day: u32, row: &UsageRow) -> Stored<()>;
    fn usage(&self, day: u32) -> Stored<Vec<UsageRow>>;
}

/// What rows of the audit log are looked for.
#[derive(Debug, Clone, Default)]
pub struct AuditSearch {
    /// Of this project.
    pub project: Option<ProjectId>,
    /// Of this actor.
    pub actor: Option<String>,
    /// Of this action, or of all whose name begins with it and a dot.
    pub action: Option<String>,
    /// About this.
    pub resource: Option<String>,
    /// Allowed, or refused.
    pub allowed: Option<bool>,
    /// Not before, and before.
    pub from: Option<Time>,
    pub until: Option<Time>,
    /// Places from this one to that, both included.
    pub places: (u64, u64),
    /// Whether the newest come first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: u32,
}

/// The audit log.
pub(crate) trait Audits {
    fn audit_put(&mut self, row: &AuditRow) -> Stored<()>;
    /// Rows after `after`, oldest first.
    fn audit(&self, project: Option<ProjectId>, after: u64, limit: u32) -> Stored<Vec<AuditRow>>;
    fn audit_search(&self, search: &AuditSearch) -> Stored<Vec<AuditRow>>;
    fn audit_last(&self) -> Stored<Option<AuditRow>>;
}

/// All of it.
pub(crate) trait Store: Transactions + People + Jobs + Blobs + Audits + Send {}

impl<T: Transactions + People + Jobs + Blobs + Audits + Send> Store for T {}

/// The bounds that a shown job keeps.
pub(crate) const STREAM_MOST: usize = Job::STREAM_MOST;
