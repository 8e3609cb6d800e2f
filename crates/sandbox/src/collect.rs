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

/// A directory that files are put into one by one, by the same rules as [`collect`] does it.
#[derive(Debug)]
pub struct Place {
    to: OwnedFd,
    left: Bytes,
    files: u32,
}

impl Place {
    /// The directory `to`, which must exist, for at most `files` files of together `bytes` bytes.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(to: &Path, bytes: Bytes, files: u32) -> io::Result<Place> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Place { to: rustix::fs::open(to, flags, Mode::empty())?, left: bytes, files })
    }

    /// Puts what can be read of `from`, which is `size` bytes, at `path` below it. Says why it did not.
    ///
    /// # Errors
    /// When `from` ends early, or the directory cannot be written to for a reason of its own.
    pub fn put(&mut self, path: &Path, size: u64, from: &mut dyn Read) -> io::Result<Result<(), &'static str>> {
        let mut from = from.take(size);
        let put = self.try_put(path, size, &mut from);
        // Whoever reads on finds what comes after it.
        io::copy(&mut from, &mut io::sink())?;
        put
    }

    fn try_put(
        &mut self,
        path: &Path,
        size: u64,
        from: &mut io::Take<&mut dyn Read>,
    ) -> io::Result<Result<(), &'static str>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Err("its name is not plain text"));
        };
        let dotted = |name: &OsStr| name.as_bytes().starts_with(b".");
        if path.iter().any(|name| !name_is_plain(name) || dotted(name)) || path.as_os_str().len() > LONGEST {
            return Ok(Err("its name is not plain text"));
        }
        if path.iter().count() > DEEPEST + 1 {
            return Ok(Err("lies too deep"));
        }
        if size > self.left.0 {
            return Ok(Err("is larger than what is left of the disk limit"));
        }
        if self.files == 0 {
            return Ok(Err("is one file too many"));
        }
        let mut place = || -> io::Result<u64> {
            let mut to = self.to.try_clone()?;
            for name in parent {
                to = enter(&to, name)?;
            }
            copy(from, size, &to, name)
        };
        match place() {
            Ok(copied) if copied == size => {
                self.left.0 -= copied;
                self.files -= 1;
                Ok(Ok(()))
            }
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => match stands_in_the_way(&error) {
                true => Ok(Err(OCCUPIED)),
                false => Err(error),
            },
        }
    }
}

const OCCUPIED: &str = "something else is in its place";

/// What stands in the way below the target is one entry's misfortune; what ails the target is ours.
fn stands_in_the_way(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::ISDIR
                | Errno::NOTDIR
                | Errno::EXIST
                | Errno::NOTEMPTY
                | Errno::LOOP
                | Errno::XDEV
                | Errno::NAMETOOLONG
        )
    )
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
                        Err(errno) => self.blocked(&path, errno.into())?,
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
        let copied = match copy(&mut File::from(file).take(size), size, to, name) {
            Ok(copied) => copied,
            Err(error) => return self.blocked(path, error),
        };
        self.bytes -= copied;
        self.found.artifacts.push(Artifact { path: path.to_owned(), size: Bytes(copied) });
        Ok(())
    }

    fn blocked(&mut self, path: &Path, error: io::Error) -> io::Result<()> {
        if stands_in_the_way(&error) {
            self.skip(path, OCCUPIED);
            return Ok(());
        }
        Err(error)
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
fn copy(from: &mut impl Read, size: u64, to: &OwnedFd, name: &OsStr) -> io::Result<u64> {
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

    #[test]
    fn what_is_put_one_by_one_obeys_the_rules_of_what_is_collected() {
        use std::os::unix::fs::symlink;
        let root = std::env::temp_dir().join(format!("gambeson-place-{}", std::process::id()));
        std::fs::create_dir_all(root.join("to")).unwrap();
        std::fs::create_dir_all(root.join("elsewhere")).unwrap();
        symlink("../elsewhere", root.join("to/link")).unwrap();
        symlink("../elsewhere/file", root.join("to/file")).unwrap();
        let mut place = Place::open(&root.join("to"), Bytes(12), 3).unwrap();
        let mut stream: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut put = |path: &str, size| place.put(Path::new(path), size, &mut stream).unwrap();
        assert_eq!(put("a/b/c", 4), Ok(()));
        assert_eq!(put("file", 2), Ok(()), "a link is replaced");
        for bad in ["../x", "/etc/x", "a/../x", ".hidden", "a/.git/x", "a\n", ""] {
            assert!(put(bad, 1).is_err(), "{bad:?}");
        }
        assert_eq!(put("link/x", 1), Err(OCCUPIED));
        assert_eq!(put("big", 7), Err("is larger than what is left of the disk limit"));
        assert_eq!(put("last", 3), Ok(()), "each took its own bytes, whether it was put or not");
        assert_eq!(put("more", 1), Err("is one file too many"));
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        assert_eq!((read("to/a/b/c"), read("to/file"), read("to/last")), ("0123".into(), "45".into(), "lmn".into()));
        assert_eq!(std::fs::read_dir(root.join("elsewhere")).unwrap().count(), 0);
        let mut place = Place::open(&root.join("to"), Bytes(99), 9).unwrap();
        assert!(place.put(Path::new("short"), 9, &mut &b"short"[..]).is_err());
        std::fs::remove_dir_all(root).unwrap();
    }
}
