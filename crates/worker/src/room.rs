//! What is free of a worker's room. Nothing is ever given that is not there.

use gambeson_api::Limits;
use gambeson_api::work::Room;

/// What a job takes of the room.
pub(crate) fn share(limits: &Limits) -> Room {
    Room { slots: 1, cpus_milli: limits.cpus_milli, memory_bytes: limits.memory_bytes }
}

/// The whole and what is free of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rooms {
    pub(crate) whole: Room,
    pub(crate) free: Room,
}

impl Rooms {
    pub(crate) fn new(whole: Room) -> Rooms {
        Rooms { whole, free: whole }
    }

    /// Whether there is anything to ask work for.
    pub(crate) fn has_some(&self) -> bool {
        self.free.slots > 0 && self.free.cpus_milli > 0 && self.free.memory_bytes > 0
    }

    /// Takes a share, if all of it is there.
    pub(crate) fn take(&mut self, share: Room) -> bool {
        let left = |free: Room| {
            Some(Room {
                slots: free.slots.checked_sub(share.slots)?,
                cpus_milli: free.cpus_milli.checked_sub(share.cpus_milli)?,
                memory_bytes: free.memory_bytes.checked_sub(share.memory_bytes)?,
            })
        };
        match left(self.free) {
            Some(free) => {
                self.free = free;
                true
            }
            None => false,
        }
    }

    /// Gives back a share that was taken.
    pub(crate) fn give(&mut self, share: Room) {
        self.free.slots += share.slots;
        self.free.cpus_milli += share.cpus_milli;
        self.free.memory_bytes += share.memory_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_taken_whole_or_not_at_all() {
        let whole = Room { slots: 4, cpus_milli: 2000, memory_bytes: 100 };
        let mut rooms = Rooms::new(whole);
        let share = Room { slots: 1, cpus_milli: 1500, memory_bytes: 60 };
        assert!(rooms.take(share) && !rooms.take(share));
        assert_eq!(rooms.free, Room { slots: 3, cpus_milli: 500, memory_bytes: 40 });
        rooms.give(share);
        assert_eq!(rooms.free, whole);
    }
}
