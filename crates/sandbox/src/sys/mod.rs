//! The kernel facilities for which neither std nor rustix has a safe call: one file per facility, and
//! nearly all `unsafe` of the repository; the rest calls an interpreter, in `crates/nursery`.
//!
//! Invariants:
//! 1. Nothing here allocates or takes a lock, so that all of it may run between clone and exec; but `shown` and `peer`, which
//!    do not run there.
//! 2. Every failure is returned; nothing is retried but what a signal interrupted.

#![allow(unsafe_code)]

pub(crate) mod clone;
pub(crate) mod exec;
pub(crate) mod fd;
pub(crate) mod identity;
pub(crate) mod landlock;
pub(crate) mod mount;
pub(crate) mod net;
pub(crate) mod notify;
pub(crate) mod numbers;
pub(crate) mod peer;
pub(crate) mod seccomp;
pub(crate) mod shown;
pub(crate) mod signal;

pub(crate) use rustix::io::Errno;

/// What the kernel's raw return value means: on failure libc's wrapper returned -1 and set `errno`.
fn answer(value: libc::c_long) -> Result<usize, Errno> {
    usize::try_from(value).map_err(|_| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL))
}
