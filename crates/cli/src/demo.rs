//! `gambeson demo`: the whole way in one command. A server and a worker, two processes, in a directory that goes with
//! them; a key; a real submission; live output; the outcome, usage and layers.

use std::fs;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gambeson_api::client::{Client, Connection, JobFilter};
use gambeson_api::{Class, Job, Report, StartAsked};

use crate::args::CellOptions;
use crate::client::{SubmitOptions, submit_and_wait};
use crate::exit_code::ExitCode;
use crate::profile::shown_key;
use crate::report;
use crate::roles::{self, ServeOptions};
use crate::terminal::{complain, remark};

#[derive(Debug, clap::Args)]
pub struct DemoOptions {
    /// The Python file to run, or a directory of files.
    pub file: PathBuf,
    #[command(flatten)]
    pub cell: CellOptions,
}

/// A directory that goes with the demonstration.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Shows the whole way, and returns the job's exit code.
pub fn demo(options: &DemoOptions) -> ExitCode {
    match try_demo(options) {
        Ok(code) => code,
        Err(message) => {
            complain(&message);
            ExitCode::Fault
        }
    }
}

fn try_demo(options: &DemoOptions) -> Result<ExitCode, String> {
    let path = std::env::temp_dir().join(format!("gambeson-demo-{}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let directory = Directory(path);
    let mut sources = crate::config::Sources::default();
    // What is set for the real ones of this machine is not this one's.
    let empty = directory.0.join("gambeson.toml");
    fs::write(&empty, "").map_err(|error| format!("{}: {error}", empty.display()))?;
    sources.config = Some(empty);
    sources.set.push("log.level=warn".into());
    if let Some(python) = &options.cell.python {
        sources.set.push(format!("worker.python={}", python.display()));
    }
    if !options.cell.accept_missing.is_empty() {
        let layers: Vec<&str> = options.cell.accept_missing.iter().map(|layer| layer.name()).collect();
        sources.set.push(format!("worker.accept_missing={}", layers.join(",")));
    }
    let serve = ServeOptions {
        data_dir: Some(directory.0.join("data")),
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        sources,
    };
    let lacking = roles::lacking(&serve)?;
    if !lacking.is_empty() {
        roles::complain_of_missing(&lacking);
        complain("for this demonstration, accept with --accept-missing LAYER,LAYER; gambeson doctor says more");
        return Ok(ExitCode::Refused);
    }
    let (running, pipe) = roles::start_both(&serve)?;
    let shown = show(options, &running.said);
    if shown.is_ok() {
        linger(&running.said);
    }
    running.stop(Duration::from_secs(10));
    drop(pipe);
    shown
}

/// Where there is a console and somebody to look at it, all of it stays until they have seen enough.
fn linger(said: &roles::Said) {
    let (Some(console), Some(key)) = (said.console(), &said.setup_key) else { return };
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return;
    }
    // The whole key: it goes with the demonstration, and a browser is to sign in by it.
    remark(&format!("\n  console    {console}\n  sign in    {key}\n\nPress Enter to end the demonstration."));
    // A Ctrl-C ends it as well, and takes the directory along.
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = || signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::clone(&stop));
    if flag().is_err() {
        return;
    }
    let (enough, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        let _ = enough.send(());
    });
    while heard.recv_timeout(Duration::from_millis(100)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        && !stop.load(std::sync::atomic::Ordering::Relaxed)
    {}
}

fn show(options: &DemoOptions, said: &roles::Said) -> Result<ExitCode, String> {
    let key = said.setup_key.as_deref().ok_or("the server said no key")?;
    let url = said.addresses.first().ok_or("the server said no address")?;
    remark(&format!("server and worker run at {url}, with the key {}", shown_key(key)));
    let target = url.parse()?;
    let connection = Connection::new(target, Some(key.to_owned()), None).map_err(|error| error.to_string())?;
    let client = Client::new(connection);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let code = submit_and_wait(&client, &submission(options)).await;
        let newest = JobFilter { limit: Some(1), ..JobFilter::default() };
        let jobs = client.job_list(&newest).await.map_err(|error| error.to_string())?.jobs;
        // None, where the submission was refused; that was said.
        if let Some(job) = jobs.first() {
            let job = client.job(job.id, None).await.map_err(|error| error.to_string())?;
            remark(&format!("\n{}", summary(&job)));
            let usage = client.usage(None, None).await.map_err(|error| error.to_string())?;
            if let Some(line) = usage.lines.first() {
                remark(&format!(
                    "  project {} was charged {} ms of CPU time for {} job; {} ms are reserved",
                    line.project_name, line.cpu_ms, line.jobs, line.cpu_reserved_ms
                ));
            }
        }
        Ok(code)
    })
}

fn summary(job: &Job) -> String {
    match (&job.outcome, job.usage, &job.layers, &job.denials, job.start) {
        (Some(outcome), Some(usage), Some(layers), Some(denials), Some(start)) => {
            let report =
                Report { outcome: outcome.clone(), usage, layers: layers.clone(), denials: denials.clone(), start };
            format!("  job        {}\n{}", job.id, report::summary(&report, &job.limits))
        }
        _ => format!("  job        {} is {}", job.id, job.state.name()),
    }
}

fn submission(options: &DemoOptions) -> SubmitOptions {
    let file: &Path = &options.file;
    SubmitOptions {
        file: file.to_owned(),
        args: options.cell.args.clone(),
        wait: true,
        detach: false,
        limits: options.cell.limits.clone(),
        network: options.cell.network,
        network_allow: options.cell.network_allow.clone(),
        env: Vec::new(),
        inputs: Vec::new(),
        entry: None,
        project: None,
        labels: Vec::new(),
        class: Class::Normal,
        idempotency_key: None,
        may_rerun: false,
        start: StartAsked::Warm,
        array: None,
        stdin: None,
        output: None,
        force: false,
        raw: false,
    }
}
