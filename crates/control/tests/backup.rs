//! Copies of an installation that works, and what can be made of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gambeson_api::*;
use gambeson_control::{Caller, Clock, Config, Control};

struct Installation {
    control: Control,
    owner: Caller,
    key: String,
    dir: tempfile::TempDir,
}

/// An installation without a rate limit: these tests ask as fast as they can.
fn config(dir: &Path) -> Config {
    Config { rate_per_second: 1_000_000, rate_burst: 1_000_000, ..Config::new(dir) }
}

impl Installation {
    fn new() -> Installation {
        let dir = tempfile::tempdir().unwrap();
        let opened = Control::open(config(dir.path()), Clock::System).unwrap();
        let key = opened.setup_key.unwrap();
        let owner = opened.control.authenticate(Some(&key)).unwrap();
        Installation { control: opened.control, owner, key, dir }
    }

    async fn submit(&self, source: &str) -> JobId {
        match self.control.submit(&self.owner, Submission::of_source(source), Duration::ZERO).await.unwrap() {
            Accepted::Job(job) => job.id,
            Accepted::Array(array) => array.first,
        }
    }

    /// Submits without a pause until the guard is dropped.
    fn busy(&self) -> Busy {
        let (control, owner) = (self.control.clone(), self.owner.clone());
        let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stop, counted) = (Arc::clone(&over), Arc::clone(&count));
        tokio::spawn(async move {
            while !stop.load(Ordering::Acquire) {
                let submission = Submission::of_source(format!("print({})", counted.load(Ordering::Acquire)));
                control.submit(&owner, submission, Duration::ZERO).await.unwrap();
                counted.fetch_add(1, Ordering::AcqRel);
            }
        });
        Busy { over, count }
    }
}

struct Busy {
    over: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

fn integrity(store: &Path) -> String {
    let db = rusqlite::Connection::open(store).unwrap();
    db.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_finished_while_somebody_writes_all_the_time() {
    let here = Installation::new();
    // Some megabytes, so that the copy is more than a moment's work.
    let mut ids = Vec::new();
    for index in 0..24 {
        ids.push(here.submit(&format!("#{index}{}", "x".repeat(1 << 20))).await);
    }
    let busy = here.busy();
    let request = BackupRequest { name: "one".into() };
    let backup = tokio::time::timeout(Duration::from_secs(60), here.control.backup(&here.owner, request));
    let backup = backup.await.expect("it never ends").unwrap();
    assert!(busy.count.load(Ordering::Acquire) > 0, "nobody wrote meanwhile");
    drop(busy);
    let names: Vec<_> = std::fs::read_dir(here.dir.path().join("backups")).unwrap().collect();
    assert_eq!(names.len(), 1, "something was left beside it: {names:?}");

    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(&backup.path, elsewhere.path().join("store.sqlite")).unwrap();
    std::fs::copy(here.dir.path().join("audit.key"), elsewhere.path().join("audit.key")).unwrap();
    assert_eq!(integrity(&elsewhere.path().join("store.sqlite")), "ok");
    let opened = Control::open(config(elsewhere.path()), Clock::System).unwrap();
    let owner = opened.control.authenticate(Some(&here.key)).unwrap();
    assert!(opened.control.audit_verify(&owner, None).await.unwrap().whole);
    for id in ids {
        assert_eq!(opened.control.job(&owner, id, Duration::ZERO).await.unwrap().state, JobState::Queued);
    }
}

#[tokio::test]
async fn of_a_backup_that_fails_nothing_is_left() {
    let here = Installation::new();
    let backups = here.dir.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    std::fs::write(backups.join("taken"), "").unwrap();
    let request = |name: &str| BackupRequest { name: name.into() };
    let refused = here.control.backup(&here.owner, request("taken")).await.unwrap_err();
    assert_eq!(refused.code, Code::NameTaken);
    // Two at once under one name: one of them gets it, and the other leaves nothing.
    let (one, two) = tokio::join!(
        here.control.backup(&here.owner, request("both")),
        here.control.backup(&here.owner, request("both"))
    );
    assert_eq!(one.is_ok() as u8 + two.is_ok() as u8, 1, "{one:?} {two:?}");
    let mut names: Vec<_> = std::fs::read_dir(&backups).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["both", "taken"]);
}

/// An installation with a blob, stopped, and a backup of it.
async fn copied(lose: bool) -> (Installation, Digest, tempfile::TempDir) {
    let here = Installation::new();
    let digest = Digest::of(b"data");
    let mut blob = here.control.blob_write(&here.owner, None, digest, None).await.unwrap();
    blob.write(b"data").unwrap();
    blob.finish().await.unwrap();
    here.control.close().await;
    if lose {
        std::fs::remove_file(place(here.dir.path(), &digest)).unwrap();
    }
    let there = tempfile::tempdir().unwrap();
    gambeson_control::backup(here.dir.path(), &here.dir.path().join("policies"), &there.path().join("copy")).unwrap();
    (here, digest, there)
}

fn place(dir: &Path, digest: &Digest) -> std::path::PathBuf {
    dir.join("blobs").join(&digest.hex()[..2]).join(&digest.hex()[2..])
}

fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_not_as_it_was_copied_is_not_restored() {
    type Damage = fn(&Path, &Digest);
    let cases: [(&str, &str, Damage); 5] = [
        ("a blob that was changed", "it has the digest", |copy, digest| {
            // The copy may share the file with the installation: another file takes the name.
            std::fs::remove_file(place(copy, digest)).unwrap();
            std::fs::write(place(copy, digest), "dada").unwrap();
        }),
        ("a blob that is gone", "No such file", |copy, digest| std::fs::remove_file(place(copy, digest)).unwrap()),
        ("a store that was changed", "when it was made", |copy, _| {
            let db = rusqlite::Connection::open(copy.join("store.sqlite")).unwrap();
            db.execute("DELETE FROM audit WHERE seq = 1", []).unwrap();
        }),
        ("an audit log that was changed, with the manifest", "the audit log is not whole", |copy, _| {
            let db = rusqlite::Connection::open(copy.join("store.sqlite")).unwrap();
            db.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1", []).unwrap();
            drop(db);
            let store = Digest::of(&std::fs::read(copy.join("store.sqlite")).unwrap());
            let path = copy.join("backup.json");
            let mut said: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            said["store"] = store.to_string().into();
            std::fs::write(&path, said.to_string()).unwrap();
        }),
        ("another key", "the seal is broken", |copy, _| std::fs::write(copy.join("audit.key"), [1; 32]).unwrap()),
    ];
    for (what, says, damage) in cases {
        let (_here, digest, there) = copied(false).await;
        let (copy, new) = (there.path().join("copy"), there.path().join("new"));
        damage(&copy, &digest);
        let said = gambeson_control::restore(&copy, &new).unwrap_err().to_string();
        assert!(said.contains(says), "{what}: {said}");
        assert_eq!(entries(&new), [""; 0], "{what}: nothing is in place");
    }
}

#[tokio::test]
async fn an_installation_is_restored_into_an_empty_directory_only() {
    let (here, digest, there) = copied(false).await;
    let (copy, new) = (there.path().join("copy"), there.path().join("new"));
    let said = gambeson_control::restore(&copy, here.dir.path()).unwrap_err().to_string();
    assert!(said.contains("not empty"), "{said}");
    let said = gambeson_control::backup(here.dir.path(), Path::new("/none"), &copy).unwrap_err().to_string();
    assert!(said.contains("not empty"), "{said}");
    assert_eq!(entries(there.path()), ["copy"], "nothing unfinished is left beside it");

    // One that was killed before it put anything in place is begun anew; after that, it must not be started.
    std::fs::create_dir_all(new.join("restoring")).unwrap();
    let said = Control::open(config(&new), Clock::System).err().unwrap().to_string();
    assert!(said.contains("a restoration did not finish"), "{said}");
    gambeson_control::restore(&copy, &new).unwrap();
    assert_eq!(entries(&new), ["audit.key", "blobs", "store.sqlite"]);
    let opened = Control::open(config(&new), Clock::System).unwrap();
    let owner = opened.control.authenticate(Some(&here.key)).unwrap();
    assert_eq!(opened.control.blob_read(&owner, digest).await.unwrap().size, 4);
    assert!(opened.control.audit_verify(&owner, None).await.unwrap().whole);
}

#[tokio::test]
async fn what_the_installation_had_lost_is_named_and_is_no_reason_to_have_no_backup() {
    let (here, digest, there) = copied(true).await;
    let (copy, new) = (there.path().join("copy"), there.path().join("new"));
    assert_eq!(gambeson_control::restore(&copy, &new).unwrap().lost, [digest]);
    let opened = Control::open(config(&new), Clock::System).unwrap();
    let owner = opened.control.authenticate(Some(&here.key)).unwrap();
    assert_eq!(opened.control.blob_read(&owner, digest).await.unwrap_err().code, Code::Gone);
}
