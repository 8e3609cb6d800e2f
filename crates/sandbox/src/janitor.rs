//! A process that outlives the supervisor by a moment and removes what a cell would leave behind, should
//! the supervisor die without doing so. It is alone in its session, holds one pipe and nothing else.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions};

use crate::sys;
use crate::sys::clone::Side;

/// The janitor of one cell. Dropping it without [`Janitor::dismiss`] lets it do its work.
#[derive(Debug)]
pub(crate) struct Janitor {
    pid: Pid,
    pipe: OwnedFd,
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
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        match sys::clone::clone3(0, None)? {
            Side::Child => watch(&read, &remains),
            Side::Parent(child) => Ok(Janitor { pid: child.pid, pipe: write }),
        }
    }

    /// Sends it home: everything has been removed.
    pub(crate) fn dismiss(self) {
        let _ = rustix::io::write(&self.pipe, b"0");
        let _ = rustix::process::waitpid(Some(self.pid), WaitOptions::empty());
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
            // The end of the pipe: the supervisor is gone.
            Ok(0) => break,
            _ => sys::exec::exit(0),
        }
    }
    // The cell dies with the supervisor, but not at the same instant.
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
