//! `cargo xtask bench console`: how soon the web console is seen, how much of it is sent, and whether a long list scrolls. A
//! browser is driven by `web/tests/bench.mjs`, which measures; here is what becomes of it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::{cpus, median, ms, percentile, publish, said};

const JOBS: u32 = 100_000;
const VISITS: u32 = 21;

const USAGE: &str =
    "usage: cargo xtask bench console [debug [JOBS [VISITS]]]    (debug: what is built already; nothing is published)";

#[derive(Deserialize)]
struct Found {
    visits: u32,
    first: Vec<f64>,
    largest: Vec<f64>,
    scripts_all: u64,
    scripts_overview: u64,
    rows: u64,
    seconds: f64,
    elements: u64,
    opened: Tasks,
    loaded: Tasks,
    wheel: Tasks,
    bar: Tasks,
    faults: Vec<String>,
}

/// Those of the page's tasks that took more than 50 ms.
#[derive(Deserialize)]
struct Tasks {
    long: u32,
    longest: u32,
}

pub(crate) fn console(args: &[String]) -> Result<()> {
    let (debug, numbers) = match args {
        [first, rest @ ..] if first == "debug" => (true, rest),
        [] => (false, args),
        _ => bail!(USAGE),
    };
    let (jobs, visits): (u32, u32) = match numbers {
        [] => (JOBS, VISITS),
        [jobs] => (jobs.parse().context(USAGE)?, VISITS),
        [jobs, visits] => (jobs.parse().context(USAGE)?, visits.parse().context(USAGE)?),
        _ => bail!(USAGE),
    };
    let binary = if debug {
        "target/debug/gambeson"
    } else {
        // The console first: the server takes it in.
        crate::web::build()?;
        let built = Command::new("cargo").args(["build", "--release", "--package", "gambeson"]).status()?;
        ensure!(built.success(), "the build failed");
        "target/release/gambeson"
    };
    let binary = Path::new(binary).canonicalize().with_context(|| format!("{binary} is not there"))?;
    let output = Command::new("node")
        .args(["web/tests/bench.mjs", &jobs.to_string(), &visits.to_string()])
        .env("GAMBESON_BINARY", &binary)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("node cannot be started")?;
    ensure!(output.status.success(), "the measurement failed: {}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let found: Found =
        serde_json::from_str(text.lines().last().unwrap_or_default()).context("it says what it found")?;
    ensure!(found.faults.is_empty(), "the console complained: {}", found.faults.join("\n"));
    let report = report(&found)?;
    print!("{report}");
    if debug { Ok(()) } else { publish("console", &report) }
}

fn report(found: &Found) -> Result<String> {
    let times = |values: &[f64]| values.iter().map(|value| Duration::from_secs_f64(value / 1000.0)).collect::<Vec<_>>();
    let row = |name: &str, values: &[f64]| {
        let times = times(values);
        format!(
            "| {name} | {} | {} | {} |\n",
            ms(median(&times)),
            ms(percentile(&times, 90)),
            ms(percentile(&times, 100))
        )
    };
    let mut report = format!(
        "On {} ({}), {}: the overview of a server that runs, {} times with nothing in the cache, over loopback.\n\n",
        said("date", &["+%Y-%m-%d"])?,
        cpus()?,
        said("chromium", &["--version"])?,
        found.visits
    );
    report.push_str("| | median | 90 % within | worst |\n|---|---|---|---|\n");
    report.push_str(&row("first contentful paint", &found.first));
    report.push_str(&row("largest contentful paint", &found.largest));
    writeln!(
        report,
        "\nJavaScript, gzipped: {:.1} kB for the overview, {:.1} kB in all.\n",
        found.scripts_overview as f64 / 1000.0,
        found.scripts_all as f64 / 1000.0
    )?;
    writeln!(
        report,
        "A list of {} jobs, {} elements in the page; all of it was loaded in {:.0} s of going to its end again and again.\n",
        found.rows, found.elements, found.seconds
    )?;
    report.push_str("| | tasks over 50 ms | the longest |\n|---|---|---|\n");
    let all = [
        ("the page is opened", &found.opened),
        ("all is loaded", &found.loaded),
        ("1000 turns of the wheel", &found.wheel),
        ("1000 places by the bar", &found.bar),
    ];
    for (name, tasks) in all {
        let longest = if tasks.long == 0 { "–".to_owned() } else { format!("{} ms", tasks.longest) };
        writeln!(report, "| {name} | {} | {longest} |", tasks.long)?;
    }
    Ok(report)
}
