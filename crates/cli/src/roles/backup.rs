//! `gambeson backup --to` and `gambeson restore`: a whole installation, from its own disk to another place and back.

use std::path::PathBuf;

use gambeson_control::{BackupContents, BackupError};

use super::{ServeOptions, announce};
use crate::config::{Settings, Sources};
use crate::exit_code::ExitCode;
use crate::terminal::complain;

/// `gambeson backup`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "gambeson backup NAME\n       gambeson backup --to DIR [--data-dir DIR]")]
#[command(after_help = "\
With --to it is run on the server's machine, as the server's user, while the server runs or not, and copies everything:
store, blobs, audit.key and policies. With NAME the server is asked, and copies its store alone.")]
pub struct BackupOptions {
    /// Ask the server for a copy of its store alone, under this name in the data directory's backups/.
    #[arg(required_unless_present = "to", conflicts_with_all = ["to", "data_dir"])]
    pub name: Option<String>,
    /// Copy the whole installation on this machine to this directory, which must be empty or not there.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Where the installation is (data_dir).
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
}

/// `gambeson restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreOptions {
    /// What gambeson backup --to made.
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// Where the installation is to be; empty or not there (data_dir).
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
}

fn settings(data_dir: &Option<PathBuf>, sources: &Sources) -> Result<Settings, ExitCode> {
    ServeOptions { data_dir: data_dir.clone(), listen: None, sources: sources.clone() }.settings()
}

/// Copies the installation, and returns our exit code.
pub fn backup(options: &BackupOptions, json: bool) -> ExitCode {
    let Some(to) = &options.to else {
        complain("say where to, with --to DIR");
        return ExitCode::Usage;
    };
    settings(&options.data_dir, &options.sources).map_or_else(
        |code| code,
        |settings| tell(gambeson_control::backup(&settings.data_dir, &settings.server.policies, to), json),
    )
}

/// Restores an installation, and returns our exit code.
pub fn restore(options: &RestoreOptions, json: bool) -> ExitCode {
    settings(&options.data_dir, &options.sources)
        .map_or_else(|code| code, |settings| tell(gambeson_control::restore(&options.from, &settings.data_dir), json))
}

fn tell(done: Result<BackupContents, BackupError>, json: bool) -> ExitCode {
    let contents = match done {
        Ok(contents) => contents,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::Fault;
        }
    };
    if json {
        announce(&serde_json::to_string(&contents).unwrap_or_default());
    } else {
        let BackupContents { store_bytes, blobs, blob_bytes, audit_rows, audit_head, .. } = &contents;
        announce(&format!("store {store_bytes} bytes, {blobs} blobs of {blob_bytes} bytes"));
        announce(&format!("audit log: {audit_rows} rows, head {audit_head}"));
    }
    for digest in &contents.lost {
        complain(&format!("the installation had lost {digest}: whoever asks for it is told that it is gone"));
    }
    if let Some(broken) = &contents.audit_broken {
        complain(&format!("the audit log is not whole: {broken}"));
    }
    ExitCode::Program(0)
}
