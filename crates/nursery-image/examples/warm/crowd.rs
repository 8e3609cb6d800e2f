//! Many cells that live at once.

use std::fs;
use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use gambeson_sandbox::{Input, Sink, Streams};

use crate::{Failure, Warm, guest_of, hand_over, nanoseconds, succeeded};

/// It answers, and then lives until nobody writes to it any more.
const PROGRAM: &[u8] = b"import sys\nprint(1)\nsys.stdin.read()\n";

/// `count` cells: until all wait, until all answered, until all ended, until nothing of them and of the nursery is left (times
/// from the end of the stage before); memory of the machine that each took while it waited; then what is left after
/// half a minute: processes, cgroups, mounts.
pub(crate) fn crowd(mut warm: Warm, count: usize) -> Result<[u64; 8], Failure> {
    let mounts = mounts()?;
    let plan = warm.plan(PROGRAM)?;
    // What the first one finds cold is no part of the others' memory.
    drop(warm.nursery.birth(&plan)?);
    let available = available()?;

    let begun = Instant::now();
    let mut spares = Vec::new();
    for _ in 0..count {
        spares.push(warm.nursery.birth(&plan)?);
    }
    let born = begun.elapsed();
    let each = available.saturating_sub(self::available()?) / count.max(1) as u64;
    let mut pids = vec![warm.nursery.pid()];
    for spare in &spares {
        pids.extend([spare.pid(), guest_of(spare.pid())?]);
    }

    let begun = Instant::now();
    let mut cells = Vec::new();
    for spare in spares {
        let plan = warm.plan(PROGRAM)?;
        let (input, hold) = pipe()?;
        let (mut heard, output) = pipe()?;
        let thread = thread::Builder::new().stack_size(256 << 10).spawn(move || live(spare, plan, input, output))?;
        cells.push((thread, hold, move || -> Result<(), Failure> {
            let mut line = [0; 2];
            heard.read_exact(&mut line)?;
            if &line == b"1\n" { Ok(()) } else { Err("it answered something else".into()) }
        }));
    }
    for (_, _, hear) in &mut cells {
        hear()?;
    }
    let answered = begun.elapsed();

    let begun = Instant::now();
    // All at once, and then each is waited for; what has been heard is kept open until then.
    let (threads, rest): (Vec<_>, Vec<_>) =
        cells.into_iter().map(|(thread, hold, hear)| (thread, (hold, hear))).unzip();
    let ears: Vec<_> = rest.into_iter().map(|(hold, hear)| (drop(hold), hear)).collect();
    for thread in threads {
        thread.join().map_err(|_| "a cell's thread panicked")??;
    }
    let ended = begun.elapsed();
    drop(ears);

    let begun = Instant::now();
    drop(warm);
    let mut left = left(&pids, mounts)?;
    while left != [0; 3] && begun.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(2));
        left = self::left(&pids, mounts)?;
    }
    let cleared = begun.elapsed();
    let [processes, cgroups, mounts] = left;
    let [born, answered, ended, cleared] = [born, answered, ended, cleared].map(nanoseconds);
    Ok([born, answered, ended, cleared, each, processes, cgroups, mounts])
}

/// The life of one cell, on a thread of its own. An error is a text, since it crosses threads.
fn live(
    spare: gambeson_sandbox::Spare,
    plan: gambeson_sandbox::Plan,
    input: PipeReader,
    output: PipeWriter,
) -> Result<(), String> {
    let cell = hand_over(spare, plan).map_err(|error| error.to_string())?;
    let streams = Streams { stdin: Input::Fd(input.as_fd()), stdout: Sink::Fd(output.as_fd()), ..Streams::kept() };
    succeeded(&cell.wait(streams)).map_err(|error| error.to_string())
}

/// Of these processes those that live (a dead one that is yet to be waited for has nothing any more), our other
/// children, cgroups with our name, and mounts that were not there before.
fn left(pids: &[i32], mounts_before: u64) -> Result<[u64; 3], Failure> {
    let mut living: Vec<i32> = pids.iter().copied().filter(|pid| lives(*pid)).collect();
    for task in fs::read_dir("/proc/self/task")?.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        living.extend(children.filter(|pid| lives(*pid) && !pids.contains(pid)));
    }
    let ours = format!("gambeson-{}-", std::process::id());
    Ok([living.len() as u64, cgroups(Path::new("/sys/fs/cgroup"), &ours), mounts()?.saturating_sub(mounts_before)])
}

fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // proc_pid_stat(5): the state follows the name, which may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn cgroups(below: &Path, ours: &str) -> u64 {
    // One that vanishes while we look is none that is left.
    let directories = fs::read_dir(below).into_iter().flatten().flatten();
    directories
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| u64::from(entry.file_name().to_string_lossy().starts_with(ours)) + cgroups(&entry.path(), ours))
        .sum()
}

fn mounts() -> Result<u64, Failure> {
    Ok(fs::read_to_string("/proc/self/mountinfo")?.lines().count() as u64)
}

/// Memory that could still be given away, bytes (proc_meminfo(5)).
fn available() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).ok_or("no MemAvailable")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
}
