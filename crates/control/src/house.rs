//! House-keeping: what is over is deleted, a little at a time, beside everything else.
//!
//! Invariants:
//! 1. One turn looks at a bounded number of rows, and deletes a bounded number, however long the history is: what is
//!    done with is not looked at again, but for blobs, of which each turn looks at the next few.
//! 2. Where more is left, the next turn comes at the next look at the clock.

use gambeson_api::{Digest, JobId, KeyId, ProjectId, Time, UserId};
use serde::{Deserialize, Serialize};

use crate::desk::{Act, Desk, Effect};
use crate::store::{KeyRow, Store, Stored};

/// Between two turns when nothing is left, milliseconds.
const REST_MS: u64 = 10_000;
/// Jobs, holds and keys of one turn.
const ROWS: u32 = 200;
/// Events that one turn deletes.
const EVENTS: u32 = 5_000;
/// Blobs that one turn looks at.
const BLOBS: u32 = 1_000;

/// The name of [`EventsForgotten`] among the store's single values.
const EVENTS_FORGOTTEN: &str = "house.events";

/// The job up to which events were deleted, in the order of ends. A job that ends before it, since the clock was set
/// back, keeps its events as long as itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventsForgotten {
    pub ended: Time,
    pub job: JobId,
}

/// Where house-keeping is.
#[derive(Debug)]
pub(crate) struct House {
    /// When the last turn was, by a clock that nobody sets, milliseconds.
    kept_ms: u64,
    /// Whether it left something to do.
    more: bool,
    events: EventsForgotten,
    blobs: Option<Digest>,
}

impl House {
    /// As the store has it.
    pub(crate) fn load(store: &dyn Store, steady_ms: u64) -> Stored<House> {
        let events = store.meta(EVENTS_FORGOTTEN)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let first = EventsForgotten { ended: Time(0), job: JobId::from_u128(0) };
        Ok(House { kept_ms: steady_ms, more: false, events: events.unwrap_or(first), blobs: None })
    }
}

impl Desk {
    /// Takes a turn, if it is time for one.
    pub(crate) fn keep_house(&mut self) -> Act<()> {
        let steady_ms = self.clock.steady_ms();
        let rested = steady_ms.saturating_sub(self.house.kept_ms) >= REST_MS;
        if !rested && !self.house.more {
            return Ok(());
        }
        if rested {
            self.store_shares()?;
        }
        self.house.kept_ms = steady_ms;
        let now = self.now();
        // Each of them has its part of every turn: none waits for another to be done.
        let more = [self.forget_events(now)?, self.forget_jobs(now)?, self.forget_holds(now)?, self.forget_keys(now)?];
        self.house.more = more.contains(&true);
        if rested {
            self.forget_blobs(now)?;
        }
        Ok(())
    }

    fn forget_events(&mut self, now: Time) -> Act<bool> {
        let before = Time(now.0.saturating_sub(self.config.keep_events_ms));
        let (events, more) = self.store.events_forget(self.house.events, before, ROWS, EVENTS)?;
        if events != self.house.events {
            self.house.events = events;
            self.store.meta_put(EVENTS_FORGOTTEN, &serde_json::to_vec(&events).unwrap_or_default())?;
        }
        Ok(more)
    }

    fn forget_jobs(&mut self, now: Time) -> Act<bool> {
        let before = Time(now.0.saturating_sub(self.config.keep_jobs_ms));
        Ok(self.store.jobs_forget(before, ROWS, EVENTS)?)
    }

    fn forget_holds(&mut self, now: Time) -> Act<bool> {
        let over = self.store.holds_forget(now, ROWS)?;
        for (digest, project, user, size) in &over {
            self.let_go(digest, *project, *user, *size)?;
        }
        Ok(over.len() == ROWS as usize)
    }

    /// A hold is gone: if it was their last one of this blob, they keep that much less.
    pub(crate) fn let_go(&mut self, digest: &Digest, project: ProjectId, user: UserId, size: u64) -> Stored<()> {
        if !self.store.is_kept(digest, project, user)? {
            self.state.books.change(project, user, |account| {
                account.stored = account.stored.saturating_sub(size);
            });
        }
        Ok(())
    }

    fn forget_keys(&mut self, now: Time) -> Act<bool> {
        let before = Time(now.0.saturating_sub(self.config.keep_jobs_ms));
        let is_over = |key: &&KeyRow| key.ended(now).is_some_and(|ended| ended < before);
        let keys = self.state.directory.keys.values().filter(is_over).map(|key| key.id);
        let over: Vec<KeyId> = keys.take(ROWS as usize).collect();
        for key in &over {
            self.store.key_delete(*key)?;
            self.state.directory.keys.remove(key);
        }
        if !over.is_empty() {
            self.directory_changed();
        }
        Ok(over.len() == ROWS as usize)
    }

    fn forget_blobs(&mut self, now: Time) -> Act<()> {
        let before = Time(now.0.saturating_sub(self.config.keep_blobs_ms));
        let (unused, next) = self.store.blobs_forget(self.house.blobs.as_ref(), before, BLOBS)?;
        self.house.blobs = next;
        if !unused.is_empty() {
            self.effects.push(Effect::Forget(unused));
        }
        Ok(())
    }
}
