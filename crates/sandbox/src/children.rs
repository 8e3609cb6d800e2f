//! Child processes that are done or dying, and that nobody has waited for yet.
//!
//! Waiting for them at once would put the kernel's clearing up in the way of the result.

use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, WaitOptions};

static LEAVING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Leaves `pid` for a later [`reap`]: it must be a child of ours that is certain to end.
pub(crate) fn leave(pid: Pid) {
    LEAVING.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
}

/// Lets go of those that have ended.
pub(crate) fn reap() {
    let ended = |pid: &Pid| !matches!(rustix::process::waitpid(Some(*pid), WaitOptions::NOHANG), Ok(None));
    LEAVING.lock().unwrap_or_else(PoisonError::into_inner).retain(|pid| !ended(pid));
}
