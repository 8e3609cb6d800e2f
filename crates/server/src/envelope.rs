//! What every answer has: an id, the headers that keep browsers and caches out of it, and problems in their form.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use gambeson_api::{Code, Problem, Time};
use gambeson_control::Meters;
use tracing::{debug, error};

use crate::console::Cached;
use crate::failure::Failure;

/// The media type of problems.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// What an answer that is no page may do in a browser: nothing.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Numbers the requests of one process: `req_`, the second of its start and a count, each of eight digits.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestIds(Arc<AtomicU32>);

impl RequestIds {
    fn next(&self) -> String {
        static STARTED: OnceLock<u32> = OnceLock::new();
        let started = STARTED.get_or_init(|| (Time::now().0 / 1000) as u32);
        format!("req_{started:08x}{:08x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// What every answer passes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Envelope {
    ids: RequestIds,
    meters: Arc<Meters>,
}

impl Envelope {
    pub(crate) fn new(meters: &Arc<Meters>) -> Envelope {
        Envelope { meters: Arc::clone(meters), ..Envelope::default() }
    }
}

/// In the place of a route's template, for what leads nowhere.
const NO_ROUTE: &str = "none";

/// The outermost layer of the router.
pub(crate) async fn envelop(State(envelope): State<Envelope>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    // Whatever id the client sent is not looked at: ours are unique, theirs need not be, and would land in our log.
    let id = envelope.ids.next();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let mut response = next.run(request).await;
    if let Some(Failure(problem)) = response.extensions_mut().remove::<Failure>() {
        write_problem(&mut response, *problem, &id);
    }
    let cached = response.extensions_mut().remove::<Cached>().is_some();
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    envelope.meters.request(route, method.as_str(), status, took);
    // The template and not the path: that has names of people's files in it.
    debug!(
        request.id = %id,
        http.method = %method,
        http.route = route,
        http.status = status,
        http.ms = took.as_secs_f64() * 1000.0,
        "answered {method} {route} with {status}"
    );
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(id) {
        headers.insert(&REQUEST_ID, value);
    }
    if !cached {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    // A browser that is signed in can open any answer as a page; none but the console's own is one.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_PAGE));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn write_problem(response: &mut Response, mut problem: Problem, id: &str) {
    if problem.code == Code::Internal {
        error!(request.id = %id, "failed to answer a request: {}", problem.detail);
        problem.detail = format!("the server's log says more under {id}");
    }
    problem.request_id = Some(id.to_owned());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.code == Code::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    // A problem is text and numbers: it can always be written.
    *response.body_mut() = serde_json::to_vec(&problem).map_or_else(|_| Body::empty(), Body::from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn answer(problem: Problem) -> (Response, Problem) {
        let router = Router::new()
            .route("/", get(move || async move { Failure::from(problem).into_response() }))
            .layer(axum::middleware::from_fn_with_state(Envelope::default(), envelop));
        let request = Request::get("/").header("x-request-id", "mine").body(Body::empty()).unwrap();
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        (Response::from_parts(head, Body::empty()), serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_carries_our_id_and_not_the_clients() {
        let (response, problem) = answer(Problem::new(Code::NotFound, "there is no job")).await;
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["content-type"], PROBLEM);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert!(id.starts_with("req_") && id.len() == 20, "{id}");
        assert_eq!(problem.request_id.as_deref(), Some(id));
        assert_eq!(problem.detail, "there is no job");
    }

    #[tokio::test]
    async fn what_failed_inside_stays_inside() {
        let (response, problem) = answer(Problem::new(Code::Internal, "SELECT secret FROM keys")).await;
        assert_eq!(response.status(), 500);
        assert!(!problem.detail.contains("SELECT"), "{}", problem.detail);
        assert!(problem.detail.contains(problem.request_id.as_deref().unwrap()));
    }

    #[tokio::test]
    async fn waiting_times_and_challenges_are_headers_too() {
        let (response, problem) = answer(Problem::new(Code::RateLimited, "200 a second").retry_after(7)).await;
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(problem.retry_after_s, Some(7));
        let (response, _) = answer(Problem::new(Code::Unauthenticated, "no key")).await;
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
}
