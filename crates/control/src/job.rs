//! What the writer does with jobs before a worker has them: queueing, cancelling, looking ahead.
//!
//! Invariants:
//! 1. All that can refuse a submission is looked at before its first row is written.
//! 2. A job that was asked to be cancelled ends, whatever state it was in; one that ended stays as it is.

use std::sync::Arc;

use gambeson_api::{
    ArrayId, ArrayPlace, Code, Digest, End, EventBody, JobId, JobState, KeyId, Problem, ProjectId, SubmittedArray,
    Time, UserId, Waiting,
};

use crate::admit::Admitted;
use crate::desk::{Act, Desk, Effect, day_of, report_without_run};
use crate::meters::Fact;
use crate::past::Happened;
use crate::queue::{Estimates, JobKey, Outlook};
use crate::store::{BlobHold, Hold, JobRow, OpenJob, Remembered, StoreError};
use crate::vetting::Kept;

/// What an operation of submitting answers.
pub(crate) enum Submitted {
    /// A new job, and why it waits where that is told.
    Job(Box<JobRow>, Option<Waiting>),
    /// An idempotency key's job of before.
    Before(JobId),
    Array(SubmittedArray),
}

/// With more jobs than this in the queue, a submission's answer does not say when its job will start: that is asked
/// of the job itself, and costs whoever asks the time, not everybody who submits.
const TOLD_AT_ONCE: usize = 100;

/// Elements of an array that one operation cancels, or approves.
const CANCELLED_AT_ONCE: u32 = 200;

/// Held jobs that one look at the clock ends.
const EXPIRED_AT_ONCE: usize = 100;

/// What was decided about a submission beside that it is accepted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// What was remarked about its source; `None` if nobody read it.
    pub findings: Option<Kept>,
    /// Why it waits for an approval, if it does.
    pub hold: Option<Hold>,
    /// Rows that tell of what was demanded.
    pub rows: Vec<gambeson_api::AuditRow>,
}

/// Files, or arguments and input, of so many bytes count nothing against what may be kept: quotas of waiting jobs bound
/// their number.
const KEPT_FREE: u64 = 16 << 10;

/// Why a job waits, where nobody has the time to look ahead.
pub(crate) fn waiting_unforeseen(outlook: &Outlook) -> Option<Waiting> {
    let why = format!("{}; its place and its start were not computed: the server is busy", outlook.explain(None)?);
    Some(Waiting { position: None, expected_start_p50: None, expected_start_p90: None, why, held: false })
}

/// Why and how long a job waits.
pub(crate) fn waiting(outlook: &Outlook, estimates: &Estimates) -> Option<Waiting> {
    let forecast = outlook.forecast(&|project, user, wall_ms| estimates.estimate(project, user, wall_ms))?;
    Some(Waiting {
        position: Some(forecast.position.saturating_sub(1)),
        expected_start_p50: forecast.start_p50_ms.map(Time),
        expected_start_p90: forecast.start_p90_ms.map(Time),
        why: outlook.explain(Some(forecast.position))?.to_string(),
        held: false,
    })
}

/// A job as the queue needs it.
fn open(row: &JobRow) -> OpenJob {
    let limits = &row.ask.limits;
    OpenJob {
        id: row.id,
        order: row.order,
        project: row.project,
        user: row.user,
        state: row.state,
        class: row.class,
        submitted: row.submitted,
        not_before: row.not_before,
        started: row.started,
        cpus_milli: limits.cpus_milli,
        memory_bytes: limits.memory_bytes,
        wall_ms: limits.wall_ms,
        cpu_ms: limits.cpu_ms,
        held: row.held.is_some(),
    }
}

impl Desk {
    /// Queues what was admitted: quota, rows, events, reservation, in one operation.
    pub(crate) fn submit(
        &mut self,
        admitted: Admitted,
        conditions: Conditions,
        project: ProjectId,
        user: UserId,
        key: KeyId,
        (first, array): (JobId, Option<ArrayId>),
    ) -> Act<Submitted> {
        let now = self.now();
        if let Some(idempotency) = &admitted.idempotency
            && let Some(before) = self.store.remembered(user, project, &idempotency.key)?
        {
            if before.fingerprint != idempotency.fingerprint {
                let detail = format!("it was used for {}, whose submission was another", before.job);
                return Err(Problem::new(Code::IdempotencyMismatch, detail).into());
            }
            return Ok(match before.array {
                Some((array, size)) => Submitted::Array(SubmittedArray { array, size, first: before.job }),
                None => Submitted::Before(before.job),
            });
        }
        let count = admitted.array.unwrap_or(1);
        let limits = admitted.ask.limits;
        self.state.books.turn(day_of(now));
        let quotas = self.state.quotas(project)?;
        self.state.books.may_submit(project, user, quotas, count.into(), limits.cpu_ms, now.0)?;
        let mut kept = self.blobs_of(&admitted, project)?;
        // Once for all elements of an array: ten thousand times as many rows would keep everybody waiting.
        let holder = array.map_or(first, |array| JobId::from_u128(array.as_u128()));
        // What was sent with the submission is kept as well, and counts where it is more than a few lines: the files once,
        // however often they come; the rest, which is no blob, under a digest of its own, since each job has its own.
        let files = (admitted.source, admitted.source_body.len() as u64);
        let rest = (Digest::of(holder.to_string().as_bytes()), admitted.ask_bytes * u64::from(count));
        kept.extend([files, rest].into_iter().filter(|(_, size)| *size > KEPT_FREE));
        let mut more = 0;
        for (digest, size) in &kept {
            if !self.store.is_kept(digest, project, user)? {
                more += size;
            }
        }
        // All that could refuse it is behind us when the first row is written: a refusal undoes nothing.
        self.state.books.may_store(project, user, quotas, more)?;
        self.store.source_put(&admitted.source, &admitted.source_body)?;
        if let Some((digest, body)) = &admitted.input {
            self.store.source_put(digest, body)?;
        }
        for (digest, size) in kept.iter().copied() {
            self.hold(BlobHold { digest, project, user, job: Some(holder), size, until: None })??;
        }
        // Once for all elements, as the files are.
        let findings = conditions.findings.as_ref().filter(|kept| !kept.findings.is_empty());
        if let Some(findings) = findings {
            let body = serde_json::to_vec(findings).map_err(|error| StoreError::Failed(error.to_string()))?;
            self.store.findings_put(holder, &body)?;
        }
        for row in conditions.rows {
            self.audit(row)?;
        }
        let mut single = None;
        for index in 0..count {
            // Ids of one array follow each other: so do its elements in every list.
            let id = JobId::from_u128(first.as_u128() + u128::from(index));
            self.state.order += 1;
            let row = JobRow {
                id,
                order: self.state.order,
                project,
                user,
                key,
                state: JobState::Queued,
                class: admitted.class,
                source: admitted.source,
                ask: admitted.ask.clone(),
                input: admitted.input.as_ref().map(|(digest, _)| *digest),
                array: array.map(|id| ArrayPlace { id, index, size: count }),
                submitted: now,
                not_before: Time(0),
                started: None,
                ended: None,
                attempt: 0,
                handed_back: 0,
                worker: None,
                cancel_requested: false,
                report: None,
                skipped: Vec::new(),
                vetted: conditions.findings.as_ref().map(|kept| kept.findings.len() as u32),
                held: conditions.hold.clone(),
                verdicts: None,
            };
            self.store.job_insert(&row)?;
            self.event(id, 1, 0, EventBody::Queued {})?;
            self.state.enter(&open(&row));
            single = Some(row).filter(|_| array.is_none());
        }
        self.count(Fact::Submitted { class: admitted.class, jobs: count });
        self.state.books.change(project, user, |account| {
            account.queued += u64::from(count);
            account.cpu_reserved_ms += limits.cpu_ms * u64::from(count);
        });
        self.happened(Happened::Submitted { project, jobs: count });
        if let Some(idempotency) = &admitted.idempotency {
            let what = Remembered {
                fingerprint: idempotency.fingerprint,
                job: first,
                array: array.map(|array| (array, count)),
            };
            self.store.remember(user, project, &idempotency.key, &what, now)?;
        }
        Ok(match (single, array) {
            (Some(row), _) => {
                let waiting = if self.state.queue.len() <= TOLD_AT_ONCE {
                    self.outlook(first).and_then(|(outlook, estimates)| waiting(&outlook, &estimates))
                } else {
                    None
                };
                Submitted::Job(Box::new(row), waiting)
            }
            (None, Some(array)) => Submitted::Array(SubmittedArray { array, size: count, first }),
            (None, None) => Submitted::Before(first),
        })
    }

    /// The blobs that a submission names, with their sizes.
    fn blobs_of(&self, admitted: &Admitted, project: ProjectId) -> Act<Vec<(Digest, u64)>> {
        let mut blobs = Vec::new();
        let mut missing = Vec::new();
        for digest in &admitted.blobs {
            // A blob of another project is not there: else a digest would be a key to its content.
            match self.store.blob_size(digest)? {
                Some(size) if self.store.is_held(digest, project)? => blobs.push((*digest, size)),
                _ => missing.push(digest.to_string()),
            }
        }
        if !missing.is_empty() {
            let more = missing.len().saturating_sub(20);
            missing.truncate(20);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            return Err(Problem::new(Code::BlobsMissing, format!("{}{more}", missing.join(", "))).into());
        }
        let size: u64 = blobs.iter().map(|(_, size)| size).sum();
        if size > admitted.ask.limits.disk_bytes {
            let detail = format!("the files have {size} bytes, the limit disk is {}", admitted.ask.limits.disk_bytes);
            return Err(Problem::new(Code::InvalidSubmission, detail).into());
        }
        blobs.sort_unstable();
        blobs.dedup();
        Ok(blobs)
    }

    /// Cancels a job in whatever state it is.
    pub(crate) fn cancel(&mut self, id: JobId, by: &str) -> Act<()> {
        let Some(mut row) = self.store.job(id)? else {
            return Err(Problem::new(Code::NotFound, format!("there is no {id} that you may see")).into());
        };
        match row.state {
            JobState::Ended => Ok(()),
            JobState::Queued => {
                row.cancel_requested = true;
                let message = format!("cancelled by {by} before it started");
                Ok(self.end(row, report_without_run(End::Cancelled {}, message))?)
            }
            JobState::Starting | JobState::Running if row.cancel_requested => Ok(()),
            JobState::Starting | JobState::Running => {
                row.cancel_requested = true;
                self.store.job_update(&row)?;
                let seq = match self.state.live.get_mut(&id) {
                    Some(live) => {
                        live.seq += 1;
                        live.seq
                    }
                    None => self.store.event_last(id)? + 1,
                };
                self.event(id, seq, row.attempt, EventBody::CancelRequested {})?;
                self.tell_cancel(id);
                Ok(())
            }
        }
    }

    /// Cancels some elements of an array, after one. The last of them, if there may be more.
    pub(crate) fn cancel_some(&mut self, array: ArrayId, after: JobId, by: &str) -> Act<Option<JobId>> {
        let open = self.store.array_open(array, after, CANCELLED_AT_ONCE)?;
        for job in &open {
            self.cancel(*job, by)?;
        }
        Ok(open.last().filter(|_| open.len() == CANCELLED_AT_ONCE as usize).copied())
    }

    /// Lets a held job run. One that is not held stays as it is.
    pub(crate) fn approve(&mut self, id: JobId) -> Act<()> {
        let Some(mut row) = self.store.job(id)? else {
            return Err(Problem::new(Code::NotFound, format!("there is no {id} that you may see")).into());
        };
        if row.state != JobState::Queued || row.held.take().is_none() {
            return Ok(());
        }
        self.store.job_update(&row)?;
        self.state.held.remove(&id);
        self.effects.push(Effect::Changed { job: id });
        // It waits for a worker only from now on.
        self.state.enter(&OpenJob { submitted: self.now(), ..open(&row) });
        Ok(())
    }

    /// Lets some elements of an array run, after one. The last of them, if there may be more.
    pub(crate) fn approve_some(&mut self, array: ArrayId, after: JobId) -> Act<Option<JobId>> {
        let open = self.store.array_open(array, after, CANCELLED_AT_ONCE)?;
        for job in &open {
            self.approve(*job)?;
        }
        Ok(open.last().filter(|_| open.len() == CANCELLED_AT_ONCE as usize).copied())
    }

    /// Ends held jobs that nobody approved for too long.
    pub(crate) fn expire_held(&mut self) -> Act<()> {
        let now = self.now();
        let most = self.config.keep_held_ms;
        let over = self.state.held.iter().filter(|(_, held)| now.since_ms(held.since) > most);
        let over: Vec<JobId> = over.map(|(job, _)| *job).take(EXPIRED_AT_ONCE).collect();
        for job in over {
            let Some(row) = self.store.job(job)? else {
                self.state.held.remove(&job);
                continue;
            };
            let message = "it needed an approval, and nobody gave it in time; nothing is charged";
            self.end(row, report_without_run(End::Cancelled {}, message))?;
        }
        Ok(())
    }

    /// What is needed to tell when a job will start; `None` if it does not wait. Cheap, whatever the queue's length.
    pub(crate) fn outlook(&self, id: JobId) -> Option<(Outlook, Arc<Estimates>)> {
        let outlook = self.state.queue.outlook(JobKey(id.as_u128()), self.now().0)?;
        Some((outlook, Arc::clone(&self.state.estimates)))
    }
}
