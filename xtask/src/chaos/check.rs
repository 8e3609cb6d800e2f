//! What must be true of every job, whatever happened: decided on its history alone, so that it can be tested with
//! histories that are wrong.

use std::collections::{BTreeMap, BTreeSet};

use gambeson_api::{End, Event, EventBody, Job, JobId, JobState, OutputStream};

use super::work::Wanted;

/// Everything that the server says of one job, beside what we know of it.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) job: Job,
    pub(crate) events: Vec<Event>,
    pub(crate) wanted: Wanted,
}

/// The kinds of promises, in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    OneEnd,
    NoGaps,
    Fenced,
    RanOnce,
    Output,
    Outcome,
}

impl Promise {
    pub(crate) const ALL: [(Promise, &str); 6] = [
        (Promise::OneEnd, "every job that got its 202 has exactly one end, and it is the last event"),
        (Promise::NoGaps, "no event is doubled or missing"),
        (Promise::Fenced, "nothing is recorded of an attempt that is over"),
        (Promise::RanOnce, "what may not run twice started at most once"),
        (Promise::Output, "no line of output is doubled, missing or changed"),
        (Promise::Outcome, "every outcome is one that the program or a fault explains"),
    ];
}

pub(crate) type Breaches = Vec<(Promise, String)>;

/// Everything that is wrong with a job.
pub(crate) fn history(history: &History) -> Breaches {
    let mut breaches = Breaches::new();
    let id = history.job.id;
    let mut breach = |promise, what: String| breaches.push((promise, format!("{id} ({}): {what}", history.wanted.tag)));
    one_end(history, &mut |what| breach(Promise::OneEnd, what));
    for (event, place) in history.events.iter().zip(1..) {
        if event.seq != place {
            breach(Promise::NoGaps, format!("event {} stands at place {place}", event.seq));
            break;
        }
    }
    attempts(history, &mut breach);
    output(history, &mut |what| breach(Promise::Output, what));
    outcome(history, &mut |what| breach(Promise::Outcome, what));
    breaches
}

fn one_end(history: &History, breach: &mut dyn FnMut(String)) {
    let ends: Vec<&Event> =
        history.events.iter().filter(|event| matches!(event.body, EventBody::Ended { .. })).collect();
    if ends.len() != 1 {
        breach(format!("it has {} ends", ends.len()));
    }
    let last = history.events.last();
    if !last.is_some_and(|event| matches!(event.body, EventBody::Ended { .. })) {
        breach("its last event is no end".into());
    }
    if history.job.state != JobState::Ended {
        breach(format!("its state is {}", history.job.state.name()));
    }
    if let Some(Event { body: EventBody::Ended { outcome }, .. }) = last
        && history.job.outcome.as_ref() != Some(outcome)
    {
        breach(format!("its outcome is {:?}, and its last event says {outcome:?}", history.job.outcome));
    }
}

/// The order of attempts, and what belongs to which.
fn attempts(history: &History, breach: &mut dyn FnMut(Promise, String)) {
    let (mut attempt, mut held, mut started, mut starts) = (0, false, false, 0);
    for event in &history.events {
        let seq = event.seq;
        if let EventBody::Leased { .. } = event.body {
            if held || event.attempt != attempt + 1 {
                breach(Promise::Fenced, format!("event {seq} leases attempt {} after {attempt}", event.attempt));
            }
            (attempt, held, started) = (event.attempt, true, false);
            continue;
        }
        if event.attempt != attempt {
            breach(Promise::Fenced, format!("event {seq} is of attempt {}, during {attempt}", event.attempt));
        }
        match event.body {
            EventBody::Started {} => {
                starts += 1;
                if started || !held {
                    breach(Promise::Fenced, format!("event {seq} starts what is not to be started"));
                }
                started = true;
            }
            EventBody::Output { .. }
            | EventBody::Elided { .. }
            | EventBody::Denied { .. }
            | EventBody::Egress(_)
            | EventBody::Sample(_) => {
                if !started || !held {
                    breach(Promise::Fenced, format!("event {seq} is output of something that does not run"));
                }
            }
            EventBody::Requeued { .. } => {
                if !held {
                    breach(Promise::Fenced, format!("event {seq} requeues what nobody had"));
                }
                held = false;
            }
            EventBody::Queued {}
            | EventBody::Leased { .. }
            | EventBody::CancelRequested {}
            | EventBody::Ended { .. } => {}
        }
    }
    if starts > 1 && !history.wanted.may_rerun {
        breach(Promise::RanOnce, format!("it started {starts} times"));
    }
}

/// What the program writes, all of it.
pub(crate) fn whole_output(wanted: &Wanted) -> String {
    (0..wanted.lines).map(|number| format!("{} {number}\n", wanted.tag)).collect()
}

fn output(history: &History, breach: &mut dyn FnMut(String)) {
    let mut written: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for event in &history.events {
        match &event.body {
            EventBody::Output { stream: OutputStream::Stdout, data } => {
                written.entry(event.attempt).or_default().extend_from_slice(&data.0);
            }
            EventBody::Output { stream: OutputStream::Stderr, data } => {
                breach(format!("it wrote to standard error: {}", String::from_utf8_lossy(&data.0)));
            }
            EventBody::Elided { bytes, .. } => breach(format!("{bytes} bytes of little output were left out")),
            _ => {}
        }
    }
    let whole = whole_output(&history.wanted);
    for (attempt, bytes) in &written {
        if !whole.as_bytes().starts_with(bytes) {
            let bytes = String::from_utf8_lossy(bytes);
            let same = bytes.bytes().zip(whole.bytes()).take_while(|(is, should)| is == should).count();
            let from = bytes.char_indices().map(|(at, _)| at).take_while(|at| *at <= same).last().unwrap_or(0);
            let there: String = bytes[from..].chars().take(60).collect();
            breach(format!("attempt {attempt} wrote something else from byte {same} on: {there:?}"));
        }
    }
    let exited = history.job.outcome.as_ref().is_some_and(|outcome| outcome.end == End::Exited { code: 0 });
    let last = written.get(&history.job.attempt).map_or(0, Vec::len);
    if exited && last != whole.len() {
        breach(format!("it exited with 0 after {last} bytes of {}", whole.len()));
    }
    if exited && history.job.stdout.as_deref() != Some(&whole) {
        breach("what the job shows is not what its events say".into());
    }
}

fn outcome(history: &History, breach: &mut dyn FnMut(String)) {
    let Some(outcome) = &history.job.outcome else { return };
    let started = history
        .events
        .iter()
        .any(|event| matches!(event.body, EventBody::Started {}) && event.attempt == history.job.attempt);
    let explained = match &outcome.end {
        End::Exited { code: 0 } => true,
        End::Cancelled {} => history.wanted.cancelled,
        End::Lost {} => started && !history.wanted.may_rerun,
        // Ours: that there are no others than a fault explains is for whoever reads the report.
        End::Fault { .. } => true,
        End::Exited { .. } | End::Signalled { .. } | End::LimitHit { .. } | End::Refused {} => false,
    };
    if !explained {
        breach(format!("it ended as {:?}: {}", outcome.end, outcome.message));
    }
    if let End::Exited { code: 0 } = outcome.end {
        let left: Vec<u64> = history.job.artifacts.iter().map(|artifact| artifact.size).collect();
        let should: Vec<u64> = if history.wanted.leaves > 0 { vec![history.wanted.leaves] } else { Vec::new() };
        if left != should {
            breach(format!("it left files of {left:?} bytes, not {should:?}"));
        }
    }
}

/// Whoever followed a job saw what there is.
pub(crate) fn followed(history: &History, seen: &[Event]) -> Option<String> {
    (seen != history.events).then(|| {
        let first = seen.iter().zip(&history.events).position(|(seen, is)| seen != is);
        format!(
            "a follower of {} saw {} events of {}, other ones from {first:?} on",
            history.job.id,
            seen.len(),
            history.events.len()
        )
    })
}

/// One job by each key, and no job that nobody was told of. `answers` are keys with the jobs that they became.
pub(crate) fn jobs_by_key(answers: &[(String, JobId)], listed: &BTreeSet<JobId>) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut known: BTreeMap<JobId, &str> = BTreeMap::new();
    for (key, job) in answers {
        if let Some(other) = known.insert(*job, key) {
            breaches.push(format!("{job} is what {key} and {other} became"));
        }
        if !listed.contains(job) {
            breaches.push(format!("{job} ({key}) was accepted and is not there"));
        }
    }
    for job in listed {
        if !known.contains_key(job) {
            breaches.push(format!("{job} is there, and no submission became it"));
        }
    }
    breaches
}

/// What a line of the usage report has to say when nothing waits or runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) jobs: u64,
    pub(crate) cpu_ms: u64,
    pub(crate) cpu_reserved_ms: u64,
    pub(crate) queued: u64,
    pub(crate) running: u64,
    pub(crate) stored_bytes: u64,
}

/// The books as the jobs themselves add up, with `uploaded` bytes of blobs that nobody's job left.
pub(crate) fn books<'a>(jobs: impl IntoIterator<Item = &'a Job>, uploaded: u64) -> Books {
    let mut books = Books { stored_bytes: uploaded, ..Books::default() };
    let mut left = BTreeMap::new();
    for job in jobs {
        books.jobs += 1;
        if job.outcome.as_ref().is_some_and(|outcome| outcome.end.is_charged()) {
            let cpu_ms = job.usage.map_or(0.0, |usage| usage.cpu_ms.max(0.0)) as u64;
            books.cpu_ms += cpu_ms.min(job.limits.cpu_ms);
        }
        left.extend(job.artifacts.iter().map(|artifact| (artifact.digest, artifact.size)));
    }
    books.stored_bytes += left.values().sum::<u64>();
    books
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
