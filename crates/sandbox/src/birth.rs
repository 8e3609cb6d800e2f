//! What runs between clone and exec: the cell's first process builds the jail, step by step, and stays as
//! its reaper; the second one confines itself and becomes the program.
//!
//! Invariants:
//! 1. Nothing here allocates or locks: the supervisor may have threads, whose locks the copy would find
//!    taken for ever.
//! 2. A step that fails is reported by its place in the plan, and the process ends.
//! 3. The reaper holds no descriptor but its socket, and ends when the supervisor does.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::plan::Plan;
use crate::seccomp::Policy;
use crate::spec::{Network, Terminal};
use crate::step::{Ids, Namespace, Reach, Stage, Step};
use crate::sys::clone::Side;
use crate::sys::exec::Strings;
use crate::sys::landlock::Handled;
use crate::sys::mount::Attributes;
use crate::sys::seccomp::Instruction;
use crate::sys::{self};
use crate::wire::{self, Frame};

/// The cell's ends of what connects it with its supervisor.
pub(crate) struct Inner {
    /// The supervisor's word that the ids are mapped, with the ids to take.
    pub(crate) gate: OwnedFd,
    /// Frames to the supervisor; the reaper keeps it.
    pub(crate) control: OwnedFd,
    /// Frames to the supervisor; closed by a successful exec, or when a warm cell has its program.
    pub(crate) birth: OwnedFd,
    /// The program's standard descriptors, unless it has a terminal.
    pub(crate) stdio: Option<[OwnedFd; 3]>,
}

/// The `tasks` files of the version 1 cgroups to join.
pub(crate) enum Tasks {
    Named(Vec<CString>),
    /// Opened by the supervisor, whose permissions count (cgroups since Linux 5.16, CVE-2021-4197).
    Open(Vec<OwnedFd>),
}

/// Everything that the cell needs, made before it is born.
pub(crate) struct Birth<'a> {
    pub(crate) plan: &'a Plan,
    filter: Vec<Instruction>,
    /// What stands in for `filter` where nobody can be asked.
    silent: Vec<Instruction>,
    args: Strings,
    env: Strings,
    tasks: Tasks,
    pub(crate) inner: Inner,
    /// What of the supervisor's descriptors the cell needs, in ascending order; the others are closed first of
    /// all, since as long as a copy of the gate's or the janitor's other end lived in here, neither would
    /// learn of the supervisor's death.
    keep: Vec<RawFd>,
    /// What the program's process has beyond the standard three until it executes, in ascending order.
    keep_last: Vec<RawFd>,
    /// What of these an executed program is to have: a nursery's.
    handed: Vec<OwnedFd>,
    /// The pid of the cell's first process outside; known once the gate opens.
    pid: u32,
    /// Room for a detached mount of each step that makes one.
    mounts: Vec<Option<OwnedFd>>,
    /// On its way to the supervisor.
    listener: Option<OwnedFd>,
}

/// The ids to take: what the supervisor sends through the gate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The cell's own pid, as the host sees it.
    pub(crate) pid: u32,
}

impl Opening {
    pub(crate) fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        for (place, value) in bytes.chunks_exact_mut(4).zip([self.uid, self.gid, self.pid]) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    fn read(gate: BorrowedFd<'_>) -> Result<Opening, Errno> {
        let mut words = [[0u8; 4]; 3];
        // Fewer bytes mean that the supervisor is gone.
        if rustix::io::read(gate, words.as_flattened_mut())? != 12 {
            return Err(Errno::PIPE);
        }
        let [uid, gid, pid] = words.map(u32::from_le_bytes);
        Ok(Opening { uid, gid, pid })
    }
}

/// What can fail beside the steps of the plan; the numbers are above any step's.
pub(crate) mod act {
    pub(crate) const JOIN: u16 = u16::MAX;
    pub(crate) const GATE: u16 = u16::MAX - 1;
    pub(crate) const FORK: u16 = u16::MAX - 2;
    pub(crate) const EXEC: u16 = u16::MAX - 3;
    /// To look like what was executed.
    pub(crate) const DRESS: u16 = u16::MAX - 5;
    pub(crate) const HAND_OVER: u16 = u16::MAX - 6;
    pub(crate) const STAGE: u16 = u16::MAX - 7;
    /// The supervisor did not understand what came.
    pub(crate) const HEAR: u16 = u16::MAX - 4;

    /// In words.
    pub(crate) fn name(act: u16) -> &'static str {
        match act {
            JOIN => "close what the cell does not need and join its cgroups",
            GATE => "wait for the ids of the cell",
            FORK => "fork the program's process",
            EXEC => "execute the interpreter",
            DRESS => "take on the arguments and the environment of the program",
            HAND_OVER => "hand the program to the cell",
            STAGE => "write the program and its input to /work",
            _ => "understand what the cell said",
        }
    }
}

const SCRATCH: Attributes = Attributes { read_only: false, no_devices: true, no_exec: false };

/// The whole life of the cell's first process.
pub(crate) fn first_process(mut birth: Birth<'_>) -> ! {
    birth.build();
    match sys::clone::clone3(0, None) {
        Err(errno) => birth.fail(act::FORK, errno),
        Ok(Side::Child) => {
            let (step, errno) = birth.become_program();
            birth.fail(step, errno);
        }
        Ok(Side::Parent(child)) => reap(birth, child.pid),
    }
}

/// Waits for every process of the cell, tells how the program ended, and ends with it: the kernel then
/// kills what is left of the pid namespace.
pub(crate) fn reap(birth: Birth<'_>, program: rustix::process::Pid) -> ! {
    let control = birth.inner.control.as_raw_fd();
    if sys::fd::close_from(0, &[control]).is_err() {
        sys::exec::exit(1);
    }
    loop {
        match rustix::process::wait(rustix::process::WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => {
                let frame = Frame::Ended { status: status.as_raw(), keeper: is_keeper() };
                let _ = rustix::net::send(&birth.inner.control, &frame.encode(), rustix::net::SendFlags::NOSIGNAL);
                sys::exec::exit(0);
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => sys::exec::exit(1),
        }
    }
}

/// The niceness of the process that a warm program leaves its memory to, which tells it from others.
pub const KEEPER_NICE: i32 = libc::PRIO_MAX - 1;

/// Whether the first process after the program's is such a one, and there was no other in the cell's whole life. A program that has
/// another look like it makes the cell say that it had one process less.
fn is_keeper() -> bool {
    use rustix::process::{Pid, getpriority_process};
    // The reaper is 1 and the program 2. Where all are as nice, nobody can be told by it.
    getpriority_process(Pid::from_raw(3)) == Ok(KEEPER_NICE) && getpriority_process(None) != Ok(KEEPER_NICE)
}

/// The whole life of a nursery's process up to its exec: no reaper, since its children are siblings.
pub(crate) fn only_process(mut birth: Birth<'_>) -> ! {
    birth.build();
    let (step, errno) = birth.become_program();
    birth.fail(step, errno);
}

type Failed = (u16, Errno);

impl<'a> Birth<'a> {
    pub(crate) fn new(plan: &'a Plan, inner: Inner, tasks: Tasks, handed: Vec<OwnedFd>) -> Birth<'a> {
        let policy = plan.find(|step| if let Step::Seccomp(policy) = step { Some(policy) } else { None });
        let mut filter = policy.map(Policy::compile).unwrap_or_default();
        let silent = crate::seccomp::silent(&filter);
        if policy.is_some_and(Policy::traces) {
            filter = crate::seccomp::asking_always(&filter, inner.birth.as_raw_fd().unsigned_abs());
        }
        let mut keep_last: Vec<RawFd> = handed.iter().chain([&inner.birth]).map(AsRawFd::as_raw_fd).collect();
        let stdio = inner.stdio.iter().flatten();
        let open = if let Tasks::Open(open) = &tasks { open.as_slice() } else { &[] };
        let first = [&inner.gate, &inner.control].into_iter().chain(stdio).chain(open).map(AsRawFd::as_raw_fd);
        let files = plan.open_files().map(|file| file.0.as_raw_fd());
        let mut keep: Vec<RawFd> = first.chain(keep_last.iter().copied()).chain(files).collect();
        keep.sort_unstable();
        keep.dedup();
        keep_last.sort_unstable();
        Birth {
            plan,
            filter,
            silent,
            args: Strings::new(plan.args.clone()),
            env: Strings::new(plan.env.clone()),
            tasks,
            inner,
            keep,
            keep_last,
            handed,
            pid: 0,
            mounts: plan.steps.iter().map(|_| None).collect(),
            listener: None,
        }
    }

    pub(crate) fn fail(&self, step: u16, errno: Errno) -> ! {
        let _ = rustix::io::write(&self.inner.birth, &Frame::Failed { step, errno }.encode());
        sys::exec::exit(1);
    }

    /// Takes the steps of the cell's first process; what cannot be taken ends it.
    pub(crate) fn build(&mut self) {
        if let Err((step, errno)) = self.take_first_steps() {
            self.fail(step, errno);
        }
    }

    fn take_first_steps(&mut self) -> Result<(), Failed> {
        if self.plan.steps.contains(&Step::Descriptors) {
            sys::fd::close_from(3, &self.keep).map_err(|errno| (act::JOIN, errno))?;
        }
        let plan = self.plan;
        let mut opening = None;
        for (number, step) in plan.steps.iter().enumerate() {
            if step.by() != crate::step::By::Reaper {
                continue;
            }
            // The first steps need neither ids nor cgroups, and the supervisor makes those meanwhile.
            let early = matches!(
                step,
                Step::HostName(_) | Step::LoopbackUp | Step::Listen { .. } | Step::Show { .. } | Step::Proc { .. }
            );
            if !early && opening.is_none() {
                opening = Some(self.pass_gate()?);
            }
            self.build_step(number, step, opening).map_err(|errno| (number as u16, errno))?;
        }
        Ok(())
    }

    /// Waits until the ids are mapped and the cgroups limited, and joins those of version 1.
    fn pass_gate(&mut self) -> Result<Opening, Failed> {
        let opening = Opening::read(self.inner.gate.as_fd()).map_err(|errno| (act::GATE, errno))?;
        self.pid = opening.pid;
        let join = |file: BorrowedFd<'_>| rustix::io::write(file, b"0").map(drop);
        let open = |tasks: &CString| rustix::fs::open(tasks, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
        match &self.tasks {
            Tasks::Named(names) => names.iter().try_for_each(|name| join(open(name)?.as_fd())),
            Tasks::Open(files) => files.iter().try_for_each(|file| join(file.as_fd())),
        }
        .map_err(|errno| (act::JOIN, errno))?;
        sys::identity::reset_attributes().map_err(|errno| (act::JOIN, errno))?;
        Ok(opening)
    }

    fn build_step(&mut self, number: usize, step: &Step, opening: Option<Opening>) -> Result<(), Errno> {
        match step {
            Step::Namespace(Namespace::Cgroup) => sys::clone::unshare(libc::CLONE_NEWCGROUP),
            Step::Namespace(Namespace::Time) => new_clocks(),
            Step::HostName(name) => Ok(rustix::system::sethostname(name.to_bytes())?),
            Step::LoopbackUp => sys::net::loopback_up(),
            Step::Listen { at } => {
                self.listener = Some(sys::net::listen(*at)?);
                Ok(())
            }
            Step::Show { path, read_only, .. } => {
                // A device is a device only on a mount that allows it; everything else is none.
                let device = !*read_only && path.to_bytes().starts_with(b"/dev/");
                let attributes = Attributes { read_only: *read_only, no_devices: !device, no_exec: device };
                self.mounts[number] = Some(sys::mount::clone_tree(path, attributes)?);
                Ok(())
            }
            Step::Proc { masked } => {
                let attributes = Attributes { read_only: false, no_devices: true, no_exec: true };
                let options: &[_] = if *masked { &[(c"subset", c"pid"), (c"hidepid", c"ptraceable")] } else { &[] };
                self.mounts[number] = Some(sys::mount::new_filesystem(c"proc", options, attributes)?);
                Ok(())
            }
            // After the ids are taken: their owner is who makes them.
            Step::Scratch { .. } | Step::Pts => Ok(()),
            Step::Enter => self.enter(opening.ok_or(Errno::INVAL)?),
            Step::Link { path, target } => {
                match below(path, || rustix::fs::symlink(target, path)) {
                    // A link below a directory that is shown is there already.
                    Err(Errno::EXIST) => Ok(()),
                    other => other,
                }
            }
            Step::File { path, contents } => write_file(path, 0o444, contents),
            Step::RootReadOnly => {
                sys::mount::restrict(c"/", Attributes { read_only: true, no_devices: true, no_exec: false })
            }
            Step::Stage(files) => files.iter().try_for_each(stage),
            Step::DropCapabilities => sys::identity::drop_capabilities(),
            Step::NoNewPrivileges => Ok(rustix::thread::set_no_new_privs(true)?),
            Step::NotDumpable => {
                use rustix::process::DumpableBehavior;
                Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
            }
            // The supervisor's and the program's own.
            Step::Memory(_)
            | Step::Pids(_)
            | Step::Cpu(_)
            | Step::Namespace(_)
            | Step::Identity(_)
            | Step::Session
            | Step::Descriptors
            | Step::Rlimit(_)
            | Step::Landlock { .. }
            | Step::Selinux(_)
            | Step::Seccomp(_)
            | Step::DeadlineWall(_)
            | Step::DeadlineCpu(_)
            | Step::OutputBound(_) => Ok(()),
        }
    }

    /// Leaves the host's tree.
    fn enter(&mut self, ids: Opening) -> Result<(), Errno> {
        sys::mount::make_private()?;
        // The ids are taken only now: cloning the host's tree wanted those of who may look into it, and
        // from here on everything is made by its owner.
        sys::identity::keep_capabilities()?;
        // Without root, setgroups(2) is denied, and the groups are the user's own.
        if self.plan.steps.contains(&Step::Identity(Ids::Own)) {
            sys::identity::drop_groups()?;
        }
        sys::identity::become_user(ids.uid, ids.gid)?;
        // A change of ids clears the parent-death signal (prctl(2)), so that it is asked for here.
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        self.supervisor_lives()?;
        rustix::process::umask(Mode::WGRP | Mode::WOTH);

        let labels = self.labels();
        let label = Label::new(labels.map(|labels| labels.root.as_c_str()), ids.pid)?;
        let root_options = [(c"size", c"1M"), (c"nr_inodes", c"1024"), (c"mode", c"0755"), label.option()?];
        let root = sys::mount::new_filesystem(c"tmpfs", &root_options, SCRATCH)?;
        sys::mount::enter(root.as_fd())?;
        drop(root);
        mkdir(c"/dev")?;
        let label = Label::new(labels.map(|labels| labels.scratch.as_c_str()), ids.pid)?;
        let plan = self.plan;
        let mut work = None;
        // The scratch space first, so that what is shown below /work or /tmp is not hidden by it.
        for step in &plan.steps {
            if let Step::Scratch { bytes, files } = step {
                work = Some(scratch(*bytes, *files, &label)?);
            }
        }
        let mut master = None;
        for (number, step) in plan.steps.iter().enumerate() {
            match step {
                Step::Show { path, directory, .. } => {
                    if *directory {
                        mkdir(path)?;
                    } else {
                        write_file(path, 0o444, b"")?;
                    }
                    attach(&mut self.mounts[number], path)?;
                }
                Step::Proc { .. } => attach(&mut self.mounts[number], c"/proc")?,
                Step::Pts => master = Some(new_terminal(&label)?),
                _ => {}
            }
        }
        let work = work.ok_or(Errno::NOENT)?;
        // Ours ends here: neither the reaper nor the program ever has the listener.
        let listener = self.listener.take();
        self.send_built(work.as_fd(), [master.as_ref(), listener.as_ref()])?;
        rustix::process::chdir(c"/work")
    }

    fn labels(&self) -> Option<&'a crate::step::Labels> {
        let plan = self.plan;
        plan.find(|step| if let Step::Selinux(labels) = step { Some(labels) } else { None })
    }

    fn supervisor_lives(&self) -> Result<(), Errno> {
        use rustix::net::RecvFlags;
        let mut byte = [0u8; 1];
        match rustix::net::recv(&self.inner.control, &mut byte, RecvFlags::DONTWAIT | RecvFlags::PEEK) {
            Err(Errno::AGAIN) => Ok(()),
            _ => Err(Errno::PIPE),
        }
    }

    /// The plan says which of the others come along.
    fn send_built(&self, work: BorrowedFd<'_>, others: [Option<&OwnedFd>; 2]) -> Result<(), Errno> {
        let mut list = [work; 3];
        let mut count = 1;
        for other in others.into_iter().flatten() {
            list[count] = other.as_fd();
            count += 1;
        }
        wire::send(self.inner.control.as_fd(), Frame::Built, &list[..count])
    }

    /// Confines this process and executes the program. Returns only why it could not.
    fn become_program(&self) -> Failed {
        if let Err(failed) = self.confine() {
            return failed;
        }
        for fd in &self.handed {
            if let Err(errno) = rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty()) {
                return (act::EXEC, errno);
            }
        }
        (act::EXEC, sys::exec::exec(&self.plan.program, &self.args, &self.env))
    }

    /// Takes the steps of the program's process.
    pub(crate) fn confine(&self) -> Result<(), Failed> {
        for (number, step) in self.plan.steps.iter().enumerate() {
            let done = match step {
                Step::Session => self.session(),
                Step::Descriptors => self.descriptors(),
                Step::Rlimit(limit) => set_rlimit(limit),
                Step::Landlock { abi, network, rules } => landlock(*abi, *network, rules),
                Step::Selinux(labels) => enter_domain(&labels.program, self.pid),
                Step::Seccomp(policy) if policy.explains() => self.filter(policy.traces()),
                Step::Seccomp(_) => sys::seccomp::install(&self.silent),
                _ => Ok(()),
            };
            done.map_err(|errno| (number as u16, errno))?;
        }
        Ok(())
    }

    fn session(&self) -> Result<(), Errno> {
        rustix::process::setsid()?;
        sys::signal::reset()?;
        if self.plan.terminal == Terminal::Own {
            let slave = rustix::fs::open(c"/dev/pts/0", OFlags::RDWR, Mode::empty())?;
            rustix::process::ioctl_tiocsctty(&slave)?;
            for number in 0..3 {
                sys::fd::place(slave.as_fd(), number)?;
            }
        } else if let Some(stdio) = &self.inner.stdio {
            // None of the three is itself 0, 1 or 2: the supervisor made sure.
            for (number, fd) in stdio.iter().enumerate() {
                sys::fd::place(fd.as_fd(), number as i32)?;
            }
        }
        Ok(())
    }

    /// Takes on a filter that asks, and hands over what its questions are answered by. Until the supervisor has it, it
    /// is in the socket, and whoever asks waits; it is nowhere else, so that with the supervisor the answers end.
    fn filter(&self, traces: bool) -> Result<(), Errno> {
        let listener = match sys::seccomp::install_listening(&self.filter) {
            // We are in a container that is asked about already, and a second listener there is none.
            Err(Errno::BUSY | Errno::INVAL) if !traces => return sys::seccomp::install(&self.silent),
            other => other?,
        };
        wire::send(self.inner.birth.as_fd(), Frame::Asking, &[listener.as_fd()])
    }

    fn descriptors(&self) -> Result<(), Errno> {
        // What is left for a failure of a later step closes itself at exec.
        sys::fd::close_from(3, &self.keep_last)
    }
}

/// Asks for the program's domain at the coming exec (selinux(8), /proc/thread-self/attr).
fn enter_domain(program: &CStr, pid: u32) -> Result<(), Errno> {
    let label = Label::new(Some(program), pid)?;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::open(c"/proc/thread-self/attr/exec", flags, Mode::empty())?;
    rustix::io::write(&file, label.0.bytes()).map(drop)
}

/// An SELinux context with a cell's categories, or nothing where there is no such layer.
struct Label(Line);

impl Label {
    fn new(context: Option<&CStr>, pid: u32) -> Result<Label, Errno> {
        let mut line = Line::default();
        if let Some(context) = context {
            let (low, high) = crate::step::categories(pid);
            line.text(context.to_bytes())?;
            line.text(b":c")?;
            line.number(low.into())?;
            line.text(b",c")?;
            line.number(high.into())?;
        }
        Ok(Label(line))
    }

    /// As a mount option; without a value it is left out.
    fn option(&self) -> Result<(&CStr, &CStr), Errno> {
        Ok((c"context", self.0.c_str()?))
    }
}

fn attach(mount: &mut Option<OwnedFd>, target: &CStr) -> Result<(), Errno> {
    let mount = mount.take().ok_or(Errno::BADF)?;
    sys::mount::attach(mount.as_fd(), target)
}

/// Clocks that start near zero, so that they do not tell how long the host is up (time_namespaces(7)).
fn new_clocks() -> Result<(), Errno> {
    use rustix::time::{ClockId, clock_gettime};
    sys::clone::unshare(libc::CLONE_NEWTIME)?;
    let file = rustix::fs::open(c"/proc/self/timens_offsets", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    for (name, clock) in [("monotonic", ClockId::Monotonic), ("boottime", ClockId::Boottime)] {
        let mut line = Line::default();
        line.text(name.as_bytes())?;
        // One second is left, since no clock may show a time before its zero.
        line.text(b" -")?;
        line.number(clock_gettime(clock).tv_sec.unsigned_abs().saturating_sub(1))?;
        line.text(b" 0\n")?;
        rustix::io::write(&file, line.bytes())?;
    }
    Ok(())
}

/// A short text built without allocating.
struct Line {
    bytes: [u8; 160],
    used: usize,
}

impl Default for Line {
    fn default() -> Line {
        Line { bytes: [0; 160], used: 0 }
    }
}

impl Line {
    fn text(&mut self, text: &[u8]) -> Result<(), Errno> {
        let room = self.bytes.get_mut(self.used..self.used + text.len()).ok_or(Errno::NAMETOOLONG)?;
        room.copy_from_slice(text);
        self.used += text.len();
        Ok(())
    }

    fn number(&mut self, mut number: u64) -> Result<(), Errno> {
        let mut digits = [0u8; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.text(&digits[first..])
    }

    /// Ends in a NUL, for use as a C string.
    fn c_str(&self) -> Result<&CStr, Errno> {
        CStr::from_bytes_until_nul(&self.bytes).map_err(|_| Errno::NAMETOOLONG)
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

/// One tmpfs, seen at /work, /tmp and /dev/shm, so that one size bounds them together. Returns /work.
fn scratch(bytes: Option<crate::limits::Bytes>, files: Option<u32>, label: &Label) -> Result<OwnedFd, Errno> {
    let mut size = Line::default();
    let mut inodes = Line::default();
    if let Some(bytes) = bytes {
        size.number(bytes.0)?;
    }
    if let Some(files) = files {
        // The four directories that are ours.
        inodes.number(u64::from(files) + 4)?;
    }
    let (size, inodes) = (size.c_str()?, inodes.c_str()?);
    let options = [(c"mode", c"0755"), (c"size", size), (c"nr_inodes", inodes), label.option()?];
    let whole = sys::mount::new_filesystem(c"tmpfs", &options, SCRATCH)?;
    // It has to be attached for its parts to be cloned. /proc will cover it: taking it off again would wait
    // for a grace period of RCU (fs/namespace.c, namespace_unlock).
    mkdir(c"/proc")?;
    sys::mount::attach(whole.as_fd(), c"/proc")?;
    for (below, name, at, mode) in [
        (c"/proc/work", c"work", c"/work", 0o755),
        (c"/proc/tmp", c"tmp", c"/tmp", 0o1777),
        (c"/proc/shm", c"shm", c"/dev/shm", 0o1777),
    ] {
        mkdir(below)?;
        rustix::fs::chmod(below, Mode::from_raw_mode(mode))?;
        mkdir(at)?;
        let part = sys::mount::clone_below(whole.as_fd(), name)?;
        sys::mount::attach(part.as_fd(), at)?;
    }
    rustix::fs::open(c"/work", OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// A terminal on a devpts of the cell's own; returns the master's side.
fn new_terminal(label: &Label) -> Result<OwnedFd, Errno> {
    let attributes = Attributes { read_only: false, no_devices: false, no_exec: true };
    let options = [(c"mode", c"0600"), (c"ptmxmode", c"0600"), (c"max", c"8"), label.option()?];
    let pts = sys::mount::new_filesystem(c"devpts", &options, attributes)?;
    mkdir(c"/dev/pts")?;
    sys::mount::attach(pts.as_fd(), c"/dev/pts")?;
    let master = rustix::fs::open(c"/dev/pts/ptmx", OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?;
    rustix::pty::unlockpt(&master)?;
    Ok(master)
}

pub(crate) fn stage(file: &Stage) -> Result<(), Errno> {
    match file {
        Stage::Directory(path) => mkdir(path),
        Stage::File { path, mode, contents } => write_file(path, *mode, contents),
        Stage::Part { path, mode, from, offset, size } => copy_file(path, *mode, from.0.as_fd(), *offset, *size),
        Stage::Link { path, target } => below(path, || rustix::fs::symlink(target, path)),
    }
}

fn write_file(path: &CStr, mode: u32, mut contents: &[u8]) -> Result<(), Errno> {
    let file = create(path, mode)?;
    while !contents.is_empty() {
        let written = rustix::io::write(&file, contents)?;
        contents = &contents[written..];
    }
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))
}

/// Copies `size` bytes. What is written belongs to the cell's tmpfs, and is counted where the cell's memory is.
fn copy_file(path: &CStr, mode: u32, from: BorrowedFd<'_>, mut offset: u64, mut size: u64) -> Result<(), Errno> {
    let file = create(path, mode)?;
    let mut buffer = [0u8; 32 << 10];
    while size > 0 {
        let most = buffer.len().min(usize::try_from(size).unwrap_or(usize::MAX));
        let read = rustix::io::pread(from, &mut buffer[..most], offset)?;
        if read == 0 {
            return Err(Errno::NODATA);
        }
        let mut piece = &buffer[..read];
        while !piece.is_empty() {
            let written = rustix::io::write(&file, piece)?;
            piece = &piece[written..];
        }
        offset += read as u64;
        size -= read as u64;
    }
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))
}

/// Writable for its owner, until it has its contents.
fn create(path: &CStr, mode: u32) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    below(path, || rustix::fs::open(path, flags, Mode::from_raw_mode(mode | 0o200)))
}

/// Does what wants the directories above `path` to be there, and makes them where they are not.
fn below<T>(path: &CStr, act: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    match act() {
        Err(Errno::NOENT) => {
            make_parents(path)?;
            act()
        }
        other => other,
    }
}

/// Makes the directory and those above it.
fn mkdir(path: &CStr) -> Result<(), Errno> {
    match below(path, || rustix::fs::mkdir(path, Mode::from_raw_mode(0o755))) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        // A place below one that is shown read-only is there already.
        Err(Errno::ROFS) if rustix::fs::accessat(CWD, path, rustix::fs::Access::EXISTS, AtFlags::empty()).is_ok() => {
            Ok(())
        }
        Err(errno) => Err(errno),
    }
}

fn make_parents(path: &CStr) -> Result<(), Errno> {
    let bytes = path.to_bytes();
    let mut copy = [0u8; libc::PATH_MAX as usize];
    if bytes.len() >= copy.len() {
        return Err(Errno::NAMETOOLONG);
    }
    copy[..bytes.len()].copy_from_slice(bytes);
    for end in (1..bytes.len()).filter(|at| bytes[*at] == b'/') {
        copy[end] = 0;
        let parent = CStr::from_bytes_until_nul(&copy).map_err(|_| Errno::INVAL)?;
        match rustix::fs::mkdir(parent, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST | Errno::ROFS) => {}
            Err(errno) => return Err(errno),
        }
        copy[end] = b'/';
    }
    Ok(())
}

fn set_rlimit(limit: &crate::step::Rlimit) -> Result<(), Errno> {
    use rustix::process::{Rlimit, getrlimit, setrlimit};
    // Without root a hard limit cannot be raised: the lower of the two holds.
    let ceiling = getrlimit(limit.resource).maximum;
    let least = |wanted: Option<u64>| match (wanted, ceiling) {
        (Some(wanted), Some(ceiling)) => Some(wanted.min(ceiling)),
        (wanted, ceiling) => wanted.or(ceiling),
    };
    setrlimit(limit.resource, Rlimit { current: least(limit.soft), maximum: least(limit.hard) })
}

fn landlock(abi: u32, network: Network, rules: &[(CString, Reach)]) -> Result<(), Errno> {
    use sys::landlock::access::OF_FILES;
    let mut handled = Handled::all(abi);
    if network != Network::None {
        // Rules name ports, not addresses: what bounds a loopback network is its namespace.
        handled.net = 0;
    }
    let ruleset = sys::landlock::create(handled, abi)?;
    for (path, reach) in rules {
        let place = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode);
        let mut access = reach.access() & handled.fs;
        if !kind.is_dir() {
            access &= OF_FILES;
        }
        sys::landlock::allow(ruleset.as_fd(), place.as_fd(), access)?;
    }
    sys::landlock::restrict(ruleset.as_fd())?;
    // It holds, as tried: the reaper is outside of our domain, so that even asking whether it could be
    // signalled is refused.
    if handled.scoped != 0 && rustix::process::test_kill_process(rustix::process::Pid::INIT) != Err(Errno::PERM) {
        return Err(Errno::NOTRECOVERABLE);
    }
    Ok(())
}
