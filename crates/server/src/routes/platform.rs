//! The queue, the workers, what is used; and what anybody may ask: whether we live, and what can be asked.

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gambeson_api::{Backup, BackupRequest, Code, JoinToken, Posture, Queue, UsageReport, Worker, WorkerId, WorkerList};
use gambeson_control::Control;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::body::Json;
use crate::console;
use crate::failure::{Answered, Failure};
use crate::place::At;
use crate::query::{FromQuery, NoParameters, Parameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(queue_read))
        .routes(routes!(worker_list))
        .routes(routes!(join_token_create))
        .routes(routes!(worker_drain))
        .routes(routes!(worker_undrain))
        .routes(routes!(usage_read))
        .routes(routes!(posture_read))
        .routes(routes!(backup_create))
        .routes(routes!(index))
        .routes(routes!(health))
        .routes(routes!(document))
}

/// The queue as the caller may see it.
#[utoipa::path(
    get,
    path = "/v1/queue",
    operation_id = "queue_read",
    tag = "platform",
    responses((status = 200, body = Queue, description = "How much waits and runs, shares, and what is next."))
)]
async fn queue_read(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Queue>> {
    Ok(Json(control.queue(&caller).await?))
}

/// List workers.
#[utoipa::path(
    get,
    path = "/v1/workers",
    operation_id = "worker_list",
    tag = "platform",
    responses((status = 200, body = WorkerList, description = "The workers, by name."))
)]
async fn worker_list(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<WorkerList>> {
    Ok(Json(control.workers(&caller).await?))
}

/// Make a token by which one worker enrols.
///
/// The request has no body.
#[utoipa::path(
    post,
    path = "/v1/workers/join-tokens",
    operation_id = "join_token_create",
    tag = "platform",
    responses((status = 201, body = JoinToken, description = "The token, which is shown this once."))
)]
async fn join_token_create(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<(StatusCode, Json<JoinToken>)> {
    Ok((StatusCode::CREATED, Json(control.join_token(&caller).await?)))
}

/// Give a worker no more jobs.
///
/// It stays, idle, once it has finished what it has; `undrain` lets it take jobs again. The request has no body.
#[utoipa::path(
    post,
    path = "/v1/workers/{id}/drain",
    operation_id = "worker_drain",
    tag = "platform",
    params(("id" = WorkerId, Path, description = "The worker.")),
    responses((status = 200, body = Worker, description = "The worker, which finishes what it has."))
)]
async fn worker_drain(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<WorkerId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Worker>> {
    Ok(Json(control.worker_drain(&caller, id).await?))
}

/// Let a drained worker take jobs again.
///
/// The request has no body.
#[utoipa::path(
    post,
    path = "/v1/workers/{id}/undrain",
    operation_id = "worker_undrain",
    tag = "platform",
    params(("id" = WorkerId, Path, description = "The worker.")),
    responses((status = 200, body = Worker, description = "The worker, which takes jobs again."))
)]
async fn worker_undrain(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<WorkerId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Worker>> {
    Ok(Json(control.worker_undrain(&caller, id).await?))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Day {
    /// Only of this project, by name or id.
    project: Option<String>,
    /// The day (UTC), as `2026-11-25`; today when left out.
    day: Option<String>,
}

impl FromQuery for Day {
    fn from_query(parameters: &mut Parameters) -> Answered<Day> {
        Ok(Day { project: parameters.text("project"), day: parameters.text("day") })
    }
}

/// What was used, is reserved, and may be.
#[utoipa::path(
    get,
    path = "/v1/usage",
    operation_id = "usage_read",
    tag = "platform",
    params(Day),
    responses((status = 200, body = UsageReport, description = "A line for each project and user."))
)]
async fn usage_read(
    State(control): State<Control>,
    Key(caller): Key,
    Query(Day { project, day }): Query<Day>,
) -> Answered<Json<UsageReport>> {
    Ok(Json(control.usage(&caller, project.as_deref(), day.as_deref()).await?))
}

/// Which layers hold on each worker.
#[utoipa::path(
    get,
    path = "/v1/posture",
    operation_id = "posture_read",
    tag = "platform",
    responses((status = 200, body = Posture, description = "The layers, as each worker probed them."))
)]
async fn posture_read(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Posture>> {
    Ok(Json(control.posture(&caller).await?))
}

/// Write a copy of the store, on the server's own disk, while it runs.
#[utoipa::path(
    post,
    path = "/v1/backup",
    operation_id = "backup_create",
    tag = "platform",
    request_body(content = BackupRequest, description = "A name of letters, digits, dots, dashes and underscores."),
    responses((status = 201, body = Backup, description = "The copy."))
)]
async fn backup_create(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(request): Json<BackupRequest>,
) -> Answered<(StatusCode, Json<Backup>)> {
    Ok((StatusCode::CREATED, Json(control.backup(&caller, request).await?)))
}

const INDEX: &str = "\
This is Gambeson: it runs Python that is submitted to it, in layered sandboxes.

  GET  /openapi.json   all that can be asked
  GET  /console/       the same for a browser
  GET  /healthz        whether the server lives
  GET  /readyz         whether it can take jobs
  GET  /metrics        the figures for monitoring
  POST /v1/jobs        submit:

  curl -H \"Authorization: Bearer $GAMBESON_KEY\" -H 'Content-Type: application/json' \\
       -d '{\"files\":{\"main.py\":\"print(1)\"}}' 'http://THIS-SERVER/v1/jobs?wait=30s'
";

/// What this is.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "index",
    tag = "public",
    security(()),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "A few lines for people."),
        (status = 303, description = "To the console, for who accepts `text/html`."),
    )
)]
async fn index(headers: HeaderMap, Query(NoParameters): Query<NoParameters>) -> Response {
    if console::wants_a_page(&headers) {
        return console::redirect(StatusCode::SEE_OTHER);
    }
    ([(VARY, HeaderValue::from_static("accept"))], INDEX).into_response()
}

/// Whether the server lives.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "public",
    security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "`ok`."))
)]
async fn health(State(control): State<Control>, Query(NoParameters): Query<NoParameters>) -> Answered<&'static str> {
    if control.healthy() { Ok("ok\n") } else { Err(Failure::new(Code::Unavailable, "the store takes no writes")) }
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "public",
    security(()),
    responses((status = 200, body = Object, description = "OpenAPI 3.1."))
)]
async fn document(State(app): State<App>, Query(NoParameters): Query<NoParameters>) -> Response {
    ([(CONTENT_TYPE, "application/json")], app.document).into_response()
}
