//! A job's events as server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use gambeson_api::{Code, Event, EventBody, Problem};
use gambeson_control::{Answer, Follower, Page};
use tracing::error;

use crate::failure::{Answered, Failure, quoted};

/// A comment is sent after this time of silence, so that proxies keep the connection and we notice who left.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// After which event to go on. The header comes from a client that connects again to the address that it was given
/// at first, so it is the newer of the two.
pub(crate) fn after(headers: &HeaderMap, query: Option<u64>) -> Answered<u64> {
    let Some(value) = headers.get(&LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(query.unwrap_or(0));
    };
    let number = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    number.and_then(|text| text.parse().ok()).ok_or_else(|| {
        let given = quoted(&String::from_utf8_lossy(value.as_bytes()));
        Failure::new(Code::InvalidQuery, format!("Last-Event-ID is {given}; write the id of an event"))
    })
}

/// The answer that follows `follower` to its end.
pub(crate) fn answer(follower: Follower) -> Response {
    let batches = stream::unfold(Some(follower), |follower| async {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Some(events)) => Some((Ok(events), Some(follower))),
            Ok(None) => None,
            Err(problem) => Some((Err(problem), None)),
        }
    });
    sent(frames(batches))
}

/// An answer of frames.
pub(crate) fn sent(frames: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let mut response = Response::new(Body::from_stream(frames.map(Ok::<_, Infallible>)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // nginx would gather what we send until its buffer is full.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Batches of events as bytes, with comments in times of silence; ends after `ended`, or with a problem.
fn frames(batches: impl Stream<Item = Answer<Page>> + Send + 'static) -> impl Stream<Item = Bytes> + Send {
    // The stream keeps the unfinished wait for the next batch: a comment in between loses nothing.
    let state = Some(Box::pin(batches) as Pin<Box<dyn Stream<Item = Answer<Page>> + Send>>);
    stream::unfold(state, |batches| async {
        let mut batches = batches?;
        match tokio::time::timeout(KEEP_ALIVE, batches.next()).await {
            Err(_) => Some((Bytes::from_static(b":\n\n"), Some(batches))),
            Ok(None) => None,
            Ok(Some(Ok(page))) => {
                let ended = page.events().iter().any(|event| matches!(event.body, EventBody::Ended { .. }));
                Some((Bytes::from_owner(page.written(write)), (!ended).then_some(batches)))
            }
            Ok(Some(Err(problem))) => Some((failed(problem), None)),
        }
    })
}

/// One event as a frame.
fn write(event: &Event, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(format!("id: {}\nevent: {}\ndata: ", event.seq, event.body.kind()).as_bytes());
    // JSON has no line ends outside of texts, and inside it escapes them: an event is one line of data.
    let start = bytes.len();
    if serde_json::to_writer(&mut *bytes, event).is_err() {
        bytes.truncate(start);
    }
    bytes.extend_from_slice(b"\n\n");
}

/// The last frame where something failed after the answer had begun. It has no id: who connects again goes on where
/// the events ended.
pub(crate) fn failed(mut problem: Problem) -> Bytes {
    if problem.code == Code::Internal {
        error!("failed to go on with a long answer: {}", problem.detail);
        problem.detail = "the server's log says more".into();
    }
    let data = serde_json::to_string(&problem).unwrap_or_default();
    format!("event: problem\ndata: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_api::{Content, End, Outcome, OutputStream, Time};

    fn event(seq: u64, body: EventBody) -> Event {
        Event { seq, at: Time(0), attempt: 1, body }
    }

    fn output(seq: u64, text: &str) -> Event {
        event(seq, EventBody::Output { stream: OutputStream::Stdout, data: Content(text.into()) })
    }

    fn ended(seq: u64) -> Event {
        let outcome = Outcome { end: End::Exited { code: 0 }, message: "fine".into() };
        event(seq, EventBody::Ended { outcome })
    }

    async fn text(batches: impl Stream<Item = Answer<Page>> + Send + 'static) -> Vec<String> {
        frames(batches).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect().await
    }

    #[tokio::test]
    async fn each_event_is_one_frame_and_nothing_follows_the_end() {
        let batches =
            stream::iter([Ok(vec![output(1, "a\nb\r\n\ndata: x"), output(2, "")].into()), Ok(vec![ended(3)].into())]);
        let frames = text(batches.chain(stream::pending())).await;
        assert_eq!(frames.len(), 2);
        let first: Vec<&str> = frames[0].split("\n\n").collect();
        assert_eq!(first.len(), 3, "two frames and what follows the last: {first:?}");
        let data = first[0].strip_prefix("id: 1\nevent: output\ndata: ").unwrap();
        assert_eq!(serde_json::from_str::<Event>(data).unwrap(), output(1, "a\nb\r\n\ndata: x"));
        assert!(frames[1].starts_with("id: 3\nevent: ended\ndata: {\"seq\":3,"), "{}", frames[1]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_by_comments_and_loses_no_event() {
        let late = stream::once(async {
            tokio::time::sleep(KEEP_ALIVE * 5 / 2).await;
            Ok(vec![ended(1)].into())
        });
        let frames = text(late).await;
        assert_eq!(frames[..2], [":\n\n", ":\n\n"]);
        assert!(frames[2].starts_with("id: 1\n"), "{frames:?}");
        assert_eq!(frames.len(), 3);
    }

    #[tokio::test]
    async fn a_failure_in_the_middle_is_told_and_ends_the_answer() {
        let batches =
            stream::iter([Ok(vec![output(1, "a")].into()), Err(Problem::new(Code::Internal, "disk I/O error"))]);
        let frames = text(batches.chain(stream::pending())).await;
        assert_eq!(frames.len(), 2);
        assert!(frames[1].starts_with("event: problem\ndata: {\"type\":"), "{}", frames[1]);
        assert!(!frames[1].contains("disk"), "{}", frames[1]);
    }

    #[test]
    fn a_reconnecting_client_goes_on_after_its_last_event() {
        let headers =
            |value: &'static str| HeaderMap::from_iter([(LAST_EVENT_ID.clone(), HeaderValue::from_static(value))]);
        assert_eq!(after(&headers("17"), Some(3)).unwrap(), 17);
        assert_eq!(after(&headers(""), Some(3)).unwrap(), 3);
        assert_eq!(after(&HeaderMap::new(), None).unwrap(), 0);
        for bad in ["x", "-1", "+1", "1 ", "99999999999999999999"] {
            assert_eq!(after(&headers(bad), None).unwrap_err().0.code, Code::InvalidQuery, "{bad}");
        }
    }
}
