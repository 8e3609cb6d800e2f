//! Leases: what renews them, what ends them, what comes under them.

use gambeson_api::Denial;
use gambeson_api::work::Append;

use super::*;

/// What a server that stood still for a minute, or whose clock was set, makes of a worker that spoke in time.
async fn heard_after(stall: impl FnOnce(&Hands)) {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    here.pass(7_000).await;
    stall(&here.clock);
    // The clock is looked at before what waits in the sockets.
    here.control.tick().await.unwrap();
    let beat = Heartbeat { leases: vec![lease.id], wait_ms: 0, vitals: None };
    let answer = here.control.worker_heartbeat(&worker, beat).await.unwrap();
    assert_eq!(answer.lost, []);
    here.pass(14_000).await;
    here.settle(&lease, 1, vec![output("1")]).await.unwrap();
    assert_eq!(here.job(id).await.outcome.unwrap().end, End::Exited { code: 0 });
}

#[tokio::test]
async fn a_worker_that_was_not_heard_for_long_is_answered_at_once() {
    let here = Installation::new();
    let worker = here.worker().await;
    let beat =
        || here.control.worker_heartbeat(&worker, Heartbeat { leases: Vec::new(), wait_ms: 7_000, vitals: None });
    let at_once = |answer| tokio::time::timeout(Duration::from_secs(5), answer);
    at_once(beat()).await.expect("the first since the server's start").unwrap();
    here.clock.pass(5_000);
    tokio::time::timeout(Duration::from_millis(200), beat()).await.expect_err("parked: it is in its rhythm");
    here.clock.pass(8_000);
    at_once(beat()).await.expect("one was lost").unwrap();
}

#[tokio::test]
async fn while_the_server_itself_stands_still_no_lease_runs_out() {
    heard_after(|clock| clock.pass(60_000)).await;
}

#[tokio::test]
async fn setting_the_wall_clock_ends_no_lease_and_prolongs_none() {
    heard_after(|clock| clock.set_wall(NOW.plus_ms(86_400_000))).await;
    heard_after(|clock| clock.set_wall(Time(NOW.0 - 86_400_000))).await;
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    here.clock.set_wall(Time(NOW.0 - 86_400_000));
    here.pass(16_000).await;
    assert_eq!(here.job(id).await.outcome.unwrap().end, End::Lost {});
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_cannot_finish_the_job() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|submission| submission.may_rerun = true).await.unwrap();
    let stale = here.leases(&worker, 1000).await.remove(0);
    here.append(&stale, 0, vec![Entry::Started {}, output("a")]).await.unwrap();
    here.pass(16_000).await;
    assert_eq!(here.append(&stale, 2, vec![output("b")]).await.unwrap_err().code, Code::LeaseLost);
    here.until(id, "requeued").await;
    here.pass(2_000).await;
    let fresh = here.leases(&worker, 5000).await.remove(0);
    assert_eq!(fresh.attempt, 2);
    assert_eq!(here.settle(&stale, 2, vec![]).await.unwrap_err().code, Code::LeaseLost);
    here.append(&fresh, 0, vec![Entry::Started {}, output("c")]).await.unwrap();
    here.settle(&fresh, 2, vec![]).await.unwrap();
    let job = here.job(id).await;
    assert_eq!((job.stdout.as_deref(), job.attempt), (Some("c"), 2));
    assert_eq!(
        here.kinds(id).await,
        ["queued", "leased", "started", "output", "requeued", "leased", "started", "output", "ended"]
    );
}

#[tokio::test]
async fn a_report_under_a_lease_that_ran_out_is_refused_though_its_job_ended_under_it() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let stale = here.leases(&worker, 1000).await.remove(0);
    here.append(&stale, 0, vec![Entry::Started {}]).await.unwrap();
    here.control.job_cancel(&here.owner, id).await.unwrap();
    here.pass(16_000).await;
    let job = here.control.job(&here.owner, id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(job.outcome.unwrap().end, End::Cancelled {});
    assert_eq!(here.settle(&stale, 1, vec![output("late")]).await.unwrap_err().code, Code::LeaseLost);
}

#[tokio::test]
async fn a_report_that_is_refused_leaves_nothing_of_itself() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    let twice = vec![output("a"), Entry::Started {}];
    assert_eq!(here.append(&lease, 1, twice).await.unwrap_err().code, Code::InvalidValue);
    let too_much = vec![output("a"), output(&"x".repeat(100 << 20))];
    assert_eq!(here.append(&lease, 1, too_much).await.unwrap_err().code, Code::TooLarge);
    here.append(&lease, 1, vec![output("b")]).await.unwrap();
    here.settle(&lease, 2, vec![]).await.unwrap();
    assert_eq!(here.kinds(id).await, ["queued", "leased", "started", "output", "ended"]);
    assert_eq!(here.job(id).await.stdout.as_deref(), Some("b"));
}

#[tokio::test]
async fn denials_are_events_and_bounded_in_number_and_in_size() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    assert!(lease.denials, "the server says that it takes them");
    let denied = |why: String| Entry::Denied {
        denial: Box::new(Denial {
            act: "socket".into(),
            target: None,
            rule: String::new(),
            layer: "seccomp".into(),
            why,
            remedy: "r".into(),
            file: None,
            line: None,
            source: None,
            count: 1,
        }),
    };
    here.append(&lease, 0, vec![Entry::Started {}, denied("w".into())]).await.unwrap();
    let too_long = denied("w".repeat(Denial::BYTES_MOST));
    assert_eq!(here.append(&lease, 2, vec![too_long]).await.unwrap_err().code, Code::TooLarge);
    let too_many = vec![denied("w".into()); Append::DENIALS_MOST];
    assert_eq!(here.append(&lease, 2, too_many).await.unwrap_err().code, Code::TooLarge);
    here.settle(&lease, 2, vec![]).await.unwrap();
    assert_eq!(here.kinds(id).await, ["queued", "leased", "started", "denied", "ended"]);
}

#[tokio::test]
async fn a_report_is_bounded_in_every_part_and_said_twice_it_is_still_the_first() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    let denial = |why: String| Denial {
        act: "connect".into(),
        target: Some("a.org:443".into()),
        rule: "network.allow".into(),
        layer: "egress".into(),
        why,
        remedy: String::new(),
        file: None,
        line: None,
        source: None,
        count: 1,
    };
    let mut denials = vec![denial("w".repeat(Denial::BYTES_MOST)), denial("first".into())];
    denials.resize(5000, denial("w".into()));
    let long = "\u{20ac}".repeat(100_000);
    let layer = LayerReport { name: long.clone(), state: LayerState::Held, detail: long.clone() };
    let report = Report {
        outcome: Outcome { end: End::Fault { step: long.clone() }, message: long.clone() },
        layers: vec![layer; 1000],
        denials,
        ..report()
    };
    let skipped = vec![Skipped { path: long.clone(), why: long.clone() }];
    let settle = Settle { first: 0, entries: vec![Entry::Started {}], report, artifacts: Vec::new(), skipped };
    for _ in 0..2 {
        here.control.lease_settle(lease.id, Some(&lease.token), settle.clone()).await.unwrap();
    }
    let job = here.job(id).await;
    let (denials, layers, outcome) = (job.denials.unwrap(), job.layers.unwrap(), job.outcome.unwrap());
    assert_eq!((denials.len(), &*denials[0].why), (199, "first"), "one of the first two hundred is too long");
    let End::Fault { step } = outcome.end else { panic!("{outcome:?}") };
    assert!(layers.len() <= 64 && layers[0].name.len() <= 4096 && layers[0].detail.len() <= 4096);
    assert!(outcome.message.len() <= 4096 && step.len() <= 4096 && step.len() > 4000);
}

#[tokio::test]
async fn what_runs_out_after_the_start_is_lost_unless_it_may_run_twice() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    here.pass(16_000).await;
    let job = here.control.job(&here.owner, id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(job.outcome.unwrap().end, End::Lost {});
    assert_eq!(here.usage().await.cpu_ms, 0, "what was our fault is not charged");
}

#[tokio::test]
async fn what_runs_out_before_the_start_is_tried_again_and_not_for_ever() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    for attempt in 1..=3 {
        let lease = here.leases(&worker, 5000).await.remove(0);
        assert_eq!(lease.attempt, attempt);
        here.pass(20_000).await;
    }
    let job = here.job(id).await;
    assert!(matches!(job.outcome.unwrap().end, End::Fault { .. }));
    assert_eq!(here.usage().await.cpu_reserved_ms, 0);
}

#[tokio::test]
async fn what_workers_give_back_unstarted_uses_up_no_attempt_and_is_tried_thirty_times() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let give_back = async || {
        let lease = here.leases(&worker, 5000).await.remove(0);
        let back = HandBack { why: "the worker is to stop\n".into() };
        here.control.lease_hand_back(lease.id, Some(&lease.token), back).await.unwrap();
        here.clock.pass(60_000);
        lease.attempt
    };
    for attempt in 1..=20 {
        assert_eq!(give_back().await, attempt);
    }
    // One that fails in another way counts as ever.
    here.leases(&worker, 5000).await.remove(0);
    here.pass(20_000).await;
    assert_eq!(here.job(id).await.state, JobState::Queued);
    here.clock.pass(60_000);
    for attempt in 22..=30 {
        assert_eq!(give_back().await, attempt);
    }
    let job = here.job(id).await;
    assert!(matches!(job.outcome.unwrap().end, End::Fault { .. }));
}

#[tokio::test]
async fn heartbeats_keep_a_lease_and_bring_the_cancellation() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    for _ in 0..4 {
        here.pass(10_000).await;
        let beat = Heartbeat { leases: vec![lease.id], wait_ms: 0, vitals: None };
        let answer = here.control.worker_heartbeat(&worker, beat).await.unwrap();
        assert!(answer.lost.is_empty() && answer.cancel.is_empty());
    }
    let beat = Heartbeat { leases: vec![lease.id], wait_ms: 7_000, vitals: None };
    let parked = {
        let (control, worker) = (here.control.clone(), worker.clone());
        tokio::spawn(async move { control.worker_heartbeat(&worker, beat).await.unwrap() })
    };
    let job = here.control.job_cancel(&here.owner, id).await.unwrap();
    assert!(job.cancel_requested);
    let mut answer = parked.await.unwrap();
    if answer.cancel.is_empty() {
        // The heartbeat came after the cancellation was told to nobody: the next one brings it.
        let beat = Heartbeat { leases: vec![lease.id], wait_ms: 0, vitals: None };
        answer = here.control.worker_heartbeat(&worker, beat).await.unwrap();
    }
    assert_eq!(answer.cancel, [lease.id]);
    // The worker is gone before it can report: cancelled all the same, and not run again.
    here.pass(16_000).await;
    let job = here.control.job(&here.owner, id, Duration::from_secs(10)).await.unwrap();
    assert_eq!(job.outcome.unwrap().end, End::Cancelled {});
}

#[tokio::test]
async fn a_parked_request_is_served_by_the_commit_that_brings_the_job() {
    let here = Installation::new();
    let worker = here.worker().await;
    let parked = {
        let (control, worker) = (here.control.clone(), worker.clone());
        let request = LeaseRequest {
            room: ROOM,
            free: ROOM,
            wait_ms: 20_000,
            version: "0".into(),
            environment: "CPython".into(),
            layers: None,
        };
        tokio::spawn(async move { control.worker_lease(&worker, request).await.unwrap().leases })
    };
    let id = here.submit(|_| {}).await.unwrap();
    assert_eq!(parked.await.unwrap()[0].job, id);
}
