//! Which interpreter, and what it needs: asked once, then kept in a cache.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gambeson_sandbox::{Environment, EnvironmentError, Layout};
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

/// What the cache knows is asked anew after this time: a new `dist-packages` shows by nothing else.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// What makes a cached answer worth nothing when it changes.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fingerprint {
    /// Of the interpreter itself: device, inode, size, modification and change time.
    file: (u64, u64, u64, i64, i64),
    /// Which version a pyenv shim would choose.
    choice: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    given: Fingerprint,
    found: Fingerprint,
    asked: u64,
    executable: PathBuf,
    version: String,
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
    links: Vec<(PathBuf, PathBuf)>,
    layout: Result<Layout, String>,
}

/// The environment of `python`, or of the first `python3` on the `PATH`.
///
/// # Errors
/// When there is none, or it is none.
pub fn environment(python: Option<&Path>) -> Result<Environment, String> {
    let path = match python {
        Some(path) if path.components().count() > 1 => {
            std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        Some(name) => on_path(name).ok_or_else(|| format!("no {} is on the PATH", name.display()))?,
        None => on_path(Path::new("python3"))
            .ok_or("no python3 is on the PATH; install it, or name one with --python PATH")?,
    };
    let given =
        fingerprint(&path).map_err(|error| format!("the interpreter {} cannot be read: {error}", path.display()))?;
    let mut cache = read_cache();
    if let Some(known) = cache.get(&path)
        && known.is_fresh(&given)
    {
        return Ok(known.environment());
    }
    let environment = Environment::discover(&path).map_err(|error| match &error {
        EnvironmentError::Start { source, .. } => format!("{error}: {source}"),
        EnvironmentError::Useless { .. } => error.to_string(),
    })?;
    if let Ok(found) = fingerprint(&environment.executable) {
        let Environment { executable, version, directories, files, links, layout } = environment.clone();
        let asked = now();
        cache.insert(path, Known { given, found, asked, executable, version, directories, files, links, layout });
        write_cache(&cache);
    }
    Ok(environment)
}

impl Known {
    fn is_fresh(&self, given: &Fingerprint) -> bool {
        self.given == *given
            && now().checked_sub(self.asked).is_some_and(|age| age < KEPT.as_secs())
            && fingerprint(&self.executable).is_ok_and(|found| found == self.found)
            && self.directories.iter().chain(&self.files).all(|path| path.exists())
    }

    fn environment(&self) -> Environment {
        Environment {
            executable: self.executable.clone(),
            version: self.version.clone(),
            directories: self.directories.clone(),
            files: self.files.clone(),
            links: self.links.clone(),
            layout: self.layout.clone(),
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn on_path(name: &Path) -> Option<PathBuf> {
    let executable = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.is_file() && file.mode() & 0o111 != 0);
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(executable)
}

fn fingerprint(path: &Path) -> std::io::Result<Fingerprint> {
    let file = fs::metadata(path)?;
    let mut start = [0u8; 2];
    let script = fs::File::open(path)?.read_exact(&mut start).is_ok() && &start == b"#!";
    let choice = if script { pyenv_choice() } else { String::new() };
    Ok(Fingerprint { file: (file.dev(), file.ino(), file.size(), file.mtime(), file.ctime()), choice })
}

/// What a pyenv shim looks at before it chooses a version.
fn pyenv_choice() -> String {
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let local =
        env::current_dir().ok().and_then(|dir| dir.ancestors().find_map(|dir| read(dir.join(".python-version"))));
    let global = root.and_then(|root| read(root.join("version")));
    format!("{:?} {local:?} {global:?}", env::var_os("PYENV_VERSION"))
}

fn cache_file() -> Option<PathBuf> {
    let dir = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")))?;
    dir.is_absolute().then(|| dir.join("gambeson/interpreters.json"))
}

/// A cache that cannot be read, or that somebody else could have written, is an empty one: what it says is
/// shown to a cell.
fn read_cache() -> BTreeMap<PathBuf, Known> {
    let read = || -> Option<BTreeMap<PathBuf, Known>> {
        let path = cache_file()?;
        let ours = |metadata: fs::Metadata| {
            metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = fs::File::from(rustix::fs::open(&path, flags, Mode::empty()).ok()?);
        if !ours(fs::symlink_metadata(path.parent()?).ok()?) || !ours(file.metadata().ok()?) {
            return None;
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    };
    read().unwrap_or_default()
}

/// A cache that cannot be written costs time, no more.
fn write_cache(cache: &BTreeMap<PathBuf, Known>) {
    let write = || -> Option<()> {
        let path = cache_file()?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path.parent()?).ok()?;
        let new = path.with_extension(format!("{}.new", std::process::id()));
        let text = serde_json::to_vec(cache).ok()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = fs::File::from(rustix::fs::open(&new, flags, Mode::from_raw_mode(0o600)).ok()?);
        let written = file.write_all(&text).and_then(|()| fs::rename(&new, &path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written.ok()
    };
    let _ = write();
}
