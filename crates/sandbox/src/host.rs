//! What this machine can enforce, found by looking and by trying, never by a version number.

use std::fmt;
use std::fs;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cgroup::Hierarchies;
use crate::sys;

macro_rules! layers {
    ($($variant:ident $name:literal $what:literal,)*) => {
        /// One layer of the sandbox: the unit that holds or is missing, and that an operator accepts
        /// the absence of by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Layer { $(#[doc = $what] $variant,)* }

        impl Layer {
            /// Every layer, from the outside in.
            pub const ALL: &[Layer] = &[$(Layer::$variant,)*];

            /// Its name in reports and options.
            pub const fn name(self) -> &'static str {
                match self { $(Layer::$variant => $name,)* }
            }

            /// What it does, in a few words.
            pub const fn what(self) -> &'static str {
                match self { $(Layer::$variant => $what,)* }
            }
        }
    };
}

layers! {
    CgroupMemory "cgroup.memory" "memory of the whole tree, no swap",
    CgroupPids "cgroup.pids" "processes and threads of the whole tree",
    CgroupCpu "cgroup.cpu" "share of the CPUs",
    NamespaceUser "namespace.user" "ids and capabilities that mean nothing outside",
    NamespaceMount "namespace.mount" "mounts of its own",
    NamespacePid "namespace.pid" "sees and signals only its own processes",
    NamespaceNet "namespace.net" "no interface of the host",
    NamespaceIpc "namespace.ipc" "shared memory and queues of its own",
    NamespaceUts "namespace.uts" "a host name of its own",
    NamespaceCgroup "namespace.cgroup" "does not see where it is in the host's cgroups",
    NamespaceTime "namespace.time" "clocks that do not tell the host's uptime",
    Root "root" "a fresh root with nothing of the host but the interpreter",
    RootReadOnly "root.readonly" "nothing outside the scratch space can be written",
    Proc "proc" "/proc of its own processes only, the rest of it absent",
    Scratch "scratch" "bytes and inodes that can be written",
    Descriptors "descriptors" "no open file but the three standard ones",
    Rlimits "rlimits" "open files, core dumps, locked memory, file size per process",
    Identity "identity" "an unprivileged user id that nobody else has",
    Capabilities "capabilities" "none, and none to be had",
    NoNewPrivileges "no-new-privileges" "executing a file never gains a privilege",
    NotDumpable "not-dumpable" "the cell's reaper cannot be read or traced",
    Landlock "landlock" "files, signals and sockets, refused once more by the kernel's own list",
    Selinux "selinux" "a category of its own",
    Seccomp "seccomp" "only the listed system calls",
    DeadlineWall "deadline.wall" "killed from outside at its time",
    DeadlineCpu "deadline.cpu" "killed from outside when its CPU time is used up",
    OutputBound "output.bound" "output is kept up to its limit",
}

impl Layer {
    /// Whether an operator may accept that this layer is missing.
    ///
    /// The others are either ours alone to provide, or without them nothing is left to stand on.
    pub const fn may_be_missing(self) -> bool {
        matches!(
            self,
            Layer::CgroupMemory
                | Layer::CgroupPids
                | Layer::CgroupCpu
                | Layer::NamespaceUser
                | Layer::NamespaceTime
                | Layer::NamespaceCgroup
                | Layer::Landlock
                | Layer::Selinux
        )
    }

    /// Whether a cell runs without it where the host does not offer it, without anyone's consent.
    pub const fn is_extra(self) -> bool {
        matches!(self, Layer::Selinux)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no layer.
#[derive(Debug, thiserror::Error)]
#[error("there is no layer {0:?}")]
pub struct NoSuchLayer(String);

impl FromStr for Layer {
    type Err = NoSuchLayer;

    fn from_str(name: &str) -> Result<Layer, NoSuchLayer> {
        Layer::ALL.iter().copied().find(|layer| layer.name() == name).ok_or_else(|| NoSuchLayer(name.into()))
    }
}

/// Why a layer is missing, and what would mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Which.
    pub layer: Layer,
    /// What was found.
    pub why: String,
    /// A command or a setting.
    pub mend: String,
}

/// With whose authority cells are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// Root: a cell gets user ids that nobody else has.
    Root,
    /// An ordinary user: a cell runs with that user's id, under another number.
    User {
        /// Our own user id.
        uid: u32,
        /// Our own group id.
        gid: u32,
    },
}

/// SELinux, where it is enforcing and our policy module is loaded (`policies/selinux/gambeson.cil`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selinux {
    /// The SELinux user of our own process: a cell keeps it, since another's files it could not make.
    pub user: String,
    /// Its role.
    pub role: String,
}

/// What this machine can enforce.
#[derive(Debug, Clone)]
pub struct Host {
    /// With whose authority we act.
    pub authority: Authority,
    /// The newest Landlock ABI; 0 where there is none.
    pub landlock_abi: u32,
    /// Where cells' cgroups can be made.
    pub cgroups: Hierarchies,
    /// SELinux, where it enforces.
    pub selinux: Option<Selinux>,
    /// Whether a filter can ask who watches the cell, so that what is refused is explained. No layer: what is not
    /// explained is refused all the same.
    pub explains: bool,
    /// Layers that this host does not offer.
    pub missing: Vec<Missing>,
}

impl Host {
    /// Looks at what can be known without trying: a fraction of a millisecond.
    ///
    /// What only an attempt can tell (whether namespaces can be made at all) is learnt when a cell is
    /// built, which then fails closed, or from [`Host::try_namespaces`].
    pub fn probe() -> Host {
        let mut missing = Vec::new();
        let authority = authority();
        let landlock_abi = sys::landlock::abi();
        if landlock_abi == 0 {
            missing.push(Missing {
                layer: Layer::Landlock,
                why: "the kernel has no Landlock, or it is not enabled".into(),
                mend: "boot with lsm=landlock,... (CONFIG_SECURITY_LANDLOCK, Linux 5.13 or newer)".into(),
            });
        }
        let (cgroups, without) = Hierarchies::probe(authority);
        missing.extend(without);
        if let Some(why) = user_namespaces_forbidden(authority) {
            missing.push(why);
        }
        if fs::metadata("/proc/self/ns/time").is_err() {
            missing.push(Missing {
                layer: Layer::NamespaceTime,
                why: "the kernel has no time namespaces".into(),
                mend: "CONFIG_TIME_NS, Linux 5.6 or newer".into(),
            });
        }
        let selinux = match selinux() {
            Ok(selinux) => Some(selinux),
            Err((why, mend)) => {
                missing.push(Missing { layer: Layer::Selinux, why: why.into(), mend: mend.into() });
                None
            }
        };
        let explains = sys::notify::is_there();
        Host { authority, landlock_abi, cgroups, selinux, explains, missing }
    }

    /// Why `layer` is missing here, if it is.
    pub fn missing(&self, layer: Layer) -> Option<&Missing> {
        self.missing.iter().find(|missing| missing.layer == layer)
    }

    /// Makes each namespace in a child that ends at once, and says which could not be made.
    pub fn try_namespaces(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        let user = libc::CLONE_NEWUSER as u64;
        let kinds = [
            (Layer::NamespaceUser, user, "/proc/sys/user/max_user_namespaces"),
            (Layer::NamespaceMount, libc::CLONE_NEWNS as u64, "/proc/sys/user/max_mnt_namespaces"),
            (Layer::NamespacePid, libc::CLONE_NEWPID as u64, "/proc/sys/user/max_pid_namespaces"),
            (Layer::NamespaceNet, libc::CLONE_NEWNET as u64, "/proc/sys/user/max_net_namespaces"),
            (Layer::NamespaceIpc, libc::CLONE_NEWIPC as u64, "/proc/sys/user/max_ipc_namespaces"),
            (Layer::NamespaceUts, libc::CLONE_NEWUTS as u64, "/proc/sys/user/max_uts_namespaces"),
            (Layer::NamespaceCgroup, libc::CLONE_NEWCGROUP as u64, "/proc/sys/user/max_cgroup_namespaces"),
            (Layer::NamespaceTime, libc::CLONE_NEWTIME as u64, "/proc/sys/user/max_time_namespaces"),
        ];
        for (layer, flag, setting) in kinds {
            if let Err(errno) = sys::clone::trial(user | flag) {
                missing.push(Missing {
                    layer,
                    why: format!("trying it: {errno}"),
                    mend: format!("see {setting}, and user_namespaces(7)"),
                });
            }
        }
        missing
    }
}

fn authority() -> Authority {
    use rustix::thread::CapabilitySet as Cap;
    let needed = Cap::SYS_ADMIN | Cap::SETUID | Cap::SETGID | Cap::KILL;
    let root = rustix::process::geteuid().is_root()
        && rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
        // Root of a container often has only a few ids to give; the range must be there.
        && has_every_id("/proc/self/uid_map")
        && has_every_id("/proc/self/gid_map");
    if root {
        Authority::Root
    } else {
        Authority::User { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() }
    }
}

/// Whether the range of ids that cells take theirs from is mapped in our user namespace.
fn has_every_id(map: &str) -> bool {
    fs::read_to_string(map).is_ok_and(|map| {
        map.lines().any(|line| {
            let mut words = line.split_whitespace().map(|word| word.parse::<u64>().unwrap_or(0));
            let (first, _, count) = (words.next(), words.next(), words.next());
            let (first, count) = (first.unwrap_or(0), count.unwrap_or(0));
            first <= u64::from(crate::step::FIRST_ID) && first + count >= u64::from(crate::step::FIRST_ID) + (1 << 22)
        })
    })
}

fn user_namespaces_forbidden(authority: Authority) -> Option<Missing> {
    let setting = |path: &str| fs::read_to_string(path).ok().map(|value| value.trim().to_owned());
    let missing =
        |why: &str, mend: &str| Some(Missing { layer: Layer::NamespaceUser, why: why.into(), mend: mend.into() });
    if setting("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
        return missing("user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=15000");
    }
    if authority == Authority::Root {
        return None;
    }
    if setting("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        return missing(
            "kernel.unprivileged_userns_clone is 0",
            "sysctl -w kernel.unprivileged_userns_clone=1, or run the worker as root",
        );
    }
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1")
        && sys::clone::trial(libc::CLONE_NEWUSER as u64 | libc::CLONE_NEWNS as u64).is_err()
    {
        return missing(
            "AppArmor forbids user namespaces to unprivileged programs without a profile",
            "install deploy/apparmor/gambeson to /etc/apparmor.d/, or run the worker as root",
        );
    }
    None
}

fn selinux() -> Result<Selinux, (&'static str, &'static str)> {
    let enforce = fs::read_to_string("/sys/fs/selinux/enforce")
        .map_err(|_| ("SELinux is off", "nothing, unless your distribution offers it"))?;
    if enforce.trim() != "1" {
        return Err(("SELinux is permissive", "setenforce 1"));
    }
    let own = fs::read_to_string("/proc/self/attr/current")
        .map_err(|_| ("our own SELinux context cannot be read", "see ausearch -m avc"))?;
    let mut parts = own.trim_end_matches(['\0', '\n', ' ']).splitn(4, ':').map(str::to_owned);
    let (Some(user), Some(role), Some(_), Some(_)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(("the loaded policy has no categories", "use a policy with MLS or MCS"));
    };
    // The kernel answers whether the loaded policy knows such a context (security_check_context).
    fs::write("/sys/fs/selinux/context", format!("{user}:{role}:{CELL_TYPE}:s0:c0,c1"))
        .map_err(|_| ("the policy module gambeson is not loaded", "semodule -i policies/selinux/gambeson.cil"))?;
    Ok(Selinux { user, role })
}

/// The domain of a cell's program.
pub(crate) const CELL_TYPE: &str = "gambeson_cell_t";
