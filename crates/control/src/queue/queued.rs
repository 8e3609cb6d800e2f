//! What is queued: keys, classes, demands. Values only.

use std::fmt;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);
    };
}

key! {
    /// A job, as the queue knows it: the bits of its id.
    JobKey
}
key! {
    /// Who owns and pays: the bits of a project's id.
    ProjectKey
}
key! {
    /// A user within a project: the bits of a user's id.
    UserKey
}
key! {
    /// A worker: the bits of its id.
    WorkerKey
}

/// The priority class that a job was submitted in, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// May wait.
    Low,
    /// What is meant when nothing is said.
    Normal,
    /// Goes first, up to its ceiling.
    High,
}

impl Class {
    /// All of them, lowest first.
    pub const ALL: [Class; 3] = [Class::Low, Class::Normal, Class::High];

    /// This class, or one step higher for every `age_step_ms` waited, up to [`Class::High`].
    pub(super) fn aged(self, waited_ms: u64, age_step_ms: u64) -> Class {
        // Compared and not divided: this is asked for each lane at each decision.
        let step_ms = age_step_ms.max(1);
        match self {
            class if waited_ms < step_ms => class,
            Class::Low if waited_ms < step_ms.saturating_mul(2) => Class::Normal,
            _ => Class::High,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Low => "low",
            Class::Normal => "normal",
            Class::High => "high",
        })
    }
}

/// What a job holds of a worker while it runs, or what a worker has.
///
/// `Limits` bound both numbers (4096 CPUs, 2^46 bytes), so that no sum of them overflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand {
    /// CPUs kept busy at once, in thousandths.
    pub cpus_milli: u32,
    /// Memory, in bytes.
    pub memory_bytes: u64,
}

impl Demand {
    /// Whether this fits into `room`: in both kinds, not on average.
    pub(super) fn fits(self, room: Room) -> bool {
        u64::from(self.cpus_milli) <= room.cpus_milli && self.memory_bytes <= room.memory_bytes
    }

    /// The less of both in each kind: where this does not fit, neither of them does.
    pub(super) fn least(self, other: Demand) -> Demand {
        Demand {
            cpus_milli: self.cpus_milli.min(other.cpus_milli),
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
        }
    }

    /// The more of both in each kind: where this fits, both of them do.
    pub(super) fn most(self, other: Demand) -> Demand {
        Demand {
            cpus_milli: self.cpus_milli.max(other.cpus_milli),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
        }
    }
}

impl fmt::Display for Demand {
    /// As people say it: `8 CPUs and 64 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpus = f64::from(self.cpus_milli) / 1000.0;
        let plural = if self.cpus_milli == 1000 { "" } else { "s" };
        write!(f, "{cpus} CPU{plural} and ")?;
        match self.memory_bytes {
            bytes if bytes >= 1 << 30 => write!(f, "{} GiB", tenths(bytes, 30)),
            bytes if bytes >= 1 << 20 => write!(f, "{} MiB", tenths(bytes, 20)),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

/// `bytes` in units of `1 << shift`, with one decimal where it says something.
fn tenths(bytes: u64, shift: u32) -> f64 {
    (bytes as f64 / (1u64 << shift) as f64 * 10.0).round() / 10.0
}

/// A sum of demands: room that is free, or held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Room {
    pub cpus_milli: u64,
    pub memory_bytes: u64,
}

impl From<Demand> for Room {
    fn from(demand: Demand) -> Room {
        Room { cpus_milli: demand.cpus_milli.into(), memory_bytes: demand.memory_bytes }
    }
}

impl Room {
    pub fn plus(self, other: impl Into<Room>) -> Room {
        let other = other.into();
        Room {
            cpus_milli: self.cpus_milli.saturating_add(other.cpus_milli),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
        }
    }

    /// What is left without `other`; nothing, where `other` is more (a worker that came back smaller).
    pub fn minus(self, other: impl Into<Room>) -> Room {
        let other = other.into();
        Room {
            cpus_milli: self.cpus_milli.saturating_sub(other.cpus_milli),
            memory_bytes: self.memory_bytes.saturating_sub(other.memory_bytes),
        }
    }

    pub fn most(self, other: Room) -> Room {
        Room {
            cpus_milli: self.cpus_milli.max(other.cpus_milli),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
        }
    }

    /// `percent` of it, rounded down.
    pub fn percent(self, percent: u8) -> Room {
        let part = |whole: u64| (u128::from(whole) * u128::from(percent) / 100) as u64;
        Room { cpus_milli: part(self.cpus_milli), memory_bytes: part(self.memory_bytes) }
    }

    pub fn within(self, other: Room) -> bool {
        self.cpus_milli <= other.cpus_milli && self.memory_bytes <= other.memory_bytes
    }

    /// The share of `total` that this is, in the kind of which it is more.
    pub fn dominant_share(self, total: Room) -> f64 {
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        share(self.cpus_milli, total.cpus_milli).max(share(self.memory_bytes, total.memory_bytes))
    }
}

impl From<Room> for Demand {
    fn from(room: Room) -> Demand {
        Demand { cpus_milli: u32::try_from(room.cpus_milli).unwrap_or(u32::MAX), memory_bytes: room.memory_bytes }
    }
}

/// A job that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// Which job.
    pub job: JobKey,
    /// Who pays for it.
    pub project: ProjectKey,
    /// Who submitted it.
    pub user: UserKey,
    /// As submitted; the effective class rises with the wait.
    pub class: Class,
    /// The submission's place among all: unique, and kept over retries.
    pub order: u64,
    /// When it was submitted, in milliseconds since the epoch. Ageing counts from here.
    pub submitted_ms: u64,
    /// Not to be started before, in milliseconds since the epoch; 0 when there is no delay.
    pub not_before_ms: u64,
    /// What it holds while it runs.
    pub demand: Demand,
    /// The longest that it may run, in milliseconds: the worker ends it then.
    pub wall_ms: u64,
}
