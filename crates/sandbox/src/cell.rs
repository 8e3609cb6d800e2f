//! A running cell: [`launch`] builds it, [`Cell::wait`] watches it to its end.
//!
//! Invariants:
//! 1. What a cell is made of has one owner here; when that owner is gone, in whatever way, so is the cell.
//! 2. The deadlines are ours: the cell is killed from outside, never asked.
//! 3. Nothing that the program does blocks the supervisor: every wait has an end.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions};

use crate::birth::{Birth, Opening, act, first_process};
use crate::cgroup::{self, Group, Hierarchies, Quotas};
use crate::children;
use crate::exit::{Amount, Denial, End, Exit, Held, LayerReport, Usage};
use crate::host::{Host, Layer};
use crate::janitor::Janitor;
use crate::limits::{Bytes, Limit, Limits};
use crate::output::{Allowance, Sink, Stream};
use crate::plan::{FIRST_ID, GUEST_ID, Ids, Namespace, Plan, Step};
use crate::spec::Terminal;
use crate::sys::clone::{Child, Side};
use crate::sys::exec::Strings;
use crate::wire::{self, Frame};

/// What the program reads on its standard input.
#[derive(Debug)]
pub enum Input<'a> {
    /// Nothing: the end at once.
    Nothing,
    /// Whatever can be read from a descriptor, through a pipe: the descriptor itself is never handed in.
    Fd(BorrowedFd<'a>),
}

/// The streams of a run, and the ways to interfere with it.
#[derive(Debug)]
pub struct Streams<'a> {
    /// Standard input.
    pub stdin: Input<'a>,
    /// Standard output; with a terminal, everything that it shows.
    pub stdout: Sink<'a>,
    /// Standard error.
    pub stderr: Sink<'a>,
    /// Becomes readable to send the program SIGINT; a second time, to cancel.
    pub interrupt: Option<BorrowedFd<'a>>,
    /// Becomes readable to cancel.
    pub cancel: Option<BorrowedFd<'a>>,
    /// Becomes readable when the window of this terminal changed its size, which the cell's then takes.
    pub resize: Option<(BorrowedFd<'a>, BorrowedFd<'a>)>,
}

impl Streams<'_> {
    /// No input, everything kept.
    pub const fn kept() -> Streams<'static> {
        Streams {
            stdin: Input::Nothing,
            stdout: Sink::Keep,
            stderr: Sink::Keep,
            interrupt: None,
            cancel: None,
            resize: None,
        }
    }
}

/// What is left of a run.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub exit: Exit,
    /// Kept standard output.
    pub stdout: Vec<u8>,
    /// Kept standard error.
    pub stderr: Vec<u8>,
    /// `/work` as the program left it, with nobody in it any more. `None` where it never stood.
    pub work: Option<OwnedFd>,
}

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

/// A cell that runs, or is being built.
///
/// Dropping it kills everything inside and removes its cgroups.
#[derive(Debug)]
pub struct Cell {
    plan: Plan,
    started: Instant,
    hierarchies: Hierarchies,
    group: Group,
    // In the order of teardown: the processes, then who removes their cgroups.
    process: Process,
    _janitor: Janitor,
    control: OwnedFd,
    birth: Option<OwnedFd>,
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

/// The cell's first process, and with it the whole pid namespace.
#[derive(Debug)]
struct Process {
    child: Child,
    reaped: bool,
}

impl Process {
    fn kill(&self) {
        // Gone already is as good.
        let _ = rustix::process::pidfd_send_signal(&self.child.pidfd, Signal::KILL);
    }

    fn reap(&mut self) {
        if !self.reaped {
            self.reaped = true;
            let _ = rustix::process::waitpid(Some(self.child.pid), WaitOptions::empty());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            children::leave(self.child.pid);
        }
    }
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pid.fmt(f)
    }
}

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
    let late = plan
        .steps
        .iter()
        .find_map(|step| if let Step::DeadlineWall(limit) = step { Some(*limit + GRACE) } else { None });
    let janitor = Janitor::start(&cgroup::directories(&host.cgroups, quotas, &name), late)
        .map_err(system("start the janitor"))?;
    let group = Group::create(&host.cgroups, quotas, &name)?;

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
        .steps
        .iter()
        .find_map(|step| if let Step::Seccomp(policy) = step { Some(policy.compile()) } else { None })
        .unwrap_or_default();
    let namespaces = plan
        .steps
        .iter()
        .map(|step| if let Step::Namespace(namespace) = step { namespace.at_birth() } else { 0 })
        .fold(0, |all, one| all | one);
    let mut keep: Vec<RawFd> = [&gate, &theirs, &their_birth]
        .into_iter()
        .chain(stdio.iter().flatten())
        .chain(group.tasks())
        .map(AsRawFd::as_raw_fd)
        .collect();
    keep.sort_unstable();
    let prepared = Birth {
        keep,
        filter,
        args: Strings::new(plan.args.clone()),
        env: Strings::new(plan.env.clone()),
        tasks: group.tasks(),
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

fn unblock(fd: &OwnedFd) -> Result<(), Errno> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK)
}

/// Both ends are above the standard three: Rust's runtime opens those at the start where they are closed.
fn pipe() -> Result<(OwnedFd, OwnedFd), LaunchError> {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(system("make a pipe"))
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
    let ids = plan.steps.iter().find_map(|step| if let Step::Identity(ids) = step { Some(*ids) } else { None });
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

/// Why we killed a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Wall,
    Cpu,
    Memory,
    Output,
    Cancelled,
    /// A layer was not seen from outside where it should be.
    Unseen,
}

/// What became known while a cell ran.
#[derive(Debug, Default)]
struct Watch {
    killed: Option<Killed>,
    failed: Option<(u16, Errno)>,
    status: Option<i32>,
    work: Option<OwnedFd>,
    terminal: Option<OwnedFd>,
    guest: Option<OwnedFd>,
    /// The program was executed, and so every step taken.
    runs: bool,
    seen: Option<Seen>,
    unseen: Option<String>,
    disk_peak: u64,
    disk_full: bool,
    files_full: bool,
    interrupted: bool,
}

/// How long after the wall limit the janitor kills, should we not have.
const GRACE: Duration = Duration::from_secs(3);

/// How often limits that no event announces are looked at.
const TICK: Duration = Duration::from_millis(100);

impl Cell {
    /// The pid of the cell's first process, as the host sees it.
    pub fn pid(&self) -> i32 {
        self.process.child.pid.as_raw_pid()
    }

    /// Watches the cell to its end, moves its streams, and tears everything down.
    pub fn wait(mut self, streams: Streams<'_>) -> Ended {
        let mut watch = Watch::default();
        let bound = self.step(|step| if let Step::OutputBound(bytes) = step { Some(bytes.0) } else { None });
        let mut allowance = Allowance { left: bound, total: 0 };
        let mut out = Stream::new(self.stdout.take(), streams.stdout);
        let mut err = Stream::new(self.stderr.take(), streams.stderr);
        let mut feed = Feed::new(self.stdin.take(), streams.stdin);
        let mut controls = Controls { interrupt: streams.interrupt, cancel: streams.cancel, resize: streams.resize };
        let mut buffer = Vec::new();
        let wall = self.step(|step| if let Step::DeadlineWall(limit) = step { Some(*limit) } else { None });
        let cpu = self.step(|step| if let Step::DeadlineCpu(limit) = step { Some(*limit) } else { None });
        let mut look = Instant::now();

        // Until the reaper has said how the program ended, or is gone without a word.
        let mut alive = true;
        while alive && watch.status.is_none() {
            let now = Instant::now();
            if now >= look {
                look = now + self.look(&mut watch, cpu);
            }
            if wall.is_some_and(|wall| now >= self.started + wall) {
                self.kill(&mut watch, Killed::Wall);
            }
            if bound.is_some_and(|bound| allowance.total > bound) {
                self.kill(&mut watch, Killed::Output);
            }
            let until = wall.map_or(look, |wall| look.min(self.started + wall));
            let timeout = if watch.killed.is_some() { TICK } else { until.saturating_duration_since(now) };
            let ready = wait_for(
                timeout,
                [
                    Some((self.control.as_fd(), PollFlags::IN)),
                    self.birth.as_ref().map(|fd| (fd.as_fd(), PollFlags::IN)),
                    out.wants_to_read().map(|fd| (fd, PollFlags::IN)),
                    err.wants_to_read().map(|fd| (fd, PollFlags::IN)),
                    out.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
                    err.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
                    feed.wants_to_read().map(|fd| (fd, PollFlags::IN)),
                    feed.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
                    controls.interrupt.map(|fd| (fd, PollFlags::IN)),
                    controls.cancel.map(|fd| (fd, PollFlags::IN)),
                    controls.resize.map(|(fd, _)| (fd, PollFlags::IN)),
                ],
            );
            let [control, birth, out_in, err_in, out_out, err_out, feed_in, feed_out, interrupt, cancel, resize] =
                ready;
            if out_in {
                out.read(&mut buffer, &mut allowance);
            }
            if err_in {
                err.read(&mut buffer, &mut allowance);
            }
            if out_out {
                out.write();
            }
            if err_out {
                err.write();
            }
            if feed_in {
                feed.read();
            }
            if feed_out {
                feed.write();
            }
            if birth {
                self.hear_of_birth(&mut watch);
            }
            if control {
                alive = self.hear(&mut watch);
                if let Some(master) = watch.terminal.take() {
                    // The same descriptor both ways: what is typed in, what is shown out.
                    controls.fit(&master);
                    if unblock(&master).is_err() {
                        self.kill(&mut watch, Killed::Unseen);
                    }
                    let typed = master.try_clone();
                    feed.to = typed.ok();
                    feed.terminal = true;
                    out = Stream::new(
                        Some(master),
                        std::mem::replace(&mut out, Stream::new(None, Sink::Keep)).into_sink(),
                    );
                }
            }
            if interrupt {
                controls.drain_interrupt();
                if watch.interrupted || !self.interrupt(&watch) {
                    self.kill(&mut watch, Killed::Cancelled);
                }
                watch.interrupted = true;
            }
            if cancel {
                controls.cancel = None;
                self.kill(&mut watch, Killed::Cancelled);
            }
            if resize && let Some(terminal) = &feed.to {
                controls.drain_resize();
                controls.fit(terminal);
            }
        }
        // The program has ended; whoever it left behind is killed with the pid namespace. Where the kernel
        // says that there is nobody, the rest of the clearing up need not be waited for.
        if !self.group.is_quiet() {
            self.process.kill();
            self.process.reap();
        }
        // Whatever is still in the pipes was written before the end.
        finish(&mut out, &mut err, &mut buffer, &mut allowance);
        self.end(watch, out, err, allowance)
    }

    fn step<T>(&self, pick: impl Fn(&Step) -> Option<T>) -> Option<T> {
        self.plan.steps.iter().find_map(pick)
    }

    fn kill(&self, watch: &mut Watch, why: Killed) {
        if watch.killed.is_none() {
            watch.killed = Some(why);
            self.process.kill();
            self.group.kill();
        }
    }

    /// Looks at what no event announces. Returns when to look again.
    fn look(&self, watch: &mut Watch, cpu: Option<Duration>) -> Duration {
        self.look_at_disk(watch);
        if self.group.memory_kills() > 0 {
            self.kill(watch, Killed::Memory);
        }
        let Some(limit) = cpu else { return TICK };
        let used = self.cpu_time();
        if used >= limit {
            self.kill(watch, Killed::Cpu);
        }
        // Sooner, if all CPUs together could use up the rest.
        let cpus = self.plan.limits.cpus.0.div_ceil(1000).max(1);
        (limit.saturating_sub(used) / cpus).clamp(Duration::from_millis(1), TICK)
    }

    fn look_at_disk(&self, watch: &mut Watch) {
        let Some(Ok(stat)) = watch.work.as_ref().map(rustix::fs::fstatfs) else { return };
        let used = (stat.f_blocks.saturating_sub(stat.f_bfree)) * stat.f_bsize as u64;
        watch.disk_peak = watch.disk_peak.max(used);
        // Full but for less than a page of each write.
        watch.disk_full |= stat.f_blocks > 0 && stat.f_bfree == 0;
        watch.files_full |= stat.f_files > 0 && stat.f_ffree == 0;
    }

    fn cpu_time(&self) -> Duration {
        self.group.cpu_time().unwrap_or_else(|| tree_cpu_time(self.pid()))
    }

    /// The pipe that a successful exec closes.
    fn hear_of_birth(&mut self, watch: &mut Watch) {
        let mut bytes = [0u8; wire::SIZE];
        let count = self.birth.as_ref().map_or(Ok(0), |birth| rustix::io::read(birth, &mut bytes));
        match count {
            Err(Errno::INTR) => return,
            Ok(count) if count > 0 => match Frame::decode(&bytes[..count]) {
                Ok(Frame::Failed { step, errno }) => watch.failed = Some((step, errno)),
                _ => watch.failed = Some((act::HEAR, Errno::PROTO)),
            },
            _ if watch.failed.is_none() => {
                // It runs: time to see from outside what holds.
                let guest = guest_of(self.pid());
                watch.runs = true;
                watch.seen = guest.and_then(|pid| Seen::look(pid, &self.group));
                if let Some(seen) = &watch.seen
                    && let Some(layer) = self.plan.steps.iter().find(|step| matches!(seen.of(step), Some(Err(_))))
                {
                    watch.unseen = Some(format!("{layer}: /proc shows otherwise"));
                    self.kill(watch, Killed::Unseen);
                }
                watch.guest =
                    guest.and_then(|pid| rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok());
                // While the interpreter starts, on another CPU.
                cgroup::sweep(&self.hierarchies);
            }
            _ => {}
        }
        self.birth = None;
    }

    /// Hears what the cell says. Returns whether it lives.
    fn hear(&mut self, watch: &mut Watch) -> bool {
        use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
        let mut bytes = [0u8; wire::SIZE];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.control,
            &mut [io::IoSliceMut::new(&mut bytes)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
        );
        let count = match received {
            Err(Errno::INTR | Errno::AGAIN) => return true,
            Ok(message) if message.bytes > 0 => message.bytes,
            _ => return false,
        };
        let mut fds = ancillary
            .drain()
            .filter_map(|message| if let RecvAncillaryMessage::ScmRights(fds) = message { Some(fds) } else { None })
            .flatten();
        match Frame::decode(&bytes[..count]) {
            Ok(Frame::Built) if watch.work.is_none() => {
                watch.work = fds.next();
                watch.terminal = fds.next();
            }
            Ok(Frame::Ended { status }) if watch.status.is_none() => watch.status = Some(status),
            _ => watch.failed = Some((act::HEAR, Errno::PROTO)),
        }
        true
    }

    /// Sends the program SIGINT, if there is one.
    fn interrupt(&self, watch: &Watch) -> bool {
        watch.guest.as_ref().is_some_and(|guest| rustix::process::pidfd_send_signal(guest, Signal::INT).is_ok())
    }

    fn end(self, mut watch: Watch, out: Stream<'_>, err: Stream<'_>, allowance: Allowance) -> Ended {
        self.look_at_disk(&mut watch);
        let usage = Usage {
            wall: self.started.elapsed(),
            cpu: self.group.cpu_time().unwrap_or_default(),
            memory_peak: self.group.memory_peak(),
            pids_peak: self.group.pids_peak().map(|peak| peak.saturating_sub(1)),
            disk: Bytes(watch.disk_peak),
            output: Bytes(allowance.total),
        };
        let tail = if self.plan.terminal == Terminal::Own { out.tail() } else { err.tail() };
        let end = self.judge(&watch, &usage, tail);
        // Of a cell that never came to run the program, nothing is said to have held.
        let layers = if watch.runs && watch.unseen.is_none() { self.layers(&watch) } else { Vec::new() };
        Ended { exit: Exit { end, usage, layers }, stdout: out.kept, stderr: err.kept, work: watch.work }
    }

    /// Says how it ended, from what is known.
    fn judge(&self, watch: &Watch, usage: &Usage, tail: &[u8]) -> End {
        let limits = &self.plan.limits;
        let hit = |limit, used, allowed| End::LimitHit { limit, used, allowed };
        let memory = || {
            let used = usage.memory_peak.unwrap_or(limits.memory).max(limits.memory);
            hit(Limit::Memory, Amount::Bytes(used), Amount::Bytes(limits.memory))
        };
        let cpu = || hit(Limit::Cpu, Amount::Time(usage.cpu.max(limits.cpu)), Amount::Time(limits.cpu));
        if let Some((step, errno)) = watch.failed {
            return self.fault(step, errno);
        }
        match watch.killed {
            Some(Killed::Wall) => return hit(Limit::Wall, Amount::Time(usage.wall), Amount::Time(limits.wall)),
            Some(Killed::Cpu) => return cpu(),
            Some(Killed::Output) => {
                return hit(Limit::Output, Amount::Bytes(usage.output), Amount::Bytes(limits.output));
            }
            Some(Killed::Cancelled) => return End::Cancelled,
            Some(Killed::Memory) => return memory(),
            Some(Killed::Unseen) => {
                return End::Fault {
                    step: "see the layers of the cell from outside".into(),
                    why: watch.unseen.clone().unwrap_or_default(),
                    mend: Some("please report this; the program was killed at once".into()),
                };
            }
            None => {}
        }
        if self.group.memory_kills() > 0 {
            return memory();
        }
        if watch.status.is_none() && usage.wall >= limits.wall {
            // The janitor was faster than we were.
            return hit(Limit::Wall, Amount::Time(usage.wall), Amount::Time(limits.wall));
        }
        let Some(status) = watch.status.map(Ending::of) else {
            return End::Fault {
                step: "hear how the program ended".into(),
                why: "the cell's first process was killed from outside".into(),
                mend: None,
            };
        };
        match status {
            Ending::Exited(0) => End::Exited(0),
            Ending::Exited(code) => {
                failed_for_limit(watch, usage, limits, self.group.pids_refused(), tail).unwrap_or(End::Exited(code))
            }
            Ending::Signalled(libc::SIGXCPU | libc::SIGKILL) if usage.cpu >= limits.cpu => cpu(),
            Ending::Signalled(libc::SIGXFSZ) => {
                hit(Limit::Disk, Amount::Bytes(limits.disk), Amount::Bytes(limits.disk))
            }
            Ending::Signalled(libc::SIGSYS) if self.plan.steps.iter().any(|step| matches!(step, Step::Seccomp(_))) => {
                End::Refused(Denial {
                    act: "a system call by another architecture's interface".into(),
                    layer: Layer::Seccomp,
                    why: "its numbers mean other calls than the filter knows (i386 or x32)".into(),
                    remedy: "use native 64-bit code".into(),
                })
            }
            Ending::Signalled(signal) => End::Signalled(signal),
        }
    }

    fn fault(&self, step: u16, errno: Errno) -> End {
        let mend = match errno {
            Errno::PERM | Errno::NOSPC | Errno::INVAL | Errno::OPNOTSUPP => {
                Some("gambeson doctor says what this host lacks".into())
            }
            _ => None,
        };
        let step = match self.plan.steps.get(usize::from(step)) {
            Some(step) => format!("carry out the step {:?}", step.to_string()),
            None => act::name(step).into(),
        };
        End::Fault { step, why: io::Error::from(errno).to_string(), mend }
    }

    fn layers(&self, watch: &Watch) -> Vec<LayerReport> {
        let mut reports: Vec<LayerReport> = Vec::new();
        for step in &self.plan.steps {
            let Some(layer) = step.layer() else { continue };
            // The rules of Landlock are in the plan; here one line will do.
            let said = step.to_string();
            let mut detail = said.lines().next().unwrap_or_default().trim_end_matches("; refuse all but:").to_owned();
            match reports.iter_mut().find(|report| report.layer == layer) {
                Some(report) => {
                    report.detail.push_str(", ");
                    report.detail.push_str(&detail);
                }
                None => {
                    match (&watch.seen, watch.seen.as_ref().and_then(|seen| seen.of(step))) {
                        (_, Some(Ok(seen))) => detail.push_str(&format!(" (seen: {seen})")),
                        (None, _) => detail.push_str(" (its step succeeded; the program ended before we looked)"),
                        _ => {}
                    }
                    reports.push(LayerReport { layer, held: Held::Held, detail });
                }
            }
        }
        reports.extend(self.plan.missing.iter().map(|missing| LayerReport {
            layer: missing.layer,
            held: Held::Missing,
            detail: missing.why.clone(),
        }));
        reports.sort_by_key(|report| report.layer);
        reports
    }
}

/// A wait status, read.
enum Ending {
    Exited(u8),
    Signalled(i32),
}

impl Ending {
    fn of(raw: i32) -> Ending {
        // wait(2): a signal in the low seven bits, else the code in the byte above.
        match raw & 0x7f {
            0 => Ending::Exited((raw >> 8) as u8),
            signal => Ending::Signalled(signal),
        }
    }
}

/// A program that failed may have failed for a limit that answers with an error instead of killing.
fn failed_for_limit(watch: &Watch, usage: &Usage, limits: &Limits, pids_refused: u64, tail: &[u8]) -> Option<End> {
    // What the traceback says is the program's own word; it can mislead nobody but its author.
    let last = String::from_utf8_lossy(tail);
    let says =
        |errno: i32| last.trim_end().rsplit('\n').next().is_some_and(|line| line.contains(&format!("[Errno {errno}]")));
    let hit = |limit, used, allowed| Some(End::LimitHit { limit, used, allowed });
    if pids_refused > 0 {
        let used = usage.pids_peak.unwrap_or_default().max(u64::from(limits.pids));
        return hit(Limit::Pids, Amount::Count(used), Amount::Count(limits.pids.into()));
    }
    if watch.files_full {
        return hit(Limit::Files, Amount::Count(limits.files.into()), Amount::Count(limits.files.into()));
    }
    if watch.disk_full || says(libc::ENOSPC) || says(libc::EFBIG) {
        return hit(Limit::Disk, Amount::Bytes(usage.disk.max(limits.disk)), Amount::Bytes(limits.disk));
    }
    if says(libc::EMFILE) {
        let count = Amount::Count(limits.open_files.into());
        return hit(Limit::OpenFiles, count, count);
    }
    None
}

/// Waits for any of the descriptors, and says which are ready (or closed).
fn wait_for<const N: usize>(timeout: Duration, wanted: [Option<(BorrowedFd<'_>, PollFlags)>; N]) -> [bool; N] {
    let mut polled: Vec<PollFd<'_>> =
        wanted.iter().flatten().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
    if poll(&mut polled, Some(&timeout)).is_err() {
        return [false; N];
    }
    let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
    wanted.map(|one| one.is_some() && answers.next().unwrap_or(false))
}

/// Passes on what is left in the pipes. All writers are dead, so that this ends; a reader outside that
/// stopped reading is given a few seconds.
fn finish(out: &mut Stream<'_>, err: &mut Stream<'_>, buffer: &mut Vec<u8>, allowance: &mut Allowance) {
    let patience = Duration::from_secs(10);
    let mut deadline = Instant::now() + patience;
    let mut marked = false;
    loop {
        if !out.is_open() && !err.is_open() {
            let left = (out.mark_elision(), err.mark_elision());
            if marked || left == (false, false) {
                break;
            }
            marked = true;
        }
        let ready = wait_for(
            deadline.saturating_duration_since(Instant::now()),
            [
                out.wants_to_read().map(|fd| (fd, PollFlags::IN)),
                err.wants_to_read().map(|fd| (fd, PollFlags::IN)),
                out.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
                err.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
            ],
        );
        if ready == [false; 4] && Instant::now() >= deadline {
            out.close();
            err.close();
            break;
        }
        if ready != [false; 4] {
            deadline = Instant::now() + patience;
        }
        if ready[0] {
            out.read(buffer, allowance);
        }
        if ready[1] {
            err.read(buffer, allowance);
        }
        if ready[2] {
            out.write();
        }
        if ready[3] {
            err.write();
        }
    }
}

/// Standard input on its way in.
struct Feed<'a> {
    to: Option<OwnedFd>,
    from: Option<BorrowedFd<'a>>,
    pending: Vec<u8>,
    terminal: bool,
}

impl<'a> Feed<'a> {
    fn new(to: Option<OwnedFd>, input: Input<'a>) -> Feed<'a> {
        match input {
            // Nobody holds the writing end: the program finds the end at once.
            Input::Nothing => Feed { to: None, from: None, pending: Vec::new(), terminal: false },
            Input::Fd(from) => Feed { to, from: Some(from), pending: Vec::new(), terminal: false },
        }
    }

    fn wants_to_read(&self) -> Option<BorrowedFd<'a>> {
        if self.pending.is_empty() && self.to.is_some() { self.from } else { None }
    }

    fn wants_to_write(&self) -> Option<BorrowedFd<'_>> {
        if self.pending.is_empty() { None } else { self.to.as_ref().map(AsFd::as_fd) }
    }

    fn read(&mut self) {
        let Some(from) = self.from else { return };
        let mut buffer = [0u8; 4096];
        match rustix::io::read(from, &mut buffer) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => {
                self.from = None;
                if self.terminal {
                    // End of file, as a person would type it: ^D.
                    self.pending.push(4);
                } else {
                    self.to = None;
                }
            }
            Ok(count) => self.pending.extend_from_slice(&buffer[..count]),
        }
    }

    fn write(&mut self) {
        let Some(to) = &self.to else { return };
        match rustix::io::write(to, &self.pending) {
            Ok(written) => drop(self.pending.drain(..written)),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => {
                // The program closed its input.
                self.pending.clear();
                self.from = None;
                self.to = None;
            }
        }
    }
}

struct Controls<'a> {
    interrupt: Option<BorrowedFd<'a>>,
    cancel: Option<BorrowedFd<'a>>,
    resize: Option<(BorrowedFd<'a>, BorrowedFd<'a>)>,
}

impl Controls<'_> {
    fn drain_interrupt(&mut self) {
        drain(&mut self.interrupt);
    }

    fn drain_resize(&mut self) {
        if let Some((fd, window)) = self.resize {
            let mut fd = Some(fd);
            drain(&mut fd);
            self.resize = fd.map(|fd| (fd, window));
        }
    }

    /// Gives the cell's terminal the size of ours.
    fn fit(&self, terminal: &OwnedFd) {
        if let Some((_, window)) = self.resize
            && let Ok(size) = rustix::termios::tcgetwinsize(window)
        {
            let _ = rustix::termios::tcsetwinsize(terminal, size);
        }
    }
}

/// Reads away what made a descriptor ready; one that is at its end is of no more use.
fn drain(fd: &mut Option<BorrowedFd<'_>>) {
    let mut bytes = [0u8; 64];
    if let Some(from) = *fd
        && matches!(rustix::io::read(from, &mut bytes), Ok(0))
    {
        *fd = None;
    }
}

/// The program's process as the host sees it: the reaper's first child.
fn guest_of(reaper: i32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{reaper}/task/{reaper}/children")).ok()?;
    Pid::from_raw(children.split_whitespace().next()?.parse().ok()?)
}

/// CPU time of a process and all below it, for a host that counts none per cgroup (proc_pid_stat(5)): of
/// those that live, and of those that they waited for. A program can hide what its short-lived children used;
/// then RLIMIT_CPU of each is what remains.
fn tree_cpu_time(pid: i32) -> Duration {
    let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
    let mut ticks = 0;
    let mut pending = vec![pid];
    while let Some(pid) = pending.pop() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if let Some((_, fields)) = stat.rsplit_once(") ") {
            // utime, stime, and those of children that were waited for: fields 14 to 17.
            ticks += fields.split(' ').skip(11).take(4).filter_map(|word| word.parse::<u64>().ok()).sum::<u64>();
        }
        // Each thread has children of its own.
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            pending.extend(children.split_whitespace().filter_map(|word| word.parse::<i32>().ok()));
        }
    }
    Duration::from_millis(ticks * 1000 / ticks_per_second)
}

/// What the kernel shows of the program's process from outside (proc_pid_status(5), namespaces(7)).
#[derive(Debug)]
struct Seen {
    status: String,
    label: String,
    foreign: Vec<&'static str>,
    in_cgroups: bool,
}

impl Seen {
    /// `None` when the process is gone, or going: what is then read says nothing.
    fn look(pid: Pid, group: &Group) -> Option<Seen> {
        let pid = pid.as_raw_pid();
        let label = fs::read_to_string(format!("/proc/{pid}/attr/current")).unwrap_or_default();
        let mut foreign = Vec::new();
        for name in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
            // A kernel without the namespace has no such link for us either.
            let Ok(ours) = fs::read_link(format!("/proc/self/ns/{name}")) else { continue };
            if fs::read_link(format!("/proc/{pid}/ns/{name}")).ok()? != ours {
                foreign.push(name);
            }
        }
        let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let name = |path: &Path| path.file_name().map(|name| format!("/{}", name.to_string_lossy()));
        let in_cgroups =
            group.paths().all(|path| name(path).is_some_and(|name| cgroups.lines().any(|line| line.ends_with(&name))));
        // Last, since it tells whether the process was still there for the rest.
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let seen = Seen { status, label: label.trim_end_matches(['\0', '\n']).to_owned(), foreign, in_cgroups };
        seen.field("State").is_some_and(|state| !state.starts_with(['Z', 'X'])).then_some(seen)
    }

    fn field(&self, key: &str) -> Option<&str> {
        self.status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
    }

    /// What confirms or denies that `step` holds, where the kernel shows it.
    fn of(&self, step: &Step) -> Option<Result<String, ()>> {
        let seen = |holds: bool, said: String| Some(if holds { Ok(said) } else { Err(()) });
        match step {
            Step::Memory(_) | Step::Pids(_) | Step::Cpu(_) => seen(self.in_cgroups, "in /proc/PID/cgroup".into()),
            Step::Namespace(namespace) => {
                seen(self.foreign.contains(&namespace.link()), "another than ours in /proc/PID/ns".into())
            }
            Step::Identity(ids) => {
                let (uid, groups) = (self.field("Uid")?, self.field("Groups")?);
                let uid = uid.split('\t').next()?.parse::<u32>().ok()?;
                match ids {
                    Ids::Own => {
                        seen(uid >= FIRST_ID && groups.is_empty(), format!("uid {uid}, no group beside its own"))
                    }
                    Ids::Ours { uid: ours, .. } => seen(uid == *ours, format!("uid {uid}, groups {groups:?}")),
                }
            }
            Step::DropCapabilities => {
                let sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
                let none =
                    sets.iter().all(|set| self.field(set).is_some_and(|bits| bits.bytes().all(|byte| byte == b'0')));
                seen(none, "all sets empty".into())
            }
            Step::NoNewPrivileges => seen(self.field("NoNewPrivs") == Some("1"), "NoNewPrivs 1".into()),
            Step::Selinux(_) => seen(self.label.contains(crate::host::CELL_TYPE), self.label.clone()),
            Step::Seccomp(_) => seen(self.field("Seccomp") == Some("2"), "Seccomp 2".into()),
            _ => None,
        }
    }
}
