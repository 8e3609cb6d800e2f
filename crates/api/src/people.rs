//! Who asks, who pays, who runs, and what was decided about them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::destination::Destination;
use crate::id::{JobId, KeyId, ProjectId, UserId, WorkerId};
use crate::job::{Class, StartAsked};
use crate::limits::Limits;
use crate::outcome::LayerReport;
use crate::time::Time;
use crate::watching::Vitals;

/// Person or program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UserKind {
    /// A person.
    #[default]
    Person,
    /// A service account.
    Service,
}

wire! {
    /// A role that a user holds.
    pub struct Membership {
        /// In which project; absent for the whole platform.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub project: Option<ProjectId>,
        /// The project's name, or `platform`.
        pub project_name: String,
        /// Who.
        pub user: UserId,
        /// The user's name.
        pub user_name: String,
        /// owner, operator, submitter, viewer or auditor.
        pub role: String,
    }

    /// A role to give, or to take away.
    #[serde(deny_unknown_fields)]
    pub struct MemberChange {
        /// The project, by name or id; `platform` for all of them.
        pub project: String,
        /// The user, by name or id.
        pub user: String,
        /// owner, operator, submitter, viewer or auditor.
        pub role: String,
    }

    /// Everybody who holds a role.
    pub struct MemberList {
        /// The roles.
        pub members: Vec<Membership>,
    }

    /// A user.
    pub struct User {
        /// Its id.
        pub id: UserId,
        /// Its unique name.
        pub name: String,
        /// Person or program.
        pub kind: UserKind,
        /// Whether all it asks is refused.
        pub disabled: bool,
        /// When it was made.
        pub created_at: Time,
    }

    /// A user to make.
    #[serde(deny_unknown_fields)]
    pub struct NewUser {
        /// A name of 1 to 64 letters, digits, `.`, `_`, `-` and `@`.
        pub name: String,
        /// Person or program.
        #[serde(default)]
        pub kind: UserKind,
    }

    /// What to change of a user.
    #[serde(deny_unknown_fields)]
    pub struct UserChange {
        /// Whether all it asks is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub disabled: Option<bool>,
    }

    /// Users.
    pub struct UserList {
        /// The users, by name.
        pub users: Vec<User>,
    }

    /// Who the caller is.
    pub struct WhoAmI {
        /// The user.
        pub user: User,
        /// The key that was used.
        pub key: Key,
        /// Roles held.
        pub roles: Vec<Membership>,
    }

    /// A key, without its secret.
    pub struct Key {
        /// Its id.
        pub id: KeyId,
        /// What its owner calls it.
        pub name: String,
        /// Whose it is.
        pub user: UserId,
        /// The owner's name.
        pub user_name: String,
        /// The only project it works in, if it is bound to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub project: Option<ProjectId>,
        /// What it may be used for.
        pub scopes: Vec<String>,
        /// When it was made.
        pub created_at: Time,
        /// When it stops working.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<Time>,
        /// When it was used last, to the minute.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub last_used_at: Option<Time>,
        /// When it was revoked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub revoked_at: Option<Time>,
    }

    /// A key to make.
    #[serde(deny_unknown_fields)]
    pub struct NewKey {
        /// What to call it.
        pub name: String,
        /// Whose it shall be, by name or id; the caller's own when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user: Option<String>,
        /// The only project it shall work in, by name or id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub project: Option<String>,
        /// What it may be used for: jobs:read, jobs:write, keys, admin:read, admin, audit:read, or *.
        pub scopes: Vec<String>,
        /// When it stops working: a time such as `30d` from now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_in: Option<String>,
    }

    /// A key that was just made: the only time that its secret is shown.
    pub struct CreatedKey {
        /// The key.
        pub key: Key,
        /// The whole key, `gmb_…`: keep it, it cannot be shown again.
        pub secret: String,
    }

    /// Keys.
    pub struct KeyList {
        /// The keys, newest first.
        pub keys: Vec<Key>,
    }

    /// What a project or one of its users may use at most.
    #[derive(Copy, Eq)]
    #[serde(deny_unknown_fields)]
    pub struct Quota {
        /// Jobs running at once.
        pub running: u64,
        /// Jobs waiting at once.
        pub queued: u64,
        /// CPU time of a day (UTC), milliseconds.
        pub cpu_ms_per_day: u64,
        /// Bytes of blobs and artifacts kept.
        pub stored_bytes: u64,
    }

    /// A project: it owns jobs, and pays.
    pub struct Project {
        /// Its id.
        pub id: ProjectId,
        /// Its unique name.
        pub name: String,
        /// Whether it takes no jobs.
        pub suspended: bool,
        /// Its share of a full queue, against the other projects'.
        pub weight: u32,
        /// What it may use at most.
        pub quota: Quota,
        /// What each of its users may use at most.
        pub user_quota: Quota,
        /// The most that one of its jobs may ask for.
        pub ceiling: Limits,
        /// The highest priority class of its jobs.
        pub class_most: Class,
        /// How the interpreters of its jobs start, at least: a job may ask for a stricter start.
        #[serde(default)]
        pub start: StartAsked,
        /// Where its jobs may ask to connect to; nowhere unless it says so.
        #[serde(default)]
        pub network_allow: Vec<Destination>,
        /// When it was made.
        pub created_at: Time,
    }

    /// A project to make; what is left out has the installation's defaults.
    #[serde(deny_unknown_fields)]
    pub struct NewProject {
        /// A name of 1 to 64 letters, digits, `.`, `_` and `-`.
        pub name: String,
        /// The rest.
        #[serde(default)]
        pub settings: ProjectChange,
    }

    /// What to change of a project; what is left out stays.
    #[derive(Default)]
    #[serde(deny_unknown_fields, default)]
    pub struct ProjectChange {
        /// Whether it takes no jobs.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub suspended: Option<bool>,
        /// Its share, from 1 to 1000.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub weight: Option<u32>,
        /// What it may use at most.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub quota: Option<Quota>,
        /// What each of its users may use at most.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub user_quota: Option<Quota>,
        /// The most that one of its jobs may ask for.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ceiling: Option<crate::limits::LimitsAsked>,
        /// The highest priority class of its jobs.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub class_most: Option<Class>,
        /// How the interpreters of its jobs start, at least.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub start: Option<StartAsked>,
        /// Where its jobs may ask to connect to: all of it, in the place of what was.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub network_allow: Option<Vec<Destination>>,
    }

    /// Projects.
    pub struct ProjectList {
        /// The projects that the caller may see, by name.
        pub projects: Vec<Project>,
    }

    /// The queue as the caller may see it.
    pub struct Queue {
        /// Jobs waiting for a worker, of the projects that the caller sees.
        pub queued: u64,
        /// Jobs waiting for an approval, which are not in the queue.
        pub held: u64,
        /// Jobs running, of the projects that the caller sees.
        pub running: u64,
        /// The caller's projects, with their users.
        pub shares: Vec<Share>,
        /// Those of the caller's jobs that are next, in the expected order.
        pub next: Vec<QueuedJob>,
    }

    /// What a project, or a user in it, holds and is due.
    pub struct Share {
        /// Which project.
        pub project: ProjectId,
        /// Its name.
        pub project_name: String,
        /// Which user; absent for the project's own line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user: Option<UserId>,
        /// The user's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user_name: Option<String>,
        /// Jobs waiting.
        pub queued: u64,
        /// Jobs running.
        pub running: u64,
        /// Weight against its siblings.
        pub weight: u32,
        /// Its part of what was used lately, 0 to 1.
        pub used: f64,
        /// Its part by weight, 0 to 1, of those who use or wait.
        pub due: f64,
    }

    /// A waiting job in its expected place.
    pub struct QueuedJob {
        /// Which.
        pub id: JobId,
        /// Which file runs.
        pub entry: String,
        /// Who pays.
        pub project: ProjectId,
        /// The project's name.
        pub project_name: String,
        /// Who asked.
        pub user: UserId,
        /// The user's name.
        pub user_name: String,
        /// Priority class.
        pub class: Class,
        /// Jobs before it.
        pub position: u64,
        /// When it came.
        pub submitted_at: Time,
        /// When it will have started in half of the cases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expected_start_p50: Option<Time>,
        /// Why it waits: a sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub why: Option<String>,
    }

    /// A worker.
    pub struct Worker {
        /// Its id.
        pub id: WorkerId,
        /// Its name.
        pub name: String,
        /// Whether it was heard of lately.
        pub connected: bool,
        /// Whether it gets no new jobs.
        pub draining: bool,
        /// Its program's version.
        pub version: String,
        /// CPUs that it gives to cells, thousandths.
        pub cpus_milli: u32,
        /// Bytes of memory that it gives to cells.
        pub memory_bytes: u64,
        /// Cells at once.
        pub slots: u32,
        /// Jobs that it has now.
        pub running: u64,
        /// Its interpreter.
        pub environment: String,
        /// When it was heard of last.
        pub seen_at: Time,
        /// When it was enrolled.
        pub enrolled_at: Time,
        /// How it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub vitals: Option<Vitals>,
    }

    /// Workers.
    pub struct WorkerList {
        /// The workers, by name.
        pub workers: Vec<Worker>,
    }

    /// A token by which one worker enrols, once.
    pub struct JoinToken {
        /// The token, `gmj_…`: it cannot be shown again.
        pub token: String,
        /// When it stops working.
        pub expires_at: Time,
    }

    /// What the layers of each worker are.
    pub struct Posture {
        /// Each worker.
        pub workers: Vec<WorkerPosture>,
    }

    /// The layers of one worker, as it probed them.
    pub struct WorkerPosture {
        /// Which.
        pub worker: WorkerId,
        /// Its name.
        pub name: String,
        /// Its layers.
        pub layers: Vec<LayerReport>,
    }

    /// What was used, reserved and may be.
    pub struct UsageReport {
        /// The day (UTC), as `2026-11-25`.
        pub day: String,
        /// A line for each project and user that the caller may see.
        pub lines: Vec<UsageLine>,
    }

    /// What one project, or one user in it, used.
    pub struct UsageLine {
        /// Which project.
        pub project: ProjectId,
        /// Its name.
        pub project_name: String,
        /// Which user; absent for the project's own line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user: Option<UserId>,
        /// The user's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user_name: Option<String>,
        /// Jobs that ended this day.
        pub jobs: u64,
        /// CPU time that was used and charged this day, milliseconds.
        pub cpu_ms: u64,
        /// CPU time that is reserved for jobs that wait or run, milliseconds.
        pub cpu_reserved_ms: u64,
        /// Jobs waiting.
        pub queued: u64,
        /// Jobs running.
        pub running: u64,
        /// Bytes kept.
        pub stored_bytes: u64,
        /// What it may use at most.
        pub quota: Quota,
    }

    /// A row of the audit log.
    pub struct AuditRow {
        /// Its place, from 1, without gaps.
        pub seq: u64,
        /// When.
        pub at: Time,
        /// Who: a user, `worker`, `system`, or nobody.
        pub actor: String,
        /// By which key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub key: Option<KeyId>,
        /// What was asked, such as `job.submit`.
        pub action: String,
        /// On what.
        pub resource: String,
        /// The project that it lies in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub project: Option<ProjectId>,
        /// Whether it was allowed.
        pub allowed: bool,
        /// Which policies decided.
        pub policies: Vec<String>,
        /// More about it.
        pub detail: Value,
        /// The chain's value after this row, hexadecimal.
        pub hash: String,
    }

    /// A page of the audit log, oldest first.
    pub struct AuditList {
        /// The rows.
        pub rows: Vec<AuditRow>,
        /// What to ask for, as `after`, to get the next page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub next: Option<u64>,
    }

    /// Whether the audit log is whole.
    pub struct AuditVerdict {
        /// Whether it is.
        pub whole: bool,
        /// Rows that were read.
        pub rows: u64,
        /// The chain's last value, hexadecimal: note it elsewhere to notice a log that was exchanged as a whole.
        pub head: String,
        /// What is wrong first, in a sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub broken: Option<String>,
    }

    /// A question about access.
    #[serde(deny_unknown_fields)]
    pub struct ExplainRequest {
        /// Whose right, by name or id; the caller's own when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub user: Option<String>,
        /// To do what, such as `job.cancel`.
        pub action: String,
        /// In which project, by name or id, or `platform`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub project: Option<String>,
        /// On which job.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        /// What else a policy may look at: `class`, `labels` …
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub context: BTreeMap<String, Value>,
    }

    /// An answer about access.
    pub struct Explained {
        /// Whether it would be allowed.
        pub allowed: bool,
        /// Why, in a sentence.
        pub says: String,
        /// The policies that decided, with their text.
        pub policies: Vec<ExplainedPolicy>,
        /// The roles that the user holds there.
        pub roles: Vec<String>,
        /// What would change the answer.
        pub remedies: Vec<String>,
    }

    /// A policy that decided.
    pub struct ExplainedPolicy {
        /// Its id.
        pub id: String,
        /// The file that it stands in.
        pub file: String,
        /// Its text.
        pub text: String,
    }

    /// Where to write a copy of the store, on the server's own disk.
    #[serde(deny_unknown_fields)]
    pub struct BackupRequest {
        /// A name of letters, digits, `.`, `_` and `-`: the file in the data directory's `backups/`.
        pub name: String,
    }

    /// A copy of the store that was written.
    pub struct Backup {
        /// The file, on the server.
        pub path: String,
        /// Its size in bytes.
        pub size: u64,
    }

    /// Digests to ask for.
    #[serde(deny_unknown_fields)]
    pub struct BlobQuery {
        /// In which project, by name or id; as for a submission when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub project: Option<String>,
        /// At most 10,000.
        pub digests: Vec<crate::content::Digest>,
    }

    /// Those that are not there.
    pub struct BlobsMissing {
        /// Their digests.
        pub missing: Vec<crate::content::Digest>,
    }

    /// A blob that is stored.
    pub struct Blob {
        /// Its digest.
        pub digest: crate::content::Digest,
        /// Its size in bytes.
        pub size: u64,
    }

    /// Artifacts of a job.
    pub struct ArtifactList {
        /// What was kept, by path.
        pub artifacts: Vec<crate::job::Artifact>,
        /// What was not, and why.
        pub skipped: Vec<crate::work::Skipped>,
        /// When they are deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expires_at: Option<Time>,
    }
}
