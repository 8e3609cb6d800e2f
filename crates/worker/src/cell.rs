//! The thread of one cell: it launches it, watches it to its end, and collects what it left.
//!
//! The kernel kills a cell when the *thread* that made it ends (PR_SET_PDEATHSIG is about the thread, prctl(2)), so
//! that one thread does all of it, and no pool of threads may.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use gambeson_api::work::Append;
use gambeson_sandbox::{
    Bytes, Collected, Denied, End, Ended, Exit, Host, Input, Limits, Plan, Sampled, Sink, Streams, collect, has_output,
    launch,
};
use rustix::fs::{MemfdFlags, SeekFrom};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use crate::boot_time::BootTime;
use crate::egress::{Listeners, Proxy};
use crate::holding::{Holding, Verdict};
use crate::spares::{Elsewhere, Spares, Whose};
use crate::state_dir::RunDir;
use crate::vitals::Running;

/// Samples that wait to be taken: one comes a few times a second at most.
const SAMPLES_WAITING: usize = 4;

/// Everything that the thread needs, so that nothing is left that could fail before the cell is launched.
#[derive(Debug)]
pub(crate) struct Order {
    plan: Plan,
    host: Arc<Host>,
    spares: Option<Arc<Spares>>,
    holding: Arc<Holding>,
    stdin: Option<OwnedFd>,
    stdout: OwnedFd,
    stderr: OwnedFd,
    cancel: OwnedFd,
    denied: Option<mpsc::Sender<gambeson_api::Denial>>,
    sampled: Option<mpsc::Sender<gambeson_api::Sample>>,
    running: Arc<Running>,
    listeners: Option<Listeners>,
    /// Where to collect to, and how much.
    runs: PathBuf,
    disk: Bytes,
    files: u32,
}

/// The other ends.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) stdout: Receiver,
    pub(crate) stderr: Receiver,
    /// Dropping it kills the cell.
    pub(crate) cancel: Sender,
    /// Each kind of refused act, when it happens the first time.
    pub(crate) denied: mpsc::Receiver<gambeson_api::Denial>,
    /// What it uses, now and then.
    pub(crate) sampled: mpsc::Receiver<gambeson_api::Sample>,
    /// What the cell may reach of the world outside, if it may at all.
    pub(crate) proxy: Option<Proxy>,
}

/// A cell's thread that waits for the word.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Dropping it means that there is nothing to start.
    pub(crate) go: oneshot::Sender<()>,
    pub(crate) told: oneshot::Receiver<Told>,
}

/// The last that a cell's thread says.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) end: CellEnd,
    /// The thread's ends of everything else, to be dropped: the other ends, who would be woken by each, are with who hears this.
    pub(crate) rest: Option<Rest>,
}

type Rest = (
    [OwnedFd; 3],
    Option<mpsc::Sender<gambeson_api::Denial>>,
    Option<mpsc::Sender<gambeson_api::Sample>>,
    Option<Listeners>,
);

impl From<CellEnd> for Told {
    fn from(end: CellEnd) -> Told {
        Told { end, rest: None }
    }
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum CellEnd {
    /// It was not launched: the lease was gone, or its job cancelled.
    NotLaunched,
    /// It never stood.
    Fault(End),
    /// It ran.
    Ended {
        exit: Box<Exit>,
        /// Bytes of stdout and stderr that were not kept.
        elided: (u64, u64),
        /// What it left, in a directory of its own.
        left: Option<(RunDir, Collected)>,
    },
}

impl Order {
    /// Makes the pipes. `stdin` is all of the standard input.
    ///
    /// # Errors
    /// When the system has no more descriptors or memory.
    pub(crate) fn prepare(
        plan: Plan,
        limits: &Limits,
        host: Arc<Host>,
        spares: Option<Arc<Spares>>,
        holding: Arc<Holding>,
        stdin: &[u8],
        runs: PathBuf,
    ) -> io::Result<(Order, Ends)> {
        let flags = PipeFlags::CLOEXEC;
        let (our_stdout, stdout) = pipe_with(flags)?;
        let (our_stderr, stderr) = pipe_with(flags)?;
        let (cancel, our_cancel) = pipe_with(flags)?;
        let stdin = if stdin.is_empty() { None } else { Some(in_memory(stdin)?) };
        // As many as a server records; what has no room is in the report all the same.
        let (denied, told_denied) = mpsc::channel(Append::DENIALS_MOST);
        let (sampled, told_sampled) = mpsc::channel(SAMPLES_WAITING);
        let ends = Ends {
            stdout: Receiver::from_owned_fd(our_stdout)?,
            stderr: Receiver::from_owned_fd(our_stderr)?,
            cancel: Sender::from_owned_fd(our_cancel)?,
            denied: told_denied,
            sampled: told_sampled,
            proxy: None,
        };
        let (disk, files) = (limits.disk, limits.files);
        let order = Order {
            plan,
            host,
            spares,
            holding,
            stdin,
            stdout,
            stderr,
            cancel,
            denied: Some(denied),
            sampled: Some(sampled),
            running: Arc::default(),
            listeners: None,
            runs,
            disk,
            files,
        };
        Ok((order, ends))
    }

    /// Whether denials are told as they happen, and what it uses now and then.
    #[must_use]
    pub(crate) fn telling(self, denials: bool, samples: bool) -> Order {
        Order { denied: self.denied.filter(|_| denials), sampled: self.sampled.filter(|_| samples), ..self }
    }

    /// Among which its cell counts while its program runs.
    #[must_use]
    pub(crate) fn counted_in(self, running: &Arc<Running>) -> Order {
        Order { running: Arc::clone(running), ..self }
    }

    /// Where the socket goes that its cell's proxy listens at.
    #[must_use]
    pub(crate) fn listened_to_by(self, listeners: Option<Listeners>) -> Order {
        Order { listeners, ..self }
    }

    /// Starts the thread, which does all that it can before the word is given that the program may start.
    ///
    /// # Errors
    /// When the system has no more of them.
    pub(crate) fn start(self) -> io::Result<Begun> {
        let (go, gone) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        // The kernel shows fifteen characters of a thread's name; the last of an id differ most.
        let lease = self.holding.lease.to_string();
        let name = format!("cell-{}", &lease[lease.len() - 10..]);
        thread::Builder::new().name(name).spawn(move || {
            // Whoever waited may be gone; the cell is then, too.
            let _ = tell.send(self.carry_out(gone));
        })?;
        Ok(Begun { go, told })
    }

    fn carry_out(self, go: oneshot::Receiver<()>) -> Told {
        let Order { plan, host, spares, holding, stdin, stdout, stderr, cancel, .. } = self;
        let Order { denied, sampled, running, listeners, runs, disk, files, .. } = self;
        let tell = |denial: &gambeson_sandbox::Denial| {
            if let Some(denied) = &denied {
                let _ = denied.try_send(crate::translate::denial(denial));
            }
        };
        let tell_sample = |sample: &gambeson_sandbox::Sample| {
            if let Some(sampled) = &sampled {
                let _ = sampled.try_send(crate::translate::sample(sample));
            }
        };
        let take = |listener| {
            if let Some(listeners) = &listeners {
                listeners.take(listener);
            }
        };
        let streams = || Streams {
            stdin: stdin.as_ref().map_or(Input::Nothing, |fd| Input::Fd(fd.as_fd())),
            stdout: Sink::Patient(stdout.as_fd()),
            stderr: Sink::Patient(stderr.as_fd()),
            cancel: Some(cancel.as_fd()),
            denied: Some(Denied(&tell)),
            sampled: sampled.as_ref().map(|_| Sampled(&tell_sample)),
            listener: Some(gambeson_sandbox::Listeners(&take)),
            ..Streams::kept()
        };
        let _runs = spares.as_ref().map(|spares| spares.runs());
        let dressed = match spares {
            Some(spares) => spares.dress(plan, Whose::Jobs),
            None => Err(Box::new(Elsewhere { plan, why: "nothing is kept warm for it".into() })),
        };
        // The last look at the clock before the program can have effects.
        if go.blocking_recv().is_err() || holding.verdict(BootTime::now()) >= Verdict::Cancel {
            return CellEnd::NotLaunched.into();
        }
        let counted = running.one();
        let started = dressed.and_then(|dressed| dressed.go().map_err(|back| Box::new(Elsewhere::from(*back))));
        let mut ended = match started {
            Ok(cell) => cell.wait(streams()),
            Err(elsewhere) => {
                debug!(why = elsewhere.why, "a cold start");
                if holding.verdict(BootTime::now()) >= Verdict::Cancel {
                    return CellEnd::NotLaunched.into();
                }
                match launch(elsewhere.plan, &host) {
                    Ok(cell) => cell.wait(streams()),
                    Err(error) => return CellEnd::Fault(error.end()).into(),
                }
            }
        };
        if ended.exit.never_began() {
            if holding.verdict(BootTime::now()) >= Verdict::Cancel {
                return CellEnd::NotLaunched.into();
            }
            debug!("a cold start: the warm cell was gone before it had its program");
            if let Some(stdin) = &stdin {
                // Some of it may have gone into the pipe of the other.
                let _ = rustix::fs::seek(stdin, SeekFrom::Start(0));
            }
            ended = match launch(ended.plan, &host) {
                Ok(cell) => cell.wait(streams()),
                Err(error) => return CellEnd::Fault(error.end()).into(),
            };
        }
        drop(counted);
        let Ended { exit, elided, work, .. } = ended;
        let gone = matches!(holding.verdict(BootTime::now()), Verdict::Gone(_));
        let Some(work) = work.filter(|work| !gone && has_output(work)) else {
            let end = CellEnd::Ended { exit: Box::new(exit), elided, left: None };
            return Told { end, rest: Some(([stdout, stderr, cancel], denied, sampled, listeners)) };
        };
        // The readers find the end now, while we collect; the proxy ends.
        drop((stdout, stderr, listeners));
        let path = runs.join(holding.lease.to_string());
        let collected = RunDir::make(path).and_then(|dir| {
            let collected = collect(&work, dir.path(), disk, files)?;
            Ok((dir, collected))
        });
        let end = match collected {
            Ok(left) => CellEnd::Ended { exit: Box::new(exit), elided, left: Some(left) },
            Err(error) => {
                let step = "keep the artifacts until they are uploaded".into();
                let mend = Some("make room in the worker's state directory".into());
                let end = End::Fault { step, why: error.to_string(), mend };
                CellEnd::Ended { exit: Box::new(Exit { end, ..exit }), elided, left: None }
            }
        };
        end.into()
    }
}

/// A file that is in no directory, with these contents: the cell can read it at its own pace, and nobody waits.
fn in_memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    let fd = rustix::fs::memfd_create("stdin", MemfdFlags::CLOEXEC)?;
    let mut written = 0;
    while written < bytes.len() {
        written += rustix::io::write(&fd, &bytes[written..])?;
    }
    rustix::fs::seek(&fd, SeekFrom::Start(0))?;
    Ok(fd)
}
