//! What cells of one nursery must not share, and what libraries do in them that a nursery imported.

mod ground;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use gambeson_sandbox::{Ended, Environment, Spec};

type Change<'a> = &'a dyn Fn(&mut Spec);

/// Limits for programs that use numpy and pandas.
fn roomy(environment: &Environment, source: &str) -> Spec {
    let mut spec = ground::spec(environment, source);
    spec.limits.memory = gambeson_sandbox::Bytes::mebi(1024);
    spec.limits.cpus = gambeson_sandbox::MilliCpus(2000);
    spec.limits.pids = 128;
    spec
}

/// `name value` of each line.
fn values(ended: &Ended) -> BTreeMap<String, String> {
    let said = ground::output(ended);
    said.lines().map(|line| line.split_once(' ').unwrap()).map(|(name, value)| (name.into(), value.into())).collect()
}

fn all_differ(environment: &Environment, preload: &[&str], source: &str) {
    let mut nursery = ground::nursery(environment, preload);
    let spec = roomy(environment, source);
    // Two that wait at the same time, and one more that is born later.
    let (first, second) = (ground::spare(&mut nursery, &spec), ground::spare(&mut nursery, &spec));
    let run = |spare: gambeson_sandbox::Spare| {
        values(&ground::finish(spare.run(ground::planned(&spec)).map_err(|back| back.why).unwrap(), b""))
    };
    let mut runs = vec![run(first), run(second)];
    runs.push(values(&ground::warm(&mut nursery, &spec, b"")));
    for name in runs[0].keys() {
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let (one, other) = (runs[one].get(name), runs[other].get(name));
            assert!(one.is_some() && one != other, "siblings share {name} (preloaded: {preload:?}): {one:?}");
        }
    }
    assert!(!runs[0].is_empty());
}

const STANDARD: &str = "
import os, random, secrets, ssl, subprocess, sys, tempfile, uuid
print('random', random.random(), random.getrandbits(64))
print('random.Random', random.Random().random())
print('uuid1', uuid.uuid1())
print('uuid4', uuid.uuid4())
print('ssl', ssl.RAND_bytes(16).hex())
print('secrets', secrets.token_hex(), secrets.randbelow(1 << 60))
print('urandom', os.urandom(16).hex())
print('getrandom', os.getrandom(16).hex())
print('mkstemp', tempfile.mkstemp()[1])
print('mkdtemp', tempfile.mkdtemp())
print('mktemp', tempfile.mktemp())
def of_new(code):
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout.strip()
print('hash', of_new('print(hash(\"a word\"))'))
print('new', of_new('import random; print(random.random())'))
pid = os.fork()
if pid == 0:
    print('forked', random.random(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
";

#[test]
fn random_state_differs_between_siblings() {
    if ground::host().is_none() {
        return;
    }
    for environment in ground::pythons() {
        all_differ(&environment, &[], STANDARD);
    }
}

#[test]
fn random_state_of_modules_that_were_imported_ahead_of_need_differs_between_siblings() {
    if ground::host().is_none() {
        return;
    }
    let preload = ["random", "uuid", "ssl", "secrets", "tempfile", "hashlib", "multiprocessing", "asyncio"];
    for environment in ground::pythons() {
        all_differ(&environment, &preload, STANDARD);
    }
}

const NUMPY: &str = "
import numpy, pandas
print('numpy', numpy.random.random(), numpy.random.randint(1 << 60))
print('numpy.normal', numpy.random.normal())
print('default_rng', numpy.random.default_rng().random())
print('RandomState', numpy.random.RandomState().random())
print('mtrand', numpy.random.mtrand._rand.random())
print('pandas', pandas.Series(range(1000)).sample(5).tolist())
";

#[test]
fn random_state_of_numpy_and_pandas_differs_between_siblings() {
    let (Some(_), Some(environment)) = (ground::host(), ground::python_with_pandas()) else { return };
    all_differ(&environment, &["numpy", "pandas"], NUMPY);
    all_differ(&environment, &["numpy.random"], NUMPY);
    all_differ(&environment, &[], NUMPY);
}

#[test]
fn libraries_with_threads_work_in_a_cell_whose_nursery_imported_them() {
    let (Some(_), Some(environment)) = (ground::host(), ground::python_with_pandas()) else { return };
    let source = "
import os, threading
import numpy, pandas
a = numpy.ones((700, 700))
print((a @ a)[0, 0], numpy.linalg.solve(a + numpy.eye(700) * 700, a[0])[0] > 0)
print(numpy.linalg.svd(numpy.eye(300))[1].sum())
threads = len(os.listdir('/proc/self/task'))
print('threads', threads > 1 or os.cpu_count() == 1)
f = pandas.DataFrame({'k': [1, 2] * 500, 'v': range(1000)})
print(f.groupby('k').v.agg(['sum', 'mean']).to_string())
print(f.to_csv()[:10].encode(), pandas.Timestamp(0))
pid = os.fork()
if pid == 0:
    print((a @ a)[1, 1], flush=True)
    os._exit(0)
print(os.waitpid(pid, 0)[1])
import multiprocessing
with multiprocessing.get_context('fork').Pool(2) as pool:
    print(pool.map(numpy.sqrt, [4, 9]))
done = []
workers = [threading.Thread(target=lambda: done.append((a @ a)[0, 0])) for _ in range(3)]
[one.start() for one in workers]; [one.join() for one in workers]
print(done)
";
    let spec = roomy(&environment, source);
    let cold = ground::cold(&spec, b"");
    for preload in [&["numpy"][..], &["numpy", "pandas"], &["pandas"]] {
        let mut nursery = ground::nursery(&environment, preload);
        for _ in 0..3 {
            let warm = ground::warm(&mut nursery, &spec, b"");
            assert_eq!(ground::output(&cold), ground::output(&warm), "{}", ground::told(&warm));
        }
    }
}

#[test]
fn modules_that_were_imported_ahead_of_need_are_in_their_places() {
    if ground::host().is_none() {
        return;
    }
    let environment = ground::python();
    let mut nursery = ground::nursery(&environment, &["json", "decimal"]);
    let source =
        "import sys; print('json' in sys.modules, 'json' in dir()); import json; print(json.dumps([1]), json.__file__)
import gc; print(gc.isenabled(), gc.get_freeze_count() > 0)";
    let said = ground::output(&ground::warm(&mut nursery, &ground::spec(&environment, source), b""));
    assert!(said.starts_with("True False\n[1] /usr/lib/"), "{said}");
    // What is imported ahead of need is frozen: docs/threat-model.md says that this shows.
    assert!(said.ends_with("True True\n"), "{said}");
}

#[test]
fn what_a_module_says_when_it_is_imported_ahead_of_need_reaches_no_program() {
    let modules = [
        (
            "says",
            "import sys\nprint('from the nursery')\nsys.stdout.write('and more')\nprint('an error', file=sys.stderr)",
        ),
        (
            "warns",
            "import warnings\nwarnings.warn('from the nursery')\nwarnings.simplefilter('ignore', ResourceWarning)",
        ),
        (
            "registers",
            "import atexit, os, sys\natexit.register(lambda: os.write(2, b'handler\\n'))\nos.register_at_fork(after_in_child=lambda: os.write(2, b'forked\\n'))",
        ),
    ];
    let (Some(_), Some((environment, _scratch))) = (ground::host(), with_modules("says", &modules)) else { return };
    let mut nursery = ground::nursery(&environment, &["says", "warns"]);
    let ended = ground::warm(&mut nursery, &ground::spec(&environment, "print('mine')"), b"");
    assert_eq!((ground::output(&ended).as_str(), ended.stderr.as_slice()), ("mine\n", &b""[..]));
    // Nor the nursery, or its next birth: what is written there fills nothing up.
    let mut nursery = ground::nursery(&environment, &["registers"]);
    for _ in 0..20 {
        let ended = ground::warm(&mut nursery, &ground::spec(&environment, "print('mine')"), b"");
        assert_eq!(ground::output(&ended), "mine\n");
    }
}

/// An interpreter in an environment of its own, with these modules in it.
fn with_modules(name: &str, modules: &[(&str, &str)]) -> Option<(Environment, Scratch)> {
    let base = ground::python();
    let scratch = Scratch(std::env::temp_dir().join(format!("gambeson-modules-{}-{name}", std::process::id())));
    let made = std::process::Command::new(&base.executable)
        .args(["-I", "-m", "venv", "--without-pip"])
        .arg(&scratch.0)
        .output()
        .is_ok_and(|done| done.status.success());
    if !made {
        eprintln!("skipped: {} makes no environment", base.executable.display());
        return None;
    }
    let version: Vec<&str> = base.version.split('.').collect();
    let packages = scratch.0.join(format!("lib/python{}.{}/site-packages", version[0], version[1]));
    for (name, source) in modules {
        fs::write(packages.join(format!("{name}.py")), source).unwrap();
    }
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o755)).unwrap();
    Some((Environment::discover(&scratch.0.join("bin/python3")).unwrap(), scratch))
}

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_module_that_cannot_be_kept_ready_is_refused_in_a_sentence_that_names_it() {
    let modules = [
        (
            "keeps_a_thread",
            "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
        ),
        ("keeps_a_file", "file = open(__file__)"),
        ("keeps_a_socket", "import socket\none, other = socket.socketpair()"),
        ("raises", "raise ValueError('on purpose')"),
        ("is_wrong", "def ("),
        ("ends", "import sys\nsys.exit(3)"),
        ("ends_at_once", "import os\nos._exit(3)"),
        ("dies", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        ("fine", "VALUE = 5"),
    ];
    let (Some(_), Some((environment, _scratch))) = (ground::host(), with_modules("odd", &modules)) else { return };
    let mut nursery = ground::nursery(&environment, &["fine"]);
    let spec = ground::spec(&environment, "import fine; print(fine.VALUE)");
    assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), "5\n");

    let mut wrong = Vec::new();
    for (module, says) in [
        ("no_such_module", "no_such_module"),
        ("keeps_a_thread", "thread"),
        ("keeps_a_file", "keeps_a_file.py"),
        ("keeps_a_socket", "socket:"),
        ("raises", "on purpose"),
        ("is_wrong", "is_wrong"),
        ("ends", "preload ends"),
        ("ends_at_once", "preload ends_at_once"),
        ("dies", "preload dies"),
        ("a.b..c", "a.b..c"),
        ("", ""),
    ] {
        match ground::try_nursery(&environment, &[module]) {
            Ok(_) if module.is_empty() => {}
            Ok(_) => wrong.push(format!("{module:?} was kept ready")),
            Err(error) => {
                let said = error.to_string();
                println!("{module}: {said}");
                if !said.contains(says) || said.contains('\n') || !said.contains(module) {
                    wrong.push(format!("{module:?}: {said:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_variable_that_acts_at_the_start_of_an_interpreter_goes_to_a_cold_one() {
    if ground::host().is_none() {
        return;
    }
    let environment = ground::python();
    let mut nursery = ground::nursery(&environment, &[]);
    for (name, value) in [
        ("PYTHONHASHSEED", "0"),
        ("PYTHONPATH", "/work/lib"),
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONWARNINGS", "error"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("LC_ALL", "C"),
        ("LANG", "C"),
        ("LANGUAGE", "de"),
        ("LOCPATH", "/work/locale"),
        ("GCONV_PATH", "/work/gconv"),
        ("TZ", "Europe/Berlin"),
        ("HOME", "/tmp"),
        ("MALLOC_ARENA_MAX", "1"),
    ] {
        let mut spec = ground::spec(
            &environment,
            "import os, sys, time; print(sorted(os.environ.items()), sys.path, sys.flags, time.tzname)",
        );
        spec.env = vec![(name.into(), value.into())];
        let plan = ground::planned(&spec);
        let why = nursery.fits(&plan).expect_err(name);
        assert!(why.contains(name), "{why}");
        assert!(nursery.birth(&plan).is_err(), "{name}");
        // And a spare that was born for another does not take it.
        spec.env.clear();
        let spare = ground::spare(&mut nursery, &spec);
        let back = spare.run(plan).err();
        assert!(back.is_some(), "a spare took a program with {name}={value}");
    }
}

/// A spare was born for another, whose plan said nothing of what this program brings.
#[test]
fn what_acts_at_the_start_of_an_interpreter_is_refused_by_a_spare_too() {
    if ground::host().is_none() {
        return;
    }
    let environment = ground::python();
    let mut nursery = ground::nursery(&environment, &[]);
    let plain = || {
        let mut spec = ground::spec(&environment, "print(1)");
        spec.env = vec![("XYTHONWARNINGS".into(), "error".into())];
        spec
    };
    let short: Vec<&str> = environment.version.split('.').collect();
    let mut wrong = Vec::new();
    let changes: &[(&str, Change<'_>)] = &[
        ("a variable as long", &|spec| spec.env = vec![("PYTHONWARNINGS".into(), "error".into())]),
        ("packages of its user's", &|spec| {
            let site = format!(".local/lib/python{}.{}/site-packages/own.pth", short[0], short[1]);
            spec.files.push(ground::file(&site, "import sys; sys.own = 1"));
        }),
        ("an option", &|spec| spec.args = vec!["-c".into(), "1".into(), "__".into()]),
        ("standard input", &|spec| spec.args = vec!["-".into(), "_____".into()]),
        ("no name", &|spec| spec.args = vec!["".into(), "______".into()]),
    ];
    for (what, change) in changes {
        let mut spec = plain();
        change(&mut spec);
        let plan = ground::planned(&spec);
        if nursery.fits(&plan).is_ok() {
            wrong.push(format!("{what} fits the nursery"));
        }
        let spare = ground::spare(&mut nursery, &plain());
        assert!(what.contains("user") || spec.args.iter().map(|arg| arg.len() + 1).sum::<usize>() == 8);
        if spare.fits(&plan) {
            wrong.push(format!("{what} fits a spare"));
        }
        match spare.run(plan) {
            Ok(cell) => wrong.push(format!("{what} was taken: {}", ground::told(&ground::finish(cell, b"")))),
            Err(back) => println!("{what}: {}", back.why),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut none = plain();
    none.args.clear();
    assert!(nursery.fits(&ground::planned(&none)).is_err(), "without a script there is nothing to run");
}

#[test]
fn nothing_of_one_program_is_in_the_memory_of_another_from_the_same_nursery() {
    if ground::host().is_none() {
        return;
    }
    let environment = ground::python();
    let mut nursery = ground::nursery(&environment, &[]);
    // What is looked for stands nowhere in this program: each byte is one more, and so of what is read.
    let source = "
import re, sys
table = bytes((n + 1) & 255 for n in range(256))
found = []
with open('/proc/self/mem', 'rb', 0) as memory:
    for line in open('/proc/self/maps'):
        start, end = (int(part, 16) for part in line.split()[0].split('-'))
        if line.split()[1][0] != 'r' or 'vvar' in line or 'vsyscall' in line:
            continue
        try:
            memory.seek(start)
            data = memory.read(end - start)
        except (OSError, OverflowError, ValueError):
            continue
        found += [line.strip() for _ in re.finditer(b'BRYKLW', data.translate(table))]
print(len(found), found[:3])
";
    let mut secret = ground::spec(&environment, "print('AQXJKV', end='')  # AQXJKV");
    secret.args = vec!["main.py".into(), "AQXJKV-argument".into()];
    secret.env = vec![("TOKEN".into(), "AQXJKV-variable".into())];
    secret.files.push(ground::file("data", "AQXJKV-file".repeat(50_000)));
    let mut looking = ground::spec(&environment, source);
    looking.args = vec!["main.py".into(), "_".repeat(15).into()];
    looking.env = vec![("TOKEN".into(), "_".repeat(15).into())];
    // A program that has it finds it: else the search shows nothing.
    let mut control = ground::spec(&environment, source);
    control.args = secret.args.clone();
    assert!(!ground::output(&ground::cold(&control, b"")).starts_with("0 "));
    assert_eq!(ground::output(&ground::cold(&looking, b"")), "0 []\n");

    let run = |spare: gambeson_sandbox::Spare, spec: &Spec| {
        ground::output(&ground::finish(spare.run(ground::planned(spec)).map_err(|back| back.why).unwrap(), b""))
    };
    let planned = ground::planned(&secret);
    // Born for the one, and taken by the other.
    assert_eq!(run(nursery.birth(&planned).unwrap(), &looking), "0 []\n");
    assert_eq!(run(nursery.birth(&planned).unwrap(), &secret), "AQXJKV");
    // Born after it, and when it was there and ran.
    let sibling = ground::spare(&mut nursery, &looking);
    assert_eq!(run(sibling, &looking), "0 []\n");
}

#[test]
fn a_module_that_starts_a_thread_in_its_children_gives_no_cell_and_says_so() {
    let Some((environment, _scratch)) = with_modules(
        "threads",
        &[
            ("quiet", "pass"),
            (
                "lively",
                "import os, threading, time\n\
                 def start():\n\
                 \u{20}   threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n\
                 os.register_at_fork(after_in_child=start)",
            ),
        ],
    ) else {
        return;
    };
    let spec = roomy(&environment, "print(1)");
    let mut quiet = ground::nursery(&environment, &["quiet"]);
    assert_eq!(ground::output(&ground::warm(&mut quiet, &spec, b"")), "1\n", "the control");
    // It may be found out when the nursery tries a fork of its own, or by each cell.
    match ground::try_nursery(&environment, &["lively"]) {
        Err(why) => assert!(why.to_string().contains("thread"), "{why}"),
        Ok(mut nursery) => {
            for _ in 0..2 {
                let why = nursery.birth(&ground::planned(&ground::stranger(&spec))).unwrap_err().to_string();
                assert!(why.contains("busy"), "{why}");
            }
        }
    }
}

#[test]
fn a_module_that_keeps_memory_that_all_would_write_to_is_refused() {
    let shared = "import mmap\nkept = mmap.mmap(-1, 4096)\nkept[0] = 1";
    let private = "import mmap\nkept = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\nkept[0] = 1";
    let Some((environment, _scratch)) = with_modules("maps", &[("shared", shared), ("private", private)]) else {
        return;
    };
    let why = ground::try_nursery(&environment, &["shared"]).err().map(|why| why.to_string()).unwrap();
    assert!(why.contains("keeps memory that all cells would write to") && why.contains("importing shared"), "{why}");
    let mut nursery = ground::nursery(&environment, &["private"]);
    let spec = roomy(&environment, "import private; print(private.kept[0])");
    assert_eq!(ground::output(&ground::warm(&mut nursery, &spec, b"")), "1\n");
}
