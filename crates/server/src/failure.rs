//! A problem on its way out. [`crate::envelope`] gives it the request's id and writes it.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gambeson_api::{Code, Problem};

/// What a handler answers instead of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) Box<Problem>);

/// What a handler answers.
pub(crate) type Answered<T = Response> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Failure {
        Failure(Box::new(Problem::new(code, detail)))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure(Box::new(problem))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // The body is written by the envelope, which alone knows the request's id.
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self);
        response
    }
}

/// `text` for a sentence: quoted, without control characters, and no longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
