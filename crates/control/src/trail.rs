//! The spans of a job, as far as the server sees it. What a worker sees of an attempt is within the attempt's.

use gambeson_api::trace::{Link, Moment, Span, SpanId};
use gambeson_api::{End, JobId, Report, Time};

use crate::store::JobRow;

/// The whole: from the moment at which its id was made, which is the request's, to its end.
pub(crate) fn whole(row: &JobRow, report: &Report, now: Time) -> Span {
    let end = &report.outcome.end;
    let failed = match end {
        End::Lost {} | End::Fault { .. } => true,
        End::Exited { .. } | End::Signalled { .. } | End::LimitHit { .. } | End::Refused {} | End::Cancelled {} => {
            false
        }
    };
    let whole = SpanId::of_job(row.id);
    let span = Span::of(row.id, "job", 0, whole, Moment::of_job(row.id), now.into())
        .with("project.id", row.project.to_string())
        .with("class", row.class.name())
        .with("attempts", row.attempt)
        .with("outcome", end.kind());
    Span { parent: None, failed, ..span }
}

/// From where it began to wait to the lease of this attempt.
pub(crate) fn queued(row: &JobRow, now: Time) -> Span {
    // One that waits again does so from the end of its last attempt; of that the delay before the next is known.
    let since = row.submitted.max(row.not_before);
    Span::of(row.id, "queued", row.attempt, SpanId::of_job(row.id), since.into(), now.into())
        .with("attempt", row.attempt)
}

/// When the parts of an accepted submission began and ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepting {
    pub begun: Moment,
    /// Before and after its source was read.
    pub read: (Moment, Moment),
    /// When it was handed to the writer.
    pub handed: Moment,
}

impl Accepting {
    /// The spans of a submission that was answered just now: it, and its parts.
    pub(crate) fn spans(self, job: JobId, link: Option<Link>) -> [Span; 3] {
        let now = Moment::now();
        // An id's time is in whole milliseconds.
        let begun = self.begun.max(Moment::of_job(job));
        let submit = Span::of(job, "submit", 0, SpanId::of_job(job), begun, now);
        let part = |name, from: Moment, to| Span::of(job, name, 0, submit.id, from.max(begun), to);
        let (vet, commit) = (part("vet", self.read.0, self.read.1), part("commit", self.handed, now));
        [Span { link, ..submit }, vet, commit]
    }
}
