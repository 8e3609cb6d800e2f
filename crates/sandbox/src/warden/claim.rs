//! What stands at the line that a program says it is at.

use std::os::fd::AsFd;

use crate::exit::Denial;
use crate::plan::Plan;
use crate::step::{Stage, Step};

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
