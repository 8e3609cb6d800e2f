//! What the operator's monitoring reads: what happened since the server started, and how everything is.
//!
//! Invariants:
//! 1. The values of labels are words of ours ([`words`]), or names of which so many are shown and no more: however many
//!    projects, workers and strange words there are, the number of series ends.
//! 2. Counting waits for nobody: it takes no lock that is held longer than a look-up takes.
//! 3. What happened to jobs is counted once it is committed.
//! 4. A scrape asks the store nothing. What it shows of the state is from memory, and says when that is not to be had.

mod disk;
mod picture;
mod process;
mod shelf;
mod words;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gambeson_api::{Class, Code, End, Problem, Report, Start, Time};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use crate::access::Action;
use crate::control::{Answer, Caller, Control, Target};
use crate::desk::Live;
use crate::store::JobRow;

pub use shelf::Described;
use shelf::{ALONE, Of, Shelf, Word};
use words::{CLASSES, LIMITS, STARTS};

/// The figures of a server.
#[derive(Debug)]
pub struct Meters {
    shelf: Shelf,
    submitted: Of<1, Counter>,
    problems: Of<1, Counter>,
    waited: Of<1, Histogram>,
    ran: Of<1, Histogram>,
    started: Of<1, Counter>,
    starting: Of<1, Histogram>,
    ended: Of<2, Counter>,
    denials: Of<2, Counter>,
    limits: Of<1, Counter>,
    leases_granted: Of<0, Counter>,
    leases_ended: Of<1, Counter>,
    requeued: Of<0, Counter>,
    commit: Histogram,
    batch: Histogram,
    commits_failed: Counter,
    audit_rows: Counter,
    rate_limited: Counter,
    vetting: Histogram,
    requests: Of<3, Histogram>,
    followers: Of<1, shelf::Level>,
    spans_dropped: Counter,
    levels: picture::Levels,
    usage: process::Levels,
    disk: disk::Levels,
    /// One scrape at a time: what it shows beside counters is written anew for each.
    scraping: tokio::sync::Mutex<()>,
}

/// What happened, to be counted when it is committed.
#[derive(Debug)]
pub(crate) enum Fact {
    Submitted { class: Class, jobs: u32 },
    Leased,
    Started { class: Class, waited_ms: u64 },
    LeaseEnded { how: &'static str },
    Requeued,
    Ended(Box<Ended>),
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Ended {
    class: Class,
    kind: &'static str,
    ok: bool,
    limit: Option<&'static str>,
    /// From what it started, if it did.
    start: Option<Start>,
    took_ms: Option<u64>,
    ran_ms: Option<f64>,
    denials: Vec<(&'static str, &'static str, u64)>,
}

impl Fact {
    /// How a job ended that was leased at `granted`, if it was.
    pub(crate) fn ended(row: &JobRow, report: &Report, live: Option<&Live>, granted: Option<Time>) -> Fact {
        let (ok, limit) = match &report.outcome.end {
            End::Exited { code } => (*code == 0, None),
            End::LimitHit { limit, .. } => (false, Some(words::limit(limit))),
            End::Signalled { .. } | End::Refused {} | End::Cancelled {} | End::Lost {} | End::Fault { .. } => {
                (false, None)
            }
        };
        // Nobody waits for the word that a job starts which may run twice: it tells nothing about the start.
        let started = live.and_then(|live| live.started).filter(|_| !row.ask.may_rerun);
        let took_ms = started.zip(granted).map(|(started, granted)| started.since_ms(granted));
        // Of those that nobody reports on it is not known how long they ran.
        let ran_ms = Some(report.usage.wall_ms).filter(|ms| ms.is_finite() && *ms > 0.0);
        let denials = report.denials.iter().map(|one| (words::act(&one.act), words::rule(&one.rule), one.count));
        Fact::Ended(Box::new(Ended {
            class: row.class,
            kind: report.outcome.end.kind(),
            ok,
            limit,
            start: row.started.map(|_| report.start),
            took_ms,
            // What a worker says is not believed beyond what the job could use.
            ran_ms: ran_ms.map(|ms| ms.min(row.ask.limits.wall_ms as f64)),
            denials: denials.collect(),
        }))
    }
}

/// A follower of a stream, as long as it lives.
#[derive(Debug)]
pub struct Following(shelf::Level);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn from_5_ms() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 3.0, 13))
}

fn from_1_ms() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 14))
}

fn from_half_a_ms() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 3.0, 11))
}

fn from_200_us() -> Histogram {
    Histogram::new(exponential_buckets(0.0002, 2.0, 15))
}

fn from_1() -> Histogram {
    Histogram::new(exponential_buckets(1.0, 2.0, 10))
}

impl Default for Meters {
    fn default() -> Meters {
        let mut shelf = Shelf::new();
        let on = &mut shelf;
        let classes = || CLASSES.map(|class| [class]);
        let build = on.gauge(
            "build_info",
            ["version"],
            "Always 1. The version is the label: see which ones run during an upgrade.",
        );
        build.set([env!("CARGO_PKG_VERSION")], 1.0);
        let began = on.gauge(
            "start_time_seconds",
            [],
            "When the server started, in seconds since 1970. Counters began at 0 then.",
        );
        began.set(ALONE, Time::now().0 as f64 / 1000.0);
        let levels = picture::Levels::on(on);
        Meters {
            submitted: on
                .counter("jobs_submitted", ["class"], "Jobs accepted, each element of an array for one. Its rate is what comes in.")
                .beginning_with(classes()),
            problems: on.counter(
                "submissions_refused",
                ["code"],
                "Submissions that were answered with a problem, by its code (docs/errors.md). quota_exceeded and queue codes ask for \
                 more room or quota, invalid ones for a word with who submits.",
            ),
            waited: on
                .histogram(
                    "job_wait_seconds",
                    ["class"],
                    from_5_ms,
                    "From a job's submission to its program's start. Where it grows, add workers or slots, or lower what low classes may hold.",
                )
                .beginning_with(classes()),
            ran: on
                .histogram("job_run_seconds", ["class"], from_5_ms, "How long programs ran, as their workers say.")
                .beginning_with(classes()),
            started: on
                .counter(
                    "jobs_started",
                    ["start"],
                    "Programs that ran and ended, by how their cell came to be. Many cold ones: raise worker.spares, or see why jobs ask \
                     for fresh cells.",
                )
                .beginning_with(STARTS.map(|start| [start])),
            starting: on
                .histogram(
                    "job_start_seconds",
                    ["start"],
                    from_1_ms,
                    "From a lease to the word that its program starts, for jobs that may not run twice. Slow warm starts mean a busy \
                     worker or a slow way to it.",
                )
                .beginning_with(STARTS.map(|start| [start])),
            ended: on
                .counter(
                    "jobs_ended",
                    ["outcome", "ok"],
                    "Jobs that ended, by outcome; ok is true for exit code 0. fault and lost are ours to mend: see the log of server and workers.",
                )
                .beginning_with([
                    ["exited", "true"],
                    ["exited", "false"],
                    ["signalled", "false"],
                    ["limit_hit", "false"],
                    ["refused", "false"],
                    ["cancelled", "false"],
                    ["lost", "false"],
                    ["fault", "false"],
                ]),
            denials: on.counter(
                "denials",
                ["act", "rule"],
                "Acts that the sandbox refused, by what was tried and what refused it. A sudden rise is somebody who looks for a way out, or \
                 a library that wants what the policy does not give.",
            ),
            limits: on
                .counter(
                    "limits_hit",
                    ["limit"],
                    "Jobs that a limit ended. Where it is often the same one, its default is too low for what people do.",
                )
                .beginning_with(LIMITS.map(|limit| [limit])),
            leases_granted: on
                .counter("leases_granted", [], "Attempts that were given to workers.")
                .beginning_with([[]]),
            leases_ended: on
                .counter(
                    "leases_ended",
                    ["how"],
                    "Attempts that are over: settled by their worker, lost (it was not heard of in time), or handed_back (it stopped, or had \
                     no room). Lost ones: see whether the worker, or the way to it, is down.",
                )
                .beginning_with([["settled"], ["lost"], ["handed_back"]]),
            requeued: on
                .counter("jobs_requeued", [], "Jobs that wait again since an attempt came to nothing before the program started.")
                .beginning_with([[]]),
            commit: on
                .histogram(
                    "store_commit_seconds",
                    [],
                    from_200_us,
                    "How long the store takes for one commit, which is one write to the disk. Everything that changes waits for it: above \
                     50 ms look for a slow or busy disk.",
                )
                .only(),
            batch: on
                .histogram(
                    "store_commit_operations",
                    [],
                    from_1,
                    "Operations in one commit. Large ones mean that the server is busy, and that the disk is spared.",
                )
                .only(),
            commits_failed: on
                .counter(
                    "store_commits_failed",
                    [],
                    "Commits that the store refused; everybody in them was told. Look at the disk and at the log.",
                )
                .only(),
            audit_rows: on.counter("audit_rows", [], "Rows written to the audit log.").only(),
            rate_limited: on
                .counter(
                    "requests_rate_limited",
                    [],
                    "Requests refused since their key asked too often (server.rate_per_key). The audit log says which key.",
                )
                .only(),
            vetting: on
                .histogram(
                    "vet_seconds",
                    [],
                    from_1_ms,
                    "How long a submission waited for its source to be read. At 3 s it is accepted unread.",
                )
                .only(),
            requests: on.histogram(
                "http_request_seconds",
                ["route", "method", "status"],
                from_half_a_ms,
                "From a request to the head of its answer, by route. Polls of workers, ?wait and heartbeats wait on purpose; 5xx are ours.",
            ),
            followers: on
                .gauge(
                    "followers",
                    ["stream"],
                    "Streams of events that are open now (SSE). Each holds a connection and a place of its key (server.open_per_key).",
                )
                .beginning_with([["job"], ["changes"]]),
            spans_dropped: on
                .counter("trace_spans_dropped", [], "Spans that were not exported, since the collector was slow or away.")
                .only(),
            usage: process::Levels::on(on),
            disk: disk::Levels::on(on),
            levels,
            shelf,
            scraping: tokio::sync::Mutex::default(),
        }
    }
}

/// No job is refused the same thing more often than this, as far as figures go.
const COUNT_MOST: u64 = 1_000_000;
/// How long a scrape waits for the writer.
const WRITER_WAIT: Duration = Duration::from_secs(1);

impl Control {
    /// The figures, for who may see them, as OpenMetrics text.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn metrics(&self, caller: &Caller) -> Answer<String> {
        self.look(caller, Action::MetricsView, Target::Platform).await?;
        let meters = &self.shared.meters;
        let _turn = meters.scraping.lock().await;
        let picture = tokio::time::timeout(WRITER_WAIT, self.act(|desk| Ok(picture::Picture::of(desk)))).await;
        meters.levels.show(picture.ok().and_then(Result::ok));
        meters.usage.look();
        meters.disk.look(&self.shared);
        meters.spans_dropped.inner().store(self.shared.config.tracer.dropped_so_far(), Ordering::Relaxed);
        meters.text()
    }

    /// Where what happens is counted that only the server sees.
    pub fn meters(&self) -> &Arc<Meters> {
        &self.shared.meters
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

impl Meters {
    /// What there is, for documents and tests.
    pub fn described(&self) -> &[Described] {
        &self.shelf.described
    }

    fn text(&self) -> Answer<String> {
        let mut text = String::with_capacity(64 << 10);
        prometheus_client::encoding::text::encode(&mut text, &self.shelf.registry)
            .map_err(|error| Problem::new(Code::Internal, format!("the figures could not be written: {error}")))?;
        Ok(text)
    }

    /// A request was answered. `route` is a template of ours, never what was asked for.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let labels = [Word::from(route.to_owned()), words::method(method).into(), words::status(status).into()];
        self.requests.at(labels).observe(took.as_secs_f64());
    }

    /// Somebody follows a stream: `job` or `changes`.
    pub fn follow(&self, stream: &'static str) -> Following {
        let level = self.followers.at([stream]);
        level.inc();
        Following(level)
    }

    pub(crate) fn problem(&self, code: Code) {
        self.problems.add([code.as_str()], 1);
    }

    pub(crate) fn rate_limited(&self) {
        self.rate_limited.inc();
    }

    pub(crate) fn vetted(&self, took: Duration) {
        self.vetting.observe(took.as_secs_f64());
    }

    /// A commit of so many operations and audit rows, or one that failed.
    pub(crate) fn commit(&self, succeeded: bool, took: Duration, operations: usize, audit_rows: u64) {
        if !succeeded {
            self.commits_failed.inc();
            return;
        }
        self.audit_rows.inc_by(audit_rows);
        // The clock's looks that found nothing to do are no commits.
        if operations > 0 {
            self.commit.observe(took.as_secs_f64());
            self.batch.observe(operations as f64);
        }
    }

    pub(crate) fn count(&self, fact: Fact) {
        match fact {
            Fact::Submitted { class, jobs } => self.submitted.add([class.name()], jobs.into()),
            Fact::Leased => self.leases_granted.add(ALONE, 1),
            Fact::Started { class, waited_ms } => self.waited.at([class.name()]).observe(seconds(waited_ms)),
            Fact::LeaseEnded { how } => self.leases_ended.add([how], 1),
            Fact::Requeued => self.requeued.add(ALONE, 1),
            Fact::Ended(ended) => self.end(*ended),
        }
    }

    fn end(&self, ended: Ended) {
        let Ended { class, kind, ok, limit, start, took_ms, ran_ms, denials } = ended;
        self.ended.add([kind, if ok { "true" } else { "false" }], 1);
        if let Some(start) = start {
            let start = match start {
                Start::Cold => "cold",
                Start::Warm => "warm",
            };
            self.started.add([start], 1);
            took_ms.into_iter().for_each(|ms| self.starting.at([start]).observe(seconds(ms)));
            ran_ms.into_iter().for_each(|ms| self.ran.at([class.name()]).observe(ms / 1000.0));
        }
        limit.into_iter().for_each(|limit| self.limits.add([limit], 1));
        for (act, rule, count) in denials {
            // It is a worker's word.
            self.denials.add([act, rule], count.min(COUNT_MOST));
        }
    }
}

#[cfg(test)]
mod tests;
