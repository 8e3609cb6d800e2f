//! What a run brings along: the program's source, and files for `/work`.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use gambeson_sandbox::{Bytes, Limits, Staged};

/// The program: how it is called in `/work`, and its text.
pub struct Program {
    pub name: PathBuf,
    pub source: Vec<u8>,
}

/// Reads the program at `path`, or from standard input for `-`.
///
/// # Errors
/// A sentence for a person, when it is not there, is no text, or is larger than the limits allow.
pub fn program(path: &Path, limits: &Limits) -> Result<Program, String> {
    if path == Path::new("-") {
        let source =
            read_bounded(io::stdin().lock(), limits.disk).map_err(|error| format!("standard input: {error}"))?;
        check_source("standard input", &source)?;
        return Ok(Program { name: "main.py".into(), source });
    }
    let said = path.display();
    let metadata = fs::metadata(path).map_err(|error| format!("{said}: {}", plain(&error)))?;
    if metadata.is_dir() {
        return Err(format!("{said} is a directory; name the file to run, and bring the directory with --input"));
    }
    let file = fs::File::open(path).map_err(|error| format!("{said}: {}", plain(&error)))?;
    let source = read_bounded(file, limits.disk).map_err(|error| format!("{said}: {}", plain(&error)))?;
    check_source(&said.to_string(), &source)?;
    let name = path.file_name().map_or_else(|| "main.py".into(), PathBuf::from);
    Ok(Program { name, source })
}

fn read_bounded(from: impl Read, most: Bytes) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most.0 + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most.0 {
        let what = format!("is larger than {most}, the disk limit; ask for more with --limit disk=...");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// The words of an error without Rust's "(os error 2)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Python reads UTF-8 unless one of the first two lines says otherwise (PEP 263), and never a NUL.
fn check_source(said: &str, source: &[u8]) -> Result<(), String> {
    if source.starts_with(b"\x7fELF") || source.contains(&0) {
        return Err(format!("{said} is a binary, not Python source"));
    }
    let declares =
        |line: &[u8]| line.trim_ascii_start().starts_with(b"#") && String::from_utf8_lossy(line).contains("coding");
    if source.split(|byte| *byte == b'\n').take(2).any(declares) {
        return Ok(());
    }
    match std::str::from_utf8(source) {
        Ok(_) => Ok(()),
        Err(error) => {
            let line = source[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(format!(
                "{said} is not UTF-8 (line {line}); convert it, or declare its encoding in the first line (PEP 263)"
            ))
        }
    }
}

/// Reads the files and directories of `--input`.
///
/// # Errors
/// A sentence, when one is not there, cannot be read, or together they are too large.
pub fn files(paths: &[PathBuf], limits: &Limits) -> Result<Vec<Staged>, String> {
    let mut gathered = Gathered { files: Vec::new(), left: limits.disk.0, limits };
    for path in paths {
        let name = match path.file_name() {
            Some(name) => PathBuf::from(name),
            // `.` and `..` stand for what they are.
            None => match fs::canonicalize(path).ok().and_then(|path| path.file_name().map(PathBuf::from)) {
                Some(name) => name,
                None => return Err(format!("{} has no name that it could have in /work", path.display())),
            },
        };
        gathered.add(path, name, 0)?;
    }
    Ok(gathered.files)
}

struct Gathered<'a> {
    files: Vec<Staged>,
    left: u64,
    limits: &'a Limits,
}

impl Gathered<'_> {
    fn add(&mut self, from: &Path, path: PathBuf, depth: usize) -> Result<(), String> {
        let said = from.display();
        if depth > 64 {
            return Err(format!("{said} lies deeper than 64 directories"));
        }
        if self.files.len() as u64 >= u64::from(self.limits.files) {
            return Err(format!(
                "the input has more than {} files, the limit; ask for more with --limit files=...",
                self.limits.files
            ));
        }
        let error = |error: io::Error| format!("{said}: {}", plain(&error));
        // What was named is followed; what lies below it is taken as it is.
        let metadata = if depth == 0 { fs::metadata(from) } else { fs::symlink_metadata(from) }.map_err(error)?;
        if metadata.is_dir() {
            self.files.push(Staged::Directory { path: path.clone() });
            let mut names: Vec<OsString> = fs::read_dir(from)
                .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect())
                .map_err(error)?;
            names.sort();
            for name in names {
                self.add(&from.join(&name), path.join(&name), depth + 1)?;
            }
        } else if metadata.is_symlink() {
            let target = fs::read_link(from).map_err(error)?;
            self.files.push(Staged::Link { path, target });
        } else if metadata.is_file() {
            let contents = open_regular(from, depth == 0)
                .and_then(|file| read_bounded(file, Bytes(self.left)))
                .map_err(|problem| {
                    if problem.kind() == io::ErrorKind::FileTooLarge {
                        format!(
                            "{said}: the input is larger than {}, the disk limit; ask for more with --limit disk=...",
                            self.limits.disk
                        )
                    } else {
                        error(problem)
                    }
                })?;
            self.left -= contents.len() as u64;
            self.files.push(Staged::File { path, executable: metadata.mode() & 0o111 != 0, contents });
        } else {
            return Err(format!("{said} is neither a file nor a directory"));
        }
        Ok(())
    }
}

/// Opens what was a regular file a moment ago, and is still one; below what was named no link is followed.
fn open_regular(path: &Path, follow: bool) -> io::Result<fs::File> {
    use rustix::fs::{Mode, OFlags};
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    let file = fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is no longer a regular file"));
    }
    Ok(file)
}

/// `K=V`, as bytes.
///
/// # Errors
/// When there is no `=`.
pub fn variable(setting: &OsString) -> Result<(OsString, OsString), String> {
    use std::os::unix::ffi::OsStringExt;
    let bytes = setting.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) => Ok((OsString::from_vec(bytes[..at].to_vec()), OsString::from_vec(bytes[at + 1..].to_vec()))),
        None => Err(format!("--env {} has no value; write K=V", setting.to_string_lossy())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_utf8_unless_it_says_otherwise() {
        assert_eq!(check_source("x", "print('ä')".as_bytes()), Ok(()));
        assert_eq!(check_source("x", b"# -*- coding: latin-1 -*-\nprint('\xe4')"), Ok(()));
        assert!(check_source("x", b"a = 1\nprint('\xe4')").unwrap_err().contains("line 2"));
        assert!(check_source("x", b"a\0b").unwrap_err().contains("binary"));
    }
}
