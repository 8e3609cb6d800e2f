//! seccomp(2) in filter mode.

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

/// Puts the calling thread, for good, behind `program`. Wants `no_new_privs` or CAP_SYS_ADMIN.
pub(crate) fn install(program: &[Instruction]) -> Result<(), Errno> {
    const SET_MODE_FILTER: u32 = 1;
    #[repr(C)]
    struct Program {
        len: u16,
        filter: *const Instruction,
    }
    let len = u16::try_from(program.len()).map_err(|_| Errno::TOOBIG)?;
    let program = Program { len, filter: program.as_ptr() };
    // SAFETY: `program` lives across the call, its pointer and length are those of one slice, and the
    // kernel copies and verifies the instructions before it returns.
    answer(unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, 0, &raw const program) }).map(drop)
}
