//! Reading in a process of its own. Without libtest, because this program is also the one that reads.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gambeson_vet::process::{Reader, ReaderError, serve};
use gambeson_vet::{Report, Rule, Source, read};

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    ("a_process_of_its_own_says_what_this_one_would", a_process_of_its_own_says_what_this_one_would),
    ("the_death_of_the_reader_is_a_finding", the_death_of_the_reader_is_a_finding),
    ("a_reader_that_does_not_end_is_ended", a_reader_that_does_not_end_is_ended),
    ("a_reader_that_says_no_more_and_stays_is_ended", a_reader_that_says_no_more_and_stays_is_ended),
    ("a_reader_that_wants_too_much_memory_is_a_finding", a_reader_that_wants_too_much_memory_is_a_finding),
    ("a_reader_that_uses_up_its_cpu_time_is_a_finding", a_reader_that_uses_up_its_cpu_time_is_a_finding),
    ("a_reader_that_says_something_else_is_a_finding", a_reader_that_says_something_else_is_a_finding),
    ("a_reader_that_says_too_much_is_a_finding", a_reader_that_says_too_much_is_a_finding),
    ("a_reader_that_cannot_be_started_is_an_error_of_ours", a_reader_that_cannot_be_started_is_an_error_of_ours),
    ("a_reader_that_cannot_confine_itself_reads_nothing", a_reader_that_cannot_confine_itself_reads_nothing),
    ("the_reader_has_no_environment_no_new_privileges_and_no_descriptors", what_the_reader_has),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "reads") {
        return child(&args[1..]);
    }
    if args.iter().any(|arg| arg == "--list") {
        for (name, _) in TESTS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let wanted = args.iter().find(|arg| !arg.starts_with('-'));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in TESTS.iter().filter(|(name, _)| wanted.is_none_or(|wanted| name.contains(wanted.as_str()))) {
        let ok = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if ok { passed += 1 } else { failed += 1 }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out\n");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the process that reads does, well or badly.
fn child(how: &[String]) -> ExitCode {
    let mut request = Vec::new();
    match how.first().map(String::as_str) {
        None => return if serve(|| Ok(())).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE },
        Some("unconfined") => {
            let refused = || Err(std::io::Error::other("no filter to be had"));
            return if serve(refused).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Some("dies") => std::process::abort(),
        Some("waits") => std::thread::sleep(Duration::from_secs(600)),
        Some("spins") => {
            let _ = std::io::stdin().read_to_end(&mut request);
            loop {
                std::hint::spin_loop();
            }
        }
        Some("grows") => {
            let _ = std::io::stdin().read_to_end(&mut request);
            let mut grown: Vec<Vec<u8>> = Vec::new();
            loop {
                grown.push(vec![1; 16 << 20]);
            }
        }
        Some("babbles") => println!("Good morning!"),
        Some("floods") => {
            let line = vec![b'x'; 1 << 20];
            while std::io::stdout().write_all(&line).is_ok() {}
        }
        Some("tells") => {
            // What is seen in the thread that reads, from where it would confine itself, is the reason that it gives.
            let told = || Err(std::io::Error::other(facts()));
            return if serve(told).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Some(_) => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

fn facts() -> String {
    let open = std::fs::File::open("/dev/null").map_or_else(|error| error.to_string(), |_| "opened".to_owned());
    let new = rustix::thread::no_new_privs().unwrap_or(false);
    format!("environment {}; {open}; no new privileges {new}", std::env::vars_os().count())
}

fn reader(how: &[&str]) -> Reader {
    let me = std::env::current_exe().expect("this program has a path");
    Reader::new(me, ["reads"].iter().chain(how))
}

fn only_finding(report: &Report) -> (Rule, &str) {
    let [finding] = &report.findings[..] else { panic!("{:?}", report.findings) };
    assert!(report.incomplete, "what was not read is said");
    (finding.rule, &finding.message)
}

fn a_process_of_its_own_says_what_this_one_would() {
    let mut source = Source::of("main.py", "import helper\nhelper.go('id')\n");
    source.add("helper.py", b"from os import system as go\n");
    source.add("data.bin", b"\xff\xfe");
    let report = reader(&[]).read(&source).expect("it can be started");
    assert_eq!(report, read(&source));
    assert_eq!(report.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::V201]);
}

fn the_death_of_the_reader_is_a_finding() {
    let report = reader(&["dies"]).read(&Source::of("main.py", "x = 1")).expect("it can be started");
    let (rule, message) = only_finding(&report);
    assert_eq!(rule, Rule::V004);
    assert!(message.contains("crashed"), "{message}");
}

fn a_reader_that_does_not_end_is_ended() {
    let mut reader = reader(&["waits"]);
    reader.limits.wall = Duration::from_millis(300);
    let before = Instant::now();
    let report = reader.read(&Source::of("main.py", &"x = 1\n".repeat(100_000))).expect("it can be started");
    assert_eq!(only_finding(&report).0, Rule::V004);
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

fn a_reader_that_says_no_more_and_stays_is_ended() {
    let shell = "/bin/cat > /dev/null; exec 1>&-; exec /bin/sleep 60";
    let mut reader = Reader::new("/bin/sh", ["-c", shell]);
    reader.limits.wall = Duration::from_millis(300);
    let before = Instant::now();
    let report = reader.read(&Source::of("main.py", "x = 1")).expect("it can be started");
    assert_eq!(only_finding(&report), (Rule::V004, "the reader had not ended when its time was over"));
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
}

fn a_reader_that_wants_too_much_memory_is_a_finding() {
    let report = reader(&["grows"]).read(&Source::of("main.py", "x = 1")).expect("it can be started");
    assert_eq!(only_finding(&report).0, Rule::V004);
}

fn a_reader_that_uses_up_its_cpu_time_is_a_finding() {
    let mut reader = reader(&["spins"]);
    reader.limits.cpu = Duration::from_secs(1);
    let report = reader.read(&Source::of("main.py", "x = 1")).expect("it can be started");
    let (rule, message) = only_finding(&report);
    assert_eq!(rule, Rule::V004);
    assert!(message.contains("too much time"), "{message}");
}

fn a_reader_that_says_something_else_is_a_finding() {
    let report = reader(&["babbles"]).read(&Source::of("main.py", "x = 1")).expect("it can be started");
    assert_eq!(only_finding(&report).0, Rule::V004);
}

fn a_reader_that_says_too_much_is_a_finding() {
    let report = reader(&["floods"]).read(&Source::of("main.py", "x = 1")).expect("it can be started");
    assert_eq!(only_finding(&report), (Rule::V004, "the reader said too much"));
}

fn a_reader_that_cannot_be_started_is_an_error_of_ours() {
    let reader = Reader::new("/does/not/exist", [""; 0]);
    let error = reader.read(&Source::of("main.py", "x = 1")).expect_err("there is no such program");
    assert!(matches!(error, ReaderError::Start { .. }), "{error:?}");
}

fn a_reader_that_cannot_confine_itself_reads_nothing() {
    let report = reader(&["unconfined"]).read(&Source::of("main.py", "import os; os.system('id')")).expect("as above");
    let (rule, message) = only_finding(&report);
    assert_eq!(rule, Rule::V004);
    assert!(message.contains("no filter to be had"), "{message}");
}

fn what_the_reader_has() {
    let mut reader = reader(&["tells"]);
    let report = reader.read(&Source::of("main.py", "")).expect("it can be started");
    let said = only_finding(&report).1;
    assert!(said.contains("environment 0; Too many open files (os error 24); no new privileges true"), "{said}");
    reader.limits.memory = 1 << 20;
    let report = reader.read(&Source::of("main.py", "")).expect("it can be started");
    assert_eq!(only_finding(&report).0, Rule::V004, "a limit on memory holds");
}
