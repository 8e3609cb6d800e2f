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
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, openat2};
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
/// Bytes of a path below the target.
const LONGEST: usize = 1024;
/// No more is reported as skipped; a hostile directory could make it long.
const MOST_SKIPPED: usize = 100;

/// Copies `/work/out` into the directory `to`, which must exist; a file of the same name is replaced, a link
/// below `to` is never followed.
///
/// Whether there is anything that [`collect`] would look at.
pub fn has_output(work: &OwnedFd) -> bool {
    !matches!(rustix::fs::statat(work, "out", AtFlags::SYMLINK_NOFOLLOW), Err(Errno::NOENT))
}

/// At most `files` files of together `bytes` bytes.
///
/// # Errors
/// Only when `to` cannot be written to for a reason of its own: whatever the program did is told in
/// [`Collected::skipped`].
pub fn collect(work: &OwnedFd, to: &Path, bytes: Bytes, files: u32) -> io::Result<Collected> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let to = rustix::fs::open(to, flags, Mode::empty())?;
    let mut collector = Collector { found: Collected::default(), bytes: bytes.0, files };
    match open_beneath(work.as_fd(), OsStr::new("out"), OFlags::RDONLY | OFlags::DIRECTORY) {
        Ok(out) => collector.directory(&out, &to, Path::new(""), 0)?,
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

    fn directory(&mut self, from: &OwnedFd, to: &OwnedFd, path: &Path, depth: usize) -> io::Result<()> {
        let Ok(mut entries) = Dir::read_from(from) else {
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
            // Together with the target it must stay a path that people can use (PATH_MAX).
            if path.as_os_str().len() > LONGEST {
                self.skip(&path, "its path is too long");
                continue;
            }
            if !name_is_plain(&name) {
                self.skip(&path, "its name is not plain text");
                continue;
            }
            // A configuration that some program obeys: .git, .bashrc, .vscode.
            if name.as_bytes().starts_with(b".") {
                self.skip(&path, "its name begins with a dot");
                continue;
            }
            // What it is, without opening it: a device or a socket would act on being opened.
            let kind = rustix::fs::statat(from, &name, AtFlags::SYMLINK_NOFOLLOW)
                .map(|stat| FileType::from_raw_mode(stat.st_mode));
            match kind {
                Ok(FileType::Directory) if depth < DEEPEST => {
                    let below = open_beneath(from.as_fd(), &name, OFlags::RDONLY | OFlags::DIRECTORY);
                    let Ok(below) = below else {
                        self.skip(&path, "cannot be opened");
                        continue;
                    };
                    match enter(to, &name) {
                        Ok(within) => {
                            self.directory(&below, &within, &path, depth + 1)?;
                            // Stays where something was copied to it, or was there before: then it is not empty,
                            // or at least nothing of the program's.
                            let _ = rustix::fs::unlinkat(to, &name, AtFlags::REMOVEDIR);
                        }
                        Err(errno) => self.blocked(&path, errno)?,
                    }
                }
                Ok(FileType::Directory) => self.skip(&path, "lies too deep"),
                Ok(FileType::RegularFile) => self.file(from, to, &name, &path)?,
                Ok(FileType::Symlink) => self.skip(&path, "is a symbolic link"),
                Ok(_) => self.skip(&path, "is not a regular file"),
                Err(_) => self.skip(&path, "is gone"),
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &OwnedFd, to: &OwnedFd, name: &OsStr, path: &Path) -> io::Result<()> {
        let Ok(file) = open_beneath(from.as_fd(), name, OFlags::RDONLY) else {
            self.skip(path, "cannot be opened");
            return Ok(());
        };
        // Asked of what was opened, not of the name.
        let size = match rustix::fs::fstat(&file) {
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
        let copied = match copy(File::from(file), size, to, name) {
            Ok(copied) => copied,
            Err(error) => return self.blocked(path, Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        };
        self.bytes -= copied;
        self.found.artifacts.push(Artifact { path: path.to_owned(), size: Bytes(copied) });
        Ok(())
    }

    /// What stands in the way below the target is this entry's misfortune; what ails the target is ours.
    fn blocked(&mut self, path: &Path, errno: Errno) -> io::Result<()> {
        match errno {
            Errno::ISDIR
            | Errno::NOTDIR
            | Errno::EXIST
            | Errno::NOTEMPTY
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NAMETOOLONG => {
                self.skip(path, "something else is in its place");
                Ok(())
            }
            errno => Err(errno.into()),
        }
    }
}

/// The directory `name` below `to`, made where it is not there.
fn enter(to: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    open_beneath(to.as_fd(), name, OFlags::RDONLY | OFlags::DIRECTORY)
}

/// Copies by way of a new file beside the place, which then takes it: an older link there is replaced, never
/// followed, and half a file is never seen.
fn copy(from: File, size: u64, to: &OwnedFd, name: &OsStr) -> io::Result<u64> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let new = format!(".gambeson-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(to, &new, flags, Mode::from_raw_mode(0o644))?);
    let copied = io::copy(&mut from.take(size), &mut file).and_then(|count| file.flush().map(|()| count));
    let copied = copied.and_then(|count| Ok(rustix::fs::renameat(to, &new, to, name).map(|()| count)?));
    if copied.is_err() {
        let _ = rustix::fs::unlinkat(to, &new, AtFlags::empty());
    }
    copied
}

/// UTF-8 without control characters and without those that reorder text: what a person sees is what it is.
fn name_is_plain(name: &OsStr) -> bool {
    let reorders =
        |c: char| matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
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
