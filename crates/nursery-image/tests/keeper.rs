//! A warm program's memory is kept by a process of its own when it ends, and nobody can tell but by the clock.

mod ground;

use std::fs;
use std::time::Duration;

use gambeson_sandbox::{Bytes, End, Nursery, Spec};
use rustix::fs::{Mode, OFlags, fstat, openat};

/// The niceness by which it is known.
const NICE: i64 = 19;

fn spec(source: &str) -> Spec {
    ground::spec(&ground::python(), source)
}

/// Of a process (proc_pid_stat(5)).
fn nice(process: &std::path::Path) -> Option<i64> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.split_whitespace().nth(16)?.parse().ok()
}

#[test]
fn processes_are_counted_as_if_nobody_kept_the_memory() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    for source in [
        "print(1)",
        "raise SystemExit(3)",
        "import os; os._exit(0)",
        "import threading; t = threading.Thread(target=print); t.start(); t.join()",
        "import os\nif not os.fork(): os._exit(0)\nos.wait()",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
        // Left behind, as the first process after the program's.
        "import os, time\nif not os.fork(): time.sleep(60)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    ] {
        let (cold, warm) = (ground::cold(&spec(source), b""), ground::warm(&mut nursery, &spec(source), b""));
        assert_eq!(warm.exit.end, cold.exit.end, "{source}");
        assert_eq!(warm.exit.usage.pids_peak, cold.exit.usage.pids_peak, "{source}");
    }
}

#[test]
fn a_cell_for_one_process_does_not_hit_its_limit_by_ending() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let mut spec = spec("raise SystemExit(7)");
    for pids in [1, 2] {
        spec.limits.pids = pids;
        assert_eq!(ground::warm(&mut nursery, &spec, b"").exit.end, End::Exited(7), "{pids}");
    }
}

/// A program that has so much memory at its end that the kernel takes a while to have it back.
fn large(mebibytes: u64, limit: u64, before: &str) -> Spec {
    let mut spec = spec(&format!(
        "{before}import ctypes; b = bytearray(b'x') * ({mebibytes} << 20); ctypes.pythonapi.Py_IncRef(ctypes.py_object(b))"
    ));
    spec.limits.memory = Bytes::mebi(limit);
    spec
}

/// How many keepers there were when the end was told, which was a good one.
fn keepers(nursery: &mut Nursery, spec: &Spec) -> usize {
    let cell = ground::start_warm(nursery, spec);
    let pid = cell.pid();
    let ended = ground::finish(cell, b"");
    let left = ground::processes_of_cell(pid).iter().filter(|process| nice(process) == Some(NICE)).count();
    assert_eq!(ended.exit.end, End::Exited(0), "{}", ground::told(&ended));
    ground::wait_until("nobody is left", || ground::processes_of_cell(pid).is_empty());
    left
}

#[test]
fn the_end_is_known_before_the_memory_is_gone_and_then_nobody_is_left() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    assert_eq!(keepers(&mut nursery, &large(400, 600, "")), 1);
}

#[test]
fn who_has_little_room_left_or_had_other_processes_or_left_results_leaves_no_keeper() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    // The kernel's own needs are charged too: a cell that is nearly full must not end of one process more.
    assert_eq!(keepers(&mut nursery, &large(400, 440, "")), 0);
    assert_eq!(keepers(&mut nursery, &large(400, 600, "import os; os.fork() or os._exit(0); os.wait(); ")), 0);
    assert_eq!(keepers(&mut nursery, &large(400, 600, "import os; os.mkdir('out'); ")), 0);
}

/// Looks like a keeper, and does `act` for ever; its parent ends when it does.
fn look_alike(before: &str, act: &str) -> Spec {
    spec(&format!(
        "import os\n{before}\nready, write = os.pipe()\nif not os.fork():\n os.nice(19)\n f = open('out/f' if os.path.exists('out') else 'f', 'wb', \
         0)\n f.write(b'x')\n os.write(write, b'x')\n for n in 0, 1, 2: os.close(n)\n while True: {act}\nos.read(ready, 1)"
    ))
}

#[test]
fn a_process_that_looks_like_the_keeper_does_nothing_after_the_end() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let ended = ground::warm(&mut nursery, &look_alike("", "f.write(b'x')"), b"");
    assert_eq!(ended.exit.end, End::Exited(0), "{}", ground::told(&ended));
    let work = ended.work.expect("it had a place to write to");
    let file = openat(&work, "f", OFlags::RDONLY, Mode::empty()).unwrap();
    // What was being written when the signal came is in.
    std::thread::sleep(Duration::from_millis(20));
    let size = || fstat(&file).unwrap().st_size;
    let before = size();
    std::thread::sleep(Duration::from_millis(100));
    assert!(before > 0 && size() == before, "{before} became {}", size());
}

#[test]
fn results_are_looked_at_when_nobody_is_left_who_could_change_them() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    // A system call that looks at no signal until it is done.
    let act = "os.posix_fallocate(f.fileno(), 0, 48 << 20); f.truncate(0)";
    for _ in 0..8 {
        let cell = ground::start_warm(&mut nursery, &look_alike("os.mkdir('out')", act));
        let pid = cell.pid();
        let ended = ground::finish(cell, b"");
        let left = ground::processes_of_cell(pid);
        assert_eq!(ended.exit.end, End::Exited(0), "{}", ground::told(&ended));
        assert_eq!(left, Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn what_the_c_library_holds_back_is_written_all_the_same() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let ended = ground::warm(&mut nursery, &spec("import ctypes; ctypes.CDLL(None).printf(b'held back')"), b"");
    assert_eq!(ground::output(&ended), "held back");
}
