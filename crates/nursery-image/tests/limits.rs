//! Limits hold in a warm cell, and are told, as in a cold one.

mod ground;

use std::time::{Duration, Instant};

use gambeson_sandbox::{Amount, Bytes, End, Limit, Limits, MilliCpus, Spec, Start};

type Change<'a> = &'a dyn Fn(&mut Limits);

const MIB: u64 = 1 << 20;

fn with(source: &str, change: impl Fn(&mut Limits)) -> Spec {
    let mut spec = ground::spec(&ground::python(), source);
    change(&mut spec.limits);
    spec
}

/// What was hit, and how much was allowed of it.
fn hit(end: &End) -> Option<(Limit, Amount)> {
    match end {
        End::LimitHit { limit, allowed, .. } => Some((*limit, *allowed)),
        _ => None,
    }
}

#[test]
fn each_limit_is_reported_as_that_limit_warm_and_cold() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let memory = |limits: &mut Limits| limits.memory = Bytes::mebi(48);
    let wall = |limits: &mut Limits| limits.wall = Duration::from_millis(300);
    let cpu = |limits: &mut Limits| limits.cpu = Duration::from_millis(300);
    let pids = |limits: &mut Limits| limits.pids = 8;
    let disk = |limits: &mut Limits| limits.disk = Bytes(MIB);
    let files = |limits: &mut Limits| limits.files = 64;
    let open_files = |limits: &mut Limits| limits.open_files = 32;
    let output = |limits: &mut Limits| limits.output = Bytes(64 << 10);
    let cases: &[(Limit, Change<'_>, &str)] = &[
        (Limit::Memory, &memory, "b = bytearray(200 << 20)"),
        (
            Limit::Memory,
            &memory,
            "import os, time\nfor _ in range(4):\n if not os.fork(): b = bytearray(20 << 20); time.sleep(9)\ntime.sleep(9)",
        ),
        (Limit::Memory, &memory, "open('/dev/shm/x', 'wb').write(bytes(40 << 20)); b = bytearray(30 << 20)"),
        (Limit::Wall, &wall, "import time; time.sleep(60)"),
        (Limit::Wall, &wall, "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"),
        (Limit::Wall, &wall, "input(); input()"),
        (Limit::Cpu, &cpu, "while True: pass"),
        (Limit::Cpu, &cpu, "import os\nos.fork()\nwhile True: pass"),
        (
            Limit::Pids,
            &pids,
            "import threading, time\nfor _ in range(20): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()",
        ),
        (Limit::Pids, &pids, "import os, time\nfor _ in range(20):\n if not os.fork(): time.sleep(5); os._exit(0)"),
        (Limit::Disk, &disk, "open('big', 'wb').write(bytes(2 << 20))"),
        (Limit::Disk, &disk, "for i in range(9): open(f'/tmp/{i}', 'wb').write(bytes(400 << 10))"),
        (Limit::Files, &files, "for i in range(99): open(f'{i}', 'w').close()"),
        (Limit::OpenFiles, &open_files, "kept = [open('/dev/null') for _ in range(99)]"),
        (Limit::Output, &output, "while True: print('x' * 1000)"),
    ];
    let mut wrong = Vec::new();
    for (limit, change, source) in cases {
        let mut spec = with(source, change);
        if source.starts_with("input") {
            spec.files = vec![ground::file("main.py", "import sys, os; os.dup2(os.pipe()[0], 0); sys.stdin.read()")];
        }
        let (cold, warm) = (ground::cold(&spec, b""), ground::warm(&mut nursery, &spec, b""));
        assert_eq!(warm.exit.start, Start::Warm);
        let (is, was) = (hit(&warm.exit.end), hit(&cold.exit.end));
        if is.is_none_or(|(is, _)| is != *limit) || is != was || warm.elided.0.min(1) != cold.elided.0.min(1) {
            wrong.push(format!("{source}\n  cold {:?}\n  warm {}", cold.exit.end, ground::told(&warm)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_clocks_of_a_program_start_when_it_comes_and_not_when_its_cell_was_born() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &["decimal", "json"]);
    let (wall, idle) = (Duration::from_millis(1500), Duration::from_secs(2));
    let spec = with("import time; time.sleep(0.2); print(time.process_time() < 1)", |limits| {
        limits.wall = wall;
        limits.cpu = Duration::from_millis(1000);
    });
    let spare = ground::spare(&mut nursery, &spec);
    // The passing of time is what this is about.
    std::thread::sleep(idle);
    let began = Instant::now();
    let ended = ground::finish(spare.run(ground::planned(&spec)).map_err(|back| back.why).unwrap(), b"");
    assert_eq!(ground::output(&ended), "True\n");
    let usage = ended.exit.usage;
    assert!(usage.wall <= began.elapsed() && usage.wall >= Duration::from_millis(200), "{usage:?}");
    assert!(usage.cpu < Duration::from_millis(1000), "{usage:?}");

    let endless = with("import time; time.sleep(60)", |limits| limits.wall = wall);
    let spare = ground::spare(&mut nursery, &endless);
    std::thread::sleep(idle);
    let began = Instant::now();
    let ended = ground::finish(spare.run(ground::planned(&endless)).map_err(|back| back.why).unwrap(), b"");
    assert_eq!(hit(&ended.exit.end).map(|(limit, _)| limit), Some(Limit::Wall), "{}", ground::told(&ended));
    assert!(began.elapsed() >= wall, "it was killed after {:?}", began.elapsed());
}

#[test]
fn what_a_warm_program_used_is_its_own() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let source = "b = bytearray(20 << 20); open('f', 'wb').write(bytes(2 << 20))\nimport time\nwhile time.process_time() < 0.3: pass\nprint('x' * 99)";
    let spec = with(source, |limits| limits.cpus = MilliCpus(2000));
    let usage = ground::warm(&mut nursery, &spec, b"").exit.usage;
    assert_eq!(usage.output, Bytes(100));
    assert!(usage.disk >= Bytes(2 * MIB) && usage.disk < Bytes(3 * MIB), "{usage:?}");
    assert!(usage.cpu >= Duration::from_millis(250) && usage.cpu < Duration::from_secs(2), "{usage:?}");
    assert!(usage.memory_peak.is_none_or(|peak| peak >= Bytes(20 * MIB)), "{usage:?}");
    assert!(usage.pids_peak.is_none_or(|peak| peak == 1), "{usage:?}");
}

#[test]
fn cpus_bound_the_rate_of_a_warm_program() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let source = "import time\nstart = time.process_time(), time.perf_counter()\nwhile time.process_time() - start[0] < 0.3: pass\nprint(time.perf_counter() - start[1])";
    let spec = with(source, |limits| limits.cpus = MilliCpus(250));
    let took: f64 = ground::output(&ground::warm(&mut nursery, &spec, b"")).trim().parse().unwrap();
    assert!(took > 0.8, "0.3 s of CPU time at a quarter of a CPU took {took} s");
}

#[test]
fn a_spare_with_other_limits_does_not_take_a_program() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let spec = with("print(1)", |_| {});
    let changes: &[Change<'_>] = &[
        &|limits| limits.memory = Bytes::mebi(64),
        &|limits| limits.pids = 3,
        &|limits| limits.cpu = Duration::from_secs(1),
        &|limits| limits.cpus = MilliCpus(100),
        &|limits| limits.wall = Duration::from_secs(1),
        &|limits| limits.disk = Bytes(MIB),
        &|limits| limits.files = 9,
        &|limits| limits.open_files = 99,
        &|limits| limits.output = Bytes(MIB),
    ];
    for change in changes {
        let spare = ground::spare(&mut nursery, &spec);
        let other = ground::planned(&with("print(1)", change));
        assert!(!spare.fits(&other));
        assert!(spare.run(other).is_err());
    }
}

#[test]
fn large_input_reaches_a_warm_program_whole() {
    if ground::host().is_none() {
        return;
    }
    let mut nursery = ground::nursery(&ground::python(), &[]);
    let source = "import hashlib, os\nfor name in sorted(os.listdir('in')): print(name, os.path.getsize('in/' + name), hashlib.sha256(open('in/' + name, 'rb').read()).hexdigest())";
    // Around what one message holds, and far beyond it; and files without number.
    for size in [0, 1, 4095, 100 << 10, (128 << 10) - 700, 128 << 10, (128 << 10) + 1, 1 << 20, 40 << 20] {
        let mut spec = with(source, |_| {});
        let contents: Vec<u8> = (0..size).map(|at: usize| (at * 7 + at / 251) as u8).collect();
        spec.files.push(ground::file("in/data", contents));
        let (cold, warm) = (ground::cold(&spec, b""), ground::warm(&mut nursery, &spec, b""));
        assert_eq!(ground::output(&cold), ground::output(&warm), "{size}");
    }
    let mut spec = with(source, |_| {});
    spec.files.extend((0..2000).map(|at| ground::file(&format!("in/{at}"), format!("{at}"))));
    spec.files.push(gambeson_sandbox::Staged::Link { path: "in/link".into(), target: "7".into() });
    spec.files.push(gambeson_sandbox::Staged::Directory { path: "empty".into() });
    let (cold, warm) = (ground::cold(&spec, b""), ground::warm(&mut nursery, &spec, b""));
    assert_eq!(ground::output(&cold), ground::output(&warm));
}
