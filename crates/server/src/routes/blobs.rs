//! Blobs: files that are uploaded once and named by their digest.

use axum::extract::State;
use gambeson_api::{Blob, BlobQuery, BlobsMissing, Digest};
use gambeson_control::Control;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::blob;
use crate::body::{BlobBody, Json};
use crate::failure::Answered;
use crate::place::At;
use crate::query::{FromQuery, NoParameters, Parameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(blob_missing)).routes(routes!(blob_write, blob_read))
}

/// Which blobs are not there.
#[utoipa::path(
    post,
    path = "/v1/blobs/missing",
    operation_id = "blob_missing",
    tag = "blobs",
    request_body(content = BlobQuery, description = "At most 10,000 digests."),
    responses((status = 200, body = BlobsMissing, description = "Those that must be uploaded before they are named."))
)]
async fn blob_missing(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(query): Json<BlobQuery>,
) -> Answered<Json<BlobsMissing>> {
    Ok(Json(control.blobs_missing(&caller, query).await?))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Payer {
    /// The project that pays, by name or id; as for a submission when left out.
    project: Option<String>,
}

impl FromQuery for Payer {
    fn from_query(parameters: &mut Parameters) -> Answered<Payer> {
        Ok(Payer { project: parameters.text("project") })
    }
}

/// Upload a blob.
#[utoipa::path(
    put,
    path = "/v1/blobs/{digest}",
    operation_id = "blob_write",
    tag = "blobs",
    params(("digest" = Digest, Path, description = "The SHA-256 of the bytes."), Payer),
    request_body(content = [u8], content_type = "application/octet-stream", description = "The bytes, without a content \
        encoding, within the server's limit for blobs (1 GiB as it comes)."),
    responses((status = 200, body = Blob, description = "It is stored."))
)]
async fn blob_write(
    State(control): State<Control>,
    Key(caller): Key,
    At(digest): At<Digest>,
    Query(Payer { project }): Query<Payer>,
    BlobBody(body): BlobBody,
) -> Answered<Json<Blob>> {
    let writer = control.blob_write(&caller, project.as_deref(), digest, body.expected()).await?;
    Ok(Json(blob::receive(body, writer).await?))
}

/// Download a blob.
#[utoipa::path(
    get,
    path = "/v1/blobs/{digest}",
    operation_id = "blob_read",
    tag = "blobs",
    params(("digest" = Digest, Path, description = "The SHA-256 of the bytes.")),
    responses((status = 200, body = [u8], content_type = "application/octet-stream", description = "The bytes."))
)]
async fn blob_read(
    State(control): State<Control>,
    Key(caller): Key,
    At(digest): At<Digest>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered {
    Ok(blob::send(control.blob_read(&caller, digest).await?, None))
}
