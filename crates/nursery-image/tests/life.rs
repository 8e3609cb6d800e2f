//! Ends of nurseries, spares, cells and their supervisor, in whatever order they come.

mod ground;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gambeson_sandbox::{Bytes, Cell, End, Ended, Input, Limit, Limits, Nursery, Sink, Spare, Spec, Streams};
use rustix::process::Signal;

/// What is left behind is told by what this process has in all: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One test alone, what is mounted before it, and a nursery; `None` where this host can have none.
fn scene() -> Option<(MutexGuard<'static, ()>, BTreeSet<String>, Nursery)> {
    ground::host()?;
    let (alone, mounts) = (alone(), ground::mounts());
    Some((alone, mounts, ground::nursery(&ground::python(), &[])))
}

const ECHO: &str = "import sys\nfor line in sys.stdin: print('heard', line.strip(), flush=True)";

fn echo() -> Spec {
    let mut spec = ground::spec(&ground::python(), ECHO);
    spec.limits.wall = Limits::LONGEST;
    spec
}

/// A cell that answers each line.
struct Answering {
    to: Option<fs::File>,
    lines: mpsc::Receiver<String>,
    ended: thread::JoinHandle<Ended>,
}

impl Answering {
    fn new(cell: Cell) -> Answering {
        let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let ((their_in, our_in), (our_out, their_out)) = (pipe(), pipe());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let from = BufReader::new(fs::File::from(our_out));
            from.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let ended = thread::spawn(move || {
            let (stdin, stdout) = (Input::Fd(their_in.as_fd()), Sink::Fd(their_out.as_fd()));
            cell.wait(Streams { stdin, stdout, ..Streams::kept() })
        });
        Answering { to: Some(our_in.into()), lines, ended }
    }

    fn ask(&mut self, line: &str) -> String {
        self.to.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        self.lines.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    fn end(mut self) -> Ended {
        self.to = None;
        self.ended.join().unwrap()
    }
}

fn run(spare: Spare, spec: &Spec) -> Cell {
    spare.run(ground::planned(spec)).map_err(|back| back.why).unwrap()
}

/// All that is of a supervisor: processes, by its cgroups or as its children, and cgroups.
fn all_of(supervisor: u32) -> Vec<String> {
    let cgroups = ground::cgroups_of(supervisor).into_iter().map(|path| path.display().to_string());
    let mark = format!("/gambeson-{supervisor}-");
    let inside = |pid: &PathBuf| fs::read_to_string(pid.join("cgroup")).is_ok_and(|text| text.contains(&mark));
    let pids = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let alive = |pid: &PathBuf| {
        let number = pid.file_name().unwrap().to_string_lossy().parse();
        number.is_ok_and(ground::lives)
    };
    let processes = pids.filter(inside).filter(alive).map(|pid| {
        let line = fs::read_to_string(pid.join("cmdline")).unwrap_or_default().replace('\0', " ");
        format!("{} {line}", pid.display())
    });
    cgroups.chain(processes).collect()
}

/// Fails unless all is as it was, soon.
fn nothing_left(mounts: &BTreeSet<String>) {
    let own = std::process::id();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut left = all_of(own);
        let about = |pid: i32| {
            let of = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            let open: Vec<_> = open.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
            format!("child {pid} {:?} {:?} {open:?}", of("comm"), of("wchan"))
        };
        left.extend(ground::children_of(own).into_iter().map(about));
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "left behind: {}", left.join("\n"));
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(&ground::mounts(), mounts);
}

#[test]
fn cells_and_spares_of_a_nursery_that_is_killed_go_on() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let spec = echo();
    let mut cell = Answering::new(ground::start_warm(&mut nursery, &spec));
    let spare = ground::spare(&mut nursery, &spec);
    assert_eq!(cell.ask("before"), "heard before");
    assert!(nursery.lives());
    ground::kill(nursery.pid(), Signal::KILL);
    ground::wait_until("the nursery is gone", || !nursery.lives());
    let began = Instant::now();
    let error = nursery.birth(&ground::planned(&ground::stranger(&spec))).err().map(|error| error.to_string());
    println!("{}", error.as_deref().expect("there is nobody to give birth"));
    assert!(began.elapsed() < Duration::from_secs(2), "it took {:?}", began.elapsed());
    assert_eq!(cell.ask("after"), "heard after");
    drop(nursery);
    assert_eq!(cell.ask("long after"), "heard long after");
    let mut other = Answering::new(run(spare, &spec));
    assert_eq!(other.ask("late"), "heard late");
    assert_eq!(cell.end().exit.end, End::Exited(0));
    assert_eq!(other.end().exit.end, End::Exited(0));
    nothing_left(&mounts);
}

/// Our children that have ended, and that nobody waited for.
fn zombies() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let children = tasks.map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let ended = |pid: &str| pid.parse().is_ok_and(|pid| !ground::lives(pid));
    children.map(|pids| pids.split_whitespace().filter(|pid| ended(pid)).count()).sum()
}

#[test]
fn who_makes_cell_after_cell_leaves_no_zombie_for_each() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let spec = ground::spec(&ground::python(), "print(1)");
    for _ in 0..8 {
        assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), "1\n");
        assert_eq!(ground::output(&ground::cold(&spec, b"")), "1\n");
    }
    // The last ones are waited for when another cell comes.
    ground::wait_until("few are left", || {
        drop(ground::spare(&mut nursery, &spec));
        zombies() <= 3
    });
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn cells_outlive_the_thread_that_asked_for_them_and_the_nursery_they_come_from() {
    if ground::host().is_none() {
        return;
    }
    let (_alone, mounts) = (alone(), ground::mounts());
    let spec = echo();
    // Started on one thread, which ends; born on another, which ends; run on a third.
    let mut nursery = thread::spawn(|| ground::nursery(&ground::python(), &[])).join().unwrap();
    let (spare, nursery) = thread::scope(|scope| {
        let spec = &spec;
        scope.spawn(move || (ground::spare(&mut nursery, spec), nursery)).join().unwrap()
    });
    let cell = thread::scope(|scope| scope.spawn(|| run(spare, &spec)).join().unwrap());
    let mut cell = Answering::new(cell);
    assert_eq!(cell.ask("1"), "heard 1");
    drop(nursery);
    assert_eq!(cell.ask("2"), "heard 2");
    assert_eq!(cell.end().exit.end, End::Exited(0));
    nothing_left(&mounts);
}

#[test]
fn a_nursery_that_is_stopped_gives_no_birth_and_takes_no_longer_than_it_may() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let spec = echo();
    let mut cell = Answering::new(ground::start_warm(&mut nursery, &spec));
    nursery.be_patient_for(Duration::from_millis(300));
    ground::kill(nursery.pid(), Signal::STOP);
    let began = Instant::now();
    for _ in 0..5 {
        let error = nursery.birth(&ground::planned(&ground::stranger(&spec))).err().map(|error| error.to_string());
        println!("{}", error.expect("it is stopped"));
    }
    assert!(began.elapsed() < Duration::from_secs(3), "it took {:?}", began.elapsed());
    // It is of no use, and says so.
    ground::wait_until("the nursery is gone", || !nursery.lives());
    assert_eq!(cell.ask("on"), "heard on");
    drop(nursery);
    assert_eq!(cell.end().exit.end, End::Exited(0));
    nothing_left(&mounts);
}

#[test]
fn a_spare_whose_program_to_be_was_killed_tells_and_runs_nothing() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let spec = ground::spec(&ground::python(), "print('ran')");
    let mut wrong = Vec::new();
    // Whether the end is seen before the program is handed over or after it, is up to the scheduler: many times.
    let kills: [(&str, &dyn Fn(i32)); 4] = [
        ("the guest, a moment ago", &|cell| ground::kill(ground::guest(cell).unwrap(), Signal::KILL)),
        ("the guest", &|cell| {
            let guest = ground::guest(cell).unwrap();
            ground::kill(guest, Signal::KILL);
            ground::wait_until("it is gone", || !ground::lives(guest));
        }),
        ("the reaper, a moment ago", &|cell| ground::kill(cell, Signal::KILL)),
        ("the reaper", &|cell| {
            ground::kill(cell, Signal::KILL);
            ground::wait_until("it is gone", || !ground::lives(cell));
        }),
    ];
    let (mut refused, mut faults) = (0, 0);
    for (who, kill) in &kills {
        for _ in 0..10 {
            let spare = ground::spare(&mut nursery, &spec);
            kill(spare.pid());
            let began = Instant::now();
            match spare.run(ground::planned(&spec)) {
                Err(_) => refused += 1,
                Ok(cell) => {
                    let ended = ground::finish(cell, b"");
                    match &ended.exit.end {
                        // It proves that nothing ran, so that the program can go elsewhere.
                        End::Fault { step, .. } if step.starts_with("hand the") && ended.stdout.is_empty() => {
                            faults += 1
                        }
                        // A reaper takes its time to die; meanwhile the program may have run.
                        End::Fault { step, .. } if step.starts_with("hear how") && who.contains("reaper") => {
                            faults += 1
                        }
                        _ => wrong.push(format!("{who}: {}", ground::told(&ended))),
                    }
                }
            }
            assert!(began.elapsed() < Duration::from_secs(5), "{who}: it took {:?}", began.elapsed());
        }
    }
    println!("{refused} did not take the program, {faults} said that it is not the program's fault");
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong[0]);
    assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), "ran\n");
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn a_spare_that_is_stopped_does_not_keep_its_supervisor_waiting() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let mut spec = ground::spec(&ground::python(), "print('ran')");
    spec.limits.wall = Duration::from_millis(500);
    for whole in [false, true] {
        let spare = ground::spare(&mut nursery, &spec);
        let cell = spare.pid();
        ground::kill(ground::guest(cell).unwrap(), Signal::STOP);
        if whole {
            ground::kill(cell, Signal::STOP);
        }
        let began = Instant::now();
        let ended = ground::finish(run(spare, &spec), b"");
        assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
        assert!(matches!(ended.exit.end, End::LimitHit { limit: Limit::Wall, .. }), "{}", ground::told(&ended));
    }
    // Nor when it is stopped while it is born.
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn a_spare_that_is_dropped_leaves_nothing() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let spec = echo();
    let (cgroups, children) = (ground::cgroups_of(std::process::id()), ground::children_of(std::process::id()));
    for _ in 0..10 {
        let spare = ground::spare(&mut nursery, &spec);
        let (cell, guest) = (spare.pid(), ground::guest(spare.pid()).unwrap());
        assert!(ground::lives(cell) && ground::lives(guest) && !ground::processes_of_cell(cell).is_empty());
        drop(spare);
        ground::wait_until("its processes are gone", || ground::processes_of_cell(cell).is_empty());
    }
    // A cell that has its program, too.
    drop(ground::start_warm(&mut nursery, &spec));
    ground::wait_until("its cgroups are gone", || ground::cgroups_of(std::process::id()) == cgroups);
    ground::wait_until("its janitors are gone", || ground::children_of(std::process::id()) == children);
    let open = fs::read_dir("/proc/self/fd").unwrap().count();
    for _ in 0..5 {
        drop(ground::spare(&mut nursery, &spec));
    }
    assert_eq!(fs::read_dir("/proc/self/fd").unwrap().count(), open);
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn a_birth_that_fails_leaves_nothing_and_the_nursery_as_it_was() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let spec = ground::spec(&ground::python(), "print('ran')");
    let mut broken = ground::spec(&ground::python(), "print('ran')");
    // What is to be shown goes away after the plan was made.
    let gone = std::env::temp_dir().join(format!("gambeson-gone-{}", std::process::id()));
    fs::create_dir(&gone).unwrap();
    broken.environment.directories.push(gone.clone());
    let plan = ground::planned(&broken);
    fs::remove_dir(&gone).unwrap();
    for _ in 0..5 {
        let error = nursery.birth(&plan).err().map(|error| error.to_string()).expect("a directory is missing");
        assert!(error.contains("gambeson-gone-") && !error.contains('\n'), "{error}");
        assert!(nursery.lives());
        assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), "ran\n");
    }
    // And one that cannot hold what it is.
    let mut small = ground::spec(&ground::python(), "print('ran')");
    small.limits.memory = Bytes::mebi(1);
    let began = Instant::now();
    match nursery.birth(&ground::planned(&ground::stranger(&small))) {
        Err(error) => println!("in 1 MiB: {error}"),
        Ok(spare) => match spare.run(ground::planned(&small)) {
            Err(back) => println!("in 1 MiB: {}", back.why),
            Ok(cell) => println!("in 1 MiB: {:?}", ground::finish(cell, b"").exit.end),
        },
    }
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), "ran\n");
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn many_or_long_words_are_refused_and_cost_nobody_the_nursery() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let spec = ground::spec(&ground::python(), "import sys; print(len(sys.argv))");
    let with = |count: usize, length: usize| {
        let mut spec = ground::spec(&ground::python(), "import sys; print(len(sys.argv))");
        spec.args.extend((0..count).map(|_| "x".repeat(length).into()));
        spec
    };
    for (count, length) in [(1, 40_000), (1100, 1), (1, 100_000), (100_000, 1)] {
        let why = nursery.birth(&ground::planned(&with(count, length))).unwrap_err().to_string();
        assert!(why.contains("many or long"), "{count} of {length}: {why}");
        assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), "1\n");
    }
    // What is just within.
    for (count, length) in [(1, 30_000), (1000, 1)] {
        let spec = with(count, length);
        assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), format!("{}\n", count + 1));
    }
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn a_cell_that_builds_itself_slowly_keeps_no_other_waiting() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let mut slow = ground::spec(&ground::python(), "print('slow')");
    slow.limits.cpus = gambeson_sandbox::MilliCpus(10);
    let quick = ground::spec(&ground::python(), "print('quick')");
    let newborn = nursery.begin_birth(&ground::planned(&ground::stranger(&slow))).unwrap();
    // It has a hundredth of a CPU; the nursery is free at once.
    assert_eq!(ground::output(&ground::warm(&mut nursery, &quick, b"")), "quick\n");
    let spare = newborn.end().unwrap();
    drop(spare);
    // One that is given up while it builds itself leaves nothing.
    drop(nursery.begin_birth(&ground::planned(&ground::stranger(&slow))).unwrap());
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn a_nursery_removes_what_a_killed_janitor_left() {
    let Some((_alone, mounts, nursery)) = scene() else { return };
    // As of a supervisor that is no more: its number is above any that the kernel gives.
    let version_2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let ours: Vec<PathBuf> = ground::cgroups_of(std::process::id()).into_iter().collect();
    assert!(!ours.is_empty() || !version_2, "a nursery has cgroups");
    let Some(parent) = ours.first().and_then(|path| path.parent()) else { return };
    let parent = parent.ancestors().find(|path| !path.to_string_lossy().contains("gambeson-")).unwrap();
    let left = parent.join("gambeson-4194305-0");
    fs::create_dir(&left).unwrap();
    drop(nursery);
    drop(ground::nursery(&ground::python(), &[]));
    let gone = !left.exists();
    if !gone {
        fs::remove_dir(&left).unwrap();
    }
    assert!(gone, "{} is still there", left.display());
    nothing_left(&mounts);
}

#[test]
fn a_program_that_may_change_nothing_of_its_memory_ends_as_the_interpreter_ends_it() {
    if ground::host().is_none() {
        return;
    }
    let _alone = alone();
    // Unusual, so that the interpreter's own end is asked for; and nothing may become writable any more.
    let source = "import atexit, gc, resource, sys\n\
                  gc.callbacks.append(lambda *_: None)\n\
                  atexit.register(lambda: print('handler', flush=True))\n\
                  class Last:\n  def __del__(self): print('destructor', flush=True)\n\
                  last = Last()\n\
                  resource.setrlimit(resource.RLIMIT_DATA, (0, 0))\n\
                  print('end')\n\
                  sys.exit(int(sys.argv[1]))";
    for environment in ground::pythons() {
        let mut nursery = ground::nursery(&environment, &[]);
        for code in ["0", "7"] {
            let mut spec = ground::spec(&environment, source);
            spec.args.push(code.into());
            let (cold, warm) = (ground::cold(&spec, b""), ground::warm(&mut nursery, &spec, b""));
            assert_eq!(ground::told(&cold), ground::told(&warm), "{}", environment.version);
            assert!(matches!(warm.exit.end, End::Exited(end) if end.to_string() == code), "{}", ground::told(&warm));
        }
        // That it is this which was looked at: the end is ours where it is usual.
        let source = "import ctypes\nplace = ctypes.cast(ctypes.pythonapi.Py_FinalizeEx, ctypes.c_void_p).value\nprint(ctypes.string_at(place, 2).hex())";
        let looks = ground::spec(&environment, source);
        let replaced = ground::output(&ground::warm(&mut nursery, &looks, b"")) == "48b8\n";
        assert!(replaced || environment.version.starts_with("3.14"), "{}: its end is not ours", environment.version);
        assert_ne!(ground::output(&ground::cold(&looks, b"")), "48b8\n");
    }
}

#[test]
fn a_nursery_that_ends_or_does_not_come_to_be_leaves_nothing() {
    if ground::host().is_none() {
        return;
    }
    let (_alone, mounts) = (alone(), ground::mounts());
    let count = |what: &str| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    // What is made once for all stays.
    drop(ground::nursery(&ground::python(), &[]));
    nothing_left(&mounts);
    let (open, threads) = (count("fd"), count("task"));
    for _ in 0..3 {
        drop(ground::nursery(&ground::python(), &["json"]));
        assert!(ground::try_nursery(&ground::python(), &["no_such_module"]).is_err());
    }
    nothing_left(&mounts);
    assert_eq!(count("fd"), open);
    // Tests that wait for their turn have threads too, which come and go.
    ground::wait_until("no thread keeps a nursery", || count("task") <= threads + 1);
}

#[test]
fn an_interrupt_reaches_a_warm_program_and_a_cancellation_ends_it() {
    let Some((_alone, mounts, mut nursery)) = scene() else { return };
    let source = "import time\ntry:\n  print('on', flush=True); time.sleep(60)\nexcept KeyboardInterrupt:\n  print('interrupted', flush=True); time.sleep(60)";
    let spec = ground::spec(&ground::python(), source);
    for warm in [false, true] {
        let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let ((interrupt, press), (our_out, their_out)) = (pipe(), pipe());
        let cell = if warm { ground::start_warm(&mut nursery, &spec) } else { ground::start_cold(&spec) };
        let ended = thread::scope(|scope| {
            scope.spawn(move || {
                for line in BufReader::new(fs::File::from(our_out)).lines() {
                    // Once to interrupt, a second time to cancel.
                    assert!(["on", "interrupted"].contains(&line.unwrap().as_str()));
                    rustix::io::write(&press, b"x").unwrap();
                }
            });
            let streams =
                Streams { stdout: Sink::Fd(their_out.as_fd()), interrupt: Some(interrupt.as_fd()), ..Streams::kept() };
            let ended = cell.wait(streams);
            drop(their_out);
            ended
        });
        assert_eq!(ended.exit.end, End::Cancelled, "warm: {warm}, {}", ground::told(&ended));
    }
    drop(nursery);
    nothing_left(&mounts);
}

/// Not a test of its own: the supervisor that the next one kills. It says what it has, and goes on bearing.
#[test]
#[ignore = "another test starts it"]
fn supervise() {
    if std::env::var_os("GAMBESON_SUPERVISE").is_none() || ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let source = "import os, time\nopen('/tmp/x', 'wb').write(bytes(1 << 20))\nfor _ in range(5):\n  if os.fork() == 0:\n    os.setsid(); time.sleep(600)\nprint('on', flush=True)\ntime.sleep(600)";
    let mut spec = ground::spec(&ground::python(), source);
    spec.limits.wall = Limits::LONGEST;
    let mut kept: Vec<Spare> = (0..3).map(|_| ground::spare(&mut nursery, &spec)).collect();
    let cells: Vec<Answering> = (0..2).map(|_| Answering::new(ground::start_warm(&mut nursery, &spec))).collect();
    for cell in &cells {
        cell.lines.recv().unwrap();
    }
    println!("\nready");
    loop {
        kept.push(ground::spare(&mut nursery, &spec));
        kept.remove(0);
    }
}

#[test]
fn nothing_outlives_a_supervisor_that_is_killed_at_any_moment() {
    if ground::host().is_none() {
        return;
    }
    let _alone = alone();
    let mut killed = Vec::new();
    for (ready, delay_ms) in
        [(true, 0), (true, 3), (true, 7), (true, 15), (true, 40), (false, 0), (false, 150), (false, 400)]
    {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "supervise", "--ignored", "--nocapture"])
            .env("GAMBESON_SUPERVISE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if ready {
            let lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let found = lines.map_while(Result::ok).any(|line| line == "ready");
            assert!(found, "it never came to have what is to be killed");
            assert!(all_of(child.id()).len() > 10, "{:?}", all_of(child.id()));
        }
        thread::sleep(Duration::from_millis(delay_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        killed.push(child.id());
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let left: Vec<String> = killed.iter().flat_map(|pid| all_of(*pid)).collect();
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "left behind: {}", left.join("\n"));
        thread::sleep(Duration::from_millis(50));
    }
}

/// Proportional set size of a process (proc_pid_smaps(5)), in KiB.
fn pss(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// Starts as many spares, has each answer, and ends them. Says what one costs.
fn many(nursery: &mut Nursery, spec: &Spec, count: usize) -> u64 {
    let began = Instant::now();
    let spares: Vec<Spare> = (0..count).map(|_| ground::spare(nursery, spec)).collect();
    let born = began.elapsed();
    let sizes: Vec<(u64, u64)> =
        spares.iter().step_by(10).map(|spare| (pss(spare.pid()), pss(ground::guest(spare.pid()).unwrap()))).collect();
    let reapers = sizes.iter().map(|(reaper, _)| reaper).sum::<u64>() / sizes.len() as u64;
    let guests = sizes.iter().map(|(_, guest)| guest).sum::<u64>() / sizes.len() as u64;
    let began = Instant::now();
    let cells: Vec<Cell> = spares.into_iter().map(|spare| run(spare, spec)).collect();
    // All at once alive, and each with its own answer; a few threads wait for all.
    let queue = Mutex::new(cells.into_iter().enumerate());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((number, cell)) = next else { break };
                    let ended = ground::finish(cell, format!("{number}\n").as_bytes());
                    assert_eq!(ground::output(&ended), format!("heard {number}\n"));
                }
            });
        }
    });
    println!(
        "{count} cells: born in {born:?}, answered and ended in {:?}; an idle one {} KiB (reaper {reapers}, guest {guests})",
        began.elapsed(),
        reapers + guests
    );
    reapers + guests
}

#[test]
fn five_hundred_idle_cells_start_answer_and_end_and_nothing_is_left() {
    if ground::host().is_none() {
        return;
    }
    let (_alone, mounts) = (alone(), ground::mounts());
    // Each is an open file of the supervisor's, and more than one.
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if most.current.is_some_and(|most| most < 6000) {
        let raised = rustix::process::Rlimit { current: most.maximum, maximum: most.maximum };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised);
    }
    let mut spec = echo();
    spec.limits.memory = Bytes::mebi(64);
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let size = many(&mut nursery, &spec, 500);
    assert!(size <= 4 << 10, "an idle cell costs {size} KiB");
    drop(nursery);
    nothing_left(&mounts);
}

#[test]
fn an_idle_cell_with_pandas_costs_little() {
    // Alone from here on: what brings pandas the first time is a child of ours as well.
    let (_alone, mounts) = (alone(), ground::mounts());
    let (Some(_), Some(environment)) = (ground::host(), ground::python_with_pandas()) else { return };
    let mut spec = ground::spec(&environment, ECHO);
    spec.limits.wall = Limits::LONGEST;
    let mut nursery = ground::nursery(&environment, &["numpy", "pandas"]);
    let size = many(&mut nursery, &spec, 50);
    assert!(size <= 12 << 10, "an idle cell costs {size} KiB");
    drop(nursery);
    nothing_left(&mounts);
}
