//! What to do while the server cannot be reached: try again, later each time, and say so once.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gambeson_api::client::ClientError;
use tracing::{info, warn};

use crate::boot_time::BootTime;

/// How long to wait before the next try, after `failed` of them: twice as long each time up to `most`, and of that
/// between half and all, so that a crowd of workers does not come back at once. `chance` is any number.
pub(crate) fn pause(failed: u32, most: Duration, chance: u64) -> Duration {
    let whole = Duration::from_millis(50).saturating_mul(1 << failed.min(16)).min(most);
    whole / 2 + (whole / 2).mul_f64((chance % 1024) as f64 / 1024.0)
}

/// Any number.
pub(crate) fn chance() -> u64 {
    RandomState::new().hash_one(0)
}

/// Whether the server is out of reach, for all who ask it.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    since: Mutex<Option<BootTime>>,
}

impl Outage {
    /// A try came to nothing.
    pub(crate) fn failed(&self, error: &ClientError) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            *since = Some(BootTime::now());
            warn!(error = %error, cause = %cause(error), "the server does not answer as it should; trying on");
        }
    }

    /// An answer came.
    pub(crate) fn over(&self) {
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(since) = since {
            let outage_ms = since.until(BootTime::now()).as_millis() as u64;
            info!(outage_ms, "the server answers again");
        }
    }
}

/// The deepest cause that an error has.
pub(crate) fn cause(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_to_its_most_and_never_beyond() {
        let most = Duration::from_secs(2);
        for failed in 0..40 {
            for chance in [0, 511, 1023, u64::MAX] {
                let pause = pause(failed, most, chance);
                assert!(pause >= Duration::from_millis(25) && pause <= most, "{failed}: {pause:?}");
            }
        }
        assert!(pause(0, most, 0) < pause(3, most, 0) && pause(3, most, 0) < pause(3, most, 1023));
    }
}
