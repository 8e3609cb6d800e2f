//! What the kernel shows of a cell from outside, in `/proc`: how a layer is seen to hold.

use std::fs;
use std::path::{Path, PathBuf};
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

/// The namespaces of a process, by the names of their links; those that the kernel has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Links(Vec<(&'static str, PathBuf)>);

impl Links {
    /// Of the process that is called so in `/proc`.
    pub(crate) fn of(process: &str) -> Links {
        let link = |name: &'static str| Some((name, fs::read_link(format!("/proc/{process}/ns/{name}")).ok()?));
        Links(Namespace::ALL.map(Namespace::link).into_iter().filter_map(link).collect())
    }

    /// Which of `ours` these have all of, and each another than those and than `mother`'s.
    fn foreign(&self, ours: &Links, mother: Option<&Links>) -> Option<Vec<&'static str>> {
        let of =
            |links: &'_ Links, name: &str| links.0.iter().find(|(one, _)| *one == name).map(|(_, link)| link.clone());
        let mut foreign = Vec::new();
        // A kernel without the namespace has no such link for us either.
        for (name, ours) in &ours.0 {
            let theirs = of(self, name)?;
            // One that cannot be told from the mother's counts as hers.
            let hers = |mother: &Links| of(mother, name).is_none_or(|link| link == theirs);
            if theirs != *ours && !mother.is_some_and(hers) {
                foreign.push(*name);
            }
        }
        Some(foreign)
    }
}

/// What the kernel shows of the program's process from outside (proc_pid_status(5), namespaces(7)).
#[derive(Debug)]
pub(crate) struct Seen {
    status: String,
    label: String,
    foreign: Vec<&'static str>,
    in_cgroups: bool,
    /// The id that is this cell's alone.
    own: u32,
}

impl Seen {
    /// Of the cell whose first process is `reaper`, and which came from a nursery with the namespaces of `mother`. `None`
    /// when the process is gone, or going: what is then read says nothing.
    pub(crate) fn look(pid: Pid, reaper: i32, group: &Group, mother: Option<&Links>) -> Option<Seen> {
        let pid = pid.as_raw_pid();
        let label = fs::read_to_string(format!("/proc/{pid}/attr/current")).unwrap_or_default();
        let foreign = Links::of(&pid.to_string()).foreign(&Links::of("self"), mother)?;
        let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let name = |path: &Path| path.file_name().map(|name| format!("/{}", name.to_string_lossy()));
        let in_cgroups =
            group.paths().all(|path| name(path).is_some_and(|name| cgroups.lines().any(|line| line.ends_with(&name))));
        // Last, since it tells whether the process was still there for the rest.
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let label = label.trim_end_matches(['\0', '\n']).to_owned();
        let seen = Seen { status, label, foreign, in_cgroups, own: FIRST_ID + reaper as u32 };
        seen.field("State").is_some_and(|state| !state.starts_with(['Z', 'X'])).then_some(seen)
    }

    /// Real, effective, saved and file system id, if they are one; `None` inside if they are not.
    fn id(&self, key: &str) -> Option<Option<u32>> {
        let ids: Option<Vec<u32>> = self.field(key)?.split('\t').map(|id| id.parse().ok()).collect();
        let ids = ids?;
        let first = *ids.first()?;
        Some(ids.iter().all(|id| *id == first).then_some(first))
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
                let (uid, gid, groups) = (self.id("Uid")?, self.id("Gid")?, self.field("Groups")?);
                match ids {
                    Ids::Own => {
                        let own = uid == Some(self.own) && gid == Some(self.own) && groups.is_empty();
                        seen(own, format!("uid {}, no group beside its own", self.own))
                    }
                    Ids::Ours { uid: ours, .. } => seen(uid == Some(*ours), format!("uid {ours}, groups {groups:?}")),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn links(names: &[(&'static str, &str)]) -> Links {
        Links(names.iter().map(|(name, link)| (*name, link.into())).collect())
    }

    #[test]
    fn a_namespace_of_the_nursery_s_is_none_of_the_cell_s() {
        let ours = links(&[("net", "net:[1]"), ("mnt", "mnt:[1]"), ("pid", "pid:[1]")]);
        let nursery = links(&[("net", "net:[2]"), ("mnt", "mnt:[2]"), ("pid", "pid:[1]")]);
        let cell = links(&[("net", "net:[3]"), ("mnt", "mnt:[2]"), ("pid", "pid:[3]")]);
        assert_eq!(cell.foreign(&ours, Some(&nursery)), Some(vec!["net", "pid"]));
        // Compared with us alone, as a cold one is.
        assert_eq!(cell.foreign(&ours, None), Some(vec!["net", "mnt", "pid"]));
        assert_eq!(ours.foreign(&ours, Some(&nursery)), Some(vec![]));
        // What could not be read says nothing good.
        assert_eq!(cell.foreign(&ours, Some(&Links::default())), Some(vec![]));
        assert_eq!(links(&[("net", "net:[3]")]).foreign(&ours, None), None);
    }

    fn identity(uid: &str, gid: &str, groups: &str) -> Option<Result<String, ()>> {
        let status = format!("Name:\tpython3\nState:\tS (sleeping)\nUid:\t{uid}\nGid:\t{gid}\nGroups:\t{groups}\n");
        let seen = Seen { status, label: String::new(), foreign: Vec::new(), in_cgroups: true, own: FIRST_ID + 7 };
        seen.of(&Step::Identity(Ids::Own))
    }

    #[test]
    fn the_ids_of_another_cell_or_of_the_nursery_are_not_this_one_s() {
        let id = |id: u32| [id.to_string(), id.to_string(), id.to_string(), id.to_string()].join("\t");
        let (own, other) = (id(FIRST_ID + 7), id(FIRST_ID + 8));
        assert!(matches!(identity(&own, &own, ""), Some(Ok(_))));
        for (uid, gid, groups) in [(&other, &own, ""), (&own, &other, ""), (&id(0), &id(0), ""), (&own, &own, "0")] {
            assert_eq!(identity(uid, gid, groups), Some(Err(())), "{uid} {gid} {groups}");
        }
        // One that it could go back to.
        let saved = own.replacen(&(FIRST_ID + 7).to_string(), "0", 1);
        assert_eq!(identity(&saved, &own, ""), Some(Err(())));
    }
}
