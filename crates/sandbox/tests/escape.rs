//! The escape corpus: each file of `tests/escape/` is one attack, run in a cell as anybody's program is.
//!
//! A case passes when
//! 1. its run ends as its header expects, with the layers that it names as its guards all held;
//! 2. each of its controls does as it claims: the same attack against a plan without some layers escapes, or is
//!    held by another layer. An attack that can succeed nowhere shows nothing when it fails here;
//! 3. after every run, mutated or not, the supervisor (this process) lives, the cell next door answers and
//!    nothing is left on the host.
//!
//! Words after `--` select cases by parts of their file names. `GAMBESON_TEST_PYTHON` names the interpreter.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gambeson_sandbox::{
    Authority, Bytes, End, Ended, Environment, Held, Host, Input, Layer, Limits, MilliCpus, Network, Sink, Spec,
    Staged, Streams, Terminal, collect, launch, plan,
};

/// What the corpus must not shrink below.
const FEWEST_CASES: usize = 110;
/// In each of these groups at least one attack must have succeeded without its layers.
const GROUPS: &str = "ABCDEFGH";
/// As many as the smallest host of ours has processors.
const AT_ONCE: usize = 2;
/// How long a mutated run may take: the layer that would end it may be the one that it lacks.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is cleared up behind a result has this long to be gone.
const GRACE: Duration = Duration::from_secs(2);

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
    artifacts: Vec<Expected>,
    distinct: bool,
    source: Vec<u8>,
}

/// What becomes of the attack without some layers.
struct Control {
    dropped: Vec<Layer>,
    claim: Claim,
}

enum Claim {
    Escapes,
    Held(Layer),
}

/// Whether something below `/work/out` is collected.
enum Expected {
    Present(PathBuf, u64),
    Absent(PathBuf),
}

impl Case {
    fn read(path: &Path) -> Result<Case, String> {
        let source = fs::read_to_string(path).map_err(|error| error.to_string())?;
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
            source: source.clone().into_bytes(),
        };
        let mut without_control = false;
        for line in source.lines().map_while(|line| line.strip_prefix("# ")) {
            let (key, value) = line.split_once(": ").ok_or_else(|| format!("the header line {line:?} has no key"))?;
            let words: Vec<&str> = value.split_whitespace().collect();
            match (key, words.as_slice()) {
                ("id", _) => case.id = value.into(),
                ("title", _) => case.title = value.into(),
                ("expect", _) => case.expect = value.into(),
                ("limits", settings) => {
                    for setting in settings {
                        limit(&mut case.limits, setting).ok_or_else(|| format!("the limit {setting:?}"))?;
                    }
                }
                ("network", ["loopback"]) => case.network = Network::Loopback,
                ("guards", names) => case.guards = layers(names)?,
                ("control", ["none,", _, ..]) => without_control = true,
                ("control", [names @ .., "=>", "escaped"]) => {
                    case.controls.push(Control { dropped: layers(names)?, claim: Claim::Escapes });
                }
                ("control", [names @ .., "=>", "held", name]) => {
                    let holder = layers(&[name])?[0];
                    case.controls.push(Control { dropped: layers(names)?, claim: Claim::Held(holder) });
                }
                ("collect", ["present", path, size]) => {
                    let size = size.parse().map_err(|_| format!("the size {size:?}"))?;
                    case.artifacts.push(Expected::Present(path.into(), size));
                }
                ("collect", ["absent", path]) => case.artifacts.push(Expected::Absent(path.into())),
                ("distinct", ["yes"]) => case.distinct = true,
                // For readers: how the attack works, or what it needs.
                ("works", _) => {}
                _ => return Err(format!("the header line {line:?} means nothing")),
            }
        }
        if [&case.id, &case.title, &case.expect].iter().any(|text| text.is_empty()) || case.guards.is_empty() {
            return Err("id, title, expect or guards is missing".into());
        }
        if without_control != case.controls.is_empty() {
            return Err("it needs either controls or a reason for having none".into());
        }
        for Control { dropped, claim } in &case.controls {
            if dropped.is_empty() || matches!(claim, Claim::Held(x) if dropped.contains(x) || !case.guards.contains(x))
            {
                return Err("a control drops nothing, or is held by a layer that is dropped or no guard".into());
            }
        }
        Ok(case)
    }

    fn control_names(control: &Control) -> String {
        control.dropped.iter().map(|layer| layer.name()).collect::<Vec<_>>().join(" ")
    }

    /// Whether a run ended as it should with all layers in place.
    fn as_expected(&self, run: &Run) -> bool {
        if self.expect == "contained" {
            return run.said == "exited 0" && run.last.starts_with("CONTAINED: ");
        }
        run.said == self.expect && !run.escaped()
    }
}

fn layers(names: &[&str]) -> Result<Vec<Layer>, String> {
    names.iter().map(|name| Layer::from_str(name).map_err(|error| error.to_string())).collect()
}

fn limit(limits: &mut Limits, setting: &str) -> Option<()> {
    let size = |value: &str| {
        let (number, shift) = match value.split_at(value.len() - 1) {
            (number, "K") => (number, 10),
            (number, "M") => (number, 20),
            _ => (value, 0),
        };
        number.parse::<u64>().ok().map(|number| Bytes(number << shift))
    };
    let time = |value: &str| value.strip_suffix('s')?.parse().ok().map(Duration::from_secs_f64);
    let (name, value) = setting.split_once('=')?;
    match name {
        "memory" => limits.memory = size(value)?,
        "disk" => limits.disk = size(value)?,
        "output" => limits.output = size(value)?,
        "pids" => limits.pids = value.parse().ok()?,
        "files" => limits.files = value.parse().ok()?,
        "open_files" => limits.open_files = value.parse().ok()?,
        "wall" => limits.wall = time(value)?,
        "cpu" => limits.cpu = time(value)?,
        "cpus" => limits.cpus = MilliCpus((value.parse::<f64>().ok()? * 1000.0) as u32),
        _ => return None,
    }
    Some(())
}

/// A run that came to its end.
struct Run {
    ended: Ended,
    /// The end in the words of the headers.
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
            End::Fault { step, why, .. } => format!("fault: {step}: {why}"),
        };
        let last = String::from_utf8_lossy(&ended.stdout).trim_end().lines().last().unwrap_or_default().to_owned();
        Run { ended, said, last }
    }

    /// The attack's own word counts only from a program that ran to an end of its own.
    fn escaped(&self) -> bool {
        self.last.starts_with("ESCAPED: ") && self.said.starts_with("exited ")
    }

    fn values(&self) -> BTreeSet<String> {
        String::from_utf8_lossy(&self.ended.stdout)
            .lines()
            .filter(|l| l.starts_with("VALUE: "))
            .map(String::from)
            .collect()
    }

    fn told(&self) -> String {
        let errors = String::from_utf8_lossy(&self.ended.stderr);
        let errors: Vec<&str> = errors.lines().rev().take(3).collect();
        format!(
            "{}; stdout ends {:?}; stderr ends {:?}",
            self.said,
            self.last.chars().take(300).collect::<String>(),
            errors
        )
    }
}

/// A child that answers each line with a line, as long as it lives.
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
    folder: PathBuf,
    facts: serde_json::Value,
    witness: Child,
    queues: Mutex<Answering>,
    bystander: Mutex<(Answering, u64)>,
    /// Where cells' cgroups are made.
    cgroups: Vec<PathBuf>,
    mounts: BTreeSet<String>,
    launching: Mutex<()>,
    /// Held open; of the descriptor that is not closed at exec the controls without `descriptors` tell.
    _open: (TcpListener, UnixListener, UnixDatagram, UnixListener, fs::File),
}

const CANARY: &str = "the canary sings\n";
/// What all our cells' user ids lie above (`FIRST_ID` of `plan.rs`).
const FIRST_ID: u32 = 0x6000_0000;

impl Ground {
    fn prepare() -> Result<Ground, Box<dyn std::error::Error>> {
        let host = Host::probe();
        // Not one in a home directory: see `cannot_drop`.
        let python = std::env::var_os("GAMBESON_TEST_PYTHON").unwrap_or_else(|| "/usr/bin/python3".into());
        let environment = Environment::discover(Path::new(&python))?;
        let us = std::process::id();
        let folder = PathBuf::from(format!("/var/tmp/gambeson-escape-{us}"));
        fs::create_dir(&folder)?;
        let open_to_all = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        open_to_all(&folder, 0o755)?;
        let (canary, socket, queues) = (folder.join("canary.txt"), folder.join("socket"), folder.join("queues"));
        fs::write(&canary, CANARY)?;
        open_to_all(&canary, 0o644)?;
        fs::create_dir(&queues)?;

        let port = TcpListener::bind("127.0.0.1:0")?;
        let abstract_name = format!("gambeson-escape-{us}");
        let abstract_socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&abstract_name)?)?;
        // Connections and datagrams are looked up apart, so that both can have the name.
        let datagrams = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&abstract_name)?)?;
        let pathname_socket = UnixListener::bind(&socket)?;
        open_to_all(&socket, 0o777)?;
        let leak = fs::File::create(folder.join("leak"))?;
        rustix::io::fcntl_setfd(&leak, rustix::io::FdFlags::empty())?;

        let (key, queue) = (0x6a3b_0000 | (us & 0xffff), format!("/gambeson-escape-{us}"));
        let mut witness = Command::new(&python)
            .args(["-I", "-c", include_str!("host/witness.py"), &key.to_string(), CANARY, &queue])
            .arg(&queues)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (to, from) = (witness.stdin.take().expect("piped"), witness.stdout.take().expect("piped"));
        let answering = Answering::new(to, from);
        answering.hear().ok_or("the witness could not set up what it shares")?;

        let (bystander, pid) = bystander(&host, &environment)?;
        let bystander_uid = match host.authority {
            Authority::Root => FIRST_ID + pid as u32,
            Authority::User { uid, .. } => uid,
        };
        let facts = serde_json::json!({
            "canary_path": canary, "canary_text": CANARY, "host_pid": witness.id(),
            "host_port": port.local_addr()?.port(), "abstract": abstract_name, "unix_path": socket,
            "shm_key": key, "shm_text": CANARY, "mq_name": queue, "bystander_uid": bystander_uid,
            "hostname": rustix::system::uname().nodename().to_string_lossy(),
        });
        let mut cgroups = Vec::new();
        places_of_cgroups(Path::new("/sys/fs/cgroup"), &mut cgroups);
        let ground = Ground {
            host,
            environment,
            folder,
            facts,
            witness,
            queues: Mutex::new(answering),
            bystander: Mutex::new((bystander, 0)),
            cgroups,
            mounts: mounts(),
            launching: Mutex::new(()),
            _open: (port, abstract_socket, datagrams, pathname_socket, leak),
        };
        match ground.disturbed() {
            None => Ok(ground),
            Some(why) => Err(why.into()),
        }
    }

    /// Why an attack on `layers` shows nothing on this host.
    fn lacks(&self, layers: &[Layer]) -> Option<String> {
        let named = layers.iter().find_map(|layer| self.host.missing(*layer));
        let unprivileged = layers.contains(&Layer::Identity) && self.host.authority != Authority::Root;
        named
            .map(|missing| format!("{}: {}", missing.layer, missing.why))
            .or(unprivileged.then(|| "identity: only root has user ids to give".into()))
    }

    /// Why a control shows nothing on this host.
    fn cannot_drop(&self, layers: &[Layer]) -> Option<String> {
        let open = |above: &Path| fs::metadata(above).is_ok_and(|data| data.mode() & 0o001 != 0);
        let hidden = layers.contains(&Layer::Root) && !self.environment.executable.ancestors().all(open);
        self.lacks(layers).or(hidden.then(|| "where the host is shown, only its owner reaches the interpreter".into()))
    }

    fn facts(&self, limits: &Limits) -> String {
        let mut facts = self.facts.clone();
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        facts["host_boot_monotonic"] = now.tv_sec.into();
        facts["limits"] = serde_json::json!({
            "memory": limits.memory.0, "pids": limits.pids, "disk": limits.disk.0, "files": limits.files,
            "output": limits.output.0, "wall_ms": limits.wall.as_millis() as u64,
            "cpu_ms": limits.cpu.as_millis() as u64, "open_files": limits.open_files,
        });
        facts.to_string()
    }

    /// Runs an attack once. An error is a failure whatever the attack was.
    fn run(&self, case: &Case, dropped: &[Layer]) -> Result<Run, String> {
        let name = format!("{}.py", case.file);
        let file = Staged::File { path: (&name).into(), executable: false, contents: case.source.clone() };
        let mut spec = spec(&self.environment, case.limits.clone(), file);
        spec.args = vec![name.into(), self.facts(&case.limits).into()];
        spec.network = case.network;
        spec.accept_missing = self.host.missing.iter().map(|missing| missing.layer).collect();
        let mut plan = plan(&spec, &self.host).map_err(|refusal| refusal.to_string())?;
        let mut patience = case.limits.wall + PATIENCE;
        if !dropped.is_empty() {
            plan = plan.without(dropped);
            patience = PATIENCE;
        }
        // One at a time, so that cgroups that appear meanwhile are this cell's.
        let (cell, cgroups) = {
            let _launching = self.launching.lock().expect("nobody panics here");
            let before = self.list_cgroups();
            let cell = launch(plan, &self.host).map_err(|error| error.end().message())?;
            (cell, self.list_cgroups().difference(&before).cloned().collect::<Vec<_>>())
        };
        let uid = FIRST_ID + cell.pid() as u32;
        let timer = alarm(patience).map_err(|errno| errno.to_string())?;
        let run = Run::new(cell.wait(Streams { cancel: Some(timer.as_fd()), ..Streams::kept() }));

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
        let ours = format!("gambeson-{}-", std::process::id());
        let entries = self.cgroups.iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&ours))
            .map(|entry| entry.path())
            .collect()
    }

    fn left_behind(&self, uid: u32, cgroups: &[PathBuf]) -> Vec<String> {
        let mut left: Vec<String> = Vec::new();
        left.extend(processes_of(uid).into_iter().map(|pid| format!("process {pid}")));
        left.extend(cgroups.iter().filter(|path| path.exists()).map(|path| format!("cgroup {}", path.display())));
        left.extend(mounts().difference(&self.mounts).map(|line| format!("mount {line}")));
        left.extend(segments_of(uid).into_iter().map(|id| format!("shared memory segment {id}")));
        left
    }

    /// What is no longer as it was, of all that no attack may touch.
    fn disturbed(&self) -> Option<String> {
        let mut bystander = self.bystander.lock().expect("nobody panics here");
        bystander.1 += 1;
        if bystander.0.ask() != Some(bystander.1.to_string()) {
            return Some("the cell next door no longer answers".into());
        }
        match self.queues.lock().expect("nobody panics here").ask().as_deref() {
            Some("") => {}
            Some(queues) => return Some(format!("message queues are left behind: {queues}")),
            None => return Some("the process of the host no longer answers".into()),
        }
        let canary = self.folder.join("canary.txt");
        let whole = fs::read_to_string(&canary).is_ok_and(|text| text == CANARY)
            && fs::symlink_metadata(&canary)
                .is_ok_and(|data| data.is_file() && data.mode() & 0o7777 == 0o644 && data.nlink() == 1)
            && fs::read_dir(&self.folder).is_ok_and(|entries| entries.count() == 4);
        (!whole).then(|| "the canary or its directory is changed".into())
    }

    /// Collects what a run left, and says what is not as the header has it.
    fn collected(&self, case: &Case, run: &Run) -> Result<(), String> {
        // Beside the folder of the canary, which must not change.
        let to = self.folder.with_extension(&case.file);
        fs::create_dir(&to).map_err(|error| error.to_string())?;
        let work = run.ended.work.as_ref().ok_or("there is no /work to collect from")?;
        let found = collect(work, &to, case.limits.disk, case.limits.files).map_err(|error| error.to_string());
        let wrong = case.artifacts.iter().find_map(|artifact| match artifact {
            Expected::Present(path, size) => {
                let there = fs::symlink_metadata(to.join(path)).is_ok_and(|data| data.is_file() && data.len() == *size);
                (!there).then(|| format!("{} was not collected", path.display()))
            }
            Expected::Absent(path) => {
                fs::symlink_metadata(to.join(path)).is_ok().then(|| format!("{} was collected", path.display()))
            }
        });
        fs::remove_dir_all(&to).map_err(|error| error.to_string())?;
        let total: u64 = found?.artifacts.iter().map(|artifact| artifact.size.0).sum();
        match wrong {
            Some(wrong) => Err(wrong),
            None if total > case.limits.disk.0 => Err(format!("{total} bytes were collected")),
            None => Ok(()),
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // The end of its input ends the witness, which takes with it what it shares.
        self.queues.get_mut().expect("nobody panics here").to = None;
        let _ = self.witness.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spec(environment: &Environment, limits: Limits, file: Staged) -> Spec {
    Spec {
        environment: environment.clone(),
        args: vec![file.path().into()],
        env: Vec::new(),
        files: vec![file],
        limits,
        network: Network::None,
        terminal: Terminal::None,
        accept_missing: Vec::new(),
    }
}

/// Starts the cell next door. Returns how to ask it, and the pid of its first process.
fn bystander(host: &Host, environment: &Environment) -> Result<(Answering, i32), Box<dyn std::error::Error>> {
    let contents = include_bytes!("host/bystander.py").to_vec();
    let file = Staged::File { path: "bystander.py".into(), executable: false, contents };
    let limits = Limits { wall: Limits::LONGEST, ..Limits::default() };
    let mut spec = spec(environment, limits, file);
    spec.accept_missing = host.missing.iter().map(|missing| missing.layer).collect();
    let plan = plan(&spec, host)?;
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let ((their_in, our_in), (our_out, their_out)) = (pipe()?, pipe()?);
    let (sender, born) = mpsc::channel();
    let host = host.clone();
    // A cell dies with the thread that made it.
    thread::spawn(move || match launch(plan, &host) {
        Ok(cell) => {
            let _ = sender.send(Ok(cell.pid()));
            let (stdin, stdout) = (Input::Fd(their_in.as_fd()), Sink::Fd(their_out.as_fd()));
            cell.wait(Streams { stdin, stdout, ..Streams::kept() });
        }
        Err(error) => {
            let _ = sender.send(Err(error.end().message()));
        }
    });
    Ok((Answering::new(our_in, our_out), born.recv()??))
}

/// A descriptor that becomes readable after a while.
fn alarm(after: Duration) -> rustix::io::Result<OwnedFd> {
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let never = Timespec { tv_sec: 0, tv_nsec: 0 };
    let once = Timespec { tv_sec: after.as_secs() as i64, tv_nsec: after.subsec_nanos().into() };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: never, it_value: once })?;
    Ok(timer)
}

/// The directories that hold a cgroup of ours: that of the cell next door, which has one of each kind.
fn places_of_cgroups(below: &Path, found: &mut Vec<PathBuf>) {
    let ours = format!("gambeson-{}-", std::process::id());
    for entry in fs::read_dir(below).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&ours) {
            found.push(below.to_owned());
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            places_of_cgroups(&entry.path(), found);
        }
    }
}

/// The living processes of a user. A dead one is only the status that the next launch collects.
fn processes_of(uid: u32) -> Vec<String> {
    let owner = format!("\nUid:\t{uid}\t");
    let theirs = |status: String| status.contains(&owner) && !status.contains("\nState:\tZ");
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    pids.map(|name| name.to_string_lossy().into_owned())
        .filter(|name| fs::read_to_string(format!("/proc/{name}/status")).is_ok_and(theirs))
        .collect()
}

fn mounts() -> BTreeSet<String> {
    fs::read_to_string("/proc/self/mountinfo").unwrap_or_default().lines().map(String::from).collect()
}

/// The ids of the System V segments that a user made (proc(5)).
fn segments_of(uid: u32) -> Vec<String> {
    let listed = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let rows = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.get(9) == Some(&uid.to_string().as_str())).map(|row| row[1].to_owned()).collect()
}

/// One row of the table.
#[derive(Default)]
struct Row {
    outcome: String,
    controls: String,
    /// Layers without which the attack succeeded.
    missed: Vec<Layer>,
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
            row.outcome = if case.as_expected(&run) { case.expect.clone() } else { run.said.clone() };
            row.words.push(format!("all layers: {}", run.told()));
            row.failures.extend(wrong(ground, case, &run));
        }
    }
    for control in &case.controls {
        let name = Case::control_names(control);
        if !row.controls.is_empty() {
            row.controls.push_str("; ");
        }
        if let Some(why) = ground.cannot_drop(&control.dropped) {
            let _ = write!(row.controls, "-{name}: skipped, {why}");
            continue;
        }
        let (told, kept) = match ground.run(case, &control.dropped) {
            Err(why) => (why, false),
            Ok(run) => {
                row.words.push(format!("without {name}: {}", run.told()));
                if run.escaped() {
                    row.missed.extend(&control.dropped);
                }
                match control.claim {
                    Claim::Escapes => (run.told(), run.escaped()),
                    Claim::Held(_) => (run.told(), case.as_expected(&run)),
                }
            }
        };
        let claim = match control.claim {
            Claim::Escapes => "escaped".to_owned(),
            Claim::Held(holder) => format!("held by {holder}"),
        };
        let _ = write!(row.controls, "-{name}: {}{claim}", if kept { "" } else { "NOT " });
        if !kept {
            row.failures.push(format!("without {name} it should have {claim}: {told}"));
        }
    }
    row
}

/// What is wrong with a run that had all its layers.
fn wrong(ground: &Ground, case: &Case, run: &Run) -> Vec<String> {
    let mut wrong = Vec::new();
    if !case.as_expected(run) {
        wrong.push(format!("it should have {}: {}", case.expect, run.told()));
    }
    for guard in &case.guards {
        if !run.ended.exit.layers.iter().any(|report| report.layer == *guard && report.held == Held::Held) {
            wrong.push(format!("the run does not say that {guard} held"));
        }
    }
    if !case.artifacts.is_empty() {
        wrong.extend(ground.collected(case, run).err());
    }
    if case.distinct {
        match ground.run(case, &[]) {
            Err(why) => wrong.push(why),
            Ok(again) if !case.as_expected(&again) => wrong.push(format!("the second run: {}", again.told())),
            Ok(again) if run.values().is_empty() || !run.values().is_disjoint(&again.values()) => {
                wrong.push(format!("two runs say the same: {:?}, {:?}", run.values(), again.values()));
            }
            Ok(_) => {}
        }
    }
    wrong
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
            Ok(case) if words.is_empty() || words.iter().any(|word| case.file.contains(word.as_str())) => {
                cases.push(case)
            }
            Ok(_) => {}
            Err(why) => complaints.push(format!("{}: {why}", path.display())),
        }
    }
    let ground = match Ground::prepare() {
        Ok(ground) => ground,
        Err(error) => {
            eprintln!("the host could not be prepared: {error}");
            return ExitCode::FAILURE;
        }
    };
    let next = AtomicUsize::new(0);
    let rows: Vec<Mutex<Option<Row>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    *rows[at].lock().expect("nobody panics here") = Some(try_case(&ground, case));
                }
            });
        }
    });
    let rows: Vec<Row> = rows.into_iter().filter_map(|row| row.into_inner().ok().flatten()).collect();
    report(&cases, &rows, complaints, words.is_empty())
}

/// Prints what came of it all.
fn report(cases: &[Case], rows: &[Row], mut complaints: Vec<String>, complete: bool) -> ExitCode {
    let (mut passed, mut failed, mut skipped) = (0, complaints.len(), 0);
    let width = |text: fn(&Case) -> usize| cases.iter().map(text).max().unwrap_or(0);
    let guards = |case: &Case| case.guards.iter().map(|layer| layer.name()).collect::<Vec<_>>().join(" ");
    let (titles, names) =
        (width(|case| case.title.len()), cases.iter().map(|case| guards(case).len()).max().unwrap_or(0));
    for (case, row) in cases.iter().zip(rows) {
        let (count, verdict) = match (row.skipped, row.failures.is_empty()) {
            (true, _) => (&mut skipped, "skipped"),
            (false, true) => (&mut passed, "passed"),
            (false, false) => (&mut failed, "FAILED"),
        };
        *count += 1;
        let Case { id, title, .. } = case;
        let controls = if row.controls.is_empty() { "no control" } else { &row.controls };
        println!("{verdict:7} {id} {title:titles$}  {:names$}  {:16}  {controls}", guards(case), row.outcome);
        row.words.iter().filter(|_| !complete).for_each(|words| println!("        {words}"));
        complaints.extend(row.failures.iter().map(|why| format!("{}: {why}", case.file)));
    }
    // That nothing escapes means something only where something can.
    for group in GROUPS.chars().filter(|_| complete) {
        if !cases.iter().zip(rows).any(|(case, row)| case.id.starts_with(group) && !row.missed.is_empty()) {
            complaints.push(format!("group {group}: no attack succeeded without its layers"));
            failed += 1;
        }
    }
    let missed: BTreeSet<Layer> = rows.iter().flat_map(|row| row.missed.iter().copied()).collect();
    let unproven = Layer::ALL.iter().filter(|layer| !missed.contains(layer)).map(|layer| layer.name());
    println!("\nno attack succeeded for want of: {}\n", unproven.collect::<Vec<_>>().join(" "));
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
