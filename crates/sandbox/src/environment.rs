//! The `host` environment: the host's own interpreter, and nothing else of the host but what that
//! interpreter needs to run.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::frames::Layout;

/// Time zones, certificates, locales, names of ports and the loader's cache, read by the C library and by
/// `ssl`; the wheels that Debian's `venv` installs.
const SHARED: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls",
    "/etc/pki/ca-trust/extracted",
    "/etc/alternatives",
    "/etc/protocols",
    "/etc/services",
    "/usr/lib/ssl",
    "/usr/lib/locale",
    "/usr/share/ca-certificates",
    "/usr/share/python-wheels",
    "/usr/share/zoneinfo",
];

/// Prefixes that hold far more than the interpreter: of these only the directories that it names.
const SYSTEM: &[&str] = &["/", "/usr", "/usr/local"];

/// An interpreter and the parts of the host that a cell shows, read-only, at their own places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// As `sys.executable` says it, outside and inside.
    pub executable: PathBuf,
    /// Version, as `platform.python_version()` says it.
    pub version: String,
    /// Directories to show; none lies below another.
    pub directories: Vec<PathBuf>,
    /// Files to show; none lies below one of the directories.
    pub files: Vec<PathBuf>,
    /// Symbolic links on the way to them: where, and what they say.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// By what a program's lines are told from outside, or why they cannot be.
    pub layout: Result<Layout, String>,
}

/// Why an interpreter cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// It could not be started.
    #[error("failed to start the interpreter {path}")]
    Start {
        /// As given.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It started, but is no CPython that we can use.
    #[error("{path} is no Python interpreter that we can use: {why}")]
    Useless {
        /// As given.
        path: PathBuf,
        /// Its last words.
        why: String,
    },
}

impl Environment {
    /// Everything that is shown.
    pub fn shown(&self) -> impl Iterator<Item = &PathBuf> {
        self.directories.iter().chain(&self.files)
    }

    /// Asks the interpreter at `python` what it needs, by running it once, outside any cell.
    ///
    /// # Errors
    /// When it cannot be started, or does not answer as CPython 3.9 or newer does.
    pub fn discover(python: &Path) -> Result<Environment, EnvironmentError> {
        let question = |source| {
            let mut command = Command::new(python);
            command.args(["-I", "-c", source]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command
        };
        // Both at once, and each by itself: that one has no answer must not matter to the other.
        let layout = question(include_str!("../../../guest/layout.py")).spawn();
        let output = question(include_str!("../../../guest/facts.py")).output();
        let layout = layout_of(layout.and_then(std::process::Child::wait_with_output));
        let output = output.map_err(|source| EnvironmentError::Start { path: python.to_owned(), source })?;
        let useless = |why: String| EnvironmentError::Useless { path: python.to_owned(), why };
        if !output.status.success() {
            return Err(useless(last_words(&output)));
        }
        let facts = Facts::parse(&output.stdout).ok_or_else(|| useless("its answer makes no sense".into()))?;
        Ok(facts.environment(layout))
    }
}

fn layout_of(answer: io::Result<Output>) -> Result<Layout, String> {
    let output = answer.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(last_words(&output));
    }
    let text = str::from_utf8(&output.stdout).map_err(|_| "its answer is no text")?;
    Layout::parse(text)
}

fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    format!("{} ({})", said.lines().last().unwrap_or("it says nothing"), output.status)
}

#[derive(Debug, Default)]
struct Facts {
    version: String,
    executable: PathBuf,
    prefixes: Vec<PathBuf>,
    paths: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
    loader: Option<PathBuf>,
}

impl Facts {
    fn parse(text: &[u8]) -> Option<Facts> {
        let mut facts = Facts::default();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            let value = OsStr::from_bytes(&line[tab + 1..]);
            match &line[..tab] {
                b"version" => facts.version = value.to_str()?.to_owned(),
                b"executable" => facts.executable = value.into(),
                b"prefix" => facts.prefixes.push(value.into()),
                b"path" => facts.paths.push(value.into()),
                b"library" => facts.libraries.push(value.into()),
                b"loader" => facts.loader = Some(value.into()),
                _ => return None,
            }
        }
        (facts.executable.is_absolute() && !facts.version.is_empty()).then_some(facts)
    }

    fn environment(self, layout: Result<Layout, String>) -> Environment {
        let mut shown = Shown::default();
        for prefix in self.prefixes.iter().filter(|prefix| !SYSTEM.iter().any(|system| Path::new(system) == *prefix)) {
            shown.add(prefix);
        }
        for path in self.paths.iter().chain(&self.libraries) {
            shown.add(path);
        }
        for path in SHARED {
            shown.add(Path::new(path));
        }
        if let Some(loader) = &self.loader {
            shown.add(loader);
        }
        shown.add(&self.executable);
        let (places, links) = shown.finish();
        let (directories, files) = places.into_iter().partition(|place| place.is_dir());
        Environment { executable: self.executable, version: self.version, directories, files, links, layout }
    }
}

/// Collects places to show, each with the symbolic links that lead to it.
#[derive(Default)]
struct Shown {
    places: Vec<PathBuf>,
    links: Vec<(PathBuf, PathBuf)>,
}

impl Shown {
    /// Adds what `path` leads to, where it exists; a relative or dangling one is nothing.
    fn add(&mut self, path: &Path) {
        if !path.is_absolute() || fs::metadata(path).is_err() {
            return;
        }
        // As many links as the kernel itself follows (path_resolution(7)).
        let mut budget = 40;
        let mut pending: Vec<PathBuf> = components(path);
        let mut at = PathBuf::from("/");
        let mut links = Vec::new();
        while let Some(next) = pending.pop() {
            if next.as_os_str() == ".." {
                at.pop();
                continue;
            }
            at.push(&next);
            let Ok(metadata) = fs::symlink_metadata(&at) else { return };
            if metadata.is_symlink() {
                let Ok(target) = fs::read_link(&at) else { return };
                budget -= 1;
                if budget == 0 {
                    return;
                }
                links.push((at.clone(), target.clone()));
                pending.extend(components(&target));
                if target.is_absolute() {
                    at = PathBuf::from("/");
                } else {
                    at.pop();
                }
            }
        }
        self.links.extend(links);
        // Showing all of "/" or "/usr" because of an odd sys.path would show the host.
        if !SYSTEM.iter().any(|system| Path::new(system) == at) {
            self.places.push(at);
        }
    }

    fn finish(mut self) -> (Vec<PathBuf>, Vec<(PathBuf, PathBuf)>) {
        self.places.sort();
        self.places.dedup();
        // Sorted, so that what lies below another comes right after it.
        let mut places: Vec<PathBuf> = Vec::new();
        for place in self.places {
            if !places.iter().any(|above| place.starts_with(above)) {
                places.push(place);
            }
        }
        self.links.sort();
        self.links.dedup();
        // A link below a shown directory is seen there already.
        self.links.retain(|(link, _)| !places.iter().any(|above| link.starts_with(above)));
        (places, self.links)
    }
}

/// The components of a path, last first.
fn components(path: &Path) -> Vec<PathBuf> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(PathBuf::from(name)),
            Component::ParentDir => Some(PathBuf::from("..")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .rev()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_make_no_sense_are_refused() {
        assert!(Facts::parse(b"version\t3.11\n").is_none(), "no executable");
        assert!(Facts::parse(b"executable\tpython\nversion\t3\n").is_none(), "relative");
        assert!(Facts::parse(b"hello\n").is_none());
        assert!(Facts::parse(b"executable\t/p\nversion\t3.11\n").is_some());
    }

    #[test]
    fn a_link_is_shown_with_what_it_leads_to() {
        let dir = std::env::temp_dir().join(format!("gambeson-links-{}", std::process::id()));
        fs::create_dir_all(dir.join("real/lib")).unwrap();
        std::os::unix::fs::symlink("real", dir.join("alias")).unwrap();
        let mut shown = Shown::default();
        shown.add(&dir.join("alias/lib"));
        shown.add(&dir.join("real"));
        shown.add(&dir.join("absent"));
        shown.add(Path::new("/usr"));
        let found = shown.finish();
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(found, (vec![dir.join("real")], vec![(dir.join("alias"), "real".into())]));
    }

    #[test]
    fn the_hosts_python_is_found_with_little_else() {
        let environment = Environment::discover(Path::new("/usr/bin/python3")).unwrap();
        assert_eq!(environment.executable, Path::new("/usr/bin/python3"));
        for place in environment.shown() {
            assert!(place.components().count() > 2, "{} shows too much", place.display());
        }
    }

    #[test]
    fn a_program_that_is_no_python_is_refused_in_a_sentence() {
        let error = Environment::discover(Path::new("/bin/false")).unwrap_err().to_string();
        assert_eq!(error, "/bin/false is no Python interpreter that we can use: it says nothing (exit status: 1)");
    }
}
