//! Controlled egress: the one act that policy may grant. A cell whose job may connect somewhere has a listening socket
//! on its loopback interface; the worker accepts there, speaks HTTP as a proxy does, and connects on its behalf.
//!
//! Invariants:
//! 1. Only what the job's list includes is connected to. A name is resolved here, once for a connection, and of its
//!    addresses only public ones are connected to: those that were checked, and no others.
//! 2. Everything has a bound: connections at once and one after another, bytes and time of a head, look-ups, time
//!    without a byte, memory of a connection, what is told of them all.
//! 3. It ends with the cell.
//! 4. What is inside TLS stays there.

mod connection;
#[cfg(test)]
mod fuzzing;
mod hello;
mod ledger;
mod reach;
mod request;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use gambeson_api::work::Entry;
use gambeson_api::{Denial, Destination, Egress as Connection, Host};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

pub(crate) use ledger::Ledger;
use reach::{Addresses, Places, Reach, Resolver, System};

/// The setting that refuses.
pub(crate) const RULE: &str = "network.allow";
const NOT_ALLOWED: &str = "not in this job's network.allow";
/// What refuses addresses, and what refuses hellos.
const ADDRESSES: &str = "egress.addresses";
const TLS: &str = "egress.tls";

/// Connections of all jobs of a worker at once. Each has two descriptors, and at most 32 KiB and what the kernel holds.
const CONNECTIONS: usize = 256;
/// Of one job: its part of those, so that no job takes another's.
const OF_A_JOB: std::ops::RangeInclusive<usize> = 4..=32;
/// Look-ups of names at once, of all jobs; each has a thread. A job has its part of them, and so many at least.
const LOOKUPS: usize = 32;
const LOOKUPS_LEAST: usize = 2;
/// So many connections of a job at once are accepted without a pause, and one more in each of these.
const BURST: u32 = 64;
const PACE: Duration = Duration::from_millis(20);

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
struct Times {
    head: Duration,
    idle: Duration,
    goodbye: Duration,
}

/// What all jobs of a worker share.
#[derive(Debug)]
pub(crate) struct Egress {
    reach: Reach,
    times: Times,
    connections: usize,
    lookups: usize,
}

impl Egress {
    /// Of a worker with so many cells at once.
    pub(crate) fn new(slots: usize) -> Egress {
        Egress::with(Arc::new(System), Addresses::public(), slots)
    }

    fn with(resolver: Arc<dyn Resolver>, addresses: Addresses, slots: usize) -> Egress {
        let seconds = Duration::from_secs;
        Egress {
            reach: Reach {
                resolver,
                places: Places::new(LOOKUPS),
                addresses,
                lookup_most: seconds(10),
                connect_most: seconds(10),
            },
            times: Times { head: seconds(10), idle: seconds(120), goodbye: seconds(1) },
            connections: (CONNECTIONS / slots.max(1)).clamp(*OF_A_JOB.start(), *OF_A_JOB.end()),
            lookups: (LOOKUPS / slots.max(1)).max(LOOKUPS_LEAST),
        }
    }

    /// Begins to serve a job that may connect to the places of `allow`. The listening socket comes by the
    /// [`Listeners`]; the proxy ends when the last of those is dropped.
    pub(crate) fn open(&self, allow: Vec<Destination>) -> (Proxy, Listeners) {
        let (sender, listeners) = unbounded_channel();
        let ledger = Arc::new(Ledger::default());
        let reach = Reach { places: self.reach.places.of_a_job(self.lookups), ..self.reach.clone() };
        let job = Job { allow, reach, times: self.times, ledger: Arc::clone(&ledger) };
        let task = tokio::spawn(serve(Arc::new(job), self.connections, listeners));
        (Proxy { ledger, task: Task(task) }, Listeners(sender))
    }
}

/// Where a cell's listening socket goes.
#[derive(Debug, Clone)]
pub(crate) struct Listeners(UnboundedSender<OwnedFd>);

impl Listeners {
    /// Serves what connects there from now on, and no other.
    pub(crate) fn take(&self, listener: OwnedFd) {
        // Who would have served it is gone, and nobody connects.
        let _ = self.0.send(listener);
    }
}

/// The proxy of one job. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) ledger: Arc<Ledger>,
    task: Task,
}

#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Proxy {
    /// Waits until it has ended, as it does with its cell, and says what is left to be told.
    pub(crate) async fn end(mut self) -> (Vec<Entry>, Vec<Denial>) {
        let _ = (&mut self.task.0).await;
        self.ledger.close()
    }
}

/// What the connections of one job share.
#[derive(Debug)]
struct Job {
    allow: Vec<Destination>,
    reach: Reach,
    times: Times,
    ledger: Arc<Ledger>,
}

impl Job {
    fn allows(&self, host: &Host, port: u16) -> bool {
        self.allow.iter().any(|destination| destination.includes(host, port))
    }
}

/// Accepts and serves as long as somebody may bring listeners.
async fn serve(job: Arc<Job>, connections: usize, mut listeners: UnboundedReceiver<OwnedFd>) {
    let mut listener: Option<TcpListener> = None;
    let mut running = JoinSet::new();
    // When the next would be due, had they come at an even pace.
    let mut due = Instant::now();
    loop {
        let now = Instant::now();
        due = due.max(now.checked_sub(PACE * BURST).unwrap_or(now));
        let has_room = running.len() < connections;
        tokio::select! {
            brought = listeners.recv() => match brought {
                Some(brought) => listener = listening(brought),
                None => break,
            },
            _ = running.join_next(), if !running.is_empty() => {}
            accepted = accept(&listener, due), if has_room => {
                due += PACE;
                match accepted {
                    Ok(client) => {
                        let job = Arc::clone(&job);
                        running.spawn(async move { connection::serve(client, &job).await });
                    }
                    // It went away before it was accepted, or we have no descriptor for it just now.
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        }
    }
    drop(listener);
    running.shutdown().await;
}

fn listening(brought: OwnedFd) -> Option<TcpListener> {
    let listener = std::net::TcpListener::from(brought);
    match listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener)) {
        Ok(listener) => Some(listener),
        Err(error) => {
            warn!(error = %error, "a job's proxy cannot listen; it connects to nothing");
            None
        }
    }
}

async fn accept(listener: &Option<TcpListener>, due: Instant) -> io::Result<TcpStream> {
    let Some(listener) = listener else { return std::future::pending().await };
    sleep_until(due).await;
    Ok(listener.accept().await?.0)
}

/// A refused connection to `target`.
fn denial(target: String, rule: &str, why: String) -> Denial {
    let can_be_listed = rule == RULE && target.parse::<Destination>().is_ok();
    let remedy = match rule {
        TLS => "Have the client send a whole hello, as those of TLS libraries are.".into(),
        _ if can_be_listed => format!("Ask for network.allow = [\"{target}\"], if the project permits it."),
        _ => "Only public addresses can be connected to.".into(),
    };
    Denial {
        act: gambeson_sandbox::Act::Connect.name().into(),
        target: Some(target),
        rule: rule.into(),
        layer: "egress".into(),
        why,
        remedy,
        file: None,
        line: None,
        source: None,
        count: 1,
    }
}

/// The proxy of one cell, on a thread of its own: for who has no runtime.
#[derive(Debug)]
pub struct OneProxy {
    listeners: Listeners,
    thread: thread::JoinHandle<(Vec<Connection>, Vec<Denial>)>,
}

impl OneProxy {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no more threads or descriptors.
    pub fn start(allow: Vec<Destination>) -> io::Result<OneProxy> {
        OneProxy::of(Egress::new(1), allow)
    }

    fn of(egress: Egress, allow: Vec<Destination>) -> io::Result<OneProxy> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (proxy, listeners) = runtime.block_on(async { egress.open(allow) });
        let thread = thread::Builder::new().name("egress".into()).spawn(move || {
            let (entries, denials) = runtime.block_on(proxy.end());
            let connection = |entry| if let Entry::Egress(connection) = entry { Some(connection) } else { None };
            // A look-up that still goes on has a thread that nobody waits for.
            runtime.shutdown_background();
            (entries.into_iter().filter_map(connection).collect(), denials)
        })?;
        Ok(OneProxy { listeners, thread })
    }

    /// Serves the cell that this listening socket was made in.
    pub fn take(&self, listener: OwnedFd) {
        self.listeners.take(listener);
    }

    /// Ends it, and says which connections there were, and what was refused.
    pub fn end(self) -> (Vec<Connection>, Vec<Denial>) {
        let OneProxy { listeners, thread } = self;
        drop(listeners);
        thread.join().unwrap_or_default()
    }
}
