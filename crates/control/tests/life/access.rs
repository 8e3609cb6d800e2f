//! Who may what, and what the audit log says of it.

use super::*;

#[tokio::test]
async fn a_log_whose_end_was_cut_off_between_two_starts_is_never_whole_again() {
    let here = Installation::new();
    here.submit(|_| {}).await.unwrap();
    here.control.close().await;
    let cut = "DELETE FROM audit WHERE seq > (SELECT max(seq) - 1 FROM audit)";
    rusqlite::Connection::open(here.dir.path().join("store.sqlite")).unwrap().execute_batch(cut).unwrap();
    let here = here.restart().await.restart().await;
    here.submit(|_| {}).await.expect("it runs all the same");
    let verdict = here.control.audit_verify(&here.owner, None).await.unwrap();
    assert!(!verdict.whole && verdict.broken.unwrap().contains("rows are missing at the end"));
    let rows = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    let said: Vec<&AuditRow> = rows.iter().filter(|row| row.action == "audit.broken").collect();
    assert_eq!((said.len(), said[0].actor.as_str()), (1, "system"));
}

#[tokio::test]
async fn submitters_see_their_own_jobs_and_viewers_all_of_the_project() {
    let here = Installation::new();
    let mut callers = Vec::new();
    for (name, role) in [("ada", "submitter"), ("bob", "submitter"), ("vera", "viewer")] {
        callers.push(caller_with(&here, name, Some(role), &["jobs:read", "jobs:write"]).await);
    }
    let [ada, bob, vera] = &callers[..] else { unreachable!() };
    let submitted = here.control.submit(ada, Submission::of_source("1"), Duration::ZERO).await.unwrap();
    let Accepted::Job(job) = submitted else { unreachable!() };
    let count = async |caller: &Caller| {
        here.control.jobs(caller, gambeson_control::JobFilter::default()).await.unwrap().jobs.len()
    };
    assert_eq!((count(ada).await, count(bob).await, count(vera).await), (1, 0, 1));
    let seen = |caller| here.control.job(caller, job.id, Duration::ZERO);
    assert_eq!(seen(bob).await.unwrap_err().code, Code::NotFound);
    assert!(seen(vera).await.is_ok());
    assert_eq!(here.control.job_cancel(bob, job.id).await.unwrap_err().code, Code::NotFound);
    assert_eq!(here.control.job_cancel(vera, job.id).await.unwrap_err().code, Code::Forbidden);
    let refused = here.control.submit(vera, Submission::of_source("1"), Duration::ZERO).await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);
    let rows = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    let denied: Vec<(&str, &str)> =
        rows.iter().filter(|row| !row.allowed).map(|row| (row.actor.as_str(), row.action.as_str())).collect();
    assert_eq!(denied, [("bob", "job.view"), ("bob", "job.cancel"), ("vera", "job.cancel"), ("vera", "job.submit")]);
}

#[tokio::test]
async fn quotas_refuse_with_the_time_to_come_again() {
    let here = Installation::new();
    let project = here.control.project(&here.owner, "default").await.unwrap();
    let quota = Quota { queued: 2, ..project.quota };
    let change = ProjectChange { quota: Some(quota), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    here.submit(|_| {}).await.unwrap();
    here.submit(|_| {}).await.unwrap();
    let refused = here.submit(|_| {}).await.unwrap_err();
    assert_eq!((refused.code, refused.retry_after_s), (Code::QuotaExceeded, Some(10)));
    let rows = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    let last = rows.iter().rfind(|row| row.action == "job.submit").unwrap();
    assert!(!last.allowed && last.detail["code"] == "quota_exceeded", "{last:?}");
}

/// Another user with a role in the first project, and a key with these scopes.
pub async fn caller_with(here: &Installation, name: &str, role: Option<&str>, scopes: &[&str]) -> Caller {
    here.control.user_create(&here.owner, NewUser { name: name.into(), kind: UserKind::Person }).await.unwrap();
    if let Some(role) = role {
        let change = MemberChange { project: "default".into(), user: name.into(), role: role.into() };
        here.control.member_add(&here.owner, change).await.unwrap();
    }
    let new = NewKey {
        name: "k".into(),
        user: Some(name.into()),
        project: None,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        expires_in: None,
    };
    let key = here.control.key_create(&here.owner, new).await.unwrap();
    here.control.authenticate(Some(&key.secret)).unwrap()
}

#[tokio::test]
async fn a_key_that_may_only_submit_does_not_pass_the_ceilings_of_its_project() {
    let here = Installation::new();
    let change = ProjectChange { class_most: Some(Class::Normal), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let may = caller_with(&here, "ada", Some("submitter"), &["jobs:write"]).await;
    let may_not = caller_with(&here, "eve", None, &["jobs:write"]).await;
    let submit = async |caller: &Caller, change: fn(&mut Submission)| {
        let mut submission = Submission { project: Some("default".into()), ..Submission::of_source("print(1)") };
        change(&mut submission);
        here.control.submit(caller, submission, Duration::ZERO).await
    };
    for (change, code) in [
        ((|submission| submission.class = Class::High) as fn(&mut Submission), Code::LimitsAboveCeiling),
        (|submission| submission.limits.wall = Some(Quantity("2h".into())), Code::LimitsAboveCeiling),
        (|submission| submission.entry = "none.py".into(), Code::InvalidSubmission),
    ] {
        let known = submit(&may, change).await.map(drop).unwrap_err();
        assert_eq!(known.code, code, "{known}");
        let unknown = submit(&may_not, change).await.map(drop).unwrap_err();
        assert_eq!((unknown.code, unknown.detail.contains("\"default\"")), (Code::NotFound, true), "{unknown}");
    }
    assert!(submit(&may, |_| {}).await.is_ok());
}

async fn rows(here: &Installation) -> Vec<AuditRow> {
    here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_a_row_before_the_answer() {
    let here = Installation::new();
    let ada = caller_with(&here, "ada", Some("submitter"), &["*"]).await;
    let bob = caller_with(&here, "bob", None, &["*"]).await;
    let (job, digest) = (JobId::new(), Digest::of(b"somebody else's"));
    assert!(here.control.blob_read(&ada, digest).await.is_err());
    assert!(here.control.job(&ada, job, Duration::ZERO).await.is_err());
    let elsewhere = Submission { project: Some("none".into()), ..Submission::of_source("1") };
    assert!(here.control.submit(&ada, elsewhere, Duration::ZERO).await.is_err());
    assert!(here.control.usage(&ada, Some("none"), None).await.is_err());
    let question = ExplainRequest {
        user: None,
        action: "job.list".into(),
        project: Some("default".into()),
        job: None,
        context: Default::default(),
    };
    assert!(here.control.access_explain(&bob, question).await.is_err());
    let rows = rows(&here).await;
    let denied: Vec<(&str, &str)> =
        rows.iter().filter(|row| !row.allowed).map(|row| (row.actor.as_str(), row.action.as_str())).collect();
    let expected = [("ada", "blob.read"), ("ada", "job.view"), ("ada", "job.submit"), ("ada", "usage.view")];
    assert_eq!(denied, [&expected[..], &[("bob", "access.explain")]].concat());
    assert!(rows.iter().any(|row| row.resource == job.to_string()));
    assert!(here.control.audit_verify(&here.owner, None).await.unwrap().whole);
}

#[tokio::test]
async fn what_comes_often_has_a_row_a_minute_with_its_count() {
    let here = Installation::new();
    let id = here.submit(|_| {}).await.unwrap();
    for _ in 0..50 {
        here.job(id).await;
    }
    let limited = (0..1000).filter(|_| here.control.authenticate(Some(&here.key)).is_err()).count() as u64;
    assert!(limited > 500);
    for _ in 0..30 {
        assert!(here.control.authenticate(Some("gmb_no")).is_err());
        assert!(here.control.authenticate_worker(Some("gmw_no")).is_err());
    }
    here.control.tick().await.unwrap();
    here.pass(61_000).await;
    let rows = rows(&here).await;
    let of = |action: &str, code: &str| {
        let of_code = |row: &&AuditRow| row.action == action && row.detail["code"].as_str().unwrap_or("") == code;
        let rows: Vec<&AuditRow> = rows.iter().filter(of_code).collect();
        let acts: u64 = rows.iter().map(|row| row.detail["count"].as_u64().unwrap_or(1)).sum();
        (rows.len() <= 2, acts)
    };
    assert_eq!(of("job.view", ""), (true, 50));
    assert_eq!(of("authenticate", "rate_limited"), (true, limited));
    assert_eq!(of("authenticate", "unauthenticated"), (true, 30));
    assert_eq!(of("worker.authenticate", "unauthenticated"), (true, 30));
    assert!(here.control.audit_verify(&here.owner, None).await.unwrap().whole);
}

#[tokio::test]
async fn a_user_has_as_many_keys_as_one_may_and_none_outlives_its_maker() {
    let here = Installation::with(|config| config.keys_per_user = 3);
    let bob = caller_with(&here, "bob", None, &["*"]).await;
    let new = |user: Option<&str>, project: Option<&str>, expires_in: Option<&str>| NewKey {
        name: "k".into(),
        user: user.map(str::to_owned),
        project: project.map(str::to_owned),
        scopes: vec!["*".into()],
        expires_in: expires_in.map(str::to_owned),
    };
    let short = here.control.key_create(&here.owner, new(None, None, Some("1h"))).await.unwrap();
    let short = here.control.authenticate(Some(&short.secret)).unwrap();
    let end = Some(NOW.plus_ms(3_600_000));
    for expires_in in [None, Some("30d")] {
        let made = here.control.key_create(&short, new(Some("bob"), None, expires_in)).await.unwrap();
        assert_eq!(made.key.expires_at, end);
    }
    let refused = here.control.key_create(&bob, new(None, None, None)).await.unwrap_err();
    assert_eq!((refused.code, refused.detail.contains("revoke one")), (Code::QuotaExceeded, true), "{refused}");
    here.clock.pass(3_600_000);
    here.control.key_create(&bob, new(None, None, None)).await.expect("two are over");
    // A project that bob has no role in, and one that is not there, are the same to him.
    for name in ["default", "none"] {
        let refused = here.control.key_create(&bob, new(None, Some(name), None)).await.unwrap_err();
        assert_eq!(refused.detail, format!("there is no project {name:?} that you may see"));
        assert_eq!(refused.code, Code::NotFound);
    }
    here.clock.pass(40 * 86_400_000);
    here.control.tick().await.unwrap();
    assert_eq!(here.control.keys(&here.owner, Some("bob")).await.unwrap().keys.len(), 2, "and are forgotten");
}

#[tokio::test]
async fn the_queue_of_a_project_tells_nothing_of_the_load_of_others() {
    let here = Installation::new();
    let other = NewProject { name: "other".into(), settings: ProjectChange::default() };
    here.control.project_create(&here.owner, other).await.unwrap();
    for (project, jobs) in [("default", 2), ("other", 3)] {
        for _ in 0..jobs {
            here.submit(|submission| submission.project = Some(project.into())).await.unwrap();
        }
    }
    let ada = caller_with(&here, "ada", Some("submitter"), &["*"]).await;
    assert_eq!(here.control.queue(&ada).await.unwrap().queued, 2);
    assert_eq!(here.control.queue(&here.owner).await.unwrap().queued, 5);
}

#[tokio::test]
async fn the_log_is_searched_from_either_end_and_every_page_leads_to_the_next() {
    use gambeson_control::AuditFilter;
    let here = Installation::new();
    let ada = caller_with(&here, "ada", Some("submitter"), &["jobs:write"]).await;
    for _ in 0..5 {
        here.control.submit(&ada, Submission::of_source("1"), Duration::ZERO).await.unwrap();
    }
    let start = AuditFilter { limit: 2, ..AuditFilter::default() };
    let all = async |filter: &AuditFilter| {
        let (mut rows, mut filter) = (Vec::new(), filter.clone());
        loop {
            let page = here.control.audit_search(&here.owner, filter.clone()).await.unwrap();
            assert!(page.rows.len() <= 2);
            rows.extend(page.rows);
            let Some(next) = page.next else { return rows };
            filter.after = Some(next);
        }
    };
    // Asking is in the log as well, so that it grows: what was there before is what is compared.
    let before = here.control.audit(&here.owner, None, 0, 1000).await.unwrap().rows;
    let last = before.last().unwrap().seq;
    let upwards: Vec<u64> = all(&start).await.iter().map(|row| row.seq).filter(|seq| *seq <= last).collect();
    assert_eq!(upwards, (1..=last).collect::<Vec<_>>());
    let newest = AuditFilter { newest_first: true, ..start.clone() };
    let downwards: Vec<u64> = all(&newest).await.iter().map(|row| row.seq).filter(|seq| *seq <= last).collect();
    assert_eq!(downwards, (1..=last).rev().collect::<Vec<_>>());

    let by = |change: &dyn Fn(&mut AuditFilter)| {
        let mut filter = newest.clone();
        change(&mut filter);
        filter
    };
    let of_ada = all(&by(&|filter| filter.actor = Some("ada".into()))).await;
    assert_eq!(of_ada.iter().filter(|row| row.action == "job.submit").count(), 5);
    assert!(of_ada.iter().all(|row| row.actor == "ada"));
    let jobs = all(&by(&|filter| filter.action = Some("job".into()))).await;
    assert_eq!(jobs.len(), 5, "{jobs:?}");
    assert!(all(&by(&|filter| filter.action = Some("jo".into()))).await.is_empty());
    let refused = all(&by(&|filter| filter.allowed = Some(false))).await;
    assert!(refused.iter().all(|row| !row.allowed));
    let about = all(&by(&|filter| filter.resource = Some(of_ada[0].resource.clone()))).await;
    assert!(!about.is_empty() && about.iter().all(|row| row.resource == of_ada[0].resource));
    let (from, until) = (of_ada[1].at, of_ada[0].at.plus_ms(1));
    let between = all(&by(&|filter| (filter.from, filter.until) = (Some(from), Some(until)))).await;
    assert!(between.iter().all(|row| (from..until).contains(&row.at)));
    assert!(between.iter().any(|row| row.seq == of_ada[0].seq));
    assert!(all(&by(&|filter| filter.until = Some(gambeson_api::Time(0)))).await.is_empty());
}
