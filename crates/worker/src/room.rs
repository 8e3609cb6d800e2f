//! What is free of a worker's room. Nothing is ever given that is not there.

use std::sync::Arc;
use std::time::Duration;

use gambeson_api::Limits;
use gambeson_api::work::Room;
use tokio::sync::watch;

/// What a job takes of the room.
pub(crate) fn share(limits: &Limits) -> Room {
    Room { slots: 1, cpus_milli: limits.cpus_milli, memory_bytes: limits.memory_bytes }
}

/// The whole and what is free of it, shared by who takes of it.
#[derive(Debug)]
pub(crate) struct Rooms {
    whole: Room,
    left: watch::Sender<Left>,
}

#[derive(Debug, Clone, Copy)]
struct Left {
    free: Room,
    /// Shares of programs that the server knows nothing of.
    local: u32,
}

/// A part of the room. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share {
    rooms: Arc<Rooms>,
    room: Room,
    local: bool,
}

impl Drop for Share {
    fn drop(&mut self) {
        let Share { rooms, room, local } = self;
        rooms.left.send_modify(|left| {
            left.free.slots += room.slots;
            left.free.cpus_milli += room.cpus_milli;
            left.free.memory_bytes += room.memory_bytes;
            left.local -= u32::from(*local);
        });
    }
}

impl Rooms {
    pub(crate) fn new(whole: Room) -> Arc<Rooms> {
        Arc::new(Rooms { whole, left: watch::Sender::new(Left { free: whole, local: 0 }) })
    }

    pub(crate) fn whole(&self) -> Room {
        self.whole
    }

    pub(crate) fn free(&self) -> Room {
        self.left.borrow().free
    }

    /// How many programs that the server knows nothing of have a share.
    pub(crate) fn local(&self) -> u32 {
        self.left.borrow().local
    }

    /// Whether there is anything to ask work for.
    pub(crate) fn has_some(&self) -> bool {
        let free = self.free();
        free.slots > 0 && free.cpus_milli > 0 && free.memory_bytes > 0
    }

    /// Takes a share, if all of it is there.
    pub(crate) fn take(self: &Arc<Self>, room: Room) -> Option<Share> {
        self.take_of(room, None)
    }

    /// Takes one for a program that the server knows nothing of, if fewer than `most` of those have one.
    pub(crate) fn take_local(self: &Arc<Self>, room: Room, most: u32) -> Option<Share> {
        self.take_of(room, Some(most))
    }

    fn take_of(self: &Arc<Self>, room: Room, local: Option<u32>) -> Option<Share> {
        let after = |free: Room| {
            Some(Room {
                slots: free.slots.checked_sub(room.slots)?,
                cpus_milli: free.cpus_milli.checked_sub(room.cpus_milli)?,
                memory_bytes: free.memory_bytes.checked_sub(room.memory_bytes)?,
            })
        };
        let taken = self.left.send_if_modified(|left| match after(left.free) {
            Some(free) if local.is_none_or(|most| left.local < most) => {
                *left = Left { free, local: left.local + u32::from(local.is_some()) };
                true
            }
            _ => false,
        });
        taken.then(|| Share { rooms: Arc::clone(self), room, local: local.is_some() })
    }

    /// Takes a share as soon as it is there, within `patience`.
    pub(crate) async fn take_soon(self: &Arc<Self>, room: Room, patience: Duration) -> Option<Share> {
        let mut left = self.watch();
        let taken = async {
            loop {
                if let Some(share) = self.take(room) {
                    return share;
                }
                // The sender is ours, so that this cannot fail.
                let _ = left.0.changed().await;
            }
        };
        tokio::time::timeout(patience, taken).await.ok()
    }

    /// Tells when something was taken or given back from now on.
    pub(crate) fn watch(&self) -> Changes {
        Changes(self.left.subscribe())
    }
}

/// See [`Rooms::watch`].
#[derive(Debug)]
pub(crate) struct Changes(watch::Receiver<Left>);

impl Changes {
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_taken_whole_or_not_at_all() {
        let whole = Room { slots: 4, cpus_milli: 2000, memory_bytes: 100 };
        let rooms = Rooms::new(whole);
        let share = Room { slots: 1, cpus_milli: 1500, memory_bytes: 60 };
        let taken = rooms.take(share);
        assert!(taken.is_some() && rooms.take(share).is_none());
        assert_eq!(rooms.free(), Room { slots: 3, cpus_milli: 500, memory_bytes: 40 });
        drop(taken);
        assert_eq!(rooms.free(), whole);
    }

    #[test]
    fn local_programs_have_no_more_than_their_part_of_the_slots() {
        let rooms = Rooms::new(Room { slots: 4, cpus_milli: 2000, memory_bytes: 100 });
        let share = Room { slots: 1, cpus_milli: 100, memory_bytes: 10 };
        let first = rooms.take_local(share, 1);
        assert!(first.is_some() && rooms.take_local(share, 1).is_none() && rooms.local() == 1);
        let jobs = [(); 3].map(|()| rooms.take(share).unwrap());
        drop(first);
        assert_eq!(rooms.local(), 0);
        let job = rooms.take(share);
        assert!(job.is_some() && rooms.take_local(share, 1).is_none(), "what jobs have is theirs");
        drop((jobs, job));
        assert!(rooms.take_local(share, 0).is_none());
    }

    #[tokio::test]
    async fn who_waits_for_room_gets_what_is_given_back() {
        let rooms = Rooms::new(Room { slots: 1, cpus_milli: 100, memory_bytes: 10 });
        let share = Room { slots: 1, cpus_milli: 100, memory_bytes: 10 };
        let local = rooms.take_local(share, 1).unwrap();
        assert!(rooms.take_soon(share, Duration::from_millis(1)).await.is_none());
        let (taken, ()) = tokio::join!(rooms.take_soon(share, Duration::from_secs(10)), async { drop(local) });
        assert!(taken.is_some());
    }
}
