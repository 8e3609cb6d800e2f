//! What workers ask. About one job they ask with that lease's token, which control looks at together with the lease.

use axum::extract::State;
use gambeson_api::work::{
    Append, Appended, Done, Enrol, Enrolled, HandBack, Heartbeat, HeartbeatAnswer, LeaseRequest, Leases, Settle,
};
use gambeson_api::{Blob, Digest, LeaseId};
use gambeson_control::Control;
use serde::de::DeserializeOwned;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::{Token, WorkerKey};
use crate::blob;
use crate::body::{BlobBody, Json, SMALL, Unread};
use crate::failure::Answered;
use crate::place::At;
use crate::query::{NoParameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(worker_enrol))
        .routes(routes!(lease_take))
        .routes(routes!(worker_heartbeat))
        .routes(routes!(lease_append))
        .routes(routes!(lease_settle))
        .routes(routes!(lease_hand_back))
        .routes(routes!(lease_blob_read, lease_blob_write))
}

/// Become a known worker, by a join token.
#[utoipa::path(
    post,
    path = "/v1/worker/enrol",
    operation_id = "worker_enrol",
    tag = "worker",
    security(("join" = [])),
    request_body(content = Enrol, description = "What the worker is and has, in at most 64 KiB. The same again is answered \
        the same."),
    responses((status = 200, body = Enrolled, description = "The worker is known."))
)]
async fn worker_enrol(
    State(control): State<Control>,
    Token(token): Token,
    Query(NoParameters): Query<NoParameters>,
    body: Unread,
) -> Answered<Json<Enrolled>> {
    let enrol: Enrol = body.json_within(SMALL).await?;
    Ok(Json(control.worker_enrol(Some(&token), enrol).await?))
}

/// Take work.
///
/// Answered when there is some, or empty after `wait_ms`. A worker that hangs up gives up its place.
#[utoipa::path(
    post,
    path = "/v1/worker/leases",
    operation_id = "lease_take",
    tag = "worker",
    security(("worker" = [])),
    request_body(content = LeaseRequest, description = "What is free, and how long to wait: at most 60,000 ms."),
    responses((status = 200, body = Leases, description = "None, one or several leases."))
)]
async fn lease_take(
    State(control): State<Control>,
    WorkerKey(worker): WorkerKey,
    Query(NoParameters): Query<NoParameters>,
    Json(request): Json<LeaseRequest>,
) -> Answered<Json<Leases>> {
    Ok(Json(control.worker_lease(&worker, request).await?))
}

/// Say that one lives, and hear what there is to do.
#[utoipa::path(
    post,
    path = "/v1/worker/heartbeat",
    operation_id = "worker_heartbeat",
    tag = "worker",
    security(("worker" = [])),
    request_body(content = Heartbeat, description = "The leases that are to be renewed."),
    responses((status = 200, body = HeartbeatAnswer, description = "What to cancel, and what was lost."))
)]
async fn worker_heartbeat(
    State(control): State<Control>,
    WorkerKey(worker): WorkerKey,
    Query(NoParameters): Query<NoParameters>,
    Json(beat): Json<Heartbeat>,
) -> Answered<Json<HeartbeatAnswer>> {
    Ok(Json(control.worker_heartbeat(&worker, beat).await?))
}

/// Reads a report. One that is not small is read only for who holds the lease: a token of the right form is nothing that
/// one has to be given.
async fn report<T: DeserializeOwned>(control: &Control, lease: LeaseId, token: &str, body: Unread) -> Answered<T> {
    if !body.is_small() {
        control.lease_check(lease, Some(token)).await?;
    }
    body.json().await
}

/// Report what happened in an attempt.
#[utoipa::path(
    post,
    path = "/v1/worker/leases/{lease}/append",
    operation_id = "lease_append",
    tag = "worker",
    security(("lease" = [])),
    params(("lease" = LeaseId, Path, description = "The lease.")),
    request_body(content = Append, description = "At most 1,000 entries with 1 MiB of output."),
    responses((status = 200, body = Appended, description = "How far it is recorded."))
)]
async fn lease_append(
    State(control): State<Control>,
    Token(token): Token,
    At(lease): At<LeaseId>,
    Query(NoParameters): Query<NoParameters>,
    body: Unread,
) -> Answered<Json<Appended>> {
    let append: Append = report(&control, lease, &token, body).await?;
    Ok(Json(control.lease_append(lease, Some(&token), append).await?))
}

/// Report the end of an attempt.
#[utoipa::path(
    post,
    path = "/v1/worker/leases/{lease}/settle",
    operation_id = "lease_settle",
    tag = "worker",
    security(("lease" = [])),
    params(("lease" = LeaseId, Path, description = "The lease.")),
    request_body(content = Settle, description = "The last entries, the report, and what was left; artifacts are uploaded \
        before."),
    responses((status = 200, body = Done, description = "The job ended, and the lease with it."))
)]
async fn lease_settle(
    State(control): State<Control>,
    Token(token): Token,
    At(lease): At<LeaseId>,
    Query(NoParameters): Query<NoParameters>,
    body: Unread,
) -> Answered<Json<Done>> {
    let settle: Settle = report(&control, lease, &token, body).await?;
    Ok(Json(control.lease_settle(lease, Some(&token), settle).await?))
}

/// Give a job back that was not started.
#[utoipa::path(
    post,
    path = "/v1/worker/leases/{lease}/hand-back",
    operation_id = "lease_hand_back",
    tag = "worker",
    security(("lease" = [])),
    params(("lease" = LeaseId, Path, description = "The lease.")),
    request_body(content = HandBack, description = "Why."),
    responses((status = 200, body = Done, description = "The job waits again."))
)]
async fn lease_hand_back(
    State(control): State<Control>,
    Token(token): Token,
    At(lease): At<LeaseId>,
    Query(NoParameters): Query<NoParameters>,
    body: Unread,
) -> Answered<Json<Done>> {
    let back: HandBack = report(&control, lease, &token, body).await?;
    Ok(Json(control.lease_hand_back(lease, Some(&token), back).await?))
}

/// A file of the leased job.
#[utoipa::path(
    get,
    path = "/v1/worker/leases/{lease}/blobs/{digest}",
    operation_id = "lease_blob_read",
    tag = "worker",
    security(("lease" = [])),
    params(
        ("lease" = LeaseId, Path, description = "The lease."),
        ("digest" = Digest, Path, description = "The SHA-256 of the bytes."),
    ),
    responses((status = 200, body = [u8], content_type = "application/octet-stream", description = "The bytes."))
)]
async fn lease_blob_read(
    State(control): State<Control>,
    Token(token): Token,
    At(place): At<(LeaseId, Digest)>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered {
    let (lease, digest) = place;
    Ok(blob::send(control.lease_blob_read(lease, Some(&token), digest).await?, None))
}

/// A file that the leased job left.
#[utoipa::path(
    put,
    path = "/v1/worker/leases/{lease}/blobs/{digest}",
    operation_id = "lease_blob_write",
    tag = "worker",
    security(("lease" = [])),
    params(
        ("lease" = LeaseId, Path, description = "The lease."),
        ("digest" = Digest, Path, description = "The SHA-256 of the bytes."),
    ),
    request_body(content = [u8], content_type = "application/octet-stream", description = "The bytes, without a content \
        encoding, within the server's limit for blobs (1 GiB as it comes)."),
    responses((status = 200, body = Blob, description = "It is stored."))
)]
async fn lease_blob_write(
    State(control): State<Control>,
    Token(token): Token,
    At(place): At<(LeaseId, Digest)>,
    Query(NoParameters): Query<NoParameters>,
    BlobBody(body): BlobBody,
) -> Answered<Json<Blob>> {
    let (lease, digest) = place;
    let writer = control.lease_blob_write(lease, Some(&token), digest, body.expected()).await?;
    Ok(Json(blob::receive(body, writer).await?))
}
