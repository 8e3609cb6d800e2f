//! Histories that are wrong, one by one: a harness that cannot fail shows nothing.

use super::*;
use gambeson_api::{Content, Outcome, Time, WorkerId};

fn wanted() -> Wanted {
    Wanted { tag: "a-1".into(), lines: 3, may_rerun: false, leaves: 0, cancelled: false }
}

fn outcome(end: End) -> Outcome {
    Outcome { end, message: "so it was".into() }
}

fn job(end: End, attempt: u32) -> Job {
    let json = serde_json::json!({
        "id": JobId::new(), "state": "ended", "project": gambeson_api::ProjectId::new(), "project_name": "default",
        "user": gambeson_api::UserId::new(), "user_name": "owner", "entry": "main.py", "labels": {}, "class": "normal",
        "limits": gambeson_api::Limits {
            memory_bytes: 1, wall_ms: 1, cpu_ms: 1000, cpus_milli: 1, pids: 1, disk_bytes: 1, files: 1, open_files: 1,
            output_bytes: 1,
        },
        "network": "none", "may_rerun": false, "submitted_at": Time(0), "attempt": attempt,
        "outcome": outcome(end), "stdout": "a-1 0\na-1 1\na-1 2\n",
        "usage": {"wall_ms": 5.0, "cpu_ms": 70.9, "memory_peak_bytes": null, "pids_peak": null, "disk_bytes": 0,
            "output_bytes": 0},
    });
    serde_json::from_value(json).unwrap()
}

fn out(text: &str) -> EventBody {
    EventBody::Output { stream: OutputStream::Stdout, data: Content(text.as_bytes().to_vec()) }
}

/// Events of a job, numbered; `(attempt, what)`.
fn events(of: Vec<(u32, EventBody)>) -> Vec<Event> {
    of.into_iter().zip(1..).map(|((attempt, body), seq)| Event { seq, at: Time(seq), attempt, body }).collect()
}

fn leased() -> EventBody {
    EventBody::Leased { worker: WorkerId::from_u128(1) }
}

fn ended(end: End) -> EventBody {
    EventBody::Ended { outcome: outcome(end) }
}

const FINE: End = End::Exited { code: 0 };

/// Requeued once before its start, then as it should be.
fn good() -> History {
    History {
        job: job(FINE, 2),
        wanted: wanted(),
        events: events(vec![
            (0, EventBody::Queued {}),
            (1, leased()),
            (1, EventBody::Requeued { why: "its worker was not heard of in time".into() }),
            (2, leased()),
            (2, EventBody::Started {}),
            (2, out("a-1 0\na-1")),
            (2, out(" 1\na-1 2\n")),
            (2, ended(FINE)),
        ]),
    }
}

/// What is found when a good history was changed.
fn found(change: impl FnOnce(&mut History)) -> BTreeSet<Promise> {
    let mut changed = good();
    change(&mut changed);
    super::history(&changed).into_iter().map(|(promise, _)| promise).collect()
}

fn body(history: &mut History, place: usize) -> &mut EventBody {
    &mut history.events[place - 1].body
}

fn numbered(history: &mut History) {
    for (event, seq) in history.events.iter_mut().zip(1..) {
        event.seq = seq;
    }
}

#[test]
fn a_history_as_it_should_be_has_nothing_wrong() {
    assert_eq!(super::history(&good()), Vec::new());
}

#[test]
fn a_job_without_an_end_or_with_two_is_found() {
    assert!(found(|history| drop(history.events.pop())).contains(&Promise::OneEnd));
    let twice = |history: &mut History| {
        let last = history.events.last().unwrap().clone();
        history.events.push(last);
        numbered(history);
    };
    assert_eq!(found(twice), BTreeSet::from([Promise::OneEnd]));
    let early = |history: &mut History| {
        history.events.swap(6, 7);
        numbered(history);
    };
    assert!(found(early).contains(&Promise::OneEnd), "output after the end");
    assert!(found(|history| history.job.state = JobState::Running).contains(&Promise::OneEnd));
    let other = |history: &mut History| *body(history, 8) = ended(End::Lost {});
    assert!(found(other).contains(&Promise::OneEnd), "the event says something else than the job");
}

#[test]
fn an_event_that_is_missing_or_doubled_is_found() {
    assert!(found(|history| drop(history.events.remove(5))).contains(&Promise::NoGaps));
    assert!(found(|history| history.events.insert(5, history.events[5].clone())).contains(&Promise::NoGaps));
}

#[test]
fn output_that_is_doubled_missing_or_foreign_is_found() {
    for (first, second) in [
        ("a-1 0\na-1 0\n", "a-1 1\na-1 2\n"),
        ("a-1 0\n", "a-1 2\n"),
        ("a-1 0\na-1 1\n", ""),
        ("a-1 0\na-1 1\na-1 2\n", super::super::ghost::SAYS),
        ("", "a-1 1\na-1 2\n"),
    ] {
        let change = |history: &mut History| {
            *body(history, 6) = out(first);
            *body(history, 7) = out(second);
        };
        assert_eq!(found(change), BTreeSet::from([Promise::Output]), "{first:?} {second:?}");
    }
    assert_eq!(found(|history| history.job.stdout = Some("a-1 0\n".into())), BTreeSet::from([Promise::Output]));
}

#[test]
fn a_lost_job_may_lack_the_rest_and_nothing_in_between() {
    let lost = |second: &'static str| {
        move |history: &mut History| {
            history.job = job(End::Lost {}, 2);
            *body(history, 7) = out(second);
            *body(history, 8) = ended(End::Lost {});
        }
    };
    assert_eq!(found(lost(" 1\n")), BTreeSet::new());
    assert_eq!(found(lost(" 2\n")), BTreeSet::from([Promise::Output]));
}

#[test]
fn what_a_stale_worker_wrote_is_found() {
    assert_eq!(found(|history| history.events[6].attempt = 1), BTreeSet::from([Promise::Fenced, Promise::Output]));
    assert!(found(|history| *body(history, 3) = out("a-1 0\n")).contains(&Promise::Fenced));
    let while_it_waits = |history: &mut History| {
        history.events.insert(3, Event { attempt: 1, ..history.events[4].clone() });
        numbered(history);
    };
    assert!(found(while_it_waits).contains(&Promise::Fenced));
    assert!(found(|history| drop(history.events.remove(2))).contains(&Promise::Fenced), "leased while held");
}

#[test]
fn a_second_start_of_what_may_not_run_twice_is_found() {
    let again = |history: &mut History| {
        history.events.insert(2, Event { attempt: 1, ..history.events[4].clone() });
        numbered(history);
    };
    assert_eq!(found(again), BTreeSet::from([Promise::RanOnce]));
    let allowed = |history: &mut History| {
        again(history);
        history.wanted.may_rerun = true;
    };
    assert_eq!(found(allowed), BTreeSet::new());
}

#[test]
fn an_outcome_that_nothing_explains_is_found() {
    for end in [End::Cancelled {}, End::Exited { code: 1 }, End::Signalled { signal: 9 }, End::Refused {}] {
        let change = |history: &mut History| {
            history.job = job(end.clone(), 2);
            *body(history, 8) = ended(end.clone());
        };
        assert_eq!(found(change), BTreeSet::from([Promise::Outcome]), "{end:?}");
    }
    let lost_and_may_rerun = |history: &mut History| {
        history.wanted.may_rerun = true;
        history.job = job(End::Lost {}, 2);
        *body(history, 8) = ended(End::Lost {});
    };
    assert_eq!(found(lost_and_may_rerun), BTreeSet::from([Promise::Outcome]));
    assert_eq!(found(|history| history.wanted.leaves = 5), BTreeSet::from([Promise::Outcome]), "no file was left");
}

#[test]
fn a_follower_that_saw_something_else_is_found() {
    let history = good();
    assert_eq!(followed(&history, &history.events), None);
    assert!(followed(&history, &history.events[1..]).is_some());
}

#[test]
fn a_key_that_became_two_jobs_is_found() {
    let (one, two) = (JobId::new(), JobId::new());
    let answers = [("k".to_owned(), one)];
    assert_eq!(jobs_by_key(&answers, &BTreeSet::from([one])), Vec::<String>::new());
    assert_eq!(jobs_by_key(&answers, &BTreeSet::from([one, two])).len(), 1, "one that nobody was told of");
    assert_eq!(jobs_by_key(&answers, &BTreeSet::new()).len(), 1, "one that is lost");
    assert_eq!(jobs_by_key(&[("k".into(), one), ("l".into(), one)], &BTreeSet::from([one])).len(), 1);
}

#[test]
fn the_books_count_what_is_charged_and_each_file_once() {
    let mut left = job(FINE, 1);
    let digest = gambeson_api::Digest::of(b"x");
    left.artifacts = vec![gambeson_api::Artifact { path: "x".into(), size: 9, digest }];
    let mut greedy = left.clone();
    greedy.usage.as_mut().unwrap().cpu_ms = 5000.0;
    let books = books([&left, &greedy, &job(End::Lost {}, 1)], 100);
    assert_eq!(books, Books { jobs: 3, cpu_ms: 70 + 1000, stored_bytes: 109, ..Books::default() });
}
