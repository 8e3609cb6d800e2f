//! What defaults depend on, looked at once.

use std::fs;
use std::path::PathBuf;

use gambeson_sandbox::Bytes;

/// The facts of a machine that defaults depend on.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Whether we act as root.
    pub root: bool,
    /// CPUs that we may use.
    pub cpus: usize,
    /// All memory.
    pub memory: Bytes,
    /// The host's name.
    pub host_name: String,
    /// The configuration file that is read when none is named; it need not exist.
    pub file: PathBuf,
}

impl Machine {
    /// This one.
    pub fn seen() -> Machine {
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Machine {
            root: rustix::process::geteuid().is_root(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            // Where the kernel does not say, little is given away.
            memory: memory_total(&memory).unwrap_or(Bytes::mebi(1024)),
            host_name: fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default(),
            file: "/etc/gambeson/gambeson.toml".into(),
        }
    }
}

fn memory_total(meminfo: &str) -> Option<Bytes> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibi: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Bytes(kibi << 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_kb_are_kib() {
        assert_eq!(memory_total("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(Bytes::mebi(16)));
        assert_eq!(memory_total("MemFree: 1 kB\n"), None);
    }
}
