//! What is read: the files of one submission, bounded.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Bytes of one file that is read; a larger one is a finding.
pub const MOST_BYTES_OF_FILE: usize = 2 << 20;
/// Bytes of all files together.
pub const MOST_BYTES: usize = 8 << 20;
/// Files that are read.
pub const MOST_FILES: usize = 512;

/// Names of files that are no Python and are remembered all the same.
const MOST_OTHERS: usize = 4096;

/// The files of one submission, and what is around them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    files: Vec<SourceFile>,
    /// Top-level modules that the environment has beside Python's own. `None`: not known, and then nothing is missing.
    pub modules: Option<BTreeSet<String>>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceFile {
    /// From `/work`: `main.py`, `package/module.py`.
    pub(crate) path: String,
    /// What is in it; nothing if it is not read.
    pub(crate) text: String,
    /// Why it is not read.
    pub(crate) unread: Option<Unread>,
}

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unread {
    /// By its name.
    NotPython,
    /// Larger than what is read of one file.
    TooLarge { bytes: u64 },
    /// All files together are more, or larger, than what is read.
    TooMany,
    /// From this byte on it is not text in the encoding that it declares.
    NotText { at: u32 },
}

impl Source {
    /// A program of one file, in an environment of which nothing is known.
    pub fn of(path: &str, text: &str) -> Source {
        let mut source = Source::default();
        source.add(path, text.as_bytes());
        source
    }

    /// Adds a file as it came, in whatever encoding it declares (PEP 263). The first one is the program, whatever its name; of
    /// the others, those that are Python by their name are read.
    pub fn add(&mut self, path: &str, bytes: &[u8]) {
        let mut path = path.trim_start_matches("./");
        path = path.strip_prefix("/work/").unwrap_or(path);
        let python = self.files.is_empty() || [".py", ".pyw", ".pyi"].iter().any(|ending| path.ends_with(ending));
        let texts = self.files.iter().filter(|file| file.unread != Some(Unread::NotPython));
        let (count, all) = texts.fold((0, 0), |(count, all), file| (count + 1, all + file.text.len()));
        let unread = |why| SourceFile { path: path.to_owned(), text: String::new(), unread: Some(why) };
        let file = if !python {
            if self.files.len() - count >= MOST_OTHERS {
                return;
            }
            unread(Unread::NotPython)
        } else if bytes.len() > MOST_BYTES_OF_FILE {
            unread(Unread::TooLarge { bytes: bytes.len() as u64 })
        } else if count >= MOST_FILES || all + bytes.len() > MOST_BYTES {
            if count >= 2 * MOST_FILES {
                return;
            }
            unread(Unread::TooMany)
        } else {
            match decode(bytes) {
                Ok(text) => SourceFile { path: path.to_owned(), text, unread: None },
                Err(at) => unread(Unread::NotText { at }),
            }
        };
        self.files.push(file);
    }

    pub(crate) fn files(&self) -> &[SourceFile] {
        &self.files
    }
}

/// Text, or the byte from which on it is none.
fn decode(bytes: &[u8]) -> Result<String, u32> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) if declares_latin_1(bytes) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Err(error) => Err(error.valid_up_to() as u32),
    }
}

impl SourceFile {
    /// What `import` calls it: `package.module`.
    pub(crate) fn module(&self) -> Option<String> {
        let name = self.path.rsplit('/').next()?;
        // A module in machine code has its name before the first dot: `fast.cpython-311-x86_64-linux-gnu.so`.
        let stem = match name.strip_suffix(".py") {
            Some(stem) => stem,
            None if name.ends_with(".so") => name.split('.').next()?,
            None => return None,
        };
        let directory = &self.path[..self.path.len() - name.len()];
        let path =
            if stem == "__init__" { directory.trim_end_matches('/').to_owned() } else { format!("{directory}{stem}") };
        (!path.is_empty()).then(|| path.replace('/', "."))
    }
}

/// The encoding that one of the first two lines names.
pub(crate) fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(512)];
    head.split(|byte| *byte == b'\n').take(2).find_map(|line| {
        let line = String::from_utf8_lossy(line).into_owned();
        if !line.trim_start_matches(['\u{feff}', ' ', '\t', '\x0c']).starts_with('#') {
            return None;
        }
        let (_, rest) = line.split_once("coding")?;
        let name = rest.strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
        let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        Some(name.chars().take_while(|c| word(*c)).collect::<String>().to_ascii_lowercase().replace('_', "-"))
    })
}

fn declares_latin_1(bytes: &[u8]) -> bool {
    declared_encoding(bytes).is_some_and(|name| {
        ["latin-1", "latin1", "iso-8859-1", "iso8859-1", "iso-8859-15", "cp1252", "l1"].contains(&name.as_str())
    })
}
