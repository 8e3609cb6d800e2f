//! What time it is: the machine's clock, or a test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gambeson_api::Time;

/// A clock.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Stands still until somebody moves it.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that stands at `start`, and the handle that moves it.
    pub fn manual(start: Time) -> (Clock, Arc<AtomicU64>) {
        let handle = Arc::new(AtomicU64::new(start.0));
        (Clock::Manual(Arc::clone(&handle)), handle)
    }

    /// What it says.
    pub fn now(&self) -> Time {
        match self {
            Clock::System => Time::now(),
            Clock::Manual(at) => Time(at.load(Ordering::Acquire)),
        }
    }
}
