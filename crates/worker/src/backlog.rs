//! What happened in an attempt and the server has not yet recorded.
//!
//! Invariants:
//! 1. Every entry has one place, for ever: what was sent once is never changed, so that it can be sent again.
//! 2. Entries leave only when the server said that it has them.

use std::collections::VecDeque;

use gambeson_api::work::{Append, Entry};
use gambeson_api::{Content, Denial, OutputStream};

/// Bytes of output in one report of ours. The contract allows more, but what is text with control characters
/// grows sixfold in JSON, and a body beyond two megabytes is more than many servers and proxies take.
const REPORT_MOST: usize = if Append::BYTES_MOST < 256 << 10 { Append::BYTES_MOST } else { 256 << 10 };

/// Output of one stream that lies together becomes one entry, up to this many bytes.
const ENTRY_MOST: usize = 64 << 10;

/// The server says that it lacks what it said it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server says that it has {next} entries; it had {first} before, of {given}")]
pub(crate) struct Backwards {
    next: u64,
    first: u64,
    given: u64,
}

/// Entries in order, from the first that the server is not known to have.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    first: u64,
    entries: VecDeque<Entry>,
    /// How many of them were sent, and must stay as they are.
    fixed: usize,
    bytes: usize,
    /// Refused acts that were told so far.
    denials: usize,
}

fn size(entry: &Entry) -> usize {
    match entry {
        Entry::Output { data, .. } => data.0.len(),
        Entry::Denied { denial } => denial.bytes(),
        Entry::Started {} | Entry::Elided { .. } | Entry::Egress(_) | Entry::Sample(_) => 0,
    }
}

impl Backlog {
    /// One more.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += size(&entry);
        self.entries.push_back(entry);
    }

    /// More output.
    pub(crate) fn push_output(&mut self, stream: OutputStream, bytes: &[u8]) {
        for piece in bytes.chunks(ENTRY_MOST) {
            if self.entries.len() > self.fixed
                && let Some(Entry::Output { stream: last, data }) = self.entries.back_mut()
                && *last == stream
                && data.0.len() + piece.len() <= ENTRY_MOST
            {
                data.0.extend_from_slice(piece);
                self.bytes += piece.len();
            } else {
                self.push(Entry::Output { stream, data: Content(piece.to_vec()) });
            }
        }
    }

    /// A refused act, if the server still takes one: in the report they are all.
    pub(crate) fn push_denied(&mut self, denial: Denial) {
        if self.denials < Append::DENIALS_MOST {
            self.denials += 1;
            self.push(Entry::Denied { denial: Box::new(denial) });
        }
    }

    /// Whether somebody waits to see any of it: samples alone can be sent together.
    pub(crate) fn is_urgent(&self) -> bool {
        !self.entries.iter().all(|entry| matches!(entry, Entry::Sample(_)))
    }

    /// More of any kind.
    pub(crate) fn extend(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            match entry {
                Entry::Denied { denial } => self.push_denied(*denial),
                other => self.push(other),
            }
        }
    }

    /// Bytes of output in it.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Entries in it.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether all of it fits into one report.
    pub(crate) fn fits(&self) -> bool {
        self.entries.len() <= Append::ENTRIES_MOST && self.bytes <= REPORT_MOST
    }

    /// As much as fits into one report, from the beginning. It is the same again until something is acknowledged, or
    /// longer.
    pub(crate) fn batch(&mut self) -> Append {
        let mut bytes = 0;
        let fitting = self.entries.iter().take(Append::ENTRIES_MOST).take_while(|entry| {
            bytes += size(entry);
            bytes <= REPORT_MOST
        });
        let entries: Vec<Entry> = fitting.cloned().collect();
        self.fixed = self.fixed.max(entries.len());
        Append { first: self.first, entries }
    }

    /// The server has everything before the place `next`.
    pub(crate) fn acknowledge(&mut self, next: u64) -> Result<(), Backwards> {
        let given = self.first + self.fixed as u64;
        if next < self.first || next > given {
            return Err(Backwards { next, first: self.first, given });
        }
        for _ in self.first..next {
            self.bytes -= self.entries.pop_front().as_ref().map_or(0, size);
            self.fixed -= 1;
        }
        self.first = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gambeson_api::Sample;

    use super::*;

    fn text(append: &Append) -> Vec<String> {
        append
            .entries
            .iter()
            .map(|entry| match entry {
                Entry::Output { data, .. } => String::from_utf8(data.0.clone()).unwrap(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_was_sent_is_never_changed_by_what_comes_later() {
        let mut backlog = Backlog::default();
        backlog.push_output(OutputStream::Stdout, b"a");
        backlog.push_output(OutputStream::Stdout, b"b");
        assert_eq!(text(&backlog.batch()), ["ab"]);
        backlog.push_output(OutputStream::Stdout, b"c");
        assert_eq!(text(&backlog.batch()), ["ab", "c"]);
        backlog.acknowledge(1).unwrap();
        let rest = backlog.batch();
        assert_eq!((rest.first, text(&rest)), (1, vec!["c".to_owned()]));
        backlog.acknowledge(2).unwrap();
        assert!(backlog.is_empty() && backlog.bytes() == 0);
    }

    #[test]
    fn samples_alone_are_not_urgent() {
        let mut backlog = Backlog::default();
        backlog.push(Entry::Sample(Sample::default()));
        assert!(!backlog.is_urgent());
        backlog.push_output(OutputStream::Stdout, b"a");
        backlog.push(Entry::Sample(Sample::default()));
        assert!(backlog.is_urgent());
        backlog.batch();
        backlog.acknowledge(2).unwrap();
        assert!(!backlog.is_urgent());
    }

    #[test]
    fn streams_are_kept_apart_and_in_order() {
        let mut backlog = Backlog::default();
        for (stream, bytes) in
            [(OutputStream::Stdout, b"o"), (OutputStream::Stderr, b"e"), (OutputStream::Stdout, b"p")]
        {
            backlog.push_output(stream, bytes);
        }
        assert_eq!(text(&backlog.batch()), ["o", "e", "p"]);
    }

    #[test]
    fn a_report_is_bounded_in_entries_and_in_bytes() {
        let mut backlog = Backlog::default();
        backlog.push_output(OutputStream::Stdout, &vec![b'x'; 3 << 20]);
        assert!(!backlog.fits());
        let batch = backlog.batch();
        assert_eq!(batch.entries.iter().map(size).sum::<usize>(), REPORT_MOST);
        backlog.acknowledge(batch.entries.len() as u64).unwrap();
        assert_eq!(backlog.bytes(), (3 << 20) - REPORT_MOST);

        let mut backlog = Backlog::default();
        for _ in 0..2500 {
            backlog.push(Entry::Elided { stream: OutputStream::Stdout, bytes: 1 });
        }
        assert_eq!(backlog.batch().entries.len(), Append::ENTRIES_MOST);
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_is_refused() {
        let mut backlog = Backlog::default();
        backlog.push(Entry::Started {});
        assert!(backlog.acknowledge(1).is_err(), "not sent yet");
        backlog.batch();
        backlog.acknowledge(1).unwrap();
        assert!(backlog.acknowledge(0).is_err(), "it had one");
    }
}
