//! From a plan to a living cell: what the supervisor does before and around the birth.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::Pid;

use crate::birth::{Birth, Opening, first_process};
use crate::cell::{Cell, Process};
use crate::cgroup::{self, Group, Hierarchies, Quotas};
use crate::exit::End;
use crate::host::Host;
use crate::janitor::Janitor;
use crate::plan::Plan;
use crate::spec::Terminal;
use crate::step::{FIRST_ID, GUEST_ID, Ids, Namespace, Step};
use crate::sys::clone::Side;
use crate::sys::exec::Strings;

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
fn system(what: &'static str) -> impl Fn(Errno) -> LaunchError {
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
    let name = cgroup::name();
    let quotas = quotas(&plan);
    cgroup::take_delegation(&host.cgroups)?;
    let late = plan.find(|step| if let Step::DeadlineWall(limit) = step { Some(*limit + GRACE) } else { None });
    let janitor = Janitor::start(&cgroup::directories(&host.cgroups, quotas, &name), late)
        .map_err(system("start the janitor"))?;
    let mut group = Group::begin(&host.cgroups, &name)?;
    let tasks = tasks(&host.cgroups, quotas, &name)?;

    let (gate, opener) = pipe()?;
    let (control, theirs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
    .map_err(system("make a socket pair"))?;
    let (birth, their_birth) = pipe()?;
    let mut ours = (None, None, None);
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
        ours = (Some(our_in), Some(our_out), Some(our_err));
    }
    let filter = plan
        .find(|step| if let Step::Seccomp(policy) = step { Some(policy.compile()) } else { None })
        .unwrap_or_default();
    let namespaces = plan
        .steps
        .iter()
        .map(|step| if let Step::Namespace(namespace) = step { namespace.at_birth() } else { 0 })
        .fold(0, |all, one| all | one);
    let mut keep: Vec<RawFd> =
        [&gate, &theirs, &their_birth].into_iter().chain(stdio.iter().flatten()).map(AsRawFd::as_raw_fd).collect();
    keep.extend(plan.open_files().map(|file| file.0.as_raw_fd()));
    keep.sort_unstable();
    keep.dedup();
    let prepared = Birth {
        keep,
        filter,
        args: Strings::new(plan.args.clone()),
        env: Strings::new(plan.env.clone()),
        tasks,
        gate,
        control: theirs,
        birth: their_birth,
        stdio,
        mounts: plan.steps.iter().map(|_| None).collect(),
        pid: 0,
        plan: &plan,
    };
    let child = match crate::sys::clone::clone3(namespaces, group.birthplace())
        .map_err(system("make the cell's namespaces"))?
    {
        Side::Child => first_process(prepared),
        Side::Parent(child) => child,
    };
    drop(prepared);
    let process = Process { child, reaped: false };
    group.limit(&host.cgroups, quotas, &name)?;
    map_ids(&plan, process.child.pid, &opener)
        .map_err(|source| LaunchError::System { what: "map the cell's ids", source })?;
    Ok(Cell {
        started,
        process,
        group,
        hierarchies: host.cgroups.clone(),
        _janitor: janitor,
        control,
        birth: Some(birth),
        stdin: ours.0,
        stdout: ours.1,
        stderr: ours.2,
        plan,
    })
}

pub(crate) fn unblock(fd: &OwnedFd) -> Result<(), Errno> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK)
}

/// Both ends are above the standard three: Rust's runtime opens those at the start where they are closed.
fn pipe() -> Result<(OwnedFd, OwnedFd), LaunchError> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(system("make a pipe"))
}

/// What the cell writes `0` to, to join its version 1 cgroups.
fn tasks(hierarchies: &Hierarchies, quotas: Quotas, name: &str) -> Result<Vec<CString>, LaunchError> {
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
fn map_ids(plan: &Plan, pid: Pid, opener: &OwnedFd) -> io::Result<()> {
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
}
