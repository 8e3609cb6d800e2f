//! A program cannot tell a warm start from a cold one but by the clock.
//!
//! Each file of `programs/` is run both ways, and has to say and to end the same, byte for byte. Only addresses
//! (`0x7f...`) are made equal first. The first comment lines of a file may say with what it is run, in JSON:
//! `args` (each character a byte), `env`, `stdin`, further `files`, the `script`'s own place, and the `name` that the
//! interpreter is told.

mod ground;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use gambeson_sandbox::{Environment, Nursery, Spec, Start};
use serde_json::Value;

/// What the corpus must not shrink below.
const FEWEST_PROGRAMS: usize = 80;
/// As many as the smallest host of ours has processors.
const PYTHONS_AT_ONCE: usize = 2;

/// What a warm program does see, in words of the threat model; the test fails when it sees it no longer.
const SEEN: &[(&str, &str)] = &[
    ("proc_stat_flags", "the kernel says of a process that was forked and has not executed since that it is one"),
    ("loaded_objects", "the loader lists the library that took the interpreter's main over, under a name of no file"),
    ("loader_symbol", "the loader finds that library's __libc_start_main before the C library's"),
];

struct Program {
    name: String,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    files: Vec<(String, Vec<u8>)>,
    stdin: Vec<u8>,
}

impl Program {
    fn read(path: &Path) -> Program {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&source).into_owned();
        let mut program =
            Program { name: name.clone(), args: Vec::new(), env: Vec::new(), files: Vec::new(), stdin: Vec::new() };
        let (mut script, mut told) = (name.clone(), None);
        for line in text.lines().map_while(|line| line.strip_prefix("# ")) {
            let Some((key, Ok(value))) = line.split_once(": ").map(|(key, value)| (key, serde_json::from_str(value)))
            else {
                continue;
            };
            let string = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{name}: {line}")).to_owned();
            let pairs = |value: &Value| -> Vec<(String, String)> {
                let object = value.as_object().unwrap_or_else(|| panic!("{name}: {line}"));
                object.iter().map(|(key, value)| (key.clone(), string(value))).collect()
            };
            match (key, &value) {
                ("args", Value::Array(args)) => program.args = args.iter().map(|arg| bytes(&string(arg))).collect(),
                ("env", _) => {
                    program.env = pairs(&value).into_iter().map(|(key, value)| (key.into(), value.into())).collect();
                }
                ("files", _) => {
                    program.files = pairs(&value).into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
                }
                ("stdin", _) => program.stdin = string(&value).into_bytes(),
                ("script", _) => script = string(&value),
                ("name", _) => told = Some(string(&value)),
                _ => panic!("{name}: the header line {line:?} means nothing"),
            }
        }
        program.files.push((script.clone(), source));
        program.args.insert(0, told.unwrap_or(script).into());
        program
    }

    fn spec(&self, environment: &Environment) -> Spec {
        let mut spec = ground::spec(environment, "");
        spec.args.clone_from(&self.args);
        spec.env.clone_from(&self.env);
        spec.files = self.files.iter().map(|(path, contents)| ground::file(path, contents)).collect();
        // Time enough for what starts interpreters, on a machine that is busy.
        spec.limits.wall = std::time::Duration::from_secs(120);
        spec
    }
}

fn bytes(latin: &str) -> OsString {
    OsString::from_vec(latin.chars().map(|one| u8::try_from(u32::from(one)).expect("one byte each")).collect())
}

/// Addresses differ from run to run.
fn without_addresses(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(at) = rest.find("0x") {
        let (before, after) = rest.split_at(at + 2);
        let digits = after.bytes().take_while(u8::is_ascii_hexdigit).count();
        out.push_str(before);
        out.push_str(if digits >= 9 { "..." } else { &after[..digits] });
        rest = &after[digits..];
    }
    out + rest
}

/// What is different, or `None`.
fn compare(nursery: &mut Nursery, environment: &Environment, program: &Program) -> Option<String> {
    let spec = program.spec(environment);
    let cold = ground::cold(&spec, &program.stdin);
    let warm = ground::warm(nursery, &spec, &program.stdin);
    assert_eq!((cold.exit.start, warm.exit.start), (Start::Cold, Start::Warm));
    ground::difference(&without_addresses(&ground::told(&cold)), &without_addresses(&ground::told(&warm)))
}

fn programs() -> Vec<Program> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs");
    let mut paths: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= FEWEST_PROGRAMS, "there are only {} programs", paths.len());
    let only = std::env::var("GAMBESON_TEST_PROGRAM").unwrap_or_default();
    paths.iter().map(|path| Program::read(path)).chain([zipapp()]).filter(|one| one.name.contains(&only)).collect()
}

/// A directory as a script is no file of its own to compare; an archive is both.
fn zipapp() -> Program {
    const MAKE: &str = "import io, sys, zipfile
b = io.BytesIO()
with zipfile.ZipFile(b, 'w') as z:
    z.writestr('__main__.py', 'import near, sys\\nprint(__name__, __file__, sys.argv, sys.path[0], near.__file__, __loader__.__class__, __spec__)\\nraise ValueError\\n')
    z.writestr('near.py', '')
sys.stdout.buffer.write(b.getvalue())";
    let made = Command::new("python3").args(["-I", "-c", MAKE]).output().unwrap();
    assert!(made.status.success());
    let args = vec![ground::os("app.pyz"), ground::os("-v"), ground::os("")];
    let files = vec![("app.pyz".to_owned(), made.stdout)];
    Program { name: "zipapp".into(), args, env: Vec::new(), files, stdin: Vec::new() }
}

#[test]
fn a_program_says_and_ends_the_same_warm_and_cold() {
    if ground::host().is_none() {
        return;
    }
    let mut programs = programs();
    let main = "import near, sys; print(__name__, __file__, sys.argv, sys.path[0], near.__file__); 1/0";
    programs.push(Program {
        name: "directory".into(),
        args: vec![ground::os("app")],
        env: Vec::new(),
        files: vec![("app/__main__.py".into(), main.into()), ("app/near.py".into(), Vec::new())],
        stdin: Vec::new(),
    });
    let wrong = Mutex::new(Vec::new());
    let pythons = Mutex::new(ground::pythons().into_iter());
    thread::scope(|scope| {
        for _ in 0..PYTHONS_AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = pythons.lock().unwrap().next();
                    let Some(environment) = next else { break };
                    let found = all_of(&environment, &programs);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with one interpreter.
fn all_of(environment: &Environment, programs: &[Program]) -> Vec<String> {
    let mut nursery = match ground::try_nursery(environment, &[]) {
        Ok(nursery) => nursery,
        Err(why) => return vec![format!("{} has no nursery: {why}", environment.executable.display())],
    };
    let mut wrong = Vec::new();
    let (mut same, mut seen) = (0, 0);
    for program in programs {
        let name = program.name.trim_end_matches(".py");
        let known = SEEN.iter().any(|(known, _)| *known == name);
        match (compare(&mut nursery, environment, program), known) {
            (None, false) => same += 1,
            (Some(_), true) => seen += 1,
            (Some(what), false) => wrong.push(format!("{} {name}: {what:.2000}", environment.version)),
            (None, true) => wrong.push(format!("{} {name} is the same by now", environment.version)),
        }
    }
    println!("{} {}: {same} the same, {seen} known not to be", environment.executable.display(), environment.version);
    wrong
}
