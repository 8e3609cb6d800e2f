//! What people and programs ask of a server.

use std::future::Future;
use std::time::Duration;

use futures_util::stream;
use reqwest::{Body, Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::changes::Listener;
use super::connection::{ClientError, Connection};
use super::events::{Follower, Until};
use crate::content::Digest;
use crate::id::{ArrayId, JobId, KeyId, WorkerId};
use crate::job::{Accepted, Array, Job, JobList, JobSource, JobState, Submission};
use crate::people::*;
use crate::time::Time;
use crate::vet::{VetRecord, Vetted};
use crate::watching::{AttentionList, History};

/// How long an answer may take that needs no waiting.
const ANSWER_MOST: Duration = Duration::from_secs(60);

/// How long a file of any size may travel.
const TRANSFER_MOST: Duration = Duration::from_secs(3600);

/// How long an upload of so many bytes may take. An hour for each would be how long a client waits where a connection
/// breaks so early that it is not told.
fn upload_most(bytes: usize) -> Duration {
    (ANSWER_MOST + Duration::from_millis(bytes as u64 >> 4)).min(TRANSFER_MOST)
}

/// How often a request that may be repeated is tried.
const TRIES: u32 = 6;

/// Bytes of an upload that travel in one piece.
const PIECE: usize = 64 << 10;

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only those in this state.
    pub state: Option<JobState>,
    /// Only those of this project, by name or id.
    pub project: Option<String>,
    /// Only those of this user, by name or id.
    pub user: Option<String>,
    /// Only those with all of these labels.
    pub labels: Vec<(String, String)>,
    /// Only elements of this array.
    pub array: Option<ArrayId>,
    /// The most on a page.
    pub limit: Option<u32>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

/// Which rows of the audit log to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Where the page begins: `next` of the page before, in the same order.
    pub after: Option<u64>,
    /// The most on a page.
    pub limit: Option<u32>,
    /// Only rows of this project, by name or id.
    pub project: Option<String>,
    /// Only rows of this actor: a user's name, `worker`, `system` or `nobody`.
    pub actor: Option<String>,
    /// Only rows of this action, such as `key.create`; `key` means all that begin with `key.`.
    pub action: Option<String>,
    /// Only rows about this, such as an id.
    pub resource: Option<String>,
    /// Only what was allowed, or only what was refused.
    pub allowed: Option<bool>,
    /// Only rows that are not older than this.
    pub from: Option<Time>,
    /// Only rows that are older than this.
    pub until: Option<Time>,
    /// Whether the newest come first.
    pub newest_first: bool,
}

/// A path with its query.
struct Address {
    text: String,
    asked: bool,
}

impl Address {
    /// `path` is ours; what others wrote goes through [`encoded`] first.
    fn new(path: impl Into<String>) -> Address {
        Address { text: path.into(), asked: false }
    }

    /// Adds `name=value`, if there is one.
    fn with(mut self, name: &str, value: Option<impl ToString>) -> Address {
        if let Some(value) = value {
            self.text.push(if self.asked { '&' } else { '?' });
            self.asked = true;
            self.text.push_str(name);
            self.text.push('=');
            self.text.push_str(&encoded(&value.to_string()));
        }
        self
    }
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte as char),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
        text
    })
}

/// A duration as the query `wait` wants it.
fn milliseconds(wait: Duration) -> String {
    if wait.subsec_millis() == 0 { format!("{}s", wait.as_secs()) } else { format!("{}ms", wait.as_millis()) }
}

/// Tries something that may be repeated until it succeeds, or fails for good. One that never reached the server fails
/// at once: somebody waits for the answer, and nothing was lost.
async fn repeated<T, F: Future<Output = Result<T, ClientError>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, ClientError> {
    let mut tries = 1;
    loop {
        let error = match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let never_there =
            tries == 1 && matches!(&error, ClientError::Unreachable { source, .. } if source.is_connect());
        // A quota or a rate is the caller's to wait for, not ours.
        let pause = match &error {
            ClientError::Problem(problem) if problem.status == 429 => return Err(error),
            ClientError::Problem(problem) => problem.retry_after_s.unwrap_or(0).min(10) * 1000,
            _ => 0,
        };
        if tries >= TRIES || never_there || !error.is_passing() {
            return Err(error);
        }
        tokio::time::sleep(Duration::from_millis(pause.max(100 << tries))).await;
        tries += 1;
    }
}

/// Every public operation of one server.
#[derive(Debug, Clone)]
pub struct Client {
    connection: Connection,
}

/// Every method fails as [`ClientError`] says.
#[allow(clippy::missing_errors_doc)]
impl Client {
    /// By this connection.
    pub fn new(connection: Connection) -> Client {
        Client { connection }
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    fn request(&self, method: Method, address: Address) -> RequestBuilder {
        self.connection.request(method, &address.text).timeout(ANSWER_MOST)
    }

    async fn get<T: DeserializeOwned>(&self, address: Address) -> Result<T, ClientError> {
        self.connection.answer(self.request(Method::GET, address)).await
    }

    async fn post<T: DeserializeOwned>(&self, address: Address, body: &impl Serialize) -> Result<T, ClientError> {
        self.connection.answer(self.request(Method::POST, address).json(body)).await
    }

    async fn patch<T: DeserializeOwned>(&self, address: Address, body: &impl Serialize) -> Result<T, ClientError> {
        self.connection.answer(self.request(Method::PATCH, address).json(body)).await
    }

    async fn post_empty<T: DeserializeOwned>(&self, address: Address) -> Result<T, ClientError> {
        self.connection.answer(self.request(Method::POST, address)).await
    }

    /// Submits. With an idempotency key it is tried again when the answer does not come: the key makes sure that it is
    /// one job. With `wait`, a job that ends within it is answered as ended.
    pub async fn job_submit(&self, submission: &Submission, wait: Option<Duration>) -> Result<Accepted, ClientError> {
        let once = || {
            let address = Address::new("/v1/jobs").with("wait", wait.map(milliseconds));
            let request = self.request(Method::POST, address).timeout(ANSWER_MOST + wait.unwrap_or_default());
            self.connection.answer(request.json(submission))
        };
        if submission.idempotency_key.is_some() { repeated(once).await } else { once().await }
    }

    /// A page of jobs, newest first.
    pub async fn job_list(&self, filter: &JobFilter) -> Result<JobList, ClientError> {
        let mut address = Address::new("/v1/jobs")
            .with("state", filter.state.map(JobState::name))
            .with("project", filter.project.as_ref())
            .with("user", filter.user.as_ref());
        for (name, value) in &filter.labels {
            address = address.with("label", Some(format!("{name}={value}")));
        }
        self.get(address.with("array", filter.array).with("limit", filter.limit).with("cursor", filter.cursor.as_ref()))
            .await
    }

    /// One job. With `wait`, the answer comes when it ended, or when the time is over.
    pub async fn job(&self, job: JobId, wait: Option<Duration>) -> Result<Job, ClientError> {
        let address = Address::new(format!("/v1/jobs/{job}")).with("wait", wait.map(milliseconds));
        let request = self.request(Method::GET, address).timeout(ANSWER_MOST + wait.unwrap_or_default());
        self.connection.answer(request).await
    }

    /// Its files and arguments.
    pub async fn job_source(&self, job: JobId) -> Result<JobSource, ClientError> {
        self.get(Address::new(format!("/v1/jobs/{job}/source"))).await
    }

    /// Asks for its end. May be repeated, and is.
    pub async fn job_cancel(&self, job: JobId) -> Result<Job, ClientError> {
        repeated(|| self.post_empty(Address::new(format!("/v1/jobs/{job}/cancel")))).await
    }

    /// Lets a job that is held for approval run. May be repeated, and is.
    pub async fn job_approve(&self, job: JobId) -> Result<Job, ClientError> {
        repeated(|| self.post_empty(Address::new(format!("/v1/jobs/{job}/approve")))).await
    }

    /// What a reading of a submission says, and what the policy would do with it.
    pub async fn vet(&self, submission: &Submission) -> Result<Vetted, ClientError> {
        self.connection.answer(self.request(Method::POST, Address::new("/v1/vet")).json(submission)).await
    }

    /// How good the advice was so far.
    pub async fn vet_record(&self) -> Result<VetRecord, ClientError> {
        self.get(Address::new("/v1/vet/record")).await
    }

    /// Its events after `after` (0 for all), as they come, to its end.
    pub fn follow(&self, job: JobId, after: u64) -> Follower {
        Follower::new(self.connection.clone(), job, after, Until::Ended)
    }

    /// Its events after `after` (0 for all) that there are by now.
    pub fn events_so_far(&self, job: JobId, after: u64) -> Follower {
        Follower::new(self.connection.clone(), job, after, Until::Now)
    }

    /// What it left.
    pub async fn artifact_list(&self, job: JobId) -> Result<ArtifactList, ClientError> {
        self.get(Address::new(format!("/v1/jobs/{job}/artifacts"))).await
    }

    /// The bytes of one artifact.
    pub async fn artifact(&self, job: JobId, path: &str) -> Result<Download, ClientError> {
        let path: Vec<String> = path.split('/').map(encoded).collect();
        self.download(Address::new(format!("/v1/jobs/{job}/artifacts/{}", path.join("/")))).await
    }

    async fn download(&self, address: Address) -> Result<Download, ClientError> {
        let request = self.request(Method::GET, address).timeout(TRANSFER_MOST);
        let response = self.connection.send(request).await?;
        Ok(Download { connection: self.connection.clone(), response, hasher: Sha256::new(), length: 0 })
    }

    /// How the elements of an array are doing.
    pub async fn array(&self, array: ArrayId) -> Result<Array, ClientError> {
        self.get(Address::new(format!("/v1/arrays/{array}"))).await
    }

    /// Asks for the end of every element. May be repeated, and is.
    pub async fn array_cancel(&self, array: ArrayId) -> Result<Array, ClientError> {
        repeated(|| self.post_empty(Address::new(format!("/v1/arrays/{array}/cancel")))).await
    }

    /// Those of `digests` that the server lacks; asks in portions that it takes.
    pub async fn blobs_missing(&self, project: Option<&str>, digests: &[Digest]) -> Result<Vec<Digest>, ClientError> {
        let mut missing = Vec::new();
        for digests in digests.chunks(10_000) {
            let query = BlobQuery { project: project.map(str::to_owned), digests: digests.to_vec() };
            let said: BlobsMissing = repeated(|| self.post(Address::new("/v1/blobs/missing"), &query)).await?;
            missing.extend(said.missing);
        }
        Ok(missing)
    }

    /// Uploads a blob, and tells `sent` how many bytes went out with each piece. Tried again when it breaks; what went
    /// out in vain is then told to `sent` as a negative number.
    pub async fn blob_put(
        &self,
        project: Option<&str>,
        bytes: &[u8],
        sent: impl Fn(i64) + Send + Sync + Clone + 'static,
    ) -> Result<Blob, ClientError> {
        let digest = Digest::of(bytes);
        repeated(|| async {
            let told = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
            let pieces: Vec<Vec<u8>> = bytes.chunks(PIECE).map(<[u8]>::to_vec).collect();
            let (counter, sent_piece) = (told.clone(), sent.clone());
            let body = Body::wrap_stream(stream::iter(pieces.into_iter().map(move |piece| {
                counter.fetch_add(piece.len() as i64, std::sync::atomic::Ordering::Relaxed);
                sent_piece(piece.len() as i64);
                Ok::<_, std::io::Error>(piece)
            })));
            let request = self
                .request(Method::PUT, Address::new(format!("/v1/blobs/{digest}")).with("project", project))
                .timeout(upload_most(bytes.len()))
                .header("Content-Type", "application/octet-stream")
                .header("Content-Length", bytes.len())
                .body(body);
            let answer = self.connection.answer(request).await;
            if answer.is_err() {
                sent(-told.load(std::sync::atomic::Ordering::Relaxed));
            }
            answer
        })
        .await
    }

    /// The bytes of a blob.
    pub async fn blob(&self, digest: Digest) -> Result<Download, ClientError> {
        self.download(Address::new(format!("/v1/blobs/{digest}"))).await
    }

    /// The queue as the caller may see it.
    pub async fn queue(&self) -> Result<Queue, ClientError> {
        self.get(Address::new("/v1/queue")).await
    }

    /// Listens to what changes of what the caller may see, or of one project. Read lists when this has answered, and
    /// apply what comes to them in the order in which it comes.
    pub async fn changes(&self, project: Option<&str>) -> Result<Listener, ClientError> {
        let address = Address::new("/v1/changes").with("project", project);
        Listener::new(self.connection.clone(), address.text).await
    }

    /// How it was over a `window`: `15m`, `1h` (when left out) or `24h`.
    pub async fn history(&self, project: Option<&str>, window: Option<&str>) -> Result<History, ClientError> {
        self.get(Address::new("/v1/history").with("project", project).with("window", window)).await
    }

    /// What wants attention.
    pub async fn attention(&self) -> Result<AttentionList, ClientError> {
        self.get(Address::new("/v1/attention")).await
    }

    /// The workers.
    pub async fn worker_list(&self) -> Result<WorkerList, ClientError> {
        self.get(Address::new("/v1/workers")).await
    }

    /// A token by which one worker enrols.
    pub async fn join_token_create(&self) -> Result<JoinToken, ClientError> {
        self.post_empty(Address::new("/v1/workers/join-tokens")).await
    }

    /// Gives a worker no more jobs.
    pub async fn worker_drain(&self, worker: WorkerId) -> Result<Worker, ClientError> {
        self.post_empty(Address::new(format!("/v1/workers/{worker}/drain"))).await
    }

    /// Lets a drained worker take jobs again.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn worker_undrain(&self, worker: WorkerId) -> Result<Worker, ClientError> {
        self.post_empty(Address::new(format!("/v1/workers/{worker}/undrain"))).await
    }

    /// The projects that the caller may see.
    pub async fn project_list(&self) -> Result<ProjectList, ClientError> {
        self.get(Address::new("/v1/projects")).await
    }

    /// Makes a project.
    pub async fn project_create(&self, project: &NewProject) -> Result<Project, ClientError> {
        self.post(Address::new("/v1/projects"), project).await
    }

    /// A project, by name or id.
    pub async fn project(&self, project: &str) -> Result<Project, ClientError> {
        self.get(Address::new(format!("/v1/projects/{}", encoded(project)))).await
    }

    /// Changes a project, by name or id.
    pub async fn project_change(&self, project: &str, change: &ProjectChange) -> Result<Project, ClientError> {
        self.patch(Address::new(format!("/v1/projects/{}", encoded(project))), change).await
    }

    /// The users.
    pub async fn user_list(&self) -> Result<UserList, ClientError> {
        self.get(Address::new("/v1/users")).await
    }

    /// Makes a user.
    pub async fn user_create(&self, user: &NewUser) -> Result<User, ClientError> {
        self.post(Address::new("/v1/users"), user).await
    }

    /// Changes a user, by name or id.
    pub async fn user_change(&self, user: &str, change: &UserChange) -> Result<User, ClientError> {
        self.patch(Address::new(format!("/v1/users/{}", encoded(user))), change).await
    }

    /// Who holds which role: in one project, by name or id, or everywhere.
    pub async fn member_list(&self, project: Option<&str>) -> Result<MemberList, ClientError> {
        self.get(Address::new("/v1/members").with("project", project)).await
    }

    /// Gives a role.
    pub async fn member_add(&self, change: &MemberChange) -> Result<Membership, ClientError> {
        self.post(Address::new("/v1/members"), change).await
    }

    /// Takes a role away; answers those that are left.
    pub async fn member_remove(&self, change: &MemberChange) -> Result<MemberList, ClientError> {
        self.post(Address::new("/v1/members/remove"), change).await
    }

    /// Keys: of one user, by name or id, or of the caller.
    pub async fn key_list(&self, user: Option<&str>) -> Result<KeyList, ClientError> {
        self.get(Address::new("/v1/keys").with("user", user)).await
    }

    /// Makes a key.
    pub async fn key_create(&self, key: &NewKey) -> Result<CreatedKey, ClientError> {
        self.post(Address::new("/v1/keys"), key).await
    }

    /// Makes a key stop working.
    pub async fn key_revoke(&self, key: KeyId) -> Result<Key, ClientError> {
        self.post_empty(Address::new(format!("/v1/keys/{key}/revoke"))).await
    }

    /// Who the caller is.
    pub async fn whoami(&self) -> Result<WhoAmI, ClientError> {
        self.get(Address::new("/v1/whoami")).await
    }

    /// What was used on a day (UTC, as `2026-11-25`): today's when left out.
    pub async fn usage(&self, project: Option<&str>, day: Option<&str>) -> Result<UsageReport, ClientError> {
        self.get(Address::new("/v1/usage").with("project", project).with("day", day)).await
    }

    /// A page of the audit log, oldest first unless it is asked otherwise. A page of a search may have fewer rows than were
    /// asked for, or none, and still a `next`.
    pub async fn audit_list(&self, filter: &AuditFilter) -> Result<AuditList, ClientError> {
        let address = Address::new("/v1/audit").with("after", filter.after).with("limit", filter.limit);
        let address = address.with("project", filter.project.as_ref()).with("actor", filter.actor.as_ref());
        let address = address.with("action", filter.action.as_ref()).with("resource", filter.resource.as_ref());
        let address = address.with("allowed", filter.allowed).with("from", filter.from).with("until", filter.until);
        self.get(address.with("order", filter.newest_first.then_some("newest"))).await
    }

    /// Whether the audit log is whole, and contains the row with the value `head`, noted before.
    pub async fn audit_verify(&self, head: Option<&str>) -> Result<AuditVerdict, ClientError> {
        let request = self.request(Method::GET, Address::new("/v1/audit/verify").with("head", head));
        // The server reads the whole log.
        self.connection.answer(request.timeout(TRANSFER_MOST)).await
    }

    /// Why something would be allowed, or not.
    pub async fn access_explain(&self, question: &ExplainRequest) -> Result<Explained, ClientError> {
        self.post(Address::new("/v1/access/explain"), question).await
    }

    /// The layers of each worker.
    pub async fn posture(&self) -> Result<Posture, ClientError> {
        self.get(Address::new("/v1/posture")).await
    }

    /// The figures that monitoring collects, as OpenMetrics text.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        let request = self.request(Method::GET, Address::new("/metrics"));
        let response =
            self.connection.send(request.header("accept", "application/openmetrics-text; version=1.0.0")).await?;
        response.text().await.map_err(|source| self.connection.unreachable(source))
    }

    /// Writes a copy of the store.
    pub async fn backup(&self, request: &BackupRequest) -> Result<Backup, ClientError> {
        let address = Address::new("/v1/backup");
        self.connection.answer(self.request(Method::POST, address).timeout(TRANSFER_MOST).json(request)).await
    }
}

/// A file on its way, piece by piece.
#[derive(Debug)]
pub struct Download {
    connection: Connection,
    response: Response,
    hasher: Sha256,
    length: u64,
}

impl Download {
    /// Its size in bytes, if the server said it.
    pub fn size(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece; nothing after the last.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let piece = self.response.chunk().await.map_err(|source| self.connection.unreachable(source))?;
        Ok(piece.map(|piece| {
            self.hasher.update(&piece);
            self.length += piece.len() as u64;
            piece.to_vec()
        }))
    }

    /// Size in bytes and digest of what came.
    pub fn came(self) -> (u64, Digest) {
        (self.length, Digest(self.hasher.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_leave_its_place_in_an_address() {
        let address = Address::new(format!("/v1/projects/{}", encoded("../a?b#c%")));
        assert_eq!(address.text, "/v1/projects/..%2Fa%3Fb%23c%25");
        let address =
            Address::new("/v1/jobs").with("state", None::<&str>).with("label", Some("a=b&c")).with("x", Some(1));
        assert_eq!(address.text, "/v1/jobs?label=a%3Db%26c&x=1");
    }

    #[test]
    fn a_small_upload_is_not_waited_for_as_long_as_a_large_one() {
        assert_eq!(upload_most(10), ANSWER_MOST);
        assert_eq!(upload_most(16 << 20), ANSWER_MOST + Duration::from_millis(1 << 20));
        assert_eq!(upload_most(usize::MAX), TRANSFER_MOST);
    }

    #[test]
    fn waits_are_written_in_whole_units() {
        assert_eq!(milliseconds(Duration::from_secs(30)), "30s");
        assert_eq!(milliseconds(Duration::from_millis(1500)), "1500ms");
    }
}
