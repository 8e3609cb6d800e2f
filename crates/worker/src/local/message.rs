//! Messages of a bounded size, with descriptors, between processes of one machine that do not trust each other.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use gambeson_api::local::{FRAME_MOST, Frame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

/// Descriptors of one message, at most.
const FDS: usize = 4;

/// Waits for `flags` within `patience`.
pub(super) fn wait(socket: &OwnedFd, flags: PollFlags, patience: Duration) -> Result<(), Errno> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut [PollFd::new(socket, flags)], Some(&timeout)) {
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
            Ok(0) => return Err(Errno::TIMEDOUT),
            Ok(_) => return Ok(()),
        }
    }
}

/// One whole message of at most `most` bytes, of somebody whose descriptors nobody wants; empty at the end of the connection.
/// Without room for them the kernel installs none, so that nobody here closes one: a close waits for the file system that
/// the file is of (close(2) flushes), and that may be a client's own (fuse(4)).
pub(super) fn receive_bare(socket: &OwnedFd, most: usize, patience: Duration) -> Result<Vec<u8>, Errno> {
    wait(socket, PollFlags::IN, patience)?;
    let mut bytes = vec![0; most + 1];
    let (_, count) = rustix::net::recv(socket, &mut bytes[..], RecvFlags::DONTWAIT | RecvFlags::TRUNC)?;
    if count > most {
        return Err(Errno::MSGSIZE);
    }
    bytes.truncate(count);
    Ok(bytes)
}

/// One whole message of at most `most` bytes, with its descriptors; empty at the end of the connection.
pub(super) fn receive(socket: &OwnedFd, most: usize, patience: Duration) -> Result<(Vec<u8>, Vec<OwnedFd>), Errno> {
    wait(socket, PollFlags::IN, patience)?;
    let mut bytes = vec![0; most + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let message = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags)?;
    let rights = |message| if let RecvAncillaryMessage::ScmRights(fds) = message { Some(fds) } else { None };
    let fds: Vec<OwnedFd> = ancillary.drain().filter_map(rights).flatten().collect();
    // More bytes or more descriptors than anybody sends: some of them are lost.
    if message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) || message.bytes > most {
        return Err(Errno::MSGSIZE);
    }
    bytes.truncate(message.bytes);
    Ok((bytes, fds))
}

/// Sends one message, as soon as there is room for it.
pub(super) fn send(socket: &OwnedFd, bytes: &[u8], fds: &[BorrowedFd<'_>], patience: Duration) -> Result<(), Errno> {
    let deadline = Instant::now() + patience;
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(Errno::TOOBIG);
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, flags) {
            Ok(sent) if sent == bytes.len() => return Ok(()),
            Ok(_) => return Err(Errno::MSGSIZE),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait(socket, PollFlags::OUT, deadline.saturating_duration_since(Instant::now()))?,
            Err(errno) => return Err(errno),
        }
    }
}

/// Sends a frame.
pub(super) fn say(socket: &OwnedFd, frame: &Frame, fds: &[BorrowedFd<'_>], patience: Duration) -> Result<(), Errno> {
    let bytes = frame.encode().map_err(|_| Errno::TOOBIG)?;
    send(socket, &bytes, fds, patience)
}

/// Hears a frame.
pub(super) fn hear(socket: &OwnedFd, patience: Duration) -> Result<(Frame, Vec<OwnedFd>), Errno> {
    let (bytes, fds) = receive(socket, FRAME_MOST, patience)?;
    if bytes.is_empty() {
        return Err(Errno::PIPE);
    }
    Ok((Frame::decode(&bytes).map_err(|_| Errno::PROTO)?, fds))
}

/// Whether the other end is gone, or has said something that nobody asked for.
pub(super) fn is_over(socket: &OwnedFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    !matches!(poll(&mut [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)], Some(&now)), Ok(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn descriptors_that_nobody_wants_are_not_installed() {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).unwrap();
        let is_open = || match rustix::io::read(&reader, &mut [0; 1][..]) {
            Ok(count) => count > 0,
            Err(errno) => errno == Errno::AGAIN,
        };
        for _ in 0..2 {
            send(&theirs, b"x", &[writer.as_fd(); FDS], Duration::ZERO).unwrap();
        }
        drop(writer);
        // The control: who wants them has them.
        let (bytes, fds) = receive(&ours, 4, Duration::ZERO).unwrap();
        assert_eq!((&*bytes, fds.len()), (&b"x"[..], FDS));
        assert_eq!(receive_bare(&ours, 4, Duration::ZERO).as_deref(), Ok(&b"x"[..]));
        assert!(is_open());
        drop(fds);
        assert!(!is_open(), "those of the second message are gone with it");
    }

    #[test]
    fn a_message_is_had_whole_or_not_at_all() {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        for bytes in [&b"1234"[..], b"12345", &[0; 5000], b"12"] {
            send(&theirs, bytes, &[], Duration::ZERO).unwrap();
        }
        assert_eq!(receive_bare(&ours, 4, Duration::ZERO).as_deref(), Ok(&b"1234"[..]));
        assert_eq!(receive_bare(&ours, 4, Duration::ZERO), Err(Errno::MSGSIZE));
        assert_eq!(receive_bare(&ours, 4, Duration::ZERO), Err(Errno::MSGSIZE));
        assert_eq!(receive_bare(&ours, 4, Duration::ZERO).as_deref(), Ok(&b"12"[..]));
        drop(theirs);
        assert_eq!(receive_bare(&ours, 4, Duration::ZERO).as_deref(), Ok(&b""[..]));
    }
}
