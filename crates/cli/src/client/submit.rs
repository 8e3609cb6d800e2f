//! `gambeson submit`.

use std::io::{self, IsTerminal};

use gambeson_api::client::{Client, ClientError};
use gambeson_api::{Accepted, Code, Submission};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::SubmitOptions;
use super::failure::Failure;
use super::interrupts::{Interrupt, Interrupts};
use super::submission::{Prepared, prepare};
use super::table::{Form, show_words};
use super::watch::{self, Watched};
use super::{artifacts, jobs, visible};
use crate::exit_code::ExitCode;
use crate::terminal::remark;

/// Uploads what is missing, submits, and stays if that is wished.
pub async fn submit(client: &Client, options: &SubmitOptions, form: Form) -> Result<ExitCode, Failure> {
    let prepared = prepare(options)?;
    if let Some(dir) = &options.output {
        std::fs::create_dir_all(dir).map_err(|error| format!("--output {}: {error}", dir.display()))?;
    }
    upload(client, &prepared).await?;
    if !options.wait {
        let accepted = send(client, &prepared).await?;
        advise(&accepted);
        show_words(form, &accepted, said);
        if !matches!(form, Form::Json | Form::JsonForPeople) {
            hint(&accepted);
        }
        return Ok(ExitCode::Program(0));
    }
    let mut interrupts = Interrupts::new()?;
    let Some((accepted, early)) = send_unless_interrupted(client, &prepared, &mut interrupts).await? else {
        return Ok(ExitCode::Cancelled);
    };
    match accepted {
        Accepted::Array(array) => watch::array(client, &array, interrupts, early, form).await,
        Accepted::Job(job) => {
            advise(&Accepted::Job(job.clone()));
            let is_json = matches!(form, Form::Json | Form::JsonForPeople);
            let watched = watch::job(client, &job, interrupts, early, options.raw, is_json).await;
            let watched = watched.inspect_err(|_| {
                let id = job.id;
                remark(&format!("{id} was accepted and may go on; gambeson job {id} says how it is doing"));
            })?;
            let Watched::Ended(code) = watched else { return Ok(watched.code()) };
            if is_json {
                jobs::job(client, job.id, form).await?;
            }
            if let Some(dir) = &options.output {
                let fetched = artifacts::fetch_all(client, job.id, dir, options.force).await?;
                // The program's own end says more than what could not be fetched, unless it ended well.
                if code == ExitCode::Program(0) {
                    return Ok(fetched);
                }
            }
            Ok(code)
        }
    }
}

fn said(accepted: &Accepted) -> String {
    match accepted {
        Accepted::Job(job) => format!("{}\n", job.id),
        Accepted::Array(array) => format!("{}\n", array.array),
    }
}

/// Findings of which an author is told at once; `gambeson job` has all of them.
const ADVISED_MOST: usize = 5;

/// Says what the server remarked, the worst of it first, and that a job is held.
fn advise(accepted: &Accepted) {
    let Accepted::Job(job) = accepted else { return };
    let weight = |severity: &str| ["high", "medium"].iter().position(|word| *word == severity);
    let mut worth: Vec<_> = job.findings.iter().filter(|finding| weight(&finding.severity).is_some()).collect();
    worth.sort_by_key(|finding| weight(&finding.severity));
    let more = worth.len().saturating_sub(ADVISED_MOST);
    for finding in worth.iter().take(ADVISED_MOST) {
        remark(&visible::line(&jobs::finding(finding)));
        if let Some(excerpt) = &finding.excerpt {
            remark(visible::text(excerpt).trim_end());
        }
    }
    if more > 0 {
        remark(&format!("and {more} more; gambeson job {} lists them", job.id));
    }
    if let Some(waiting) = job.waiting.as_ref().filter(|waiting| waiting.held) {
        remark(&visible::line(&format!("{}: gambeson approve {}", waiting.why, job.id)));
    }
}

fn hint(accepted: &Accepted) {
    match accepted {
        Accepted::Job(job) => {
            let id = job.id;
            remark(&format!("accepted; gambeson logs -f {id} follows it, gambeson job {id} says how it is doing"));
        }
        Accepted::Array(array) => {
            let id = array.array;
            remark(&format!("{} jobs accepted; gambeson jobs --array {id} lists them", array.size));
        }
    }
}

/// Submits; contents that expired since they were asked for are uploaded again, once.
async fn send(client: &Client, prepared: &Prepared) -> Result<Accepted, Failure> {
    let submission: &Submission = &prepared.submission;
    match client.job_submit(submission, None).await {
        Err(ClientError::Problem(problem)) if problem.code == Code::BlobsMissing && !prepared.blobs.is_empty() => {
            upload(client, prepared).await?;
            Ok(client.job_submit(submission, None).await?)
        }
        accepted => Ok(accepted?),
    }
}

/// Submits. An interrupt meanwhile is kept for when the server has answered, since nobody could say which job to
/// cancel; a second one gives up.
async fn send_unless_interrupted(
    client: &Client,
    prepared: &Prepared,
    interrupts: &mut Interrupts,
) -> Result<Option<(Accepted, Option<Interrupt>)>, Failure> {
    let sending = send(client, prepared);
    tokio::pin!(sending);
    let mut early = None;
    loop {
        tokio::select! {
            accepted = &mut sending => return Ok(Some((accepted?, early))),
            came = interrupts.next() => {
                if early.is_some() {
                    remark("gave up; whether the job was accepted is not known");
                    return Ok(None);
                }
                remark("the server has not answered yet; once more to give up");
                early = Some(came);
            }
        }
    }
}

/// Uploads the contents that the server lacks.
async fn upload(client: &Client, prepared: &Prepared) -> Result<(), Failure> {
    if prepared.blobs.is_empty() {
        return Ok(());
    }
    let project = prepared.submission.project.as_deref();
    let digests: Vec<_> = prepared.blobs.keys().copied().collect();
    let missing = client.blobs_missing(project, &digests).await?;
    // What we did not ask for is not ours to give.
    let missing: Vec<&Vec<u8>> = missing.iter().filter_map(|digest| prepared.blobs.get(digest)).collect();
    let total: u64 = missing.iter().map(|contents| contents.len() as u64).sum();
    let bar = bar(total, "{spinner} uploading {bar:30} {bytes} of {total_bytes}, {eta} left");
    for contents in missing {
        let bar = bar.clone();
        client
            .blob_put(project, contents, move |sent| match u64::try_from(sent) {
                Ok(sent) => bar.inc(sent),
                Err(_) => bar.set_position(bar.position().saturating_sub(sent.unsigned_abs())),
            })
            .await?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// A bar on standard error, where that is a terminal.
pub fn bar(total: u64, template: &str) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target).with_style(style)
}
