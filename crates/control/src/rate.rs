//! Requests per second of one key: the generic cell rate algorithm (ITU-T I.371, annex A), which needs one number a key.

use std::collections::HashMap;
use std::sync::Mutex;

use gambeson_api::KeyId;

/// Limits the rate of each key by itself.
#[derive(Debug)]
pub(crate) struct Rates {
    /// Microseconds between two requests of a steady stream.
    interval_us: u64,
    /// How far ahead of a steady stream a key may be, microseconds.
    tolerance_us: u64,
    /// When each key will be back at a steady stream, microseconds.
    due: Mutex<HashMap<KeyId, u64>>,
}

/// Entries beyond which those that say nothing any more are dropped.
const MANY: usize = 10_000;

impl Rates {
    pub(crate) fn new(per_second: u32, burst: u32) -> Rates {
        let interval_us = 1_000_000 / u64::from(per_second.max(1));
        let tolerance_us = interval_us * u64::from(burst.max(1).saturating_sub(1));
        Rates { interval_us, tolerance_us, due: Mutex::new(HashMap::new()) }
    }

    /// Takes one request of `key`, or says after how many milliseconds the next will be taken. `now_ms` is of a clock that
    /// nobody sets: one that is set back would lock keys out.
    pub(crate) fn take(&self, key: KeyId, now_ms: u64) -> Result<(), u64> {
        let now_us = now_ms.saturating_mul(1000);
        let mut due = self.due.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if due.len() > MANY {
            due.retain(|_, due| *due > now_us);
        }
        let entry = due.entry(key).or_insert(now_us);
        let ahead = entry.saturating_sub(now_us);
        if ahead > self.tolerance_us {
            return Err((ahead - self.tolerance_us).div_ceil(1000));
        }
        *entry = (*entry).max(now_us) + self.interval_us;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_then_a_steady_stream() {
        let rates = Rates::new(10, 5);
        let key = KeyId::new();
        let taken = (0..20).filter(|_| rates.take(key, 1000).is_ok()).count();
        assert_eq!(taken, 5);
        assert_eq!(rates.take(key, 1000), Err(100));
        assert_eq!(rates.take(key, 1100), Ok(()));
        assert!(rates.take(key, 1100).is_err());
        assert_eq!(rates.take(KeyId::new(), 1100), Ok(()), "another key is not concerned");
    }
}
