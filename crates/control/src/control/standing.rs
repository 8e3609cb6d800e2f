//! What a long answer stands on: its place among the open answers of its key, and the key and the right by which it was
//! begun, which are looked at again while it goes on.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gambeson_api::{Code, KeyId, Problem};
use tokio::time::Instant;

use super::{Answer, Caller, Control, Target};
use crate::access::Action;

/// How soon it is noticed that the directory changed.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// How often everything is decided anew though the directory did not change: keys expire, policies know the time.
pub(super) const DECIDE: Duration = Duration::from_secs(5);

/// How many long answers of each key are open.
#[derive(Debug, Default)]
pub(crate) struct OpenAnswers(Mutex<HashMap<KeyId, u32>>);

impl OpenAnswers {
    fn take(&self, key: KeyId, most: u32) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key).or_default();
        let free = *count < most;
        *count += u32::from(free);
        free
    }

    fn give(&self, key: KeyId) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&key);
            }
        }
    }
}

/// What a long answer stands on. Dropping it gives its place back.
pub struct Standing {
    control: Control,
    caller: Caller,
    /// What is done all the while; `None` where the key alone is enough.
    of: Option<(Action, Target)>,
    /// The directory that was decided on, and when.
    seen: (u64, Instant),
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Standing({})", self.caller.key)
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.control.shared.open_answers.give(self.caller.key);
    }
}

impl Standing {
    /// Looks at it, if something changed or some time has passed.
    ///
    /// # Errors
    /// When the key or the right is no more: the answer is to end with this.
    pub fn check(&mut self) -> Answer<()> {
        let directory = self.control.shared.directory();
        if self.seen.0 == directory.version && self.seen.1.elapsed() < DECIDE {
            return Ok(());
        }
        let key = Control::key_row(&directory, &self.caller)?;
        super::opens(key, self.control.now())?;
        if directory.users.get(&key.user).is_none_or(|user| user.disabled) {
            return Err(Problem::new(Code::Forbidden, "this user is disabled"));
        }
        if let Some((action, target)) = self.of
            && !self.control.may(&directory, &self.caller, action, target)?
        {
            return Err(Problem::new(Code::Forbidden, "what allowed this was taken away meanwhile"));
        }
        self.seen = (directory.version, Instant::now());
        Ok(())
    }

    /// Waits until it is lost, and says why.
    pub async fn lost(&mut self) -> Problem {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(problem) = self.check() {
                return problem;
            }
        }
    }
}

impl Control {
    /// Takes a place for a long answer to somebody who was allowed it just now.
    ///
    /// # Errors
    /// `too_many_open` when their key has no more places.
    pub(crate) fn standing(&self, caller: &Caller, of: Option<(Action, Target)>) -> Answer<Standing> {
        let most = self.shared.config.open_per_key;
        if !self.shared.open_answers.take(caller.key, most) {
            let detail = format!("a key may have {most} waits, followed jobs and downloads at once");
            return Err(Problem::new(Code::TooManyOpen, detail).retry_after(1));
        }
        // Of no directory: the first look decides, since something may have changed since it was allowed.
        let seen = (0, Instant::now());
        Ok(Standing { control: self.clone(), caller: caller.clone(), of, seen })
    }
}
