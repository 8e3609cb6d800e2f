//! The program's output on its way out: bounded, counted, never blocking the supervisor.
//!
//! Invariants:
//! 1. At most `limit` bytes of both streams together are passed on; what is beyond is counted.
//! 2. At most one buffer a stream is held when the reader outside is slow: then the program waits, as it
//!    would for a full pipe.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::limits::Bytes;

/// Where a stream goes.
#[derive(Debug)]
pub enum Sink<'a> {
    /// Kept in memory, for [`crate::Ended`].
    Keep,
    /// Written to a descriptor as it comes.
    Fd(BorrowedFd<'a>),
    /// The same, for a reader of whom it is certain that it reads on, however late, or closes its end: what the
    /// program wrote before its end is never given up.
    Patient(BorrowedFd<'a>),
}

impl<'a> Sink<'a> {
    fn fd(&self) -> Option<BorrowedFd<'a>> {
        match self {
            Sink::Keep => None,
            Sink::Fd(fd) | Sink::Patient(fd) => Some(*fd),
        }
    }
}

/// Bytes that the streams may still pass on.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub(crate) left: Option<u64>,
    pub(crate) total: u64,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    from: Option<OwnedFd>,
    to: Sink<'a>,
    pub(crate) kept: Vec<u8>,
    pending: Vec<u8>,
    elided: u64,
    marked: bool,
    /// The last bytes, for what a traceback says.
    tail: Vec<u8>,
}

const CHUNK: usize = 64 << 10;
/// A pipe that is ready takes this much without blocking (PIPE_BUF, pipe(7)).
const ATOMIC: usize = 4096;
const TAIL: usize = 1024;

impl<'a> Stream<'a> {
    pub(crate) fn new(from: Option<OwnedFd>, to: Sink<'a>) -> Stream<'a> {
        Stream { from, to, kept: Vec::new(), pending: Vec::new(), elided: 0, marked: false, tail: Vec::new() }
    }

    /// What to wait for: the program's end to be readable.
    pub(crate) fn wants_to_read(&self) -> Option<BorrowedFd<'_>> {
        if self.pending.is_empty() { self.from.as_ref().map(AsFd::as_fd) } else { None }
    }

    /// What to wait for: our own end to be writable.
    pub(crate) fn wants_to_write(&self) -> Option<BorrowedFd<'a>> {
        if self.pending.is_empty() { None } else { self.to.fd() }
    }

    /// Whether the reader outside is waited for without an end.
    pub(crate) fn is_patient(&self) -> bool {
        matches!(self.to, Sink::Patient(_)) && !self.pending.is_empty()
    }

    /// How many bytes were not passed on.
    pub(crate) fn elided(&self) -> u64 {
        self.elided
    }

    pub(crate) fn is_open(&self) -> bool {
        self.from.is_some() || !self.pending.is_empty()
    }

    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Reads once. `buffer` is scratch space.
    pub(crate) fn read(&mut self, buffer: &mut Vec<u8>, allowance: &mut Allowance) {
        let Some(from) = &self.from else { return };
        buffer.resize(CHUNK, 0);
        match rustix::io::read(from, buffer.as_mut_slice()) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            // A terminal whose last user is gone answers EIO.
            Ok(0) | Err(_) => self.from = None,
            Ok(count) => self.take(&buffer[..count], allowance),
        }
    }

    fn take(&mut self, bytes: &[u8], allowance: &mut Allowance) {
        allowance.total += bytes.len() as u64;
        let fits = match allowance.left {
            None => bytes.len(),
            Some(left) => bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX)),
        };
        if let Some(left) = &mut allowance.left {
            *left -= fits as u64;
        }
        self.elided += (bytes.len() - fits) as u64;
        let bytes = &bytes[..fits];
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        match self.to {
            Sink::Keep => self.kept.extend_from_slice(bytes),
            Sink::Fd(_) | Sink::Patient(_) => self.pending.extend_from_slice(bytes),
        }
    }

    /// Writes once to a descriptor that is ready.
    pub(crate) fn write(&mut self) {
        let Some(to) = self.to.fd() else { return };
        // Asked again just before: the other stream may be the same pipe, and it has just taken the room.
        // The descriptor is our caller's, whose own flags we do not change.
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        if !matches!(poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], Some(&now)), Ok(1..)) {
            return;
        }
        let count = self.pending.len().min(ATOMIC);
        match rustix::io::write(to, &self.pending[..count]) {
            Ok(written) => drop(self.pending.drain(..written)),
            Err(Errno::INTR | Errno::AGAIN) => {}
            // Nobody reads any more: the program finds its own pipe closed, as it would without us.
            Err(_) => {
                self.pending.clear();
                self.from = None;
            }
        }
    }

    /// Starts to read from a descriptor that came only later.
    pub(crate) fn open(&mut self, from: OwnedFd) {
        self.from = Some(from);
    }

    /// Stops reading: the last writer is gone, or what comes is of no interest.
    pub(crate) fn close(&mut self) {
        self.from = None;
    }

    /// At the end: says how much is gone. Returns whether there is something left to write.
    pub(crate) fn mark_elision(&mut self) -> bool {
        if self.elided > 0 && !self.marked {
            self.marked = true;
            let mark = format!("\n[gambeson: {} of output elided]\n", Bytes(self.elided));
            match self.to {
                Sink::Keep => self.kept.extend_from_slice(mark.as_bytes()),
                Sink::Fd(_) | Sink::Patient(_) => self.pending.extend_from_slice(mark.as_bytes()),
            }
        }
        !self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_kept_is_a_prefix_and_what_is_gone_is_counted(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20),
            limit in 0..2000u64,
        ) {
            let mut stream = Stream::new(None, Sink::Keep);
            let mut allowance = Allowance { left: Some(limit), total: 0 };
            for chunk in &chunks {
                stream.take(chunk, &mut allowance);
            }
            let all = chunks.concat();
            let kept = all.len().min(limit as usize);
            prop_assert_eq!(&stream.kept, &all[..kept]);
            prop_assert_eq!(stream.elided, (all.len() - kept) as u64);
            prop_assert_eq!(allowance.total, all.len() as u64);
            prop_assert!(stream.kept.ends_with(stream.tail()) && stream.tail().len() <= TAIL);
        }
    }
}
