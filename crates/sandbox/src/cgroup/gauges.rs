//! What the kernel counts of a cell, to be read again and again: each file is opened once, and a reading is one system call.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

use super::{Group, Version, field};
use crate::limits::Bytes;

/// More than any of the files has, but `io.stat` on a host with a hundred disks.
const READ_MOST: usize = 8 << 10;

/// The files of a cell's cgroups; what the host does not count has none.
#[derive(Debug)]
pub(crate) struct Gauges {
    cpu: Option<OwnedFd>,
    memory: Option<Memory>,
    pids: Option<OwnedFd>,
    io: Option<OwnedFd>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Memory {
    now: OwnedFd,
    stat: Option<OwnedFd>,
    version: Version,
}

impl Gauges {
    /// Those of `group`.
    pub(crate) fn open(group: &Group) -> Gauges {
        let unified = group.unified.as_deref();
        let memory = group.memory.as_ref().and_then(|(dir, version)| {
            let now = open(dir, version.memory_now())?;
            Some(Memory { now, stat: open(dir, "memory.stat"), version: *version })
        });
        Gauges {
            cpu: unified.and_then(|dir| open(dir, "cpu.stat")),
            memory,
            pids: group.pids.as_deref().and_then(|dir| open(dir, "pids.current")),
            // There where the controller is on for cells. That of version 1 is a hierarchy of its own, and to join one more
            // would cost every cell at its birth.
            io: unified.and_then(|dir| open(dir, "io.stat")),
            buffer: vec![0; READ_MOST],
        }
    }

    /// CPU time that the cell used.
    pub(crate) fn cpu_time(&mut self) -> Option<Duration> {
        let text = read(self.cpu.as_ref()?, &mut self.buffer)?;
        field(text, "usage_usec").map(Duration::from_micros)
    }

    /// The memory that the kernel cannot take back without a loss: what is kept of files counts for whoever read them first.
    /// Files in memory, as those of the scratch space are, do count.
    pub(crate) fn memory(&mut self) -> Option<Bytes> {
        let Memory { now, stat, version } = self.memory.as_ref()?;
        let used = read(now, &mut self.buffer)?.trim().parse::<u64>().ok()?;
        let kept = stat.as_ref().and_then(|stat| read(stat, &mut self.buffer)).map_or(0, |text| kept(text, *version));
        Some(Bytes(used.saturating_sub(kept)))
    }

    /// Processes and threads, the reaper not counted.
    pub(crate) fn pids(&mut self) -> Option<u64> {
        let text = read(self.pids.as_ref()?, &mut self.buffer)?;
        text.trim().parse::<u64>().ok().map(|count| count.saturating_sub(1))
    }

    /// Bytes read from block devices, and written to them.
    pub(crate) fn io(&mut self) -> Option<(Bytes, Bytes)> {
        read(self.io.as_ref()?, &mut self.buffer).map(moved)
    }
}

/// Bytes of files on disks that memory is used for.
fn kept(stat: &str, version: Version) -> u64 {
    let all = match version {
        Version::One => "cache",
        Version::Two => "file",
    };
    field(stat, all).unwrap_or(0).saturating_sub(field(stat, "shmem").unwrap_or(0))
}

/// The sums over all devices of `io.stat`: lines of `MAJOR:MINOR rbytes=N wbytes=N …`.
fn moved(stat: &str) -> (Bytes, Bytes) {
    let sum = |key: &str| {
        let counts = stat.split_whitespace().filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok());
        Bytes(counts.fold(0, u64::saturating_add))
    };
    (sum("rbytes="), sum("wbytes="))
}

fn open(dir: &Path, file: &str) -> Option<OwnedFd> {
    rustix::fs::open(dir.join(file), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// What the file says now: the kernel makes it anew for whoever reads it from the beginning.
fn read<'a>(file: &OwnedFd, buffer: &'a mut [u8]) -> Option<&'a str> {
    let count = rustix::io::pread(file, &mut *buffer, 0).ok()?;
    str::from_utf8(&buffer[..count]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_files_on_disks_is_told_from_what_lies_in_memory_alone() {
        assert_eq!(kept("anon 1000\nfile 700\nkernel 5\nshmem 200\nfile_mapped 3\n", Version::Two), 500);
        assert_eq!(kept("cache 700\nrss 1000\nshmem 200\nmapped_file 3\ntotal_cache 9\n", Version::One), 500);
        assert_eq!(kept("", Version::Two), 0);
    }

    #[test]
    fn all_devices_count() {
        let stat =
            "254:0 rbytes=4096 wbytes=10 rios=1 wios=2 dbytes=7 dios=0\n8:16 rbytes=1 wbytes=2 rios=1 wios=1\n8:0\n";
        assert_eq!(moved(stat), (Bytes(4097), Bytes(12)));
        assert_eq!(moved(""), (Bytes(0), Bytes(0)));
    }
}
