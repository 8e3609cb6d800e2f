#![doc = include_str!("../README.md")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gambeson_api::client::{Client, Connection, Target};
use rustix::process::{Pid, Signal};

/// A process of the real binary: `up`, `serve` or `worker`. Killed when dropped.
pub struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Process {
    /// Starts it; what it says on standard error is kept, for [`Process::said`].
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> (Process, impl Iterator<Item = String> + use<>) {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut stderr = child.stderr.take().expect("piped");
        let said = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&said);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut bytes) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        (Process { child, said }, lines)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal; one that is gone already is as good.
    pub fn signal(&self, signal: Signal) {
        signal_to(self.child.id(), signal);
    }

    /// What it said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Kills it, and waits for it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end, at most for `patience`. `None` if it still lives.
    pub fn wait(&mut self, patience: Duration) -> Option<std::process::ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to a process; one that is gone already is as good.
pub fn signal_to(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// A platform in a directory of its own.
pub struct Platform {
    /// `up`, or `serve`.
    pub process: Process,
    /// Where it listens.
    pub url: String,
    /// Its Unix socket.
    pub socket: PathBuf,
    /// The owner's key.
    pub key: String,
    /// The program.
    pub binary: PathBuf,
    /// Role and flags, to start it again with.
    args: Vec<String>,
    /// The data directory.
    pub data: PathBuf,
    _dir: Option<tempfile::TempDir>,
}

/// Looks every few milliseconds until something is so.
///
/// # Panics
/// After half a minute in which it was not.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it never became true that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Platform {
    /// Starts a server and a worker (`up`) in a directory of their own; `args` are more flags.
    ///
    /// # Panics
    /// When it does not start, with what it said.
    pub fn up(binary: &Path, args: &[&str]) -> Platform {
        Platform::start(binary, "up", args)
    }

    /// Starts a server alone.
    ///
    /// # Panics
    /// When it does not start, with what it said.
    pub fn serve(binary: &Path, args: &[&str]) -> Platform {
        Platform::start(binary, "serve", args)
    }

    /// Starts a server and a worker on a data directory of the caller's, which is left to the caller.
    ///
    /// # Panics
    /// When it does not start, with what it said.
    pub fn up_at(binary: &Path, data: &Path, args: &[&str]) -> Platform {
        Platform::start_at(binary, "up", args, data.to_owned(), None)
    }

    fn start(binary: &Path, role: &str, args: &[&str]) -> Platform {
        let dir = tempfile::Builder::new().prefix("gambeson-").tempdir().expect("a directory for the platform");
        let data = dir.path().join("data");
        Platform::start_at(binary, role, args, data, Some(dir))
    }

    fn start_at(binary: &Path, role: &str, args: &[&str], data: PathBuf, dir: Option<tempfile::TempDir>) -> Platform {
        let args: Vec<String> = [role].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
        let (process, said) = launch(binary, &args, &data, "127.0.0.1:0");
        Platform {
            process,
            url: said.url,
            socket: said.socket,
            key: said.key.expect("the first start says the setup key"),
            binary: binary.to_owned(),
            args,
            data,
            _dir: dir,
        }
    }

    /// Starts it again on the same directory and port, after its end.
    ///
    /// # Panics
    /// When it does not start, with what it said.
    pub fn restart(&mut self) {
        self.process.kill();
        let listen = self.url.trim_start_matches("http://").to_owned();
        let (process, said) = launch(&self.binary, &self.args, &self.data, &listen);
        assert!(said.key.is_none(), "a setup key is shown once");
        self.process = process;
    }

    /// A client with the owner's key.
    ///
    /// # Panics
    /// When the client cannot be set up.
    pub fn client(&self) -> Client {
        self.client_with(&self.key)
    }

    /// A client with another key.
    ///
    /// # Panics
    /// When the client cannot be set up.
    pub fn client_with(&self, key: &str) -> Client {
        let target: Target = self.url.parse().expect("its own address");
        Client::new(Connection::new(target, Some(key.to_owned()), None).expect("a plain connection"))
    }

    /// The children of `up`: the server's and the worker's process ids.
    ///
    /// # Panics
    /// When it does not have both within half a minute.
    pub fn children(&self) -> (u32, u32) {
        let pid = self.process.pid();
        until("up has a server and a worker", || {
            let mut roles = (None, None);
            // Each thread has children of its own.
            for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
                let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
                for child in children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()) {
                    let words = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
                    match words.split(|byte| *byte == 0).nth(1) {
                        Some(b"serve") => roles.0 = Some(child),
                        Some(b"worker") => roles.1 = Some(child),
                        _ => {}
                    }
                }
            }
            roles.0.zip(roles.1)
        })
    }

    /// A command of the client, against this platform.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).env("GAMBESON_SERVER", &self.url).env("GAMBESON_KEY", &self.key).stdin(Stdio::null());
        command
    }
}

struct Said {
    url: String,
    socket: PathBuf,
    key: Option<String>,
}

fn launch(binary: &Path, args: &[String], data: &Path, listen: &str) -> (Process, Said) {
    let mut command = Command::new(binary);
    command.args(args).arg("--data-dir").arg(data).arg("--listen").arg(listen);
    // What the machine's own configuration says is not this platform's.
    for name in ["GAMBESON_SERVER", "GAMBESON_KEY", "GAMBESON_CONFIG", "GAMBESON_PROFILE"] {
        command.env_remove(name);
    }
    let (process, mut lines) = Process::start(&mut command);
    let (mut url, mut key) = (None, None);
    let socket = loop {
        let Some(line) = lines.next() else {
            // Its last words may still be on their way.
            std::thread::sleep(Duration::from_millis(200));
            panic!("the platform did not start: {}", process.said());
        };
        if let Some(text) = line.strip_prefix("setup key: ") {
            key = Some(text.to_owned());
        } else if let Some(address) = line.strip_prefix("listening on ") {
            match address.strip_prefix("unix:") {
                Some(path) => break PathBuf::from(path),
                None => url = Some(address.to_owned()),
            }
        }
    };
    // It may go on to say things.
    std::thread::spawn(move || lines.for_each(drop));
    (process, Said { url: url.expect("a server listens on TCP as well"), socket, key })
}
