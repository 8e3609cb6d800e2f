//! Keys, who one is, what one may, and what was asked.

use axum::extract::State;
use axum::http::StatusCode;
use gambeson_api::{
    AuditList, AuditVerdict, CreatedKey, ExplainRequest, Explained, Key as ApiKey, KeyId, KeyList, NewKey, Time, WhoAmI,
};
use gambeson_control::{AuditFilter, Control};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::body::Json;
use crate::failure::Answered;
use crate::place::At;
use crate::query::{FromQuery, NoParameters, Parameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(key_list, key_create))
        .routes(routes!(key_revoke))
        .routes(routes!(whoami))
        .routes(routes!(access_explain))
        .routes(routes!(audit_list))
        .routes(routes!(audit_verify))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfUser {
    /// Whose, by name or id; the caller's own when left out.
    user: Option<String>,
}

impl FromQuery for OfUser {
    fn from_query(parameters: &mut Parameters) -> Answered<OfUser> {
        Ok(OfUser { user: parameters.text("user") })
    }
}

/// List keys, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "key_list",
    tag = "keys",
    params(OfUser),
    responses((status = 200, body = KeyList, description = "The keys, newest first."))
)]
async fn key_list(
    State(control): State<Control>,
    Key(caller): Key,
    Query(OfUser { user }): Query<OfUser>,
) -> Answered<Json<KeyList>> {
    Ok(Json(control.keys(&caller, user.as_deref()).await?))
}

/// Make a key.
#[utoipa::path(
    post,
    path = "/v1/keys",
    operation_id = "key_create",
    tag = "keys",
    request_body(content = NewKey, description = "What it is for, and how long."),
    responses((status = 201, body = CreatedKey, description = "The key with its secret, which is shown this once."))
)]
async fn key_create(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(new): Json<NewKey>,
) -> Answered<(StatusCode, Json<CreatedKey>)> {
    Ok((StatusCode::CREATED, Json(control.key_create(&caller, new).await?)))
}

/// Revoke a key.
///
/// The request has no body.
#[utoipa::path(
    post,
    path = "/v1/keys/{id}/revoke",
    operation_id = "key_revoke",
    tag = "keys",
    params(("id" = KeyId, Path, description = "The key.")),
    responses((status = 200, body = ApiKey, description = "The key, which works no more."))
)]
async fn key_revoke(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<KeyId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<ApiKey>> {
    Ok(Json(control.key_revoke(&caller, id).await?))
}

/// Who the caller is.
#[utoipa::path(
    get,
    path = "/v1/whoami",
    operation_id = "whoami",
    tag = "keys",
    responses((status = 200, body = WhoAmI, description = "The user, the key and the roles."))
)]
async fn whoami(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<WhoAmI>> {
    Ok(Json(control.whoami(&caller).await?))
}

/// Whether something would be allowed, and why.
#[utoipa::path(
    post,
    path = "/v1/access/explain",
    operation_id = "access_explain",
    tag = "access",
    request_body(content = ExplainRequest, description = "Who, what and where."),
    responses((status = 200, body = Explained, description = "The answer, with the policies that decided it."))
)]
async fn access_explain(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(question): Json<ExplainRequest>,
) -> Answered<Json<Explained>> {
    Ok(Json(control.access_explain(&caller, question).await?))
}

/// Rows of the audit log on a page, where nothing else is asked for.
const ROWS: u64 = 100;
/// The most rows on a page.
const ROWS_MOST: u64 = 1000;

/// Which rows come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
enum Order {
    Oldest,
    Newest,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Rows {
    /// Only rows of this project, by name or id.
    project: Option<String>,
    /// Only rows of this actor: a user's name, `worker`, `system` or `nobody`.
    actor: Option<String>,
    /// Only rows of this action, such as `key.create`; `key` means all that begin with `key.`.
    action: Option<String>,
    /// Only rows about this, such as an id.
    resource: Option<String>,
    /// Only what was allowed (`true`), or only what was refused (`false`).
    allowed: Option<bool>,
    /// Only rows that are not older than this.
    from: Option<Time>,
    /// Only rows that are older than this.
    until: Option<Time>,
    /// Whether the oldest or the newest come first; the oldest when left out.
    #[param(inline)]
    order: Option<Order>,
    /// `next` of the page before, in the same order.
    after: Option<u64>,
    /// Rows on a page; 100 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: u32,
}

impl FromQuery for Rows {
    fn from_query(parameters: &mut Parameters) -> Answered<Rows> {
        let time = "a time like 2026-11-25T08:30:00Z";
        Ok(Rows {
            project: parameters.text("project"),
            actor: parameters.text("actor"),
            action: parameters.text("action"),
            resource: parameters.text("resource"),
            allowed: parameters.word("allowed", &[("true", true), ("false", false)])?,
            from: parameters.parsed("from", time)?,
            until: parameters.parsed("until", time)?,
            order: parameters.word("order", &[("oldest", Order::Oldest), ("newest", Order::Newest)])?,
            after: parameters.number("after", 0, u64::MAX)?,
            limit: parameters.number("limit", 1, ROWS_MOST)?.unwrap_or(ROWS) as u32,
        })
    }
}

/// Read the audit log.
///
/// A page of a search may have fewer rows than were asked for, or none, and still a `next`: so much of a long log is looked at at once.
#[utoipa::path(
    get,
    path = "/v1/audit",
    operation_id = "audit_list",
    tag = "audit",
    params(Rows),
    responses((status = 200, body = AuditList, description = "A page of the rows that the caller may see."))
)]
async fn audit_list(
    State(control): State<Control>,
    Key(caller): Key,
    Query(rows): Query<Rows>,
) -> Answered<Json<AuditList>> {
    let Rows { project, actor, action, resource, allowed, from, until, order, after, limit } = rows;
    let newest_first = order == Some(Order::Newest);
    let filter = AuditFilter { project, actor, action, resource, allowed, from, until, after, newest_first, limit };
    Ok(Json(control.audit_search(&caller, filter).await?))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Head {
    /// A `head` that was noted elsewhere, and must be in the chain.
    head: Option<String>,
}

impl FromQuery for Head {
    fn from_query(parameters: &mut Parameters) -> Answered<Head> {
        Ok(Head { head: parameters.text("head") })
    }
}

/// Whether the audit log is whole.
#[utoipa::path(
    get,
    path = "/v1/audit/verify",
    operation_id = "audit_verify",
    tag = "audit",
    params(Head),
    responses((status = 200, body = AuditVerdict, description = "Whether it is, and if not, what is wrong first."))
)]
async fn audit_verify(
    State(control): State<Control>,
    Key(caller): Key,
    Query(Head { head }): Query<Head>,
) -> Answered<Json<AuditVerdict>> {
    Ok(Json(control.audit_verify(&caller, head.as_deref()).await?))
}
