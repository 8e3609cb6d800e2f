//! The program's output on its way out: bounded, counted, never blocking the supervisor.
//!
//! Invariants:
//! 1. At most `limit` bytes of both streams together are passed on; what is beyond is counted.
//! 2. At most one buffer a stream is held when the reader outside is slow: then the program waits, as it
//!    would for a full pipe.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

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

/// Both streams of a run, which share what they may pass on.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    pub(crate) out: Stream<'a>,
    pub(crate) err: Stream<'a>,
    allowance: Allowance,
    /// Scratch space.
    buffer: Vec<u8>,
}

impl<'a> Output<'a> {
    /// Standard output and standard error: from where, to where, and how many bytes of both together.
    pub(crate) fn new(from: [Option<OwnedFd>; 2], to: [Sink<'a>; 2], bound: Option<u64>) -> Output<'a> {
        let ([out, err], [to_out, to_err]) = (from, to);
        let allowance = Allowance { left: bound, total: 0 };
        Output { out: Stream::new(out, to_out), err: Stream::new(err, to_err), allowance, buffer: Vec::new() }
    }

    /// How many bytes came.
    pub(crate) fn total(&self) -> u64 {
        self.allowance.total
    }

    /// What to wait for, for [`Output::turn`].
    pub(crate) fn wants(&self) -> [Option<(BorrowedFd<'_>, PollFlags)>; 4] {
        [
            self.out.wants_to_read().map(|fd| (fd, PollFlags::IN)),
            self.err.wants_to_read().map(|fd| (fd, PollFlags::IN)),
            self.out.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
            self.err.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
        ]
    }

    /// Reads and writes once what is ready.
    pub(crate) fn turn(&mut self, ready: [bool; 4]) {
        if ready[0] {
            self.out.read(&mut self.buffer, &mut self.allowance);
        }
        if ready[1] {
            self.err.read(&mut self.buffer, &mut self.allowance);
        }
        if ready[2] {
            self.out.write();
        }
        if ready[3] {
            self.err.write();
        }
    }

    /// Takes what is in the pipes, and closes them: of those who still have an end of them none writes any more.
    pub(crate) fn drain(&mut self) {
        for stream in [&mut self.out, &mut self.err] {
            while let Some(from) = &stream.from {
                self.buffer.resize(CHUNK, 0);
                match rustix::io::read(from, self.buffer.as_mut_slice()) {
                    Err(Errno::INTR) => {}
                    Ok(count @ 1..) => stream.take(&self.buffer[..count], &mut self.allowance),
                    Ok(_) | Err(_) => stream.from = None,
                }
            }
        }
    }

    /// Passes on what is left in the pipes. All writers are dead, so that this ends; a reader outside that
    /// stopped reading is given `patience`, unless its sink is a patient one.
    pub(crate) fn finish(&mut self, patience: Duration) {
        let mut deadline = Instant::now() + patience;
        let mut marked = false;
        loop {
            let Output { out, err, .. } = self;
            if !out.is_open() && !err.is_open() {
                let left = (out.mark_elision(), err.mark_elision());
                if marked || left == (false, false) {
                    break;
                }
                marked = true;
            }
            let ready = wait_for(deadline.saturating_duration_since(Instant::now()), self.wants());
            let Output { out, err, .. } = self;
            if ready == [false; 4] && Instant::now() >= deadline && !out.is_patient() && !err.is_patient() {
                out.close();
                err.close();
                break;
            }
            if ready != [false; 4] || Instant::now() >= deadline {
                deadline = Instant::now() + patience;
            }
            self.turn(ready);
        }
    }
}

/// Waits for any of the descriptors, and says which are ready (or closed).
pub(crate) fn wait_for<const N: usize>(
    timeout: Duration,
    wanted: [Option<(BorrowedFd<'_>, PollFlags)>; N],
) -> [bool; N] {
    let mut polled: Vec<PollFd<'_>> =
        wanted.iter().flatten().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
    if poll(&mut polled, Some(&timeout)).is_err() {
        return [false; N];
    }
    let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
    wanted.map(|one| one.is_some() && answers.next().unwrap_or(false))
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

    /// What comes through of `written` when nobody reads until patience has run out, for a while.
    fn read_late(patient: bool) -> usize {
        let written = 100 << 10;
        let (from, theirs) = rustix::pipe::pipe().unwrap();
        let (outside, to) = rustix::pipe::pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&theirs, 1 << 17).unwrap();
        rustix::pipe::fcntl_setpipe_size(&to, 4096).unwrap();
        assert_eq!(rustix::io::write(&theirs, &vec![7; written]), Ok(written));
        drop(theirs);
        std::thread::scope(|scope| {
            let done = scope.spawn(move || {
                let sink = if patient { Sink::Patient(to.as_fd()) } else { Sink::Fd(to.as_fd()) };
                Output::new([Some(from), None], [sink, Sink::Keep], None).finish(Duration::from_millis(1));
            });
            let late = Instant::now() + Duration::from_millis(50);
            while !done.is_finished() && Instant::now() < late {
                std::thread::yield_now();
            }
            let (mut total, mut buffer) = (0, [0; 4096]);
            while let Ok(count @ 1..) = rustix::io::read(&outside, &mut buffer) {
                total += count;
            }
            total
        })
    }

    #[test]
    fn a_reader_that_stopped_loses_the_rest_unless_it_is_waited_for() {
        assert!(read_late(false) < 100 << 10);
        assert_eq!(read_late(true), 100 << 10);
    }
}
