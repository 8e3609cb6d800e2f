//! Makes the table of the console's files from `web/dist`, which `cargo xtask web` builds; without it the table is empty.
//!
//! Our own sixty lines and no crate: what is embedded is a list of names and `include_bytes!`, and the crates that make one
//! know nothing of the compressed twins that the build of `web/` leaves beside each file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    // The directory is in the repository, empty but for a .gitignore: of what is not there cargo would say that it changed,
    // and have us built again each time.
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").exists() {
        find(&dist.canonicalize()?, "", &mut files)?;
        files.sort();
    }
    let mut table = String::from("&[\n");
    for (name, path) in files {
        let twin = |ending: &str| {
            let twin = path.with_file_name(format!("{}.{ending}", file_name(&path)));
            if twin.exists() {
                format!("Some(include_bytes!({:?}))", twin.display().to_string())
            } else {
                "None".into()
            }
        };
        let plain = path.display().to_string();
        let (gzip, brotli) = (twin("gz"), twin("br"));
        writeln!(table, "File {{ name: {name:?}, plain: include_bytes!({plain:?}), gzip: {gzip}, brotli: {brotli} }},")
            .expect("a String takes everything");
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("console.rs"), table)
}

/// Files that are served, by the name that they have below `/console/`.
fn find(directory: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = format!("{prefix}{}", file_name(&path));
        if path.is_dir() {
            find(&path, &format!("{name}/"), files)?;
            continue;
        }
        let twin = path.extension().is_some_and(|ending| ending == "gz" || ending == "br");
        // The manifest is for benchmarks and tests of the build.
        if !twin && !name.starts_with('.') && name != "manifest.json" {
            files.push((name, path));
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("it came from a directory").to_string_lossy().into_owned()
}
