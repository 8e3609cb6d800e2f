//! `gambeson up`: a server and a worker, two processes, on this machine.
//!
//! Invariants:
//! 1. The children end with us, however we end: they watch the other end of their standard input.
//! 2. One that ends without being told is started again: later each time while it ends soon, and not for ever if it
//!    never worked at all.
//! 3. A worker that this host lacks layers for is not started again: only a person can change that, and the server goes
//!    on meanwhile.
//! 4. The local token is made only for a worker that has no credential, and is gone from what is started again once it has.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gambeson_sandbox::{Host, Missing};

use super::{LOCAL_TOKEN, ServeOptions, WITH_PARENT, announce, log};
use crate::config::Settings;
use crate::exit_code::ExitCode;
use crate::terminal::complain;

/// Starts both, keeps them going until a signal, and returns our exit code.
pub fn up(options: &ServeOptions) -> ExitCode {
    try_up(options).unwrap_or_else(|code| code)
}

/// What a running server said of itself.
#[derive(Debug, Default)]
pub struct Said {
    /// The owner's key, at the first start.
    pub setup_key: Option<String>,
    /// Where it listens, TCP first.
    pub addresses: Vec<String>,
}

impl Said {
    /// Where a browser finds the console, if this binary has it.
    pub fn console(&self) -> Option<String> {
        let address = self.addresses.iter().find(|address| address.starts_with("http"))?;
        gambeson_server::console_is_built_in().then(|| format!("{address}/console/"))
    }
}

/// A server and a worker that run.
pub struct Running {
    pub said: Said,
    server: Role,
    worker: Role,
    settings: Settings,
    /// Whether a child that is started again would be given the token.
    armed: bool,
}

/// A child: how it is started, and that it lives.
struct Role {
    command: Command,
    child: Child,
    since: Instant,
    /// Short lives in a row.
    failures: u32,
    /// Whether it ever worked. What worked once can work again: when the disk has room, say.
    proven: bool,
    /// When it is to be started again.
    due: Option<Instant>,
    /// Whether it is left alone, having refused to work on this host.
    refused: bool,
}

/// Lives shorter than this do not count as lives: what cannot work finds that out sooner.
const SHORT: Duration = Duration::from_secs(3);
/// So many of them in a row, of a child that never worked, are enough.
const FAILURES_MOST: u32 = 5;

/// What becomes of a child that ended.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Again {
        after: Duration,
    },
    /// It says that it cannot work here.
    Refused,
    Hopeless,
}

/// Decides it, by its exit code and after `failures` short lives in a row.
fn fate(code: Option<i32>, proven: bool, failures: u32) -> Fate {
    if code == Some(ExitCode::Refused.number().into()) {
        return Fate::Refused;
    }
    if !proven && failures > FAILURES_MOST {
        return Fate::Hopeless;
    }
    Fate::Again { after: Duration::from_millis(200).saturating_mul(failures.max(1)).min(Duration::from_secs(5)) }
}

impl Role {
    fn start(mut command: Command) -> std::io::Result<Role> {
        let child = command.spawn()?;
        Ok(Role { command, child, since: Instant::now(), failures: 0, proven: false, due: None, refused: false })
    }

    /// Has it started again, in a while, if it ended. False when that is hopeless.
    fn tend(&mut self, name: &str) -> std::io::Result<bool> {
        if self.refused {
            return Ok(true);
        }
        let Some(status) = self.child.try_wait()? else { return Ok(true) };
        match self.due {
            None => {
                let short = self.since.elapsed() < SHORT;
                self.proven |= !short;
                self.failures = if short { self.failures + 1 } else { 0 };
                match fate(status.code(), self.proven, self.failures) {
                    Fate::Hopeless => {
                        complain(&format!("the {name} ended again and again ({status}); its last words are above"));
                        return Ok(false);
                    }
                    Fate::Refused => {
                        complain(&format!(
                            "the {name} does not work on this host, as it says above, and is not started again; jobs \
                             wait until that is mended and gambeson is started anew"
                        ));
                        self.refused = true;
                    }
                    Fate::Again { after } => {
                        let after_ms = after.as_millis() as u64;
                        tracing::warn!(after_ms, "the {name} ended ({status}) and is started again");
                        self.due = Some(Instant::now() + after);
                    }
                }
            }
            Some(due) if Instant::now() >= due => {
                self.child = self.command.spawn()?;
                self.since = Instant::now();
                self.due = None;
            }
            Some(_) => {}
        }
        Ok(true)
    }

    fn tell(&self) {
        // Of one that waits for its next start, the number may be somebody else's by now.
        if self.due.is_none()
            && !self.refused
            && let Some(pid) = rustix::process::Pid::from_raw(self.child.id() as i32)
        {
            // Gone already is as good.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

/// Ours, as a child would be started. A group of its own: a terminal's Ctrl-C is ours to pass on.
fn command(role: &str, token: Option<&str>, stdin: &OwnedFd) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role).env(WITH_PARENT, "1").stdin(stdin.try_clone()?).process_group(0);
    match token {
        Some(token) => command.env(LOCAL_TOKEN, token),
        None => command.env_remove(LOCAL_TOKEN),
    };
    Ok(command)
}

/// Where the local worker finds the local server.
fn local_server(settings: &Settings) -> String {
    format!("unix:{}", settings.server.socket.display())
}

fn worker_is_enrolled(settings: &Settings) -> bool {
    gambeson_worker::is_enrolled(&settings.worker.state_dir, &local_server(settings))
}

/// A token by which the local worker joins.
fn join_token() -> std::io::Result<String> {
    let mut bytes = [0u8; 32];
    let mut filled = 0;
    while filled < bytes.len() {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes.iter().fold("gmj_".to_owned(), |token, byte| token + &format!("{byte:02x}")))
}

/// The layers that a local worker would refuse every job for.
pub fn lacking(options: &ServeOptions) -> Result<Vec<Missing>, String> {
    let (settings, _) = options.sources.load(&options.flags()).map_err(|problem| problem.sentences.join("; "))?;
    Ok(gambeson_worker::lacking(&Host::probe(), &settings.worker.accept_missing))
}

/// Starts both, and waits until the server listens. They end when what comes with them is dropped.
pub fn start_both(options: &ServeOptions) -> Result<(Running, OwnedFd), String> {
    let (settings, _) = options.sources.load(&options.flags()).map_err(|problem| problem.sentences.join("; "))?;
    start(options, &settings)
}

fn start(options: &ServeOptions, settings: &Settings) -> Result<(Running, OwnedFd), String> {
    let failed = |error: &dyn std::fmt::Display| format!("the server or the worker could not be started: {error}");
    let (theirs, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| failed(&error))?;
    let token = match worker_is_enrolled(settings) {
        true => None,
        false => Some(join_token().map_err(|error| failed(&error))?),
    };
    let token = token.as_deref();

    let common = |command: &mut Command| {
        if let Some(config) = &options.sources.config {
            command.arg("--config").arg(config);
        }
        for set in &options.sources.set {
            command.arg("--set").arg(set);
        }
        command.arg("--set").arg(format!("data_dir={}", settings.data_dir.display()));
    };
    // A server that is started again says where it listens to the same reader.
    let (said_out, said_in) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|error| failed(&error))?;
    let server_at = |address: std::net::SocketAddr| -> std::io::Result<Command> {
        let mut server = command("serve", token, &theirs)?;
        common(&mut server);
        server.arg("--set").arg(format!("server.listen={address}"));
        server.stdout(Stdio::from(said_in.try_clone()?));
        Ok(server)
    };
    let server = server_at(settings.server.listen).map_err(|error| failed(&error))?;
    let mut server = Role::start(server).map_err(|error| failed(&error))?;
    let lines = listen(said_out);
    let said = hear(&lines, &mut server)?;
    server.proven = true;
    // Whoever was told an address finds the server there after its next start as well, port 0 or not.
    let address = said.addresses.iter().find_map(|address| address.split_once("://")?.1.parse().ok());
    if let Some(address) = address {
        server.command = server_at(address).map_err(|error| failed(&error))?;
    }

    let mut worker = command("worker", token, &theirs).map_err(|error| failed(&error))?;
    common(&mut worker);
    worker.arg("--set").arg(format!("worker.join={}", local_server(settings)));
    worker.arg("--set").arg(format!("worker.state_dir={}", settings.worker.state_dir.display()));
    worker.stdout(Stdio::null());
    let worker = Role::start(worker).map_err(|error| failed(&error))?;
    Ok((Running { said, server, worker, armed: token.is_some(), settings: settings.clone() }, ours))
}

/// Reads what the server says, for as long as it says anything.
fn listen(from: OwnedFd) -> mpsc::Receiver<String> {
    let (lines, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(std::fs::File::from(from)).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    heard
}

/// Waits until the server listens on its socket, which comes last.
fn hear(lines: &mpsc::Receiver<String>, server: &mut Role) -> Result<Said, String> {
    let mut said = Said::default();
    loop {
        match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => {
                if let Some(key) = line.strip_prefix("setup key: ") {
                    said.setup_key = Some(key.to_owned());
                } else if let Some(address) = line.strip_prefix("listening on ") {
                    said.addresses.push(address.to_owned());
                    if address.starts_with("unix:") {
                        return Ok(said);
                    }
                }
            }
            Err(_) => {
                if let Ok(Some(status)) = server.child.try_wait() {
                    return Err(format!("the server did not start ({status}); it said why above"));
                }
            }
        }
    }
}

impl Running {
    /// Whether both live or could be started again.
    pub fn tend(&mut self) -> std::io::Result<bool> {
        if self.armed && worker_is_enrolled(&self.settings) {
            for role in [&mut self.server, &mut self.worker] {
                role.command.env_remove(LOCAL_TOKEN);
            }
            self.armed = false;
        }
        Ok(self.server.tend("server")? && self.worker.tend("worker")?)
    }

    /// Has both finish: the worker first, so that what it reports is heard.
    pub fn stop(mut self, patience: Duration) {
        for role in [&mut self.worker, &mut self.server] {
            role.tell();
            let deadline = Instant::now() + patience;
            while matches!(role.child.try_wait(), Ok(None)) {
                if Instant::now() >= deadline {
                    let _ = role.child.kill();
                    let _ = role.child.wait();
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn try_up(options: &ServeOptions) -> Result<ExitCode, ExitCode> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let settings = options.settings()?;
    log(&settings);
    let failed = |message: String| {
        complain(&message);
        ExitCode::Fault
    };
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, std::sync::Arc::clone(&stop)).map_err(|error| failed(error.to_string()))?;
    }
    let (mut running, pipe) = start(options, &settings).map_err(failed)?;
    if let Some(key) = &running.said.setup_key {
        announce(&format!("setup key: {key}"));
    }
    for address in &running.said.addresses {
        announce(&format!("listening on {address}"));
    }
    if let Some(console) = running.said.console() {
        announce(&format!("console: {console}"));
    }
    let mut code = ExitCode::Program(0);
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
        match running.tend() {
            Ok(true) => {}
            Ok(false) => {
                code = ExitCode::Fault;
                break;
            }
            Err(error) => {
                code = failed(format!("a child could not be started again: {error}"));
                break;
            }
        }
    }
    running.stop(settings.worker.drain.max(settings.server.drain) + Duration::from_secs(5));
    drop(pipe);
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_worked_once_is_started_again_however_often_it_ends() {
        for failures in 0..100 {
            let Fate::Again { after } = fate(Some(1), true, failures) else { panic!("given up after {failures}") };
            assert!(after >= Duration::from_millis(200) && after <= Duration::from_secs(5));
        }
    }

    #[test]
    fn what_never_worked_is_given_up() {
        assert_eq!(fate(None, false, FAILURES_MOST), Fate::Again { after: Duration::from_secs(1) });
        assert_eq!(fate(None, false, FAILURES_MOST + 1), Fate::Hopeless);
    }

    #[test]
    fn what_says_that_it_cannot_work_here_is_left_alone() {
        assert_eq!(fate(Some(122), true, 0), Fate::Refused);
        assert_eq!(fate(Some(122), false, FAILURES_MOST + 1), Fate::Refused);
    }
}
