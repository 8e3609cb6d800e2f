//! Where it was measured, and with whom.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bench::{cpus, median, said};

pub(super) fn about() -> anyhow::Result<String> {
    let load = fs::read_to_string("/proc/loadavg")?;
    let durable = durable()?;
    Ok(format!(
        "On {} ({}, Linux {}), with a load of {} when it began; {}, {}. To make 64 KiB durable takes {:.2} ms here (median \
         of a write and an fsync over what was written before); a job waits for three of these, one after the other.\n",
        said("date", &["-u", "+%F"])?,
        cpus()?,
        said("uname", &["-r"])?,
        load.split_whitespace().next().unwrap_or("?"),
        version("bwrap", "bubblewrap"),
        version("firejail", "firejail"),
        durable.as_secs_f64() * 1000.0,
    ))
}

/// What the disk takes of each commit, where the platform's data is.
fn durable() -> anyhow::Result<Duration> {
    let path = std::env::temp_dir().join(format!("gambeson-bench-{}", std::process::id()));
    let file = File::create(&path)?;
    fs::remove_file(&path)?;
    let block = vec![1; 64 << 10];
    let write = || -> std::io::Result<Duration> {
        let begun = Instant::now();
        file.write_all_at(&block, 0)?;
        file.sync_all()?;
        Ok(begun.elapsed())
    };
    write()?;
    let times: Vec<Duration> = (0..50).map(|_| write()).collect::<Result<_, _>>()?;
    Ok(median(&times))
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
