//! From a plan to a living cell: what the supervisor does before and around the birth.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::Pid;

use crate::birth::{Birth, Inner, Opening, Tasks, first_process};
use crate::cell::{Cell, Process, Watch};
use crate::cgroup::{self, Group, Hierarchies, Name, Quotas};
use crate::exit::{End, Start};
use crate::host::Host;
use crate::janitor::Janitor;
use crate::plan::Plan;
use crate::spec::Terminal;
use crate::step::{FIRST_ID, GUEST_ID, Ids, Namespace, Step};
use crate::sys::clone::Side;

/// Why no cell came to be. Always ours, never the program's.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A cgroup could not be made.
    #[error(transparent)]
    Cgroup(#[from] cgroup::CgroupFailed),
    /// Something else that the supervisor does.
    #[error("failed to {what}")]
    System {
        /// What we tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl LaunchError {
    /// As the end of a run that never began.
    pub fn end(&self) -> End {
        let (step, source): (String, &dyn std::error::Error) = match self {
            LaunchError::Cgroup(failed) => (
                failed.to_string().trim_start_matches("failed to ").to_owned(),
                std::error::Error::source(failed).unwrap_or(failed),
            ),
            LaunchError::System { what, source } => ((*what).to_owned(), source),
        };
        let mend = Some("gambeson doctor says what this host lacks".to_owned());
        End::Fault { step, why: source.to_string(), mend }
    }
}

/// Maps an errno of the supervisor's own act.
pub(crate) fn system(what: &'static str) -> impl Fn(Errno) -> LaunchError {
    move |errno| LaunchError::System { what, source: errno.into() }
}

/// How long after the wall limit the janitor kills, should we not have.
const GRACE: Duration = Duration::from_secs(3);

/// Builds a cell by `plan` on `host`, and starts the program in it.
///
/// Returns as soon as the cell is born; the steps that it takes on its own behalf may still fail, which
/// [`Cell::wait`] then tells. May be called from a process with threads, by one that outlives the cell: when
/// it ends, so does the cell (PR_SET_PDEATHSIG is about the thread, prctl(2)).
///
/// # Errors
/// When the supervisor's own part fails; nothing is left behind.
pub fn launch(plan: Plan, host: &Host) -> Result<Cell, LaunchError> {
    let started = Instant::now();
    cgroup::take_delegation(&host.cgroups)?;
    let mut site = Site::new(&plan, &host.cgroups)?;
    let tasks = tasks(&host.cgroups, site.quotas, site.name)?;
    let (inner, outer) = lines(&plan)?;
    let prepared = Birth::new(&plan, inner, Tasks::Named(tasks), Vec::new());
    let child = match crate::sys::clone::clone3(namespaces(&plan), site.group.birthplace())
        .map_err(system("make the cell's namespaces"))?
    {
        Side::Child => first_process(prepared),
        Side::Parent(child) => child,
    };
    drop(prepared);
    let process = Process { child, reaped: false };
    site.group.limit(&host.cgroups, site.quotas, site.name)?;
    map_ids(&plan, process.child.pid, &outer.opener)?;
    let mut cell = Cell::new(plan, started, site, process, outer, host.cgroups.clone());
    cell.count_down()?;
    Ok(cell)
}

/// What a cell is born into, and who clears it away.
pub(crate) struct Site {
    pub(crate) name: Name,
    pub(crate) quotas: Quotas,
    pub(crate) janitor: Janitor,
    pub(crate) group: Group,
}

impl Site {
    /// Makes the cgroup that the cell is born in; those of version 1 are made by [`Group::limit`].
    pub(crate) fn new(plan: &Plan, hierarchies: &Hierarchies) -> Result<Site, LaunchError> {
        let (name, quotas) = (Name::new(), quotas(plan));
        let janitor = Janitor::start(hierarchies, name).map_err(system("start the janitor"))?;
        let group = Group::begin(hierarchies, name)?;
        Ok(Site { name, quotas, janitor, group })
    }
}

impl Cell {
    pub(crate) fn new(
        plan: Plan,
        started: Instant,
        site: Site,
        process: Process,
        outer: Outer,
        hierarchies: Hierarchies,
    ) -> Cell {
        let Outer { opener: _, control, birth, stdio: [stdin, stdout, stderr] } = outer;
        Cell {
            plan,
            started,
            hierarchies,
            group: site.group,
            process,
            janitor: site.janitor,
            control,
            birth: Some(birth),
            stdin,
            stdout,
            stderr,
            start: Start::Cold,
            watch: Watch::default(),
            cpu_before: Duration::ZERO,
            keeper: None,
        }
    }

    /// From now on the clock counts, for the janitor too.
    pub(crate) fn count_down(&mut self) -> Result<(), LaunchError> {
        let wall = self.plan.find(|step| if let Step::DeadlineWall(limit) = step { Some(*limit) } else { None });
        match wall {
            Some(limit) => self.janitor.kill_after(limit + GRACE).map_err(system("tell the janitor when to kill")),
            None => Ok(()),
        }
    }
}

/// The supervisor's ends of what a cell is connected by.
pub(crate) struct Outer {
    pub(crate) opener: OwnedFd,
    pub(crate) control: OwnedFd,
    pub(crate) birth: OwnedFd,
    pub(crate) stdio: [Option<OwnedFd>; 3],
}

/// Both ends of everything that connects a cell with its supervisor.
pub(crate) fn lines(plan: &Plan) -> Result<(Inner, Outer), LaunchError> {
    let (gate, opener) = pipe()?;
    let (control, their_control) = sockets()?;
    let (birth, their_birth) = sockets()?;
    let mut outer = Outer { opener, control, birth, stdio: [None, None, None] };
    let mut stdio = None;
    if plan.terminal == Terminal::None {
        let (their_in, our_in) = pipe()?;
        let (our_out, their_out) = pipe()?;
        let (our_err, their_err) = pipe()?;
        stdio = Some([their_in, their_out, their_err]);
        // Whatever the program does to its own ends, ours never block: each has flags of its own.
        for ours in [&our_in, &our_out, &our_err] {
            unblock(ours).map_err(system("set a pipe to non-blocking"))?;
        }
        outer.stdio = [Some(our_in), Some(our_out), Some(our_err)];
    }
    Ok((Inner { gate, control: their_control, birth: their_birth, stdio }, outer))
}

/// The namespaces that a cell is born in, as flags of clone3(2).
pub(crate) fn namespaces(plan: &Plan) -> u64 {
    plan.steps
        .iter()
        .map(|step| if let Step::Namespace(namespace) = step { namespace.at_birth() } else { 0 })
        .fold(0, |all, one| all | one)
}

pub(crate) fn sockets() -> Result<(OwnedFd, OwnedFd), LaunchError> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(system("make a socket pair"))
}

pub(crate) fn unblock(fd: &OwnedFd) -> Result<(), Errno> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK)
}

/// Both ends are above the standard three: Rust's runtime opens those at the start where they are closed.
pub(crate) fn pipe() -> Result<(OwnedFd, OwnedFd), LaunchError> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(system("make a pipe"))
}

/// What the cell writes `0` to, to join its version 1 cgroups.
pub(crate) fn tasks(hierarchies: &Hierarchies, quotas: Quotas, name: Name) -> Result<Vec<CString>, LaunchError> {
    let file = |dir: PathBuf| CString::new(dir.join("tasks").into_os_string().into_vec());
    let files: Result<_, _> = cgroup::version_1(hierarchies, quotas, name).into_iter().map(file).collect();
    files.map_err(|_| system("name a cgroup")(Errno::INVAL))
}

fn quotas(plan: &Plan) -> Quotas {
    let mut quotas = Quotas::default();
    for step in &plan.steps {
        match step {
            Step::Memory(max) => quotas.memory = Some(*max),
            Step::Pids(max) => quotas.pids = Some(*max),
            Step::Cpu(max) => quotas.cpu = Some(*max),
            _ => {}
        }
    }
    quotas
}

/// Says what the cell's ids stand for outside, and lets it go on.
pub(crate) fn map_ids(plan: &Plan, pid: Pid, opener: &OwnedFd) -> Result<(), LaunchError> {
    let map = || -> io::Result<()> {
        let ids = plan.find(|step| if let Step::Identity(ids) = step { Some(*ids) } else { None });
        let pid = pid.as_raw_pid() as u32;
        let (uid, gid, root) = match ids.unwrap_or(Ids::Own) {
            Ids::Own => (FIRST_ID + pid, FIRST_ID + pid, true),
            Ids::Ours { uid, gid } => (uid, gid, rustix::process::geteuid().is_root()),
        };
        let opening = if plan.has(Namespace::User) {
            if !root {
                // Else an unprivileged process could leave a group that denies it something
                // (user_namespaces(7), "The /proc/pid/setgroups file").
                fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
            }
            fs::write(format!("/proc/{pid}/uid_map"), format!("{GUEST_ID} {uid} 1"))?;
            fs::write(format!("/proc/{pid}/gid_map"), format!("{GUEST_ID} {gid} 1"))?;
            Opening { uid: GUEST_ID, gid: GUEST_ID, pid }
        } else {
            Opening { uid, gid, pid }
        };
        rustix::io::write(opener, &opening.encode())?;
        Ok(())
    };
    map().map_err(|source| LaunchError::System { what: "map the cell's ids", source })
}
