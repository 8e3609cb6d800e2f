//! Links the unwinder in, which Rust's standard library takes from a shared object: the loader would list one more
//! than a program finds that was started cold.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CC");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let asked = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output().expect("what links can be asked");
    let path = String::from_utf8(asked.stdout).expect("a path of the toolchain is text");
    let path = Path::new(path.trim());
    // Without it what comes out works too, but for that a program could tell.
    if path.is_absolute() && path.is_file() {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--whole-archive,{},--no-whole-archive", path.display());
    } else {
        println!("cargo::warning=there is no libgcc_eh.a: a program can tell a warm start from a cold one");
    }
}
