//! While the program runs: its output on the way to the server, and the server's word on the way to the cell.
//!
//! Invariants:
//! 1. At most one report is on its way. Meanwhile output is gathered up to a bound; beyond, the pipe is left alone.
//! 2. Whatever ends this, the cell is dead when it does.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gambeson_api::work::{Append, Appended, Entry};
use gambeson_api::{Denial, OutputStream};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::asking::Asking;
use crate::backlog::Backlog;
use crate::cell::{CellEnd, Ends, Told};
use crate::config::Flush;
use crate::egress::Proxy;
use crate::holding::{Gone, Verdict};
use crate::job::Journal;
use gambeson_sandbox::End;
use rustix::io::Errno;

type InFlight = Pin<Box<dyn Future<Output = Result<Appended, Gone>> + Send>>;

/// Small entries are bounded by their number.
const ENTRIES_MOST: usize = 8 * Append::ENTRIES_MOST;
const CHUNK: usize = 64 << 10;
/// So long samples wait for others, or for output, to come along with: each report is a commit of the server's.
const SAMPLES_AFTER: Duration = Duration::from_secs(1);

/// Streams until the cell has ended and all its output is in the journal's backlog, or with the server. Says also which
/// connections were refused.
pub(crate) async fn stream(
    journal: &mut Journal,
    ends: Ends,
    mut told: oneshot::Receiver<Told>,
    flush: Flush,
) -> Result<(CellEnd, Vec<Denial>), Gone> {
    let holding = Arc::clone(&journal.asking.holding);
    let Ends { stdout, stderr, cancel, mut denied, mut sampled, proxy } = ends;
    let (mut stdout, mut stderr, mut cancel) = (Some(stdout), Some(stderr), Some(cancel));
    let mut in_flight: Option<InFlight> = None;
    let mut due: Option<Instant> = None;
    let mut end: Option<CellEnd> = None;
    let mut buffer = vec![0; CHUNK];
    let gone = loop {
        let all_read = stdout.is_none() && stderr.is_none();
        if all_read && in_flight.is_none() && end.is_some() {
            while let Ok(denial) = denied.try_recv() {
                journal.backlog.push_denied(denial);
            }
            while let Ok(sample) = sampled.try_recv() {
                journal.backlog.push(Entry::Sample(sample));
            }
            break None;
        }
        let backlog = &mut journal.backlog;
        let is_due = backlog.bytes() >= flush.bytes || due.is_some_and(|due| Instant::now() >= due);
        if in_flight.is_none() && is_due && !backlog.is_empty() && !all_read {
            due = None;
            in_flight = Some(Box::pin(append(journal.asking.clone(), journal.backlog.batch())));
        }
        let has_room = has_room(&journal.backlog, flush);
        tokio::select! {
            gone = holding.gone() => break Some(gone),
            () = holding.at_least(Verdict::Cancel), if cancel.is_some() => cancel = None,
            _ = readable(&stdout), if has_room => read(&mut stdout, &mut buffer, &mut journal.backlog, OutputStream::Stdout),
            _ = readable(&stderr), if has_room => read(&mut stderr, &mut buffer, &mut journal.backlog, OutputStream::Stderr),
            // Nobody tells any more when the cell has ended, and the loop goes on without.
            Some(denial) = denied.recv(), if has_room => journal.backlog.push_denied(denial),
            // Those that there is no room for are lost: the next one says the same, but for the past.
            Some(sample) = sampled.recv() => if has_room {
                journal.backlog.push(Entry::Sample(sample));
            },
            answer = answered(&mut in_flight) => {
                in_flight = None;
                match answer.and_then(|Appended { next }| journal.acknowledge(next)) {
                    Ok(()) => {}
                    Err(gone) => break Some(gone),
                }
            }
            entries = news(&proxy) => journal.backlog.extend(entries),
            () = at(due), if in_flight.is_none() && !all_read => {}
            heard = &mut told, if end.is_none() => {
                let Told { end: heard, rest } = heard.unwrap_or_else(|_| unheard().into());
                end = Some(heard);
                if rest.is_some() {
                    drop(rest);
                    // There is an end to what was written, and nobody needs to be woken to find it.
                    read_rest(&mut stdout, &mut buffer, journal, flush, OutputStream::Stdout);
                    read_rest(&mut stderr, &mut buffer, journal, flush, OutputStream::Stderr);
                }
            }
        }
        if journal.backlog.is_empty() {
            due = None;
        } else {
            let after = if journal.backlog.is_urgent() { flush.after } else { flush.after.max(SAMPLES_AFTER) };
            let soon = Instant::now() + after;
            due = Some(due.map_or(soon, |due| due.min(soon)));
        }
    };
    // Without its pipes and with the way to cancel it closed, a cell that still runs is killed at once.
    drop((stdout, stderr, cancel, in_flight));
    match (gone, end) {
        (None, Some(end)) => {
            let (entries, denials) = match proxy {
                Some(proxy) => proxy.end().await,
                None => Default::default(),
            };
            journal.backlog.extend(entries);
            Ok((end, denials))
        }
        (Some(gone), Some(_)) => Err(gone),
        (gone, None) => {
            let _ = told.await;
            Err(gone.unwrap_or(Gone::Lost))
        }
    }
}

async fn append(asking: Asking, append: Append) -> Result<Appended, Gone> {
    let append = &append;
    asking.insist_or_lose(|client| async move { client.append(append).await }).await
}

/// The thread of the cell panicked, and the cell died with it.
fn unheard() -> CellEnd {
    CellEnd::Fault(End::Fault {
        step: "watch the cell to its end".into(),
        why: "the thread that does so ended early".into(),
        mend: Some("please report this".into()),
    })
}

async fn readable(receiver: &Option<Receiver>) -> io::Result<()> {
    match receiver {
        Some(receiver) => receiver.readable().await,
        None => pending().await,
    }
}

/// What the proxy did since this was asked last.
async fn news(proxy: &Option<Proxy>) -> Vec<Entry> {
    match proxy {
        Some(proxy) => proxy.ledger.news().await,
        None => pending().await,
    }
}

async fn answered(in_flight: &mut Option<InFlight>) -> Result<Appended, Gone> {
    match in_flight {
        Some(in_flight) => in_flight.await,
        None => pending().await,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

fn has_room(backlog: &Backlog, flush: Flush) -> bool {
    backlog.bytes() < flush.most && backlog.len() < ENTRIES_MOST
}

/// Reads to the end, as long as there is room for it; whether there is more is asked of the kernel itself.
fn read_rest(
    receiver: &mut Option<Receiver>,
    buffer: &mut [u8],
    journal: &mut Journal,
    flush: Flush,
    stream: OutputStream,
) {
    while let Some(from) = receiver.as_ref().filter(|_| has_room(&journal.backlog, flush)) {
        match rustix::io::read(from, &mut *buffer) {
            Ok(count @ 1..) => journal.backlog.push_output(stream, &buffer[..count]),
            Err(Errno::AGAIN) => return,
            // The last writer is gone.
            Ok(_) | Err(_) => *receiver = None,
        }
    }
}

/// Reads once.
fn read(receiver: &mut Option<Receiver>, buffer: &mut [u8], backlog: &mut Backlog, stream: OutputStream) {
    let Some(from) = receiver else { return };
    match from.try_read(buffer) {
        Ok(count @ 1..) => backlog.push_output(stream, &buffer[..count]),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        // The last writer is gone.
        Ok(_) | Err(_) => *receiver = None,
    }
}
