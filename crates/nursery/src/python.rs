//! The parts of CPython's C interface that a nursery calls, by name.
//!
//! Facts: "Python Initialization Configuration" and "Process-wide parameters" of the C API manual. All of these names
//! are exported by 3.9 to 3.14.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::{mem, ptr};

use gambeson_sandbox::inside::SCRIPT;

use crate::takeover::split;

pub(crate) type Object = *mut c_void;

/// `PyStatus`: what kind, where, why, and an exit code. It has been this since 3.8.
#[repr(C)]
struct Status {
    kind: c_int,
    function: *const c_char,
    message: *const c_char,
    code: c_int,
}

impl Status {
    fn result(self) -> Result<(), String> {
        if self.kind == 0 {
            return Ok(());
        }
        if self.message.is_null() {
            return Err(format!("could not initialise the interpreter (exit code {})", self.code));
        }
        // SAFETY: a message is a C string that lives for ever.
        let message = unsafe { CStr::from_ptr(self.message) };
        Err(format!("could not initialise the interpreter: {}", message.to_string_lossy()))
    }
}

macro_rules! names {
    ($($field:ident $name:literal ($($arg:ident: $argument:ty),*) $(-> $result:ty)?,)*) => {
        /// The functions, as found in this process.
        pub(crate) struct Python { $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)* }

        impl Python {
            /// Looks all of them up.
            pub(crate) fn find() -> Result<Python, String> {
                Ok(Python { $($field: {
                    // SAFETY: the name is a C string.
                    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, concat!($name, "\0").as_ptr().cast()) };
                    if found.is_null() {
                        return Err(concat!("found no ", $name, ": it is no CPython 3.9 or newer").into());
                    }
                    // SAFETY: the C interface's function of this name has this type.
                    unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(found) }
                },)* })
            }

            $(fn $field(&self, $($arg: $argument),*) $(-> $result)? {
                // SAFETY: called in this file alone, which keeps the order of the interpreter's life, from the one
                // thread of this process, which holds the interpreter's lock, with references that are alive.
                unsafe { (self.$field)($($arg),*) }
            })*
        }
    };
}

names! {
    config_init "PyConfig_InitPythonConfig" (a: *mut c_void),
    config_set_argv "PyConfig_SetBytesArgv" (a: *mut c_void, b: isize, c: *const *mut c_char) -> Status,
    config_clear "PyConfig_Clear" (a: *mut c_void),
    initialise_from "Py_InitializeFromConfig" (a: *const c_void) -> Status,
    config_in_force "_Py_GetConfig" () -> *mut c_void,
    run_to_the_end "Py_RunMain" () -> c_int,
    before_fork_parent "PyOS_BeforeFork" (),
    after_fork_child "PyOS_AfterFork_Child" (),
    import_module "PyImport_ImportModule" (a: *const c_char) -> Object,
    print_error "PyErr_Print" (),
    clear_error "PyErr_Clear" (),
    run_string "PyRun_String" (a: *const c_char, b: c_int, c: Object, d: Object) -> Object,
    release "Py_DecRef" (a: Object),
    list_new "PyList_New" (a: isize) -> Object,
    list_append "PyList_Append" (a: Object, b: Object) -> c_int,
    dict_new "PyDict_New" () -> Object,
    dict_clear "PyDict_Clear" (a: Object),
    dict_set "PyDict_SetItem" (a: Object, b: Object, c: Object) -> c_int,
    attribute "PyObject_GetAttrString" (a: Object, b: *const c_char) -> Object,
    object_call "PyObject_CallNoArgs" (a: Object) -> Object,
    dict_get_string "PyDict_GetItemString" (a: Object, b: *const c_char) -> Object,
    bytes "PyBytes_FromString" (a: *const c_char) -> Object,
    decode_path "PyUnicode_DecodeFSDefault" (a: *const c_char) -> Object,
    sys_set "PySys_SetObject" (a: *const c_char, b: Object) -> c_int,
    sys_borrow "PySys_GetObject" (a: *const c_char) -> Object,
    builtins "PyEval_GetBuiltins" () -> Object,
    dict_set_string "PyDict_SetItemString" (a: Object, b: *const c_char, c: Object) -> c_int,
    decode_wide "Py_DecodeLocale" (a: *const c_char, b: *mut usize) -> *mut libc::wchar_t,
    module_dict "PyImport_GetModuleDict" () -> Object,
    dict_copy "PyDict_Copy" (a: Object) -> Object,
    dict_next "PyDict_Next" (a: Object, b: *mut isize, c: *mut Object, d: *mut Object) -> c_int,
    dict_size "PyDict_Size" (a: Object) -> isize,
    dict_get "PyDict_GetItem" (a: Object, b: Object) -> Object,
    module_get_dict "PyModule_GetDict" (a: Object) -> Object,
    list_item "PyList_GetItem" (a: Object, b: isize) -> Object,
    list_size "PyList_Size" (a: Object) -> isize,
    long_from "PyLong_FromLong" (a: c_long) -> Object,
    long_as "PyLong_AsLong" (a: Object) -> c_long,
    is_true "PyObject_IsTrue" (a: Object) -> c_int,
    call_object "PyObject_CallObject" (a: Object, b: Object) -> Object,
    tuple_new "PyTuple_New" (a: isize) -> Object,
    tuple_set "PyTuple_SetItem" (a: Object, b: isize, c: Object) -> c_int,
    write_unraisable "PyErr_WriteUnraisable" (a: Object),
    error_occurred "PyErr_Occurred" () -> Object,
    dict_delete_item "PyDict_DelItem" (a: Object, b: Object) -> c_int,
    acquire "Py_IncRef" (a: Object),
    dict_delete "PyDict_DelItemString" (a: Object, b: *const c_char) -> c_int,
    tuple_item "PyTuple_GetItem" (a: Object, b: isize) -> Object,
    state_in_force "PyInterpreterState_Get" () -> *mut c_void,
    gc_is_tracked "PyObject_GC_IsTracked" (a: Object) -> c_int,
    gc_untrack "PyObject_GC_UnTrack" (a: Object),
    gc_track "PyObject_GC_Track" (a: Object),
    weak_new "PyWeakref_NewRef" (a: Object, b: Object) -> Object,
    sys_object "PySys_GetObject" (a: *const c_char) -> Object,
    bool_from "PyBool_FromLong" (a: c_long) -> Object,
    build_none "Py_BuildValue" (a: *const c_char) -> Object,
    unicode_utf8 "PyUnicode_AsUTF8" (a: Object) -> *const c_char,
    raw_malloc "PyMem_RawMalloc" (a: usize) -> *mut c_void,
}

/// `Py_file_input`: statements, as of a module.
const FILE_INPUT: c_int = 257;

const FLUSH: &CStr = c"
import sys
sys.stdout.flush()
sys.stderr.flush()
";

impl Python {
    /// As the interpreter's own `main` does, up to where it would run something.
    ///
    /// # Safety
    /// `argv` holds `argc` C strings.
    pub(crate) unsafe fn initialise(&self, argc: c_int, argv: *mut *mut c_char) -> Result<(), String> {
        // Its size differs between versions, and is below 600 bytes in all: room for ten times as much.
        let mut config = vec![0u64; 1024];
        let config = config.as_mut_ptr().cast::<c_void>();
        self.config_init(config);
        self.config_set_argv(config, argc as isize, argv).result()?;
        let status = self.initialise_from(config);
        self.config_clear(config);
        status.result()
    }

    pub(crate) fn import(&self, module: &str) -> Result<(), String> {
        let name = CString::new(module).map_err(|_| format!("cannot import {module:?}"))?;
        let module = self.import_module(name.as_ptr());
        if module.is_null() {
            self.print_error();
            return Err(format!("cannot import {}, which it is to preload", name.to_string_lossy()));
        }
        self.release(module);
        Ok(())
    }

    pub(crate) fn before_fork(&self) {
        self.before_fork_parent();
    }

    /// Called in the child of a fork that `before_fork` preceded.
    pub(crate) fn after_fork(&self) {
        self.after_fork_child();
    }

    /// Makes this process differ from its siblings where it must, and `os.register_at_fork` does not see to it: numpy's
    /// global generator, and the main thread's id in the kernel.
    pub(crate) fn differ(&self) {
        let modules = self.modules();
        if let Some(random) = self.get(modules, c"numpy.random") {
            drop(self.call(random, c"seed"));
        }
        if let Some(threading) = self.get(modules, c"threading")
            && let Some(main) = self.call(threading, c"main_thread")
        {
            drop(self.call(main.1, c"_set_native_id"));
        }
        self.clear_error();
    }

    /// Writes out what modules have said while they were imported: each child would say it again.
    pub(crate) fn flush(&self) {
        self.run(FLUSH);
    }

    fn run(&self, source: &CStr) {
        let Some(scope) = self.owned(self.dict_new()) else { return };
        self.dict_set_string(scope.1, c"__builtins__".as_ptr(), self.builtins());
        drop(self.owned(self.run_string(source.as_ptr(), FILE_INPUT, scope.1, scope.1)));
    }

    /// `os.environ`, which is a view of `posix.environ`: the same dictionary gets other contents.
    pub(crate) fn set_environment(&self, env: &[CString]) -> Option<()> {
        let module = self.owned(self.import_module(c"posix".as_ptr()))?;
        let dict = self.owned(self.attribute(module.1, c"environ".as_ptr()))?;
        self.dict_clear(dict.1);
        for variable in env {
            let (name, value) = split(variable)?;
            let name = self.owned(self.bytes(name.as_ptr()))?;
            let value = self.owned(self.bytes(value.as_ptr()))?;
            if self.dict_set(dict.1, name.1, value.1) != 0 {
                return None;
            }
        }
        Some(())
    }

    /// A list of `sys`, from strings.
    fn set_list(&self, name: &CStr, items: &[CString]) -> Option<()> {
        let list = self.owned(self.list_new(0))?;
        for item in items {
            let item = self.owned(self.decode_path(item.as_ptr()))?;
            if self.list_append(list.1, item.1) != 0 {
                return None;
            }
        }
        (self.sys_set(name.as_ptr(), list.1) == 0).then_some(())
    }

    /// A new reference, or `None` after an error, which is forgotten.
    fn owned(&self, object: Object) -> Option<Owned<'_>> {
        if object.is_null() {
            self.clear_error();
            return None;
        }
        Some(Owned(self, object))
    }

    /// Runs the script, and ends the interpreter.
    pub(crate) fn run_main(&self) -> c_int {
        self.run_to_the_end()
    }
}

/// A reference that is let go of.
pub(crate) struct Owned<'a>(&'a Python, Object);

impl Owned<'_> {
    pub(crate) fn object(&self) -> Object {
        self.1
    }

    /// Holds it for ever.
    pub(crate) fn keep(self) -> Object {
        std::mem::ManuallyDrop::new(self).1
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        self.0.release(self.1);
    }
}

/// Where in the interpreter's configuration the script and the arguments stand.
///
/// `Py_RunMain` reads both from there. The structure differs from version to version, so that the two are looked for:
/// the interpreter was told a script of a name that nobody else has, and the fields that hold it are these.
pub(crate) struct Config {
    /// Of `run_filename`.
    script: *mut *mut libc::wchar_t,
    /// Of `argv`: a length and an array.
    argv: *mut Wide,
}

/// `PyWideStringList`.
#[repr(C)]
struct Wide {
    length: isize,
    items: *mut *mut libc::wchar_t,
}

/// More than the structure has in any version that we know; it is part of the interpreter's state, which is several
/// times as large.
const WORDS: usize = 96;

impl Config {
    pub(crate) fn find(python: &Python) -> Result<Config, String> {
        let base = python.config_in_force().cast::<usize>();
        if base.is_null() {
            return Err("has no configuration".into());
        }
        // SAFETY: the structure is the interpreter's own, lives as long as it, and is part of a larger one.
        let words = unsafe { std::slice::from_raw_parts(base, WORDS) };
        let scripts: Vec<usize> = (0..WORDS).filter(|at| is_script(words[*at])).collect();
        let list = |at: &usize| words[*at] == 1 && peek(words[at + 1]).is_some_and(is_script);
        let lists: Vec<usize> = (0..WORDS - 1).filter(list).collect();
        match (&scripts[..], &lists[..]) {
            (&[script], &[argv]) => {
                Ok(Config { script: base.wrapping_add(script).cast(), argv: base.wrapping_add(argv).cast() })
            }
            _ => Err(format!(
                "found {} places for the script and {} for the arguments in the interpreter's configuration: its \
                 version is not known",
                scripts.len(),
                lists.len()
            )),
        }
    }

    /// Puts a program's own in: `args` begins with the interpreter's name.
    pub(crate) fn set(&self, python: &Python, args: &[CString]) -> Option<()> {
        let own = args.get(1..)?;
        // Made absolute when the arguments are read, since 3.9; in `sys.argv` it stays as it was given.
        let name = own.first()?.to_bytes();
        let place: &[u8] = if name.starts_with(b"/") { b"" } else { b"/work/" };
        let script = wide(python, &CString::new([place, name].concat()).ok()?)?;
        // By the interpreter's allocator, by which it frees the array at its end.
        let items = python.raw_malloc(size_of_val(own)).cast::<*mut libc::wchar_t>();
        if items.is_null() {
            return None;
        }
        for (place, arg) in own.iter().enumerate() {
            let place = items.wrapping_add(place);
            let arg = wide(python, arg)?;
            // SAFETY: the array has room for all of them: a `CString` is no smaller than a pointer.
            unsafe { place.write(arg) };
        }
        // SAFETY: found to be the place of this field; what it held is never freed.
        unsafe { self.script.write(script) };
        // SAFETY: as above.
        unsafe { self.argv.write(Wide { length: own.len() as isize, items }) };
        python.set_list(c"argv", own)?;
        // Since 3.10.
        if !python.sys_borrow(c"orig_argv".as_ptr()).is_null() {
            python.set_list(c"orig_argv", args)?;
        }
        Some(())
    }
}

/// Decoded as the interpreter decodes its arguments, in memory that it can free.
fn wide(python: &Python, text: &CStr) -> Option<*mut libc::wchar_t> {
    let wide = python.decode_wide(text.as_ptr(), ptr::null_mut());
    (!wide.is_null()).then_some(wide)
}

/// Whether an address is that of the script's name.
fn is_script(address: usize) -> bool {
    const LENGTH: usize = SCRIPT.to_bytes_with_nul().len();
    let mut read = [0 as libc::wchar_t; LENGTH];
    let local = libc::iovec { iov_base: read.as_mut_ptr().cast(), iov_len: size_of_val(&read) };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: size_of_val(&read) };
    let own = std::process::id() as libc::pid_t;
    // SAFETY: the kernel checks the remote address; the local one is that of `read`, of that size.
    let count = unsafe { libc::process_vm_readv(own, &raw const local, 1, &raw const remote, 1, 0) };
    let name = SCRIPT.to_bytes_with_nul().iter().map(|byte| libc::wchar_t::from(*byte));
    count as usize == size_of_val(&read) && read.iter().copied().eq(name)
}

/// The word at an address that may be none.
fn peek(address: usize) -> Option<usize> {
    let mut word = 0usize;
    let local = libc::iovec { iov_base: (&raw mut word).cast(), iov_len: size_of::<usize>() };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: size_of::<usize>() };
    let own = std::process::id() as libc::pid_t;
    // SAFETY: as in `is_script`.
    let count = unsafe { libc::process_vm_readv(own, &raw const local, 1, &raw const remote, 1, 0) };
    (count as usize == size_of::<usize>()).then_some(word)
}

/// What the end of a program asks for, see [`crate::leave`].
impl Python {
    /// As `sys.hexversion`.
    pub(crate) fn version(&self) -> Option<i64> {
        self.number(self.sys_get(c"hexversion")?)
    }

    /// Where `Py_FinalizeEx` begins.
    pub(crate) fn finalisation(&self) -> Option<usize> {
        // SAFETY: the name is a C string.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"Py_FinalizeEx".as_ptr()) };
        Some(found as usize).filter(|address| *address != 0)
    }

    pub(crate) fn clear_errors(&self) {
        self.clear_error();
    }

    pub(crate) fn none(&self) -> Object {
        // A reference too many, to an object of which there is one.
        self.build_none(c"".as_ptr())
    }

    pub(crate) fn modules(&self) -> Object {
        self.module_dict()
    }

    pub(crate) fn module(&self, name: &CStr) -> Option<Owned<'_>> {
        self.owned(self.import_module(name.as_ptr()))
    }

    pub(crate) fn attribute_of(&self, object: Object, name: &CStr) -> Option<Owned<'_>> {
        self.owned(self.attribute(object, name.as_ptr()))
    }

    /// Calls a method. An error is left set.
    pub(crate) fn call(&self, object: Object, name: &CStr) -> Option<Owned<'_>> {
        let method = self.attribute(object, name.as_ptr());
        if method.is_null() {
            return None;
        }
        let result = self.object_call(method);
        self.release(method);
        (!result.is_null()).then_some(Owned(self, result))
    }

    pub(crate) fn call_with(&self, object: Object, name: &CStr, argument: c_long) -> Option<Owned<'_>> {
        let method = self.attribute_of(object, name)?;
        let arguments = self.owned(self.tuple_new(1))?;
        // It takes the reference.
        self.tuple_set(arguments.1, 0, self.long_from(argument));
        self.owned(self.call_object(method.1, arguments.1))
    }

    /// Calls a method; an error is told as one that nobody can catch.
    pub(crate) fn call_or_tell(&self, object: Object, name: &CStr) {
        if self.call(object, name).is_none() {
            self.tell(object);
        }
    }

    pub(crate) fn has_error(&self) -> bool {
        !self.error_occurred().is_null()
    }

    /// The interpreter's state, which is of many thousands of bytes.
    pub(crate) fn state(&self) -> *mut c_void {
        self.state_in_force()
    }

    pub(crate) fn dict_without(&self, dict: Object, name: &CStr) {
        if self.dict_delete(dict, name.as_ptr()) != 0 {
            self.clear_error();
        }
    }

    pub(crate) fn tuple_at(&self, tuple: Object, at: isize) -> Option<Object> {
        Some(self.tuple_item(tuple, at)).filter(|item| !item.is_null())
    }

    /// Has the collector take a module and its dictionary for new.
    pub(crate) fn rejuvenate(&self, module: Object) {
        for object in [Some(module), self.dict_of(module)].into_iter().flatten() {
            if self.gc_is_tracked(object) == 1 {
                self.gc_untrack(object);
                self.gc_track(object);
            }
        }
    }

    /// As the interpreter tells that `sys.stdout` could not be flushed at the end.
    pub(crate) fn tell_of_flush(&self, stream: Object) {
        // Since 3.13 it has words for that.
        if self.version().is_some_and(|version| version >= 0x030d_0000) {
            // SAFETY: the name is a C string.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"PyErr_FormatUnraisable".as_ptr()) };
            if !found.is_null() {
                // SAFETY: the C interface's function of this name has this type.
                let format: unsafe extern "C" fn(*const c_char, ...) = unsafe { mem::transmute(found) };
                // SAFETY: a format without parameters.
                return unsafe { format(c"Exception ignored on flushing sys.stdout".as_ptr()) };
            }
        }
        self.tell(stream);
    }

    pub(crate) fn tell(&self, object: Object) {
        self.write_unraisable(object);
    }

    pub(crate) fn number(&self, object: Object) -> Option<i64> {
        let number = self.long_as(object);
        if number == -1 {
            self.clear_error();
            return None;
        }
        Some(number)
    }

    pub(crate) fn truth(&self, object: Object) -> Option<bool> {
        match self.is_true(object) {
            -1 => None,
            is => Some(is == 1),
        }
    }

    /// Something that can be called and says that it is so.
    pub(crate) fn always_true(&self) -> Option<Owned<'_>> {
        let yes = self.owned(self.bool_from(1))?;
        self.attribute_of(yes.1, c"__bool__")
    }

    /// Of a dictionary, by a text; borrowed.
    pub(crate) fn get(&self, dict: Object, name: &CStr) -> Option<Object> {
        Some(self.dict_get_string(dict, name.as_ptr())).filter(|found| !found.is_null())
    }

    pub(crate) fn dict_item(&self, dict: Object, key: Object) -> Option<Object> {
        Some(self.dict_get(dict, key)).filter(|found| !found.is_null())
    }

    pub(crate) fn dict_copied(&self, dict: Object) -> Option<Owned<'_>> {
        self.owned(self.dict_copy(dict))
    }

    /// A further reference.
    pub(crate) fn hold(&self, object: Object) -> Owned<'_> {
        self.acquire(object);
        Owned(self, object)
    }

    pub(crate) fn dict_without_item(&self, dict: Object, key: Object) {
        if self.dict_delete_item(dict, key) != 0 {
            self.clear_error();
        }
    }

    /// An empty dictionary, kept for ever, that [`Python::dicts_swapped`] works with; `None` if in this version it does not.
    pub(crate) fn dict_to_swap(&self) -> Option<Object> {
        let [one, other] = [self.owned(self.dict_new())?, self.owned(self.dict_new())?];
        let nothing = self.none();
        self.dict_set_string(one.1, c"".as_ptr(), nothing);
        self.dicts_swapped(one.1, other.1);
        let swapped = (self.size_of(one.1), self.size_of(other.1), self.get(other.1, c"")) == (0, 1, Some(nothing));
        (swapped && self.get(one.1, c"").is_none()).then(|| one.keep())
    }

    /// Each of two dictionaries gets what the other holds, and nothing of that is touched.
    pub(crate) fn dicts_swapped(&self, one: Object, other: Object) {
        /// `PyDictObject` (Include/cpython/dictobject.h) behind its head, the same from 3.9 to 3.13: how many, a number
        /// of the version, keys and values.
        type Contents = [usize; 4];
        let contents = |dict: Object| dict.cast::<usize>().wrapping_add(2).cast::<Contents>();
        // SAFETY: both are dictionaries, which are as large as this; the interpreter's lock is held.
        unsafe { ptr::swap(contents(one), contents(other)) }
    }

    pub(crate) fn dict_emptied(&self, dict: Object) {
        self.dict_clear(dict);
    }

    pub(crate) fn size_of(&self, dict: Object) -> isize {
        self.dict_size(dict)
    }

    /// Each entry of a dictionary that does not change meanwhile.
    pub(crate) fn each(&self, dict: Object, mut with: impl FnMut(Object, Object)) {
        let (mut at, mut key, mut value) = (0, ptr::null_mut(), ptr::null_mut());
        while self.dict_next(dict, &raw mut at, &raw mut key, &raw mut value) != 0 {
            with(key, value);
        }
    }

    /// The dictionary of a module, borrowed; `None` for what is none.
    pub(crate) fn dict_of(&self, module: Object) -> Option<Object> {
        let dict = self.module_get_dict(module);
        if dict.is_null() {
            self.clear_error();
            return None;
        }
        Some(dict)
    }

    /// Of a list, borrowed.
    pub(crate) fn item(&self, list: Object, at: isize) -> Option<Object> {
        Some(self.list_item(list, at)).filter(|item| !item.is_null())
    }

    pub(crate) fn length(&self, list: Object) -> isize {
        self.list_size(list)
    }

    pub(crate) fn sys_get(&self, name: &CStr) -> Option<Object> {
        let none = self.none();
        Some(self.sys_object(name.as_ptr())).filter(|object| !object.is_null() && *object != none)
    }

    pub(crate) fn sys_put(&self, name: &CStr, object: Object) {
        if self.sys_set(name.as_ptr(), object) != 0 {
            self.clear_error();
        }
    }

    pub(crate) fn is_main(&self, name: Object) -> bool {
        let text = self.unicode_utf8(name);
        if text.is_null() {
            self.clear_error();
            return false;
        }
        // SAFETY: a C string that lives as long as the object.
        unsafe { CStr::from_ptr(text) == c"__main__" }
    }

    pub(crate) fn weak(&self, object: Object) -> Option<Owned<'_>> {
        self.owned(self.weak_new(object, ptr::null_mut()))
    }

    /// What a weak reference leads to, if it is still there.
    pub(crate) fn weakly(&self, weak: &Owned<'_>) -> Option<Owned<'_>> {
        let none = self.none();
        self.owned(self.object_call(weak.1)).filter(|object| object.1 != none)
    }

    /// Lets go of what a module's dictionary holds after its first `from` entries, as `_PyModule_Clear` does: names with
    /// one underscore first, and `__builtins__` stays.
    pub(crate) fn forget(&self, dict: Object, from: isize) {
        let none = self.none();
        for underscored in [true, false] {
            let Some(copy) = self.dict_copied(dict) else { return self.clear_error() };
            let mut at = 0;
            self.each(copy.1, |key, value| {
                at += 1;
                let text = self.unicode_utf8(key);
                if at <= from || value == none || text.is_null() {
                    return self.clear_error();
                }
                // SAFETY: a C string that lives as long as the object.
                let name = unsafe { CStr::from_ptr(text) }.to_bytes();
                let single = name.starts_with(b"_") && !name.starts_with(b"__");
                if single == underscored && name != b"__builtins__" {
                    self.dict_set(dict, key, none);
                }
            });
        }
    }
}
