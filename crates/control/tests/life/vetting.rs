//! What is remarked about a source: kept, shown, acted upon by policies, and set beside what happened.

use gambeson_api::Denial;
use gambeson_api::work::Settle;
use gambeson_control::Vetting;

use super::watching::job_heard;
use super::*;

/// The example that operators copy is what is tried.
fn policies() -> Vec<(String, String)> {
    let text = include_str!("../../../../policies/examples/findings.cedar");
    vec![("findings.cedar".into(), text.into())]
}

fn reading() -> Installation {
    Installation::with(|config| config.vetting = Vetting::Here)
}

fn acting() -> Installation {
    Installation::with(|config| (config.vetting, config.policies) = (Vetting::Here, policies()))
}

async fn submitted(here: &Installation, source: &str) -> Job {
    let accepted = here.control.submit(&here.owner, Submission::of_source(source), Duration::ZERO).await.unwrap();
    let Accepted::Job(job) = accepted else { panic!("one job") };
    *job
}

/// Somebody else with this role in the first project.
async fn with_role(here: &Installation, name: &str, role: &str) -> Caller {
    let create = NewUser { name: name.into(), kind: UserKind::Person };
    here.control.user_create(&here.owner, create).await.unwrap();
    let member = MemberChange { user: name.into(), project: "default".into(), role: role.into() };
    here.control.member_add(&here.owner, member).await.unwrap();
    let create =
        NewKey { name: "k".into(), user: Some(name.into()), project: None, scopes: vec!["*".into()], expires_in: None };
    let key = here.control.key_create(&here.owner, create).await.unwrap();
    here.control.authenticate(Some(&key.secret)).unwrap()
}

fn rules(job: &Job) -> Vec<&str> {
    job.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[tokio::test]
async fn a_syntax_error_is_told_with_its_line_and_a_caret_when_the_job_is_accepted() {
    let here = reading();
    let job = submitted(&here, "x = 1\nprint('a'\ny = (\n").await;
    assert_eq!((job.state, rules(&job)), (JobState::Queued, vec!["V001"]), "it is advice, and nothing is refused");
    let finding = &job.findings[0];
    assert_eq!(finding.file, "main.py");
    assert!(finding.line >= 2 && finding.column >= 1);
    let excerpt = finding.excerpt.as_deref().unwrap();
    assert!(excerpt.contains('^') && excerpt.contains("|"), "{excerpt}");
    assert_eq!(here.job(job.id).await.findings, job.findings);
    assert!(submitted(&here, "print(1)").await.findings.is_empty());
}

#[tokio::test]
async fn findings_are_for_those_who_may_see_the_source() {
    let here = reading();
    let job = submitted(&here, "import os\nos.system('id')\n").await;
    assert_eq!(rules(&job), ["V201"]);
    let (viewer, operator) = (with_role(&here, "vie", "viewer").await, with_role(&here, "ope", "operator").await);
    let seen = async |caller: &Caller| here.control.job(caller, job.id, Duration::ZERO).await.unwrap().findings.len();
    assert_eq!(seen(&viewer).await, 1);
    assert_eq!(seen(&operator).await, 0);
    let list = here.control.jobs(&viewer, Default::default()).await.unwrap();
    assert!(list.jobs.iter().all(|job| job.findings.is_empty()));
}

#[tokio::test]
async fn files_are_read_together_and_blobs_of_others_are_not_read() {
    let here = reading();
    let mut submission = Submission::of_source("import helper\nhelper.go('id')\n");
    submission.files.insert("helper.py".into(), FileContent::text("from os import system as go\n"));
    let vetted = here.control.vet(&here.owner, submission).await.unwrap();
    assert_eq!(vetted.findings.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), ["V201"]);
    assert_eq!((vetted.files_read, vetted.incomplete), (2, false));
    assert_eq!(vetted.policy.decision, "accepted");
    let origins: Vec<_> = vetted.modules.iter().map(|module| (module.name.as_str(), module.origin.as_str())).collect();
    assert!(origins.contains(&("helper", "submission")), "{origins:?}");
    let mut submission = Submission::of_source("import helper\n");
    let digest = Digest::of(b"nobody has this");
    submission.files.insert("helper.py".into(), FileContent::Blob { digest, size: None, executable: false });
    let vetted = here.control.vet(&here.owner, submission.clone()).await.unwrap();
    assert!(vetted.incomplete && vetted.findings.is_empty() && vetted.files_read == 0);
    let refused = here.control.submit(&here.owner, submission, Duration::ZERO).await.unwrap_err();
    assert_eq!(refused.code, Code::BlobsMissing);
}

#[tokio::test]
async fn what_was_foretold_is_set_beside_what_happened() {
    let here = reading();
    let worker = here.worker().await;
    let source = "import socket\nsocket.create_connection(('example.org', 443))\n";
    let job = submitted(&here, source).await;
    let finding = job.findings.iter().find(|finding| finding.rule == "V301").expect("it connects");
    assert_eq!(finding.prediction, "refused");
    let denial = |act: &str| Denial {
        act: act.into(),
        target: None,
        rule: String::new(),
        layer: "seccomp".into(),
        why: "w".into(),
        remedy: "r".into(),
        file: Some("main.py".into()),
        line: Some(2),
        source: None,
        count: 3,
    };
    // Once refused as foretold, and something else besides; once not reached.
    for denials in [vec![denial("connect"), denial("bpf")], vec![]] {
        let id = if denials.is_empty() { submitted(&here, source).await.id } else { job.id };
        let lease = here.leases(&worker, 1000).await.remove(0);
        assert_eq!(lease.job, id);
        let report = Report { denials, ..report() };
        let settle =
            Settle { first: 0, entries: vec![Entry::Started {}], report, artifacts: Vec::new(), skipped: Vec::new() };
        here.control.lease_settle(lease.id, Some(&lease.token), settle).await.unwrap();
    }
    let ended = here.job(job.id).await;
    let verdicts: Vec<_> = ended.findings.iter().filter_map(|finding| finding.verdict.as_deref()).collect();
    assert!(verdicts.contains(&"confirmed"), "{:?}", ended.findings);
    assert_eq!(ended.missed.iter().map(|missed| (missed.act.as_str(), missed.count)).collect::<Vec<_>>(), [("bpf", 3)]);
    let record = here.control.vet_record(&here.owner).await.unwrap();
    let counts = record.rules["V301"];
    assert_eq!((counts.confirmed, counts.not_reached), (1, 1));
    assert_eq!(record.missed["bpf"], 1);
    let submitter = with_role(&here, "sub", "submitter").await;
    assert_eq!(here.control.vet_record(&submitter).await.unwrap_err().code, Code::Forbidden);
    // It survives.
    let here = here.restart().await;
    assert_eq!(here.control.vet_record(&here.owner).await.unwrap(), record);
    assert_eq!(here.job(job.id).await.findings, ended.findings);
}

#[tokio::test]
async fn a_policy_refuses_what_it_forbids_in_its_own_words() {
    let here = acting();
    let mut submission = Submission::of_source("open('/root/.ssh/id_rsa')  # gambeson: ignore[V102]\n");
    let refused = here.control.submit(&here.owner, submission.clone(), Duration::ZERO).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    assert!(refused.detail.contains("do not look for credentials"), "{}", refused.detail);
    let vetted = here.control.vet(&here.owner, submission.clone()).await.unwrap();
    assert_eq!((vetted.policy.decision.as_str(), vetted.silenced.len()), ("refused", 1));
    assert_eq!(vetted.policy.policies, ["findings.cedar/no-credentials"]);
    submission.files.insert("main.py".into(), FileContent::text("print(1)"));
    assert!(here.control.submit(&here.owner, submission, Duration::ZERO).await.is_ok());
    let question = ExplainRequest {
        user: None,
        action: "job.submit".into(),
        project: Some("default".into()),
        job: None,
        context: [("findings".to_owned(), serde_json::json!({"rules": ["V102"], "high": 1}))].into(),
    };
    assert!(!here.control.access_explain(&here.owner, question).await.unwrap().allowed);
}

#[tokio::test]
async fn a_held_job_waits_for_somebody_who_may_approve_it() {
    let here = acting();
    let worker = here.worker().await;
    let source = "import ctypes\nctypes.CDLL(None).syscall(321)\n";
    let job = submitted(&here, source).await;
    assert!(rules(&job).contains(&"V402"), "{:?}", rules(&job));
    let waiting = job.waiting.unwrap();
    assert!(waiting.held);
    assert_eq!(
        waiting.why,
        "held for approval by findings.cedar/native-code: native code and decoded payloads are looked at by a person \
         first; to approve it takes one of the roles owner, operator in project default"
    );
    assert!(here.leases(&worker, 0).await.is_empty(), "no worker gets it");
    assert_eq!(here.usage().await.queued, 1, "it counts as one that waits");
    let (operator, submitter) = (with_role(&here, "ope", "operator").await, with_role(&here, "sub", "submitter").await);
    assert_eq!(
        here.control.job_approve(&here.owner, job.id).await.unwrap_err().detail,
        "somebody else has to approve it"
    );
    assert_eq!(here.control.job_approve(&submitter, job.id).await.unwrap_err().code, Code::NotFound);
    // Whoever approves sees what it is about.
    let seen = here.control.job(&operator, job.id, Duration::ZERO).await.unwrap();
    assert!(rules(&seen).contains(&"V402"));
    // A restart forgets neither that it waits nor for whom: the one after it has no policies, and holds it all the same.
    let here = here.restart().await;
    assert!(here.job(job.id).await.waiting.unwrap().held);
    assert!(here.leases(&worker, 0).await.is_empty());
    for _ in 0..2 {
        let approved = here.control.job_approve(&operator, job.id).await.unwrap();
        assert!(approved.waiting.is_none_or(|waiting| !waiting.held));
    }
    let leases = here.leases(&worker, 1000).await;
    assert_eq!(leases.len(), 1);
    assert_eq!(
        (leases[0].job, leases[0].start),
        (job.id, StartAsked::Fresh),
        "native code starts with a layout of its own"
    );
    here.settle(&leases[0], 0, vec![Entry::Started {}]).await.unwrap();
    let usage = here.usage().await;
    assert_eq!((usage.queued, usage.running, usage.cpu_reserved_ms), (0, 0, 0));
    let rows = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    let of = |action: &str| rows.iter().filter(|row| row.action == action && row.allowed).count();
    assert_eq!(of("job.approve"), 2);
    assert!(rows.iter().any(|row| row.action == "job.submit.unheld" && !row.allowed));
}

#[tokio::test]
async fn lists_and_changes_say_of_a_held_job_why_it_waits_and_of_others_nothing() {
    let here = acting();
    let mut listener = here.control.changes(&here.owner, None).await.unwrap();
    let source = "import ctypes\nctypes.CDLL(None).syscall(321)\n";
    let (held, waits) = (submitted(&here, source).await, submitted(&here, "print(1)").await);
    let listed = async |id: JobId| {
        let list = here.control.jobs(&here.owner, Default::default()).await.unwrap();
        list.jobs.into_iter().find(|job| job.id == id).unwrap().waiting
    };
    assert_eq!(listed(held.id).await, here.job(held.id).await.waiting);
    assert!(held.waiting.is_some() && listed(held.id).await == held.waiting);
    assert_eq!(listed(waits.id).await, None, "a list does not look ahead");
    while job_heard(&mut listener).await.waiting != held.waiting {}
    let operator = with_role(&here, "ope", "operator").await;
    here.control.job_approve(&operator, held.id).await.unwrap();
    assert_eq!(listed(held.id).await, None);
    here.pass(1000).await;
    while job_heard(&mut listener).await.waiting.is_some() {}
    let again = submitted(&here, source).await.id;
    here.control.job_cancel(&here.owner, again).await.unwrap();
    assert_eq!(listed(again).await, None, "what has ended waits for nobody");
}

#[tokio::test]
async fn queue_and_history_count_what_waits_for_a_worker_and_what_is_held_by_itself() {
    let here = acting();
    let source = "import ctypes\nctypes.CDLL(None).syscall(321)\n";
    let worker = here.worker().await;
    for source in [source, source] {
        submitted(&here, source).await;
    }
    assert!(here.leases(&worker, 0).await.is_empty());
    submitted(&here, "print(1)").await;
    let queue = here.control.queue(&here.owner).await.unwrap();
    assert_eq!((queue.queued, queue.held, queue.next.len()), (1, 2, 1));
    let next = &queue.next[0];
    assert_eq!(next.why.as_deref(), Some("it is next"));
    assert!(next.expected_start_p50.is_some());
    here.pass(10_000).await;
    let history = here.control.history(&here.owner, None, gambeson_control::Window::Quarter).await.unwrap();
    assert_eq!(history.moments.last().unwrap().queued, 1);
    assert_eq!(here.leases(&worker, 1000).await.len(), 1);
}

#[tokio::test]
async fn a_held_job_is_cancelled_or_given_up_and_an_array_is_approved_as_one() {
    let here = acting();
    let source = "import ctypes\nctypes.CDLL(None).syscall(321)\n";
    let cancelled = submitted(&here, source).await.id;
    here.control.job_cancel(&here.owner, cancelled).await.unwrap();
    assert_eq!(here.job(cancelled).await.outcome.unwrap().end, End::Cancelled {});
    let first = here
        .submit(|submission| *submission = Submission { array: Some(450), ..Submission::of_source(source) })
        .await
        .unwrap();
    let operator = with_role(&here, "ope", "operator").await;
    assert!(here.job(first).await.waiting.unwrap().held);
    here.control.job_approve(&operator, first).await.unwrap();
    let filter = gambeson_control::JobFilter { limit: Some(1000), ..Default::default() };
    let jobs = here.control.jobs(&here.owner, filter).await.unwrap().jobs;
    assert_eq!(jobs.iter().filter(|job| job.state == JobState::Queued).count(), 450);
    let last = jobs.iter().find(|job| job.state == JobState::Queued).unwrap().id;
    assert!(here.job(last).await.waiting.is_some_and(|waiting| !waiting.held));
    let left = submitted(&here, source).await.id;
    here.clock.pass(7 * 24 * 3_600_000 + 1);
    here.control.tick().await.unwrap();
    let outcome = here.job(left).await.outcome.unwrap();
    assert_eq!(outcome.end, End::Cancelled {});
    assert!(outcome.message.contains("nobody gave it in time"), "{}", outcome.message);
    assert_eq!(here.usage().await.queued, 450);
}

#[tokio::test]
async fn ten_thousand_findings_are_kept_in_part_and_what_is_worst_of_them_is() {
    let here = reading();
    let mut source = "import os, subprocess, pickle, ctypes\n".repeat(2000);
    source.push_str("open('/root/.ssh/id_rsa')\n");
    source.push_str(&"os.system('id')\npickle.loads(x)\nexec(y)\nos.fork()\n".repeat(3000));
    let job = submitted(&here, &source).await;
    assert!(
        job.findings.len() <= 100 && job.findings_more > 10_000,
        "{} and {}",
        job.findings.len(),
        job.findings_more
    );
    assert!(rules(&job).contains(&"V102"), "{:?}", rules(&job));
    assert!(serde_json::to_string(&job).unwrap().len() < 200 << 10);
}

#[tokio::test]
async fn where_nobody_reads_nothing_is_said_and_policies_are_told_so() {
    let here = Installation::with(|config| config.policies = policies());
    let job = submitted(&here, "import os\nos.system('id')\n").await;
    assert!(job.findings.is_empty());
    let worker = here.worker().await;
    assert_eq!(
        here.leases(&worker, 1000).await[0].start,
        StartAsked::Fresh,
        "what was not read is not trusted to be warm"
    );
}
