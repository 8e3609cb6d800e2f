//! Why a command ends without what was asked for: a sentence, what to do about it, and our exit code.

use gambeson_api::client::{ClientError, FollowError};

use super::visible;
use crate::exit_code::ExitCode;
use crate::terminal::{advise, complain};

/// A failure as a person sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    message: String,
    remedy: Option<String>,
    pub code: ExitCode,
}

impl Failure {
    /// The command line or an input makes no sense.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), remedy: None, code: ExitCode::Usage }
    }

    /// Something of this machine failed.
    pub fn fault(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), remedy: None, code: ExitCode::Fault }
    }

    /// What the server sent is refused.
    pub fn refused(message: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure { message: message.into(), remedy: Some(remedy.into()), code: ExitCode::Refused }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Failure {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says it, and what to do about it.
    pub fn say(&self) {
        complain(&visible::line(&self.message));
        if let Some(remedy) = &self.remedy {
            advise(&visible::line(remedy));
        }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::usage(message)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        match &error {
            ClientError::Problem(problem) => {
                let code = match problem.status {
                    401 | 403 | 404 | 429 => ExitCode::Refused,
                    // The server gave up waiting for our bytes: nobody's mistake, and it may pass.
                    408 => ExitCode::Fault,
                    400..500 => ExitCode::Usage,
                    _ => ExitCode::Fault,
                };
                let mut remedy = problem.remedy.clone();
                if let Some(seconds) = problem.retry_after_s {
                    remedy.push_str(&format!(" (Retry after {seconds} s.)"));
                }
                if let (Some(id), 500..) = (&problem.request_id, problem.status) {
                    remedy.push_str(&format!(" (Request {id}.)"));
                }
                Failure { message: problem.to_string(), remedy: Some(remedy), code }
            }
            ClientError::Unreachable { .. } => Failure {
                message: format!("{error}: {}", deepest(&error)),
                remedy: Some("Start it with gambeson up, or name another with --server or GAMBESON_SERVER.".into()),
                code: ExitCode::Fault,
            },
            ClientError::Nonsense { .. } => Failure {
                message: error.to_string(),
                remedy: Some("Check that --server or GAMBESON_SERVER names a Gambeson.".into()),
                code: ExitCode::Fault,
            },
            ClientError::Setup(_) => Failure::usage(error.to_string()),
        }
    }
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Failure {
        match error {
            FollowError::Client(error) => error.into(),
            FollowError::Broken(_) | FollowError::Gap { .. } | FollowError::Unreadable { .. } => {
                Failure::fault(error.to_string())
                    .remedy("The job goes on; gambeson job and gambeson logs say how it is doing.")
            }
        }
    }
}

/// The last cause in the chain: what the system said, without the layers between.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_api::{Code, Problem};

    #[test]
    fn every_code_of_the_table_has_an_exit_code() {
        for code in Code::ALL {
            let failure = Failure::from(ClientError::Problem(Box::new(Problem::new(*code, "x"))));
            let expected = match code.status() {
                401 | 403 | 404 | 429 => 122,
                408 | 500.. => 125,
                _ => 120,
            };
            assert_eq!(failure.code.number(), expected, "{code}");
            assert_eq!(failure.remedy.as_deref(), Some(code.remedy()));
        }
    }
}
