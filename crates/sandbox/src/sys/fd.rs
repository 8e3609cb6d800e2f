//! Descriptors: close_range(2), dup3(2) onto a fixed number.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use super::{Errno, answer};

/// Closes every descriptor from `first` up but those in `keep`, which must be in ascending order.
///
/// To be called only in a child that is about to execute or that owns nothing else: it closes
/// descriptors under the feet of whatever value owns them.
pub(crate) fn close_from(first: RawFd, keep: &[RawFd]) -> Result<(), Errno> {
    let mut from = first;
    for &kept in keep {
        if kept > from {
            close_range(from, kept - 1)?;
        }
        from = from.max(kept + 1);
    }
    close_range(from, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> Result<(), Errno> {
    // SAFETY: close_range(2) takes no pointer. That the closed descriptors have no user left is the
    // contract of `close_from`.
    answer(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}

/// Makes number `to` mean what `from` means; it survives exec.
pub(crate) fn place(from: BorrowedFd<'_>, to: RawFd) -> Result<(), Errno> {
    if from.as_raw_fd() == to {
        // dup3 refuses equal numbers, and would have cleared close-on-exec, so that we do.
        return rustix::io::fcntl_setfd(from, rustix::io::FdFlags::empty());
    }
    // SAFETY: dup3(2) takes no pointer; only the child that is about to execute calls this, for the
    // three standard numbers, which no Rust value owns.
    answer(unsafe { libc::syscall(libc::SYS_dup3, from.as_raw_fd(), to, 0) }).map(drop)
}
