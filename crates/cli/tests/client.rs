//! The client's commands, as a person uses them: the real binary against a server with faults.

#[path = "client/mock.rs"]
mod mock;

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

use gambeson_api::Digest;
use mock::{Call, JOB, Mock, Reply, Scratch, ended, event, exited, job, of_job, output, problem, text, with_events};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::sync::Notify;

const SUBMIT: [&str; 2] = ["submit", "--wait"];

/// Runs `submit --wait` on a small program, with `more` before it.
fn submit(mock: &Mock, more: &[&str]) -> std::process::Output {
    let scratch = Scratch::new(&format!("submit-{:?}", std::thread::current().id()));
    let file = scratch.file("main.py", "print(1)");
    let mut args = SUBMIT.to_vec();
    args.extend(more);
    args.push(&file);
    mock.run(&args)
}

#[test]
fn a_stream_that_is_cut_goes_on_exactly_where_it_was() {
    let first = [
        b": hello\n\n".to_vec(),
        event(1, "queued", json!({})),
        event(2, "leased", json!({"worker": "wrk_0192f0c1d2e37abc8def0123456789ab"})),
        event(3, "started", json!({})),
        output(4, "stdout", "one\n"),
        // The first two bytes of "€"; its last comes over the next connection.
        event(5, "output", json!({"stream": "stdout", "data": {"base64": "4oI="}})),
    ]
    .concat();
    let cut = output(6, "stdout", "never whole");
    let first = [first, cut[..cut.len() / 2].to_vec()].concat();
    let rest = [
        // A server may say again what was seen.
        output(4, "stdout", "one\n"),
        event(5, "output", json!({"stream": "stdout", "data": {"base64": "4oI="}})),
        event(6, "output", json!({"stream": "stdout", "data": {"base64": "rAo="}})),
        output(7, "stderr", "two\n"),
    ]
    .concat();
    let mock = Mock::start(move |call| {
        if call.is("POST", "/v1/jobs") {
            return Reply::Json(202, job("queued"));
        }
        assert!(call.is("GET", &of_job("/events")), "{call:?}");
        match call.before {
            0 => Reply::EventsCut(first.clone()),
            1 => problem(503, "unavailable", "starting"),
            2 => Reply::EventsCut(rest.clone()),
            3 => Reply::Events(Vec::new()),
            _ => Reply::Events([event(8, "dreamt", json!({})), exited(9, 7)].concat()),
        }
    });
    let done = submit(&mock, &[]);
    assert_eq!(text(&done.stdout), "one\n€\n");
    assert_eq!(text(&done.stderr), "two\n");
    assert_eq!(done.status.code(), Some(7));
    let calls = mock.calls("GET", &of_job("/events"));
    let resumed: Vec<Option<&str>> = calls.iter().map(|call| call.header("last-event-id")).collect();
    assert_eq!(resumed, [None, Some("5"), Some("5"), Some("7"), Some("7")]);
    assert!(calls[1].path.ends_with("?after=5"), "{}", calls[1].path);
}

#[test]
fn a_gap_in_the_events_is_an_error_and_not_silence() {
    let done = submit(&with_events([output(1, "stdout", "a"), output(3, "stdout", "c"), exited(4, 0)].concat()), &[]);
    assert_eq!(text(&done.stdout), "a");
    assert!(text(&done.stderr).contains("after number 1 came number 3"), "{}", text(&done.stderr));
    assert_eq!(done.status.code(), Some(125));
}

#[test]
fn a_submission_whose_answer_is_cut_is_sent_again_with_the_same_key() {
    let mock = Mock::start(|call| match call.before {
        0 => Reply::Cut,
        1 => problem(503, "unavailable", "starting"),
        _ => Reply::Json(202, job("queued")),
    });
    let scratch = Scratch::new("again");
    let file = scratch.file("main.py", "print(1)");
    let done = mock.run(&["submit", &file]);
    assert_eq!((text(&done.stdout), done.status.code()), (format!("{JOB}\n"), Some(0)), "{}", text(&done.stderr));
    let calls = mock.calls("POST", "/v1/jobs");
    let bodies: Vec<Value> = calls.iter().map(Call::json).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies[0]["idempotency_key"].as_str().unwrap().len() > 20);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(calls[0].header("authorization"), Some("Bearer gmb_0123_test"));
    // Another submission is another job.
    mock.run(&["submit", &file]);
    assert_ne!(mock.last().json()["idempotency_key"], bodies[0]["idempotency_key"]);
}

#[test]
fn only_what_is_missing_is_uploaded_and_left_out_directories_stay() {
    let scratch = Scratch::new("upload");
    let (here, there) = (vec![0xff; 300_000], vec![0xfe; 300_000]);
    scratch.file("project/main.py", "print(1)");
    scratch.file("project/data/here.bin", &here);
    scratch.file("project/data/there.bin", &there);
    scratch.file("project/.git/config", "x");
    scratch.file("project/pkg/__pycache__/x.pyc", "x");
    let missing = Digest::of(&here);
    let mock = Mock::start(move |call| match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/v1/blobs/missing") => Reply::Json(200, json!({"missing": [missing]})),
        // The first upload breaks.
        ("PUT", _) if call.before == 0 => problem(503, "unavailable", "starting"),
        ("PUT", _) => Reply::Json(200, json!({"digest": missing, "size": 300_000})),
        _ => Reply::Json(202, job("queued")),
    });
    let done = mock.run(&["submit", "--project", "a/b", &scratch.path("project")]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let asked = mock.calls("POST", "/v1/blobs/missing")[0].json();
    assert_eq!(asked["digests"].as_array().unwrap().len(), 2);
    let puts = mock.calls("PUT", &format!("/v1/blobs/{missing}"));
    assert_eq!(puts.len(), 2);
    assert!(puts[1].path.ends_with("?project=a%2Fb"), "{}", puts[1].path);
    assert_eq!((puts[1].body.len(), puts[1].header("content-length")), (here.len(), Some("300000")));
    assert!(puts[1].body == here);
    let submission = mock.last().json();
    let files = submission["files"].as_object().unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["data/here.bin", "data/there.bin", "main.py"]);
    assert_eq!(files["main.py"], "print(1)");
    assert_eq!(files["data/there.bin"]["digest"], Digest::of(&there).to_string());
    assert_eq!(submission["entry"], "main.py");
}

#[test]
fn everything_of_the_command_line_reaches_the_submission() {
    let scratch = Scratch::new("options");
    let file = scratch.file("x.py", "print(1)");
    let stdin = scratch.file("stdin", "hello");
    let tool = scratch.file("tool.sh", "echo");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&tool, executable).unwrap();
    let mock = Mock::start(|_| {
        Reply::Json(
            202,
            json!({"array": "arr_0192f0c1d2e37abc8def0123456789ab", "size": 3,
        "first": JOB}),
        )
    });
    let done = mock.run(&[
        "submit",
        "--limit",
        "memory=1G",
        "--network",
        "loopback",
        "--env",
        "A=b=c",
        "--input",
        &tool,
        "--project",
        "p",
        "--label",
        "k=v",
        "--start",
        "cold",
        "--class",
        "high",
        "--idempotency-key",
        "mine",
        "--may-rerun",
        "--array",
        "3",
        "--stdin",
        &stdin,
        &file,
        "--",
        "-x",
        "y",
    ]);
    assert_eq!(text(&done.stdout), "arr_0192f0c1d2e37abc8def0123456789ab\n", "{}", text(&done.stderr));
    assert_eq!(
        mock.last().json(),
        json!({
            "files": {"tool.sh": {"text": "echo", "executable": true}, "x.py": "print(1)"},
            "entry": "x.py", "args": ["-x", "y"], "env": {"A": "b=c"}, "stdin": "hello", "limits": {"memory": "1G"},
            "network": "loopback", "start": "cold", "project": "p", "labels": {"k": "v"}, "class": "high", "idempotency_key": "mine",
            "may_rerun": true, "array": 3,
        })
    );
}

#[test]
fn the_exit_code_tells_how_the_job_ended() {
    for (outcome, code) in [
        (json!({"kind": "exited", "code": 0, "message": "m"}), 0),
        (json!({"kind": "exited", "code": 200, "message": "m"}), 200),
        (json!({"kind": "signalled", "signal": 11, "message": "m"}), 139),
        (json!({"kind": "limit_hit", "limit": "wall", "used": 1, "allowed": 1, "message": "m"}), 121),
        (json!({"kind": "refused", "message": "m"}), 122),
        (json!({"kind": "cancelled", "message": "m"}), 123),
        (json!({"kind": "lost", "message": "m"}), 124),
        (json!({"kind": "fault", "step": "mount", "message": "m"}), 125),
    ] {
        let says = if outcome["kind"] == "exited" { "" } else { "gambeson: m\n" };
        let done = submit(&with_events(ended(1, outcome.clone())), &[]);
        assert_eq!((done.status.code(), text(&done.stderr)), (Some(code), says.to_owned()), "{outcome}");
    }
}

#[test]
fn the_exit_code_tells_whose_fault_an_error_was() {
    for (status, word, code) in [
        (400, "invalid_limits", 120),
        (401, "unauthenticated", 122),
        (403, "forbidden", 122),
        (404, "not_found", 122),
        (409, "conflict", 120),
        (413, "too_large", 120),
        (429, "quota_exceeded", 122),
    ] {
        let mock = Mock::start(move |_| problem(status, word, "d\x1b[2J"));
        let done = submit(&mock, &[]);
        assert_eq!(done.status.code(), Some(code), "{word}");
        assert_eq!(text(&done.stderr), "gambeson: No: d\\x1b[2J\n  Do better.\n");
        assert_eq!(mock.calls("POST", "/v1/jobs").len(), 1, "{word} is not tried again");
    }
    let mock = Mock::start(|_| problem(500, "internal", "d"));
    assert_eq!(mock.run(&["whoami"]).status.code(), Some(125));
    assert_eq!(mock.run(&["jobs", "--state", "asleep"]).status.code(), Some(120));
    assert_eq!(mock.run(&["job", "../x"]).status.code(), Some(120));
    assert_eq!(mock.run(&["submit", "/nonexistent.py"]).status.code(), Some(120));
    let unreachable = mock.command(&["whoami", "--server", "http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(unreachable.status.code(), Some(125));
    assert!(
        text(&unreachable.stderr).starts_with("gambeson: failed to reach http://127.0.0.1:1: Connection refused\n")
    );
    let nonsense = Mock::start(|_| Reply::Bytes(b"<html>\x1b[2J".to_vec())).run(&["whoami"]);
    assert_eq!(nonsense.status.code(), Some(125));
    assert!(!nonsense.stderr.contains(&0x1b));
}

const HOSTILE: &str = "x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}1mé\u{202e}\r\n\ty";

fn hostile_list() -> Value {
    let mut job = job("queued");
    job["entry"] = HOSTILE.into();
    job["project_name"] = HOSTILE.into();
    job["labels"] = json!({"a": HOSTILE});
    job["waiting"]["why"] = HOSTILE.into();
    json!({"jobs": [job]})
}

/// What a terminal would obey, beside new lines and the colours of our own.
fn commands(shown: &[u8]) -> Vec<char> {
    let ours = ["\x1b[31m", "\x1b[0m", "\x1b[32m"].iter().fold(text(shown), |text, ours| text.replace(ours, ""));
    ours.chars().filter(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || *c == '\u{202e}').collect()
}

#[test]
fn hostile_text_never_commands_a_terminal() {
    let events = [output(1, "stdout", HOSTILE), output(2, "stdout", "\x1b[32mgreen\x1b[0m\n"), exited(3, 0)].concat();
    let mock = Mock::start(move |call| {
        if call.is("GET", "/v1/jobs") {
            Reply::Json(200, hostile_list())
        } else if call.is("GET", &of_job("")) {
            Reply::Json(200, hostile_list()["jobs"][0].clone())
        } else if call.is("GET", &of_job("/events")) {
            Reply::Events(events.clone())
        } else {
            problem(404, "not_found", HOSTILE)
        }
    });
    for args in [
        &["jobs"][..],
        &["jobs", "--json"],
        &["job", JOB],
        &["job", "--json", JOB],
        &["logs", JOB],
        &["logs", "-f", JOB],
        &["logs", "--json", JOB],
        &["whoami"],
        &["project", "show", "x"],
    ] {
        let shown = mock.command_on_terminal(args).output().unwrap().stdout;
        assert!(commands(&shown).is_empty(), "{args:?}: {:?}", text(&shown));
        assert!(text(&shown).contains("owned"), "{args:?} shows it, made visible: {:?}", text(&shown));
    }
    let logs = text(&mock.command_on_terminal(&["logs", JOB]).output().unwrap().stdout);
    assert!(logs.contains("\x1b[32mgreen\x1b[0m"), "colours pass: {logs:?}");
    assert!(logs.contains("é"), "{logs:?}");
    let raw = text(&mock.command_on_terminal(&["logs", "--raw", JOB]).output().unwrap().stdout);
    assert!(raw.contains("\x1b[2J"), "as was wished: {raw:?}");
    // Where there is no terminal, every byte is the program's own; names are escaped even there.
    let piped = mock.run(&["logs", JOB]);
    assert_eq!(text(&piped.stdout), format!("{HOSTILE}\x1b[32mgreen\x1b[0m\n"));
    let listed = text(&mock.run(&["jobs"]).stdout);
    assert_eq!(listed.lines().count(), 1);
    assert_eq!(listed.split('\t').count(), 6, "{listed:?}");
    assert!(commands(listed.as_bytes()).is_empty(), "{listed:?}");
    let said: Value = serde_json::from_slice(&mock.run(&["jobs", "--json"]).stdout).unwrap();
    assert_eq!(said["jobs"][0]["labels"]["a"], HOSTILE);
}

#[test]
fn an_interrupt_without_a_terminal_cancels() {
    let cancelled = Arc::new(Notify::new());
    let cancelling = cancelled.clone();
    let mock = Mock::start(move |call| {
        if call.is("POST", "/v1/jobs") {
            return Reply::Json(202, job("queued"));
        }
        if call.is("POST", &of_job("/cancel")) {
            cancelling.notify_one();
            return Reply::Json(200, job("running"));
        }
        let last = ended(3, json!({"kind": "cancelled", "message": "it was cancelled"}));
        Reply::EventsThen(
            event(1, "started", json!({})),
            cancelled.clone(),
            [event(2, "cancel_requested", json!({})), last].concat(),
        )
    });
    let scratch = Scratch::new("interrupt");
    let child = mock.command(&["submit", "--wait", &scratch.file("main.py", "while True: pass")]).spawn().unwrap();
    mock.wait_for("GET", &of_job("/events"));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), text(&done.stderr)), (Some(123), "gambeson: it was cancelled\n".into()));
    assert_eq!(mock.calls("POST", &of_job("/cancel")).len(), 1);
}

/// Submits on a terminal, presses Ctrl-C while the job runs, and then `answer`; returns the exit code, and how often
/// the job was cancelled.
fn interrupted_on_a_terminal(answer: &str) -> (Option<i32>, usize, String) {
    let cancelled = Arc::new(Notify::new());
    let cancelling = cancelled.clone();
    let mock = Mock::start(move |call| {
        if call.is("POST", "/v1/jobs") {
            return Reply::Json(202, job("queued"));
        }
        if call.is("POST", &of_job("/cancel")) {
            cancelling.notify_one();
            return Reply::Json(200, job("running"));
        }
        if call.is("GET", &of_job("")) {
            return Reply::Json(200, job("running"));
        }
        let last = ended(2, json!({"kind": "cancelled", "message": "it was cancelled"}));
        Reply::EventsThen(event(1, "started", json!({})), cancelled.clone(), last)
    });
    let scratch = Scratch::new(&format!("answer-{}", answer.len()));
    let file = scratch.file("main.py", "while True: pass");
    let mut child = mock.command_on_terminal(&["submit", "--wait", &file]).stdin(Stdio::piped()).spawn().unwrap();
    mock.wait_for("GET", &of_job("/events"));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"\x03").unwrap();
    stdin.flush().unwrap();
    let mut shown = Vec::new();
    let stdout = child.stdout.as_mut().unwrap();
    while !text(&shown).contains("[y/N]") {
        let mut piece = [0; 1024];
        let length = std::io::Read::read(stdout, &mut piece).unwrap();
        assert!(length > 0, "it asks: {:?}", text(&shown));
        shown.extend_from_slice(&piece[..length]);
    }
    stdin.write_all(answer.as_bytes()).unwrap();
    stdin.flush().unwrap();
    let done = child.wait_with_output().unwrap();
    drop(stdin);
    (done.status.code(), mock.calls("POST", &of_job("/cancel")).len(), text(&[shown, done.stdout].concat()))
}

#[test]
fn an_interrupt_on_a_terminal_asks_and_leaves_the_job_running_unless_told() {
    let (code, cancelled, shown) = interrupted_on_a_terminal("\n");
    assert_eq!((code, cancelled), (Some(130), 0), "{shown:?}");
    assert!(shown.contains(&format!("gambeson logs -f {JOB} follows it, gambeson cancel {JOB} ends it")), "{shown:?}");
    let (code, cancelled, shown) = interrupted_on_a_terminal("y\n");
    assert_eq!((code, cancelled), (Some(123), 1), "{shown:?}");
    let (code, cancelled, shown) = interrupted_on_a_terminal("\x03");
    assert_eq!((code, cancelled), (Some(123), 1), "a second one means yes: {shown:?}");
}

/// A server where a job left these files, whatever they are called.
fn with_artifacts(files: &[(&str, &[u8])], lies: bool) -> Mock {
    let files: Vec<(String, Vec<u8>)> =
        files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    Mock::start(move |call| {
        if call.is("GET", &of_job("/artifacts")) {
            let listed: Vec<Value> = files
                .iter()
                .map(|(path, bytes)| json!({"path": path, "size": bytes.len(), "digest": Digest::of(bytes)}))
                .collect();
            return Reply::Json(200, json!({"artifacts": listed, "skipped": [{"path": "l", "why": "is a link"}]}));
        }
        let asked = call.path.strip_prefix(&of_job("/artifacts/")).unwrap().replace("%20", " ");
        let found = files.iter().find(|(path, _)| *path == asked);
        let mut bytes = found.map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        if lies {
            bytes[0] ^= 1;
        }
        Reply::Bytes(bytes)
    })
}

#[test]
fn artifacts_come_to_their_directory_and_nothing_is_replaced_unasked() {
    let scratch = Scratch::new("artifacts");
    let mock = with_artifacts(&[("a b.txt", b"one"), ("deep/er/c.bin", &[0xff, 0])], false);
    let out = scratch.path("out");
    let done = mock.run(&["artifacts", JOB, "--output", &out]);
    assert_eq!((done.status.code(), text(&done.stderr)), (Some(0), "gambeson: not kept: l: is a link\n".into()));
    assert_eq!(fs::read(scratch.path("out/a b.txt")).unwrap(), b"one");
    assert_eq!(fs::read(scratch.path("out/deep/er/c.bin")).unwrap(), [0xff, 0]);
    scratch.file("out/a b.txt", "mine");
    let done = mock.run(&["artifacts", JOB, "--output", &out]);
    assert_eq!(done.status.code(), Some(122));
    assert_eq!(fs::read(scratch.path("out/a b.txt")).unwrap(), b"mine");
    let done = mock.run(&["artifacts", JOB, "--output", &out, "--force"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(fs::read(scratch.path("out/a b.txt")).unwrap(), b"one");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2, "no part is left");
    assert_eq!(mock.run(&["artifacts", JOB, "deep/er/c.bin"]).stdout, [0xff, 0]);
    let listed = text(&mock.run(&["artifacts", JOB]).stdout);
    assert_eq!(listed.lines().next().unwrap(), format!("a b.txt\t3\t{}", Digest::of(b"one")));
}

#[test]
fn artifacts_with_hostile_names_are_refused_and_the_others_come() {
    let scratch = Scratch::new("hostile");
    let absolute = scratch.path("absolute");
    let hostile = ["../up", "a/../../up", &absolute, ".bashrc", "x/.git/config", "new\nline", "link/in", "gone", "dir"];
    let mut files: Vec<(&str, &[u8])> = hostile.iter().map(|name| (*name, b"evil".as_slice())).collect();
    files.push(("fine.txt", b"fine"));
    let mock = with_artifacts(&files, false);
    fs::create_dir_all(scratch.path("out/dir")).unwrap();
    fs::create_dir_all(scratch.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(scratch.path("elsewhere"), scratch.path("out/link")).unwrap();
    std::os::unix::fs::symlink(scratch.path("elsewhere/gone"), scratch.path("out/gone")).unwrap();
    let done = mock.run(&["artifacts", JOB, "--output", &scratch.path("out")]);
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(122), "{said}");
    assert_eq!(said.lines().filter(|line| line.contains(": refused: ")).count(), hostile.len(), "{said}");
    assert_eq!(fs::read(scratch.path("out/fine.txt")).unwrap(), b"fine");
    // With --force a link is replaced, not followed; a directory stays.
    let done = mock.run(&["artifacts", JOB, "--output", &scratch.path("out"), "--force"]);
    assert_eq!(done.status.code(), Some(122));
    assert!(fs::symlink_metadata(scratch.path("out/gone")).unwrap().is_file());
    assert!(fs::metadata(scratch.path("out/dir")).unwrap().is_dir());
    assert_eq!(fs::read_dir(scratch.path("elsewhere")).unwrap().count(), 0);
    let mut left: Vec<String> =
        fs::read_dir(&scratch.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["elsewhere", "out"]);
}

#[test]
fn an_artifact_that_is_not_the_listed_one_gets_no_name() {
    let scratch = Scratch::new("lies");
    let mock = with_artifacts(&[("a.txt", b"one")], true);
    let done = mock.run(&["artifacts", JOB, "--output", &scratch.path("out")]);
    assert_eq!(done.status.code(), Some(122));
    assert!(text(&done.stderr).contains("what came is not what the server listed"));
    assert_eq!(fs::read_dir(scratch.path("out")).unwrap().count(), 0);
}

#[test]
fn submit_with_output_brings_the_artifacts_and_json_tells_everything() {
    let scratch = Scratch::new("output");
    let mock = Mock::start(|call| {
        if call.is("POST", "/v1/jobs") {
            Reply::Json(202, job("queued"))
        } else if call.is("GET", &of_job("/events")) {
            Reply::Events([output(1, "stdout", "hi\n"), exited(2, 3)].concat())
        } else if call.is("GET", &of_job("/artifacts")) {
            Reply::Json(
                200,
                json!({"artifacts": [{"path": "a", "size": 1, "digest": Digest::of(b"x")}], "skipped": []}),
            )
        } else if call.is("GET", &of_job("/artifacts/a")) {
            Reply::Bytes(b"x".to_vec())
        } else {
            Reply::Json(200, job("ended"))
        }
    });
    let file = scratch.file("main.py", "print('hi')");
    let done = mock.run(&["submit", "--wait", "--json", "--output", &scratch.path("out"), &file]);
    assert_eq!(done.status.code(), Some(3), "{}", text(&done.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&done.stdout).unwrap()["state"], "ended");
    assert_eq!(fs::read(scratch.path("out/a")).unwrap(), b"x");
}

#[test]
fn an_array_is_watched_to_its_last_element_and_its_first_failure_counts() {
    const ARRAY: &str = "arr_0192f0c1d2e37abc8def0123456789ab";
    let mock = Mock::start(|call| {
        if call.is("POST", "/v1/jobs") {
            return Reply::Json(202, json!({"array": ARRAY, "size": 3, "first": JOB}));
        }
        if call.is("GET", &format!("/v1/arrays/{ARRAY}")) {
            let states = if call.before == 0 { json!({"running": 1, "ended": 2}) } else { json!({"ended": 3}) };
            let project = "prj_0192f0c1d2e37abc8def0123456789ab";
            return Reply::Json(
                200,
                json!({"array": ARRAY, "project": project, "size": 3, "states": states, "outcomes": {"exited": 3}}),
            );
        }
        let element = |index: u32, code: u8| {
            let mut job = job("ended");
            job["array"] = json!({"id": ARRAY, "index": index, "size": 3});
            job["outcome"] = json!({"kind": "exited", "code": code, "message": "m"});
            job
        };
        if call.path.contains("cursor=two") {
            return Reply::Json(200, json!({"jobs": [element(1, 4), element(0, 0)]}));
        }
        Reply::Json(200, json!({"jobs": [element(2, 5)], "next": "two"}))
    });
    let done = submit(&mock, &["--array", "3"]);
    assert_eq!((text(&done.stdout), done.status.code()), ("exited\t3\n".into(), Some(4)), "{}", text(&done.stderr));
}

#[test]
fn every_page_is_listed_when_all_are_wished() {
    let mock = Mock::start(|call| match call.path.as_str() {
        "/v1/jobs?state=queued&label=a%3Db&limit=1" => {
            Reply::Json(200, json!({"jobs": [job("queued")], "next": "x&y"}))
        }
        "/v1/jobs?state=queued&label=a%3Db&limit=1&cursor=x%26y" => Reply::Json(200, json!({"jobs": [job("queued")]})),
        path => panic!("{path}"),
    });
    let options = ["jobs", "--state", "queued", "--label", "a=b", "--limit", "1"];
    assert_eq!(text(&mock.run(&options).stdout).lines().count(), 1);
    let all = mock.run(&[&options[..], &["--all"]].concat());
    assert_eq!(text(&all.stdout).lines().count(), 2, "{}", text(&all.stderr));
}

#[test]
fn every_command_asks_what_it_says() {
    let mock = Mock::start(|call| match call.path.as_str() {
        "/v1/projects/p" if call.method == "GET" => {
            let quota = json!({"running": 1, "queued": 2, "cpu_ms_per_day": 3, "stored_bytes": 4});
            Reply::Json(
                200,
                json!({
                    "id": "prj_0192f0c1d2e37abc8def0123456789ab", "name": "p", "suspended": false, "weight": 1,
                    "quota": quota, "user_quota": quota, "ceiling": job("queued")["limits"], "class_most": "high",
                    "created_at": "2026-11-25T08:30:00Z",
                }),
            )
        }
        _ => problem(404, "not_found", "nothing here"),
    });
    let id = "0192f0c1d2e37abc8def0123456789ab";
    let (worker, key, array) = (format!("wrk_{id}"), format!("key_{id}"), format!("arr_{id}"));
    for (line, asked, body) in [
        (format!("cancel {JOB}"), format!("POST {}", of_job("/cancel")), Value::Null),
        (format!("cancel --array {array}"), format!("POST /v1/arrays/{array}/cancel"), Value::Null),
        (format!("source {JOB}"), format!("GET {}", of_job("/source")), Value::Null),
        ("queue".into(), "GET /v1/queue".into(), Value::Null),
        ("usage --project p --day 2026-11-25".into(), "GET /v1/usage?project=p&day=2026-11-25".into(), Value::Null),
        ("workers".into(), "GET /v1/workers".into(), Value::Null),
        (format!("worker drain {worker}"), format!("POST /v1/workers/{worker}/drain"), Value::Null),
        (format!("worker undrain {worker}"), format!("POST /v1/workers/{worker}/undrain"), Value::Null),
        ("join-token create".into(), "POST /v1/workers/join-tokens".into(), Value::Null),
        ("key list --user u@x".into(), "GET /v1/keys?user=u%40x".into(), Value::Null),
        (
            "key create k --scope jobs:read,keys --project p --expires-in 30d".into(),
            "POST /v1/keys".into(),
            json!({"name": "k", "project": "p", "scopes": ["jobs:read", "keys"], "expires_in": "30d"}),
        ),
        (format!("key revoke {key}"), format!("POST /v1/keys/{key}/revoke"), Value::Null),
        ("project list".into(), "GET /v1/projects".into(), Value::Null),
        ("project show a/b".into(), "GET /v1/projects/a%2Fb".into(), Value::Null),
        (
            "project create n --weight 3 --ceiling memory=1G".into(),
            "POST /v1/projects".into(),
            json!({"name": "n", "settings": {"weight": 3, "ceiling": {"memory": "1G"}}}),
        ),
        (
            "project set p --quota running=9 --suspended true".into(),
            "PATCH /v1/projects/p".into(),
            json!({
                "suspended": true,
                "quota": {"running": 9, "queued": 2, "cpu_ms_per_day": 3, "stored_bytes": 4},
            }),
        ),
        (
            "project set p --network-allow pypi.org:443,*.Example.org:443".into(),
            "PATCH /v1/projects/p".into(),
            json!({"network_allow": ["pypi.org:443", "*.example.org:443"]}),
        ),
        ("project set p --network-allow none".into(), "PATCH /v1/projects/p".into(), json!({"network_allow": []})),
        ("member list --project p".into(), "GET /v1/members?project=p".into(), Value::Null),
        (
            "member add ada viewer --project p".into(),
            "POST /v1/members".into(),
            json!({"project": "p", "user": "ada", "role": "viewer"}),
        ),
        (
            "member remove ada viewer --project p".into(),
            "POST /v1/members/remove".into(),
            json!({"project": "p", "user": "ada", "role": "viewer"}),
        ),
        ("user list".into(), "GET /v1/users".into(), Value::Null),
        ("user create bot --service".into(), "POST /v1/users".into(), json!({"name": "bot", "kind": "service"})),
        ("user disable ada".into(), "PATCH /v1/users/ada".into(), json!({"disabled": true})),
        ("user enable ada".into(), "PATCH /v1/users/ada".into(), json!({"disabled": false})),
        (
            "audit list --after 7 --limit 3 --project p".into(),
            "GET /v1/audit?after=7&limit=3&project=p".into(),
            Value::Null,
        ),
        (
            "audit list --actor ada --action key --resource job_1 --refused --from 2026-11-25T08:30:00+01:00 --until 2026-11-26T00:00:00Z --newest"
                .into(),
            "GET /v1/audit?actor=ada&action=key&resource=job_1&allowed=false&from=2026-11-25T07%3A30%3A00.000Z&until=2026-11-26T00%3A00%3A00.000Z&order=newest"
                .into(),
            Value::Null,
        ),
        ("audit list --allowed".into(), "GET /v1/audit?allowed=true".into(), Value::Null),
        ("audit verify --head ab".into(), "GET /v1/audit/verify?head=ab".into(), Value::Null),
        (
            "access explain job.cancel --user ada --context class=high --context n=1".into(),
            "POST /v1/access/explain".into(),
            json!({"user": "ada", "action": "job.cancel", "context": {"class": "high", "n": 1}}),
        ),
        ("whoami".into(), "GET /v1/whoami".into(), Value::Null),
        ("posture".into(), "GET /v1/posture".into(), Value::Null),
        ("attention".into(), "GET /v1/attention".into(), Value::Null),
        ("backup b".into(), "POST /v1/backup".into(), json!({"name": "b"})),
    ] {
        let done = mock.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(done.status.code(), Some(122), "{line}: {}", text(&done.stderr));
        let last = mock.last();
        assert_eq!(format!("{} {}", last.method, last.path), asked, "{line}");
        assert_eq!(last.json(), body, "{line}");
    }
}

#[test]
fn all_pages_of_the_audit_log_are_read_from_either_end_and_none_twice() {
    for (order, first, second) in [("", 3, 7), ("&order=newest", 7, 3)] {
        let mock = Mock::start(move |call| {
            let next = if call.path.contains(&format!("after={first}")) { second } else { first };
            // Then it answers with the same for ever.
            Reply::Json(200, json!({"rows": [], "next": next}))
        });
        let line = if order.is_empty() { "audit list --all" } else { "audit list --all --newest" };
        let done = mock.run(&line.split(' ').collect::<Vec<_>>());
        assert!(done.status.success(), "{}", text(&done.stderr));
        let start = format!("/v1/audit{}", order.replacen('&', "?", 1));
        let page = |after| format!("/v1/audit?after={after}{order}");
        let asked: Vec<String> = mock.calls("GET", "/v1/audit").into_iter().map(|call| call.path).collect();
        assert_eq!(asked, [start, page(first), page(second)]);
    }
}

#[test]
fn a_broken_audit_log_is_no_success() {
    let mock = Mock::start(|_| Reply::Json(200, json!({"whole": false, "rows": 3, "head": "ab", "broken": "row 2"})));
    let done = mock.run(&["audit", "verify"]);
    assert_eq!((text(&done.stdout), done.status.code()), ("broken: 3 rows, head ab\nrow 2\n".into(), Some(122)));
}

#[test]
fn completion_needs_no_server() {
    let mock = Mock::start(|call| panic!("{call:?}"));
    for shell in ["bash", "zsh", "fish"] {
        let done = mock.run(&["completion", shell]);
        assert!(done.status.success() && text(&done.stdout).contains("submit"), "{shell}");
    }
}
