//! What the kernel says of the CPU time of processes (proc_pid_stat(5)).

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context;

/// CPU time so far, seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Times {
    /// The process's or the thread's name.
    pub(super) name: String,
    /// Its own; of a process, with that of threads that have ended.
    pub(super) own: f64,
    /// That of its children that ended and were waited for, and of theirs.
    pub(super) children: f64,
}

impl Times {
    fn of(stat: &str) -> anyhow::Result<Times> {
        // The name is in parentheses and may hold anything.
        let (head, tail) = stat.rsplit_once(')').context("a stat without a name")?;
        let name = head.split_once('(').map_or("?", |(_, name)| name).to_owned();
        let fields: Vec<&str> = tail.split_whitespace().collect();
        // In hundredths of a second; the field after the name is the third.
        let ticks = |field: usize| -> anyhow::Result<f64> {
            Ok(fields.get(field - 3).context("a stat that is cut short")?.parse::<f64>()? / 100.0)
        };
        Ok(Times { name, own: ticks(14)? + ticks(15)?, children: ticks(16)? + ticks(17)? })
    }

    /// Those of a process that lives.
    pub(super) fn of_process(pid: u32) -> anyhow::Result<Times> {
        Times::of(&fs::read_to_string(format!("/proc/{pid}/stat"))?)
    }
}

/// CPU time of a process so far, by the names of its threads that live, in seconds.
pub(super) fn cpu(pid: u32) -> anyhow::Result<BTreeMap<String, f64>> {
    let mut times = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread that has just ended is none of ours.
        let Ok(stat) = fs::read_to_string(task?.path().join("stat")) else { continue };
        let thread = Times::of(&stat)?;
        *times.entry(thread.name).or_default() += thread.own;
    }
    Ok(times)
}

/// CPU time of all CPUs so far, seconds (proc_stat(5)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Busy {
    /// In which they were not idle.
    pub(super) whole: f64,
    /// In which they ran the kernel: for whoever called it, or for nobody.
    pub(super) kernel: f64,
}

pub(super) fn busy() -> anyhow::Result<Busy> {
    let stat = fs::read_to_string("/proc/stat")?;
    busy_of(stat.lines().next().context("an empty stat")?)
}

fn busy_of(line: &str) -> anyhow::Result<Busy> {
    let fields: Vec<f64> = line.split_whitespace().skip(1).map(str::parse).collect::<Result<_, _>>()?;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user.
    let [user, nice, system, _, _, irq, softirq, ..] = fields[..] else { anyhow::bail!("{line:?} is no line of CPUs") };
    let kernel = (system + irq + softirq) / 100.0;
    Ok(Busy { whole: (user + nice) / 100.0 + kernel, kernel })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_moves_no_field() {
        let stat = "7 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 7 3 20 0 1 0 99";
        assert_eq!(Times::of(stat).unwrap(), Times { name: "a (b) c".into(), own: 2.0, children: 0.1 });
        assert!(Times::of("7 (x) S 1 2 3").is_err());
    }

    #[test]
    fn waiting_is_not_being_busy() {
        assert_eq!(busy_of("cpu  100 200 300 9999 9999 40 60 9999 0 0").unwrap(), Busy { whole: 7.0, kernel: 4.0 });
        assert!(busy_of("cpu0 1 2").is_err());
    }

    #[test]
    fn our_own_threads_used_some() {
        let spent: f64 = cpu(std::process::id()).unwrap().values().sum();
        let whole = Times::of_process(std::process::id()).unwrap();
        assert!(spent >= 0.0 && whole.own >= 0.0 && busy().unwrap().whole > 0.0);
    }
}
