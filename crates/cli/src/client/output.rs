//! The output of a job on its way to our standard output and error: bytes as they are, but to a terminal only what it
//! does not obey.

use std::io::{self, IsTerminal, Write};

use gambeson_api::OutputStream;

use super::visible::Passage;

/// Where the two streams of a job go.
pub struct Output {
    stdout: Option<Passage>,
    stderr: Option<Passage>,
    /// Whether anybody reads our standard output.
    read: bool,
}

impl Output {
    /// To our own streams; `raw` lets everything through to a terminal.
    pub fn new(raw: bool) -> Output {
        let passage = |is_terminal: bool| (is_terminal && !raw).then(Passage::default);
        Output { stdout: passage(io::stdout().is_terminal()), stderr: passage(io::stderr().is_terminal()), read: true }
    }

    /// Writes a piece.
    pub fn write(&mut self, stream: OutputStream, piece: &[u8]) {
        let passage = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        match passage {
            Some(passage) => {
                let fit = passage.pass(piece);
                self.send(stream, &fit);
            }
            None => self.send(stream, piece),
        }
    }

    /// Writes what was held back of a character or colour that never came to its end.
    pub fn end(&mut self) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let passage = match stream {
                OutputStream::Stdout => &mut self.stdout,
                OutputStream::Stderr => &mut self.stderr,
            };
            let rest = passage.as_mut().map(Passage::end).unwrap_or_default();
            self.send(stream, &rest);
        }
    }

    /// Whether anybody reads our standard output, as far as we noticed.
    pub fn is_read(&self) -> bool {
        self.read
    }

    fn send(&mut self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout if self.read && !bytes.is_empty() => {
                let mut out = io::stdout().lock();
                self.read = out.write_all(bytes).and_then(|()| out.flush()).is_ok();
            }
            OutputStream::Stdout => {}
            OutputStream::Stderr => {
                let _ = io::stderr().lock().write_all(bytes);
            }
        }
    }
}
