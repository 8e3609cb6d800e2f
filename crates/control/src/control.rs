//! What the server may ask for. Every operation is authenticated, decided and audited here.

use std::time::Duration;

use gambeson_api::*;
use gambeson_api::work::*;

/// An answer, or a problem for whoever asked.
pub type Answer<T> = Result<T, Problem>;

/// Somebody who showed a valid key.
#[derive(Debug, Clone)]
pub struct Caller { pub key: KeyId }

/// A worker that showed its credential.
#[derive(Debug, Clone)]
pub struct WorkerCaller { pub worker: WorkerId }

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub state: Option<JobState>,
    pub project: Option<String>,
    pub user: Option<String>,
    pub label: Option<String>,
    pub array: Option<ArrayId>,
    /// From 1 to 1000; 100 when left out.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// An open blob.
#[derive(Debug)]
pub struct OpenBlob { pub file: std::fs::File, pub size: u64 }

/// A blob on its way in.
#[derive(Debug)]
pub struct BlobWriter {}
impl BlobWriter {
    /// Blocking: the server calls it from a thread that may block.
    pub fn write(&mut self, bytes: &[u8]) -> Answer<()> { unimplemented!() }
    pub async fn finish(self) -> Answer<Blob> { unimplemented!() }
}

/// Follows a job's events.
#[derive(Debug)]
pub struct Follower {}
impl Follower {
    /// The next events, waiting for them; `None` after the last one of an ended job (or at shutdown).
    pub async fn next(&mut self) -> Answer<Option<Vec<Event>>> { unimplemented!() }
}

/// What was opened.
pub struct Opened { pub control: Control, /// The owner's key, at the first start only.
 pub setup_key: Option<String> }

/// All authority. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {}
#[allow(unused_variables)]
impl Control {
    pub fn open(config: crate::Config, clock: crate::Clock) -> Result<Opened, OpenError> { unimplemented!() }
    /// No more leases are granted; parked polls and followers are let go.
    pub async fn drain(&self) {}
    /// Commits what is under way and stops the writer.
    pub async fn close(&self) {}
    /// Whether the writer lives (for /healthz).
    pub fn healthy(&self) -> bool { unimplemented!() }

    /// `bearer` is what follows "Bearer " in Authorization. Rate limit included: Problem rate_limited with retry_after.
    pub fn authenticate(&self, bearer: Option<&str>) -> Answer<Caller> { unimplemented!() }
    pub fn authenticate_worker(&self, bearer: Option<&str>) -> Answer<WorkerCaller> { unimplemented!() }

    pub async fn submit(&self, caller: &Caller, submission: Submission) -> Answer<Accepted> { unimplemented!() }
    /// With `wait`: answers when the job ended, or when the time is over.
    pub async fn job(&self, caller: &Caller, id: JobId, wait: Duration) -> Answer<Job> { unimplemented!() }
    pub async fn jobs(&self, caller: &Caller, filter: JobFilter) -> Answer<JobList> { unimplemented!() }
    pub async fn job_source(&self, caller: &Caller, id: JobId) -> Answer<JobSource> { unimplemented!() }
    pub async fn job_cancel(&self, caller: &Caller, id: JobId) -> Answer<Job> { unimplemented!() }
    /// Events after `after`; `follow` false: ends after what is there.
    pub async fn job_events(&self, caller: &Caller, id: JobId, after: u64, follow: bool) -> Answer<Follower> { unimplemented!() }
    pub async fn artifacts(&self, caller: &Caller, id: JobId) -> Answer<ArtifactList> { unimplemented!() }
    pub async fn artifact(&self, caller: &Caller, id: JobId, path: &str) -> Answer<OpenBlob> { unimplemented!() }
    pub async fn array(&self, caller: &Caller, id: ArrayId) -> Answer<Array> { unimplemented!() }
    pub async fn array_cancel(&self, caller: &Caller, id: ArrayId) -> Answer<Array> { unimplemented!() }

    pub async fn blobs_missing(&self, caller: &Caller, query: BlobQuery) -> Answer<BlobsMissing> { unimplemented!() }
    pub async fn blob_write(&self, caller: &Caller, project: Option<&str>, digest: Digest) -> Answer<BlobWriter> { unimplemented!() }
    pub async fn blob_read(&self, caller: &Caller, digest: Digest) -> Answer<OpenBlob> { unimplemented!() }

    pub async fn queue(&self, caller: &Caller) -> Answer<Queue> { unimplemented!() }
    pub async fn workers(&self, caller: &Caller) -> Answer<WorkerList> { unimplemented!() }
    pub async fn join_token(&self, caller: &Caller) -> Answer<JoinToken> { unimplemented!() }
    pub async fn worker_drain(&self, caller: &Caller, id: WorkerId) -> Answer<Worker> { unimplemented!() }
    pub async fn posture(&self, caller: &Caller) -> Answer<Posture> { unimplemented!() }

    pub async fn projects(&self, caller: &Caller) -> Answer<ProjectList> { unimplemented!() }
    /// `name` is a name or an id, here and below.
    pub async fn project(&self, caller: &Caller, name: &str) -> Answer<Project> { unimplemented!() }
    pub async fn project_create(&self, caller: &Caller, new: NewProject) -> Answer<Project> { unimplemented!() }
    pub async fn project_change(&self, caller: &Caller, name: &str, change: ProjectChange) -> Answer<Project> { unimplemented!() }
    pub async fn users(&self, caller: &Caller) -> Answer<UserList> { unimplemented!() }
    pub async fn user_create(&self, caller: &Caller, new: NewUser) -> Answer<User> { unimplemented!() }
    pub async fn user_change(&self, caller: &Caller, name: &str, change: UserChange) -> Answer<User> { unimplemented!() }
    pub async fn members(&self, caller: &Caller, project: Option<&str>) -> Answer<MemberList> { unimplemented!() }
    pub async fn member_add(&self, caller: &Caller, change: MemberChange) -> Answer<Membership> { unimplemented!() }
    pub async fn member_remove(&self, caller: &Caller, change: MemberChange) -> Answer<MemberList> { unimplemented!() }
    pub async fn keys(&self, caller: &Caller, user: Option<&str>) -> Answer<KeyList> { unimplemented!() }
    pub async fn key_create(&self, caller: &Caller, new: NewKey) -> Answer<CreatedKey> { unimplemented!() }
    pub async fn key_revoke(&self, caller: &Caller, id: KeyId) -> Answer<Key> { unimplemented!() }
    pub async fn whoami(&self, caller: &Caller) -> Answer<WhoAmI> { unimplemented!() }
    pub async fn usage(&self, caller: &Caller, project: Option<&str>, day: Option<&str>) -> Answer<UsageReport> { unimplemented!() }
    pub async fn audit(&self, caller: &Caller, project: Option<&str>, after: u64, limit: u32) -> Answer<AuditList> { unimplemented!() }
    pub async fn audit_verify(&self, caller: &Caller, expected_head: Option<&str>) -> Answer<AuditVerdict> { unimplemented!() }
    pub async fn access_explain(&self, caller: &Caller, question: ExplainRequest) -> Answer<Explained> { unimplemented!() }
    pub async fn backup(&self, caller: &Caller, request: BackupRequest) -> Answer<Backup> { unimplemented!() }

    pub async fn worker_enrol(&self, join_token: Option<&str>, enrol: Enrol) -> Answer<Enrolled> { unimplemented!() }
    /// Parks until there is work or the time is over. Dropping the future gives up the place.
    pub async fn worker_lease(&self, worker: &WorkerCaller, request: LeaseRequest) -> Answer<Leases> { unimplemented!() }
    pub async fn worker_heartbeat(&self, worker: &WorkerCaller, beat: Heartbeat) -> Answer<HeartbeatAnswer> { unimplemented!() }
    pub async fn lease_append(&self, lease: LeaseId, token: Option<&str>, append: Append) -> Answer<Appended> { unimplemented!() }
    pub async fn lease_settle(&self, lease: LeaseId, token: Option<&str>, settle: Settle) -> Answer<Done> { unimplemented!() }
    pub async fn lease_hand_back(&self, lease: LeaseId, token: Option<&str>, back: HandBack) -> Answer<Done> { unimplemented!() }
    pub async fn lease_blob_read(&self, lease: LeaseId, token: Option<&str>, digest: Digest) -> Answer<OpenBlob> { unimplemented!() }
    pub async fn lease_blob_write(&self, lease: LeaseId, token: Option<&str>, digest: Digest) -> Answer<BlobWriter> { unimplemented!() }
}

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);
