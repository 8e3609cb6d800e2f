//! Reads files and prints a line for each finding: for whoever works on the rules, and for `cargo xtask bench vet`.
//!
//! `--json` prints the report, `--text` what people see. `--batch MODULES` takes a program a line from stdin, as a JSON list of pairs
//! of name and path, and prints the ids of the rules that fired. `--time FILE...` reads a MiB of such files again and again.
//! `--reads` is the process that `--time` measures as well.

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use gambeson_vet::process::{Reader, serve};
use gambeson_vet::{Policy, Source, Style, predict_all, read, text};

fn main() -> ExitCode {
    let (flags, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    match flags.first().map(String::as_str) {
        Some("--reads") => return if serve(|| Ok(())).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE },
        Some("--batch") => batch(&words[0]),
        Some("--time") => time(&words),
        shape => {
            let mut source = Source::default();
            for path in &words {
                source.add(path, &fs::read(path).expect("a file to read"));
            }
            show(&source, shape);
        }
    }
    ExitCode::SUCCESS
}

fn show(source: &Source, shape: Option<&str>) {
    let report = read(source);
    match shape {
        Some("--json") => println!("{}", serde_json::to_string_pretty(&report).expect("a report is plain data")),
        Some("--text") => {
            let predicted = predict_all(&report.findings, &Policy::default());
            print!("{}", text(&report, source, Some(&predicted), Style::default()));
        }
        _ => {
            for finding in &report.findings {
                let place = &finding.place;
                println!("{}:{}: {} {} [{:?}]", place.file, place.line, finding.rule, finding.message, finding.target);
            }
        }
    }
}

fn batch(modules: &str) {
    let modules = fs::read_to_string(modules).expect("a list of modules");
    let modules = modules.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let modules: BTreeSet<String> = modules.map(str::to_owned).collect();
    for line in std::io::stdin().lines() {
        let files: Vec<(String, String)> = serde_json::from_str(&line.expect("text")).expect("pairs");
        let mut source = Source::default();
        source.modules = Some(modules.clone());
        for (name, path) in &files {
            source.add(name, &fs::read(path).expect("a file to read"));
        }
        let report = read(&source);
        let rules: BTreeSet<String> = report.findings.iter().map(|finding| finding.rule.to_string()).collect();
        println!("{}", serde_json::to_string(&rules).expect("plain data"));
    }
}

/// Prints microseconds: a MiB read here, a MiB read in a process of its own, an empty file in one.
fn time(paths: &[String]) {
    const RUNS: usize = 15;
    let mut whole = String::new();
    'all: loop {
        let before = whole.len();
        for path in paths {
            let text = fs::read_to_string(path).unwrap_or_default();
            whole.push_str(&text);
            whole.push('\n');
            if whole.len() >= 1 << 20 {
                break 'all;
            }
        }
        assert!(whole.len() > before, "there are files to read");
    }
    let (large, empty) = (Source::of("main.py", &whole), Source::of("main.py", ""));
    assert!(!read(&large).is_syntax_error(), "the files are Python, one after another");
    let reader = Reader::new(std::env::current_exe().expect("this program has a path"), ["--reads"]);
    let measure = |name: &str, act: &dyn Fn()| {
        let times = (0..RUNS).map(|_| {
            let before = Instant::now();
            act();
            before.elapsed().as_micros().to_string()
        });
        println!("{name} {}", times.collect::<Vec<_>>().join(" "));
    };
    measure("here", &|| drop(read(&large)));
    measure("process", &|| drop(reader.read(&large).expect("it can be started")));
    measure("empty", &|| drop(reader.read(&empty).expect("it can be started")));
}
