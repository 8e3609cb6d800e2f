//! `cargo xtask bench cold`: gambeson beside its peers, each pair in one run, as ratios.
//!
//! What is compared are medians, of times and of the ratios of pairs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::{cpus, median, ms, percentile, publish, said};

const START_RUNS: usize = 101;
pub(super) const DEBIAN: &str = "/usr/bin/python3";
const PROGRAM_RUNS: usize = 11;
const PROGRAMS: [&str; 5] = ["nbody", "richards", "json_roundtrip", "regex", "float"];

/// Somebody who runs a program: a name and a command line.
pub(super) struct Contestant {
    name: String,
    command: Vec<String>,
    directory: Option<PathBuf>,
}

pub(crate) fn cold() -> anyhow::Result<()> {
    ensure!(Command::new("cargo").args(["build", "--release"]).status()?.success(), "the build failed");
    let python = python()?;
    let mut report = machine(&python)?;

    let hello = std::env::temp_dir().join("gambeson-bench-print.py");
    fs::write(&hello, "print(1)\n")?;
    report.push_str(&starts(&python, &hello)?);
    // A distribution's interpreter starts sooner, so that the cell's own cost shows more.
    if python != DEBIAN && Path::new(DEBIAN).exists() {
        report.push_str(&starts(DEBIAN, &hello)?);
    }
    report.push_str(&format!(
        "\nWhole programs, {PROGRAM_RUNS} runs of each in turn:\n\n\
         | program | outside | inside | ratio | goal |\n|---|---|---|---|---|\n"
    ));
    // The same file system as a cell's /work: a disk outside would flatter us.
    let tmpfs = PathBuf::from("/dev/shm").join(format!("gambeson-bench-{}", std::process::id()));
    fs::create_dir_all(&tmpfs)?;
    let mut measured = || -> anyhow::Result<()> {
        for (name, goal) in PROGRAMS.iter().map(|name| (*name, 1.02)).chain([("files", 1.15)]) {
            let path = Path::new("bench/programs").join(name).with_extension("py").canonicalize()?;
            let mut outside = Contestant::new(name, &[&python, "-I", &path.to_string_lossy()]);
            outside.directory = Some(tmpfs.clone());
            let limits = ["wall=120s", "cpu=120s", "cpus=2", "files=65536"];
            let inside = self::gambeson(&python, &limits, &path);
            let times = race(&[&outside, &inside], PROGRAM_RUNS, "checksum")?;
            report.push_str(&format!(
                "| {name} | {} | {} | **{:.3}** | at most {goal} |\n",
                ms(median(&times[0])),
                ms(median(&times[1])),
                ratio(&times[1], &times[0])
            ));
        }
        Ok(())
    };
    let result = measured();
    fs::remove_dir_all(&tmpfs)?;
    fs::remove_file(&hello)?;
    result?;
    print!("{report}");
    publish("cold", &report)
}

/// Start, run and end of the smallest program: everybody in turn.
fn starts(python: &str, hello: &Path) -> anyhow::Result<String> {
    let bare = Contestant::new("bare python3 -I", &[python, "-I", "-c", "print(1)"]);
    let times = race(&[&bare, &gambeson(python, &[], hello), &bubblewrap(python, hello)?], START_RUNS, "1\n")?;
    let [bare, ours, theirs] = &times[..] else { bail!("there are three") };
    let row = |name: &str, times: &[Duration], goal: &str| {
        format!(
            "| {name} | {} | {} | {:.2} | {goal} |\n",
            ms(median(times)),
            ms(percentile(times, 90)),
            ratio(times, bare)
        )
    };
    Ok(format!(
        "\nStart, run and end of `print(1)` with {python}, {START_RUNS} runs of each in turn:\n\n\
         | | median | 90th percentile | to bare | goal |\n|---|---|---|---|---|\n{}{}{}\n\
         gambeson to bare: **{:.2}**; to bubblewrap: **{:.2}** (goal: at most 0.9).\n",
        row("bare `python3 -I -c 'print(1)'`", bare, ""),
        row("`gambeson run`", ours, "at most 1.25"),
        row("bubblewrap, the same mounts and namespaces", theirs, ""),
        ratio(ours, bare),
        ratio(ours, theirs),
    ))
}

/// The interpreter that everybody runs: a path, so that no shim is timed.
pub(super) fn python() -> anyhow::Result<String> {
    let name = std::env::var("GAMBESON_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(&name).args(["-I", "-c", "import sys; print(sys.executable)"]).output()?;
    ensure!(output.status.success(), "{name} does not run");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn gambeson(python: &str, limits: &[&str], file: &Path) -> Contestant {
    let mut command = vec!["target/release/gambeson", "run", "--start", "cold", "--python", python];
    for limit in limits {
        command.extend(["--limit", limit]);
    }
    let file = file.to_string_lossy();
    command.push(&file);
    Contestant::new("gambeson run", &command)
}

/// The same view of the host, read from our own plan, and the same namespaces.
pub(super) fn bubblewrap(python: &str, file: &Path) -> anyhow::Result<Contestant> {
    if Command::new("bwrap").arg("--version").stdout(Stdio::null()).status().is_err() {
        bail!("bubblewrap is not here; apt-get install bubblewrap");
    }
    let plan =
        Command::new("target/release/gambeson").args(["run", "--plan", "--python", python]).arg(file).output()?;
    let plan = String::from_utf8(plan.stdout)?;
    let mut command: Vec<String> = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--cap-drop",
        "ALL",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--hostname",
        "cell",
    ]
    .map(str::to_owned)
    .into();
    // First, so that what is shown below /tmp is not hidden by it.
    command.extend(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/work"].map(str::to_owned));
    for line in plan.lines() {
        let said = line.get(23..).unwrap_or("");
        if let Some((path, _)) = said.strip_prefix("show ").and_then(|rest| rest.split_once(", read-only")) {
            command.extend(["--ro-bind", path, path].map(str::to_owned));
        } else if let Some((link, target)) = said.strip_prefix("link ").and_then(|rest| rest.split_once(" -> "))
            && !link.starts_with("/dev/")
        {
            command.extend(["--symlink", target, link].map(str::to_owned));
        }
    }
    ensure!(command.iter().any(|word| word == "--ro-bind"), "the plan shows nothing:\n{plan}");
    let file = file.to_string_lossy();
    command.extend(["--ro-bind", &file, "/work/main.py", "--chdir", "/work", "--clearenv"].map(str::to_owned));
    command.extend(["--new-session", "--die-with-parent", python, "main.py"].map(str::to_owned));
    Ok(Contestant { name: "bubblewrap".into(), command, directory: None })
}

impl Contestant {
    pub(super) fn new(name: &str, command: &[&str]) -> Contestant {
        Contestant {
            name: name.into(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            directory: None,
        }
    }

    pub(super) fn time(&self, expected: &str) -> anyhow::Result<Duration> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).stdin(Stdio::null());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let start = Instant::now();
        let output = command.output().with_context(|| format!("failed to start {}", self.name))?;
        let took = start.elapsed();
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success() && said.contains(expected),
            "{} did other work: {}{said}{}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(took)
    }
}

/// Everybody in turn, `runs` times, after a few that do not count.
fn race(contestants: &[&Contestant], runs: usize, expected: &str) -> anyhow::Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::with_capacity(runs); contestants.len()];
    for run in 0..runs + 2 {
        for (contestant, times) in contestants.iter().zip(&mut times) {
            let took = contestant.time(expected)?;
            if run >= 2 {
                times.push(took);
            }
        }
    }
    Ok(times)
}

/// The median of the ratios of runs that came one after the other: what slows the machine for a while slows both.
pub(super) fn ratio(ones: &[Duration], others: &[Duration]) -> f64 {
    let mut ratios: Vec<f64> =
        ones.iter().zip(others).map(|(one, other)| one.as_secs_f64() / other.as_secs_f64()).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn machine(python: &str) -> anyhow::Result<String> {
    Ok(format!(
        "On {} ({}, Linux {}), {}, with {python} ({}).\n",
        said("date", &["-u", "+%F"])?,
        cpus()?,
        said("uname", &["-r"])?,
        said("bwrap", &["--version"])?,
        said(python, &["--version"])?,
    ))
}
