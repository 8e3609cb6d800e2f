//! What a cell may use. Values are checked once, here; everything below trusts them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A size in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bytes(pub u64);

impl Bytes {
    /// `n` times 1,048,576 bytes.
    pub const fn mebi(n: u64) -> Bytes {
        Bytes(n << 20)
    }
}

impl fmt::Display for Bytes {
    /// Whole binary units where they are exact, else decimal ones: `256 MiB`, `268.4 MB`, `17 bytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
            if n >= 1 << shift && n.is_multiple_of(1 << shift) {
                return write!(f, "{} {unit}", n >> shift);
            }
        }
        for (size, unit) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
            if n >= size {
                return write!(f, "{:.1} {unit}", n as f64 / size as f64);
            }
        }
        write!(f, "{n} {}", if n == 1 { "byte" } else { "bytes" })
    }
}

/// Which limit: the word in options, reports and sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Memory of the whole process tree, tmpfs and shared memory included.
    Memory,
    /// Processes and threads at once.
    Pids,
    /// CPU time of the whole tree.
    Cpu,
    /// Time on the clock.
    Wall,
    /// Bytes under `/work`, `/tmp` and `/dev/shm`.
    Disk,
    /// Files and directories (inodes) in the same places.
    Files,
    /// Open file descriptors of one process.
    OpenFiles,
    /// Bytes on stdout and stderr together.
    Output,
}

impl Limit {
    /// The word for it in options and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Limit::Memory => "memory",
            Limit::Pids => "pids",
            Limit::Cpu => "cpu",
            Limit::Wall => "wall",
            Limit::Disk => "disk",
            Limit::Files => "files",
            Limit::OpenFiles => "open_files",
            Limit::Output => "output",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// CPUs that a cell may keep busy at once, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MilliCpus(pub u32);

impl fmt::Display for MilliCpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1000.0)
    }
}

/// What a cell may use. [`Limits::checked`] says whether the values make sense together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of the whole tree, tmpfs and shared memory included; swap is always none.
    pub memory: Bytes,
    /// Processes and threads at once, the cell's own reaper not counted.
    pub pids: u32,
    /// CPU time of the whole tree.
    pub cpu: Duration,
    /// CPUs busy at once.
    pub cpus: MilliCpus,
    /// Time on the clock, from the start of the program.
    pub wall: Duration,
    /// Bytes that `/work`, `/tmp` and `/dev/shm` may hold together.
    pub disk: Bytes,
    /// Inodes in the same places.
    pub files: u32,
    /// Descriptors that one process may have open.
    pub open_files: u32,
    /// Bytes on stdout and stderr together.
    pub output: Bytes,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: Bytes::mebi(256),
            pids: 64,
            cpu: Duration::from_secs(30),
            cpus: MilliCpus(1000),
            wall: Duration::from_secs(60),
            disk: Bytes::mebi(64),
            files: 4096,
            open_files: 1024,
            output: Bytes::mebi(8),
        }
    }
}

/// A limit outside of what can be enforced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit {limit} is {given}; it must be from {least} to {most}")]
pub struct LimitOutOfRange {
    /// Which.
    pub limit: &'static str,
    /// As asked for.
    pub given: String,
    /// The least that a cell can run with.
    pub least: String,
    /// The most that we promise to enforce.
    pub most: String,
}

impl Limits {
    /// The longest run, in time on the clock and in CPU time.
    pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

    /// Checks every value against what can be enforced.
    ///
    /// # Errors
    /// Names the first limit that is out of range, and the range. An interpreter needs about 16 MiB
    /// and one process; a wall time of zero would mean "no limit" to some kernels' interfaces.
    pub fn checked(self) -> Result<Limits, LimitOutOfRange> {
        fn within<T: PartialOrd>(
            limit: &'static str,
            given: T,
            least: T,
            most: T,
            say: impl Fn(&T) -> String,
        ) -> Result<(), LimitOutOfRange> {
            if given < least || given > most {
                return Err(LimitOutOfRange { limit, given: say(&given), least: say(&least), most: say(&most) });
            }
            Ok(())
        }
        let size = |bytes: &Bytes| bytes.to_string();
        let count = |n: &u32| n.to_string();
        let time = |time: &Duration| format!("{time:?}");
        within("memory", self.memory, Bytes::mebi(16), Bytes(1 << 46), size)?;
        within("pids", self.pids, 1, 1 << 20, count)?;
        within("cpu", self.cpu, Duration::from_millis(10), Self::LONGEST, time)?;
        within("cpus", self.cpus, MilliCpus(10), MilliCpus(4_096_000), |cpus| cpus.to_string())?;
        within("wall", self.wall, Duration::from_millis(10), Self::LONGEST, time)?;
        within("disk", self.disk, Bytes(1 << 16), Bytes(1 << 46), size)?;
        within("files", self.files, 16, 1 << 30, count)?;
        within("open_files", self.open_files, 16, 1 << 20, count)?;
        within("output", self.output, Bytes(0), Bytes(1 << 40), size)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        let said: Vec<String> = [1, 17, 1024, 268_435_456, 268_435_457].map(|n| Bytes(n).to_string()).into();
        assert_eq!(said, ["1 byte", "17 bytes", "1 KiB", "256 MiB", "268.4 MB"]);
    }

    #[test]
    fn the_defaults_are_in_range() {
        assert_eq!(Limits::default().checked(), Ok(Limits::default()));
    }

    #[test]
    fn a_limit_out_of_range_names_itself_and_the_range() {
        let none = Limits { wall: Duration::ZERO, ..Limits::default() }.checked().unwrap_err();
        assert_eq!(none.to_string(), "limit wall is 0ns; it must be from 10ms to 2592000s");
    }
}
