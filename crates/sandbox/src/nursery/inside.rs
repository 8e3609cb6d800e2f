//! What runs in the nursery's own process, and in the cells that it forks: called by the library that takes the
//! interpreter's `main` over.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::message::{self, Answer, Part, Program, Request};
use crate::birth::{Birth, Inner, Tasks, act, reap, stage};
use crate::spec::OpenFile;
use crate::step::Stage;
use crate::sys;
use crate::sys::clone::{PARENT, Side as Branch};
use crate::sys::shown::Shown;
use crate::sys::signal::Dispositions;
use crate::wire::Frame;

/// The environment variable that tells the library what it is there for: its socket, its own descriptor, the modules
/// to import. It is taken away before the interpreter starts.
pub const VARIABLE: &str = "GAMBESON_NURSERY";
/// What the interpreter is told that its script is; each program puts its own in the place.
pub const SCRIPT: &CStr = c"/work/gambeson-nursery-has-no-script-yet";

pub use crate::birth::KEEPER_NICE;

/// Which side of a fork we are on.
pub enum Side {
    /// In the process that was there, with the other's pid.
    Parent(i32),
    /// In the new one.
    Child,
}

/// What only the interpreter can do for a cell.
pub trait Interpreter {
    /// Forks as the interpreter and its libraries want to be forked.
    ///
    /// # Errors
    /// fork(2).
    fn fork(&mut self) -> Result<Side, Errno>;

    /// Takes on arguments and environment, as if executed with them.
    ///
    /// # Errors
    /// Without memory.
    fn take_on(&mut self, args: &[CString], env: &[CString]) -> Result<(), Errno>;

    /// Hears with how many bytes of memory, at most, the program may leave them to a keeper at its end.
    fn may_leave(&self, most: Option<u64>);

    /// Does ahead of need what it can: it is confined, and will be given its program next.
    fn wait(&self);

    /// Runs the script that the arguments name, to the end of the process.
    fn run(&mut self) -> !;
}

/// Serves the supervisor until it is gone: never returns.
pub fn serve(socket: &OwnedFd, mut interpreter: impl Interpreter) -> ! {
    let ready = || -> Result<_, Errno> { Ok((Shown::own()?, sys::signal::dispositions()?)) };
    let (shown, dispositions) = match ready() {
        Ok(ready) => ready,
        Err(errno) => useless(socket, &format!("cannot read what it is made of: {errno}")),
    };
    if message::send(socket.as_fd(), &Answer::Ready, &[]).is_err() {
        sys::exec::exit(1);
    }
    loop {
        let born = match message::receive_with::<Request>(socket.as_fd()) {
            Err(Errno::PIPE) => sys::exec::exit(0),
            Err(errno) => Err(errno),
            Ok((request, fds)) => give_birth(&request, fds, &shown, &dispositions, &mut interpreter),
        };
        let sent = match born {
            Ok(pidfd) => message::send(socket.as_fd(), &Answer::Born, &[pidfd.as_fd()]),
            Err(errno) => message::send(socket.as_fd(), &Answer::Failed(errno.raw_os_error()), &[]),
        };
        if sent.is_err() {
            sys::exec::exit(0);
        }
    }
}

/// Threads of this process; none where that cannot be seen.
pub fn threads() -> usize {
    // The directory has as many below it (fs/proc/base.c, proc_task_getattr), which spares reading it.
    rustix::fs::stat("/proc/self/task").map_or(0, |task| (task.st_nlink as usize).saturating_sub(2))
}

/// Says why there will be no nursery, and ends it.
pub fn useless(socket: &OwnedFd, why: &str) -> ! {
    let _ = message::send(socket.as_fd(), &Answer::Useless(why.to_owned()), &[]);
    sys::exec::exit(1)
}

fn give_birth(
    request: &Request,
    fds: Vec<OwnedFd>,
    shown: &Shown,
    dispositions: &Dispositions,
    interpreter: &mut impl Interpreter,
) -> Result<OwnedFd, Errno> {
    let mut fds = fds.into_iter();
    let mut next = || fds.next().ok_or(Errno::BADF);
    let (gate, control, birth) = (next()?, next()?, next()?);
    let inner = Inner { gate, control, birth, stdio: Some([next()?, next()?, next()?]) };
    let cgroup = if request.born_in_cgroup { Some(next()?) } else { None };
    let birth = Birth::new(&request.plan, inner, Tasks::Open(fds.collect()), Vec::new());
    match sys::clone::clone3(request.namespaces | PARENT, cgroup.as_ref().map(AsFd::as_fd))? {
        Branch::Child => first_process(birth, shown, dispositions, interpreter),
        Branch::Parent(child) => Ok(child.pidfd),
    }
}

/// The whole life of a warm cell's first process: as of a cold one's, but that it forks as the interpreter does.
fn first_process(
    mut birth: Birth<'_>,
    shown: &Shown,
    dispositions: &Dispositions,
    interpreter: &mut impl Interpreter,
) -> ! {
    birth.build();
    match interpreter.fork() {
        Err(errno) => birth.fail(act::FORK, errno),
        Ok(Side::Parent(pid)) => match rustix::process::Pid::from_raw(pid) {
            Some(pid) => reap(birth, pid),
            None => birth.fail(act::FORK, Errno::SRCH),
        },
        Ok(Side::Child) => {
            let (step, errno) = match guest(&birth, shown, dispositions, interpreter) {
                Ok(()) => {
                    // The last descriptor that is not the program's.
                    let closed = sys::fd::close_from(3, &[]);
                    std::mem::forget(birth);
                    if closed.is_err() {
                        sys::exec::exit(1);
                    }
                    interpreter.run()
                }
                Err(failed) => failed,
            };
            birth.fail(step, errno)
        }
    }
}

/// Confines this process, waits for its program and takes it on.
fn guest(
    birth: &Birth<'_>,
    shown: &Shown,
    dispositions: &Dispositions,
    interpreter: &mut impl Interpreter,
) -> Result<(), (u16, Errno)> {
    let at = |act: u16| move |errno: Errno| (act, errno);
    // The reaper is not dumpable; what is executed becomes so again, and this was not executed.
    let dumpable = rustix::process::DumpableBehavior::Dumpable;
    rustix::process::set_dumpable_behavior(dumpable).map_err(at(act::DRESS))?;
    // A thread that a library started in the child would be in no domain and behind no filter.
    if threads() != 1 {
        return Err((act::DRESS, Errno::BUSY));
    }
    let mut dress = shown.replace(&birth.plan.args, &birth.plan.env).map_err(at(act::DRESS))?;
    birth.confine()?;
    sys::signal::restore(dispositions).map_err(at(act::DRESS))?;
    interpreter.wait();
    rustix::io::write(&birth.inner.birth, &Frame::Ready.encode()).map_err(at(act::HAND_OVER))?;

    let (bytes, mut fds) = message::receive_bytes(birth.inner.birth.as_fd()).map_err(at(act::HAND_OVER))?;
    let bytes = match bytes == message::IN_A_FILE && !fds.is_empty() {
        true => read_whole(&fds.remove(0)).map_err(at(act::HAND_OVER))?,
        false => bytes,
    };
    let program: Program<Vec<CString>, Stage> =
        postcard::from_bytes(&bytes).map_err(|_| (act::HAND_OVER, Errno::PROTO))?;
    drop(bytes);
    dress.rewrite(&program.args, &program.env).map_err(at(act::DRESS))?;
    interpreter.take_on(&program.args, &program.env).map_err(at(act::DRESS))?;
    interpreter.may_leave(program.keeper);
    program.files.iter().try_for_each(stage).map_err(at(act::STAGE))?;
    let fds: Vec<OpenFile> = fds.into_iter().map(OpenFile::new).collect();
    for Part { path, mode, file, offset, size } in program.parts {
        let from = fds.get(file).ok_or((act::HAND_OVER, Errno::BADF))?.clone();
        stage(&Stage::Part { path, mode, from, offset, size }).map_err(at(act::STAGE))?;
    }
    match message::receive_bytes(birth.inner.birth.as_fd()).map_err(at(act::HAND_OVER))? {
        (word, _) if word == message::GO => {}
        _ => return Err((act::HAND_OVER, Errno::PROTO)),
    }
    // From here on it counts as started, and nobody gives it to another cell.
    rustix::io::write(&birth.inner.birth, &Frame::Ready.encode()).map(drop).map_err(at(act::HAND_OVER))
}

fn read_whole(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let size = usize::try_from(rustix::fs::fstat(file)?.st_size).map_err(|_| Errno::FBIG)?;
    let mut bytes = vec![0; size];
    let mut read = 0;
    while read < size {
        match rustix::io::pread(file, &mut bytes[read..], read as u64)? {
            0 => return Err(Errno::PIPE),
            count => read += count,
        }
    }
    Ok(bytes)
}
