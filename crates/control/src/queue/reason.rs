//! Why a job waits, in words for its author.

use std::fmt;

use super::queued::{Class, Demand};

/// Why a job has not started. Its `Display` is a sentence without a full stop, and names nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is started again later, since its worker could not start it.
    Delayed {
        /// In how many milliseconds.
        for_ms: u64,
    },
    /// There is nobody to run it.
    NoWorker,
    /// It can run on none of the workers, however long it waits.
    TooLarge {
        /// What it asks for.
        demand: Demand,
        /// The largest worker there is.
        largest: Demand,
    },
    /// Its project runs as many jobs as it may, or will when a job that goes before this one runs.
    ProjectLimit {
        /// Jobs that run.
        running: u32,
        /// The most that may.
        limit: u32,
    },
    /// Its user runs as many jobs as they may, or will when a job that goes before this one runs.
    UserLimit {
        /// Jobs that run.
        running: u32,
        /// The most that may.
        limit: u32,
    },
    /// Jobs of its class hold as much as they may.
    ClassCeiling {
        /// The class that it was submitted in.
        class: Class,
        /// The most that the class may hold, in percent of all workers.
        percent: u8,
    },
    /// It would fit, but room is being cleared for a larger job that goes before it.
    Backfill,
    /// No worker has room for it.
    WorkersFull {
        /// How many jobs are before it, if that was counted.
        before: Option<u64>,
    },
    /// It would fit, but others go first.
    Behind {
        /// How many jobs are before it, if that was counted.
        before: Option<u64>,
    },
    /// It starts as soon as a worker asks.
    Next,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Reason::Delayed { for_ms } => {
                write!(f, "it waits {} s after a failed start before it is tried again", for_ms.div_ceil(1000))
            }
            Reason::NoWorker => f.write_str("no worker is connected"),
            Reason::TooLarge { demand, largest } => {
                write!(f, "no worker is large enough: this job asks for {demand}, the largest has {largest}")
            }
            Reason::ProjectLimit { limit: 0, .. } => f.write_str("your project may not run jobs: its limit is 0"),
            Reason::ProjectLimit { running, limit } => {
                let verb = if running == 1 { "job of your project runs" } else { "jobs of your project run" };
                write!(f, "{running} {verb}; its limit is {limit}")
            }
            Reason::UserLimit { limit: 0, .. } => f.write_str("you may not run jobs: your limit is 0"),
            Reason::UserLimit { running, limit } => {
                let verb = if running == 1 { "job of yours runs" } else { "jobs of yours run" };
                write!(f, "{running} {verb}; your limit is {limit}")
            }
            Reason::ClassCeiling { class, percent } => {
                write!(f, "jobs of class {class} may hold at most {percent} % of the workers")
            }
            Reason::Backfill => f.write_str("a larger job is waiting for worker room (backfill)"),
            Reason::WorkersFull { before } => {
                f.write_str("the workers are full; ")?;
                before_this_one(f, before)
            }
            Reason::Behind { before } => before_this_one(f, before),
            Reason::Next => f.write_str("it is next"),
        }
    }
}

fn before_this_one(f: &mut fmt::Formatter<'_>, before: Option<u64>) -> fmt::Result {
    match before {
        None => f.write_str("other jobs are before this one"),
        Some(0) => f.write_str("it is next"),
        Some(1) => f.write_str("1 job is before this one"),
        Some(jobs) => write!(f, "{jobs} jobs are before this one"),
    }
}
