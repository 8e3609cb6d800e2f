//! The steps that a plan is made of: which layer each makes, who carries it out, and how it is printed.

use std::ffi::CString;
use std::fmt;
use std::net::SocketAddrV4;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::{Layer, Selinux};
use crate::limits::{Bytes, MilliCpus};
use crate::plan::{Refusal, string};
use crate::seccomp::Policy;
use crate::spec::{Network, OpenFile};
use crate::sys::landlock::access;

/// The user and group id that a program sees as its own.
pub(crate) const GUEST_ID: u32 = 1000;

/// Outside, a cell's user id is this plus the pid of its first process, which no other living cell has.
/// Far above what people and containers are given, below what the kernel reserves (`(uid_t) -1`).
pub(crate) const FIRST_ID: u32 = 0x6000_0000;

/// A namespace (namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    pub(crate) const ALL: [Namespace; 8] = [
        Namespace::User,
        Namespace::Mount,
        Namespace::Pid,
        Namespace::Net,
        Namespace::Ipc,
        Namespace::Uts,
        Namespace::Cgroup,
        Namespace::Time,
    ];

    pub(crate) const fn layer(self) -> Layer {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// Of the program.
    pub(crate) program: CString,
    /// Of the root, which it only reads.
    pub(crate) root: CString,
    /// Of what it writes.
    pub(crate) scratch: CString,
}

impl Labels {
    pub(crate) fn new(selinux: &Selinux) -> Result<Labels, Refusal> {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    #[serde(with = "resource")]
    pub(crate) resource: rustix::process::Resource,
    pub(crate) soft: Option<u64>,
    pub(crate) hard: Option<u64>,
}

/// A resource by its number: the kernel's order (asm-generic/resource.h).
mod resource {
    use rustix::process::Resource;
    use serde::{Deserialize, Deserializer, Serializer};

    const ALL: [Resource; 16] = [
        Resource::Cpu,
        Resource::Fsize,
        Resource::Data,
        Resource::Stack,
        Resource::Core,
        Resource::Rss,
        Resource::Nproc,
        Resource::Nofile,
        Resource::Memlock,
        Resource::As,
        Resource::Locks,
        Resource::Sigpending,
        Resource::Msgqueue,
        Resource::Nice,
        Resource::Rtprio,
        Resource::Rttime,
    ];

    pub(super) fn serialize<S: Serializer>(resource: &Resource, to: S) -> Result<S::Ok, S::Error> {
        let place = ALL.iter().position(|one| one == resource);
        let place = place.ok_or_else(|| serde::ser::Error::custom("a resource without a number"))?;
        to.serialize_u8(place as u8)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Resource, D::Error> {
        let place = u8::deserialize(from)?;
        ALL.get(usize::from(place)).copied().ok_or_else(|| serde::de::Error::custom("no such resource"))
    }
}

/// One step of building a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// A listening socket on it, which goes to the supervisor.
    Listen {
        at: SocketAddrV4,
    },
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Stage {
    Directory(CString),
    File {
        path: CString,
        mode: u32,
        contents: Vec<u8>,
    },
    Link {
        path: CString,
        target: CString,
    },
    /// The last: of a variant that is left out, those after it are counted otherwise when read than when written.
    #[serde(skip)]
    Part {
        path: CString,
        mode: u32,
        from: OpenFile,
        offset: u64,
        size: u64,
    },
}

impl Stage {
    /// Where it will be.
    pub(crate) fn path(&self) -> &CString {
        match self {
            Stage::Directory(path) | Stage::File { path, .. } | Stage::Part { path, .. } | Stage::Link { path, .. } => {
                path
            }
        }
    }
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
            | Step::Listen { .. }
            | Step::Show { .. }
            | Step::Pts
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
            | Step::Listen { .. }
            | Step::Show { .. }
            | Step::Proc { .. }
            | Step::Scratch { .. }
            | Step::Pts
            | Step::Enter
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
            Step::Listen { at } => write!(f, "listen at {at}, for the supervisor to accept"),
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
                    Network::Loopback | Network::Allow => "TCP as the namespace has it",
                };
                write!(f, "ABI {abi}, {tcp}; refuse all but:")?;
                for (path, reach) in rules {
                    write!(f, "\n{:24}{:8?} {}", "", reach, text(path))?;
                }
                Ok(())
            }
            Step::Selinux(labels) => write!(f, "{} and two categories of its own", text(&labels.program)),
            Step::Seccomp(policy) => {
                let why = match (policy.explains(), policy.traces()) {
                    (_, true) => "and write down each",
                    (true, false) => "and say why",
                    (false, false) => "without a word",
                };
                write!(f, "{} system calls allowed; refuse the others, {why}", policy.allowed())
            }
            Step::DeadlineWall(limit) => write!(f, "killed after {limit:?} on the clock"),
            Step::DeadlineCpu(limit) => write!(f, "killed after {limit:?} of CPU time"),
            Step::OutputBound(limit) => write!(f, "{limit} of output kept, then killed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_half_a_million_pids_share_their_categories() {
        let mut seen = std::collections::HashSet::new();
        for pid in 1..=523_264 {
            let pair = categories(pid);
            assert!(pair.0 < pair.1 && pair.1 < 1024 && seen.insert(pair), "{pid}: {pair:?}");
        }
    }
}
