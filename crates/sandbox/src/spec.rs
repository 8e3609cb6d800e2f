//! What is wanted of a cell. A `Spec` says nothing about how it is enforced.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::limits::Limits;

/// Which sockets a program may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// No internet socket can be made.
    None,
    /// A loopback interface of the cell's own, for a program that serves itself.
    Loopback,
    /// As `Loopback`, and a socket that listens there at [`PROXY`] and is the supervisor's: what whoever connects gets
    /// is for the supervisor to say. There is no other way out.
    Allow,
}

/// Where a cell with [`Network::Allow`] finds its supervisor. Its environment says so too (`HTTPS_PROXY` and its kin).
pub const PROXY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 3128);

/// What the program's three standard descriptors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Terminal {
    /// Pipes.
    None,
    /// A pseudo-terminal that exists only inside the cell.
    Own,
}

/// A file that is open for reading, shared by what is copied from it. Two are equal if they are one descriptor.
#[derive(Debug, Clone)]
pub struct OpenFile(pub(crate) Arc<OwnedFd>);

impl OpenFile {
    /// Of a file that is open for reading.
    pub fn new(file: impl Into<OwnedFd>) -> OpenFile {
        OpenFile(Arc::new(file.into()))
    }
}

impl PartialEq for OpenFile {
    fn eq(&self, other: &OpenFile) -> bool {
        self.0.as_raw_fd() == other.0.as_raw_fd()
    }
}

impl Eq for OpenFile {}

/// A file or directory that the program finds in `/work`.
#[derive(Clone, PartialEq, Eq)]
pub enum Staged {
    /// A directory.
    Directory {
        /// Path below `/work`, without `.` or `..`.
        path: PathBuf,
    },
    /// A regular file.
    File {
        /// Path below `/work`, without `.` or `..`.
        path: PathBuf,
        /// Whether it has the executable bits.
        executable: bool,
        /// Its content.
        contents: Vec<u8>,
    },
    /// A regular file whose content the cell itself copies from an open file: the supervisor never has it in memory.
    Part {
        /// Path below `/work`, without `.` or `..`.
        path: PathBuf,
        /// Whether it has the executable bits.
        executable: bool,
        /// The open file; nothing may change it until the program has started.
        from: OpenFile,
        /// Where in it the content begins, bytes.
        offset: u64,
        /// How long the content is, bytes. A file that ends before it ends the attempt.
        size: u64,
    },
    /// A symbolic link; it is followed only inside the cell.
    Link {
        /// Path below `/work`, without `.` or `..`.
        path: PathBuf,
        /// Where it points, as written.
        target: PathBuf,
    },
}

impl Staged {
    /// Its path below `/work`.
    pub fn path(&self) -> &PathBuf {
        match self {
            Staged::Directory { path }
            | Staged::File { path, .. }
            | Staged::Part { path, .. }
            | Staged::Link { path, .. } => path,
        }
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        match self {
            Staged::File { contents, .. } => contents.len() as u64,
            Staged::Part { size, .. } => *size,
            Staged::Directory { .. } | Staged::Link { .. } => 0,
        }
    }
}

/// What is wanted of one cell.
pub struct Spec {
    /// The interpreter and what it needs of the host.
    pub environment: Environment,
    /// Arguments after the interpreter's own name: the script, then its arguments.
    pub args: Vec<OsString>,
    /// Variables beside those that every cell has; a later one wins.
    pub env: Vec<(OsString, OsString)>,
    /// What `/work` holds when the program starts.
    pub files: Vec<Staged>,
    /// What it may use.
    pub limits: Limits,
    /// Which sockets it may make.
    pub network: Network,
    /// Pipes or a terminal.
    pub terminal: Terminal,
    /// Missing layers that the operator accepted by name.
    pub accept_missing: Vec<crate::host::Layer>,
}
