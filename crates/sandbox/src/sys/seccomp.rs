//! seccomp(2) in filter mode.

use std::os::fd::{FromRawFd, OwnedFd};

use super::{Errno, answer};

/// One instruction of classic BPF (linux/filter.h), in the kernel's layout.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

const SET_MODE_FILTER: u32 = 1;
const NEW_LISTENER: u32 = 1 << 3;
/// Once somebody has taken a question, only death interrupts the wait for its answer; else a signal would make the call
/// begin anew, and be asked about again (Linux 5.19).
const WAIT_KILLABLE_RECV: u32 = 1 << 5;

/// Puts the calling thread, for good, behind `program`. Wants `no_new_privs` or CAP_SYS_ADMIN.
pub(crate) fn install(program: &[Instruction]) -> Result<(), Errno> {
    set_filter(program, 0).map(drop)
}

/// The same, and returns what its questions (SECCOMP_RET_USER_NOTIF) are answered by, closed at exec: see
/// [`super::notify`]. `BUSY` where a filter that we are behind already has one.
pub(crate) fn install_listening(program: &[Instruction]) -> Result<OwnedFd, Errno> {
    let listener = match set_filter(program, NEW_LISTENER | WAIT_KILLABLE_RECV) {
        Err(Errno::INVAL) => set_filter(program, NEW_LISTENER),
        other => other,
    }?;
    // SAFETY: the kernel made this descriptor just now, and nobody else has seen it.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as i32) })
}

fn set_filter(program: &[Instruction], flags: u32) -> Result<usize, Errno> {
    #[repr(C)]
    struct Program {
        len: u16,
        filter: *const Instruction,
    }
    let len = u16::try_from(program.len()).map_err(|_| Errno::TOOBIG)?;
    let program = Program { len, filter: program.as_ptr() };
    // SAFETY: `program` lives across the call, its pointer and length are those of one slice, and the
    // kernel copies and verifies the instructions before it returns.
    answer(unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &raw const program) })
}
