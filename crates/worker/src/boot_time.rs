//! The clock of leases: it goes on while the machine sleeps and while the process is stopped.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since the machine started, suspension included (CLOCK_BOOTTIME, clock_gettime(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BootTime(pub(crate) Duration);

impl BootTime {
    pub(crate) fn now() -> BootTime {
        let now = clock_gettime(ClockId::Boottime);
        BootTime(Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32))
    }

    pub(crate) fn plus(self, time: Duration) -> BootTime {
        BootTime(self.0.saturating_add(time))
    }

    /// How long until `later`; zero if it is past.
    pub(crate) fn until(self, later: BootTime) -> Duration {
        later.0.saturating_sub(self.0)
    }
}
