//! The end of a program, without taking the interpreter apart.
//!
//! `Py_FinalizeEx` does two things. What a program can see: threads are waited for, `atexit` handlers run, streams are
//! flushed, and what the program made goes, its destructors running. And what it cannot: every object that the
//! interpreter itself made is visited and let go of, before the process ends anyway. In a forked process the second writes
//! to nearly every page that it shares with the nursery, which takes many times as long as a small program.
//!
//! Here the first is done, in the order of CPython's own (Python/pylifecycle.c, `Py_FinalizeEx` and
//! `finalize_modules`), and the second left to the kernel. The interpreter's function is replaced at its entry, so that
//! both of its callers, the end of `main` and `SystemExit`, come here and keep their exit codes. Whatever is unusual (threads
//! that still run, other interpreters, a collector that is watched) has the interpreter's own called after all.

use std::ffi::{CStr, c_int, c_long};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::{fs, mem};

use gambeson_sandbox::inside::threads;

use crate::moved::{self, JUMP};
use crate::python::{Object, Owned, Python};

struct Leave {
    python: &'static Python,
    /// Where the interpreter's own function can be called.
    own: usize,
    gc: Object,
    /// The modules of the nursery, by name, held for ever; and the sizes of their dictionaries.
    names: Object,
    dicts: Vec<(usize, isize)>,
    /// An empty dictionary, to which what is imported is moved at the end, where that can be done.
    emptied: Option<Object>,
    /// Collections of the two older generations before the program.
    collections: [i64; 2],
}

// SAFETY: the references are used by the one thread of a process alone, under the interpreter's lock.
unsafe impl Send for Leave {}
// SAFETY: as above.
unsafe impl Sync for Leave {}

static LEAVE: OnceLock<Leave> = OnceLock::new();

/// Replaces the interpreter's function, once everything is imported; `preloaded` if that is more than an interpreter's own.
pub(crate) fn prepare(python: &'static Python, preloaded: bool) -> Result<(), String> {
    // 3.14 counts the collector's generations another way.
    if python.version().is_none_or(|version| version >= 0x030e_0000) {
        return Ok(());
    }
    let none = || "cannot read what is imported".to_owned();
    let modules = python.modules();
    let imported = python.get(modules, c"gc").is_some();
    let gc = python.module(c"gc").ok_or_else(none)?.keep();
    if !imported {
        python.dict_without(modules, c"gc");
    }
    // What was imported ahead of need is many times what an interpreter has. A program can see that it is frozen, as it can
    // see that it is there; that the collector passes over it is worth more than that.
    if preloaded {
        for name in [c"collect", c"freeze"] {
            python.call(gc, name).ok_or_else(none)?;
        }
    }
    // All that is there becomes old: what a program makes is told from it by being young. The collector's counts stay.
    let frozen = python.call(gc, c"get_freeze_count").and_then(|count| python.number(count.object()));
    let mut collections = collections(python, gc).ok_or_else(none)?;
    match Counts::find(python, gc).filter(|_| frozen == Some(0)) {
        Some(counts) => {
            let before = counts.get();
            for name in [c"freeze", c"unfreeze"] {
                python.call(gc, name).ok_or_else(none)?;
            }
            counts.set(before);
        }
        // Some versions freeze what they make at their start, which is not to be seen undone; with preloaded modules all
        // is frozen already, and a whole collection is one of the program's.
        None => collections = [-1, -1],
    }
    let names = python.dict_copied(modules).ok_or_else(none)?;
    // That one is the program's to be.
    python.dict_without(names.object(), c"__main__");
    let mut dicts = Vec::new();
    python.each(names.object(), |_, module| {
        if let Some(dict) = python.dict_of(module) {
            dicts.push((dict as usize, python.size_of(dict)));
        }
    });
    let entry = python.finalisation().ok_or("found no Py_FinalizeEx")?;
    // Through here the kernel writes to pages that are not writable, and changes nothing of how they are mapped; where it
    // does not, or the function cannot be called from elsewhere, programs end as the interpreter ends them.
    let memory = fs::OpenOptions::new().read(true).write(true).open("/proc/self/mem");
    let Ok(memory) = memory else { return Ok(()) };
    let Some(own) = moved::entry_of(entry, &memory) else { return Ok(()) };
    let emptied = python.dict_to_swap();
    if LEAVE.set(Leave { python, own, gc, names: names.keep(), dicts, emptied, collections }).is_err() {
        return Err("is prepared twice".into());
    }
    // mov rax, leave; jmp rax
    let mut jump: [u8; JUMP] = [0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0];
    jump[2..10].copy_from_slice(&(leave as *const () as usize).to_le_bytes());
    drop(memory.write_all_at(&jump, entry as u64));
    Ok(())
}

/// How many objects came into each of the collector's generations, as it counts them.
struct Counts(*mut Generation);

/// `struct gc_generation` (Include/internal/pycore_gc.h), the same from 3.9 to 3.13.
#[repr(C)]
#[derive(Clone, Copy)]
struct Generation {
    head: [usize; 2],
    threshold: c_int,
    count: c_int,
}

impl Counts {
    /// Looks for the three of them in the interpreter's state, by their thresholds.
    fn find(python: &Python, gc: Object) -> Option<Counts> {
        let thresholds = python.call(gc, c"get_threshold")?;
        let threshold = |at| python.number(python.tuple_at(thresholds.object(), at)?).map(|number| number as c_int);
        let thresholds = [threshold(0)?, threshold(1)?, threshold(2)?];
        // The state is far larger than this.
        const WORDS: usize = 2048;
        let base = python.state().cast::<usize>();
        let mut found = None;
        for word in 0..WORDS {
            let place = base.wrapping_add(word).cast::<[Generation; 3]>();
            // SAFETY: within the interpreter's state; any bits are numbers.
            let generations = unsafe { place.read() };
            if generations.map(|one| one.threshold) == thresholds {
                if found.is_some() {
                    return None;
                }
                found = Some(Counts(place.cast()));
            }
        }
        found
    }

    fn get(&self) -> [c_int; 3] {
        // SAFETY: found to be the place of three.
        unsafe { self.0.cast::<[Generation; 3]>().read() }.map(|one| one.count)
    }

    fn set(&self, counts: [c_int; 3]) {
        for (at, count) in counts.into_iter().enumerate() {
            let place = self.0.wrapping_add(at);
            // SAFETY: as above.
            unsafe { (*place).count = count };
        }
    }
}

/// In the place of `Py_FinalizeEx`.
extern "C" fn leave() -> c_int {
    let Some(leave) = LEAVE.get() else { return -1 };
    if let Some(status) = leave.end() {
        return status;
    }
    // SAFETY: what was moved from the entry of the interpreter's own function, which has this type, and goes on in it.
    let own: extern "C" fn() -> c_int = unsafe { mem::transmute(leave.own) };
    own()
}

fn collections(python: &Python, gc: Object) -> Option<[i64; 2]> {
    let stats = python.call(gc, c"get_stats")?;
    let of = |generation: isize| {
        let one = python.item(stats.object(), generation)?;
        python.number(python.get(one, c"collections")?)
    };
    Some([of(1)?, of(2)?])
}

/// Attributes of `sys` that the interpreter takes away first.
const SYS_GONE: [&CStr; 11] = [
    c"path",
    c"argv",
    c"ps1",
    c"ps2",
    c"last_exc",
    c"last_type",
    c"last_value",
    c"last_traceback",
    c"path_hooks",
    c"path_importer_cache",
    c"meta_path",
];

impl Leave {
    /// What a program can see of the end. `None` where something is unusual: then nothing is lost yet.
    fn end(&self) -> Option<c_int> {
        let python = self.python;
        let (modules, gc) = (python.modules(), self.gc);
        if python.has_error() {
            return None;
        }
        let watched = python.get(python.dict_of(gc)?, c"callbacks").is_none_or(|list| python.length(list) != 0);
        let debug = python.call(gc, c"get_debug").and_then(|flags| python.number(flags.object()));
        let others = [c"_xxsubinterpreters", c"_interpreters", c"_xxinterpchannels"];
        if watched || debug != Some(0) || others.iter().any(|name| python.get(modules, name).is_some()) {
            return None;
        }
        if let Some(threading) = python.get(modules, c"threading") {
            python.call_or_tell(threading, c"_shutdown");
        }
        if threads() != 1 {
            return None;
        }
        let atexit = python.module(c"atexit")?;
        drop(python.call(atexit.object(), c"_run_exitfuncs"));
        python.clear_errors();
        if threads() != 1 {
            return None;
        }
        let status = self.flush();
        // A collection of ours counts too, so that this is looked at once.
        let young = collections(python, gc) == Some(self.collections);
        // Programs ask for this in destructors.
        if let Some(yes) = python.always_true() {
            python.sys_put(c"is_finalizing", yes.object());
        }
        if python.call(gc, c"isenabled").and_then(|is| python.number(is.object())) == Some(1) {
            self.collect(young.then_some(0));
        }
        self.clear_modules(modules, young);
        // What destructors wrote. Whether that succeeds is nobody's concern any more.
        for name in [c"stdout", c"stderr"] {
            if let Some(stream) = python.sys_get(name) {
                drop(python.call(stream, c"flush"));
                python.clear_errors();
            }
        }
        Some(status)
    }

    fn flush(&self) -> c_int {
        let python = self.python;
        let mut status = 0;
        for (name, tell) in [(c"stdout", true), (c"stderr", false)] {
            let Some(stream) = python.sys_get(name) else { continue };
            let closed = python.attribute_of(stream, c"closed").and_then(|closed| python.truth(closed.object()));
            python.clear_errors();
            if closed == Some(true) {
                continue;
            }
            if python.call(stream, c"flush").is_none() {
                if tell {
                    python.tell_of_flush(stream)
                } else {
                    python.clear_errors()
                }
                status = -1;
            }
        }
        status
    }

    /// Only what is young, if nothing of the program's can have become old: the rest is the nursery's.
    /// A generation's collection makes old what it leaves, so that the first of two takes the youngest alone.
    fn collect(&self, young: Option<c_long>) {
        let (python, gc) = (self.python, self.gc);
        drop(match young {
            Some(generation) => python.call_with(gc, c"collect", generation),
            None => python.call(gc, c"collect"),
        });
        python.clear_errors();
    }

    fn clear_modules(&self, modules: Object, young: bool) {
        let python = self.python;
        for name in SYS_GONE {
            python.sys_put(name, python.none());
        }
        for (name, original) in [(c"stdin", c"__stdin__"), (c"stdout", c"__stdout__"), (c"stderr", c"__stderr__")] {
            python.sys_put(name, python.sys_get(original).unwrap_or(python.none()));
        }
        // From here on nothing is imported, as far as what follows can see; and those of the nursery are not let go of
        // one by one, which would write to each.
        let all = self.emptied.unwrap_or(modules);
        if self.emptied.is_some() {
            python.dicts_swapped(modules, all);
        }
        // Those of the program: what the nursery does not hold under this name. Nothing is made while this looks.
        let mut own: Vec<(Object, Object)> = Vec::new();
        python.each(all, |name, module| {
            if python.is_main(name) {
                // It was made with the interpreter; what it holds was not, and is to be looked at with it.
                python.rejuvenate(module);
            }
            if python.dict_item(self.names, name) != Some(module) {
                own.push((name, module));
            }
        });
        let own: Vec<(Owned<'_>, Owned<'_>)> =
            own.into_iter().map(|(name, module)| (python.hold(name), python.hold(module))).collect();
        let mut weak: Vec<Owned<'_>> = Vec::new();
        for (name, module) in own {
            weak.extend(python.weak(module.object()));
            drop(module);
            if self.emptied.is_some() {
                python.dict_without_item(all, name.object());
            }
        }
        python.clear_errors();
        if self.emptied.is_none() {
            python.dict_emptied(modules);
        }
        self.collect(young.then_some(1));
        // The last that was imported first.
        for weak in weak.iter().rev() {
            if let Some(module) = python.weakly(weak)
                && let Some(dict) = python.dict_of(module.object())
            {
                python.forget(dict, 0);
            }
        }
        // What it put into modules of the nursery's.
        for (dict, size) in &self.dicts {
            let dict = *dict as Object;
            if python.size_of(dict) > *size {
                python.forget(dict, *size);
            }
        }
        python.clear_errors();
    }
}
