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
    fs::copy(&found, Path::new(&out).join("nursery.so")).expect("it can be copied");
}
