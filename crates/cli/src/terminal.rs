//! Our own terminal: raw while a cell has one of its own, and colours where they are wanted.

use std::env;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Puts our terminal into raw mode, and back when dropped.
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// `None` where standard input is no terminal.
    pub fn enter() -> Option<Raw> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
        Some(Raw { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Now, &self.before);
    }
}

/// Whether standard error shows colours (no-color.org).
fn colours() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Says something to the person, in red on a terminal.
pub fn complain(message: &str) {
    if colours() {
        eprintln!("\x1b[31mgambeson: {message}\x1b[0m");
    } else {
        eprintln!("gambeson: {message}");
    }
}
