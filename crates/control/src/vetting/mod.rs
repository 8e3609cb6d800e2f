//! Reading what is submitted, before it runs: advice for its author, facts for policies, and never a boundary.
//!
//! Invariants:
//! 1. Files are read by a process that is limited, and that was started before they came ([`pool`]). Nobody waits for it
//!    longer than a bound, and what it does not read in time is accepted all the same, with the finding V004.
//! 2. What was read once is known by its digest ([`cache`]); a blob counts only for who may use it.
//! 3. What is kept with a job is bounded, and holds no secret ([`advice`]).

mod advice;
mod cache;
mod pool;

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gambeson_api::{Digest, FileContent, UserId};
use gambeson_vet::{Confidence, Finding, MOST_BYTES, MOST_BYTES_OF_FILE, Place, Report, Rule, Source, Style};

pub(crate) use advice::{Advice, Kept, Verdicts, shown};
pub use advice::{told, told_module};
use cache::Cache;
use pool::Pool;

use crate::config::Vetting;
use crate::depot::Depot;

/// How long a submission waits to be read.
const WAIT_MOST: Duration = Duration::from_secs(3);
/// Sources of one user that are read or wait for it, so that nobody fills the queue alone.
const OF_USER_MOST: u32 = 16;
/// Modules that are told of.
const MODULES_MOST: usize = 1000;

/// A source that was read, as much as is kept of it.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub report: Report,
    /// For the first findings that say that the text is no Python: its line, with a caret.
    pub excerpts: Vec<(usize, String)>,
}

/// What is read, as far as it is the same reading: the digest of all files, and which of them is the program.
pub(crate) type Name = (Digest, String);

/// Whoever reads.
#[derive(Debug)]
pub(crate) struct Reading {
    how: How,
    cache: Mutex<Cache>,
    asked: Mutex<HashMap<UserId, u32>>,
}

#[derive(Debug)]
enum How {
    Off,
    Here,
    Pool(Pool),
}

impl Reading {
    pub(crate) fn start(vetting: &Vetting) -> io::Result<Reading> {
        let how = match vetting {
            Vetting::Off => How::Off,
            Vetting::Here => How::Here,
            Vetting::Processes(reader) => How::Pool(Pool::start(reader)?),
        };
        Ok(Reading { how, cache: Mutex::default(), asked: Mutex::default() })
    }

    pub(crate) fn is_off(&self) -> bool {
        matches!(self.how, How::Off)
    }

    /// What is known already.
    pub(crate) fn known(&self, name: &Name) -> Option<Arc<Read>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(name)
    }

    /// Has a source read, for a user. It is gathered by `source` on a thread that may wait for the disk.
    pub(crate) async fn read(
        &self,
        user: UserId,
        name: Name,
        source: impl FnOnce() -> Source + Send + 'static,
    ) -> Arc<Read> {
        let Some(_turn) = Turn::take(&self.asked, user) else {
            return Arc::new(unread("too many submissions of this user were being read"));
        };
        let source = match tokio::task::spawn_blocking(source).await {
            Ok(source) => Arc::new(source),
            Err(_) => return Arc::new(unread("its files could not be gathered")),
        };
        let reading = async {
            match &self.how {
                How::Off => Err("nothing is read here"),
                How::Here => {
                    let source = Arc::clone(&source);
                    let read = tokio::task::spawn_blocking(move || gambeson_vet::read(&source)).await;
                    read.map_err(|_| "the reader met a defect of its own")
                }
                How::Pool(pool) => match pool.ask(Arc::clone(&source)) {
                    Some(answer) => answer.await.map_err(|_| "no process to read it in could be started"),
                    None => Err("too many submissions were being read"),
                },
            }
        };
        match tokio::time::timeout(WAIT_MOST, reading).await {
            Err(_) => Arc::new(unread("it was not read in time")),
            Ok(Err(why)) => Arc::new(unread(why)),
            Ok(Ok(report)) => {
                let read = Arc::new(digested(report, &source));
                // A reader that died may have been killed for a reason that is none of the source's.
                if !read.report.findings.iter().any(|finding| finding.rule == Rule::V004) {
                    self.cache.lock().unwrap_or_else(PoisonError::into_inner).put(name, Arc::clone(&read));
                }
                read
            }
        }
    }
}

/// A place among the sources of a user that are being read.
struct Turn<'a> {
    asked: &'a Mutex<HashMap<UserId, u32>>,
    user: UserId,
}

impl<'a> Turn<'a> {
    fn take(asked: &'a Mutex<HashMap<UserId, u32>>, user: UserId) -> Option<Turn<'a>> {
        let mut counts = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(user).or_default();
        if *count >= OF_USER_MOST {
            return None;
        }
        *count += 1;
        Some(Turn { asked, user })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut counts = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

/// What is said of a source that nobody read.
fn unread(why: &str) -> Read {
    let finding = Finding {
        rule: Rule::V004,
        severity: Rule::V004.severity(),
        confidence: Confidence::High,
        place: Place { line: 1, column: 1, end_line: 1, end_column: 1, ..Place::default() },
        message: format!("the source was not read: {why}"),
        subject: None,
        acts: Vec::new(),
        target: None,
        amount: None,
    };
    Read { report: Report { findings: vec![finding], incomplete: true, ..Report::default() }, excerpts: Vec::new() }
}

fn digested(mut report: Report, source: &Source) -> Read {
    report.modules.truncate(MODULES_MOST);
    report.hints = Vec::new();
    let wrong = report.findings.iter().enumerate().filter(|(_, finding)| finding.rule == Rule::V001);
    let excerpts = wrong.take(3).map(|(index, finding)| (index, excerpt(finding, source))).collect();
    Read { report, excerpts }
}

/// The line of a finding with a caret, masked and fit to print as all that the reader's crate shows.
fn excerpt(finding: &Finding, source: &Source) -> String {
    let alone = Report { findings: vec![finding.clone()], ..Report::default() };
    let text = gambeson_vet::text(&alone, source, None, Style::default());
    // Without the title, which says the message again, and the count at the end.
    let lines: Vec<&str> = text.lines().skip(1).take_while(|line| !line.trim().is_empty()).collect();
    lines.join("\n")
}

/// Gathers what is read: the program first, then the other files; contents of those that may be Python.
pub(crate) fn gathered(files: &std::collections::BTreeMap<String, FileContent>, entry: &str, depot: &Depot) -> Source {
    let mut source = Source::default();
    let mut left = MOST_BYTES;
    let program = files.get_key_value(entry);
    for (path, content) in program.into_iter().chain(files.iter().filter(|(path, _)| *path != entry)) {
        let python = path == entry || [".py", ".pyw", ".pyi"].iter().any(|ending| path.ends_with(ending));
        match content {
            FileContent::Inline { bytes, .. } => source.add(path, bytes),
            FileContent::Blob { digest, .. } if python => {
                let mut bytes = Vec::new();
                // One more than is read of a file is enough to see that it is too large.
                let most = MOST_BYTES_OF_FILE.min(left) as u64 + 1;
                let file = depot.read(digest).and_then(|file| file.take(most).read_to_end(&mut bytes));
                left = left.saturating_sub(bytes.len());
                match file {
                    Ok(_) => source.add(path, &bytes),
                    // What is gone is missed by whoever runs it; that it is no text is said here.
                    Err(_) => source.add(path, b"\xff"),
                }
            }
            FileContent::Blob { .. } => source.add(path, b""),
        }
    }
    source
}
