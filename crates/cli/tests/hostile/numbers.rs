//! Numbers at the edges of what holds numbers, in every place that takes one.

use serde_json::{Value, json};

use super::http::ask;
use super::server::Server;

/// Numbers at the edges of what holds numbers, as JSON, and what only looks like a number.
const EDGES: [&str; 17] = [
    "0",
    "1",
    "-1",
    "255",
    "256",
    "4294967295",
    "4294967296",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1.5",
    "1e308",
    "null",
];

/// A document with `@` in the place of a number, with that number.
fn with(template: &Value, edge: &str) -> String {
    template.to_string().replace("\"@\"", edge)
}

#[test]
fn numbers_at_the_edge_are_taken_or_refused_and_nothing_overflows() {
    let server = Server::start();
    let quota = |name: &str| {
        let mut quota =
            json!({"running": 10, "queued": 100_000, "cpu_ms_per_day": 1_000_000_000u64, "stored_bytes": 1u64 << 40});
        quota[name] = json!("@");
        quota
    };
    let mut asked: Vec<(&str, String, Value)> = Vec::new();
    for limit in ["memory", "wall", "cpu", "cpus", "pids", "disk", "files", "open_files", "output"] {
        asked.push(("POST", "/v1/jobs".into(), json!({"files": {"main.py": "1"}, "limits": {limit: "@"}})));
        asked.push(("PATCH", "/v1/projects/default".into(), json!({"ceiling": {limit: "@"}})));
    }
    asked.push(("POST", "/v1/jobs".into(), json!({"files": {"main.py": "1"}, "array": "@"})));
    asked.push((
        "POST",
        "/v1/jobs".into(),
        json!({"files": {"main.py": {"digest": gambeson_api::Digest::of(b""), "size": "@"}}}),
    ));
    asked.push(("PATCH", "/v1/projects/default".into(), json!({"weight": "@"})));
    for name in ["running", "queued", "cpu_ms_per_day", "stored_bytes"] {
        asked.push(("PATCH", "/v1/projects/default".into(), json!({"quota": quota(name)})));
        asked.push(("PATCH", "/v1/projects/default".into(), json!({"user_quota": quota(name)})));
    }
    for name in ["cpus_milli", "memory_bytes", "wall_ms"] {
        let question = json!({"action": "job.submit", "project": "default", "context": {name: "@"}});
        asked.push(("POST", "/v1/access/explain".into(), question));
    }
    for (method, path, template) in &asked {
        for edge in EDGES {
            server.json(method, path, &with(template, edge));
        }
        // The same as text, as people write it.
        for edge in EDGES.iter().filter(|edge| **edge != "null") {
            server.json(method, path, &with(template, &format!("\"{edge}\"")));
            server.json(method, path, &with(template, &format!("\"{edge}G\"")));
            server.json(method, path, &with(template, &format!("\"{edge}d\"")));
        }
        server.lives(&template.to_string());
        for path in ["/v1/queue", "/v1/usage", "/v1/projects", "/v1/jobs?limit=1000"] {
            assert_eq!(server.ask("GET", path, None).status, 200, "{path} after {template}");
        }
    }
    for edge in EDGES.iter().chain(&["NaN", "inf", "-0", "+1", "0x1", "1_000", "", "%20", "1%00"]) {
        for path in [
            format!("/v1/jobs?limit={edge}"),
            format!("/v1/audit?limit={edge}"),
            format!("/v1/audit?after={edge}"),
            format!("/v1/usage?day={edge}"),
            format!("/v1/jobs/job_00000000000000000000000000000000?wait={edge}s"),
            format!("/v1/jobs?cursor={edge}"),
        ] {
            server.ask("GET", &path, None);
        }
        for unit in ["", "ms", "s", "m", "h", "d"] {
            let new = json!({"name": "k", "scopes": ["*"], "expires_in": format!("{edge}{unit}")});
            server.json("POST", "/v1/keys", &new.to_string());
        }
    }
    events_after_edges(&server);
    server.end();
}

/// Where to go on with a job's events.
fn events_after_edges(server: &Server) {
    let jobs = server.ask("GET", "/v1/jobs?limit=1", None).json();
    let id = jobs["jobs"][0]["id"].as_str().expect("a job").to_owned();
    for edge in EDGES.iter().chain(&["NaN", "-0", "+1", "1, 2", "\u{661}", "1\u{0}", ""]) {
        let plain = !edge.is_empty() && edge.bytes().all(|byte| byte.is_ascii_digit());
        if plain || edge.is_ascii() && !edge.contains(['\0', ' ', ',']) {
            server.ask("GET", &format!("/v1/jobs/{id}/events?follow=false&after={edge}"), None);
        }
        let head = server.head(&format!("GET /v1/jobs/{id}/events?follow=false"));
        let request = format!("{head}Last-Event-ID: {edge}\r\nConnection: close\r\n\r\n");
        let answer = server.raw(edge, request.as_bytes()).expect("an answer");
        let number = edge.parse::<u64>().is_ok() && plain;
        assert_eq!(answer.status, if number || edge.is_empty() { 200 } else { 400 }, "Last-Event-ID: {edge:?}");
    }
}

/// What a worker that went mad, or was taken over, might report.
#[test]
fn numbers_that_a_worker_says_break_nothing_for_others() {
    let server = Server::start();
    let ask_with = |bearer: &str, path: &str, body: &str| {
        let answer = ask(server.at, "POST", path, Some(bearer), Some(("application/json", body.as_bytes())));
        server.check(&format!("{path} {body}"), &answer);
        answer
    };
    let room = json!({"slots": 4, "cpus_milli": 4000, "memory_bytes": 1u64 << 33});
    let token = |server: &Server| {
        let token = server.ask("POST", "/v1/workers/join-tokens", None).json();
        token["token"].as_str().expect("a token").to_owned()
    };
    let credential_of = |answer: &Value| {
        let worker = answer["worker"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        gambeson_api::work::credential(worker, &[7; 32])
    };
    let enrolment = |room: &Value| {
        let worker = gambeson_api::WorkerId::new();
        let credential = gambeson_api::work::credential(worker, &[7; 32]);
        let digest = gambeson_api::Digest::of(credential.as_bytes());
        json!({"worker": worker, "credential": digest, "name": "w", "room": room, "version": "0", "environment": "e", "layers": []})
    };
    let mut credential = String::new();
    for name in ["slots", "cpus_milli", "memory_bytes"] {
        for edge in EDGES {
            let mut room = room.clone();
            room[name] = json!("@");
            let join = token(&server);
            let answer = ask_with(&join, "/v1/worker/enrol", &with(&enrolment(&room), edge));
            if answer.status != 200 {
                continue;
            }
            credential = credential_of(&answer.json());
            for place in ["room", "free"] {
                let mut request = json!({"room": room, "free": room, "wait_ms": 0, "version": "0", "environment": "e"});
                request[if place == "room" { "free" } else { "room" }] =
                    json!({"slots": 1, "cpus_milli": 1000, "memory_bytes": 1u64 << 30});
                ask_with(&credential, "/v1/worker/leases", &with(&request, edge));
            }
            for path in ["/v1/workers", "/v1/queue", "/v1/posture"] {
                assert_eq!(server.ask("GET", path, None).status, 200, "{path} after {name} {edge}");
            }
        }
    }
    for edge in EDGES.iter().filter(|edge| !edge.starts_with("429") && edge.len() < 4 || edge.starts_with('-')) {
        let beat = json!({"leases": [], "wait_ms": "@"});
        ask_with(&credential, "/v1/worker/heartbeat", &with(&beat, edge));
    }
    // A job of its own, taken alone, about which it lies.
    let join = token(&server);
    let enrolled = ask_with(&join, "/v1/worker/enrol", &enrolment(&room).to_string()).json();
    let credential = credential_of(&enrolled);
    let leased = || {
        let job = server.json("POST", "/v1/jobs", r#"{"files":{"main.py":"1"}}"#).json();
        let request = json!({"room": room, "free": room, "wait_ms": 2000, "version": "0", "environment": "e"});
        gambeson_testkit::until("the job is leased", || {
            let leases = ask_with(&credential, "/v1/worker/leases", &request.to_string()).json();
            leases["leases"].as_array()?.iter().find(|lease| lease["job"] == job["id"]).cloned()
        })
    };
    let settlement = |first: Value, number: &str| {
        json!({
            "first": first, "entries": [],
            "report": {
                "outcome": {"kind": "limit_hit", "limit": "memory", "used": number, "allowed": number, "message": "m"},
                "usage": {
                    "wall_ms": number, "cpu_ms": number, "memory_peak_bytes": number, "pids_peak": number,
                    "disk_bytes": number, "output_bytes": number,
                },
                "layers": [],
                "denials": [{"act": "a", "layer": "l", "why": "w", "remedy": "r", "count": number}],
                "start": "cold",
            },
            "artifacts": [], "skipped": [],
        })
    };
    for edge in EDGES {
        let lease = leased();
        let (id, token) = (lease["id"].as_str().expect("an id"), lease["token"].as_str().expect("a token"));
        let at = |what: &str| format!("/v1/worker/leases/{id}/{what}");
        let entries = json!([{"type": "started"}, {"type": "elided", "stream": "stdout", "bytes": "@"}]);
        ask_with(token, &at("append"), &with(&json!({"first": "@", "entries": []}), edge));
        ask_with(token, &at("append"), &with(&json!({"first": 0, "entries": entries}), edge));
        ask_with(token, &at("settle"), &with(&settlement(json!("@"), "@"), edge));
        let mut left = settlement(json!(0), "@");
        left["artifacts"] = json!([{"path": "a", "size": "@", "digest": gambeson_api::Digest::of(b"")}]);
        ask_with(token, &at("settle"), &with(&left, edge));
        ask_with(token, &at("settle"), &with(&settlement(json!(0), "@"), edge));
        told_after(&server, &lease, edge);
    }
    // What is no whole number may be a time.
    for edge in ["-1e308", "1e308", "-0.0", "1.5", "1e-400", "1e18", "123456789012345678901234567890"] {
        let lease = leased();
        let (id, token) = (lease["id"].as_str().expect("an id"), lease["token"].as_str().expect("a token"));
        let mut odd = settlement(json!(0), "@");
        odd["report"]["outcome"] = json!({"kind": "exited", "code": 0, "message": "m"});
        odd["report"]["denials"] = json!([]);
        for count in ["memory_peak_bytes", "pids_peak", "disk_bytes", "output_bytes"] {
            odd["report"]["usage"][count] = json!(0);
        }
        ask_with(token, &format!("/v1/worker/leases/{id}/settle"), &with(&odd, edge));
        told_after(&server, &lease, edge);
    }
    server.end();
}

/// What others are told of a job about which a worker said something strange.
fn told_after(server: &Server, lease: &Value, edge: &str) {
    let job = lease["job"].as_str().expect("an id");
    for path in [&format!("/v1/jobs/{job}"), "/v1/usage", "/v1/queue", "/v1/workers"] {
        let answer = server.ask("GET", path, None);
        assert_eq!(answer.status, 200, "{path} after {edge}");
        answer.json();
    }
}
