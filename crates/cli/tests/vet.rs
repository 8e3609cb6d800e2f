//! `gambeson vet`, and the processes that read for a server: the real binary, hostile files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use gambeson_api::{Accepted, FileContent, Job, Submission};
use gambeson_testkit::{Platform, signal_to, until};
use rustix::process::Signal;
use serde_json::Value;

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gambeson"))
}

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("gambeson-vet-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn vet(args: &[&str]) -> Output {
    Command::new(binary()).arg("vet").args(args).stdin(Stdio::null()).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(args: &[&str]) -> Value {
    let output = vet(args);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn rules(said: &Value) -> Vec<&str> {
    said["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn findings_are_shown_with_their_lines_and_what_the_cell_will_do() {
    let here = Scratch::new("shown");
    let file = here.file("job.py", "import socket\n\nsocket.create_connection(('example.org', 443))\n");
    let output = vet(&[&file]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(said.contains("V301") && said.contains("job.py:3") && said.contains("^"), "{said}");
    assert!(said.contains("will be refused: this job has no network"), "{said}");
    let local = here.file("local.py", "import socket\nsocket.create_connection(('localhost', 8000))\n");
    assert!(words(&vet(&[&local, "--network", "loopback"])).contains("allowed: "));
    let fails = |args: &[&str]| vet(args).status.code();
    assert_eq!(fails(&[&file, "--fail-on", "warning"]), Some(1));
    assert_eq!(fails(&[&file, "--fail-on", "error"]), Some(0));
    assert_eq!(fails(&["/does/not/exist.py"]), Some(120));
    assert_eq!(fails(&[]), Some(120));
    let broken = here.file("broken.py", "print('a'\n");
    assert_eq!(fails(&[&broken, "--fail-on", "error"]), Some(1));
    assert!(words(&vet(&[&broken])).contains("V001"));
}

#[test]
fn files_of_a_directory_are_read_together_and_as_json_and_sarif() {
    let here = Scratch::new("directory");
    here.file("main.py", "from package import helper\nhelper.go('id')\n");
    here.file("package/__init__.py", "");
    here.file("package/helper.py", "from os import system as go\n");
    here.file(".git/hook.py", "import ctypes\n");
    here.file("data.csv", "1,2\n");
    let dir = here.0.to_str().unwrap();
    let said = json(&[dir, "--json"]);
    assert_eq!(rules(&said), ["V201"]);
    assert_eq!((&said["files_read"], &said["findings"][0]["file"]), (&3.into(), &"main.py".into()));
    let sarif = json(&[dir, "--sarif"]);
    assert_eq!((&sarif["version"], &sarif["runs"][0]["results"][0]["ruleId"]), (&"2.1.0".into(), &"V201".into()));
}

#[test]
fn hostile_files_are_findings_and_soon() {
    let here = Scratch::new("hostile");
    let texts: Vec<(&str, Vec<u8>, &str)> = vec![
        ("huge.py", vec![b'x'; 5 << 20], "V002"),
        ("parentheses.py", [vec![b'('; 500_000], vec![b')'; 500_000]].concat(), "V002"),
        ("unary.py", [b"x = ".to_vec(), b"not ".repeat(200_000), b"1\n".to_vec()].concat(), "V002"),
        ("binary.py", b"\x7fELF\x00\xff\xfe".to_vec(), "V001"),
        ("bidi.py", "x = 1  # \u{202e}\n".into(), "V005"),
    ];
    for (name, text, rule) in texts {
        let file = here.file(name, text);
        let begun = Instant::now();
        let said = json(&[&file, "--json"]);
        assert!(rules(&said).contains(&rule), "{name}: {said}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} took {:?}", begun.elapsed());
    }
    let many = Scratch::new("many");
    for index in 0..600 {
        many.file(&format!("{index:03}.py"), "x = 1\n");
    }
    let said = json(&[many.0.to_str().unwrap(), "--json"]);
    assert!(rules(&said).contains(&"V002") && said["incomplete"] == true, "{said}");
    // What a terminal would obey does not reach it.
    let file = here.file("escape.py", "open('/etc/\x1b[2Jshadow')\nx = '\x1b[31m'; import os; os.system(x)\n");
    assert!(!words(&vet(&[&file])).contains('\x1b'));
}

#[test]
fn the_process_that_reads_says_nothing_to_who_asks_it_for_something_else() {
    let reader = || {
        let mut command = Command::new(binary());
        command.arg("vet-reader").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    for request in ["", "[]", "{", "{\"files\":7}"] {
        let mut child = reader();
        let _ = child.stdin.take().unwrap().write_all(request.as_bytes());
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{request}: {output:?}");
    }
    // One that waits holds nothing but its pipes, and has no way to more privileges.
    let mut child = reader();
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    until("it has confined itself", || {
        fs::read_to_string(proc.join("status")).ok()?.contains("NoNewPrivs:\t1").then_some(())
    });
    let _ = child.kill();
    let _ = child.wait();
}

/// Whether a process lives and is one that reads; of one that has ended there are no words left.
fn is_reader(pid: u32) -> bool {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).nth(1) == Some(b"vet-reader")
}

/// The processes that wait for something to read, of a server.
fn readers(server: u32) -> Vec<u32> {
    let mut readers = Vec::new();
    for task in fs::read_dir(format!("/proc/{server}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
        readers.extend(children.filter(|child| is_reader(*child)));
    }
    readers
}

fn submit(platform: &Platform, source: &str) -> Job {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let accepted = runtime.block_on(platform.client().job_submit(&Submission::of_source(source), None)).unwrap();
    let Accepted::Job(job) = accepted else { panic!("one job") };
    *job
}

fn rules_of(job: &Job) -> Vec<&str> {
    job.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn a_server_reads_what_is_submitted_and_takes_it_also_when_its_readers_die_or_hang() {
    let platform = Platform::serve(binary(), &[]);
    let server = platform.process.pid();
    let waiting = || until("two processes wait", || Some(readers(server)).filter(|readers| readers.len() == 2));
    let first = submit(&platform, "import os\nos.system('1')\n");
    assert_eq!(rules_of(&first), ["V201"]);
    // Killed while they waited: whoever needs one has another started in its place.
    for reader in waiting() {
        signal_to(reader, Signal::KILL);
    }
    for place in 0..4 {
        let job = submit(&platform, &format!("import os\nos.system('2')\nx = {place}\n"));
        assert_eq!(rules_of(&job), ["V201"], "{:?}", job.findings);
    }
    // Frozen: what is not read in time is accepted all the same, and says so.
    for reader in waiting() {
        signal_to(reader, Signal::STOP);
    }
    let begun = Instant::now();
    let unread = submit(&platform, "import os\nos.system('3')\n");
    assert_eq!(rules_of(&unread), ["V004"], "{:?}", unread.findings);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // What was read before is known, readers or not.
    let begun = Instant::now();
    assert_eq!(rules_of(&submit(&platform, "import os\nos.system('1')\n")), ["V201"]);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // And it goes on.
    until("sources are read again", || {
        let job = submit(&platform, "import os\nos.system('4')\n");
        (rules_of(&job) == ["V201"]).then_some(())
    });
    let deep = submit(&platform, &format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000)));
    assert_eq!(rules_of(&deep), ["V002"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut many = Submission::of_source("import m1\n");
    many.files.extend((0..2000).map(|index| (format!("m{index}.py"), FileContent::text("x = 1\n"))));
    let vetted = runtime.block_on(platform.client().vet(&many)).unwrap();
    assert!(vetted.incomplete && vetted.findings.iter().any(|finding| finding.rule == "V002"));
    // Its readers do not outlive it; one that is frozen, and was not missed yet, ends when it may go on.
    let left = waiting();
    drop(platform);
    for reader in &left {
        signal_to(*reader, Signal::CONT);
    }
    until("its readers ended", || (!left.iter().any(|reader| is_reader(*reader))).then_some(()));
}

#[test]
fn a_person_is_told_what_was_remarked_when_the_job_is_accepted() {
    let platform = Platform::serve(binary(), &[]);
    let here = Scratch::new("told");
    let file = here.file("job.py", "x = (\n");
    let output = platform.command(&["submit", &file]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && said.contains("job.py:") && said.contains("V001") && said.contains('^'),
        "{said}"
    );
    let id = words(&output).trim().to_owned();
    let job = words(&platform.command(&["job", &id]).output().unwrap());
    assert!(job.contains("finding      job.py:"), "{job}");
    let record = platform.command(&["vet", "--record", "--json"]).output().unwrap();
    assert!(words(&record).contains("\"missed\""), "{record:?}");
    // Of what is not held, an approval changes nothing.
    let approved = platform.command(&["approve", &id]).output().unwrap();
    assert!(approved.status.success() && words(&approved).contains("queued"), "{approved:?}");
}
