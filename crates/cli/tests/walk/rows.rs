//! The rows of the table: for each operation one request about real things, or several where it matters about whose.

use serde_json::{Value, json};

use super::lab::{BLOB, Caller, Lab, enrolment, lease_request, settlement, text};

/// A row.
pub struct Row {
    pub method: &'static str,
    /// As the document writes it.
    pub path: &'static str,
    /// About whose, where there is more than one row of an operation.
    pub about: &'static str,
    make: Make,
}

type Make = fn(&mut Lab, &Caller, &mut Asked);

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub body: Option<(&'static str, Vec<u8>)>,
    /// What of the lab's stock is no more if it is allowed.
    pub uses: Vec<String>,
}

impl Asked {
    /// With an object's name in the path.
    fn at(&mut self, hole: &str, name: &str) {
        self.path = self.path.replace(hole, name);
    }

    fn query(&mut self, query: &str) {
        self.path.push('?');
        self.path.push_str(query);
    }

    fn json(&mut self, body: &Value) {
        self.body = Some(("application/json", body.to_string().into_bytes()));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.body = Some(("application/octet-stream", bytes.to_vec()));
    }
}

impl Row {
    /// The request of one caller.
    pub fn asked(&self, lab: &mut Lab, caller: &Caller) -> Asked {
        let mut asked = Asked { path: self.path.to_owned(), body: None, uses: Vec::new() };
        (self.make)(lab, caller, &mut asked);
        assert!(!asked.path.contains('{'), "{} is not about anything", asked.path);
        asked
    }
}

fn of_job(lab: &mut Lab, _: &Caller, asked: &mut Asked) {
    asked.at("{id}", &lab.job.clone());
}

/// A key that is there to be revoked.
fn key_of(lab: &mut Lab, user: &str, project: Option<&str>, asked: &mut Asked) {
    let what = format!("key of {user} {project:?}");
    let key = lab.stocked(&what, |lab| {
        lab.root(
            "POST",
            "/v1/keys",
            json!({"name": "spare", "user": user, "project": project, "scopes": ["jobs:read"]}),
        )
    });
    asked.at("{id}", &text(&key["key"], "id"));
    asked.uses.push(what);
}

/// A role that is there to be taken away.
fn role_in(lab: &mut Lab, project: &str, asked: &mut Asked) {
    let what = format!("role in {project}");
    let change = json!({"user": "zoe", "project": project, "role": "viewer"});
    lab.stocked(&what, |lab| lab.root("POST", "/v1/members", change.clone()));
    asked.json(&change);
    asked.uses.push(what);
}

const fn row(method: &'static str, path: &'static str, about: &'static str, make: Make) -> Row {
    Row { method, path, about, make }
}

/// All rows. Those of workers come first: what others leave waiting would be leased as well.
pub const ROWS: &[Row] = &[
    row("POST", "/v1/worker/enrol", "", |_, _, asked| asked.json(&enrolment("new"))),
    row("POST", "/v1/worker/leases", "", |_, _, asked| asked.json(&lease_request(0))),
    row("POST", "/v1/worker/heartbeat", "", |lab, _, asked| {
        let lease = lab.lease_id();
        asked.json(&json!({"leases": [lease], "wait_ms": 0}));
    }),
    row("POST", "/v1/worker/leases/{lease}/hand-back", "", |lab, _, asked| {
        asked.at("{lease}", &lab.lease_id());
        asked.json(&json!({"why": "it is tired"}));
        asked.uses.push("lease".into());
    }),
    row("POST", "/v1/worker/leases/{lease}/append", "", |lab, _, asked| {
        asked.at("{lease}", &lab.lease_id());
        asked.json(&json!({"first": 0, "entries": [{"type": "started"}]}));
    }),
    row("GET", "/v1/worker/leases/{lease}/blobs/{digest}", "", |lab, _, asked| {
        asked.at("{lease}", &lab.lease_id());
        asked.at("{digest}", &lab.blob.clone());
    }),
    row("PUT", "/v1/worker/leases/{lease}/blobs/{digest}", "", |lab, _, asked| {
        asked.at("{lease}", &lab.lease_id());
        asked.at("{digest}", &lab.blob.clone());
        asked.bytes(BLOB);
    }),
    row("POST", "/v1/worker/leases/{lease}/settle", "", |lab, _, asked| {
        asked.at("{lease}", &lab.lease_id());
        asked.json(&settlement(0));
        asked.uses.push("lease".into());
    }),
    row("GET", "/v1/changes", "everywhere", |_, _, asked| asked.query("wait=1ms")),
    row("GET", "/v1/changes", "lab's", |_, _, asked| asked.query("project=lab&wait=1ms")),
    row("GET", "/v1/history", "everywhere", |_, _, _| {}),
    row("GET", "/v1/history", "lab's", |_, _, asked| asked.query("project=lab")),
    row("GET", "/v1/attention", "", |_, _, _| {}),
    row("GET", "/v1/jobs", "everywhere", |_, _, _| {}),
    row("GET", "/v1/jobs", "lab's", |_, _, asked| asked.query("project=lab")),
    row("GET", "/v1/jobs", "ada's", |_, _, asked| asked.query("user=ada")),
    row("POST", "/v1/jobs", "in lab", |_, _, asked| {
        // Whoever submits what names a blob keeps it: what ada uploaded stays hers alone.
        asked.json(&json!({"project": "lab", "files": {"main.py": "print(1)"}}));
    }),
    row("GET", "/v1/jobs/{id}", "ada's", of_job),
    row("GET", "/v1/jobs/{id}/source", "ada's", of_job),
    row("GET", "/v1/jobs/{id}/events", "ada's", |lab, caller, asked| {
        of_job(lab, caller, asked);
        asked.query("follow=false");
    }),
    row("GET", "/v1/jobs/{id}/artifacts", "ada's", of_job),
    row("GET", "/v1/jobs/{id}/artifacts/{path}", "ada's", |lab, caller, asked| {
        of_job(lab, caller, asked);
        asked.at("{path}", "out/answer.txt");
    }),
    row("POST", "/v1/jobs/{id}/cancel", "ada's", |lab, _, asked| {
        let job = lab.stocked("job", |lab| lab.waiting_job());
        asked.at("{id}", &text(&job, "id"));
        asked.uses.push("job".into());
    }),
    // A job that is not held stays as it is: what is asked here is who may.
    row("POST", "/v1/jobs/{id}/approve", "ada's", of_job),
    row("POST", "/v1/vet", "in lab", |_, _, asked| {
        asked.json(&json!({"project": "lab", "files": {"main.py": "import ctypes"}}));
    }),
    row("GET", "/v1/vet/record", "", |_, _, _| {}),
    row("GET", "/v1/arrays/{id}", "ada's", |lab, _, asked| {
        let array = lab.stocked("array", |lab| lab.waiting_array());
        asked.at("{id}", &text(&array, "array"));
    }),
    row("POST", "/v1/arrays/{id}/cancel", "ada's", |lab, _, asked| {
        let array = lab.stocked("array", |lab| lab.waiting_array());
        asked.at("{id}", &text(&array, "array"));
        asked.uses.push("array".into());
    }),
    row("POST", "/v1/blobs/missing", "in lab", |lab, _, asked| {
        asked.json(&json!({"project": "lab", "digests": [lab.blob]}));
    }),
    row("PUT", "/v1/blobs/{digest}", "in lab", |_, caller, asked| {
        let bytes = format!("of {}", caller.name).into_bytes();
        asked.at("{digest}", &gambeson_api::Digest::of(&bytes).to_string());
        asked.query("project=lab");
        asked.bytes(&bytes);
    }),
    row("GET", "/v1/blobs/{digest}", "ada's", |lab, _, asked| asked.at("{digest}", &lab.blob.clone())),
    row("GET", "/v1/queue", "", |_, _, _| {}),
    row("GET", "/v1/usage", "everywhere", |_, _, _| {}),
    row("GET", "/v1/usage", "lab's", |_, _, asked| asked.query("project=lab")),
    row("GET", "/v1/projects", "", |_, _, _| {}),
    row("POST", "/v1/projects", "", |lab, _, asked| {
        let name = lab.name();
        asked.json(&json!({"name": name}));
    }),
    row("GET", "/v1/projects/{name}", "lab", |_, _, asked| asked.at("{name}", "lab")),
    row("PATCH", "/v1/projects/{name}", "lab", |_, _, asked| {
        asked.at("{name}", "lab");
        asked.json(&json!({"weight": 2}));
    }),
    row("GET", "/v1/members", "everywhere", |_, _, _| {}),
    row("GET", "/v1/members", "platform's", |_, _, asked| asked.query("project=platform")),
    row("GET", "/v1/members", "lab's", |_, _, asked| asked.query("project=lab")),
    row("POST", "/v1/members", "lab's", |_, _, asked| {
        asked.json(&json!({"user": "zoe", "project": "lab", "role": "auditor"}));
    }),
    row("POST", "/v1/members", "platform's", |_, _, asked| {
        asked.json(&json!({"user": "zoe", "project": "platform", "role": "auditor"}));
    }),
    row("POST", "/v1/members/remove", "lab's", |lab, _, asked| role_in(lab, "lab", asked)),
    row("POST", "/v1/members/remove", "platform's", |lab, _, asked| role_in(lab, "platform", asked)),
    row("GET", "/v1/users", "", |_, _, _| {}),
    row("POST", "/v1/users", "", |lab, _, asked| {
        let name = lab.name();
        asked.json(&json!({"name": name}));
    }),
    row("PATCH", "/v1/users/{name}", "zoe", |_, _, asked| {
        asked.at("{name}", "zoe");
        asked.json(&json!({"disabled": false}));
    }),
    row("GET", "/v1/whoami", "", |_, _, _| {}),
    row("POST", "/v1/session", "", |lab, caller, asked| {
        // The key is in the body: who asks is who it says.
        let key = lab.bearer(caller).unwrap_or_default();
        asked.json(&json!({"key": key}));
    }),
    // A key is no session; walk.rs asks everything by session as well.
    row("GET", "/v1/session", "", |_, _, _| {}),
    row("DELETE", "/v1/session", "", |_, _, _| {}),
    row("GET", "/v1/keys", "own", |_, _, _| {}),
    row("GET", "/v1/keys", "ada's", |_, _, asked| asked.query("user=ada")),
    row("POST", "/v1/keys", "own", |_, _, asked| asked.json(&json!({"name": "new", "scopes": ["jobs:read"]}))),
    row("POST", "/v1/keys", "ada's", |_, _, asked| {
        asked.json(&json!({"name": "new", "user": "ada", "scopes": ["jobs:read"]}));
    }),
    row("POST", "/v1/keys", "ada's in lab", |_, _, asked| {
        asked.json(&json!({"name": "new", "user": "ada", "project": "lab", "scopes": ["jobs:read"]}));
    }),
    row("POST", "/v1/keys", "service's", |_, _, asked| {
        asked.json(&json!({"name": "new", "user": "grader", "scopes": ["jobs:read"]}));
    }),
    row("POST", "/v1/keys", "service's in lab", |_, _, asked| {
        asked.json(&json!({"name": "new", "user": "grader", "project": "lab", "scopes": ["jobs:read"]}));
    }),
    row("POST", "/v1/keys/{id}/revoke", "own", |lab, caller, asked| {
        key_of(lab, caller.user.unwrap_or("ada"), None, asked);
    }),
    row("POST", "/v1/keys/{id}/revoke", "zoe's", |lab, _, asked| key_of(lab, "zoe", None, asked)),
    row("POST", "/v1/keys/{id}/revoke", "zoe's in lab", |lab, _, asked| key_of(lab, "zoe", Some("lab"), asked)),
    row("POST", "/v1/keys/{id}/revoke", "service's in lab", |lab, _, asked| key_of(lab, "grader", Some("lab"), asked)),
    row("POST", "/v1/access/explain", "own in lab", |_, _, asked| {
        asked.json(&json!({"action": "job.list", "project": "lab"}));
    }),
    row("POST", "/v1/access/explain", "ada's in lab", |_, _, asked| {
        asked.json(&json!({"action": "job.list", "project": "lab", "user": "ada"}));
    }),
    row("POST", "/v1/access/explain", "ada's on platform", |_, _, asked| {
        asked.json(&json!({"action": "worker.view", "user": "ada"}));
    }),
    row("POST", "/v1/access/explain", "own on ada's job", |lab, _, asked| {
        asked.json(&json!({"action": "job.view", "job": lab.job}));
    }),
    row("GET", "/v1/audit", "everywhere", |_, _, asked| asked.query("limit=1")),
    row("GET", "/v1/audit", "lab's", |_, _, asked| asked.query("project=lab&limit=1")),
    row("GET", "/v1/audit/verify", "", |_, _, _| {}),
    row("GET", "/v1/workers", "", |_, _, _| {}),
    row("POST", "/v1/workers/join-tokens", "", |_, _, _| {}),
    row("POST", "/v1/workers/{id}/drain", "", |lab, _, asked| asked.at("{id}", &lab.idle_worker.clone())),
    row("POST", "/v1/workers/{id}/undrain", "", |lab, _, asked| asked.at("{id}", &lab.idle_worker.clone())),
    row("GET", "/v1/posture", "", |_, _, _| {}),
    row("POST", "/v1/backup", "", |lab, _, asked| {
        let name = lab.name();
        asked.json(&json!({"name": name}));
    }),
    row("GET", "/metrics", "", |_, _, _| {}),
    row("GET", "/", "", |_, _, _| {}),
    row("GET", "/readyz", "", |_, _, _| {}),
    row("GET", "/healthz", "", |_, _, _| {}),
    row("GET", "/openapi.json", "", |_, _, _| {}),
];
