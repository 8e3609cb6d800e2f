//! What a worker is told at its start.

use std::path::PathBuf;
use std::time::Duration;

use gambeson_api::client::Target;
use gambeson_api::trace::Tracer;
use gambeson_api::work::Room;
use gambeson_sandbox::{Environment, Layer};

use crate::local::Local;
use crate::spares::Warmth;

/// What a worker is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server.
    pub target: Target,
    /// Certificates (PEM) to trust beside the built-in ones.
    pub ca: Option<PathBuf>,
    /// A join token `gmj_…`; needed once, and not looked at when there is a credential for this server.
    pub join_token: Option<String>,
    /// A directory of its own. Made where it is not there.
    pub state_dir: PathBuf,
    /// Its name, shown to operators.
    pub name: String,
    /// What it gives to cells.
    pub room: Room,
    /// The interpreter of its cells.
    pub environment: Environment,
    /// Missing layers that the operator accepted by name.
    pub accept_missing: Vec<Layer>,
    /// What is kept warm; without it every program starts cold.
    pub warmth: Option<Warmth>,
    /// What of it is offered to `gambeson run` on this machine; nothing where nothing is kept warm.
    pub local: Option<Local>,
    /// How long running jobs may go on when the worker is to stop.
    pub drain: Duration,
    /// When output is sent.
    pub flush: Flush,
    /// How long one request for work waits; at most a minute.
    pub poll: Duration,
    /// Where spans of jobs are told, if anywhere.
    pub tracer: Tracer,
    /// Bytes of blobs that are kept for the next job.
    pub blobs_most: u64,
}

impl Config {
    /// With the usual times and sizes.
    pub fn new(target: Target, state_dir: PathBuf, name: String, room: Room, environment: Environment) -> Config {
        Config {
            target,
            ca: None,
            join_token: None,
            state_dir,
            name,
            room,
            environment,
            accept_missing: Vec::new(),
            warmth: None,
            local: None,
            drain: Duration::from_secs(30),
            flush: Flush::default(),
            poll: Duration::from_secs(20),
            tracer: Tracer::default(),
            blobs_most: 1 << 30,
        }
    }
}

/// When output is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flush {
    /// As soon as this many bytes wait.
    pub bytes: usize,
    /// This long after the first of them came.
    pub after: Duration,
    /// With as many bytes waiting as this, no more is read: the program waits, as for a full pipe.
    pub most: usize,
}

impl Default for Flush {
    fn default() -> Flush {
        Flush { bytes: 32 << 10, after: Duration::from_millis(25), most: 1 << 20 }
    }
}
