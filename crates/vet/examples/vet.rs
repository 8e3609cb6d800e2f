//! Reads files and prints a line for each finding: for whoever works on the rules.
//!
//! `--json` prints the report, `--text` what people see. `--batch` takes a list of files a line, as JSON, from stdin, and prints
//! the ids of the rules that fired.

use std::collections::BTreeSet;

use gambeson_vet::{Policy, Source, Style, predict_all, read, text};

fn main() {
    let (flags, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let has = |flag: &str| flags.iter().any(|known| known == flag);
    if has("--batch") {
        return batch();
    }
    let mut source = Source::default();
    for path in &paths {
        source.add(path, &std::fs::read(path).expect("a file to read"));
    }
    let report = read(&source);
    if has("--json") {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report is plain data"));
    } else if has("--text") {
        let predicted = predict_all(&report.findings, &Policy::default());
        print!("{}", text(&report, &source, Some(&predicted), Style::default()));
    } else {
        for finding in &report.findings {
            let place = &finding.place;
            println!("{}:{}: {} {} [{:?}]", place.file, place.line, finding.rule, finding.message, finding.target);
        }
    }
}

fn batch() {
    let environment = include_str!("../corpus/environment.txt");
    let modules: BTreeSet<String> = environment.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    for line in std::io::stdin().lines() {
        let request: serde_json::Value = serde_json::from_str(&line.expect("text")).expect("JSON");
        let base = request["base"].as_str().expect("a path");
        let mut source = Source::default();
        source.modules = Some(modules.clone());
        for path in request["files"].as_array().expect("a list") {
            let path = path.as_str().expect("a path");
            let name = path.strip_prefix(base).unwrap_or(path).trim_start_matches('/');
            source.add(name, &std::fs::read(path).expect("a file to read"));
        }
        let report = read(&source);
        let rules: BTreeSet<String> = report.findings.iter().map(|finding| finding.rule.to_string()).collect();
        println!("{}", serde_json::to_string(&rules).expect("plain data"));
    }
}
