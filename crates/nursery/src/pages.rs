//! Which pages a program needs, whatever it does: every cell gets copies of its own of those that are written to, and
//! finds those of libraries, while nobody waits for it, at once instead of by one fault each while its program runs.
//!
//! They are found by running a program that does little, once, to the very end of its process, and looking at which of
//! its pages are there, and no longer shared with the nursery (proc_pid_pagemap(5)). A wrong guess costs time or memory and
//! changes nothing.

use std::ffi::{CString, c_void};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use gambeson_sandbox::inside::{Interpreter, SCRIPT, Side};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Where the program that is looked at says that it is at its end; -1 in every other process.
static LOOKED_AT: AtomicI32 = AtomicI32::new(-1);

/// Longer than any interpreter takes for so little.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than a program needs that does little; what does much is not held up by these.
const MOST: usize = 2048;

const PAGE: usize = 4096;

/// A range of memory: where, and how many bytes.
type Range = (usize, usize);

/// Ranges of memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pages {
    /// What is written to.
    own: Vec<Range>,
    /// What is read of files that are mapped: a fork leaves it to the first access to find that.
    seen: Vec<Range>,
}

impl Pages {
    /// Makes this process have them.
    pub(crate) fn take(&self) {
        // Since Linux 5.14; without it, or where the memory is not there any more, they come when they are needed.
        for (ranges, how) in [(&self.own, libc::MADV_POPULATE_WRITE), (&self.seen, libc::MADV_POPULATE_READ)] {
            for (start, size) in ranges {
                // SAFETY: changes no byte of any memory.
                unsafe { libc::madvise(*start as *mut c_void, *size, how) };
            }
        }
    }

    /// Runs this program, and looks at what it wrote to. Nothing where that cannot be seen.
    pub(crate) fn find(interpreter: &mut impl Interpreter, program: &str) -> Pages {
        let found = Pages::look(interpreter, program);
        let _ = fs::remove_file(OsPath(SCRIPT).path());
        found.unwrap_or_default()
    }

    fn look(interpreter: &mut impl Interpreter, program: &str) -> Option<Pages> {
        let script = OsPath(SCRIPT).path();
        File::create(script).ok()?.write_all(program.as_bytes()).ok()?;
        let (ours, theirs) = rustix::net::socketpair(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::CLOEXEC,
            None,
        )
        .ok()?;
        // As in a cell: a process that stays, and one that the interpreter forked.
        // SAFETY: this process has one thread, so that the child is a whole copy.
        let first = match unsafe { libc::fork() } {
            0 => {
                drop(ours);
                run(interpreter, &theirs)
            }
            pid if pid > 0 => pid,
            _ => return None,
        };
        drop(theirs);
        let found = Pages::of_other(ours);
        // SAFETY: a child of ours that was not waited for.
        unsafe { libc::kill(first, libc::SIGKILL) };
        // SAFETY: a null pointer asks for no status.
        unsafe { libc::waitpid(first, std::ptr::null_mut(), 0) };
        found
    }

    fn of_other(socket: OwnedFd) -> Option<Pages> {
        let timeout = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
        if poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&timeout)) != Ok(1) {
            return None;
        }
        let mut pid = [0; 4];
        // Nothing comes if the program ended another way than ours.
        File::from(socket.try_clone().ok()?).read_exact(&mut pid).ok()?;
        let pid = i32::from_ne_bytes(pid);
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
        let pagemap = File::open(format!("/proc/{pid}/pagemap")).ok()?;
        let found = Pages::among(&maps, |at, entries| {
            let mut bytes = vec![0; 8 * entries];
            pagemap.read_exact_at(&mut bytes, at as u64 / PAGE as u64 * 8).ok()?;
            let words = bytes.as_chunks::<8>().0;
            Some(words.iter().map(|word| u64::from_ne_bytes(*word)).collect())
        });
        // It waits for the end of this, and so do those that it was forked by.
        drop(socket);
        found
    }

    /// What of the private memory that `maps` shows is of that process alone, and what it has of files, as `entries` of it
    /// say: from an address on, so many.
    fn among(maps: &str, entries: impl Fn(usize, usize) -> Option<Vec<u64>>) -> Option<Pages> {
        const PRESENT: u64 = 1 << 63;
        const OF_FILE: u64 = 1 << 61;
        const EXCLUSIVE: u64 = 1 << 56;
        let mut found = Pages::default();
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ')?;
            let (writable, private) = (rest.get(1..2)? == "w", rest.get(3..4)? == "p");
            // What the kernel maps itself, such as the vdso, has no file.
            if !rest.starts_with('r') || !private || !(writable || rest.contains('/')) {
                continue;
            }
            let (start, end) = range.split_once('-')?;
            let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
            for (at, entry) in (start..end).step_by(PAGE).zip(entries(start, (end - start) / PAGE)?) {
                let ranges = match (entry & PRESENT != 0, entry & EXCLUSIVE != 0, entry & OF_FILE != 0) {
                    (true, true, false) if writable => &mut found.own,
                    (true, _, true) => &mut found.seen,
                    _ => continue,
                };
                match ranges.last_mut() {
                    Some((first, size)) if *first + *size == at => *size += PAGE,
                    _ => ranges.push((at, PAGE)),
                }
            }
        }
        let bytes: usize = found.own.iter().map(|(_, size)| size).sum();
        (bytes / PAGE <= MOST).then_some(found)
    }
}

/// Called when a process has come to its very end. Returns but in the one that is looked at.
pub(crate) fn at_the_end() {
    let socket = LOOKED_AT.load(Ordering::Relaxed);
    if socket < 0 {
        return;
    }
    // SAFETY: opened for this, and used by nobody else in this process.
    let socket = unsafe { OwnedFd::from_raw_fd(socket as RawFd) };
    let _ = rustix::io::write(&socket, &std::process::id().to_ne_bytes());
    let _ = rustix::io::read(&socket, &mut [0u8; 1]);
    // SAFETY: takes no pointer.
    unsafe { libc::_exit(0) }
}

/// The process that stays, and the program's.
fn run(interpreter: &mut impl Interpreter, socket: &OwnedFd) -> ! {
    match interpreter.fork() {
        Ok(Side::Child) => {
            let env: Vec<CString> = std::env::vars_os()
                .filter_map(|(name, value)| {
                    let mut variable = name.into_encoded_bytes();
                    variable.push(b'=');
                    variable.extend(value.into_encoded_bytes());
                    CString::new(variable).ok()
                })
                .collect();
            let args = [CString::from(c"python3"), CString::from(SCRIPT)];
            if interpreter.take_on(&args, &env).is_ok() {
                LOOKED_AT.store(socket.as_raw_fd(), Ordering::Relaxed);
                interpreter.run();
            }
        }
        Ok(Side::Parent(pid)) => {
            // SAFETY: a null pointer asks for no status.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        }
        Err(_) => {}
    }
    // SAFETY: takes no pointer.
    unsafe { libc::_exit(0) }
}

/// A C string as a path.
struct OsPath(&'static std::ffi::CStr);

impl OsPath {
    fn path(&self) -> &'static std::path::Path {
        use std::os::unix::ffi::OsStrExt;
        std::path::Path::new(std::ffi::OsStr::from_bytes(self.0.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_are_written_to_and_pages_of_files_are_found_in_ranges() {
        let maps = "1000-5000 rw-p 0 0:0 0\n5000-6000 r-xp 0 8:1 7 /usr/lib/x.so\n7000-8000 rw-s 0 0:0 0\n\
                    9000-a000 rw-p 0 0:0 0 [heap]\nb000-c000 r-xp 0 0:0 0 [vdso]\n";
        let own = 1 << 63 | 1 << 56;
        let entries = |at: usize, count: usize| {
            Some(match at {
                0x1000 => vec![own, own, 1 << 63, own],
                0x5000 => vec![1 << 63 | 1 << 61],
                _ => vec![own; count],
            })
        };
        let found = Pages::among(maps, entries).unwrap();
        let own = vec![(0x1000, 0x2000), (0x4000, 0x1000), (0x9000, 0x1000)];
        assert_eq!(found, Pages { own, seen: vec![(0x5000, 0x1000)] });
    }

    #[test]
    fn what_writes_to_everything_is_no_example() {
        let entries = |_, count| Some(vec![1 << 63 | 1 << 56; count]);
        assert_eq!(Pages::among("0-1000000 rw-p 0 0:0 0\n", entries), None);
    }
}
