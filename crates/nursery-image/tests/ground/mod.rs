//! What the tests of warm cells stand on: interpreters, nurseries, the same program run both ways, and what is left
//! behind.
//!
//! A warm program is never handed to a cell that was born for it: the cell is born for another of the same lengths,
//! as a spare is.

#![allow(dead_code, reason = "each test target uses its own part")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use gambeson_sandbox::{
    Cell, End, Ended, Environment, Host, Input, Limits, Network, Nursery, NurseryError, Plan, Spare, Spec, Staged,
    Streams, Terminal, Wanted, launch, plan,
};

/// All user ids of cells lie above it (`step.rs`).
pub const FIRST_ID: u32 = 0x6000_0000;

/// The host, or `None` with the reason on standard error.
pub fn host() -> Option<&'static Host> {
    static HOST: OnceLock<Host> = OnceLock::new();
    let host = HOST.get_or_init(Host::probe);
    let why = if host.authority != gambeson_sandbox::Authority::Root {
        "a nursery needs root".to_owned()
    } else if host.selinux.is_some() {
        "SELinux is in force".to_owned()
    } else {
        let lacking = host.missing.iter().find(|missing| !missing.layer.is_extra());
        match lacking {
            Some(missing) => format!("{}: {}", missing.layer, missing.why),
            None => return Some(host),
        }
    };
    eprintln!("skipped: {why}");
    None
}

/// What is older than we support, and on this machine.
const OLD: [&str; 5] = ["2.", "3.5.", "3.6.", "3.7.", "3.8."];

/// Debian's interpreter, that of `python3`, and what pyenv has beside; `GAMBESON_TEST_PYTHON` names one instead.
pub fn pythons() -> Vec<Environment> {
    let mut names: Vec<PathBuf> = match std::env::var_os("GAMBESON_TEST_PYTHON") {
        Some(name) => vec![name.into()],
        None => vec!["/usr/bin/python3".into(), "python3".into()],
    };
    if names.len() > 1 {
        let versions = fs::read_dir("/root/.pyenv/versions").into_iter().flatten().flatten();
        names.extend(versions.map(|version| version.path().join("bin/python3")));
    }
    let mut found: Vec<Environment> = Vec::new();
    for name in names {
        match Environment::discover(&name) {
            Ok(one) if OLD.iter().any(|old| one.version.starts_with(old)) => {}
            Ok(one) if found.iter().all(|other| other.executable != one.executable) => found.push(one),
            Ok(_) => {}
            Err(why) => eprintln!("skipped: {why}"),
        }
    }
    assert!(!found.is_empty(), "there is no interpreter at all");
    found
}

/// The first of them.
pub fn python() -> Environment {
    let name = std::env::var_os("GAMBESON_TEST_PYTHON").unwrap_or_else(|| "/usr/bin/python3".into());
    Environment::discover(Path::new(&name)).unwrap()
}

/// One with numpy and pandas, from PyPI; made once. `None` with the reason on standard error.
pub fn python_with_pandas() -> Option<Environment> {
    static MADE: OnceLock<Result<Environment, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/warm-venv");
        let python = place.join("bin/python3");
        let succeeds = |command: &mut std::process::Command| command.output().is_ok_and(|done| done.status.success());
        let imports = || succeeds(std::process::Command::new(&python).args(["-I", "-c", "import pandas"]));
        let make = || {
            succeeds(std::process::Command::new("python3").args(["-m", "venv"]).arg(&place))
                && succeeds(std::process::Command::new(&python).args(["-m", "pip", "install", "-q", "numpy", "pandas"]))
        };
        if imports() || (make() && imports()) {
            Environment::discover(&python).map_err(|error| error.to_string())
        } else {
            Err("numpy and pandas could not be had from PyPI".to_owned())
        }
    });
    made.as_ref().map_err(|why| eprintln!("skipped: {why}")).ok().cloned()
}

pub fn nursery(environment: &Environment, preload: &[&str]) -> Nursery {
    try_nursery(environment, preload).unwrap_or_else(|error| panic!("{}: {error}", environment.executable.display()))
}

pub fn try_nursery(environment: &Environment, preload: &[&str]) -> Result<Nursery, NurseryError> {
    let preload: Vec<String> = preload.iter().map(|name| (*name).to_owned()).collect();
    let wanted = Wanted {
        environment,
        preload: &preload,
        env: &[],
        accept_missing: &[],
        library: gambeson_nursery_image::LIBRARY,
    };
    Nursery::start(&wanted, host().expect("checked by the test"))
}

/// A program of one file, with limits that it does not reach.
pub fn spec(environment: &Environment, source: &str) -> Spec {
    Spec {
        environment: environment.clone(),
        args: vec!["main.py".into()],
        env: Vec::new(),
        files: vec![file("main.py", source)],
        limits: Limits::default(),
        network: Network::None,
        terminal: Terminal::None,
        accept_missing: Vec::new(),
    }
}

pub fn file(path: &str, contents: impl AsRef<[u8]>) -> Staged {
    Staged::File { path: path.into(), executable: false, contents: contents.as_ref().to_vec() }
}

pub fn planned(spec: &Spec) -> Plan {
    plan(spec, host().expect("checked by the test")).unwrap()
}

/// What a spare for this program is born for: as long, and nothing of it.
pub fn stranger(spec: &Spec) -> Spec {
    let length = spec.args.iter().map(|arg| arg.len() + 1).sum::<usize>() - 1;
    let env = spec.env.iter().map(|(name, value)| (name.clone(), "_".repeat(value.len()).into()));
    Spec {
        environment: spec.environment.clone(),
        args: vec!["_".repeat(length).into()],
        env: env.collect(),
        files: Vec::new(),
        limits: spec.limits.clone(),
        network: spec.network,
        terminal: spec.terminal,
        accept_missing: spec.accept_missing.clone(),
    }
}

pub fn spare(nursery: &mut Nursery, spec: &Spec) -> Spare {
    nursery.birth(&planned(&stranger(spec))).unwrap_or_else(|error| panic!("{error}"))
}

pub fn start_warm(nursery: &mut Nursery, spec: &Spec) -> Cell {
    spare(nursery, spec).run(planned(spec)).map_err(|back| back.why).unwrap()
}

pub fn start_cold(spec: &Spec) -> Cell {
    launch(planned(spec), host().expect("checked by the test")).unwrap()
}

pub fn warm(nursery: &mut Nursery, spec: &Spec, stdin: &[u8]) -> Ended {
    finish(start_warm(nursery, spec), stdin)
}

pub fn cold(spec: &Spec, stdin: &[u8]) -> Ended {
    finish(start_cold(spec), stdin)
}

/// Gives a cell its input, and waits for its end.
pub fn finish(cell: Cell, stdin: &[u8]) -> Ended {
    let (from, to) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || fs::File::from(to).write_all(stdin));
        cell.wait(Streams { stdin: Input::Fd(from.as_fd()), ..Streams::kept() })
    })
}

/// How a run ended and what it said, as one text.
pub fn told(ended: &Ended) -> String {
    format!(
        "{:?}\n--- out\n{}--- err\n{}",
        ended.exit.end,
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    )
}

/// Standard output of a program that ended well.
pub fn output(ended: &Ended) -> String {
    assert_eq!(ended.exit.end, End::Exited(0), "{}", told(ended));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

/// The first line that differs.
pub fn difference(cold: &str, warm: &str) -> Option<String> {
    if cold == warm {
        return None;
    }
    let (mut left, mut right) = (cold.lines(), warm.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Some("they differ in how their lines end".into()),
            (one, other) if one == other => {}
            (one, other) => {
                let end = "(nothing more)";
                return Some(format!("cold: {}\n      warm: {}", one.unwrap_or(end), other.unwrap_or(end)));
            }
        }
    }
}

/// The process of the program in a cell.
pub fn guest(cell: i32) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{cell}/task/{cell}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

pub fn kill(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Waits for what no event tells.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "it never became true that {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The cgroups that process `pid` made and that are there, in all hierarchies.
pub fn cgroups_of(pid: u32) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mark = format!("gambeson-{pid}-");
    let mut directories = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().as_bytes().starts_with(mark.as_bytes()) {
                    found.insert(entry.path());
                }
                directories.push(entry.path());
            }
        }
    }
    found
}

/// Our children that live: janitors, nurseries, cells.
pub fn children_of(pid: u32) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|word| word.parse::<i32>().ok()).filter(|pid| lives(*pid)));
    }
    found
}

/// Whether a process is there, and not only its status.
pub fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Living processes of the user that a cell's first process stands for.
pub fn processes_of_cell(cell: i32) -> Vec<PathBuf> {
    let owner = format!("\nUid:\t{}\t", FIRST_ID + cell.unsigned_abs());
    let theirs = |status: String| status.contains(&owner) && !status.contains("\nState:\tZ");
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    pids.filter(|pid| fs::read_to_string(pid.join("status")).is_ok_and(theirs)).collect()
}

pub fn mounts() -> BTreeSet<String> {
    fs::read_to_string("/proc/self/mountinfo").unwrap_or_default().lines().map(String::from).collect()
}

pub fn os(text: &str) -> OsString {
    text.into()
}
