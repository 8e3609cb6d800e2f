//! Submitting, seeing, following and cancelling jobs.

use std::time::Duration;

use gambeson_api::trace::Moment;
use gambeson_api::{
    Accepted, Array, ArrayId, Artifact, Code, EventBody, Job, JobId, JobList, JobSource, JobState, Network,
    OutputStream, Problem, Submission, UserId, Waiting,
};
use tokio::sync::watch;

use super::follower::{EVENTS_MOST, Follower};
use super::vet::Approvers;
use super::{Answer, Caller, Control, Standing, Target, as_project, unseen};
use crate::access::{self, Action};
use crate::admit::{Admitted, admit};
use crate::desk::Desk;
use crate::directory::Directory;
use crate::job::{Submitted, waiting, waiting_unforeseen};
use crate::store::{JobQuery, JobRow, STREAM_MOST, Store, StoreError, Stored};
use crate::trail::Accepting;
use crate::vetting::{self, Advice};
use crate::watch::Told;

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only those in this state.
    pub state: Option<JobState>,
    /// Only those of this project, by name or id.
    pub project: Option<String>,
    /// Only those of this user, by name or id.
    pub user: Option<String>,
    /// Only those with this label, `name=value`.
    pub label: Option<String>,
    /// Only the elements of this array.
    pub array: Option<ArrayId>,
    /// From 1 to 1000; 100 when left out.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// What one look at what an ended job wrote reads.
const EVENT_BYTES_MOST: usize = 1 << 20;

/// Something that ends a wait: the job's end, or the time.
async fn wait_for_end(
    control: &Control,
    job: JobId,
    mut news: watch::Receiver<Told>,
    wait: Duration,
    mut standing: Standing,
) -> Answer<()> {
    let until = tokio::time::Instant::now() + wait;
    news.mark_unchanged();
    let ended = control.read(move |store| Ok(store.job(job)?.is_none_or(|row| row.state == JobState::Ended)));
    if ended.await? {
        return standing.check();
    }
    loop {
        let waited = tokio::select! {
            waited = tokio::time::timeout_at(until, news.changed()) => waited,
            problem = standing.lost() => return Err(problem),
        };
        match waited {
            Ok(Ok(())) if !news.borrow_and_update().ended => {}
            // Ended, or stopping; or the time is over.
            _ => return standing.check(),
        }
    }
}

impl Control {
    /// Accepts a job, or an array of jobs. It is durable when this answers.
    ///
    /// With `wait`, answers when the job ended, or when the time is over.
    ///
    /// # Errors
    /// What makes no sense, is not allowed, or exceeds a quota.
    pub async fn submit(&self, caller: &Caller, submission: Submission, wait: Duration) -> Answer<Accepted> {
        let answer = self.accept(caller, submission, wait).await;
        answer.inspect_err(|problem| self.shared.meters.problem(problem.code))
    }

    async fn accept(&self, caller: &Caller, submission: Submission, wait: Duration) -> Answer<Accepted> {
        // Its trace begins with its id, and that with the request.
        let (first, begun) = (JobId::new(), Moment::now());
        let directory = self.shared.directory();
        let project = self.project_of(&directory, caller, Action::JobSubmit, submission.project.as_deref()).await?;
        let named = submission.project.clone();
        let settings = as_project(&directory, project)?;
        let admitted = match admit(&submission, settings, &self.shared.config.ceiling) {
            Ok(admitted) => admitted,
            // Whether the project may be seen is decided before anything is said of its ceilings.
            Err(problem) => {
                let target = Target::Project(project);
                if !self.may(&directory, caller, Action::ProjectView, target)? {
                    let usual = self.context().submitting(usual_facts());
                    let ticket = self.ticket(&directory, caller, Action::JobSubmit, target, &usual)?;
                    if ticket.refusal.is_some() {
                        self.record(ticket).await.map_err(unseen(project, named.as_deref()))?;
                    }
                }
                return Err(problem);
            }
        };
        let reading = Moment::now();
        let advice = self.advice(caller, project, &submission, &admitted).await?;
        let read = (reading, Moment::now());
        let context = self.context().submitting(facts(&admitted, advice.as_ref()));
        let ids = (first, admitted.array.map(|_| ArrayId::new()));
        let news = (admitted.array.is_none() && !wait.is_zero()).then(|| self.shared.watchers.subscribe(ids.0));
        let (user, key) = (caller.user, caller.key);
        let findings = advice.map(|advice| advice.kept);
        let told = findings.clone();
        let decide = {
            let context = context.clone();
            move |directory: &Directory| {
                let conditions = self.conditions(directory, caller, project, &context)?;
                let mut admitted = admitted.clone();
                admitted.ask.start = admitted.ask.start.max(conditions.start());
                let conditions = conditions.with(findings.clone());
                Ok(move |desk: &mut Desk| desk.submit(admitted, conditions, project, user, key, ids))
            }
        };
        // A wait that is not to be had is refused before anything is accepted.
        let standing = news.is_some().then(|| self.standing(caller, None)).transpose()?;
        let accepting = Accepting { begun, read, handed: Moment::now() };
        let submitted = self.perform_as(caller, Action::JobSubmit, Target::Project(project), context, decide).await;
        let submitted = submitted.map_err(unseen(project, named.as_deref()))?;
        let new = match &submitted {
            Submitted::Job(row, _) => row.id == first,
            Submitted::Array(array) => array.first == first,
            Submitted::Before(_) => false,
        };
        let tracer = &self.shared.config.tracer;
        if new && tracer.follows(first) {
            accepting.spans(first, caller.link).into_iter().for_each(|span| tracer.tell(first, || span));
        }
        match submitted {
            Submitted::Array(array) => Ok(Accepted::Array(array)),
            // Whoever may submit may see what they submitted, at least as its receipt.
            Submitted::Job(row, waiting) if wait.is_zero() => {
                let waiting = self.held(&directory, &row, &mut Approvers::default()).or(waiting);
                let mut job = Job { waiting, ..shown(&directory, *row, false, false) };
                if let Some(kept) = &told {
                    (job.findings, job.findings_more) = (vetting::shown(kept, None), kept.more);
                }
                Ok(Accepted::Job(Box::new(job)))
            }
            Submitted::Job(..) | Submitted::Before(_) => {
                let job = if let Submitted::Before(job) = submitted { job } else { ids.0 };
                if let Some(standing) = standing {
                    // A submission that came before is another job.
                    let news = news.filter(|_| job == ids.0).unwrap_or_else(|| self.shared.watchers.subscribe(job));
                    wait_for_end(self, job, news, wait, standing).await?;
                }
                let (row, written) = self.row_and_written(job).await?;
                Ok(Accepted::Job(Box::new(self.show_with(caller, row, written).await?)))
            }
        }
    }

    /// A job, for an action that is about to be decided. That there is none is recorded.
    pub(super) async fn job_row(&self, caller: &Caller, action: Action, id: JobId) -> Answer<JobRow> {
        match self.row(id).await {
            Err(problem) if problem.code == Code::NotFound => {
                self.refuse(&self.shared.directory(), caller, action, id.to_string(), problem).await
            }
            other => other,
        }
    }

    async fn row(&self, id: JobId) -> Answer<JobRow> {
        let row = self.read(move |store| store.job(id)).await?;
        row.ok_or_else(|| no_job(id))
    }

    /// A job and, if it has ended, what it wrote: read at once, since whoever waited wants both.
    async fn row_and_written(&self, id: JobId) -> Answer<(JobRow, Option<Written>)> {
        let found = self.read(move |store| {
            let Some(row) = store.job(id)? else { return Ok(None) };
            let written = if row.state == JobState::Ended { Some(written(store, id, row.attempt)?) } else { None };
            Ok(Some((row, written)))
        });
        found.await?.ok_or_else(|| no_job(id))
    }

    /// A job. With `wait`, answers when it ended, or when the time is over.
    ///
    /// # Errors
    /// When there is none that the caller may see.
    pub async fn job(&self, caller: &Caller, id: JobId, wait: Duration) -> Answer<Job> {
        let row = self.job_row(caller, Action::JobView, id).await?;
        self.look(caller, Action::JobView, Target::job(&row)).await?;
        if wait.is_zero() || row.state == JobState::Ended {
            return self.show(caller, row).await;
        }
        let standing = self.standing(caller, Some((Action::JobView, Target::job(&row))))?;
        wait_for_end(self, id, self.shared.watchers.subscribe(id), wait, standing).await?;
        let (row, written) = self.row_and_written(id).await?;
        self.show_with(caller, row, written).await
    }

    /// The jobs that the caller may see, newest first.
    ///
    /// # Errors
    /// When the filter makes no sense, or names what the caller may not see.
    pub async fn jobs(&self, caller: &Caller, filter: JobFilter) -> Answer<JobList> {
        let directory = self.shared.directory();
        let limit = filter.limit.unwrap_or(100);
        if !(1..=1000).contains(&limit) {
            return Err(Problem::new(Code::InvalidQuery, format!("limit is {limit}; it is from 1 to 1000")));
        }
        let before = filter.cursor.as_deref().map(str::parse::<JobId>).transpose();
        let before = before.map_err(|error| Problem::new(Code::InvalidQuery, format!("cursor: {error}")))?;
        let named = match filter.project.as_deref() {
            Some(name) => Some(self.named_project(&directory, caller, Action::JobList, name).await?),
            None => None,
        };
        // Whether there is such a user is not for everybody to know: of one who is not there, the list is empty too.
        let user = match filter.user.as_deref().map(|name| directory.user(name)) {
            None => None,
            Some(Ok(user)) => Some(user.id),
            Some(Err(problem)) if self.may(&directory, caller, Action::UserView, Target::Platform)? => {
                return Err(problem);
            }
            Some(Err(_)) => Some(UserId::from_u128(0)),
        };
        let mut query = JobQuery {
            state: filter.state,
            user,
            label: filter.label,
            array: filter.array,
            before,
            limit: limit + 1,
            me: Some(caller.user),
            ..JobQuery::default()
        };
        match named {
            Some(project) => {
                let looked = self.look(caller, Action::JobList, Target::Project(project)).await;
                looked.map_err(unseen(project, filter.project.as_deref()))?;
                self.sort_project(&directory, caller, project, &mut query)?;
            }
            None => {
                for project in self.projects_where(&directory, caller, Action::JobList)? {
                    self.sort_project(&directory, caller, project, &mut query)?;
                }
                match query.projects.first().or(query.own.first()) {
                    // One row for the whole list, on the first project that it shows.
                    Some(project) => drop(self.look(caller, Action::JobList, Target::Project(*project)).await?),
                    None => self.nothing_to_list(&directory, caller, Action::JobList).await?,
                }
            }
        }
        let mut rows = self.read(move |store| store.jobs(&query)).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(|row| row.id.to_string()) } else { None };
        let workers = self.may(&directory, caller, Action::WorkerView, Target::Platform)?;
        let mut approvers = Approvers::default();
        let jobs = rows.into_iter().map(|row| self.listed(&directory, row, workers, &mut approvers)).collect();
        Ok(JobList { jobs, next })
    }

    /// A job as lists show it, and those hear of it who listen to changes. Of why it waits they tell only what is known
    /// without looking ahead.
    pub(super) fn listed(&self, directory: &Directory, row: JobRow, workers: bool, approvers: &mut Approvers) -> Job {
        let waiting = if row.state == JobState::Queued { self.held(directory, &row, approvers) } else { None };
        Job { waiting, ..self.shared.sampled.shown(shown(directory, row, workers, false)) }
    }

    /// Whether the caller sees all jobs of a project, or the own ones only.
    fn sort_project(
        &self,
        directory: &Directory,
        caller: &Caller,
        project: gambeson_api::ProjectId,
        query: &mut JobQuery,
    ) -> Answer<()> {
        if self.sees_all(directory, caller, project)? {
            query.projects.push(project);
        } else {
            query.own.push(project);
        }
        Ok(())
    }

    /// What went into a job.
    ///
    /// # Errors
    /// When there is none that the caller may see into.
    pub async fn job_source(&self, caller: &Caller, id: JobId) -> Answer<JobSource> {
        let row = self.job_row(caller, Action::JobSource, id).await?;
        self.look(caller, Action::JobSource, Target::job(&row)).await?;
        let (digest, entry) = (row.source, row.ask.entry.clone());
        let (body, input) = self.read(move |store| Ok((store.source(&digest)?, store.input(&row)?))).await?;
        let body = body.ok_or_else(|| Problem::new(Code::Gone, "the files were deleted"))?;
        let files = serde_json::from_slice(&body)
            .map_err(|error| crate::reading::store_problem(&StoreError::Failed(error.to_string())))?;
        Ok(JobSource { files, entry, args: input.args, env: input.env, stdin: input.stdin })
    }

    /// Cancels a job. One that ended already stays as it is.
    ///
    /// # Errors
    /// When there is none that the caller may cancel.
    pub async fn job_cancel(&self, caller: &Caller, id: JobId) -> Answer<Job> {
        let row = self.job_row(caller, Action::JobCancel, id).await?;
        let name = self.shared.directory().name_of_user(caller.user);
        let act = move |desk: &mut Desk| desk.cancel(id, &name);
        self.perform(caller, Action::JobCancel, Target::job(&row), self.context(), act).await?;
        let row = self.row(id).await?;
        self.show(caller, row).await
    }

    /// The events of a job after a place; with `follow`, those that come as well.
    ///
    /// # Errors
    /// When there is no job that the caller may see the output of.
    pub async fn job_events(&self, caller: &Caller, id: JobId, after: u64, follow: bool) -> Answer<Follower> {
        let row = self.job_row(caller, Action::JobOutput, id).await?;
        self.look(caller, Action::JobOutput, Target::job(&row)).await?;
        let standing = self.standing(caller, Some((Action::JobOutput, Target::job(&row))))?;
        Ok(Follower::new(self.clone(), id, after, follow, standing))
    }

    /// How the elements of an array are doing.
    ///
    /// # Errors
    /// When there is none that the caller may see.
    pub async fn array(&self, caller: &Caller, id: ArrayId) -> Answer<Array> {
        let (target, array) = self.array_row(caller, Action::JobView, id).await?;
        self.look(caller, Action::JobView, target).await.map_err(unseen_array(id, target))?;
        Ok(array)
    }

    /// Cancels every element that has not ended.
    ///
    /// # Errors
    /// When there is no array that the caller may cancel.
    pub async fn array_cancel(&self, caller: &Caller, id: ArrayId) -> Answer<Array> {
        let (target, _) = self.array_row(caller, Action::JobCancel, id).await?;
        let name = self.shared.directory().name_of_user(caller.user);
        // A part of a large array at a time, decided once: nobody else is to wait for all of it.
        let cancel = |after: JobId| {
            let name = name.clone();
            move |desk: &mut Desk| desk.cancel_some(id, after, &name)
        };
        let first = cancel(JobId::from_u128(0));
        let done = self.perform(caller, Action::JobCancel, target, self.context(), first).await;
        let mut more = done.map_err(unseen_array(id, target))?;
        while let Some(after) = more {
            more = self.act(cancel(after)).await?;
        }
        Ok(self.array_row(caller, Action::JobView, id).await?.1)
    }

    async fn array_row(&self, caller: &Caller, action: Action, id: ArrayId) -> Answer<(Target, Array)> {
        let Some(found) = self.read(move |store| store.array(id)).await? else {
            return self.refuse(&self.shared.directory(), caller, action, id.to_string(), no_array(id)).await;
        };
        let (project, user, size, states, outcomes) = found;
        // An array is decided about as its first element would be.
        let target = Target::Job(JobId::from_u128(id.as_u128()), project, user);
        Ok((target, Array { array: id, project, size, states, outcomes }))
    }

    /// A job as it is shown to the caller, with its output if that may be seen.
    pub(super) async fn show(&self, caller: &Caller, row: JobRow) -> Answer<Job> {
        self.show_with(caller, row, None).await
    }

    /// The same, with what it wrote where that was read before it was decided whether it may be seen.
    async fn show_with(&self, caller: &Caller, row: JobRow, read: Option<Written>) -> Answer<Job> {
        let directory = self.shared.directory();
        // What is not there yet needs no decision.
        let output =
            row.state == JobState::Ended && self.may(&directory, caller, Action::JobOutput, Target::job(&row))?;
        let workers = row.worker.is_some() && self.may(&directory, caller, Action::WorkerView, Target::Platform)?;
        let (id, state, attempt) = (row.id, row.state, row.attempt);
        let held = self.held(&directory, &row, &mut Approvers::default());
        // Whoever is to approve it sees what it is about, if not the source itself.
        let remarks = if row.vetted.is_some_and(|count| count > 0) || row.verdicts.is_some() {
            self.may(&directory, caller, Action::JobSource, Target::job(&row))?
                || row.held.is_some() && self.may(&directory, caller, Action::JobApprove, Target::job(&row))?
        } else {
            false
        };
        let findings = if remarks { self.findings(&row).await? } else { None };
        let missed = match (&row.verdicts, &row.report) {
            (Some(verdicts), Some(report)) if remarks => verdicts.missed(&report.denials),
            _ => Vec::new(),
        };
        let mut job = self.shared.sampled.shown(shown(&directory, row, workers, output));
        if let Some((findings, more)) = findings {
            (job.findings, job.findings_more) = (findings, more);
        }
        job.missed = missed;
        match state {
            JobState::Queued if held.is_some() => job.waiting = held,
            JobState::Queued => job.waiting = self.waiting(id).await?,
            JobState::Ended if output => {
                let Written { stdout, stderr, artifacts } = match read {
                    Some(read) => read,
                    None => self.read(move |store| written(store, id, attempt)).await?,
                };
                (job.stdout, job.stderr, job.artifacts) = (Some(stdout), Some(stderr), artifacts);
            }
            JobState::Starting | JobState::Running | JobState::Ended => {}
        }
        Ok(job)
    }

    /// Why and how long a job waits: by the queue's own function, run forward. The writer only hands out what is
    /// looked at; looking ahead takes a thread of its own, few at a time. Who would wait for many others is told the reason
    /// only.
    async fn waiting(&self, id: JobId) -> Answer<Option<Waiting>> {
        let stopping = || Problem::new(Code::Unavailable, "the server is stopping").retry_after(5);
        let Ok(_place) = self.shared.forecasts_asked.try_acquire() else {
            let outlook = self.act(move |desk| Ok(desk.outlook(id))).await?;
            return Ok(outlook.and_then(|(outlook, _)| waiting_unforeseen(&outlook)));
        };
        let _turn = self.shared.forecasts.acquire().await.map_err(|_| stopping())?;
        let Some((outlook, estimates)) = self.act(move |desk| Ok(desk.outlook(id))).await? else { return Ok(None) };
        let waiting = tokio::task::spawn_blocking(move || waiting(&outlook, &estimates));
        waiting.await.map_err(|_| stopping())
    }
}

fn no_job(id: JobId) -> Problem {
    Problem::new(Code::NotFound, format!("there is no {id} that you may see"))
}

fn no_array(id: ArrayId) -> Problem {
    Problem::new(Code::NotFound, format!("there is no {id} that you may see"))
}

/// An array is decided about as a job, and missed as an array.
fn unseen_array(id: ArrayId, target: Target) -> impl Fn(Problem) -> Problem {
    move |problem| if super::is_unseen(&problem, &target) { no_array(id) } else { problem }
}

/// What a policy would see of a submission that asks for nothing special.
pub(super) fn usual_facts() -> access::SubmissionFacts {
    let usual = gambeson_api::Limits::default();
    access::SubmissionFacts {
        class: gambeson_api::Class::Normal.name().into(),
        cpus_milli: usual.cpus_milli.into(),
        memory_bytes: usual.memory_bytes,
        wall_ms: usual.wall_ms,
        network: Network::None.name().into(),
        network_allow: Vec::new(),
        labels: Vec::new(),
        findings: access::FindingsFacts::nothing(),
    }
}

pub(super) fn facts(admitted: &Admitted, advice: Option<&Advice>) -> access::SubmissionFacts {
    let limits = &admitted.ask.limits;
    access::SubmissionFacts {
        class: admitted.class.name().into(),
        cpus_milli: limits.cpus_milli.into(),
        memory_bytes: limits.memory_bytes,
        wall_ms: limits.wall_ms,
        network: admitted.ask.network.name().into(),
        network_allow: match &admitted.ask.network {
            Network::Allow(places) => places.iter().map(ToString::to_string).collect(),
            Network::None | Network::Loopback => Vec::new(),
        },
        labels: admitted.ask.labels.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        findings: advice.map_or_else(access::FindingsFacts::unread, |advice| advice.facts.clone()),
    }
}

/// What an ended job left.
struct Written {
    /// The beginning of both streams of its attempt.
    stdout: String,
    stderr: String,
    artifacts: Vec<Artifact>,
}

fn written(store: &dyn Store, job: JobId, attempt: u32) -> Stored<Written> {
    let (mut stdout, mut stderr) = (Stream::default(), Stream::default());
    let mut after = 0;
    loop {
        let events = store.events_of_output(job, after, EVENTS_MOST, EVENT_BYTES_MOST)?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        for event in events {
            match event.body {
                EventBody::Output { stream, data } if event.attempt == attempt => match stream {
                    OutputStream::Stdout => stdout.take(&data.0),
                    OutputStream::Stderr => stderr.take(&data.0),
                },
                _ => {}
            }
        }
    }
    Ok(Written { stdout: stdout.text(), stderr: stderr.text(), artifacts: store.artifacts(job)? })
}

#[derive(Default)]
struct Stream {
    kept: Vec<u8>,
    elided: u64,
}

impl Stream {
    fn take(&mut self, bytes: &[u8]) {
        let fits = bytes.len().min(STREAM_MOST - self.kept.len());
        self.kept.extend_from_slice(&bytes[..fits]);
        self.elided += (bytes.len() - fits) as u64;
    }

    fn text(self) -> String {
        let mut text = String::from_utf8_lossy(&self.kept).into_owned();
        if self.elided > 0 {
            text.push_str(&format!("\n[gambeson: {} more bytes are in the job's events]\n", self.elided));
        }
        text
    }
}

/// A job as it is shown, without what has to be read beside it.
fn shown(directory: &Directory, row: JobRow, workers: bool, output: bool) -> Job {
    let (usage, layers, denials, start, outcome) = match row.report {
        Some(report) => (
            Some(report.usage),
            Some(report.layers).filter(|_| output),
            Some(report.denials).filter(|_| output),
            Some(report.start),
            Some(report.outcome),
        ),
        None => (None, None, None, None, None),
    };
    Job {
        id: row.id,
        state: row.state,
        project: row.project,
        project_name: directory.name_of_project(row.project),
        user: row.user,
        user_name: directory.name_of_user(row.user),
        entry: row.ask.entry,
        labels: row.ask.labels,
        class: row.class,
        limits: row.ask.limits,
        network: row.ask.network,
        may_rerun: row.ask.may_rerun,
        array: row.array,
        submitted_at: row.submitted,
        started_at: row.started,
        ended_at: row.ended,
        attempt: row.attempt,
        worker: row.worker.filter(|_| workers),
        cancel_requested: row.cancel_requested,
        now: None,
        waiting: None,
        outcome,
        stdout: None,
        stderr: None,
        findings: Vec::new(),
        findings_more: 0,
        missed: Vec::new(),
        usage,
        layers,
        denials,
        start,
        artifacts: Vec::new(),
    }
}
