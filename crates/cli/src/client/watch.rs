//! A job, or an array of them, watched to its end.

use std::io::{self, IsTerminal};
use std::time::Duration;

use gambeson_api::client::{Client, Follower, JobFilter};
use gambeson_api::{ArrayId, Event, EventBody, Job, JobId, Outcome, OutputStream, SubmittedArray, Time};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::args::LogsOptions;
use super::failure::Failure;
use super::interrupts::{Interrupt, Interrupts, Wish};
use super::output::Output;
use super::table::{Form, Table, duration, show};
use super::{submit, visible};
use crate::exit_code::ExitCode;
use crate::terminal::{complain, print, remark};

/// How long a job that was cancelled is watched for its end.
const CANCEL_MOST: Duration = Duration::from_secs(15);

/// How often the reason for waiting is asked for, and how an array is doing.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How the watching of a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// The job ended.
    Ended(ExitCode),
    /// Its end was asked for; it did not come while we watched.
    Cancelled,
    /// The person went, and the job goes on.
    Left,
}

impl Watched {
    /// Our exit code.
    pub fn code(self) -> ExitCode {
        match self {
            Watched::Ended(code) => code,
            Watched::Cancelled => ExitCode::Cancelled,
            // As of a program that Ctrl-C ended.
            Watched::Left => ExitCode::Signal(2),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum What {
    Job(JobId),
    Array(ArrayId),
}

impl What {
    async fn cancel(self, client: &Client) -> Result<(), Failure> {
        match self {
            What::Job(job) => client.job_cancel(job).await.map(drop)?,
            What::Array(array) => client.array_cancel(array).await.map(drop)?,
        }
        Ok(())
    }

    /// What an interrupt leads to: the end of the watching, or its end by a deadline.
    async fn interrupted(
        self,
        client: &Client,
        interrupts: &mut Interrupts,
        came: Interrupt,
    ) -> Result<Option<Watched>, Failure> {
        let words = match self {
            What::Job(_) => "the job",
            What::Array(_) => "the whole array",
        };
        match interrupts.wish(came, words).await {
            Wish::Leave => {
                match self {
                    What::Job(id) => {
                        remark(&format!("it goes on; gambeson logs -f {id} follows it, gambeson cancel {id} ends it"));
                    }
                    What::Array(id) => remark(&format!(
                        "it goes on; gambeson jobs --array {id} lists it, gambeson cancel --array {id} ends it"
                    )),
                }
                Ok(Some(Watched::Left))
            }
            Wish::Cancel => tokio::select! {
                done = self.cancel(client) => done.map(|()| None),
                _ = interrupts.next() => {
                    remark("gave up; whether the server knows of the cancellation is not known");
                    Ok(Some(Watched::Cancelled))
                }
            },
        }
    }
}

/// What is shown while a job waits: on a terminal, with a question to the server each second.
struct Waiting {
    spinner: ProgressBar,
    said: watch::Receiver<(String, String)>,
    asking: JoinHandle<()>,
}

impl Waiting {
    /// Nothing where standard error is no terminal.
    fn begin(client: &Client, job: JobId) -> Option<Waiting> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        spinner.set_style(
            ProgressStyle::with_template("{spinner} {wide_msg}{prefix}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        spinner.set_message("queued");
        spinner.enable_steady_tick(Duration::from_millis(100));
        let (say, said) = watch::channel(Default::default());
        let client = client.clone();
        let asking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_AGAIN).await;
                // What cannot be known is not shown; the events say whether the server is lost.
                if let Ok(job) = client.job(job, None).await
                    && say.send(waits(&job, Time::now())).is_err()
                {
                    return;
                }
            }
        });
        Some(Waiting { spinner, said, asking })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.asking.abort();
        self.spinner.finish_and_clear();
    }
}

/// Where a job is before it runs, and why, fit for a terminal.
fn waits(job: &Job, now: Time) -> (String, String) {
    let mut place = job.state.name().to_owned();
    let Some(waiting) = &job.waiting else { return (place, String::new()) };
    if let Some(position) = waiting.position {
        place.push_str(&format!(", {position} before it"));
    }
    let until = |time: Time| if time > now { format!("in {}", duration(time.since_ms(now))) } else { "soon".into() };
    match (waiting.expected_start_p50, waiting.expected_start_p90) {
        (Some(half), Some(most)) => {
            place.push_str(&format!(", starts {}, at the latest {}", until(half), until(most)));
        }
        (Some(half), None) => place.push_str(&format!(", starts {}", until(half))),
        (None, _) => {}
    }
    let why: String = waiting.why.chars().take(200).collect();
    (place, visible::line(&why))
}

/// The next change of what is said while waiting; never, where nothing is said.
async fn changed(waiting: &mut Option<Waiting>) {
    if let Some(Waiting { spinner, said, .. }) = waiting
        && said.changed().await.is_ok()
    {
        let (place, why) = said.borrow_and_update().clone();
        spinner.set_message(place);
        // On a line of its own: a sentence may be as long as the terminal is wide.
        spinner.set_prefix(if why.is_empty() { why } else { format!("\n  {why}") });
        return;
    }
    std::future::pending().await
}

async fn deadline(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Watches a job to its end: what it writes goes to our own streams unless `silent`.
pub async fn job(
    client: &Client,
    job: &Job,
    mut interrupts: Interrupts,
    mut early: Option<Interrupt>,
    raw: bool,
    silent: bool,
) -> Result<Watched, Failure> {
    let what = What::Job(job.id);
    let mut follower = client.follow(job.id, 0);
    let mut output = Output::new(raw);
    let mut waiting = Waiting::begin(client, job.id);
    let mut give_up_at = None;
    loop {
        let came = match early.take() {
            Some(came) => Some(came),
            None => tokio::select! {
                came = interrupts.next() => Some(came),
                event = follower.next() => {
                    // A follower ends with the event that says how the job ended, or with an error.
                    let Some(event) = event? else { return Err(Failure::fault("the events ended before the job")) };
                    match &event.body {
                        EventBody::Started {} => waiting = None,
                        EventBody::Requeued { .. } if waiting.is_none() => waiting = Waiting::begin(client, job.id),
                        EventBody::Ended { .. } => waiting = None,
                        _ => {}
                    }
                    match happened(&event, &mut output, silent) {
                        Some(outcome) => return Ok(Watched::Ended(ExitCode::of_job(&outcome.end))),
                        None => None,
                    }
                }
                () = changed(&mut waiting) => None,
                () = deadline(give_up_at) => {
                    remark("its end was asked for and has not come yet");
                    return Ok(Watched::Cancelled);
                }
            },
        };
        let Some(came) = came else { continue };
        waiting = None;
        if give_up_at.is_some() {
            return Ok(Watched::Cancelled);
        }
        if let Some(watched) = what.interrupted(client, &mut interrupts, came).await? {
            return Ok(watched);
        }
        give_up_at = Some(Instant::now() + CANCEL_MOST);
    }
}

/// Shows an event; the outcome when it was the last.
fn happened<'a>(event: &'a Event, output: &mut Output, silent: bool) -> Option<&'a Outcome> {
    match &event.body {
        EventBody::Output { stream, data } if !silent => output.write(*stream, &data.0),
        EventBody::Elided { stream, bytes } if !silent => {
            let stream = match stream {
                OutputStream::Stdout => "stdout",
                OutputStream::Stderr => "stderr",
            };
            remark(&format!("{bytes} bytes of {stream} were not kept"));
        }
        EventBody::Denied { denial } if !silent => remark(&visible::line(&denial.sentence())),
        EventBody::Requeued { why } if !silent => remark(&format!("it waits again: {}", visible::line(why))),
        EventBody::Ended { outcome } => {
            output.end();
            if !silent && !matches!(outcome.end, gambeson_api::End::Exited { .. }) {
                complain(&visible::line(&outcome.message));
            }
            return Some(outcome);
        }
        EventBody::Output { .. }
        | EventBody::Elided { .. }
        | EventBody::Denied { .. }
        | EventBody::Requeued { .. }
        | EventBody::Queued {}
        | EventBody::Leased { .. }
        | EventBody::Egress(_)
        | EventBody::Sample(_)
        | EventBody::Started {}
        | EventBody::CancelRequested {} => {}
    }
    None
}

/// `gambeson logs`.
pub async fn logs(client: &Client, options: &LogsOptions, json: bool) -> Result<(), Failure> {
    let mut follower: Follower = if options.follow {
        client.follow(options.id, options.after)
    } else {
        client.events_so_far(options.id, options.after)
    };
    let mut output = Output::new(options.raw);
    let for_terminal = json && io::stdout().is_terminal();
    while let Some(event) = follower.next().await? {
        if json {
            let line = serde_json::to_string(&event).expect("an event has text for keys");
            print(&((if for_terminal { visible::json(&line) } else { line }) + "\n"));
        } else {
            happened(&event, &mut output, false);
        }
        if !output.is_read() {
            break;
        }
    }
    output.end();
    Ok(())
}

/// Watches an array to the end of its last element. Our exit code is that of the first element that did not end well.
pub async fn array(
    client: &Client,
    array: &SubmittedArray,
    mut interrupts: Interrupts,
    mut early: Option<Interrupt>,
    form: Form,
) -> Result<ExitCode, Failure> {
    let what = What::Array(array.array);
    let bar = submit::bar(u64::from(array.size), "{spinner} {bar:30} {pos} of {len} jobs ended, {msg}");
    let mut give_up_at = None;
    // Arrays have no events of their own.
    let mut look = tokio::time::interval(LOOK_AGAIN);
    loop {
        let came = match early.take() {
            Some(came) => came,
            None => tokio::select! {
                came = interrupts.next() => came,
                _ = look.tick() => {
                    let said = match client.array(array.array).await {
                        Ok(said) => said,
                        Err(error) if error.is_passing() && give_up_at.is_none() => continue,
                        Err(error) => return Err(error.into()),
                    };
                    let ended = said.states.get("ended").copied().unwrap_or(0);
                    bar.set_position(ended);
                    let running = said.states.get("running").copied().unwrap_or(0);
                    bar.set_message(format!("{running} running"));
                    if ended < u64::from(said.size) {
                        continue;
                    }
                    bar.finish_and_clear();
                    show(form, &said, |said| {
                        let mut table = Table::new(["outcome", "jobs"]);
                        for (outcome, count) in &said.outcomes {
                            table.row([outcome.into(), count.into()]);
                        }
                        table
                    });
                    return first_failure(client, array.array).await;
                }
                () = deadline(give_up_at) => {
                    remark("its end was asked for and has not come yet");
                    return Ok(ExitCode::Cancelled);
                }
            },
        };
        bar.finish_and_clear();
        if give_up_at.is_some() {
            return Ok(ExitCode::Cancelled);
        }
        if let Some(watched) = what.interrupted(client, &mut interrupts, came).await? {
            return Ok(watched.code());
        }
        give_up_at = Some(Instant::now() + CANCEL_MOST);
    }
}

async fn first_failure(client: &Client, array: ArrayId) -> Result<ExitCode, Failure> {
    let mut filter = JobFilter { array: Some(array), limit: Some(100), ..JobFilter::default() };
    let mut first: Option<(u32, ExitCode)> = None;
    loop {
        let page = client.job_list(&filter).await?;
        for job in &page.jobs {
            let code = job.outcome.as_ref().map_or(ExitCode::Program(0), |outcome| ExitCode::of_job(&outcome.end));
            let index = job.array.map_or(0, |place| place.index);
            if code != ExitCode::Program(0) && first.is_none_or(|(before, _)| index < before) {
                first = Some((index, code));
            }
        }
        if page.next.is_none() || page.next == filter.cursor {
            return Ok(first.map_or(ExitCode::Program(0), |(_, code)| code));
        }
        filter.cursor = page.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_job_says_where_it_is_when_it_starts_and_why() {
        let mut job: Job = serde_json::from_str(include_str!("../../tests/client/job.json")).unwrap();
        let now: Time = "2026-11-25T08:30:00Z".parse().unwrap();
        let (place, why) = waits(&job, now);
        assert_eq!(place, "queued, 3 before it, starts in 40s, at the latest in 2m");
        assert_eq!(why, r"2 jobs of your project run\x1b[2J; its limit is 2");
        job.waiting = None;
        assert_eq!(waits(&job, now), ("queued".into(), String::new()));
    }
}
