//! Where it happens: a small disk of our own, a platform on it, and what may not be left of it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// A small disk, in memory, unmounted when this is dropped.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) dir: PathBuf,
    mounted: bool,
}

impl Disk {
    /// Mounts it, with so many mebibytes.
    pub(crate) fn mount(mebibytes: u32) -> anyhow::Result<Disk> {
        let dir = std::env::temp_dir().join(format!("gambeson-chaos-{}", std::process::id()));
        fs::create_dir(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
        let options = format!("size={mebibytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "gambeson-chaos"]).arg(&dir).status();
        if !mounted.is_ok_and(|status| status.success()) {
            let _ = fs::remove_dir(&dir);
            bail!("a disk of our own could not be mounted; that needs root");
        }
        Ok(Disk { dir, mounted: true })
    }

    fn filler(&self) -> PathBuf {
        self.dir.join("filler")
    }

    /// Leaves no room, until `until` is over: what becomes free meanwhile is taken as well.
    pub(crate) fn fill(&self, until: Instant) -> std::io::Result<()> {
        let mut filler = File::options().create(true).append(true).open(self.filler())?;
        let mebibyte = vec![0; 1 << 20];
        while Instant::now() < until {
            for piece in [&mebibyte[..], &mebibyte[..4096]] {
                while filler.write(piece).is_ok_and(|written| written > 0) {}
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// There is room again.
    pub(crate) fn clear(&self) {
        let _ = fs::remove_file(self.filler());
    }

    /// Unmounts it. Fails where something is left in it that holds it.
    pub(crate) fn unmount(mut self) -> anyhow::Result<()> {
        let unmounted = Command::new("umount").arg(&self.dir).output()?;
        if !unmounted.status.success() {
            bail!("the disk is held by something: {}", String::from_utf8_lossy(&unmounted.stderr).trim());
        }
        self.mounted = false;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.dir).status();
        }
        let _ = fs::remove_dir(&self.dir);
    }
}

/// What may not be there when all is over: cgroups of these supervisors, processes that run this file, mounts below
/// this directory.
pub(crate) fn left_behind(workers: &BTreeSet<u32>, entry: &str, dir: &Path) -> Vec<String> {
    let mut left = Vec::new();
    let ours = |name: &str| {
        let pid = name.strip_prefix("gambeson-").and_then(|rest| rest.split('-').next()?.parse().ok());
        pid.is_some_and(|pid| workers.contains(&pid))
    };
    let mut directories = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = directories.pop() {
        for found in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if found.file_type().is_ok_and(|kind| kind.is_dir()) {
                if ours(&found.file_name().to_string_lossy()) {
                    left.push(format!("the cgroup {}", found.path().display()));
                }
                directories.push(found.path());
            }
        }
    }
    for found in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let line = fs::read(found.path().join("cmdline")).unwrap_or_default();
        if line.split(|byte| *byte == 0).any(|word| word.ends_with(entry.as_bytes())) {
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            left.push(format!("the process {}: {line}", found.file_name().to_string_lossy()));
        }
    }
    let below = format!("{}/", dir.display());
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for line in mounts.lines() {
        if line.split(' ').nth(4).is_some_and(|place| place.starts_with(&below)) {
            left.push(format!("the mount {line}"));
        }
    }
    left
}

/// What is wrong with the file of the store, read when nobody has it open.
pub(crate) fn store_damage(store: &Path) -> anyhow::Result<Vec<String>> {
    const LOOK: &str = r#"
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
one = lambda question: store.execute(question).fetchone()[0]
said = one("PRAGMA integrity_check")
if said != "ok": print("integrity:", said)
for what, question in [
    ("leases that never ended", "SELECT count(*) FROM lease WHERE ended IS NULL"),
    ("jobs that never ended", "SELECT count(*) FROM job WHERE state < 3"),
    ("events of no job", "SELECT count(*) FROM event WHERE job NOT IN (SELECT id FROM job)"),
    ("artifacts that nobody holds", "SELECT count(*) FROM artifact WHERE digest NOT IN (SELECT digest FROM hold)"),
    ("jobs with holds that never end", "SELECT count(*) FROM hold WHERE until IS NULL"),
]:
    if one(question): print(one(question), what)
"#;
    let output = Command::new("python3").args(["-c", LOOK]).arg(store).output()?;
    let mut damage: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    if !output.status.success() {
        damage.push(format!("it cannot be read: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(damage)
}
