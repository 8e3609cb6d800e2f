//! The directory that is a worker's own: its credential, cached blobs, and what runs leave for a moment.
//!
//! ```text
//! lock              held while the worker lives
//! credential.json   0600
//! joining.json      0600, until it has joined
//! blobs/            by digest
//! runs/             a directory for each run that is being settled; emptied at the start
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use gambeson_api::WorkerId;
use rustix::fs::FlockOperation;
use rustix::rand::GetRandomFlags;
use serde::{Deserialize, Serialize};

const CREDENTIAL: &str = "credential.json";
/// The credential of one that has not heard yet that it has joined.
const JOINING: &str = "joining.json";

/// What goes wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Something in it cannot be made, read or written.
    #[error("failed to {what} {path}")]
    Io {
        /// What we tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another worker lives in it.
    #[error("another worker uses {path}; stop it, or give this one a state directory of its own")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The file of the credential makes no sense.
    #[error("{path} is no credential of a worker; remove it and start once with a new join token")]
    BadCredential {
        /// The file.
        path: PathBuf,
    },
}

/// What a worker keeps from its enrolment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credential {
    /// The server that it is for.
    pub(crate) server: String,
    pub(crate) worker: WorkerId,
    pub(crate) credential: String,
}

/// The directory, ours alone as long as this lives.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    _lock: OwnedFd,
}

fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> StateError {
    move |source| StateError::Io { what, path: path.to_owned(), source }
}

impl StateDir {
    /// Makes it where it is not there, locks it, and removes what a former life left.
    pub(crate) fn open(path: &Path) -> Result<StateDir, StateError> {
        let private = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        private(path).map_err(failed("make the directory", path))?;
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(path, mode).map_err(failed("make private the directory", path))?;
        let lock = path.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock);
        let file = OwnedFd::from(file.map_err(failed("open", &lock))?);
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            rustix::io::Errno::WOULDBLOCK => StateError::InUse { path: path.to_owned() },
            errno => failed("lock", &lock)(errno.into()),
        })?;
        let runs = path.join("runs");
        match fs::remove_dir_all(&runs) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("empty the directory", &runs)(error));
            }
            _ => {}
        }
        for directory in [&runs, &path.join("blobs")] {
            private(directory).map_err(failed("make the directory", directory))?;
        }
        Ok(StateDir { path: path.to_owned(), _lock: file })
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.path.join("runs")
    }

    pub(crate) fn credential_path(&self) -> PathBuf {
        self.path.join(CREDENTIAL)
    }

    /// The credential, if there is one.
    pub(crate) fn credential(&self) -> Result<Option<Credential>, StateError> {
        let path = self.credential_path();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| StateError::BadCredential { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// The credential to join `server` with: the one that a former try left, or a new one. It is on the disk before
    /// the server hears of it: should the answer be lost, even with our life, the next try is the same worker's.
    pub(crate) fn credential_to_join(&self, server: &str) -> Result<Credential, StateError> {
        let path = self.path.join(JOINING);
        let former = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Credential>(&bytes).ok());
        if let Some(former) = former.filter(|former| former.server == server) {
            return Ok(former);
        }
        let mut secret = [0; 32];
        let mut filled = 0;
        while filled < secret.len() {
            filled += rustix::rand::getrandom(&mut secret[filled..], GetRandomFlags::empty())
                .map_err(|errno| failed("make a secret for", &path)(errno.into()))?;
        }
        let worker = WorkerId::new();
        let credential = gambeson_api::work::credential(worker, &secret);
        let credential = Credential { server: server.to_owned(), worker, credential };
        self.keep(&path, &credential)?;
        Ok(credential)
    }

    /// Keeps the credential of a worker that has joined.
    pub(crate) fn keep_credential(&self, credential: &Credential) -> Result<(), StateError> {
        self.keep(&self.credential_path(), credential)?;
        let path = self.path.join(JOINING);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Writes a credential: whole or not at all, whenever the machine fails.
    fn keep(&self, path: &Path, credential: &Credential) -> Result<(), StateError> {
        let new = self.path.join("credential.json.new");
        let written = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
            file.write_all(&serde_json::to_vec(credential)?)?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            File::open(&self.path)?.sync_all()
        };
        written().map_err(failed("write", path))
    }
}

/// Whether the worker of this state directory has a credential for `server`. What cannot be read is none: the worker
/// says what is wrong with it.
pub fn is_enrolled(state_dir: &Path, server: &str) -> bool {
    let kept = fs::read(state_dir.join(CREDENTIAL)).ok();
    let kept = kept.and_then(|bytes| serde_json::from_slice::<Credential>(&bytes).ok());
    kept.is_some_and(|kept| kept.server == server)
}

/// A directory of one run, removed with what is in it when this is dropped.
#[derive(Debug)]
pub(crate) struct RunDir(PathBuf);

impl RunDir {
    pub(crate) fn make(path: PathBuf) -> io::Result<RunDir> {
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(RunDir(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(error = %error, path = %self.0.display(), "failed to remove the directory of a run");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_workers_do_not_share_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        assert!(matches!(StateDir::open(dir.path()), Err(StateError::InUse { .. })));
        drop(state);
        StateDir::open(dir.path()).unwrap();
    }

    #[test]
    fn what_a_former_life_left_of_its_runs_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        drop(StateDir::open(dir.path()).unwrap());
        fs::create_dir_all(dir.path().join("runs/old/deep")).unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        assert_eq!(fs::read_dir(state.runs()).unwrap().count(), 0);
    }

    #[test]
    fn a_credential_is_private_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("state")).unwrap();
        assert!(state.credential().unwrap().is_none());
        let credential = Credential { server: "http://x".into(), worker: WorkerId::new(), credential: "gmw_x".into() };
        state.keep_credential(&credential).unwrap();
        assert!(state.credential().unwrap() == Some(credential));
        assert!(is_enrolled(&state.path, "http://x") && !is_enrolled(&state.path, "http://y"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state.path), mode(&state.credential_path())), (0o700, 0o600));
        fs::write(state.credential_path(), "{").unwrap();
        assert!(matches!(state.credential(), Err(StateError::BadCredential { .. })));
    }
}
