//! What the server's own process uses (proc(5)).

use std::fs;
use std::sync::atomic::Ordering;

use super::shelf::{ALONE, Level, Of, Seconds, Shelf};

/// Of these are the times in `/proc/self/stat`, whatever the kernel was built with (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Levels {
    cpu: Seconds,
    resident: Of<0, Level>,
    files: Of<0, Level>,
    files_most: Of<0, Level>,
}

impl Levels {
    pub(super) fn on(shelf: &mut Shelf) -> Levels {
        Levels {
            cpu: shelf
                .seconds("process_cpu_seconds", "CPU time of the server. At one CPU and more, it is what limits."),
            resident: shelf.gauge("process_resident_memory_bytes", [], "Memory of the server."),
            files: shelf.gauge("process_open_fds", [], "Files and connections that the server has open."),
            files_most: shelf.gauge(
                "process_max_fds",
                [],
                "The most that it may have open. Near it, raise LimitNOFILE: connections are no longer taken.",
            ),
        }
    }

    /// Looks at the process; what the kernel does not tell is left as it was.
    pub(super) fn look(&self) {
        let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        if let Some(ticks) = ticks(&read("stat")) {
            let seconds = ticks as f64 / TICKS_PER_SECOND;
            self.cpu.inner().store(seconds.to_bits(), Ordering::Relaxed);
        }
        let set = |level: &Of<0, Level>, value: u64| level.set(ALONE, value as f64);
        let status = read("status");
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse().ok());
        resident.into_iter().for_each(|kib: u64| set(&self.resident, kib << 10));
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // The one that it is read by is none of them.
            set(&self.files, (open.count() as u64).saturating_sub(1));
        }
        let limits = read("limits");
        let most = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
        most.into_iter().for_each(|most| set(&self.files_most, most));
    }
}

/// utime and stime: the 14th and 15th field. The second is a name in brackets, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 30 12 13 14 15 16 17\n";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a"), None);
        assert!(ticks(&fs::read_to_string("/proc/self/stat").unwrap()).is_some());
    }
}
