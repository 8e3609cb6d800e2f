//! Asking the server about one lease, again and again until it answers or the lease is gone.

use std::sync::Arc;
use std::time::Duration;

use gambeson_api::Code;
use gambeson_api::client::ClientError;
use gambeson_api::client::worker::LeaseClient;
use tracing::error;

use crate::boot_time::BootTime;
use crate::holding::{Gone, Holding, Verdict};
use crate::outage::{Outage, chance, pause};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The lease is gone: nothing more may be said.
    Gone(Gone),
    /// The server does not want this, and will not later.
    Refused(ClientError),
}

/// What an error means for a request about a lease.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    TryAgain,
    LeaseLost,
    Refused,
}

fn meaning(error: &ClientError) -> Meaning {
    match error.code() {
        // The token is worth nothing when the lease is.
        Some(Code::LeaseLost | Code::Unauthenticated) => Meaning::LeaseLost,
        // Says 429, but time alone does not mend it.
        Some(Code::QuotaExceeded) => Meaning::Refused,
        _ if error.is_passing() => Meaning::TryAgain,
        _ => Meaning::Refused,
    }
}

/// One lease, and the way to ask about it.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) client: LeaseClient,
    pub(crate) holding: Arc<Holding>,
    pub(crate) outage: Arc<Outage>,
}

impl Asking {
    /// Asks until there is an answer. The lease's deadline is looked at before each try.
    pub(crate) async fn insist<T, F>(&self, mut ask: impl FnMut(LeaseClient) -> F) -> Result<T, NoAnswer>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        const MOST: Duration = Duration::from_secs(2);
        let mut failed = 0;
        loop {
            if let Verdict::Gone(gone) = self.holding.verdict(BootTime::now()) {
                return Err(NoAnswer::Gone(gone));
            }
            let answer = tokio::select! {
                gone = self.holding.gone() => return Err(NoAnswer::Gone(gone)),
                answer = ask(self.client.clone()) => answer,
            };
            let error = match answer {
                Ok(answer) => {
                    self.outage.over();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match meaning(&error) {
                Meaning::LeaseLost => {
                    self.holding.raise(Verdict::Gone(Gone::Lost));
                }
                Meaning::Refused => return Err(NoAnswer::Refused(error)),
                Meaning::TryAgain => {
                    self.outage.failed(&error);
                    tokio::select! {
                        gone = self.holding.gone() => return Err(NoAnswer::Gone(gone)),
                        () = tokio::time::sleep(pause(failed, MOST, chance())) => {}
                    }
                    failed += 1;
                }
            }
        }
    }

    /// The same, where a refusal leaves nothing to do but to let the lease go.
    pub(crate) async fn insist_or_lose<T, F>(&self, ask: impl FnMut(LeaseClient) -> F) -> Result<T, Gone>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        match self.insist(ask).await {
            Ok(answer) => Ok(answer),
            Err(NoAnswer::Gone(gone)) => Err(gone),
            Err(NoAnswer::Refused(refused)) => {
                error!(lease.id = %self.holding.lease, error = %refused, "the server refuses a report; letting the lease go");
                self.holding.raise(Verdict::Gone(Gone::Lost));
                Err(Gone::Lost)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_api::Problem;

    #[test]
    fn every_code_says_whether_the_lease_is_lost_or_time_may_mend_it() {
        for code in Code::ALL {
            let meant = meaning(&ClientError::Problem(Box::new(Problem::new(*code, "x"))));
            let expected = match code {
                Code::LeaseLost | Code::Unauthenticated => Meaning::LeaseLost,
                Code::RateLimited
                | Code::TooManyOpen
                | Code::TimedOut
                | Code::Internal
                | Code::StoreFull
                | Code::Unavailable => Meaning::TryAgain,
                _ => Meaning::Refused,
            };
            assert_eq!(meant, expected, "{code}");
        }
    }
}
