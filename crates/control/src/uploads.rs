//! Bytes on their way in: counted against what may be kept before they are on the disk.
//!
//! Invariant: what one project, or one user in it, has on its way at once is no more than there is room for in its quota,
//! but for what was kept otherwise (by a submission) since an upload last looked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gambeson_api::{Code, Problem, ProjectId, UserId};

use crate::books::Account;

/// A project, or a user in it.
type Whose = (ProjectId, Option<UserId>);

#[derive(Debug, Default)]
struct Side {
    /// Uploads.
    count: u64,
    /// Bytes on their way.
    coming: u64,
    /// Bytes that may still be kept, by the newest books that somebody looked at.
    room: u64,
}

/// What is on its way, for everybody.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    sides: Mutex<HashMap<Whose, Side>>,
}

/// How much may be kept, and is, by a project and by a user in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub project: u64,
    pub user: u64,
}

impl Room {
    /// What is left of two quotas.
    pub(crate) fn left(quotas: (&gambeson_api::Quota, &gambeson_api::Quota), project: Account, user: Account) -> Room {
        Room {
            project: quotas.0.stored_bytes.saturating_sub(project.stored),
            user: quotas.1.stored_bytes.saturating_sub(user.stored),
        }
    }
}

fn refused(whose: &str, room: u64, coming: u64, bytes: u64) -> Problem {
    let detail = format!("{whose} may keep {room} bytes more; {coming} are on their way, and {bytes} more come");
    Problem::new(Code::QuotaExceeded, detail).retry_after(3600)
}

impl Uploads {
    /// Notes how much room there is now.
    pub(crate) fn note(&self, project: ProjectId, user: UserId, room: Room) {
        let mut sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has nothing on the way is asked for their room when they begin.
        for (whose, room) in [((project, None), room.project), ((project, Some(user)), room.user)] {
            if let Some(side) = sides.get_mut(&whose) {
                side.room = room;
            }
        }
    }

    /// Begins an upload of `bytes`, or of as many as come where that is not known (0).
    ///
    /// # Errors
    /// `quota_exceeded` when there is no room for them.
    pub(crate) fn begin(
        self: &Arc<Uploads>,
        project: ProjectId,
        user: UserId,
        room: Room,
        bytes: u64,
    ) -> Result<Coming, Problem> {
        let mut coming = Coming { uploads: Arc::clone(self), project, user, reserved: 0, received: 0 };
        {
            let mut sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
            for (whose, room) in [((project, None), room.project), ((project, Some(user)), room.user)] {
                let side = sides.entry(whose).or_default();
                side.count += 1;
                side.room = room;
            }
        }
        coming.reserve(bytes)?;
        Ok(coming)
    }
}

/// An upload's share of what is on its way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Coming {
    uploads: Arc<Uploads>,
    project: ProjectId,
    user: UserId,
    reserved: u64,
    received: u64,
}

impl Coming {
    /// Counts bytes that came.
    ///
    /// # Errors
    /// `quota_exceeded` when they are more than were announced, and there is no room for them.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), Problem> {
        self.received += bytes;
        let more = self.received.saturating_sub(self.reserved);
        if more > 0 { self.reserve(more) } else { Ok(()) }
    }

    fn reserve(&mut self, bytes: u64) -> Result<(), Problem> {
        let mut sides = self.uploads.sides.lock().unwrap_or_else(PoisonError::into_inner);
        let both = [((self.project, None), "the project"), ((self.project, Some(self.user)), "you in this project")];
        for (whose, name) in &both {
            let Side { coming, room, .. } = *sides.entry(*whose).or_default();
            if coming.saturating_add(bytes) > room {
                return Err(refused(name, room, coming, bytes));
            }
        }
        for (whose, _) in &both {
            sides.entry(*whose).or_default().coming += bytes;
        }
        self.reserved += bytes;
        Ok(())
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        let mut sides = self.uploads.sides.lock().unwrap_or_else(PoisonError::into_inner);
        for whose in [(self.project, None), (self.project, Some(self.user))] {
            if let Some(side) = sides.get_mut(&whose) {
                side.coming = side.coming.saturating_sub(self.reserved);
                side.count = side.count.saturating_sub(1);
                if side.count == 0 {
                    sides.remove(&whose);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_once_fits_into_what_is_left_together() {
        let uploads = Arc::new(Uploads::default());
        let (project, ada, eve) = (ProjectId::new(), UserId::new(), UserId::new());
        let room = Room { project: 150, user: 100 };
        let one = uploads.begin(project, ada, room, 60).unwrap();
        let said = uploads.begin(project, ada, room, 41).unwrap_err();
        assert!(said.detail.contains("you in this project may keep 100 bytes more; 60 are on their way"), "{said}");
        let other = uploads.begin(project, eve, room, 90).unwrap();
        assert!(uploads.begin(project, eve, room, 1).unwrap_err().detail.starts_with("the project"));
        drop(other);
        // One that does not say how much: counted as it comes.
        let mut unsaid = uploads.begin(project, ada, room, 0).unwrap();
        unsaid.take(40).unwrap();
        assert_eq!(unsaid.take(1).unwrap_err().code, Code::QuotaExceeded);
        // What was kept is no longer on its way, and no longer free.
        drop(unsaid);
        let mut slow = uploads.begin(project, ada, room, 0).unwrap();
        uploads.note(project, ada, Room { project: 90, user: 40 });
        drop(one);
        slow.take(40).unwrap();
        assert_eq!(slow.take(1).unwrap_err().code, Code::QuotaExceeded);
        drop(slow);
        assert!(uploads.sides.lock().unwrap().is_empty(), "nothing is forgotten in the counts");
    }
}
