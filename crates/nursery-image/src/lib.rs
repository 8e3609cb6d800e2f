//! The bytes of the library that turns an interpreter into a nursery: what `gambeson-nursery` is built to.
//!
//! They are in the program, so that one file is all there is to install; [`gambeson_sandbox::Wanted`] takes them.
//!
//! [`gambeson_sandbox::Wanted`]: ../gambeson_sandbox/struct.Wanted.html

/// The shared object.
pub static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/nursery.so"));
