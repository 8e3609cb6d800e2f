//! Whether the server can take what it is there for.

use std::time::Duration;

use tokio::time::Instant;

use crate::control::Control;
use crate::desk::Act;
use crate::disk;

/// How long the store may take for a write.
const WRITE_MOST: Duration = Duration::from_secs(2);
/// An answer is good for so long: anybody may ask, and each answer costs a write.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// What is written.
const WRITTEN: &str = "ready.at";

/// Whether the server can take what it is there for, in words that tell nothing private.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readiness {
    /// What is missing; nothing if it is ready.
    pub lacks: Vec<String>,
    /// Workers that are connected. Without any, jobs are taken and wait.
    pub workers: Option<usize>,
}

/// The last answer, and when it was had.
pub(crate) type Last = tokio::sync::Mutex<Option<(Instant, Readiness)>>;

impl Control {
    /// Whether the store takes writes, the disk has room, and nobody told the server to stop.
    pub async fn ready(&self) -> Readiness {
        // Whoever asks meanwhile waits for the same answer.
        let mut last = self.shared.ready.lock().await;
        if let Some((at, readiness)) = &*last
            && at.elapsed() < GOOD_FOR
        {
            return readiness.clone();
        }
        let readiness = self.look_whether_ready().await;
        *last = Some((Instant::now(), readiness.clone()));
        readiness
    }

    async fn look_whether_ready(&self) -> Readiness {
        let mut lacks = Vec::new();
        let write = self.act(|desk| -> Act<(bool, usize)> {
            // What only reads tells nothing about a disk.
            let now = desk.now().0.to_string();
            desk.store.meta_put(WRITTEN, now.as_bytes())?;
            Ok((desk.draining, desk.state.present.len()))
        });
        let workers = match tokio::time::timeout(WRITE_MOST, write).await {
            Ok(Ok((draining, workers))) => {
                if draining {
                    lacks.push("the server was told to stop".to_owned());
                }
                Some(workers)
            }
            Ok(Err(problem)) => {
                lacks.push(format!("the store takes no writes: {}", problem.code.title()));
                None
            }
            Err(_) => {
                lacks.push(format!("the store did not take a write within {} s", WRITE_MOST.as_secs()));
                None
            }
        };
        match disk::room(&self.shared.config.data_dir) {
            Ok(room) if room.free < self.shared.config.room_least => lacks.push("the disk is full".into()),
            Ok(_) => {}
            Err(_) => lacks.push("the disk cannot be looked at".into()),
        }
        Readiness { lacks, workers }
    }
}
