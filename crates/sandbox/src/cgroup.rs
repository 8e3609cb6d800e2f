//! Control groups, version 2, version 1, and both at once (cgroups(7), Documentation/admin-guide/cgroup-v2).
//!
//! Invariants:
//! 1. No cgroup is written to but those made here, and a delegated one that holds nothing but us.
//! 2. A cell is *born* in its version 2 cgroup (`CLONE_INTO_CGROUP`), and joins version 1 ones by writing
//!    `0` to `tasks`: both spare the grace period of RCU that a pid written to `cgroup.procs` waits for
//!    (10 ms and more; kernel/cgroup/cgroup.c, `cgroup_procs_write_start`).
//! 3. A cgroup's name tells which process made it, so that a later one can remove what was left behind.

mod gauges;

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::fs::{Access, Mode, OFlags};

use crate::host::{Authority, Layer, Missing};
use crate::limits::{Bytes, MilliCpus};

pub(crate) use gauges::Gauges;

/// What a cell needs of the kernel's resource controllers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controller {
    Memory,
    Pids,
    Cpu,
}

impl Controller {
    const ALL: [Controller; 3] = [Controller::Memory, Controller::Pids, Controller::Cpu];

    const fn name(self) -> &'static str {
        match self {
            Controller::Memory => "memory",
            Controller::Pids => "pids",
            Controller::Cpu => "cpu",
        }
    }

    const fn layer(self) -> Layer {
        match self {
            Controller::Memory => Layer::CgroupMemory,
            Controller::Pids => Layer::CgroupPids,
            Controller::Cpu => Layer::CgroupCpu,
        }
    }
}

/// Where a controller's cgroups can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In the version 2 hierarchy.
    Unified,
    /// Below this directory of a version 1 hierarchy.
    V1(PathBuf),
    Missing,
}

/// Where cells' cgroups can be made on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchies {
    /// Below which directory of the version 2 hierarchy, with whatever controllers it has.
    unified: Option<PathBuf>,
    /// The unified directory is our own cgroup, delegated to us: we have to move out of it first.
    delegated: bool,
    memory: Place,
    pids: Place,
    cpu: Place,
}

impl Hierarchies {
    /// Finds where cgroups can be made, and which controllers are out of reach, with the reason.
    pub(crate) fn probe(authority: Authority) -> (Hierarchies, Vec<Missing>) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Hierarchies::find(&mounts, &own, authority)
    }

    fn find(mounts: &str, own: &str, authority: Authority) -> (Hierarchies, Vec<Missing>) {
        let unified = directory(mounts, own, None).and_then(|(root, own)| unified_place(&root, &own));
        let mut found = Hierarchies {
            unified: unified.as_ref().map(|place| place.dir.clone()),
            delegated: unified.as_ref().is_some_and(|place| place.delegated),
            memory: Place::Missing,
            pids: Place::Missing,
            cpu: Place::Missing,
        };
        let mut missing = Vec::new();
        for controller in Controller::ALL {
            let place = if unified.as_ref().is_some_and(|place| place.controllers.contains(&controller)) {
                Place::Unified
            } else {
                match directory(mounts, own, Some(controller.name())) {
                    Some((_, dir)) if writable(&dir) => Place::V1(dir),
                    other => {
                        missing.push(explain(controller, other.map(|(_, dir)| dir), &found, authority));
                        Place::Missing
                    }
                }
            };
            match controller {
                Controller::Memory => found.memory = place,
                Controller::Pids => found.pids = place,
                Controller::Cpu => found.cpu = place,
            }
        }
        (found, missing)
    }

    /// Below which directories a cell's cgroups are.
    pub(crate) fn parents(&self) -> Vec<PathBuf> {
        let mut parents: Vec<PathBuf> = self.unified.iter().cloned().collect();
        for place in [&self.memory, &self.pids, &self.cpu] {
            if let Place::V1(dir) = place
                && !parents.contains(dir)
            {
                parents.push(dir.clone());
            }
        }
        parents
    }

    #[cfg(test)]
    pub(crate) fn none() -> Hierarchies {
        let missing = Place::Missing;
        Hierarchies { unified: None, delegated: false, memory: missing.clone(), pids: missing.clone(), cpu: missing }
    }

    /// Where a cgroup of this name would be in the version 2 hierarchy.
    pub(crate) fn below(&self, name: Name) -> Option<PathBuf> {
        self.unified.as_ref().map(|parent| parent.join(name.to_string()))
    }

    /// The same, with the version 2 directory `dir` for others to be born in: the place of a nursery and its
    /// children, whose `cgroup.procs` can be given to the nursery's user (cgroup-v2.rst, "Delegation").
    pub(crate) fn brood(&self, dir: Option<&Path>) -> Result<Hierarchies, CgroupFailed> {
        let Some(dir) = dir else { return Ok(self.clone()) };
        let dir = make(Layer::CgroupMemory, dir.to_owned())?;
        for (controller, place) in
            [(Controller::Memory, &self.memory), (Controller::Pids, &self.pids), (Controller::Cpu, &self.cpu)]
        {
            if *place == Place::Unified {
                write(&dir.join("cgroup.subtree_control"), &format!("+{}", controller.name()), controller.layer())?;
            }
        }
        count_io(&dir);
        Ok(Hierarchies { unified: Some(dir), delegated: false, ..self.clone() })
    }

    /// A line for people: which version serves which controller.
    pub fn describe(&self, layer: Layer) -> String {
        let place = match layer {
            Layer::CgroupMemory => &self.memory,
            Layer::CgroupPids => &self.pids,
            Layer::CgroupCpu => &self.cpu,
            _ => &Place::Missing,
        };
        match (place, &self.unified) {
            (Place::Unified, Some(dir)) => format!("v2, below {}", dir.display()),
            (Place::V1(dir), _) => format!("v1, below {}", dir.display()),
            _ => String::new(),
        }
    }
}

fn explain(controller: Controller, v1: Option<PathBuf>, found: &Hierarchies, authority: Authority) -> Missing {
    let name = controller.name();
    let (why, mend) = match (v1, &found.unified, authority) {
        (Some(dir), _, _) => (format!("{} cannot be written", dir.display()), "run the worker as root".to_owned()),
        (None, _, Authority::User { .. }) => (
            format!("the {name} controller is not delegated to this user"),
            "systemd-run --user --scope -p Delegate=yes gambeson ..., or run the worker as root".to_owned(),
        ),
        (None, Some(dir), Authority::Root) => (
            format!("the {name} controller is not enabled for the children of {}", dir.display()),
            format!("echo +{name} > {}/cgroup.subtree_control", dir.display()),
        ),
        (None, None, Authority::Root) => {
            ("no cgroup hierarchy is mounted here".to_owned(), "mount -t cgroup2 none /sys/fs/cgroup".to_owned())
        }
    };
    Missing { layer: controller.layer(), why, mend }
}

/// The mount point of the hierarchy of `controller` (of version 2 where `None`), and our own cgroup there.
fn directory(mounts: &str, own: &str, controller: Option<&str>) -> Option<(PathBuf, PathBuf)> {
    let (mount, root) = mounts.lines().find_map(|line| {
        // id parent major:minor root mount-point options... - type source super-options (proc(5)).
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(3);
        let (root, mount) = (front.next()?, front.next()?);
        let mut back = back.split(' ');
        let (kind, _, options) = (back.next()?, back.next()?, back.next()?);
        let mine = match controller {
            None => kind == "cgroup2",
            Some(name) => kind == "cgroup" && options.split(',').any(|option| option == name),
        };
        mine.then(|| (PathBuf::from(mount), PathBuf::from(root)))
    })?;
    let own = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let mine = match controller {
            None => controllers.is_empty(),
            Some(name) => controllers.split(',').any(|one| one == name),
        };
        mine.then(|| PathBuf::from(path))
    })?;
    // In a container the mount shows a part of the hierarchy, or our path is not below it at all.
    let below = own.strip_prefix(&root).unwrap_or(Path::new(""));
    let dir = mount.join(below);
    let dir = if dir.is_dir() { dir } else { mount.clone() };
    Some((mount, dir))
}

struct UnifiedPlace {
    dir: PathBuf,
    controllers: Vec<Controller>,
    delegated: bool,
}

fn unified_place(mount: &Path, own: &Path) -> Option<UnifiedPlace> {
    let listed = |dir: &Path, file: &str| -> Vec<Controller> {
        let text = fs::read_to_string(dir.join(file)).unwrap_or_default();
        Controller::ALL.into_iter().filter(|one| text.split_whitespace().any(|word| word == one.name())).collect()
    };
    // A cgroup delegated to us alone is the right place, whoever we are.
    let available = listed(own, "cgroup.controllers");
    if own != mount && available.len() == Controller::ALL.len() && writable(own) && only_us(own) {
        return Some(UnifiedPlace { dir: own.to_owned(), controllers: available, delegated: true });
    }
    // Else the nearest ancestor whose children have the controllers, so that we stay in our own part.
    own.ancestors()
        .take_while(|dir| dir.starts_with(mount))
        .filter(|dir| writable(dir))
        .map(|dir| UnifiedPlace {
            dir: dir.to_owned(),
            controllers: listed(dir, "cgroup.subtree_control"),
            delegated: false,
        })
        // `max_by_key` takes the last of equals, so that we go from the outermost in.
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .max_by_key(|place| place.controllers.len())
}

fn writable(dir: &Path) -> bool {
    rustix::fs::access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok()
        && rustix::fs::access(dir.join("cgroup.procs"), Access::WRITE_OK).is_ok()
}

fn only_us(dir: &Path) -> bool {
    let us = std::process::id().to_string();
    fs::read_to_string(dir.join("cgroup.procs")).is_ok_and(|pids| pids.lines().all(|pid| pid == us))
}

/// What a cell's cgroups are to enforce; `None` leaves a controller alone.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quotas {
    pub(crate) memory: Option<Bytes>,
    pub(crate) pids: Option<u32>,
    pub(crate) cpu: Option<MilliCpus>,
}

/// A step of making a cgroup that failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what} {path}")]
pub struct CgroupFailed {
    what: &'static str,
    path: String,
    /// The layer that it was for.
    pub layer: Layer,
    source: io::Error,
}

/// The cgroups of one cell. The janitor removes them.
#[derive(Debug)]
pub(crate) struct Group {
    unified: Option<PathBuf>,
    unified_fd: Option<OwnedFd>,
    v1: Vec<PathBuf>,
    memory: Option<(PathBuf, Version)>,
    pids: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    /// The file that says how much memory is used.
    const fn memory_now(self) -> &'static str {
        match self {
            Version::One => "memory.usage_in_bytes",
            Version::Two => "memory.current",
        }
    }
}

const PREFIX: &str = "gambeson-";

/// Those of version 1, which the cell's first process joins itself.
pub(crate) fn version_1(hierarchies: &Hierarchies, quotas: Quotas, name: Name) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (place, wanted) in [
        (&hierarchies.memory, quotas.memory.is_some()),
        (&hierarchies.pids, quotas.pids.is_some()),
        (&hierarchies.cpu, quotas.cpu.is_some()),
    ] {
        if let (Place::V1(parent), true) = (place, wanted) {
            let dir = parent.join(name.to_string());
            if !found.contains(&dir) {
                found.push(dir);
            }
        }
    }
    found
}

/// A cgroup's name, which tells who made it: our pid, when we started, and a count from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name(u32);

impl Name {
    /// One that nothing has.
    pub(crate) fn new() -> Name {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        Name(COUNT.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// What all names of this process begin with.
    pub(crate) fn stem() -> &'static str {
        static STEM: OnceLock<String> = OnceLock::new();
        STEM.get_or_init(|| {
            let pid = std::process::id();
            format!("{PREFIX}{pid}-{}-", started(pid).unwrap_or(0))
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Name::stem(), self.0)
    }
}

/// When the process `pid` started, in clock ticks after boot (proc_pid_stat(5), field 22).
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses, which may hold anything.
    stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

impl Group {
    /// Makes what a cell is to be born in.
    pub(crate) fn begin(hierarchies: &Hierarchies, name: Name) -> Result<Group, CgroupFailed> {
        let mut group = Group { unified: None, unified_fd: None, v1: Vec::new(), memory: None, pids: None };
        if let Some(parent) = &hierarchies.unified {
            let layer = Layer::CgroupMemory;
            let dir = make(layer, parent.join(name.to_string()))?;
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            group.unified_fd = Some(rustix::fs::open(&dir, flags, Mode::empty()).map_err(|errno| CgroupFailed {
                what: "open",
                path: dir.display().to_string(),
                layer,
                source: errno.into(),
            })?);
            group.unified = Some(dir);
        }
        Ok(group)
    }

    /// Makes the rest and sets every limit. The cell is born already and takes its first steps meanwhile, but
    /// does not go on to anything of the program's before it is told that this is done.
    pub(crate) fn limit(&mut self, hierarchies: &Hierarchies, quotas: Quotas, name: Name) -> Result<(), CgroupFailed> {
        for (controller, place, wanted) in [
            (Controller::Memory, &hierarchies.memory, quotas.memory.is_some()),
            (Controller::Pids, &hierarchies.pids, quotas.pids.is_some()),
            (Controller::Cpu, &hierarchies.cpu, quotas.cpu.is_some()),
        ] {
            if !wanted {
                continue;
            }
            let layer = controller.layer();
            let (dir, version) = match (place, &self.unified) {
                (Place::Unified, Some(dir)) => (dir.clone(), Version::Two),
                (Place::V1(parent), _) => {
                    let dir = make(layer, parent.join(name.to_string()))?;
                    if !self.v1.contains(&dir) {
                        self.v1.push(dir.clone());
                    }
                    (dir, Version::One)
                }
                _ => continue,
            };
            match controller {
                Controller::Memory => {
                    limit_memory(&dir, version, quotas.memory.expect("wanted"))?;
                    self.memory = Some((dir, version));
                }
                Controller::Pids => {
                    write(&dir.join("pids.max"), &quotas.pids.expect("wanted").to_string(), layer)?;
                    self.pids = Some(dir);
                }
                Controller::Cpu => limit_cpu(&dir, version, quotas.cpu.expect("wanted"))?,
            }
        }
        Ok(())
    }

    /// Lets `uid` have processes born here.
    pub(crate) fn give(&self, uid: u32) -> Result<(), CgroupFailed> {
        self.unified.as_deref().map_or(Ok(()), |dir| give(dir, uid))
    }

    /// Where a cell is to be born.
    pub(crate) fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        self.unified_fd.as_ref().map(AsFd::as_fd)
    }

    /// CPU time that the cell used, where the kernel counts it per cgroup.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        // `cpu.stat` of version 2 counts usage even where the controller is not there.
        let text = fs::read_to_string(self.unified.as_ref()?.join("cpu.stat")).ok()?;
        field(&text, "usage_usec").map(Duration::from_micros)
    }

    /// The memory that the cell uses.
    pub(crate) fn memory(&self) -> Option<Bytes> {
        let (dir, version) = self.memory.as_ref()?;
        number(&dir.join(version.memory_now())).map(Bytes)
    }

    /// The most memory that the cell used at once.
    pub(crate) fn memory_peak(&self) -> Option<Bytes> {
        let (dir, version) = self.memory.as_ref()?;
        let file = match version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        number(&dir.join(file)).map(Bytes)
    }

    /// How many times the kernel killed for want of memory within the limit.
    pub(crate) fn memory_kills(&self) -> u64 {
        let Some((dir, version)) = &self.memory else { return 0 };
        let file = match version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        fs::read_to_string(dir.join(file)).ok().and_then(|text| field(&text, "oom_kill")).unwrap_or(0)
    }

    /// The most processes and threads at once.
    pub(crate) fn pids_peak(&self) -> Option<u64> {
        number(&self.pids.as_ref()?.join("pids.peak"))
    }

    /// How many times a process or thread was refused for the limit.
    pub(crate) fn pids_refused(&self) -> u64 {
        let Some(dir) = &self.pids else { return 0 };
        fs::read_to_string(dir.join("pids.events")).ok().and_then(|text| field(&text, "max")).unwrap_or(0)
    }

    /// Whether `path`, a line of another process's `/proc/PID/cgroup`, lies in this group.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.unified.iter().chain(&self.v1).map(PathBuf::as_path)
    }

    /// Kills whatever is in the group. Returns whether all of it was sent the signal.
    pub(crate) fn kill(&self) -> bool {
        // Absent before Linux 5.14; the death of the pid namespace kills as well.
        self.unified.as_ref().is_some_and(|dir| fs::write(dir.join("cgroup.kill"), "1").is_ok())
    }

    /// Whether it can be killed at once, and who is left in it be counted.
    pub(crate) fn ends_at_a_word(&self) -> bool {
        self.pids.is_some() && self.unified.as_ref().is_some_and(|dir| dir.join("cgroup.kill").exists())
    }

    /// Processes and threads that are left; with the reaper alone nobody can still write or compute.
    pub(crate) fn tasks(&self) -> Option<u64> {
        number(&self.pids.as_ref()?.join("pids.current"))
    }
}

/// Lets `uid` move processes into a version 2 cgroup, or out of it into one below.
pub(crate) fn give(dir: &Path, uid: u32) -> Result<(), CgroupFailed> {
    let path = dir.join("cgroup.procs");
    std::os::unix::fs::chown(&path, Some(uid), None).map_err(|source| CgroupFailed {
        what: "give away",
        path: path.display().to_string(),
        layer: Layer::CgroupMemory,
        source,
    })
}

fn make(layer: Layer, dir: PathBuf) -> Result<PathBuf, CgroupFailed> {
    match fs::create_dir(&dir) {
        Ok(()) => Ok(dir),
        // Controllers that share a version 1 hierarchy share a directory.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(dir),
        Err(source) => Err(CgroupFailed { what: "make", path: dir.display().to_string(), layer, source }),
    }
}

fn limit_memory(dir: &Path, version: Version, bytes: Bytes) -> Result<(), CgroupFailed> {
    let layer = Layer::CgroupMemory;
    let max = bytes.0.to_string();
    match version {
        Version::One => {
            write(&dir.join("memory.limit_in_bytes"), &max, layer)?;
            // Buffers of TCP sockets have an account of their own here, which is off until it has a limit
            // (memory.rst, "kmem.tcp"). A quarter more, so that all together stay near what was asked for.
            let tcp = dir.join("memory.kmem.tcp.limit_in_bytes");
            if tcp.exists() {
                write(&tcp, &(bytes.0 / 4).to_string(), layer)?;
            }
            // Memory and swap together at most as much as memory alone. Absent where the kernel does not
            // account for swap; then swappiness 0 keeps the cell's pages out of it.
            match fs::write(dir.join("memory.memsw.limit_in_bytes"), &max) {
                Ok(()) => Ok(()),
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::PermissionDenied =>
                {
                    write(&dir.join("memory.swappiness"), "0", layer)
                }
                Err(source) => {
                    Err(CgroupFailed { what: "limit swap of", path: dir.display().to_string(), layer, source })
                }
            }
        }
        Version::Two => {
            write(&dir.join("memory.max"), &max, layer)?;
            let swap = dir.join("memory.swap.max");
            // Absent where the kernel has no swap at all.
            if swap.exists() {
                write(&swap, "0", layer)?;
            }
            write(&dir.join("memory.oom.group"), "1", layer)
        }
    }
}

fn limit_cpu(dir: &Path, version: Version, cpus: MilliCpus) -> Result<(), CgroupFailed> {
    const PERIOD_US: u64 = 100_000;
    let quota = (PERIOD_US * u64::from(cpus.0) / 1000).max(1000);
    let layer = Layer::CgroupCpu;
    match version {
        Version::One => {
            // The period is that of a new cgroup (sched-bwc.rst).
            write(&dir.join("cpu.cfs_quota_us"), &quota.to_string(), layer)
        }
        Version::Two => write(&dir.join("cpu.max"), &format!("{quota} {PERIOD_US}"), layer),
    }
}

/// Moves us into a leaf of our own cgroup where that is delegated to us, since one with controllers for its
/// children may hold no process itself ("no internal processes", cgroup-v2). To be done before we have any
/// child.
pub(crate) fn take_delegation(hierarchies: &Hierarchies) -> Result<(), CgroupFailed> {
    let (true, Some(own)) = (hierarchies.delegated, &hierarchies.unified) else { return Ok(()) };
    let layer = Layer::CgroupMemory;
    let leaf = own.join(format!("{PREFIX}supervisor"));
    match fs::create_dir(&leaf) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            return Err(CgroupFailed { what: "make", path: leaf.display().to_string(), layer, source });
        }
        _ => {}
    }
    write(&leaf.join("cgroup.procs"), "0", layer)?;
    write(&own.join("cgroup.subtree_control"), "+memory +pids +cpu", layer)?;
    count_io(own);
    Ok(())
}

/// Has input and output counted for those in `dir` where it is counted for `dir` itself. No limit hangs on it.
fn count_io(dir: &Path) {
    if dir.join("io.stat").exists() {
        let _ = fs::write(dir.join("cgroup.subtree_control"), "+io");
    }
}

/// Removes the empty cgroups of processes that ended without doing it.
pub(crate) fn sweep(hierarchies: &Hierarchies) {
    for parent in hierarchies.parents() {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let maker = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| {
                let mut parts = rest.split('-');
                Some((parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u64>().ok()?))
            });
            if let Some((pid, start)) = maker
                && started(pid) != Some(start)
            {
                // Fails where something still lives in it: then its maker is not dead but in another pid
                // namespace than ours.
                let below = fs::read_dir(entry.path()).into_iter().flatten().flatten();
                below.for_each(|below| drop(fs::remove_dir(below.path())));
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

fn write(path: &Path, value: &str, layer: Layer) -> Result<(), CgroupFailed> {
    fs::write(path, value).map_err(|source| CgroupFailed {
        what: "write to",
        path: path.display().to_string(),
        layer,
        source,
    })
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The number after `key` in a file of `key value` lines.
fn field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_file_is_read_by_whole_keys() {
        let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        assert_eq!(field(text, "oom_kill"), Some(3));
        assert_eq!(field(text, "oom"), None);
    }

    #[test]
    fn our_cgroup_is_found_in_each_kind_of_hierarchy() {
        let mounts = "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
                      31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      40 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/\n1:cpu,cpuacct:/\n0::/\n";
        let found = |controller| directory(mounts, own, controller).map(|(mount, _)| mount);
        assert_eq!(found(Some("memory")), Some("/sys/fs/cgroup/memory".into()));
        assert_eq!(found(Some("cpu")), Some("/sys/fs/cgroup/cpu,cpuacct".into()));
        assert_eq!(found(Some("pids")), None);
        assert_eq!(found(None), Some("/sys/fs/cgroup/unified".into()));
    }

    #[test]
    fn a_controller_out_of_reach_says_what_mends_it() {
        let user = Authority::User { uid: 1000, gid: 1000 };
        let (_, missing) = Hierarchies::find("", "", user);
        assert_eq!(missing.len(), 3);
        assert!(missing[0].mend.contains("Delegate=yes"), "{}", missing[0].mend);
    }
}
