//! Artifacts: what a program left in `/work/out`, copied out of a directory that it made as hostile as it
//! liked.
//!
//! Invariants:
//! 1. Nothing is collected while a process of the cell lives.
//! 2. Every name is resolved beneath an open directory, without links, mounts or `..` (openat2(2)).
//! 3. Only regular files are read, only directories entered; nothing blocks. Both are bounded in depth,
//!    number and bytes, a sparse file counting with its size.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use crate::limits::Bytes;

/// A file that was collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Path below `/work/out`.
    pub path: PathBuf,
    /// Its size.
    pub size: Bytes,
}

/// Something that was not collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Path below `/work/out`, made fit to print.
    pub path: String,
    /// Why.
    pub why: &'static str,
}

/// What was found below `/work/out`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// What was copied, by path.
    pub artifacts: Vec<Artifact>,
    /// What was not.
    pub skipped: Vec<Skipped>,
}

/// Nothing deeper is entered.
const DEEPEST: usize = 32;
/// No more is reported as skipped; a hostile directory could make it long.
const MOST_SKIPPED: usize = 100;

/// Copies `/work/out` into the directory `to`, which must exist; a file of the same name is replaced.
///
/// At most `files` files of together `bytes` bytes.
///
/// # Errors
/// Only when writing to `to` fails: whatever the program did is told in [`Collected::skipped`].
pub fn collect(work: &OwnedFd, to: &Path, bytes: Bytes, files: u32) -> io::Result<Collected> {
    let mut collector = Collector { found: Collected::default(), bytes: bytes.0, files, target: to.to_owned() };
    match open_beneath(work.as_fd(), OsStr::new("out"), OFlags::RDONLY | OFlags::DIRECTORY) {
        Ok(out) => collector.directory(&out, Path::new(""), 0)?,
        Err(Errno::NOENT) => {}
        Err(_) => collector.skip(Path::new("."), "out is not a directory"),
    }
    collector.found.artifacts.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(collector.found)
}

struct Collector {
    found: Collected,
    bytes: u64,
    files: u32,
    target: PathBuf,
}

fn open_beneath(dir: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    // NONBLOCK, so that a fifo put in the place of a file answers at once.
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    openat2(dir, name, flags, Mode::empty(), resolve)
}

impl Collector {
    fn skip(&mut self, path: &Path, why: &'static str) {
        if self.found.skipped.len() < MOST_SKIPPED {
            self.found.skipped.push(Skipped { path: printable(path), why });
        }
    }

    fn directory(&mut self, dir: &OwnedFd, path: &Path, depth: usize) -> io::Result<()> {
        let Ok(mut entries) = Dir::read_from(dir) else {
            self.skip(path, "cannot be listed");
            return Ok(());
        };
        while let Some(entry) = entries.read() {
            let Ok(entry) = entry else { break };
            let name = OsString::from(OsStr::from_bytes(entry.file_name().to_bytes()));
            if name == "." || name == ".." {
                continue;
            }
            let path = path.join(&name);
            if !name_is_plain(&name) {
                self.skip(&path, "its name is not plain text");
                continue;
            }
            // What it is, without opening it: a device or a socket would act on being opened.
            let kind = rustix::fs::statat(dir, &name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
                .map(|stat| FileType::from_raw_mode(stat.st_mode));
            match kind {
                Ok(FileType::Directory) if depth < DEEPEST => {
                    match open_beneath(dir.as_fd(), &name, OFlags::RDONLY | OFlags::DIRECTORY) {
                        Ok(below) => self.directory(&below, &path, depth + 1)?,
                        Err(_) => self.skip(&path, "cannot be opened"),
                    }
                }
                Ok(FileType::Directory) => self.skip(&path, "lies too deep"),
                Ok(FileType::RegularFile) => self.file(dir, &name, &path)?,
                Ok(FileType::Symlink) => self.skip(&path, "is a symbolic link"),
                Ok(_) => self.skip(&path, "is not a regular file"),
                Err(_) => self.skip(&path, "is gone"),
            }
        }
        Ok(())
    }

    fn file(&mut self, dir: &OwnedFd, name: &OsStr, path: &Path) -> io::Result<()> {
        let Ok(from) = open_beneath(dir.as_fd(), name, OFlags::RDONLY) else {
            self.skip(path, "cannot be opened");
            return Ok(());
        };
        // Asked of what was opened, not of the name.
        let size = match rustix::fs::fstat(&from) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => stat.st_size as u64,
            _ => {
                self.skip(path, "is not a regular file");
                return Ok(());
            }
        };
        if size > self.bytes {
            self.skip(path, "is larger than what is left of the disk limit");
            return Ok(());
        }
        if self.files == 0 {
            self.skip(path, "is one file too many");
            return Ok(());
        }
        self.files -= 1;
        let copied = self.copy(File::from(from), size, path)?;
        self.bytes -= copied;
        self.found.artifacts.push(Artifact { path: path.to_owned(), size: Bytes(copied) });
        Ok(())
    }

    /// Copies by way of a new file beside the place, which then takes it: an older link there is replaced,
    /// never followed.
    fn copy(&self, from: File, size: u64, path: &Path) -> io::Result<u64> {
        let place = self.target.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut name = OsString::from(".gambeson-");
        name.push(std::process::id().to_string());
        let new = place.with_file_name(name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut to = File::from(rustix::fs::open(&new, flags, Mode::from_raw_mode(0o644))?);
        let copied = io::copy(&mut from.take(size), &mut to).and_then(|count| to.flush().map(|()| count));
        let copied = copied.and_then(|count| std::fs::rename(&new, &place).map(|()| count));
        if copied.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        copied
    }
}

/// UTF-8 without control characters and without those that reorder text: what a person sees is what it is.
fn name_is_plain(name: &OsStr) -> bool {
    let reorders = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.to_str().is_some_and(|name| {
        !name.is_empty()
            && name != "."
            && name != ".."
            && !name.contains('/')
            && !name.chars().any(|c| c.is_control() || reorders(c))
    })
}

fn printable(path: &Path) -> String {
    let text: String = path.to_string_lossy().escape_debug().take(256).collect();
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_deceive_are_not_plain() {
        for name in ["a\nb", "a\u{202e}txt.exe", "", ".", "..", "\u{1b}[31m"] {
            assert!(!name_is_plain(OsStr::new(name)), "{name:?}");
        }
        assert!(!name_is_plain(OsStr::from_bytes(b"\xff")));
        for name in ["report.csv", "-rf", "C:\\x", "größe", "a b"] {
            assert!(name_is_plain(OsStr::new(name)), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_can_be_printed(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let text = printable(Path::new(OsStr::from_bytes(&bytes)));
            prop_assert!(text.chars().all(|c| !c.is_control()) && text.chars().count() <= 256);
        }
    }
}
