//! The rules of the repository that no compiler knows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use serde_json::Value;

/// Checks every rule and names each breach.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    let files = sources(Path::new("crates"), &["rs"])?;
    for path in &files {
        let text = fs::read_to_string(path)?;
        let place = path.to_string_lossy();
        // The kernel's calls, and those of an interpreter that we are loaded into.
        let in_nursery = place.starts_with("crates/nursery/src/");
        let in_sys = place.starts_with("crates/sandbox/src/sys/") || in_nursery;
        let mut in_tests = place.contains("/tests/");
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let mut breach = |rule: &str| breaches.push(format!("{place}:{}: {rule}", index + 1));
            let word = |word: &str| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|one| one == word);
            if !in_sys && word("unsafe") {
                breach("`unsafe` belongs in crates/sandbox/src/sys and crates/nursery");
            }
            if code.contains("todo!") || code.contains("unimplemented!") {
                breach("what is not there yet is an issue, not a panic");
            }
            let reads_env =
                code.contains("std::env::var") || code.contains("env::var_os(") || code.contains("env::vars(");
            in_tests |= code.contains("#[cfg(test)]");
            if reads_env && !place.starts_with("crates/cli/") && !in_nursery && !in_tests {
                breach("only cli reads the environment");
            }
            if code.contains("let _ = sys::") && !place.ends_with("janitor.rs") {
                breach("a kernel call that confines is checked");
            }
        }
        named(path, &mut breaches);
    }
    dependencies(&mut breaches)?;
    let console = console(&mut breaches)?;
    if fs::read_to_string("docs/architecture.md")?.lines().count() > 200 {
        breaches.push("docs/architecture.md: longer than 200 lines".into());
    }
    if breaches.is_empty() {
        println!("tidy: {} files", files.len() + console);
        return Ok(());
    }
    bail!("{}", breaches.join("\n"))
}

/// Which of our crates may depend on what, and what nothing may depend on.
fn dependencies(breaches: &mut Vec<String>) -> anyhow::Result<()> {
    // What other systems would need is not here.
    let platform = "--filter-platform=x86_64-unknown-linux-gnu";
    let metadata = ["metadata", "--format-version=1", "--offline", platform];
    let output = std::process::Command::new("cargo").args(metadata).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for package in packages {
        let name = text(&package["name"]);
        if ["aws-lc-sys", "openssl-sys", "native-tls"].contains(&name.as_str()) {
            breaches.push(format!("{name}: banned, see CONTRIBUTING.md"));
        }
        if !package["source"].is_null() {
            let license = text(&package["license"]);
            let free = ["MIT", "Apache-2.0", "BSD", "Unicode", "Unlicense", "Zlib", "ISC"];
            if !free.iter().any(|known| license.contains(known)) {
                breaches.push(format!("{name}: the licence {license:?} is none that we know to fit"));
            }
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"] == "dev" {
                continue;
            }
            let on = text(&dependency["name"]);
            let ours = |names: &[&str]| names.contains(&name.as_str());
            let allowed = match on.as_str() {
                // The kernel is the sandbox's alone.
                "libc" => ours(&["gambeson-sandbox", "gambeson-nursery"]),
                "seccompiler" | "landlock" => ours(&["gambeson-sandbox"]),
                // The process with authority cannot run code (but its own, to read), and a stolen worker has no database.
                "gambeson-sandbox" => ours(&["gambeson", "gambeson-worker", "gambeson-nursery"]),
                "gambeson-nursery" => ours(&["gambeson-nursery-image"]),
                "gambeson-control" => ours(&["gambeson", "gambeson-server"]),
                "gambeson-server" | "gambeson-worker" | "gambeson-nursery-image" => ours(&["gambeson"]),
                // Never in what is shipped.
                "gambeson-testkit" => ours(&["xtask"]),
                // The parser is wrapped in one place.
                on if on.starts_with("ruff_") => ours(&["gambeson-vet"]),
                // SQL and policies are control's, HTTP the server's and the client's.
                "rusqlite" | "cedar-policy" => ours(&["gambeson-control"]),
                "axum" | "hyper" | "tower-http" | "utoipa-axum" => ours(&["gambeson-server"]),
                "reqwest" => ours(&["gambeson-api"]),
                "gambeson-api" => !ours(&["gambeson-vet"]),
                // What holds least trust, or is to be used by itself, depends on nothing of ours.
                _ => !(on.starts_with("gambeson-") && ours(&["gambeson-api", "gambeson-sandbox", "gambeson-vet"])),
            };
            if !allowed {
                breaches.push(format!("{name} must not depend on {on}"));
            }
        }
    }
    Ok(())
}

fn named(path: &Path, breaches: &mut Vec<String>) {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
    if ["util", "utils", "helper", "helpers", "common", "manager", "imp"].contains(&name) {
        breaches.push(format!("{}: a file is named after what it holds", path.display()));
    }
}

/// What makes markup or a program of a text: the console has none of it, so that nothing of a job's output can become either.
const MARKUP: [&str; 8] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "createContextualFragment",
    "document.write",
    "srcdoc",
    "eval(",
    "new Function",
];

/// The console's own files, which are neither installed (`node_modules`) nor made (`dist`), and its list of packages.
fn console(breaches: &mut Vec<String>) -> anyhow::Result<usize> {
    let files = sources(Path::new("web/src"), &["ts", "tsx", "css"])?;
    for path in &files {
        named(path, breaches);
        let text = fs::read_to_string(path)?;
        for (index, line) in text.lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") || code.starts_with('*') || code.starts_with("/*") {
                continue;
            }
            if let Some(found) = MARKUP.iter().find(|one| code.contains(**one)) {
                breaches.push(format!("{}:{}: {found}: text stays text in the console", path.display(), index + 1));
            }
        }
    }
    let packages: Value = serde_json::from_str(&fs::read_to_string("web/package.json")?)?;
    for (name, version) in
        ["dependencies", "devDependencies"].iter().flat_map(|kind| packages[kind].as_object()).flatten()
    {
        let exact = version.as_str().is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()));
        if !exact {
            breaches.push(format!("web/package.json: {name}: npm packages are pinned exactly"));
        }
    }
    Ok(files.len())
}

fn sources(directory: &Path, endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path, endings)?);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|one| ending == *one)) {
            found.push(path);
        }
    }
    Ok(found)
}
