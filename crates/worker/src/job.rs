//! The life of one job on this worker: from its lease to its end.
//!
//! Invariants:
//! 1. The server knows that the program starts before it does, unless that may run twice.
//! 2. Of a job whose lease is gone nothing is said, and its cell is dead before its room is given to another.
//! 3. A job ends here in one way: settled, handed back, or let go.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use gambeson_api::client::ClientError;
use gambeson_api::client::worker::{WorkerClient, digest_of};
use gambeson_api::trace::{Moment, Tracer};
use gambeson_api::work::{Append, Entry, HandBack, Lease, Settle, Skipped};
use gambeson_api::{Artifact, FileContent, Network, OutputStream, Report, Start, StartAsked};
use gambeson_sandbox::{Bytes, Collected, End, Environment, Host, Layer, Limit, Refusal, plan};
use tokio::io::AsyncSeekExt;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use crate::asking::{Asking, NoAnswer};
use crate::backlog::Backlog;
use crate::blobs::Blobs;
use crate::boot_time::BootTime;
use crate::cell::{Begun, CellEnd, Ends, Order, Told};
use crate::config::Flush;
use crate::egress::Egress;
use crate::holding::{Gone, Holding, Verdict};
use crate::inputs::Inputs;
use crate::outage::{Outage, cause};
use crate::spares::Spares;
use crate::state_dir::RunDir;
use crate::stream::stream;
use crate::trail::Trail;
use crate::translate::{Contents, Fetched, refusal, report, report_of_end, spec};
use crate::vitals::Running;

/// What all jobs of a worker share.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) client: WorkerClient,
    pub(crate) outage: Arc<Outage>,
    pub(crate) host: Arc<Host>,
    pub(crate) environment: Environment,
    pub(crate) accept_missing: Vec<Layer>,
    pub(crate) spares: Option<Arc<Spares>>,
    pub(crate) running: Arc<Running>,
    pub(crate) flush: Flush,
    pub(crate) tracer: Tracer,
    pub(crate) blobs: Arc<Blobs>,
    pub(crate) runs: PathBuf,
    pub(crate) egress: Egress,
}

/// How a job left this worker.
enum Left {
    Settled(&'static str),
    HandedBack(String),
}

/// Why a job does not get to its start.
enum Unready {
    HandBack(String),
    Settle(Box<Report>),
    Gone(Gone),
}

impl From<Gone> for Unready {
    fn from(gone: Gone) -> Unready {
        Unready::Gone(gone)
    }
}

/// Carries out the attempt that `lease` is for.
pub(crate) async fn carry_out(place: Arc<Place>, lease: Lease, holding: Arc<Holding>) {
    let (job, attempt) = (lease.job, lease.attempt);
    info!(job.id = %job, attempt, "took {job}");
    let asking =
        Asking { client: place.client.lease(lease.id, &lease.token), holding, outage: Arc::clone(&place.outage) };
    match live(&place, lease, asking).await {
        Ok(Left::Settled(kind)) => info!(job.id = %job, attempt, outcome = kind, "settled {job}"),
        Ok(Left::HandedBack(why)) => info!(job.id = %job, attempt, why, "handed {job} back"),
        Err(gone) => {
            warn!(job.id = %job, attempt, why = gone.why(), "let {job} go; its cell is dead, nothing is reported")
        }
    }
}

async fn live(place: &Place, mut lease: Lease, asking: Asking) -> Result<Left, Gone> {
    let holding = Arc::clone(&asking.holding);
    let (trail, begun) = (Trail::of(&place.tracer, &lease), Moment::now());
    let ready = tokio::select! {
        biased;
        gone = holding.gone() => return Err(gone),
        () = holding.at_least(Verdict::HandBack) => Err(stopped(&holding)?),
        ready = prepare(place, &mut lease, &asking) => ready,
    };
    trail.tell("prepare", begun, []);
    let mut journal = Journal { asking, backlog: Backlog::default(), trail };
    let starting = Moment::now();
    let (order, ends) = match ready {
        Ok(ready) => ready,
        Err(Unready::Gone(gone)) => return Err(gone),
        Err(Unready::HandBack(why)) => return journal.hand_back(why).await,
        Err(Unready::Settle(report)) => return journal.settle(*report, Vec::new(), Vec::new()).await,
    };
    let may_rerun = lease.may_rerun;
    drop(lease);

    // Its cell gets its program while the server hears that it starts.
    let Begun { go, told } = match order.start() {
        Ok(begun) => begun,
        Err(error) => return journal.settle(fault("start a thread", &error), Vec::new(), Vec::new()).await,
    };
    journal.backlog.push(Entry::Started {});
    if may_rerun {
        // Should we die before it is recorded, it runs again, which is no harm: nobody waits for a disk.
        let _ = go.send(());
        journal.trail.tell("start", starting, []);
        return journal.run(ends, told, place.flush).await;
    }
    let sent = tokio::select! {
        biased;
        () = holding.at_least(Verdict::Cancel) => Ok(()),
        sent = journal.send(|backlog| backlog.is_empty()) => sent,
    };
    if sent.is_err() || holding.verdict(BootTime::now()) >= Verdict::Cancel {
        drop(go);
        // Until its cell is gone.
        let _ = told.await;
        sent?;
        return journal.cancelled().await;
    }
    // A thread that is not there any more has said so.
    let _ = go.send(());
    journal.trail.tell("start", starting, []);
    journal.run(ends, told, place.flush).await
}

/// What becomes of a job that is stopped before its start.
fn stopped(holding: &Holding) -> Result<Unready, Gone> {
    match holding.verdict(BootTime::now()) {
        Verdict::Gone(gone) => Err(gone),
        Verdict::Cancel => Ok(Unready::Settle(Box::new(report_of_end(&End::Cancelled)))),
        Verdict::HandBack | Verdict::Go => Ok(Unready::HandBack("the worker is to stop".into())),
    }
}

fn fault(step: &str, error: &io::Error) -> Report {
    report_of_end(&End::Fault { step: step.into(), why: error.to_string(), mend: None })
}

/// Everything that can be done before the server is told that the program starts.
async fn prepare(place: &Place, lease: &mut Lease, asking: &Asking) -> Result<(Order, Ends), Unready> {
    let settle = |report: Report| Unready::Settle(Box::new(report));
    let files = fetch(place, lease, asking).await?;
    let wanted =
        spec(lease, files, &place.environment, &place.accept_missing).map_err(|unfit| settle(unfit.report()))?;
    let limits = wanted.limits.clone();
    let plan = plan(&wanted, &place.host).map_err(|refused| settle(refusal(&refused)))?;
    drop(wanted);
    let (host, holding) = (Arc::clone(&place.host), Arc::clone(&asking.holding));
    let spares = place.spares.clone().filter(|_| lease.start == StartAsked::Warm);
    let order = Order::prepare(plan, &limits, host, spares, holding, &lease.stdin.0, place.runs.clone());
    let (order, ends) = order.map_err(|error| {
        if passes(&error) {
            Unready::HandBack(format!("the worker is short of something: {error}"))
        } else {
            settle(fault("make the pipes of a cell", &error))
        }
    })?;
    let (proxy, listeners) = match &lease.network {
        Network::Allow(allow) => Some(place.egress.open(allow.clone())).unzip(),
        Network::None | Network::Loopback => (None, None),
    };
    let order = order.telling(lease.denials, lease.samples).counted_in(&place.running).listened_to_by(listeners);
    Ok((order, Ends { proxy, ..ends }))
}

/// Whether the same may succeed later, or elsewhere.
fn passes(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::AGAIN | Errno::NOMEM | Errno::NOSPC | Errno::MFILE | Errno::NFILE | Errno::DQUOT)
    )
}

/// All files of a job. What came as a blob is on the disk and never whole in memory: the cell copies it itself.
async fn fetch(place: &Place, lease: &mut Lease, asking: &Asking) -> Result<Vec<Fetched>, Unready> {
    let allowed = lease.limits.disk_bytes;
    let size = |file: &FileContent| match file {
        FileContent::Inline { bytes, .. } => bytes.len() as u64,
        FileContent::Blob { size, .. } => size.unwrap_or(0),
    };
    let given = lease.files.values().map(size).fold(0, u64::saturating_add);
    if given > allowed {
        let refused = Refusal::InputTooLarge { given, what: "bytes", limit: Limit::Disk, allowed };
        return Err(Unready::Settle(Box::new(refusal(&refused))));
    }
    let mut files = Vec::with_capacity(lease.files.len());
    let mut inputs = None;
    let mut left = allowed;
    for (path, file) in std::mem::take(&mut lease.files) {
        let executable = file.executable();
        let contents = match file {
            FileContent::Inline { bytes, .. } => {
                left = left.saturating_sub(bytes.len() as u64);
                Contents::Inline(bytes)
            }
            FileContent::Blob { digest, .. } => {
                let inputs = match &mut inputs {
                    Some(inputs) => inputs,
                    none => none.insert(Inputs::make(&place.runs, asking.holding.lease).map_err(unkept)?),
                };
                let contents = bring(place, asking, inputs, digest, left).await?;
                if let Contents::Input { size, .. } = contents {
                    left = left.saturating_sub(size);
                }
                contents
            }
        };
        files.push(Fetched { path, executable, contents });
    }
    Ok(files)
}

fn unkept(error: io::Error) -> Unready {
    Unready::HandBack(format!("the worker has no place for the job's files: {error}"))
}

/// Brings a blob of at most `most` bytes to the job's inputs: from those that were kept, or from the server.
async fn bring(
    place: &Place,
    asking: &Asking,
    inputs: &mut Inputs,
    digest: gambeson_api::Digest,
    most: u64,
) -> Result<Contents, Unready> {
    let died = |_| Unready::HandBack("a thread that copies files died".into());
    let (blobs, to, offset) = (Arc::clone(&place.blobs), Arc::clone(&inputs.file), inputs.end);
    let kept = spawn_blocking(move || blobs.get(digest, most, &to, offset)).await.map_err(died)?;
    if let Some(size) = kept {
        return Ok(inputs.grown(size));
    }
    let file = &inputs.file;
    let fetched = asking.insist(|client| async move {
        // A former try may have left a part.
        let at = |error: io::Error| ClientError::Setup(format!("the job's files cannot be written: {error}"));
        let mut to = tokio::fs::File::from_std(file.try_clone().map_err(at)?);
        to.seek(io::SeekFrom::Start(offset)).await.map_err(at)?;
        client.blob(digest, most, &mut to).await
    });
    let size = match fetched.await {
        Ok(size) => size,
        Err(NoAnswer::Gone(gone)) => return Err(gone.into()),
        Err(NoAnswer::Refused(error)) => return Err(Unready::HandBack(format!("a file could not be had: {error}"))),
    };
    let (blobs, from) = (Arc::clone(&place.blobs), Arc::clone(&inputs.file));
    let put = spawn_blocking(move || blobs.put(digest, &from, offset, size)).await.map_err(died)?;
    if let Err(error) = put {
        // The job has it all the same; the next one fetches it again.
        warn!(error = %error, "a blob could not be kept for later");
    }
    Ok(inputs.grown(size))
}

/// What is told of an attempt.
pub(crate) struct Journal {
    pub(crate) asking: Asking,
    pub(crate) backlog: Backlog,
    pub(crate) trail: Trail,
}

impl Journal {
    /// Sends report after report until `enough`.
    async fn send(&mut self, enough: impl Fn(&Backlog) -> bool) -> Result<(), Gone> {
        while !enough(&self.backlog) {
            let append: Append = self.backlog.batch();
            let append = &append;
            let answer = self.asking.insist_or_lose(|client| async move { client.append(append).await }).await?;
            self.acknowledge(answer.next)?;
        }
        Ok(())
    }

    /// The server has everything before `next`.
    pub(crate) fn acknowledge(&mut self, next: u64) -> Result<(), Gone> {
        self.backlog.acknowledge(next).map_err(|backwards| {
            tracing::error!(lease.id = %self.asking.holding.lease, error = %backwards, "letting the lease go");
            self.asking.holding.raise(Verdict::Gone(Gone::Lost));
            Gone::Lost
        })
    }

    async fn hand_back(self, why: String) -> Result<Left, Gone> {
        let hand_back = &HandBack { why };
        self.asking.insist_or_lose(|client| async move { client.hand_back(hand_back).await }).await?;
        Ok(Left::HandedBack(hand_back.why.clone()))
    }

    async fn cancelled(self) -> Result<Left, Gone> {
        self.settle(report_of_end(&End::Cancelled), Vec::new(), Vec::new()).await
    }

    async fn settle(mut self, report: Report, artifacts: Vec<Artifact>, skipped: Vec<Skipped>) -> Result<Left, Gone> {
        let settling = Moment::now();
        self.send(Backlog::fits).await?;
        let Append { first, entries } = self.backlog.batch();
        let kind = report.outcome.end.kind();
        let settle = &Settle { first, entries, report, artifacts, skipped };
        match self.asking.insist(|client| async move { client.settle(settle).await }).await {
            Ok(_) => {
                self.trail.tell("settle", settling, []);
                Ok(Left::Settled(kind))
            }
            Err(NoAnswer::Gone(gone)) => Err(gone),
            Err(NoAnswer::Refused(refused)) => {
                tracing::error!(lease.id = %self.asking.holding.lease, error = %refused, "the server refuses the end of a job");
                let (step, why) = ("record the end of the run".into(), refused.to_string());
                let report = report_of_end(&End::Fault { step, why, mend: None });
                let settle = &Settle { report, artifacts: Vec::new(), skipped: Vec::new(), ..settle.clone() };
                // Better a fault of ours than a job that is lost without a word.
                self.asking.insist_or_lose(|client| async move { client.settle(settle).await }).await?;
                Ok(Left::Settled(settle.report.outcome.end.kind()))
            }
        }
    }

    /// From the launch to the end.
    async fn run(mut self, ends: Ends, told: oneshot::Receiver<Told>, flush: Flush) -> Result<Left, Gone> {
        let running = Moment::now();
        let (end, denials) = stream(&mut self, ends, told, flush).await?;
        match end {
            CellEnd::NotLaunched => match self.asking.holding.verdict(BootTime::now()) {
                Verdict::Gone(gone) => Err(gone),
                _ => self.cancelled().await,
            },
            CellEnd::Fault(end) => self.settle(report_of_end(&end), Vec::new(), Vec::new()).await,
            CellEnd::Ended { exit, elided, left } => {
                for (stream, bytes) in [(OutputStream::Stdout, elided.0), (OutputStream::Stderr, elided.1)] {
                    if bytes > 0 {
                        self.backlog.push(Entry::Elided { stream, bytes });
                    }
                }
                let mut report = report(&exit);
                let start = if report.start == Start::Warm { "warm" } else { "cold" };
                let facts = [("outcome", report.outcome.end.kind().into()), ("start", start.into())];
                self.trail.tell("run", running, facts);
                report.denials.extend(denials);
                let Some((dir, collected)) = left else {
                    return self.settle(report, Vec::new(), Vec::new()).await;
                };
                if !collected.artifacts.is_empty() {
                    // Whoever follows the output need not wait for the uploads.
                    self.send(Backlog::is_empty).await?;
                }
                let (collecting, files) = (Moment::now(), collected.artifacts.len() as u32);
                let (artifacts, skipped) = self.upload(&dir, collected).await?;
                self.trail.tell("collect", collecting, [("files", files.into())]);
                self.settle(report, artifacts, skipped).await
            }
        }
    }

    /// Uploads what was collected. What the server does not take is said to be skipped.
    async fn upload(&self, dir: &RunDir, collected: Collected) -> Result<(Vec<Artifact>, Vec<Skipped>), Gone> {
        let skipped = collected.skipped.into_iter().map(|one| Skipped { path: one.path, why: one.why.into() });
        let (mut artifacts, mut skipped) = (Vec::new(), skipped.collect::<Vec<_>>());
        for gambeson_sandbox::Artifact { path, size: Bytes(_) } in collected.artifacts {
            let name = path.to_string_lossy().into_owned();
            let file = dir.path().join(&path);
            let at = file.clone();
            let read = spawn_blocking(move || digest_of(std::fs::File::open(at)?)).await;
            let (digest, size) = match read.map_err(io::Error::other).flatten() {
                Ok(found) => found,
                Err(error) => {
                    skipped.push(Skipped { path: name, why: format!("could not be read again: {error}") });
                    continue;
                }
            };
            let file = &file;
            match self.asking.insist(|client| async move { client.upload(digest, file, size).await }).await {
                Ok(()) => artifacts.push(Artifact { path: name, size, digest }),
                Err(NoAnswer::Gone(gone)) => return Err(gone),
                Err(NoAnswer::Refused(error)) => {
                    warn!(error = %error, cause = %cause(&error), "the server does not take an artifact");
                    skipped.push(Skipped { path: name, why: format!("the server does not take it: {error}") });
                }
            }
        }
        Ok((artifacts, skipped))
    }
}
