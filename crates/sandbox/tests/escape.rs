//! The escape corpus: each file of `tests/escape/` is one attack, run in a cell as anybody's program is.
//!
//! A case passes when
//! 1. its run ends as its header expects, and says of each layer that the case names as a guard that it held;
//! 2. each of its controls does as it claims: the same attack against a plan without some layers escapes, or is
//!    held by another layer. An attack that can succeed nowhere shows nothing when it fails here;
//! 3. after every run, mutated or not, the supervisor (this process) lives, the cell next door and a process of
//!    the host answer as before, and nothing is left behind.
//!
//! Words after `--` select cases by parts of their file names, and show what each run said.
//! `GAMBESON_TEST_PYTHON` names the interpreter. With `GAMBESON_TEST_START=warm` the cells, that next door too, come
//! from a nursery; controls are left out then, since a nursery has no rights that a cell without a layer would need.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gambeson_sandbox::{
    Authority, Bytes, Cell, End, Ended, Environment, Held, Host, Input, Layer, Limits, MilliCpus, Network, Nursery,
    Plan, Sink, Spec, Staged, Start, Streams, Terminal, Wanted, collect, launch, plan,
};

/// What the corpus must not shrink below.
const FEWEST_CASES: usize = 110;
/// What must differ between two cells, and does not between two of one nursery (docs/threat-model.md says what
/// follows; a project can demand cells that share nothing).
const SHARED_BY_SIBLINGS: &[&str] = &["f03_hash_seed", "f03_memory_layout", "f03_stack_canary"];
/// In each of these groups at least one attack must have succeeded without its layers.
const GROUPS: &str = "ABCDEFGH";
/// As many as the smallest host of ours has processors.
const AT_ONCE: usize = 2;
/// How long a run may take beyond its own limit, and a mutated one at all: it may lack the layer that ends it.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is cleared up behind a result has this long to be gone.
const GRACE: Duration = Duration::from_secs(2);
/// All user ids of cells lie above it (`plan.rs`).
const FIRST_ID: u32 = 0x6000_0000;

/// One attack, as its file tells it.
struct Case {
    file: String,
    id: String,
    title: String,
    expect: String,
    limits: Limits,
    network: Network,
    guards: Vec<Layer>,
    controls: Vec<Control>,
    /// Paths below `/work/out`, each with the size it is collected with, or none.
    artifacts: Vec<(PathBuf, Option<u64>)>,
    distinct: bool,
    source: String,
}

/// What becomes of the attack without some layers: it escapes, or another layer holds it.
struct Control {
    dropped: Vec<Layer>,
    held: Option<Layer>,
}

impl Case {
    fn read(path: &Path) -> Result<Case, Box<dyn Error>> {
        let mut case = Case {
            file: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            id: String::new(),
            title: String::new(),
            expect: String::new(),
            limits: Limits::default(),
            network: Network::None,
            guards: Vec::new(),
            controls: Vec::new(),
            artifacts: Vec::new(),
            distinct: false,
            source: fs::read_to_string(path)?,
        };
        let mut without_control = false;
        for line in case.source.lines().map_while(|line| line.strip_prefix("# ")) {
            let (key, value) = line.split_once(": ").ok_or("a header line has no key")?;
            let words: Vec<&str> = value.split_whitespace().collect();
            match (key, words.as_slice()) {
                ("id", _) => case.id = value.into(),
                ("title", _) => case.title = value.into(),
                ("expect", _) => case.expect = value.into(),
                ("limits", settings) => {
                    settings
                        .iter()
                        .try_for_each(|setting| limit(&mut case.limits, setting))
                        .ok_or("a limit means nothing")?;
                }
                ("network", ["loopback"]) => case.network = Network::Loopback,
                ("network", ["allow"]) => case.network = Network::Allow,
                ("guards", names) => case.guards = layers(names)?,
                ("control", ["none,", _, ..]) => without_control = true,
                ("control", [names @ .., "=>", "escaped"]) => {
                    case.controls.push(Control { dropped: layers(names)?, held: None });
                }
                ("control", [names @ .., "=>", "held", holder]) => {
                    case.controls.push(Control { dropped: layers(names)?, held: Some(holder.parse()?) });
                }
                ("collect", ["present", path, size]) => case.artifacts.push((path.into(), Some(size.parse()?))),
                ("collect", ["absent", path]) => case.artifacts.push((path.into(), None)),
                ("distinct", ["yes"]) => case.distinct = true,
                // For readers: how the attack works, or what it needs.
                ("works", _) => {}
                _ => return Err(format!("the header line {line:?} means nothing").into()),
            }
        }
        let empty = [&case.id, &case.title, &case.expect].iter().any(|text| text.is_empty()) || case.guards.is_empty();
        if empty || without_control != case.controls.is_empty() {
            return Err("id, title, expect, guards, or control is missing".into());
        }
        for Control { dropped, held } in &case.controls {
            if dropped.is_empty() || held.is_some_and(|held| dropped.contains(&held) || !case.guards.contains(&held)) {
                return Err("a control drops nothing, or is held by a layer that is dropped or no guard".into());
            }
        }
        Ok(case)
    }

    /// Whether a run ended as it should where enough layers are in place.
    fn holds(&self, run: &Run) -> bool {
        match self.expect.as_str() {
            "contained" => run.said == "exited 0" && run.last.starts_with("CONTAINED: "),
            expect => run.said == expect && !run.escaped(),
        }
    }
}

fn layers(names: &[&str]) -> Result<Vec<Layer>, Box<dyn Error>> {
    Ok(names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?)
}

fn names(layers: &[Layer]) -> String {
    layers.iter().map(|layer| layer.name()).collect::<Vec<_>>().join(" ")
}

fn limit(limits: &mut Limits, setting: &str) -> Option<()> {
    let (name, value) = setting.split_once('=')?;
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let number: f64 = value[..end].parse().ok()?;
    let unit = match &value[end..] {
        "K" => 1024.0,
        "M" => 1_048_576.0,
        "s" | "" => 1.0,
        _ => return None,
    };
    let (bytes, time) = (Bytes((number * unit) as u64), Duration::from_secs_f64(number));
    match name {
        "memory" => limits.memory = bytes,
        "disk" => limits.disk = bytes,
        "output" => limits.output = bytes,
        "pids" => limits.pids = number as u32,
        "files" => limits.files = number as u32,
        "open_files" => limits.open_files = number as u32,
        "wall" => limits.wall = time,
        "cpu" => limits.cpu = time,
        "cpus" => limits.cpus = MilliCpus((number * 1000.0) as u32),
        _ => return None,
    }
    Some(())
}

/// A run that came to its end.
struct Run {
    ended: Ended,
    /// The end, in the words of the headers.
    said: String,
    /// The last line of its output: the attack's own verdict.
    last: String,
}

impl Run {
    fn new(ended: Ended) -> Run {
        let said = match &ended.exit.end {
            End::Exited(code) => format!("exited {code}"),
            End::Signalled(signal) => format!("signalled {signal}"),
            End::LimitHit { limit, .. } => format!("limit_hit {limit}"),
            End::Refused(_) => "refused".into(),
            End::Cancelled => "cancelled, it took too long".into(),
            fault @ End::Fault { .. } => fault.message(),
        };
        let last = String::from_utf8_lossy(&ended.stdout).trim_end().lines().last().unwrap_or_default().to_owned();
        Run { ended, said, last }
    }

    /// The attack's own word counts only from a program that ran to an end of its own.
    fn escaped(&self) -> bool {
        self.last.starts_with("ESCAPED: ") && self.said.starts_with("exited ")
    }

    fn values(&self) -> BTreeSet<String> {
        let text = String::from_utf8_lossy(&self.ended.stdout);
        text.lines().filter(|line| line.starts_with("VALUE: ")).map(String::from).collect()
    }

    fn told(&self) -> String {
        let errors = String::from_utf8_lossy(&self.ended.stderr);
        let error = errors.trim_end().lines().last().unwrap_or_default();
        format!("{}: {:.300} {error:.300}", self.said, self.last)
    }
}

/// A program that answers each line with a line, as long as it lives.
struct Answering {
    to: Option<fs::File>,
    lines: mpsc::Receiver<String>,
}

impl Answering {
    fn new(to: impl Into<OwnedFd>, from: impl Into<OwnedFd>) -> Answering {
        let (sender, lines) = mpsc::channel();
        let from = BufReader::new(fs::File::from(from.into()));
        // A thread, so that one that is stopped is noticed and not waited for.
        thread::spawn(move || from.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Answering { to: Some(to.into().into()), lines }
    }

    fn hear(&self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(10)).ok()
    }

    fn ask(&mut self) -> Option<String> {
        self.to.as_mut()?.write_all(b"\n").ok()?;
        self.hear()
    }
}

/// The host as the attacks find it: what they are after, and what must stay as it is.
struct Ground {
    host: Host,
    environment: Environment,
    /// Where the cells come from, if not from a launch.
    nursery: Option<Mutex<Nursery>>,
    facts: serde_json::Value,
    witness: Child,
    witnessing: Mutex<Answering>,
    /// The cell next door counts how often it was asked.
    bystander: Mutex<(Answering, u64)>,
    cgroups: BTreeSet<PathBuf>,
    mounts: BTreeSet<String>,
    launching: Mutex<()>,
    /// Not closed at exec: what the controls without `descriptors` find.
    _leak: (OwnedFd, OwnedFd),
}

impl Ground {
    fn prepare() -> Result<Ground, Box<dyn Error>> {
        let host = Host::probe();
        // Not one in a home directory: see `cannot_drop`.
        let python = std::env::var_os("GAMBESON_TEST_PYTHON").unwrap_or_else(|| "/usr/bin/python3".into());
        let environment = Environment::discover(Path::new(&python))?;
        let mut command = Command::new(&python);
        command.args(["-I", "-c", include_str!("host/witness.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut witness = command.spawn()?;
        let pipes = (witness.stdin.take().expect("piped"), witness.stdout.take().expect("piped"));
        let witnessing = Answering::new(pipes.0, pipes.1);
        let facts = witnessing.hear().ok_or("the process of the host could not make what it shares")?;
        let mut facts: serde_json::Value = serde_json::from_str(&facts)?;
        let nursery = match std::env::var("GAMBESON_TEST_START").as_deref() {
            Ok("warm") => Some(nursery(&host, &environment)?),
            Ok("cold") | Err(_) => None,
            Ok(other) => return Err(format!("GAMBESON_TEST_START is {other:?}, neither warm nor cold").into()),
        };
        let nursery = nursery.map(Mutex::new);
        let (bystander, pid) = bystander(&host, &environment, nursery.as_ref())?;
        facts["bystander_uid"] = match host.authority {
            Authority::Root => FIRST_ID + pid,
            Authority::User { uid, .. } => uid,
        }
        .into();
        let mut cgroups = BTreeSet::new();
        places_of_cgroups(Path::new("/sys/fs/cgroup"), &mut cgroups);
        Ok(Ground {
            host,
            environment,
            nursery,
            facts,
            witness,
            witnessing: Mutex::new(witnessing),
            bystander: Mutex::new((bystander, 0)),
            cgroups,
            mounts: mounts(),
            launching: Mutex::new(()),
            _leak: rustix::pipe::pipe()?,
        })
    }

    /// Why an attack on `layers` shows nothing on this host.
    fn lacks(&self, layers: &[Layer]) -> Option<String> {
        let missing = layers.iter().find_map(|layer| self.host.missing(*layer));
        let unprivileged = layers.contains(&Layer::Identity) && self.host.authority != Authority::Root;
        missing
            .map(|missing| format!("{}: {}", missing.layer, missing.why))
            .or(unprivileged.then(|| "identity: only root has user ids to give".into()))
    }

    /// Why a control shows nothing on this host.
    fn cannot_drop(&self, layers: &[Layer]) -> Option<String> {
        let open = |above: &Path| fs::metadata(above).is_ok_and(|data| data.mode() & 0o001 != 0);
        let hidden = layers.contains(&Layer::Root) && !self.environment.executable.ancestors().all(open);
        let warm = self.nursery.is_some().then(|| "cold cells have it".to_owned());
        warm.or(self.lacks(layers))
            .or(hidden.then(|| "where the host is shown, only its owner reaches the interpreter".into()))
    }

    fn facts(&self, limits: &Limits) -> String {
        let mut facts = self.facts.clone();
        facts["host_boot_monotonic"] = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec.into();
        facts["limits"] = serde_json::json!({
            "memory": limits.memory.0, "pids": limits.pids, "disk": limits.disk.0, "files": limits.files,
            "output": limits.output.0, "wall_ms": limits.wall.as_millis() as u64,
            "cpu_ms": limits.cpu.as_millis() as u64, "open_files": limits.open_files,
        });
        facts.to_string()
    }

    /// Runs an attack once. An error is a failure, whatever the attack was.
    fn run(&self, case: &Case, dropped: &[Layer]) -> Result<Run, String> {
        let name = format!("{}.py", case.file);
        let mut spec = spec(&self.host, &self.environment, &name, &case.source, case.limits.clone());
        spec.args.push(self.facts(&case.limits).into());
        spec.network = case.network;
        let mut plan = plan(&spec, &self.host).map_err(|refusal| refusal.to_string())?;
        let mut patience = case.limits.wall + PATIENCE;
        if !dropped.is_empty() {
            plan = plan.without(dropped);
            patience = PATIENCE;
        }
        let timer = alarm(patience).map_err(|errno| errno.to_string())?;
        // One at a time, so that the cgroups that appear meanwhile are this cell's.
        let launching = self.launching.lock().expect("nobody panics here");
        let before = self.list_cgroups();
        let cell = start(&spec, plan, &self.host, self.nursery.as_ref().filter(|_| dropped.is_empty()))?;
        let cgroups: Vec<PathBuf> = self.list_cgroups().difference(&before).cloned().collect();
        drop(launching);
        let uid = FIRST_ID + cell.pid().unsigned_abs();
        let run = Run::new(cell.wait(Streams { cancel: Some(timer.as_fd()), ..Streams::kept() }));
        let started = if self.nursery.is_some() && dropped.is_empty() { Start::Warm } else { Start::Cold };
        if run.ended.exit.start != started {
            return Err(format!("its start was {:?}", run.ended.exit.start));
        }

        let deadline = Instant::now() + GRACE;
        loop {
            let left = self.left_behind(uid, &cgroups);
            if left.is_empty() {
                break;
            }
            if Instant::now() > deadline {
                return Err(format!("left behind: {}; {}", left.join(", "), run.told()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        match self.disturbed() {
            None => Ok(run),
            Some(why) => Err(format!("{why}; {}", run.told())),
        }
    }

    fn list_cgroups(&self) -> BTreeSet<PathBuf> {
        let entries = self.cgroups.iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| is_our_cgroup(path)).collect()
    }

    fn left_behind(&self, uid: u32, cgroups: &[PathBuf]) -> Vec<String> {
        let cgroups = cgroups.iter().filter(|path| path.exists()).map(|path| format!("cgroup {}", path.display()));
        let mounts = mounts();
        let mounts = mounts.difference(&self.mounts).map(|line| format!("mount {line}"));
        processes_of(uid).into_iter().chain(segments_of(uid)).chain(cgroups).chain(mounts).collect()
    }

    /// What is no longer as it was, of all that no attack may touch.
    fn disturbed(&self) -> Option<String> {
        let mut bystander = self.bystander.lock().expect("nobody panics here");
        bystander.1 += 1;
        if bystander.0.ask() != Some(bystander.1.to_string()) {
            return Some("the cell next door no longer answers".into());
        }
        match self.witnessing.lock().expect("nobody panics here").ask() {
            Some(changes) => (!changes.is_empty()).then_some(changes),
            None => Some("the process of the host no longer answers".into()),
        }
    }

    /// Collects what a run left, and checks it.
    fn collect(&self, case: &Case, run: &Run) -> Result<(), Box<dyn Error>> {
        let to = std::env::temp_dir().join(format!("gambeson-escape-{}-{}", std::process::id(), case.file));
        fs::create_dir(&to)?;
        let work = run.ended.work.as_ref().ok_or("there is no /work to collect from")?;
        let found = collect(work, &to, case.limits.disk, case.limits.files)?;
        let size = |path: &PathBuf| fs::symlink_metadata(to.join(path)).map(|data| data.len()).ok();
        let wrong: Vec<_> = case.artifacts.iter().filter(|(path, expected)| size(path) != *expected).collect();
        let listed = |path: &PathBuf| found.artifacts.iter().any(|artifact| artifact.path == *path);
        let as_told = case.artifacts.iter().all(|(path, expected)| listed(path) == expected.is_some());
        fs::remove_dir_all(&to)?;
        if wrong.is_empty() && as_told { Ok(()) } else { Err(format!("{wrong:?} is not so; {found:?}").into()) }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // The end of its input ends the witness, which takes with it all that it made.
        if let Ok(witnessing) = self.witnessing.get_mut() {
            witnessing.to = None;
            let _ = self.witness.wait();
        }
    }
}

fn spec(host: &Host, environment: &Environment, name: &str, source: &str, limits: Limits) -> Spec {
    Spec {
        environment: environment.clone(),
        args: vec![name.into()],
        env: Vec::new(),
        files: vec![Staged::File { path: name.into(), executable: false, contents: source.into() }],
        limits,
        network: Network::None,
        terminal: Terminal::None,
        accept_missing: host.missing.iter().map(|missing| missing.layer).collect(),
    }
}

fn nursery(host: &Host, environment: &Environment) -> Result<Nursery, Box<dyn Error>> {
    let accept_missing: Vec<Layer> = host.missing.iter().map(|missing| missing.layer).collect();
    let library = gambeson_nursery_image::LIBRARY;
    let wanted = Wanted { environment, preload: &[], env: &[], accept_missing: &accept_missing, library };
    Ok(Nursery::start(&wanted, host)?)
}

/// Starts a cell by `plan`, which `spec` led to: one that a nursery gave birth to for somebody else, if there is one.
fn start(spec: &Spec, planned: Plan, host: &Host, nursery: Option<&Mutex<Nursery>>) -> Result<Cell, String> {
    let Some(nursery) = nursery else { return launch(planned, host).map_err(|error| error.end().message()) };
    let stranger = Spec {
        environment: spec.environment.clone(),
        args: spec.args.iter().map(|arg| "_".repeat(arg.len()).into()).collect(),
        env: Vec::new(),
        files: Vec::new(),
        limits: spec.limits.clone(),
        network: spec.network,
        terminal: spec.terminal,
        accept_missing: spec.accept_missing.clone(),
    };
    let stranger = plan(&stranger, host).map_err(|refusal| refusal.to_string())?;
    let spare = nursery.lock().expect("nobody panics here").birth(&stranger).map_err(|error| error.to_string())?;
    spare.run(planned).map_err(|back| back.why)
}

/// Starts the cell next door. Returns how to ask it, and the pid of its first process.
fn bystander(
    host: &Host,
    environment: &Environment,
    nursery: Option<&Mutex<Nursery>>,
) -> Result<(Answering, u32), Box<dyn Error>> {
    let limits = Limits { wall: Limits::LONGEST, ..Limits::default() };
    let spec = spec(host, environment, "bystander.py", include_str!("host/bystander.py"), limits);
    let plan = plan(&spec, host)?;
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let ((their_in, our_in), (our_out, their_out)) = (pipe()?, pipe()?);
    let (sender, born) = mpsc::channel();
    let host = host.clone();
    let warm = nursery.map(|nursery| start(&spec, plan.clone(), &host, Some(nursery))).transpose()?;
    // It waits where it launched: a cold cell dies with the thread that made it.
    thread::spawn(move || {
        let cell = match warm {
            Some(cell) => Ok(cell),
            None => launch(plan, &host).map_err(|error| error.end().message()),
        };
        let _ = sender.send(cell.as_ref().map(|cell| cell.pid().unsigned_abs()).map_err(String::clone));
        let (stdin, stdout) = (Input::Fd(their_in.as_fd()), Sink::Fd(their_out.as_fd()));
        cell.map(|cell| cell.wait(Streams { stdin, stdout, ..Streams::kept() }))
    });
    Ok((Answering::new(our_in, our_out), born.recv()??))
}

/// A descriptor that becomes readable after a while.
fn alarm(after: Duration) -> rustix::io::Result<OwnedFd> {
    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let never = Timespec { tv_sec: 0, tv_nsec: 0 };
    let once = Itimerspec { it_interval: never, it_value: after.try_into().unwrap_or(never) };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
    Ok(timer)
}

fn is_our_cgroup(path: &Path) -> bool {
    let ours = format!("gambeson-{}-", std::process::id());
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&ours))
}

/// The directories that hold a cgroup of ours: that of the cell next door, which has one of each kind.
fn places_of_cgroups(below: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(below).into_iter().flatten().flatten() {
        if is_our_cgroup(&entry.path()) {
            found.insert(below.to_owned());
        }
        // Those of warm cells are in one that they have together.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            places_of_cgroups(&entry.path(), found);
        }
    }
}

/// The living processes of a user. A dead one is only a status that the next launch collects.
fn processes_of(uid: u32) -> Vec<String> {
    let owner = format!("\nUid:\t{uid}\t");
    let theirs = |status: String| status.contains(&owner) && !status.contains("\nState:\tZ");
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    pids.filter(|pid| fs::read_to_string(pid.join("status")).is_ok_and(theirs))
        .map(|pid| format!("process {}", pid.display()))
        .collect()
}

/// The System V segments that a user made (proc_sysvipc(5)).
fn segments_of(uid: u32) -> Vec<String> {
    let (listed, uid) = (fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default(), uid.to_string());
    let theirs = listed.lines().filter(|line| line.split_whitespace().nth(9) == Some(&uid));
    theirs.map(|line| format!("shared memory segment {line}")).collect()
}

fn mounts() -> BTreeSet<String> {
    fs::read_to_string("/proc/self/mountinfo").unwrap_or_default().lines().map(String::from).collect()
}

/// One row of the table.
#[derive(Default)]
struct Row {
    outcome: String,
    controls: Vec<String>,
    /// Layers without which the attack succeeded.
    missed: Vec<Layer>,
    /// Whether a control shows nothing on this host.
    partial: bool,
    skipped: bool,
    failures: Vec<String>,
    /// What each run said of itself, for whoever looks at few cases.
    words: Vec<String>,
}

fn try_case(ground: &Ground, case: &Case) -> Row {
    let mut row = Row::default();
    if let Some(why) = ground.lacks(&case.guards) {
        row.outcome = format!("skipped, {why}");
        row.skipped = true;
        return row;
    }
    match ground.run(case, &[]) {
        Err(why) => row.failures.push(why),
        Ok(run) => {
            row.outcome = if case.holds(&run) { case.expect.clone() } else { run.said.clone() };
            row.words.push(format!("with all layers {}", run.told()));
            row.failures.extend(wrong(ground, case, &run));
        }
    }
    for Control { dropped, held } in &case.controls {
        let without = names(dropped);
        if let Some(why) = ground.cannot_drop(dropped) {
            row.controls.push(format!("-{without}: skipped, {why}"));
            row.partial = true;
            continue;
        }
        let claim = held.map_or("escaped".to_owned(), |held| format!("held by {held}"));
        let (told, escaped, holds) = match ground.run(case, dropped) {
            Err(why) => (why, false, false),
            Ok(run) => (run.told(), run.escaped(), case.holds(&run)),
        };
        let kept = if held.is_some() { holds } else { escaped };
        row.controls.push(format!("-{without}: {}{claim}", if kept { "" } else { "NOT " }));
        row.words.push(format!("without {without} {told}"));
        if escaped {
            row.missed.extend(dropped);
        }
        if !kept {
            row.failures.push(format!("without {without} it should have {claim}: {told}"));
        }
    }
    row
}

/// What is wrong with a run that had all its layers.
fn wrong(ground: &Ground, case: &Case, run: &Run) -> Vec<String> {
    let mut wrong = Vec::new();
    if !case.holds(run) {
        wrong.push(format!("it should have {}: {}", case.expect, run.told()));
    }
    let held = |guard: &Layer| run.ended.exit.layers.iter().any(|one| one.layer == *guard && one.held == Held::Held);
    wrong.extend(case.guards.iter().filter(|guard| !held(guard)).map(|guard| format!("{guard} is not said to hold")));
    if !case.artifacts.is_empty() {
        wrong.extend(ground.collect(case, run).err().map(|error| error.to_string()));
    }
    let shared = ground.nursery.is_some() && SHARED_BY_SIBLINGS.contains(&case.file.as_str());
    if case.distinct && !shared {
        match ground.run(case, &[]) {
            Err(why) => wrong.push(why),
            Ok(again) if !case.holds(&again) => wrong.push(format!("the second run: {}", again.told())),
            Ok(again) if run.values().is_empty() || !run.values().is_disjoint(&again.values()) => {
                wrong.push(format!("two runs say the same: {:?}, {:?}", run.values(), again.values()));
            }
            Ok(_) => {}
        }
    }
    wrong
}

/// Prints what came of it all.
fn report(cases: &[Case], rows: &[Row], mut complaints: Vec<String>, complete: bool) -> ExitCode {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let titles = cases.iter().map(|case| case.title.len()).max().unwrap_or(0);
    let guards = cases.iter().map(|case| names(&case.guards).len()).max().unwrap_or(0);
    for (case, row) in cases.iter().zip(rows) {
        let Case { id, title, .. } = case;
        let (count, verdict) = match (row.skipped, row.failures.is_empty()) {
            (true, _) => (&mut skipped, "skipped"),
            (false, true) => (&mut passed, "passed"),
            (false, false) => (&mut failed, "FAILED"),
        };
        *count += 1;
        let controls = if row.controls.is_empty() { "no control".into() } else { row.controls.join("; ") };
        println!("{id} {title:titles$}  {:guards$}  {:16}  {controls}  {verdict}", names(&case.guards), row.outcome);
        if !complete {
            row.words.iter().for_each(|words| println!("        {words}"));
        }
    }
    // That nothing escapes means something only where something can.
    for group in GROUPS.chars().filter(|_| complete) {
        let mut of_group = cases.iter().zip(rows).filter(|(case, _)| case.id.starts_with(group));
        if !of_group.any(|(_, row)| !row.missed.is_empty() || row.partial || row.skipped) {
            complaints.push(format!("group {group}: no attack succeeded without its layers"));
        }
    }
    failed += complaints.len();
    for (case, row) in cases.iter().zip(rows) {
        complaints.extend(row.failures.iter().map(|why| format!("{}: {why}", case.file)));
    }
    let missed: BTreeSet<Layer> = rows.iter().flat_map(|row| row.missed.iter().copied()).collect();
    let unproven: Vec<Layer> = Layer::ALL.iter().copied().filter(|layer| !missed.contains(layer)).collect();
    println!("\nno attack succeeded for want of: {}", names(&unproven));
    complaints.iter().for_each(|complaint| println!("{complaint}"));
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let mut complaints = Vec::new();
    let mut files: Vec<PathBuf> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/escape"))
        .expect("the corpus is part of the source")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    files.sort();
    if files.len() < FEWEST_CASES {
        complaints.push(format!("there are only {} cases", files.len()));
    }
    let mut cases = Vec::new();
    for path in &files {
        match Case::read(path) {
            Ok(case) => cases.push(case),
            Err(why) => complaints.push(format!("{}: {why}", path.display())),
        }
    }
    cases.retain(|case| words.is_empty() || words.iter().any(|word| case.file.contains(word.as_str())));
    let ground = match Ground::prepare() {
        Ok(ground) => ground,
        Err(error) => {
            eprintln!("the host could not be prepared: {error}");
            return ExitCode::FAILURE;
        }
    };
    let next = AtomicUsize::new(0);
    let rows: Vec<Mutex<Row>> = cases.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    *rows[at].lock().expect("nobody panics here") = try_case(&ground, case);
                }
            });
        }
    });
    let rows: Vec<Row> = rows.into_iter().map(|row| row.into_inner().expect("nobody panicked")).collect();
    report(&cases, &rows, complaints, words.is_empty())
}
