//! The parts of a path that name something: ids, digests, names, and the path of an artifact.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use gambeson_api::{ArrayId, Code, Digest, JobId, KeyId, LeaseId, WorkerId};

use crate::failure::{Answered, Failure, quoted};

/// The longest path of an artifact, bytes (PATH_MAX).
const PATH_MOST: usize = 4096;

/// A part of a path that reads itself.
pub(crate) trait Part: Sized {
    /// From its text, percent-encoding undone.
    fn read(text: &str) -> Answered<Self>;
}

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl Part for $name {
            fn read(text: &str) -> Answered<$name> {
                $name::from_str(text).map_err(|error| Failure::new(Code::InvalidId, error.to_string()))
            }
        }
    )*};
}

ids! { JobId ArrayId KeyId WorkerId LeaseId Digest }

/// The name, or the id, of a user or a project. Whether there is one, control says.
#[derive(Debug)]
pub(crate) struct Name(pub(crate) String);

impl Part for Name {
    fn read(text: &str) -> Answered<Name> {
        let fits = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte));
        if text.is_empty() || !fits {
            return Err(Failure::new(Code::InvalidName, format!("{} is no name", quoted(text))));
        }
        Ok(Name(text.to_owned()))
    }
}

/// The path of an artifact below `/work/out`.
#[derive(Debug)]
pub(crate) struct ArtifactPath(pub(crate) String);

impl Part for ArtifactPath {
    fn read(text: &str) -> Answered<ArtifactPath> {
        let bad = |why: &str| Err(Failure::new(Code::InvalidPath, format!("{} {why}", quoted(text))));
        if text.len() > PATH_MOST {
            return bad("is longer than 4096 bytes");
        }
        if text.chars().any(char::is_control) {
            return bad("has control characters");
        }
        if text.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            return bad("has a part that is empty, '.' or '..'");
        }
        Ok(ArtifactPath(text.to_owned()))
    }
}

/// The parameters of a path, in its order.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

/// Percent-decoded parameters in the path's order; the first bad one is told of.
async fn parts_of<S: Send + Sync>(parts: &mut Parts, state: &S) -> Answered<RawPathParams> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Failure::new(Code::InvalidPath, "a part of the path is not percent-encoded UTF-8"))
}

impl<T: Part, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<At<T>, Failure> {
        let given = parts_of(parts, state).await?;
        let mut given = given.iter().map(|(_, text)| text);
        Ok(At(T::read(given.next().unwrap_or_default())?))
    }
}

impl<A: Part, B: Part, S: Send + Sync> FromRequestParts<S> for At<(A, B)> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<At<(A, B)>, Failure> {
        let given = parts_of(parts, state).await?;
        let mut given = given.iter().map(|(_, text)| text);
        let first = A::read(given.next().unwrap_or_default())?;
        Ok(At((first, B::read(given.next().unwrap_or_default())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn code_of(path: &str) -> Option<Code> {
        let router = Router::new()
            .route("/jobs/{id}", get(|_: At<JobId>| async {}))
            .route("/jobs/{id}/artifacts/{*path}", get(|_: At<(JobId, ArtifactPath)>| async {}))
            .route("/projects/{name}", get(|_: At<Name>| async {}))
            .fallback(|| async { Failure::new(Code::NoRoute, "") });
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().extensions().get::<Failure>().map(|failure| failure.0.code)
    }

    #[tokio::test]
    async fn tricks_with_paths_are_refused_in_words() {
        let id = JobId::new();
        for (path, code) in [
            (format!("/jobs/{id}"), None),
            (format!("/jobs/{id}/artifacts/a/b%20c/%C3%A9"), None),
            ("/projects/physics".into(), None),
            ("/jobs/1".into(), Some(Code::InvalidId)),
            (format!("/jobs/{}", id.to_string().to_uppercase()), Some(Code::InvalidId)),
            (format!("/jobs/{id}%2Fartifacts"), Some(Code::InvalidId)),
            (format!("/jobs/{id}%00"), Some(Code::InvalidId)),
            ("/jobs/%ff".into(), Some(Code::InvalidPath)),
            ("/jobs//artifacts/x".into(), Some(Code::InvalidId)),
            (format!("/jobs/{id}/"), Some(Code::NoRoute)),
            (format!("/jobs/{id}/artifacts/"), Some(Code::NoRoute)),
            (format!("/jobs/{id}/artifacts/../../x"), Some(Code::InvalidPath)),
            (format!("/jobs/{id}/artifacts/%2e%2e/x"), Some(Code::InvalidPath)),
            (format!("/jobs/{id}/artifacts/%2Fetc/passwd"), Some(Code::InvalidPath)),
            (format!("/jobs/{id}/artifacts/a//b"), Some(Code::InvalidPath)),
            (format!("/jobs/{id}/artifacts/a%00"), Some(Code::InvalidPath)),
            (format!("/jobs/{id}/artifacts/a%0d%0ab"), Some(Code::InvalidPath)),
            (format!("/jobs/{id}/artifacts/{}", "x".repeat(4097)), Some(Code::InvalidPath)),
            ("/projects/a%20b".into(), Some(Code::InvalidName)),
            (format!("/projects/{}", "x".repeat(65)), Some(Code::InvalidName)),
        ] {
            assert_eq!(code_of(&path).await, code, "{path}");
        }
    }
}
