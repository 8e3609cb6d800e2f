//! Our own terminal: raw while a cell has one of its own, and colours where they are wanted.

use std::env;
use std::io::{self, IsTerminal, Write};
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

/// Says something to the person, in red on a terminal. Where nobody listens, nothing is said.
pub fn complain(message: &str) {
    let (red, plain) = if colours() { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
    let _ = writeln!(io::stderr(), "{red}gambeson: {message}{plain}");
}

/// Writes to standard output. A reader that went away is no error of ours, nor a reason to panic.
pub fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
}

/// Says what to do about it: beside what [`complain`] said.
pub fn advise(message: &str) {
    let _ = writeln!(io::stderr(), "  {message}");
}

/// Says something that is no complaint.
pub fn remark(message: &str) {
    let _ = writeln!(io::stderr(), "gambeson: {message}");
}

/// Columns of the terminal that standard output is, if it is one.
pub fn width() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}
