//! Where it was measured, and with whom.

use std::fs;
use std::process::Command;

use crate::bench::{cpus, said};

pub(super) fn about() -> anyhow::Result<String> {
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(format!(
        "On {} ({}, Linux {}), with a load of {} when it began; {}, {}.\n",
        said("date", &["-u", "+%F"])?,
        cpus()?,
        said("uname", &["-r"])?,
        load.split_whitespace().next().unwrap_or("?"),
        version("bwrap", "bubblewrap"),
        version("firejail", "firejail"),
    ))
}

/// The first line of what it says of itself, or how to get it.
fn version(program: &str, package: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let words = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    match words.lines().next() {
        Some(line) => line.trim().to_owned(),
        None => format!("no {package} (apt-get install {package})"),
    }
}
