//! Predictions and what became of them, silence, and what people and programs are shown.

use std::collections::BTreeSet;

use gambeson_vet::{
    Finding, HappenedDenial, Network, Policy, PredictedFinding, Prediction, Rule, Source, Style, Verdict, compare,
    predict, predict_all, read, sarif, text,
};
use serde_json::Value;

fn findings(text: &str) -> Vec<Finding> {
    let mut source = Source::of("main.py", text);
    source.modules = Some(["requests".to_owned()].into());
    read(&source).findings
}

fn of(rule: Rule, text: &str) -> Finding {
    let findings = findings(text);
    findings.iter().find(|finding| finding.rule == rule).unwrap_or_else(|| panic!("{rule}: {findings:?}")).clone()
}

fn with_network(network: Network) -> Policy {
    Policy { network, ..Policy::default() }
}

fn allow(hosts: &[&str]) -> Policy {
    with_network(Network::Allow(hosts.iter().map(|host| (*host).to_owned()).collect()))
}

#[test]
fn a_prediction_says_what_this_policy_does() {
    let get = of(Rule::V301, "import requests; requests.get('https://example.org/')");
    let local = of(Rule::V301, "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/')");
    let serve = of(Rule::V302, "import socket; s = socket.socket(); s.bind(('', 80))");
    let metadata = of(Rule::V303, "import requests; requests.get('http://169.254.169.254/')");
    let file = of(Rule::V101, "open('/etc/hostname')");
    let passwd = of(Rule::V101, "open('/etc/passwd')");
    let list = of(Rule::V201, "import subprocess; subprocess.run(['ls'])");
    let thread = of(Rule::V203, "import threading; threading.Thread()");
    let ptrace = of(Rule::V402, "import ctypes; ctypes.CDLL(None).syscall(101)");
    let large = of(Rule::V902, "x = bytearray(1 << 30)");
    let code = of(Rule::V501, "eval(input())");
    let module = of(Rule::V003, "import pandas");
    let programs: BTreeSet<String> = ["python3".to_owned()].into();
    let known = Policy { programs: Some(programs), readable: Some(vec!["/etc/hostname".into()]), ..Policy::default() };
    let limited = Policy { memory: Some(2 << 30), pids: Some(64), ..Policy::default() };
    let small = Policy { memory: Some(256 << 20), ..Policy::default() };
    for (finding, policy, expected) in [
        (&get, &Policy::default(), "refused"),
        (&get, &with_network(Network::Loopback), "refused"),
        (&get, &allow(&["example.org:443"]), "allowed"),
        (&get, &allow(&["example.org"]), "allowed"),
        (&get, &allow(&["*.example.org:443"]), "refused"),
        (&get, &allow(&["example.org:80"]), "refused"),
        (&local, &with_network(Network::Loopback), "allowed"),
        (&local, &Policy::default(), "refused"),
        (&serve, &Policy::default(), "refused"),
        (&serve, &with_network(Network::Loopback), "allowed"),
        (&metadata, &allow(&["169.254.169.254:80"]), "refused"),
        (&file, &Policy::default(), "not_in_environment"),
        (&file, &known, "allowed"),
        (&passwd, &Policy::default(), "allowed"),
        (&list, &known, "not_in_environment"),
        (&list, &Policy::default(), "unknown"),
        (&thread, &limited, "limited_by"),
        (&ptrace, &Policy::default(), "refused"),
        (&large, &limited, "limited_by"),
        (&code, &Policy::default(), "allowed"),
        (&module, &Policy { modules: Some(BTreeSet::new()), ..Policy::default() }, "not_in_environment"),
    ] {
        let prediction = predict(finding, policy);
        assert_eq!(prediction.kind(), expected, "{finding:?} under {policy:?}: {prediction:?}");
    }
    let exceeded = |policy| matches!(predict(&large, policy), Prediction::LimitedBy { exceeded: true, .. });
    assert!(exceeded(&small) && !exceeded(&limited));
    let Prediction::Refused { remedy, .. } = predict(&get, &Policy::default()) else { panic!("as above") };
    assert!(remedy.contains(r#"network.allow = ["example.org:443"]"#), "{remedy}");
    let permitted = Policy { network_ceiling: vec!["example.org:443".into()], ..Policy::default() };
    let Prediction::Refused { remedy, .. } = predict(&get, &permitted) else { panic!("as above") };
    assert!(remedy.contains("which the project permits"), "{remedy}");
}

fn denial(act: &str, target: Option<&str>, file: Option<&str>, line: Option<u32>) -> HappenedDenial {
    HappenedDenial { act: act.into(), target: target.map(Into::into), file: file.map(Into::into), line }
}

fn predicted(text: &str) -> Vec<PredictedFinding> {
    predict_all(&findings(text), &Policy::default())
}

#[test]
fn a_prediction_is_confirmed_not_reached_or_what_happened_was_missed() {
    let predicted =
        predicted("import requests\nrequests.get('https://a.example/')\nif input():\n    open('/etc/hostname')\n");
    assert_eq!(predicted.len(), 2);
    let main = Some("/work/main.py");
    let (confirmed, not_reached) = (
        Verdict::Confirmed { prediction: 0, denial: 0 },
        [Verdict::NotReached { prediction: 0 }, Verdict::NotReached { prediction: 1 }],
    );
    for (case, denials, expected) in [
        ("nothing happened", vec![], not_reached.to_vec()),
        ("at the line", vec![denial("socket", None, main, Some(2))], vec![confirmed.clone(), not_reached[1].clone()]),
        (
            "at the target, from a line of a library",
            vec![denial(
                "connect",
                Some("a.example:443"),
                Some("/usr/lib/python3/site-packages/urllib3/x.py"),
                Some(99),
            )],
            vec![confirmed.clone(), not_reached[1].clone()],
        ),
        (
            "without a line and a target",
            vec![denial("connect", None, None, None)],
            vec![confirmed.clone(), not_reached[1].clone()],
        ),
        (
            "another target",
            vec![denial("connect", Some("b.example:443"), None, None)],
            vec![not_reached[0].clone(), not_reached[1].clone(), Verdict::Missed { denial: 0 }],
        ),
        (
            "another act",
            vec![denial("ptrace", None, main, Some(2))],
            vec![not_reached[0].clone(), not_reached[1].clone(), Verdict::Missed { denial: 0 }],
        ),
        (
            "another line",
            vec![denial("socket", None, main, Some(7))],
            vec![not_reached[0].clone(), not_reached[1].clone(), Verdict::Missed { denial: 0 }],
        ),
        (
            "both",
            vec![denial("open", Some("/etc/hostname"), None, None), denial("connect", None, main, Some(2))],
            vec![Verdict::Confirmed { prediction: 0, denial: 1 }, Verdict::Confirmed { prediction: 1, denial: 0 }],
        ),
    ] {
        assert_eq!(compare(&predicted, &denials), expected, "{case}");
    }
}

#[test]
fn what_was_predicted_to_be_allowed_and_was_refused_is_missed() {
    let findings = findings("import requests\nrequests.get('https://a.example/')\n");
    let predicted = predict_all(&findings, &allow(&["a.example:443"]));
    assert_eq!(
        compare(&predicted, &[denial("connect", Some("a.example:443"), None, None)]),
        [Verdict::Missed { denial: 0 }]
    );
}

#[test]
fn a_comment_silences_its_line_or_its_file_and_the_silenced_are_told() {
    let report = read(&Source::of(
        "main.py",
        "# gambeson: ignore[V901]\nimport os\nos.system('id')  # gambeson: ignore[V201, V301]\nos.system('id')\nwhile True: pass\n",
    ));
    let rules = |findings: &[Finding]| findings.iter().map(|one| (one.rule, one.place.line)).collect::<Vec<_>>();
    assert_eq!(rules(&report.findings), [(Rule::V201, 4)]);
    assert_eq!(rules(&report.silenced), [(Rule::V201, 3), (Rule::V901, 5)]);
    assert!(report.hints.is_empty(), "{:?}", report.hints);
}

#[test]
fn a_comment_that_silences_nothing_is_told_what_is_wrong() {
    let report = read(&Source::of(
        "main.py",
        "import os\nos.system('id')  # gambeson: ignore\nx = 1  # gambeson: ignore[V999]\n# gambeson: ignore[V201]\ny = 1  # gambeson: ignore[V001]\nz = '# gambeson: ignore'\n",
    ));
    let hints: Vec<(u32, &str)> = report.hints.iter().map(|hint| (hint.place.line, hint.message.as_str())).collect();
    assert_eq!(
        hints,
        [
            (2, "say which rules are meant: # gambeson: ignore[V301]"),
            (3, "there is no rule V999"),
            (4, "nothing is on this line: the comment belongs at the end of the line that it is about"),
            (5, "V001 is no advice and cannot be silenced"),
        ]
    );
    assert_eq!(report.findings.len(), 1, "a bare comment silences nothing");
}

#[test]
fn a_file_that_is_no_python_cannot_silence_that() {
    let report = read(&Source::of("main.py", "# gambeson: ignore[V001]\nx = (\n"));
    assert_eq!(report.findings.len(), 1);
}

const HOSTILE: &str =
    "import os\nos.system('id \u{202e}\u{1b}[2J')  # \u{1b}]0;owned\u{7}\nx = 'é' + os.popen('a').read()\n";

#[test]
fn the_text_shows_the_line_and_nothing_that_deceives() {
    let source = Source::of("ma\u{1b}[31min.py", HOSTILE);
    let report = read(&source);
    let shown = text(&report, &source, None, Style::default());
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{shown:?}");
    assert!(shown.contains("os.system('id \\u{202e}\\u{1b}[2J')"), "{shown}");
    assert!(shown.contains("V201 process-start"), "{shown}");
    let caret = shown.lines().find(|line| line.contains("^^^")).expect("the place is marked");
    assert_eq!(caret.matches('^').count(), r"os.system('id \u{202e}\u{1b}[2J')".len(), "{shown}");
    let colored = text(&report, &source, None, Style { color: true });
    assert!(colored.contains("\u{1b}["), "colours are ours");
    assert!(!colored.contains("]0;owned\u{7}"));
}

#[test]
fn a_line_of_a_megabyte_is_shown_in_part() {
    let source = Source::of(
        "main.py",
        &format!("import os; x = '{}'; os.system('id'); y = '{}'\n", "é".repeat(300_000), "b".repeat(300_000)),
    );
    let shown = text(&read(&source), &source, None, Style::default());
    assert!(shown.len() < 2000, "{} bytes", shown.len());
    assert!(shown.contains("os.system('id')"), "{shown}");
}

#[test]
fn a_secret_is_shown_nowhere() {
    let secret = format!("{}_{}", "ghp", "Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2");
    let source = Source::of(
        "main.py",
        &format!("import os; os.system('curl -H {secret} https://example.org'); token = '{secret}'\n"),
    );
    let report = read(&source);
    assert!(report.findings.iter().any(|finding| finding.rule == Rule::V802));
    let predicted = predict_all(&report.findings, &Policy::default());
    let shown = text(&report, &source, Some(&predicted), Style::default());
    let json = serde_json::to_string(&report).unwrap();
    let log = serde_json::to_string(&sarif(&report, Some(&predicted))).unwrap();
    for said in [shown, json, log] {
        assert!(!said.contains(&secret[..16]), "{said}");
    }
}

/// What the schema of SARIF 2.1.0 requires of each object, and the words that it allows.
#[test]
fn the_sarif_log_has_what_its_schema_requires() {
    let source =
        Source::of("a dir/ma in.py", "# gambeson: ignore[V901]\nimport os\nos.system('id')\nwhile True: pass\n");
    let report = read(&source);
    let predicted = predict_all(&report.findings, &Policy::default());
    let log: Value = serde_json::to_value(sarif(&report, Some(&predicted))).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "gambeson-vet");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = driver["rules"].as_array().unwrap();
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), Rule::ALL.len(), "ids are unique");
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string());
        assert!(
            ["none", "note", "warning", "error"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap())
        );
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(result["message"]["text"].is_string());
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "a%20dir/ma%20in.py");
        for key in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(location["region"][key].as_u64().unwrap() >= 1, "{key}");
        }
    }
    assert_eq!(results[1]["suppressions"][0]["kind"], "inSource");
    assert_eq!(results[0]["properties"]["prediction"], "unknown");
}
