//! One trace for each job, from the request to its end, told by server and worker to a collector of OpenTelemetry's.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use gambeson_api::{Job, JobState};
use gambeson_testkit::{Platform, until};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;

const ACCEPT: &str = "worker.accept_missing=cgroup.memory,cgroup.pids,cgroup.cpu,namespace.user,namespace.time,namespace.cgroup,landlock";

/// What a collector was sent: spans with whose they are, and all bytes.
#[derive(Default)]
struct Collected {
    spans: Vec<(String, Span)>,
    bytes: Vec<u8>,
}

/// A collector on a free port.
fn collector() -> (SocketAddr, Arc<Mutex<Collected>>) {
    let collected: Arc<Mutex<Collected>> = Arc::default();
    let kept = Arc::clone(&collected);
    let take = move |headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let request = ExportTraceServiceRequest::decode(&body[..]).expect("it is what OTLP says");
        let mut kept = kept.lock().unwrap();
        kept.bytes.extend_from_slice(&body);
        for of_resource in request.resource_spans {
            let service = text(&of_resource.resource.expect("it says whose").attributes, "service.name");
            for of_scope in of_resource.scope_spans {
                kept.spans.extend(of_scope.spans.into_iter().map(|span| (service.clone(), span)));
            }
        }
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let router = axum::Router::new().route("/v1/traces", axum::routing::post(take));
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        });
    });
    (address, collected)
}

type Attributes = [opentelemetry_proto::tonic::common::v1::KeyValue];

fn text(attributes: &Attributes, key: &str) -> String {
    let found = attributes.iter().find(|one| one.key == key).and_then(|one| one.value.clone()?.value);
    match found {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key} is {other:?}"),
    }
}

const PROGRAM: &str = "\
import os, sys
os.makedirs('out'); open('out/zqfileqz.txt', 'w').write('zqcontentqz')
print('zqoutputqz', sys.argv, os.environ['ZQNAMEQZ'])  # zqsourceqz
";

/// Submits a job as a client that traces, and waits for its end.
fn submit(platform: &Platform, traceparent: &str) -> Job {
    let body = json!({
        "files": {"main.py": PROGRAM}, "args": ["zqargumentqz"], "env": {"ZQNAMEQZ": "zqvalueqz"}, "labels": {"a": "zqlabelqz"},
    });
    let body = body.to_string();
    let mut stream = TcpStream::connect(platform.url.trim_start_matches("http://")).unwrap();
    let key = &platform.key;
    write!(
        stream,
        "POST /v1/jobs?wait=60s HTTP/1.1\r\nHost: here\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: \
         application/json\r\nContent-Length: {}\r\ntraceparent: {traceparent}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn a_job_is_one_trace_whose_spans_nest_and_last_from_the_request_to_its_end() {
    let (address, collected) = collector();
    let otlp = format!("observe.otlp=http://{address}");
    let platform = Platform::up(&PathBuf::from(env!("CARGO_BIN_EXE_gambeson")), &["--set", ACCEPT, "--set", &otlp]);
    let job = submit(&platform, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert_eq!(job.state, JobState::Ended, "{job:?}");
    let trace = job.id.as_u128().to_be_bytes();
    let expected = BTreeSet::from([
        "job", "submit", "vet", "commit", "queued", "lease", "prepare", "start", "run", "collect", "settle",
    ]);
    let spans: Vec<(String, Span)> = until("all spans of the job came", || {
        let spans: Vec<_> =
            collected.lock().unwrap().spans.iter().filter(|(_, span)| span.trace_id == trace).cloned().collect();
        let names: BTreeSet<&str> = spans.iter().map(|(_, span)| span.name.as_str()).collect();
        (names == expected).then_some(spans.clone())
    });
    assert_eq!(spans.len(), expected.len(), "each once");
    let by_id: HashMap<&[u8], &Span> = spans.iter().map(|(_, span)| (&span.span_id[..], span)).collect();
    assert_eq!(by_id.len(), spans.len(), "each has a name of its own");
    let named = |name: &str| spans.iter().map(|(_, span)| span).find(|span| span.name == name).unwrap();
    const MS: u64 = 1_000_000;
    for (service, span) in &spans {
        let parent = match span.name.as_str() {
            "job" => {
                assert!(span.parent_span_id.is_empty());
                continue;
            }
            "submit" | "queued" | "lease" => "job",
            "vet" | "commit" => "submit",
            _ => "lease",
        };
        let parent = named(parent);
        assert_eq!(by_id.get(&span.parent_span_id[..]), Some(&parent), "{}", span.name);
        assert_eq!(
            service,
            if parent.name == "lease" { "gambeson-worker" } else { "gambeson-server" },
            "{}",
            span.name
        );
        assert_eq!(text(&span.attributes, "job.id"), job.id.to_string());
        // The server's clock has whole milliseconds.
        assert!(
            span.start_time_unix_nano + MS >= parent.start_time_unix_nano,
            "{} begins before {}",
            span.name,
            parent.name
        );
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{}", span.name);
        // The end is settled when the server says so, which its worker hears a little later.
        let ends = if span.name == "settle" { span.start_time_unix_nano } else { span.end_time_unix_nano };
        assert!(ends <= parent.end_time_unix_nano + MS, "{} outlasts {}", span.name, parent.name);
    }
    // One after the other, without a gap in which nobody knows what is done.
    let order = ["queued", "prepare", "start", "run", "collect", "settle"].map(named);
    assert!(order.is_sorted_by_key(|span| span.start_time_unix_nano));
    let (whole, submit) = (named("job"), named("submit"));
    assert!(submit.start_time_unix_nano - whole.start_time_unix_nano < 5 * MS, "it begins with the request");
    assert_eq!(whole.start_time_unix_nano, gambeson_api::trace::Moment::of_job(job.id).0);
    assert_eq!(whole.end_time_unix_nano, job.ended_at.unwrap().0 * MS);
    assert_eq!(text(&whole.attributes, "outcome"), "exited");
    let link = &submit.links[0];
    assert_eq!(link.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
    assert_eq!(link.span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    let bytes = collected.lock().unwrap().bytes.clone();
    let sent = String::from_utf8_lossy(&bytes);
    assert!(sent.contains("gambeson-worker"), "the control");
    for private in ["zq", "ZQ", "main.py", &platform.key] {
        assert!(!sent.contains(private), "{private} was sent");
    }
}

#[test]
fn a_collector_that_is_away_delays_no_job_and_what_it_missed_is_counted() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let otlp = format!("observe.otlp=http://{nobody}");
    let platform = Platform::up(&PathBuf::from(env!("CARGO_BIN_EXE_gambeson")), &["--set", ACCEPT, "--set", &otlp]);
    for _ in 0..3 {
        assert_eq!(submit(&platform, "nonsense").state, JobState::Ended);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = platform.client();
    until("the spans are counted as dropped", || {
        let text = runtime.block_on(client.metrics()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("gambeson_trace_spans_dropped_total"))?;
        let dropped: f64 = line.trim_start_matches("{}").trim().parse().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        (dropped >= 15.0).then_some(())
    });
    // Both go on trying, and have said so once each.
    let complaints = || platform.process.said().matches("takes no traces").count();
    until("the server and the worker say so", || (complaints() == 2).then_some(()));
    assert_eq!(submit(&platform, "").state, JobState::Ended);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(complaints(), 2);
}
