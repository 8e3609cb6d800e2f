//! Following the events of one job, alone or among many.

use std::sync::Arc;

use gambeson_api::{EventBody, JobId, JobState};
use tokio::sync::watch;

use super::{Answer, Control, Standing};
use crate::feed::{Feed, Found, Page, Reading};
use crate::meters::Following;
use crate::watch::Told;

/// Events of one page: bounded in number and bytes.
pub(super) const EVENTS_MOST: usize = 500;
const BYTES_MOST: usize = 256 << 10;

/// Follows a job's events.
#[derive(Debug)]
pub struct Follower {
    control: Control,
    job: JobId,
    after: u64,
    follow: bool,
    news: watch::Receiver<Told>,
    feed: Arc<Feed>,
    standing: Standing,
    /// Counted as long as it follows.
    _following: Option<Following>,
    ended: bool,
}

impl Follower {
    /// After the event `after`; without `follow`, up to what is there.
    pub(super) fn new(control: Control, job: JobId, after: u64, follow: bool, standing: Standing) -> Follower {
        let (news, feed) = control.shared.watchers.follow(job);
        // After the last number that the store holds comes nothing, as after any that is larger.
        let after = after.min(i64::MAX as u64);
        let following = follow.then(|| control.meters().follow("job"));
        Follower { control, job, after, follow, news, feed, standing, _following: following, ended: false }
    }

    /// The next events, waiting for them; `None` after the last one of an ended job, and when the server stops.
    ///
    /// # Errors
    /// When the store fails, or the key or the right by which it follows is no more.
    pub async fn next(&mut self) -> Answer<Option<Page>> {
        loop {
            if self.ended {
                return Ok(None);
            }
            self.standing.check()?;
            // Whatever is told from here on is news.
            let heard = self.news.borrow_and_update().count;
            match self.feed.found(self.after, heard) {
                Found::Page(page) => return Ok(Some(self.took(page))),
                Found::Behind => {
                    let reading = self.read(self.after).await?;
                    self.feed.begin(self.after, heard, &reading);
                    if !reading.events.is_empty() {
                        return Ok(Some(self.took(reading.events.into())));
                    }
                    // Of a job that was forgotten, or whose end the caller has seen, nothing more comes.
                    self.ended = reading.over;
                }
                Found::Look => {
                    let feed = Arc::clone(&self.feed);
                    let _turn = feed.turn.lock().await;
                    // Somebody else may have looked while we waited.
                    if matches!(feed.found(self.after, heard), Found::Look) {
                        let reading = self.read(feed.end()).await?;
                        feed.extend(heard, reading);
                    }
                }
                Found::Nothing { over } if over || !self.follow => self.ended = true,
                Found::Nothing { .. } => tokio::select! {
                    changed = self.news.changed() => {
                        if changed.is_err() {
                            // Its last event was told, or the server stops: one more look tells which.
                            self.follow = false;
                        }
                    }
                    problem = self.standing.lost() => return Err(problem),
                },
            }
        }
    }

    fn took(&mut self, page: Page) -> Page {
        if let Some(last) = page.events().last() {
            self.after = last.seq;
            self.ended = matches!(last.body, EventBody::Ended { .. });
        }
        page
    }

    async fn read(&self, after: u64) -> Answer<Reading> {
        let job = self.job;
        let reading = self.control.read(move |store| {
            // The job first: were its events read before, it could end between the two looks.
            let over = store.job(job)?.is_none_or(|row| row.state == JobState::Ended);
            let last = store.event_last(job)?;
            Ok(Reading { events: store.events(job, after, EVENTS_MOST, BYTES_MOST)?, last, over })
        });
        reading.await
    }
}
