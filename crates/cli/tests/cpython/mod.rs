//! CPython's own regression tests, each module in a cell of its own: real Python works inside as outside.
//!
//! `guest/regrtest.txt` lists the modules. `GAMBESON_TEST_PYTHON` names the interpreter (`python3` if
//! unset); arguments choose the modules whose name contains one of them.
//!
//! 1. A module passes only if regrtest itself says so: one that skips itself as a whole has failed.
//! 2. What is not run is on the list, with its reason.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const LIST: &str = include_str!("../../../../guest/regrtest.txt");
/// Shorter than the limit of wall time, so that a test that hangs shows where before it is killed.
const PATIENCE: &str = "240";
const CELLS_AT_ONCE: usize = 2;

/// A line of the list.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Pass(Module<'a>),
    Skip { name: &'a str },
}

#[derive(Debug, PartialEq, Eq)]
pub struct Module<'a> {
    pub name: &'a str,
    /// The tests to run, all of them if empty: `-m` of regrtest.
    only: Vec<&'a str>,
    /// Tests that cannot pass inside: `-i` of regrtest.
    ignored: Vec<&'a str>,
    /// `none` or `loopback`.
    pub network: &'a str,
}

enum Verdict {
    Passed { tests: u64, skipped: u64 },
    Failed { why: String, tests: Vec<String>, tail: String },
}

struct Done<'a> {
    module: &'a Module<'a>,
    verdict: Verdict,
    took: Duration,
}

impl Module<'_> {
    /// What regrtest is told.
    pub fn args(&self) -> Vec<String> {
        let mut args: Vec<String> = ["-v", "--timeout", PATIENCE].map(str::to_owned).into();
        args.extend(self.only.iter().flat_map(|pattern| ["-m".to_owned(), whole(pattern)]));
        args.extend(self.ignored.iter().flat_map(|pattern| ["-i".to_owned(), whole(pattern)]));
        args.push(self.name.to_owned());
        args
    }
}

/// A run that came to its end.
pub struct Said {
    /// Whether it ended with exit code 0, or else a sentence.
    pub end: Result<(), String>,
    pub stdout: String,
    pub stderr: String,
}

/// The interpreter whose tests are run.
pub fn python() -> OsString {
    env::var_os("GAMBESON_TEST_PYTHON").unwrap_or_else(|| "python3".into())
}

/// Runs the modules on the list, each by `run_one`.
pub fn main_with(run_one: impl Fn(&Module<'_>) -> Said + Sync) -> ExitCode {
    let filters: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let lines = match list(LIST) {
        Ok(lines) => lines,
        Err(error) => {
            eprintln!("guest/regrtest.txt: {error}");
            return ExitCode::FAILURE;
        }
    };
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let mut modules = Vec::new();
    let mut skipped = 0;
    for line in &lines {
        match line {
            Line::Pass(module) if chosen(module.name) => modules.push(module),
            Line::Skip { name } if chosen(name) => skipped += 1,
            Line::Pass(_) | Line::Skip { .. } => {}
        }
    }

    let python = python();
    let present = match present(&python, &modules) {
        Ok(present) => present,
        Err(why) => {
            println!("skipped: {why}");
            println!("0 passed, 0 failed, {} skipped", modules.len() + skipped);
            return ExitCode::SUCCESS;
        }
    };
    modules.retain(|module| {
        let here = present.contains(module.name);
        if !here {
            println!("{} is not in this Python", module.name);
            skipped += 1;
        }
        here
    });

    let began = Instant::now();
    let done = run(&modules, &run_one);
    let (mut passed, mut failed, mut tests_run, mut tests_skipped) = (0, Vec::new(), 0, 0);
    for one in &done {
        match &one.verdict {
            Verdict::Passed { tests, skipped } => {
                passed += 1;
                tests_run += tests;
                tests_skipped += skipped;
            }
            Verdict::Failed { why, tests, tail } => failed.push((one, why, tests, tail)),
        }
    }
    for (one, _, _, tail) in &failed {
        println!("\n---- {} ----\n{tail}", one.module.name);
    }
    if !failed.is_empty() {
        println!("\n{:40} {:>6}  why", "failed", "s");
    }
    for (one, why, tests, _) in &failed {
        println!("{:40} {:6.1}  {why}", one.module.name, one.took.as_secs_f64());
        for test in *tests {
            println!("{:40} {:6}  {test}", "", "");
        }
    }
    println!(
        "\n{tests_run} tests ran in the modules that passed, {tests_skipped} of them skipped themselves; {:.0} s",
        began.elapsed().as_secs_f64()
    );
    println!("{passed} passed, {} failed, {skipped} skipped", failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Reads the list; its head says how it is written.
fn list(text: &str) -> Result<Vec<Line<'_>>, String> {
    let mut lines = Vec::new();
    let mut names = HashSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (line, reason) = line.split_once('#').map_or((line, ""), |(line, reason)| (line, reason.trim()));
        let mut words = line.split_whitespace();
        let Some(verb) = words.next() else { continue };
        let wrong = |what: &str| format!("line {number}: {what}");
        let name = words.next().ok_or_else(|| wrong("names no module"))?;
        if !names.insert(name) {
            return Err(wrong("the module is named twice"));
        }
        let mut module = Module { name, only: Vec::new(), ignored: Vec::new(), network: "none" };
        for word in words {
            match word.split_once('=') {
                Some(("only", patterns)) => module.only.extend(patterns.split(',')),
                Some(("ignore", patterns)) => module.ignored.extend(patterns.split(',')),
                Some(("network", network @ "loopback")) => module.network = network,
                _ => return Err(wrong(&format!("{word:?} means nothing"))),
            }
        }
        lines.push(match verb {
            "pass" if !reason.is_empty() || module.only.is_empty() && module.ignored.is_empty() => Line::Pass(module),
            "pass" => return Err(wrong("leaves out tests without a reason")),
            "skip" if !reason.is_empty() => Line::Skip { name },
            "skip" => return Err(wrong("skips a module without a reason")),
            _ => return Err(wrong("begins with neither pass nor skip")),
        });
    }
    Ok(lines)
}

/// Which of the modules this interpreter has: Debian splits them off, and they come and go with versions.
fn present(python: &OsString, modules: &[&Module<'_>]) -> Result<HashSet<String>, String> {
    const ASK: &str = "\
import importlib.util, sys
import test.libregrtest
for name in sys.argv[1:]:
    try:
        spec = importlib.util.find_spec(name if name.startswith('test.') else 'test.' + name)
    except ModuleNotFoundError:
        spec = None
    if spec is not None:
        print(name)";
    let answer = Command::new(python)
        .args(["-I", "-c", ASK])
        .args(modules.iter().map(|module| module.name))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} does not start: {error}", Path::new(python).display()))?;
    if !answer.status.success() {
        return Err(format!(
            "{} has no package `test`; install libpython3-testsuite (Debian, Ubuntu), python3-test (Fedora), or a \
             Python by pyenv, and name it in GAMBESON_TEST_PYTHON",
            Path::new(python).display()
        ));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).lines().map(str::to_owned).collect())
}

fn run<'a>(modules: &[&'a Module<'a>], run_one: &(impl Fn(&Module<'_>) -> Said + Sync)) -> Vec<Done<'a>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CELLS_AT_ONCE {
            scope.spawn(|| {
                while let Some(module) = modules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let verdict = judge(run_one(module));
                    let took = began.elapsed();
                    let word = if matches!(verdict, Verdict::Passed { .. }) { "ok" } else { "FAILED" };
                    println!("{:40} {:6.1}  {word}", module.name, took.as_secs_f64());
                    done.lock().unwrap().push(Done { module, verdict, took });
                }
            });
        }
    });
    done.into_inner().unwrap()
}

fn judge(said: Said) -> Verdict {
    // A test's own words are on standard error, regrtest's verdict is on standard output.
    let text = format!("{}{}", said.stdout, said.stderr);
    let failed = |why: String| {
        let tests = text.lines().filter(|line| line.starts_with("ERROR: ") || line.starts_with("FAIL: "));
        Verdict::Failed { why, tests: tests.map(str::to_owned).collect(), tail: tail(&text) }
    };
    if let Err(why) = &said.end {
        return failed(why.clone());
    }
    if !said.stdout.lines().any(|line| line == "1 test OK.") {
        return failed("skipped itself, or ran nothing".into());
    }
    let (tests, skipped) = counts(&text);
    if tests == skipped && text.contains("\nRan ") {
        return failed("each of its tests skipped itself".into());
    }
    Verdict::Passed { tests, skipped }
}

/// A pattern as regrtest wants it: it compares with the whole dotted name of a test, and with each part.
fn whole(pattern: &str) -> String {
    if pattern.contains('.') { format!("*.{pattern}") } else { pattern.to_owned() }
}

/// How many tests unittest ran and skipped, by its own words: `Ran 12 tests in 0.1s`, `OK (skipped=3)`.
fn counts(text: &str) -> (u64, u64) {
    let number = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let ran = text.lines().filter_map(|line| line.strip_prefix("Ran ")).map(number).sum();
    let skipped = text
        .lines()
        .filter(|line| line.starts_with("OK ("))
        .filter_map(|line| line.split_once("skipped="))
        .map(|(_, count)| number(count))
        .sum();
    (ran, skipped)
}

/// The end of what a module said, where unittest tells what went wrong.
fn tail(text: &str) -> String {
    const LINES: usize = 60;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
