//! `gambeson run` and `gambeson demo`: one file, one cell, on this machine.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use gambeson_api::Destination;
use gambeson_sandbox::{
    Collected, Denial, End, Ended, Host, Input, Limits, Listeners, Network, Plan, Refusal, Sink, Spec, Staged, Streams,
    Terminal, collect, launch, plan,
};
use gambeson_worker::OneProxy;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::args::{NetworkChoice, RunOptions};
use crate::client::visible;
use crate::exit_code::ExitCode;
use crate::report::Outside;
use crate::terminal::{Raw, complain, print, remark};
use crate::{input, limits, python, report};

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
    if let Some(dir) = &options.output {
        fs::create_dir_all(dir).map_err(|error| format!("--output {}: {error}", dir.display()))?;
    }
    let trace = match &options.trace {
        Some(path) => Some(fs::File::create(path).map_err(|error| format!("--trace {}: {error}", path.display()))?),
        None => None,
    };
    let (ended, outside) = run_plan(plan, &host, options, trace.as_ref())?;
    let collected = match (&options.output, &ended.work) {
        (Some(dir), Some(work)) => Some(gather(work, dir, &limits)?),
        _ => None,
    };
    let end = &ended.exit.end;
    if options.json {
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{}", report::json(&ended, &outside, collected.as_ref()));
        if let Err(error) = written {
            complain(&format!("the report could not be written: {error}"));
            return Ok(ExitCode::Fault);
        }
        return Ok(ExitCode::of(end));
    }
    for denial in gambeson_worker::report(&ended.exit).denials.iter().filter(|_| !matches!(end, End::Refused(_))) {
        remark(&visible::line(&denial.sentence()));
    }
    if !matches!(end, End::Exited(_)) {
        complain(&visible::line(&ended.exit.message()));
    }
    for denial in &outside.denials {
        remark(&visible::line(&denial.sentence()));
    }
    for skipped in collected.iter().flat_map(|collected| &collected.skipped) {
        complain(&format!("not collected: {}: {}", skipped.path, skipped.why));
    }
    Ok(ExitCode::of(end))
}

fn gather(work: &OwnedFd, dir: &Path, limits: &Limits) -> Result<Collected, Stop> {
    collect(work, dir, limits.disk, limits.files).map_err(|error| {
        Stop::Ended(End::Fault {
            step: format!("write the artifacts to {}", dir.display()),
            why: error.to_string(),
            mend: Some("make room there, or name another --output".into()),
        })
    })
}

fn spec(options: &RunOptions, limits: &Limits) -> Result<Spec, Stop> {
    let program = input::program(&options.file, limits)?;
    let environment = python::environment(options.cell.python.as_deref())?;
    let mut env: Vec<(OsString, OsString)> = Vec::new();
    if options.tty {
        env.push(("TERM".into(), std::env::var_os("TERM").unwrap_or_else(|| "dumb".into())));
    } else if !options.json && io::stdout().is_terminal() {
        // The program sees a pipe and would keep its lines to itself until it ends.
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

/// Launches the plan and passes our standard descriptors through.
fn run_plan(
    plan: Plan,
    host: &Host,
    options: &RunOptions,
    trace: Option<&fs::File>,
) -> Result<(Ended, Outside), Stop> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
    let interrupt = signal_pipe(&[SIGINT])?;
    let cancel = signal_pipe(&[SIGTERM, SIGHUP])?;
    let resize = if options.tty { Some(signal_pipe(&[SIGWINCH])?) } else { None };
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let allow = &options.cell.network_allow;
    let proxy = if allow.is_empty() { None } else { Some(OneProxy::start(allow.clone()).map_err(no_proxy)?) };
    let take = |listener| {
        if let Some(proxy) = &proxy {
            proxy.take(listener);
        }
    };
    let cell = launch(plan, host).map_err(|error| Stop::Ended(error.end()))?;
    let raw = if options.tty { Raw::enter() } else { None };
    let keep = options.json;
    let ended = cell.wait(Streams {
        stdin: Input::Fd(stdin.as_fd()),
        stdout: if keep { Sink::Keep } else { Sink::Fd(stdout.as_fd()) },
        stderr: if keep { Sink::Keep } else { Sink::Fd(stderr.as_fd()) },
        interrupt: Some(interrupt.as_fd()),
        cancel: Some(cancel.as_fd()),
        resize: resize.as_ref().map(|fd| (fd.as_fd(), stdin.as_fd())),
        trace: trace.map(AsFd::as_fd),
        denied: None,
        listener: Some(Listeners(&take)),
    });
    drop(raw);
    let (connections, mut denials) = proxy.map_or_else(Default::default, OneProxy::end);
    for denial in denials.iter_mut().filter(|denial| denial.rule == "network.allow") {
        // Here nobody else has to permit it.
        if let Some(Ok(place)) = denial.target.as_deref().map(str::parse::<Destination>) {
            denial.remedy = format!("Let it with --network-allow {place}.");
        }
    }
    Ok((ended, Outside { connections, denials }))
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
