//! Files in, files out.

use gambeson_api::work::Skipped;
use gambeson_api::{Artifact, Code, Digest, End, FileContent, LeaseId};

use crate::server::{Server, lease, listen};
use crate::{TTL, Worker};

fn blob(contents: &[u8]) -> FileContent {
    FileContent::Blob { digest: Digest::of(contents), size: Some(contents.len() as u64), executable: true }
}

fn submit_with(server: &Server, source: &str, path: &str, file: FileContent) -> LeaseId {
    let mut lease = lease(source);
    lease.files.insert(path.into(), file);
    server.submit(lease)
}

#[tokio::test]
async fn artifacts_arrive_under_their_digests_and_nothing_of_them_stays() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease(
        "import os\nos.makedirs('out/deep/er')\nopen('out/a.txt', 'w').write('alpha')\n\
         open('out/deep/er/b.bin', 'wb').write(bytes(range(256)) * 4096)\nos.symlink('/etc/passwd', 'out/link')\n",
    ));
    let settled = server.settled(job).await;
    let big: Vec<u8> = (0..=255).collect::<Vec<u8>>().repeat(4096);
    let artifact =
        |path: &str, bytes: &[u8]| Artifact { path: path.into(), size: bytes.len() as u64, digest: Digest::of(bytes) };
    assert_eq!(settled.artifacts, [artifact("a.txt", b"alpha"), artifact("deep/er/b.bin", &big)]);
    assert_eq!(settled.skipped, [Skipped { path: "link".into(), why: "is a symbolic link".into() }]);
    let uploaded = server.inner().seen.uploaded.clone();
    assert_eq!(uploaded.len(), 2);
    assert!(uploaded[&Digest::of(&big)] == big);
    worker.finish().await;
}

#[tokio::test]
async fn an_artifact_that_the_server_does_not_take_is_said_to_be_skipped() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.refuse_uploads = Some(Code::QuotaExceeded));
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease("import os\nos.mkdir('out')\nopen('out/a', 'w').write('x')"));
    let settled = server.settled(job).await;
    assert_eq!(settled.report.outcome.end, End::Exited { code: 0 });
    assert!(settled.artifacts.is_empty());
    assert_eq!(settled.skipped[0].path, "a");
    assert!(settled.skipped[0].why.contains("A quota is used up"), "{}", settled.skipped[0].why);
    worker.finish().await;
}

#[tokio::test]
async fn a_blob_is_fetched_once_and_found_where_the_job_wants_it() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    server.change(|inner| inner.blobs.insert(Digest::of(b"payload"), b"payload".to_vec()));
    for _ in 0..2 {
        let source = "import os\nprint(open('a/b/data').read(), os.access('a/b/data', os.X_OK))";
        let job = submit_with(&server, source, "a/b/data", blob(b"payload"));
        server.settled(job).await;
        assert_eq!(server.stdout(job), "payload True\n");
    }
    assert_eq!(server.inner().seen.blobs_sent, 1);
    worker.finish().await;
}

#[tokio::test]
async fn a_blob_of_another_content_is_no_blob_and_the_job_is_handed_back() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    server.change(|inner| inner.blobs.insert(Digest::of(b"payload"), b"forged!".to_vec()));
    let forged = submit_with(&server, "print(1)", "data", blob(b"payload"));
    let absent = submit_with(&server, "print(1)", "data", blob(b"absent"));
    let look = |lease| move |inner: &mut crate::server::Inner| inner.seen.handed_back.get(&lease).cloned();
    let why = server.until("the forged one comes back", look(forged)).await;
    assert!(why.contains(&Digest::of(b"forged!").to_string()), "{why}");
    server.until("the absent one comes back", look(absent)).await;
    worker.finish().await;
}

#[tokio::test]
async fn more_input_than_the_disk_holds_is_refused_in_a_sentence() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let mut large = lease("print(1)");
    large.limits.disk_bytes = 1 << 16;
    large.files.insert("data".into(), FileContent::text("x".repeat(1 << 17)));
    let job = server.submit(large);
    let settled = server.settled(job).await;
    assert_eq!(settled.report.outcome.end, End::Refused {});
    let said = &settled.report.outcome.message;
    assert!(said.contains("limit disk is 65536") && said.contains("--limit disk="), "{said}");
    worker.finish().await;
}
