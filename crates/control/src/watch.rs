//! Wakes whoever follows a job, or waits for its end, when there is something new of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use gambeson_api::JobId;
use tokio::sync::watch;

use crate::feed::{Budget, Feed};

/// What is told of a job: only "look again", and whether that was the last event. The store has the events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// How often something was told.
    pub count: u64,
    pub ended: bool,
}

/// A job that somebody watches.
#[derive(Debug, Default)]
struct Watched {
    news: watch::Sender<Told>,
    /// What those share who follow its events, while there are such.
    feed: Weak<Feed>,
}

/// The watchers of all jobs.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    jobs: Mutex<HashMap<JobId, Watched>>,
    feeds: Arc<Budget>,
}

impl Watchers {
    fn watched<T>(&self, job: JobId, with: impl FnOnce(&mut Watched) -> T) -> T {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // Those whose watchers are gone go when there are many.
        if jobs.len() > 1024 {
            jobs.retain(|_, watched| watched.news.receiver_count() > 0);
        }
        with(jobs.entry(job).or_default())
    }

    /// A receiver that changes with every event of `job` from now on.
    pub(crate) fn subscribe(&self, job: JobId) -> watch::Receiver<Told> {
        self.watched(job, |watched| watched.news.subscribe())
    }

    /// The same, with the feed that all who follow it share.
    pub(crate) fn follow(&self, job: JobId) -> (watch::Receiver<Told>, Arc<Feed>) {
        self.watched(job, |watched| {
            let feed = watched.feed.upgrade().unwrap_or_else(|| Arc::new(Feed::within(&self.feeds)));
            watched.feed = Arc::downgrade(&feed);
            (watched.news.subscribe(), feed)
        })
    }

    /// Tells the watchers that there are events; the last ones of a job when `ended`.
    pub(crate) fn tell(&self, job: JobId, ended: bool) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = jobs.get(&job) {
            watched.news.send_modify(|told| *told = Told { count: told.count + 1, ended });
            if ended || watched.news.receiver_count() == 0 {
                // The receivers see the change, and then that nothing more comes.
                jobs.remove(&job);
            }
        }
    }

    /// Lets all watchers go.
    pub(crate) fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
