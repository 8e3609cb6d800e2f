//! What programs are given beside their files: kept once, read by whoever needs it.

use std::time::Duration;

use gambeson_api::*;
use gambeson_control::{Clock, Config, Control, JobFilter};

#[tokio::test]
async fn what_programs_are_given_is_stored_once_shown_whole_and_forgotten_with_the_last_job() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, time) = Clock::manual(Time(1_764_059_400_000));
    let opened = Control::open(Config::new(dir.path()), clock).unwrap();
    let control = opened.control;
    let owner = control.authenticate(opened.setup_key.as_deref()).unwrap();
    let mut submission = Submission::of_source("print(input())");
    submission.stdin = "x".repeat(1 << 20);
    submission.args = vec!["one".into(), "é".into()];
    submission.env.insert("NAME".into(), "value".into());
    submission.array = Some(50);
    let Accepted::Array(array) = control.submit(&owner, submission, Duration::ZERO).await.unwrap() else { panic!() };
    let store = dir.path().join("store.sqlite");
    let sources = || {
        let db = rusqlite::Connection::open(&store).unwrap();
        let count = "SELECT count(*), coalesce(sum(length(body)), 0) FROM source";
        db.query_row(count, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap()
    };
    let (count, bytes) = sources();
    assert_eq!(count, 2, "the files, and what is given to all fifty");
    assert!(bytes < 3 << 20, "{bytes}");
    let list = control.jobs(&owner, JobFilter { array: Some(array.array), ..JobFilter::default() }).await.unwrap();
    assert_eq!(list.jobs.len(), 50);
    for job in [&list.jobs[0], &list.jobs[49]] {
        let source = control.job_source(&owner, job.id).await.unwrap();
        assert_eq!((source.stdin.0.len(), &source.args[..]), (1 << 20, &["one".to_owned(), "é".to_owned()][..]));
        assert_eq!(source.env["NAME"], "value");
    }
    control.array_cancel(&owner, array.array).await.unwrap();
    // House is kept by the writer's ticks, which come by themselves: each look waits for one commit.
    time.pass(40 * 86_400_000);
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while sources().0 > 0 {
        assert!(std::time::Instant::now() < deadline, "they are never forgotten: {:?}", sources());
        let _ = control.array(&owner, array.array).await;
        tokio::task::yield_now().await;
    }
}
