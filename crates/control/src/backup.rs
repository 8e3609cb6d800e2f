//! A whole installation as a directory of its own, and an installation made of such a one.
//!
//! A backup holds `store.sqlite`, `audit.key`, `blobs/` as the installation has them, `policies/` if there are any, and
//! `backup.json`, which says what is there. The server may run meanwhile. Blobs never change, so that a blob on the
//! same file system is linked, not copied.
//!
//! Invariants:
//! 1. A backup that has its name is whole: it is made beside, synced, and renamed last.
//! 2. It holds every blob that its store knows, as its digest says; what was lost or damaged in the installation itself
//!    is named in `backup.json`, and is no reason to have no backup.
//! 3. An installation is restored into an empty directory, and nothing is in place before everything was checked. A
//!    server does not start on a restoration that did not finish.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use gambeson_api::{Digest, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::audit;
use crate::depot::place;
use crate::disk::{self, STORE, create, private_dir, sync_dir};
use crate::store::sqlite::Sqlite;
use crate::store::{Blobs, Stored, Transactions};

/// What a backup says of itself.
const MANIFEST: &str = "backup.json";
/// The version of what lies in a backup, and how.
const FORMAT: u32 = 1;
/// Where a restoration gathers what it checks.
pub(crate) const RESTORING: &str = "restoring";
const AUDIT_KEY: &str = "audit.key";
const BLOBS: &str = "blobs";
const POLICIES: &str = "policies";
/// Blobs that are asked of the store at once.
const KNOWN_AT_ONCE: u32 = 1000;

/// Why there is no backup, or why it was not restored. A sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(String);

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupContents {
    /// The version of what lies in it, and how.
    pub format: u32,
    /// Who made it.
    pub version: String,
    /// When it was begun.
    pub made_at: Time,
    /// Of the store's file.
    pub store: Digest,
    /// The size of the store's file, bytes.
    pub store_bytes: u64,
    /// How many blobs there are.
    pub blobs: u64,
    /// Bytes of all blobs.
    pub blob_bytes: u64,
    /// Blobs that the store knows and the installation had lost, or had not as their digest says.
    pub lost: Vec<Digest>,
    /// Rows of the audit log.
    pub audit_rows: u64,
    /// The hash of its last row.
    pub audit_head: String,
    /// Why the audit log was not whole, if it was not.
    pub audit_broken: Option<String>,
}

fn at<E: Display>(path: &Path) -> impl Fn(E) -> BackupError {
    move |error| BackupError(format!("{}: {error}", path.display()))
}

/// A directory that is removed with all that is in it, unless it got its place.
struct Scaffold(PathBuf);

impl Drop for Scaffold {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies a file, and says what was in it, and how much.
fn copy(from: &Path, to: &Path) -> io::Result<(Digest, u64)> {
    let mut to = create(to)?;
    let read = drain(from, |bytes| to.write_all(bytes))?;
    to.sync_all()?;
    Ok(read)
}

fn drain(from: &Path, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(Digest, u64)> {
    let mut file = File::open(from)?;
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; 256 << 10]);
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok((Digest(hash.finalize().into()), size));
        }
        hash.update(&piece[..count]);
        each(&piece[..count])?;
        size += count as u64;
    }
}

/// Calls `each` for every blob that a store knows, with its size.
fn known(store: &Sqlite, mut each: impl FnMut(Digest, u64) -> Result<(), BackupError>) -> Result<(), BackupError> {
    let mut after = None;
    loop {
        let some = said(store.blobs(after.as_ref(), KNOWN_AT_ONCE))?;
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = Some(*last);
        some.into_iter().try_for_each(|(digest, size)| each(digest, size))?;
    }
}

fn said<T>(stored: Stored<T>) -> Result<T, BackupError> {
    stored.map_err(|error| BackupError(error.to_string()))
}

/// The digests of the files of a directory of blobs.
fn files(blobs: &Path) -> io::Result<Vec<Digest>> {
    let mut found = Vec::new();
    for dir in fs::read_dir(blobs)? {
        let dir = dir?;
        let start = dir.file_name().to_string_lossy().into_owned();
        if start.len() != 2 {
            continue;
        }
        for file in fs::read_dir(dir.path())? {
            let rest = file?.file_name().to_string_lossy().into_owned();
            found.extend(format!("sha256:{start}{rest}").parse::<Digest>().ok());
        }
    }
    Ok(found)
}

/// Syncs a directory and those in it.
fn sync_tree(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_dir(dir)
}

/// Links or copies a blob.
fn bring(from: &Path, to: &Path) -> io::Result<()> {
    private_dir(to.parent().unwrap_or(Path::new(".")))?;
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        // Another file system, or one without links.
        Err(error) if error.kind() != io::ErrorKind::NotFound => copy(from, to).map(drop),
        Err(error) => Err(error),
    }
}

/// Copies the policies of an operator, if there are any.
fn bring_policies(from: &Path, to: &Path) -> io::Result<()> {
    let Some(entries) = disk::entries(from)? else { return Ok(()) };
    private_dir(to)?;
    for entry in entries {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ending| ending == "cedar") {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn is_empty(dir: &Path) -> io::Result<bool> {
    Ok(disk::entries(dir)?.is_none_or(|mut entries| entries.next().is_none()))
}

fn key_of(dir: &Path) -> Result<[u8; 32], BackupError> {
    let path = dir.join(AUDIT_KEY);
    let bytes = fs::read(&path).map_err(at(&path))?;
    bytes.try_into().map_err(|_| at(&path)("it is not 32 bytes long"))
}

/// Makes a backup of the installation in `data_dir`, whose operator's policies are in `policies`, as the new directory
/// `to`. The installation's server may run or not. Blocks on the disk.
///
/// # Errors
/// When there is no installation, `to` is taken, or the disk fails; then there is no `to`.
pub fn backup(data_dir: &Path, policies: &Path, to: &Path) -> Result<BackupContents, BackupError> {
    let made_at = Time::now();
    let store = data_dir.join(STORE);
    if !store.exists() {
        return Err(at(data_dir)("there is no installation here"));
    }
    if !is_empty(to).map_err(at(to))? {
        return Err(at(to)("it is there already, and not empty"));
    }
    to.file_name().ok_or_else(|| at(to)("it has no name"))?;
    let part = disk::aside(to).map_err(at(to))?;
    fs::create_dir(&part).map_err(at(&part))?;
    disk::close_to_others(&part).map_err(at(&part))?;
    let part = Scaffold(part);
    let (old, new) = (data_dir.join(BLOBS), part.0.join(BLOBS));
    private_dir(&new).map_err(at(&new))?;

    // The blobs before the store: one that is deleted later is in the copy by then. Those that came in between follow.
    let mut brought = HashSet::new();
    for digest in files(&old).map_err(at(&old))? {
        match bring(&place(&old, &digest), &place(&new, &digest)) {
            Ok(()) => drop(brought.insert(digest)),
            // Deleted just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&new)(error)),
        }
    }
    let copied = part.0.join(STORE);
    create(&copied).map_err(at(&copied))?;
    said(said(Sqlite::open_reader(&store))?.backup(&copied))?;
    File::open(&copied).and_then(|file| file.sync_all()).map_err(at(&copied))?;
    let (digest, store_bytes) = drain(&copied, |_| Ok(())).map_err(at(&copied))?;

    let snapshot = said(Sqlite::open_reader(&copied))?;
    let mut contents = BackupContents {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
        made_at,
        store: digest,
        store_bytes,
        blobs: 0,
        blob_bytes: 0,
        lost: Vec::new(),
        audit_rows: 0,
        audit_head: String::new(),
        audit_broken: None,
    };
    known(&snapshot, |digest, size| {
        let (from, to) = (place(&old, &digest), place(&new, &digest));
        let found = if brought.remove(&digest) { Ok(()) } else { bring(&from, &to) };
        match found.and_then(|()| drain(&to, |_| Ok(()))) {
            Ok(read) if read == (digest, size) => {
                contents.blobs += 1;
                contents.blob_bytes += size;
            }
            Ok(_) => {
                fs::remove_file(&to).map_err(at(&to))?;
                contents.lost.push(digest);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => contents.lost.push(digest),
            Err(error) => return Err(at(&to)(error)),
        }
        Ok(())
    })?;
    for digest in brought {
        // Deleted, or never known.
        let path = place(&new, &digest);
        fs::remove_file(&path).map_err(at(&path))?;
    }
    copy(&data_dir.join(AUDIT_KEY), &part.0.join(AUDIT_KEY)).map_err(at(data_dir))?;
    let verdict = said(audit::verify(&snapshot, &key_of(&part.0)?, None))?;
    (contents.audit_rows, contents.audit_head, contents.audit_broken) = (verdict.rows, verdict.head, verdict.broken);
    drop(snapshot);
    // What SQLite leaves beside a file that was only read.
    disk::remove_beside(&copied, &["-wal", "-shm"]);
    bring_policies(policies, &part.0.join(POLICIES)).map_err(at(policies))?;

    let text = serde_json::to_vec_pretty(&contents).map_err(|error| BackupError(error.to_string()))?;
    let path = part.0.join(MANIFEST);
    create(&path).and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all())).map_err(at(&path))?;
    sync_tree(&part.0).map_err(at(&part.0))?;
    fs::rename(&part.0, to).map_err(at(to))?;
    let above = disk::above(to);
    sync_dir(above).map_err(at(above))?;
    Ok(contents)
}

/// Makes an installation in `data_dir`, which is empty or not there, of a backup. Blocks on the disk.
///
/// # Errors
/// When the directory is not empty, or something in the backup is not as it was made; then nothing is in place.
pub fn restore(from: &Path, data_dir: &Path) -> Result<BackupContents, BackupError> {
    let path = from.join(MANIFEST);
    let text = fs::read(&path).map_err(at(&path))?;
    let contents: BackupContents = serde_json::from_slice(&text).map_err(at(&path))?;
    if contents.format != FORMAT {
        return Err(at(&path)(format!("it has format {}; this Gambeson knows {FORMAT}", contents.format)));
    }
    let restoring = data_dir.join(RESTORING);
    for entry in disk::entries(data_dir).map_err(at(data_dir))?.into_iter().flatten() {
        if entry.map_err(at(data_dir))?.file_name() != RESTORING {
            return Err(at(data_dir)("it is not empty: a backup is restored into an empty directory"));
        }
    }
    private_dir(data_dir).map_err(at(data_dir))?;
    // One that ended before it put anything in place is as good as none.
    match fs::remove_dir_all(&restoring) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&restoring)(error)),
        _ => {}
    }
    private_dir(&restoring).map_err(at(&restoring))?;
    let scaffold = Scaffold(restoring);
    gather(from, &contents, &scaffold.0)?;

    // The store last: what is there without it is no installation, and what is there beside `restoring` is not whole.
    for name in [POLICIES, BLOBS, AUDIT_KEY, STORE] {
        match fs::rename(scaffold.0.join(name), data_dir.join(name)) {
            Err(error) if name == POLICIES && error.kind() == io::ErrorKind::NotFound => {}
            placed => placed.map_err(at(data_dir))?,
        }
    }
    sync_dir(data_dir).map_err(at(data_dir))?;
    drop(scaffold);
    sync_dir(data_dir).map_err(at(data_dir))?;
    Ok(contents)
}

/// Copies a backup, and checks what was copied.
fn gather(from: &Path, contents: &BackupContents, to: &Path) -> Result<(), BackupError> {
    let (old, new) = (from.join(STORE), to.join(STORE));
    let (digest, _) = copy(&old, &new).map_err(at(&old))?;
    if digest != contents.store {
        return Err(at(&old)(format!("it has the digest {digest}, and had {} when it was made", contents.store)));
    }
    copy(&from.join(AUDIT_KEY), &to.join(AUDIT_KEY)).map_err(at(from))?;
    let store = said(Sqlite::open(&new))?;
    if let Some(why) = said(store.damage())? {
        return Err(at(&old)(format!("the store is damaged: {why}")));
    }
    let verdict = said(audit::verify(&store, &key_of(to)?, Some(&contents.audit_head)))?;
    if let Some(broken) = verdict.broken.filter(|broken| contents.audit_broken.as_ref() != Some(broken)) {
        return Err(at(&old)(format!("the audit log is not whole: {broken}")));
    }
    let lost: HashSet<&Digest> = contents.lost.iter().collect();
    let (old, new) = (from.join(BLOBS), to.join(BLOBS));
    private_dir(&new).map_err(at(&new))?;
    known(&store, |digest, size| {
        if lost.contains(&digest) {
            return Ok(());
        }
        let (from, to) = (place(&old, &digest), place(&new, &digest));
        private_dir(to.parent().unwrap_or(&new)).map_err(at(&new))?;
        match copy(&from, &to).map_err(at(&from))? {
            read if read == (digest, size) => Ok(()),
            (other, _) => Err(at(&from)(format!("it has the digest {other}"))),
        }
    })?;
    drop(store);
    bring_policies(&from.join(POLICIES), &to.join(POLICIES)).map_err(at(from))?;
    sync_tree(to).map_err(at(to))
}
