//! What is submitted, and those who submit it: again and again until it is answered, and sometimes once more.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gambeson_api::client::{Client, ClientError, Connection, FollowError};
use gambeson_api::{Accepted, Code, Event, EventBody, FileContent, JobId, JobState, Submission};
use tokio::time::sleep;

use super::chance::Chance;

/// One program for all: it says who it is and counts.
const PROGRAM: &str = r#"
import os, sys, time
tag, lines, pause, size = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
index = os.environ.get("GAMBESON_ARRAY_INDEX")
if index is not None:
    tag += "." + index
if os.path.exists("/work/input.txt"):
    assert open("/work/input.txt").read() == "input of " + sys.argv[1]
for number in range(lines):
    print(tag, number, flush=True)
    time.sleep(pause)
if size:
    os.makedirs("/work/out", exist_ok=True)
    with open("/work/out/left.txt", "w") as file:
        file.write(tag.ljust(size, "."))
"#;

/// What a job was to do, for those who check what it did.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) tag: String,
    pub(crate) lines: u64,
    pub(crate) may_rerun: bool,
    /// Bytes of the file that it leaves, 0 for none.
    pub(crate) leaves: u64,
    /// Whether we asked for its end.
    pub(crate) cancelled: bool,
}

/// A submission that has its `202`.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) key: String,
    pub(crate) wanted: Wanted,
    /// The job; of an array the first.
    pub(crate) first: JobId,
    pub(crate) array: Option<(gambeson_api::ArrayId, u32)>,
}

/// What all who submit write down.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) answered: Mutex<Vec<Answered>>,
    /// What followers saw, from the first event to the last.
    pub(crate) followed: Mutex<BTreeMap<JobId, Vec<Event>>>,
    /// Bytes that were uploaded, by us.
    pub(crate) uploaded: AtomicU64,
    /// Submissions that were sent again: unanswered, or answered.
    pub(crate) unanswered: AtomicU64,
    pub(crate) doubled: AtomicU64,
    /// Answers that said that the disk is full.
    pub(crate) store_full: AtomicU64,
    /// What was wrong at once.
    pub(crate) breaches: Mutex<Vec<String>>,
    pub(crate) stop: AtomicBool,
}

pub(crate) fn locked<T>(what: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    pub(crate) fn breach(&self, what: String) {
        locked(&self.breaches).push(what);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Jobs that were accepted so far, elements of arrays each.
    pub(crate) fn jobs(&self) -> u64 {
        locked(&self.answered).iter().map(|one| one.array.map_or(1, |(_, size)| u64::from(size))).sum()
    }

    /// Asks until there is an answer, however long the server is away. Returns how often it was asked.
    pub(crate) async fn insist<T, F>(&self, mut ask: impl FnMut() -> F) -> Result<(T, u64), ClientError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let mut asked = 0;
        loop {
            asked += 1;
            match ask().await {
                Ok(answer) => return Ok((answer, asked)),
                Err(error) => {
                    if error.code() == Some(Code::StoreFull) {
                        self.store_full.fetch_add(1, Ordering::Relaxed);
                    }
                    // Half an answer makes no sense, and says nothing about the next one.
                    if !error.is_passing() && !matches!(error, ClientError::Nonsense { .. }) {
                        return Err(error);
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// Somebody who submits.
pub(crate) struct Submitter {
    pub(crate) name: String,
    pub(crate) client: Client,
    /// The name of the file that is run, by which a process that was left can be found.
    pub(crate) entry: String,
    pub(crate) chance: Chance,
    pub(crate) ledger: Arc<Ledger>,
    /// With so many jobs of all, it is enough.
    pub(crate) jobs_most: u64,
    /// Whether it goes on to the next soon, without waiting for the end: so that something is asked all the time.
    pub(crate) hasty: bool,
}

impl Submitter {
    /// Submits one thing after the other until it is over.
    pub(crate) async fn work(mut self) {
        let mut number = 0;
        while !self.ledger.is_over() && self.ledger.jobs() < self.jobs_most {
            number += 1;
            let tag = format!("{}-{number}", self.name);
            if let Err(error) = self.once(&tag).await {
                self.ledger.breach(format!("{tag} was refused for good: {error}"));
            }
        }
    }

    async fn once(&mut self, tag: &str) -> Result<(), ClientError> {
        let chance = &mut self.chance;
        let lines = chance.among(3..40);
        let pause_ms = chance.among(1..50);
        let leaves = if chance.percent(30) { chance.among(40..60_000) } else { 0 };
        let array = chance.percent(12).then(|| chance.among(2..6) as u32);
        let wanted =
            Wanted { tag: tag.to_owned(), lines, may_rerun: chance.percent(50), leaves, cancelled: chance.percent(12) };
        let mut submission = Submission::of_source("");
        submission.files = BTreeMap::from([(self.entry.clone(), FileContent::text(PROGRAM))]);
        submission.entry.clone_from(&self.entry);
        submission.args =
            vec![tag.to_owned(), lines.to_string(), format!("{}", pause_ms as f64 / 1000.0), leaves.to_string()];
        submission.may_rerun = wanted.may_rerun;
        submission.array = array;
        submission.idempotency_key = Some(tag.to_owned());
        let limit = |text: &str| Some(gambeson_api::Quantity(text.to_owned()));
        submission.limits.memory = limit("64M");
        submission.limits.cpus = limit("0.5");
        submission.limits.cpu = limit("10s");
        submission.limits.wall = limit("60s");
        if chance.percent(25) {
            let input = format!("input of {tag}").into_bytes();
            let put = || self.client.blob_put(None, &input, |_| {});
            let (blob, _) = self.ledger.insist(put).await?;
            self.ledger.uploaded.fetch_add(blob.size, Ordering::Relaxed);
            let file = FileContent::Blob { digest: blob.digest, size: None, executable: false };
            submission.files.insert("input.txt".into(), file);
        }
        let (accepted, asked) = self.ledger.insist(|| submit(&self.client, &submission)).await?;
        self.ledger.unanswered.fetch_add(asked - 1, Ordering::Relaxed);
        let (first, array) = identity(&accepted);
        let answered = Answered { key: tag.to_owned(), wanted: wanted.clone(), first, array };
        locked(&self.ledger.answered).push(answered);
        if array.is_none() && self.chance.percent(25) {
            tokio::spawn(follow(self.client.clone(), first, Arc::clone(&self.ledger)));
        }
        if self.chance.percent(25) {
            let (again, asked) = self.ledger.insist(|| submit(&self.client, &submission)).await?;
            self.ledger.doubled.fetch_add(asked, Ordering::Relaxed);
            if identity(&again) != (first, array) {
                self.ledger.breach(format!("{tag} was submitted again with its key and became something else"));
            }
        }
        if wanted.cancelled {
            sleep(self.chance.ms(0..1500)).await;
            match array {
                Some((array, _)) => drop(self.ledger.insist(|| self.client.array_cancel(array)).await?),
                None => drop(self.ledger.insist(|| self.client.job_cancel(first)).await?),
            }
        }
        if self.hasty {
            sleep(self.chance.ms(500..2500)).await;
            return Ok(());
        }
        // Waits a while for it: that paces the submitters, and keeps requests parked that faults then hit.
        for _ in 0..3 {
            let wait = Some(Duration::from_secs(2));
            let (job, _) = self.ledger.insist(|| self.client.job(first, wait)).await?;
            if job.state == JobState::Ended || self.ledger.is_over() {
                break;
            }
        }
        Ok(())
    }
}

/// Without the client's own repeating: ours has more patience, and counts.
async fn submit(client: &Client, submission: &Submission) -> Result<Accepted, ClientError> {
    client.connection().post("/v1/jobs", submission).await
}

fn identity(accepted: &Accepted) -> (JobId, Option<(gambeson_api::ArrayId, u32)>) {
    match accepted {
        Accepted::Job(job) => (job.id, None),
        Accepted::Array(array) => (array.first, Some((array.array, array.size))),
    }
}

/// Follows a job to its end through whatever happens to the connection, and writes down what it saw.
async fn follow(client: Client, job: JobId, ledger: Arc<Ledger>) {
    let mut seen: Vec<Event> = Vec::new();
    'following: loop {
        let mut follower = client.follow(job, seen.last().map_or(0, |event| event.seq));
        loop {
            match follower.next().await {
                Ok(Some(event)) => {
                    let ended = matches!(event.body, EventBody::Ended { .. });
                    seen.push(event);
                    if ended {
                        break 'following;
                    }
                }
                // The server was away for longer than a follower waits by itself.
                Ok(None) | Err(FollowError::Broken(_)) => break,
                Err(FollowError::Client(error)) if error.is_passing() => break,
                Err(error) => {
                    ledger.breach(format!("{job} could not be followed: {error}"));
                    return;
                }
            }
        }
        sleep(Duration::from_millis(200)).await;
    }
    locked(&ledger.followed).insert(job, seen);
}

/// A client of its own at `url`.
pub(crate) fn client(url: &str, key: &str) -> anyhow::Result<Client> {
    let target = url.parse().map_err(anyhow::Error::msg)?;
    Ok(Client::new(Connection::new(target, Some(key.to_owned()), None)?))
}
