//! What of a cell's refused acts is explained, and what it costs those who have not asked.

use std::io::{Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use gambeson_sandbox::{
    Act, Bytes, Denial, Denied, End, Ended, Environment, Host, Layer, Limits, Network, Spec, Staged, Streams, Terminal,
    launch, plan,
};

fn spec(host: &Host, source: &str) -> Spec {
    let python = std::env::var_os("GAMBESON_TEST_PYTHON").unwrap_or_else(|| "/usr/bin/python3".into());
    Spec {
        environment: Environment::discover(Path::new(&python)).unwrap(),
        args: vec!["main.py".into()],
        env: Vec::new(),
        files: vec![Staged::File { path: "main.py".into(), executable: false, contents: source.into() }],
        limits: Limits { wall: Duration::from_secs(30), ..Limits::default() },
        network: Network::None,
        terminal: Terminal::None,
        accept_missing: host.missing.iter().map(|missing| missing.layer).collect(),
    }
}

fn run_on(host: &Host, source: &str, streams: Streams<'_>) -> Ended {
    launch(plan(&spec(host, source), host).unwrap(), host).unwrap().wait(streams)
}

fn run(source: &str) -> Ended {
    run_on(&Host::probe(), source, Streams::kept())
}

/// What a program begins with that makes system calls by number.
const CALLS: &str = r#"
import ctypes, errno, os, socket, sys, threading, time
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
def call(number, *args):
    ctypes.set_errno(0)
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    return errno.errorcode.get(ctypes.get_errno(), result)
"#;

fn told(ended: &Ended) -> String {
    String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr)
}

fn of(denials: &[Denial], act: Act) -> Vec<&Denial> {
    denials.iter().filter(|denial| denial.act == act).collect()
}

#[test]
fn a_refused_act_is_explained_by_what_the_kernel_copied_and_what_it_points_to() {
    let source = format!(
        "{CALLS}
print(call(101, 16, 1, 0, 0), call(272, 0x10000000), call(165, b'none', b'/mnt', b'tmpfs', 0, 0), call(425, 8, 0))
try:
    socket.create_connection(('93.184.216.34', 443))
except OSError as error:
    print(error.errno)
"
    );
    let ended = run(&source);
    assert_eq!(told(&ended), "EPERM EPERM EPERM ENOSYS\n1\n");
    assert_eq!(ended.exit.end, End::Exited(0));
    let denials = &ended.exit.denials;
    let targets: Vec<_> = denials.iter().map(|one| (one.act, one.target.as_deref(), one.count)).collect();
    assert_eq!(
        targets,
        [
            (Act::Ptrace, Some("ptrace of process 1"), 1),
            (Act::Namespace, Some("unshare: user"), 1),
            (Act::Mount, Some("mount tmpfs on /mnt"), 1),
            (Act::IoUring, Some("io_uring_setup"), 1),
            (Act::Socket, Some("IPv4 (TCP)"), 1),
        ]
    );
    let refused = &denials[4];
    assert_eq!((refused.layer, refused.why.as_str()), (Layer::Seccomp, "this job has no network"));
    assert!(refused.rule.starts_with("seccomp.policy:"), "{}", refused.rule);
}

#[test]
fn a_denial_names_the_line_that_led_to_it_and_what_stands_there() {
    let source = "import socket, threading\n\
                  def fetch(host):\n\
                  \x20   try:\n\
                  \x20       socket.create_connection((host, 443))\n\
                  \x20   except OSError: pass\n\
                  for _ in range(3):\n\
                  \x20   fetch('93.184.216.34')\n\
                  thread = threading.Thread(target=lambda: fetch('93.184.216.35'))\n\
                  thread.start(); thread.join()\n\
                  try: socket.socket(socket.AF_ALG)\n\
                  except OSError: pass\n";
    let ended = run(source);
    assert_eq!(ended.exit.end, End::Exited(0), "{}", told(&ended));
    let denials = &ended.exit.denials;
    let places: Vec<_> = denials
        .iter()
        .map(|one| (one.at.as_ref().map(|at| (at.file.as_str(), at.line)), one.source.as_deref(), one.count))
        .collect();
    assert_eq!(
        places,
        [
            (Some(("main.py", 4)), Some("socket.create_connection((host, 443))"), 4),
            (Some(("main.py", 10)), Some("try: socket.socket(socket.AF_ALG)"), 1),
        ]
    );
}

#[test]
fn a_name_that_is_looked_up_is_explained_where_that_was() {
    let source = "import urllib.request\n\
                  try:\n\
                  \x20   urllib.request.urlopen('https://example.org')\n\
                  except OSError: pass\n";
    let ended = run(source);
    assert_eq!(ended.exit.end, End::Exited(0), "{}", told(&ended));
    let denials = of(&ended.exit.denials, Act::Socket);
    assert!(!denials.is_empty());
    for denial in denials {
        assert!(denial.target.as_deref().is_some_and(|target| target.ends_with("(UDP)")), "{denial:?}");
        let at = denial.at.as_ref().map(|at| (at.file.as_str(), at.line));
        assert_eq!((at, denial.why.as_str()), (Some(("main.py", 3)), "this job has no network"));
        assert_eq!(denial.source.as_deref(), Some("urllib.request.urlopen('https://example.org')"));
    }
}

#[test]
fn a_limit_says_where_the_program_was() {
    let host = Host::probe();
    let endless = "def spin():\n    while True:\n        pass\nspin()\n";
    let greedy = "kept = []\nwhile True:\n    kept.append(bytearray(1 << 20))\n";
    for (source, line, limit) in [(endless, 2..=3, "cpu"), (endless, 2..=3, "wall"), (greedy, 2..=3, "memory")] {
        let mut spec = spec(&host, source);
        match limit {
            "cpu" => spec.limits.cpu = Duration::from_secs(1),
            "wall" => spec.limits.wall = Duration::from_secs(1),
            _ => spec.limits.memory = Bytes(128 << 20),
        }
        let ended = launch(plan(&spec, &host).unwrap(), &host).unwrap().wait(Streams::kept());
        let message = ended.exit.message();
        assert!(matches!(ended.exit.end, End::LimitHit { .. }), "{message}");
        let at = ended.exit.at.as_ref().unwrap_or_else(|| panic!("{message}"));
        assert!(at.file == "main.py" && line.contains(&at.line), "{message}");
        assert!(message.contains(&format!(" at main.py line {}; ", at.line)), "{message}");
        assert!(message.contains(&format!("or try --limit {limit}=")), "{message}");
    }
}

#[test]
fn children_threads_and_what_they_execute_are_answered_as_well() {
    let source = format!(
        "{CALLS}
import subprocess
child = os.fork()
if child == 0:
    os._exit(call(101, 16, 1, 0, 0) == 'EPERM')
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
thread = threading.Thread(target=lambda: print(call(321, 0, 0, 0)))
thread.start(); thread.join(); sys.stdout.flush()
code = 'import socket\\ntry: socket.socket()\\nexcept OSError as error: print(error.errno)'
subprocess.run([sys.executable, '-c', code])
sys.stdout.flush()
os.execv(sys.executable, [sys.executable, '-c', code])
"
    );
    let ended = run(&source);
    assert_eq!(told(&ended), "1\nEPERM\n1\n1\n");
    let denials = &ended.exit.denials;
    assert_eq!(of(denials, Act::Ptrace).len(), 1);
    assert_eq!(of(denials, Act::Bpf).len(), 1);
    assert_eq!(of(denials, Act::Socket)[0].count, 2);
}

#[test]
fn a_storm_slows_nobody_but_itself_and_is_remembered_in_few_lines() {
    let source = format!(
        "{CALLS}
end = time.monotonic() + 3
counts = [0] * 4
def storm(at):
    number = 0
    while time.monotonic() < end:
        assert call(41, 30 + number % 200, 5, 0) == 'EPERM'
        number += 1
    counts[at] = number
threads = [threading.Thread(target=storm, args=(at,)) for at in range(4)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(sum(counts))
"
    );
    let host = Host::probe();
    let cell = launch(plan(&spec(&host, &source), &host).unwrap(), &host).unwrap();
    let ours = || cpu_time_of_this_thread();
    let (before, since) = (ours(), Instant::now());
    let ended = cell.wait(Streams::kept());
    let (used, took) = (ours() - before, since.elapsed());
    let refused: u64 = told(&ended).trim().parse().unwrap_or_else(|_| panic!("{}", told(&ended)));
    eprintln!("{refused} refusals in {took:?} cost the supervisor {used:?}");
    // A burst, and then one each millisecond.
    assert!(refused < 256 + 1100 * took.as_secs() + 1100, "{refused} in {took:?}");
    assert!(refused > 1000, "{refused}");
    assert!(used < took / 10, "{used:?} of {took:?}");
    let denials = &ended.exit.denials;
    assert!(denials.len() <= 65, "{}", denials.len());
    assert_eq!(denials.iter().map(|one| one.count).sum::<u64>(), refused);
}

#[test]
fn a_storm_does_not_hold_up_deadline_output_or_another_cell() {
    let storm = format!("{CALLS}\nwhile True:\n    call(101, 16, 1, 0, 0)\n");
    let host = Host::probe();
    std::thread::scope(|scope| {
        let stormy = scope.spawn(|| {
            let mut spec = spec(&host, &format!("print('here', flush=True)\n{storm}"));
            spec.limits.wall = Duration::from_secs(2);
            let since = Instant::now();
            let ended = launch(plan(&spec, &host).unwrap(), &host).unwrap().wait(Streams::kept());
            (ended, since.elapsed())
        });
        let calm = run("import time\nt = time.monotonic()\nsum(range(1_000_000))\nprint('calm')");
        assert_eq!(told(&calm), "calm\n");
        let (ended, took) = stormy.join().unwrap();
        assert!(matches!(ended.exit.end, End::LimitHit { .. }), "{:?}", ended.exit.end);
        assert_eq!(told(&ended), "here\n");
        assert!(took < Duration::from_secs(4), "{took:?}");
        assert_eq!(ended.exit.denials.len(), 1);
        assert!(ended.exit.denials[0].count > 256);
    });
}

#[test]
fn each_kind_is_told_when_it_happens_the_first_time() {
    let heard = Mutex::new(Vec::new());
    let hear = |denial: &Denial| heard.lock().unwrap().push((denial.act, denial.count));
    let source = format!("{CALLS}\nfor _ in range(3): call(101, 16, 1, 0, 0)\ncall(321, 0, 0, 0)\n");
    let ended = run_on(&Host::probe(), &source, Streams { denied: Some(Denied(&hear)), ..Streams::kept() });
    assert_eq!(*heard.lock().unwrap(), [(Act::Ptrace, 1), (Act::Bpf, 1)]);
    assert_eq!(ended.exit.denials[0].count, 3);
}

#[test]
fn where_nobody_can_be_asked_the_same_calls_are_refused() {
    let host = Host { explains: false, ..Host::probe() };
    let source = format!("{CALLS}\nprint(call(101, 16, 1, 0, 0), call(425, 8, 0), call(41, 2, 1, 0))");
    let ended = run_on(&host, &source, Streams::kept());
    assert_eq!(told(&ended), "EPERM ENOSYS EPERM\n");
    assert_eq!(ended.exit.denials, []);
    let seccomp = ended.exit.layers.iter().find(|layer| layer.layer == Layer::Seccomp).unwrap();
    assert!(seccomp.detail.contains("without a word"), "{}", seccomp.detail);
}

#[test]
fn what_no_filter_sees_is_told_from_a_programs_last_words_as_its_own() {
    let prefix = "# a program\nimport os, subprocess\n";
    for (line, act, target, layer) in [
        ("open('/etc/shadow')", Act::Open, Some("/etc/shadow"), Layer::Root),
        ("open('/etc/passwd', 'w')", Act::Open, Some("/etc/passwd"), Layer::RootReadOnly),
        ("subprocess.run(['git', 'log'])", Act::Execve, Some("git"), Layer::Root),
        ("os.kill(os.getppid(), 9)", Act::Signal, None, Layer::Landlock),
    ] {
        let ended = run(&format!("{prefix}{line}\n"));
        let denials = &ended.exit.denials;
        assert_eq!(denials.len(), 1, "{line}: {}", told(&ended));
        assert_eq!((denials[0].act, denials[0].target.as_deref(), denials[0].layer), (act, target, layer), "{line}");
        assert_eq!(denials[0].rule, "the program's own traceback");
        let at = denials[0].at.as_ref().unwrap();
        assert_eq!((at.file.as_str(), at.line, denials[0].source.as_deref()), ("main.py", 3, Some(line)));
    }
    for line in ["open('missing')", "open('/work/missing')", "1/0", "raise SystemExit('x: [Errno 13] y')"] {
        let ended = run(&format!("{prefix}{line}\n"));
        assert_eq!((&ended.exit.end, ended.exit.denials.len()), (&End::Exited(1), 0), "{line}");
    }
}

#[test]
fn a_trace_has_every_call_with_its_answer_and_changes_none() {
    let source = format!(
        "{CALLS}
import subprocess
print(call(101, 16, 1, 0, 0), call(41, 2, 1, 0), call(294, 0))
print(open('/work/main.py').read(6))
print(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True).stdout)
threads = [threading.Thread(target=lambda: [os.getppid() for _ in range(500)]) for _ in range(3)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
"
    );
    let host = Host::probe();
    let plain = plan(&spec(&host, &source), &host).unwrap();
    let untraced = launch(plain.clone(), &host).unwrap().wait(Streams::kept());
    let file = rustix::fs::memfd_create("trace", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let streams = Streams { trace: Some(file.as_fd()), ..Streams::kept() };
    let since = Instant::now();
    let traced = launch(plain.traced().unwrap(), &host).unwrap().wait(streams);
    let took = since.elapsed();
    assert_eq!(told(&traced), told(&untraced));
    assert_eq!((&traced.exit.end, &traced.exit.denials), (&End::Exited(0), &untraced.exit.denials));
    let mut file = std::fs::File::from(file);
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    let count = |call: &str, answer: &str| {
        text.lines()
            .filter(|line| line.contains(&format!(" {call}[")) && line.ends_with(&format!(" = {answer}")))
            .count()
    };
    eprintln!("{} calls in {took:?}", text.lines().count());
    assert!(count("execve", "allowed") >= 2 && count("exit_group", "allowed") == 2);
    assert_eq!((count("ptrace", "EPERM"), count("socket", "EPERM"), count("inotify_init1", "ENOSYS")), (1, 1, 1));
    assert_eq!(count("getppid", "allowed"), 1500);
    assert!(
        text.lines()
            .all(|line| line.ends_with(" = allowed") || line.ends_with(" = EPERM") || line.ends_with(" = ENOSYS"))
    );
}

/// What has the supervisor read a page for each table of pages that there can be, and tells how much those tables hold.
const UNTOUCHED: &str = r"
LIBC.mmap.restype = ctypes.c_void_p
base = LIBC.mmap(None, ctypes.c_size_t(60 << 40), 1, 0x4022, -1, ctypes.c_long(0))
def tables():
    return next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmPTE'))
before = tables()
";

#[test]
fn what_a_program_never_touched_is_not_made_by_reading_it() {
    let source = format!(
        "{CALLS}{UNTOUCHED}
kind, place = b'tmpfs', b'/mnt'
for at in range(2000):
    call(165, 0, base + (2 * at << 30), base + (2 * at + 1 << 30), 0, 0)
call(165, 0, place, kind, 0, 0)
print(tables() - before)
# The control: touched, each makes tables.
for at in range(40):
    ctypes.string_at(base + (at << 30), 1)
print(tables() - before)
"
    );
    let ended = run(&source);
    let said = told(&ended);
    let [read, touched] = said.split_whitespace().map(|word| word.parse::<u64>().unwrap()).collect::<Vec<_>>()[..]
    else {
        panic!("{said}")
    };
    assert!(read < 64 && touched >= 160, "{said}");
    // Told without what nobody read.
    assert_eq!(of(&ended.exit.denials, Act::Mount)[0].target.as_deref(), Some("mount"));
}

#[test]
fn a_deadline_does_not_wait_for_a_program_that_holds_its_memory_s_lock() {
    let source = format!(
        "{CALLS}
wait, go = os.pipe()
for _ in range(8 * os.cpu_count()):
    if os.fork() == 0:
        os.close(go); os.read(wait, 1)
        while True: pass
size = 200 << 20
memory = bytearray(size + 4096)
for at in range(0, size, 4096): memory[at] = 1
start = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + 4095 & ~4095
def hold():
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    while True:
        for rights in (1, 3): LIBC.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(size), rights)
threading.Thread(target=hold, daemon=True).start()
time.sleep(0.3); os.close(go); time.sleep(100)
"
    );
    let host = Host::probe();
    let mut spec = spec(&host, &source);
    spec.limits.wall = Duration::from_secs(3);
    spec.limits.memory = Bytes(600 << 20);
    let ended = launch(plan(&spec, &host).unwrap(), &host).unwrap().wait(Streams::kept());
    assert!(matches!(ended.exit.end, End::LimitHit { .. }), "{:?}", ended.exit.end);
    eprintln!("killed after {:?}", ended.exit.usage.wall);
    assert!(ended.exit.usage.wall < Duration::from_secs(4), "{:?}", ended.exit.usage.wall);
}

/// Run by the next one, as its own process: others need descriptors.
#[test]
#[ignore = "leaves the process no descriptors"]
fn without_descriptors_a_cell_is_ended() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let host = Host::probe();
    let mut spec = spec(&host, "while True: pass");
    spec.limits.wall = Duration::from_secs(20);
    // The low ones are taken, so that nothing of the cell's is one of them when it closes.
    let low: Vec<_> = (0..32).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
    let cell = launch(plan(&spec, &host).unwrap(), &host).unwrap();
    let before = getrlimit(Resource::Nofile);
    // What hands over descriptors is not understood from now on.
    setrlimit(Resource::Nofile, Rlimit { current: Some(32), ..before }).unwrap();
    let ended = cell.wait(Streams::kept());
    drop(low);
    assert!(matches!(ended.exit.end, End::Fault { .. }), "{:?}", ended.exit.end);
    assert!(ended.exit.usage.wall < Duration::from_secs(10), "{:?}", ended.exit.usage.wall);
}

#[test]
fn a_cell_that_is_not_understood_is_ended_at_once() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "without_descriptors_a_cell_is_ended", "--ignored"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn cpu_time_of_this_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
