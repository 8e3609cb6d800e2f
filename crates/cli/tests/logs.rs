//! What the logs of server and worker tell, and what they never tell: whatever the level.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use gambeson_api::client::JobFilter;
use gambeson_api::{Accepted, FileContent, JobState, Submission};
use gambeson_testkit::Platform;
use serde_json::Value;

const ACCEPT: &str = "worker.accept_missing=cgroup.memory,cgroup.pids,cgroup.cpu,namespace.user,namespace.time,namespace.cgroup,landlock";

/// A word that is nowhere else.
fn mark(of: &str) -> String {
    format!("zq{of}qz")
}

/// Everything that is private about a submission, each part with its mark, and what the program makes of it.
const PROGRAM: &str = r#"
import os, sys, socket
print("out-" + sys.argv[1][::-1], os.environ["MARKED"][::-1], sys.stdin.read()[::-1])
print("zqoutputqz"); print("zqerrorqz", file=sys.stderr)
os.makedirs("out", exist_ok=True)
open("out/zqartifactqz.txt", "w").write("zqcontentqz")
try:
    open("/etc/zqtargetqz", "w")
except OSError:
    pass
try:
    socket.create_connection(("zqhostqz.example.org", 443))
except OSError:
    pass
raise SystemExit("zqlastwordsqz")
"#;

const MARKS: [&str; 14] = [
    "source",
    "argument",
    "environment",
    "stdin",
    "label",
    "output",
    "error",
    "artifact",
    "content",
    "target",
    "host",
    "lastwords",
    "file",
    "query",
];

async fn all_that_leaves_traces(platform: &Platform) {
    let client = platform.client();
    let mut submission = Submission::of_source(format!("{PROGRAM}# {}", mark("source")));
    let more = FileContent::text(format!("x = '{}'", mark("source")));
    submission.files.insert(format!("{}.py", mark("file")), more);
    submission.args = vec![mark("argument")];
    submission.env = BTreeMap::from([("MARKED".into(), mark("environment"))]);
    submission.stdin = mark("stdin");
    submission.labels = BTreeMap::from([("of".into(), mark("label"))]);
    let Accepted::Job(job) = client.job_submit(&submission, Some(Duration::from_secs(60))).await.unwrap() else {
        panic!("no array")
    };
    assert_eq!(job.state, JobState::Ended, "{job:?}");
    // The control: the job had all of it.
    let whole = format!("{job:?}");
    for part in ["output", "error", "lastwords", "artifact", "label"] {
        assert!(whole.contains(&mark(part)), "{part} is not in {whole}");
    }
    let mut file = client.artifact(job.id, &format!("{}.txt", mark("artifact"))).await.unwrap();
    while file.next().await.unwrap().is_some() {}
    client.artifact(job.id, &format!("{}/no.txt", mark("artifact"))).await.map(drop).unwrap_err();
    client.vet(&submission).await.unwrap();
    client.job_source(job.id).await.unwrap();
    let filter = JobFilter { labels: vec![("of".into(), mark("query"))], ..JobFilter::default() };
    client.job_list(&filter).await.unwrap();
    // Keys that are wrong are not told, either; nor what is asked of places that there are none of.
    let wrong = format!("{}{}", &platform.key[..platform.key.len() - 4], "zqkq");
    platform.client_with(&wrong).whoami().await.unwrap_err();
}

fn platform(format: &str) -> Platform {
    let (format, level) = (format!("log.format={format}"), "log.level=trace");
    // Warm and cold starts say different things; the second is what a spare's absence makes.
    Platform::up(&PathBuf::from(env!("CARGO_BIN_EXE_gambeson")), &["--set", ACCEPT, "--set", &format, "--set", level])
}

/// What is in a log that must not be there.
fn found_in(log: &str, key: &str) -> Vec<String> {
    let backwards = |text: &str| text.chars().rev().collect::<String>();
    let marks = MARKS.iter().map(|part| mark(part)).flat_map(|mark| [backwards(&mark), mark]);
    let secret = key.rsplit('_').next().unwrap_or_default().to_owned();
    marks
        .chain([secret, "zqkq".into(), "gmw_".into(), "gml_".into()])
        .filter(|word| log.contains(word.as_str()))
        .collect()
}

fn log_of(format: &str) -> String {
    let platform = platform(format);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(all_that_leaves_traces(&platform));
    let log = platform.process.said();
    // The control: at this level everybody speaks, the server, the worker, and what they are made of.
    for word in ["answered POST /v1/jobs with 2", "settled job_", "TRACE"] {
        assert!(log.contains(word), "{word:?} is not in the log");
    }
    assert_eq!(found_in("a line with zqnidtsqz", &platform.key), ["zqnidtsqz"], "and what is told would be found");
    assert_eq!(found_in(&log, &platform.key), Vec::<String>::new(), "of {} bytes of log", log.len());
    log
}

#[test]
fn no_log_at_any_level_tells_what_is_anybodys_own() {
    log_of("pretty");
}

#[test]
fn a_log_for_machines_has_a_line_for_each_request_with_its_route_and_no_path() {
    let log = log_of("json");
    let requests: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .filter(|line: &Value| line["fields"]["http.route"].is_string())
        .collect();
    let fields = |route: &str| requests.iter().map(|line| &line["fields"]).find(|fields| fields["http.route"] == route);
    let asked = fields("/v1/jobs/{id}/artifacts/{*path}").expect("an artifact was asked for");
    assert_eq!((&asked["http.method"], &asked["http.status"]), (&"GET".into(), &200.into()), "{asked}");
    assert!(asked["http.ms"].as_f64().is_some_and(|ms| ms > 0.0), "{asked}");
    assert!(asked["request.id"].as_str().is_some_and(|id| id.starts_with("req_")), "{asked}");
    assert!(fields("/v1/worker/leases/{lease}/settle").is_some());
    let routes = requests.iter().filter_map(|line| line["fields"]["http.route"].as_str());
    assert!(
        routes.clone().all(|route| !route.contains("job_") && !route.contains("lse_")),
        "{:?}",
        routes.collect::<Vec<_>>()
    );
}
