//! What a cell uses while it runs, told now and then.
//!
//! Invariants:
//! 1. A cell that ends soon costs nothing: nothing is opened, and nothing read, before the first sample is due.
//! 2. The longer it runs, the rarer they are: most of a run is told by about as many, however long it is.

use std::time::{Duration, Instant};

use crate::cgroup::{Gauges, Group};
use crate::limits::Bytes;

/// What a cell uses at one moment. What the host does not count is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// Time on the clock since its start, as [`Usage::wall`](crate::Usage::wall) counts it.
    pub wall: Duration,
    /// CPU time of the whole tree since then.
    pub cpu: Duration,
    /// Memory, without what the kernel keeps of files on disks.
    pub memory: Option<Bytes>,
    /// Processes and threads, the reaper not counted.
    pub pids: Option<u64>,
    /// Bytes in the scratch space.
    pub disk: Option<Bytes>,
    /// Bytes read from block devices since the cell was made.
    pub read: Option<Bytes>,
    /// Bytes written to block devices since then.
    pub written: Option<Bytes>,
}

/// Who hears of samples. Called on the supervisor's thread: it must not wait.
#[derive(Clone, Copy)]
pub struct Sampled<'a>(pub &'a dyn Fn(&Sample));

impl std::fmt::Debug for Sampled<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sampled")
    }
}

/// The first sample comes after this time, and none sooner after another.
const OFTENEST: Duration = Duration::from_millis(250);
/// No longer is waited for the next one.
const RAREST: Duration = Duration::from_secs(10);
/// In between, the next one comes after such a part of the time that the cell has run.
const PART: u32 = 240;

/// How long after one sample the next is due.
fn pause(elapsed: Duration) -> Duration {
    (elapsed / PART).clamp(OFTENEST, RAREST)
}

/// When the next sample is due, and what it is read from.
pub(crate) struct Sampler<'a> {
    to: Sampled<'a>,
    pub(crate) due: Instant,
    gauges: Option<Gauges>,
}

impl<'a> Sampler<'a> {
    pub(crate) fn new(to: Sampled<'a>, started: Instant) -> Sampler<'a> {
        Sampler { to, due: started + OFTENEST, gauges: None }
    }

    /// Tells what `of` makes of the gauges.
    pub(crate) fn tell(&mut self, group: &Group, of: impl FnOnce(&mut Gauges) -> Sample) {
        let gauges = self.gauges.get_or_insert_with(|| Gauges::open(group));
        (self.to.0)(&of(gauges));
    }

    /// The next one is due later, of a cell that has run for `wall`.
    pub(crate) fn rest(&mut self, now: Instant, wall: Duration) {
        self.due = now + pause(wall);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many samples a cell tells that runs so long.
    fn count(seconds: u64) -> usize {
        let mut wall = OFTENEST;
        let mut count = 0;
        while wall < Duration::from_secs(seconds) {
            count += 1;
            wall += pause(wall);
        }
        count
    }

    #[test]
    fn samples_come_often_at_first_and_an_hour_has_about_a_thousand() {
        assert_eq!(count(2), 7);
        assert!((230..250).contains(&count(60)), "{}", count(60));
        assert!((1000..1300).contains(&count(3600)), "{}", count(3600));
        assert!((9000..10_000).contains(&count(86_400)), "{}", count(86_400));
    }
}
