//! The library that turns an interpreter into a nursery of cells.
//!
//! The loader puts it before the C library (LD_PRELOAD, ld.so(8)), so that its `__libc_start_main` is the one that the
//! interpreter's start calls. It initialises the interpreter as the interpreter's own `main` would, imports what is to
//! be there ahead of need, and then serves: each cell that is forked from here runs `Py_RunMain`, the second half of
//! that same `main`, so that no frame, no module and no hook of ours is below a program.
//!
//! Nothing is linked against any Python: all of it is looked up by name in the process that we are loaded into, and of
//! no structure is a layout assumed. What differs between versions is found by looking (see [`python::Config`]).

#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

mod exercise;
mod exit;
mod hide;
mod leave;
mod moved;
mod pages;
mod python;
mod takeover;
