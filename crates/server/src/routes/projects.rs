//! Projects, users, and who holds which role.

use axum::extract::State;
use axum::http::StatusCode;
use gambeson_api::{
    MemberChange, MemberList, Membership, NewProject, NewUser, Project, ProjectChange, ProjectList, User, UserChange,
    UserList,
};
use gambeson_control::Control;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::body::Json;
use crate::failure::Answered;
use crate::place::{At, Name};
use crate::query::{FromQuery, NoParameters, Parameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(project_list, project_create))
        .routes(routes!(project_read, project_change))
        .routes(routes!(user_list, user_create))
        .routes(routes!(user_change))
        .routes(routes!(member_list, member_add))
        .routes(routes!(member_remove))
}

/// List projects.
#[utoipa::path(
    get,
    path = "/v1/projects",
    operation_id = "project_list",
    tag = "projects",
    responses((status = 200, body = ProjectList, description = "The projects that the caller may see."))
)]
async fn project_list(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<ProjectList>> {
    Ok(Json(control.projects(&caller).await?))
}

/// Make a project.
#[utoipa::path(
    post,
    path = "/v1/projects",
    operation_id = "project_create",
    tag = "projects",
    request_body(content = NewProject, description = "A name of 1 to 64 characters, and settings."),
    responses((status = 201, body = Project, description = "The project."))
)]
async fn project_create(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(new): Json<NewProject>,
) -> Answered<(StatusCode, Json<Project>)> {
    Ok((StatusCode::CREATED, Json(control.project_create(&caller, new).await?)))
}

/// One project.
#[utoipa::path(
    get,
    path = "/v1/projects/{name}",
    operation_id = "project_read",
    tag = "projects",
    params(("name" = String, Path, description = "Its name or id.")),
    responses((status = 200, body = Project, description = "The project."))
)]
async fn project_read(
    State(control): State<Control>,
    Key(caller): Key,
    At(Name(name)): At<Name>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Project>> {
    Ok(Json(control.project(&caller, &name).await?))
}

/// Change a project.
#[utoipa::path(
    patch,
    path = "/v1/projects/{name}",
    operation_id = "project_change",
    tag = "projects",
    params(("name" = String, Path, description = "Its name or id.")),
    request_body(content = ProjectChange, description = "What is left out stays."),
    responses((status = 200, body = Project, description = "The project as it is now."))
)]
async fn project_change(
    State(control): State<Control>,
    Key(caller): Key,
    At(Name(name)): At<Name>,
    Query(NoParameters): Query<NoParameters>,
    Json(change): Json<ProjectChange>,
) -> Answered<Json<Project>> {
    Ok(Json(control.project_change(&caller, &name, change).await?))
}

/// List users.
#[utoipa::path(
    get,
    path = "/v1/users",
    operation_id = "user_list",
    tag = "users",
    responses((status = 200, body = UserList, description = "The users that the caller may see."))
)]
async fn user_list(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<UserList>> {
    Ok(Json(control.users(&caller).await?))
}

/// Make a user.
#[utoipa::path(
    post,
    path = "/v1/users",
    operation_id = "user_create",
    tag = "users",
    request_body(content = NewUser, description = "A name of 1 to 64 characters."),
    responses((status = 201, body = User, description = "The user."))
)]
async fn user_create(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(new): Json<NewUser>,
) -> Answered<(StatusCode, Json<User>)> {
    Ok((StatusCode::CREATED, Json(control.user_create(&caller, new).await?)))
}

/// Change a user.
#[utoipa::path(
    patch,
    path = "/v1/users/{name}",
    operation_id = "user_change",
    tag = "users",
    params(("name" = String, Path, description = "Its name or id.")),
    request_body(content = UserChange, description = "What is left out stays."),
    responses((status = 200, body = User, description = "The user as it is now."))
)]
async fn user_change(
    State(control): State<Control>,
    Key(caller): Key,
    At(Name(name)): At<Name>,
    Query(NoParameters): Query<NoParameters>,
    Json(change): Json<UserChange>,
) -> Answered<Json<User>> {
    Ok(Json(control.user_change(&caller, &name, change).await?))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfProject {
    /// Only of this project, by name or id, or `platform`.
    project: Option<String>,
}

impl FromQuery for OfProject {
    fn from_query(parameters: &mut Parameters) -> Answered<OfProject> {
        Ok(OfProject { project: parameters.text("project") })
    }
}

/// Who holds which role.
#[utoipa::path(
    get,
    path = "/v1/members",
    operation_id = "member_list",
    tag = "members",
    params(OfProject),
    responses((status = 200, body = MemberList, description = "The roles that the caller may see."))
)]
async fn member_list(
    State(control): State<Control>,
    Key(caller): Key,
    Query(OfProject { project }): Query<OfProject>,
) -> Answered<Json<MemberList>> {
    Ok(Json(control.members(&caller, project.as_deref()).await?))
}

/// Give a role.
#[utoipa::path(
    post,
    path = "/v1/members",
    operation_id = "member_add",
    tag = "members",
    request_body(content = MemberChange, description = "Which role of whom, where."),
    responses((status = 201, body = Membership, description = "The role that is held now."))
)]
async fn member_add(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(change): Json<MemberChange>,
) -> Answered<(StatusCode, Json<Membership>)> {
    Ok((StatusCode::CREATED, Json(control.member_add(&caller, change).await?)))
}

/// Take a role away.
#[utoipa::path(
    post,
    path = "/v1/members/remove",
    operation_id = "member_remove",
    tag = "members",
    request_body(content = MemberChange, description = "Which role of whom, where."),
    responses((status = 200, body = MemberList, description = "The roles that are still held there."))
)]
async fn member_remove(
    State(control): State<Control>,
    Key(caller): Key,
    Query(NoParameters): Query<NoParameters>,
    Json(change): Json<MemberChange>,
) -> Answered<Json<MemberList>> {
    Ok(Json(control.member_remove(&caller, change).await?))
}
