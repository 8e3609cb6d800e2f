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

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::frames::Frames;
use crate::host::{Authority, Host, Layer, Missing};
use crate::limits::{Limit, Limits};
use crate::seccomp::Policy;
use crate::spec::{Network, OpenFile, PROXY, Spec, Staged, Terminal};
use crate::step::{By, GUEST_ID, Ids, Labels, Namespace, Reach, Rlimit, Stage, Step};

/// The steps that build a cell, and what it then runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) program: CString,
    pub(crate) args: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) limits: Limits,
    pub(crate) terminal: Terminal,
    /// How lines of the program are told from outside; of no use to who builds the cell.
    #[serde(skip)]
    pub(crate) frames: Option<Frames>,
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
    let (late, born): (Vec<_>, Vec<_>) = Namespace::ALL
        .into_iter()
        .filter(|namespace| has(namespace.layer()))
        .partition(|namespace| namespace.at_birth() == 0);
    steps.extend(born.into_iter().map(Step::Namespace));
    steps.push(Step::HostName(c"cell".into()));
    match spec.network {
        Network::None => {}
        Network::Loopback => steps.push(Step::LoopbackUp),
        Network::Allow => steps.extend([Step::LoopbackUp, Step::Listen { at: PROXY }]),
    }
    shown(spec, &mut steps)?;
    steps.extend(late.into_iter().map(Step::Namespace));
    tree(spec, &mut steps)?;
    steps.push(Step::Stage(stage(spec)?));
    steps.extend([Step::DropCapabilities, Step::NoNewPrivileges, Step::NotDumpable]);

    steps.extend([Step::Session, Step::Descriptors]);
    steps.extend(rlimits(limits, host).map(Step::Rlimit));
    let mut missing = host.missing.clone();
    match (&host.selinux, spec.network) {
        // Before Landlock, which closes the file that the label is written to.
        (Some(selinux), Network::None) => steps.push(Step::Selinux(Labels::new(selinux)?)),
        (Some(_), Network::Loopback | Network::Allow) => missing.push(Missing {
            layer: Layer::Selinux,
            why: "the policy module has no domain with a loopback network".into(),
            mend: "run without a network".into(),
        }),
        (None, _) => {}
    }
    if has(Layer::Landlock) {
        steps.push(Step::Landlock { abi: host.landlock_abi, network: spec.network, rules: landlock_rules(spec)? });
    }
    let policy = Policy::built_in(spec.network, spec.terminal);
    steps.push(Step::Seccomp(if host.explains { policy } else { policy.unexplained() }));

    steps.push(Step::DeadlineWall(limits.wall));
    steps.push(Step::DeadlineCpu(limits.cpu));
    steps.push(Step::OutputBound(limits.output));

    let program = string(&spec.environment.executable)?;
    let mut args = vec![program.clone()];
    for arg in &spec.args {
        args.push(string(arg)?);
    }
    Ok(Plan {
        steps,
        program,
        args,
        env: environment(spec)?,
        limits: limits.clone(),
        terminal: spec.terminal,
        frames: Frames::of(&spec.environment).ok(),
        missing,
    })
}

/// What is cloned from the host, and what can be made only while the host's own is in sight (proc).
fn shown(spec: &Spec, steps: &mut Vec<Step>) -> Result<(), Refusal> {
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
    Ok(())
}

/// The rest of the file tree: what is made, and where.
fn tree(spec: &Spec, steps: &mut Vec<Step>) -> Result<(), Refusal> {
    let limits = &spec.limits;
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
        "root:x:0:0:root:/:/bin/false\n\
         guest:x:{GUEST_ID}:{GUEST_ID}:guest:/work:/bin/false\n\
         nobody:x:65534:65534:nobody:/:/bin/false\n"
    );
    let group = format!("root:x:0:\nguest:x:{GUEST_ID}:\nnogroup:x:65534:\n");
    let names = match spec.network {
        // That there is nobody to ask is found out at a socket, which is refused with a reason; by files alone a name would
        // not be known, and nobody would hear why.
        Network::None => "passwd: files\ngroup: files\nhosts: files dns\n",
        // What may be connected to has its name resolved by the proxy.
        Network::Loopback | Network::Allow => "passwd: files\ngroup: files\nhosts: files\n",
    };
    for (path, contents) in [
        ("/etc/passwd", passwd.as_str()),
        ("/etc/group", group.as_str()),
        ("/etc/hosts", "127.0.0.1 localhost cell\n::1 localhost cell\n"),
        ("/etc/nsswitch.conf", names),
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
            let mode = |executable: bool| if executable { 0o755 } else { 0o644 };
            Ok(match file {
                Staged::Directory { .. } => Stage::Directory(at),
                Staged::File { executable, contents, .. } => {
                    Stage::File { path: at, mode: mode(*executable), contents: contents.clone() }
                }
                Staged::Part { executable, from, offset, size, .. } => {
                    Stage::Part { path: at, mode: mode(*executable), from: from.clone(), offset: *offset, size: *size }
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
    if spec.network == Network::Allow {
        // Some programs look at the one spelling, some at the other.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            variables.push((name.into(), format!("http://{PROXY}").into()));
        }
        for name in ["NO_PROXY", "no_proxy"] {
            variables.push((name.into(), "localhost,127.0.0.1,::1".into()));
        }
    }
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

pub(crate) fn string(text: impl AsRef<OsStr>) -> Result<CString, Refusal> {
    let text = text.as_ref();
    CString::new(text.as_bytes()).map_err(|error| Refusal::Nul(OsString::from_vec(error.into_vec())))
}

impl Plan {
    /// The same, with each system call asked about, so that it can be written down. `None` where the host cannot ask.
    #[must_use]
    pub fn traced(mut self) -> Option<Plan> {
        for step in &mut self.steps {
            if let Step::Seccomp(policy) = step {
                if !policy.explains() {
                    return None;
                }
                *policy = policy.clone().traced();
            }
        }
        Some(self)
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What `pick` makes of the first step that it takes.
    pub(crate) fn find<'a, T>(&'a self, pick: impl Fn(&'a Step) -> Option<T>) -> Option<T> {
        self.steps.iter().find_map(pick)
    }

    /// What the cell copies files from when it is born.
    pub(crate) fn open_files(&self) -> impl Iterator<Item = &OpenFile> {
        let staged =
            self.steps.iter().filter_map(|step| if let Step::Stage(files) = step { Some(files) } else { None });
        staged.flatten().filter_map(|file| if let Stage::Part { from, .. } = file { Some(from) } else { None })
    }

    pub(crate) fn has(&self, namespace: Namespace) -> bool {
        self.steps.contains(&Step::Namespace(namespace))
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
                layout: Err("it was not asked".into()),
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
            explains: true,
            authority: Authority::Root,
            landlock_abi: 7,
            cgroups: crate::cgroup::Hierarchies::none(),
            selinux: Some(crate::host::Selinux { user: "system_u".into(), role: "system_r".into() }),
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
}
