//! A backup of a platform that works, and a platform that goes on from it, with the real binary.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gambeson_testkit::Platform;

/// A directory for a test, removed with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        let dir = std::env::temp_dir().join(format!("gambeson-backup-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        Place(dir)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(platform: &Platform, args: &[&str]) -> Output {
    platform.command(args).output().unwrap()
}

fn fine(platform: &Platform, args: &[&str]) -> String {
    let done = run(platform, args);
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn nobody_else_enters(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o077, 0, "{}", entry.path().display());
        if metadata.is_dir() {
            nobody_else_enters(&entry.path());
        }
    }
}

#[test]
fn a_fresh_machine_goes_on_from_a_backup_that_was_made_under_load() {
    let mut platform =
        Platform::up(Path::new(env!("CARGO_BIN_EXE_gambeson")), &["--set", "server.rate_per_key=100000"]);
    let place = Place::new();
    let (copy, there) = (place.0.join("copy"), place.0.join("there"));
    let (copy_arg, there_arg) = (copy.to_str().unwrap(), there.to_str().unwrap());
    let program = place.0.join("main.py");
    fs::write(&program, "import os\nos.makedirs('out')\nopen('out/answer.txt', 'w').write('42')\n").unwrap();
    fs::create_dir(platform.data.join("policies")).unwrap();
    let job = fine(&platform, &["submit", program.to_str().unwrap(), "--wait", "--json"]);
    let job: serde_json::Value = serde_json::from_str(&job).unwrap();
    let id = job["id"].as_str().unwrap();

    // Jobs come and end, with artifacts of their own, while the copy is made.
    let (over, submitted) = (AtomicBool::new(false), AtomicU64::new(0));
    let data = platform.data.to_str().unwrap().to_owned();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                let number = submitted.fetch_add(1, Ordering::AcqRel);
                let source = place.0.join(format!("{number}.py"));
                fs::write(&source, format!("import os\nos.makedirs('out')\nopen('out/n', 'w').write('{number}')\n"))
                    .unwrap();
                fine(&platform, &["submit", source.to_str().unwrap()]);
            }
        });
        gambeson_testkit::until("somebody submits", || (submitted.load(Ordering::Acquire) > 2).then_some(()));
        let made = run(&platform, &["backup", "--data-dir", &data, "--to", copy_arg]);
        over.store(true, Ordering::Release);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert!(made.stderr.is_empty(), "{}", String::from_utf8_lossy(&made.stderr));
    });
    nobody_else_enters(&copy);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o700);

    // The machine is lost.
    platform.process.kill();
    fs::remove_dir_all(&platform.data).unwrap();
    let restored = run(&platform, &["restore", "--from", copy_arg, "--data-dir", there_arg]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    nobody_else_enters(&there);
    let again = run(&platform, &["restore", "--from", copy_arg, "--data-dir", there_arg]);
    assert!(!again.status.success(), "over an installation that is there");

    platform.data = there;
    platform.restart();
    let out = place.0.join("out");
    fine(&platform, &["artifacts", id, "--output", out.to_str().unwrap()]);
    let answer = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    assert_eq!(fs::read_to_string(answer).unwrap(), "42");
    fine(&platform, &["audit", "verify"]);
    // It works on, with a worker that joined anew.
    fine(&platform, &["submit", program.to_str().unwrap(), "--wait"]);
}
