//! The server's side, with faults on demand.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use gambeson_api::client::Target;
use gambeson_api::work::*;
use gambeson_api::{
    Code, Content, Digest, FileContent, JobId, LeaseId, Limits, Network, OutputStream, Problem, Vitals,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
pub struct Seen {
    pub entries: BTreeMap<LeaseId, Vec<Entry>>,
    pub settled: BTreeMap<LeaseId, Settle>,
    pub handed_back: BTreeMap<LeaseId, String>,
    pub uploaded: HashMap<Digest, Vec<u8>>,
    pub enrolled: Vec<Enrol>,
    pub asked_to_enrol: usize,
    pub appends: usize,
    pub starts_asked: usize,
    pub heartbeats: usize,
    /// How it is, as the last heartbeat said.
    pub vitals: Option<Vitals>,
    pub polls: Vec<LeaseRequest>,
    pub blobs_sent: usize,
    /// The most that ran at once.
    pub most: Room,
    granted: BTreeMap<LeaseId, Lease>,
    /// Begun and not over.
    running: BTreeSet<LeaseId>,
}

/// What it does wrong.
#[derive(Default)]
pub struct Faults {
    /// So many answers to reports are cut off after the report was recorded, every other one.
    pub cut: usize,
    spared: bool,
    /// Heartbeats, appends, blobs are not answered.
    pub mute_heartbeats: bool,
    pub mute_appends: bool,
    /// That a program starts is heard and not answered.
    pub mute_starts: bool,
    pub mute_blobs: bool,
    /// Free room is not looked at.
    pub overgrant: bool,
    /// Nobody is known.
    pub forget: bool,
    /// An end with artifacts is too large.
    pub refuse_artifacts: bool,
    /// Uploads are refused with this.
    pub refuse_uploads: Option<Code>,
}

#[derive(Default)]
pub struct Inner {
    pub seen: Seen,
    pub faults: Faults,
    pub queue: VecDeque<Lease>,
    pub blobs: HashMap<Digest, Vec<u8>>,
    pub cancel: BTreeSet<LeaseId>,
    pub lost: BTreeSet<LeaseId>,
    pub drain: bool,
}

pub struct Server {
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
    pub ttl: Duration,
    pub target: Target,
}

pub struct Listening {
    pub server: Arc<Server>,
    accepting: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl std::ops::Deref for Listening {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

pub async fn listen(ttl: Duration) -> Listening {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    serve(listener, ttl, target)
}

pub fn listen_at(socket: &std::path::Path, ttl: Duration) -> Listening {
    let listener = tokio::net::UnixListener::bind(socket).unwrap();
    serve(listener, ttl, Target::Socket(socket.to_owned()))
}

fn serve<L: axum::serve::Listener>(listener: L, ttl: Duration, target: Target) -> Listening
where
    L::Addr: std::fmt::Debug,
{
    let server = Arc::new(Server { inner: Mutex::new(Inner::default()), changed: watch::Sender::new(()), ttl, target });
    let lease = |rest: &str| format!("/v1/worker/leases/{{lease}}/{rest}");
    let router = Router::new()
        .route("/v1/worker/enrol", post(enrol))
        .route("/v1/worker/leases", post(leases))
        .route("/v1/worker/heartbeat", post(heartbeat))
        .route(&lease("append"), post(append))
        .route(&lease("settle"), post(settle))
        .route(&lease("hand-back"), post(hand_back))
        .route(&lease("blobs/{digest}"), get(blob).put(upload))
        .with_state(Arc::clone(&server));
    let accepting = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Listening { server, accepting }
}

impl Server {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Changes something, and wakes who waits.
    pub fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let changed = change(&mut self.inner());
        self.changed.send_replace(());
        changed
    }

    async fn wait<T>(&self, until: Instant, mut look: impl FnMut(&mut Inner) -> Option<T>) -> Option<T> {
        let mut watched = self.changed.subscribe();
        loop {
            if let Some(found) = look(&mut self.inner()) {
                return Some(found);
            }
            timeout_at(until, watched.changed()).await.ok()?.unwrap();
        }
    }

    /// Waits for something to be seen.
    pub async fn until<T>(&self, what: &str, look: impl FnMut(&mut Inner) -> Option<T>) -> T {
        match self.wait(Instant::now() + PATIENCE, look).await {
            Some(found) => found,
            None => {
                let inner = self.inner();
                let Seen { entries, granted, heartbeats, polls, .. } = &inner.seen;
                let (granted, waiting, polls) = (granted.keys().collect::<Vec<_>>(), inner.queue.len(), polls.len());
                panic!(
                    "it does not come: {what}; {granted:?} granted, {waiting} wait; {polls} polls, {heartbeats} heartbeats; {entries:?}"
                )
            }
        }
    }

    pub fn submit(&self, lease: Lease) -> LeaseId {
        let id = lease.id;
        self.change(|inner| inner.queue.push_back(lease));
        id
    }

    pub async fn settled(&self, lease: LeaseId) -> Settle {
        self.until("the job settles", |inner| inner.seen.settled.get(&lease).cloned()).await
    }

    /// Waits until the job's stdout contains `text`.
    pub async fn printed(&self, lease: LeaseId, text: &str) {
        let look = |inner: &mut Inner| {
            output(inner.seen.entries.get(&lease)?, OutputStream::Stdout).contains(text).then_some(())
        };
        self.until(text, look).await;
    }

    pub fn stdout(&self, lease: LeaseId) -> String {
        output(&self.inner().seen.entries[&lease], OutputStream::Stdout)
    }
}

/// All output of a stream.
pub fn output(entries: &[Entry], wanted: OutputStream) -> String {
    let bytes = entries.iter().filter_map(|entry| match entry {
        Entry::Output { stream, data } if *stream == wanted => Some(data.0.as_slice()),
        _ => None,
    });
    String::from_utf8(bytes.collect::<Vec<_>>().concat()).unwrap()
}

/// A job of one file.
pub fn lease(source: &str) -> Lease {
    let id = LeaseId::new();
    Lease {
        id,
        token: format!("gml_{id}"),
        job: JobId::new(),
        attempt: 1,
        ttl_ms: 0,
        files: [("main.py".to_owned(), FileContent::text(source))].into(),
        entry: "main.py".into(),
        args: vec![format!("mark-{id}")],
        env: BTreeMap::new(),
        stdin: Content::default(),
        limits: Limits::default(),
        network: Network::None,
        start: Default::default(),
        array: None,
        denials: true,
        samples: false,
        may_rerun: false,
    }
}

type Ours = State<Arc<Server>>;
type Answer<T> = Result<Json<T>, Refused>;

pub struct Refused(Code);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap();
        (status, Json(Problem::new(self.0, "as the test wants it"))).into_response()
    }
}

fn bearer(headers: &HeaderMap) -> &str {
    headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap()
}

fn worker(server: &Server, headers: &HeaderMap) -> Result<(), Refused> {
    let known = !server.inner().faults.forget
        && server.inner().seen.enrolled.iter().any(|enrol| enrol.credential == Digest::of(bearer(headers).as_bytes()));
    if known { Ok(()) } else { Err(Refused(Code::Unauthenticated)) }
}

/// The right token, and a lease that is still held.
fn holder(inner: &Inner, headers: &HeaderMap, lease: LeaseId) -> Result<(), Refused> {
    if bearer(headers) != format!("gml_{lease}") {
        return Err(Refused(Code::Unauthenticated));
    }
    if inner.lost.contains(&lease) || inner.seen.handed_back.contains_key(&lease) {
        return Err(Refused(Code::LeaseLost));
    }
    Ok(())
}

/// Ends the connection without an answer, if that is wanted.
fn perhaps_cut(server: &Server) {
    let cut = server.change(|inner| {
        let cut = inner.faults.cut > 0 && !inner.faults.spared;
        inner.faults.spared = cut;
        inner.faults.cut -= usize::from(cut);
        cut
    });
    if cut {
        // It ends the task of the connection, without the words of a panic.
        std::panic::resume_unwind(Box::new("cut"));
    }
}

async fn enrol(State(server): Ours, headers: HeaderMap, Json(enrol): Json<Enrol>) -> Answer<Enrolled> {
    let fresh = server.change(|inner| {
        inner.seen.asked_to_enrol += 1;
        let fresh = inner.seen.enrolled.is_empty() && bearer(&headers) == "gmj_token";
        let again = inner.seen.enrolled.contains(&enrol);
        if fresh {
            inner.seen.enrolled.push(enrol.clone());
        }
        fresh || again
    });
    if !fresh {
        return Err(Refused(Code::Unauthenticated));
    }
    perhaps_cut(&server);
    Ok(Json(Enrolled { worker: enrol.worker }))
}

fn fits(free: &Room, limits: &Limits) -> bool {
    free.slots >= 1 && free.cpus_milli >= limits.cpus_milli && free.memory_bytes >= limits.memory_bytes
}

async fn leases(State(server): Ours, headers: HeaderMap, Json(ask): Json<LeaseRequest>) -> Answer<Leases> {
    worker(&server, &headers)?;
    let (mut free, wait) = (ask.free, Duration::from_millis(ask.wait_ms));
    server.change(|inner| inner.seen.polls.push(ask));
    let ttl_ms = server.ttl.as_millis() as u64;
    let grant = |inner: &mut Inner| {
        let mut leases = Vec::new();
        while let Some(next) = inner.queue.front() {
            let limits = next.limits;
            if !inner.faults.overgrant {
                if !fits(&free, &limits) {
                    break;
                }
                free.slots -= 1;
                free.cpus_milli -= limits.cpus_milli;
                free.memory_bytes -= limits.memory_bytes;
            }
            let lease = Lease { ttl_ms, ..inner.queue.pop_front().unwrap() };
            inner.seen.granted.insert(lease.id, lease.clone());
            leases.push(lease);
        }
        (!leases.is_empty()).then_some(leases)
    };
    let leases = server.wait(Instant::now() + wait, grant).await.unwrap_or_default();
    Ok(Json(Leases { leases }))
}

async fn heartbeat(State(server): Ours, headers: HeaderMap, Json(beat): Json<Heartbeat>) -> Answer<HeartbeatAnswer> {
    worker(&server, &headers)?;
    server.change(|inner| {
        inner.seen.heartbeats += 1;
        inner.seen.vitals = beat.vitals;
    });
    let ttl_ms = server.ttl.as_millis() as u64;
    let mut answer = HeartbeatAnswer { ttl_ms, ..HeartbeatAnswer::default() };
    let named = |leases: &BTreeSet<LeaseId>| leases.iter().copied().filter(|id| beat.leases.contains(id)).collect();
    let look = |inner: &mut Inner| {
        answer.cancel = named(&inner.cancel);
        answer.lost = named(&inner.lost);
        answer.drain = inner.drain;
        let something = answer.drain || !answer.cancel.is_empty() || !answer.lost.is_empty();
        (something && !inner.faults.mute_heartbeats).then_some(())
    };
    server.wait(Instant::now() + Duration::from_millis(beat.wait_ms), look).await;
    server.until("heartbeats are answered", |inner| (!inner.faults.mute_heartbeats).then_some(())).await;
    Ok(Json(answer))
}

/// Takes what is not there yet.
fn record(inner: &mut Inner, lease: LeaseId, first: u64, given: Vec<Entry>) -> u64 {
    let entries = inner.seen.entries.entry(lease).or_default();
    let have = entries.len() as u64;
    assert!(first <= have, "entries are missing: {first} after {have}");
    for (place, entry) in (first..).zip(given) {
        match entries.get(place as usize) {
            Some(there) => assert_eq!(*there, entry, "what was sent before has changed"),
            None => entries.push(entry),
        }
    }
    let next = entries.len() as u64;
    if entries.contains(&Entry::Started {}) && inner.seen.running.insert(lease) {
        let limits = || inner.seen.running.iter().map(|id| inner.seen.granted[id].limits);
        let Room { slots, cpus_milli, memory_bytes } = &mut inner.seen.most;
        *slots = (*slots).max(inner.seen.running.len() as u32);
        *cpus_milli = (*cpus_milli).max(limits().map(|limits| limits.cpus_milli).sum());
        *memory_bytes = (*memory_bytes).max(limits().map(|limits| limits.memory_bytes).sum());
    }
    next
}

async fn append(
    State(server): Ours,
    headers: HeaderMap,
    Path(lease): Path<LeaseId>,
    Json(append): Json<Append>,
) -> Answer<Appended> {
    assert!(append.entries.len() <= Append::ENTRIES_MOST && !append.entries.is_empty());
    let only_start = append.entries == [Entry::Started {}];
    server.change(|inner| inner.seen.starts_asked += usize::from(only_start));
    let is_taken = |inner: &mut Inner| match only_start {
        true => !inner.faults.mute_starts,
        false => !inner.faults.mute_appends,
    };
    server.until("appends are taken", |inner| is_taken(inner).then_some(())).await;
    let next = server.change(|inner| {
        holder(inner, &headers, lease)?;
        inner.seen.appends += 1;
        if inner.seen.settled.contains_key(&lease) {
            return Err(Refused(Code::LeaseLost));
        }
        Ok(record(inner, lease, append.first, append.entries))
    })?;
    perhaps_cut(&server);
    Ok(Json(Appended { next }))
}

async fn settle(
    State(server): Ours,
    headers: HeaderMap,
    Path(lease): Path<LeaseId>,
    Json(settle): Json<Settle>,
) -> Answer<Done> {
    server.change(|inner| {
        holder(inner, &headers, lease)?;
        if inner.faults.refuse_artifacts && !settle.artifacts.is_empty() {
            return Err(Refused(Code::TooLarge));
        }
        record(inner, lease, settle.first, settle.entries.clone());
        inner.seen.running.remove(&lease);
        inner.cancel.remove(&lease);
        match inner.seen.settled.get(&lease) {
            Some(there) => assert_eq!(*there, settle, "it ends twice, and differently"),
            None => drop(inner.seen.settled.insert(lease, settle)),
        }
        Ok(())
    })?;
    perhaps_cut(&server);
    Ok(Json(Done {}))
}

async fn hand_back(
    State(server): Ours,
    headers: HeaderMap,
    Path(lease): Path<LeaseId>,
    Json(back): Json<HandBack>,
) -> Answer<Done> {
    server.change(|inner| {
        holder(inner, &headers, lease)?;
        assert!(!inner.seen.entries.contains_key(&lease), "it was started");
        inner.seen.handed_back.insert(lease, back.why);
        Ok(Json(Done {}))
    })
}

async fn blob(
    State(server): Ours,
    headers: HeaderMap,
    Path((lease, digest)): Path<(LeaseId, Digest)>,
) -> Result<Vec<u8>, Refused> {
    server.until("blobs are sent", |inner| (!inner.faults.mute_blobs).then_some(())).await;
    server.change(|inner| {
        holder(inner, &headers, lease)?;
        inner.seen.blobs_sent += 1;
        inner.blobs.get(&digest).cloned().ok_or(Refused(Code::NotFound))
    })
}

async fn upload(
    State(server): Ours,
    headers: HeaderMap,
    Path((lease, digest)): Path<(LeaseId, Digest)>,
    body: Bytes,
) -> Answer<Done> {
    server.change(|inner| {
        holder(inner, &headers, lease)?;
        if let Some(code) = inner.faults.refuse_uploads {
            return Err(Refused(code));
        }
        assert_eq!(Digest::of(&body), digest);
        inner.seen.uploaded.insert(digest, body.to_vec());
        Ok(Json(Done {}))
    })
}

/// The processes whose command line has this job's mark.
pub fn processes(lease: LeaseId) -> Vec<u32> {
    let mark = format!("mark-{lease}");
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&mark)
        })
        .collect()
}

/// Waits until no process of the job is left, and says how long that took.
pub async fn dead(lease: LeaseId) -> Duration {
    let begun = Instant::now();
    let gone = async {
        while !processes(lease).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("the cell lives on");
    begun.elapsed()
}
