//! What `gambeson run` and a worker of the same machine say to each other, over a Unix socket that keeps messages apart.
//!
//! ```text
//! run ─▶ worker   HELLO
//! run ◀─ worker   Write, and with it an empty file in memory; or Cold, and why
//! run ─▶ worker   READY: the file holds length, head (a Request) and contents of the files, and is sealed
//! run ◀─ worker   Warm, and with it the other ends of the program's streams; or Cold, and why
//!                 Ended; then, if they were asked for, what was skipped, the artifacts with their bytes, Whole
//! run ─▶ worker   anything: cancel. So does the end of the connection.
//! ```
//!
//! Descriptors go one way: a worker takes none from a client, whose files might hold up whoever closes them.
//! Both ends are of one version: what another one says is no request, and what is not taken starts cold.

use serde::{Deserialize, Serialize};

use crate::job::Network;
use crate::limits::Limits;
use crate::outcome::Report;

/// The message that a request begins with, and its version.
pub const HELLO: &[u8] = b"gambeson cells 2";
/// The message that says that a request is written.
pub const READY: &[u8] = b"ready";
/// Bytes of a request's head, at most.
pub const HEAD_MOST: usize = 1 << 20;
/// Bytes of a message of the worker's, at most: a report with all its denials, and less than a socket takes at once (wmem_default).
pub const FRAME_MOST: usize = 192 << 10;
/// Bytes of an artifact in one message, at most.
pub const PIECE_MOST: usize = 64 << 10;

/// A program that is to run on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The interpreter that it would have if started cold: another one's cell is not taken.
    pub interpreter: Interpreter,
    /// The script, then its arguments.
    pub args: Vec<String>,
    /// Variables beside those that every cell has.
    pub env: Vec<(String, String)>,
    /// What `/work` is to hold.
    pub files: Vec<File>,
    /// What it may use.
    pub limits: Limits,
    /// Which sockets it may make.
    pub network: Network,
    /// Whether what it leaves in `/work/out` is wanted.
    pub collect: bool,
}

/// An interpreter, and what it needs of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpreter {
    /// Its path.
    pub executable: String,
    /// Its version.
    pub version: String,
    /// Directories, files and links that are shown to a cell.
    pub directories: Vec<String>,
    /// See there.
    pub files: Vec<String>,
    /// See there.
    pub links: Vec<(String, String)>,
}

/// A file below `/work`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum File {
    /// A directory.
    Directory {
        /// Where.
        path: String,
    },
    /// A link.
    Link {
        /// Where.
        path: String,
        /// Whereto.
        target: String,
    },
    /// A regular file. The contents of all of them follow the head, in their order.
    Regular {
        /// Where.
        path: String,
        /// Whether it has the executable bits.
        executable: bool,
        /// Bytes of its content.
        size: u64,
    },
}

/// Bytes that are no request.
#[derive(Debug, thiserror::Error)]
pub enum BadRequest {
    /// Too many.
    #[error("its head is longer than {HEAD_MOST} bytes")]
    TooLong,
    /// They cannot be read.
    #[error("its head is none: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The files are not what was sent.
    #[error("it says that {said} bytes of files follow, and {sent} do")]
    Contents {
        /// As the head says; the most that can be said where it is more.
        said: u64,
        /// As was sent.
        sent: u64,
    },
}

impl Request {
    /// Reads the head of a request that `contents` bytes of files follow.
    ///
    /// # Errors
    /// When it is none, or says another number of bytes.
    pub fn decode(head: &[u8], contents: u64) -> Result<Request, BadRequest> {
        if head.len() > HEAD_MOST {
            return Err(BadRequest::TooLong);
        }
        let request: Request = serde_json::from_slice(head)?;
        let said = request.files.iter().map(File::size).fold(0, u64::saturating_add);
        if said != contents {
            return Err(BadRequest::Contents { said, sent: contents });
        }
        Ok(request)
    }

    /// The head, as it is sent.
    ///
    /// # Errors
    /// When it would be too long.
    pub fn encode(&self) -> Result<Vec<u8>, BadRequest> {
        let head = serde_json::to_vec(self)?;
        if head.len() > HEAD_MOST { Err(BadRequest::TooLong) } else { Ok(head) }
    }
}

impl File {
    /// Bytes of content.
    pub fn size(&self) -> u64 {
        match self {
            File::Regular { size, .. } => *size,
            File::Directory { .. } | File::Link { .. } => 0,
        }
    }
}

/// What the worker says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub enum Frame {
    /// It does not run the program.
    Cold {
        /// Why.
        why: String,
    },
    /// It can be asked. With it comes the file that the request is written to.
    Write {},
    /// It runs. With it come the writing end of standard input, the reading ends of standard output and error, and the
    /// writing end of a pipe whose bytes each interrupt the program.
    Warm {},
    /// The cell was gone before it had its program: nothing of it ran.
    NeverBegan {},
    /// How it ended.
    Ended {
        /// The same as a server is told.
        report: Box<Report>,
    },
    /// Something in `/work/out` that is not collected.
    Skipped {
        /// What, made fit to print.
        path: String,
        /// Why.
        why: String,
    },
    /// A file. Messages with its bytes follow.
    Artifact {
        /// Path below `/work/out`.
        path: String,
        /// Its size.
        size: u64,
    },
    /// That was all.
    Whole {},
}

impl Frame {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(bytes: &[u8]) -> Result<Frame, BadRequest> {
        if bytes.len() > FRAME_MOST { Err(BadRequest::TooLong) } else { Ok(serde_json::from_slice(bytes)?) }
    }

    /// The message, as it is sent.
    ///
    /// # Errors
    /// When it would be too long.
    pub fn encode(&self) -> Result<Vec<u8>, BadRequest> {
        let bytes = serde_json::to_vec(self)?;
        if bytes.len() > FRAME_MOST { Err(BadRequest::TooLong) } else { Ok(bytes) }
    }
}

/// What must hold for whatever bytes a worker is sent; for `cargo xtask fuzz` and the tests below.
///
/// # Panics
/// When a promise is broken.
pub fn fuzz(data: &[u8]) {
    let (contents, head) = data.split_at(data.len().min(2));
    let contents = contents.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    if let Ok(request) = Request::decode(head, contents) {
        assert_eq!(request.files.iter().map(File::size).sum::<u64>(), contents, "what follows is the files' alone");
        // Sent again it may be longer: a text can be written shorter than we do.
        if let Ok(again) = request.encode() {
            assert_eq!(Request::decode(&again, contents).ok(), Some(request), "a request comes back as it went");
        }
    }
    if let Ok(frame) = Frame::decode(data)
        && let Ok(again) = frame.encode()
    {
        let back = Frame::decode(&again).expect("what we send can be read");
        assert_eq!(back.encode().ok(), Some(again), "a message comes back as it went");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request() -> Request {
        Request {
            interpreter: Interpreter {
                executable: "/usr/bin/python3".into(),
                version: "3.11.2".into(),
                directories: vec!["/usr/lib/python3".into()],
                files: Vec::new(),
                links: vec![("/lib".into(), "usr/lib".into())],
            },
            args: vec!["main.py".into()],
            env: vec![("A".into(), "b=c".into())],
            files: vec![
                File::Directory { path: "in".into() },
                File::Regular { path: "in/x".into(), executable: false, size: 3 },
                File::Regular { path: "main.py".into(), executable: true, size: 8 },
                File::Link { path: "l".into(), target: "in/x".into() },
            ],
            limits: Limits::default(),
            network: Network::None,
            collect: true,
        }
    }

    #[test]
    fn a_request_comes_back_as_it_went_and_says_how_much_follows() {
        let head = request().encode().unwrap();
        assert_eq!(Request::decode(&head, 11).unwrap(), request());
        for wrong in [0, 10, 12, u64::MAX] {
            assert!(matches!(Request::decode(&head, wrong), Err(BadRequest::Contents { said: 11, .. })), "{wrong}");
        }
    }

    #[test]
    fn sizes_that_would_wrap_around_and_unknown_names_are_refused() {
        let mut wraps = request();
        for file in &mut wraps.files {
            if let File::Regular { size, .. } = file {
                *size = u64::MAX / 2 + 6;
            }
        }
        assert!(matches!(Request::decode(&wraps.encode().unwrap(), 10), Err(BadRequest::Contents { .. })));
        let mut text = String::from_utf8(request().encode().unwrap()).unwrap();
        text.insert_str(1, r#""uid":0,"#);
        assert!(matches!(Request::decode(text.as_bytes(), 11), Err(BadRequest::Unreadable(_))));
        assert!(matches!(Request::decode(&vec![b' '; HEAD_MOST + 1], 0), Err(BadRequest::TooLong)));
    }

    #[test]
    fn a_report_comes_back_as_it_went() {
        let end = crate::End::LimitHit { limit: "memory".into(), used: 1, allowed: 2 };
        let report = Report {
            outcome: crate::Outcome { end, message: "x".into() },
            usage: crate::Usage { wall_ms: 1.5, ..crate::Usage::default() },
            layers: Vec::new(),
            denials: Vec::new(),
            start: crate::Start::Warm,
        };
        for frame in [
            Frame::Cold { why: "y".into() },
            Frame::Write {},
            Frame::Warm {},
            Frame::NeverBegan {},
            Frame::Ended { report: report.into() },
            Frame::Skipped { path: "a".into(), why: "b".into() },
            Frame::Artifact { path: "a/b".into(), size: 7 },
            Frame::Whole {},
        ] {
            assert_eq!(Frame::decode(&frame.encode().unwrap()).unwrap(), frame);
        }
    }

    #[test]
    fn what_fuzzing_begins_with_is_read_or_refused() {
        let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/local");
        let mut read = 0;
        for seed in std::fs::read_dir(seeds).unwrap() {
            let data = std::fs::read(seed.unwrap().path()).unwrap();
            fuzz(&data);
            read += usize::from(Frame::decode(&data).is_ok() || Request::decode(&data[2..], 8).is_ok());
        }
        assert!(read >= 5, "{read} of them are something");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            fuzz(&data);
        }

        #[test]
        fn a_request_with_a_byte_changed_is_read_or_refused(at in 0..400usize, byte in any::<u8>()) {
            let mut data = vec![0, 11];
            data.extend(request().encode().unwrap());
            let at = at % data.len();
            data[at] = byte;
            fuzz(&data);
        }
    }
}
