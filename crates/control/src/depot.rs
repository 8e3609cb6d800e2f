//! Blobs: files named by the SHA-256 of what they hold.
//!
//! Invariants:
//! 1. A file with its final name is whole and on the disk: it is written aside, synced, renamed, and its directory is
//!    synced.
//! 2. What is sent as a digest's content and is not, never gets that name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use gambeson_api::{Code, Digest, Problem};
use sha2::{Digest as _, Sha256};

use crate::disk::{create, private_dir, sync_dir};

/// The directory of blobs.
#[derive(Debug)]
pub(crate) struct Depot {
    dir: PathBuf,
    next: AtomicU64,
}

pub(crate) fn io_problem(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Problem::new(Code::StoreFull, "there is no room for this content").retry_after(60)
        }
        _ => {
            tracing::error!("a blob failed: {error}");
            Problem::new(Code::Internal, "the content could not be kept")
        }
    }
}

/// Where a blob lies in a directory of blobs.
pub(crate) fn place(dir: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.hex();
    dir.join(&hex[..2]).join(&hex[2..])
}

impl Depot {
    /// Opens it, and removes what a former life left unfinished.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Depot> {
        private_dir(&dir)?;
        let aside = dir.join("new");
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        private_dir(&aside)?;
        Ok(Depot { dir, next: AtomicU64::new(0) })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        place(&self.dir, digest)
    }

    pub(crate) fn read(&self, digest: &Digest) -> io::Result<File> {
        File::open(self.path(digest))
    }

    /// Removes the file; one that is gone is as good.
    pub(crate) fn forget(&self, digest: &Digest) {
        let _ = fs::remove_file(self.path(digest));
    }

    pub(crate) fn writer(&self, digest: Digest, most: u64) -> io::Result<Incoming> {
        let aside = self.dir.join("new").join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = create(&aside)?;
        Ok(Incoming { file, aside, place: self.path(&digest), digest, hash: Sha256::new(), size: 0, most })
    }
}

/// A blob on its way in. Dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Incoming {
    file: File,
    aside: PathBuf,
    place: PathBuf,
    digest: Digest,
    hash: Sha256,
    size: u64,
    most: u64,
}

impl Incoming {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(Problem::new(Code::TooLarge, format!("a blob may have at most {} bytes", self.most)));
        }
        self.hash.update(bytes);
        self.file.write_all(bytes).map_err(|error| io_problem(&error))
    }

    /// Puts it in its place. Returns its digest and size.
    pub(crate) fn finish(self) -> Result<(Digest, u64), Problem> {
        let found = Digest(self.hash.clone().finalize().into());
        if found != self.digest {
            let detail = format!("the content has the digest {found}, not {}", self.digest);
            return Err(Problem::new(Code::DigestMismatch, detail));
        }
        let place = || -> io::Result<()> {
            self.file.sync_all()?;
            let dir = self.place.parent().unwrap_or(Path::new("/"));
            private_dir(dir)?;
            fs::rename(&self.aside, &self.place)?;
            sync_dir(dir)
        };
        place().map_err(|error| io_problem(&error))?;
        Ok((self.digest, self.size))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Renamed already, or to be thrown away.
        let _ = fs::remove_file(&self.aside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_blob_is_what_its_name_says_or_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let depot = Depot::open(dir.path().join("blobs")).unwrap();
        let digest = Digest::of(b"hello");
        let mut wrong = depot.writer(digest, 100).unwrap();
        wrong.write(b"hellO").unwrap();
        assert_eq!(wrong.finish().unwrap_err().code, Code::DigestMismatch);
        assert!(depot.read(&digest).is_err());
        let mut right = depot.writer(digest, 100).unwrap();
        right.write(b"hel").unwrap();
        right.write(b"lo").unwrap();
        assert_eq!(right.finish().unwrap(), (digest, 5));
        let mut text = String::new();
        depot.read(&digest).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        let mut large = depot.writer(digest, 3).unwrap();
        assert_eq!(large.write(b"four").unwrap_err().code, Code::TooLarge);
        drop(large);
        assert_eq!(fs::read_dir(dir.path().join("blobs/new")).unwrap().count(), 0, "nothing unfinished is left");
    }
}
