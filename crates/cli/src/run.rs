//! `gambeson run` and `gambeson demo`: one file, one cell, on this machine.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use gambeson_api::{Destination, StartAsked};
use gambeson_sandbox::{
    Collected, Denial, End, Host, Input, Limits, Listeners, Network, Plan, Refusal, Sink, Spec, Staged, Streams,
    Terminal, collect, launch, plan,
};
use gambeson_worker::{Lost, OneProxy, Taken, Told};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::args::{NetworkChoice, RunOptions};
use crate::client::visible;
use crate::config::LOCAL_SOCKET;
use crate::exit_code::ExitCode;
use crate::report::{Left, Run};
use crate::terminal::{Raw, complain, print, remark};
use crate::{input, limits, python, report};

/// Where a worker of this machine offers warm cells, if not at the usual place.
const CELLS_VARIABLE: &str = "GAMBESON_CELLS";

/// What ends a run before there is a cell.
enum Stop {
    /// The command line or an input makes no sense.
    Usage(String),
    /// An end like that of a run.
    Ended(End),
}

impl From<String> for Stop {
    fn from(message: String) -> Stop {
        Stop::Usage(message)
    }
}

/// Runs a file and returns our exit code.
pub fn run(options: &RunOptions) -> ExitCode {
    match try_run(options) {
        Ok(code) => code,
        Err(Stop::Usage(message)) => {
            complain(&message);
            ExitCode::Usage
        }
        Err(Stop::Ended(end)) => {
            if options.json {
                print(&format!("{}\n", report::json_of_end(&end)));
            } else {
                complain(&end.message());
            }
            ExitCode::of(&end)
        }
    }
}

fn try_run(options: &RunOptions) -> Result<ExitCode, Stop> {
    let limits = limits::parse(&options.cell.limits).map_err(|error| error.to_string())?;
    let spec = spec(options, &limits)?;
    let wanted = match options.start {
        // What a worker cannot be asked for starts cold, as what it does not offer.
        StartAsked::Warm => {
            let cell = &options.cell;
            let plain = cell.accept_missing.is_empty() && cell.network_allow.is_empty();
            plain && !options.plan && !options.tty && options.trace.is_none()
        }
        StartAsked::Fresh | StartAsked::Cold => false,
    };
    let taken = if wanted { gambeson_worker::ask(&cells(), &spec, options.output.is_some()).ok() } else { None };
    let run = match taken {
        Some(taken) => run_warm(taken, &limits, options)?,
        None => None,
    };
    let run = match run {
        Some(run) => run,
        None => {
            let host = Host::probe();
            let mut plan = plan(&spec, &host).map_err(|refusal| stop(&refusal))?;
            if options.trace.is_some() {
                let cannot = || "--trace: this kernel cannot ask about system calls (seccomp_unotify(2))".to_owned();
                plan = plan.traced().ok_or_else(cannot)?;
            }
            if options.plan {
                print(&plan.to_string());
                return Ok(ExitCode::Program(0));
            }
            make_target(options)?;
            run_cold(plan, &host, &limits, options)?
        }
    };
    let code = ExitCode::of_job(&run.report.outcome.end);
    if options.json {
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{}", report::json(&run));
        if let Err(error) = written {
            complain(&format!("the report could not be written: {error}"));
            return Ok(ExitCode::Fault);
        }
        return Ok(code);
    }
    let outcome = &run.report.outcome;
    let refused = matches!(outcome.end, gambeson_api::End::Refused {});
    for denial in run.report.denials.iter().filter(|_| !refused) {
        remark(&visible::line(&denial.sentence()));
    }
    if !matches!(outcome.end, gambeson_api::End::Exited { .. }) {
        complain(&visible::line(&outcome.message));
    }
    for (path, why) in run.left.iter().flat_map(|left| &left.skipped) {
        complain(&format!("not collected: {path}: {why}"));
    }
    Ok(code)
}

/// Where a worker of this machine listens.
fn cells() -> PathBuf {
    std::env::var_os(CELLS_VARIABLE).map_or_else(|| LOCAL_SOCKET.into(), PathBuf::from)
}

fn make_target(options: &RunOptions) -> Result<(), String> {
    match &options.output {
        Some(dir) => fs::create_dir_all(dir).map_err(|error| format!("--output {}: {error}", dir.display())),
        None => Ok(()),
    }
}

fn not_written(dir: &Path, error: &io::Error) -> Stop {
    Stop::Ended(End::Fault {
        step: format!("write the artifacts to {}", dir.display()),
        why: error.to_string(),
        mend: Some("make room there, or name another --output".into()),
    })
}

fn spec(options: &RunOptions, limits: &Limits) -> Result<Spec, Stop> {
    let program = input::program(&options.file, limits)?;
    let environment = python::environment(options.cell.python.as_deref())?;
    let mut env: Vec<(OsString, OsString)> = Vec::new();
    if options.tty {
        env.push(("TERM".into(), std::env::var_os("TERM").unwrap_or_else(|| "dumb".into())));
    } else {
        // The program sees a pipe and would keep its lines to itself until it ends. It is the same for each job, so that
        // a program finds one environment wherever and however it is started.
        env.push(("PYTHONUNBUFFERED".into(), "1".into()));
    }
    for setting in &options.env {
        env.push(input::variable(setting)?);
    }
    // A name that begins with a dash would be an option of the interpreter.
    let mut script = OsString::new();
    if program.name.as_os_str().as_encoded_bytes().starts_with(b"-") {
        script.push("./");
    }
    script.push(&program.name);
    let mut args = vec![script];
    args.extend(options.cell.args.iter().cloned());
    let mut files = input::files(&options.inputs, limits)?;
    files.push(Staged::File { path: program.name, executable: false, contents: program.source });
    Ok(Spec {
        environment,
        args,
        env,
        files,
        limits: limits.clone(),
        network: match options.cell.network {
            _ if !options.cell.network_allow.is_empty() => Network::Allow,
            NetworkChoice::None => Network::None,
            NetworkChoice::Loopback => Network::Loopback,
        },
        terminal: if options.tty { Terminal::Own } else { Terminal::None },
        accept_missing: options.cell.accept_missing.clone(),
    })
}

/// A refusal that is about the host ends like a run; one about the input is the caller's mistake.
fn stop(refusal: &Refusal) -> Stop {
    match refusal {
        Refusal::Missing(missing) => Stop::Ended(End::Refused(Denial::of_run(missing))),
        Refusal::Nul(_) | Refusal::Variable { .. } | Refusal::Input { .. } => Stop::Usage(refusal.to_string()),
        Refusal::InputTooLarge { limit, .. } => {
            Stop::Usage(format!("{refusal}; ask for more with --limit {limit}=..."))
        }
    }
}

fn no_proxy(error: io::Error) -> Stop {
    let mend = Some("let it use more descriptors or threads".into());
    Stop::Ended(End::Fault { step: "start the proxy of the cell".into(), why: error.to_string(), mend })
}

/// A pipe that nobody reads would hold up whoever watches the limits.
fn trace_file(path: &Path) -> Result<fs::File, String> {
    let plain = |kind: fs::FileType| if kind.is_file() { Ok(()) } else { Err("it is not a plain file".to_owned()) };
    // To open a pipe waits for its reader.
    if let Ok(there) = fs::metadata(path) {
        plain(there.file_type())?;
    }
    let file = fs::File::create(path).map_err(|error| error.to_string())?;
    plain(file.metadata().map_err(|error| error.to_string())?.file_type())?;
    Ok(file)
}

/// Launches the plan and passes our standard descriptors through.
fn run_cold(plan: Plan, host: &Host, limits: &Limits, options: &RunOptions) -> Result<Run, Stop> {
    let trace = match &options.trace {
        Some(path) => Some(trace_file(path).map_err(|why| format!("--trace {}: {why}", path.display()))?),
        None => None,
    };
    let signals = Signals::prepare(options)?;
    let allow = &options.cell.network_allow;
    let proxy = if allow.is_empty() { None } else { Some(OneProxy::start(allow.clone()).map_err(no_proxy)?) };
    let take = |listener| {
        if let Some(proxy) = &proxy {
            proxy.take(listener);
        }
    };
    let cell = launch(plan, host).map_err(|error| Stop::Ended(error.end()))?;
    let raw = if options.tty { Raw::enter() } else { None };
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let mut streams = signals.streams((&stdin, &stdout, &stderr), options.json);
    streams.resize = signals.resize.as_ref().map(|fd| (fd.as_fd(), stdin.as_fd()));
    streams.trace = trace.as_ref().map(AsFd::as_fd);
    streams.listener = Some(Listeners(&take));
    let ended = cell.wait(streams);
    drop(raw);
    let (connections, mut denials) = proxy.map_or_else(Default::default, OneProxy::end);
    for denial in denials.iter_mut().filter(|denial| denial.rule == "network.allow") {
        // Here nobody else has to permit it.
        if let Some(Ok(place)) = denial.target.as_deref().map(str::parse::<Destination>) {
            denial.remedy = format!("Let it with --network-allow {place}.");
        }
    }
    let left = match (&options.output, &ended.work) {
        (Some(dir), Some(work)) => {
            let Collected { artifacts, skipped } =
                collect(work, dir, limits.disk, limits.files).map_err(|error| not_written(dir, &error))?;
            Some(Left { artifacts, skipped: skipped.into_iter().map(|one| (one.path, one.why.into())).collect() })
        }
        _ => None,
    };
    let mut report = gambeson_worker::report(&ended.exit);
    report.denials.extend(denials);
    Ok(Run { report, stdout: ended.stdout, stderr: ended.stderr, connections, left })
}

/// Passes our standard descriptors to a cell of a worker's. `None` where nothing ran after all.
fn run_warm(taken: Taken, limits: &Limits, options: &RunOptions) -> Result<Option<Run>, Stop> {
    make_target(options)?;
    let signals = Signals::prepare(options)?;
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let streams = signals.streams((&stdin, &stdout, &stderr), options.json);
    let told = taken.wait(streams, options.output.as_deref(), limits);
    let lost = |error: &Lost| {
        let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        let (step, mend) =
            ("hear how the program ended".to_owned(), Some("run it again, if it may run twice".to_owned()));
        Stop::Ended(End::Fault { step, why, mend })
    };
    let told = match (told, &options.output) {
        (Ok(told), _) => told,
        (Err(Lost::Target(error)), Some(dir)) => return Err(not_written(dir, &error)),
        (Err(error), _) => return Err(lost(&error)),
    };
    let Told { report, stdout, stderr, fed, artifacts, skipped } = told;
    let Some(report) = report else {
        // What was read of our input is gone, and the program would do without.
        return if fed { Err(lost(&Lost::Worker)) } else { Ok(None) };
    };
    let left = options.output.is_some().then_some(Left { artifacts, skipped });
    Ok(Some(Run { report, stdout, stderr, connections: Vec::new(), left }))
}

/// Descriptors that become readable when a signal comes.
struct Signals {
    interrupt: OwnedFd,
    cancel: OwnedFd,
    resize: Option<OwnedFd>,
}

impl Signals {
    fn prepare(options: &RunOptions) -> Result<Signals, Stop> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
        Ok(Signals {
            interrupt: signal_pipe(&[SIGINT])?,
            cancel: signal_pipe(&[SIGTERM, SIGHUP])?,
            resize: if options.tty { Some(signal_pipe(&[SIGWINCH])?) } else { None },
        })
    }

    fn streams<'a>(&'a self, ours: (&'a io::Stdin, &'a io::Stdout, &'a io::Stderr), keep: bool) -> Streams<'a> {
        Streams {
            stdin: Input::Fd(ours.0.as_fd()),
            stdout: if keep { Sink::Keep } else { Sink::Fd(ours.1.as_fd()) },
            stderr: if keep { Sink::Keep } else { Sink::Fd(ours.2.as_fd()) },
            interrupt: Some(self.interrupt.as_fd()),
            cancel: Some(self.cancel.as_fd()),
            resize: None,
            trace: None,
            denied: None,
            sampled: None,
            listener: None,
        }
    }
}

/// A descriptor that becomes readable when one of the signals comes.
fn signal_pipe(signals: &[i32]) -> Result<OwnedFd, Stop> {
    let fault = |why: String| Stop::Ended(End::Fault { step: "prepare for signals".into(), why, mend: None });
    let (read, write) =
        pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(|error| fault(error.to_string()))?;
    for signal in signals {
        let write = write.try_clone().map_err(|error| fault(error.to_string()))?;
        signal_hook::low_level::pipe::register(*signal, write).map_err(|error| fault(error.to_string()))?;
    }
    Ok(read)
}
