//! What supervisor and nursery say to each other, and what a cell is handed: one message each, over sockets that keep
//! messages apart.
//!
//! The nursery is trusted as our own code is; what it reads comes from the supervisor alone. The supervisor reads an
//! answer of a few bytes.

use std::ffi::CString;
use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use rustix::process::Pid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// Descriptors of one message, at most.
const FDS: usize = 16;
/// Bytes of one message, at most; what is longer comes as a file.
pub(super) const MOST: usize = 128 << 10;

/// "Give birth to this." With it come gate, control and birth, the standard three, the cgroup to be born in if there
/// is one, and the `tasks` files to write to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) namespaces: u64,
    pub(super) born_in_cgroup: bool,
    pub(super) plan: Plan,
}

/// What a nursery says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It can give birth.
    Ready,
    /// It never will.
    Useless(String),
    /// The cell's first process lives; its pidfd comes along.
    Born,
    /// It does not, for this error number.
    Failed(i32),
}

/// A program for a cell that waits, as sent (borrowed) and as received.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Program<Strings, File> {
    pub(super) args: Strings,
    pub(super) env: Strings,
    pub(super) files: Vec<File>,
    /// What of them is in files of the supervisor's, whose descriptors come along.
    pub(super) parts: Vec<Part>,
    /// With how many bytes of memory, at most, it may leave that to a keeper at its end; `None` where the supervisor would not
    /// know what to do with one.
    pub(super) keeper: Option<u64>,
}

/// A file that is copied from a part of another.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) path: CString,
    pub(super) mode: u32,
    /// Which of the descriptors.
    pub(super) file: usize,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// In the place of a program that is too long for a message: it is in the first file that comes along.
pub(super) const IN_A_FILE: &[u8] = b"!";
/// What a cell that has its program is told in the end.
pub(super) const GO: &[u8] = b"go";

/// Sends one message.
pub(super) fn send(to: BorrowedFd<'_>, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let bytes = postcard::to_stdvec(message).map_err(|_| Errno::INVAL)?;
    send_bytes(to, &bytes, fds)
}

pub(super) fn send_bytes(to: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::TOOBIG);
    }
    let sent = rustix::net::sendmsg(to, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
    if sent == bytes.len() { Ok(()) } else { Err(Errno::MSGSIZE) }
}

/// Waits for one message, with all descriptors that came along.
pub(super) fn receive_with<T: DeserializeOwned>(from: BorrowedFd<'_>) -> Result<(T, Vec<OwnedFd>), Errno> {
    let (bytes, fds) = receive_bytes(from)?;
    Ok((postcard::from_bytes(&bytes).map_err(|_| Errno::PROTO)?, fds))
}

/// Waits for one message, with at most one descriptor.
pub(super) fn receive<T: DeserializeOwned>(from: BorrowedFd<'_>) -> Result<(T, Option<OwnedFd>), Errno> {
    let (message, fds) = receive_with(from)?;
    Ok((message, fds.into_iter().next()))
}

pub(super) fn receive_bytes(from: BorrowedFd<'_>) -> Result<(Vec<u8>, Vec<OwnedFd>), Errno> {
    // Room for the longest would be written to before it is received, by every cell.
    let size = again(|| rustix::net::recv(from, &mut [0u8; 1], RecvFlags::PEEK | RecvFlags::TRUNC))?.1;
    if size > MOST {
        // It is taken away all the same, or the next look would find it again.
        again(|| rustix::net::recv(from, &mut [0u8; 1], RecvFlags::empty()))?;
        return Err(Errno::MSGSIZE);
    }
    let mut bytes = vec![0; size];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = again(|| {
        rustix::net::recvmsg(from, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
    })?;
    if received.bytes == 0 {
        return Err(Errno::PIPE);
    }
    // Descriptors of which some were lost are not those that were sent.
    if received.flags.intersects(ReturnFlags::CTRUNC | ReturnFlags::TRUNC) {
        return Err(Errno::MSGSIZE);
    }
    let rights = |message| if let RecvAncillaryMessage::ScmRights(fds) = message { Some(fds) } else { None };
    let fds = ancillary.drain().filter_map(rights).flatten().collect();
    bytes.truncate(received.bytes);
    Ok((bytes, fds))
}

fn again<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

/// The process that a pidfd names (proc_pid_fdinfo(5)).
pub(super) fn pid_of(pidfd: &OwnedFd) -> Option<Pid> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_fd().as_raw_fd())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    Pid::from_raw(line.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_which_something_is_lost_is_none() {
        let (ours, theirs) = crate::launch::sockets().unwrap();
        let own = ours.try_clone().unwrap();
        // Tests beside this one open files too: only this socket is counted.
        let this = fs::read_link(format!("/proc/self/fd/{}", own.as_raw_fd())).unwrap();
        let copies = || {
            let all = fs::read_dir("/proc/self/fd").unwrap().flatten();
            all.filter(|entry| fs::read_link(entry.path()).is_ok_and(|link| link == this)).count()
        };
        let open = copies();
        let send = |bytes: &[u8], count: usize| {
            let fds = vec![own.as_fd(); count];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            assert!(count == 0 || ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
            rustix::net::sendmsg(&theirs, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL).unwrap();
        };
        send(b"all", FDS);
        let (bytes, fds) = receive_bytes(ours.as_fd()).unwrap();
        assert_eq!((bytes.as_slice(), fds.len()), (&b"all"[..], FDS));
        drop(fds);
        // The room is rounded up to words.
        send(b"too many", FDS + 4);
        assert_eq!(receive_bytes(ours.as_fd()).map(drop), Err(Errno::MSGSIZE));
        // What was long is gone, and what comes after it is whole.
        send(&vec![b'x'; MOST + 1], 0);
        send(b"after", 1);
        assert_eq!(receive_bytes(ours.as_fd()).map(drop), Err(Errno::MSGSIZE));
        assert_eq!(receive_bytes(ours.as_fd()).map(|(bytes, fds)| (bytes, fds.len())), Ok((b"after".to_vec(), 1)));
        assert_eq!(copies(), open, "none stays open");
    }
}
