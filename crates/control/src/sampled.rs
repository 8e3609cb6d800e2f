//! What running jobs use now, as their workers said last.
//!
//! It is in memory only: after a restart a job shows nothing until its next sample. The samples themselves are events.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gambeson_api::{Job, JobId, JobState, Sample};

/// The last samples, with the attempts that they are of.
#[derive(Debug, Default)]
pub(crate) struct Sampled {
    jobs: Mutex<HashMap<JobId, (u32, Sample)>>,
}

impl Sampled {
    /// What an attempt uses now.
    pub(crate) fn put(&self, job: JobId, attempt: u32, sample: Sample) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).insert(job, (attempt, sample));
    }

    /// A job has ended. Of one that waits again nothing is shown either, since its next attempt has another number.
    pub(crate) fn forget(&self, job: JobId) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
    }

    /// The same job, with what it uses now if it runs.
    #[must_use]
    pub(crate) fn shown(&self, job: Job) -> Job {
        if job.state != JobState::Running {
            return job;
        }
        let last = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).get(&job.id).copied();
        let now = last.filter(|(attempt, _)| *attempt == job.attempt).map(|(_, sample)| sample);
        Job { now, ..job }
    }
}
