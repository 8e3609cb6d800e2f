//! Jobs and arrays of jobs.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use gambeson_api::{
    Accepted, Array, ArrayId, ArtifactList, Code, Job, JobId, JobList, JobSource, JobState, Submission,
};
use gambeson_control::{Control, JobFilter};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::bearer::Key;
use crate::blob;
use crate::body::Json;
use crate::failure::{Answered, Failure};
use crate::follow;
use crate::place::{ArtifactPath, At};
use crate::query::{FromQuery, NoParameters, Parameters, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(job_submit, job_list))
        .routes(routes!(job_read))
        .routes(routes!(job_source))
        .routes(routes!(job_cancel))
        .routes(routes!(job_approve))
        .routes(routes!(job_events))
        .routes(routes!(artifact_list))
        .routes(routes!(artifact_read))
        .routes(routes!(array_read))
        .routes(routes!(array_cancel))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wait {
    /// How long to wait for the job's end before answering: `500ms`, `30s`; at most `60s`.
    #[param(value_type = Option<String>)]
    wait: Duration,
}

impl FromQuery for Wait {
    fn from_query(parameters: &mut Parameters) -> Answered<Wait> {
        Ok(Wait { wait: parameters.wait()? })
    }
}

/// Submit a job, or an array of jobs.
///
/// The answer comes after it was stored: an accepted job is not lost. With `wait`, the answer is 200 with the whole job if
/// it ends in time, else 202; an array is not waited for. Without an idempotency key, a request that is repeated because
/// its answer was lost makes a second job. Why and how long the job waits (`waiting`) is in the answer only while at most 100
/// jobs are queued; `GET /v1/jobs/{id}` says it always.
#[utoipa::path(
    post,
    path = "/v1/jobs",
    operation_id = "job_submit",
    tag = "jobs",
    params(
        Wait,
        ("Idempotency-Key" = Option<String>, Header, description = "The same as the body's `idempotency_key`."),
    ),
    request_body(content = Submission, description = "Files inline, within the server's limit for bodies (16 MiB as it \
        comes); larger ones are uploaded as blobs first and named by digest."),
    responses(
        (status = 200, body = Job, description = "It ended within `wait`."),
        (status = 202, body = Accepted, description = "It was accepted."),
    )
)]
async fn job_submit(
    State(control): State<Control>,
    Key(caller): Key,
    Query(Wait { wait }): Query<Wait>,
    headers: HeaderMap,
    Json(mut submission): Json<Submission>,
) -> Answered {
    submission.idempotency_key = idempotency_key(&headers, submission.idempotency_key)?;
    let accepted = control.submit(&caller, submission, wait).await?;
    let status = match &accepted {
        Accepted::Job(job) if job.state == JobState::Ended && !wait.is_zero() => StatusCode::OK,
        Accepted::Job(_) | Accepted::Array(_) => StatusCode::ACCEPTED,
    };
    Ok((status, Json(accepted)).into_response())
}

/// The one key of header and body.
fn idempotency_key(headers: &HeaderMap, body: Option<String>) -> Answered<Option<String>> {
    let refused = |detail: &str| Err(Failure::new(Code::InvalidSubmission, detail));
    let mut given = headers.get_all("idempotency-key").iter();
    let (header, None) = (given.next(), given.next()) else {
        return refused("there are several Idempotency-Key headers");
    };
    let Some(header) = header else { return Ok(body) };
    let Ok(header) = header.to_str() else {
        return refused("the Idempotency-Key header is not plain ASCII");
    };
    match body {
        Some(body) if body != header => refused("the Idempotency-Key header and idempotency_key differ"),
        _ => Ok(Some(header.to_owned())),
    }
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "the description of what is read into a JobFilter")]
struct Filter {
    /// Only jobs in this state.
    state: Option<JobState>,
    /// Only jobs of this project, by name or id.
    project: Option<String>,
    /// Only jobs of this user, by name or id.
    user: Option<String>,
    /// Only jobs with this label: `name=value`, or a name alone.
    label: Option<String>,
    /// Only elements of this array.
    array: Option<gambeson_api::ArrayId>,
    /// Jobs on a page; 100 when left out.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

struct Jobs(JobFilter);

impl FromQuery for Jobs {
    fn from_query(parameters: &mut Parameters) -> Answered<Jobs> {
        let states = [JobState::Queued, JobState::Starting, JobState::Running, JobState::Ended];
        Ok(Jobs(JobFilter {
            state: parameters.word("state", &states.map(|state| (state.name(), state)))?,
            project: parameters.text("project"),
            user: parameters.text("user"),
            label: parameters.text("label"),
            array: parameters.parsed("array", "the id of an array, such as arr_0192f0c1d2e37abc8def0123456789ab")?,
            limit: parameters.number("limit", 1, 1000)?.map(|limit| limit as u32),
            cursor: parameters.text("cursor"),
        }))
    }
}

/// List jobs, newest first.
#[utoipa::path(
    get,
    path = "/v1/jobs",
    operation_id = "job_list",
    tag = "jobs",
    params(Filter),
    responses((status = 200, body = JobList, description = "A page of the jobs that the caller may see."))
)]
async fn job_list(
    State(control): State<Control>,
    Key(caller): Key,
    Query(Jobs(filter)): Query<Jobs>,
) -> Answered<Json<JobList>> {
    Ok(Json(control.jobs(&caller, filter).await?))
}

/// One job.
///
/// With `wait`, the answer comes when the job ended, or when the time is over. While it waits for a worker, `waiting` says
/// its position, when it is expected to start, and why it waits.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}",
    operation_id = "job_read",
    tag = "jobs",
    params(("id" = JobId, Path, description = "The job."), Wait),
    responses((status = 200, body = Job, description = "The job as it is."))
)]
async fn job_read(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<JobId>,
    Query(Wait { wait }): Query<Wait>,
) -> Answered<Json<Job>> {
    Ok(Json(control.job(&caller, id, wait).await?))
}

/// What a job was submitted with.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/source",
    operation_id = "job_source",
    tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    responses((status = 200, body = JobSource, description = "Its files, arguments, environment and input."))
)]
async fn job_source(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<JobId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<JobSource>> {
    Ok(Json(control.job_source(&caller, id).await?))
}

/// Ask for the end of a job.
///
/// Possible in every state; a job that ended stays as it is. The request has no body.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/cancel",
    operation_id = "job_cancel",
    tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    responses((status = 200, body = Job, description = "The job; one that runs ends a little later."))
)]
async fn job_cancel(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<JobId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Job>> {
    Ok(Json(control.job_cancel(&caller, id).await?))
}

/// Let a job run that is held for approval.
///
/// Of an array all elements, since they were one submission. A job that is not held stays as it is. The request has no body.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/approve",
    operation_id = "job_approve",
    tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    responses((status = 200, body = Job, description = "The job, which waits for a worker now."))
)]
async fn job_approve(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<JobId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Job>> {
    Ok(Json(control.job_approve(&caller, id).await?))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct Follow {
    /// The last event that is not wanted any more; `Last-Event-ID` goes before it.
    after: Option<u64>,
    /// `false`: end after the events that are there.
    #[param(value_type = Option<bool>)]
    follow: bool,
}

impl FromQuery for Follow {
    fn from_query(parameters: &mut Parameters) -> Answered<Follow> {
        Ok(Follow {
            after: parameters.number("after", 0, u64::MAX)?,
            follow: parameters.word("follow", &[("true", true), ("false", false)])?.unwrap_or(true),
        })
    }
}

/// Follow a job.
///
/// Server-sent events: `id` is the event's `seq`, `event` its `type`, `data` the event as JSON in one line (schema
/// `Event`). The answer ends after `ended`; a comment every 15 seconds keeps it open in between. Who connects again
/// with `Last-Event-ID` misses none and gets none twice, also after a restart of the server. Should the server fail in the
/// middle, the last event is `problem`, without an id.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/events",
    operation_id = "job_events",
    tag = "jobs",
    params(
        ("id" = JobId, Path, description = "The job."),
        Follow,
        ("Last-Event-ID" = Option<u64>, Header, description = "The `id` of the last event that came."),
    ),
    responses((status = 200, body = String, content_type = "text/event-stream", description = "The events."))
)]
async fn job_events(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<JobId>,
    Query(Follow { after, follow }): Query<Follow>,
    headers: HeaderMap,
) -> Answered {
    let after = follow::after(&headers, after)?;
    Ok(follow::answer(control.job_events(&caller, id, after, follow).await?))
}

/// What a job left.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/artifacts",
    operation_id = "artifact_list",
    tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    responses((status = 200, body = ArtifactList, description = "The files below `/work/out` that were kept, and those \
        that were not."))
)]
async fn artifact_list(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<JobId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<ArtifactList>> {
    Ok(Json(control.artifacts(&caller, id).await?))
}

/// One file that a job left.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}/artifacts/{*path}",
    operation_id = "artifact_read",
    tag = "jobs",
    params(
        ("id" = JobId, Path, description = "The job."),
        ("path" = String, Path, description = "The file's path below `/work/out`, slashes included."),
    ),
    responses((status = 200, body = [u8], content_type = "application/octet-stream", description = "The file."))
)]
async fn artifact_read(
    State(control): State<Control>,
    Key(caller): Key,
    At(place): At<(JobId, ArtifactPath)>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered {
    let (id, ArtifactPath(path)) = place;
    Ok(blob::send(control.artifact(&caller, id, &path).await?, Some(&path)))
}

/// How the jobs of an array are doing.
#[utoipa::path(
    get,
    path = "/v1/arrays/{id}",
    operation_id = "array_read",
    tag = "jobs",
    params(("id" = ArrayId, Path, description = "The array.")),
    responses((status = 200, body = Array, description = "How many are in each state, and ended in each way."))
)]
async fn array_read(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<ArrayId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Array>> {
    Ok(Json(control.array(&caller, id).await?))
}

/// Ask for the end of all jobs of an array.
///
/// The request has no body.
#[utoipa::path(
    post,
    path = "/v1/arrays/{id}/cancel",
    operation_id = "array_cancel",
    tag = "jobs",
    params(("id" = ArrayId, Path, description = "The array.")),
    responses((status = 200, body = Array, description = "The array; jobs that run end a little later."))
)]
async fn array_cancel(
    State(control): State<Control>,
    Key(caller): Key,
    At(id): At<ArrayId>,
    Query(NoParameters): Query<NoParameters>,
) -> Answered<Json<Array>> {
    Ok(Json(control.array_cancel(&caller, id).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn header_and_body_name_one_idempotency_key() {
        let headers = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("idempotency-key", HeaderValue::from_bytes(value).unwrap());
            }
            headers
        };
        let key = |values: &[&[u8]], body: Option<&str>| {
            idempotency_key(&headers(values), body.map(Into::into)).map_err(|failure| failure.0.code)
        };
        assert_eq!(key(&[], None), Ok(None));
        assert_eq!(key(&[], Some("a")), Ok(Some("a".into())));
        assert_eq!(key(&[b"a"], None), Ok(Some("a".into())));
        assert_eq!(key(&[b"a"], Some("a")), Ok(Some("a".into())));
        assert_eq!(key(&[b"a"], Some("b")), Err(Code::InvalidSubmission));
        assert_eq!(key(&[b"a", b"a"], None), Err(Code::InvalidSubmission));
        assert_eq!(key(&[b"\xff"], None), Err(Code::InvalidSubmission));
    }
}
