//! What is on the disk, and what is left of it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::shelf::{ALONE, Level, Of, Shelf};
use crate::control::Shared;
use crate::disk;

/// Blobs are counted anew after this time, beside everything else: there may be a million.
const COUNTED_FOR: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Levels {
    store: Of<0, Level>,
    blobs: Of<0, Level>,
    free: Of<0, Level>,
    size: Of<0, Level>,
    counted: Mutex<Option<Instant>>,
}

impl Levels {
    pub(super) fn on(shelf: &mut Shelf) -> Levels {
        Levels {
            store: shelf.gauge("store_bytes", [], "The store's files. They shrink with retention.jobs and retention.events, after a while."),
            blobs: shelf.gauge(
                "blob_bytes",
                [],
                "Files that were uploaded and that jobs left, counted once a minute. They shrink with retention.artifacts and \
                 retention.blobs.",
            ),
            free: shelf.gauge(
                "disk_free_bytes",
                [],
                "What is free of the disk with data_dir. Below 64 MiB the server is not ready; make room, or keep less.",
            ),
            size: shelf.gauge("disk_size_bytes", [], "The size of the disk with data_dir."),
            counted: Mutex::default(),
        }
    }

    /// Looks at the disk. The bytes of blobs are those that were counted last; the store is asked behind the back of
    /// whoever scrapes.
    pub(super) fn look(&self, shared: &Arc<Shared>) {
        let set = |level: &Of<0, Level>, value: u64| level.set(ALONE, value as f64);
        if let Ok(room) = disk::room(&shared.config.data_dir) {
            set(&self.free, room.free);
            set(&self.size, room.size);
        }
        set(&self.store, bytes_of_store(shared.readers.path()));
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.is_none_or(|at| at.elapsed() >= COUNTED_FOR) {
            *counted = Some(Instant::now());
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                if let Ok(bytes) = shared.readers.read(|store| store.blob_bytes()).await {
                    set(&shared.meters.disk.blobs, bytes);
                }
            });
        }
    }
}

fn bytes_of_store(path: &Path) -> u64 {
    let file = |ending: &str| {
        let mut path = path.as_os_str().to_owned();
        path.push(ending);
        std::fs::metadata(path).map_or(0, |file| file.len())
    };
    ["", "-wal", "-shm"].into_iter().map(file).sum()
}
