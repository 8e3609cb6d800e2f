//! Process creation: clone3(2), with namespaces and straight into a cgroup.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::process::Pid;

use super::{Errno, answer};

// Of linux/sched.h; libc's constants are of a type too small for them.
const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;
const CLONE_INTO_CGROUP: u64 = 1 << 33;
/// For a child that is to be a sibling (clone(2), CLONE_PARENT).
pub(crate) const PARENT: u64 = libc::CLONE_PARENT as u64;

/// Which side of a fork we are on.
pub(crate) enum Side<T> {
    Parent(T),
    Child,
}

/// A child, and a descriptor that names it even after its pid is used again.
pub(crate) struct Child {
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
}

/// Makes a child process with new namespaces, born in `cgroup` where one is given. With `CLONE_PARENT` among the
/// flags it is a sibling.
///
/// The child is a copy of this process with one thread: until it ends or executes a program it must
/// call nothing that allocates or locks. Its signal handlers are reset (`CLONE_CLEAR_SIGHAND`).
///
/// Errors: clone3(2); `EPERM` and `ENOSPC` mostly mean that user namespaces are forbidden or used up.
pub(crate) fn clone3(flags: u64, cgroup: Option<BorrowedFd<'_>>) -> Result<Side<Child>, Errno> {
    let mut pidfd: libc::c_int = -1;
    let mut flags = flags | libc::CLONE_PIDFD as u64 | CLONE_CLEAR_SIGHAND;
    if cgroup.is_some() {
        flags |= CLONE_INTO_CGROUP;
    }
    let args = libc::clone_args {
        flags,
        pidfd: (&raw mut pidfd) as u64,
        child_tid: 0,
        parent_tid: 0,
        // A sibling's is the caller's own, and must not be said (kernel/fork.c, clone3_args_valid).
        exit_signal: if flags & PARENT == 0 { libc::SIGCHLD as u64 } else { 0 },
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: cgroup.map_or(0, |fd| fd.as_raw_fd() as u64),
    };
    // SAFETY: `args` and `pidfd` live across the call and the size is that of `args`. Without CLONE_VM
    // the child has its own copy of memory, so that no reference of ours is shared with it.
    let pid = answer(unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>()) })?;
    match Pid::from_raw(pid as i32) {
        None => Ok(Side::Child),
        Some(pid) => {
            // SAFETY: the kernel stored a new descriptor in `pidfd`, which nobody else has seen.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Side::Parent(Child { pid, pidfd }))
        }
    }
}

/// Moves this process (or its next children) into new namespaces.
pub(crate) fn unshare(flags: libc::c_int) -> Result<(), Errno> {
    // SAFETY: unshare(2) takes no pointer; none of our flags separates file descriptors or memory.
    answer(unsafe { libc::syscall(libc::SYS_unshare, flags) }).map(drop)
}

/// Whether a child with these namespaces can be made; it ends at once.
pub(crate) fn trial(namespaces: u64) -> Result<(), Errno> {
    match clone3(namespaces, None)? {
        Side::Child => super::exec::exit(0),
        Side::Parent(child) => {
            rustix::process::waitpid(Some(child.pid), rustix::process::WaitOptions::empty())?;
            Ok(())
        }
    }
}
