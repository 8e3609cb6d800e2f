//! The worker's end.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use gambeson_api as api;
use gambeson_api::local::{self as wire, Frame, Interpreter, Request};
use gambeson_sandbox::{
    Cell, Collected, End, Ended, Environment, Exit, Host, Input, OpenFile, Sink, Spec, Staged, Streams, Terminal,
    collect, peer, plan, refuse_descriptors,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType};
use rustix::pipe::{PipeFlags, pipe_with};
use tracing::{debug, info, warn};

use super::message::{is_over, receive_bare, say, send};
use super::{Local, interpreter};
use crate::room::{Rooms, Share, share};
use crate::spares::{Spares, Whose};
use crate::state_dir::RunDir;
use crate::translate::{self, report};
use crate::vitals::Running;

/// How long a client may take to ask.
const ASKING: Duration = Duration::from_secs(1);
/// How long it may take to write a request down.
const WRITING: Duration = Duration::from_secs(2);
/// How long one may stop reading before it is given up.
const READING: Duration = Duration::from_secs(10);
/// Connections that are open beside those of programs that run.
const WAITING_MOST: usize = 16;

/// What programs of this machine are run with.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) host: Arc<Host>,
    pub(crate) environment: Environment,
    pub(crate) spares: Arc<Spares>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) running: Arc<Running>,
    /// Where to collect to.
    pub(crate) runs: PathBuf,
}

/// Somebody listens. Dropping it ends that, and cancels what runs.
#[derive(Debug)]
pub(crate) struct Offer {
    shared: Arc<Shared>,
    /// Closing it ends the thread that listens.
    _stop: OwnedFd,
    _file: SocketFile,
}

#[derive(Debug)]
struct Shared {
    local: Local,
    means: Means,
    own: u32,
    interpreter: Option<Interpreter>,
    closed: AtomicBool,
    /// With whose each is.
    open: Mutex<BTreeMap<u64, (u32, Arc<OwnedFd>)>>,
}

/// The file of the socket, which goes with it.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another worker may have replaced it since; that one's stays.
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Offer {
    /// Listens, on a thread of its own.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub(crate) fn start(local: Local, means: Means) -> io::Result<Offer> {
        let (listener, file) = bind(&local.socket)?;
        let (stopped, stop) = pipe_with(PipeFlags::CLOEXEC)?;
        let shared = Arc::new(Shared {
            interpreter: interpreter(&means.environment),
            own: rustix::process::geteuid().as_raw(),
            local,
            means,
            closed: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("local".into()).spawn(move || theirs.listen(&listener, &stopped))?;
        Ok(Offer { shared, _stop: stop, _file: file })
    }

    /// Whether nothing more is offered.
    pub(crate) fn close(&self, closed: bool) {
        self.shared.closed.store(closed, Ordering::Relaxed);
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.close(true);
        for (_, socket) in lock(&self.shared.open).values() {
            // Looks as if the client had gone, but what it is told still reaches it.
            let _ = rustix::net::shutdown(socket.as_fd(), Shutdown::Read);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A socket in a directory that others may enter; who they are is looked at when they come.
fn bind(path: &Path) -> io::Result<(OwnedFd, SocketFile)> {
    // One that is there stays as it is.
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        fs::create_dir_all(parent)?;
        fs::set_permissions(parent, Permissions::from_mode(0o755))?;
    }
    let address = SocketAddrUnix::new(path)?;
    let new = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        // Of a worker that is no more, unless one answers.
        Ok(_) => match rustix::net::connect(&new()?, &address) {
            Err(Errno::CONNREFUSED) => fs::remove_file(path)?,
            Err(Errno::NOENT) => {}
            _ => return Err(io::Error::new(ErrorKind::AddrInUse, "another worker listens there")),
        },
    }
    let listener = new()?;
    rustix::net::bind(&listener, &address)?;
    let file = SocketFile { path: path.to_owned(), inode: fs::symlink_metadata(path)?.ino() };
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    // What is never received goes with its message, when nobody here may have to wait for it either.
    match refuse_descriptors(listener.as_fd()) {
        Ok(()) => {}
        Err(Errno::NOPROTOOPT) => debug!("this kernel lets clients attach descriptors; they are not taken"),
        Err(errno) => return Err(errno.into()),
    }
    rustix::net::listen(&listener, 64)?;
    Ok((listener, file))
}

/// A program that starts elsewhere, and why.
struct Elsewhere(String);

impl<E: std::error::Error> From<E> for Elsewhere {
    fn from(error: E) -> Elsewhere {
        Elsewhere(error.to_string())
    }
}

fn elsewhere<T>(why: &str) -> Result<T, Elsewhere> {
    Err(Elsewhere(why.to_owned()))
}

/// A program that runs, and our ends of its streams.
struct Begun {
    cell: Cell,
    share: Share,
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    interrupt: OwnedFd,
}

impl Shared {
    fn listen(self: Arc<Self>, listener: &OwnedFd, stop: &OwnedFd) {
        let mut count = 0;
        loop {
            let mut polled = [PollFd::new(listener, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
            if poll(&mut polled, None).is_err() {
                continue;
            }
            if !polled[1].revents().is_empty() {
                return;
            }
            match rustix::net::accept_with(listener, SocketFlags::CLOEXEC) {
                Ok(socket) => {
                    count += 1;
                    self.receive(count, socket);
                }
                // Of descriptors or memory there may be some again.
                Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
                    thread::sleep(Duration::from_millis(50));
                }
                Err(_) => {}
            }
        }
    }

    /// Looks at who came, and lets who may ask do so on a thread of their own.
    fn receive(self: &Arc<Self>, number: u64, socket: OwnedFd) {
        let no = |socket: &OwnedFd, why: &str| {
            // Who does not hear it starts cold as well.
            let _ = say(socket, &Frame::Cold { why: why.into() }, &[], Duration::ZERO);
        };
        let Ok(peer) = peer(socket.as_fd()) else { return };
        let Local { uids, gids, slots, .. } = &self.local;
        if peer.uid != self.own && !uids.contains(&peer.uid) && !peer.gids.iter().any(|gid| gids.contains(gid)) {
            return no(&socket, "it is not offered to this user");
        }
        if self.closed.load(Ordering::Relaxed) {
            return no(&socket, "the worker takes nothing more");
        }
        let (socket, mut open) = (Arc::new(socket), lock(&self.open));
        let same = open.values().filter(|(uid, _)| *uid == peer.uid).count();
        if open.len() >= WAITING_MOST + *slots as usize || same >= WAITING_MOST / 2 + *slots as usize {
            drop(open);
            return no(&socket, "too many ask at once");
        }
        open.insert(number, (peer.uid, Arc::clone(&socket)));
        drop(open);
        let theirs = Arc::clone(self);
        let started = thread::Builder::new().name(format!("local-{number}")).spawn(move || {
            theirs.serve(&socket, peer.uid);
            lock(&theirs.open).remove(&number);
        });
        if let Err(error) = started {
            warn!(error = %error, "no thread for a program of this machine");
            lock(&self.open).remove(&number);
        }
    }

    /// The whole of one connection.
    fn serve(&self, socket: &OwnedFd, uid: u32) {
        let taken = self.hear(socket).and_then(|(request, contents)| {
            let begun = self.begin(socket, &request, contents)?;
            Ok((request, begun))
        });
        let (request, (begun, theirs)) = match taken {
            Ok(taken) => taken,
            Err(Elsewhere(why)) => {
                debug!(uid, why, "a program of this machine starts cold");
                let _ = say(socket, &Frame::Cold { why }, &[], Duration::ZERO);
                return;
            }
        };
        // Whose cell it was is gone with it.
        if say(socket, &Frame::Warm {}, &theirs.each_ref().map(AsFd::as_fd), READING).is_err() {
            return;
        }
        drop(theirs);
        let Begun { cell, share, stdin, stdout, stderr, interrupt } = begun;
        let counted = (self.means.running.one(), self.means.spares.runs());
        let ended = cell.wait(Streams {
            stdin: Input::Fd(stdin.as_fd()),
            stdout: Sink::Fd(stdout.as_fd()),
            stderr: Sink::Fd(stderr.as_fd()),
            interrupt: Some(interrupt.as_fd()),
            // Whatever it says now, and its end.
            cancel: Some(socket.as_fd()),
            ..Streams::kept()
        });
        drop(counted);
        // The client finds the end of its streams now, while we collect.
        drop((stdin, stdout, stderr, interrupt));
        let kind = report(&ended.exit).outcome.end.kind();
        match self.tell(socket, ended, &request) {
            Ok(()) => info!(uid, outcome = kind, "ran a program of this machine"),
            Err(error) => {
                info!(uid, outcome = kind, error = %error, "nobody heard the end of a program of this machine")
            }
        }
        drop(share);
        // A close with something unread resets the connection (unix(7)), and what we said could be lost with it.
        let _ = rustix::net::shutdown(socket, Shutdown::Read);
        while receive_bare(socket, 0, Duration::ZERO) == Err(Errno::MSGSIZE) {}
    }

    /// What is asked for, and the contents of its files in a sealed file.
    fn hear(&self, socket: &OwnedFd) -> Result<(Request, Vec<Staged>), Elsewhere> {
        if receive_bare(socket, wire::HELLO.len(), ASKING)? != wire::HELLO {
            return elsewhere("the worker does not understand the request: it is of another version");
        }
        // Ours, and in memory: nobody holds a read of it up, or its close.
        let file = rustix::fs::memfd_create("program", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        say(socket, &Frame::Write {}, &[file.as_fd()], Duration::ZERO)?;
        if receive_bare(socket, wire::READY.len(), WRITING)? != wire::READY {
            return elsewhere("the worker does not understand the request");
        }
        // Who wrote it has it open still.
        let sealed = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW;
        if !rustix::fs::fcntl_get_seals(&file).is_ok_and(|seals| seals.contains(sealed)) {
            return elsewhere("the request is not sealed");
        }
        let size = u64::try_from(rustix::fs::fstat(&file)?.st_size).unwrap_or(0);
        let mut length = [0; 4];
        read_at(&file, 0, &mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        let Some(contents) = size.checked_sub(4 + length as u64).filter(|_| length <= wire::HEAD_MOST) else {
            return elsewhere("the request is cut short");
        };
        let mut head = vec![0; length];
        read_at(&file, 4, &mut head)?;
        let request = Request::decode(&head, contents)?;
        let (file, mut offset) = (OpenFile::new(file), 4 + length as u64);
        let staged = request.files.iter().map(|one| match one {
            wire::File::Directory { path } => Staged::Directory { path: path.into() },
            wire::File::Link { path, target } => Staged::Link { path: path.into(), target: target.into() },
            wire::File::Regular { path, executable, size } => {
                let (at, from) = (offset, file.clone());
                offset += size;
                Staged::Part { path: path.into(), executable: *executable, from, offset: at, size: *size }
            }
        });
        let staged = staged.collect();
        Ok((request, staged))
    }

    /// Starts it in a warm cell, if there is one for it and room.
    fn begin(
        &self,
        socket: &OwnedFd,
        request: &Request,
        files: Vec<Staged>,
    ) -> Result<(Begun, [OwnedFd; 4]), Elsewhere> {
        let Means { host, environment, spares, rooms, .. } = &self.means;
        if self.interpreter.as_ref() != Some(&request.interpreter) {
            return elsewhere("the worker's interpreter is another");
        }
        request.limits.within(&self.local.ceiling, "the worker")?;
        let spec = Spec {
            environment: environment.clone(),
            args: request.args.iter().map(Into::into).collect(),
            env: request.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            files,
            limits: translate::limits(&request.limits)?,
            network: match request.network {
                api::Network::None => gambeson_sandbox::Network::None,
                api::Network::Loopback => gambeson_sandbox::Network::Loopback,
                api::Network::Allow(_) => return elsewhere("a program that may connect has a proxy of its client's"),
            },
            terminal: Terminal::None,
            // Who asked accepted nothing.
            accept_missing: Vec::new(),
        };
        let plan = plan(&spec, host)?;
        drop(spec);
        let Some(share) = rooms.take_local(share(&request.limits), self.local.slots) else {
            return elsewhere("the worker has no room for it now");
        };
        let flags = PipeFlags::CLOEXEC | PipeFlags::NONBLOCK;
        let (stdin, their_stdin) = pipe_with(flags)?;
        let (their_stdout, stdout) = pipe_with(flags)?;
        let (their_stderr, stderr) = pipe_with(flags)?;
        let (interrupt, their_interrupt) = pipe_with(flags)?;
        let dressed = spares.dress(plan, Whose::Local).map_err(|elsewhere| Elsewhere(elsewhere.why))?;
        // The last look before the program can have effects.
        if is_over(socket) || self.closed.load(Ordering::Relaxed) {
            return elsewhere("it is not to start any more");
        }
        let cell = dressed.go().map_err(|back| Elsewhere(back.why))?;
        let begun = Begun { cell, share, stdin, stdout, stderr, interrupt };
        Ok((begun, [their_stdin, their_stdout, their_stderr, their_interrupt]))
    }

    /// Says how it ended, and what it left.
    fn tell(&self, socket: &OwnedFd, ended: Ended, request: &Request) -> io::Result<()> {
        let Ended { exit, work, .. } = ended;
        if exit.never_began() {
            return Ok(say(socket, &Frame::NeverBegan {}, &[], READING)?);
        }
        let left = work.filter(|_| request.collect).map(|work| self.gather(&work, request));
        let (exit, left) = match left.transpose() {
            Ok(left) => (exit, left),
            Err(error) => {
                let step = "keep the artifacts until they are handed over".into();
                let mend = Some("make room in the worker's state directory".into());
                (Exit { end: End::Fault { step, why: error.to_string(), mend }, ..exit }, None)
            }
        };
        say(socket, &Frame::Ended { report: report(&exit).into() }, &[], READING)?;
        if !request.collect {
            return Ok(());
        }
        if let Some((dir, Collected { artifacts, skipped })) = left {
            for one in skipped {
                say(socket, &Frame::Skipped { path: one.path, why: one.why.into() }, &[], READING)?;
            }
            for artifact in artifacts {
                let path = artifact.path.to_string_lossy().into_owned();
                say(socket, &Frame::Artifact { path, size: artifact.size.0 }, &[], READING)?;
                pour(File::open(dir.path().join(&artifact.path))?, artifact.size.0, socket)?;
            }
        }
        Ok(say(socket, &Frame::Whole {}, &[], READING)?)
    }

    fn gather(&self, work: &OwnedFd, request: &Request) -> io::Result<(RunDir, Collected)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("local-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = RunDir::make(self.means.runs.join(name))?;
        let (bytes, files) = (gambeson_sandbox::Bytes(request.limits.disk_bytes), request.limits.files);
        let collected = collect(work, dir.path(), bytes, files)?;
        Ok((dir, collected))
    }
}

fn pour(mut file: File, mut left: u64, socket: &OwnedFd) -> io::Result<()> {
    let mut piece = vec![0; wire::PIECE_MOST];
    while left > 0 {
        let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = file.read(&mut piece[..most])?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        send(socket, &piece[..count], &[], READING)?;
        left -= count as u64;
    }
    Ok(())
}

/// Reads all of `bytes` at `offset`.
fn read_at(file: &OwnedFd, offset: u64, bytes: &mut [u8]) -> Result<(), Elsewhere> {
    let mut read = 0;
    while read < bytes.len() {
        match rustix::io::pread(file, &mut bytes[read..], offset + read as u64)? {
            0 => return elsewhere("the request is cut short"),
            count => read += count,
        }
    }
    Ok(())
}
