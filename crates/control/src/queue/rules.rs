//! What an operator sets: values that the decision reads, and nothing that acts.

/// Rules of the whole queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Usage counts half after this time, in milliseconds. At least 1.
    pub half_life_ms: u64,
    /// A job counts as one class higher for each of these that it waited, in milliseconds. At least 1.
    pub age_step_ms: u64,
    /// The most of all workers together that jobs submitted in a class may hold at once, in percent,
    /// by [`Class`](super::Class) from low to high; 100 and more is no ceiling. A class that holds nothing may
    /// always start one job.
    pub class_ceiling_percent: [u8; 3],
    /// How many jobs of one lane are looked at when the first of them does not fit. At least 1.
    pub backfill_depth: u32,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            half_life_ms: 60 * 60 * 1000,
            age_step_ms: 10 * 60 * 1000,
            class_ceiling_percent: [100, 100, 50],
            backfill_depth: 16,
        }
    }
}

/// Rules of one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectRules {
    /// Its part of the machine is to those of others as the weights are. 0 counts as 1.
    pub weight: u32,
    /// The most jobs that run at once.
    pub running_max: u32,
}

impl Default for ProjectRules {
    fn default() -> ProjectRules {
        ProjectRules { weight: 1, running_max: u32::MAX }
    }
}

/// Rules of one user within a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRules {
    /// Their part of the project is to those of its others as the weights are. 0 counts as 1.
    pub weight: u32,
    /// The most jobs that run at once.
    pub running_max: u32,
}

impl Default for UserRules {
    fn default() -> UserRules {
        UserRules { weight: 1, running_max: u32::MAX }
    }
}
