//! What idle spares take.

use std::fs;

use crate::{Failure, Spare, Warm, guest_of};

/// Means over `count` spares that live at once, bytes: PSS of the reaper, PSS of the guest, what of both is shared
/// with nobody, and what the kernel charges to the cell's memory cgroup.
pub(crate) fn memory(warm: &mut Warm, count: u64) -> Result<[u64; 4], Failure> {
    let mut spares = Vec::new();
    for _ in 0..count {
        spares.push(warm.birth(&warm.program.clone())?.0);
    }
    let mut sums = [0; 4];
    for spare in &spares {
        for (sum, bytes) in sums.iter_mut().zip(of(spare)?) {
            *sum += bytes;
        }
    }
    Ok(sums.map(|sum| sum / count.max(1)))
}

fn of(spare: &Spare) -> Result<[u64; 4], Failure> {
    let guest = guest_of(spare.pid())?;
    let mut private = 0;
    let mut pss = [0; 2];
    for (pss, pid) in pss.iter_mut().zip([spare.pid(), guest]) {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        *pss = bytes(&rollup, "Pss:")?;
        private += bytes(&rollup, "Private_Clean:")? + bytes(&rollup, "Private_Dirty:")?;
    }
    Ok([pss[0], pss[1], private, charged(guest).unwrap_or(0)])
}

/// A line of proc_pid_smaps(5), which is in kilobytes of 1024.
fn bytes(rollup: &str, name: &str) -> Result<u64, Failure> {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name}"))?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
}

/// What the memory cgroup of a process holds, of either version, where they are usually mounted.
fn charged(pid: i32) -> Option<u64> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let file = groups.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        match controllers {
            "memory" => Some(format!("/sys/fs/cgroup/memory{path}/memory.usage_in_bytes")),
            "" => Some(format!("/sys/fs/cgroup{path}/memory.current")).filter(|file| fs::exists(file).unwrap_or(false)),
            _ => None,
        }
    })?;
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
