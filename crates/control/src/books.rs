//! Who has what, and who may have how much: counts by project and by user in it.
//!
//! Reserve, then settle: what a job may use of the day's CPU time is reserved when it is accepted, and replaced by
//! what it used when it ends. The counts are derived: they are made anew from the store whenever in doubt.

use std::collections::HashMap;

use gambeson_api::{Code, Problem, ProjectId, Quota, UserId};

/// The counts of one project, or of one user in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Jobs waiting.
    pub queued: u64,
    /// Jobs with a worker.
    pub running: u64,
    /// CPU time that jobs which have not ended may still use, milliseconds.
    pub cpu_reserved_ms: u64,
    /// CPU time that was charged today, milliseconds.
    pub cpu_used_ms: u64,
    /// Jobs that ended today.
    pub jobs: u64,
    /// Bytes kept.
    pub stored: u64,
}

/// All counts of one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Books {
    /// The day (UTC), in days since the epoch.
    pub day: u32,
    projects: HashMap<ProjectId, Account>,
    users: HashMap<(ProjectId, UserId), Account>,
}

pub(crate) const DAY_MS: u64 = 86_400_000;

impl Books {
    /// Empty ones of a day.
    pub(crate) fn of(day: u32) -> Books {
        Books { day, ..Books::default() }
    }

    pub(crate) fn project(&self, project: ProjectId) -> Account {
        self.projects.get(&project).copied().unwrap_or_default()
    }

    pub(crate) fn user(&self, project: ProjectId, user: UserId) -> Account {
        self.users.get(&(project, user)).copied().unwrap_or_default()
    }

    pub(crate) fn projects(&self) -> impl Iterator<Item = (&ProjectId, &Account)> {
        self.projects.iter()
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = (&(ProjectId, UserId), &Account)> {
        self.users.iter()
    }

    /// Changes the counts of a user, and with them those of the project.
    pub(crate) fn change(&mut self, project: ProjectId, user: UserId, change: impl Fn(&mut Account)) {
        change(self.projects.entry(project).or_default());
        change(self.users.entry((project, user)).or_default());
    }

    /// A new day has begun: what was used yesterday no longer counts.
    pub(crate) fn turn(&mut self, day: u32) {
        if day != self.day {
            self.day = day;
            for account in self.projects.values_mut().chain(self.users.values_mut()) {
                account.cpu_used_ms = 0;
                account.jobs = 0;
            }
        }
    }

    /// Whether `count` jobs of `cpu_ms` each may be accepted, at `now_ms`.
    ///
    /// # Errors
    /// Names the first quota that does not allow it, and when to try again.
    pub(crate) fn may_submit(
        &self,
        project: ProjectId,
        user: UserId,
        quotas: (&Quota, &Quota),
        count: u64,
        cpu_ms: u64,
        now_ms: u64,
    ) -> Result<(), Problem> {
        let sides = [
            ("the project", self.project(project), quotas.0),
            ("you in this project", self.user(project, user), quotas.1),
        ];
        for (whose, account, quota) in sides {
            if account.queued + count > quota.queued {
                let detail = format!(
                    "{whose} may have {} jobs waiting; {} wait, and {count} more are submitted",
                    quota.queued, account.queued
                );
                return Err(Problem::new(Code::QuotaExceeded, detail).retry_after(10));
            }
            let asked = cpu_ms.saturating_mul(count);
            let held = account.cpu_used_ms + account.cpu_reserved_ms;
            if held.saturating_add(asked) > quota.cpu_ms_per_day {
                let detail = format!(
                    "{whose} may use {} s of CPU time a day (UTC); {} s are used, {} s are reserved for jobs that wait \
                     or run, and {} s more are asked for",
                    quota.cpu_ms_per_day / 1000,
                    account.cpu_used_ms / 1000,
                    account.cpu_reserved_ms / 1000,
                    asked / 1000
                );
                // What is reserved and not used is free again sooner; what is used, at midnight.
                let wait_ms = if account.cpu_used_ms.saturating_add(asked) > quota.cpu_ms_per_day {
                    DAY_MS - now_ms % DAY_MS
                } else {
                    30_000
                };
                return Err(Problem::new(Code::QuotaExceeded, detail).retry_after(wait_ms.div_ceil(1000)));
            }
        }
        Ok(())
    }

    /// Whether `bytes` more may be kept.
    ///
    /// # Errors
    /// Names the quota that does not allow it.
    pub(crate) fn may_store(
        &self,
        project: ProjectId,
        user: UserId,
        quotas: (&Quota, &Quota),
        bytes: u64,
    ) -> Result<(), Problem> {
        let sides = [
            ("the project", self.project(project), quotas.0),
            ("you in this project", self.user(project, user), quotas.1),
        ];
        for (whose, account, quota) in sides {
            if account.stored.saturating_add(bytes) > quota.stored_bytes {
                let detail = format!(
                    "{whose} may keep {} bytes; {} are kept, and {bytes} more come",
                    quota.stored_bytes, account.stored
                );
                return Err(Problem::new(Code::QuotaExceeded, detail).retry_after(3600));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { running: 1, queued: 10, cpu_ms_per_day: 100_000, stored_bytes: 1000 };

    #[test]
    fn a_quota_names_itself_and_when_to_come_again() {
        let (project, user) = (ProjectId::new(), UserId::new());
        let mut books = Books::default();
        let may = |books: &Books, count, cpu| books.may_submit(project, user, (&QUOTA, &QUOTA), count, cpu, 1000);
        assert!(may(&books, 10, 10_000).is_ok());
        assert!(may(&books, 11, 1).unwrap_err().detail.contains("may have 10 jobs waiting"));
        assert_eq!(may(&books, 10, 10_001).unwrap_err().retry_after_s, Some(86_399));
        books.change(project, user, |account| account.cpu_reserved_ms += 95_000);
        assert_eq!(may(&books, 1, 10_000).unwrap_err().retry_after_s, Some(30), "what is reserved comes free sooner");
        books.change(project, user, |account| account.stored += 990);
        assert!(books.may_store(project, user, (&QUOTA, &QUOTA), 11).is_err());
        assert!(books.may_store(project, user, (&QUOTA, &QUOTA), 10).is_ok());
    }

    #[test]
    fn a_user_counts_in_the_project_and_another_user_not_in_theirs() {
        let (project, ada, eve) = (ProjectId::new(), UserId::new(), UserId::new());
        let mut books = Books::default();
        books.change(project, ada, |account| account.queued += 10);
        let wide = Quota { queued: 100, ..QUOTA };
        assert!(books.may_submit(project, eve, (&wide, &QUOTA), 10, 1, 0).is_ok());
        assert!(books.may_submit(project, eve, (&QUOTA, &QUOTA), 1, 1, 0).is_err());
    }
}
