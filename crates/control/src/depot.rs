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
use std::time::SystemTime;

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

    /// Whether the file is there.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    pub(crate) fn writer(&self, digest: Digest, most: u64) -> io::Result<Incoming> {
        let aside = self.dir.join("new").join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let file = Some(create(&aside)?);
        Ok(Incoming {
            file,
            aside: Aside { aside, place: self.path(&digest) },
            digest,
            hash: Sha256::new(),
            size: 0,
            most,
        })
    }

    /// Takes what is there already: it is only looked at, and needs no room.
    pub(crate) fn checker(&self, digest: Digest, most: u64) -> Incoming {
        let aside = Aside { aside: PathBuf::new(), place: self.path(&digest) };
        Incoming { file: None, aside, digest, hash: Sha256::new(), size: 0, most }
    }

    /// Of the files whose digests begin with this byte: those that were written before `before` and are not `known`, at
    /// most `count`.
    pub(crate) fn strays<E>(
        &self,
        first: u8,
        before: SystemTime,
        count: usize,
        mut known: impl FnMut(&Digest) -> Result<bool, E>,
    ) -> Result<Vec<Digest>, E> {
        let start = format!("{first:02x}");
        let mut strays = Vec::new();
        // A directory that is not there, or that cannot be read now, is looked at another time.
        for file in fs::read_dir(self.dir.join(&start)).into_iter().flatten().flatten() {
            let rest = file.file_name();
            let Ok(digest) = format!("sha256:{start}{}", rest.to_string_lossy()).parse() else { continue };
            let old = file.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|at| at < before);
            if old && !known(&digest)? {
                strays.push(digest);
            }
            if strays.len() >= count {
                break;
            }
        }
        Ok(strays)
    }
}

/// A file under two names: aside, which is removed at the end, and where it belongs.
#[derive(Debug)]
struct Aside {
    aside: PathBuf,
    place: PathBuf,
}

impl Aside {
    /// Gives it the name where it belongs.
    fn put(&self) -> io::Result<()> {
        let dir = self.place.parent().unwrap_or(Path::new("/"));
        private_dir(dir)?;
        // A rename takes the place of what is there, which may be damaged; the name aside stays until the end.
        let second = self.aside.with_extension("put");
        fs::hard_link(&self.aside, &second)?;
        fs::rename(&second, &self.place)?;
        sync_dir(dir)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.aside);
        let _ = fs::remove_file(self.aside.with_extension("put"));
    }
}

/// A blob on its way in. Dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// `None` where it is only compared with what is there.
    file: Option<File>,
    aside: Aside,
    digest: Digest,
    hash: Sha256,
    size: u64,
    most: u64,
}

/// A blob in its place, until it is kept or not.
#[derive(Debug)]
pub(crate) struct Placed {
    aside: Option<Aside>,
    place: PathBuf,
    pub digest: Digest,
    pub size: u64,
}

impl Placed {
    /// Has it in its place, also if it was swept from there meanwhile. The writer's thread calls this: nothing else
    /// removes blobs.
    pub(crate) fn stays(&self) -> Result<(), Problem> {
        match &self.aside {
            _ if self.place.exists() => Ok(()),
            Some(aside) => aside.put().map_err(|error| io_problem(&error)),
            None => Err(Problem::new(Code::Unavailable, "what was there is gone: send it again").retry_after(1)),
        }
    }
}

impl Incoming {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(Problem::new(Code::TooLarge, format!("a blob may have at most {} bytes", self.most)));
        }
        self.hash.update(bytes);
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(|error| io_problem(&error)),
            None => Ok(()),
        }
    }

    /// Puts it in its place.
    pub(crate) fn finish(self) -> Result<Placed, Problem> {
        let found = Digest(self.hash.finalize().into());
        if found != self.digest {
            let detail = format!("the content has the digest {found}, not {}", self.digest);
            return Err(Problem::new(Code::DigestMismatch, detail));
        }
        let place = self.aside.place.clone();
        let aside = match self.file {
            Some(file) => {
                file.sync_all().and_then(|()| self.aside.put()).map_err(|error| io_problem(&error))?;
                Some(self.aside)
            }
            None => None,
        };
        Ok(Placed { aside, place, digest: self.digest, size: self.size })
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
        let placed = right.finish().unwrap();
        assert_eq!((placed.digest, placed.size), (digest, 5));
        // Swept before it was kept.
        depot.forget(&digest);
        placed.stays().unwrap();
        drop(placed);
        let mut text = String::new();
        depot.read(&digest).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        let mut large = depot.writer(digest, 3).unwrap();
        assert_eq!(large.write(b"four").unwrap_err().code, Code::TooLarge);
        drop(large);
        assert_eq!(fs::read_dir(dir.path().join("blobs/new")).unwrap().count(), 0, "nothing unfinished is left");
    }
}
