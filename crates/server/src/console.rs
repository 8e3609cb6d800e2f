//! The web console, from inside the binary. It is files that never change while we run: nothing is looked up on a disk, so
//! that no path leads out of the table.

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gambeson_api::{Code, Digest};

use crate::failure::{Failure, quoted};

/// A file, and its compressed twins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    /// Below `/console/`.
    pub(crate) name: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) gzip: Option<&'static [u8]>,
    pub(crate) brotli: Option<&'static [u8]>,
}

static BUILT_IN: &[File] = include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// The console of this binary; empty where `web/dist` was not there when it was built.
pub(crate) fn built_in() -> &'static [File] {
    BUILT_IN
}

/// Whether this binary has the console in it.
pub fn is_built_in() -> bool {
    !BUILT_IN.is_empty()
}

/// An answer with a say of its own about caches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cached;

/// What pages of the console may do: nothing but load what is ours. A picture that a job made comes as a `blob:`; the signs
/// beside the editor's lines are `data:` within CodeMirror's styles.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' blob: data:; font-src 'self'; frame-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=(), \
     screen-wake-lock=(), xr-spatial-tracking=()";

static HEADERS: [(HeaderName, HeaderValue); 6] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    // `no-referrer` would have browsers send `Origin: null`.
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS)),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

const WITHOUT: &[u8] = b"<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>Gambeson</title>
<h1>This server has no console</h1>
<p>It was built without the files of the web console. Everything else works: the command line, the API, the workers.</p>
<p>To have the console, build it on a machine with Node 20 or newer, then build the server again:</p>
<pre>cargo xtask web
cargo build --release</pre>
<p>Until then, <code>gambeson top</code> shows the queue in a terminal, and <a href=\"/openapi.json\">/openapi.json</a> says
all that can be asked.</p>
</html>
";

/// The routes of a console that has these files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(files: &'static [File]) -> Router<S> {
    let tags = Tags::of(files);
    let answer = get(move |uri: Uri, headers: HeaderMap| {
        let answer = answer(files, &tags, &uri, &headers);
        std::future::ready(answer)
    });
    Router::new()
        .route("/console", get(|| async { redirect(StatusCode::PERMANENT_REDIRECT) }))
        .route("/console/", answer.clone())
        .route("/console/{*path}", answer)
}

/// To the console's first page.
pub(crate) fn redirect(status: StatusCode) -> Response {
    let location = [(LOCATION, HeaderValue::from_static("/console/")), (VARY, HeaderValue::from_static("accept"))];
    with_headers((status, location).into_response())
}

/// Whether who asks is somebody before a browser.
pub(crate) fn wants_a_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|one| one.split(';').next().unwrap_or("").trim() == "text/html")
}

/// What names the content of each file.
#[derive(Debug, Clone)]
struct Tags(std::sync::Arc<[String]>);

impl Tags {
    fn of(files: &[File]) -> Tags {
        let of = |file: &File| {
            let digest = Digest::of(file.plain).to_string();
            digest.trim_start_matches("sha256:").chars().take(32).collect()
        };
        Tags(files.iter().map(of).collect())
    }
}

fn answer(files: &'static [File], tags: &Tags, uri: &Uri, headers: &HeaderMap) -> Response {
    let name = uri.path().strip_prefix("/console/").unwrap_or_default();
    let found = files.iter().position(|file| file.name == name && name != "index.html");
    let index = files.iter().position(|file| file.name == "index.html");
    let response = match (found, index) {
        (Some(at), _) => file(&files[at], &tags.0[at], headers),
        // A route is the page's own to know; an asset that is not there is of another build.
        _ if name.starts_with("assets/") => {
            Failure::new(Code::NoRoute, format!("{} leads nowhere", quoted(uri.path()))).into_response()
        }
        (None, Some(at)) => file(&files[at], &tags.0[at], headers),
        (None, None) => page(WITHOUT),
    };
    with_headers(response)
}

fn with_headers(mut response: Response) -> Response {
    for (name, value) in &HEADERS {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

fn page(bytes: &'static [u8]) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], bytes).into_response()
}

/// A file, in the smallest form that the client takes.
fn file(file: &File, tag: &str, headers: &HeaderMap) -> Response {
    let takes = |encoding| takes(headers, encoding);
    let (bytes, encoding) = match (file.brotli, file.gzip) {
        (Some(bytes), _) if takes("br") => (bytes, Some("br")),
        (_, Some(bytes)) if takes("gzip") => (bytes, Some("gzip")),
        _ => (file.plain, None),
    };
    let tag = encoding.map_or_else(|| format!("\"{tag}\""), |encoding| format!("\"{tag}-{encoding}\""));
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cached);
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|value| value.split(',')).any(|one| one.trim().trim_start_matches("W/") == tag);
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = Body::from(bytes);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type(file.name)));
        if let Some(encoding) = encoding {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    // What is under assets/ has a name of its content; whatever else there is, is asked for anew each time.
    let cache = if file.name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    response
}

/// Whether a client takes this content coding (RFC 9110, section 12.5.3). Who says only `*` gets the plain file.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.trim().parse::<f32>().ok());
        named && weight.is_none_or(|weight| weight > 0.0)
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[path = "console_tests.rs"]
mod tests;
