//! Reading the store beside the writer: a few connections, each used by one thread at a time that may block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gambeson_api::{Code, Problem};

use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreError, Stored};

/// The idle connections.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Sqlite>>,
}

/// Connections that are kept when idle.
const IDLE_MOST: usize = 8;

pub(crate) fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::Full => Problem::new(Code::StoreFull, "the store could not be written").retry_after(30),
        StoreError::Failed(why) => {
            tracing::error!("the store failed: {why}");
            Problem::new(Code::Internal, "the store could not be read or written")
        }
    }
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Readers {
        Readers { path, idle: Mutex::default() }
    }

    /// The store's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `read` on a connection, on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Readers>,
        read: impl FnOnce(&dyn Store) -> Stored<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let readers = Arc::clone(self);
        let result = tokio::task::spawn_blocking(move || {
            let idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let store = idle.map_or_else(|| Sqlite::open_reader(&readers.path), Ok)?;
            let result = read(&store);
            if result.is_ok() {
                let mut idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < IDLE_MOST {
                    idle.push(store);
                }
            }
            result
        });
        match result.await {
            Ok(result) => result.map_err(|error| store_problem(&error)),
            Err(_) => Err(Problem::new(Code::Unavailable, "the server is stopping").retry_after(5)),
        }
    }
}
