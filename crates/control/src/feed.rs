//! The newest events of a job, read and written out once for all who follow it.
//!
//! Invariants:
//! 1. The events of a feed follow each other without a gap: who goes on from any of them misses none.
//! 2. At the feed's end one reads at a time; who waited for that finds what was read. Nobody reads again before there
//!    is news.
//! 3. A feed has a bound, and all feeds together have one. Who is behind reads the store, a page at a time, and holds no more
//!    than that page.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gambeson_api::{Event, EventBody};

/// What is kept of a job's events, bytes: as they are, and as they are written.
const KEPT_MOST: usize = 2 << 20;
/// What is kept of all jobs' events beside the newest page of each.
const ALL_MOST: usize = 64 << 20;
/// What an event costs beside its output.
const EVENT_COST: usize = 400;

/// Events that follow each other, and how they are written, once somebody wants to know.
#[derive(Debug)]
struct Batch {
    events: Vec<Event>,
    written: OnceLock<Written>,
}

/// The events as bytes, and where each begins.
#[derive(Debug)]
struct Written {
    bytes: Vec<u8>,
    begins: Vec<usize>,
}

/// Some events of a job, in order. Cheap to clone: what many are given is there once.
#[derive(Debug, Clone)]
pub struct Page {
    batch: Arc<Batch>,
    /// The first of the batch that is on it.
    from: usize,
}

/// The bytes of a page.
#[derive(Debug, Clone)]
pub struct PageBytes {
    batch: Arc<Batch>,
    from: usize,
}

impl AsRef<[u8]> for PageBytes {
    fn as_ref(&self) -> &[u8] {
        self.batch.written.get().map_or(&[], |written| &written.bytes[self.from..])
    }
}

impl From<Vec<Event>> for Page {
    fn from(events: Vec<Event>) -> Page {
        Page { batch: Arc::new(Batch { events, written: OnceLock::new() }), from: 0 }
    }
}

impl Page {
    /// The events.
    pub fn events(&self) -> &[Event] {
        &self.batch.events[self.from..]
    }

    /// The last one's place.
    fn last(&self) -> u64 {
        self.batch.events.last().map_or(0, |event| event.seq)
    }

    /// The events as `write` writes each of them: once, whoever else asks.
    pub fn written(&self, write: fn(&Event, &mut Vec<u8>)) -> PageBytes {
        let written = self.batch.written.get_or_init(|| {
            let mut bytes = Vec::with_capacity(self.batch.events.len() * EVENT_COST);
            let mut begins = Vec::with_capacity(self.batch.events.len());
            for event in &self.batch.events {
                begins.push(bytes.len());
                write(event, &mut bytes);
            }
            bytes.shrink_to_fit();
            Written { bytes, begins }
        });
        let from = written.begins.get(self.from).copied().unwrap_or(written.bytes.len());
        PageBytes { batch: Arc::clone(&self.batch), from }
    }

    fn cost(&self) -> usize {
        let output = |event: &Event| match &event.body {
            EventBody::Output { data, .. } => data.0.len() + written_size(&data.0),
            _ => 0,
        };
        self.batch.events.iter().map(|event| EVENT_COST + output(event)).sum()
    }
}

/// About how many bytes output has in JSON (RFC 8259, section 7): a control character has up to six.
fn written_size(data: &[u8]) -> usize {
    let size = |byte: &u8| match byte {
        b'\n' | b'\r' | b'\t' | b'"' | b'\\' => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    data.iter().map(size).sum()
}

/// What all feeds keep together.
#[derive(Debug, Default)]
pub(crate) struct Budget(AtomicUsize);

/// What the store said when it was asked for events after a place.
#[derive(Debug)]
pub(crate) struct Reading {
    pub events: Vec<Event>,
    /// The job's last event, from before the events were read.
    pub last: u64,
    /// Whether the job had ended, from before that.
    pub over: bool,
}

/// What a feed has for somebody.
#[derive(Debug)]
pub(crate) enum Found {
    Page(Page),
    /// It begins after that place, or is not known yet.
    Behind,
    /// There may be more in the store than the feed has.
    Look,
    /// There is nothing more; `over`: and nothing more will come.
    Nothing {
        over: bool,
    },
}

/// The feed of one job.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    kept: Mutex<Kept>,
    budget: Arc<Budget>,
    /// Held by whoever reads at the end.
    pub turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Once somebody has read to the end.
    known: bool,
    pages: VecDeque<Page>,
    cost: usize,
    /// The event before the first page, and the last one.
    before: u64,
    end: u64,
    /// Of which news everything was read, and whether the job was over then.
    looked: Option<u64>,
    over: bool,
}

impl Kept {
    fn found(&self, after: u64, news: u64) -> Found {
        if !self.known || after < self.before {
            return Found::Behind;
        }
        if after < self.end {
            let place = self.pages.partition_point(|page| page.last() <= after);
            if let Some(page) = self.pages.get(place) {
                let from = page.batch.events.partition_point(|event| event.seq <= after);
                return Found::Page(Page { batch: Arc::clone(&page.batch), from });
            }
        }
        if self.looked.is_some_and(|looked| looked >= news) { Found::Nothing { over: self.over } } else { Found::Look }
    }

    fn looked(&mut self, news: u64, over: bool) {
        self.looked = self.looked.max(Some(news));
        self.over |= over;
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let cost = self.kept().cost;
        self.budget.0.fetch_sub(cost, Ordering::Relaxed);
    }
}

impl Feed {
    /// One that keeps what `budget` has room for.
    pub(crate) fn within(budget: &Arc<Budget>) -> Feed {
        Feed { budget: Arc::clone(budget), kept: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is after a place, for who has heard of so much news.
    pub(crate) fn found(&self, after: u64, news: u64) -> Found {
        self.kept().found(after, news)
    }

    /// The place after which to look for more.
    pub(crate) fn end(&self) -> u64 {
        self.kept().end
    }

    /// Takes what was read after its end by whoever had the turn, and had heard of so much news before.
    pub(crate) fn extend(&self, news: u64, reading: Reading) {
        let mut kept = self.kept();
        if let Some(last) = reading.events.last().map(|event| event.seq) {
            let page = Page::from(reading.events);
            kept.end = last;
            let cost = page.cost();
            kept.cost += cost;
            let mut all = self.budget.0.fetch_add(cost, Ordering::Relaxed) + cost;
            kept.pages.push_back(page);
            // The newest stays, however large it is: all are about to take it.
            while (kept.cost > KEPT_MOST || all > ALL_MOST) && kept.pages.len() > 1 {
                if let Some(page) = kept.pages.pop_front() {
                    let cost = page.cost();
                    kept.cost -= cost;
                    all = self.budget.0.fetch_sub(cost, Ordering::Relaxed) - cost;
                    kept.before = page.last();
                }
            }
        }
        if kept.end >= reading.last {
            kept.looked(news, reading.over);
        }
    }

    /// Somebody who was behind read after a place, and had heard of so much news before. If they read to the end, and
    /// nobody had, the feed begins there.
    pub(crate) fn begin(&self, after: u64, news: u64, reading: &Reading) {
        let reached = reading.events.last().map_or(after, |event| event.seq);
        let mut kept = self.kept();
        if !kept.known && reached >= reading.last {
            kept.known = true;
            // Who asks for what comes after the end of time does not move the end.
            kept.end = reached.min(reading.last);
            kept.before = kept.end;
            kept.looked(news, reading.over);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_api::{Content, OutputStream, Time};

    fn events(seqs: std::ops::RangeInclusive<u64>, bytes: usize) -> Vec<Event> {
        let output = |_| EventBody::Output { stream: OutputStream::Stdout, data: Content(vec![b'x'; bytes]) };
        seqs.map(|seq| Event { seq, at: Time(0), attempt: 1, body: output(seq) }).collect()
    }

    fn reading(seqs: std::ops::RangeInclusive<u64>, last: u64) -> Reading {
        Reading { events: events(seqs, 10), last, over: false }
    }

    fn seqs(found: Found) -> Vec<u64> {
        let Found::Page(page) = found else { panic!("{found:?}") };
        page.events().iter().map(|event| event.seq).collect()
    }

    #[test]
    fn who_is_anywhere_in_the_feed_goes_on_from_there_and_who_is_before_it_reads_alone() {
        let feed = Feed::default();
        assert!(matches!(feed.found(0, 1), Found::Behind), "nobody has read yet");
        feed.begin(0, 1, &reading(1..=3, 7));
        assert!(matches!(feed.found(3, 1), Found::Behind), "that was not to the end");
        feed.begin(3, 1, &reading(4..=7, 7));
        assert!(matches!(feed.found(7, 1), Found::Nothing { over: false }));
        assert!(matches!(feed.found(7, 2), Found::Look));
        assert!(matches!(feed.found(6, 2), Found::Behind));
        feed.extend(2, reading(8..=10, 12));
        assert!(matches!(feed.found(10, 2), Found::Look), "there is more");
        feed.extend(2, reading(11..=12, 12));
        assert_eq!(seqs(feed.found(7, 2)), [8, 9, 10]);
        assert_eq!(seqs(feed.found(9, 2)), [10]);
        assert_eq!(seqs(feed.found(10, 2)), [11, 12]);
        assert!(matches!(feed.found(12, 2), Found::Nothing { .. }));
        assert!(matches!(feed.found(12, 1), Found::Nothing { .. }), "who heard of less than was read");
        assert!(matches!(feed.found(99, 2), Found::Nothing { .. }), "an end that nobody reaches");
        feed.extend(3, Reading { events: Vec::new(), last: 12, over: true });
        assert!(matches!(feed.found(12, 3), Found::Nothing { over: true }));
    }

    #[test]
    fn a_place_after_the_end_does_not_move_it() {
        let feed = Feed::default();
        feed.begin(u64::MAX, 0, &Reading { events: Vec::new(), last: 5, over: false });
        assert_eq!(feed.end(), 5);
        feed.extend(1, reading(6..=6, 6));
        assert_eq!(seqs(feed.found(5, 1)), [6]);
    }

    #[test]
    fn a_feed_is_bounded_and_has_no_gap() {
        let feed = Feed::default();
        feed.begin(0, 0, &Reading { events: Vec::new(), last: 0, over: false });
        for round in 0..1000u64 {
            let first = round * 10 + 1;
            feed.extend(round, Reading { events: events(first..=first + 9, 1000), last: first + 9, over: false });
            let kept = feed.kept();
            assert!(kept.cost <= KEPT_MOST);
            assert_eq!(kept.cost, kept.pages.iter().map(Page::cost).sum::<usize>());
            let all: Vec<u64> = kept.pages.iter().flat_map(Page::events).map(|event| event.seq).collect();
            assert_eq!(all, (kept.before + 1..=kept.end).collect::<Vec<_>>());
        }
        let before = feed.kept().before;
        assert!(before > 0 && matches!(feed.found(before - 1, 0), Found::Behind));
        assert_eq!(seqs(feed.found(before, 0)).first(), Some(&(before + 1)));
        feed.extend(1000, Reading { events: events(10_001..=10_001, 8 << 20), last: 10_001, over: false });
        assert_eq!(seqs(feed.found(10_000, 1000)), [10_001], "one that is larger than all is given all the same");
    }

    #[test]
    fn a_page_is_written_once_and_read_from_any_event_on() {
        static TIMES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        fn write(event: &Event, bytes: &mut Vec<u8>) {
            TIMES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            bytes.extend_from_slice(format!("{};", event.seq).as_bytes());
        }
        let whole = Page::from(events(1..=3, 1));
        let rest = Page { from: 1, ..whole.clone() };
        assert_eq!(rest.written(write).as_ref(), b"2;3;");
        assert_eq!(whole.written(write).as_ref(), b"1;2;3;");
        assert_eq!(TIMES.load(std::sync::atomic::Ordering::Relaxed), 3);
    }

    #[test]
    fn all_feeds_together_keep_no_more_than_their_budget_and_give_it_back() {
        let budget = Arc::new(Budget::default());
        let feeds: Vec<Feed> = (0..100).map(|_| Feed::within(&budget)).collect();
        for feed in &feeds {
            feed.begin(0, 0, &Reading { events: Vec::new(), last: 0, over: false });
            for seq in 1..=10 {
                feed.extend(seq, Reading { events: events(seq..=seq, 100_000), last: seq, over: false });
            }
            assert!(matches!(feed.found(9, 10), Found::Page(_)), "the newest is there for all");
        }
        let newest = 100 * (EVENT_COST + 200_000);
        let all = budget.0.load(Ordering::Relaxed);
        assert!(all > ALL_MOST / 2 && all <= ALL_MOST + newest, "{all}");
        drop(feeds);
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_written_of_output_is_counted_as_it_is_written() {
        for text in ["plain", "\u{1b}]\u{1b}]", "a\"b\\c\n", "\u{1}\u{2}"] {
            let written = serde_json::to_string(text).unwrap().len() - 2;
            assert_eq!(written_size(text.as_bytes()), written, "{text:?}");
        }
    }
}
