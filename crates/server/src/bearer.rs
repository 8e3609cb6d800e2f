//! Who asks: the bearer token of a request, or the session of a browser, looked at before anything else of it.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use gambeson_api::Code;
use gambeson_api::trace::Link;
use gambeson_control::{Caller, Control, WorkerCaller};

use crate::cookie::{self, Cookies};
use crate::failure::Failure;

/// A user's key, or the session that stands for it. A request with an Authorization header is a program's, and its cookies
/// say nothing.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) Caller);

/// A worker's credential.
#[derive(Debug)]
pub(crate) struct WorkerKey(pub(crate) WorkerCaller);

/// A token that control looks at together with what it is for: of a lease, or to join by. That there is one is checked
/// here, so that nobody without any has a body read.
#[derive(Debug)]
pub(crate) struct Token(pub(crate) String);

/// What follows `Bearer` in the one Authorization header. Several headers are as good as none: proxies and we might
/// choose differently.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return None };
    let (scheme, token) = HeaderValue::to_str(only).ok()?.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl<S: Send + Sync> FromRequestParts<S> for Key
where
    Control: FromRef<S>,
    Cookies: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Key, Failure> {
        let control = Control::from_ref(state);
        let shown = Cookies::from_ref(state).shown(&parts.headers);
        let caller = match shown.filter(|_| !parts.headers.contains_key(AUTHORIZATION)) {
            Some(shown) => {
                cookie::of_ours(parts)?;
                control.authenticate_by_session(&shown.token, cookie::proof(parts))?
            }
            None => control.authenticate(bearer(&parts.headers))?,
        };
        let link = parts.headers.get("traceparent").and_then(|header| Link::read(header.to_str().ok()?));
        Ok(Key(caller.led_by(link)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WorkerKey
where
    Control: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<WorkerKey, Failure> {
        Ok(WorkerKey(Control::from_ref(state).authenticate_worker(bearer(&parts.headers))?))
    }
}

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Token, Failure> {
        let missing = || Failure::new(Code::Unauthenticated, "the request has no bearer token");
        bearer(&parts.headers).map(|token| Token(token.to_owned())).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_plain_bearer_token_counts() {
        let of = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of(&[b"Bearer gmb_1_2"]).as_deref(), Some("gmb_1_2"));
        assert_eq!(of(&[b"bearer  gmb_1_2 "]).as_deref(), Some("gmb_1_2"));
        for bad in [&b"gmb_1_2"[..], b"Bearer", b"Bearer ", b"Basic gmb_1_2", b"Bearer \xff"] {
            assert_eq!(of(&[bad]), None, "{bad:?}");
        }
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[b"Bearer a", b"Bearer a"]), None);
    }
}
