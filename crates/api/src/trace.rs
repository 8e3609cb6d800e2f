//! Spans: what was done for a job, from when to when, told to a collector where the operator has one.
//!
//! A trace is named by its job's id, and a span by what it is of, so that server and worker tell of one trace without passing
//! anything. Telling waits for nobody: what a full queue does not take is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::id::JobId;
use crate::time::Time;

/// Spans that wait to be sent.
const WAITING_MOST: usize = 8192;

/// The name of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub u64);

impl SpanId {
    /// Of a job's whole life: what all others are within.
    pub fn of_job(job: JobId) -> SpanId {
        SpanId::of(job, "job", 0)
    }

    /// Of something that was done in an attempt, 0 before any.
    pub fn of(job: JobId, name: &str, attempt: u32) -> SpanId {
        // FNV-1a over what tells it apart. Nobody gains by making two of them the same.
        let number = job.as_u128();
        let bytes = number.to_le_bytes().into_iter().chain(attempt.to_le_bytes()).chain(name.bytes());
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        // 0 is no name.
        SpanId(hash.max(1))
    }
}

/// A span of somebody else's, that led to one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its trace.
    pub trace: u128,
    /// Which of it.
    pub span: u64,
}

impl Link {
    /// From the header `traceparent` (W3C Trace Context, level 1).
    pub fn read(header: &str) -> Option<Link> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        // A later version may have more behind.
        let known = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        if !known || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return None;
        }
        let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
        (trace != 0 && span != 0).then_some(Link { trace, span })
    }
}

/// What is noted of a span: never what a program is, gets or says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A word or a name.
    Text(String),
    /// A number.
    Number(i64),
}

/// Something that was done for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The job, whose id is the trace's.
    pub job: JobId,
    /// Which.
    pub id: SpanId,
    /// What it was within; nothing for the whole.
    pub parent: Option<SpanId>,
    /// What was done, in a word.
    pub name: &'static str,
    /// When it began, nanoseconds since the epoch.
    pub from_ns: u64,
    /// When it ended.
    pub to_ns: u64,
    /// What there is to know.
    pub facts: Vec<(&'static str, Fact)>,
    /// What led to it.
    pub link: Option<Link>,
    /// Whether it failed by a fault of ours.
    pub failed: bool,
}

impl Span {
    /// Something that was done in an attempt, within `parent`.
    pub fn of(job: JobId, name: &'static str, attempt: u32, parent: SpanId, from: Moment, to: Moment) -> Span {
        Span {
            job,
            id: SpanId::of(job, name, attempt),
            parent: Some(parent),
            name,
            from_ns: from.0,
            // A clock that was set back makes no span that ends before it begins.
            to_ns: to.0.max(from.0),
            facts: Vec::new(),
            link: None,
            failed: false,
        }
    }

    /// With something to know.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Into<Fact>) -> Span {
        self.facts.push((name, fact.into()));
        self
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Fact {
        Fact::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Fact {
        Fact::Text(text.to_owned())
    }
}

impl From<u32> for Fact {
    fn from(number: u32) -> Fact {
        Fact::Number(number.into())
    }
}

/// When something was: nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// Now.
    pub fn now() -> Moment {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Moment(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// When a job's id was made: its life begins there.
    pub const fn of_job(job: JobId) -> Moment {
        Moment((job.as_u128() >> 80) as u64 * 1_000_000)
    }
}

impl From<Time> for Moment {
    fn from(time: Time) -> Moment {
        Moment(time.0.saturating_mul(1_000_000))
    }
}

/// Where spans are told. Without a collector it costs a look at an option.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<Arc<Told>>);

#[derive(Debug)]
struct Told {
    spans: SyncSender<Span>,
    /// Jobs of a hundred that are told of.
    percent: u8,
    dropped: AtomicU64,
}

impl Tracer {
    /// A tracer, and where what it is told comes out. Of so many jobs of a hundred is told.
    pub fn new(percent: u8) -> (Tracer, Receiver<Span>) {
        let (spans, out) = sync_channel(WAITING_MOST);
        (Tracer(Some(Arc::new(Told { spans, percent, dropped: AtomicU64::new(0) }))), out)
    }

    /// Whether spans of this job are told: server and worker agree without a word.
    pub fn follows(&self, job: JobId) -> bool {
        self.0.as_ref().is_some_and(|told| SpanId::of(job, "sample", 0).0 % 100 < told.percent.into())
    }

    /// Tells a span, if those of its job are told.
    pub fn tell(&self, job: JobId, span: impl FnOnce() -> Span) {
        if self.follows(job)
            && let Some(told) = &self.0
            && told.spans.try_send(span()).is_err()
        {
            self.dropped(1);
        }
    }

    /// Counts spans that were not sent.
    pub fn dropped(&self, count: u64) {
        if let Some(told) = &self.0 {
            told.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// How many were not sent.
    pub fn dropped_so_far(&self) -> u64 {
        self.0.as_ref().map_or(0, |told| told.dropped.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_strictly() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let link = Link { trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, span: 0xb7ad_6b71_6920_3331 };
        assert_eq!(Link::read(good), Some(link));
        assert_eq!(Link::read(&good.replacen("00", "01", 1)), Some(link));
        assert_eq!(Link::read(&format!("{}-more", good.replacen("00", "01", 1))), Some(link));
        for bad in [
            "",
            "-",
            &good[1..],
            &format!("{good}-more"),
            &good.replacen("00", "ff", 1),
            &good.to_uppercase(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(Link::read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn spans_of_one_job_have_names_of_their_own_and_a_full_queue_drops_and_counts() {
        let job = JobId::new();
        let names = ["job", "submit", "queued", "lease", "run"].map(|name| SpanId::of(job, name, 1));
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name) && name.0 != 0);
        }
        assert_ne!(SpanId::of(job, "run", 1), SpanId::of(job, "run", 2));
        let (tracer, out) = Tracer::new(100);
        let span = || Span::of(job, "run", 1, SpanId::of_job(job), Moment(5), Moment(3));
        for _ in 0..WAITING_MOST + 3 {
            tracer.tell(job, span);
        }
        assert_eq!(tracer.dropped_so_far(), 3);
        assert_eq!(out.recv().unwrap(), Span { from_ns: 5, to_ns: 5, ..span() });
        Tracer::default().tell(job, || panic!("nobody listens"));
    }

    #[test]
    fn of_a_part_of_all_jobs_is_told() {
        let (some, _some) = Tracer::new(30);
        let followed = (0..10_000).filter(|_| some.follows(JobId::new())).count();
        assert!((2_500..3_500).contains(&followed), "{followed}");
    }

    #[test]
    fn a_job_begins_when_its_id_was_made() {
        let (before, job, after) = (Time::now(), JobId::new(), Time::now());
        let begun = Moment::of_job(job);
        assert!(Moment::from(before) <= begun && begun <= Moment::from(after));
    }
}
