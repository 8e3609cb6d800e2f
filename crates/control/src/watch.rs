//! Wakes whoever follows a job when there is something new of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gambeson_api::JobId;
use tokio::sync::watch;

/// The followers of all jobs. What they are told is only "look again", and whether that was the last event: the store
/// has the events.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    jobs: Mutex<HashMap<JobId, watch::Sender<bool>>>,
}

impl Watchers {
    /// A receiver that changes with every event of `job` from now on.
    pub(crate) fn subscribe(&self, job: JobId) -> watch::Receiver<bool> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // Those whose followers are gone go when there are many.
        if jobs.len() > 1024 {
            jobs.retain(|_, sender| sender.receiver_count() > 0);
        }
        jobs.entry(job).or_insert_with(|| watch::Sender::new(false)).subscribe()
    }

    /// Tells the followers that there are events; the last ones of a job when `ended`.
    pub(crate) fn tell(&self, job: JobId, ended: bool) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = jobs.get(&job) {
            sender.send_replace(ended);
            if ended || sender.receiver_count() == 0 {
                // The receivers see the change, and then that nothing more comes.
                jobs.remove(&job);
            }
        }
    }

    /// Lets all followers go.
    pub(crate) fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
