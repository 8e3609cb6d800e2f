//! Every test, one after the other, and one closing line.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The integration tests that have a command of their own below.
const APART: [&str; 5] = ["escape", "warden", "layers", "regrtest", "regrtest_warm"];

/// Tests counted.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs everything that this host can test.
pub(crate) fn run() -> anyhow::Result<()> {
    for (tool, package) in [("python3", "python3"), ("setpriv", "util-linux"), ("unshare", "util-linux"), ("cc", "gcc")]
    {
        let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_err() {
            bail!("{tool} is not here; apt-get install {package}");
        }
    }
    if !is_root()? {
        println!(
            "note: cells with all their layers need root or a delegated cgroup; as this user many tests will fail"
        );
    }
    let mut count = Count::default();
    count.add("the repository's rules", &["cargo", "xtask", "tidy"])?;
    // Before what is built of Rust: the server takes the console in.
    // What fails by more than what this machine lacks, fails again where it is counted.
    let missing = crate::web::missing().unwrap_or_default();
    if missing.is_empty() {
        count.add("the console is built", &["cargo", "xtask", "web"])?;
        count.add("the console's types", &["npm", "--prefix", "web", "run", "--silent", "check"])?;
        count.add("the console without a browser", &["npm", "--prefix", "web", "run", "--silent", "test"])?;
    } else {
        println!("skipped: the console: {}", missing.join("; "));
        count.skipped += 3;
    }
    // One selection of packages for all, so that what they share is built once.
    let mut units =
        vec!["cargo", "test", "--no-fail-fast", "--workspace", "--exclude=gambeson-nursery", "--lib", "--bins"];
    let tests = integration_tests()?;
    for test in &tests {
        units.extend(["--test", test]);
    }
    count.add("units, the platform and the command line", &units)?;
    // Its manifest has it tested by nobody who does not ask for it.
    count.add("units of the nursery's library", &["cargo", "test", "-p", "gambeson-nursery", "--lib"])?;
    // Of the build above: its tests of the command line need the program itself.
    match (missing.is_empty(), has_browser()) {
        (true, true) => count.add("the console in a browser", &["node", "web/tests/run.mjs"])?,
        (console, browser) => {
            let console = if console { "" } else { " there is no console;" };
            let browser = if browser { "" } else { " there is no Chromium: apt-get install chromium" };
            println!("skipped: the console in a browser:{console}{browser}");
            count.skipped += 1;
        }
    }
    count.add("the Python that runs inside", &["python3", "-m", "unittest", "discover", "-s", "guest/tests", "-q"])?;
    let escapes = ["cargo", "test", "-p", "gambeson-sandbox", "--features", "mutation", "--test", "escape"];
    count.add("escapes", &escapes)?;
    count.add("escapes from warm cells", &[&["env", "GAMBESON_TEST_START=warm"], &escapes[..]].concat())?;
    let warden = ["cargo", "test", "-p", "gambeson-sandbox", "--features", "mutation", "--test", "warden"];
    count.add("the warden", &warden)?;
    let layers = ["cargo", "test", "-p", "gambeson-nursery-image", "--features", "mutation", "--test", "layers"];
    count.add("layers of warm and cold cells", &layers)?;
    count.add("chaos, for a moment", &["cargo", "xtask", "chaos", "--short"])?;
    count.add(
        "CPython's own tests, inside",
        &["cargo", "test", "--workspace", "--exclude=gambeson-nursery", "--test", "regrtest"],
    )?;
    let warm = ["cargo", "test", "--workspace", "--exclude=gambeson-nursery", "--test", "regrtest_warm"];
    count.add("CPython's own tests, inside warm cells", &warm)?;
    // It fetches a fuzzer from PyPI, and what it finds differs from run to run: by hand, not in CI.
    println!("skipped: every operation fuzzed from the OpenAPI document: cargo xtask schemathesis");
    println!(
        "skipped: pure cgroup v2 and SELinux, which this command does not boot: cargo xtask vm build && cargo xtask vm test"
    );
    count.skipped += 2;
    count.close()
}

/// What needs pure cgroup v2, a delegated cgroup, or SELinux, in the QEMU guest.
pub(crate) fn run_in_vm() -> anyhow::Result<()> {
    let built = Command::new("cargo").args(["build", "--release"]).status()?;
    if !built.success() {
        bail!("the build failed");
    }
    let mut count = Count::default();
    for (what, user) in [("as root", None), ("as a user with a delegated cgroup", Some("--user"))] {
        let program =
            "import resource, ctypes, multiprocessing, ssl, sqlite3; print(open('/proc/self/attr/current').read())";
        let script = format!(
            "set -e; G=/share/target/release/gambeson; P=/usr/bin/python3; \
             $G doctor --python $P >/dev/null || {{ $G doctor --python $P; exit 1; }}; \
             echo \"{program}\" | $G run --python $P - | grep -q gambeson_cell_t; \
             for limit in 'memory=48M b=bytearray(200<<20)' 'wall=1s import/time;time.sleep(60)' 'cpu=1s while/1:pass' \
                          'pids=8 import/os;[os.fork()/for/i/in/range(8)]'; do \
               set -- $limit; echo \"$2\" | tr / ' ' > /tmp/l.py; code=0; \
               $G run --python $P --limit $1 /tmp/l.py 2>/tmp/said || code=$?; cat /tmp/said; \
               test $code = 121 || {{ echo \"$1 ended with $code\"; exit 1; }}; \
             done; \
             sleep 1; test -z \"$(find /sys/fs/cgroup -name 'gambeson-[0-9]*')\""
        );
        let mut args = vec!["run".to_owned()];
        args.extend(user.map(str::to_owned));
        args.extend(["--", "sh", "-c", &script].map(str::to_owned));
        println!("== {what}");
        let mut command = vec!["cargo".to_owned(), "xtask".to_owned(), "vm".to_owned()];
        command.extend(args);
        count.add(what, &command.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    count.close()
}

/// Whether there is one that `web/tests/chromium.mjs` finds.
fn has_browser() -> bool {
    let known = ["chromium", "chromium-browser", "google-chrome"].map(std::ffi::OsString::from);
    let named = std::env::var_os("GAMBESON_CHROMIUM");
    named.into_iter().chain(known).any(|program| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    })
}

/// The names of all integration tests but those that stand apart: what a crate has of them in `tests/` is run, and nobody has to
/// think of it.
fn integration_tests() -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for krate in fs::read_dir("crates")? {
        let Ok(tests) = fs::read_dir(krate?.path().join("tests")) else { continue };
        for test in tests {
            let path = test?.path();
            let is_one = path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").exists();
            names.extend(path.file_stem().filter(|_| is_one).map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.retain(|name| !APART.contains(&name.as_str()));
    Ok(names)
}

fn is_root() -> anyhow::Result<bool> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(output.stdout.trim_ascii() == b"0")
}

impl Count {
    /// Runs a command, shows what it prints, and counts what its closing lines say. One that prints none counts
    /// as one test.
    fn add(&mut self, what: &str, command: &[&str]) -> anyhow::Result<()> {
        println!("\n== {what}: {}", command.join(" "));
        let mut child = Command::new(command[0])
            .args(&command[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {}", command[0]))?;
        let mut own = Count::default();
        for line in BufReader::new(child.stdout.take().context("it has a stdout")?).lines() {
            let line = line?;
            println!("{line}");
            own.read(&line);
        }
        let good = child.wait()?.success();
        if own.passed + own.failed + own.skipped == 0 {
            own.passed = u64::from(good);
        }
        if !good && own.failed == 0 {
            own.failed = 1;
        }
        self.passed += own.passed;
        self.failed += own.failed;
        self.skipped += own.skipped;
        Ok(())
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; ...` or `3 passed, 0 failed, 1 skipped`.
    fn read(&mut self, line: &str) {
        let closing = line.strip_prefix("test result: ").is_some()
            || line.split(' ').nth(1).is_some_and(|word| word.trim_end_matches(',') == "passed");
        if !closing {
            return;
        }
        let words: Vec<&str> = line.split([' ', ',', ';', '.']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" | "skipped" => self.skipped += number,
                _ => {}
            }
        }
    }

    fn close(&self) -> anyhow::Result<()> {
        let Count { passed, failed, skipped } = self;
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
        if *failed > 0 || *passed == 0 {
            std::process::exit(1);
        }
        Ok(())
    }
}
