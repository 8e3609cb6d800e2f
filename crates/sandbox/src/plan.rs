//! The ordered steps that build a cell. Deciding happens here and nowhere else: [`plan`] is a pure
//! function, and what it returns can be printed and read by a person.
//!
//! Invariants:
//! 1. A layer that the host lacks is in no plan silently: [`plan`] refuses unless its absence was accepted
//!    by name (or it is an extra, as SELinux is).
//! 2. Steps are carried out in the order of the plan, each of them or none: a step that fails ends the
//!    attempt.

use std::ffi::{CString, OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::environment::Environment;
use crate::host::{Authority, Host, Layer, Missing, Selinux};
use crate::limits::{Bytes, Limit, Limits, MilliCpus};
use crate::seccomp::Policy;
use crate::spec::{Network, Spec, Staged, Terminal};
use crate::sys::landlock::access;

/// The user and group id that a program sees as its own.
pub(crate) const GUEST_ID: u32 = 1000;

/// Outside, a cell's user id is this plus the pid of its first process, which no other living cell has.
/// Far above what people and containers are given, below what the kernel reserves (`(uid_t) -1`).
pub(crate) const FIRST_ID: u32 = 0x6000_0000;

/// A namespace (namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Namespace {
    User,
    Mount,
    Pid,
    Net,
    Ipc,
    Uts,
    Cgroup,
    Time,
}

impl Namespace {
    const ALL: [Namespace; 8] = [
        Namespace::User,
        Namespace::Mount,
        Namespace::Pid,
        Namespace::Net,
        Namespace::Ipc,
        Namespace::Uts,
        Namespace::Cgroup,
        Namespace::Time,
    ];

    const fn layer(self) -> Layer {
        match self {
            Namespace::User => Layer::NamespaceUser,
            Namespace::Mount => Layer::NamespaceMount,
            Namespace::Pid => Layer::NamespacePid,
            Namespace::Net => Layer::NamespaceNet,
            Namespace::Ipc => Layer::NamespaceIpc,
            Namespace::Uts => Layer::NamespaceUts,
            Namespace::Cgroup => Layer::NamespaceCgroup,
            Namespace::Time => Layer::NamespaceTime,
        }
    }

    /// Its flag for clone3(2), for those that a cell is born in.
    pub(crate) const fn at_birth(self) -> u64 {
        (match self {
            Namespace::User => libc::CLONE_NEWUSER,
            Namespace::Mount => libc::CLONE_NEWNS,
            Namespace::Pid => libc::CLONE_NEWPID,
            Namespace::Net => libc::CLONE_NEWNET,
            Namespace::Ipc => libc::CLONE_NEWIPC,
            Namespace::Uts => libc::CLONE_NEWUTS,
            // The cgroup one has the cell's own cgroups as its root only once they are joined; the clocks
            // of a time namespace can be set only before a process enters it.
            Namespace::Cgroup | Namespace::Time => 0,
        }) as u64
    }

    /// Its entry in `/proc/PID/ns`.
    pub(crate) const fn link(self) -> &'static str {
        match self {
            Namespace::User => "user",
            Namespace::Mount => "mnt",
            Namespace::Pid => "pid",
            Namespace::Net => "net",
            Namespace::Ipc => "ipc",
            Namespace::Uts => "uts",
            Namespace::Cgroup => "cgroup",
            Namespace::Time => "time",
        }
    }
}

/// Whose ids a cell's user id stands for outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// An id that nobody else has: [`FIRST_ID`] plus the pid.
    Own,
    /// The user's who runs us: without root there is no other to give.
    Ours {
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
    },
}

/// What a Landlock rule allows at a place and below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To list directories.
    List,
    /// To read files and list directories.
    Read,
    /// To read, list and execute.
    Execute,
    /// A device node: to read and write it.
    Device,
    /// A terminal: a device that also answers ioctls.
    Terminal,
    /// Everything but to make device nodes.
    Scratch,
}

impl Reach {
    pub(crate) const fn access(self) -> u64 {
        match self {
            Reach::List => access::READ_DIR,
            Reach::Read => access::READ_DIR | access::READ_FILE,
            Reach::Execute => access::READ_DIR | access::READ_FILE | access::EXECUTE,
            Reach::Device => access::READ_FILE | access::WRITE_FILE | access::TRUNCATE,
            Reach::Terminal => access::READ_FILE | access::WRITE_FILE | access::TRUNCATE | access::IOCTL_DEV,
            Reach::Scratch => !(access::MAKE_CHAR | access::MAKE_BLOCK),
        }
    }
}

/// The SELinux contexts of a cell up to the categories, which come from its pid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Of the program.
    pub(crate) program: CString,
    /// Of the root, which it only reads.
    pub(crate) root: CString,
    /// Of what it writes.
    pub(crate) scratch: CString,
}

impl Labels {
    fn new(selinux: &Selinux) -> Result<Labels, Refusal> {
        let Selinux { user, role } = selinux;
        Ok(Labels {
            program: string(format!("{user}:{role}:{}:s0", crate::host::CELL_TYPE))?,
            root: string(format!("{user}:object_r:gambeson_cell_root_t:s0"))?,
            scratch: string(format!("{user}:object_r:gambeson_cell_file_t:s0"))?,
        })
    }
}

/// The two categories of the cell whose first process has this pid: a pair for each of 523,264 pids in a
/// row, so that two living cells share one only if their pids lie a multiple of that apart.
pub(crate) fn categories(pid: u32) -> (u32, u32) {
    let first = pid % 1024;
    let second = (first + 1 + pid / 1024 % 511) % 1024;
    (first.min(second), first.max(second))
}

/// One limit per process (getrlimit(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rlimit {
    pub(crate) resource: rustix::process::Resource,
    pub(crate) soft: Option<u64>,
    pub(crate) hard: Option<u64>,
}

/// One step of building a cell.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Step {
    // By the supervisor, before the cell exists.
    Memory(Bytes),
    Pids(u32),
    Cpu(MilliCpus),
    Namespace(Namespace),
    Identity(Ids),
    // By the cell's first process, which becomes its reaper.
    HostName(CString),
    LoopbackUp,
    /// Clone a part of the host's tree, to be attached at the same place.
    Show {
        path: CString,
        directory: bool,
        read_only: bool,
    },
    Proc {
        masked: bool,
    },
    Scratch {
        bytes: Option<Bytes>,
        files: Option<u32>,
    },
    /// A devpts of the cell's own, for its terminal.
    Pts,
    /// Take the cell's ids, leave the host's tree for a fresh one, and attach there what was made.
    Enter,
    Directory(CString),
    Link {
        path: CString,
        target: CString,
    },
    File {
        path: CString,
        contents: Vec<u8>,
    },
    RootReadOnly,
    Stage(Vec<Stage>),
    DropCapabilities,
    NoNewPrivileges,
    NotDumpable,
    // By its second process, which becomes the program.
    Session,
    Descriptors,
    Rlimit(Rlimit),
    Landlock {
        abi: u32,
        network: Network,
        rules: Vec<(CString, Reach)>,
    },
    Selinux(Labels),
    Seccomp(Policy),
    // By the supervisor, while it runs.
    DeadlineWall(Duration),
    DeadlineCpu(Duration),
    OutputBound(Bytes),
}

/// A file that a program finds, as the cell's first process makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Stage {
    Directory(CString),
    File { path: CString, mode: u32, contents: Vec<u8> },
    Link { path: CString, target: CString },
}

/// Who carries a step out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Supervisor,
    Reaper,
    Guest,
}

impl Step {
    /// The layer that this step makes, if it makes one by itself.
    pub fn layer(&self) -> Option<Layer> {
        Some(match self {
            Step::Memory(_) => Layer::CgroupMemory,
            Step::Pids(_) => Layer::CgroupPids,
            Step::Cpu(_) => Layer::CgroupCpu,
            Step::Namespace(namespace) => namespace.layer(),
            Step::Identity(_) => Layer::Identity,
            Step::Enter => Layer::Root,
            Step::Proc { .. } => Layer::Proc,
            Step::Scratch { .. } => Layer::Scratch,
            Step::RootReadOnly => Layer::RootReadOnly,
            Step::DropCapabilities => Layer::Capabilities,
            Step::NoNewPrivileges => Layer::NoNewPrivileges,
            Step::NotDumpable => Layer::NotDumpable,
            Step::Descriptors => Layer::Descriptors,
            Step::Rlimit(_) => Layer::Rlimits,
            Step::Landlock { .. } => Layer::Landlock,
            Step::Selinux(_) => Layer::Selinux,
            Step::Seccomp(_) => Layer::Seccomp,
            Step::DeadlineWall(_) => Layer::DeadlineWall,
            Step::DeadlineCpu(_) => Layer::DeadlineCpu,
            Step::OutputBound(_) => Layer::OutputBound,
            Step::HostName(_)
            | Step::LoopbackUp
            | Step::Show { .. }
            | Step::Pts
            | Step::Directory(_)
            | Step::Link { .. }
            | Step::File { .. }
            | Step::Stage(_)
            | Step::Session => return None,
        })
    }

    pub(crate) fn by(&self) -> By {
        match self {
            Step::Memory(_)
            | Step::Pids(_)
            | Step::Cpu(_)
            | Step::Identity(_)
            | Step::DeadlineWall(_)
            | Step::DeadlineCpu(_)
            | Step::OutputBound(_) => By::Supervisor,
            Step::Namespace(Namespace::Cgroup | Namespace::Time) => By::Reaper,
            Step::Namespace(_) => By::Supervisor,
            Step::HostName(_)
            | Step::LoopbackUp
            | Step::Show { .. }
            | Step::Proc { .. }
            | Step::Scratch { .. }
            | Step::Pts
            | Step::Enter
            | Step::Directory(_)
            | Step::Link { .. }
            | Step::File { .. }
            | Step::RootReadOnly
            | Step::Stage(_)
            | Step::DropCapabilities
            | Step::NoNewPrivileges
            | Step::NotDumpable => By::Reaper,
            Step::Session
            | Step::Descriptors
            | Step::Rlimit(_)
            | Step::Landlock { .. }
            | Step::Selinux(_)
            | Step::Seccomp(_) => By::Guest,
        }
    }
}

/// The steps that build a cell, and what it then runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) program: CString,
    pub(crate) args: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) limits: Limits,
    pub(crate) terminal: Terminal,
    /// Layers that the host lacks; each is an extra or was accepted.
    pub(crate) missing: Vec<Missing>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The host lacks a layer that nobody accepted the absence of.
    #[error("this host lacks the layer {}: {}", .0.layer, .0.why)]
    Missing(Missing),
    /// A name or an argument holds a byte that the kernel takes for its end.
    #[error("{0:?} holds a NUL byte")]
    Nul(OsString),
    /// An environment variable that acts on the loader or has an impossible name.
    #[error("the environment variable {name:?} {why}")]
    Variable {
        /// As given.
        name: OsString,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A staged file whose path leads out of `/work`, or that is there twice.
    #[error("the input {path} {why}")]
    Input {
        /// As given.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// More input than the limits let the cell hold.
    #[error("the input has {given} {what}, and the limit {limit} is {allowed}")]
    InputTooLarge {
        /// How much.
        given: u64,
        /// Of what.
        what: &'static str,
        /// Which limit.
        limit: Limit,
        /// How much is allowed.
        allowed: u64,
    },
}

/// Decides how to build a cell for `spec` on `host`.
///
/// # Errors
/// When the host lacks a layer whose absence was not accepted, and on input that no cell could hold.
pub fn plan(spec: &Spec, host: &Host) -> Result<Plan, Refusal> {
    let limits = &spec.limits;
    for missing in &host.missing {
        let accepted = missing.layer.may_be_missing() && spec.accept_missing.contains(&missing.layer);
        if !missing.layer.is_extra() && !accepted {
            return Err(Refusal::Missing(missing.clone()));
        }
    }
    // Without a user namespace only root can build a cell at all.
    if let (Some(missing), Authority::User { .. }) = (host.missing(Layer::NamespaceUser), host.authority) {
        return Err(Refusal::Missing(missing.clone()));
    }
    let has = |layer: Layer| host.missing(layer).is_none();
    let mut steps = Vec::with_capacity(96);

    if has(Layer::CgroupMemory) {
        steps.push(Step::Memory(limits.memory));
    }
    if has(Layer::CgroupPids) {
        // One more for the reaper.
        steps.push(Step::Pids(limits.pids + 1));
    }
    if has(Layer::CgroupCpu) {
        steps.push(Step::Cpu(limits.cpus));
    }
    steps.push(Step::Identity(match host.authority {
        Authority::Root => Ids::Own,
        Authority::User { uid, gid } => Ids::Ours { uid, gid },
    }));
    let namespaces = Namespace::ALL.into_iter().filter(|namespace| has(namespace.layer()));
    steps.extend(namespaces.map(Step::Namespace));
    steps.push(Step::HostName(c"cell".into()));
    if spec.network == Network::Loopback {
        steps.push(Step::LoopbackUp);
    }
    tree(spec, &mut steps)?;
    steps.push(Step::Stage(stage(spec)?));
    steps.extend([Step::DropCapabilities, Step::NoNewPrivileges, Step::NotDumpable]);

    steps.extend([Step::Session, Step::Descriptors]);
    steps.extend(rlimits(limits, host).map(Step::Rlimit));
    let mut missing = host.missing.clone();
    match (&host.selinux, spec.network) {
        // Before Landlock, which closes the file that the label is written to.
        (Some(selinux), Network::None) => steps.push(Step::Selinux(Labels::new(selinux)?)),
        (Some(_), Network::Loopback) => missing.push(Missing {
            layer: Layer::Selinux,
            why: "the policy module has no domain with a loopback network".into(),
            mend: "run without --network loopback".into(),
        }),
        (None, _) => {}
    }
    if has(Layer::Landlock) {
        steps.push(Step::Landlock { abi: host.landlock_abi, network: spec.network, rules: landlock_rules(spec)? });
    }
    steps.push(Step::Seccomp(Policy::built_in(spec.network, spec.terminal)));

    steps.push(Step::DeadlineWall(limits.wall));
    steps.push(Step::DeadlineCpu(limits.cpu));
    steps.push(Step::OutputBound(limits.output));

    let program = string(&spec.environment.executable)?;
    let mut args = vec![program.clone()];
    for arg in &spec.args {
        args.push(string(arg)?);
    }
    Ok(Plan { steps, program, args, env: environment(spec)?, limits: limits.clone(), terminal: spec.terminal, missing })
}

/// The file tree: what is cloned from the host, what is made, and where.
fn tree(spec: &Spec, steps: &mut Vec<Step>) -> Result<(), Refusal> {
    let limits = &spec.limits;
    let Environment { directories, files, .. } = &spec.environment;
    for (paths, directory) in [(directories, true), (files, false)] {
        for path in paths {
            steps.push(Step::Show { path: string(path)?, directory, read_only: true });
        }
    }
    for device in DEVICES {
        steps.push(Step::Show { path: string(device)?, directory: false, read_only: false });
    }
    steps.push(Step::Proc { masked: true });
    steps.push(Step::Scratch { bytes: Some(limits.disk), files: Some(limits.files) });
    if spec.terminal == Terminal::Own {
        steps.push(Step::Pts);
    }
    steps.push(Step::Enter);
    for (link, target) in &spec.environment.links {
        steps.push(Step::Link { path: string(link)?, target: string(target)? });
    }
    for (link, target) in [
        ("/dev/fd", "/proc/self/fd"),
        ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"),
    ] {
        steps.push(Step::Link { path: string(link)?, target: string(target)? });
    }
    if spec.terminal == Terminal::Own {
        steps.push(Step::Link { path: string("/dev/ptmx")?, target: string("pts/ptmx")? });
    }
    // Nobody is who the owners of the host's files are from inside a user namespace.
    let passwd = format!(
        "root:x:0:0:root:/:/bin/false
\
         guest:x:{GUEST_ID}:{GUEST_ID}:guest:/work:/bin/false
\
         nobody:x:65534:65534:nobody:/:/bin/false
"
    );
    let group = format!(
        "root:x:0:
guest:x:{GUEST_ID}:
nogroup:x:65534:
"
    );
    for (path, contents) in [
        ("/etc/passwd", passwd.as_str()),
        ("/etc/group", group.as_str()),
        ("/etc/hosts", "127.0.0.1 localhost cell\n::1 localhost cell\n"),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ] {
        steps.push(Step::File { path: string(path)?, contents: contents.into() });
    }
    steps.push(Step::RootReadOnly);
    Ok(())
}

const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

fn stage(spec: &Spec) -> Result<Vec<Stage>, Refusal> {
    let limits = &spec.limits;
    let too_large = |given, what, limit, allowed| Err(Refusal::InputTooLarge { given, what, limit, allowed });
    let bytes: u64 = spec.files.iter().map(Staged::size).sum();
    if bytes > limits.disk.0 {
        return too_large(bytes, "bytes", Limit::Disk, limits.disk.0);
    }
    if spec.files.len() as u64 > u64::from(limits.files) {
        return too_large(spec.files.len() as u64, "files", Limit::Files, limits.files.into());
    }
    let links: Vec<&PathBuf> =
        spec.files.iter().filter(|file| matches!(file, Staged::Link { .. })).map(Staged::path).collect();
    let mut seen = std::collections::HashSet::new();
    spec.files
        .iter()
        .map(|file| {
            let path = file.path();
            let inside = path.components().all(|component| matches!(component, Component::Normal(_)));
            if !inside || path.as_os_str().is_empty() {
                return Err(Refusal::Input { path: path.clone(), why: "does not lie below /work" });
            }
            if links.iter().any(|link| path != *link && path.starts_with(link)) {
                return Err(Refusal::Input { path: path.clone(), why: "lies below a symbolic link" });
            }
            if !seen.insert(path) {
                return Err(Refusal::Input { path: path.clone(), why: "is there twice" });
            }
            let at = string(Path::new("/work").join(path))?;
            Ok(match file {
                Staged::Directory { .. } => Stage::Directory(at),
                Staged::File { executable, contents, .. } => {
                    Stage::File { path: at, mode: if *executable { 0o755 } else { 0o644 }, contents: contents.clone() }
                }
                Staged::Link { target, .. } => Stage::Link { path: at, target: string(target)? },
            })
        })
        .collect()
}

fn rlimits(limits: &Limits, host: &Host) -> impl Iterator<Item = Rlimit> {
    use rustix::process::Resource;
    let both = |resource, value| Rlimit { resource, soft: Some(value), hard: Some(value) };
    let cpu = limits.cpu.as_secs() + 1;
    let own_user = host.authority == Authority::Root;
    [
        Some(both(Resource::Core, 0)),
        Some(both(Resource::Nofile, limits.open_files.into())),
        Some(both(Resource::Fsize, limits.disk.0)),
        Some(Rlimit { resource: Resource::Stack, soft: Some(8 << 20), hard: None }),
        Some(both(Resource::Memlock, 64 << 10)),
        Some(both(Resource::Sigpending, 1024)),
        Some(both(Resource::Msgqueue, 0)),
        Some(both(Resource::Nice, 0)),
        Some(both(Resource::Rtprio, 0)),
        // A second watch on CPU time, should the supervisor be starved: per process, in whole seconds.
        Some(Rlimit { resource: Resource::Cpu, soft: Some(cpu + 1), hard: Some(cpu + 2) }),
        // Counted by user id: only where the cell has one to itself. One above what the cgroup allows, so that
        // the one which counts refusals answers first.
        own_user.then(|| both(Resource::Nproc, u64::from(limits.pids) + 2)),
        // Better than nothing where there is no memory controller: address space of each process.
        host.missing(Layer::CgroupMemory).map(|_| both(Resource::As, limits.memory.0)),
    ]
    .into_iter()
    .flatten()
}

fn landlock_rules(spec: &Spec) -> Result<Vec<(CString, Reach)>, Refusal> {
    let mut rules = vec![
        (string("/")?, Reach::List),
        (string("/etc")?, Reach::Read),
        (string("/proc")?, Reach::Read),
        (string("/work")?, Reach::Scratch),
        (string("/tmp")?, Reach::Scratch),
        (string("/dev/shm")?, Reach::Scratch),
    ];
    for device in DEVICES {
        rules.push((string(device)?, Reach::Device));
    }
    if spec.terminal == Terminal::Own {
        rules.push((string("/dev/pts")?, Reach::Terminal));
    }
    for path in spec.environment.shown() {
        rules.push((string(path)?, Reach::Execute));
    }
    Ok(rules)
}

/// The program's environment: a few variables of ours, then the caller's.
fn environment(spec: &Spec) -> Result<Vec<CString>, Refusal> {
    let bin = spec.environment.executable.parent().unwrap_or(Path::new("/usr/bin"));
    let mut path = bin.as_os_str().to_owned();
    if bin != Path::new("/usr/bin") {
        path.push(":/usr/bin");
    }
    let mut variables: Vec<(OsString, OsString)> =
        vec![("PATH".into(), path), ("HOME".into(), "/work".into()), ("LANG".into(), "C.UTF-8".into())];
    for (name, value) in &spec.env {
        let refuse = |why| Err(Refusal::Variable { name: name.clone(), why });
        let bytes = name.as_bytes();
        if bytes.is_empty() || bytes.iter().any(|byte| *byte == b'=' || byte.is_ascii_control()) {
            return refuse("has an impossible name");
        }
        // These act before the first instruction of the interpreter, on its loader.
        if bytes.starts_with(b"LD_") || bytes == b"GLIBC_TUNABLES" {
            return refuse("acts on the dynamic loader, which a job may not");
        }
        variables.retain(|(other, _)| other != name);
        variables.push((name.clone(), value.clone()));
    }
    variables
        .into_iter()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            string(name)
        })
        .collect()
}

fn string(text: impl AsRef<OsStr>) -> Result<CString, Refusal> {
    let text = text.as_ref();
    CString::new(text.as_bytes()).map_err(|error| Refusal::Nul(OsString::from_vec(error.into_vec())))
}

impl Plan {
    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn has(&self, namespace: Namespace) -> bool {
        self.steps.contains(&Step::Namespace(namespace))
    }

    /// The plan without some layers, to show that an attack which they stop then succeeds.
    ///
    /// Dropping `root` shows the host's whole tree, `identity` keeps our own user id, `proc` unmasks, and
    /// so on: what the host would be like without that layer, not a cell that cannot start.
    #[cfg(feature = "mutation")]
    #[must_use]
    pub fn without(mut self, layers: &[Layer]) -> Plan {
        let dropped = |layer| layers.contains(&layer);
        assert!(!dropped(Layer::NamespaceMount), "without it the steps would act on the host's own tree");
        for step in &mut self.steps {
            match step {
                Step::Show { read_only, .. } if dropped(Layer::RootReadOnly) => *read_only = false,
                Step::Proc { masked } if dropped(Layer::Proc) => *masked = false,
                Step::Scratch { bytes, files } if dropped(Layer::Scratch) => (*bytes, *files) = (None, None),
                Step::Identity(ids) if dropped(Layer::Identity) => {
                    *ids =
                        Ids::Ours { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
                }
                _ => {}
            }
        }
        if dropped(Layer::Root) {
            self.show_whole_host(dropped(Layer::RootReadOnly));
        }
        if dropped(Layer::NamespacePid) {
            // A proc of the host's pid namespace can only be shown, not made, from a user namespace.
            for step in &mut self.steps {
                if let Step::Proc { .. } = step {
                    *step = Step::Show { path: c"/proc".into(), directory: true, read_only: false };
                }
            }
        }
        self.steps.retain(|step| match step {
            Step::Show { .. } | Step::Proc { .. } | Step::Scratch { .. } | Step::Identity(_) | Step::Enter => true,
            Step::HostName(_) => !dropped(Layer::NamespaceUts),
            Step::LoopbackUp => !dropped(Layer::NamespaceNet),
            other => other.layer().is_none_or(|layer| !dropped(layer)),
        });
        self
    }

    #[cfg(feature = "mutation")]
    fn show_whole_host(&mut self, writable: bool) {
        let ours = ["work", "tmp", "dev", "proc"];
        let tops = std::fs::read_dir("/").expect("the root can be read").flatten();
        let tops = tops.filter(|entry| !ours.iter().any(|name| entry.file_name() == *name)).map(|entry| entry.path());
        let at = self.steps.iter().position(|step| matches!(step, Step::Show { .. })).expect("something is shown");
        self.steps.retain(|step| match step {
            Step::Show { path, .. } => path.as_bytes().starts_with(b"/dev/"),
            Step::Link { path, .. } | Step::File { path, .. } => path.as_bytes().starts_with(b"/dev/"),
            _ => true,
        });
        for top in tops {
            let path = string(&top).expect("names have no NUL");
            if top.is_symlink() {
                let target = string(std::fs::read_link(&top).expect("a link")).expect("no NUL");
                let enter = self.steps.iter().position(|step| *step == Step::Enter).expect("there is a root");
                self.steps.insert(enter + 1, Step::Link { path, target });
            } else if top.is_dir() {
                self.steps.insert(at, Step::Show { path, directory: true, read_only: !writable });
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |string: &CString| string.to_string_lossy().into_owned();
        match self {
            Step::Memory(max) => write!(f, "at most {max} for the whole tree, no swap"),
            Step::Pids(max) => write!(f, "at most {max} processes and threads, the reaper among them"),
            Step::Cpu(cpus) => write!(f, "at most {cpus} CPUs at once"),
            Step::Namespace(namespace) => write!(f, "new {} namespace", namespace.link()),
            Step::Identity(Ids::Own) => write!(f, "{GUEST_ID} inside is {FIRST_ID} plus the pid outside"),
            Step::Identity(Ids::Ours { uid, gid }) => write!(f, "{GUEST_ID} inside is our own {uid}:{gid} outside"),
            Step::HostName(name) => write!(f, "host name {}", text(name)),
            Step::LoopbackUp => f.write_str("interface lo up"),
            Step::Show { path, read_only, .. } => {
                write!(
                    f,
                    "show {}{}",
                    text(path),
                    if *read_only { ", read-only, nosuid, nodev" } else { ", nosuid, noexec" }
                )
            }
            Step::Proc { masked: true } => f.write_str("/proc: subset=pid, hidepid=ptraceable, nosuid, nodev, noexec"),
            Step::Proc { masked: false } => f.write_str("/proc, unmasked"),
            Step::Scratch { bytes, files } => {
                let bytes = bytes.map_or("unbounded".to_owned(), |bytes| bytes.to_string());
                let files = files.map_or("unbounded".to_owned(), |files| files.to_string());
                write!(f, "/work, /tmp, /dev/shm: one tmpfs of {bytes} and {files} inodes, nosuid, nodev")
            }
            Step::Pts => f.write_str("/dev/pts: an instance of its own"),
            Step::Enter => f.write_str("take the ids; fresh tmpfs as root, pivot_root, let go of the host's tree"),
            Step::Directory(path) => write!(f, "directory {}", text(path)),
            Step::Link { path, target } => write!(f, "link {} -> {}", text(path), text(target)),
            Step::File { path, contents } => write!(f, "file {}, {} bytes", text(path), contents.len()),
            Step::RootReadOnly => f.write_str("the root itself read-only, nosuid, nodev"),
            Step::Stage(files) => {
                write!(f, "write the program and its input to /work: {} files", files.len())
            }
            Step::DropCapabilities => f.write_str("empty every capability set, lock the secure bits"),
            Step::NoNewPrivileges => f.write_str("no_new_privs"),
            Step::NotDumpable => f.write_str("the reaper is not dumpable"),
            Step::Session => f.write_str("a session of its own, default signals"),
            Step::Descriptors => f.write_str("close every descriptor but 0, 1 and 2"),
            Step::Rlimit(limit) => {
                let value = |value: Option<u64>| value.map_or("unlimited".to_owned(), |value| value.to_string());
                write!(f, "{:?} {} (hard {})", limit.resource, value(limit.soft), value(limit.hard))
            }
            Step::Landlock { abi, network, rules } => {
                let tcp = match network {
                    Network::None => "no TCP",
                    Network::Loopback => "TCP as the namespace has it",
                };
                write!(f, "ABI {abi}, {tcp}; refuse all but:")?;
                for (path, reach) in rules {
                    write!(f, "\n{:24}{:8?} {}", "", reach, text(path))?;
                }
                Ok(())
            }
            Step::Selinux(labels) => write!(f, "{} and two categories of its own", text(&labels.program)),
            Step::Seccomp(policy) => write!(f, "{} system calls allowed, the others refused", policy.allowed()),
            Step::DeadlineWall(limit) => write!(f, "killed after {limit:?} on the clock"),
            Step::DeadlineCpu(limit) => write!(f, "killed after {limit:?} of CPU time"),
            Step::OutputBound(limit) => write!(f, "{limit} of output kept, then killed"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by = None;
        for (number, step) in self.steps.iter().enumerate() {
            if by != Some(step.by()) {
                by = Some(step.by());
                let who = match step.by() {
                    By::Supervisor => "the supervisor, outside:",
                    By::Reaper => "the cell's first process:",
                    By::Guest => "its second process, which becomes the program:",
                };
                writeln!(f, "{who}")?;
            }
            let layer = step.layer().map_or("-", Layer::name);
            writeln!(f, "{:3} {layer:18} {step}", number + 1)?;
        }
        writeln!(f, "then: {}", self.args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" "))?;
        for missing in &self.missing {
            writeln!(f, "missing: {}: {}", missing.layer, missing.why)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            environment: Environment {
                executable: "/usr/bin/python3".into(),
                version: "3.13.0".into(),
                directories: ["/usr/lib/python3.13", "/usr/lib/x86_64-linux-gnu"].map(PathBuf::from).into(),
                files: vec!["/usr/bin/python3.13".into()],
                links: vec![("/lib".into(), "usr/lib".into()), ("/usr/bin/python3".into(), "python3.13".into())],
            },
            args: vec!["main.py".into()],
            env: Vec::new(),
            files: vec![Staged::File { path: "main.py".into(), executable: false, contents: b"print(1)".into() }],
            limits: Limits::default(),
            network: Network::None,
            terminal: Terminal::None,
            accept_missing: Vec::new(),
        }
    }

    fn host() -> Host {
        Host {
            authority: Authority::Root,
            landlock_abi: 7,
            cgroups: crate::cgroup::Hierarchies::none(),
            selinux: Some(Selinux { user: "system_u".into(), role: "system_r".into() }),
            missing: Vec::new(),
        }
    }

    #[test]
    fn the_plan_is_the_one_that_was_reviewed() {
        let printed = plan(&spec(), &host()).unwrap().to_string();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan.txt");
        if std::env::var_os("GAMBESON_REVIEWED").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(printed == reviewed, "the plan changed; read it, then run with GAMBESON_REVIEWED=1:\n{printed}");
    }

    #[test]
    fn every_layer_is_in_the_plan_of_a_host_that_lacks_none() {
        let plan = plan(&spec(), &host()).unwrap();
        for layer in Layer::ALL {
            assert!(plan.steps.iter().any(|step| step.layer() == Some(*layer)), "{layer}");
        }
    }

    #[test]
    fn a_missing_layer_is_refused_until_it_is_accepted_by_name() {
        for layer in Layer::ALL.iter().copied().filter(|layer| !layer.is_extra()) {
            let mut host = host();
            host.missing.push(Missing { layer, why: "a test".into(), mend: "nothing".into() });
            let mut spec = spec();
            assert!(matches!(plan(&spec, &host), Err(Refusal::Missing(missing)) if missing.layer == layer));
            spec.accept_missing = Layer::ALL.to_vec();
            match plan(&spec, &host) {
                Ok(plan) => {
                    assert!(layer.may_be_missing());
                    assert!(
                        plan.steps.iter().all(|step| step.layer() != Some(layer)),
                        "{layer} is planned all the same"
                    );
                    assert_eq!(plan.missing[0].layer, layer, "and each run says so");
                }
                Err(_) => assert!(!layer.may_be_missing(), "{layer}"),
            }
        }
    }

    #[test]
    fn input_that_leads_out_of_work_is_refused() {
        for path in ["../x", "/etc/passwd", "a/../../b", "", "a/./../.."] {
            let mut spec = spec();
            spec.files.push(Staged::Directory { path: path.into() });
            assert!(matches!(plan(&spec, &host()), Err(Refusal::Input { .. })), "{path:?}");
        }
    }

    #[test]
    fn input_below_a_link_is_refused() {
        let mut spec = spec();
        spec.files.push(Staged::File { path: "x/f".into(), executable: false, contents: Vec::new() });
        spec.files.push(Staged::Link { path: "x".into(), target: "/proc/self/fd/5".into() });
        assert!(matches!(plan(&spec, &host()), Err(Refusal::Input { .. })));
    }

    #[test]
    fn no_two_of_half_a_million_pids_share_their_categories() {
        let mut seen = std::collections::HashSet::new();
        for pid in 1..=523_264 {
            let pair = categories(pid);
            assert!(pair.0 < pair.1 && pair.1 < 1024 && seen.insert(pair), "{pid}: {pair:?}");
        }
    }
}
