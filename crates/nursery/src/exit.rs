//! The end of a process after its interpreter's: what the C library calls then.

use std::ffi::{CStr, c_int, c_void};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
