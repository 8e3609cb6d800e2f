//! Finds the shared object that Cargo built of `gambeson-nursery`.

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR").expect("Cargo says where to write");
    // <target>/<profile>/build/<package>/out; what a build script depends on is in <target>/<profile>/deps.
    let profile = Path::new(&out).ancestors().nth(3).expect("it is that deep");
    let mut places = vec![profile.join("deps")];
    // With `--target`, ours is one directory further down than what was built for this machine.
    places.extend(
        profile.ancestors().nth(2).zip(profile.file_name()).map(|(target, name)| target.join(name).join("deps")),
    );
    let found = places.iter().map(|place| place.join("libgambeson_nursery.so")).find(|path| path.is_file());
    let Some(found) = found else { panic!("there is no libgambeson_nursery.so in {places:?}") };
    println!("cargo::rerun-if-changed={}", found.display());
    let bytes = fs::read(&found).expect("it can be read");
    assert!(is_whole(&bytes), "{} is cut short: build again", found.display());
    fs::write(Path::new(&out).join("nursery.so"), bytes).expect("it can be written");
}

/// Whether an ELF file reaches to the end of its table of sections, which is the last of it (elf(5)).
fn is_whole(bytes: &[u8]) -> bool {
    let number = |at: usize, size: usize| {
        let field = bytes.get(at..at + size)?;
        Some(field.iter().rev().fold(0usize, |all, byte| all << 8 | usize::from(*byte)))
    };
    let (Some(table), Some(size), Some(count)) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2)) else {
        return false;
    };
    bytes.starts_with(b"\x7fELF") && bytes.len() >= table + size * count
}
