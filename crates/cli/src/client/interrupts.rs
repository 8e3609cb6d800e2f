//! Ctrl-C and its kin while a job is watched, and the question what they mean.

use std::io::{self, BufRead, IsTerminal, Write};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::failure::Failure;

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// SIGINT: Ctrl-C.
    Asks,
    /// SIGTERM or SIGHUP: nobody can be asked.
    Tells,
}

/// Signals that end the watching. From its making on they do nothing by themselves; one that came before anybody
/// looked is kept.
pub struct Interrupts {
    int: Signal,
    term: Signal,
    hup: Signal,
    interactive: bool,
}

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// End the job.
    Cancel,
    /// Let it run, and go.
    Leave,
}

impl Interrupts {
    /// # Errors
    /// When the system has no room for a handler.
    pub fn new() -> Result<Interrupts, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::fault(format!("failed to listen for signals: {error}")));
        Ok(Interrupts {
            int: listen(SignalKind::interrupt())?,
            term: listen(SignalKind::terminate())?,
            hup: listen(SignalKind::hangup())?,
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
        })
    }

    /// The next. May be cancelled and called again.
    pub async fn next(&mut self) -> Interrupt {
        tokio::select! {
            _ = self.int.recv() => Interrupt::Asks,
            _ = self.term.recv() => Interrupt::Tells,
            _ = self.hup.recv() => Interrupt::Tells,
        }
    }

    /// What the person wants who sent `came`: asked on a terminal, where a second interrupt means yes.
    pub async fn wish(&mut self, came: Interrupt, what: &str) -> Wish {
        if came == Interrupt::Tells || !self.interactive {
            return Wish::Cancel;
        }
        let _ = write!(io::stderr(), "\ncancel {what}? [y/N] ");
        let (tell, told) = oneshot::channel();
        // A read from a terminal cannot be given up, so that it is left to a thread which ends with us.
        std::thread::spawn(move || {
            let mut answer = String::new();
            let read = io::stdin().lock().read_line(&mut answer);
            let _ = tell.send(read.map(|_| answer).unwrap_or_default());
        });
        tokio::select! {
            answer = told => wish_of(&answer.unwrap_or_default()),
            _ = self.next() => {
                let _ = writeln!(io::stderr());
                Wish::Cancel
            }
        }
    }
}

fn wish_of(answer: &str) -> Wish {
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Wish::Cancel,
        _ => Wish::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_cancels() {
        assert_eq!(["y\n", "YES\n"].map(wish_of), [Wish::Cancel; 2]);
        assert_eq!(["", "\n", "n\n", "yikes\n"].map(wish_of), [Wish::Leave; 4]);
    }
}
