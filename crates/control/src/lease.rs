//! Leases: granting them, what is said under them, and what happens when they run out.
//!
//! Invariants:
//! 1. A lease is good for one attempt. What is said under another one than the job's present lease changes nothing.
//! 2. Entries of an attempt have places: what comes twice is recorded once, what has a gap before it is refused.
//! 3. What runs out before the program started is tried again; what runs out after ends as lost, unless its author
//!    said that it may run twice.

use gambeson_api::work::{Append, Appended, Entry, HeartbeatAnswer, Lease, Room, Settle};
use gambeson_api::{
    Code, Denial, Destination, Egress, End, EventBody, FileContent, JobId, JobState, LeaseId, Network, Outcome,
    Problem, Project, Report, Sample, Time, Vitals, WorkerId,
};
use tokio::sync::oneshot;

use crate::desk::{Act, Beat, Desk, Effect, Failure, Live, Poll, Present, State, report_without_run};
use crate::meters::Fact;
use crate::past::{Happened, Trouble};
use crate::queue::{Demand, JobKey, ProjectKey, UserKey, WorkerKey};
use crate::secret;
use crate::store::{BlobHold, JobRow, LeaseRow, StoreError};
use crate::vetting::{Kept, Verdicts};

/// Output beyond its limit that a worker may still bring: its own marks, a last piece.
const SLACK: u64 = 64 << 10;
/// After this time without a word of it, a lease that was granted is taken not to have arrived, milliseconds.
const UNHEARD_MS: u64 = 5_000;

/// Of a report, at most: refused acts, layers, and bytes of one text.
const DENIALS_MOST: usize = 200;
const LAYERS_MOST: usize = 64;
const TEXT_MOST: usize = 4 << 10;

/// No count of a sample is larger: what reads JSON may keep no more of a number.
const COUNT_MOST: u64 = 1 << 53;

/// So many times `attempts_max` a job is tried in all, those times included that its worker gave it back unstarted.
const HANDED_BACK_TIMES: u32 = 10;

/// How an attempt ended that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Its worker was not heard of.
    Unheard,
    /// Its worker gave it back.
    HandedBack,
}

fn lost(detail: impl Into<String>) -> Failure {
    Problem::new(Code::LeaseLost, detail).into()
}

/// Tells the queue of a worker, if it is new or has another size.
pub(crate) fn connect(state: &mut State, worker: WorkerId, room: Room, asking: bool) {
    let key = WorkerKey(worker.as_u128());
    let draining = state.workers.get(&worker).is_none_or(|row| row.draining);
    let slots = if draining { 0 } else { room.slots };
    let capacity = Demand { cpus_milli: room.cpus_milli, memory_bytes: room.memory_bytes };
    let held = u32::try_from(state.live.values().filter(|live| live.worker == worker).count()).unwrap_or(u32::MAX);
    let same = state
        .queue
        .workers()
        .any(|view| view.worker == key && view.capacity == capacity && view.slots_free == slots.saturating_sub(held));
    if !same {
        state.queue.worker_set(key, capacity, slots);
    }
    state.queue.worker_asks(key, asking && !draining);
}

/// Whether what a worker says of an attempt makes sense after what it said before.
fn may_be_recorded(live: &Live, entries: &[Entry]) -> Act<()> {
    let starts = entries.iter().filter(|entry| matches!(entry, Entry::Started {})).count();
    if starts + usize::from(live.started.is_some()) > 1 {
        return Err(Problem::new(Code::InvalidValue, "it started twice").into());
    }
    let more: u64 = entries
        .iter()
        .map(|entry| match entry {
            Entry::Output { data, .. } => data.0.len() as u64,
            Entry::Started {} | Entry::Elided { .. } | Entry::Denied { .. } | Entry::Egress(_) | Entry::Sample(_) => 0,
        })
        .sum();
    if live.output.saturating_add(more) > live.output_most.saturating_add(SLACK) {
        return Err(Problem::new(Code::TooLarge, "more output than the job's limit").into());
    }
    let denials =
        entries.iter().filter_map(|entry| if let Entry::Denied { denial } = entry { Some(denial) } else { None });
    if live.denials + denials.clone().count() > Append::DENIALS_MOST
        || denials.clone().any(|denial| denial.bytes() > Denial::BYTES_MOST)
    {
        return Err(Problem::new(Code::TooLarge, "more denials than are recorded").into());
    }
    let connections = entries.iter().filter_map(|entry| if let Entry::Egress(one) = entry { Some(one) } else { None });
    if live.connections + connections.clone().count() > Egress::ENTRIES_MOST + 1 {
        return Err(Problem::new(Code::TooLarge, "more connections than are told one by one").into());
    }
    let plain =
        |one: &Egress| (1..=255).contains(&one.host.len()) && one.host.bytes().all(|byte| byte.is_ascii_graphic());
    if !connections.clone().all(plain) {
        return Err(Problem::new(Code::InvalidValue, "a connection was to no host").into());
    }
    let mut before = live.sampled_ms;
    for sample in entries.iter().filter_map(|entry| if let Entry::Sample(one) = entry { Some(one) } else { None }) {
        let Sample { wall_ms, cpu_ms, memory_bytes, pids, disk_bytes, read_bytes, write_bytes } = *sample;
        let counts = [Some(wall_ms), Some(cpu_ms), memory_bytes, pids, disk_bytes, read_bytes, write_bytes];
        if wall_ms < before || counts.into_iter().flatten().any(|count| count > COUNT_MOST) {
            return Err(Problem::new(Code::InvalidValue, "a sample is of no time, or of no cell").into());
        }
        before = wall_ms;
    }
    Ok(())
}

/// A report, cut to what a worker of ours never has more of: it is kept, and read back with every look at its job.
fn bounded(mut report: Report) -> Report {
    let cut = |text: &mut String| text.truncate(text.floor_char_boundary(TEXT_MOST));
    let Outcome { end, message } = &mut report.outcome;
    cut(message);
    match end {
        End::LimitHit { limit: word, .. } | End::Fault { step: word } => cut(word),
        End::Exited { .. } | End::Signalled { .. } | End::Refused {} | End::Cancelled {} | End::Lost {} => {}
    }
    report.layers.truncate(LAYERS_MOST);
    for layer in &mut report.layers {
        cut(&mut layer.name);
        cut(&mut layer.detail);
    }
    report.denials.truncate(DENIALS_MOST);
    report.denials.retain(|denial| denial.bytes() <= Denial::BYTES_MOST);
    report
}

/// How a worker says that it is, cut to what can be: people look at it, and draw it.
fn believable(vitals: Vitals) -> Vitals {
    let percent = |part: Option<f64>| part.filter(|part| part.is_finite()).map(|part| part.clamp(0.0, 100.0));
    Vitals {
        cells: vitals.cells.min(COUNT_MOST),
        spares: vitals.spares.min(COUNT_MOST),
        cpu_pressure: percent(vitals.cpu_pressure),
        memory_pressure: percent(vitals.memory_pressure),
        io_pressure: percent(vitals.io_pressure),
    }
}

/// Says what helps against a connection that the job's list refused: its worker does not know what the project permits.
fn mend(denial: &mut Denial, project: &Project) {
    let target = denial.target.as_deref().and_then(|target| target.parse::<Destination>().ok());
    let Some(target) = target.filter(|_| denial.rule == "network.allow") else { return };
    denial.remedy = if project.network_allow.iter().any(|allowed| allowed.covers(&target)) {
        format!("Ask for network.allow = [\"{target}\"], which project {:?} permits.", project.name)
    } else {
        format!("Project {:?} does not permit {target}: an operator of the platform can.", project.name)
    };
}

impl Desk {
    /// A worker asks for leases: its request is parked. Returns its number.
    pub(crate) fn poll(&mut self, worker: WorkerId, room: Room, reply: oneshot::Sender<Vec<Lease>>) -> Act<u64> {
        self.seen(worker, Some(room))?;
        // A worker has one request at a time: an older one has lost its reader, or is about to.
        self.polls.retain(|_, poll| poll.worker != worker);
        self.next_poll += 1;
        self.polls.insert(self.next_poll, Poll { worker, reply, granted: Vec::new() });
        connect(&mut self.state, worker, room, true);
        Ok(self.next_poll)
    }

    /// A parked request is given up.
    pub(crate) fn unpark(&mut self, poll: u64) {
        if let Some(poll) = self.polls.remove(&poll) {
            self.state.queue.worker_asks(WorkerKey(poll.worker.as_u128()), false);
        }
    }

    fn seen(&mut self, worker: WorkerId, room: Option<Room>) -> Act<()> {
        let now = self.now();
        let Some(row) = self.state.workers.get_mut(&worker) else {
            return Err(Problem::new(Code::Unauthenticated, "this worker is not known any more").into());
        };
        let room = room.unwrap_or(row.room);
        let known = self.state.present.get(&worker);
        // Once a minute is often enough for people.
        let stored = known.map_or(Time(0), |present| present.stored);
        let store = now.since_ms(stored) > 60_000 || row.room != room;
        let stored = if store { now } else { stored };
        row.seen = now;
        row.room = room;
        if store {
            self.store.worker_put(row)?;
        }
        let is_new = known.is_none();
        let (heard, beat_ms) = (self.attended(), known.and_then(|present| present.beat_ms));
        let vitals = known.and_then(|present| present.vitals);
        self.state.present.insert(worker, Present { seen: now, heard, beat_ms, stored, room, vitals });
        if is_new {
            connect(&mut self.state, worker, room, false);
        }
        Ok(())
    }

    /// Gives waiting jobs to parked requests, as the queue decides.
    pub(crate) fn schedule(&mut self) -> Act<()> {
        let now = self.now();
        while !self.draining
            && let Some(grant) = self.state.queue.choose(now.0)
        {
            let job = JobId::from_u128(grant.job.0);
            let worker = WorkerId::from_u128(grant.worker.0);
            let Some(poll) = self.polls.iter().find(|(_, poll)| poll.worker == worker).map(|(number, _)| *number)
            else {
                // Nobody asks for it after all.
                self.state.queue.worker_asks(grant.worker, false);
                continue;
            };
            let Some(lease) = self.grant(job, worker)? else { continue };
            // The same request may bring home more.
            self.state.queue.worker_asks(grant.worker, true);
            if let Some(poll) = self.polls.get_mut(&poll) {
                poll.granted.push(lease);
            }
        }
        let served: Vec<u64> =
            self.polls.iter().filter(|(_, poll)| !poll.granted.is_empty()).map(|(number, _)| *number).collect();
        for number in served {
            if let Some(poll) = self.polls.remove(&number) {
                self.state.queue.worker_asks(WorkerKey(poll.worker.as_u128()), false);
                self.effects.push(Effect::Leases { reply: poll.reply, leases: poll.granted });
            }
        }
        Ok(())
    }

    /// `None` where the job may not run any more, and has ended.
    fn grant(&mut self, job: JobId, worker: WorkerId) -> Act<Option<Lease>> {
        let (now, attended) = (self.now(), self.attended());
        let gone = || StoreError::Failed(format!("{job} waits, but is not in the store"));
        let mut row = self.store.job(job)?.ok_or_else(gone)?;
        // The project may permit less than when the job was submitted.
        if let Some(message) = self.not_covered(&row) {
            self.end(row, report_without_run(End::Refused {}, message))?;
            return Ok(None);
        }
        let source = self.store.source(&row.source)?.ok_or_else(gone)?;
        let files: std::collections::BTreeMap<String, FileContent> =
            serde_json::from_slice(&source).map_err(|error| StoreError::Failed(error.to_string()))?;
        let input = self.store.input(&row)?;
        let fresh = secret::fresh("gml")?;
        let seq = if row.attempt == 0 { 1 } else { self.store.event_last(job)? };
        row.attempt += 1;
        row.state = JobState::Starting;
        row.worker = Some(worker);
        let lease = LeaseRow {
            id: LeaseId::new(),
            job,
            attempt: row.attempt,
            worker,
            hash: fresh.hash,
            appended: 0,
            started: false,
            granted: now,
            ended: None,
        };
        self.store.lease_put(&lease)?;
        self.store.job_update(&row)?;
        self.event(job, seq + 1, row.attempt, EventBody::Leased { worker })?;
        self.count(Fact::Leased);
        self.trace(job, || crate::trail::queued(&row, now));
        let (project, user) = (ProjectKey(row.project.as_u128()), UserKey(row.user.as_u128()));
        let expected = self.state.estimates.estimate(project, user, row.ask.limits.wall_ms);
        self.state.queue.start(JobKey(job.as_u128()), WorkerKey(worker.as_u128()), now.0, expected.p50_ms);
        self.state.books.change(row.project, row.user, |account| {
            account.queued = account.queued.saturating_sub(1);
            account.running += 1;
        });
        self.state.leases.insert(lease.id, job);
        self.state.live.insert(
            job,
            Live {
                project: row.project,
                user: row.user,
                worker,
                lease: lease.id,
                attempt: row.attempt,
                hash: lease.hash,
                appended: 0,
                granted: attended,
                started: None,
                expires: attended.plus_ms(self.config.lease_ms),
                cancel: row.cancel_requested,
                cancel_told: false,
                seq: seq + 1,
                output: 0,
                connections: 0,
                output_most: row.ask.limits.output_bytes,
                denials: 0,
                samples: 0,
                sampled_ms: 0,
            },
        );
        Ok(Some(Lease {
            id: lease.id,
            token: fresh.text,
            job,
            attempt: row.attempt,
            ttl_ms: self.config.lease_ms,
            files,
            entry: row.ask.entry,
            args: input.args,
            env: input.env,
            stdin: input.stdin,
            limits: row.ask.limits,
            network: row.ask.network,
            start: row.ask.start,
            array: row.array,
            denials: true,
            samples: true,
            may_rerun: row.ask.may_rerun,
        }))
    }

    /// Why a job may not connect to what it asked for, if so.
    fn not_covered(&self, row: &JobRow) -> Option<String> {
        let Network::Allow(places) = &row.ask.network else { return None };
        let Some(project) = self.state.directory.projects.get(&row.project) else {
            return Some("its project is gone".into());
        };
        let place = places.iter().find(|place| !project.network_allow.iter().any(|allowed| allowed.covers(place)))?;
        Some(format!(
            "it did not start: project {:?} does not permit {place} any more. Submit it without, or ask an operator",
            project.name
        ))
    }

    /// The job of a lease, if whoever asks has its token and it is the present one.
    pub(crate) fn leased(&self, lease: LeaseId, token: &str) -> Act<(JobId, &Live)> {
        let job = self.state.leases.get(&lease).copied();
        let found = job.and_then(|job| Some((job, self.state.live.get(&job)?)));
        let Some((job, live)) = found else {
            return Err(lost("it ran out, was given back, or its job ended"));
        };
        if !secret::matches(token, &live.hash) {
            self.note_stranger("lease.authenticate");
            return Err(Problem::new(Code::Unauthenticated, "that is not the token of this lease").into());
        }
        // What ran out is over, even before the clock's next look.
        if live.expires <= self.attended() {
            return Err(lost("it ran out"));
        }
        Ok((job, live))
    }

    /// Records what a worker says of an attempt.
    pub(crate) fn append(&mut self, lease: LeaseId, token: &str, append: Append) -> Act<Appended> {
        let (job, _) = self.leased(lease, token)?;
        self.record(job, append.first, append.entries)
    }

    fn record(&mut self, job: JobId, first: u64, entries: Vec<Entry>) -> Act<Appended> {
        let Some(mut live) = self.state.live.get(&job).cloned() else { return Err(lost("its job ended")) };
        if first > live.appended {
            let detail = format!("entry {} is missing: the first one sent is {first}", live.appended);
            return Err(Problem::new(Code::InvalidValue, detail).into());
        }
        if entries.len() > Append::ENTRIES_MOST {
            return Err(Problem::new(Code::TooLarge, "too many entries in one report").into());
        }
        let known = live.appended - first;
        let before = live.appended;
        let entries: Vec<Entry> = entries.into_iter().skip(usize::try_from(known).unwrap_or(usize::MAX)).collect();
        // All of it is looked at before any of it is written: a refusal does not undo what was.
        may_be_recorded(&live, &entries)?;
        for entry in entries {
            live.appended += 1;
            if let Entry::Sample(sample) = &entry {
                (live.samples, live.sampled_ms) = (live.samples + 1, sample.wall_ms);
                self.effects.push(Effect::Sampled { job, attempt: live.attempt, sample: *sample });
                // Whatever runs on and on, or a worker says, what is stored of it has an end.
                if live.samples > Append::SAMPLES_MOST {
                    continue;
                }
            }
            live.seq += 1;
            let body = match entry {
                Entry::Started {} => {
                    self.start(job, &mut live)?;
                    EventBody::Started {}
                }
                Entry::Output { stream, data } => {
                    live.output += data.0.len() as u64;
                    EventBody::Output { stream, data }
                }
                Entry::Elided { stream, bytes } => EventBody::Elided { stream, bytes },
                Entry::Denied { mut denial } => {
                    live.denials += 1;
                    if let Some(project) = self.state.directory.projects.get(&live.project) {
                        mend(&mut denial, project);
                    }
                    EventBody::Denied { denial }
                }
                Entry::Egress(connection) => {
                    live.connections += 1;
                    EventBody::Egress(connection)
                }
                Entry::Sample(sample) => EventBody::Sample(sample),
            };
            self.event(job, live.seq, live.attempt, body)?;
        }
        let next = live.appended;
        if next > before
            && let Some(mut row) = self.store.lease(live.lease)?
        {
            row.appended = next;
            row.started = live.started.is_some();
            self.store.lease_put(&row)?;
        }
        self.state.live.insert(job, live);
        Ok(Appended { next })
    }

    fn start(&mut self, job: JobId, live: &mut Live) -> Act<()> {
        let now = self.now();
        live.started = Some(now);
        if let Some(mut row) = self.store.job(job)? {
            row.state = JobState::Running;
            row.started = Some(now);
            self.store.job_update(&row)?;
            self.happened(Happened::Started { project: row.project, waited_ms: now.since_ms(row.submitted) });
            self.count(Fact::Started { class: row.class, waited_ms: now.since_ms(row.submitted) });
        }
        Ok(())
    }

    /// Ends an attempt as its worker says. A second time, it is the first.
    pub(crate) fn settle(&mut self, lease: LeaseId, token: &str, settle: Settle) -> Act<()> {
        let settle = Settle { report: bounded(settle.report), ..settle };
        let job = match self.leased(lease, token) {
            Ok((job, _)) => job,
            Err(Failure::Refused(problem)) if problem.code == Code::LeaseLost => {
                return self.settled_already(lease, token, &settle).then_some(()).ok_or(Failure::Refused(problem));
            }
            Err(other) => return Err(other),
        };
        self.record(job, settle.first, settle.entries)?;
        let Some(mut row) = self.store.job(job)? else { return Err(lost("its job is gone")) };
        let mut skipped = settle.skipped;
        for artifact in settle.artifacts {
            let why = match crate::admit::path_is_plain(&artifact.path) {
                Err(why) => Some(format!("its path {why}")),
                Ok(()) => self.keep_artifact(&row, &artifact)?,
            };
            if let Some(why) = why {
                let path = artifact.path.chars().take(200).filter(|c| !c.is_control()).collect();
                skipped.push(gambeson_api::work::Skipped { path, why });
            }
        }
        skipped.truncate(200);
        for one in &mut skipped {
            for text in [&mut one.path, &mut one.why] {
                text.truncate(text.floor_char_boundary(TEXT_MOST));
            }
        }
        row.skipped = skipped;
        let mut report = settle.report;
        if let Some(project) = self.state.directory.projects.get(&row.project) {
            report.denials.iter_mut().for_each(|denial| mend(denial, project));
        }
        row.verdicts = self.verdicts(&row, &report)?;
        let detail = serde_json::json!({
            "attempt": row.attempt,
            "outcome": report.outcome.end.kind(),
            "cpu_ms": report.usage.cpu_ms as u64,
            "worker": row.worker.map(|worker| worker.to_string()),
        });
        self.audit_own("worker", "job.settle", job, row.project, detail)?;
        self.count(Fact::LeaseEnded { how: "settled" });
        self.end(row, report)?;
        Ok(())
    }

    /// Sets what was foretold of a run beside what was refused in it, and counts how that came out.
    fn verdicts(&mut self, row: &JobRow, report: &gambeson_api::Report) -> Act<Option<Verdicts>> {
        // What never ran confirms nothing, and of what nobody read nothing was foretold.
        let (Some(count), Some(_)) = (row.vetted, row.started) else { return Ok(None) };
        if count == 0 && report.denials.is_empty() {
            return Ok(None);
        }
        let body = if count > 0 { self.store.findings(row.findings_holder())? } else { None };
        // What cannot be read is no advice any more; the run is what counts.
        let kept: Kept = body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        let mut verdicts = kept.verdicts(&report.denials);
        if kept.incomplete {
            // Nothing was foretold of what was left unread.
            verdicts.missed.clear();
        }
        for ((what, outcome), count) in kept.counts(&verdicts, &report.denials) {
            self.store.vet_record_add(&what, outcome, count)?;
        }
        Ok(Some(verdicts).filter(|verdicts| !verdicts.is_empty()))
    }

    /// Whether this very settling was recorded, and its answer got lost on the way. A job may also have ended under this
    /// lease by our own word, when it ran out: of that, the worker's report is no part.
    fn settled_already(&self, lease: LeaseId, token: &str, settle: &Settle) -> bool {
        let Ok(Some(row)) = self.store.lease(lease) else { return false };
        let ended = self.store.job(row.job).ok().flatten();
        secret::matches(token, &row.hash)
            && row.ended.is_some()
            && ended.is_some_and(|job| {
                job.state == JobState::Ended
                    && job.attempt == row.attempt
                    && job.report.is_some_and(|report| report.outcome == settle.report.outcome)
            })
    }

    /// Keeps an artifact that was uploaded for this job, or says why not. A digest alone is no key: whatever else has it
    /// may be of a project that this one must not read.
    fn keep_artifact(&mut self, row: &JobRow, artifact: &gambeson_api::Artifact) -> Act<Option<String>> {
        let uploaded = self.store.is_held_by(&artifact.digest, row.project, row.user, row.id)?;
        let Some(size) = self.store.blob_size(&artifact.digest)?.filter(|_| uploaded) else {
            return Ok(Some("it was not uploaded".into()));
        };
        let kept = self.hold(BlobHold {
            digest: artifact.digest,
            project: row.project,
            user: row.user,
            job: Some(row.id),
            size,
            until: None,
        })?;
        if let Err(problem) = kept {
            return Ok(Some(problem.detail));
        }
        let artifact = gambeson_api::Artifact { size, ..artifact.clone() };
        self.store.artifact_put(row.id, &artifact)?;
        Ok(None)
    }

    /// Keeps a blob for somebody, if the quota allows it; what they keep already costs nothing more.
    pub(crate) fn hold(&mut self, hold: BlobHold) -> Act<Result<(), Problem>> {
        if !self.store.is_kept(&hold.digest, hold.project, hold.user)? {
            let quotas = self.state.quotas(hold.project)?;
            if let Err(problem) = self.state.books.may_store(hold.project, hold.user, quotas, hold.size) {
                return Ok(Err(problem));
            }
            self.state.books.change(hold.project, hold.user, |account| account.stored += hold.size);
        }
        self.store.hold_put(&hold)?;
        Ok(Ok(()))
    }

    /// A worker that did not start its job gives it back.
    pub(crate) fn hand_back(&mut self, lease: LeaseId, token: &str, why: &str) -> Act<()> {
        let _ = self.leased(lease, token)?;
        let why: String = why.chars().filter(|c| !c.is_control()).take(300).collect();
        self.retry_after(lease, &format!("the worker gave it back: {why}"), Ended::HandedBack)
    }

    /// A lease ran out.
    pub(crate) fn expire(&mut self, lease: LeaseId) -> Act<()> {
        self.retry(lease, "its worker was not heard of in time")
    }

    /// An attempt came to nothing, without a word of its worker: the job waits again, or ends.
    pub(crate) fn retry(&mut self, lease: LeaseId, why: &str) -> Act<()> {
        self.retry_after(lease, why, Ended::Unheard)
    }

    fn retry_after(&mut self, lease: LeaseId, why: &str, how: Ended) -> Act<()> {
        let Some(job) = self.state.leases.get(&lease).copied() else { return Ok(()) };
        let Some(live) = self.state.live.get(&job).cloned() else { return Ok(()) };
        let Some(mut row) = self.store.job(job)? else { return Ok(()) };
        let now = self.now();
        let detail = serde_json::json!({"attempt": row.attempt, "started": live.started.is_some(), "why": why});
        self.audit_own("system", "lease.end", job, row.project, detail)?;
        if how == Ended::Unheard {
            self.happened(Happened::Trouble(Trouble::LeaseLost { worker: live.worker }));
        }
        self.count(Fact::LeaseEnded { how: if how == Ended::HandedBack { "handed_back" } else { "lost" } });
        if live.cancel {
            let report = report_without_run(End::Cancelled {}, "it was cancelled; its worker did not report on it");
            return Ok(self.end(row, report)?);
        }
        if live.started.is_some() && !row.ask.may_rerun {
            let message = format!(
                "{why}, after the program had started; it may have had effects and is not run again. Submit it again, \
                 with may_rerun if running twice does no harm"
            );
            return Ok(self.end(row, report_without_run(End::Lost {}, message))?);
        }
        // A worker that stops, or has no room, says nothing against the job: it is tried more often then, but not for ever.
        row.handed_back += u32::from(how == Ended::HandedBack && live.started.is_none());
        let failed = row.attempt.saturating_sub(row.handed_back);
        let attempts_all = self.config.attempts_max.saturating_mul(HANDED_BACK_TIMES);
        if failed >= self.config.attempts_max || row.attempt >= attempts_all {
            let message = format!("given up after {} attempts: {why}; nothing is charged", row.attempt);
            let report = report_without_run(End::Fault { step: "run it on a worker".into() }, message);
            return Ok(self.end(row, report)?);
        }
        self.state.leases.remove(&lease);
        self.state.live.remove(&job);
        let granted = self.end_lease(lease)?;
        self.trace_lease(&row, granted, if how == Ended::HandedBack { "handed back" } else { "lost" });
        // A second, then two: a worker that cannot start anything must not use up all attempts at once.
        row.not_before = now.plus_ms(1000 * u64::from(row.attempt));
        row.state = JobState::Queued;
        row.started = None;
        self.store.job_update(&row)?;
        self.event(job, live.seq + 1, row.attempt, EventBody::Requeued { why: why.to_owned() })?;
        self.count(Fact::Requeued);
        self.state.queue.requeue(JobKey(job.as_u128()), row.not_before.0);
        self.state.books.change(row.project, row.user, |account| {
            account.running = account.running.saturating_sub(1);
            account.queued += 1;
        });
        Ok(())
    }

    /// A worker says what it has. Answered at once where it has something to do, else parked.
    pub(crate) fn beat(
        &mut self,
        worker: WorkerId,
        leases: &[LeaseId],
        vitals: Option<Vitals>,
        reply: oneshot::Sender<HeartbeatAnswer>,
    ) -> Act<()> {
        self.seen(worker, self.state.present.get(&worker).map(|present| present.room))?;
        let now = self.attended();
        let mut answer = HeartbeatAnswer { ttl_ms: self.config.lease_ms, ..HeartbeatAnswer::default() };
        // One that was not heard for long may be near the end of what it holds: it must not wait for its answer.
        let steady_ms = self.clock.steady_ms();
        let mut urgent = self.state.present.get_mut(&worker).is_some_and(|present| {
            present.vitals = vitals.map(believable);
            let before = present.beat_ms.replace(steady_ms);
            before.is_none_or(|before| steady_ms.saturating_sub(before) > self.config.lease_ms / 2)
        });
        for lease in leases {
            let job = self.state.leases.get(lease).copied();
            match job.and_then(|job| self.state.live.get_mut(&job)) {
                Some(live) if live.worker == worker && live.expires > now => {
                    live.expires = now.plus_ms(self.config.lease_ms);
                    if live.cancel {
                        answer.cancel.push(*lease);
                        urgent |= !live.cancel_told;
                        live.cancel_told = true;
                    }
                }
                _ => answer.lost.push(*lease),
            }
        }
        let unheard: Vec<LeaseId> = self
            .state
            .live
            .values()
            .filter(|live| {
                live.worker == worker
                    && live.started.is_none()
                    && live.appended == 0
                    && now.since_ms(live.granted) > UNHEARD_MS
                    && !leases.contains(&live.lease)
            })
            .map(|live| live.lease)
            .collect();
        for lease in unheard {
            self.retry(lease, "its worker never got it")?;
        }
        answer.drain = self.drains(worker);
        if urgent || !answer.lost.is_empty() {
            self.effects.push(Effect::Beat { reply, answer });
        } else {
            self.beats.insert(worker, Beat { reply });
        }
        Ok(())
    }

    /// Whether a worker is to take no more jobs.
    fn drains(&self, worker: WorkerId) -> bool {
        self.draining || self.state.workers.get(&worker).is_some_and(|row| row.draining)
    }

    /// Has a parked heartbeat of a job's worker answered: the job is to be cancelled.
    pub(crate) fn tell_cancel(&mut self, job: JobId) {
        let Some(live) = self.state.live.get_mut(&job) else { return };
        live.cancel = true;
        let Some(beat) = self.beats.remove(&live.worker) else { return };
        live.cancel_told = true;
        let (worker, lease) = (live.worker, live.lease);
        let answer = HeartbeatAnswer {
            cancel: vec![lease],
            ttl_ms: self.config.lease_ms,
            drain: self.drains(worker),
            ..HeartbeatAnswer::default()
        };
        self.effects.push(Effect::Beat { reply: beat.reply, answer });
    }

    /// Has a parked heartbeat answered: whether its worker is to take jobs has changed.
    pub(crate) fn tell_drain(&mut self, worker: WorkerId) {
        let Some(beat) = self.beats.remove(&worker) else { return };
        let answer = self.quiet_beat(worker);
        self.effects.push(Effect::Beat { reply: beat.reply, answer });
    }

    /// What a parked heartbeat hears when its time is over.
    pub(crate) fn quiet_beat(&self, worker: WorkerId) -> HeartbeatAnswer {
        // A cancellation is said until the job has ended: an answer may get lost on its way.
        let cancelled = self.state.live.values().filter(|live| live.worker == worker && live.cancel);
        HeartbeatAnswer {
            cancel: cancelled.map(|live| live.lease).collect(),
            lost: Vec::new(),
            ttl_ms: self.config.lease_ms,
            drain: self.drains(worker),
        }
    }
}
