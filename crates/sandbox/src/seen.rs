//! What the kernel shows of a cell from outside, in `/proc`: how a layer is seen to hold.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::Pid;

use crate::cgroup::Group;
use crate::step::{FIRST_ID, Ids, Namespace, Step};

/// The program's process as the host sees it: the reaper's first child.
pub(crate) fn guest_of(reaper: i32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{reaper}/task/{reaper}/children")).ok()?;
    Pid::from_raw(children.split_whitespace().next()?.parse().ok()?)
}

/// CPU time of a process and all below it, for a host that counts none per cgroup (proc_pid_stat(5)): of
/// those that live, and of those that they waited for. A program can hide what its short-lived children used;
/// then RLIMIT_CPU of each is what remains.
pub(crate) fn tree_cpu_time(pid: i32) -> Duration {
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
pub(crate) struct Seen {
    status: String,
    label: String,
    foreign: Vec<&'static str>,
    in_cgroups: bool,
}

impl Seen {
    /// `None` when the process is gone, or going: what is then read says nothing.
    pub(crate) fn look(pid: Pid, group: &Group) -> Option<Seen> {
        let pid = pid.as_raw_pid();
        let label = fs::read_to_string(format!("/proc/{pid}/attr/current")).unwrap_or_default();
        let mut foreign = Vec::new();
        for name in Namespace::ALL.map(Namespace::link) {
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
    pub(crate) fn of(&self, step: &Step) -> Option<Result<String, ()>> {
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
