//! The body of a request: how much of it, how fast, in which form.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use gambeson_api::Code;
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::failure::{Answered, Failure, quoted};
use crate::strict;

/// What bodies may be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The largest JSON, bytes.
    pub(crate) body_max: u64,
    /// The largest blob, bytes.
    pub(crate) blob_max: u64,
    /// How long a body may take, beside a second for each [`SLOWEST`] bytes.
    pub(crate) body_timeout: Duration,
}

/// Bytes per second below which a body is too slow: one timeout for small and large bodies would be too long for the
/// former or too short for the latter.
const SLOWEST: u64 = 16 << 10;

/// Bytes of JSON that anybody may have us read.
pub(crate) const SMALL: u64 = 64 << 10;

/// A body that is read piece by piece, within its bounds.
#[derive(Debug)]
pub(crate) struct Incoming {
    body: Body,
    most: u64,
    /// What the client says will come.
    said: Option<u64>,
    read: u64,
    started: Instant,
    timeout: Duration,
}

impl Incoming {
    fn new(body: Body, headers: &HeaderMap, most: u64, timeout: Duration) -> Answered<Incoming> {
        let too_large = || Failure::new(Code::TooLarge, format!("the body is longer than {most} bytes"));
        // hyper holds a body to its Content-Length; what says to be too long needs not be read.
        let said = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|said| said > most) || body.size_hint().lower() > most {
            return Err(too_large());
        }
        Ok(Incoming { body, most, said, read: 0, started: Instant::now(), timeout })
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn piece(&mut self) -> Answered<Option<Bytes>> {
        loop {
            let deadline = self.started + self.timeout + Duration::from_secs(self.read / SLOWEST);
            let frame = tokio::time::timeout_at(deadline, self.body.frame()).await;
            let frame = frame.map_err(|_| Failure::new(Code::TimedOut, "the body came too slowly"))?;
            let Some(frame) = frame else { return Ok(None) };
            // Broken chunks, or a client that left: nobody may be there to read this.
            let frame = frame.map_err(|_| Failure::new(Code::InvalidJson, "the body broke off"))?;
            // Trailers say nothing to us.
            let Ok(bytes) = frame.into_data() else { continue };
            self.read += bytes.len() as u64;
            if self.read > self.most {
                return Err(Failure::new(Code::TooLarge, format!("the body is longer than {} bytes", self.most)));
            }
            return Ok(Some(bytes));
        }
    }

    /// How many bytes come, where the client says so.
    pub(crate) const fn expected(&self) -> Option<u64> {
        self.said
    }

    async fn whole(mut self) -> Answered<Bytes> {
        let first = self.piece().await?.unwrap_or_default();
        // Nearly always the body has come with its headers: then nothing is copied.
        if self.body.is_end_stream() {
            return Ok(first);
        }
        let mut whole = Vec::from(first);
        while let Some(piece) = self.piece().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }
}

/// Decompression is not offered: a small body could become a huge one.
fn not_encoded(headers: &HeaderMap) -> Answered<()> {
    for encoding in headers.get_all(CONTENT_ENCODING) {
        if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
            let encoding = quoted(&String::from_utf8_lossy(encoding.as_bytes()));
            return Err(Failure::new(Code::UnsupportedMedia, format!("the body is encoded as {encoding}")));
        }
    }
    Ok(())
}

fn is_json(headers: &HeaderMap) -> Answered<()> {
    let refused = |what: String| Failure::new(Code::UnsupportedMedia, what);
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else {
        return Err(refused("the body has no Content-Type, or several".into()));
    };
    let given = String::from_utf8_lossy(given.as_bytes()).to_ascii_lowercase();
    let mut parts = given.split(';').map(str::trim);
    let json = parts.next() == Some("application/json")
        && parts.all(|part| matches!(part, "" | "charset=utf-8" | "charset=\"utf-8\""));
    if json { Ok(()) } else { Err(refused(format!("the body is {}", quoted(&given)))) }
}

/// A JSON body: extracted, or answered.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T>
where
    Bounds: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Failure> {
        Unread::from_request(request, state).await?.json().await.map(Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response(),
            Err(error) => Failure::new(Code::Internal, format!("an answer is no JSON: {error}")).into_response(),
        }
    }
}

/// JSON that is not read yet: only what its headers say was looked at.
#[derive(Debug)]
pub(crate) struct Unread(Incoming);

impl Unread {
    /// Whether it is too small to be worth a look at the store before it is read, by what its headers say.
    pub(crate) fn is_small(&self) -> bool {
        self.0.body.size_hint().upper().is_some_and(|most| most <= SMALL)
    }

    /// Reads it, if it is of at most `most` bytes.
    pub(crate) async fn json_within<T: DeserializeOwned>(mut self, most: u64) -> Answered<T> {
        self.0.most = self.0.most.min(most);
        if self.0.body.size_hint().lower() > self.0.most {
            return Err(Failure::new(Code::TooLarge, format!("the body is longer than {} bytes", self.0.most)));
        }
        let bytes = self.0.whole().await?;
        strict::from_slice(&bytes).map_err(|said| Failure::new(Code::InvalidJson, said))
    }

    /// Reads it.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Answered<T> {
        self.json_within(u64::MAX).await
    }
}

impl<S: Sync> FromRequest<S> for Unread
where
    Bounds: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Unread, Failure> {
        let bounds = Bounds::from_ref(state);
        let (head, body) = request.into_parts();
        not_encoded(&head.headers)?;
        is_json(&head.headers)?;
        Incoming::new(body, &head.headers, bounds.body_max, bounds.body_timeout).map(Unread)
    }
}

/// Extracts the bytes of a blob, of whatever type, to be read piece by piece.
#[derive(Debug)]
pub(crate) struct BlobBody(pub(crate) Incoming);

impl<S: Sync> FromRequest<S> for BlobBody
where
    Bounds: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<BlobBody, Failure> {
        let bounds = Bounds::from_ref(state);
        let (head, body) = request.into_parts();
        not_encoded(&head.headers)?;
        Incoming::new(body, &head.headers, bounds.blob_max, bounds.body_timeout).map(BlobBody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::post;
    use futures_util::stream;
    use gambeson_api::{BlobQuery, Problem};
    use std::convert::Infallible;
    use tower::ServiceExt;

    const BOUNDS: Bounds = Bounds { body_max: 64, blob_max: 100, body_timeout: Duration::from_secs(30) };

    async fn problem(request: Request) -> Option<Problem> {
        let router = Router::new()
            .route("/json", post(|_: Json<BlobQuery>| async {}))
            .route(
                "/blob",
                post(|BlobBody(mut body): BlobBody| async move {
                    while body.piece().await?.is_some() {}
                    Answered::Ok(())
                }),
            )
            .with_state(BOUNDS);
        let response = router.oneshot(request).await.unwrap();
        response.extensions().get::<Failure>().map(|failure| (*failure.0).clone())
    }

    fn request(path: &str, headers: &[(&str, &str)], body: Body) -> Request {
        let start = Request::post(path);
        headers.iter().fold(start, |request, (name, value)| request.header(*name, *value)).body(body).unwrap()
    }

    fn pieces(pieces: Vec<&'static str>) -> Body {
        Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)))
    }

    const JSON: (&str, &str) = ("content-type", "application/json");

    #[tokio::test]
    async fn a_body_of_the_wanted_form_is_read() {
        for (headers, body) in [
            (vec![JSON], Body::from(r#"{"digests":[]}"#)),
            (vec![("content-type", "Application/JSON; charset=UTF-8")], Body::from(r#"{"digests":[]}"#)),
            (vec![JSON, ("content-encoding", "identity")], Body::from(r#"{"digests":[]}"#)),
            (vec![JSON], pieces(vec!["{\"dig", "ests\"", ":[]}"])),
        ] {
            assert_eq!(problem(request("/json", &headers, body)).await, None);
        }
        assert_eq!(problem(request("/blob", &[], pieces(vec!["ab", "c"]))).await, None);
    }

    #[tokio::test]
    async fn other_forms_encodings_and_sizes_are_refused() {
        let long: &'static str = Box::leak("x".repeat(60).into_boxed_str());
        for (path, headers, body, code) in [
            ("/json", vec![], Body::from("{}"), Code::UnsupportedMedia),
            ("/json", vec![("content-type", "text/plain")], Body::from("{}"), Code::UnsupportedMedia),
            (
                "/json",
                vec![("content-type", "application/x-www-form-urlencoded")],
                Body::from("a=b"),
                Code::UnsupportedMedia,
            ),
            (
                "/json",
                vec![("content-type", "application/json; charset=utf-16")],
                Body::from("{}"),
                Code::UnsupportedMedia,
            ),
            ("/json", vec![JSON, JSON], Body::from("{}"), Code::UnsupportedMedia),
            ("/json", vec![JSON, ("content-encoding", "gzip")], Body::from("{}"), Code::UnsupportedMedia),
            (
                "/json",
                vec![JSON, ("content-encoding", "identity"), ("content-encoding", "br")],
                Body::from("{}"),
                Code::UnsupportedMedia,
            ),
            ("/json", vec![JSON, ("content-length", "65")], Body::empty(), Code::TooLarge),
            ("/json", vec![JSON], Body::from(" ".repeat(65)), Code::TooLarge),
            ("/json", vec![JSON], pieces(vec![long, long]), Code::TooLarge),
            ("/json", vec![JSON], Body::empty(), Code::InvalidJson),
            ("/json", vec![JSON], Body::from("{}"), Code::InvalidJson),
            ("/blob", vec![("content-encoding", "zstd")], Body::empty(), Code::UnsupportedMedia),
            ("/blob", vec![], pieces(vec![long, long]), Code::TooLarge),
            ("/blob", vec![("content-length", "101")], Body::empty(), Code::TooLarge),
        ] {
            assert_eq!(
                problem(request(path, &headers, body)).await.map(|it| it.code),
                Some(code),
                "{path} {headers:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up() {
        let started = Instant::now();
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            Some((Ok::<_, Infallible>("x"), ()))
        });
        let failed = problem(request("/blob", &[], Body::from_stream(trickle))).await.unwrap();
        assert_eq!(failed.code, Code::TimedOut);
        assert_eq!(started.elapsed(), BOUNDS.body_timeout);
    }
}
