//! What goes into a cell while it runs: standard input, and a person's interference.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

/// What the program reads on its standard input.
#[derive(Debug)]
pub enum Input<'a> {
    /// Nothing: the end at once.
    Nothing,
    /// Whatever can be read from a descriptor, through a pipe: the descriptor itself is never handed in.
    Fd(BorrowedFd<'a>),
}

/// Standard input on its way in.
pub(crate) struct Feed<'a> {
    pub(crate) to: Option<OwnedFd>,
    from: Option<BorrowedFd<'a>>,
    pending: Vec<u8>,
    pub(crate) terminal: bool,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(to: Option<OwnedFd>, input: Input<'a>) -> Feed<'a> {
        let (to, from) = match input {
            // Nobody holds the writing end: the program finds the end at once.
            Input::Nothing => (None, None),
            Input::Fd(from) => (to, Some(from)),
        };
        Feed { to, from, pending: Vec::new(), terminal: false }
    }

    pub(crate) fn wants_to_read(&self) -> Option<BorrowedFd<'a>> {
        if self.pending.is_empty() && self.to.is_some() { self.from } else { None }
    }

    pub(crate) fn wants_to_write(&self) -> Option<BorrowedFd<'_>> {
        if self.pending.is_empty() { None } else { self.to.as_ref().map(AsFd::as_fd) }
    }

    pub(crate) fn read(&mut self) {
        let Some(from) = self.from else { return };
        let mut buffer = [0u8; 4096];
        match rustix::io::read(from, &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => {
                self.from = None;
                if self.terminal {
                    // End of file, as a person would type it: ^D.
                    self.pending.push(4);
                } else {
                    self.to = None;
                }
            }
            Ok(count) => self.pending.extend_from_slice(&buffer[..count]),
        }
    }

    pub(crate) fn write(&mut self) {
        let Some(to) = &self.to else { return };
        match rustix::io::write(to, &self.pending) {
            Ok(written) => drop(self.pending.drain(..written)),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => {
                // The program closed its input.
                self.pending.clear();
                self.from = None;
                self.to = None;
            }
        }
    }
}

pub(crate) struct Controls<'a> {
    pub(crate) interrupt: Option<BorrowedFd<'a>>,
    pub(crate) cancel: Option<BorrowedFd<'a>>,
    pub(crate) resize: Option<(BorrowedFd<'a>, BorrowedFd<'a>)>,
}

impl Controls<'_> {
    pub(crate) fn drain_interrupt(&mut self) {
        drain(&mut self.interrupt);
    }

    pub(crate) fn drain_resize(&mut self) {
        if let Some((fd, window)) = self.resize {
            let mut fd = Some(fd);
            drain(&mut fd);
            self.resize = fd.map(|fd| (fd, window));
        }
    }

    /// Gives the cell's terminal the size of ours.
    pub(crate) fn fit(&self, terminal: &OwnedFd) {
        if let Some((_, window)) = self.resize
            && let Ok(size) = rustix::termios::tcgetwinsize(window)
        {
            let _ = rustix::termios::tcsetwinsize(terminal, size);
        }
    }
}

/// Reads away what made a descriptor ready; one that is at its end is of no more use.
fn drain(fd: &mut Option<BorrowedFd<'_>>) {
    let mut bytes = [0u8; 64];
    if let Some(from) = *fd
        && matches!(rustix::io::read(from, &mut bytes), Ok(0))
    {
        *fd = None;
    }
}
