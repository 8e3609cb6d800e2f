//! What changes, as it comes, over connections that may break.
//!
//! Invariants:
//! 1. Whoever holds a [`Listener`] is listened for: lists that are read after that, with what comes, are whole.
//! 2. A connection that breaks is made again, and then [`Change::Missed`] says to read lists again.

use std::time::Duration;

use reqwest::{Method, Response};

use super::connection::{ClientError, Connection};
use super::events::{BEGIN_MOST, BREAKS_MOST, FRAME_MOST, Frame, Parser, SILENCE_MOST, pause};
use crate::problem::{Code, Problem};
use crate::watching::Change;

/// Listens to what changes. To drop it ends that.
#[derive(Debug)]
pub struct Listener {
    connection: Connection,
    address: String,
    open: Option<Response>,
    parser: Parser,
    breaks: u32,
}

impl Listener {
    pub(super) async fn new(connection: Connection, address: String) -> Result<Listener, ClientError> {
        let mut listener = Listener { connection, address, open: None, parser: Parser::new(FRAME_MOST), breaks: 0 };
        listener.open = Some(listener.connect().await?);
        Ok(listener)
    }

    /// The next change, waiting for it. May be cancelled and called again: nothing is lost.
    ///
    /// # Errors
    /// When the server refuses to go on, or cannot be reached again and again.
    pub async fn next(&mut self) -> Result<Change, ClientError> {
        loop {
            while let Some(frame) = self.parser.take() {
                match taken(&frame) {
                    Taken::Change(change) => {
                        self.breaks = 0;
                        return Ok(change);
                    }
                    Taken::Unknown => {}
                    Taken::Problem(problem) if problem.status >= 500 => self.open = None,
                    Taken::Problem(problem) => return Err(ClientError::Problem(problem)),
                }
            }
            let Some(response) = &mut self.open else {
                self.again().await?;
                return Ok(Change::Missed {});
            };
            match tokio::time::timeout(SILENCE_MOST, response.chunk()).await {
                // A frame that is too long is none of ours: what it told is read from the lists.
                Ok(Ok(Some(bytes))) => {
                    if self.parser.push(&bytes).is_err() {
                        self.open = None;
                    }
                }
                // The server went away, or the connection did.
                Ok(Ok(None) | Err(_)) | Err(_) => self.open = None,
            }
        }
    }

    async fn again(&mut self) -> Result<(), ClientError> {
        // What came of a frame that was cut is nothing.
        self.parser = Parser::new(FRAME_MOST);
        loop {
            self.breaks += 1;
            tokio::time::sleep(pause(self.breaks)).await;
            match self.connect().await {
                Ok(response) => {
                    self.open = Some(response);
                    return Ok(());
                }
                Err(error) if !error.is_passing() || self.breaks >= BREAKS_MOST => return Err(error),
                Err(error) => {
                    let asked = match &error {
                        ClientError::Problem(problem) => problem.retry_after_s.unwrap_or(0).min(30),
                        _ => 0,
                    };
                    tokio::time::sleep(Duration::from_secs(asked)).await;
                }
            }
        }
    }

    async fn connect(&self) -> Result<Response, ClientError> {
        let request = self.connection.request(Method::GET, &self.address).header("Accept", "text/event-stream");
        let stalled = || ClientError::Setup("the server did not answer in time".into());
        tokio::time::timeout(BEGIN_MOST, self.connection.send(request)).await.map_err(|_| stalled())?
    }
}

#[derive(Debug, PartialEq)]
enum Taken {
    Change(Change),
    /// Of a kind that only newer clients know.
    Unknown,
    Problem(Box<Problem>),
}

fn taken(frame: &Frame) -> Taken {
    if frame.event == "problem" {
        let problem = serde_json::from_str(&frame.data);
        let unclear = |_| Problem::new(Code::Internal, "the server ended it, and did not say why");
        return Taken::Problem(Box::new(problem.unwrap_or_else(unclear)));
    }
    match serde_json::from_str(&frame.data) {
        Ok(change) => Taken::Change(change),
        // One of a kind that we know, and cannot be read: what it told is read from the lists.
        Err(_) if ["job", "queue", "missed"].contains(&frame.event.as_str()) => Taken::Change(Change::Missed {}),
        Err(_) => Taken::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_missed_and_what_only_newer_clients_know_is_passed_over() {
        let frame = |event: &str, data: &str| taken(&Frame { event: event.into(), data: data.into() });
        assert_eq!(frame("missed", r#"{"type":"missed"}"#), Taken::Change(Change::Missed {}));
        assert_eq!(frame("job", r#"{"type":"job","job":{}}"#), Taken::Change(Change::Missed {}));
        assert_eq!(frame("worker", r#"{"type":"worker"}"#), Taken::Unknown);
        let problem = Problem::new(Code::Forbidden, "what allowed this was taken away meanwhile");
        assert_eq!(frame("problem", &serde_json::to_string(&problem).unwrap()), Taken::Problem(Box::new(problem)));
        assert!(matches!(frame("problem", "?"), Taken::Problem(problem) if problem.status == 500));
    }
}
