//! `cargo xtask bench queue`: submissions, leases and expected starts over HTTP, with queues of several lengths.
//!
//! One server for each length, all at once; they take turns with each job, so that a ratio compares the same moments.
//! A simulated worker asks for leases and settles them without running anything.

mod pour;
mod scrape;
mod side;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use gambeson_api::{Time, Waiting};

use super::{cpus, percentile, publish, said};
use side::Side;

/// Queued jobs of each server; the first is what the others are compared to.
const LENGTHS: [u32; 3] = [0, 100_000, 1_000_000];
/// Jobs that go through each server: submitted, leased, settled.
const ROUNDS: usize = 2_000;
/// Rounds before that, which do not count.
const WARM_UP: usize = 100;
/// How often an expected start is asked for, at each place.
const QUESTIONS: usize = 100;

/// `args`: lengths to measure instead of [`LENGTHS`], or `pour` alone; then nothing is published.
pub(crate) fn queue(args: &[String]) -> anyhow::Result<()> {
    let binary = released("queue", args)?;
    if args == ["pour"] {
        print!("{}", pour::measure(&binary)?);
        return Ok(());
    }
    let lengths: Vec<u32> = args.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let here = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = machine()?;
    report.push_str(&here.block_on(races(&binary, if lengths.is_empty() { &LENGTHS } else { &lengths }))?);
    report.push_str(&pour::measure(&binary)?);
    print!("{report}");
    if lengths.is_empty() { publish("queue", &report) } else { Ok(()) }
}

/// `cargo xtask bench metrics`: what a scrape costs. `args`: lengths to measure instead; then nothing is published.
pub(crate) fn metrics(args: &[String]) -> anyhow::Result<()> {
    let binary = released("metrics", args)?;
    let lengths: Vec<u32> = args.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let here = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = machine()?;
    report
        .push_str(&here.block_on(scrape::measure(&binary, if lengths.is_empty() { &[0, 100_000] } else { &lengths }))?);
    print!("{report}");
    if lengths.is_empty() { publish("metrics", &report) } else { Ok(()) }
}

/// The released binary. From a debug build goes on as the released xtask: the client is measured along, and is to be as
/// fast as the server.
fn released(bench: &str, args: &[String]) -> anyhow::Result<PathBuf> {
    if cfg!(debug_assertions) {
        let build = ["build", "--release", "--package", "gambeson", "--package", "xtask"];
        ensure!(Command::new("cargo").args(build).status()?.success(), "the build failed");
        let error = Command::new("target/release/xtask").args(["bench", bench]).args(args).exec();
        return Err(error).context("target/release/xtask cannot be started");
    }
    Ok(Path::new("target/release/gambeson").canonicalize()?)
}

/// Where and when, and how busy it was.
fn machine() -> anyhow::Result<String> {
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split_whitespace().next().unwrap_or("?");
    let (day, kernel) = (said("date", &["-u", "+%F"])?, said("uname", &["-r"])?);
    Ok(format!("On {day} ({}, Linux {kernel}), with a load of {load} when it began.\n", cpus()?))
}

/// What was measured of one server.
#[derive(Default)]
struct Times {
    submit: Vec<Duration>,
    lease: Vec<Duration>,
    settle: Vec<Duration>,
    /// Of jobs in the middle of their users' arrays, and of those at the end: how long the answer took.
    expected: [Vec<Duration>; 2],
    /// And what it was.
    told: [Vec<Waiting>; 2],
    /// CPU time that the server used for all of them, seconds.
    cpu: f64,
}

/// All lengths in turn.
async fn races(binary: &Path, lengths: &[u32]) -> anyhow::Result<String> {
    let mut sides = Vec::new();
    let mut filling = String::new();
    for &length in lengths {
        let begun = Instant::now();
        let side = Side::start(binary, length).await?;
        let took = begun.elapsed();
        eprintln!("{length} jobs queued after {:.1} s", took.as_secs_f64());
        if length > 0 {
            filling.push_str(&format!(" {} in {:.1} s.", thousands(length), took.as_secs_f64()));
        }
        sides.push((side, Times::default()));
    }
    for round in 0..WARM_UP + ROUNDS {
        let count = sides.len();
        for place in 0..count {
            // Nobody always comes after the same one.
            let (side, times) = &mut sides[(round + place) % count];
            let [submit, lease, settle] = side.round(round).await?;
            if round >= WARM_UP {
                times.submit.push(submit);
                times.lease.push(lease);
                times.settle.push(settle);
            }
        }
    }
    for question in 0..QUESTIONS {
        for (side, times) in sides.iter_mut().filter(|(side, _)| side.length > 0) {
            let before = side.cpu()?;
            for part in [0, 1] {
                let (took, told) = side.expected(question, part).await?;
                times.expected[part].push(took);
                times.told[part].push(told);
            }
            times.cpu += side.cpu()? - before;
        }
    }
    let mut report = latencies(&sides);
    report.push_str(&format!(
        "\nFilled by arrays of {} users, through the API:{filling}\n\n\
         | queued | expected start, middle | expected start, end | CPU time of such an answer | memory of the server | \
         start of the server |\n|---|---|---|---|---|---|\n",
        side::USERS
    ));
    let mut said = String::new();
    for (mut side, mut times) in sides {
        for told in &mut times.told {
            told.sort_by_key(|told| told.position);
        }
        let expected = |part: usize| match times.expected[part].len() {
            0 => "".to_owned(),
            _ => format!("{} / {}", micros(&times.expected[part], 50), micros(&times.expected[part], 99)),
        };
        let resident = side.resident()?;
        for (name, told) in ["middle", "end"].into_iter().zip(&times.told).filter(|(_, told)| !told.is_empty()) {
            said.push_str(&format!("- {} queued, {name}: {}\n", thousands(side.length), spread(told)));
        }
        let length = side.length;
        let start = side.restart();
        report.push_str(&format!(
            "| {} | {} | {} | {} | {:.0} MB | {:.2} s |\n",
            thousands(length),
            expected(0),
            expected(1),
            if length > 0 { format!("{:.1} ms", times.cpu * 1000.0 / (2 * QUESTIONS) as f64) } else { String::new() },
            resident as f64 / 1e6,
            start.as_secs_f64()
        ));
    }
    if !said.is_empty() {
        report.push_str(&format!(
            "\nWhat was said to {QUESTIONS} users (jobs run for some milliseconds here; of whom none has run yet, a tenth of \
             the limit is guessed):\n\n{said}"
        ));
    }
    Ok(report)
}

/// What was said, sorted: the extremes and the middle.
fn spread(told: &[Waiting]) -> String {
    let words = |told: &Waiting| {
        let now = Time::now().0;
        let start =
            told.expected_start_p50.map_or("never".into(), |at| format!("in {} s", at.0.saturating_sub(now) / 1000));
        format!("{} before it, starts {start}", told.position.map_or_else(|| "?".into(), |before| before.to_string()))
    };
    let [first, .., last] = told else { return String::new() };
    format!("least: {}; median: {}; most: {}", words(first), words(&told[told.len() / 2]), words(last))
}

fn latencies(sides: &[(Side, Times)]) -> String {
    let mut report = format!(
        "\nOne client, {ROUNDS} jobs through each server in turn; median / 99th percentile, and the latter to the \
         first row's (goal: at most 1.5):\n\n\
         | queued | submit | | lease | | settle | |\n|---|---|---|---|---|---|---|\n"
    );
    for (side, times) in sides {
        let mut row = format!("| {} |", thousands(side.length));
        for (mine, first) in [
            (&times.submit, &sides[0].1.submit),
            (&times.lease, &sides[0].1.lease),
            (&times.settle, &sides[0].1.settle),
        ] {
            let ratio = percentile(mine, 99).as_secs_f64() / percentile(first, 99).as_secs_f64();
            row.push_str(&format!(" {} / {} | **{ratio:.2}** |", micros(mine, 50), micros(mine, 99)));
        }
        report.push_str(&row);
        report.push('\n');
    }
    report
}

fn micros(times: &[Duration], percent: usize) -> String {
    format!("{:.2} ms", percentile(times, percent).as_secs_f64() * 1000.0)
}

fn thousands(number: u32) -> String {
    match number {
        0..1000 => number.to_string(),
        1000..1_000_000 => format!("{},{:03}", number / 1000, number % 1000),
        _ => format!("{},{:03},{:03}", number / 1_000_000, number / 1000 % 1000, number % 1000),
    }
}
