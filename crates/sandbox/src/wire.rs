//! The few bytes that a cell being built sends to its supervisor.
//!
//! They come from our own code, but a cell is hostile ground: the decoder trusts nothing, and a program
//! that could write to the socket could only say how it ended itself.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

/// Bytes of every frame.
pub(crate) const SIZE: usize = 8;

/// What a cell being built or ending says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The step at this place of the plan failed.
    Failed { step: u16, errno: Errno },
    /// The root stands; descriptors come with it.
    Built,
    /// The program ended with this wait status (wait(2)), and may have left its memory to another process.
    Ended { status: i32, keeper: bool },
    /// Every step is taken; a program can come.
    Ready,
    /// The filter stands; what its questions are answered by comes with it.
    Asking,
}

/// Bytes that are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes that are no frame")]
pub(crate) struct BadFrame(usize);

impl Frame {
    pub(crate) fn encode(self) -> [u8; SIZE] {
        let (kind, step, value) = match self {
            Frame::Failed { step, errno } => (1u8, step, errno.raw_os_error()),
            Frame::Built => (2, 0, 0),
            Frame::Ended { status, keeper } => (3, keeper.into(), status),
            Frame::Ready => (4, 0, 0),
            Frame::Asking => (5, 0, 0),
        };
        let [s0, s1] = step.to_le_bytes();
        let [v0, v1, v2, v3] = value.to_le_bytes();
        [kind, 0, s0, s1, v0, v1, v2, v3]
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Frame, BadFrame> {
        let bad = BadFrame(bytes.len());
        let &[kind, 0, s0, s1, v0, v1, v2, v3] = bytes else { return Err(bad) };
        let (step, value) = (u16::from_le_bytes([s0, s1]), i32::from_le_bytes([v0, v1, v2, v3]));
        match (kind, step, value) {
            // The kernel's error numbers end at 4095 (linux/err.h).
            (1, step, 1..=4095) => Ok(Frame::Failed { step, errno: Errno::from_raw_os_error(value) }),
            (2, 0, 0) => Ok(Frame::Built),
            (4, 0, 0) => Ok(Frame::Ready),
            (5, 0, 0) => Ok(Frame::Asking),
            // Exit code in the second byte or a signal in the first; nothing above, and not "stopped".
            (3, keeper @ (0 | 1), status) if status & !0xffff == 0 && status & 0x7f != 0x7f => {
                Ok(Frame::Ended { status, keeper: keeper == 1 })
            }
            _ => Err(bad),
        }
    }
}

/// Descriptors that come with a frame, at most.
const FDS: usize = 4;

/// Sends a frame with at most [`FDS`] descriptors. Neither allocates nor locks.
pub(crate) fn send(to: BorrowedFd<'_>, frame: Frame, fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::TOOBIG);
    }
    let sent = rustix::net::sendmsg(to, &[IoSlice::new(&frame.encode())], &mut ancillary, SendFlags::NOSIGNAL)?;
    if sent == SIZE { Ok(()) } else { Err(Errno::PIPE) }
}

/// What comes next, with its descriptors; nothing when the other end is closed. Does not wait (`AGAIN`).
pub(crate) fn receive(from: BorrowedFd<'_>) -> Result<Option<(Frame, Vec<OwnedFd>)>, Errno> {
    let mut bytes = [0u8; SIZE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let message = rustix::net::recvmsg(from, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags)?;
    if message.bytes == 0 {
        return Ok(None);
    }
    let rights = |message| if let RecvAncillaryMessage::ScmRights(fds) = message { Some(fds) } else { None };
    let fds: Vec<OwnedFd> = ancillary.drain().filter_map(rights).flatten().collect();
    // Of what did not fit in, nothing is guessed: descriptors that were lost would be missed later.
    if message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(Errno::MFILE);
    }
    let frame = Frame::decode(&bytes[..message.bytes]).map_err(|_| Errno::PROTO)?;
    Ok(Some((frame, fds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_come_back_as_they_went() {
        for frame in [
            Frame::Failed { step: 65535, errno: Errno::PERM },
            Frame::Built,
            Frame::Ready,
            Frame::Asking,
            Frame::Ended { status: 0, keeper: true },
            Frame::Ended { status: 0xff00, keeper: false },
            Frame::Ended { status: 9, keeper: false },
        ] {
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_taken_for_a_frame_are_that_frame(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(frame) = Frame::decode(&bytes) {
                prop_assert_eq!(frame.encode().to_vec(), bytes);
            }
        }
    }
}
