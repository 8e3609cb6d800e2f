//! The whole HTTP interface over a real control, without a network.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use gambeson_api::work::{Append, Enrol, Enrolled, Entry, LeaseRequest, Leases, Room, Settle};
use gambeson_api::{
    Accepted, Blob, BlobsMissing, Content, Digest, End, EventBody, Job, JobList, JobSource, JobState, JoinToken,
    Outcome, OutputStream, Problem, Report, Start, Submission, Usage,
};
use gambeson_control::{Clock, Config, Control};
use gambeson_server::{Options, router};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::ServiceExt;

struct Platform {
    _dir: tempfile::TempDir,
    control: Control,
    router: Router,
    key: String,
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json<T: DeserializeOwned>(&self) -> T {
        let text = || String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{} {}: {error}", self.status, text()))
    }

    fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.status);
        let problem: Problem = self.json();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(problem.request_id.as_deref(), Some(self.headers["x-request-id"].to_str().unwrap()));
        problem.code.to_string()
    }
}

fn platform() -> Platform {
    platform_with(|_| {})
}

fn platform_with(change: impl FnOnce(&mut Config)) -> Platform {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(dir.path().join("data"));
    // Nothing here is about rates.
    (config.rate_per_second, config.rate_burst) = (100_000, 100_000);
    change(&mut config);
    let opened = Control::open(config, Clock::System).unwrap();
    let options = Options { body_max: 256 << 10, blob_max: 1 << 20, ..Options::default() };
    let key = opened.setup_key.expect("the first start");
    Platform { router: router(opened.control.clone(), &options), control: opened.control, key, _dir: dir }
}

impl Platform {
    async fn ask(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn with_token(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.ask(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.with_token(&self.key, "GET", path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.with_token(&self.key, "POST", path, Some(body)).await
    }

    /// The owner belongs to no project at first.
    async fn project(&self) {
        let made = self.post("/v1/projects", json!({ "name": "physics" })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&made.body));
    }

    async fn submit(&self, source: &str) -> Job {
        let answer = self.post("/v1/jobs", json!({ "files": { "main.py": source }, "project": "physics" })).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }
}

/// Each operation of the document: its id, method, path with ids in it, whether it takes JSON, and whether it is public.
fn operations() -> Vec<(String, String, String, bool, bool)> {
    let document = serde_json::to_value(gambeson_server::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let digits = "0192f0c1d2e37abc8def0123456789ab";
            let kind = match path.split('/').nth(2) {
                Some("arrays") => "arr",
                Some("keys") => "key",
                Some("workers") => "wrk",
                _ => "job",
            };
            let path = path
                .replace("{id}", &format!("{kind}_{digits}"))
                .replace("{lease}", &format!("lse_{digits}"))
                .replace("{digest}", &Digest::of(b"").to_string())
                .replace("{path}", "a/b")
                .replace("{name}", "nobody");
            let json = operation["requestBody"]["content"].get("application/json").is_some();
            let id = operation["operationId"].as_str().unwrap().to_owned();
            operations.push((id, method.to_uppercase(), path, json, operation["tags"][0] == "public"));
        }
    }
    assert!(operations.len() > 40);
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_whoever_shows_no_valid_key_before_it_reads_anything() {
    let platform = platform();
    for (id, method, path, _, public) in operations() {
        for authorization in [None, Some("Bearer gmb_1_2"), Some("Basic eDp5"), Some("Bearer")] {
            // A bad query and a bad body: who has no key is not even told of these.
            let mut request = Request::builder().method(method.as_str()).uri(format!("{path}?nonsense=1"));
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let answer = platform.ask(request.body(Body::from("{")).unwrap()).await;
            if public {
                assert_eq!(answer.code(), "invalid_query", "{id}");
            } else if authorization == Some("Bearer gmb_1_2") && (id.starts_with("lease_") || id == "worker_enrol") {
                // Control looks at these tokens together with what they are for.
                assert!(answer.status.is_client_error(), "{id}");
            } else {
                assert_eq!(answer.code(), "unauthenticated", "{id} {authorization:?}");
                assert_eq!(answer.headers["www-authenticate"], "Bearer");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_operation_takes_a_parameter_that_nobody_knows() {
    let platform = platform();
    for (id, method, path, json, _) in operations() {
        // Workers have other keys; their routes read the query the same way.
        if id.starts_with("worker_heartbeat") || id == "lease_take" {
            continue;
        }
        let body = json.then(|| json!({}));
        let answer = platform.with_token(&platform.key, &method, &format!("{path}?nonsense=1"), body).await;
        assert_eq!(answer.code(), "invalid_query", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_makes_the_server_fail() {
    let platform = platform();
    platform.project().await;
    let deep = "[".repeat(10_000);
    let large = format!("{{\"files\":{{\"a\":\"{}\"}}}}", "x".repeat(300 << 10));
    let bodies: Vec<(&str, &str)> = vec![
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("null", "invalid_json"),
        ("[]", "invalid_json"),
        ("{}}", "invalid_json"),
        ("\"\"", "invalid_json"),
        ("1e999", "invalid_json"),
        ("{\"a\":1,\"a\":2}", "invalid_json"),
        ("{\"\\ud800\":1}", "invalid_json"),
        (&deep, "invalid_json"),
        (&large, "too_large"),
    ];
    for (id, method, path, json, _) in operations() {
        if !json || id == "worker_heartbeat" || id == "lease_take" {
            continue;
        }
        for (body, code) in &bodies {
            let request = Request::builder().method(method.as_str()).uri(&path);
            let request = request.header("authorization", format!("Bearer {}", platform.key));
            let request = request.header("content-type", "application/json").body(Body::from(body.to_string()));
            let answer = platform.ask(request.unwrap()).await;
            assert_eq!(answer.code(), *code, "{id} {:.40}", body);
        }
        let request = Request::builder().method(method.as_str()).uri(&path);
        let request = request.header("authorization", format!("Bearer {}", platform.key)).body(Body::from("{}"));
        assert_eq!(platform.ask(request.unwrap()).await.code(), "unsupported_media", "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_may_ask_whether_it_lives_and_what_can_be_asked() {
    let platform = platform();
    let ask = |path: &str| platform.ask(Request::get(path).body(Body::empty()).unwrap());
    let health = ask("/healthz").await;
    assert_eq!((health.status, health.body.as_slice()), (StatusCode::OK, &b"ok\n"[..]));
    let served: Value = ask("/openapi.json").await.json();
    assert_eq!(served, serde_json::to_value(gambeson_server::openapi()).unwrap());
    assert!(String::from_utf8(ask("/").await.body).unwrap().contains("/openapi.json"));
    platform.control.close().await;
    assert_eq!(ask("/healthz").await.code(), "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_submitted_read_listed_and_cancelled() {
    let platform = platform();
    platform.project().await;
    let job = platform.submit("print(1)").await;
    let read: Job = platform.get(&format!("/v1/jobs/{}?wait=1ms", job.id)).await.json();
    assert_eq!((read.id, read.state), (job.id, JobState::Queued));
    let list: JobList = platform.get("/v1/jobs?state=queued&project=physics&limit=7").await.json();
    assert_eq!(list.jobs.len(), 1);
    let source: JobSource = platform.get(&format!("/v1/jobs/{}/source", job.id)).await.json();
    assert_eq!(source.entry, "main.py");
    let cancelled = platform.with_token(&platform.key, "POST", &format!("/v1/jobs/{}/cancel", job.id), None).await;
    assert_eq!(cancelled.json::<Job>().state, JobState::Ended);
    let unknown = platform.get("/v1/jobs/job_0192f0c1d2e37abc8def0123456789ab").await;
    assert_eq!(unknown.code(), "not_found");
    assert_eq!(platform.get("/v1/jobs/1").await.code(), "invalid_id");
    let events = platform.get(&format!("/v1/jobs/{}/events?after=1", job.id)).await;
    assert_eq!(events.headers["content-type"], "text/event-stream");
    let text = String::from_utf8(events.body).unwrap();
    assert!(!text.contains("id: 1\n") && text.contains("event: ended\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn header_and_body_name_the_same_submission() {
    let platform = platform();
    platform.project().await;
    let submit = |header: &'static str, body: Option<&'static str>| {
        let body = json!({ "files": { "main.py": "" }, "project": "physics", "idempotency_key": body });
        let request = Request::post("/v1/jobs").header("authorization", format!("Bearer {}", platform.key));
        let request = request.header("content-type", "application/json").header("idempotency-key", header);
        platform.ask(request.body(Body::from(body.to_string())).unwrap())
    };
    let first: Job = submit("one", None).await.json();
    let again: Job = submit("one", Some("one")).await.json();
    assert_eq!(first.id, again.id);
    assert_eq!(submit("one", Some("two")).await.code(), "invalid_submission");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_comes_back_as_it_went_and_only_under_its_own_digest() {
    let platform = platform();
    platform.project().await;
    let bytes: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
    let digest = Digest::of(&bytes);
    let put = |digest: Digest, bytes: Vec<u8>| {
        let request = Request::put(format!("/v1/blobs/{digest}?project=physics"));
        let request = request.header("authorization", format!("Bearer {}", platform.key)).body(Body::from(bytes));
        platform.ask(request.unwrap())
    };
    let query = json!({ "project": "physics", "digests": [digest] });
    let missing: BlobsMissing = platform.post("/v1/blobs/missing", query.clone()).await.json();
    assert_eq!(missing.missing, [digest]);
    assert_eq!(put(Digest::of(b"other"), bytes.clone()).await.code(), "digest_mismatch");
    let stored: Blob = put(digest, bytes.clone()).await.json();
    assert_eq!(stored.size, bytes.len() as u64);
    assert!(platform.post("/v1/blobs/missing", query).await.json::<BlobsMissing>().missing.is_empty());
    let read = platform.get(&format!("/v1/blobs/{digest}")).await;
    assert_eq!(read.headers["content-type"], "application/octet-stream");
    assert!(read.body == bytes);
    assert_eq!(put(digest, vec![0; (1 << 20) + 1]).await.code(), "too_large");
    assert_eq!(platform.get("/v1/blobs/sha256:00").await.code(), "invalid_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_takes_a_job_and_its_submitter_hears_of_everything() {
    let platform = platform();
    platform.project().await;
    let token = platform.with_token(&platform.key, "POST", "/v1/workers/join-tokens", None).await;
    let token = token.json::<JoinToken>().token;
    let room = Room { slots: 1, cpus_milli: 4000, memory_bytes: 4 << 30 };
    let id = gambeson_api::WorkerId::new();
    let credential = gambeson_api::work::credential(id, &[7; 32]);
    let enrol = Enrol {
        worker: id,
        credential: Digest::of(credential.as_bytes()),
        name: "w".into(),
        room,
        version: "0".into(),
        environment: "CPython 3.11.7".into(),
        layers: Vec::new(),
    };
    let ask = async |token: &str, path: &str, body: Value| platform.with_token(token, "POST", path, Some(body)).await;
    assert_eq!(ask(&token, "/v1/worker/enrol", json!(enrol)).await.json::<Enrolled>().worker, id);
    let other = Enrol { worker: gambeson_api::WorkerId::new(), ..enrol.clone() };
    assert_eq!(ask(&token, "/v1/worker/enrol", json!(other)).await.status.as_u16() / 100, 4, "a token joins once");

    let submission = Submission { project: Some("physics".into()), ..Submission::of_source("print(1)") };
    let waiting = platform.post("/v1/jobs?wait=60s", json!(submission));
    let working = async {
        let request = LeaseRequest {
            room,
            free: room,
            wait_ms: 60_000,
            version: "0".into(),
            environment: "CPython 3.11.7".into(),
            layers: None,
        };
        let leases = ask(&credential, "/v1/worker/leases", json!(request)).await.json::<Leases>();
        let lease = &leases.leases[0];
        let data = Content(b"1\n".to_vec());
        let entries = vec![Entry::Started {}, Entry::Output { stream: OutputStream::Stdout, data }];
        let base = format!("/v1/worker/leases/{}", lease.id);
        let append = Append { first: 0, entries };
        let stolen = ask(&platform.key, &format!("{base}/append"), json!(append)).await;
        assert!(stolen.status.is_client_error(), "a user's key is no lease token");
        assert_eq!(ask(&lease.token, &format!("{base}/append"), json!(append)).await.status, StatusCode::OK);
        let report = Report {
            outcome: Outcome { end: End::Exited { code: 0 }, message: "fine".into() },
            usage: Usage::default(),
            layers: Vec::new(),
            denials: Vec::new(),
            start: Start::Cold,
        };
        let artifact = b"<script>".to_vec();
        let digest = Digest::of(&artifact);
        let put =
            Request::put(format!("{base}/blobs/{digest}")).header("authorization", format!("Bearer {}", lease.token));
        assert_eq!(platform.ask(put.body(Body::from(artifact)).unwrap()).await.status, StatusCode::OK);
        let artifacts = vec![gambeson_api::Artifact { path: "plot ü.html".into(), size: 8, digest }];
        let settle = Settle { first: 2, entries: Vec::new(), report, artifacts, skipped: Vec::new() };
        assert_eq!(ask(&lease.token, &format!("{base}/settle"), json!(settle)).await.status, StatusCode::OK);
    };
    let (answer, ()) = tokio::join!(waiting, working);
    assert_eq!(answer.status, StatusCode::OK, "it ended within the wait");
    let Accepted::Job(job) = answer.json::<Accepted>() else { panic!("no array was asked for") };
    assert_eq!((job.state, job.stdout.as_deref()), (JobState::Ended, Some("1\n")));

    let events = platform.get(&format!("/v1/jobs/{}/events", job.id)).await;
    let text = String::from_utf8(events.body).unwrap();
    let kinds: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(kinds, ["queued", "leased", "started", "output", "ended"]);
    let last = text.lines().rfind(|line| line.starts_with("data: ")).unwrap();
    let last: gambeson_api::Event = serde_json::from_str(&last[6..]).unwrap();
    assert!(matches!(last.body, EventBody::Ended { .. }) && last.seq == 5);

    let artifact = platform.get(&format!("/v1/jobs/{}/artifacts/plot%20%C3%BC.html", job.id)).await;
    assert_eq!(artifact.body, b"<script>");
    assert_eq!(
        artifact.headers["content-disposition"],
        "attachment; filename=\"plot _.html\"; filename*=UTF-8''plot%20%C3%BC.html"
    );
    let elsewhere = platform.get(&format!("/v1/jobs/{}/artifacts/..%2Fx", job.id)).await;
    assert_eq!(elsewhere.code(), "invalid_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_followers_go_and_closes_the_store() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let platform = platform();
    platform.project().await;
    let job = platform.submit("print(1)").await;
    let options = Options { socket: Some(platform._dir.path().join("run/s.sock")), ..Options::default() };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (tell, told) = tokio::sync::oneshot::channel();
    let control = platform.control.clone();
    let stop_asked = async { drop(stopped.await) };
    let serving = tokio::spawn(async move {
        gambeson_server::serve(control, options, stop_asked, |addresses| tell.send(addresses.to_vec()).unwrap()).await
    });
    let gambeson_server::Address::Socket(path) = told.await.unwrap().remove(0) else { panic!("no socket") };
    let mut stream = tokio::net::UnixStream::connect(path).await.unwrap();
    let key = &platform.key;
    let request = format!("GET /v1/jobs/{}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n", job.id);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains("event: queued") {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0, "{}", String::from_utf8_lossy(&text));
    }
    stop.send(()).unwrap();
    stream.read_to_end(&mut text).await.unwrap();
    assert!(text.ends_with(b"0\r\n\r\n"), "the answer has an orderly end");
    drop(stream);
    serving.await.unwrap().unwrap();
    assert!(!platform.control.healthy());
}

/// A key of the owner's beside the first, with its id.
async fn second_key(platform: &Platform) -> (String, String) {
    let made = platform.post("/v1/keys", json!({"name": "second", "scopes": ["*"]})).await;
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let made: Value = made.json();
    (made["secret"].as_str().unwrap().to_owned(), made["key"]["id"].as_str().unwrap().to_owned())
}

fn following(key: &str, path: &str) -> Request<Body> {
    Request::get(path).header("authorization", format!("Bearer {key}")).body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_what_it_follows_and_waits_for() {
    let platform = platform();
    let (key, id) = second_key(&platform).await;
    let job = platform.post("/v1/jobs", json!({"files": {"main.py": "print(1)"}})).await.json::<Job>().id;
    let events = platform.router.clone().oneshot(following(&key, &format!("/v1/jobs/{job}/events"))).await.unwrap();
    assert_eq!(events.status(), 200);
    let mut events = events.into_body();
    let first = http_body_util::BodyExt::frame(&mut events).await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"id: 1\n"), "{first:?}");
    let waiting = tokio::spawn(platform.router.clone().oneshot(following(&key, &format!("/v1/jobs/{job}?wait=60s"))));
    assert_eq!(platform.post(&format!("/v1/keys/{id}/revoke"), json!(null)).await.status, 200);
    let soon = std::time::Duration::from_secs(5);
    let rest =
        tokio::time::timeout(soon, axum::body::to_bytes(events, usize::MAX)).await.expect("it streams on").unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.starts_with("event: problem\n") && rest.contains("the key was revoked"), "{rest}");
    let waited = tokio::time::timeout(soon, waiting).await.expect("it waits on").unwrap().unwrap();
    assert_eq!(waited.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_has_so_many_open_answers_and_no_more() {
    let platform = platform_with(|config| config.open_per_key = 2);
    let (other, _) = second_key(&platform).await;
    let job = platform.post("/v1/jobs", json!({"files": {"main.py": "print(1)"}})).await.json::<Job>().id;
    let path = format!("/v1/jobs/{job}/events");
    let follow = |key: &str| platform.router.clone().oneshot(following(key, &path));
    let mut open = vec![follow(&platform.key).await.unwrap(), follow(&platform.key).await.unwrap()];
    assert!(open.iter().all(|answer| answer.status() == 200));
    assert_eq!(platform.get(&path).await.code(), "too_many_open");
    assert_eq!(platform.get(&format!("/v1/jobs/{job}?wait=1ms")).await.code(), "too_many_open");
    // What would be waited for is not accepted either: nobody would learn its id.
    let before = platform.get("/v1/jobs").await.json::<JobList>().jobs.len();
    let refused = platform.post("/v1/jobs?wait=1s", json!({"files": {"main.py": "print(1)"}})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "too_many_open".into()));
    assert_eq!(platform.get("/v1/jobs").await.json::<JobList>().jobs.len(), before);
    assert_eq!(platform.get(&format!("/v1/jobs/{job}")).await.status, 200, "what ends at once needs no place");
    assert_eq!(follow(&other).await.unwrap().status(), 200, "another key has places of its own");
    open.pop();
    assert_eq!(follow(&platform.key).await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_of_who_has_no_lease_is_not_read() {
    let platform = platform();
    let lease = gambeson_api::LeaseId::new();
    for (token, path) in [
        ("gml_guessed", format!("/v1/worker/leases/{lease}/append")),
        ("gml_guessed", format!("/v1/worker/leases/{lease}/settle")),
        ("gmw_guessed", "/v1/worker/heartbeat".to_owned()),
        ("gmj_guessed", "/v1/worker/enrol".to_owned()),
    ] {
        let read = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counted = std::sync::Arc::clone(&read);
        let pieces = futures_util::stream::repeat_with(move || {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, std::convert::Infallible>(vec![b' '; 8 << 10])
        });
        let request = Request::post(&path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from_stream(pieces))
            .unwrap();
        let answer = platform.ask(request).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{path}");
        let read = read.load(std::sync::atomic::Ordering::Relaxed) * (8 << 10);
        assert!(read <= 80 << 10, "{path}: {read} bytes were read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_frames_without_ids_that_begin_with_a_comment() {
    let platform = platform();
    platform.project().await;
    let listening = platform.router.clone().oneshot(following(&platform.key, "/v1/changes")).await.unwrap();
    assert_eq!(listening.status(), 200);
    assert_eq!(listening.headers()["content-type"], "text/event-stream");
    let mut listening = listening.into_body();
    let mut text = String::new();
    let mut more = async |text: &mut String| {
        let frame = http_body_util::BodyExt::frame(&mut listening);
        let frame = tokio::time::timeout(std::time::Duration::from_secs(10), frame).await.expect("it goes on");
        text.push_str(std::str::from_utf8(&frame.unwrap().unwrap().into_data().unwrap()).unwrap());
    };
    more(&mut text).await;
    assert_eq!(text, ":\n\n");
    let job = platform.submit("print(1)").await;
    while !text.contains("event: queue\n") {
        more(&mut text).await;
    }
    assert!(text.ends_with("\n\n") && !text.contains("id: "), "{text}");
    let mut frames = text.split_terminator("\n\n").skip(1);
    let data = frames.next().unwrap().strip_prefix("event: job\ndata: ").expect("the job comes first");
    let gambeson_api::Change::Job { job: told } = serde_json::from_str(data).unwrap() else { panic!("{data}") };
    assert_eq!((told.id, told.state), (job.id, JobState::Queued));
    let short = platform.get("/v1/changes?project=physics&wait=50ms").await;
    assert_eq!((short.status, short.body.as_slice()), (StatusCode::OK, b":\n\n".as_slice()));
    assert_eq!(platform.get("/v1/changes?wait=61s").await.code(), "invalid_query");
    assert_eq!(platform.get("/v1/changes?project=nowhere").await.code(), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_come_in_the_form_that_was_asked_for_and_name_routes_by_their_templates() {
    let platform = platform();
    platform.project().await;
    let job = platform.submit("print(1)").await;
    platform.get(&format!("/v1/jobs/{}", job.id)).await;
    platform.get(&format!("/v1/jobs/{}/artifacts/secret/name.txt", job.id)).await;
    platform.get("/v9/nothing?key=gmb_1").await;
    let open = Request::get("/metrics")
        .header("authorization", format!("Bearer {}", platform.key))
        .header("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
    let open = platform.ask(open.body(Body::empty()).unwrap()).await;
    assert_eq!(open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let open = String::from_utf8(open.body).unwrap();
    assert!(open.contains("# TYPE gambeson_jobs_submitted counter\n") && open.ends_with("# EOF\n"), "{open}");
    for line in [
        r#"gambeson_http_request_seconds_count{route="/v1/jobs/{id}",method="GET",status="2xx"} 1"#,
        r#"gambeson_http_request_seconds_count{route="/v1/jobs/{id}/artifacts/{*path}",method="GET",status="4xx"} 1"#,
        r#"gambeson_http_request_seconds_count{route="none",method="GET",status="4xx"} 1"#,
        r#"gambeson_http_request_seconds_count{route="/v1/jobs",method="POST",status="2xx"} 1"#,
        r#"gambeson_queue_jobs{project="physics",class="normal"} 1"#,
    ] {
        assert!(open.lines().any(|given| given.starts_with(line)), "{line} is not in\n{open}");
    }
    for private in ["secret", "name.txt", &job.id.to_string(), "gmb_", "print"] {
        assert!(!open.contains(private), "{private}");
    }
    let plain = platform.get("/metrics").await;
    assert_eq!(plain.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let plain = String::from_utf8(plain.body).unwrap();
    assert!(plain.contains("# TYPE gambeson_jobs_submitted_total counter\n") && !plain.contains("# EOF"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_ready_says_so_to_anybody_and_one_that_is_not_says_why() {
    let platform = platform();
    let ask = || async { platform.ask(Request::get("/readyz").body(Body::empty()).unwrap()).await };
    let ready = ask().await;
    assert_eq!(ready.status, StatusCode::OK);
    assert_eq!(String::from_utf8(ready.body).unwrap(), "ready\nno worker is connected: jobs are taken and wait\n");
    platform.control.drain().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let draining = ask().await;
    assert_eq!((draining.status, draining.code()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable".into()));
    let problem: Problem = draining.json();
    assert_eq!(
        problem.detail,
        "not ready: the server was told to stop; no worker is connected: jobs are taken and wait"
    );
    let lives = platform.ask(Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!(lives.status, StatusCode::OK, "it lives all the same");
}
