//! Uploads: what they may take of the disk, and what is left of those that are refused.

use std::path::Path;
use std::time::Duration;

use gambeson_api::work::{Enrol, Lease, LeaseRequest, Room};
use gambeson_api::*;
use gambeson_control::{BlobWriter, Caller, Clock, Config, Control};

const ROOM: Room = Room { slots: 4, cpus_milli: 4000, memory_bytes: 8 << 30 };

struct Installation {
    control: Control,
    owner: Caller,
    dir: tempfile::TempDir,
}

impl Installation {
    /// One whose users may keep `bytes`.
    fn with_room(bytes: u64) -> Installation {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path());
        config.user_quota.stored_bytes = bytes;
        let opened = Control::open(config, Clock::System).unwrap();
        let owner = opened.control.authenticate(opened.setup_key.as_deref()).unwrap();
        Installation { control: opened.control, owner, dir }
    }

    async fn begin(&self, bytes: &[u8], said: bool) -> Result<BlobWriter, Problem> {
        let size = said.then_some(bytes.len() as u64);
        self.control.blob_write(&self.owner, None, Digest::of(bytes), size).await
    }

    async fn upload(&self, bytes: &[u8], said: bool) -> Result<Blob, Problem> {
        let mut writer = self.begin(bytes, said).await?;
        for piece in bytes.chunks(10) {
            writer.write(piece)?;
        }
        writer.finish().await
    }

    /// Bytes of all files of blobs, finished or not.
    async fn on_disk(&self) -> u64 {
        // What a commit brings about is done before the next one is answered.
        for _ in 0..2 {
            let _ = self.control.blob_write(&self.owner, None, Digest::of(b""), Some(0)).await;
        }
        fn below(dir: &Path) -> u64 {
            let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
            let sizes = entries.map(|entry| match entry.metadata().unwrap() {
                metadata if metadata.is_dir() => below(&entry.path()),
                metadata => metadata.len(),
            });
            sizes.sum()
        }
        below(&self.dir.path().join("blobs"))
    }

    async fn lease(&self, source: &str, files: &[(&str, Digest)]) -> Lease {
        let token = self.control.join_token(&self.owner).await.unwrap().token;
        let id = WorkerId::new();
        let credential = gambeson_api::work::credential(id, &[7; 32]);
        let enrol = Enrol {
            worker: id,
            credential: Digest::of(credential.as_bytes()),
            name: "one".into(),
            room: ROOM,
            version: "0".into(),
            environment: "CPython".into(),
            layers: Vec::new(),
        };
        self.control.worker_enrol(Some(&token), enrol).await.unwrap();
        let worker = self.control.authenticate_worker(Some(&credential)).unwrap();
        let mut submission = Submission::of_source(source);
        for (name, digest) in files {
            submission
                .files
                .insert((*name).into(), serde_json::from_value(serde_json::json!({"digest": digest})).unwrap());
        }
        self.control.submit(&self.owner, submission, Duration::ZERO).await.unwrap();
        let request = LeaseRequest {
            room: ROOM,
            free: ROOM,
            wait_ms: 10_000,
            version: "0".into(),
            environment: "CPython".into(),
            layers: None,
        };
        self.control.worker_lease(&worker, request).await.unwrap().leases.remove(0)
    }
}

#[tokio::test]
async fn what_does_not_fit_the_quota_is_refused_before_it_is_received() {
    let here = Installation::with_room(100);
    assert_eq!(here.begin(&[1; 101], true).await.unwrap_err().code, Code::QuotaExceeded);
    here.upload(&[1; 60], true).await.unwrap();
    assert_eq!(here.begin(&[2; 41], true).await.unwrap_err().code, Code::QuotaExceeded);
    // One that does not say its size ends where the room does.
    let mut unsaid = here.begin(&[2; 50], false).await.unwrap();
    unsaid.write(&[2; 40]).unwrap();
    assert_eq!(unsaid.write(&[2; 10]).unwrap_err().code, Code::QuotaExceeded);
    drop(unsaid);
    assert_eq!(here.on_disk().await, 60);
    // What is kept already costs nothing, however full it is.
    here.upload(&[3; 40], true).await.unwrap();
    here.upload(&[1; 60], true).await.unwrap();
    assert_eq!(here.on_disk().await, 100);
}

#[tokio::test]
async fn uploads_at_the_same_time_share_the_room() {
    let here = Installation::with_room(100);
    let mut writers = Vec::new();
    let mut refused = 0;
    for index in 0..10 {
        match here.begin(&[index; 30], true).await {
            Ok(writer) => writers.push((index, writer)),
            Err(problem) => {
                assert_eq!(problem.code, Code::QuotaExceeded);
                refused += 1;
            }
        }
    }
    assert_eq!((writers.len(), refused), (3, 7));
    for (index, mut writer) in writers {
        writer.write(&[index; 30]).unwrap();
        writer.finish().await.unwrap();
    }
    assert_eq!(here.on_disk().await, 90);
}

#[tokio::test]
async fn of_an_upload_that_is_refused_at_its_end_no_file_is_left() {
    let here = Installation::with_room(20_000);
    let mut late = here.begin(&[1; 15_000], true).await.unwrap();
    late.write(&[1; 15_000]).unwrap();
    // A submission, which no upload knows of, takes the room meanwhile.
    let mut submission = Submission::of_source("1");
    submission.stdin = "x".repeat(18_000);
    here.control.submit(&here.owner, submission, Duration::ZERO).await.unwrap();
    assert_eq!(late.finish().await.unwrap_err().code, Code::QuotaExceeded);
    assert_eq!(here.on_disk().await, 0);
}

#[tokio::test]
async fn a_lease_reads_the_blobs_that_its_job_names_as_files_and_no_others() {
    let here = Installation::with_room(1 << 20);
    here.upload(b"named", true).await.unwrap();
    here.upload(b"other", true).await.unwrap();
    let (named, other) = (Digest::of(b"named"), Digest::of(b"other"));
    let lease = here.lease(&format!("print('{other}')"), &[("data", named)]).await;
    assert!(here.control.lease_blob_read(lease.id, Some(&lease.token), named).await.is_ok());
    let refused = here.control.lease_blob_read(lease.id, Some(&lease.token), other).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound, "its text stands in the program, and that is no name");
}
