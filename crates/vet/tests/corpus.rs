//! The reader is no worse on the labelled corpus than docs/benchmarks.md says.

#[allow(dead_code, reason = "the benchmark uses the rest")]
mod score;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use gambeson_vet::{Source, read};
use score::{Program, Score, environment, programs};

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn fired(program: &Program, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let mut source = Source::default();
    source.modules = Some(modules.clone());
    for (name, path) in &program.files {
        source.add(name, &fs::read(path).unwrap());
    }
    read(&source).findings.iter().map(|finding| finding.rule.to_string()).collect()
}

/// The rows of the table between the marks: rule, expected, found, false alarms.
fn recorded() -> BTreeMap<String, (u32, u32, u32)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md")).unwrap();
    let (_, rest) = text.split_once("<!-- begin vet -->").expect("there is a place for it");
    let (table, _) = rest.split_once("<!-- end vet -->").expect("and an end of it");
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let rule = cells.get(1).filter(|cell| cell.starts_with('V') && cell.len() == 4)?;
        let number = |at: usize| cells.get(at)?.parse::<u32>().ok();
        Some(((*rule).to_owned(), (number(2)?, number(3)?, number(4)?)))
    });
    rows.collect()
}

#[test]
fn precision_and_recall_do_not_fall_below_what_is_recorded() {
    let (programs, modules) = (programs(&corpus()).unwrap(), environment(&corpus()).unwrap());
    assert!(programs.len() >= 300, "{} programs", programs.len());
    let answers: Vec<BTreeSet<String>> = programs.iter().map(|program| fired(program, &modules)).collect();
    let scores = score::score(programs.iter().zip(&answers));
    let all = score::total(&scores);
    println!("precision {:.3}, recall {:.3}", all.precision().unwrap_or(1.0), all.recall().unwrap_or(1.0));
    let recorded = recorded();
    assert!(!recorded.is_empty(), "docs/benchmarks.md has figures; `cargo xtask bench vet` writes them");
    let mut worse = Vec::new();
    for (rule, (expected, found, false_alarms)) in recorded {
        let now = scores.get(&rule).copied().unwrap_or_default();
        // A corpus that grew is measured anew; what is compared is the share.
        let share = |count: u32, of: u32| if of == 0 { 1.0 } else { f64::from(count) / f64::from(of) };
        let then = Score { found, missed: expected - found.min(expected), false_alarms };
        let fell = share(now.found, now.found + now.missed) + 1e-9 < share(then.found, expected)
            || now.precision().unwrap_or(1.0) + 1e-9 < then.precision().unwrap_or(1.0);
        if fell {
            worse.push(format!("{rule}: {now:?}, recorded {then:?}"));
        }
    }
    assert!(worse.is_empty(), "worse than recorded:\n{}", worse.join("\n"));
}

#[test]
fn every_program_of_the_corpus_has_its_labels() {
    for program in programs(&corpus()).unwrap() {
        let text = fs::read(&program.files[0].1).unwrap();
        let word = if program.hostile { "hostile" } else { "benign" };
        assert!(text.starts_with(format!("# label: {word}\n").as_bytes()), "{}", program.name);
        let known = |rule: &String| rule.parse::<gambeson_vet::Rule>().is_ok();
        assert!(program.expected.iter().chain(&program.allowed).all(known), "{}", program.name);
    }
}
