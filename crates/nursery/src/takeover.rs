//! The `main` that is run instead of the interpreter's.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::{env, fs, mem};

use gambeson_sandbox::inside::{Interpreter, Side, VARIABLE, serve, threads, useless};
use rustix::io::Errno;

use crate::pages::Pages;
use crate::python::{Config, Python};

type Main = extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;
type StartMain =
    extern "C" fn(Main, c_int, *mut *mut c_char, *mut c_void, *mut c_void, *mut c_void, *mut c_void) -> c_int;

/// Called by the start of every executable, with the address of its `main` (glibc, csu/libc-start.c).
///
/// # Safety
/// Called by the C start-up code alone, with what glibc's own function of this name is called with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_start_main(
    main: Main,
    argc: c_int,
    argv: *mut *mut c_char,
    init: *mut c_void,
    fini: *mut c_void,
    rtld_fini: *mut c_void,
    stack_end: *mut c_void,
) -> c_int {
    // SAFETY: the name is a C string.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"__libc_start_main".as_ptr()) };
    if next.is_null() {
        // SAFETY: takes no pointer.
        unsafe { libc::_exit(127) }
    }
    // SAFETY: glibc's function of this name has this type.
    let next: StartMain = unsafe { mem::transmute(next) };
    let (main, rtld_fini) = if env::var_os(VARIABLE).is_some() {
        (nursery_main as Main, crate::exit::begin(rtld_fini))
    } else {
        (main, rtld_fini)
    };
    next(main, argc, argv, init, fini, rtld_fini, stack_end)
}

extern "C" fn nursery_main(argc: c_int, argv: *mut *mut c_char, envp: *mut *mut c_char) -> c_int {
    // SAFETY: what the kernel made is as it was: the environment is changed only below.
    let vector = unsafe { Vector::after(envp) };
    let Some(orders) = Orders::take() else { return 127 };
    let socket = orders.socket;
    // Nobody reads our standard output, and somebody our standard error.
    // SAFETY: takes no pointer; nobody relies on what was open there.
    unsafe { libc::dup2(2, 1) };
    let started = Python::find().and_then(|python| {
        // As long as the process.
        let python: &'static Python = Box::leak(Box::new(python));
        // SAFETY: `argv` is what the kernel made, with `argc` strings.
        unsafe { python.initialise(argc, argv)? };
        settle(&socket)?;
        for module in &orders.preload {
            python.import(module)?;
            settle(&socket).map_err(|why| format!("{why} after importing {module}, which it is to preload"))?;
        }
        python.flush();
        // SAFETY: a null pointer means all streams of the C library.
        unsafe { libc::fflush(std::ptr::null_mut()) };
        crate::hide::hide()?;
        let config = Config::find(python)?;
        crate::leave::prepare(python, !orders.preload.is_empty())?;
        let mut nursery = Nursery { python, config, vector, pages: Pages::default() };
        crate::exit::serve();
        nursery.pages = Pages::find(&mut nursery, &crate::exercise::program(&orders.preload));
        Ok(nursery)
    });
    match started {
        Ok(nursery) => serve(&socket, nursery),
        Err(why) => useless(&socket, &why),
    }
}

/// What the supervisor wants.
struct Orders {
    socket: OwnedFd,
    preload: Vec<String>,
}

impl Orders {
    /// Takes them out of the environment, before the interpreter copies it, and lets go of the library's descriptor.
    fn take() -> Option<Orders> {
        let words = env::var(VARIABLE).ok()?;
        for name in [VARIABLE, "LD_PRELOAD"] {
            // SAFETY: this process has one thread yet.
            unsafe { env::remove_var(name) };
        }
        let mut words = words.splitn(3, ' ');
        let mut number = || words.next()?.parse::<c_int>().ok().filter(|number| *number > 2);
        let (socket, library) = (number()?, number()?);
        // SAFETY: the supervisor put this descriptor here for us, and nobody else knows of it.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        // SAFETY: as above.
        drop(unsafe { OwnedFd::from_raw_fd(library) });
        let preload = words.next().unwrap_or_default().split(',').filter(|name| !name.is_empty());
        Some(Orders { socket, preload: preload.map(str::to_owned).collect() })
    }
}

/// Makes sure that this process can be forked at any time from now on: of one thread, with no descriptor that a
/// module holds.
fn settle(socket: &OwnedFd) -> Result<(), String> {
    // Libraries that keep threads (OpenBLAS) end them before a fork, and start them again when they have work
    // (pthread_atfork(3)). A fork made here leaves this process without them.
    // SAFETY: the child does nothing but end.
    match unsafe { libc::fork() } {
        // SAFETY: takes no pointer.
        0 => unsafe { libc::_exit(0) },
        // SAFETY: a null pointer asks for no status.
        pid if pid > 0 => drop(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }),
        _ => return Err("cannot fork".into()),
    }
    // A thread that was joined may still be listed for a moment.
    let mut left = threads();
    for _ in 0..100 {
        if left == 1 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
        left = threads();
    }
    if left != 1 {
        return Err(format!("has {left} threads, with which it cannot fork safely,"));
    }
    let maps = fs::read_to_string("/proc/self/maps").map_err(|error| error.to_string())?;
    if maps
        .lines()
        .any(|line| line.split(' ').nth(1).is_some_and(|access| access.starts_with("rw") && access.ends_with('s')))
    {
        return Err("keeps memory that all cells would write to together".into());
    }
    let ours = |number: c_int| number <= 2 || number == socket.as_raw_fd();
    let open: Vec<String> = fs::read_dir("/proc/self/fd")
        .map_err(|error| error.to_string())?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, fs::read_link(entry.path()).ok()?)))
        // The directory that is being read is open too, and gone by the time we look where it leads to.
        .filter(|(number, to)| number.parse().is_ok_and(|number| !ours(number)) && !to.starts_with("/proc"))
        .map(|(_, to)| to.display().to_string())
        .collect();
    if open.is_empty() { Ok(()) } else { Err(format!("has {} open", open.join(", "))) }
}

struct Nursery {
    python: &'static Python,
    config: Config,
    vector: Vector,
    pages: Pages,
}

impl Interpreter for Nursery {
    fn fork(&mut self) -> Result<Side, Errno> {
        self.python.before_fork();
        // SAFETY: this process has one thread, so that the child is a whole copy.
        match unsafe { libc::fork() } {
            0 => {
                self.python.after_fork();
                self.python.differ();
                Ok(Side::Child)
            }
            pid if pid > 0 => Ok(Side::Parent(pid)),
            _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::AGAIN)),
        }
    }

    fn take_on(&mut self, args: &[CString], env: &[CString]) -> Result<(), Errno> {
        set_environment(env)?;
        self.vector.tell_ids();
        self.python.set_environment(env).and_then(|()| self.config.set(self.python, args)).ok_or(Errno::NOMEM)
    }

    fn may_leave(&self, most: Option<u64>) {
        crate::exit::may_leave(most);
    }

    fn wait(&self) {
        self.pages.take();
    }

    fn run(&mut self) -> ! {
        let code = self.python.run_main();
        // As the C start-up code does with what `main` returns.
        // SAFETY: takes no pointer; handlers that were registered run now, as they do for every program.
        unsafe { libc::exit(code) }
    }
}

/// The auxiliary vector that the C library reads (getauxval(3)): pairs of words on the stack, the last with type zero.
struct Vector(*mut [u64; 2]);

impl Vector {
    /// It stands behind the environment (proc_pid_auxv(5); the x86-64 ABI, "Initial Stack").
    ///
    /// # Safety
    /// `envp` is what the kernel made.
    unsafe fn after(mut envp: *mut *mut c_char) -> Vector {
        // SAFETY: as the caller says, a null pointer ends it.
        while !unsafe { envp.read() }.is_null() {
            envp = envp.wrapping_add(1);
        }
        Vector(envp.wrapping_add(1).cast())
    }

    /// Says the ids that this process has, which are not those of who was executed.
    fn tell_ids(&self) {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let mut at = self.0;
        loop {
            // SAFETY: the vector is on the stack of the process' first function, and `at` is not beyond its last pair.
            let [kind, _] = unsafe { at.read() };
            let id = match kind {
                libc::AT_NULL => break,
                libc::AT_UID | libc::AT_EUID => uid,
                libc::AT_GID | libc::AT_EGID => gid,
                _ => {
                    at = at.wrapping_add(1);
                    continue;
                }
            };
            // SAFETY: as above; nobody else holds a reference to it.
            unsafe { at.write([kind, id.into()]) };
            at = at.wrapping_add(1);
        }
    }
}

/// The C library's own environment.
fn set_environment(env: &[CString]) -> Result<(), Errno> {
    // SAFETY: this process has one thread.
    unsafe { libc::clearenv() };
    for variable in env {
        let (name, value) = split(variable).ok_or(Errno::INVAL)?;
        // SAFETY: both are C strings, which the C library copies.
        if unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) } != 0 {
            return Err(Errno::NOMEM);
        }
    }
    Ok(())
}

/// Name and value of `NAME=value`.
pub(crate) fn split(variable: &CStr) -> Option<(CString, &CStr)> {
    let bytes = variable.to_bytes_with_nul();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    Some((CString::new(&bytes[..at]).ok()?, CStr::from_bytes_with_nul(&bytes[at + 1..]).ok()?))
}
