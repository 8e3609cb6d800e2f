//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use gambeson_api::{Destination, StartAsked};
use gambeson_sandbox::Layer;

use crate::config::ConfigOptions;

/// Run other people's Python in a layered sandbox.
#[derive(Debug, Parser)]
#[command(name = "gambeson", version, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub server: crate::client::ServerOptions,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a Python file in a cell on this machine.
    Run(RunOptions),
    /// Read Python files and say what a cell would do about them; nothing is run, and no server is asked.
    Vet(crate::vet::VetOptions),
    /// Show the whole way: a server and a worker of its own, a submission, its output, what it used, what held.
    Demo(crate::demo::DemoOptions),
    /// Say what this host can enforce, by trying it, and what would mend the rest.
    Doctor(DoctorOptions),
    /// Start a server and a worker on this machine, and keep them going.
    Up(crate::roles::ServeOptions),
    /// Start the server alone.
    Serve(crate::roles::ServeOptions),
    /// Run jobs of a server on this machine; or look after workers.
    Worker(crate::roles::WorkerOptions),
    /// Copy a whole installation, or have a server copy its store.
    Backup(crate::roles::BackupOptions),
    /// Make an installation of a backup.
    Restore(crate::roles::RestoreOptions),
    /// Say which settings of the server and the worker are in force.
    Config(ConfigOptions),
    /// A cockpit in this terminal: who waits, what runs and how it is doing, what ended, workers, shares.
    Top(crate::top::TopOptions),
    #[command(flatten)]
    Client(crate::client::ClientCommand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NetworkChoice {
    /// No internet socket can be made.
    None,
    /// A loopback interface of the cell's own.
    Loopback,
}

/// What is said of a cell on this machine, whoever makes it.
#[derive(Debug, clap::Args)]
pub struct CellOptions {
    /// Arguments of the program.
    #[arg(last = true)]
    pub args: Vec<OsString>,
    /// memory=256M, wall=60s, cpu=30s, cpus=1, pids=64, disk=64M, files=4096, open_files=1024, output=8M
    /// are the defaults.
    #[arg(long = "limit", value_name = "KEY=VALUE")]
    pub limits: Vec<String>,
    /// Which sockets the program may make.
    #[arg(long, value_enum, default_value = "none")]
    pub network: NetworkChoice,
    /// Let it connect there, through a proxy of ours: pypi.org:443, *.example.org:443 (names below it), *:443 (any name).
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', conflicts_with = "network")]
    pub network_allow: Vec<Destination>,
    /// The interpreter to use instead of the first python3 on the PATH.
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// Run although this host lacks the named layer (see gambeson doctor).
    #[arg(long = "accept-missing", value_name = "LAYER", value_delimiter = ',')]
    pub accept_missing: Vec<Layer>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: the program's own; 128 + N when signal N ended it; 120 usage; 121 a limit was hit; 122 refused;
123 cancelled; 125 our own failure. --json tells them apart for certain.")]
pub struct RunOptions {
    /// The Python file to run; `-` reads it from standard input.
    pub file: PathBuf,
    #[command(flatten)]
    pub cell: CellOptions,
    /// How its interpreter may start: warm, in a cell that a worker of this machine keeps ready, if it offers one (else
    /// cold); fresh and cold share no layout in memory with others.
    #[arg(long, default_value = "warm", value_parser = crate::client::start())]
    pub start: StartAsked,
    /// Give the program a terminal of its own.
    #[arg(long, conflicts_with = "json")]
    pub tty: bool,
    /// Set an environment variable.
    #[arg(long = "env", value_name = "K=V")]
    pub env: Vec<OsString>,
    /// Copy a file or directory to /work.
    #[arg(long = "input", value_name = "PATH")]
    pub inputs: Vec<PathBuf>,
    /// Copy what the program leaves in /work/out to this directory.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write every system call to this file: seconds, thread, call, arguments as numbers, answer. The program is many
    /// times slower where it makes many
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Print one JSON object that tells everything, and nothing else.
    #[arg(long)]
    pub json: bool,
    /// Print the steps that would build the cell, and run nothing.
    #[arg(long)]
    pub plan: bool,
}

#[derive(Debug, clap::Args)]
pub struct DoctorOptions {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// The interpreter to try with instead of the first python3 on the PATH.
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
}
