//! Errors of the HTTP interface: problems in the sense of RFC 9457, from one table of codes.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($variant:ident $status:literal $text:literal $title:literal $remedy:literal)*) => {
        /// What went wrong, as a stable word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)* }

        impl Code {
            /// All of them, in the order of docs/errors.md.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The word on the wire, which is also the anchor in docs/errors.md.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }

            /// A few words.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Code::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    InvalidJson 400 "invalid_json" "The body is no JSON of the wanted form" "Correct the place that the detail names; GET /openapi.json has the form."
    InvalidQuery 400 "invalid_query" "The query makes no sense" "Correct the parameter that the detail names."
    InvalidId 400 "invalid_id" "That is no id" "Use an id as it was given out, such as job_0192f0c1d2e37abc8def0123456789ab."
    InvalidSubmission 400 "invalid_submission" "The submission makes no sense" "Correct what the detail names."
    InvalidLimits 400 "invalid_limits" "The limits make no sense" "Write limits such as memory=256M and wall=10s, within the range that the detail names."
    InvalidName 400 "invalid_name" "That name cannot be used" "Use 1 to 64 letters, digits, dots, dashes and underscores."
    InvalidPath 400 "invalid_path" "That path cannot be used" "Use relative paths without '..', empty parts or control characters."
    InvalidValue 400 "invalid_value" "A value makes no sense" "Correct what the detail names."
    WebhookOff 400 "webhook_off" "Webhooks are not offered" "Leave webhook out; follow GET /v1/jobs/{id}/events."
    DigestMismatch 400 "digest_mismatch" "The content has another digest" "Compute the SHA-256 of exactly the bytes that are sent."
    Unauthenticated 401 "unauthenticated" "No valid key came with the request" "Send a key that is neither expired nor revoked, as Authorization: Bearer gmb_..."
    Forbidden 403 "forbidden" "No policy allows this to you" "Ask an owner of the project for a role or a key that may; gambeson access explain says which."
    CsrfFailed 403 "csrf_failed" "The request does not show that a page of the console sent it" "Load the console again; a program sends its key as Authorization: Bearer gmb_... instead of the cookie."
    LimitsAboveCeiling 403 "limits_above_ceiling" "More than the project allows" "Ask for less, or have the project's ceiling raised."
    NotFound 404 "not_found" "There is no such thing, or it is not yours to see" "Check the id and the key."
    NoRoute 404 "no_route" "There is no such address" "GET /openapi.json lists them."
    MethodNotAllowed 405 "method_not_allowed" "That method does nothing here" "GET /openapi.json lists the methods."
    NameTaken 409 "name_taken" "The name is taken" "Choose another."
    Conflict 409 "conflict" "Its state does not allow that now" "Read it again, then decide."
    IdempotencyMismatch 409 "idempotency_mismatch" "The idempotency key was used for another submission" "Use a new key for a new submission."
    BlobsMissing 409 "blobs_missing" "Files are named that were not uploaded" "PUT /v1/blobs/{digest} those that the detail names, then submit again."
    LeaseLost 409 "lease_lost" "The lease is no longer yours" "Kill the cell, report nothing more of this attempt."
    Gone 410 "gone" "It was kept, and its time is over" "Nothing; retention is the installation's choice."
    TooLarge 413 "too_large" "That is too much at once" "Send less; large files go to PUT /v1/blobs/{digest}."
    UnsupportedMedia 415 "unsupported_media" "That kind of body is not read" "Send application/json without a content encoding."
    QuotaExceeded 429 "quota_exceeded" "A quota is used up" "Wait as Retry-After says, cancel something, or have the quota raised."
    RateLimited 429 "rate_limited" "Too many requests by this key" "Wait as Retry-After says."
    TooManyOpen 429 "too_many_open" "Too many answers to this key are still open" "Let some waits, followed jobs or downloads end, or use another key."
    TimedOut 408 "timed_out" "The request did not come in time" "Send it again, faster."
    Internal 500 "internal" "Something of ours failed" "Try again; if it stays, tell the operator the request id."
    StoreFull 507 "store_full" "The server's disk is full" "Nothing was lost. Have the operator make room, then send it again."
    Unavailable 503 "unavailable" "The server does not take this now" "Try again as Retry-After says."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let known = Code::ALL.iter().find(|code| code.as_str() == text);
        // A newer server may say a code that we do not know yet; what it means for us is in its status.
        Ok(known.copied().unwrap_or(Code::Internal))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Code {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(Code::ALL.iter().map(|code| code.as_str())))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Code {}

/// An error as it is sent: `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A link to what is written about this code.
    #[serde(rename = "type")]
    pub link: String,
    /// A few words, the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What exactly is wrong this time.
    pub detail: String,
    /// The stable word.
    pub code: Code,
    /// What to do about it.
    pub remedy: String,
    /// After how many seconds to try again, where that may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// The request's id, as in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem {
            link: format!("https://github.com/gambeson/gambeson/blob/main/docs/errors.md#{code}"),
            title: code.title().into(),
            status: code.status(),
            detail: detail.into(),
            code,
            remedy: code.remedy().into(),
            retry_after_s: None,
            request_id: None,
        }
    }

    /// The same, to be tried again after some seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Problem {
        self.retry_after_s = Some(seconds.max(1));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented_under_its_own_anchor() {
        let text = std::fs::read_to_string("../../docs/errors.md").unwrap();
        for code in Code::ALL {
            let row =
                format!("| <a id=\"{code}\"></a>`{code}` | {} | {} | {} |", code.status(), code.title(), code.remedy());
            assert!(text.contains(&row), "docs/errors.md lacks the line\n{row}");
        }
    }
}
