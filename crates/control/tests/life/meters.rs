//! What monitoring reads: it tells what was committed, and how everything is.

use gambeson_api::{Denial, Report};

use super::*;

/// A scrape.
async fn scraped(here: &Installation) -> String {
    here.control.metrics(&here.owner).await.unwrap()
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start_matches("{}").strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).parse().unwrap()
}

fn denial(act: &str, rule: &str) -> Denial {
    Denial {
        act: act.into(),
        target: None,
        rule: rule.into(),
        layer: "seccomp".into(),
        why: String::new(),
        remedy: String::new(),
        file: None,
        line: None,
        source: None,
        count: 2,
    }
}

#[tokio::test]
async fn a_job_is_counted_at_each_step_of_its_life() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|submission| submission.class = Class::High).await.unwrap();
    let text = scraped(&here).await;
    assert_eq!(value(&text, r#"gambeson_jobs_submitted_total{class="high"}"#), 1.0);
    assert_eq!(value(&text, r#"gambeson_queue_jobs{project="default",class="high"}"#), 1.0);
    assert_eq!(value(&text, r#"gambeson_workers{state="connected"}"#), 0.0, "it has not asked yet");
    here.clock.pass(4_000);
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.clock.pass(50);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    let text = scraped(&here).await;
    assert_eq!(value(&text, r#"gambeson_queue_jobs{project="default",class="high"}"#), 0.0);
    assert_eq!(value(&text, r#"gambeson_running_jobs{project="default"}"#), 1.0);
    assert_eq!(value(&text, "gambeson_leases"), 1.0);
    assert_eq!(value(&text, r#"gambeson_workers{state="connected"}"#), 1.0);
    assert_eq!(value(&text, r#"gambeson_worker_jobs{worker="one"}"#), 1.0);
    assert_eq!(value(&text, r#"gambeson_job_wait_seconds_sum{class="high"}"#), 4.05);
    let denials = vec![denial("socket", "network"), denial("socket", "seccomp.policy:12"), denial("<script>", "9")];
    let end = End::LimitHit { limit: "memory".into(), used: 2, allowed: 1 };
    let report = Report { denials, outcome: Outcome { end, message: String::new() }, ..report() };
    let settle = Settle { first: 1, entries: Vec::new(), report, artifacts: Vec::new(), skipped: Vec::new() };
    here.control.lease_settle(lease.id, Some(&lease.token), settle).await.unwrap();
    assert_eq!(here.job(id).await.state, JobState::Ended);
    let text = scraped(&here).await;
    for (name, expected) in [
        (r#"gambeson_jobs_ended_total{outcome="limit_hit",ok="false"}"#, 1.0),
        (r#"gambeson_limits_hit_total{limit="memory"}"#, 1.0),
        (r#"gambeson_denials_total{act="socket",rule="network"}"#, 2.0),
        (r#"gambeson_denials_total{act="socket",rule="seccomp.policy"}"#, 2.0),
        (r#"gambeson_denials_total{act="other",rule="other"}"#, 2.0),
        (r#"gambeson_job_start_seconds_count{start="cold"}"#, 1.0),
        (r#"gambeson_job_start_seconds_sum{start="cold"}"#, 0.05),
        (r#"gambeson_jobs_started_total{start="cold"}"#, 1.0),
        (r#"gambeson_leases_ended_total{how="settled"}"#, 1.0),
        ("gambeson_leases_granted_total", 1.0),
        ("gambeson_leases", 0.0),
        ("gambeson_writer_up", 1.0),
    ] {
        assert_eq!(value(&text, name), expected, "{name}");
    }
    for name in [
        "gambeson_store_commit_seconds_count",
        "gambeson_audit_rows_total",
        "gambeson_store_bytes",
        "gambeson_disk_free_bytes",
    ] {
        assert!(value(&text, name) > 0.0, "{name}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn attempts_that_come_to_nothing_and_submissions_that_are_refused_are_counted() {
    let here = Installation::with(|config| config.rate_burst = 40);
    let worker = here.worker().await;
    here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.control.lease_hand_back(lease.id, Some(&lease.token), HandBack { why: "no room".into() }).await.unwrap();
    here.pass(2_000).await;
    here.leases(&worker, 1000).await.remove(0);
    here.pass(16_000).await;
    here.submit(|submission| submission.entry = "nowhere.py".into()).await.unwrap_err();
    let text = scraped(&here).await;
    assert_eq!(value(&text, r#"gambeson_leases_ended_total{how="handed_back"}"#), 1.0);
    assert_eq!(value(&text, r#"gambeson_leases_ended_total{how="lost"}"#), 1.0);
    assert_eq!(value(&text, "gambeson_jobs_requeued_total"), 2.0);
    assert_eq!(value(&text, r#"gambeson_submissions_refused_total{code="invalid_submission"}"#), 1.0);
    while here.control.authenticate(Some(&here.key)).is_ok() {}
    assert_eq!(value(&scraped(&here).await, "gambeson_requests_rate_limited_total"), 1.0);
}

#[tokio::test]
async fn after_a_restart_the_state_is_shown_and_counters_begin_anew() {
    let here = Installation::new();
    here.submit(|_| {}).await.unwrap();
    let here = here.restart().await;
    let text = scraped(&here).await;
    assert_eq!(value(&text, r#"gambeson_queue_jobs{project="default",class="normal"}"#), 1.0);
    assert_eq!(value(&text, r#"gambeson_jobs_submitted_total{class="normal"}"#), 0.0);
}

#[tokio::test]
async fn who_may_not_see_the_figures_is_refused_and_that_is_recorded() {
    let here = Installation::new();
    let ada = access::caller_with(&here, "ada", Some("owner"), &["*"]).await;
    let refused = here.control.metrics(&ada).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden, "who owns a project only");
    let rows = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    assert!(rows.iter().any(|row| row.action == "metrics.view" && !row.allowed));
}

#[tokio::test]
async fn a_server_is_ready_while_it_takes_writes_has_room_and_is_not_to_stop() {
    let here = Installation::new();
    assert_eq!(here.control.ready().await, gambeson_control::Readiness { lacks: Vec::new(), workers: Some(0) });
    let full = Installation::with(|config| config.room_least = u64::MAX);
    assert_eq!(full.control.ready().await.lacks, ["the disk is full"]);
    full.control.drain().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(full.control.ready().await.lacks, ["the server was told to stop", "the disk is full"]);
    here.control.close().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let closed = here.control.ready().await;
    assert!(closed.lacks[0].starts_with("the store takes no writes"), "{closed:?}");
}
