//! What there is to remark about programs, before they run.

use axum::extract::State;
use gambeson_api::{Submission, VetRecord, Vetted};
use gambeson_control::Control;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::body::Json;
use crate::failure::Answered;
use crate::query::{NoParameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(vet)).routes(routes!(vet_record))
}

/// Have a submission read, and not run.
///
/// The body is that of `POST /v1/jobs`; nothing is queued, kept or charged. What it would come to: findings, each with what
/// the cell of this job will do about it, and what the project's policy would do with the submission. It is advice: whoever
/// wants to deceive a reader of programs can, and what stops a program is its cell.
#[utoipa::path(
    post,
    path = "/v1/vet",
    operation_id = "vet",
    tag = "jobs",
    request_body(content = Submission, description = "As it would be submitted."),
    responses((status = 200, body = Vetted, description = "What is remarked, foretold and decided."))
)]
async fn vet(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(submission): Json<Submission>,
) -> Answered<Json<Vetted>> {
    Ok(Json(control.vet(&caller, submission).await?))
}

/// How good the advice was.
///
/// Since the beginning: foretold refusals that happened and that did not, by rule, and refusals that nothing had foretold,
/// by act.
#[utoipa::path(
    get,
    path = "/v1/vet/record",
    operation_id = "vet_record",
    tag = "platform",
    responses((status = 200, body = VetRecord, description = "The counts."))
)]
async fn vet_record(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<VetRecord>> {
    Ok(Json(control.vet_record(&caller).await?))
}
