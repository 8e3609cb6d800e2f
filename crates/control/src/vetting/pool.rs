//! Processes that wait for something to read.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gambeson_vet::process::{Reader, ReaderLimits, Started};
use gambeson_vet::{Report, Source};
use tokio::sync::oneshot;

/// Processes at once.
const AT_ONCE: usize = 2;
/// Sources that wait for one.
const WAITING_MOST: usize = 64;

struct Asked {
    source: Arc<Source>,
    answer: oneshot::Sender<Report>,
}

/// Threads that each have a process wait, give it one source, and start the next: nobody waits for a start.
#[derive(Debug)]
pub(super) struct Pool {
    asked: SyncSender<Asked>,
}

impl Pool {
    pub fn start(reader: &Reader) -> io::Result<Pool> {
        let limits = ReaderLimits { cpu: Duration::from_secs(3), wall: Duration::from_secs(4), ..reader.limits };
        let reader = Reader { limits, ..reader.clone() };
        let (asked, waiting) = sync_channel(WAITING_MOST);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..AT_ONCE {
            let (reader, waiting) = (reader.clone(), Arc::clone(&waiting));
            // They end with the pool, which is their only asker; a process ends with the thread that started it.
            std::thread::Builder::new().name("vetting".into()).spawn(move || serve(&reader, &waiting))?;
        }
        Ok(Pool { asked })
    }

    /// Asks; `None` when too many wait already. The answer fails where no process could be had.
    pub fn ask(&self, source: Arc<Source>) -> Option<oneshot::Receiver<Report>> {
        let (answer, answered) = oneshot::channel();
        self.asked.try_send(Asked { source, answer }).ok().map(|()| answered)
    }
}

fn start(reader: &Reader) -> Option<Started> {
    let started = reader.start();
    started.inspect_err(|error| tracing::error!("submissions are not read: {error}")).ok()
}

fn serve(reader: &Reader, waiting: &Mutex<Receiver<Asked>>) {
    let mut ready = start(reader);
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Asked { source, answer }) = next else { return };
        // Whoever gave up waiting needs no answer.
        if answer.is_closed() {
            continue;
        }
        // One that was killed while it waited is replaced.
        let waits = ready.take().and_then(|mut process| process.waits().then_some(process));
        let process = waits.or_else(|| start(reader));
        match process.map(|process| process.read(&source)) {
            Some(Ok(report)) => drop(answer.send(report)),
            Some(Err(error)) => tracing::error!("a submission is not read: {error}"),
            None => {}
        }
        ready = start(reader);
    }
}
