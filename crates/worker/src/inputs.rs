//! The blobs of one job, one after the other in one file, until its cell has copied them.
//!
//! The file is in no directory: it goes with its last descriptor, however we end, and nobody can change in it what was
//! verified when it was written. It is one file, not one for each blob, since a job may have thousands.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use gambeson_api::LeaseId;
use gambeson_sandbox::OpenFile;

use crate::translate::Contents;

/// The file, and how much of it is in use.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) file: Arc<File>,
    shared: OpenFile,
    /// Bytes; what lies behind it is a part of something that did not come whole.
    pub(crate) end: u64,
}

impl Inputs {
    /// An empty one, on the disk that `dir` is on.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make(dir: &Path, lease: LeaseId) -> io::Result<Inputs> {
        let path = dir.join(format!("{lease}.inputs"));
        let file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        let shared = OpenFile::new(file.try_clone()?);
        Ok(Inputs { file: Arc::new(file), shared, end: 0 })
    }

    /// `size` bytes behind the end are a blob, whole and verified.
    pub(crate) fn grown(&mut self, size: u64) -> Contents {
        let offset = self.end;
        self.end += size;
        Contents::Input { from: self.shared.clone(), offset, size }
    }
}
