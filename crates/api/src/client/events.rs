//! The events of one job, as they come, over connections that may break.
//!
//! Invariants:
//! 1. No event comes twice, none out of order, and none is left out in silence: a gap is an error.
//! 2. However the bytes of a stream are cut into pieces, the same frames come out.
//! 3. A frame larger than [`FRAME_MOST`] ends the following; memory is bounded by it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use reqwest::{Method, Response};
use serde::Deserialize;

use super::connection::{ClientError, Connection};
use crate::event::{Event, EventBody};
use crate::id::JobId;

/// The most bytes of one frame: far more than a server puts into one event.
pub const FRAME_MOST: usize = 8 << 20;

/// How long a stream may be silent before it counts as broken: servers send a comment far more often.
pub(super) const SILENCE_MOST: Duration = Duration::from_secs(90);

/// How long the beginning of an answer may take.
pub(super) const BEGIN_MOST: Duration = Duration::from_secs(30);

/// How often in a row a connection may break without a new event: with the pauses, somewhat more than a minute.
pub(super) const BREAKS_MOST: u32 = 20;

/// The pause after the `breaks`th break in a row, from 1 up.
pub(super) fn pause(breaks: u32) -> Duration {
    Duration::from_millis(100u64 << breaks.saturating_sub(1).min(10)).min(Duration::from_secs(5))
}

/// Why no more events come.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The server refused, or did not come back in time.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The connection broke again and again, without a word about why.
    #[error("the events of {0} broke off again and again")]
    Broken(JobId),
    /// Events are missing between two that came.
    #[error("events of {job} are missing: after number {last} came number {came}")]
    Gap {
        /// Of which job.
        job: JobId,
        /// The last that was seen.
        last: u64,
        /// The one that came.
        came: u64,
    },
    /// An event makes no sense.
    #[error("an event of {job} after number {last} cannot be read: {why}")]
    Unreadable {
        /// Of which job.
        job: JobId,
        /// The last that was seen.
        last: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// A frame of a stream of server-sent events, with the fields that we use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The word of `event:`; empty where there is none.
    pub event: String,
    /// The lines of `data:`, joined by newlines.
    pub data: String,
}

/// A frame grew beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame is larger than {0} bytes")]
pub struct FrameTooLong(pub usize);

/// Bytes in, frames out, as in the section "Server-sent events" of the HTML standard. `id` and `retry` are not kept:
/// the event itself says its number, and we have our own idea of patience.
#[derive(Debug)]
pub struct Parser {
    most: usize,
    line: Vec<u8>,
    event: Vec<u8>,
    data: Option<Vec<u8>>,
    after_cr: bool,
    begun: bool,
    frames: VecDeque<Frame>,
}

impl Parser {
    /// A frame may have `most` bytes.
    pub fn new(most: usize) -> Parser {
        Parser {
            most,
            line: Vec::new(),
            event: Vec::new(),
            data: None,
            after_cr: false,
            begun: false,
            frames: VecDeque::new(),
        }
    }

    /// Takes the next bytes, cut wherever.
    ///
    /// # Errors
    /// When a frame grew beyond the limit; frames before it can still be taken.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FrameTooLong> {
        for byte in bytes {
            let after_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\n' => self.line_ended(),
                b'\r' => {
                    self.after_cr = true;
                    self.line_ended();
                }
                _ => {
                    self.line.push(*byte);
                    let held = self.line.len() + self.event.len() + self.data.as_ref().map_or(0, Vec::len);
                    if held > self.most {
                        return Err(FrameTooLong(self.most));
                    }
                }
            }
        }
        Ok(())
    }

    /// The next whole frame.
    pub fn take(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    fn line_ended(&mut self) {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            if let Some(data) = self.data.take() {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                self.frames.push_back(Frame { event: text(event), data: text(data) });
            }
            return;
        }
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(at);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.event = value.to_vec(),
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            // Comments, which keep the connection alive, have an empty name.
            _ => {}
        }
    }
}

/// What a frame means for one who has seen everything up to some number.
#[derive(Debug, PartialEq)]
enum Taken {
    /// The next event.
    Next(Event),
    /// One that was seen before.
    Seen,
    /// The next one, of a kind that only newer clients know.
    Unknown(u64),
}

/// Decides what a frame is after `last` of `job`.
fn taken(frame: &Frame, job: JobId, last: u64) -> Result<Taken, FollowError> {
    #[derive(Deserialize)]
    struct Place {
        seq: u64,
        #[serde(rename = "type")]
        kind: String,
    }
    const KNOWN: [&str; 8] =
        ["queued", "leased", "started", "output", "elided", "requeued", "cancel_requested", "ended"];
    let unreadable = |error: serde_json::Error| FollowError::Unreadable {
        job,
        last,
        why: error.to_string().chars().take(200).collect(),
    };
    let (seq, event) = match serde_json::from_str::<Event>(&frame.data) {
        Ok(event) => (event.seq, Some(event)),
        Err(error) => match serde_json::from_str::<Place>(&frame.data) {
            Ok(place) if !KNOWN.contains(&place.kind.as_str()) => (place.seq, None),
            _ => return Err(unreadable(error)),
        },
    };
    if seq <= last {
        return Ok(Taken::Seen);
    }
    if seq != last + 1 {
        return Err(FollowError::Gap { job, last, came: seq });
    }
    Ok(event.map_or(Taken::Unknown(seq), Taken::Next))
}

/// How far to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// To the end of the job.
    Ended,
    /// To what is there now.
    Now,
}

/// The events of one job. It connects again by itself when a connection breaks, and goes on after the last event that
/// came. To drop it ends the following.
pub struct Follower {
    events: Pin<Box<dyn Stream<Item = Result<Event, FollowError>> + Send>>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Follower")
    }
}

impl Follower {
    pub(super) fn new(connection: Connection, job: JobId, after: u64, until: Until) -> Follower {
        let state = Following {
            connection,
            job,
            until,
            last: after,
            open: None,
            parser: Parser::new(FRAME_MOST),
            breaks: 0,
            over: false,
        };
        let events = stream::unfold(state, |mut state| async move {
            let next = state.next().await.transpose()?;
            state.over |= next.is_err();
            Some((next, state))
        });
        Follower { events: Box::pin(events) }
    }

    /// The next event; nothing after the last. May be cancelled and called again: nothing is lost.
    ///
    /// # Errors
    /// As [`FollowError`] says; nothing comes after an error.
    pub async fn next(&mut self) -> Result<Option<Event>, FollowError> {
        self.events.next().await.transpose()
    }
}

impl Stream for Follower {
    type Item = Result<Event, FollowError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.as_mut().poll_next(context)
    }
}

struct Following {
    connection: Connection,
    job: JobId,
    until: Until,
    /// The number of the last event that was handed out.
    last: u64,
    open: Option<Response>,
    parser: Parser,
    /// Breaks in a row, since the last new event.
    breaks: u32,
    over: bool,
}

impl Following {
    async fn next(&mut self) -> Result<Option<Event>, FollowError> {
        loop {
            if self.over {
                return Ok(None);
            }
            while let Some(frame) = self.parser.take() {
                match taken(&frame, self.job, self.last)? {
                    Taken::Next(event) => {
                        self.last = event.seq;
                        self.breaks = 0;
                        self.over = matches!(event.body, EventBody::Ended { .. });
                        return Ok(Some(event));
                    }
                    Taken::Unknown(seq) => {
                        self.last = seq;
                        self.breaks = 0;
                    }
                    Taken::Seen => {}
                }
            }
            self.read().await?;
        }
    }

    /// Reads on, or connects.
    async fn read(&mut self) -> Result<(), FollowError> {
        let Some(response) = &mut self.open else {
            // An answer may never come though the connection stands: of a request that was sent into a connection's end.
            let Ok(connected) = tokio::time::timeout(BEGIN_MOST, self.connect()).await else {
                return self.broke(None).await;
            };
            return match connected {
                Ok(response) => {
                    self.open = Some(response);
                    Ok(())
                }
                Err(error) if error.is_passing() => self.broke(Some(error)).await,
                Err(error) => Err(error.into()),
            };
        };
        match tokio::time::timeout(SILENCE_MOST, response.chunk()).await {
            Ok(Ok(Some(bytes))) => self.parser.push(&bytes).map_err(|error| FollowError::Unreadable {
                job: self.job,
                last: self.last,
                why: error.to_string(),
            }),
            Ok(Ok(None)) if self.until == Until::Now => {
                self.over = true;
                Ok(())
            }
            // The `ended` event did not come, so that the server went away in an orderly way.
            Ok(Ok(None)) | Err(_) => self.broke(None).await,
            Ok(Err(error)) => {
                let error = self.connection.unreachable(error);
                self.broke(Some(error)).await
            }
        }
    }

    async fn connect(&self) -> Result<Response, ClientError> {
        let follow = if self.until == Until::Now { "&follow=false" } else { "" };
        let path = format!("/v1/jobs/{}/events?after={}{follow}", self.job, self.last);
        let mut request = self.connection.request(Method::GET, &path).header("Accept", "text/event-stream");
        if self.last > 0 {
            request = request.header("Last-Event-ID", self.last.to_string());
        }
        let response = self.connection.send(request).await?;
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if kind.starts_with("text/event-stream") {
            return Ok(response);
        }
        Err(ClientError::Nonsense {
            server: self.connection.target().to_string(),
            status: response.status().as_u16(),
            why: format!("its type is {:?}, not text/event-stream", kind.chars().take(60).collect::<String>()),
        })
    }

    /// Waits before another try, or gives up.
    async fn broke(&mut self, error: Option<ClientError>) -> Result<(), FollowError> {
        self.open = None;
        // What came of a frame that was cut is nothing: its beginning comes again.
        self.parser = Parser::new(FRAME_MOST);
        self.breaks += 1;
        if self.breaks > BREAKS_MOST {
            return Err(error.map_or(FollowError::Broken(self.job), FollowError::Client));
        }
        let asked = match &error {
            Some(ClientError::Problem(problem)) => problem.retry_after_s.unwrap_or(0).min(30),
            _ => 0,
        };
        tokio::time::sleep(pause(self.breaks).max(Duration::from_secs(asked))).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut parser = Parser::new(1000);
        let mut frames = Vec::new();
        for piece in pieces {
            parser.push(piece).unwrap();
            frames.extend(std::iter::from_fn(|| parser.take()));
        }
        frames
    }

    fn frame(event: &str, data: &str) -> Frame {
        Frame { event: event.into(), data: data.into() }
    }

    #[test]
    fn frames_are_read_with_any_line_end_and_comments_are_nothing() {
        let bytes =
            b"\xef\xbb\xbf: hello\n\nid: 1\nevent: output\ndata: {\r\ndata:}\r\rdata\n\nevent: lonely\n\ndata: cut";
        assert_eq!(frames(&[bytes]), [frame("output", "{\n}"), frame("", "")]);
    }

    #[test]
    fn a_frame_has_a_most() {
        let mut parser = Parser::new(100);
        assert_eq!(parser.push(&[b'x'; 101]), Err(FrameTooLong(100)));
        let mut parser = Parser::new(100);
        let line = [b"data:".as_slice(), &[b'x'; 60], b"\n"].concat();
        assert_eq!(parser.push(&line), Ok(()));
        assert_eq!(parser.push(&line), Err(FrameTooLong(100)));
        // A comment in each line is no frame, however long the stream lives.
        let mut parser = Parser::new(100);
        assert_eq!(parser.push(&b": still here\n\n".repeat(100)), Ok(()));
        assert_eq!(parser.take(), None);
    }

    /// Bytes that are likely to mean something to the parser.
    fn likely() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            Just(b"data: ".to_vec()),
            Just(b"event:".to_vec()),
            Just(b"id: 7".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\n\n".to_vec()),
            Just(b":".to_vec()),
            Just("\u{feff}ä€".as_bytes().to_vec()),
            proptest::collection::vec(any::<u8>(), 0..4),
        ];
        proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_yields_the_same_frames(
            bytes in likely(),
            cuts in proptest::collection::vec(0usize..200, 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(frames(&pieces), frames(&[&bytes]));
            prop_assert_eq!(frames(&single), frames(&[&bytes]));
        }
    }

    fn output(seq: u64) -> Frame {
        let json = format!(
            r#"{{"seq":{seq},"at":"1970-01-01T00:00:00Z","attempt":1,"type":"output","stream":"stdout","data":{{"text":"x"}}}}"#
        );
        frame("output", &json)
    }

    #[test]
    fn an_event_comes_once_and_a_gap_is_an_error() {
        let job = JobId::new();
        assert!(matches!(taken(&output(5), job, 4), Ok(Taken::Next(event)) if event.seq == 5));
        assert_eq!(taken(&output(4), job, 4).unwrap(), Taken::Seen);
        assert!(matches!(taken(&output(6), job, 4), Err(FollowError::Gap { last: 4, came: 6, .. })));
        assert!(matches!(taken(&frame("output", "{}"), job, 4), Err(FollowError::Unreadable { .. })));
    }

    #[test]
    fn an_event_of_a_newer_server_is_passed_over_but_a_bad_one_is_not() {
        let job = JobId::new();
        let newer = frame("paused", r#"{"seq":5,"type":"paused","why":"night"}"#);
        assert_eq!(taken(&newer, job, 4).unwrap(), Taken::Unknown(5));
        let bad = frame("output", r#"{"seq":5,"type":"output"}"#);
        assert!(matches!(taken(&bad, job, 4), Err(FollowError::Unreadable { .. })));
    }

    #[test]
    fn the_pauses_grow_to_a_bound() {
        assert_eq!(pause(1), Duration::from_millis(100));
        assert_eq!(pause(3), Duration::from_millis(400));
        assert_eq!(pause(BREAKS_MOST), Duration::from_secs(5));
        assert!((1..=BREAKS_MOST).map(pause).sum::<Duration>() > Duration::from_secs(60));
    }
}
