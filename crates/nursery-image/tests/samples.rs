//! What a cell uses is told while it runs, warm and cold.

mod ground;

use std::cell::RefCell;
use std::time::Duration;

use gambeson_sandbox::{Bytes, Cell, End, Ended, Sample, Sampled, Start, Streams};

const MIB: u64 = 1 << 20;

/// Runs it to its end, and all that was told of it.
fn sampled(cell: Cell) -> (Ended, Vec<Sample>) {
    let samples = RefCell::new(Vec::new());
    let hear = |sample: &Sample| samples.borrow_mut().push(*sample);
    let ended = cell.wait(Streams { sampled: Some(Sampled(&hear)), ..Streams::kept() });
    (ended, samples.into_inner())
}

/// Both starts of the same program.
fn both(source: &str, check: impl Fn(&Ended, &[Sample])) {
    if ground::host().is_none() {
        return;
    }
    let spec = ground::spec(&ground::python(), source);
    let mut nursery = ground::nursery(&ground::python(), &[]);
    for start in [Start::Cold, Start::Warm] {
        let (ended, samples) = sampled(match start {
            Start::Cold => ground::start_cold(&spec),
            Start::Warm => ground::start_warm(&mut nursery, &spec),
        });
        assert_eq!((&ended.exit.end, ended.exit.start), (&End::Exited(0), start), "{}", ground::told(&ended));
        check(&ended, &samples);
    }
}

#[test]
fn a_program_that_computes_is_told_to_use_more_and_more_cpu_time() {
    both("import time\nend = time.time() + 1.2\nwhile time.time() < end: pass", |ended, samples| {
        let most = ended.exit.usage.wall.as_millis() / 250;
        assert!((2..=most).contains(&(samples.len() as u128)), "{samples:?}");
        assert!(samples[0].wall >= Duration::from_millis(250), "{samples:?}");
        for pair in samples.windows(2) {
            assert!(pair[1].wall >= pair[0].wall + Duration::from_millis(250), "{samples:?}");
            assert!(pair[1].cpu > pair[0].cpu, "{samples:?}");
        }
        // What a warm cell used before its program came is not the program's.
        let (last, used) = (samples[samples.len() - 1], ended.exit.usage);
        assert!(last.cpu <= used.cpu && last.wall <= used.wall, "{samples:?}");
        assert!(last.cpu > Duration::from_millis(100), "it computed all the time: {samples:?}");
        assert!(samples.iter().all(|sample| sample.pids == Some(1)), "{samples:?}");
    });
}

#[test]
fn memory_processes_and_scratch_are_those_of_the_moment() {
    let source = "import os, time
time.sleep(0.6)
kept = bytearray(os.urandom(1 << 20) * 40)
open('big', 'wb').write(bytes(8 << 20))
if not os.fork(): time.sleep(1.0); os._exit(0)
time.sleep(0.6)
os.remove('big'); del kept; os.wait()
time.sleep(0.6)";
    both(source, |_, samples| {
        let of = |part: fn(&Sample) -> Option<u64>| {
            let told: Vec<u64> = samples.iter().map(|sample| part(sample).expect("it is counted here")).collect();
            (told[0], told.iter().copied().max().unwrap_or(0), told[told.len() - 1])
        };
        let (first, most, last) = of(|sample| sample.memory.map(|Bytes(bytes)| bytes));
        assert!(first > MIB && most > first + 40 * MIB && last < most - 30 * MIB, "{samples:?}");
        let (first, most, last) = of(|sample| sample.disk.map(|Bytes(bytes)| bytes));
        assert!(first < MIB && most >= 8 * MIB && last < MIB, "{samples:?}");
        assert_eq!(of(|sample| sample.pids), (1, 2, 1), "{samples:?}");
    });
}

#[test]
fn what_is_kept_of_files_on_disks_does_not_count_as_the_programs_memory() {
    // Every module there is, read through: the kernel keeps what was read, and counts it for whoever read it first.
    let source = "import os, sys, time
root = os.path.dirname(os.__file__)
size = 0
for base, _, names in os.walk(root):
    for name in names:
        try: size += len(open(os.path.join(base, name), 'rb').read())
        except OSError: pass
time.sleep(0.8)
print(size)";
    both(source, |ended, samples| {
        let read: u64 = ground::output(ended).trim().parse().unwrap();
        let Bytes(memory) = samples[samples.len() - 1].memory.expect("it is counted here");
        assert!(read > 20 * MIB, "a standard library is larger than {read} bytes");
        assert!(memory < 20 * MIB, "{memory} of {read}: {samples:?}");
    });
}

#[test]
fn of_a_program_that_ends_soon_nothing_is_told() {
    both("print(1)", |_, samples| assert_eq!(samples, []));
}
