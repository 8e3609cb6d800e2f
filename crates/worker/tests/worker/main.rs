//! A worker against a server that misbehaves on purpose. The cells are real, and so is the Python in them.

mod egress;
mod files;
mod leases;
mod life;
mod local;
mod output;
mod process;
mod rooms;
mod samples;
mod server;
mod warm;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use gambeson_api::client::Target;
use gambeson_api::work::Room;
use gambeson_sandbox::{Environment, Layer};
use gambeson_worker::{Config, WorkerError, run};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::server::Server;

/// Long enough that a slow machine does not lose a lease where a test is not about that.
const TTL: Duration = Duration::from_secs(10);

fn environment() -> Environment {
    static FOUND: OnceLock<Environment> = OnceLock::new();
    FOUND.get_or_init(|| Environment::discover(Path::new("/usr/bin/python3")).unwrap()).clone()
}

fn room(slots: u32) -> Room {
    Room { slots, cpus_milli: 1000 * slots, memory_bytes: u64::from(slots) << 28 }
}

struct Worker {
    state: TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), WorkerError>>,
}

fn config(server: &Server, state: &TempDir) -> Config {
    config_for(server.target.clone(), state.path().to_owned())
}

fn config_for(target: Target, state: PathBuf) -> Config {
    let mut config = Config::new(target, state, "test".into(), room(4), environment());
    config.join_token = Some("gmj_token".into());
    // A machine for tests may lack what may be lacked.
    config.accept_missing = Layer::ALL.to_vec();
    config
}

impl Worker {
    fn start(server: &Server, change: impl FnOnce(&mut Config)) -> Worker {
        Worker::start_in(TempDir::new().unwrap(), server, change)
    }

    fn start_in(state: TempDir, server: &Server, change: impl FnOnce(&mut Config)) -> Worker {
        let mut config = config(server, &state);
        change(&mut config);
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(run(config, async move { drop(stopped.await) }, || {}));
        Worker { state, stop: Some(stop), running }
    }

    fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for its end.
    async fn ended(mut self) -> (TempDir, Result<(), WorkerError>) {
        let ended = tokio::time::timeout(Duration::from_secs(20), &mut self.running).await;
        (self.state, ended.expect("the worker does not end").unwrap())
    }

    /// Stops it, and shows that it leaves nothing.
    async fn finish(mut self) {
        self.stop();
        let (state, ended) = self.ended().await;
        ended.unwrap();
        assert_eq!(std::fs::read_dir(state.path().join("runs")).unwrap().count(), 0, "a run left something");
    }
}
