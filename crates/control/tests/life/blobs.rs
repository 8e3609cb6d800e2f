//! What is kept for somebody, and who pays for it.

use super::*;

#[tokio::test]
async fn what_an_attempt_uploaded_that_was_not_settled_is_paid_for_by_nobody() {
    let here = Installation::new();
    let worker = here.worker().await;
    let upload = async |lease: &Lease, content: &[u8]| {
        let token = Some(lease.token.as_str());
        let digest = Digest::of(content);
        let mut writer = here.control.lease_blob_write(lease.id, token, digest, None).await.unwrap();
        writer.write(content).unwrap();
        writer.finish().await.unwrap();
        Artifact { path: "left.txt".into(), size: content.len() as u64, digest }
    };
    let lost = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    upload(&lease, b"never settled").await;
    upload(&lease, b"settled by another").await;
    assert_eq!(here.usage().await.stored_bytes, 13 + 18);

    here.submit(|_| {}).await.unwrap();
    let other = here.leases(&worker, 1000).await.remove(0);
    let artifacts = vec![upload(&other, b"settled by another").await];
    let settle = Settle {
        first: 0,
        entries: vec![Entry::Started {}],
        report: report(),
        artifacts: artifacts.clone(),
        skipped: Vec::new(),
    };
    here.control.lease_settle(other.id, Some(&other.token), settle).await.unwrap();

    here.pass(16_000).await;
    let ended = here.control.job(&here.owner, lost, Duration::from_secs(10)).await.unwrap();
    assert_eq!(ended.outcome.unwrap().end, End::Lost {});
    assert_eq!(here.usage().await.stored_bytes, 18);
    assert_eq!(here.job(other.job).await.artifacts, artifacts);
    let here = here.restart().await;
    assert_eq!(here.usage().await.stored_bytes, 18, "as the store says it");
}

#[tokio::test]
async fn what_is_sent_with_a_submission_counts_as_kept() {
    let here = Installation::new();
    let project = here.control.project(&here.owner, "default").await.unwrap();
    let quota = Quota { stored_bytes: 1 << 20, ..project.quota };
    let change = ProjectChange { quota: Some(quota), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let large = |size: usize| move |submission: &mut Submission| *submission = Submission::of_source("#".repeat(size));
    here.submit(|_| {}).await.unwrap();
    assert_eq!(here.usage().await.stored_bytes, 0);
    here.submit(large(900 << 10)).await.unwrap();
    assert!(here.usage().await.stored_bytes > 900 << 10);
    assert_eq!(here.submit(large(200 << 10)).await.unwrap_err().code, Code::QuotaExceeded);
    let listed = here.control.jobs(&here.owner, gambeson_control::JobFilter::default()).await.unwrap().jobs;
    assert_eq!((here.usage().await.queued, listed.len()), (2, 2), "what was refused left nothing");
    assert!(here.control.audit_verify(&here.owner, None).await.unwrap().whole);
}

#[tokio::test]
async fn what_goes_to_the_input_of_each_job_counts_though_its_files_repeat() {
    let here = Installation::new();
    let project = here.control.project(&here.owner, "default").await.unwrap();
    let quota = Quota { stored_bytes: 1 << 20, ..project.quota };
    let change = ProjectChange { quota: Some(quota), ..ProjectChange::default() };
    here.control.project_change(&here.owner, "default", change).await.unwrap();
    let with_input = |submission: &mut Submission| submission.stdin = "#".repeat(600 << 10);
    here.submit(with_input).await.unwrap();
    assert!(here.usage().await.stored_bytes > 600 << 10);
    assert_eq!(here.submit(with_input).await.unwrap_err().code, Code::QuotaExceeded);
    let elements = |submission: &mut Submission| {
        (submission.array, submission.stdin) = (Some(100), "#".repeat(6 << 10));
    };
    assert_eq!(here.submit(elements).await.unwrap_err().code, Code::QuotaExceeded, "each element has its own");
    let here = here.restart().await;
    assert!((600 << 10..700 << 10).contains(&here.usage().await.stored_bytes), "as the store says it");
}

/// Uploads a blob under a lease.
async fn upload(here: &Installation, lease: &Lease, bytes: &[u8]) -> Result<Digest, Problem> {
    let digest = Digest::of(bytes);
    let mut writer = here.control.lease_blob_write(lease.id, Some(&lease.token), digest, None).await?;
    writer.write(bytes)?;
    writer.finish().await.map(|blob| blob.digest)
}

#[tokio::test]
async fn artifacts_are_kept_counted_and_deleted_when_their_time_is_over() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    let digest = upload(&here, &lease, b"result").await.unwrap();
    let artifact = |path: &str, digest| Artifact { path: path.into(), size: 6, digest };
    let settle = Settle {
        first: 0,
        entries: vec![Entry::Started {}],
        report: report(),
        artifacts: vec![
            artifact("a.txt", digest),
            artifact("../b.txt", digest),
            artifact("c.txt", Digest::of(b"never uploaded")),
        ],
        skipped: Vec::new(),
    };
    here.control.lease_settle(lease.id, Some(&lease.token), settle).await.unwrap();
    let list = here.control.artifacts(&here.owner, id).await.unwrap();
    assert_eq!(list.artifacts.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["a.txt"]);
    assert_eq!(list.skipped.len(), 2, "{:?}", list.skipped);
    let open = here.control.artifact(&here.owner, id, "a.txt").await.unwrap();
    assert_eq!(std::io::read_to_string(open.file).unwrap(), "result");
    assert_eq!(here.usage().await.stored_bytes, 6);
    assert!(upload(&here, &lease, b"late").await.is_err(), "its lease is over");

    here.clock.pass(8 * 86_400_000);
    here.control.tick().await.unwrap();
    assert_eq!(here.usage().await.stored_bytes, 0);
    let gone = here.control.artifact(&here.owner, id, "a.txt").await.unwrap_err();
    assert_eq!(gone.code, Code::Gone);
    assert_eq!(here.job(id).await.state, JobState::Ended, "the job itself is kept longer");
    assert_eq!(here.kinds_left(id).await, ["ended"], "and of its events the last");
}

#[tokio::test]
async fn a_job_may_name_only_blobs_that_its_project_has() {
    let here = Installation::new();
    let digest = Digest::of(b"data");
    let with_blob = |submission: &mut Submission| {
        submission.files.insert("data".into(), FileContent::Blob { digest, size: None, executable: false });
    };
    assert_eq!(here.submit(with_blob).await.unwrap_err().code, Code::BlobsMissing);
    let put = async |project: &str| {
        let mut writer = here.control.blob_write(&here.owner, Some(project), digest, None).await.unwrap();
        writer.write(b"data").unwrap();
        writer.finish().await.unwrap();
    };
    let other = NewProject { name: "other".into(), settings: ProjectChange::default() };
    here.control.project_create(&here.owner, other).await.unwrap();
    put("other").await;
    let in_default = |submission: &mut Submission| {
        with_blob(submission);
        submission.project = Some("default".into());
    };
    assert_eq!(here.submit(in_default).await.unwrap_err().code, Code::BlobsMissing, "a digest is no key");
    put("default").await;
    let id = here.submit(in_default).await.unwrap();
    let worker = here.worker().await;
    let lease = here.leases(&worker, 1000).await.remove(0);
    assert_eq!(lease.job, id);
    let open = here.control.lease_blob_read(lease.id, Some(&lease.token), digest).await.unwrap();
    assert_eq!(std::io::read_to_string(open.file).unwrap(), "data");
    let foreign = here.control.lease_blob_read(lease.id, Some(&lease.token), Digest::of(b"other")).await.unwrap_err();
    assert_eq!(foreign.code, Code::NotFound);
}

/// Makes blobs known to the first project, as an upload does.
async fn uploaded(here: &Installation, count: usize) -> Vec<Digest> {
    let mut digests = Vec::new();
    for index in 0..count {
        let content = format!("{index}");
        let digest = Digest::of(content.as_bytes());
        let mut writer = here.control.blob_write(&here.owner, Some("default"), digest, None).await.unwrap();
        writer.write(content.as_bytes()).unwrap();
        writer.finish().await.unwrap();
        digests.push(digest);
    }
    digests
}

fn array_of(size: u32, digests: &[Digest]) -> Submission {
    let mut submission = Submission { array: Some(size), ..Submission::of_source("print(1)") };
    for (index, digest) in digests.iter().enumerate() {
        let file = FileContent::Blob { digest: *digest, size: None, executable: false };
        submission.files.insert(format!("data/{index}"), file);
    }
    submission
}

#[tokio::test]
async fn what_an_array_brings_is_kept_once_until_its_last_element_has_ended() {
    let here = Installation::new();
    let digests = uploaded(&here, 2).await;
    let submitted = here.control.submit(&here.owner, array_of(250, &digests), Duration::ZERO).await.unwrap();
    let Accepted::Array(array) = submitted else { panic!("an array") };
    let rows = |sql: &str| {
        let db = rusqlite::Connection::open(here.dir.path().join("store.sqlite")).unwrap();
        db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(rows("SELECT count(*) FROM hold"), 2 + 3, "two uploads; the array's, and what it asks for");
    let worker = here.worker().await;
    let held = here.leases(&worker, 1000).await;
    here.control.array_cancel(&here.owner, array.array).await.unwrap();
    assert_eq!(rows("SELECT count(*) FROM job WHERE state < 3"), 4, "all are cancelled but those that run");
    here.clock.pass(30 * 86_400_000);
    here.control.tick().await.unwrap();
    assert_eq!(rows("SELECT count(*) FROM hold"), 3, "the uploads are over, the array is not");
    assert!(here.usage().await.stored_bytes > 2);
    let here = here.restart().await;
    for lease in &held {
        here.control.lease_blob_read(lease.id, Some(&lease.token), digests[0]).await.expect("it is still needed");
        here.settle(lease, 0, vec![Entry::Started {}]).await.unwrap();
    }
    here.clock.pass(30 * 86_400_000);
    here.control.tick().await.unwrap();
    assert_eq!(here.usage().await.stored_bytes, 0);
}

#[tokio::test]
#[ignore = "it measures; nothing is asserted"]
async fn an_array_with_many_blobs_takes_this_long() {
    let here = Installation::new();
    let digests = uploaded(&here, 20).await;
    for (size, blobs, labels) in [(10_000, 0, 0), (10_000, 20, 0), (10_000, 0, 5)] {
        let mut submission = array_of(size, &digests[..blobs]);
        submission.labels = (0..labels).map(|index| (format!("l{index}"), "v".repeat(100))).collect();
        let begun = std::time::Instant::now();
        let Accepted::Array(array) = here.control.submit(&here.owner, submission, Duration::ZERO).await.unwrap() else {
            panic!("an array")
        };
        println!("{size} elements, {blobs} blobs, {labels} labels: {:?}", begun.elapsed());
        let begun = std::time::Instant::now();
        here.control.array_cancel(&here.owner, array.array).await.unwrap();
        println!("cancelled in {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_worker_cannot_claim_as_an_artifact_what_it_did_not_upload_under_this_job() {
    let here = Installation::new();
    let other = NewProject { name: "other".into(), settings: ProjectChange::default() };
    here.control.project_create(&here.owner, other).await.unwrap();
    let secret = Digest::of(b"of another project");
    let mut writer = here.control.blob_write(&here.owner, Some("other"), secret, None).await.unwrap();
    writer.write(b"of another project").unwrap();
    writer.finish().await.unwrap();
    let worker = here.worker().await;
    let in_default = |submission: &mut Submission| submission.project = Some("default".into());
    let (first, second) = (here.submit(in_default).await.unwrap(), here.submit(in_default).await.unwrap());
    let leases = here.leases(&worker, 1000).await;
    let of = |job| leases.iter().find(|lease| lease.job == job).unwrap();
    let uploaded = upload(&here, of(first), b"mine").await.unwrap();
    let artifact = |path: &str, digest| Artifact { path: path.into(), size: 1, digest };
    for (job, kept) in [(second, vec![]), (first, vec!["mine"])] {
        let settle = Settle {
            first: 0,
            entries: vec![Entry::Started {}],
            report: report(),
            artifacts: vec![artifact("mine", uploaded), artifact("secret", secret)],
            skipped: Vec::new(),
        };
        here.control.lease_settle(of(job).id, Some(&of(job).token), settle).await.unwrap();
        let list = here.control.artifacts(&here.owner, job).await.unwrap();
        assert_eq!(list.artifacts.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), kept);
        assert!(list.skipped.iter().all(|skipped| skipped.why.contains("not uploaded")), "{:?}", list.skipped);
    }
}

#[tokio::test]
async fn the_house_is_kept_a_bounded_part_at_a_time_and_what_is_done_is_not_looked_at_again() {
    let here = Installation::new();
    let path = here.dir.path().join("store.sqlite");
    let count = |sql: &str| {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let events = || count("SELECT count(*) FROM event");
    let submitted = here.control.submit(&here.owner, array_of(500, &[]), Duration::ZERO).await.unwrap();
    let Accepted::Array(array) = submitted else { panic!("an array") };
    here.control.array_cancel(&here.owner, array.array).await.unwrap();
    here.clock.pass(1000);
    let worker = here.worker().await;
    here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    for place in 0..12 {
        here.append(&lease, 1 + place * 1000, vec![output("x"); 1000]).await.unwrap();
    }
    here.settle(&lease, 12_001, vec![]).await.unwrap();
    assert_eq!(events(), 1000 + 12_004);
    here.clock.pass(8 * 86_400_000);
    // The writer may take turns of its own in between.
    let mut left = vec![events()];
    while *left.last().unwrap() > 501 && left.len() < 20 {
        here.control.tick().await.unwrap();
        left.push(events());
    }
    assert!(left.len() > 3, "{left:?}");
    assert!(left.windows(2).all(|turn| turn[0] - turn[1] <= 2 * 5_000), "{left:?}");
    assert_eq!(left.last(), Some(&501), "{left:?}");
    let here = here.restart().await;
    here.clock.pass(30 * 86_400_000);
    for _ in 0..20 {
        here.control.tick().await.unwrap();
    }
    assert_eq!(count("SELECT count(*) FROM job"), 0);
    assert_eq!(count("SELECT count(*) FROM event") + count("SELECT count(*) FROM source"), 0);
}
