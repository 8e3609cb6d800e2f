//! `cargo xtask bench vet`: the reader on the labelled corpus, bandit beside it, and how long a MiB takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::{cpus, median, ms, percentile, publish, said};

#[path = "../../../crates/vet/tests/score/mod.rs"]
#[allow(dead_code, reason = "the test of the corpus uses the rest")]
mod score;

use score::{Program, Score};

const USAGE: &str = "usage: cargo xtask bench vet [quick]    (quick: a debug build, nothing is published)";

pub(crate) fn vet(args: &[String]) -> Result<()> {
    let quick = match args {
        [] => false,
        [word] if word == "quick" => true,
        _ => bail!(USAGE),
    };
    let corpus = Path::new("crates/vet/corpus");
    let programs = score::programs(corpus)?;
    let reader = build(quick)?;
    let ours = read(&reader, corpus, &programs)?;
    let theirs = bandit(corpus, &programs);
    let mut report = report(&programs, &ours, &theirs)?;
    report.push_str(&times(&reader, &programs)?);
    print!("{report}");
    if quick {
        return Ok(());
    }
    publish("vet", &report)
}

fn build(quick: bool) -> Result<PathBuf> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--package", "gambeson-vet", "--example", "vet"]);
    if !quick {
        command.arg("--release");
    }
    let status = command.status().context("failed to start cargo")?;
    ensure!(status.success(), "the reader was not built: {status}");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let path = target.join(if quick { "debug" } else { "release" }).join("examples/vet");
    path.canonicalize().with_context(|| format!("failed to find {}", path.display()))
}

/// Which rules of ours fired in each program.
fn read(reader: &Path, corpus: &Path, programs: &[Program]) -> Result<Vec<BTreeSet<String>>> {
    let mut child = Command::new(reader)
        .arg("--batch")
        .arg(corpus.join("environment.txt"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start the reader")?;
    let mut to = child.stdin.take().context("it has an input")?;
    let requests: String = programs.iter().map(|program| format!("{}\n", serde_json::json!(program.files))).collect();
    // It answers while it is asked.
    let writer = std::thread::spawn(move || to.write_all(requests.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().map_err(|_| anyhow::anyhow!("the writer died"))??;
    ensure!(output.status.success(), "the reader failed: {}", output.status);
    let answers: Vec<BTreeSet<String>> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<serde_json::Result<_>>()?;
    ensure!(answers.len() == programs.len(), "an answer for each program");
    Ok(answers)
}

/// What bandit's tests correspond to; those that no rule of ours corresponds to are left out.
const BANDIT: &[(&str, &[&str])] = &[
    ("V103", &["B103"]),
    ("V201", &["B602", "B603", "B604", "B605", "B606", "B607"]),
    ("V301", &["B310", "B312", "B321", "B113", "B309"]),
    ("V302", &["B104"]),
    ("V501", &["B102", "B307"]),
    ("V701", &["B301", "B302", "B506", "B614"]),
    ("V802", &["B105", "B106", "B107"]),
];

/// What bandit said of each program, in rules of ours, and of how many it said anything; or why it was not asked.
struct Bandit {
    version: String,
    fired: Vec<BTreeSet<String>>,
    any: Vec<bool>,
}

fn bandit(corpus: &Path, programs: &[Program]) -> Result<Bandit> {
    let venv = Path::new("target/bandit-venv");
    let program = venv.join("bin/bandit");
    if !program.exists() {
        let status =
            Command::new("python3").args(["-m", "venv"]).arg(venv).status().context("failed to start python3")?;
        ensure!(status.success(), "no virtual environment: {status}");
        let pip = Command::new(venv.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "bandit"])
            .status()
            .context("failed to start pip")?;
        ensure!(pip.success(), "pip could not install bandit: {pip}");
    }
    let version = said(&program.to_string_lossy(), &["--version"])?;
    let version = version.lines().next().unwrap_or_default().to_owned();
    let output = Command::new(&program).args(["-r", "-f", "json", "-q"]).arg(corpus).output()?;
    let found: Value = serde_json::from_slice(&output.stdout).context("bandit's answer is no JSON")?;
    let mut tests: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for result in found["results"].as_array().into_iter().flatten() {
        let file = PathBuf::from(result["filename"].as_str().unwrap_or_default());
        tests.entry(file).or_default().insert(result["test_id"].as_str().unwrap_or_default().to_owned());
    }
    let of = |program: &Program| -> BTreeSet<String> {
        program.files.iter().filter_map(|(_, path)| tests.get(path)).flatten().cloned().collect()
    };
    let mut bandit = Bandit { version, fired: Vec::new(), any: Vec::new() };
    for program in programs {
        let tests = of(program);
        let rules = BANDIT.iter().filter(|(_, ids)| ids.iter().any(|id| tests.contains(*id)));
        bandit.fired.push(rules.map(|(rule, _)| (*rule).to_owned()).collect());
        bandit.any.push(!tests.is_empty());
    }
    Ok(bandit)
}

fn share(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.2}"))
}

fn report(programs: &[Program], ours: &[BTreeSet<String>], theirs: &Result<Bandit>) -> Result<String> {
    let scores = score::score(programs.iter().zip(ours));
    let other = theirs.as_ref().ok().map(|bandit| score::score(programs.iter().zip(&bandit.fired)));
    let count = |keep: &dyn Fn(&Program) -> bool| programs.iter().filter(|program| keep(program)).count();
    let mut out = String::new();
    writeln!(
        out,
        "On {} ({}): {} programs, {} benign and {} hostile, {} of these obfuscated. A rule is expected in a program, or is not; how often it \
         fires there does not count.\n",
        said("date", &["+%F"])?,
        cpus()?,
        programs.len(),
        count(&|program| !program.hostile),
        count(&|program| program.hostile),
        count(&|program| program.hostile && program.obfuscated),
    )?;
    match theirs {
        Ok(bandit) => {
            writeln!(out, "Beside it {}, its tests taken for the rule that they correspond to.\n", bandit.version)?
        }
        Err(error) => writeln!(out, "bandit was not asked: {error:#}.\n")?,
    }
    writeln!(
        out,
        "| rule | expected | found | false alarms | precision | recall | bandit: precision | bandit: recall |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    let row = |out: &mut String, name: &str, one: Score, beside: Option<Score>| {
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            one.found + one.missed,
            one.found,
            one.false_alarms,
            share(one.precision()),
            share(one.recall()),
            beside.map_or("".into(), |beside| share(beside.precision())),
            beside.map_or("".into(), |beside| share(beside.recall())),
        )
    };
    for (rule, one) in &scores {
        let has_test = BANDIT.iter().any(|(known, _)| known == rule);
        let beside = other.as_ref().filter(|_| has_test).map(|other| other.get(rule).copied().unwrap_or_default());
        row(&mut out, rule, *one, beside)?;
    }
    row(&mut out, "**all**", score::total(&scores), None)?;
    if let Some(other) = &other {
        let mapped: BTreeMap<String, Score> = scores
            .iter()
            .filter(|(rule, _)| BANDIT.iter().any(|(known, _)| known == rule))
            .map(|(rule, one)| (rule.clone(), *one))
            .collect();
        let theirs: BTreeMap<String, Score> =
            mapped.keys().map(|rule| (rule.clone(), other.get(rule).copied().unwrap_or_default())).collect();
        row(&mut out, "rules that bandit has too", score::total(&mapped), Some(score::total(&theirs)))?;
    }
    let hidden = |program: &Program| program.hostile && program.obfuscated;
    let obfuscated = score::score(programs.iter().zip(ours).filter(|(program, _)| hidden(program)));
    row(&mut out, "obfuscated programs", score::total(&obfuscated), None)?;

    let hostile = count(&|program| program.hostile);
    let benign = programs.len() - hostile;
    let any = |keep: bool, said: &dyn Fn(usize) -> bool| {
        programs.iter().enumerate().filter(|(at, program)| program.hostile == keep && said(*at)).count()
    };
    let ours_any = |at: usize| !ours[at].is_empty();
    write!(
        out,
        "\nSomething was remarked in {} of {hostile} hostile programs and in {} of {benign} benign ones",
        any(true, &ours_any),
        any(false, &ours_any),
    )?;
    match theirs {
        Ok(bandit) => writeln!(
            out,
            "; by bandit in {} and {}.\n",
            any(true, &|at| bandit.any[at]),
            any(false, &|at| bandit.any[at]),
        )?,
        Err(_) => writeln!(out, ".\n")?,
    }
    Ok(out)
}

fn times(reader: &Path, programs: &[Program]) -> Result<String> {
    let readable = |program: &&Program| {
        !program.hostile
            && program.files.len() == 1
            && !program.expected.iter().any(|rule| ["V001", "V002"].contains(&rule.as_str()))
    };
    let single: Vec<&Path> = programs
        .iter()
        .filter(readable)
        .map(|program| program.files[0].1.as_path())
        // A future statement has to come first, which it does not in the middle of another file.
        .filter(|path| {
            fs::read_to_string(path).is_ok_and(|text| !text.contains("__future__") && !text.contains("coding:"))
        })
        .collect();
    let output = Command::new(reader).arg("--time").args(&single).output()?;
    ensure!(output.status.success(), "timing failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let mut out = "| what | median | 90th percentile |\n|---|---|---|\n".to_owned();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let what = match words.next() {
            Some("here") => "1 MiB of benign programs, read in the same process",
            Some("process") => "the same, in a limited process of its own",
            Some("empty") => "an empty file, in a limited process of its own",
            _ => continue,
        };
        let times: Vec<Duration> = words.map(|word| Ok(Duration::from_micros(word.parse()?))).collect::<Result<_>>()?;
        writeln!(out, "| {what} | {} | {} |", ms(median(&times)), ms(percentile(&times, 90)))?;
    }
    Ok(out)
}
