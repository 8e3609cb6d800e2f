//! User ids, capabilities and dumpability of the calling thread (credentials(7), capabilities(7)).

use super::{Errno, answer};

/// Supplementary groups: none.
pub(crate) fn drop_groups() -> Result<(), Errno> {
    rustix::thread::set_thread_groups(&[])
}

/// Takes one user id and one group id as real, effective and saved. Capabilities stay: see
/// [`keep_capabilities`].
pub(crate) fn become_user(uid: u32, gid: u32) -> Result<(), Errno> {
    // The raw calls, not libc's: glibc's would signal every thread that it remembers from before the fork.
    // SAFETY: setresgid(2) takes no pointer.
    answer(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })?;
    // SAFETY: setresuid(2) takes no pointer.
    answer(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) }).map(drop)
}

/// Keeps capabilities over a change of user id, so that the root can still be built as its owner.
pub(crate) fn keep_capabilities() -> Result<(), Errno> {
    use rustix::thread::CapabilitiesSecureBits as Bits;
    rustix::thread::set_capabilities_secure_bits(Bits::NO_SETUID_FIXUP)
}

/// Empties the bounding, ambient, inheritable, permitted and effective sets, and locks the secure
/// bits, so that neither user id 0 nor a file can bring one back.
pub(crate) fn drop_capabilities() -> Result<(), Errno> {
    use rustix::thread::{CapabilitiesSecureBits as Bits, CapabilitySet, CapabilitySets};
    rustix::thread::clear_ambient_capability_set()?;
    for capability in 0..64 {
        // SAFETY: prctl(PR_CAPBSET_DROP) takes no pointer.
        match answer(unsafe { libc::syscall(libc::SYS_prctl, libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }) {
            Ok(_) => {}
            // Past the last capability that this kernel knows.
            Err(Errno::INVAL) => break,
            Err(errno) => return Err(errno),
        }
    }
    rustix::thread::set_capabilities_secure_bits(
        Bits::NO_SETUID_FIXUP
            | Bits::NO_SETUID_FIXUP_LOCKED
            | Bits::NO_ROOT
            | Bits::NO_ROOT_LOCKED
            | Bits::KEEP_CAPS_LOCKED
            | Bits::NO_CAP_AMBIENT_RAISE
            | Bits::NO_CAP_AMBIENT_RAISE_LOCKED,
    )?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}

/// Lets go of what a process inherits and a program could profit from: a personality without address
/// randomisation, a real-time class, a priority above the usual.
pub(crate) fn reset_attributes() -> Result<(), Errno> {
    // SAFETY: personality(2) takes no pointer.
    answer(unsafe { libc::syscall(libc::SYS_personality, 0) })?;
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: sched_setscheduler(2) reads one `sched_param`, which lives across the call.
    answer(unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_OTHER, &raw const parameters) })?;
    // SAFETY: getpriority(2) takes no pointer. The raw call answers 20 minus the nice value.
    let nice = answer(unsafe { libc::syscall(libc::SYS_getpriority, libc::PRIO_PROCESS, 0) })?;
    if nice > 20 {
        // SAFETY: setpriority(2) takes no pointer.
        answer(unsafe { libc::syscall(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, 0) })?;
    }
    Ok(())
}
