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
    /// What programs have that the server knows nothing of.
    local: Room,
}

/// All of `room` from `of`, if it is there.
fn without(of: Room, room: Room) -> Option<Room> {
    Some(Room {
        slots: of.slots.checked_sub(room.slots)?,
        cpus_milli: of.cpus_milli.checked_sub(room.cpus_milli)?,
        memory_bytes: of.memory_bytes.checked_sub(room.memory_bytes)?,
    })
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
            if *local {
                left.local = without(left.local, *room).expect("it was added when it was taken");
            }
        });
    }
}

impl Rooms {
    pub(crate) fn new(whole: Room) -> Arc<Rooms> {
        Arc::new(Rooms { whole, left: watch::Sender::new(Left { free: whole, local: Room::default() }) })
    }

    pub(crate) fn whole(&self) -> Room {
        self.whole
    }

    pub(crate) fn free(&self) -> Room {
        self.left.borrow().free
    }

    /// How many programs that the server knows nothing of have a share.
    pub(crate) fn local(&self) -> u32 {
        self.left.borrow().local.slots
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

    /// Takes one for a program that the server knows nothing of, within the part that `slots` slots are of the room.
    pub(crate) fn take_local(self: &Arc<Self>, room: Room, slots: u32) -> Option<Share> {
        self.take_of(room, Some(self.part(slots)))
    }

    /// The part of the room that so many slots are, but what a usual program has at least: where slots are many, the part
    /// of each may be too small for any.
    fn part(&self, slots: u32) -> Room {
        let (whole, least) = (self.whole, share(&Limits::default()));
        let part = |of: u64, least: u64| {
            let part = u128::from(of) * u128::from(slots) / u128::from(whole.slots.max(1));
            u64::try_from(part).unwrap_or(of).max(least).min(of)
        };
        let cpus_milli = part(whole.cpus_milli.into(), least.cpus_milli.into());
        Room {
            slots,
            cpus_milli: u32::try_from(cpus_milli).unwrap_or(whole.cpus_milli),
            memory_bytes: part(whole.memory_bytes, least.memory_bytes),
        }
    }

    fn take_of(self: &Arc<Self>, room: Room, part: Option<Room>) -> Option<Share> {
        let taken = self.left.send_if_modified(|left| {
            let Some(free) = without(left.free, room) else { return false };
            let mut local = left.local;
            if let Some(part) = part {
                if without(part, local).and_then(|rest| without(rest, room)).is_none() {
                    return false;
                }
                local.slots += room.slots;
                local.cpus_milli += room.cpus_milli;
                local.memory_bytes += room.memory_bytes;
            }
            *left = Left { free, local };
            true
        });
        taken.then(|| Share { rooms: Arc::clone(self), room, local: part.is_some() })
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

    #[test]
    fn local_programs_have_no_more_than_their_part_of_the_processors_and_the_memory() {
        let usual = share(&Limits::default());
        let rooms =
            Rooms::new(Room { slots: 4, cpus_milli: 8 * usual.cpus_milli, memory_bytes: 8 * usual.memory_bytes });
        let many = |cpus, memory| Room {
            slots: 1,
            cpus_milli: cpus * usual.cpus_milli,
            memory_bytes: memory * usual.memory_bytes,
        };
        for too_much in [many(5, 1), many(1, 5)] {
            assert!(rooms.take_local(too_much, 2).is_none(), "two of four slots are half of the room");
            assert!(rooms.take(too_much).is_some(), "the control: for a job it is there");
        }
        let first = rooms.take_local(many(3, 3), 2);
        assert!(first.is_some() && rooms.take_local(many(2, 1), 2).is_none());
        assert!(rooms.take_local(many(1, 1), 2).is_some());
        drop(first);
        assert!(rooms.take_local(many(4, 4), 2).is_some());
        // Many slots on few processors.
        let rooms = Rooms::new(Room { slots: 100, ..many(2, 2) });
        assert!(rooms.take_local(many(1, 1), 1).is_some() && rooms.take_local(many(2, 1), 1).is_none());
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
