//! Which address leads to which operation of control.

mod access;
mod blobs;
mod jobs;
mod monitoring;
mod platform;
mod projects;
mod session;
mod vet;
mod watching;
mod worker;

use axum::Router;
use axum::body::Bytes;
use axum::extract::FromRef;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use gambeson_api::Code;
use gambeson_control::Control;
use utoipa_axum::router::OpenApiRouter;

use crate::body::Bounds;
use crate::console;
use crate::cookie::Cookies;
use crate::document;
use crate::envelope::{Envelope, envelop};
use crate::failure::{Failure, quoted};
use crate::options::Options;

/// What handlers need.
#[derive(Debug, Clone)]
pub(crate) struct App {
    control: Control,
    bounds: Bounds,
    cookies: Cookies,
    document: Bytes,
}

impl FromRef<App> for Control {
    fn from_ref(app: &App) -> Control {
        app.control.clone()
    }
}

impl FromRef<App> for Bounds {
    fn from_ref(app: &App) -> Bounds {
        app.bounds
    }
}

impl FromRef<App> for Cookies {
    fn from_ref(app: &App) -> Cookies {
        app.cookies
    }
}

/// All routes, and what they say of themselves.
pub(crate) fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document::preamble())
        .merge(jobs::routes())
        .merge(blobs::routes())
        .merge(platform::routes())
        .merge(projects::routes())
        .merge(access::routes())
        .merge(session::routes())
        .merge(vet::routes())
        .merge(watching::routes())
        .merge(monitoring::routes())
        .merge(worker::routes())
}

/// The whole of the HTTP interface, to be served by [`serve`](crate::serve) or asked by a test.
pub fn router(control: Control, options: &Options) -> Router {
    let (router, document) = documented().split_for_parts();
    let document = document::finished(document);
    let document = serde_json::to_vec(&document).map(Bytes::from).unwrap_or_default();
    let cookies = Cookies { tls: options.tls.is_some() };
    let envelope = Envelope::new(control.meters());
    let router = router.merge(console::routes(console::built_in()));
    finished(router, envelope).with_state(App { control, bounds: options.bounds(), cookies, document })
}

/// With answers to what is no route, and the envelope around all.
pub(crate) fn finished<S: Clone + Send + Sync + 'static>(router: Router<S>, envelope: Envelope) -> Router<S> {
    router
        .fallback(no_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(envelope, envelop))
}

async fn no_route(uri: Uri) -> Failure {
    Failure::new(Code::NoRoute, format!("{} leads nowhere", quoted(uri.path())))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Failure {
    let method = quoted(method.as_str());
    Failure::new(Code::MethodNotAllowed, format!("{} takes no {method}", quoted(uri.path())))
}

/// A router of the same making without control, for tests of everything else.
#[cfg(test)]
pub(crate) fn router_without_control() -> Router {
    use axum::routing::get;
    let router = Router::new().route("/v1/jobs", get(|| async { "jobs" }).post(|body: Bytes| async move { body }));
    finished(router, Envelope::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use gambeson_api::Problem;
    use tower::ServiceExt;

    #[tokio::test]
    async fn what_is_no_route_is_a_problem_with_the_methods_that_are_allowed() {
        let long = format!("/{}", "x".repeat(10_000));
        for (method, path, code, allow) in [
            ("GET", "/v2/jobs", Code::NoRoute, None),
            ("GET", "/v1/jobs/", Code::NoRoute, None),
            ("GET", "//v1/jobs", Code::NoRoute, None),
            ("GET", "/v1/%6Aobs%00", Code::NoRoute, None),
            ("GET", &long, Code::NoRoute, None),
            ("OPTIONS", "*", Code::NoRoute, None),
            ("DELETE", "/v1/jobs", Code::MethodNotAllowed, Some("GET,HEAD,POST")),
            ("BREW", "/v1/jobs", Code::MethodNotAllowed, Some("GET,HEAD,POST")),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = router_without_control().oneshot(request).await.unwrap();
            assert_eq!(response.headers().get("allow").map(|value| value.to_str().unwrap()), allow, "{method} {path}");
            assert_eq!(response.status(), code.status());
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
            let problem: Problem = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(problem.code, code, "{method} {path}");
            assert!(problem.detail.len() < 500);
        }
    }
}
