//! The end of `gambeson run`.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use gambeson_api as api;
use gambeson_api::Report;
use gambeson_api::local::{self as wire, Frame, Request};
use gambeson_sandbox::{
    Artifact, Bytes, Limits, Network, Place, Relayed, Remote, Spec, Staged, Streams, Terminal, peer, relay,
};
use rustix::fs::SealFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::interpreter;
use super::message::{hear, receive, send};

/// How long a worker may take to answer. One that answers later finds nobody, and its cell ends.
const ANSWER: Duration = Duration::from_secs(3);
/// How long it may pause while it hands over what a program left.
const HANDING_OVER: Duration = Duration::from_secs(30);

/// A program that a worker of this machine runs. Dropping it ends it.
#[derive(Debug)]
pub struct Taken {
    socket: OwnedFd,
    remote: Remote,
}

/// How it ended.
#[derive(Debug)]
pub struct Told {
    /// As a server would be told; `None` where its cell was gone before it had the program, of which nothing ran.
    pub report: Option<Report>,
    /// Kept standard output.
    pub stdout: Vec<u8>,
    /// Kept standard error.
    pub stderr: Vec<u8>,
    /// Whether any of our standard input was read, and so is gone.
    pub fed: bool,
    /// What was put into the target.
    pub artifacts: Vec<Artifact>,
    /// What was not, and why.
    pub skipped: Vec<(String, String)>,
}

/// Nobody knows how the program ended.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The worker was gone before it said so.
    #[error("the worker that ran the program was gone before it said how it ended")]
    Worker,
    /// What the program left could not be handed over.
    #[error("the artifacts could not be had")]
    Artifacts(#[source] io::Error),
    /// The target could not be written to.
    #[error("the artifacts could not be written")]
    Target(#[source] io::Error),
}

/// Asks the worker that listens at `socket` to run a program in a warm cell; `collect` if what it leaves is wanted.
///
/// # Errors
/// Why it does not: the program is to be started cold.
pub fn ask(socket: &Path, spec: &Spec, collect: bool) -> Result<Taken, String> {
    let failed = |what: &'static str| move |errno: Errno| format!("{what}: {errno}");
    // A worker that has stopped accepting has a queue that is full some time; nobody waits there.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let connection = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(failed("make a socket"))?;
    let address = SocketAddrUnix::new(socket).map_err(failed("name the socket"))?;
    rustix::net::connect(&connection, &address).map_err(failed("no worker listens"))?;
    // It will have the program and what it prints; nobody else can stand in for it.
    let worker = peer(connection.as_fd()).map_err(failed("see who listens"))?;
    if worker.uid != 0 && worker.uid != rustix::process::geteuid().as_raw() {
        return Err("who listens is neither root nor this user".into());
    }
    let request = request(spec, collect).ok_or("it cannot be said in a request")?;
    let head = request.encode().map_err(|error| error.to_string())?;
    send(&connection, wire::HELLO, &[], ANSWER).map_err(failed("ask the worker"))?;
    let (frame, fds) = hear(&connection, ANSWER).map_err(failed("hear the worker"))?;
    match (frame, <[OwnedFd; 1]>::try_from(fds)) {
        (Frame::Write {}, Ok([file])) => write(&file, &head, spec).map_err(failed("write the request"))?,
        (Frame::Cold { why }, _) => return Err(why),
        _ => return Err("the worker answers something else".into()),
    }
    send(&connection, wire::READY, &[], ANSWER).map_err(failed("ask the worker"))?;
    let (frame, fds) = hear(&connection, ANSWER).map_err(failed("hear the worker"))?;
    match (frame, <[OwnedFd; 4]>::try_from(fds)) {
        (Frame::Warm {}, Ok([stdin, stdout, stderr, interrupt])) => {
            Ok(Taken { socket: connection, remote: Remote { stdin, stdout, stderr, interrupt } })
        }
        (Frame::Cold { why }, _) => Err(why),
        _ => Err("the worker answers something else".into()),
    }
}

/// `None` where something is no text, or only a cold start gives it.
fn request(spec: &Spec, collect: bool) -> Option<Request> {
    if spec.terminal != Terminal::None || !spec.accept_missing.is_empty() {
        return None;
    }
    let text = |text: &std::ffi::OsString| text.to_str().map(str::to_owned);
    let path = |path: &std::path::PathBuf| path.to_str().map(str::to_owned);
    let file = |staged: &Staged| {
        Some(match staged {
            Staged::Directory { path: at } => wire::File::Directory { path: path(at)? },
            Staged::Link { path: at, target } => wire::File::Link { path: path(at)?, target: path(target)? },
            Staged::File { path: at, executable, contents } => {
                wire::File::Regular { path: path(at)?, executable: *executable, size: contents.len() as u64 }
            }
            Staged::Part { .. } => return None,
        })
    };
    Some(Request {
        interpreter: interpreter(&spec.environment)?,
        args: spec.args.iter().map(text).collect::<Option<_>>()?,
        env: spec.env.iter().map(|(name, value)| Some((text(name)?, text(value)?))).collect::<Option<_>>()?,
        files: spec.files.iter().map(file).collect::<Option<_>>()?,
        limits: limits(&spec.limits),
        network: match spec.network {
            Network::None => api::Network::None,
            Network::Loopback => api::Network::Loopback,
            // Its proxy is the client's own.
            Network::Allow => return None,
        },
        collect,
    })
}

fn limits(limits: &Limits) -> api::Limits {
    api::Limits {
        memory_bytes: limits.memory.0,
        wall_ms: limits.wall.as_millis() as u64,
        cpu_ms: limits.cpu.as_millis() as u64,
        cpus_milli: limits.cpus.0,
        pids: limits.pids,
        disk_bytes: limits.disk.0,
        files: limits.files,
        open_files: limits.open_files,
        output_bytes: limits.output.0,
    }
}

/// Length, head and contents; then nobody can change them any more.
fn write(file: &OwnedFd, head: &[u8], spec: &Spec) -> Result<(), Errno> {
    let length = u32::try_from(head.len()).map_err(|_| Errno::TOOBIG)?;
    let contents = spec.files.iter().filter_map(|file| match file {
        Staged::File { contents, .. } => Some(contents.as_slice()),
        _ => None,
    });
    for mut bytes in [&length.to_le_bytes()[..], head].into_iter().chain(contents) {
        while !bytes.is_empty() {
            bytes = &bytes[rustix::io::write(file, bytes)?..];
        }
    }
    let all = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(file, all)
}

impl Taken {
    /// Moves the streams until the end; what the program left goes to `target`, within `limits`.
    ///
    /// # Errors
    /// When nobody knows how it ended.
    pub fn wait(self, streams: Streams<'_>, target: Option<&Path>, limits: &Limits) -> Result<Told, Lost> {
        let Taken { socket, remote } = self;
        let cancel = || {
            // A worker that is gone has ended it already.
            let _ = send(&socket, b"cancel", &[], Duration::ZERO);
        };
        let Relayed { stdout, stderr, fed } = relay(remote, socket.as_fd(), streams, cancel);
        let (frame, _) = hear(&socket, Duration::ZERO).map_err(|_| Lost::Worker)?;
        let report = match frame {
            Frame::Ended { report } => Some(*report),
            Frame::NeverBegan {} => None,
            _ => return Err(Lost::Worker),
        };
        let mut told = Told { report, stdout, stderr, fed, artifacts: Vec::new(), skipped: Vec::new() };
        if let (Some(target), Some(_)) = (target, &told.report) {
            told.gather(&socket, target, limits)?;
        }
        Ok(told)
    }
}

impl Told {
    fn gather(&mut self, socket: &OwnedFd, target: &Path, limits: &Limits) -> Result<(), Lost> {
        let mut place = Place::open(target, limits.disk, limits.files).map_err(Lost::Target)?;
        loop {
            let (frame, _) = hear(socket, HANDING_OVER).map_err(|errno| Lost::Artifacts(errno.into()))?;
            match frame {
                Frame::Skipped { path, why } => self.skipped.push((path, why)),
                Frame::Artifact { path, size } => {
                    let mut pieces = Pieces { socket, left: size, piece: io::Cursor::default(), failed: None };
                    let put = place.put(Path::new(&path), size, &mut pieces);
                    if let Some(error) = pieces.failed {
                        return Err(Lost::Artifacts(error.into()));
                    }
                    match put.map_err(Lost::Target)? {
                        Ok(()) => self.artifacts.push(Artifact { path: path.into(), size: Bytes(size) }),
                        Err(why) => self.skipped.push((path, why.into())),
                    }
                }
                Frame::Whole {} => return Ok(()),
                _ => return Err(Lost::Artifacts(Errno::PROTO.into())),
            }
        }
    }
}

/// The bytes of one artifact, message by message.
struct Pieces<'a> {
    socket: &'a OwnedFd,
    left: u64,
    piece: io::Cursor<Vec<u8>>,
    failed: Option<Errno>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.position() == self.piece.get_ref().len() as u64 && self.left > 0 {
            let piece = receive(self.socket, wire::PIECE_MOST, HANDING_OVER).and_then(|(piece, _)| {
                let whole = !piece.is_empty() && piece.len() as u64 <= self.left;
                if whole { Ok(piece) } else { Err(Errno::PROTO) }
            });
            let piece = piece.inspect_err(|errno| self.failed = Some(*errno))?;
            self.left -= piece.len() as u64;
            self.piece = io::Cursor::new(piece);
        }
        self.piece.read(buffer)
    }
}
