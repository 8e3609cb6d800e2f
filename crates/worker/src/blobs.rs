//! Blobs that jobs brought along, kept by digest, so that the next job does not fetch them again.
//!
//! What is read is verified each time: a disk that errs or somebody else's hand makes a blob absent, never wrong.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use gambeson_api::Digest;
use gambeson_api::client::worker::digest_of;

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

    /// Copies the content to `offset` of `to`, if it is here, whole, and of at most `most` bytes. Returns its size.
    pub(crate) fn get(&self, digest: Digest, most: u64, to: &File, offset: u64) -> Option<u64> {
        let path = self.path(digest);
        let file = File::open(&path).ok()?;
        if file.metadata().ok()?.len() > most {
            return None;
        }
        let (found, size) = digest_of(Copying { from: (&file).take(most), to, at: offset }).ok()?;
        if found != digest {
            let _ = fs::remove_file(&path);
            return None;
        }
        // What was used last is removed last.
        let _ = file.set_modified(SystemTime::now());
        Some(size)
    }

    /// Keeps a content whose digest was verified: `size` bytes of `from`, beginning at `offset`. It makes room by removing
    /// what was not used for the longest time.
    pub(crate) fn put(&self, digest: Digest, from: &File, offset: u64, size: u64) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if size > self.most / 4 {
            return Ok(());
        }
        self.make_room(size)?;
        let new = self.dir.join(format!("new-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let written = || -> io::Result<()> {
            let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
            let (mut buffer, mut done) = (vec![0; 64 << 10], 0);
            while done < size {
                let most = buffer.len().min(usize::try_from(size - done).unwrap_or(usize::MAX));
                let read = from.read_at(&mut buffer[..most], offset + done)?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                file.write_all_at(&buffer[..read], done)?;
                done += read as u64;
            }
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

/// Writes to a place in a file what is read through it.
struct Copying<'a, R> {
    from: R,
    to: &'a File,
    at: u64,
}

impl<R: Read> Read for Copying<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all_at(&buffer[..read], self.at)?;
        self.at += read as u64;
        Ok(read)
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

    fn put(blobs: &Blobs, bytes: &[u8]) {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 7).unwrap();
        blobs.put(Digest::of(bytes), &file, 7, bytes.len() as u64).unwrap();
    }

    fn get(blobs: &Blobs, digest: Digest, most: u64) -> Option<Vec<u8>> {
        let file = tempfile::tempfile().unwrap();
        let mut bytes = vec![0; blobs.get(digest, most, &file, 5)? as usize];
        file.read_exact_at(&mut bytes, 5).unwrap();
        Some(bytes)
    }

    #[test]
    fn a_blob_that_changed_on_the_disk_is_absent() {
        let (_dir, blobs) = blobs(1000);
        let digest = Digest::of(b"abc");
        put(&blobs, b"abc");
        assert_eq!(get(&blobs, digest, 3), Some(b"abc".to_vec()));
        assert_eq!(get(&blobs, digest, 2), None, "larger than asked for");
        fs::write(blobs.path(digest), "abd").unwrap();
        assert_eq!(get(&blobs, digest, 3), None);
        assert!(!blobs.path(digest).exists());
    }

    #[test]
    fn what_was_used_last_is_removed_last() {
        let (_dir, blobs) = blobs(100);
        let contents: Vec<Vec<u8>> = (0..4).map(|n| vec![n; 25]).collect();
        for (age, content) in contents.iter().enumerate() {
            let digest = Digest::of(content);
            put(&blobs, content);
            let then = SystemTime::now() - Duration::from_secs(100 - age as u64);
            File::open(blobs.path(digest)).unwrap().set_modified(then).unwrap();
        }
        assert!(get(&blobs, Digest::of(&contents[0]), 100).is_some(), "used again");
        put(&blobs, &[9; 25]);
        let there: Vec<bool> = contents.iter().map(|content| blobs.path(Digest::of(content)).exists()).collect();
        assert_eq!(there, [true, false, true, true]);
        put(&blobs, &[8; 90]);
        assert!(get(&blobs, Digest::of(&[8; 90]), 100).is_none(), "too large a part of the whole");
    }
}
