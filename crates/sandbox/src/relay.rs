//! The streams of a program whose cell another supervisor watches: that one has the cell, the limits and the clock, we
//! have the person, the terminal and the files.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::PollFlags;

use crate::cell::Streams;
use crate::feed::{Controls, Feed};
use crate::output::{Output, wait_for};

/// Our ends of another supervisor's pipes.
#[derive(Debug)]
pub struct Remote {
    /// To the program's standard input.
    pub stdin: OwnedFd,
    /// From its standard output.
    pub stdout: OwnedFd,
    /// From its standard error.
    pub stderr: OwnedFd,
    /// Each byte interrupts it.
    pub interrupt: OwnedFd,
}

/// What came of it.
#[derive(Debug)]
pub struct Relayed {
    /// Kept standard output.
    pub stdout: Vec<u8>,
    /// Kept standard error.
    pub stderr: Vec<u8>,
    /// Whether any of our standard input was read, and so is gone.
    pub fed: bool,
}

/// Moves the streams until `told` is readable or at its end, and then what is left in the pipes. `cancel` is called when
/// somebody asks for the program's end.
pub fn relay(remote: Remote, told: BorrowedFd<'_>, streams: Streams<'_>, mut cancel: impl FnMut()) -> Relayed {
    // It is the other supervisor who bounds the output.
    let theirs = [Some(remote.stdout), Some(remote.stderr)];
    let mut output = Output::new(theirs, [streams.stdout, streams.stderr], None);
    let mut feed = Feed::new(Some(remote.stdin), streams.stdin);
    let mut controls = Controls { interrupt: streams.interrupt, cancel: streams.cancel, resize: None };
    let mut fed = false;
    loop {
        let [out_in, err_in, out_out, err_out] = output.wants();
        let [done, out_in, err_in, out_out, err_out, feed_in, feed_out, interrupt, cancelled] = wait_for(
            Duration::from_secs(60),
            [
                Some((told, PollFlags::IN)),
                out_in,
                err_in,
                out_out,
                err_out,
                feed.wants_to_read().map(|fd| (fd, PollFlags::IN)),
                feed.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
                controls.interrupt.map(|fd| (fd, PollFlags::IN)),
                controls.cancel.map(|fd| (fd, PollFlags::IN)),
            ],
        );
        output.turn([out_in, err_in, out_out, err_out]);
        if done {
            break;
        }
        if feed_in {
            fed = true;
            feed.read();
        }
        if feed_out {
            feed.write();
        }
        if interrupt {
            controls.drain_interrupt();
            // A pipe that is full has interrupts enough.
            let _ = rustix::io::write(&remote.interrupt, b"i");
        }
        if cancelled {
            controls.cancel = None;
            cancel();
        }
    }
    output.finish(Duration::from_secs(10));
    Relayed { stdout: output.out.kept, stderr: output.err.kept, fed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Input;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn pipe() -> (OwnedFd, OwnedFd) {
        use rustix::pipe::{PipeFlags, pipe_with};
        pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap()
    }

    #[test]
    fn all_goes_through_and_the_end_is_waited_for() {
        let [(their_in, stdin), (stdout, their_out), (stderr, their_err), (their_press, interrupt)] =
            [(); 4].map(|()| pipe());
        let [(given, give), (pressed, press), (unwanted, want_not)] = [(); 3].map(|()| pipe());
        let (told, mut tell) = UnixStream::pair().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // As another supervisor and its program.
                let blocking = |fd: OwnedFd| {
                    let flags = rustix::fs::fcntl_getfl(&fd).unwrap();
                    rustix::fs::fcntl_setfl(&fd, flags - rustix::fs::OFlags::NONBLOCK).unwrap();
                    std::fs::File::from(fd)
                };
                let mut typed = String::new();
                blocking(their_in).read_to_string(&mut typed).unwrap();
                assert_eq!(typed, "typed");
                rustix::io::write(&press, b"x").unwrap();
                assert_eq!(blocking(their_press).read(&mut [0; 9]).unwrap(), 1);
                rustix::io::write(&want_not, b"x").unwrap();
                assert_eq!(tell.read(&mut [0; 9]).unwrap(), 1, "cancelled");
                blocking(their_err).write_all(b"to the end").unwrap();
                tell.write_all(b"over").unwrap();
                blocking(their_out).write_all(&vec![b'o'; 300_000]).unwrap();
            });
            rustix::io::write(&give, b"typed").unwrap();
            drop(give);
            let streams = Streams {
                stdin: Input::Fd(given.as_fd()),
                interrupt: Some(pressed.as_fd()),
                cancel: Some(unwanted.as_fd()),
                ..Streams::kept()
            };
            let remote = Remote { stdin, stdout, stderr, interrupt };
            let relayed = relay(remote, told.as_fd(), streams, || (&told).write_all(b"c").unwrap());
            assert_eq!((relayed.stdout.len(), relayed.stderr.as_slice()), (300_000, &b"to the end"[..]));
            assert!(relayed.fed);
        });
    }

    #[test]
    fn the_death_of_the_other_supervisor_is_an_end() {
        let [(_, stdin), (stdout, _), (stderr, _), (_, interrupt)] = [(); 4].map(|()| pipe());
        let (told, _) = UnixStream::pair().unwrap();
        let relayed = relay(Remote { stdin, stdout, stderr, interrupt }, told.as_fd(), Streams::kept(), || ());
        assert!(!relayed.fed && relayed.stdout.is_empty());
    }
}
