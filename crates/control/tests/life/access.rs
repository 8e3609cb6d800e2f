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
        here.control.user_create(&here.owner, NewUser { name: name.into(), kind: UserKind::Person }).await.unwrap();
        let change = MemberChange { project: "default".into(), user: name.into(), role: role.into() };
        here.control.member_add(&here.owner, change).await.unwrap();
        let new = NewKey {
            name: "k".into(),
            user: Some(name.into()),
            project: None,
            scopes: vec!["jobs:read".into(), "jobs:write".into()],
            expires_in: None,
        };
        let key = here.control.key_create(&here.owner, new).await.unwrap();
        callers.push(here.control.authenticate(Some(&key.secret)).unwrap());
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
