//! Signal dispositions and the mask, back to what a program expects at its start (signal(7)).

use super::{Errno, answer};

/// A signal's disposition as the kernel stores it; libc's own struct has another layout.
#[repr(C)]
#[derive(Clone, Copy)]
struct KernelSigaction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

/// Resets every signal that can be to its default, and unblocks all.
///
/// Rust's runtime ignores SIGPIPE, and an ignored signal stays ignored over clone3 and exec.
pub(crate) fn reset() -> Result<(), Errno> {
    let default = KernelSigaction { handler: libc::SIG_DFL, flags: 0, restorer: 0, mask: 0 };
    for signal in 1..=64 {
        if signal == libc::SIGKILL || signal == libc::SIGSTOP {
            continue;
        }
        // SAFETY: `default` lives across the call; no old action is asked for; 8 is the size of the
        // kernel's signal set.
        answer(unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const default, 0usize, 8usize) })?;
    }
    let none: u64 = 0;
    // SAFETY: as above; `none` is a kernel signal set of 8 bytes.
    answer(unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const none, 0usize, 8usize) })
        .map(drop)
}

/// The dispositions of all signals, as an interpreter set them for itself.
pub(crate) struct Dispositions([KernelSigaction; 64]);

/// Reads them all.
pub(crate) fn dispositions() -> Result<Dispositions, Errno> {
    let mut all = [KernelSigaction { handler: libc::SIG_DFL, flags: 0, restorer: 0, mask: 0 }; 64];
    for (signal, action) in (1..).zip(&mut all) {
        // SAFETY: the kernel writes one `KernelSigaction` to `action`; 8 is the size of its signal set.
        answer(unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, 0usize, &raw mut *action, 8usize) })?;
    }
    Ok(Dispositions(all))
}

/// Sets those that are not the default.
pub(crate) fn restore(Dispositions(all): &Dispositions) -> Result<(), Errno> {
    for (signal, action) in (1..).zip(all).filter(|(_, action)| action.handler != libc::SIG_DFL) {
        // SAFETY: `action` was read from the kernel in a process of which this one is a copy, so that handler and
        // restorer are code here too.
        answer(unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, &raw const *action, 0usize, 8usize) })?;
    }
    Ok(())
}
