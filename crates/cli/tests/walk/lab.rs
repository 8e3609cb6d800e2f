//! A platform with one user for each role, and one of each thing that can be asked about.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;

use gambeson_testkit::{Platform, until};
use serde_json::{Value, json};

use super::http::{Answer, ask};

/// A column of the table: who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// At the head of the column.
    pub name: &'static str,
    /// For the reader of the table.
    pub who: &'static str,
    /// Whose key it is, for what is asked about one's own.
    pub user: Option<&'static str>,
    token: Token,
}

/// What stands behind `Bearer`.
#[derive(Debug, Clone)]
enum Token {
    None,
    Is(String),
    /// Of the lease that is held at the moment.
    Lease,
    /// One that no worker enrolled with yet.
    Join,
}

/// The users: name, and the role on the platform or in a project.
const USERS: [(&str, &str, &str); 14] = [
    ("eve", "field", "owner"),
    ("dora", "lab", "owner"),
    ("olga", "lab", "owner"),
    ("oscar", "lab", "operator"),
    ("ada", "lab", "submitter"),
    ("sam", "lab", "submitter"),
    ("vera", "lab", "viewer"),
    ("aude", "lab", "auditor"),
    ("pia", "platform", "owner"),
    ("pete", "platform", "operator"),
    ("paul", "platform", "submitter"),
    ("prue", "platform", "viewer"),
    ("pam", "platform", "auditor"),
    ("zoe", "field", "viewer"),
];

/// The blob that ada uploaded.
pub const BLOB: &[u8] = b"print('from a blob')\n";
/// What the job left.
pub const ARTIFACT: &[u8] = b"42\n";

pub struct Lab {
    pub platform: Platform,
    pub server: SocketAddr,
    pub callers: Vec<Caller>,
    /// The digest of [`BLOB`].
    pub blob: String,
    /// A job of ada's that ended and left `out/answer.txt`.
    pub job: String,
    /// A worker that nobody needs.
    pub idle_worker: String,
    keys: HashMap<&'static str, String>,
    credential: String,
    /// What is there to be used up, by what for.
    stock: HashMap<String, Value>,
    made: u32,
}

impl Lab {
    /// # Panics
    /// When anything of it cannot be made.
    pub fn open() -> Lab {
        let args =
            ["--set", "queue.lease=10m", "--set", "server.rate_per_key=100000", "--set", "server.rate_burst=100000"];
        let platform = Platform::serve(Path::new(env!("CARGO_BIN_EXE_gambeson")), &args);
        let server = platform.url.trim_start_matches("http://").parse().expect("an address");
        let mut lab = Lab {
            platform,
            server,
            callers: Vec::new(),
            blob: gambeson_api::Digest::of(BLOB).to_string(),
            job: String::new(),
            idle_worker: String::new(),
            keys: HashMap::new(),
            credential: String::new(),
            stock: HashMap::new(),
            made: 0,
        };
        for project in ["lab", "field"] {
            lab.root("POST", "/v1/projects", json!({"name": project}));
        }
        lab.root("POST", "/v1/users", json!({"name": "grader", "kind": "service"}));
        for (user, project, role) in USERS {
            lab.root("POST", "/v1/users", json!({"name": user}));
            lab.root("POST", "/v1/members", json!({"user": user, "project": project, "role": role}));
            let key = lab.key(json!({"name": "all", "user": user, "scopes": ["*"]}));
            lab.keys.insert(user, key);
        }
        lab.root("PATCH", "/v1/users/dora", json!({"disabled": true}));
        lab.idle_worker = text(&lab.enrol("idle"), "worker");
        lab.credential = credential_of(text(&lab.enrol("busy"), "worker").parse().expect("an id"));
        lab.put(&format!("/v1/blobs/{}?project=lab", lab.blob), &lab.keys["ada"], BLOB);
        lab.job = lab.ended_job();
        lab.callers = lab.columns();
        lab
    }

    fn columns(&self) -> Vec<Caller> {
        let key = |user: &str| Token::Is(self.keys[user].clone());
        let narrow = |scopes: Value, project: Option<&str>| {
            Token::Is(self.key(json!({"name": "narrow", "user": "pia", "scopes": scopes, "project": project})))
        };
        // As long as a real one, with its id, and wrong.
        let mut wrong = self.keys["pia"].clone();
        let last = if wrong.ends_with('a') { 'b' } else { 'a' };
        wrong.pop();
        wrong.push(last);
        let revoked = self.root("POST", "/v1/keys", json!({"name": "old", "user": "olga", "scopes": ["*"]}));
        self.root("POST", &format!("/v1/keys/{}/revoke", text(&revoked["key"], "id")), Value::Null);
        let caller = |name, who, user, token| Caller { name, who, user, token };
        vec![
            caller("nob", "nobody: no key at all", None, Token::None),
            caller("bad", "a key of the platform's owner with one wrong letter", Some("pia"), Token::Is(wrong)),
            caller("exp", "a key of lab's owner that has expired", Some("olga"), Token::Is(self.expired())),
            caller("rev", "a key of lab's owner that was revoked", Some("olga"), Token::Is(text(&revoked, "secret"))),
            caller("dis", "an owner of lab who is disabled", Some("dora"), key("dora")),
            caller("for", "a foreigner: owner of another project, nothing in lab", Some("eve"), key("eve")),
            caller("own", "owner of lab", Some("olga"), key("olga")),
            caller("ope", "operator of lab", Some("oscar"), key("oscar")),
            caller("ada", "submitter of lab; the jobs are hers", Some("ada"), key("ada")),
            caller("sub", "submitter of lab; the jobs are another's", Some("sam"), key("sam")),
            caller("vie", "viewer of lab", Some("vera"), key("vera")),
            caller("aud", "auditor of lab", Some("aude"), key("aude")),
            caller("OWN", "owner of the platform", Some("pia"), key("pia")),
            caller("OPE", "operator of the platform", Some("pete"), key("pete")),
            caller("SUB", "submitter on the platform", Some("paul"), key("paul")),
            caller("VIE", "viewer on the platform", Some("prue"), key("prue")),
            caller("AUD", "auditor of the platform", Some("pam"), key("pam")),
            caller("j:r", "owner of the platform, key for jobs:read", Some("pia"), narrow(json!(["jobs:read"]), None)),
            caller(
                "j:w",
                "owner of the platform, key for jobs:write",
                Some("pia"),
                narrow(json!(["jobs:write"]), None),
            ),
            caller(
                "els",
                "owner of the platform, key bound to another project",
                Some("pia"),
                narrow(json!(["*"]), Some("field")),
            ),
            caller("wor", "a worker's credential", None, Token::Is(self.credential.clone())),
            caller("lea", "the token of a lease", None, Token::Lease),
            caller("joi", "a join token", None, Token::Join),
        ]
    }

    /// What a caller shows at the moment.
    pub fn bearer(&mut self, caller: &Caller) -> Option<String> {
        match &caller.token {
            Token::None => None,
            Token::Is(token) => Some(token.clone()),
            Token::Lease => Some(text(&self.stocked("lease", Lab::lease), "token")),
            Token::Join => Some(text(
                &self.stocked("join token", |lab| lab.root("POST", "/v1/workers/join-tokens", Value::Null)),
                "token",
            )),
        }
    }

    /// Something that is there to be used up: made when there is none.
    pub fn stocked(&mut self, what: &str, make: impl FnOnce(&mut Lab) -> Value) -> Value {
        if let Some(there) = self.stock.get(what) {
            return there.clone();
        }
        let made = make(self);
        self.stock.insert(what.to_owned(), made.clone());
        made
    }

    /// A call that was allowed used these up.
    pub fn used_up(&mut self, what: &[String]) {
        for what in what {
            self.stock.remove(what);
        }
    }

    /// A name that nothing has.
    pub fn name(&mut self) -> String {
        self.made += 1;
        format!("made-{}", self.made)
    }

    /// Something asked with the setup key, which must be allowed.
    ///
    /// # Panics
    /// When it is not.
    pub fn root(&self, method: &str, path: &str, body: Value) -> Value {
        self.good(method, path, &self.platform.key, body)
    }

    fn good(&self, method: &str, path: &str, bearer: &str, body: Value) -> Value {
        let bytes = body.to_string().into_bytes();
        let body = (!body.is_null()).then_some(("application/json", bytes.as_slice()));
        let answer = ask(self.server, method, path, Some(bearer), body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    fn put(&self, path: &str, bearer: &str, bytes: &[u8]) {
        let Answer { status, body, .. } =
            ask(self.server, "PUT", path, Some(bearer), Some(("application/octet-stream", bytes)));
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }

    /// The secret of a new key.
    fn key(&self, new: Value) -> String {
        text(&self.root("POST", "/v1/keys", new), "secret")
    }

    fn expired(&self) -> String {
        let key = self.key(json!({"name": "short", "user": "olga", "scopes": ["*"], "expires_in": "1s"}));
        until("the key expires", || {
            (ask(self.server, "GET", "/v1/whoami", Some(&key), None).status == 401).then_some(())
        });
        key
    }

    fn enrol(&self, name: &str) -> Value {
        let token = text(&self.root("POST", "/v1/workers/join-tokens", Value::Null), "token");
        self.good("POST", "/v1/worker/enrol", &token, enrolment(name))
    }

    /// A job of ada's that waits.
    pub fn waiting_job(&self) -> Value {
        self.good("POST", "/v1/jobs", &self.keys["ada"], submission(&self.blob))
    }

    /// An array of ada's that waits.
    pub fn waiting_array(&self) -> Value {
        let mut submission = submission(&self.blob);
        submission["array"] = json!(2);
        self.good("POST", "/v1/jobs", &self.keys["ada"], submission)
    }

    /// A lease on a job of ada's, of which nothing was said yet.
    fn lease(&mut self) -> Value {
        let job = text(&self.waiting_job(), "id");
        let lease = until("the job is leased", || {
            let leases = self.good("POST", "/v1/worker/leases", &self.credential, lease_request(1000));
            leases["leases"].as_array()?.iter().find(|lease| lease["job"] == job.as_str()).cloned()
        });
        // A lease that is not heard of for some seconds is taken not to have arrived.
        self.good("POST", "/v1/worker/heartbeat", &self.credential, json!({"leases": [lease["id"]], "wait_ms": 0}));
        lease
    }

    fn ended_job(&mut self) -> String {
        let lease = self.lease();
        let (id, token) = (text(&lease, "id"), text(&lease, "token"));
        let digest = gambeson_api::Digest::of(ARTIFACT).to_string();
        let at = |what: &str| format!("/v1/worker/leases/{id}/{what}");
        self.good("POST", &at("append"), &token, json!({"first": 0, "entries": [{"type": "started"}]}));
        self.put(&at(&format!("blobs/{digest}")), &token, ARTIFACT);
        let mut settle = settlement(1);
        settle["artifacts"] = json!([{"path": "out/answer.txt", "size": ARTIFACT.len(), "digest": digest}]);
        self.good("POST", &at("settle"), &token, settle);
        text(&lease, "job")
    }

    /// The lease that is held at the moment.
    pub fn lease_id(&mut self) -> String {
        text(&self.stocked("lease", Lab::lease), "id")
    }
}

/// A text of an object.
///
/// # Panics
/// When it has none.
pub fn text(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_else(|| panic!("{name} in {of}")).to_owned()
}

pub fn submission(blob: &str) -> Value {
    json!({"project": "lab", "files": {"main.py": "print(1)", "more.py": {"digest": blob}}})
}

pub fn room() -> Value {
    json!({"slots": 1000, "cpus_milli": 1_000_000, "memory_bytes": 1u64 << 42})
}

pub fn enrolment(name: &str) -> Value {
    let worker = gambeson_api::WorkerId::new();
    let digest = gambeson_api::Digest::of(credential_of(worker).as_bytes());
    json!({
        "worker": worker, "credential": digest, "name": name, "room": room(), "version": "0", "environment": "CPython",
        "layers": [],
    })
}

fn credential_of(worker: gambeson_api::WorkerId) -> String {
    gambeson_api::work::credential(worker, &[7; 32])
}

pub fn lease_request(wait_ms: u64) -> Value {
    json!({"room": room(), "free": room(), "wait_ms": wait_ms, "version": "0", "environment": "CPython"})
}

/// The end of an attempt of which `first` entries were reported.
pub fn settlement(first: u64) -> Value {
    json!({
        "first": first,
        "entries": [],
        "report": {
            "outcome": {"kind": "exited", "code": 0, "message": "fine"},
            "usage": {"wall_ms": 1.0, "cpu_ms": 1.0, "memory_peak_bytes": null, "pids_peak": null, "disk_bytes": 0, "output_bytes": 0},
            "layers": [],
            "denials": [],
            "start": "cold",
        },
        "artifacts": [],
        "skipped": [],
    })
}
