//! At which line a program is, told from outside: in cold cells and warm ones, of each interpreter that is here.
//!
//! Each program waits somewhere, says so with the number of the thread that waits, and marks the line. It ends when
//! it was looked at.

mod ground;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gambeson_sandbox::{
    Cell, Claim, Ended, Environment, Frames, Host, Input, Nursery, Sink, Spec, Start, Streams, launch, plan,
};

/// Marks the line that is to be told.
const MARK: &str = "# here";
const FUNCTION: &str = "# function: ";

/// A program of several files, the first of which is run; `=== NAME` begins another.
const PROGRAMS: &[(&str, &str)] = &[
    ("nested", include_str!("lines/nested.py")),
    ("thread", include_str!("lines/thread.py")),
    ("child", include_str!("lines/child.py")),
    ("comprehension", include_str!("lines/comprehension.py")),
    ("generator", include_str!("lines/generator.py")),
    ("coroutine", include_str!("lines/coroutine.py")),
    ("class body", include_str!("lines/class_body.py")),
    ("called by C", include_str!("lines/called_by_c.py")),
    ("several lines", include_str!("lines/several_lines.py")),
    ("imported", include_str!("lines/imported.py")),
    ("standard library", include_str!("lines/standard_library.py")),
    ("other interpreter", include_str!("lines/other_interpreter.py")),
    ("executed text", include_str!("lines/executed_text.py")),
    ("destructor", include_str!("lines/destructor.py")),
    ("lent memory", include_str!("lines/lent_memory.py")),
    ("fork past the C library", include_str!("lines/raw_fork.py")),
    ("sub-interpreter", include_str!("lines/sub_interpreter.py")),
];

fn spec_of(environment: &Environment, program: &str) -> Spec {
    let mut parts = program.split("=== ");
    let mut spec = ground::spec(environment, parts.next().unwrap());
    for part in parts {
        let (name, source) = part.split_once('\n').unwrap();
        spec.files.push(ground::file(name, source));
    }
    spec
}

/// What is marked: file, line, and the function where the program says it.
fn marked(program: &str) -> Claim {
    let mut file = "main.py".to_owned();
    let mut line = 0;
    for text in program.lines() {
        line += 1;
        if let Some(name) = text.strip_prefix("=== ") {
            (file, line) = (name.to_owned(), 0);
        }
        if text.ends_with(MARK) {
            let function = program.split(FUNCTION).nth(1).map_or("", |rest| rest.lines().next().unwrap());
            return Claim { file, line, function: function.into() };
        }
    }
    panic!("nothing is marked in {program}");
}

/// Every thread of a cell: its process and its number as they are here, and the number that it has in there.
fn threads(cell: i32) -> Vec<(i32, i32, i32)> {
    let mut found = Vec::new();
    let mut pending: Vec<i32> = ground::guest(cell).into_iter().collect();
    while let Some(pid) = pending.pop() {
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            pending.extend(read("children").split_whitespace().map(|word| word.parse::<i32>().unwrap()));
            let status = read("status");
            let own = status.lines().find_map(|line| line.strip_prefix("NSpid:")?.split_whitespace().next_back());
            let tid = task.file_name().to_str().unwrap().parse().unwrap();
            found.extend(own.map(|own| (pid, tid, own.parse::<i32>().unwrap())));
        }
    }
    found
}

/// Runs a cell and looks at the thread that the program names, if it comes so far.
fn look<T: Send>(cell: Cell, look: impl FnOnce(i32, i32) -> T + Send) -> (Option<T>, Ended) {
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let ((their_in, our_in), (our_out, their_out)) = (pipe(), pipe());
    let (stopped, stop) = pipe();
    let pid = cell.pid();
    thread::scope(|scope| {
        let looker = scope.spawn(move || {
            let (mut line, mut reader) = (String::new(), BufReader::new(fs::File::from(our_out)));
            reader.read_line(&mut line).unwrap();
            let own: Option<i32> = line.trim().strip_prefix("waits ").and_then(|number| number.parse().ok());
            let found = own.and_then(|own| {
                let mut found = None;
                // It may end itself first.
                ground::wait_until("the thread is there, or nobody", || {
                    found = threads(pid).into_iter().find(|(_, _, number)| *number == own);
                    found.is_some() || ground::guest(pid).is_none()
                });
                found.map(|(process, thread, _)| look(process, thread))
            });
            drop((our_in, stop));
            found
        });
        let (stdin, stdout) = (Input::Fd(their_in.as_fd()), Sink::Fd(their_out.as_fd()));
        let ended = cell.wait(Streams { stdin, stdout, cancel: Some(stopped.as_fd()), ..Streams::kept() });
        drop(their_out);
        (looker.join().unwrap(), ended)
    })
}

/// Asks until the answer is the expected one, for the program goes on a little after it says that it waits.
fn claim(frames: &Frames, expected: &Claim, process: i32, thread: i32) -> Option<Claim> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let claim = frames.claim(process, thread);
        let fits = claim.as_ref().is_some_and(|claim| {
            (&claim.file, claim.line) == (&expected.file, expected.line) && claim.function.ends_with(&expected.function)
        });
        if fits || Instant::now() > deadline {
            return claim;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn try_all(environment: &Environment, start: Start) -> Vec<String> {
    let frames = Frames::of(environment).unwrap_or_else(|why| panic!("{}: {why}", environment.executable.display()));
    let mut nursery: Option<Nursery> = (start == Start::Warm).then(|| ground::nursery(environment, &[]));
    let mut wrong = Vec::new();
    for (name, program) in PROGRAMS {
        let mut spec = spec_of(environment, program);
        spec.limits.wall = Duration::from_secs(15);
        let cell = match &mut nursery {
            Some(nursery) => ground::start_warm(nursery, &spec),
            None => ground::start_cold(&spec),
        };
        let mut expected = marked(program);
        let (found, ended) = look(cell, |process, thread| {
            (claim(&frames, &expected, process, thread), frames.stack(process, thread, 50))
        });
        let (claim, stack) = found.unwrap_or_default();
        if let Some(claim) = &claim {
            // Before 3.11 a code object has no qualified name.
            if claim.function.ends_with(&expected.function) {
                expected.function.clone_from(&claim.function);
            }
        }
        if claim.as_ref() != Some(&expected) {
            let who = format!("{} {start:?}", environment.version);
            wrong.push(format!(
                "{who}, {name}: {claim:?} instead of {expected:?}\n{stack:#?}\n{}",
                ground::told(&ended)
            ));
        }
    }
    wrong
}

#[test]
fn the_line_at_which_a_program_waits_is_told() {
    if ground::host().is_none() {
        return;
    }
    let mut wrong = Vec::new();
    for environment in ground::pythons() {
        for start in [Start::Cold, Start::Warm] {
            let before = Instant::now();
            wrong.extend(try_all(&environment, start));
            eprintln!("{} {start:?}: {:?}", environment.version, before.elapsed());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is asked about a program that overwrote what it is asked about, of each of its threads.
#[test]
fn a_program_that_overwrites_its_own_notes_gets_no_line_or_a_short_one() {
    if ground::host().is_none() {
        return;
    }
    for environment in ground::pythons() {
        let frames = Frames::of(&environment).unwrap();
        for kind in ["cycles", "numbers", "pointers", "lengths", "names"] {
            let mut spec = ground::spec(&environment, include_str!("lines/overwrites.py"));
            spec.args.push(kind.into());
            let (found, ended) = look(ground::start_cold(&spec), |process, thread| {
                // Before it overwrites, meanwhile, and after.
                let (start, mut longest, mut claims) = (Instant::now(), Duration::ZERO, Vec::new());
                while start.elapsed() < Duration::from_millis(150) {
                    for thread in threads_of(process).into_iter().chain([thread]) {
                        let before = Instant::now();
                        claims.extend(frames.claim(process, thread));
                        claims.extend(frames.stack(process, thread, 1000));
                        longest = longest.max(before.elapsed());
                    }
                }
                (claims, longest)
            });
            let Some((claims, spent)) = found else {
                // It harmed itself before anybody could look.
                assert_eq!(kind, "cycles", "{}: {}", environment.version, ground::told(&ended));
                continue;
            };
            eprintln!("{} {kind}: {} claims, {spent:?}", environment.version, claims.len());
            for claim in claims {
                for text in [&claim.file, &claim.function] {
                    assert!(text.chars().count() <= 200, "{claim:?}");
                    let plain = |c: char| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c);
                    assert!(text.chars().all(plain), "{claim:?}");
                }
                assert!(claim.line > 0);
            }
            assert!(spent < Duration::from_secs(2), "{spent:?}");
        }
    }
}

fn threads_of(process: i32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.map(|task| task.file_name().to_str().unwrap().parse().unwrap()).collect()
}

/// A program that runs is told at a line of its loop, whenever it is asked.
#[test]
fn a_program_that_does_not_stop_is_told_at_one_of_the_lines_that_it_runs() {
    const PROGRAM: &str = include_str!("lines/busy.py");
    if ground::host().is_none() {
        return;
    }
    let lines: Vec<u32> =
        (1..).zip(PROGRAM.lines()).filter(|(_, text)| text.ends_with("# busy")).map(|(line, _)| line).collect();
    for environment in ground::pythons() {
        let frames = Frames::of(&environment).unwrap();
        let spec = ground::spec(&environment, PROGRAM);
        let (claims, _) = look(ground::start_cold(&spec), |process, thread| {
            thread::sleep(Duration::from_millis(20));
            (0..400).map(|_| frames.claim(process, thread)).collect::<Vec<_>>()
        });
        let claims = claims.expect("it came to its loop");
        let told: Vec<&Claim> = claims.iter().flatten().collect();
        eprintln!("{}: {} of {} told", environment.version, told.len(), claims.len());
        assert!(told.len() * 10 > claims.len() * 9, "{}: {claims:?}", environment.version);
        for claim in &told {
            assert!(claim.file == "main.py" && lines.contains(&claim.line), "{}: {claim:?}", environment.version);
        }
        let different = lines.iter().filter(|line| told.iter().any(|claim| claim.line == **line)).count();
        assert!(different > 1, "{told:?}");
    }
}

/// What one answer costs who asks; the program pays nothing.
#[test]
fn an_answer_comes_soon() {
    if ground::host().is_none() {
        return;
    }
    for environment in ground::pythons() {
        let frames = Frames::of(&environment).unwrap();
        for program in [include_str!("lines/nested.py"), include_str!("lines/coroutine.py")] {
            let (found, _) = look(ground::start_cold(&ground::spec(&environment, program)), |process, thread| {
                let mut times: Vec<Duration> = Vec::new();
                for _ in 0..500 {
                    let before = Instant::now();
                    assert!(frames.claim(process, thread).is_some());
                    times.push(before.elapsed());
                }
                times.sort();
                times
            });
            let times = found.expect("it came to its place");
            eprintln!(
                "{}: half of the answers within {:?}, all but a hundredth within {:?}",
                environment.version, times[250], times[495]
            );
            assert!(times[250] < Duration::from_millis(20), "{times:?}");
        }
    }
}

/// Run by the next one as somebody else.
#[test]
#[ignore = "is about whoever runs it"]
fn whoever_starts_a_cell_may_read_it() {
    let host = Host::probe();
    let environment = Environment::discover(Path::new("/usr/bin/python3")).unwrap();
    let frames = Frames::of(&environment).unwrap();
    let program = include_str!("lines/nested.py");
    let mut spec = ground::spec(&environment, program);
    spec.accept_missing = host.missing.iter().map(|missing| missing.layer).collect();
    let cell = launch(plan(&spec, &host).unwrap(), &host).unwrap();
    let expected = marked(program);
    let (told, ended) = look(cell, |process, thread| claim(&frames, &expected, process, thread));
    let told = told.flatten().unwrap_or_else(|| panic!("{:?}: {}", host.authority, ground::told(&ended)));
    assert_eq!((told.file, told.line), (expected.file, expected.line));
}

#[test]
fn an_ordinary_user_reads_the_cells_that_it_starts() {
    if ground::host().is_none() {
        return;
    }
    // Where the tests are built, others may not go.
    let dir = std::env::temp_dir().join(format!("gambeson-lines-{}", std::process::id()));
    fs::create_dir(&dir).unwrap();
    let program = dir.join("lines");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["--exact", "whoever_starts_a_cell_may_read_it", "--ignored"])
        .current_dir("/")
        .output()
        .unwrap();
    fs::remove_dir_all(&dir).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
