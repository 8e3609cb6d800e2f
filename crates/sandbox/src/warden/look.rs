//! Looks into a cell's memory, which the supervisor's loop does not wait for longer than it can afford.
//!
//! To read memory, or what is mapped where, waits for a lock of the kernel's (`mmap_lock`) that the program may hold, and
//! at the lowest priority that there is. So a look is taken on a thread of its own, which owns what it needs; nobody hears
//! what it finds too late. To kill the cell ends the waiting.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::bucket::Bucket;

/// How long a look is waited for; most take a millisecond.
const PATIENCE: Duration = Duration::from_millis(50);
/// So many at once, and then one each.
const PACE: (u32, Duration) = (64, Duration::from_millis(50));
/// After a look as many times its duration passes before the next: a twentieth of a processor is all that it costs.
const PAUSES: u32 = 20;
/// In all: whatever one could be made to cost, there is an end to it.
const MOST: u32 = 512;

/// At most one look at a time, and not too many.
#[derive(Debug)]
pub(crate) struct Looker {
    pace: Bucket,
    left: u32,
    /// The thread that was not waited for.
    late: Option<JoinHandle<()>>,
}

impl Default for Looker {
    fn default() -> Looker {
        Looker { pace: Bucket::new(PACE, Instant::now()), left: MOST, late: None }
    }
}

impl Looker {
    /// What `look` finds, if it may be taken and finds it soon.
    pub(crate) fn look<T: Send + 'static>(&mut self, look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let now = Instant::now();
        if self.is_done() || self.is_late() || !self.pace.take(now) {
            return None;
        }
        self.left -= 1;
        let found = self.look_last(look);
        self.pace.spend(now, (now.elapsed() * PAUSES).saturating_sub(PACE.1));
        found
    }

    /// The same, however many there were: for the last one.
    pub(crate) fn look_last<T: Send + 'static>(&mut self, look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        if self.is_late() {
            return None;
        }
        let (tell, found) = sync_channel(1);
        let thread = thread::Builder::new().name("look".into()).spawn(move || drop(tell.send(look())));
        match found.recv_timeout(PATIENCE) {
            Ok(found) => Some(found),
            Err(RecvTimeoutError::Timeout) => {
                self.late = thread.ok();
                None
            }
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Whether no more are taken.
    pub(crate) fn is_done(&self) -> bool {
        self.left == 0
    }

    fn is_late(&self) -> bool {
        self.late.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_look_that_does_not_end_is_waited_for_once_and_not_long() {
        let mut looker = Looker::default();
        assert_eq!(looker.look(|| 7), Some(7));
        let (end, wait) = mpsc::channel::<()>();
        let since = Instant::now();
        assert_eq!(looker.look(move || wait.recv()), None);
        assert!(since.elapsed() >= PATIENCE);
        for _ in 0..1000 {
            assert_eq!((looker.look(|| 7), looker.look_last(|| 7)), (None, None));
        }
        assert!(since.elapsed() < 20 * PATIENCE, "{:?}", since.elapsed());
        drop(end);
        while looker.is_late() {
            thread::yield_now();
        }
        assert_eq!(looker.look_last(|| 7), Some(7));
    }

    #[test]
    fn looks_that_take_long_are_taken_seldom_and_there_is_an_end_to_them() {
        let mut looker = Looker::default();
        let slow = || thread::sleep(Duration::from_millis(10));
        // What it holds is 3.2 seconds, and each of these costs 200 milliseconds and more.
        let taken = (0..100).filter(|_| looker.look(slow).is_some()).count();
        assert!((1..=17).contains(&taken), "{taken}");
        assert_eq!(looker.look_last(|| 7), Some(7));
        let mut looker = Looker { left: 3, ..Looker::default() };
        assert_eq!((0..10).filter(|_| looker.look(|| ()).is_some()).count(), 3);
        assert!(looker.is_done());
    }
}
