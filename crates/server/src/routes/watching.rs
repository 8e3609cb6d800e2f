//! Watching everything at once: what changes, what was, what wants attention.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use gambeson_api::{AttentionList, History};
use gambeson_control::{Control, Window};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::body::Json;
use crate::failure::Answered;
use crate::listen;
use crate::query::{FromQuery, NoParameters, Parameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(change_listen)).routes(routes!(history_read)).routes(routes!(attention_read))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Listen {
    /// Only of this project, by name or id.
    project: Option<String>,
    /// End after this time: `500ms`, `30s`; at most `60s`. Left out, it goes on.
    #[param(value_type = Option<String>)]
    wait: Duration,
}

impl FromQuery for Listen {
    fn from_query(parameters: &mut Parameters) -> Answered<Listen> {
        Ok(Listen { project: parameters.text("project"), wait: parameters.wait()? })
    }
}

/// Listen to what changes.
///
/// Server-sent events: `event` is the type, `data` a `Change` as JSON in one line. Of the past nothing is told, and there
/// is no place to go on from: connect, and when the first comment has come read `GET /v1/jobs` and `GET /v1/queue`; then
/// apply what came meanwhile and what comes, in the order in which it comes. That misses nothing; should a change be older
/// than what the list had, a newer one follows. A job is told at most four times a second, the queue at most once; what a
/// program writes is told by `GET /v1/jobs/{id}/events`. `missed` says to read the lists again: too much happened, the
/// listener was too slow, or may now see more or less than before. A comment comes every 15 seconds in a silence. When the
/// key or the right is no more, the last event is `problem`.
#[utoipa::path(
    get,
    path = "/v1/changes",
    operation_id = "change_listen",
    tag = "platform",
    params(Listen),
    responses((status = 200, body = String, content_type = "text/event-stream", description = "The changes."))
)]
async fn change_listen(
    State(control): State<Control>,
    Key(caller): Key,
    Query(Listen { project, wait }): Query<Listen>,
) -> Answered<Response> {
    let most = (!wait.is_zero()).then_some(wait);
    Ok(listen::answer(control.changes(&caller, project.as_deref()).await?, most))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Back {
    /// Only of this project, by name or id.
    project: Option<String>,
    /// How far back: `15m`, `1h` (when left out) or `24h`.
    #[param(value_type = Option<String>)]
    window: Window,
}

impl FromQuery for Back {
    fn from_query(parameters: &mut Parameters) -> Answered<Back> {
        let words = [("15m", Window::Quarter), ("1h", Window::Hour), ("24h", Window::Day)];
        let window = parameters.word("window", &words)?.unwrap_or(Window::Hour);
        Ok(Back { project: parameters.text("project"), window })
    }
}

/// How it was.
///
/// Of the projects whose queue the caller sees, in steps of 5 seconds (`15m`, `1h`) or of two minutes (`24h`, whose last
/// moment may be of less). Kept in memory: a server that starts begins anew. What workers have is 0 for who may not see
/// them. How long jobs waited is right to a sixteenth.
#[utoipa::path(
    get,
    path = "/v1/history",
    operation_id = "history_read",
    tag = "platform",
    params(Back),
    responses((status = 200, body = History, description = "At most 720 moments, oldest first."))
)]
async fn history_read(
    State(control): State<Control>,
    Key(caller): Key,
    Query(Back { project, window }): Query<Back>,
) -> Answered<Json<History>> {
    Ok(Json(control.history(&caller, project.as_deref(), window).await?))
}

/// What wants attention.
///
/// Each matter only for who may see what it is about, with what to do: `no_worker`, `worker_silent`, `layer_missing`,
/// `lost_leases`, `faults`, `lost_jobs`, `held_jobs`, `quota_near`, `disk_low`, `audit_broken`, `key_expires`; there may
/// come others. What is said of the last hour is kept in memory, since the server started.
#[utoipa::path(
    get,
    path = "/v1/attention",
    operation_id = "attention_read",
    tag = "platform",
    responses((status = 200, body = AttentionList, description = "At most 100 matters, the gravest first."))
)]
async fn attention_read(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<AttentionList>> {
    Ok(Json(control.attention(&caller).await?))
}
