//! `gambeson run`, as a person uses it: the real binary, real cells.
//!
//! Needs root, since an ordinary user has no cgroups on a host like CI's; the one test of an ordinary user
//! drops privileges itself.

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("gambeson-test-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, contents).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn gambeson(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gambeson"));
    // A worker of this machine would be asked for a warm cell.
    command.args(args).stdin(Stdio::null()).env("GAMBESON_CELLS", "/nowhere");
    command
}

/// Runs `source` from standard input with `args` before it.
fn run(args: &[&str], source: &str) -> Output {
    let mut command = gambeson(&["run"]);
    let mut child = command
        .args(args.iter().take_while(|arg| **arg != "--"))
        .arg("-")
        .args(args.iter().skip_while(|arg| **arg != "--"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn run_json(args: &[&str], source: &str) -> Value {
    let mut all = vec!["--json"];
    all.extend(args);
    let output = run(&all, source);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Cgroups, processes and mounts that a run of `pid` left behind.
fn left_behind(pid: u32) -> Vec<String> {
    let mut left = Vec::new();
    let mark = format!("gambeson-{pid}-");
    let mut directories = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().starts_with(&mark) {
                    left.push(entry.path().display().to_string());
                }
                directories.push(entry.path());
            }
        }
    }
    left
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "it never became true that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_report_has_the_promised_form() {
    let report = run_json(&[], "import sys; print('out'); print('err', file=sys.stderr)");
    let keys: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["outcome", "stdout", "stderr", "usage", "layers", "denials", "start"]);
    assert_eq!(report["outcome"]["kind"], "exited");
    assert_eq!(report["outcome"]["code"], 0);
    assert_eq!((&report["stdout"], &report["stderr"]), (&"out\n".into(), &"err\n".into()));
    assert_eq!(report["start"], "cold");
    assert_eq!(report["usage"]["output_bytes"], 8);
    for key in ["wall_ms", "cpu_ms", "memory_peak_bytes", "pids_peak", "disk_bytes"] {
        assert!(report["usage"][key].as_f64().unwrap() > 0.0, "{key}: {}", report["usage"]);
    }
    for layer in report["layers"].as_array().unwrap() {
        let state = layer["state"].as_str().unwrap();
        assert!(state == "held" || (state == "missing" && layer["name"] == "selinux"), "{layer}");
    }
    assert_eq!(report["denials"], Value::Array(Vec::new()));
}

#[test]
fn a_refused_act_is_told_in_a_sentence() {
    let source = "import socket\ntry:\n    socket.create_connection(('93.184.216.34', 443))\nexcept OSError: pass";
    let report = run_json(&[], source);
    let denial = &report["denials"][0];
    assert_eq!((&denial["act"], &denial["target"]), (&"socket".into(), &"IPv4 (TCP)".into()));
    assert_eq!((&denial["layer"], &denial["count"]), (&"seccomp".into(), &1.into()));
    let said = text(&run(&[], source).stderr);
    let sentence = "a socket for IPv4 (TCP) refused: this job has no network. Ask for network.allow";
    assert!(said.contains(sentence) && said.lines().count() == 1, "{said}");
}

#[test]
fn a_trace_is_written_when_it_is_asked_for() {
    let scratch = Scratch::new("trace");
    let to = scratch.0.join("calls");
    let report = run_json(&["--trace", to.to_str().unwrap()], "import os; os.getppid(); print('as ever')");
    assert_eq!((&report["stdout"], &report["outcome"]["code"]), (&"as ever\n".into(), &0.into()));
    let calls = fs::read_to_string(to).unwrap();
    assert!(calls.contains(" getppid[110](") && calls.contains(" execve[59]("), "{calls}");
}

#[test]
fn a_connection_that_is_not_allowed_is_told_in_a_sentence() {
    let source = "import urllib.request\ntry:\n    urllib.request.urlopen('https://b.invalid')\nexcept OSError: pass";
    let allow = ["--network-allow", "a.invalid:443,*.c.invalid:443"];
    let denial = &run_json(&allow, source)["denials"][0];
    assert_eq!((&denial["act"], &denial["target"]), (&"connect".into(), &"b.invalid:443".into()));
    assert_eq!((&denial["rule"], &denial["layer"]), (&"network.allow".into(), &"egress".into()));
    let sentence = "connect to b.invalid:443 refused: not in this job's network.allow. Let it with --network-allow \
                    b.invalid:443.";
    let said = text(&run(&allow, source).stderr);
    assert!(said.contains(sentence) && said.lines().count() == 1, "{said}");
}

#[test]
fn exit_codes_tell_how_it_ended() {
    for (source, code) in [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("1/0", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 128 + 15),
        ("import os; os.abort()", 128 + 6),
    ] {
        assert_eq!(run(&[], source).status.code(), Some(code), "{source}");
    }
}

#[test]
fn each_limit_is_reported_as_that_limit() {
    for (limit, setting, source) in [
        ("memory", "memory=48M", "b = bytearray(200 << 20)"),
        (
            "memory",
            "memory=48M",
            "import os, time\nfor _ in range(4):\n if not os.fork(): b = bytearray(20 << 20); time.sleep(9)\ntime.sleep(9)",
        ),
        ("memory", "memory=48M", "open('/dev/shm/x', 'wb').write(bytes(40 << 20)); b = bytearray(30 << 20)"),
        ("wall", "wall=300ms", "import time; time.sleep(60)"),
        ("wall", "wall=300ms", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"),
        ("cpu", "cpu=300ms", "while True: pass"),
        ("cpu", "cpu=300ms", "import os\nos.fork()\nwhile True: pass"),
        (
            "pids",
            "pids=8",
            "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()",
        ),
        ("disk", "disk=1M", "open('big', 'wb').write(bytes(2 << 20))"),
        ("disk", "disk=1M", "for i in range(9): open(f'/tmp/{i}', 'wb').write(bytes(400 << 10))"),
        ("files", "files=64", "for i in range(99): open(f'{i}', 'w').close()"),
        ("open_files", "open_files=32", "kept = [open('/dev/null') for _ in range(99)]"),
        ("output", "output=64K", "while True: print('x' * 1000)"),
    ] {
        let report = run_json(&["--limit", setting], source);
        let outcome = &report["outcome"];
        assert_eq!(outcome["kind"], "limit_hit", "{source}: {report}");
        assert_eq!(outcome["limit"], limit, "{source}: {outcome}");
        let (used, allowed) = (outcome["used"].as_f64().unwrap(), outcome["allowed"].as_f64().unwrap());
        assert!(used >= allowed && allowed > 0.0, "{source}: {outcome}");
        assert!(outcome["message"].as_str().unwrap().contains("limit"), "{outcome}");
    }
    assert_eq!(run(&["--limit", "wall=100ms"], "while True: pass").status.code(), Some(121));
}

#[test]
fn cpus_bound_the_rate_and_not_the_program() {
    let source = "import time\nstart = time.process_time(), time.perf_counter()\nwhile time.process_time() - start[0] < 0.3: pass\nprint(time.perf_counter() - start[1])";
    let report = run_json(&["--limit", "cpus=0.25"], source);
    let took: f64 = report["stdout"].as_str().unwrap().trim().parse().unwrap();
    assert!(took > 0.8, "0.3 s of CPU time at a quarter of a CPU took {took} s");
}

#[test]
fn what_is_gone_of_the_output_is_counted_and_memory_stays_flat() {
    let mut child = gambeson(&["run", "--limit", "output=1M", "--limit", "wall=20s", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let source = b"import os\nb = b'x' * 65536\nwhile True: os.write(1, b)";
    child.stdin.take().unwrap().write_all(source).unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let reader = std::thread::spawn({
        let mut out = child.stdout.take().unwrap();
        move || {
            let mut all = Vec::new();
            std::io::Read::read_to_end(&mut out, &mut all).map(|_| all)
        }
    });
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        // What it has allocated: pages of the program's own file are not the flood's.
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        peak = peak.max(line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let out = reader.join().unwrap().unwrap();
    assert!(out.starts_with(&vec![b'x'; 1 << 20]), "1 MiB is kept");
    let mark = text(&out[1 << 20..]);
    assert!(mark.starts_with("\n[gambeson: ") && mark.ends_with(" of output elided]\n"), "{mark:?}");
    assert!(peak > 0 && peak < 8 << 10, "the supervisor needed {peak} KiB");
}

#[test]
fn arguments_environment_and_input_reach_the_program() {
    let scratch = Scratch::new("input");
    let data = scratch.0.join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("a.txt"), "A").unwrap();
    let program = scratch.file(
        "prog.py",
        "import os, sys\nprint(__name__, __file__, sys.argv, sys.path[0], os.environ['K'], open('data/a.txt').read(), input())",
    );
    let mut child = gambeson(&[
        "run",
        "--env",
        "K=V=W",
        "--input",
        data.to_str().unwrap(),
        program.to_str().unwrap(),
        "--",
        "-x",
        "ä",
    ])
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    child.stdin.take().unwrap().write_all("typed\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "__main__ /work/prog.py ['prog.py', '-x', 'ä'] /work V=W A typed\n");
}

#[test]
fn artifacts_are_collected_and_hostile_ones_are_not() {
    let scratch = Scratch::new("output");
    let out = scratch.0.join("out");
    let source = "
import os
os.makedirs('out/sub')
open('out/report.csv', 'w').write('a,b')
open('out/sub/x.bin', 'wb').write(bytes(10))
os.symlink('/etc/passwd', 'out/link')
os.mkfifo('out/fifo')
open(b'out/bad\\nname', 'w').close()
";
    let report = run_json(&["--output", out.to_str().unwrap()], source);
    let paths: Vec<&str> =
        report["artifacts"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["report.csv", "sub/x.bin"], "{report}");
    assert_eq!(fs::read(out.join("report.csv")).unwrap(), b"a,b");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
    let skipped: Vec<&str> =
        report["skipped"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    for name in ["link", "fifo", "bad\\nname"] {
        assert!(skipped.contains(&name), "{skipped:?}");
    }
}

#[test]
fn a_terminal_is_the_cells_own() {
    let source = "import os, sys; print(os.isatty(0), os.isatty(1), os.ttyname(1), os.tcgetpgrp(0) == os.getpgrp())";
    let scratch = Scratch::new("tty");
    let program = scratch.file("t.py", source);
    let output = gambeson(&["run", "--tty", program.to_str().unwrap()]).output().unwrap();
    assert_eq!(text(&output.stdout), "True True /dev/pts/0 True\r\n", "{}", text(&output.stderr));
    let output = gambeson(&["run", program.to_str().unwrap()]).output().unwrap();
    assert!(text(&output.stderr).contains("ttyname"), "without --tty there is none: {}", text(&output.stderr));
}

#[test]
fn a_link_in_the_target_is_not_followed() {
    let scratch = Scratch::new("target-link");
    let (target, victim) = (scratch.0.join("target"), scratch.0.join("victim"));
    fs::create_dir(&target).unwrap();
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("conf"), "kept").unwrap();
    std::os::unix::fs::symlink(&victim, target.join("data")).unwrap();
    let source = "import os; os.makedirs('out/data'); open('out/data/conf', 'w').write('PWNED'); open('out/fine', 'w').write('x')";
    let report = run_json(&["--output", target.to_str().unwrap()], source);
    assert_eq!(fs::read_to_string(victim.join("conf")).unwrap(), "kept");
    assert_eq!(report["artifacts"][0]["path"], "fine", "{report}");
    assert_eq!(report["skipped"][0]["path"], "data", "{report}");
}

#[test]
fn the_groups_of_whoever_runs_us_do_not_come_along() {
    let scratch = Scratch::new("groups");
    let program = scratch.file("g.py", "import os; print(os.getgroups(), open('/proc/self/status').read().split('Groups:')[1].split('\\n')[0].strip() == '')");
    let output = Command::new("setpriv")
        .args(["--groups", "0,4,42", env!("CARGO_BIN_EXE_gambeson"), "run"])
        .arg(&program)
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "[] True\n", "{}", text(&output.stderr));
}

#[test]
fn a_program_that_plays_with_its_pipes_does_not_outlive_its_deadline() {
    let scratch = Scratch::new("stuck");
    // In raw mode it stops reading with its terminal full, and in a pipe it shrinks the pipe under our hands.
    let tty = scratch
        .file("t.py", "import os, tty, time\ntty.setraw(0)\nfor n in range(50): os.read(0, 1 + n * 7)\ntime.sleep(60)");
    let shrink = "import fcntl\nwhile True:\n for pages in (8, 16):\n  try: fcntl.fcntl(0, 1031, 4096 * pages)\n  except OSError: pass";
    let pipe = scratch.file("p.py", shrink);
    for (args, program) in [(["--tty", "--limit", "wall=1s"], tty), (["--limit", "wall=1s", "--json"], pipe)] {
        let mut yes = Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        let output = gambeson(&["run"]).args(args).arg(&program).stdin(yes.stdout.take().unwrap()).output().unwrap();
        let took = start.elapsed();
        let _ = yes.kill();
        yes.wait().unwrap();
        assert_eq!(output.status.code(), Some(121), "{}", text(&output.stderr));
        assert!(took < Duration::from_secs(4), "{args:?} took {took:?}");
    }
}

#[test]
fn a_stopped_supervisor_does_not_stop_the_clock() {
    let scratch = Scratch::new("stopped");
    let program = scratch.file("s.py", "import time\nprint('ready', flush=True)\ntime.sleep(60)");
    let mut child = gambeson(&["run", "--limit", "wall=500ms", program.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    let signal = |name: &str| {
        assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
    };
    signal("STOP");
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let cells = || {
        let pids = fs::read_to_string(&children).unwrap_or_default();
        let alive = |pid: &&str| !fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default().contains(") Z ");
        pids.split_whitespace().filter(alive).count()
    };
    // The janitor is one child; the cell is the other, and is killed although nobody here keeps the time.
    wait_until("the cell is dead", || cells() <= 1);
    signal("CONT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(121));
}

/// Runs a program until it has said that it is ready.
fn ready(program: &Path) -> Child {
    let mut child =
        gambeson(&["run", program.to_str().unwrap()]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    child
}

#[test]
fn a_supervisor_that_dies_with_questions_open_takes_the_cell_with_it() {
    let scratch = Scratch::new("asking");
    let storm = "import ctypes, os, sys\nfor _ in range(3): os.fork()\nprint('ready', flush=True)\ncall = ctypes.CDLL(None).syscall\nwhile True: call(101, 16, 1, 0, 0)";
    let program = scratch.file("s.py", storm);
    for _ in 0..3 {
        let mut child = ready(&program);
        child.kill().unwrap();
        child.wait().unwrap();
        // The pipe's other ends are the cell's: it is read to its end when the last process is gone.
        let (sender, over) = std::sync::mpsc::channel();
        let mut out = child.stdout.take().unwrap();
        std::thread::spawn(move || sender.send(std::io::copy(&mut out, &mut std::io::sink()).is_ok()));
        assert_eq!(over.recv_timeout(Duration::from_secs(20)), Ok(true), "it lives on");
        wait_until("nothing is left behind", || left_behind(child.id()).is_empty());
    }
}

#[test]
fn input_that_makes_no_sense_gets_a_sentence_and_its_exit_code() {
    let scratch = Scratch::new("bad");
    let good = scratch.file("good.py", "pass");
    let good = good.to_str().unwrap();
    let binary = scratch.file("binary.py", b"\x7fELF\0\0");
    let latin = scratch.file("latin.py", b"# a\n# b\nprint('\xe4')");
    let directory = scratch.0.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["/nowhere/x.py"], "No such file"),
        (&[directory], "is a directory"),
        (&[binary.to_str().unwrap()], "is a binary"),
        (&[latin.to_str().unwrap()], "is not UTF-8 (line 3)"),
        (&["--limit", "memory=0", good], "limit memory is 0 bytes; it must be from"),
        (&["--limit", "memory=-5M", good], "write a size"),
        (&["--limit", "memory=999999999999999999999G", good], "write a size"),
        (&["--limit", "wall=1e400", good], "write a time"),
        (&["--limit", "colour=3", good], "there is no limit \"colour\""),
        (&["--limit", "memory", good], "has no value"),
        (&["--python", "/nowhere/python3", good], "cannot be read"),
        (&["--python", "/bin/false", good], "is no Python interpreter"),
        (&["--python", good, good], "failed to start"),
        (&["--env", "NOVALUE", good], "write K=V"),
        (&["--env", "LD_PRELOAD=/x", good], "acts on the dynamic loader"),
        (&["--env", "=x", good], "impossible name"),
        (&["--input", "/nowhere", good], "No such file"),
        (&["--input", good, good], "is there twice"),
        (&["--network", "internet", good], "invalid value"),
        (&["--network-allow", "pypi.org", good], "is not written HOST:PORT"),
        (&["--network-allow", "127.0.0.1:80", good], "is a loopback address"),
        (&["--network-allow", "2130706433:80", good], "is no address as four decimal numbers"),
        (&["--network", "none", "--network-allow", "pypi.org:443", good], "cannot be used with"),
        (&["--accept-missing", "roof", good], "there is no layer"),
        (&["--output", "/dev/null/x", good], "--output"),
        (&["--no-such-option", good], "unexpected argument"),
        (&[], "required"),
    ];
    for (args, says) in cases {
        let output = gambeson(&["run"]).args(*args).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(120), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
        assert!(!said.contains("panicked") && output.stdout.is_empty(), "{args:?}: {said}");
    }
}

#[test]
fn input_larger_than_the_limits_names_the_limit() {
    let scratch = Scratch::new("large");
    let big = scratch.file("big.dat", vec![b'x'; 2 << 20]);
    let good = scratch.file("good.py", "pass");
    let output = gambeson(&["run", "--limit", "disk=1M", "--input", big.to_str().unwrap(), good.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(120));
    assert!(text(&output.stderr).contains("--limit disk="), "{}", text(&output.stderr));
}

#[test]
fn artifacts_that_find_no_room_are_our_fault_and_leave_no_half() {
    let scratch = Scratch::new("full");
    let full = scratch.0.join("full");
    fs::create_dir(&full).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "gambeson-test"]).arg(&full).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no file system of its own can be mounted");
        return;
    }
    let source = "import os; os.mkdir('out'); open('out/big', 'wb').write(bytes(1 << 20))";
    let output = run(&["--output", full.to_str().unwrap()], source);
    let left = fs::read_dir(&full).unwrap().count();
    assert!(Command::new("umount").arg(&full).status().unwrap().success());
    assert_eq!(output.status.code(), Some(125), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("No space left"), "{}", text(&output.stderr));
    assert_eq!(left, 0);
}

#[test]
fn an_interrupt_reaches_the_program_and_a_termination_cancels_it() {
    let scratch = Scratch::new("signals");
    let program = scratch.file("s.py", "import time\nprint('ready', flush=True)\ntime.sleep(60)");
    let started = || ready(&program);
    let signal = |child: &Child, name: &str| {
        assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
    };
    let child = started();
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stderr).contains("KeyboardInterrupt"), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(130));
    let child = started();
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(123));
}

#[test]
fn nothing_is_left_behind_even_when_we_are_killed_at_any_moment() {
    let scratch = Scratch::new("sigkill");
    // Daemons of a session of their own, a full disk, a shared segment: whatever might outlive us.
    let program = scratch.file(
        "k.py",
        "import os, time\nopen('/tmp/x', 'wb').write(bytes(1 << 20))\nfor _ in range(5):\n  if os.fork() == 0:\n    os.setsid(); time.sleep(600)\nprint('on', flush=True)\ntime.sleep(600)",
    );
    let mut pids = Vec::new();
    for delay_us in [0u64, 500, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 12_000, 20_000, 60_000, 200_000] {
        let mut child = gambeson(&["run", program.to_str().unwrap()]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(delay_us));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        pids.push(child.id());
    }
    for pid in pids {
        wait_until(&format!("nothing of {pid} is left: {:?}", left_behind(pid)), || left_behind(pid).is_empty());
    }
    // A cell's uid is that of nobody else: no process may have one once all are gone.
    let name = program.file_name().unwrap().to_string_lossy().into_owned();
    wait_until("no process of a cell is left", || {
        !fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words.get(1) == Some(&name.as_bytes()) && words.len() == 3
        })
    });
}

#[test]
fn a_normal_end_leaves_nothing_behind_either() {
    let child = gambeson(&["run", "/dev/stdin"]).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    assert!(child.wait_with_output().unwrap().status.success());
    wait_until("no cgroup is left", || left_behind(pid).is_empty());
}

#[test]
fn both_kinds_of_interpreter_work() {
    for python in ["/usr/bin/python3", "/root/.pyenv/versions/3.11.7/bin/python3"] {
        if !Path::new(python).exists() {
            eprintln!("skipped: there is no {python}");
            continue;
        }
        let report =
            run_json(&["--python", python], "import sys, ssl, sqlite3, ctypes, zoneinfo; print(sys.executable)");
        assert_eq!(report["stdout"], format!("{python}\n"), "{report}");
    }
}

#[test]
fn the_plan_is_printed_and_nothing_runs() {
    let output = run(&["--plan"], "open('/work/x', 'w')");
    let plan = text(&output.stdout);
    for layer in ["cgroup.memory", "namespace.user", "root", "landlock", "seccomp", "deadline.wall"] {
        assert!(plan.contains(layer), "{layer} is not in the plan:\n{plan}");
    }
    assert!(plan.lines().last().unwrap().starts_with("missing: selinux") || plan.contains("gambeson_cell_t"), "{plan}");
}

/// A copy of the binary and a program that an ordinary user can reach.
fn for_everybody(scratch: &Scratch) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o755)).unwrap();
    let binary = scratch.0.join("gambeson");
    fs::copy(env!("CARGO_BIN_EXE_gambeson"), &binary).unwrap();
    (binary, scratch.file("p.py", "import os; print('uid', os.getuid())"))
}

#[test]
fn an_ordinary_user_without_delegation_is_refused_until_it_accepts_by_name() {
    let scratch = Scratch::new("user");
    let (binary, program) = for_everybody(&scratch);
    let as_user = |args: &[&str]| {
        Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&binary)
            .arg("run")
            .args(args)
            .args(["--python", "/usr/bin/python3"])
            .arg(&program)
            .env("HOME", "/nonexistent")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let refused = as_user(&[]);
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(122), "{said}");
    assert!(said.contains("cgroup.memory") && said.contains("--accept-missing cgroup.memory"), "{said}");
    let accepted = as_user(&["--json", "--accept-missing", "cgroup.memory,cgroup.pids,cgroup.cpu"]);
    let report: Value =
        serde_json::from_slice(&accepted.stdout).unwrap_or_else(|_| panic!("{}", text(&accepted.stderr)));
    assert_eq!(report["stdout"], "uid 1000\n", "{report}");
    let missing: Vec<&str> = report["layers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|layer| layer["state"] == "missing")
        .map(|layer| layer["name"].as_str().unwrap())
        .collect();
    assert!(missing.starts_with(&["cgroup.memory", "cgroup.pids", "cgroup.cpu"]), "{missing:?}");
}

#[test]
fn where_user_namespaces_are_forbidden_the_layer_is_named_with_what_mends_it() {
    let scratch = Scratch::new("forbidden");
    let (binary, program) = for_everybody(&scratch);
    let script = format!(
        "echo 0 > /proc/sys/user/max_user_namespaces && exec {} run --python /usr/bin/python3 \
         --accept-missing cgroup.memory,cgroup.pids,cgroup.cpu {}",
        binary.display(),
        program.display()
    );
    let output = Command::new("unshare").args(["--user", "--map-root-user", "sh", "-c", &script]).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(122), "{said}");
    assert!(said.contains("namespace.user") && said.contains("sysctl -w user.max_user_namespaces"), "{said}");
}

#[test]
fn doctor_says_what_held_and_what_mends_the_rest() {
    let output = gambeson(&["doctor", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["trial"]["ran"], true, "{report}");
    for layer in report["layers"].as_array().unwrap() {
        match layer["state"].as_str().unwrap() {
            "held" => {}
            "missing" => assert!(layer["mend"].is_string() && !layer["detail"].as_str().unwrap().is_empty(), "{layer}"),
            other => panic!("{other}"),
        }
    }
    let posture = report["posture"].as_array().unwrap();
    assert!(posture.iter().any(|fact| fact["name"] == "mitigations"));
    let lines = posture.iter().find(|fact| fact["name"] == "lines").unwrap();
    assert!(lines["value"].as_str().unwrap().starts_with("told of programs of Python 3."), "{lines}");
}
