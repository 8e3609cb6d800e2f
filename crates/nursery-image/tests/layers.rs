//! A warm and a cold cell of the same specification have the same layers, item by item, seen from inside and from
//! outside.

mod ground;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use gambeson_sandbox::{Cell, Ended, Held, Input, Network, Plan, Sink, Spec, Start, Streams};

/// What a look from inside and one from outside found, each item with its name, and how the cell ended.
struct Found {
    inside: BTreeMap<String, String>,
    outside: BTreeMap<String, String>,
    ended: Ended,
}

/// Lets `inside/layers.py` say what it sees, and looks from outside while it waits.
fn look(cell: Cell, nursery: i32) -> Found {
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let ((their_in, our_in), (our_out, their_out)) = (pipe(), pipe());
    let pid = cell.pid();
    let (ended, (inside, outside)) = thread::scope(|scope| {
        let looker = scope.spawn(move || {
            let mut inside = BTreeMap::new();
            for line in BufReader::new(fs::File::from(our_out)).lines() {
                let line = String::from_utf8_lossy(line.unwrap().as_bytes()).into_owned();
                let (name, value) = line.split_once('\t').unwrap_or_else(|| panic!("{line:?} is no item"));
                inside.insert(name.to_owned(), value.to_owned());
                if name == "ns" {
                    break;
                }
            }
            let outside = from_outside(pid, nursery);
            drop(our_in);
            (inside, outside)
        });
        let (stdin, stdout) = (Input::Fd(their_in.as_fd()), Sink::Fd(their_out.as_fd()));
        let ended = cell.wait(Streams { stdin, stdout, ..Streams::kept() });
        // The other end, if the program never came to its last item.
        drop(their_out);
        (ended, looker.join().unwrap())
    });
    Found { inside, outside, ended }
}

/// What `/proc` and the cgroups show of a cell and its program (proc(5), cgroups(7)).
fn from_outside(cell: i32, nursery: i32) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let program = ground::guest(cell).unwrap_or(cell);
    let own_id = (ground::FIRST_ID + cell.unsigned_abs()).to_string();
    for (who, pid) in [("reaper", cell), ("program", program)] {
        let mut say = |name: String, value: String| {
            // Ids and pids are each cell's own.
            let value = value.replace(&own_id, "OWN");
            let words = value.split_whitespace().map(|word| match word.parse::<i32>() {
                Ok(number) if number == cell => "REAPER",
                Ok(number) if number == program => "PROGRAM",
                Ok(number) if number.unsigned_abs() == std::process::id() => "SUPERVISOR",
                _ => word,
            });
            found.insert(format!("{who} {name}"), words.collect::<Vec<_>>().join(" "));
        };
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_else(|why| why.to_string());
        for line in read("status").lines() {
            let (key, value) = line.split_once(':').unwrap();
            let amount = ["Vm", "Rss", "Hugetlb"].iter().any(|start| key.starts_with(start));
            let own = key == "State" || who == "reaper" && BORN_WITH.contains(&key);
            if !amount && !own && !key.ends_with("ctxt_switches") {
                say(format!("status {key}"), value.trim().to_owned());
            }
        }
        for name in [
            "limits",
            "oom_score_adj",
            "uid_map",
            "gid_map",
            "setgroups",
            "personality",
            "coredump_filter",
            "comm",
            "loginuid",
            "sessionid",
            "timerslack_ns",
            "attr/current",
        ] {
            if who != "reaper" || !BORN_WITH.contains(&name) {
                say(name.into(), read(name));
            }
        }
        for entry in fs::read_dir(format!("/proc/{pid}/ns")).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let of = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
            let whose = [("ours", std::process::id() as i32), ("the nursery's", nursery)];
            let whose = whose.into_iter().find(|(_, other)| of(*other) == of(pid));
            say(format!("ns {name}"), whose.map_or("another".into(), |(whose, _)| whose.into()));
        }
        let owner = |path: String| {
            let data = fs::symlink_metadata(path).unwrap();
            use std::os::unix::fs::MetadataExt;
            format!("{} {}", data.uid(), data.gid())
        };
        say("owner".into(), owner(format!("/proc/{pid}/fd")));
        let mut fds: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .map(|to| to.to_string_lossy().split(':').next().unwrap_or_default().to_owned())
            .collect();
        fds.sort();
        say("fds".into(), fds.join(" "));
        for line in read("cgroup").lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next().unwrap(), parts.next().unwrap());
            let own = path.rsplit('/').next().unwrap_or_default().starts_with("gambeson-");
            say(format!("cgroup {controllers}"), if own { "its own".into() } else { path.to_owned() });
            let place = if controllers.is_empty() { "unified" } else { controllers };
            let places = [format!("/sys/fs/cgroup/{place}{path}"), format!("/sys/fs/cgroup{path}")];
            let Some(place) = places.iter().find(|place| own && Path::new(place).is_dir()) else { continue };
            for name in LIMITS {
                if let Ok(value) = fs::read_to_string(format!("{place}/{name}")) {
                    say(format!("cgroup {controllers} {name}"), value);
                }
            }
        }
    }
    found
}

/// What a reaper has of whoever it is a copy of, supervisor or nursery, and confines nobody: its program, in a session
/// of its own, is compared in full.
const BORN_WITH: &[&str] = &["Name", "comm", "FDSize", "NSpgid", "NSsid", "SigIgn", "limits"];

/// The files of both versions in which a limit stands.
const LIMITS: &[&str] = &[
    "memory.max",
    "memory.high",
    "memory.low",
    "memory.min",
    "memory.swap.max",
    "memory.oom.group",
    "pids.max",
    "cpu.max",
    "cpu.weight",
    "cgroup.type",
    "cgroup.max.depth",
    "cgroup.max.descendants",
    "cgroup.subtree_control",
    "cgroup.controllers",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.soft_limit_in_bytes",
    "memory.swappiness",
    "memory.oom_control",
    "memory.use_hierarchy",
    "cpu.cfs_quota_us",
    "cpu.cfs_period_us",
    "cpu.shares",
    "notify_on_release",
];

fn differences(cold: &BTreeMap<String, String>, warm: &BTreeMap<String, String>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = cold.keys().chain(warm.keys()).collect();
    let of = |items: &BTreeMap<String, String>, name: &String| items.get(name).cloned().unwrap_or("(nothing)".into());
    names
        .into_iter()
        .filter(|name| cold.get(*name) != warm.get(*name))
        .map(|name| format!("{name}\n      cold: {}\n      warm: {}", of(cold, name), of(warm, name)))
        .collect()
}

fn program(network: Network) -> Spec {
    let mut spec = ground::spec(&ground::python(), include_str!("inside/layers.py"));
    spec.network = network;
    spec
}

fn look_at(spec: &Spec, mutate: impl Fn(Plan) -> Plan) -> (Found, Found) {
    let mut nursery = ground::nursery(&spec.environment, &[]);
    let host = ground::host().unwrap();
    let cold = look(gambeson_sandbox::launch(ground::planned(spec), host).unwrap(), nursery.pid());
    let spare = nursery.birth(&mutate(ground::planned(&ground::stranger(spec)))).unwrap();
    let warm = look(spare.run(mutate(ground::planned(spec))).map_err(|back| back.why).unwrap(), nursery.pid());
    (cold, warm)
}

/// Everything that differs.
fn compare(cold: &Found, warm: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut left, mut right) = (cold.inside.clone(), warm.inside.clone());
    // Whose they are is seen from outside.
    left.remove("ns");
    right.remove("ns");
    wrong.extend(differences(&left, &right).into_iter().map(|line| format!("inside: {line}")));
    wrong.extend(differences(&cold.outside, &warm.outside).into_iter().map(|line| format!("outside: {line}")));
    let layers = |found: &Found| -> Vec<String> {
        let line = |uid: u32, text: &str| text.replace(&uid.to_string(), "OWN");
        let uid = |text: &str| text.split("uid ").nth(1)?.split(',').next()?.parse().ok();
        let layers = &found.ended.exit.layers;
        let own = layers.iter().find_map(|one| uid(&one.detail)).unwrap_or(0);
        layers.iter().map(|one| format!("{} {:?} {}", one.layer, one.held, line(own, &one.detail))).collect()
    };
    if layers(cold) != layers(warm) {
        wrong.push(format!("layers\n      cold: {:?}\n      warm: {:?}", layers(cold), layers(warm)));
    }
    wrong
}

fn the_same(network: Network) {
    if ground::host().is_none() {
        return;
    }
    let (cold, warm) = look_at(&program(network), |plan| plan);
    assert!(cold.inside.len() > 600, "only {} items: {}", cold.inside.len(), ground::told(&cold.ended));
    assert!(cold.outside.len() > 100, "only {} items", cold.outside.len());
    assert_eq!((cold.ended.exit.start, warm.ended.exit.start), (Start::Cold, Start::Warm));
    assert!(warm.ended.exit.layers.iter().any(|one| one.held == Held::Held));
    let wrong = compare(&cold, &warm);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_warm_cell_has_the_layers_of_a_cold_one() {
    the_same(Network::None);
}

#[test]
fn a_warm_cell_with_a_loopback_network_has_the_layers_of_a_cold_one() {
    the_same(Network::Loopback);
}

/// A comparison that finds nothing shows nothing, unless it finds what is missing.
#[cfg(feature = "mutation")]
#[test]
fn a_layer_that_is_dropped_is_missed() {
    use gambeson_sandbox::Layer;
    if ground::host().is_none() {
        return;
    }
    let spec = program(Network::None);
    // Each with an item that tells, from inside or outside.
    for (layer, tells) in [
        (Layer::Seccomp, "inside: status Seccomp"),
        (Layer::Landlock, "inside: open /proc"),
        (Layer::Capabilities, "inside: status CapBnd"),
        (Layer::CgroupPids, "outside: program cgroup pids"),
        (Layer::CgroupMemory, "outside: program cgroup memory"),
        (Layer::NamespaceIpc, "outside: program ns ipc"),
        (Layer::NamespaceTime, "outside: program ns time"),
        (Layer::NamespaceNet, "outside: program ns net"),
        (Layer::RootReadOnly, "inside: mount"),
        (Layer::Rlimits, "inside: rlimit"),
    ] {
        let (cold, warm) = look_at(&spec, |plan| plan.without(&[layer]));
        let wrong = compare(&cold, &warm);
        let told = wrong.iter().any(|line| line.starts_with(tells));
        assert!(
            told,
            "without {layer} nothing begins with {tells:?}: {}\n{}",
            wrong.join("\n"),
            ground::told(&warm.ended)
        );
    }
}
