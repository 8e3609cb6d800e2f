//! What time it is: the machine's clocks, or a test's own.
//!
//! Invariants:
//! 1. Dates are told by the wall clock, which may be set. How long something takes is told by a clock that nobody sets.
//! 2. What runs out because nobody was heard runs by [`Attention`]: time in which we were there to hear.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use gambeson_api::Time;

/// A clock.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands still until somebody moves it.
    Manual(Arc<Hands>),
}

/// What moves a clock that stands still.
#[derive(Debug)]
pub struct Hands {
    wall_ms: AtomicU64,
    steady_ms: AtomicU64,
}

impl Hands {
    /// Time passes, milliseconds.
    pub fn pass(&self, ms: u64) {
        self.wall_ms.fetch_add(ms, Ordering::AcqRel);
        self.steady_ms.fetch_add(ms, Ordering::AcqRel);
    }

    /// Somebody sets the wall clock, which says `now` from then on; no time passes.
    pub fn set_wall(&self, now: Time) {
        self.wall_ms.store(now.0, Ordering::Release);
    }
}

impl Clock {
    /// A clock that stands at `start`, and what moves it.
    pub fn manual(start: Time) -> (Clock, Arc<Hands>) {
        let hands = Arc::new(Hands { wall_ms: AtomicU64::new(start.0), steady_ms: AtomicU64::new(0) });
        (Clock::Manual(Arc::clone(&hands)), hands)
    }

    /// The date.
    pub fn now(&self) -> Time {
        match self {
            Clock::System => Time::now(),
            Clock::Manual(hands) => Time(hands.wall_ms.load(Ordering::Acquire)),
        }
    }

    /// Milliseconds since some moment, by a clock that nobody sets. It may stand while the machine sleeps
    /// (CLOCK_MONOTONIC): what is kept by it then ends later, never earlier, than whoever counts that time expects.
    pub(crate) fn steady_ms(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        match self {
            Clock::System => u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX),
            Clock::Manual(hands) => hands.steady_ms.load(Ordering::Acquire),
        }
    }
}

/// Time during which somebody who spoke would have been heard, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attended(pub u64);

impl Attended {
    pub(crate) const fn plus_ms(self, ms: u64) -> Attended {
        Attended(self.0.saturating_add(ms))
    }

    pub(crate) const fn since_ms(self, earlier: Attended) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Counts the time in which we looked at what came.
///
/// Whoever is stopped, or waits for a slow disk, hears nobody meanwhile, and must not take those for gone who spoke: their
/// words wait in sockets and queues. So a pause between two looks counts as [`PAUSE_MOST_MS`] at most, however long it was;
/// it still counts, so that of a server that is always slow leases run out as well, only later.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attention {
    looked_ms: u64,
    attended: Attended,
}

/// A few of the looks that are taken without anything to do.
const PAUSE_MOST_MS: u64 = 500;

impl Attention {
    /// Nothing was attended to yet.
    pub(crate) const fn from(steady_ms: u64) -> Attention {
        Attention { looked_ms: steady_ms, attended: Attended(0) }
    }

    /// Takes a look. Returns how much of the time since the last one does not count, milliseconds.
    pub(crate) fn look(&mut self, steady_ms: u64) -> u64 {
        let pause = steady_ms.saturating_sub(self.looked_ms);
        let counted = pause.min(PAUSE_MOST_MS);
        self.attended = self.attended.plus_ms(counted);
        self.looked_ms = steady_ms;
        pause - counted
    }

    /// What was attended to in all, as of the last look.
    pub(crate) const fn now(&self) -> Attended {
        self.attended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_of_our_own_counts_little_and_time_that_is_watched_counts_whole() {
        let mut attention = Attention::from(1000);
        for look in 1..=50 {
            assert_eq!(attention.look(1000 + look * 200), 0);
        }
        assert_eq!(attention.now(), Attended(10_000));
        assert_eq!(attention.look(11_000 + 60_000), 59_500);
        assert_eq!(attention.now(), Attended(10_500));
    }
}
