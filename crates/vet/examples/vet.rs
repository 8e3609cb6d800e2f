//! Reads a file and prints the report as JSON, or one line a finding: for whoever works on the rules.

use gambeson_vet::{Source, read};

fn main() {
    let mut source = Source::default();
    let json = std::env::args().any(|arg| arg == "--json");
    let text_wanted = std::env::args().any(|arg| arg == "--text");
    for path in std::env::args().skip(1).filter(|arg| !arg.starts_with("--")) {
        source.add(&path, &std::fs::read(&path).expect("a file to read"));
    }
    let report = read(&source);
    if json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report is plain data"));
        return;
    }
    if text_wanted {
        let predicted = gambeson_vet::predict_all(&report.findings, &gambeson_vet::Policy::default());
        print!("{}", gambeson_vet::text(&report, &source, Some(&predicted), gambeson_vet::Style::default()));
        return;
    }
    for finding in &report.findings {
        println!("{}:{}: {} {} [{:?}]", finding.place.file, finding.place.line, finding.rule, finding.message, finding.target);
    }
}
