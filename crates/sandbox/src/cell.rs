//! A running cell: [`launch`](crate::launch()) builds it, [`Cell::wait`] watches it to its end.
//!
//! Invariants:
//! 1. What a cell is made of has one owner here; when that owner is gone, in whatever way, so is the cell.
//! 2. The deadlines are ours: the cell is killed from outside, never asked.
//! 3. Nothing that the program does blocks the supervisor: every wait has an end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::StatFs;
use rustix::io::Errno;
use rustix::process::{Signal, WaitOptions};

use crate::birth::act;
use crate::cgroup::{self, Group, Hierarchies};
use crate::children;
use crate::exit::{Denial, End, Exit, Start, Usage};
use crate::feed::{Controls, Feed, Input};
use crate::frames::Claim;
use crate::janitor::Janitor;
use crate::launch::unblock;
use crate::limits::{Bytes, Limit};
use crate::nursery::Keeper;
use crate::output::{Output, Sink, wait_for};
use crate::plan::Plan;
use crate::sample::{Sample, Sampled, Sampler};
use crate::seen::{Seen, guest_of, tree_cpu_time};
use crate::spec::Terminal;
use crate::step::Step;
use crate::sys::clone::Child;
use crate::warden::{self, Looker, Trace, Warden};
use crate::wire::{self, Frame};

/// The streams of a run, and the ways to interfere with it.
#[derive(Debug)]
pub struct Streams<'a> {
    /// Standard input.
    pub stdin: Input<'a>,
    /// Standard output; with a terminal, everything that it shows.
    pub stdout: Sink<'a>,
    /// Standard error.
    pub stderr: Sink<'a>,
    /// Becomes readable to send the program SIGINT; a second time, to cancel.
    pub interrupt: Option<BorrowedFd<'a>>,
    /// Becomes readable to cancel.
    pub cancel: Option<BorrowedFd<'a>>,
    /// Becomes readable when the window of this terminal changed its size, which the cell's then takes.
    pub resize: Option<(BorrowedFd<'a>, BorrowedFd<'a>)>,
    /// Gets a line for each system call, if the plan is a traced one ([`Plan::traced`]) and this a plain file.
    pub trace: Option<BorrowedFd<'a>>,
    /// Hears of each kind of refused act when it happens the first time.
    pub denied: Option<Denied<'a>>,
    /// Hears now and then what the cell uses, once it has run for a while.
    pub sampled: Option<Sampled<'a>>,
    /// Gets the socket at [`PROXY`](crate::PROXY) of a cell with [`Network::Allow`](crate::Network::Allow), once.
    pub listener: Option<Listeners<'a>>,
}

/// Who hears of denials. Called on the supervisor's thread: it must not wait.
#[derive(Clone, Copy)]
pub struct Denied<'a>(pub &'a (dyn Fn(&Denial) + Sync));

impl std::fmt::Debug for Denied<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Denied")
    }
}

/// Who takes a listening socket that was made in a cell. As long as one lives, so does the cell's network namespace.
#[derive(Clone, Copy)]
pub struct Listeners<'a>(pub &'a dyn Fn(OwnedFd));

impl std::fmt::Debug for Listeners<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listeners")
    }
}

impl Streams<'_> {
    /// No input, everything kept.
    pub const fn kept() -> Streams<'static> {
        Streams {
            stdin: Input::Nothing,
            stdout: Sink::Keep,
            stderr: Sink::Keep,
            interrupt: None,
            cancel: None,
            resize: None,
            trace: None,
            denied: None,
            sampled: None,
            listener: None,
        }
    }
}

/// What is left of a run.
#[derive(Debug)]
pub struct Ended {
    /// By what it was built.
    pub plan: Plan,
    /// How it ended.
    pub exit: Exit,
    /// Kept standard output.
    pub stdout: Vec<u8>,
    /// Kept standard error.
    pub stderr: Vec<u8>,
    /// Bytes of standard output and of standard error that were beyond the limit, and not passed on.
    pub elided: (u64, u64),
    /// `/work` as the program left it, with nobody in it any more. `None` where it never stood.
    pub work: Option<OwnedFd>,
}

/// A cell that runs, or is being built.
///
/// Dropping it kills everything inside and removes its cgroups.
#[derive(Debug)]
pub struct Cell {
    pub(crate) plan: Plan,
    pub(crate) started: Instant,
    pub(crate) hierarchies: Hierarchies,
    pub(crate) group: Group,
    // In the order of teardown: the processes, then who removes their cgroups.
    pub(crate) process: Process,
    pub(crate) janitor: Janitor,
    pub(crate) control: OwnedFd,
    pub(crate) birth: Option<OwnedFd>,
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
    pub(crate) start: Start,
    /// What is known of it already.
    pub(crate) watch: Watch,
    /// CPU time that was used before the program came.
    pub(crate) cpu_before: Duration,
    /// The kernel kills the cell when the thread ends that its process is the child of.
    pub(crate) keeper: Option<Arc<Keeper>>,
}

/// The cell's first process, and with it the whole pid namespace.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) reaped: bool,
}

impl Process {
    pub(crate) fn kill(&self) {
        // Gone already is as good.
        let _ = rustix::process::pidfd_send_signal(&self.child.pidfd, Signal::KILL);
    }

    fn reap(&mut self) {
        if !self.reaped {
            self.reaped = true;
            let _ = rustix::process::waitpid(Some(self.child.pid), WaitOptions::empty());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            children::leave(self.child.pid);
        }
    }
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pid.fmt(f)
    }
}

/// Why we killed a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Killed {
    Wall,
    Cpu,
    Memory,
    Output,
    Cancelled,
    /// A layer was not seen from outside where it should be.
    Unseen,
}

/// What became known while a cell ran.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) killed: Option<Killed>,
    pub(crate) failed: Option<(u16, Errno)>,
    pub(crate) status: Option<i32>,
    pub(crate) work: Option<OwnedFd>,
    pub(crate) terminal: Option<OwnedFd>,
    pub(crate) listener: Option<OwnedFd>,
    pub(crate) guest: Option<OwnedFd>,
    /// The program was executed, and so every step taken.
    pub(crate) runs: bool,
    /// The program's memory was left to a process that keeps it until the end of the cell.
    pub(crate) keeper: bool,
    /// A warm cell has taken its program on: it ran, whatever became of it.
    pub(crate) taken: bool,
    pub(crate) seen: Option<Seen>,
    pub(crate) unseen: Option<String>,
    pub(crate) disk_peak: u64,
    pub(crate) disk_full: bool,
    pub(crate) files_full: bool,
    pub(crate) interrupted: bool,
    /// Where the program said that it was, when a limit was near.
    pub(crate) at: Option<Claim>,
    pub(crate) looker: Looker,
    /// Answers what the filter asks, where it asks.
    pub(crate) warden: Option<Warden>,
}

/// Bytes that are used of a file system.
fn used_of(stat: &StatFs) -> u64 {
    stat.f_blocks.saturating_sub(stat.f_bfree) * stat.f_bsize as u64
}

/// How often limits that no event announces are looked at.
const TICK: Duration = Duration::from_millis(100);
/// The same, when more than half of the memory is used: to fill the rest takes tens of milliseconds.
const TICK_NEAR: Duration = Duration::from_millis(10);

type Look = Box<dyn FnOnce() -> Option<Claim> + Send>;

impl Cell {
    /// The pid of the cell's first process, as the host sees it.
    pub fn pid(&self) -> i32 {
        self.process.child.pid.as_raw_pid()
    }

    /// Watches the cell to its end, moves its streams, and tears everything down.
    pub fn wait(mut self, streams: Streams<'_>) -> Ended {
        let mut watch = std::mem::take(&mut self.watch);
        let bound = self.plan.find(|step| if let Step::OutputBound(bytes) = step { Some(bytes.0) } else { None });
        let ours = [self.stdout.take(), self.stderr.take()];
        let mut output = Output::new(ours, [streams.stdout, streams.stderr], bound);
        let mut feed = Feed::new(self.stdin.take(), streams.stdin);
        let mut controls = Controls { interrupt: streams.interrupt, cancel: streams.cancel, resize: streams.resize };
        let wall = self.plan.find(|step| if let Step::DeadlineWall(limit) = step { Some(*limit) } else { None });
        let cpu = self.plan.find(|step| if let Step::DeadlineCpu(limit) = step { Some(*limit) } else { None });
        let mut look = Instant::now();
        let mut sampler = streams.sampled.map(|to| Sampler::new(to, self.started));
        let mut trace = streams.trace.and_then(|to| Trace::new(to, self.started));

        // Until the reaper has said how the program ended, or is gone without a word.
        let mut alive = true;
        while alive && watch.status.is_none() {
            // Of a warm cell it is there from the beginning. Whoever connects meanwhile waits to be accepted.
            if let (Some(listener), Some(Listeners(take))) = (watch.listener.take(), streams.listener) {
                take(listener);
            }
            let now = Instant::now();
            if now >= look {
                look = now + self.look(&mut watch, cpu);
                self.janitor.see_to_it();
            }
            if wall.is_some_and(|wall| now >= self.started + wall) {
                self.kill(&mut watch, Killed::Wall);
            }
            if bound.is_some_and(|bound| output.total() > bound) {
                self.kill(&mut watch, Killed::Output);
            }
            if let Some(sampler) = sampler.as_mut().filter(|sampler| now >= sampler.due) {
                self.sample(sampler, &watch, now);
            }
            let until = wall.map_or(look, |wall| look.min(self.started + wall));
            let until = sampler.as_ref().map_or(until, |sampler| until.min(sampler.due));
            let due = watch.warden.as_ref().and_then(|warden| warden.due(now));
            let until = due.map_or(until, |due| until.min(due));
            let timeout = if watch.killed.is_some() { TICK } else { until.saturating_duration_since(now) };
            let [out_in, err_in, out_out, err_out] = output.wants();
            let ready = wait_for(
                timeout,
                [
                    Some((self.control.as_fd(), PollFlags::IN)),
                    self.birth.as_ref().map(|fd| (fd.as_fd(), PollFlags::IN)),
                    out_in,
                    err_in,
                    out_out,
                    err_out,
                    feed.wants_to_read().map(|fd| (fd, PollFlags::IN)),
                    feed.wants_to_write().map(|fd| (fd, PollFlags::OUT)),
                    controls.interrupt.map(|fd| (fd, PollFlags::IN)),
                    controls.cancel.map(|fd| (fd, PollFlags::IN)),
                    controls.resize.map(|(fd, _)| (fd, PollFlags::IN)),
                    watch.warden.as_ref().and_then(|warden| warden.wants_to_answer(now)).map(|fd| (fd, PollFlags::IN)),
                ],
            );
            let [control, birth, out_in, err_in, out_out, err_out, feed_in, feed_out, interrupt, cancel, resize, asked] =
                ready;
            output.turn([out_in, err_in, out_out, err_out]);
            if feed_in {
                feed.read();
            }
            if feed_out {
                feed.write();
            }
            if birth {
                self.hear_of_birth(&mut watch);
            }
            if control {
                alive = self.hear(&mut watch);
                if let Some(master) = watch.terminal.take() {
                    // The same descriptor both ways: what is typed in, what is shown out.
                    controls.fit(&master);
                    if unblock(&master).is_err() {
                        self.kill(&mut watch, Killed::Unseen);
                    }
                    let typed = master.try_clone();
                    feed.to = typed.ok();
                    feed.terminal = true;
                    output.out.open(master);
                }
            }
            if interrupt {
                controls.drain_interrupt();
                if watch.interrupted || !self.interrupt(&watch) {
                    self.kill(&mut watch, Killed::Cancelled);
                }
                watch.interrupted = true;
            }
            if cancel {
                controls.cancel = None;
                self.kill(&mut watch, Killed::Cancelled);
            }
            if asked && let Some(warden) = &mut watch.warden {
                warden.answer(Instant::now(), trace.as_mut(), |denial| {
                    denial.source = self.plan.source_of(denial);
                    if let Some(told) = &streams.denied {
                        (told.0)(denial);
                    }
                });
            }
            // What it is made of, or what it says, is not as it should be.
            if watch.failed.is_some() {
                self.process.kill();
                self.group.kill();
            }
            if resize && let Some(terminal) = &feed.to {
                controls.drain_resize();
                controls.fit(terminal);
            }
        }
        if let Some(trace) = trace {
            trace.close();
        }
        self.look_whether_taken(&mut watch);
        // The program has ended; whoever it left behind is killed with the pid namespace. Where the kernel
        // says that there is nobody, the rest of the clearing up need not be waited for; nor where it is the one that keeps the
        // program's memory, once it is killed: no process of the cell runs an instruction any more.
        // Who is in the kernel may finish what they do there, which could be seen in what is collected.
        let tasks = self.group.tasks();
        let collected = || watch.work.as_ref().is_some_and(crate::collect::has_output);
        let kept = watch.keeper && tasks == Some(2) && !collected() && self.group.kill();
        if tasks != Some(1) && !kept {
            self.process.kill();
            self.process.reap();
        }
        // Whatever is still in the pipes was written before the end. Where nobody was waited for, they may still be open.
        if kept {
            output.drain();
        }
        output.finish(Duration::from_secs(10));
        self.end(watch, output)
    }

    fn kill(&self, watch: &mut Watch, why: Killed) {
        if watch.killed.is_none() {
            if matches!(why, Killed::Wall | Killed::Cpu | Killed::Output) {
                watch.at = None;
                self.ask_where(watch, |looker, claim| looker.look_last(claim));
            }
            watch.killed = Some(why);
            self.process.kill();
            self.group.kill();
        }
    }

    /// With how much memory a program may leave it to a keeper: the cell's limit, or any.
    pub(crate) fn keeper(&self) -> Option<u64> {
        let limit = self.plan.find(|step| if let Step::Memory(limit) = step { Some(limit.0) } else { None });
        self.group.ends_at_a_word().then_some(limit.unwrap_or(u64::MAX))
    }

    /// Looks at what no event announces. Returns when to look again.
    fn look(&self, watch: &mut Watch, cpu: Option<Duration>) -> Duration {
        self.look_at_disk(watch);
        if self.group.memory_kills() > 0 {
            self.kill(watch, Killed::Memory);
        }
        let most = if self.look_at_memory(watch) { TICK_NEAR } else { TICK };
        let Some(limit) = cpu else { return most };
        let used = self.cpu_time();
        if used >= limit {
            self.kill(watch, Killed::Cpu);
        }
        // Sooner, if all CPUs together could use up the rest.
        let cpus = self.plan.limits.cpus.0.div_ceil(1000).max(1);
        (limit.saturating_sub(used) / cpus).clamp(Duration::from_millis(1), most)
    }

    /// Notes where the program is while its memory is near the limit: afterwards there is nobody to ask. Returns whether
    /// it is to be looked at more often.
    fn look_at_memory(&self, watch: &mut Watch) -> bool {
        let limit = self.plan.find(|step| if let Step::Memory(limit) = step { Some(limit.0) } else { None });
        let (Some(limit), Some(used)) = (limit, self.group.memory()) else { return false };
        if used.0 >= limit / 4 * 3 {
            self.ask_where(watch, |looker, claim| looker.look(claim));
            // Where it was long ago is no answer.
            if watch.looker.is_done() {
                watch.at = None;
            }
        }
        used.0 >= limit / 2
    }

    /// Asks for the line that the program's first thread is at.
    fn ask_where(&self, watch: &mut Watch, look: impl FnOnce(&mut Looker, Look) -> Option<Option<Claim>>) {
        if watch.killed.is_none()
            && let (Some(frames), Some(guest)) = (self.plan.frames.clone(), guest_of(self.pid()))
        {
            let number = guest.as_raw_pid();
            let claim = look(&mut watch.looker, Box::new(move || frames.claim(number, number))).flatten();
            // If the program has ended, the number may have come to be another's.
            let lives = |guest: &OwnedFd| wait_for(Duration::ZERO, [Some((guest.as_fd(), PollFlags::IN))]) == [false];
            if watch.guest.as_ref().is_some_and(lives) {
                watch.at = claim.or(watch.at.take());
            }
        }
    }

    /// Tells what the program uses, if it runs.
    fn sample(&self, sampler: &mut Sampler<'_>, watch: &Watch, now: Instant) {
        let wall = now.duration_since(self.started);
        sampler.rest(now, wall);
        if !watch.runs || watch.killed.is_some() {
            return;
        }
        sampler.tell(&self.group, |gauges| {
            let cpu = gauges.cpu_time().unwrap_or_else(|| tree_cpu_time(self.pid()));
            let disk = watch.work.as_ref().and_then(|work| rustix::fs::fstatfs(work).ok());
            let (read, written) = gauges.io().unzip();
            Sample {
                wall,
                cpu: cpu.saturating_sub(self.cpu_before),
                memory: gauges.memory(),
                pids: gauges.pids(),
                disk: disk.map(|stat| Bytes(used_of(&stat))),
                read,
                written,
            }
        });
    }

    fn look_at_disk(&self, watch: &mut Watch) {
        let Some(Ok(stat)) = watch.work.as_ref().map(rustix::fs::fstatfs) else { return };
        let used = used_of(&stat);
        watch.disk_peak = watch.disk_peak.max(used);
        // Full but for less than a page of each write.
        watch.disk_full |= stat.f_blocks > 0 && stat.f_bfree == 0;
        watch.files_full |= stat.f_files > 0 && stat.f_ffree == 0;
    }

    fn cpu_time(&self) -> Duration {
        let all = self.group.cpu_time().unwrap_or_else(|| tree_cpu_time(self.pid()));
        all.saturating_sub(self.cpu_before)
    }

    /// The socket that a successful exec closes.
    fn hear_of_birth(&mut self, watch: &mut Watch) {
        let Some(birth) = &self.birth else { return };
        let mut came = wire::receive(birth.as_fd());
        if let Ok(Some((Frame::Asking, fds))) = came {
            self.listen(watch, fds);
            // What follows may be there already, and the program at its end.
            came = wire::receive(birth.as_fd());
        }
        match came {
            Err(Errno::INTR | Errno::AGAIN) => return,
            Ok(Some((Frame::Failed { step, errno }, _))) => watch.failed = Some((step, errno)),
            Ok(Some((Frame::Ready, _))) if self.start == Start::Warm => watch.taken = true,
            // Of a warm one this was seen before the program came.
            Ok(None) | Err(Errno::CONNRESET) if watch.failed.is_none() && !watch.runs => {
                self.see(watch);
                // While the interpreter starts, on another CPU.
                cgroup::sweep(&self.hierarchies);
            }
            Ok(None) | Err(Errno::CONNRESET) => {}
            Err(Errno::MFILE) => watch.failed = Some((act::HEAR, Errno::MFILE)),
            Ok(Some(_)) | Err(_) => watch.failed = Some((act::HEAR, Errno::PROTO)),
        }
        self.birth = None;
    }

    /// The filter stands, and asks us: once, before anything of the program's is executed.
    fn listen(&self, watch: &mut Watch, mut fds: Vec<OwnedFd>) {
        match (fds.pop(), fds.is_empty() && watch.warden.is_none()) {
            (Some(listener), true) => watch.warden = Some(Warden::new(listener, &self.plan)),
            _ => watch.failed = Some((act::HEAR, Errno::PROTO)),
        }
    }

    /// Every step is taken: time to see from outside what holds.
    fn see(&self, watch: &mut Watch) {
        let guest = guest_of(self.pid());
        watch.runs = true;
        let mother = self.keeper.as_ref().map(|keeper| &keeper.links);
        watch.seen = guest.and_then(|pid| Seen::look(pid, self.pid(), &self.group, mother));
        if let Some(seen) = &watch.seen
            && let Some(layer) = self.plan.steps.iter().find(|step| matches!(seen.of(step), Some(Err(_))))
        {
            watch.unseen = Some(format!("{layer}: /proc shows otherwise"));
            self.kill(watch, Killed::Unseen);
        }
        watch.guest = guest.and_then(|pid| rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok());
    }

    /// Waits until a warm cell has taken its steps and is seen to hold.
    ///
    /// # Errors
    /// Why it will never be.
    pub(crate) fn await_ready(&mut self, patience: Duration) -> Result<(), End> {
        let mut watch = std::mem::take(&mut self.watch);
        let deadline = Instant::now() + patience;
        let mut ready = false;
        while !(ready && watch.work.is_some()) && watch.failed.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            let [control, birth] = wait_for(
                left,
                [
                    Some((self.control.as_fd(), PollFlags::IN)).filter(|_| watch.work.is_none()),
                    self.birth.as_ref().map(|fd| (fd.as_fd(), PollFlags::IN)).filter(|_| !ready),
                ],
            );
            if control && !self.hear(&mut watch) {
                watch.failed.get_or_insert((act::HEAR, Errno::PIPE));
            }
            if birth {
                let came = self.birth.as_ref().map_or(Ok(None), |birth| wire::receive(birth.as_fd()));
                match came {
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Ok(Some((Frame::Asking, fds))) => self.listen(&mut watch, fds),
                    Ok(Some((Frame::Ready, _))) => ready = true,
                    Ok(Some((Frame::Failed { step, errno }, _))) => watch.failed = Some((step, errno)),
                    _ => watch.failed = Some((act::HEAR, Errno::PIPE)),
                }
            }
            if left.is_zero() {
                watch.failed = Some((act::HEAR, Errno::TIMEDOUT));
            }
        }
        if let Some((step, errno)) = watch.failed {
            return Err(self.fault(step, errno));
        }
        self.see(&mut watch);
        if watch.seen.is_none() || watch.unseen.is_some() {
            let why = watch.unseen.unwrap_or_else(|| "it was gone".into());
            return Err(End::Fault { step: "see the layers of the cell from outside".into(), why, mend: None });
        }
        self.cpu_before = self.group.cpu_time().unwrap_or_default();
        self.watch = watch;
        Ok(())
    }

    /// A last look at whether a warm cell had its program: that it is not run twice hangs on this.
    fn look_whether_taken(&self, watch: &mut Watch) {
        use rustix::net::{RecvFlags, recv};
        if self.start != Start::Warm || watch.taken || watch.failed.is_some() {
            return;
        }
        let Some(birth) = &self.birth else { return };
        let mut bytes = [0u8; wire::SIZE];
        match recv(birth, &mut bytes, RecvFlags::DONTWAIT) {
            Ok((_, 0)) => {}
            Ok((_, count)) => match Frame::decode(&bytes[..count]) {
                Ok(Frame::Failed { step, errno }) => watch.failed = Some((step, errno)),
                _ => watch.taken = true,
            },
            Err(_) => watch.taken = true,
        }
    }

    /// Hears what the cell says. Returns whether it lives.
    fn hear(&mut self, watch: &mut Watch) -> bool {
        match wire::receive(self.control.as_fd()) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(Some((Frame::Built, fds))) if watch.work.is_none() => {
                let mut fds = fds.into_iter();
                watch.work = fds.next();
                if self.plan.terminal == Terminal::Own {
                    watch.terminal = fds.next();
                }
                if self.plan.steps.iter().any(|step| matches!(step, Step::Listen { .. })) {
                    watch.listener = fds.next();
                }
            }
            Ok(Some((Frame::Ended { status, keeper }, _))) if watch.status.is_none() => {
                watch.status = Some(status);
                watch.keeper = keeper && self.start == Start::Warm;
            }
            Ok(None) => return false,
            Ok(Some(_)) | Err(Errno::PROTO) => watch.failed = Some((act::HEAR, Errno::PROTO)),
            Err(Errno::MFILE) => watch.failed = Some((act::HEAR, Errno::MFILE)),
            Err(_) => return false,
        }
        true
    }

    /// Sends the program SIGINT, if there is one.
    fn interrupt(&self, watch: &Watch) -> bool {
        watch.guest.as_ref().is_some_and(|guest| rustix::process::pidfd_send_signal(guest, Signal::INT).is_ok())
    }

    fn end(self, mut watch: Watch, output: Output<'_>) -> Ended {
        self.look_at_disk(&mut watch);
        let usage = Usage {
            wall: self.started.elapsed(),
            cpu: self.group.cpu_time().unwrap_or_default().saturating_sub(self.cpu_before),
            memory_peak: self.group.memory_peak(),
            // The reaper is none of the program's, nor is who keeps its memory, who came when it was alone.
            pids_peak: self.group.pids_peak().map(|peak| match (watch.keeper, peak.saturating_sub(1)) {
                (true, 2) => 1,
                (_, peak) => peak,
            }),
            disk: Bytes(watch.disk_peak),
            output: Bytes(output.total()),
        };
        let Output { out, err, .. } = output;
        let tail = if self.plan.terminal == Terminal::Own { out.tail() } else { err.tail() };
        let end = self.judge(&watch, &usage, tail);
        // Of a cell that never came to run the program, nothing is said to have held.
        let layers = if watch.runs && watch.unseen.is_none() { self.layers(&watch) } else { Vec::new() };
        let elided = (out.elided(), err.elided());
        let mut denials = watch.warden.take().map_or_else(Vec::new, |warden| warden.ledger.close());
        if matches!(end, End::Exited(1..)) {
            denials.extend(warden::last_words(tail, &self.plan));
        }
        let told = matches!(end, End::LimitHit { limit: Limit::Memory | Limit::Cpu | Limit::Wall | Limit::Output, .. });
        let at = watch.at.take().filter(|_| told);
        Ended {
            plan: self.plan,
            exit: Exit { end, at, start: self.start, usage, layers, denials },
            stdout: out.kept,
            stderr: err.kept,
            elided,
            work: watch.work,
        }
    }
}
