//! The documents and rules about what monitoring reads, against what there is.

use std::collections::BTreeSet;
use std::path::Path;

use gambeson_control::{Described, Meters};
use serde_json::Value;

const HEAD: &str = r#"# Metrics

<!-- The table is made of crates/control/src/meters; GAMBESON_WRITE_DOCS=1 cargo test -p gambeson-control --test watched writes it. -->

`GET /metrics` answers in OpenMetrics 1.0.0 to who asks for it (Prometheus does), and in the text format 0.0.4 to everybody else. It
takes a key with the scope `admin:read` whose user may `metrics.view`: auditors, operators and owners of the platform. Make one for
Prometheus alone:

```console
$ gambeson user create prometheus --service
$ gambeson member add prometheus auditor --project platform
$ gambeson key create prometheus --user prometheus --scope admin:read
```

- [`deploy/prometheus/scrape.yml`](../../deploy/prometheus/scrape.yml) is the part of `prometheus.yml`; the key stands in
`authorization.credentials_file`.
- [`deploy/prometheus/alerts.yml`](../../deploy/prometheus/alerts.yml) has alerts, each with what to do.
- [`deploy/grafana/gambeson.json`](../../deploy/grafana/gambeson.json) is a dashboard: import it, and choose the data source.

What holds for all of it:

- The number of series ends, whatever users and workers do: the 100 oldest projects and the first 100 workers have their names, routes
are templates, and words that are not known (of denials, limits, methods) count as `other`.
- Counters and histograms begin at 0 with the server. What happened to jobs is counted when it is committed. Gauges are read anew for
each scrape, from memory: a scrape never asks the store.
- Nothing of a program, no path, no key and no name of a person is in it; names of projects and workers are.
- A worker has no port of its own: how it is comes with its heartbeats.

## Is it up

`GET /healthz` answers 200 while the server lives; restart it if it does not. `GET /readyz` answers 200 where the store takes a write,
64 MiB of the disk are free, and nobody told the server to stop; else 503, with what is missing in words. It also says how many workers
are connected, which is no part of being ready: without one, jobs are taken and wait. Both answer to anybody and tell nothing private.

## Logs

`log.format = "json"` writes a line of JSON for each event, `pretty` one for people. With `log.level = "debug"` there is a line for each
request, with `request.id`, `http.method`, `http.route` (the template), `http.status` and `http.ms`. At no level is there source, input,
output, a label, a name of a file, a key or a token in a log: a test has a program with marks in all of these run, and reads the logs at
`trace`.

## Traces

With `observe.otlp = "http://127.0.0.1:4318"` server and worker send spans to a collector of OpenTelemetry's (OTLP over HTTP, as
protobuf). A trace's id is its job's id, so that one leads to the other:

```text
job                 from the request to the end
├─ submit           until it was answered; linked with the client's span, if it sent a traceparent
│  ├─ vet           its source is read
│  └─ commit        it is queued, durably
├─ queued           until a worker has it; one for each attempt
└─ lease            one attempt
   ├─ prepare       the worker brings its files and plans its cell
   ├─ start         it gets a cell, and the server notes that it starts
   ├─ run           the program runs
   ├─ collect       what it left is uploaded
   └─ settle        its end is told
```

`observe.otlp_sample` is the part of all jobs that is told of, the same jobs by server and worker. Of an array's elements the first has a
`submit`. Spans have ids, classes, outcomes and counts, and nothing of a program. A collector that is slow or away delays nothing: what does
not fit into a queue of 8,192 spans, or is not taken, is dropped and counted (`gambeson_trace_spans_dropped_total`).

## What there is
"#;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_list_of_figures_is_what_there_is() {
    let meters = Meters::default();
    let mut text =
        format!("{HEAD}\n| name | kind | labels | what it says, and what to do with it |\n|---|---|---|---|\n");
    let mut all: Vec<&Described> = meters.described().iter().collect();
    all.sort_by_key(|one| &one.name);
    for Described { name, kind, labels, help } in all {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        text.push_str(&format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", ")));
    }
    const PATH: &str = "docs/operate/metrics.md";
    if std::env::var_os("GAMBESON_WRITE_DOCS").is_some() {
        std::fs::write(root().join(PATH), &text).unwrap();
    }
    assert!(read(PATH) == text, "{PATH} is not what there is: GAMBESON_WRITE_DOCS=1 rewrites it");
}

/// Names that a question may use: those of the families, and the parts of histograms.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for Described { name, kind, .. } in Meters::default().described() {
        if *kind == "histogram" {
            known.extend(["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}")));
        } else {
            known.insert(name.clone());
        }
    }
    known
}

/// The names of ours in a question.
fn names(question: &str) -> Vec<&str> {
    let words = question.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("gambeson_")).collect()
}

/// Every text under a key, anywhere.
fn texts<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name == key {
                    found.extend(value.as_str());
                }
                texts(value, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_loads_as_it_is_and_asks_for_what_there_is() {
    let board: Value = serde_json::from_str(&read("deploy/grafana/gambeson.json")).unwrap();
    assert!(board["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
    assert!(board["id"].is_null() && board["uid"] == "gambeson" && board["title"] == "Gambeson");
    let source = &board["templating"]["list"][0];
    assert_eq!(
        (&source["name"], &source["type"], &source["query"]),
        (&"datasource".into(), &"datasource".into(), &"prometheus".into())
    );
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "ids clash");
    let mut places: Vec<[u64; 4]> = Vec::new();
    for panel in panels {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|part| panel["gridPos"][part].as_u64().unwrap());
        assert!(x + w <= 24 && w > 0 && h > 0, "{}", panel["title"]);
        let over = places.iter().find(|[ox, oy, ow, oh]| x < ox + ow && *ox < x + w && y < oy + oh && *oy < y + h);
        assert_eq!(over, None, "{} lies over another", panel["title"]);
        places.push([x, y, w, h]);
        if panel["type"] != "row" {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{}", panel["title"]);
        }
    }
    let mut questions = Vec::new();
    texts(&board, "expr", &mut questions);
    texts(&board, "definition", &mut questions);
    let known = known();
    assert!(questions.len() > 40);
    for question in &questions {
        assert!(!names(question).is_empty(), "{question}");
        for name in names(question) {
            assert!(known.contains(name), "there is no {name}: {question}");
        }
    }
    let shown: BTreeSet<&str> = questions.iter().flat_map(|question| names(question)).collect();
    for name in
        ["gambeson_queue_jobs", "gambeson_denials_total", "gambeson_worker_pressure_ratio", "gambeson_followers"]
    {
        assert!(shown.contains(name), "{name} is not shown");
    }
}

#[test]
fn every_alert_asks_for_what_there_is_and_says_what_happened_and_what_to_do() {
    let rules: Value = serde_yaml_ng::from_str(&read("deploy/prometheus/alerts.yml")).unwrap();
    let known = known();
    let mut alerts = BTreeSet::new();
    for rule in rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()) {
        let alert = rule["alert"].as_str().unwrap();
        assert!(alerts.insert(alert), "{alert} is there twice");
        let question = rule["expr"].as_str().unwrap();
        assert!(!names(question).is_empty() || question.starts_with("up{"), "{alert}");
        for name in names(question) {
            assert!(known.contains(name), "{alert}: there is no {name}");
        }
        assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{alert}");
        for part in ["summary", "remedy"] {
            let says = rule["annotations"][part].as_str().unwrap_or_default();
            assert!(says.len() > 20 && says.ends_with('.'), "{alert} has no {part}");
            // What a remedy names is to be there, too.
            assert!(names(says).iter().all(|name| known.contains(*name)), "{alert}: {says}");
        }
    }
    for alert in
        ["GambesonNoWorker", "GambesonQueueWaitsLong", "GambesonFaults", "GambesonStoreSlow", "GambesonDiskNearlyFull"]
    {
        assert!(alerts.contains(alert), "{alert}");
    }
    let scrape: Value = serde_yaml_ng::from_str(&read("deploy/prometheus/scrape.yml")).unwrap();
    let job = &scrape["scrape_configs"][0];
    assert_eq!(job["metrics_path"], "/metrics");
    assert!(job["authorization"]["credentials_file"].is_string(), "no key stands in a configuration");
    assert_eq!(job["job_name"], "gambeson", "an alert asks by this name");
}
