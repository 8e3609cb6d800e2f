//! `cargo xtask bench ...`: measured, not promised.
//!
//! These machines are noisy: the contestants take turns, so that what slows the machine for a while slows all of them.
//! Each result goes between two marks of docs/benchmarks.md.

mod cold;
mod console;
mod followers;
mod processes;
mod queue;
mod vet;
mod warm;

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;

pub(crate) use cold::cold;
pub(crate) use console::console;
pub(crate) use followers::followers;
pub(crate) use queue::{metrics, queue};
pub(crate) use vet::vet;
pub(crate) use warm::warm;

fn median(times: &[Duration]) -> Duration {
    percentile(times, 50)
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// What a program says, on one line.
fn said(program: &str, args: &[&str]) -> anyhow::Result<String> {
    Ok(String::from_utf8_lossy(&Command::new(program).args(args).output()?.stdout).trim().to_owned())
}

/// How many CPUs of which model.
fn cpus() -> anyhow::Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, name)| name);
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    Ok(format!("{count} x {model}"))
}

/// Puts `report` between its marks in docs/benchmarks.md.
fn publish(name: &str, report: &str) -> anyhow::Result<()> {
    let path = "docs/benchmarks.md";
    let text = fs::read_to_string(path)?;
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let (Some(from), Some(to)) = (text.find(&begin).map(|at| at + begin.len()), text.find(&end)) else {
        bail!("{path} has no place for {name}");
    };
    fs::write(path, format!("{}{report}{}", &text[..from], &text[to..]))?;
    Ok(())
}
