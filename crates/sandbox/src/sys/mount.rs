//! The mount calls of 2019 and later (open_tree(2), fsopen(2), mount_setattr(2), move_mount(2)):
//! file systems are made detached, given their attributes, and only then attached.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};

use super::{Errno, answer};

/// Attributes of a mount, added to those that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) read_only: bool,
    pub(crate) no_devices: bool,
    pub(crate) no_exec: bool,
}

impl Attributes {
    fn bits(self) -> u64 {
        let mut bits = libc::MOUNT_ATTR_NOSUID;
        for (wanted, bit) in [
            (self.read_only, libc::MOUNT_ATTR_RDONLY),
            (self.no_devices, libc::MOUNT_ATTR_NODEV),
            (self.no_exec, libc::MOUNT_ATTR_NOEXEC),
        ] {
            if wanted {
                bits |= bit;
            }
        }
        bits
    }
}

/// A detached copy of the tree at `path`, with all that is mounted below it, cut off from what the host
/// mounts there later.
pub(crate) fn clone_tree(path: &CStr, attributes: Attributes) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = rustix::mount::open_tree(rustix::fs::CWD, path, flags)?;
    set(tree.as_fd(), c"", attributes.bits(), libc::MS_PRIVATE, true)?;
    Ok(tree)
}

/// A detached copy of the single mount of which `path` below `dir` is part, rooted there.
pub(crate) fn clone_below(dir: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    rustix::mount::open_tree(dir, path, flags)
}

/// A new detached file system of kind `kind` with `options`; one with an empty value is left out.
pub(crate) fn new_filesystem(
    kind: &CStr,
    options: &[(&CStr, &CStr)],
    attributes: Attributes,
) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for &(key, value) in options {
        if !value.is_empty() {
            rustix::mount::fsconfig_set_string(context.as_fd(), key, value)?;
        }
    }
    rustix::mount::fsconfig_create(context.as_fd())?;
    let attributes = MountAttrFlags::from_bits_retain(attributes.bits() as u32);
    rustix::mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// Attaches a detached mount at `target`.
pub(crate) fn attach(mount: BorrowedFd<'_>, target: &CStr) -> Result<(), Errno> {
    rustix::mount::move_mount(mount, c"", rustix::fs::CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// Adds attributes to the mount at `path`, not to those below it.
pub(crate) fn restrict(path: &CStr, attributes: Attributes) -> Result<(), Errno> {
    set(rustix::fs::CWD, path, attributes.bits(), 0, false)
}

/// Cuts every mount of this namespace off from events in the namespace it was copied from.
pub(crate) fn make_private() -> Result<(), Errno> {
    set(rustix::fs::CWD, c"/", 0, libc::MS_PRIVATE, true)
}

/// Makes the mount at `root` the root of this mount namespace and lets go of the old one.
pub(crate) fn enter(root: BorrowedFd<'_>) -> Result<(), Errno> {
    // On top of the old root, where a place to mount on exists on every host. The old root is then put
    // on the new one's own root directory and taken off from there, so that no directory is needed for it
    // (pivot_root(2), "pivot_root(".", ".")").
    attach(root, c"/")?;
    rustix::process::fchdir(root)?;
    rustix::process::pivot_root(c".", c".")?;
    detach(c".")?;
    rustix::process::chdir(c"/")
}

/// Takes off the mount at `path`; who holds a descriptor below it keeps that.
fn detach(path: &CStr) -> Result<(), Errno> {
    rustix::mount::unmount(path, UnmountFlags::DETACH)
}

fn set(dir: BorrowedFd<'_>, path: &CStr, add: u64, propagation: u64, recursive: bool) -> Result<(), Errno> {
    let attr = libc::mount_attr { attr_set: add, attr_clr: 0, propagation, userns_fd: 0 };
    let mut flags = if path.is_empty() { libc::AT_EMPTY_PATH } else { 0 };
    if recursive {
        flags |= libc::AT_RECURSIVE;
    }
    // SAFETY: `path` is NUL-terminated and `attr` is of the size that is passed; both live across the
    // call, and the kernel keeps neither.
    answer(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            dir.as_raw_fd(),
            path.as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}
