//! Reading in a process of its own, which is limited and may die.
//!
//! 1. Nothing is read before the limits are set: the files are sent after that. What a process can only do for itself
//!    (no descriptors, no new privileges, a filter) it does before it looks at them, or it ends.
//! 2. Whatever the process does, its caller waits no longer than the deadline and keeps no more than a bound of what it says.
//! 3. Its death is the finding V004. Only that it could not be started, or not be limited, is an error, and ours.
//!
//! The program that is started calls [`serve`]. The binary of ours executes itself with a hidden argument for that.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open, prlimit};

use crate::read::{died, read_confined};
use crate::report::Report;
use crate::source::Source;

/// Bytes of a request. Escaped for JSON, a control character takes six.
const MOST_REQUEST: u64 = 64 << 20;
/// Bytes of an answer; the largest report is far smaller.
const MOST_ANSWER: usize = 16 << 20;

/// How to start a process that reads.
#[derive(Debug, Clone)]
pub struct Reader {
    /// A program that calls [`serve`] when it is started with `args`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What it may use.
    pub limits: ReaderLimits,
}

/// What a process that reads may use.
#[derive(Debug, Clone, Copy)]
pub struct ReaderLimits {
    /// Address space, bytes. A quarter of a GiB of it is a stack of which little is used.
    pub memory: u64,
    /// CPU time; whole seconds.
    pub cpu: Duration,
    /// Time on the clock.
    pub wall: Duration,
}

impl Default for ReaderLimits {
    fn default() -> ReaderLimits {
        ReaderLimits { memory: 2 << 30, cpu: Duration::from_secs(5), wall: Duration::from_secs(10) }
    }
}

/// The process could not be had. Ours, never the files'.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// No process.
    #[error("failed to start {program} to read in")]
    Start {
        /// Which program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No limits, so it was ended.
    #[error("failed to limit the process that reads: {what}")]
    Limit {
        /// Which limit.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The files could not be written down.
    #[error("failed to write a request to the process that reads")]
    Request {
        /// The cause.
        source: serde_json::Error,
    },
}

/// A child that does not outlive its reading.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It is dead already, or is to be; what cannot be killed has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Reader {
    /// A reader by this program, with the usual limits.
    pub fn new(program: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Reader {
        Reader {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            limits: ReaderLimits::default(),
        }
    }

    /// Reads the files in a process of its own. Waits for it, at most as long as its limit on time.
    pub fn read(&self, source: &Source) -> Result<Report, ReaderError> {
        self.start()?.read(source)
    }

    /// Starts a process that waits for files: whoever has some later need not wait for its start. It ends with the thread
    /// that started it.
    pub fn start(&self) -> Result<Started, ReaderError> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().map_err(|source| ReaderError::Start { program: self.program.clone(), source })?;
        let running = Running(child);
        self.limit(&running.0)?;
        Ok(Started { running, wall: self.limits.wall })
    }

    fn limit(&self, child: &Child) -> Result<(), ReaderError> {
        let pid = Pid::from_child(child);
        let seconds = self.limits.cpu.as_secs().max(1);
        let limits = [
            ("memory", Resource::As, self.limits.memory, self.limits.memory),
            // At the first a signal that is told apart, at the second an end.
            ("CPU time", Resource::Cpu, seconds, seconds + 1),
            ("core files", Resource::Core, 0, 0),
            ("files", Resource::Fsize, 0, 0),
        ];
        for (what, resource, soft, hard) in limits {
            let limit = Rlimit { current: Some(soft), maximum: Some(hard) };
            prlimit(Some(pid), resource, limit).map_err(|errno| ReaderError::Limit { what, source: errno.into() })?;
        }
        Ok(())
    }
}

/// A process that waits for files, once.
pub struct Started {
    running: Running,
    wall: Duration,
}

impl Started {
    /// Whether it still waits: it may have been killed meanwhile.
    pub fn waits(&mut self) -> bool {
        matches!(self.running.0.try_wait(), Ok(None))
    }

    /// Has it read the files. Waits for it, at most as long as its limit on time.
    pub fn read(mut self, source: &Source) -> Result<Report, ReaderError> {
        let request = serde_json::to_vec(source).map_err(|source| ReaderError::Request { source })?;
        let deadline = Instant::now() + self.wall;
        Ok(match exchange(&mut self.running.0, &request, deadline) {
            Ok(answer) => {
                let status = self.running.0.wait().ok();
                report(&answer, status)
            }
            Err(why) => died(&why),
        })
    }
}

const LATE: &str = "the reader had not ended when its time was over";

/// Sends the request and takes the answer, both at once: neither side waits for the other to read. Then the process has ended.
fn exchange(child: &mut Child, request: &[u8], deadline: Instant) -> Result<Vec<u8>, String> {
    let mut to = child.stdin.take();
    let mut from = child.stdout.take().ok_or("it has no output")?;
    for fd in to.iter().map(AsFd::as_fd).chain([from.as_fd()]) {
        let set = fcntl_getfl(fd).and_then(|flags| fcntl_setfl(fd, flags | OFlags::NONBLOCK));
        set.map_err(|errno| format!("its pipes could not be prepared: {errno}"))?;
    }
    let (mut sent, mut answer, mut buffer) = (0, Vec::new(), vec![0; 64 << 10]);
    loop {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else {
            return Err(LATE.into());
        };
        let mut fds = vec![PollFd::new(&from, PollFlags::IN)];
        fds.extend(to.as_ref().map(|to| PollFd::new(to, PollFlags::OUT)));
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(format!("the reader could not be waited for: {errno}")),
        }
        let wants = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        let speaks = !fds[0].revents().is_empty();
        if let (true, Some(pipe)) = (wants, &mut to) {
            match pipe.write(&request[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // It reads no more; what it says, if anything, is in the other pipe.
                Err(_) => to = None,
            }
            if sent == request.len() {
                to = None;
            }
        }
        if speaks {
            match from.read(&mut buffer) {
                Ok(0) => return until_ended(child, deadline).map(|()| answer),
                Ok(count) if answer.len() + count > MOST_ANSWER => return Err("the reader said too much".into()),
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(format!("the reader could not be heard: {error}")),
            }
        }
    }
}

/// Waits for the end of a process: it may have closed its output and stay.
fn until_ended(child: &Child, deadline: Instant) -> Result<(), String> {
    let failed = |errno| format!("the reader could not be waited for: {errno}");
    let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).map_err(failed)?;
    loop {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Err(LATE.into()) };
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(failed(errno)),
        }
    }
}

fn report(answer: &[u8], status: Option<ExitStatus>) -> Report {
    match serde_json::from_slice(answer) {
        Ok(report) if status.is_some_and(|status| status.success()) => report,
        _ => died(&match status
            .and_then(|status| status.signal())
            .map(|signal| (signal, Signal::from_named_raw(signal)))
        {
            Some((_, Some(Signal::XCPU | Signal::KILL))) => {
                "the reader was ended: it took too much time or memory".into()
            }
            Some((_, Some(Signal::SEGV | Signal::ABORT | Signal::BUS))) => {
                "the reader crashed, or had no memory left".into()
            }
            Some((signal, _)) => format!("the reader was ended by signal {signal}"),
            None => "the reader ended without a report".to_owned(),
        }),
    }
}

/// Is the process that reads: takes files from stdin, writes the report to stdout.
///
/// `confine` is called in the thread that reads, when all memory but that of the reading itself is there and nothing was
/// looked at yet: the place for a filter of system calls. What is wanted after it: `mmap munmap mremap mprotect madvise brk
/// futex write read exit exit_group sigaltstack rt_sigprocmask rt_sigreturn`, and `clock_gettime` where it is no vDSO.
pub fn serve(confine: impl FnOnce() -> io::Result<()> + Send) -> io::Result<()> {
    // Not its caller's: the loader opens libraries before this.
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut request = Vec::new();
    io::stdin().lock().take(MOST_REQUEST + 1).read_to_end(&mut request)?;
    if request.len() as u64 > MOST_REQUEST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the request is too large"));
    }
    let source: Source = serde_json::from_slice(&request)?;
    drop(request);
    let report = read_confined(&source, confine);
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &report)?;
    out.flush()
}
