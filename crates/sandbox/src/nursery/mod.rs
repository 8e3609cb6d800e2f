//! Nurseries: an interpreter that is started once, jailed, and forks a cell for each program.
//!
//! A nursery runs only our code and modules that the operator trusts. It is a child of the supervisor, in its own
//! mount tree, without a network, without a capability, under a user id of its own. A cell that it gives birth to is
//! a *sibling* (CLONE_PARENT), so that the supervisor waits for it, maps its ids and limits it as it does with a cold
//! one; it takes every step of its plan on its own behalf, and only then gets a program.
//!
//! Invariants:
//! 1. The nursery has one descriptor beside the standard three: its socket.
//! 2. No byte of a program's reaches the nursery, not of its arguments and its environment either, since whatever is
//!    in the memory of the nursery is in that of all cells: a program goes to its cell, by the cell's own socket.
//! 3. A cell gets one program.

pub mod inside;
mod message;
mod settled;
mod spare;

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

pub use spare::{Dressed, HandOver, Spare};

use crate::birth::{Birth, Tasks, only_process};
use crate::cell::{Cell, Process};
use crate::cgroup::{self, Hierarchies, Name};
use crate::environment::Environment;
use crate::exit::End;
use crate::host::{Authority, Host, Layer};
use crate::janitor::Janitor;
use crate::launch::{LaunchError, Site, lines, map_ids, namespaces, system, tasks};
use crate::limits::{Bytes, Limits};
use crate::plan::{Plan, Refusal, plan, string};
use crate::seen::Links;
use crate::spec::{Network, Spec, Terminal};
use crate::step::{FIRST_ID, Namespace, Step};
use crate::sys::clone::Side as Branch;
use message::{Answer, Request};
use settled::Settled;

/// What is wanted of a nursery.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The interpreter and what it needs of the host.
    pub environment: &'a Environment,
    /// Modules to import ahead of need, by name.
    pub preload: &'a [String],
    /// Variables that every program of this nursery has; those that act when an interpreter starts cannot be
    /// another for one of them.
    pub env: &'a [(OsString, OsString)],
    /// Missing layers that the operator accepted by name.
    pub accept_missing: &'a [Layer],
    /// The library that takes the interpreter's `main` over: what the crate `gambeson-nursery` is built to.
    pub library: &'a [u8],
}

/// Why there is no nursery, or no cell from it.
#[derive(Debug, thiserror::Error)]
pub enum NurseryError {
    /// This host, or this plan, cannot have one; a cold start is as good as ever.
    #[error("{0}")]
    Unfit(String),
    /// No plan.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The supervisor's own part failed.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// A cgroup could not be made.
    #[error(transparent)]
    Cgroup(#[from] cgroup::CgroupFailed),
    /// The interpreter did not come to be ready.
    #[error("the nursery {0}")]
    Failed(String),
    /// The cell could not be built.
    #[error("{}", .0.message())]
    Cell(End),
}

impl NurseryError {
    /// Whether a cell told the step that it could not take.
    fn is_of_a_step(&self) -> bool {
        matches!(self, NurseryError::Cell(End::Fault { step, .. }) if step.starts_with("carry out"))
    }
}

/// How long an interpreter may take to start and to import what it is to have: several times the slowest known.
const START_MOST: Duration = Duration::from_secs(60);
/// How long a cell may take to be built, on a machine that is busy.
const BIRTH_MOST: Duration = Duration::from_secs(5);
/// Memory of a nursery's own, which its cells share.
const MEMORY: Bytes = Bytes::mebi(2048);

/// The thread that nursery and cells are children of: the kernel kills them when it ends (PR_SET_PDEATHSIG is about
/// the thread, prctl(2)). It ends when the last of them is gone from here.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// The nursery's namespaces, none of which may be a cell's.
    pub(crate) links: Links,
    _thread: mpsc::Sender<Infallible>,
    _janitor: Janitor,
}

/// A cell that builds itself. Dropping it ends it.
#[derive(Debug)]
pub struct Newborn {
    cell: Cell,
    keeper: Arc<Keeper>,
    settled: Arc<Settled>,
    patience: Duration,
    mapped: Result<(), LaunchError>,
}

impl Newborn {
    /// Waits until every step is taken, and seen to hold.
    ///
    /// # Errors
    /// Which was not.
    pub fn end(self) -> Result<Spare, NurseryError> {
        let spare = Spare::begin(self.cell, self.keeper, self.settled, self.patience);
        match self.mapped {
            Ok(()) => spare,
            // One that failed on its own says why; there is nobody to map ids for then.
            Err(error) => Err(spare.err().filter(NurseryError::is_of_a_step).unwrap_or(error.into())),
        }
    }
}

/// A nursery. Dropping it ends it; cells that came from it live on.
#[derive(Debug)]
pub struct Nursery {
    socket: OwnedFd,
    process: Process,
    _janitor: Janitor,
    said: OwnedFd,
    _control: OwnedFd,
    birth: OwnedFd,
    keeper: Arc<Keeper>,
    hierarchies: Hierarchies,
    uid: u32,
    settled: Arc<Settled>,
    births: u64,
    since: Instant,
    patience: Duration,
}

impl Nursery {
    /// Starts an interpreter, and waits until it can give birth.
    ///
    /// # Errors
    /// When this host or this interpreter cannot have a nursery, and why.
    pub fn start(wanted: &Wanted<'_>, host: &Host) -> Result<Nursery, NurseryError> {
        if host.authority != Authority::Root {
            return Err(NurseryError::Unfit(
                "a nursery needs a worker that is root, so that each cell has ids of its own".into(),
            ));
        }
        if host.selinux.is_some() {
            return Err(NurseryError::Unfit(
                "SELinux gives a cell its domain at an exec, which a warm cell does not do".into(),
            ));
        }
        let since = Instant::now();
        let full = plan(
            &Spec {
                environment: wanted.environment.clone(),
                args: Vec::new(),
                env: wanted.env.to_vec(),
                files: Vec::new(),
                limits: Limits { memory: MEMORY, ..Limits::default() },
                network: Network::None,
                terminal: Terminal::None,
                accept_missing: wanted.accept_missing.to_vec(),
            },
            host,
        )?;
        let settled = Arc::new(Settled::new(&full, !wanted.preload.is_empty()));
        let (socket, theirs) = crate::launch::sockets()?;
        let library = in_memory(c"gambeson-nursery", wanted.library).map_err(system("keep the nursery's library"))?;
        let own = own_plan(full, &theirs, &library, wanted.preload)?;
        cgroup::take_delegation(&host.cgroups)?;
        cgroup::sweep(&host.cgroups);
        let name = Name::new();
        let brood = host.cgroups.below(name);
        let janitor = Janitor::start(&host.cgroups, name).map_err(system("start the janitor"))?;
        let hierarchies = host.cgroups.brood(brood.as_deref())?;
        let mut born = keep(own, hierarchies.clone(), vec![theirs, library])?;
        if let Some(brood) = &brood {
            cgroup::give(brood, born.uid)?;
        }
        let thread = born.thread.take().ok_or_else(gone)?;
        let mut nursery = Nursery {
            socket,
            process: born.process,
            _janitor: born.site.janitor,
            said: born.said,
            _control: born.control,
            birth: born.birth,
            keeper: Arc::new(Keeper { links: Links::default(), _thread: thread, _janitor: janitor }),
            hierarchies,
            uid: born.uid,
            settled,
            births: 0,
            since,
            patience: BIRTH_MOST,
        };
        let answer = nursery.hear(START_MOST).map_err(|error| match error {
            NurseryError::Failed(why) if !wanted.preload.is_empty() => {
                NurseryError::Failed(format!("{why} (it was to preload {})", wanted.preload.join(", ")))
            }
            other => other,
        });
        match answer?.0 {
            Answer::Ready => {
                // It has all of them now, and keeps them. Nobody else has a share of it yet.
                if let Some(keeper) = Arc::get_mut(&mut nursery.keeper) {
                    keeper.links = Links::of(&nursery.process.child.pid.as_raw_pid().to_string());
                }
                Ok(nursery)
            }
            Answer::Useless(why) => Err(nursery.last_words(&why)),
            _ => Err(NurseryError::Failed("said something else than that it is ready".into())),
        }
    }

    /// Whether a program with this plan cannot tell that its interpreter comes from here.
    ///
    /// # Errors
    /// What it would see, or do without.
    pub fn fits(&self, plan: &Plan) -> Result<(), String> {
        self.settled.suits(plan)
    }

    /// Gives birth to a cell that takes every step of `plan` and then waits for its program, which may be another
    /// with the same lengths of arguments and environment.
    ///
    /// # Errors
    /// When it does not come to be; the nursery may be gone then ([`Nursery::lives`]).
    pub fn birth(&mut self, plan: &Plan) -> Result<Spare, NurseryError> {
        self.begin_birth(plan)?.end()
    }

    /// The part of a birth that the nursery is needed for; how long the rest takes is up to the plan's limits.
    ///
    /// # Errors
    /// As of [`Nursery::birth`].
    pub fn begin_birth(&mut self, plan: &Plan) -> Result<Newborn, NurseryError> {
        self.fits(plan).map_err(NurseryError::Unfit)?;
        self.births += 1;
        let plan = plan.for_spares();
        let mut site = Site::new(&plan, &self.hierarchies)?;
        site.group.limit(&self.hierarchies, site.quotas, site.name)?;
        site.group.give(self.uid)?;
        let tasks = tasks(&self.hierarchies, site.quotas, site.name)?;
        let tasks: Vec<OwnedFd> = tasks
            .iter()
            .map(|path| {
                rustix::fs::open(
                    path,
                    rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC,
                    rustix::fs::Mode::empty(),
                )
            })
            .collect::<Result<_, _>>()
            .map_err(system("open a cgroup"))?;
        let (inner, outer) = lines(&plan)?;
        let request = Request {
            namespaces: namespaces(&plan),
            born_in_cgroup: site.group.birthplace().is_some(),
            plan: spare::nameless(&plan),
        };
        let mut fds: Vec<BorrowedFd<'_>> = vec![inner.gate.as_fd(), inner.control.as_fd(), inner.birth.as_fd()];
        fds.extend(inner.stdio.iter().flatten().map(AsFd::as_fd));
        fds.extend(site.group.birthplace());
        fds.extend(tasks.iter().map(AsFd::as_fd));
        message::send(self.socket.as_fd(), &request, &fds)
            .map_err(|errno| self.last_words(&format!("did not take a request: {errno}")))?;
        // One that answers late would be taken to answer what it is asked next: it is of no use any more.
        let (answer, pidfd) = self.hear(self.patience).inspect_err(|_| self.end_with_its_last_cell())?;
        let (Answer::Born, Some(pidfd)) = (&answer, pidfd) else {
            return Err(match answer {
                Answer::Failed(errno) => LaunchError::System {
                    what: "make the cell's namespaces",
                    source: Errno::from_raw_os_error(errno).into(),
                }
                .into(),
                _ => NurseryError::Failed("answered what was not asked".into()),
            });
        };
        drop(inner);
        let pid = message::pid_of(&pidfd).ok_or_else(gone)?;
        let process = Process { child: crate::sys::clone::Child { pid, pidfd }, reaped: false };
        let mapped = map_ids(&plan, pid, &outer.opener);
        let (hierarchies, keeper) = (self.hierarchies.clone(), Arc::clone(&self.keeper));
        let cell = Cell::new(plan, Instant::now(), site, process, outer, hierarchies);
        Ok(Newborn { cell, keeper, settled: Arc::clone(&self.settled), patience: self.patience, mapped })
    }

    /// How long a birth may take from now on; a nursery that does not answer by then is ended.
    pub fn be_patient_for(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Whether its process is there.
    pub fn lives(&self) -> bool {
        let mut polled = [PollFd::new(&self.process.child.pidfd, PollFlags::IN)];
        matches!(poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
    }

    /// How many cells it was asked for.
    pub fn births(&self) -> u64 {
        self.births
    }

    /// How long ago it was asked for.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// The pid of its process, as the host sees it.
    pub fn pid(&self) -> i32 {
        self.process.child.pid.as_raw_pid()
    }

    /// Kills it, and lets go of a cell that it bore after nobody waited any more.
    fn end_with_its_last_cell(&self) {
        self.process.kill();
        let moment = Timespec { tv_sec: 1, tv_nsec: 0 };
        // Then nothing more comes.
        let _ = poll(&mut [PollFd::new(&self.process.child.pidfd, PollFlags::IN)], Some(&moment));
        let_go_of_the_late(&self.socket);
    }

    fn hear(&self, patience: Duration) -> Result<(Answer, Option<OwnedFd>), NurseryError> {
        let timeout = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        let deadline = Instant::now() + patience;
        loop {
            let mut polled = [PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut polled, Some(&timeout)) {
                Err(Errno::INTR) if Instant::now() < deadline => continue,
                Ok(1..) => {}
                _ => return Err(self.last_words("did not answer in time")),
            }
            return message::receive(self.socket.as_fd()).map_err(|_| self.last_words("ended"));
        }
    }

    /// Why it failed, with what it wrote to its standard error.
    fn last_words(&self, what: &str) -> NurseryError {
        let mut frame = [0u8; crate::wire::SIZE];
        let polled = poll(&mut [PollFd::new(&self.birth, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        if polled == Ok(1)
            && let Ok(crate::wire::SIZE) = rustix::io::read(&self.birth, &mut frame)
            && let Ok(crate::wire::Frame::Failed { step, errno }) = crate::wire::Frame::decode(&frame)
        {
            return NurseryError::Failed(format!("{what}: step {step} of its own plan failed: {errno}"));
        }
        let mut buffer = [0u8; 4096];
        let count = rustix::io::read(&self.said, &mut buffer).unwrap_or(0);
        let words = String::from_utf8_lossy(&buffer[..count]);
        let words = words.trim_end().rsplit('\n').next().unwrap_or_default();
        NurseryError::Failed(if words.is_empty() { what.to_owned() } else { format!("{what}; it said: {words}") })
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// Cells whose births were told too late: they are our children, and nobody else will ever wait for them.
fn let_go_of_the_late(socket: &OwnedFd) {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    while matches!(poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&now)), Ok(1..)) {
        let Ok((answer, pidfd)) = message::receive::<Answer>(socket.as_fd()) else { return };
        if let (Answer::Born, Some(pidfd)) = (answer, pidfd)
            && let Some(pid) = message::pid_of(&pidfd)
        {
            drop(Process { child: crate::sys::clone::Child { pid, pidfd }, reaped: false });
        }
    }
}

fn gone() -> NurseryError {
    NurseryError::Failed("was gone at once".into())
}

/// The plan of the nursery's own jail: what of a cell's makes a place to be born in. It has neither a filter nor a
/// Landlock domain, since its children would be in them before they have mounted anything, and see that they are two
/// deep; and no limit of one process that a child could not raise again.
fn own_plan(full: Plan, socket: &OwnedFd, library: &OwnedFd, preload: &[String]) -> Result<Plan, Refusal> {
    let Plan { steps, program, mut env, limits, terminal, frames, missing, .. } = full;
    let steps = steps
        .into_iter()
        .filter_map(|step| match step {
            Step::Namespace(Namespace::User | Namespace::Pid | Namespace::Cgroup | Namespace::Time) => None,
            // A proc file system can be mounted only by who sees a whole one (fs/namespace.c, mount_too_revealing).
            Step::Proc { .. } => Some(Step::Proc { masked: false }),
            Step::Pids(_) => Some(Step::Pids(64)),
            Step::Scratch { .. } => Some(Step::Scratch { bytes: Some(Bytes::mebi(1)), files: Some(64) }),
            Step::Rlimit(limit) if limit.resource != rustix::process::Resource::Core => None,
            Step::Stage(_)
            | Step::Cpu(_)
            | Step::NotDumpable
            | Step::Landlock { .. }
            | Step::Selinux(_)
            | Step::Seccomp(_)
            | Step::DeadlineWall(_)
            | Step::DeadlineCpu(_)
            | Step::OutputBound(_) => None,
            other => Some(other),
        })
        .collect();
    env.push(string(format!("LD_PRELOAD=/proc/self/fd/{}", library.as_raw_fd()))?);
    env.push(string(format!(
        "{}={} {} {}",
        inside::VARIABLE,
        socket.as_raw_fd(),
        library.as_raw_fd(),
        preload.join(",")
    ))?);
    let args = vec![program.clone(), inside::SCRIPT.into()];
    Ok(Plan { steps, program, args, env, limits, terminal, frames, missing })
}

/// What the thread that keeps a nursery has made.
struct Born {
    process: Process,
    site: Site,
    said: OwnedFd,
    control: OwnedFd,
    birth: OwnedFd,
    uid: u32,
    thread: Option<mpsc::Sender<Infallible>>,
}

/// Has the nursery born on a thread that lives as long as what comes from it.
fn keep(plan: Plan, hierarchies: Hierarchies, handed: Vec<OwnedFd>) -> Result<Born, NurseryError> {
    let (tell, told) = mpsc::channel();
    let (alive, over) = mpsc::channel::<Infallible>();
    let thread = thread::Builder::new().name("nursery".into()).spawn(move || {
        let born = bear(&plan, &hierarchies, handed);
        let _ = tell.send(born);
        // Nothing is ever sent: this waits until the other end is gone.
        let _ = over.recv();
    });
    thread.map_err(|source| LaunchError::System { what: "start a thread", source })?;
    let mut born = told.recv().map_err(|_| gone())??;
    born.thread = Some(alive);
    Ok(born)
}

fn bear(plan: &Plan, hierarchies: &Hierarchies, handed: Vec<OwnedFd>) -> Result<Born, LaunchError> {
    let mut site = Site::new(plan, hierarchies)?;
    let names = tasks(hierarchies, site.quotas, site.name)?;
    let (inner, outer) = lines(plan)?;
    let prepared = Birth::new(plan, inner, Tasks::Named(names), handed);
    let clone = crate::sys::clone::clone3(namespaces(plan), site.group.birthplace());
    let child = match clone.map_err(system("make the nursery's namespaces"))? {
        Branch::Child => only_process(prepared),
        Branch::Parent(child) => child,
    };
    drop(prepared);
    let process = Process { child, reaped: false };
    site.group.limit(hierarchies, site.quotas, site.name)?;
    map_ids(plan, process.child.pid, &outer.opener)?;
    let pid = process.child.pid.as_raw_pid() as u32;
    let [_, _, said] = outer.stdio;
    let said = said.ok_or_else(|| system("hear the nursery")(Errno::BADF))?;
    let (control, birth) = (outer.control, outer.birth);
    Ok(Born { process, site, said, control, birth, uid: FIRST_ID + pid, thread: None })
}

/// A file that is in no directory, with these contents.
fn in_memory(name: &std::ffi::CStr, bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let fd = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut written = 0;
    while written < bytes.len() {
        written += rustix::io::write(&fd, &bytes[written..])?;
    }
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::children;

    #[test]
    fn a_cell_that_was_born_too_late_leaves_no_zombie() {
        let (ours, theirs) = crate::launch::sockets().unwrap();
        let children: Vec<_> = (0..2)
            .map(|_| {
                let child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
                let pid = rustix::process::Pid::from_child(&child);
                let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
                message::send(theirs.as_fd(), &Answer::Born, &[pidfd.as_fd()]).unwrap();
                child
            })
            .collect();
        message::send(theirs.as_fd(), &Answer::Failed(1), &[]).unwrap();
        drop(theirs);
        let_go_of_the_late(&ours);
        let deadline = Instant::now() + Duration::from_secs(20);
        while children.iter().any(|child| std::path::Path::new(&format!("/proc/{}", child.id())).exists()) {
            assert!(Instant::now() < deadline, "a zombie is left");
            children::reap();
            thread::sleep(Duration::from_millis(5));
        }
    }
}
