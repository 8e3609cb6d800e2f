//! A process that outlives the cell by a moment and removes its cgroups: after a normal end off the path
//! of whoever waits for the result, and just so when the supervisor dies in the middle. It is alone in its
//! session, holds one pipe and nothing else.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Pid;

use crate::sys::clone::Side;
use crate::{children, sys};

/// The janitor of one cell. It sets to work when this is dropped, in whatever way.
#[derive(Debug)]
pub(crate) struct Janitor {
    pid: Pid,
    /// Its other end is all that the janitor looks at.
    pipe: OwnedFd,
}

impl Drop for Janitor {
    fn drop(&mut self) {
        children::leave(self.pid);
    }
}

/// What it would remove: a cgroup directory, and the file that kills what is in it.
struct Remains {
    kill: CString,
    directory: CString,
}

impl Janitor {
    /// Starts it, before the directories exist.
    pub(crate) fn start(directories: &[PathBuf]) -> Result<Janitor, Errno> {
        let remains: Vec<Remains> = directories
            .iter()
            .filter_map(|directory| {
                Some(Remains {
                    kill: CString::new(directory.join("cgroup.kill").as_os_str().as_bytes()).ok()?,
                    directory: CString::new(directory.as_os_str().as_bytes()).ok()?,
                })
            })
            .collect();
        children::reap();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        match sys::clone::clone3(0, None)? {
            Side::Child => watch(&read, &remains),
            Side::Parent(child) => Ok(Janitor { pid: child.pid, pipe: write }),
        }
    }

    /// Has it kill what is in the directories `from now` of its own accord: a second watch on the clock, should
    /// the supervisor be stopped or stuck.
    pub(crate) fn kill_after(&self, from_now: Duration) -> Result<(), Errno> {
        let milliseconds = u64::try_from(from_now.as_millis()).unwrap_or(u64::MAX);
        rustix::io::write(&self.pipe, &milliseconds.to_le_bytes()).map(drop)
    }
}

fn watch(pipe: &OwnedFd, remains: &[Remains]) -> ! {
    let _ = rustix::process::setsid();
    if sys::fd::close_from(0, &[pipe.as_raw_fd()]).is_err() {
        sys::exec::exit(1);
    }
    let mut timeout = None;
    // Until the end of the pipe: the supervisor is done with the cell, or gone.
    loop {
        match poll(&mut [PollFd::new(pipe, PollFlags::IN)], timeout.as_ref()) {
            Err(Errno::INTR) => {}
            Ok(0) => {
                kill(remains);
                timeout = None;
            }
            _ => {
                let mut milliseconds = [0u8; 8];
                if rustix::io::read(pipe, &mut milliseconds) != Ok(8) {
                    break;
                }
                let milliseconds = u64::from_le_bytes(milliseconds);
                timeout = i64::try_from(milliseconds / 1000)
                    .ok()
                    .map(|tv_sec| Timespec { tv_sec, tv_nsec: (milliseconds % 1000 * 1_000_000) as i64 });
            }
        }
    }
    // The cell is dead or dying, but its last process may not be gone yet.
    for _ in 0..2500 {
        let mut left = false;
        kill(remains);
        for Remains { directory, .. } in remains {
            left |= rustix::fs::rmdir(directory) == Err(Errno::BUSY);
        }
        if !left {
            break;
        }
        let _ = rustix::thread::nanosleep(&rustix::time::Timespec { tv_sec: 0, tv_nsec: 2_000_000 });
    }
    sys::exec::exit(0);
}

/// Absent on version 1, and before Linux 5.14; there the death of the pid namespace has to do.
fn kill(remains: &[Remains]) {
    for Remains { kill, .. } in remains {
        if let Ok(file) = rustix::fs::open(kill, rustix::fs::OFlags::WRONLY, rustix::fs::Mode::empty()) {
            let _ = rustix::io::write(&file, b"1");
        }
    }
}
