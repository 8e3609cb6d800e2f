//! execve(2) and _exit(2).

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use super::{Errno, answer};

/// A NULL-terminated array of strings as the kernel wants it, made before the fork.
pub(crate) struct Strings {
    // Owns what `pointers` points to.
    _owned: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    pub(crate) fn new(owned: Vec<CString>) -> Strings {
        let pointers = owned.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Strings { _owned: owned, pointers }
    }
}

/// Becomes `program`. Returns only to say why it could not.
pub(crate) fn exec(program: &CStr, args: &Strings, env: &Strings) -> Errno {
    // SAFETY: the three pointers come from live values; both arrays end in NULL and their strings are
    // owned by `Strings`, whose heap buffers do not move.
    let value =
        unsafe { libc::syscall(libc::SYS_execve, program.as_ptr(), args.pointers.as_ptr(), env.pointers.as_ptr()) };
    answer(value).err().unwrap_or(Errno::INVAL)
}

/// Ends this process at once, running no destructor and flushing nothing.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: _exit(2) takes no pointer and does not return.
    unsafe { libc::_exit(code) }
}
