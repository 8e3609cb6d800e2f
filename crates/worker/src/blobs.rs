//! Blobs that jobs brought along, kept by digest, so that the next job does not fetch them again.
//!
//! What is read is verified each time: a disk that errs or somebody else's hand makes a blob absent, never wrong.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use gambeson_api::Digest;

/// The cache: a directory of files that are named after their digest.
#[derive(Debug)]
pub(crate) struct Blobs {
    dir: PathBuf,
    /// Bytes of all files together.
    most: u64,
}

impl Blobs {
    pub(crate) fn new(dir: PathBuf, most: u64) -> Blobs {
        Blobs { dir, most }
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.dir.join(digest.hex())
    }

    /// The content, if it is here, whole, and of at most `most` bytes.
    pub(crate) fn get(&self, digest: Digest, most: u64) -> Option<Vec<u8>> {
        let path = self.path(digest);
        let file = File::open(&path).ok()?;
        let mut bytes = Vec::new();
        (&file).take(most.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        if bytes.len() as u64 > most {
            return None;
        }
        if Digest::of(&bytes) != digest {
            let _ = fs::remove_file(&path);
            return None;
        }
        // What was used last is removed last.
        let _ = file.set_modified(SystemTime::now());
        Some(bytes)
    }

    /// Keeps a content whose digest was verified. It makes room by removing what was not used for the longest time.
    pub(crate) fn put(&self, digest: Digest, bytes: &[u8]) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let size = bytes.len() as u64;
        if size > self.most / 4 {
            return Ok(());
        }
        self.make_room(size)?;
        let new = self.dir.join(format!("new-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
            file.write_all(bytes)?;
            fs::rename(&new, self.path(digest))
        };
        written().inspect_err(|_| drop(fs::remove_file(&new)))
    }

    fn make_room(&self, size: u64) -> io::Result<()> {
        let mut files = Vec::new();
        let mut total = size;
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            // Gone meanwhile is as good.
            let Ok(metadata) = entry.metadata() else { continue };
            total += metadata.len();
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
        files.sort();
        for (_, size, path) in files {
            if total <= self.most {
                break;
            }
            fs::remove_file(path)?;
            total -= size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn blobs(most: u64) -> (tempfile::TempDir, Blobs) {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(dir.path().to_owned(), most);
        (dir, blobs)
    }

    #[test]
    fn a_blob_that_changed_on_the_disk_is_absent() {
        let (_dir, blobs) = blobs(1000);
        let digest = Digest::of(b"abc");
        blobs.put(digest, b"abc").unwrap();
        assert_eq!(blobs.get(digest, 3), Some(b"abc".to_vec()));
        assert_eq!(blobs.get(digest, 2), None, "larger than asked for");
        fs::write(blobs.path(digest), "abd").unwrap();
        assert_eq!(blobs.get(digest, 3), None);
        assert!(!blobs.path(digest).exists());
    }

    #[test]
    fn what_was_used_last_is_removed_last() {
        let (_dir, blobs) = blobs(100);
        let contents: Vec<Vec<u8>> = (0..4).map(|n| vec![n; 25]).collect();
        for (age, content) in contents.iter().enumerate() {
            let digest = Digest::of(content);
            blobs.put(digest, content).unwrap();
            let then = SystemTime::now() - Duration::from_secs(100 - age as u64);
            File::open(blobs.path(digest)).unwrap().set_modified(then).unwrap();
        }
        assert!(blobs.get(Digest::of(&contents[0]), 100).is_some(), "used again");
        blobs.put(Digest::of(&[9; 25]), &[9; 25]).unwrap();
        let there: Vec<bool> = contents.iter().map(|content| blobs.path(Digest::of(content)).exists()).collect();
        assert_eq!(there, [true, false, true, true]);
        blobs.put(Digest::of(&[8; 90]), &[8; 90]).unwrap();
        assert!(blobs.get(Digest::of(&[8; 90]), 100).is_none(), "too large a part of the whole");
    }
}
