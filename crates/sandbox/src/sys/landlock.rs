//! Landlock (landlock(7)): an unprivileged, stackable restriction of what a thread may reach.
//!
//! Three raw calls and no crate: they run between clone and exec, where the `landlock` crate's
//! allocations are not welcome, and its rules name directories that exist only inside the cell.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{Errno, answer};

/// Rights on files, as bits of `access_fs` (linux/landlock.h).
pub(crate) mod access {
    pub(crate) const EXECUTE: u64 = 1 << 0;
    pub(crate) const WRITE_FILE: u64 = 1 << 1;
    pub(crate) const READ_FILE: u64 = 1 << 2;
    pub(crate) const READ_DIR: u64 = 1 << 3;
    pub(crate) const MAKE_CHAR: u64 = 1 << 6;
    pub(crate) const MAKE_BLOCK: u64 = 1 << 11;
    pub(crate) const TRUNCATE: u64 = 1 << 14;
    pub(crate) const IOCTL_DEV: u64 = 1 << 15;
    /// Rights that make sense on what is not a directory.
    pub(crate) const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
}

/// What a ruleset refuses unless a rule allows it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handled {
    pub(crate) fs: u64,
    pub(crate) net: u64,
    pub(crate) scoped: u64,
}

impl Handled {
    /// All that an ABI version can refuse: files from 1, rename across directories from 2, truncation
    /// from 3, TCP bind and connect from 4, device ioctls from 5, abstract sockets and signals from 6.
    pub(crate) fn all(abi: u32) -> Handled {
        let fs = match abi {
            0 => 0,
            1 => (1 << 13) - 1,
            2 => (1 << 14) - 1,
            3 | 4 => (1 << 15) - 1,
            _ => (1 << 16) - 1,
        };
        Handled { fs, net: if abi >= 4 { 0b11 } else { 0 }, scoped: if abi >= 6 { 0b11 } else { 0 } }
    }

    /// How many leading bytes a kernel of this ABI knows.
    fn size(abi: u32) -> usize {
        match abi {
            0..=3 => 8,
            4..=5 => 16,
            _ => size_of::<Handled>(),
        }
    }
}

/// The newest ABI version that this kernel enforces; 0 where there is none.
pub(crate) fn abi() -> u32 {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the attribute pointer must be NULL and the size 0.
    answer(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0usize, 0usize, VERSION) })
        .map_or(0, |version| version as u32)
}

/// A ruleset that refuses all of `handled`.
pub(crate) fn create(handled: Handled, abi: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: `handled` lives across the call and is at least as long as the size that is passed.
    let fd =
        answer(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const handled, Handled::size(abi), 0) })?;
    // SAFETY: the kernel just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Allows `access` at and below `place`.
pub(crate) fn allow(ruleset: BorrowedFd<'_>, place: BorrowedFd<'_>, access: u64) -> Result<(), Errno> {
    const PATH_BENEATH: u32 = 1;
    #[repr(C, packed)]
    struct PathBeneath {
        access: u64,
        place: i32,
    }
    let rule = PathBeneath { access, place: place.as_raw_fd() };
    // SAFETY: `rule` has the packed layout of `struct landlock_path_beneath_attr` and lives across the
    // call.
    answer(unsafe { libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), PATH_BENEATH, &raw const rule, 0) })
        .map(drop)
}

/// Restricts the calling thread, for good. Wants `no_new_privs` or CAP_SYS_ADMIN.
pub(crate) fn restrict(ruleset: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: landlock_restrict_self(2) takes no pointer.
    answer(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) }).map(drop)
}
