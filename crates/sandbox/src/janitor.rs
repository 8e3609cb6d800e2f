//! A process that outlives the cell by a moment and removes its cgroups: after a normal end off the path
//! of whoever waits for the result, and just so when the supervisor dies in the middle. It is alone in its
//! session, holds one pipe and nothing else.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::Pid;

use crate::sys::clone::Side;
use crate::{children, sys};

/// The janitor of one cell. It sets to work when this is dropped, in whatever way.
#[derive(Debug)]
pub(crate) struct Janitor {
    pid: Pid,
    /// Its other end is all that the janitor looks at.
    _pipe: OwnedFd,
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
            Side::Parent(child) => Ok(Janitor { pid: child.pid, _pipe: write }),
        }
    }
}

fn watch(pipe: &OwnedFd, remains: &[Remains]) -> ! {
    let _ = rustix::process::setsid();
    if sys::fd::close_from(0, &[pipe.as_raw_fd()]).is_err() {
        sys::exec::exit(1);
    }
    let mut byte = [0u8; 1];
    loop {
        match rustix::io::read(pipe, &mut byte) {
            Err(Errno::INTR) => {}
            // The end of the pipe: the supervisor is done with the cell, or gone.
            Ok(0) => break,
            Ok(_) | Err(_) => sys::exec::exit(1),
        }
    }
    // The cell is dead or dying, but its last process may not be gone yet.
    for _ in 0..2500 {
        let mut left = false;
        for Remains { kill, directory } in remains {
            if let Ok(file) = rustix::fs::open(kill, rustix::fs::OFlags::WRONLY, rustix::fs::Mode::empty()) {
                let _ = rustix::io::write(&file, b"1");
            }
            left |= rustix::fs::rmdir(directory) == Err(Errno::BUSY);
        }
        if !left {
            break;
        }
        let _ = rustix::thread::nanosleep(&rustix::time::Timespec { tv_sec: 0, tv_nsec: 2_000_000 });
    }
    sys::exec::exit(0);
}
