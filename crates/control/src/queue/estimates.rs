//! How long a job will run, guessed from how long its user's last ones did.

use std::collections::BTreeMap;

use super::queued::{ProjectKey, UserKey};

/// Run times kept of one user.
const KEPT: usize = 32;
/// Users of whom run times are kept; those who ran nothing for the longest time are forgotten first.
const USERS: usize = 10_000;
/// The most that is guessed for half of the jobs of a user who never ran one.
const PRIOR_P50_MS: u64 = 10_000;

/// A guess of a run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Half of such jobs end within this, in milliseconds.
    pub p50_ms: u64,
    /// Nine of ten such jobs end within this, in milliseconds.
    pub p90_ms: u64,
}

#[derive(Debug, Clone)]
struct Ring {
    times_ms: [u64; KEPT],
    len: usize,
    next: usize,
    /// When it was last written to, counted in records.
    touched: u64,
    estimate: Estimate,
}

/// The last run times of each user of each project.
///
/// Memory is bounded: 32 run times each, of 10,000 users.
#[derive(Debug, Clone, Default)]
pub struct Estimates {
    rings: BTreeMap<(ProjectKey, UserKey), Ring>,
    oldest: BTreeMap<u64, (ProjectKey, UserKey)>,
    records: u64,
}

impl Estimates {
    /// Remembers that a job ran for `ran_ms` milliseconds.
    pub fn record(&mut self, project: ProjectKey, user: UserKey, ran_ms: u64) {
        self.records += 1;
        let empty = Ring {
            times_ms: [0; KEPT],
            len: 0,
            next: 0,
            touched: self.records,
            estimate: Estimate { p50_ms: 0, p90_ms: 0 },
        };
        let ring = self.rings.entry((project, user)).or_insert(empty);
        self.oldest.remove(&ring.touched);
        ring.touched = self.records;
        ring.times_ms[ring.next] = ran_ms;
        ring.next = (ring.next + 1) % KEPT;
        ring.len = (ring.len + 1).min(KEPT);
        let mut sorted = ring.times_ms;
        let sorted = &mut sorted[..ring.len];
        sorted.sort_unstable();
        // The nearest rank: a time that was really seen.
        let at = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100) - 1];
        ring.estimate = Estimate { p50_ms: at(50), p90_ms: at(90) };
        self.oldest.insert(self.records, (project, user));
        if self.rings.len() > USERS
            && let Some((_, forgotten)) = self.oldest.pop_first()
        {
            self.rings.remove(&forgotten);
        }
    }

    /// What a job of this user that may run for `wall_ms` milliseconds will take.
    ///
    /// Never more than `wall_ms`. Of a user who has not run anything, half of the jobs are guessed to take
    /// a tenth of their `wall_ms`, at most 10 s, and nine of ten all of it.
    pub fn estimate(&self, project: ProjectKey, user: UserKey, wall_ms: u64) -> Estimate {
        let estimate = match self.rings.get(&(project, user)) {
            Some(ring) => ring.estimate,
            None => Estimate { p50_ms: (wall_ms / 10).min(PRIOR_P50_MS), p90_ms: wall_ms },
        };
        Estimate { p50_ms: estimate.p50_ms.min(wall_ms), p90_ms: estimate.p90_ms.min(wall_ms) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: (ProjectKey, UserKey) = (ProjectKey(1), UserKey(1));

    fn after(times: impl IntoIterator<Item = u64>) -> Estimates {
        let mut estimates = Estimates::default();
        for ran_ms in times {
            estimates.record(ME.0, ME.1, ran_ms);
        }
        estimates
    }

    #[test]
    fn who_never_ran_anything_is_guessed_by_the_limit() {
        let said = |wall_ms| after([]).estimate(ME.0, ME.1, wall_ms);
        assert_eq!(said(60_000), Estimate { p50_ms: 6_000, p90_ms: 60_000 });
        assert_eq!(said(3_600_000), Estimate { p50_ms: 10_000, p90_ms: 3_600_000 });
    }

    #[test]
    fn estimates_are_run_times_that_were_seen() {
        let said = after((1..=10).map(|n| n * 100)).estimate(ME.0, ME.1, 60_000);
        assert_eq!(said, Estimate { p50_ms: 500, p90_ms: 900 });
        assert_eq!(after([7]).estimate(ME.0, ME.1, 60_000), Estimate { p50_ms: 7, p90_ms: 7 });
    }

    #[test]
    fn only_the_last_run_times_count() {
        let said = after([9_000; 100].into_iter().chain([10; KEPT])).estimate(ME.0, ME.1, 60_000);
        assert_eq!(said, Estimate { p50_ms: 10, p90_ms: 10 });
    }

    #[test]
    fn no_estimate_is_longer_than_the_job_may_run() {
        let said = after([9_000]).estimate(ME.0, ME.1, 1_000);
        assert_eq!(said, Estimate { p50_ms: 1_000, p90_ms: 1_000 });
    }

    #[test]
    fn who_ran_nothing_for_the_longest_time_is_forgotten_first() {
        let mut estimates = after([5]);
        for user in 2..=USERS as u128 {
            estimates.record(ME.0, UserKey(user), 5);
        }
        estimates.record(ME.0, ME.1, 5);
        estimates.record(ME.0, UserKey(0), 5);
        assert_eq!(estimates.rings.len(), USERS);
        assert!(estimates.rings.contains_key(&ME));
        assert!(!estimates.rings.contains_key(&(ME.0, UserKey(2))));
    }
}
