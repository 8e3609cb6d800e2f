//! Where a program says that it is.

use std::os::fd::AsFd;

use crate::exit::Denial;
use crate::plan::Plan;
use crate::step::{Stage, Step};

/// A place in a program's source, by the program's own claim: it is read from memory that the program can write to,
/// so that nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The file, below `/work` from there.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The function.
    pub function: String,
}

/// Where a thread of a cell is. `thread` waits for an answer of ours, or runs on: then this may be out of date.
pub(crate) fn of(_thread: u32) -> Option<Claim> {
    None
}

/// Bytes of a line that are shown, at most.
const SOURCE_MOST: usize = 120;
/// Bytes of a file that a line is looked for in.
const FILE_MOST: usize = 1 << 20;

impl Plan {
    /// What stands where a denial says that it was, if that is in a file that the program came with: as it came, not as
    /// the program may have changed it since.
    pub(crate) fn source_of(&self, denial: &Denial) -> Option<String> {
        let at = denial.at.as_ref()?;
        let path = format!("/work/{}", at.file);
        let files = self.find(|step| if let Step::Stage(files) = step { Some(files) } else { None })?;
        let file = files.iter().find(|file| file.path().as_bytes() == path.as_bytes())?;
        let part;
        let contents = match file {
            Stage::File { contents, .. } => &contents[..contents.len().min(FILE_MOST)],
            Stage::Part { from, offset, size, .. } => {
                let mut bytes = vec![0; usize::try_from(*size).unwrap_or(FILE_MOST).min(FILE_MOST)];
                let count = rustix::io::pread(from.0.as_fd(), &mut bytes, *offset).ok()?;
                bytes.truncate(count);
                part = bytes;
                &part
            }
            Stage::Directory(_) | Stage::Link { .. } => return None,
        };
        let line = contents.split(|byte| *byte == b'\n').nth(at.line.checked_sub(1)? as usize)?;
        let line = String::from_utf8_lossy(&line[..line.len().min(4 * SOURCE_MOST)]);
        Some(super::explain::cut(line.trim().to_owned(), SOURCE_MOST)).filter(|line| !line.is_empty())
    }
}
