//! The answering end of a filter that asks: seccomp_unotify(2).
//!
//! A call gets an error, or ([`let_go`]) goes on as the filter would have had it go on by itself. Nothing in this crate can
//! give it another result, or put a descriptor in its place.

use std::os::fd::{AsRawFd, BorrowedFd};

use super::{Errno, answer};

// Of linux/seccomp.h: the size of what the argument points to is part of the number.
const RECV: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;
const ID_VALID: libc::c_ulong = 0x4008_2102;

/// `struct seccomp_notif`: a call that waits for its answer.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Question {
    /// Names this wait of this call and no other: it is never used again (a counter of 64 bits).
    pub(crate) id: u64,
    /// The thread, as we see it; 0 where we cannot.
    pub(crate) thread: u32,
    flags: u32,
    pub(crate) number: u32,
    pub(crate) arch: u32,
    pub(crate) instruction: u64,
    pub(crate) args: [u64; 6],
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// Whether this kernel asks in the form that is written down here.
pub(crate) fn is_there() -> bool {
    const GET_NOTIF_SIZES: u32 = 3;
    let mut sizes = [0u16; 3];
    // SAFETY: `sizes` is `struct seccomp_notif_sizes`, three numbers of 16 bits, and lives across the call.
    let asked = unsafe { libc::syscall(libc::SYS_seccomp, GET_NOTIF_SIZES, 0, &raw mut sizes) };
    let ours = [size_of::<Question>(), size_of::<Response>()];
    answer(asked).is_ok() && [usize::from(sizes[0]), usize::from(sizes[1])] == ours
}

/// Takes the next question. To be called when the listener is readable, else it waits; `NOENT` when whoever asked is
/// gone meanwhile.
pub(crate) fn take(listener: BorrowedFd<'_>) -> Result<Question, Errno> {
    let mut question = Question::default();
    // SAFETY: `question` has the layout and the size that the number tells, is zero as the kernel wants it, and lives
    // across the call.
    answer(unsafe { libc::ioctl(listener.as_raw_fd(), RECV, &raw mut question) }.into())?;
    Ok(question)
}

/// Whether the call still waits: then the thread was the asking one all the time since.
pub(crate) fn still_waits(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: `id` is the number of 64 bits that the request wants, and lives across the call.
    answer(unsafe { libc::ioctl(listener.as_raw_fd(), ID_VALID, &raw const id) }.into()).is_ok()
}

/// Answers with an error. `NOENT` when whoever asked is gone.
pub(crate) fn refuse(listener: BorrowedFd<'_>, id: u64, errno: Errno) -> Result<(), Errno> {
    let response = Response { id, value: 0, error: -errno.raw_os_error(), flags: 0 };
    // SAFETY: `response` has the layout and the size that the number tells, and lives across the call.
    answer(unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw const response) }.into()).map(drop)
}

/// Lets the call go on, as if the filter had allowed it (SECCOMP_USER_NOTIF_FLAG_CONTINUE): for a trace, where the filter
/// asks about each call, and for those alone that the policy allows.
///
/// seccomp_unotify(2) warns that this makes no security policy, since what a pointer leads to may change between the
/// look and the act. It is none here: [`Policy::decide`](crate::seccomp::Policy::decide) is given the number and the
/// registers, and these are the kernel's copy of a thread that stands still. Another thread cannot change them, and a
/// tracer, which could, there is none: ptrace(2) is refused. So it decides as the same filter in the kernel does.
pub(crate) fn let_go(listener: BorrowedFd<'_>, id: u64) -> Result<(), Errno> {
    const CONTINUE: u32 = 1;
    let response = Response { id, value: 0, error: 0, flags: CONTINUE };
    // SAFETY: as in `refuse`.
    answer(unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw const response) }.into()).map(drop)
}
