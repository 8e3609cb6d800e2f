//! Signing in and out: the key is shown once, and a cookie that no script can read stands for it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse};
use gambeson_api::{NewSession, Session};
use gambeson_control::Control;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::body::{Json, SMALL, Unread};
use crate::cookie::{FromOurs, Kind};
use crate::failure::Answered;
use crate::query::{NoParameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(session_create, session_read, session_delete))
}

/// Sign a browser in.
///
/// The key is exchanged for a cookie that no script can read and no other site's page sends along. With it, and without an
/// `Authorization` header, every operation of users works as with the key; what is not `GET` or `HEAD` also needs the header
/// `X-CSRF-Token` with the session's `csrf`. A session that the browser had before ends.
#[utoipa::path(
    post,
    path = "/v1/session",
    operation_id = "session_create",
    tags = ["public", "session"],
    security(()),
    request_body(content = NewSession, description = "A key."),
    responses((
        status = 201, body = Session, description = "The session, whose cookie is set.",
        headers(("Set-Cookie" = String, description = "The session's cookie.")),
    ))
)]
async fn session_create(
    State(control): State<Control>,
    Query(NoParameters): Query<NoParameters>,
    ours: FromOurs,
    body: Unread,
) -> Answered<impl IntoResponse> {
    let NewSession { key } = body.json_within(SMALL).await?;
    let before = ours.before.map(|shown| shown.token);
    let signed_in = control.sign_in(&key, before.as_deref()).await?;
    let cookie = ours.kind.set(&signed_in.token);
    Ok((StatusCode::CREATED, AppendHeaders([(SET_COOKIE, cookie)]), Json(signed_in.session)))
}

/// The session that the request came with.
#[utoipa::path(
    get,
    path = "/v1/session",
    operation_id = "session_read",
    tag = "session",
    responses((status = 200, body = Session, description = "Who is signed in, and what requests that change something carry."))
)]
async fn session_read(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Session>> {
    Ok(Json(control.session(&caller).await?))
}

/// Sign out: end the session that the request came with.
#[utoipa::path(
    delete,
    path = "/v1/session",
    operation_id = "session_delete",
    tag = "session",
    responses((status = 204, description = "It is over, and its cookie is gone."))
)]
async fn session_delete(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<impl IntoResponse> {
    control.sign_out(&caller).await?;
    let gone = [Kind::Plain, Kind::OverTls].map(|kind| (SET_COOKIE, kind.clear()));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(gone)))
}
