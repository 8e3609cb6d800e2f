//! So many at once, and then one each while.

use std::time::{Duration, Instant};

/// Fills itself by one each `every`, up to `most`.
#[derive(Debug)]
pub(crate) struct Bucket {
    most: u32,
    every: Duration,
    /// When it would have been empty: the more of the past, the more is in it.
    empty_at: Instant,
}

impl Bucket {
    pub(crate) fn new((most, every): (u32, Duration), now: Instant) -> Bucket {
        let empty_at = now.checked_sub(every * most).unwrap_or(now);
        Bucket { most, every, empty_at }
    }

    pub(crate) fn has_one(&self, now: Instant) -> bool {
        now >= self.next()
    }

    /// When there will be one.
    pub(crate) fn next(&self) -> Instant {
        self.empty_at + self.every
    }

    pub(crate) fn take(&mut self, now: Instant) -> bool {
        if !self.has_one(now) {
            return false;
        }
        self.spend(now, self.every);
        true
    }

    /// Takes what fills itself in that time, be it there or not.
    pub(crate) fn spend(&mut self, now: Instant, time: Duration) {
        let full = now.checked_sub(self.every * self.most).unwrap_or(self.empty_at);
        self.empty_at = self.empty_at.max(full) + time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_gets_what_is_there_and_then_its_rate() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut bucket = Bucket::new((10, Duration::from_millis(5)), start);
        let mut taken = 0;
        // A million asked for in a second.
        for at in 0..1_000_000 {
            taken += u32::from(bucket.take(start + Duration::from_micros(at)));
        }
        assert!((209..=211).contains(&taken), "{taken}");
        // After a long silence no more than it holds.
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..100).filter(|_| bucket.take(later)).count(), 10);
        assert_eq!(bucket.next(), later + Duration::from_millis(5));
    }
}
