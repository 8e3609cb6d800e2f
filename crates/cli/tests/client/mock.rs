//! A server as a test wishes it: each call is noted, and answered by a function of the test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// A call as it came.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// How many calls of this method and path (without query) came before.
    pub before: usize,
}

impl Call {
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.split('?').next() == Some(path)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What to answer.
pub enum Reply {
    Json(u16, Value),
    Bytes(Vec<u8>),
    /// The headers and some bytes of JSON; then the connection breaks.
    Cut,
    /// Events; then the connection breaks.
    EventsCut(Vec<u8>),
    /// Events to an orderly end.
    Events(Vec<u8>),
    /// Events; then more when it is notified.
    EventsThen(Vec<u8>, Arc<Notify>, Vec<u8>),
}

pub fn problem(status: u16, code: &str, detail: &str) -> Reply {
    let problem = json!({
        "type": "about:blank", "title": "No", "status": status, "detail": detail, "code": code, "remedy": "Do better.",
    });
    Reply::Json(status, problem)
}

#[derive(Default)]
struct Noted {
    calls: Mutex<Vec<Call>>,
    came: Condvar,
}

/// A running mock server.
pub struct Mock {
    address: SocketAddr,
    noted: Arc<Noted>,
    _runtime: tokio::runtime::Runtime,
}

impl Mock {
    pub fn start(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Mock {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let noted = Arc::new(Noted::default());
        let (answer, noting) = (Arc::new(answer), noted.clone());
        let router = Router::new().fallback(move |request: Request| {
            let (answer, noting) = (answer.clone(), noting.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
                let method = parts.method.to_string();
                let path = parts.uri.path_and_query().unwrap().to_string();
                let headers = parts
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                    .collect();
                let mut call = Call { method, path, headers, body, before: 0 };
                {
                    let mut calls = noting.calls.lock().unwrap();
                    call.before = calls.iter().filter(|known| known.is(&call.method, parts.uri.path())).count();
                    calls.push(call.clone());
                    noting.came.notify_all();
                }
                respond(answer(&call))
            }
        });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Mock { address, noted, _runtime: runtime }
    }

    pub fn calls(&self, method: &str, path: &str) -> Vec<Call> {
        self.noted.calls.lock().unwrap().iter().filter(|call| call.is(method, path)).cloned().collect()
    }

    pub fn last(&self) -> Call {
        self.noted.calls.lock().unwrap().last().cloned().unwrap()
    }

    /// Waits until such a call came.
    pub fn wait_for(&self, method: &str, path: &str) {
        let calls = self.noted.calls.lock().unwrap();
        let none = |calls: &mut Vec<Call>| !calls.iter().any(|call| call.is(method, path));
        let (_calls, timeout) = self.noted.came.wait_timeout_while(calls, Duration::from_secs(20), none).unwrap();
        assert!(!timeout.timed_out(), "{method} {path} never came");
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gambeson"));
        self.set_up(&mut command);
        command.args(args);
        command
    }

    fn set_up(&self, command: &mut Command) {
        command
            .env("GAMBESON_SERVER", format!("http://{}", self.address))
            .env("GAMBESON_KEY", "gmb_0123_test")
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The same, with a terminal for all three streams: what it shows is standard output.
    pub fn command_on_terminal(&self, args: &[&str]) -> Command {
        const SPAWN: &str = "\
import fcntl, os, pty, struct, sys, termios
def read(fd):
    return os.read(fd, 65536)
status = pty.spawn(sys.argv[1:], read)
sys.exit(os.waitstatus_to_exitcode(status))";
        let mut command = Command::new("python3");
        self.set_up(&mut command);
        command.args(["-c", SPAWN, env!("CARGO_BIN_EXE_gambeson")]).args(args);
        command
    }
}

fn respond(reply: Reply) -> Response<Body> {
    let response = |kind: &str, body| Response::builder().header("content-type", kind).body(body).unwrap();
    let broken = || Err(std::io::Error::other("cut"));
    // The pieces leave before what comes after them: the connection writes when there is nothing more to take.
    let pieces = |pieces: Vec<Result<Vec<u8>, std::io::Error>>| {
        Body::from_stream(stream::unfold(pieces.into_iter(), |mut pieces| async move {
            let piece = pieces.next()?;
            if piece.is_err() {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
            Some((piece.map(Bytes::from), pieces))
        }))
    };
    match reply {
        Reply::Json(status, value) => {
            let mut response = response("application/json", Body::from(value.to_string()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        }
        Reply::Bytes(bytes) => response("application/octet-stream", Body::from(bytes)),
        Reply::Cut => response("application/json", pieces(vec![Ok(b"{\"id\":".to_vec()), broken()])),
        Reply::EventsCut(events) => response("text/event-stream", pieces(vec![Ok(events), broken()])),
        Reply::Events(events) => response("text/event-stream", Body::from(events)),
        Reply::EventsThen(events, notify, more) => {
            let first = stream::once(async move { Ok::<_, std::io::Error>(events) });
            let second = stream::once(async move {
                notify.notified().await;
                Ok(more)
            });
            response("text/event-stream", Body::from_stream(futures_util::StreamExt::chain(first, second)))
        }
    }
}

pub const JOB: &str = "job_0192f0c1d2e37abc8def0123456789ab";

/// The address of the job's own route, with `more` after it.
pub fn of_job(more: &str) -> String {
    format!("/v1/jobs/{JOB}{more}")
}

/// A job as the server shows it, in this state.
pub fn job(state: &str) -> Value {
    let mut job: Value = serde_json::from_str(include_str!("job.json")).unwrap();
    job["state"] = state.into();
    job
}

/// One event as it travels.
pub fn event(seq: u64, kind: &str, more: Value) -> Vec<u8> {
    let mut event = json!({"seq": seq, "at": "2026-11-25T08:30:00Z", "attempt": 1, "type": kind});
    for (name, value) in more.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    format!("id: {seq}\nevent: {kind}\ndata: {event}\n\n").into_bytes()
}

pub fn output(seq: u64, stream: &str, text: &str) -> Vec<u8> {
    event(seq, "output", json!({"stream": stream, "data": {"text": text}}))
}

pub fn ended(seq: u64, outcome: Value) -> Vec<u8> {
    event(seq, "ended", json!({"outcome": outcome}))
}

pub fn exited(seq: u64, code: u8) -> Vec<u8> {
    ended(seq, json!({"kind": "exited", "code": code, "message": "it ended"}))
}

/// A server on which one job is submitted and has these events.
pub fn with_events(events: Vec<u8>) -> Mock {
    Mock::start(move |call| {
        if call.is("POST", "/v1/jobs") {
            Reply::Json(202, job("queued"))
        } else if call.is("GET", &of_job("/events")) {
            Reply::Events(events.clone())
        } else {
            Reply::Json(200, job("ended"))
        }
    })
}

/// A directory that goes with the test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("gambeson-client-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
