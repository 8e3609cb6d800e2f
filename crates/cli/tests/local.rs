//! `gambeson run` in a warm cell of a worker on the same machine: the real binary at both ends.
//!
//! Needs root, as nurseries do.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use gambeson_testkit::{Platform, signal_to, until};
use rustix::process::Signal;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_gambeson");

/// A worker with a socket that everybody finds, and files for programs.
struct Scene {
    platform: Platform,
    dir: tempfile::TempDir,
}

impl Scene {
    /// `None` where this host can have no nursery.
    fn new(settings: &[&str]) -> Option<Scene> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: a nursery needs root");
            return None;
        }
        let dir = tempfile::Builder::new().prefix("gambeson-local-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let socket = format!("worker.local_socket={}", dir.path().join("cells.sock").display());
        let mut args = vec!["--set", socket.as_str(), "--set", "worker.python=/usr/bin/python3"];
        for setting in settings {
            args.extend(["--set", setting]);
        }
        Some(Scene { platform: Platform::up(Path::new(BINARY), &args), dir })
    }

    fn file(&self, name: &str, source: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, source).unwrap();
        path
    }

    fn command(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        command.arg("run").env("PATH", "/usr/bin:/bin").env("GAMBESON_CELLS", self.dir.path().join("cells.sock"));
        command.current_dir(self.dir.path());
        command
    }

    /// Runs to the end, and returns the report.
    fn json(&self, args: &[&str], stdin: &str) -> Value {
        let mut command = self.command(Path::new(BINARY));
        json(command.arg("--json").args(args), stdin)
    }

    /// Waits until programs start warm.
    fn warmed_up(self) -> Scene {
        let file = self.file("first.py", "print(1)");
        until("a program starts warm", || {
            let report = self.json(&[file.to_str().unwrap()], "");
            assert_eq!(report["stdout"], "1\n", "{report}");
            (report["start"] == "warm").then_some(())
        });
        self
    }

    fn running(&self, args: &[&str]) -> Running {
        let mut command = self.command(Path::new(BINARY));
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Running { child, stdin, stdout }
    }
}

fn json(command: &mut Command, stdin: &str) -> Value {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that is refused may not read it.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.is_empty(), "{said}");
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["code"] = output.status.code().into();
    report
}

/// A run that goes on.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Waits for its end: what else it printed, what we said, and how it ended.
    fn end(mut self) -> (String, String, ExitStatus) {
        drop(self.stdin.take());
        let (mut rest, mut said) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (rest, said, self.child.wait().unwrap())
    }
}

const WAITS: &str = "import sys\nprint('on', flush=True)\nprint('heard', sys.stdin.read())";

#[test]
fn a_warm_run_does_all_that_a_cold_one_does_and_says_which_it_was() {
    let Some(scene) = Scene::new(&[]).map(Scene::warmed_up) else { return };
    fs::create_dir_all(scene.dir.path().join("data/deep")).unwrap();
    scene.file("data/deep/x", "of the input");
    scene.file("data/empty", "");
    let programs = [
        ("print(1)", 0),
        (
            "import os, sys; print(sys.argv, sorted(os.environ.items()), os.getcwd()); print(sys.stdin.read(), file=sys.stderr)",
            0,
        ),
        ("import sys; sys.exit(7)", 7),
        ("import os, signal; print('x', flush=True); os.kill(os.getpid(), signal.SIGTERM)", 128 + 15),
        ("print(open('data/deep/x').read(), open('data/empty').read() == ''); 1/0", 1),
        ("while True: print('x' * 1000)", 121),
        ("bytearray(1 << 30)", 121),
        (
            "import os\nos.makedirs('out/a/b')\nopen('out/a/b/c', 'w').write('left')\nopen('out/big', 'wb').write(bytes(3 << 20))\n\
          os.symlink('/etc/passwd', 'out/link')\nopen('out/.hidden', 'w').close()\nopen('out/empty', 'w').close()",
            0,
        ),
    ];
    for (number, (source, code)) in programs.iter().enumerate() {
        let file = scene.file(&format!("p{number}.py"), source);
        let run = |start: &str| {
            let to = scene.dir.path().join(format!("{start}-{number}"));
            let args = ["--start", start, "--env", "OWN=ä", "--input", "data", "--output", to.to_str().unwrap()];
            let args: Vec<&str> = args.into_iter().chain([file.to_str().unwrap(), "--", "one", "two words"]).collect();
            let mut report = scene.json(&args, "typed\n");
            assert_eq!(report["start"], start, "{source}: {report}");
            assert_eq!(report["code"], *code, "{source}: {report}");
            // What a clock or a counter says differs.
            for gone in ["start", "usage"] {
                report.as_object_mut().unwrap().remove(gone);
            }
            for layer in report["layers"].as_array_mut().unwrap() {
                if layer["name"] == "identity" {
                    layer.as_object_mut().unwrap().remove("detail");
                }
            }
            if *code == 121 {
                let outcome = report["outcome"].as_object_mut().unwrap();
                outcome.retain(|key, _| ["kind", "limit", "allowed"].contains(&key.as_str()));
                // How much more was written before the end is chance.
                let kept = report["stdout"].as_str().unwrap().split("\n[gambeson: ").next().unwrap().len();
                report["stdout"] = kept.into();
            }
            let mut files = Vec::new();
            for path in ["a/b/c", "big", "empty", "link", ".hidden"] {
                files.push(fs::read(to.join(path)).ok().map(|bytes| bytes.len()));
            }
            (report, files)
        };
        let (warm, cold) = (run("warm"), run("cold"));
        for key in cold.0.as_object().unwrap().keys() {
            assert_eq!(warm.0[key], cold.0[key], "{source}");
        }
        assert_eq!(
            (warm.0.as_object().unwrap().len(), warm.1),
            (cold.0.as_object().unwrap().len(), cold.1),
            "{source}"
        );
    }
    // A great deal, both ways.
    let echo = scene.file("echo.py", "import sys\nfor line in sys.stdin: sys.stdout.write(line)");
    let text = "0123456789abcdef\n".repeat(60_000);
    let report = scene.json(&[echo.to_str().unwrap()], &text);
    assert!(report["start"] == "warm" && report["stdout"] == text.as_str());
}

#[test]
fn what_a_warm_cell_cannot_be_starts_cold() {
    let Some(scene) = Scene::new(&["limits.ceiling_memory=128M"]) else { return };
    let file = scene.file("p.py", "print(1)");
    let file = file.to_str().unwrap();
    let small = ["--limit", "memory=64M"];
    until("a program starts warm", || {
        (scene.json(&[&small[..], &[file]].concat(), "")["start"] == "warm").then_some(())
    });
    let bad: &[&[&str]] = &[
        &[],
        &["--limit", "memory=64M", "--start", "fresh"],
        &["--limit", "memory=64M", "--accept-missing", "cgroup.cpu"],
        &["--limit", "memory=64M", "--env", "PYTHONHASHSEED=0"],
        &["--limit", "memory=64M", "--env", "PYTHONUNBUFFERED="],
    ];
    for args in bad {
        let report = scene.json(&[args, &[file][..]].concat(), "");
        assert_eq!((&report["start"], &report["stdout"]), (&"cold".into(), &"1\n".into()), "{args:?}");
    }
    // Another interpreter than the worker's, of the same program.
    let other = scene.dir.path().join("python3");
    std::os::unix::fs::symlink("/usr/bin/python3", &other).unwrap();
    let venv = scene.dir.path().join("venv");
    let made = Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).arg(&venv).status();
    if made.is_ok_and(|made| made.success()) {
        let python = venv.join("bin/python3");
        let report = scene.json(&["--limit", "memory=64M", "--python", python.to_str().unwrap(), file], "");
        assert_eq!((&report["start"], &report["stdout"]), (&"cold".into(), &"1\n".into()));
    }
    assert_eq!(scene.json(&[&small[..], &[file]].concat(), "")["start"], "warm", "the control");
}

#[test]
fn a_user_who_is_not_named_starts_cold_and_one_who_is_starts_warm() {
    let Some(scene) = Scene::new(&["worker.local_users=4711,@4712"]).map(Scene::warmed_up) else { return };
    let binary = scene.dir.path().join("gambeson");
    fs::copy(BINARY, &binary).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let file = scene.file("p.py", "import os; print(os.getuid())");
    let mut wrong = Vec::new();
    for (ids, warm) in [
        (["--reuid=4711", "--regid=4711", "--clear-groups"], true),
        (["--reuid=4710", "--regid=4712", "--clear-groups"], true),
        (["--reuid=4710", "--regid=4710", "--groups=4709,4712"], true),
        (["--reuid=4710", "--regid=4710", "--clear-groups"], false),
        (["--reuid=4712", "--regid=4711", "--clear-groups"], false),
    ] {
        let inner = scene.command(&binary);
        let mut command = Command::new("setpriv");
        command.args(ids).arg(&binary).arg("run").arg("--json").arg(&file).current_dir("/");
        command.env("HOME", "/nowhere");
        for (name, value) in inner.get_envs() {
            command.env(name, value.unwrap());
        }
        let report = json(&mut command, "");
        // Without a worker a user without cgroups is refused.
        let is_warm =
            report["start"] == "warm" && report["outcome"]["kind"] == "exited" && report["stdout"] == "1000\n";
        let is_cold = report["start"] == "cold"
            && ["refused", "exited", "fault"].contains(&report["outcome"]["kind"].as_str().unwrap());
        if is_warm != warm || is_cold == warm {
            wrong.push(format!("{ids:?}: {report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_a_worker_programs_start_cold() {
    let dir = tempfile::tempdir().unwrap();
    let stale = dir.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    let other = dir.path().join("other.sock");
    let _listens = std::os::unix::net::UnixListener::bind(&other).unwrap();
    let long = format!("/{}", "x".repeat(200));
    for socket in
        ["/nowhere/cells.sock", "", "/dev/null", long.as_str(), stale.to_str().unwrap(), other.to_str().unwrap()]
    {
        let file = dir.path().join("p.py");
        fs::write(&file, "print(1)").unwrap();
        let mut command = Command::new(BINARY);
        let report = json(command.args(["run", "--json"]).arg(&file).env("GAMBESON_CELLS", socket), "");
        assert_eq!((&report["start"], &report["stdout"]), (&"cold".into(), &"1\n".into()), "{socket}");
    }
}

#[test]
fn the_end_of_a_worker_is_never_the_end_of_a_program() {
    let Some(scene) = Scene::new(&["worker.drain=0s"]).map(Scene::warmed_up) else { return };
    let file = scene.file("waits.py", WAITS);
    for (signal, codes) in [(Signal::KILL, &[125][..]), (Signal::TERM, &[123, 125])] {
        until("a worker offers cells", || {
            let report = scene.json(&[scene.dir.path().join("first.py").to_str().unwrap()], "");
            (report["start"] == "warm").then_some(())
        });
        let (_, worker) = scene.platform.children();
        let mut run = scene.running(&[file.to_str().unwrap()]);
        assert_eq!(run.line(), "on\n");
        signal_to(worker, signal);
        // It is the worker's end that it finds, and not that of its input.
        let mut rest = String::new();
        run.stdout.read_to_string(&mut rest).unwrap();
        let (_, said, status) = run.end();
        assert!(codes.contains(&status.code().unwrap()), "{signal:?}: {status}: {said}");
        assert!(rest.is_empty() && (said.contains("worker") || said.contains("cancelled")), "{rest:?} {said}");
        until("its cell is gone", || cells_of("waits.py").is_empty().then_some(()));
    }
}

#[test]
fn the_end_of_a_client_is_the_end_of_its_cell() {
    let Some(scene) = Scene::new(&[]).map(Scene::warmed_up) else { return };
    let name = format!("client-{}.py", std::process::id());
    let file = scene.file(&name, WAITS);
    for _ in 0..2 {
        let mut run = scene.running(&[file.to_str().unwrap()]);
        assert_eq!(run.line(), "on\n");
        run.child.kill().unwrap();
        run.child.wait().unwrap();
        // Whoever still holds its pipes is no reason to go on.
        until("its cell is gone", || cells_of(&name).is_empty().then_some(()));
        // The worker has room again, as it has one such slot on two CPUs.
        until("the slot is free", || {
            let report = scene.json(&[scene.dir.path().join("first.py").to_str().unwrap()], "");
            (report["start"] == "warm").then_some(())
        });
    }
}

/// Guests whose program has this name.
fn cells_of(name: &str) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let is_it = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).nth(1) == Some(name.as_bytes())
    };
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_it).collect()
}

#[test]
fn an_interrupt_reaches_a_warm_program_and_a_termination_cancels_it() {
    let Some(scene) = Scene::new(&[]).map(Scene::warmed_up) else { return };
    let source = "import time\ntry: print('on', flush=True); time.sleep(60)\nexcept KeyboardInterrupt: print('interrupted', flush=True)\nfinally: pass\nif open('again').read(): time.sleep(60)";
    let file = scene.file("sleeps.py", source);
    for (again, signals, code) in [
        ("", &[Signal::INT][..], 0),
        ("yes", &[Signal::INT, Signal::INT], 123),
        ("", &[Signal::TERM], 123),
        ("", &[Signal::HUP], 123),
    ] {
        scene.file("again", again);
        until("a slot is free", || {
            let report = scene.json(&[scene.dir.path().join("first.py").to_str().unwrap()], "");
            (report["start"] == "warm").then_some(())
        });
        let began = Instant::now();
        let mut run = scene.running(&["--input", "again", file.to_str().unwrap()]);
        assert_eq!(run.line(), "on\n");
        for signal in signals {
            signal_to(run.child.id(), *signal);
            if *signal == Signal::INT {
                let line = if again.is_empty() || signals.len() == 2 { run.line() } else { String::new() };
                assert!(["interrupted\n", ""].contains(&line.as_str()), "{line}");
            }
        }
        let (_, said, status) = run.end();
        assert_eq!(status.code(), Some(code), "{signals:?}: {said}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn two_run_at_once_and_a_third_that_finds_the_slots_full_starts_cold() {
    let Some(scene) = Scene::new(&["worker.local_slots=2", "worker.slots=4", "worker.cpus=4"]).map(Scene::warmed_up)
    else {
        return;
    };
    let (one, other) = (scene.file("one.py", WAITS), scene.file("other.py", WAITS));
    let first = scene.dir.path().join("first.py");
    let start = || scene.json(&[first.to_str().unwrap()], "")["start"].clone();
    let mut runs = [one, other].map(|file| {
        let mut run = scene.running(&[file.to_str().unwrap()]);
        assert_eq!(run.line(), "on\n");
        run
    });
    assert_eq!(start(), "cold");
    for (number, run) in runs.iter_mut().enumerate() {
        write!(run.stdin.as_mut().unwrap(), "{number}").unwrap();
    }
    for (number, run) in runs.into_iter().enumerate() {
        let (rest, said, status) = run.end();
        assert_eq!((rest, status.code()), (format!("heard {number}\n"), Some(0)), "{said}");
    }
    until("the slots are free", || (start() == "warm").then_some(()));
}

#[test]
fn a_job_of_the_queue_waits_for_a_local_run_and_is_not_lost() {
    let Some(scene) = Scene::new(&["worker.slots=1", "worker.local_slots=1", "worker.cpus=1"]).map(Scene::warmed_up)
    else {
        return;
    };
    let file = scene.file("waits.py", WAITS);
    let mut run = scene.running(&[file.to_str().unwrap()]);
    assert_eq!(run.line(), "on\n");
    let job = scene.file("job.py", "print('of the queue')");
    let mut submit = scene.platform.command(&["submit", "--wait", job.to_str().unwrap()]);
    let submitted = submit.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Long enough for the worker to have been granted what it has no room for.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(run.end().0, "heard \n");
    let output = submitted.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "of the queue\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // And the other way round: a job has the room.
    let long = scene.file("long.py", "import time; print('on', flush=True); time.sleep(3)");
    let mut submit = scene.platform.command(&["submit", "--wait", long.to_str().unwrap()]);
    let mut submitted = submit.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(submitted.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "on\n");
    assert_eq!(scene.json(&[scene.dir.path().join("first.py").to_str().unwrap()], "")["start"], "cold");
    submitted.wait().unwrap();
}
