//! `cargo xtask bench warm`: jobs in warm cells beside bare `python3`, bubblewrap and firejail, each doing the same work.
//!
//! Everybody takes turns, so that what slows the machine for a while slows all of them, and rests between the turns, so
//! that nobody pays for what another left to do. Spares are made off the clock.

mod inside;
mod machine;
mod pour;
mod race;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::{cold, publish, said};
use inside::Inside;
use race::Work;

/// How much of everything.
struct Extent {
    /// Rounds with `print(1)`, and with pandas.
    rounds: usize,
    pandas_rounds: usize,
    /// Runs whose stages are told apart.
    stages: usize,
    /// Jobs as fast as they go: for so long at a time, so often, in turn with bare interpreters.
    pour: Duration,
    pours: usize,
    /// Idle spares whose memory is looked at.
    spares: u64,
    /// Cells at once.
    crowd: u64,
}

const FULL: Extent = Extent {
    rounds: 500,
    pandas_rounds: 100,
    stages: 200,
    pour: Duration::from_secs(5),
    pours: 4,
    spares: 16,
    crowd: 500,
};

const QUICK: Extent =
    Extent { rounds: 5, pandas_rounds: 3, stages: 5, pour: Duration::from_secs(1), pours: 2, spares: 4, crowd: 50 };

const PANDAS: &str = "\
import numpy, pandas
numbers = numpy.arange(1000)
frame = pandas.DataFrame({'kind': numbers % 7, 'value': numbers})
print(frame.groupby('kind')['value'].sum().sum())
";

/// `args`: `quick` for a few rounds of each, `pour` for the jobs a second alone; then nothing is published.
pub(crate) fn warm(args: &[String]) -> anyhow::Result<()> {
    let measure: fn() -> anyhow::Result<String> = match args {
        [] => || measure(&FULL),
        [word] if word == "quick" => || measure(&QUICK),
        [word] if word == "pour" => || pour(&FULL),
        _ => bail!("`bench warm` knows no words but `quick` and `pour`"),
    };
    if cfg!(debug_assertions) {
        // The client is measured along: it is to be as fast as the server.
        let packages = ["--package", "gambeson", "--package", "xtask", "--package", "gambeson-nursery-image"];
        let mut build = Command::new("cargo");
        build.args(["build", "--release", "--bins", "--example", "warm"]).args(packages);
        ensure!(build.status()?.success(), "the build failed");
        let error = Command::new("target/release/xtask").args(["bench", "warm"]).args(args).exec();
        return Err(error).context("target/release/xtask cannot be started");
    }
    let report = measure()?;
    print!("{report}");
    if args.is_empty() { publish("warm", &report) } else { Ok(()) }
}

/// Files that are gone when this is.
struct Programs(PathBuf);

impl Programs {
    /// In a directory that every contestant can see.
    fn new() -> anyhow::Result<Programs> {
        let directory = std::env::current_dir()?.join(format!("target/warm-programs-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        Ok(Programs(directory))
    }

    fn write(&self, directory: &str, source: &str) -> anyhow::Result<PathBuf> {
        let directory = self.0.join(directory);
        fs::create_dir_all(&directory)?;
        let path = directory.join("main.py");
        fs::write(&path, source)?;
        Ok(path)
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        // What is left lies below target/, where nothing is kept.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This one, and a distribution's, which starts sooner, so that what is ours shows more.
fn pythons(python: &str) -> Vec<&str> {
    let more = Some(cold::DEBIAN).filter(|debian| python != *debian && Path::new(debian).exists());
    [Some(python), more].into_iter().flatten().collect()
}

fn pour(extent: &Extent) -> anyhow::Result<String> {
    let binary = Path::new("target/release/gambeson").canonicalize()?;
    let programs = Programs::new()?;
    let hello = programs.write("print", "print(1)\n")?;
    let mut report = String::new();
    for python in pythons(&cold::python()?) {
        let work = Work { python, preload: &[], program: &hello, expected: "1\n" };
        report.push_str(&pour::measure(&binary, &work, extent.pour, extent.pours)?);
    }
    Ok(report)
}

fn measure(extent: &Extent) -> anyhow::Result<String> {
    let binary = Path::new("target/release/gambeson").canonicalize()?;
    let programs = Programs::new()?;
    let python = cold::python()?;
    let mut report = machine::about()?;
    let mut memory = String::new();

    let hello = programs.write("print", "print(1)\n")?;
    for python in pythons(&python) {
        let work = Work { python, preload: &[], program: &hello, expected: "1\n" };
        eprintln!("print(1) with {python}");
        report.push_str(&format!("\n`print(1)` with {python} ({}), ", said(python, &["--version"])?));
        let goals = ["p50 at most 0.25, p99 at most 1", "p50 at most 0.10"];
        report.push_str(&work.run(&binary, extent.rounds, extent.stages, goals)?);
        eprintln!("jobs a second with {python}");
        report.push_str(&pour::measure(&binary, &work, extent.pour, extent.pours)?);
        memory.push_str(&spares(&work, extent.spares, "plain", 4)?);
    }

    match venv(&python) {
        Ok(python) => {
            let program = programs.write("pandas", PANDAS)?;
            let work = Work { python: &python, preload: &["numpy", "pandas"], program: &program, expected: "499500\n" };
            eprintln!("numpy and pandas with {python}");
            report.push_str("\n`import numpy, pandas` and a small group-by, both imported ahead of need, ");
            report.push_str(&work.run(&binary, extent.pandas_rounds, extent.stages, ["p50 at most 0.04", ""])?);
            memory.push_str(&spares(&work, extent.spares, "numpy and pandas imported", 12)?);
        }
        Err(error) => report.push_str(&format!("\nNothing was measured with numpy and pandas: {error:#}.\n")),
    }

    report.push_str(&format!(
        "\nMemory of an idle spare, means over {} at once, MiB:\n\n\
         | spare | PSS: reaper and guest | shared with nobody | charged by the kernel | goal (PSS) |\n|---|---|---|---|---|\n\
         {memory}",
        extent.spares
    ));
    eprintln!("{} cells at once", extent.crowd);
    let work = Work { python: &python, preload: &[], program: &hello, expected: "1\n" };
    report.push_str(&crowd(&work, extent.crowd)?);
    Ok(report)
}

/// An interpreter with numpy and pandas, made once.
fn venv(python: &str) -> anyhow::Result<String> {
    let directory = std::env::current_dir()?.join("target/warm-venv");
    let inside = directory.join("bin/python").to_string_lossy().into_owned();
    let done = |program: &str, args: &[&str]| -> anyhow::Result<()> {
        let output = Command::new(program).args(args).output().with_context(|| format!("failed to start {program}"))?;
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.trim_end().rsplit('\n').next().unwrap_or_default().to_owned();
        ensure!(output.status.success(), "{program} {} failed: {last}", args.join(" "));
        Ok(())
    };
    let import = ["-I", "-c", "import numpy, pandas"];
    if done(&inside, &import).is_err() {
        eprintln!("making {}", directory.display());
        done(python, &["-m", "venv", "--clear", &directory.to_string_lossy()])?;
        done(&inside, &["-m", "pip", "install", "--quiet", "numpy", "pandas"])?;
        done(&inside, &import)?;
    }
    Ok(inside)
}

/// A row on the memory of idle spares.
fn spares(work: &Work<'_>, count: u64, name: &str, goal: u64) -> anyhow::Result<String> {
    let mut inside = Inside::start(work)?;
    let [reaper, guest, private, charged] = inside.ask(&format!("memory {count}"))?;
    Ok(memory_row(&format!("{name}, {}", work.python), reaper + guest, private, charged, goal))
}

fn memory_row(name: &str, pss: u64, private: u64, charged: u64, goal: u64) -> String {
    let mib = |bytes: u64| format!("{:.2}", bytes as f64 / f64::from(1 << 20));
    let charged = if charged == 0 { "?".into() } else { mib(charged) };
    format!("| {name} | **{}** | {} | {charged} | at most {goal} |\n", mib(pss), mib(private))
}

fn crowd(work: &Work<'_>, count: u64) -> anyhow::Result<String> {
    let mut inside = Inside::start(work)?;
    let [born, answered, ended, cleared, each, processes, cgroups, mounts] = inside.ask(&format!("crowd {count}"))?;
    let seconds = |nanoseconds: u64| format!("{:.2} s", Duration::from_nanos(nanoseconds).as_secs_f64());
    Ok(format!(
        "\n{count} live idle cells at once, with {}: all made in {}, all have answered {} later, all ended {} later, cleared away {} \
         after that. Memory of the machine for each: {:.1} MiB. Left: **{processes} processes, {cgroups} cgroups, {mounts} mounts**.\n",
        work.python,
        seconds(born),
        seconds(answered),
        seconds(ended),
        seconds(cleared),
        each as f64 / f64::from(1 << 20),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_said_in_mebibytes_and_what_is_not_known_is_not_zero() {
        assert_eq!(memory_row("a", 3 << 20, 1 << 19, 0, 4), "| a | **3.00** | 0.50 | ? | at most 4 |\n");
    }
}
