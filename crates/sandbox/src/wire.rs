//! The few bytes that a cell being built sends to its supervisor.
//!
//! They come from our own code, but a cell is hostile ground: the decoder trusts nothing, and a program
//! that could write to the socket could only say how it ended itself.

use rustix::io::Errno;

/// Bytes of every frame.
pub(crate) const SIZE: usize = 8;

/// What a cell being built or ending says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The step at this place of the plan failed.
    Failed { step: u16, errno: Errno },
    /// The root stands; descriptors come with it.
    Built,
    /// The program ended with this wait status (wait(2)).
    Ended { status: i32 },
    /// Every step is taken; a program can come.
    Ready,
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
            Frame::Ended { status } => (3, 0, status),
            Frame::Ready => (4, 0, 0),
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
            // Exit code in the second byte or a signal in the first; nothing above, and not "stopped".
            (3, 0, status) if status & !0xffff == 0 && status & 0x7f != 0x7f => Ok(Frame::Ended { status }),
            _ => Err(bad),
        }
    }
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
            Frame::Ended { status: 0 },
            Frame::Ended { status: 0xff00 },
            Frame::Ended { status: 9 },
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
