//! The roles of a process: `serve` has the authority, `worker` runs what is hostile, `up` starts both and keeps them
//! going. They are processes of their own even on one machine, so that tests and production walk the same road.

mod backup;
mod serve;
mod up;
mod worker;

use std::future::Future;
use std::io::{IsTerminal, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use gambeson_api::client::otlp::Exporter;
use gambeson_api::trace::Tracer;
use tracing_subscriber::EnvFilter;

pub use self::backup::{BackupOptions, RestoreOptions, backup, restore};
pub use self::serve::serve;
pub use self::up::{Said, lacking, start_both, up};
pub use self::worker::{complain_of_missing, worker};
use crate::config::{ConfigProblem, LogFormat, Settings, Sources};
use crate::exit_code::ExitCode;
use crate::terminal::complain;

/// In a child of `up`: the token by which its worker joins its server.
pub const LOCAL_TOKEN: &str = "GAMBESON_LOCAL_JOIN_TOKEN";
/// In a child of `up`: end when standard input does, since then `up` is gone.
pub const WITH_PARENT: &str = "GAMBESON_ENDS_WITH_STDIN";

/// `gambeson up` and `gambeson serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ServeOptions {
    /// Where the store, the blobs and the state are (data_dir).
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The address and port to listen on (server.listen).
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    #[command(flatten)]
    pub sources: Sources,
}

/// `gambeson worker`.
#[derive(Debug, Clone, clap::Args)]
pub struct WorkerOptions {
    #[command(subcommand)]
    pub command: Option<crate::client::WorkerCommand>,
    /// The server to work for (worker.join).
    #[arg(long, value_name = "URL")]
    pub join: Option<String>,
    /// The file with the one-time token of `gambeson join-token create` (worker.join_token_file).
    #[arg(long, value_name = "FILE")]
    pub join_token_file: Option<PathBuf>,
    /// Where the worker keeps its identity (worker.state_dir).
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
}

impl ServeOptions {
    /// The flags of ours, as settings.
    fn flags(&self) -> Vec<(&'static str, String)> {
        let data_dir = self.data_dir.as_ref().map(|dir| ("data_dir", dir.display().to_string()));
        data_dir.into_iter().chain(self.listen.map(|listen| ("server.listen", listen.to_string()))).collect()
    }

    fn settings(&self) -> Result<Settings, ExitCode> {
        checked(self.sources.load(&self.flags()).map(|(settings, _)| settings))
    }
}

fn checked<T>(result: Result<T, ConfigProblem>) -> Result<T, ExitCode> {
    result.map_err(|problem| {
        problem.sentences.iter().for_each(|sentence| complain(sentence));
        ExitCode::Usage
    })
}

/// The log goes to standard error, as the settings say.
fn log(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log.level.0).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second log in one process is one too many, and no reason to end.
    let _ = match settings.log.format {
        LogFormat::Json => log.json().try_init(),
        LogFormat::Pretty => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
    };
}

/// Where spans go, as the settings say. The exporter sends what is left when it is dropped.
fn tracer(settings: &Settings, service: &'static str) -> Result<(Tracer, Option<Exporter>), ExitCode> {
    let Some(collector) = &settings.observe.otlp else { return Ok((Tracer::default(), None)) };
    let said = |sent: Result<(), String>| match sent {
        Ok(()) => tracing::info!("the collector takes traces again"),
        Err(why) => tracing::warn!("the collector takes no traces, and jobs go on without: {why}"),
    };
    match Exporter::start(collector.as_str(), service, settings.observe.otlp_sample.0, said) {
        Ok((tracer, exporter)) => Ok((tracer, Some(exporter))),
        Err(error) => {
            complain(&format!("observe.otlp: {}", whole(&error)));
            Err(ExitCode::Usage)
        }
    }
}

/// Until somebody wants us to end: SIGTERM, SIGINT, or the end of `up`.
fn stopping() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (gone, mut parent) = tokio::sync::mpsc::channel::<()>(1);
    if std::env::var_os(WITH_PARENT).is_some() {
        std::thread::Builder::new().name("parent".into()).spawn(move || {
            // Nobody writes; the end comes with the end of whoever holds the other end.
            let _ = std::io::stdin().read(&mut [0]);
            let _ = gone.blocking_send(());
        })?;
    } else {
        // For ever.
        std::mem::forget(gone);
    }
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = parent.recv() => {}
        }
    })
}

/// Prints a line to standard output at once.
fn announce(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// An error with its causes, in one line.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

fn runtime() -> Result<tokio::runtime::Runtime, ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        complain(&format!("threads cannot be started: {error}"));
        ExitCode::Fault
    })
}
