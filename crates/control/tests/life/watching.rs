//! Watching everything at once: what changes, what was, what wants attention.

use super::access::caller_with;
use super::*;
use gambeson_control::Listener;

/// What comes next, waiting for it, as it is sent.
async fn heard(listener: &mut Listener) -> Vec<Change> {
    let next = tokio::time::timeout(Duration::from_secs(10), listener.next()).await.expect("something is told");
    let news = next.unwrap().expect("the server goes on");
    let change = |news: &std::sync::Arc<gambeson_control::News>| {
        let change: Change = serde_json::from_str(news.json()).unwrap();
        let kind = match change {
            Change::Job { .. } => "job",
            Change::Queue { .. } => "queue",
            Change::Missed {} => "missed",
        };
        assert_eq!(news.kind(), kind);
        change
    };
    news.iter().map(change).collect()
}

/// Reads on until a job is told, and returns that job.
pub async fn job_heard(listener: &mut Listener) -> Job {
    loop {
        for change in heard(listener).await {
            if let Change::Job { job } = change {
                return *job;
            }
        }
    }
}

/// Whether nothing at all comes for a while.
async fn is_silent(listener: &mut Listener) -> bool {
    tokio::time::timeout(Duration::from_millis(700), listener.next()).await.is_err()
}

#[tokio::test]
async fn a_listener_hears_a_job_from_its_coming_to_its_end_as_lists_show_it() {
    let here = Installation::new();
    let worker = here.worker().await;
    let mut listener = here.control.changes(&here.owner, None).await.unwrap();
    let id = here.submit(|_| {}).await.unwrap();
    let job = job_heard(&mut listener).await;
    assert_eq!((job.id, job.state), (id, JobState::Queued));
    // The clock stands: what happens meanwhile comes as one.
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}, output("secret")]).await.unwrap();
    here.pass(250).await;
    let job = job_heard(&mut listener).await;
    assert_eq!((job.state, job.worker.is_some(), job.stdout), (JobState::Running, true, None));
    here.append(&lease, 2, vec![output("more")]).await.unwrap();
    here.pass(1000).await;
    while !is_silent(&mut listener).await {}
    here.settle(&lease, 3, vec![]).await.unwrap();
    here.pass(1000).await;
    let mut ended = job_heard(&mut listener).await;
    let listed = here.control.jobs(&here.owner, gambeson_control::JobFilter::default()).await.unwrap().jobs.remove(0);
    // A list leaves the layers of a report in the store; neither shows them.
    ended.now = listed.now;
    assert_eq!(ended, listed);
}

#[tokio::test]
async fn the_queue_is_told_at_most_once_a_second_and_output_changes_nothing() {
    let here = Installation::new();
    let worker = here.worker().await;
    let mut listener = here.control.changes(&here.owner, None).await.unwrap();
    let mut queues = Vec::new();
    for _ in 0..3 {
        here.submit(|_| {}).await.unwrap();
    }
    while queues.is_empty() {
        queues.extend(heard(&mut listener).await.into_iter().filter(|change| matches!(change, Change::Queue { .. })));
    }
    let [Change::Queue { queue }] = &queues[..] else { panic!("one: {queues:?}") };
    assert!((1..=3).contains(&queue.queued), "{queue:?}");
    let lease = here.leases(&worker, 1000).await.remove(0);
    while !is_silent(&mut listener).await {}
    here.pass(1000).await;
    loop {
        if let Some(Change::Queue { queue }) = heard(&mut listener).await.pop() {
            assert_eq!((queue.queued, queue.running), (0, 3));
            break;
        }
    }
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    here.pass(2000).await;
    while !is_silent(&mut listener).await {}
    for place in 0..20 {
        here.append(&lease, 1 + place, vec![output("x")]).await.unwrap();
        here.pass(200).await;
    }
    assert!(is_silent(&mut listener).await);
}

#[tokio::test]
async fn nobody_hears_of_what_they_may_not_list_or_of_workers_that_they_may_not_see() {
    let here = Installation::new();
    let worker = here.worker().await;
    here.control.project_create(&here.owner, serde_json::from_str(r#"{"name":"other"}"#).unwrap()).await.unwrap();
    let mut listeners = Vec::new();
    for (name, role) in
        [("ada", Some("submitter")), ("bob", Some("submitter")), ("vera", Some("viewer")), ("eve", None)]
    {
        let caller = caller_with(&here, name, role, &["jobs:read", "jobs:write"]).await;
        let listener = here.control.changes(&caller, None).await.unwrap();
        listeners.push((caller, listener));
    }
    let [ada, bob, vera, eve] = &mut listeners[..] else { unreachable!() };
    let unseen = here.control.changes(&eve.0, Some("default")).await.unwrap_err();
    let nowhere = here.control.changes(&eve.0, Some("nowhere")).await.unwrap_err();
    assert_eq!(unseen.detail, nowhere.detail.replace("nowhere", "default"));
    let theirs = here.submit(|submission| submission.project = Some("other".into())).await.unwrap();
    let Accepted::Job(adas) = here.control.submit(&ada.0, Submission::of_source("1"), Duration::ZERO).await.unwrap()
    else {
        panic!("a job")
    };
    let leases = here.leases(&worker, 1000).await;
    assert_eq!(leases.len(), 2);
    here.pass(1000).await;
    for listener in [&mut ada.1, &mut vera.1] {
        let job = job_heard(listener).await;
        assert_eq!((job.id, job.worker), (adas.id, None));
    }
    // They see the queue of the project, and in it no job of another's.
    loop {
        let changes = heard(&mut bob.1).await;
        let [Change::Queue { queue }] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!(queue.next, []);
        if queue.running == 1 {
            break;
        }
    }
    assert!(is_silent(&mut eve.1).await);
    let mut all = here.control.changes(&here.owner, Some("other")).await.unwrap();
    here.control.job_cancel(&here.owner, theirs).await.unwrap();
    here.control.job_cancel(&here.owner, adas.id).await.unwrap();
    here.pass(1000).await;
    assert_eq!(job_heard(&mut all).await.id, theirs, "control: the same is heard by who may");
    while let Ok(next) = tokio::time::timeout(Duration::from_millis(700), all.next()).await {
        let told = next.unwrap().unwrap();
        assert!(told.iter().all(|news| !news.json().contains(&adas.id.to_string())), "{told:?}");
    }
}

#[tokio::test]
async fn a_role_that_is_lost_or_given_meanwhile_counts_and_a_revoked_key_ends_it() {
    let here = Installation::new();
    let eve = caller_with(&here, "eve", None, &["jobs:read"]).await;
    let mut listener = here.control.changes(&eve, None).await.unwrap();
    let role = MemberChange { project: "default".into(), user: "eve".into(), role: "viewer".into() };
    here.control.member_add(&here.owner, role.clone()).await.unwrap();
    assert_eq!(heard(&mut listener).await, [Change::Missed {}]);
    let id = here.submit(|_| {}).await.unwrap();
    assert_eq!(job_heard(&mut listener).await.id, id);
    let mut one = here.control.changes(&eve, Some("default")).await.unwrap();
    here.control.member_remove(&here.owner, role).await.unwrap();
    while heard(&mut listener).await != [Change::Missed {}] {}
    here.submit(|_| {}).await.unwrap();
    here.pass(1000).await;
    assert!(is_silent(&mut listener).await);
    assert_eq!(one.next().await.unwrap_err().code, Code::Forbidden, "it was all that was listened to");
    here.control.key_revoke(&here.owner, eve.key()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), listener.next()).await.unwrap();
    assert_eq!(ended.unwrap_err().code, Code::Unauthenticated);
}

#[tokio::test]
async fn too_much_at_once_is_missed_and_a_listener_ends_with_the_server() {
    let here = Installation::new();
    let mut listener = here.control.changes(&here.owner, None).await.unwrap();
    let array = Submission { array: Some(5000), ..Submission::of_source("x") };
    here.control.submit(&here.owner, array, Duration::ZERO).await.unwrap();
    loop {
        let changes = heard(&mut listener).await;
        if changes.contains(&Change::Missed {}) {
            assert!(changes.len() < 300, "{}", changes.len());
            break;
        }
    }
    here.control.drain().await;
    let end = async { while let Some(_news) = listener.next().await.unwrap() {} };
    tokio::time::timeout(Duration::from_secs(10), end).await.expect("it ends");
    assert_eq!(here.control.changes(&here.owner, None).await.unwrap_err().code, Code::Unavailable);
}

fn sums(history: &History) -> [u64; 4] {
    let sum = |of: fn(&Moment) -> u64| history.moments.iter().map(of).sum();
    [sum(|one| one.submitted), sum(|one| one.started), sum(|one| one.ended), sum(|one| one.failed)]
}

#[tokio::test]
async fn history_has_what_happened_when_and_how_long_jobs_waited() {
    let here = Installation::new();
    let worker = here.worker().await;
    here.control.tick().await.unwrap();
    let past = async || here.control.history(&here.owner, None, gambeson_control::Window::Hour).await.unwrap();
    assert_eq!(past().await.moments, []);
    here.submit(|_| {}).await.unwrap();
    here.submit(|_| {}).await.unwrap();
    here.pass(4_000).await;
    let leases = here.leases(&worker, 1000).await;
    here.append(&leases[0], 0, vec![Entry::Started {}]).await.unwrap();
    here.pass(1_000).await;
    let history = past().await;
    assert_eq!((history.step_ms, history.moments.len()), (5000, 1));
    let limits = Limits::default();
    let moment = history.moments[0];
    assert_eq!(moment.at, NOW.plus_ms(5_000));
    assert_eq!((moment.queued, moment.running, moment.submitted, moment.started), (0, 2, 2, 1));
    let waited = moment.wait_p50_ms.unwrap();
    assert!((3_750..=4_250).contains(&waited), "{waited}");
    assert_eq!(moment.wait_p90_ms, Some(waited));
    assert_eq!((moment.cpus_milli, moment.memory_bytes), (2 * u64::from(limits.cpus_milli), 2 * limits.memory_bytes));
    assert_eq!((moment.cpus_milli_most, moment.memory_bytes_most), (ROOM.cpus_milli.into(), ROOM.memory_bytes));
    here.settle(&leases[0], 1, vec![]).await.unwrap();
    here.control.job_cancel(&here.owner, leases[1].job).await.unwrap();
    here.control.lease_hand_back(leases[1].id, Some(&leases[1].token), HandBack { why: "x".into() }).await.unwrap();
    here.pass(5_000).await;
    assert_eq!(sums(&past().await), [2, 1, 2, 1]);
    let last = *past().await.moments.last().unwrap();
    assert_eq!((last.running, last.cpus_milli, last.wait_p50_ms), (0, 0, None));
    let day = here.control.history(&here.owner, None, gambeson_control::Window::Day).await.unwrap();
    assert_eq!((day.step_ms, day.moments.len(), sums(&day)), (120_000, 1, [2, 1, 2, 1]));
}

#[tokio::test]
async fn history_is_of_the_projects_whose_queue_one_sees_and_capacity_of_who_sees_workers() {
    let here = Installation::new();
    let worker = here.worker().await;
    here.leases(&worker, 0).await;
    here.control.project_create(&here.owner, serde_json::from_str(r#"{"name":"other"}"#).unwrap()).await.unwrap();
    let ada = caller_with(&here, "ada", Some("submitter"), &["jobs:read"]).await;
    let eve = caller_with(&here, "eve", None, &["jobs:read"]).await;
    here.submit(|submission| submission.project = Some("other".into())).await.unwrap();
    here.submit(|submission| submission.project = Some("default".into())).await.unwrap();
    here.pass(5_000).await;
    let seen = async |caller: &Caller, project: Option<&str>| {
        let history = here.control.history(caller, project, gambeson_control::Window::Quarter).await?;
        Ok::<_, Problem>((sums(&history)[0], history.moments[0].cpus_milli_most))
    };
    assert_eq!(seen(&here.owner, None).await, Ok((2, 4000)));
    assert_eq!(seen(&here.owner, Some("other")).await, Ok((1, 4000)));
    assert_eq!(seen(&ada, None).await, Ok((1, 0)));
    assert_eq!(seen(&eve, None).await, Ok((0, 0)));
    let unseen = seen(&ada, Some("other")).await.unwrap_err();
    assert_eq!(unseen.detail, seen(&ada, Some("nowhere")).await.unwrap_err().detail.replace("nowhere", "other"));
}

async fn kinds(here: &Installation, caller: &Caller) -> Vec<String> {
    let matters = here.control.attention(caller).await.unwrap().matters;
    assert!(matters.iter().all(|matter| matter.says.ends_with('.') && matter.remedy.ends_with('.')), "{matters:?}");
    matters.into_iter().map(|matter| matter.kind).filter(|kind| kind != "disk_low").collect()
}

#[tokio::test]
async fn what_wants_attention_is_told_to_who_may_see_what_it_is_about() {
    let here = Installation::new();
    let ada = caller_with(&here, "ada", Some("submitter"), &["jobs:read", "jobs:write"]).await;
    let bob = caller_with(&here, "bob", Some("submitter"), &["jobs:read"]).await;
    let eve = caller_with(&here, "eve", None, &["jobs:read"]).await;
    let none: [&str; 0] = [];
    for caller in [&here.owner, &ada, &eve] {
        assert_eq!(kinds(&here, caller).await, none);
    }
    here.control.submit(&ada, Submission::of_source("1"), Duration::ZERO).await.unwrap();
    assert_eq!(kinds(&here, &here.owner).await, ["no_worker"]);
    assert_eq!(kinds(&here, &bob).await, ["no_worker"], "of the queue as a whole everybody knows who sees it");
    assert_eq!(kinds(&here, &eve).await, none);

    let worker = here.worker().await;
    let lease = here.leases(&worker, 1000).await.remove(0);
    assert_eq!(kinds(&here, &here.owner).await, none);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    here.pass(60_000).await;
    assert_eq!(kinds(&here, &here.owner).await, ["worker_silent", "lost_jobs", "lost_leases"]);
    assert_eq!(kinds(&here, &ada).await, ["lost_jobs"]);
    let told = here.control.attention(&ada).await.unwrap().matters.remove(0);
    assert_eq!(told.job, Some(lease.job));
    assert_eq!(
        told.says,
        "1 job was lost in the last hour, of project default: its worker was not heard of after the program had started."
    );
    assert_eq!(kinds(&here, &bob).await, none, "it was another's job");
    here.leases(&worker, 0).await;
    here.clock.pass(3_500_000);
    assert_eq!(kinds(&here, &ada).await, ["lost_jobs"]);
    here.clock.pass(100_000);
    assert_eq!(kinds(&here, &ada).await, none);
}

#[tokio::test]
async fn a_quota_that_is_nearly_used_up_and_a_key_that_ends_soon_are_told_of() {
    let here = Installation::new();
    let project = here.control.project(&here.owner, "default").await.unwrap();
    let quota = Quota { queued: 2, cpu_ms_per_day: 100_000, ..project.quota };
    let change = ProjectChange { quota: Some(quota), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let ada = caller_with(&here, "ada", Some("submitter"), &["jobs:read"]).await;
    let limits = LimitsAsked { cpu: Some(Quantity("44s".into())), ..LimitsAsked::default() };
    for _ in 0..2 {
        here.submit(|submission| submission.limits = limits.clone()).await.unwrap();
    }
    let says = async |caller: &Caller| {
        let matters = here.control.attention(caller).await.unwrap().matters;
        let quotas = matters.into_iter().filter(|matter| matter.kind == "quota_near");
        quotas.map(|matter| format!("{}: {}", matter.severity, matter.says)).collect::<Vec<_>>()
    };
    let full = "error: Project default has used 100 % of the places in the queue.";
    assert_eq!(says(&here.owner).await, [full]);
    let change = ProjectChange { quota: Some(Quota { cpu_ms_per_day: 96_000, ..quota }), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let near = "warning: Project default has used 91 % of the CPU time of the day, what waiting and running jobs reserve included.";
    assert_eq!(says(&here.owner).await, [full, near]);
    assert!(says(&ada).await.is_empty(), "others' usage is theirs");

    let new = NewKey {
        name: "short".into(),
        user: None,
        project: None,
        scopes: vec!["jobs:read".into()],
        expires_in: Some("8d".into()),
    };
    let key = here.control.key_create(&here.owner, new).await.unwrap();
    let short = here.control.authenticate(Some(&key.secret)).unwrap();
    let ends = async |caller: &Caller| kinds(&here, caller).await.contains(&"key_expires".to_owned());
    assert!(!ends(&short).await);
    here.clock.pass(86_400_000);
    assert!(ends(&short).await && ends(&here.owner).await && !ends(&ada).await);
}
