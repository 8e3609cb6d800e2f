//! What is submitted: read from disk, small texts inline, the rest by digest.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use gambeson_api::{Digest, FileContent, JobId, LimitsAsked, Network, Quantity, Submission};
use gambeson_sandbox::{Limits, Staged};

use super::args::SubmitOptions;
use crate::args::NetworkChoice;
use crate::{input, limits};

/// The most bytes of all texts that travel inside the submission.
const INLINE_MOST: usize = 256 << 10;

/// A submission, and the contents that it names by digest only.
#[derive(Debug)]
pub struct Prepared {
    pub submission: Submission,
    pub blobs: BTreeMap<Digest, Vec<u8>>,
}

/// A file on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Brought {
    contents: Vec<u8>,
    executable: bool,
}

/// Reads everything that the options name.
///
/// # Errors
/// A sentence about the first thing that cannot be submitted.
pub fn prepare(options: &SubmitOptions) -> Result<Prepared, String> {
    let limits = limits::parse(&options.limits).map_err(|error| error.to_string())?;
    let mut brought = files_of(input::files(&options.inputs, &limits)?)?;
    let entry = if options.file != Path::new("-") && options.file.is_dir() {
        brought.extend(directory(&options.file, &limits)?);
        entry(options.entry.as_deref(), &options.file, &brought)?
    } else {
        if options.entry.is_some() {
            return Err("--entry names a file of a directory; this is one file".into());
        }
        let program = input::program(&options.file, &limits)?;
        let name = text(program.name.as_os_str(), "the file's name")?;
        brought.insert(name.clone(), Brought { contents: program.source, executable: false });
        name
    };
    let mut env = BTreeMap::new();
    if options.wait {
        // The program sees a pipe and would keep its lines to itself until it ends.
        env.insert("PYTHONUNBUFFERED".to_owned(), "1".to_owned());
    }
    for setting in &options.env {
        let (name, value) = input::variable(setting)?;
        env.insert(text(&name, "--env")?, text(&value, "--env")?);
    }
    let (files, blobs) = placed(brought);
    let submission = Submission {
        files,
        entry,
        args: options.args.iter().map(|arg| text(arg, "an argument")).collect::<Result<_, _>>()?,
        env,
        stdin: stdin(options, &limits)?,
        limits: asked(&options.limits),
        network: match options.network {
            _ if !options.network_allow.is_empty() => Network::Allow(options.network_allow.clone()),
            NetworkChoice::None => Network::None,
            NetworkChoice::Loopback => Network::Loopback,
        },
        project: options.project.clone(),
        labels: options.labels.iter().cloned().collect(),
        class: options.class,
        idempotency_key: Some(options.idempotency_key.clone().unwrap_or_else(fresh_key)),
        may_rerun: options.may_rerun,
        start: options.start,
        array: options.array,
        webhook: None,
    };
    Ok(Prepared { submission, blobs })
}

/// A key that nobody used before.
fn fresh_key() -> String {
    // The random part of an id is random enough, and an id is what is at hand.
    JobId::new().to_string().replace(JobId::PREFIX, "submit")
}

fn text(given: &OsStr, what: &str) -> Result<String, String> {
    given.to_str().map(str::to_owned).ok_or_else(|| format!("{what} is not UTF-8: {:?}", given.to_string_lossy()))
}

fn stdin(options: &SubmitOptions, limits: &Limits) -> Result<String, String> {
    let Some(path) = &options.stdin else { return Ok(String::new()) };
    let said = path.display();
    let most = limits.disk.0;
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        if options.file == Path::new("-") {
            return Err("standard input is the program already; --stdin - would be the same".into());
        }
        std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("--stdin {said}: {error}"))?;
    if bytes.len() as u64 > most {
        return Err(format!("--stdin {said} is larger than {}, the disk limit", limits.disk));
    }
    String::from_utf8(bytes).map_err(|_| format!("--stdin {said} is not UTF-8; bring it with --input instead"))
}

/// The limits as they were written: the server reads them again, over the defaults of the project.
fn asked(settings: &[String]) -> LimitsAsked {
    let mut asked = LimitsAsked::default();
    for (key, value) in settings.iter().filter_map(|setting| setting.split_once('=')) {
        let place = match key {
            "memory" => &mut asked.memory,
            "wall" => &mut asked.wall,
            "cpu" => &mut asked.cpu,
            "cpus" => &mut asked.cpus,
            "pids" => &mut asked.pids,
            "disk" => &mut asked.disk,
            "files" => &mut asked.files,
            "open_files" => &mut asked.open_files,
            "output" => &mut asked.output,
            // limits::parse has refused it.
            _ => continue,
        };
        *place = Some(Quantity(value.to_owned()));
    }
    asked
}

/// What a project to be run never needs of its own directory.
fn is_left_out(name: &OsStr, path: &Path) -> bool {
    matches!(name.to_str(), Some(".git" | ".hg" | "__pycache__")) || path.join("pyvenv.cfg").exists()
}

/// The files of a directory, by their path below it.
fn directory(directory: &Path, limits: &Limits) -> Result<BTreeMap<String, Brought>, String> {
    let mut names: Vec<OsString> = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect())
        .map_err(|error| format!("{}: {error}", directory.display()))?;
    names.sort();
    let kept: Vec<PathBuf> = names
        .iter()
        .map(|name| (name, directory.join(name)))
        .filter(|(name, path)| !is_left_out(name, path))
        .map(|(_, path)| path)
        .collect();
    // The first of a path is followed when it is a link, which inside a directory it must not be.
    if let Some(link) = kept.iter().find(|path| path.is_symlink()) {
        return Err(is_link(link));
    }
    let mut files = files_of(input::files(&kept, limits)?)?;
    files.retain(|path, _| !path.split('/').any(|part| matches!(part, "__pycache__" | ".git" | ".hg")));
    Ok(files)
}

fn is_link(path: &Path) -> String {
    format!("{} is a symbolic link; only files and directories can be submitted", path.display())
}

fn files_of(staged: Vec<Staged>) -> Result<BTreeMap<String, Brought>, String> {
    let mut files = BTreeMap::new();
    for staged in staged {
        match staged {
            Staged::File { path, executable, contents } => {
                files.insert(text(path.as_os_str(), "a file's name")?, Brought { contents, executable });
            }
            Staged::Link { path, .. } => return Err(is_link(&path)),
            // Of what was not read there is nothing to send; `input` reads everything.
            Staged::Part { path, .. } => return Err(format!("{} was not read", path.display())),
            // A directory is there since its files are.
            Staged::Directory { .. } => {}
        }
    }
    Ok(files)
}

/// Which file of a directory is run.
fn entry(named: Option<&str>, directory: &Path, files: &BTreeMap<String, Brought>) -> Result<String, String> {
    let said = directory.display();
    match named {
        Some(name) if files.contains_key(name) => Ok(name.to_owned()),
        Some(name) => Err(format!("{said} has no file {name:?}; --entry is a path below it")),
        None => ["main.py", "__main__.py"]
            .into_iter()
            .find(|name| files.contains_key(*name))
            .map(str::to_owned)
            .ok_or_else(|| format!("{said} has neither main.py nor __main__.py; name the file to run with --entry")),
    }
}

/// Decides which files travel inside the submission: texts, the smallest first, up to a bound for all of them.
fn placed(brought: BTreeMap<String, Brought>) -> (BTreeMap<String, FileContent>, BTreeMap<Digest, Vec<u8>>) {
    let mut by_size: Vec<(String, Brought)> = brought.into_iter().collect();
    by_size.sort_by_key(|(_, file)| file.contents.len());
    let mut files = BTreeMap::new();
    let mut blobs = BTreeMap::new();
    let mut left = INLINE_MOST;
    for (path, Brought { contents, executable }) in by_size {
        let size = contents.len();
        let content = if size <= left && std::str::from_utf8(&contents).is_ok() {
            left -= size;
            FileContent::Inline { bytes: contents, executable }
        } else {
            let digest = Digest::of(&contents);
            blobs.insert(digest, contents);
            FileContent::Blob { digest, size: Some(size as u64), executable }
        };
        files.insert(path, content);
    }
    (files, blobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brought(contents: &[u8]) -> Brought {
        Brought { contents: contents.to_vec(), executable: false }
    }

    #[test]
    fn small_texts_travel_inline_and_the_rest_by_digest() {
        let large = vec![b'x'; INLINE_MOST];
        let (files, blobs) = placed(BTreeMap::from([
            ("main.py".into(), brought(b"print(1)")),
            ("image".into(), brought(b"\xff\x00")),
            ("again".into(), brought(b"\xff\x00")),
            ("large".into(), brought(&large)),
        ]));
        assert_eq!(files["main.py"], FileContent::text("print(1)"));
        let digest = Digest::of(b"\xff\x00");
        assert_eq!(files["image"], FileContent::Blob { digest, size: Some(2), executable: false });
        assert_eq!(files["image"], files["again"]);
        assert!(matches!(files["large"], FileContent::Blob { .. }), "with the program it is more than the bound");
        assert_eq!(blobs.len(), 2);
    }

    #[test]
    fn the_entry_of_a_directory_is_named_or_known_by_its_name() {
        let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), brought(b""))).collect();
        let entry = |named, names| entry(named, Path::new("d"), &files(names));
        assert_eq!(entry(None, &["a.py", "main.py", "__main__.py"]), Ok("main.py".into()));
        assert_eq!(entry(None, &["a.py", "__main__.py"]), Ok("__main__.py".into()));
        assert_eq!(entry(Some("a/b.py"), &["a/b.py"]), Ok("a/b.py".into()));
        assert!(entry(None, &["a.py"]).unwrap_err().contains("--entry"));
        assert!(entry(Some("b.py"), &["a.py"]).is_err());
    }

    #[test]
    fn every_limit_reaches_the_submission() {
        let settings: Vec<String> = ["memory", "wall", "cpu", "cpus", "pids", "disk", "files", "open_files", "output"]
            .map(|name| format!("{name}=100"))
            .into();
        let json = serde_json::to_value(asked(&settings)).unwrap();
        assert_eq!(json.as_object().unwrap().len(), settings.len(), "{json}");
    }
}
