//! The end of a process after its interpreter's: what the C library calls then.

use std::arch::asm;
use std::ffi::{CStr, c_int, c_void};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use gambeson_sandbox::inside::{KEEPER_NICE, threads};

type Registered = extern "C" fn(*mut c_void);
type Register = extern "C" fn(Registered, *mut c_void, *mut c_void) -> c_int;

/// Whether what is registered is the nursery's, and no program's.
static IN_NURSERY: AtomicBool = AtomicBool::new(false);
/// The loader's own last function, where this is a nursery.
static LOADERS: AtomicUsize = AtomicUsize::new(0);

/// From here on what is registered is the nursery's. Returns what the C library is to call last: the loader's `last`, which runs
/// the destructors of libraries, and then what looks at a program that is wholly at its end.
pub(crate) fn begin(last: *mut c_void) -> *mut c_void {
    IN_NURSERY.store(true, Ordering::Relaxed);
    LOADERS.store(last as usize, Ordering::Relaxed);
    at_last as *const () as *mut c_void
}

/// From here on what is registered is a program's.
pub(crate) fn serve() {
    IN_NURSERY.store(false, Ordering::Relaxed);
}

extern "C" fn at_last() {
    let loaders = LOADERS.load(Ordering::Relaxed);
    if loaders != 0 {
        // SAFETY: what the kernel's start of this process handed to the C library for this, a function of this type
        // (the x86-64 ABI, "Process Initialization").
        let loaders: extern "C" fn() = unsafe { mem::transmute(loaders) };
        loaders();
    }
    crate::pages::at_the_end();
    leave_memory();
}

/// With how many bytes of memory, at most, a program may leave it; 0 if it may not.
static MAY_LEAVE: AtomicU64 = AtomicU64::new(0);

pub(crate) fn may_leave(most: Option<u64>) {
    MAY_LEAVE.store(most.unwrap_or(0), Ordering::Relaxed);
}

/// Has another process keep the memory of this one, which then ends without it: who waits for the program's end need not
/// wait until the kernel has let go of thousands of pages. It has no descriptors, is given no signals, never runs an instruction
/// but to wait, and is killed with the cell.
///
/// Only of a program that is alone in its cell, and has used little enough of what it may, so that the one process more is never
/// what hits a limit.
fn leave_memory() {
    let most = MAY_LEAVE.load(Ordering::Relaxed);
    if most == 0 || !is_alone() || used().is_none_or(|used| used.saturating_add(used / 8).saturating_add(ROOM) > most) {
        return;
    }
    // What is held back there would be written after this, and might have to wait.
    // SAFETY: a null pointer means all streams of the C library.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    let (all, mut before) = (u64::MAX, 0u64);
    // SAFETY: both are sets of signals of this size.
    let blocked = unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &all, &mut before, 8) } == 0;
    if !blocked {
        return;
    }
    // SAFETY: every signal is blocked, this is the only thread, and it holds nothing that a copy of its descriptors may not.
    let pid = unsafe { keeper() };
    match i32::try_from(pid) {
        // SAFETY: takes no pointer. By this the reaper knows it.
        Ok(FIRST) => drop(unsafe { libc::setpriority(libc::PRIO_PROCESS, FIRST as libc::id_t, KEEPER_NICE) }),
        // There were other processes before, and no keeper is told from those.
        // SAFETY: a child of ours that was not waited for.
        Ok(pid @ 1..) => drop(unsafe { libc::kill(pid, libc::SIGKILL) }),
        _ => {}
    }
    // SAFETY: as above.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &before, std::ptr::null_mut::<u64>(), 8) };
}

/// What the kernel itself needs for one process more, and what it has for this one, many times.
const ROOM: u64 = 16 << 20;
/// The reaper is 1, the program 2.
const FIRST: i32 = 3;

fn is_alone() -> bool {
    // The kernel allows two more than the cell may have: in one for a single process, a keeper would be one too many.
    let mut processes = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it is written to.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NPROC, &mut processes) } == 0;
    // Of all processes that this one sees, but for itself and the first, none is there (kill(2)).
    // SAFETY: takes no pointer; no signal is sent.
    let nobody =
        || unsafe { libc::kill(-1, 0) } == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
    known && processes.rlim_cur >= 4 && threads() == 1 && nobody()
}

/// Bytes of memory that are charged to the cell by now, at most but for the kernel's own: what the program had at its peak, shared
/// pages among it, and what is in files.
fn used() -> Option<u64> {
    // SAFETY: all its fields may be zero.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: it is written to.
    let known = unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) } == 0;
    let files = rustix::fs::statfs(c"/work").ok()?;
    let blocks = files.f_blocks.saturating_sub(files.f_bfree);
    let peak = u64::try_from(usage.ru_maxrss).ok().filter(|_| known)?;
    Some(peak.saturating_mul(1024).saturating_add(blocks.saturating_mul(files.f_bsize as u64)))
}

/// Starts a process that shares this one's memory, closes its descriptors, and waits for ever. Returns its pid, or an error's
/// negative number.
///
/// # Safety
/// Every signal is blocked: a handler of the new process would run on the stack of this one.
#[cfg(target_arch = "x86_64")]
unsafe fn keeper() -> i64 {
    let pid;
    // SAFETY: the new process has the stack pointer of this one, and touches no memory: nothing but registers, in system calls.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 3f",
            "mov eax, {close_range}",
            "xor edi, edi",
            "mov esi, -1",
            "xor edx, edx",
            "syscall",
            "2:",
            "mov eax, {pause}",
            "syscall",
            "jmp 2b",
            "3:",
            close_range = const libc::SYS_close_range,
            pause = const libc::SYS_pause,
            inlateout("rax") libc::SYS_clone => pid,
            in("rdi") libc::CLONE_VM,
            in("rsi") 0,
            in("rdx") 0,
            in("r10") 0,
            in("r8") 0,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    pid
}

/// As on x86-64. (There is no pause(2); ppoll(2) without a time waits as long.)
///
/// # Safety
/// As there.
#[cfg(target_arch = "aarch64")]
unsafe fn keeper() -> i64 {
    let pid;
    // SAFETY: as on x86-64.
    unsafe {
        asm!(
            "svc 0",
            "cbnz x0, 3f",
            "mov x8, {close_range}",
            "mov x0, 0",
            "mov w1, -1",
            "mov x2, 0",
            "svc 0",
            "2:",
            "mov x8, {ppoll}",
            "mov x0, 0",
            "mov x1, 0",
            "mov x2, 0",
            "mov x3, 0",
            "svc 0",
            "b 2b",
            "3:",
            close_range = const libc::SYS_close_range,
            ppoll = const libc::SYS_ppoll,
            in("x8") libc::SYS_clone,
            inlateout("x0") i64::from(libc::CLONE_VM) => pid,
            in("x1") 0,
            in("x2") 0,
            in("x3") 0,
            in("x4") 0,
            options(nostack),
        );
    }
    pid
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn keeper() -> i64 {
    -i64::from(libc::ENOSYS)
}

/// Where libraries register what is to be called at the end (the C++ ABI, 3.3.5.3). All of it is passed on, but for one that a
/// library of the nursery's registers: OpenSSL's gives all its memory back, which the kernel takes anyway, and writes for it to
/// hundreds of pages that are shared.
///
/// # Safety
/// As of the C library's function of this name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __cxa_atexit(function: Registered, argument: *mut c_void, library: *mut c_void) -> c_int {
    if IN_NURSERY.load(Ordering::Relaxed) && name_of(function) == Some(c"OPENSSL_cleanup") {
        return 0;
    }
    // SAFETY: the name is a C string.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"__cxa_atexit".as_ptr()) };
    if next.is_null() {
        return -1;
    }
    // SAFETY: the C library's function of this name has this type.
    let next: Register = unsafe { mem::transmute(next) };
    next(function, argument, library)
}

/// What a library calls this function, if others may call it.
fn name_of(function: Registered) -> Option<&'static CStr> {
    // SAFETY: all its fields may be zero.
    let mut found: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: any address may be asked about; `found` is written to.
    let known = unsafe { libc::dladdr(function as *const c_void, &mut found) } != 0;
    let exactly = known && !found.dli_sname.is_null() && found.dli_saddr as usize == function as usize;
    // SAFETY: a C string of a library that is loaded, and is not unloaded while one of its functions is asked about.
    exactly.then(|| unsafe { CStr::from_ptr(found.dli_sname) })
}
