//! Every system call of a run, one a line, for forensics: seconds, thread, name, arguments as numbers, and the answer.
//!
//! Each call stops the program until we have answered, which costs it tens of microseconds, and us a processor as long
//! as it makes them; a signal meanwhile ends the call with EINTR, even one that never gives it otherwise. So it is done on
//! request only, and by nobody who runs strangers' programs for others.
//!
//! It is written to a plain file, which is never waited for as a pipe is that nobody reads: the loop that writes it keeps
//! the limits too.

use std::io::Write;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use crate::seccomp::Action;
use crate::sys::notify::Question;
use crate::sys::numbers;

/// Bytes of the whole, at most.
const MOST: u64 = 256 << 20;
const BUFFER: usize = 64 << 10;

/// Where it is written to.
#[derive(Debug)]
pub(crate) struct Trace<'a> {
    to: BorrowedFd<'a>,
    since: Instant,
    waiting: Vec<u8>,
    written: u64,
    beyond: u64,
}

impl<'a> Trace<'a> {
    /// To a plain file; to anything else there is none.
    pub(crate) fn new(to: BorrowedFd<'a>, since: Instant) -> Option<Trace<'a>> {
        let stat = rustix::fs::fstat(to).ok()?;
        let plain = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
        plain.then(|| Trace { to, since, waiting: Vec::with_capacity(BUFFER), written: 0, beyond: 0 })
    }

    pub(crate) fn note(&mut self, now: Instant, question: &Question, answer: Action) {
        if self.written >= MOST {
            self.beyond += 1;
            return;
        }
        let before = self.waiting.len();
        let Question { thread, number, args: [a, b, c, d, e, f], .. } = question;
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        let name = numbers::name(*number).unwrap_or("?");
        let answer = match answer {
            Action::Allow => "allowed".to_owned(),
            Action::Kill => "killed".to_owned(),
            Action::Errno(errno) | Action::Explain { errno, .. } => match i32::from(errno) {
                libc::EPERM => "EPERM".to_owned(),
                libc::ENOSYS => "ENOSYS".to_owned(),
                errno => format!("errno {errno}"),
            },
        };
        // Never fails: it is memory.
        let _ = writeln!(
            self.waiting,
            "{seconds:.6} {thread} {name}[{number}]({a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}, {f:#x}) = {answer}"
        );
        self.written += (self.waiting.len() - before) as u64;
        if self.waiting.len() > BUFFER - 512 {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let mut rest = &self.waiting[..];
        while !rest.is_empty() {
            match rustix::io::write(self.to, rest) {
                Ok(count @ 1..) => rest = &rest[count..],
                Err(rustix::io::Errno::INTR) => {}
                // A disk that is full ends the trace, and not the run.
                _ => {
                    self.written = MOST;
                    break;
                }
            }
        }
        self.waiting.clear();
    }

    /// Writes what is left.
    pub(crate) fn close(mut self) {
        if self.beyond > 0 {
            let _ = writeln!(self.waiting, "[{} more calls: the trace is at most {MOST} bytes]", self.beyond);
        }
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_trace_is_written_to_a_plain_file_alone() {
        let (_reader, pipe) = rustix::pipe::pipe().unwrap();
        let file = rustix::fs::memfd_create("trace", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        assert!(Trace::new(pipe.as_fd(), Instant::now()).is_none());
        assert!(Trace::new(file.as_fd(), Instant::now()).is_some());
    }
}
