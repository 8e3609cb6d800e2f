//! The spans of an attempt, as its worker sees it: within the lease's, which the server tells.

use gambeson_api::JobId;
use gambeson_api::trace::{Fact, Moment, Span, SpanId, Tracer};
use gambeson_api::work::Lease;

/// Tells what is done in one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Trail {
    tracer: Tracer,
    job: JobId,
    attempt: u32,
}

impl Trail {
    pub(crate) fn of(tracer: &Tracer, lease: &Lease) -> Trail {
        Trail { tracer: tracer.clone(), job: lease.job, attempt: lease.attempt }
    }

    /// Tells of something that began at `from` and ended now.
    pub(crate) fn tell<const N: usize>(&self, name: &'static str, from: Moment, facts: [(&'static str, Fact); N]) {
        let Trail { tracer, job, attempt } = self;
        tracer.tell(*job, || {
            let lease = SpanId::of(*job, "lease", *attempt);
            let span = Span::of(*job, name, *attempt, lease, from, Moment::now());
            facts.into_iter().fold(span, |span, (name, fact)| span.with(name, fact))
        });
    }
}
