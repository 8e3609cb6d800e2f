//! `cargo xtask fuzz`: bytes that no one thought of, for each decoder of hostile bytes.
//!
//! 1. It builds with the stable compiler: what `cargo fuzz` adds are flags, given below.
//! 2. A target that was built without coverage fails; it would only guess, and look well.
//! 3. What a target leaves in temporary files goes away with the run, also when it crashes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

const USAGE: &str = "usage: cargo xtask fuzz [TARGET...] [--seconds N]    (N seconds for each target)";

/// Named, although it is the host's: only so does cargo keep the flags from build scripts and macros.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Counters at each edge, a table of their places, and a call before each comparison, by which libFuzzer
/// learns the constants that a decoder looks for (clang's SanitizerCoverage).
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
];

/// How long all targets together take, where nobody says it.
const SECONDS: u64 = 60;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").join("fuzz");
    let all = targets(&fuzz)?;
    let (mut chosen, mut seconds) = (Vec::new(), None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seconds" => seconds = Some(args.next().and_then(|n| n.parse::<u64>().ok()).context(USAGE)?),
            target if all.iter().any(|known| known == target) => chosen.push(target.to_owned()),
            _ => bail!("there is no target {arg}, only {}\n{USAGE}", all.join(", ")),
        }
    }
    if chosen.is_empty() {
        chosen = all;
    }
    // To libFuzzer 0 is "for ever".
    let seconds = seconds.unwrap_or(SECONDS / chosen.len() as u64).max(1);

    let built = build(&fuzz)?;
    // A tree a run: in memory, where the host has a place for that, it is made several times as often.
    let memory = PathBuf::from("/dev/shm");
    let scratch = if memory.is_dir() { memory } else { env::temp_dir() };
    let scratch = scratch.join(format!("gambeson-fuzz-{}", std::process::id()));
    fs::create_dir_all(&scratch).with_context(|| format!("failed to make {}", scratch.display()))?;
    let found: Result<Vec<String>> = chosen
        .iter()
        .filter_map(|target| fuzz_one(&fuzz, &built.join(target), target, seconds, &scratch).transpose())
        .collect();
    fs::remove_dir_all(&scratch).with_context(|| format!("failed to remove {}", scratch.display()))?;
    let found = found?;
    ensure!(found.is_empty(), "fuzzing found what must not be; to see it again:\n{}", found.join("\n"));
    Ok(())
}

/// Each file of `fuzz_targets` is one.
fn targets(fuzz: &Path) -> Result<Vec<String>> {
    let dir = fuzz.join("fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| format!("failed to list {}", dir.display()))? {
        let path = entry?.path();
        targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

/// Returns where the programs are.
fn build(fuzz: &Path) -> Result<PathBuf> {
    let dir = env::var_os("CARGO_TARGET_DIR").map_or_else(|| fuzz.join("target"), PathBuf::from);
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--release", "--locked", "--target", TRIPLE, "--target-dir"])
        .arg(&dir)
        .arg("--manifest-path")
        .arg(fuzz.join("Cargo.toml"))
        // This variable goes before all other sources of flags (the Cargo book, "Configuration").
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
        .status()
        .context("failed to start cargo")?;
    ensure!(status.success(), "the fuzz targets were not built: {status}");
    Ok(dir.join(TRIPLE).join("release"))
}

/// Returns how to see a finding again, if there is one.
fn fuzz_one(fuzz: &Path, program: &Path, target: &str, seconds: u64, scratch: &Path) -> Result<Option<String>> {
    let (corpus, artifacts) = (fuzz.join("corpus").join(target), fuzz.join("artifacts"));
    for dir in [&corpus, &artifacts] {
        fs::create_dir_all(dir).with_context(|| format!("failed to make {}", dir.display()))?;
    }
    let output = Command::new(program)
        // What is new goes to the first directory; the second is only read.
        .arg(&corpus)
        .arg(fuzz.join("seeds").join(target))
        .arg(format!("-max_total_time={seconds}"))
        // Nothing that a decoder does takes a second; a fifo that blocks it takes for ever.
        .arg("-timeout=10")
        .arg("-print_final_stats=1")
        .arg(format!("-artifact_prefix={}/{target}-", artifacts.display()))
        .env("TMPDIR", scratch)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        eprint!("{}", noteworthy(&said));
        let artifact = after(&said, "Test unit written to ")
            .with_context(|| format!("{target} failed without an artifact: {}", output.status))?;
        return Ok(Some(format!("  {} {artifact}", program.display())));
    }
    let coverage = number(&said, "cov: ").unwrap_or(0);
    let executions = number(&said, "stat::number_of_executed_units: ").unwrap_or(0);
    ensure!(coverage > 0 && executions > 0, "{target} was built without coverage, or ran nothing:\n{said}");
    println!("{target}: {executions} executions in {seconds} s reached {coverage} edges");
    Ok(None)
}

/// All but libFuzzer's progress, a line for each new input.
fn noteworthy(said: &str) -> String {
    said.lines().filter(|line| !line.starts_with(['#', '\t'])).map(|line| format!("{line}\n")).collect()
}

/// The rest of the last line that holds `mark`.
fn after<'a>(said: &'a str, mark: &str) -> Option<&'a str> {
    said.lines().rev().find_map(|line| line.split_once(mark)).map(|(_, rest)| rest.trim())
}

fn number(said: &str, mark: &str) -> Option<u64> {
    after(said, mark)?.split_whitespace().next()?.parse().ok()
}
