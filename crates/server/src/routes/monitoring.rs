//! What monitoring asks: the figures, and whether the server is ready.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use gambeson_api::Code;
use gambeson_control::Control;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::exposition::{asked_for, in_form};
use crate::failure::{Answered, Failure};
use crate::query::{NoParameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics_read)).routes(routes!(readiness))
}

/// The figures that monitoring collects.
///
/// OpenMetrics 1.0.0 for who asks for `application/openmetrics-text`, else the Prometheus text format 0.0.4.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics_read",
    tag = "platform",
    responses((status = 200, body = String, content_type = "text/plain", description = "docs/operate/metrics.md lists them."))
)]
async fn metrics_read(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    headers: HeaderMap,
) -> Answered {
    let text = control.metrics(&caller).await?;
    let form = asked_for(headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()));
    Ok(([(CONTENT_TYPE, form.media())], in_form(text, form)).into_response())
}

/// Whether the server can take what it is there for.
///
/// It can where the store takes writes, the disk has room, and nobody told it to stop. Workers are told of and are no part
/// of it: without one, jobs are taken and wait.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readiness",
    tag = "public",
    security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "`ready`, and how many workers there are."))
)]
async fn readiness(State(control): State<Control>, Query(NoParameters): Query<NoParameters>) -> Answered<String> {
    let ready = control.ready().await;
    let workers = match ready.workers {
        None => String::new(),
        Some(0) => "no worker is connected: jobs are taken and wait".into(),
        Some(1) => "1 worker is connected".into(),
        Some(workers) => format!("{workers} workers are connected"),
    };
    if ready.lacks.is_empty() {
        return Ok(format!("ready\n{workers}\n"));
    }
    let lacks: Vec<String> = ready.lacks.into_iter().chain(Some(workers).filter(|says| !says.is_empty())).collect();
    Err(Failure::new(Code::Unavailable, format!("not ready: {}", lacks.join("; "))))
}
