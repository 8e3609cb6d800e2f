//! `cargo xtask web`: the web console, from `web/` to `web/dist`, which the next build of the server takes in. And
//! `cargo xtask demo`, which shows the whole of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The oldest Node that can build it.
const NODE: u32 = 20;
/// What keeps the directory in the repository, so that cargo has something to look at.
const KEPT: &str = "*\n!.gitignore\n";

/// Builds the console.
pub(crate) fn build() -> Result<()> {
    let web = Path::new("web");
    let missing = missing()?;
    ensure!(
        missing.is_empty(),
        "the console cannot be built: {}\nThe server builds and works without it: cargo build --release",
        missing.join("; ")
    );
    let built = npm(web, &["run", "build"]);
    fs::create_dir_all(web.join("dist"))?;
    fs::write(web.join("dist/.gitignore"), KEPT)?;
    built
}

/// Builds the console, then the binary, and shows the whole way with a browser's part in it.
pub(crate) fn demo() -> Result<()> {
    build()?;
    let args = ["run", "--release", "-p", "gambeson", "--", "demo", "examples/primes.py"];
    let status = Command::new("cargo").args(args).status().context("cargo cannot be started")?;
    ensure!(status.success(), "the demonstration ended with {status}");
    Ok(())
}

fn installed(web: &Path) -> bool {
    let read = |path: &str| fs::read(web.join(path)).ok();
    let locked = read("package-lock.json");
    locked.is_some() && locked == read("node_modules/.installed-lock.json")
}

/// Has npm install what the lock file says, unless that was done. Why not, in words, if it is the network that is missing.
fn install(web: &Path) -> Result<Option<String>> {
    if installed(web) {
        return Ok(None);
    }
    let args = ["ci", "--no-audit", "--no-fund", "--fetch-retries=1"];
    let output = Command::new("npm").args(args).current_dir(web).stdin(Stdio::null()).output();
    let output = output.context("npm cannot be started")?;
    if output.status.success() {
        // What is installed is what the lock file says, so long as that stays as it is.
        fs::copy(web.join("package-lock.json"), web.join("node_modules/.installed-lock.json"))?;
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    match unreachable(&said) {
        Some(code) => {
            Ok(Some(format!("npm's registry cannot be reached ({code}), and its packages are not installed")))
        }
        None => bail!("npm {} failed in web/: {}\n{said}", args.join(" "), output.status),
    }
}

/// The code by which npm says that it got through to nobody.
fn unreachable(said: &str) -> Option<&str> {
    const CODES: [&str; 9] = [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "ETIMEDOUT",
        "ERR_SOCKET_TIMEOUT",
        "FETCH_ERROR",
    ];
    said.lines().find_map(|line| {
        let code = line.strip_prefix("npm error code ").or_else(|| line.strip_prefix("npm ERR! code "))?.trim();
        CODES.contains(&code).then_some(code)
    })
}

/// What this machine lacks, each in words. What npm has to fetch is fetched by this.
///
/// # Errors
/// When npm fails by anything but the network.
pub(crate) fn missing() -> Result<Vec<String>> {
    let mut missing = Vec::new();
    match said("node") {
        None => missing.push(format!(
            "there is no node on the PATH, and Node {NODE} or newer is needed (nodejs.org, or apt install nodejs)"
        )),
        Some(version) if major(&version).is_none_or(|major| major < NODE) => {
            missing.push(format!("node says it is {version}, and Node {NODE} or newer is needed"));
        }
        Some(_) => {}
    }
    if said("npm").is_none() {
        missing.push("there is no npm on the PATH (it comes with Node; of Debian: apt install npm)".into());
    }
    if missing.is_empty() {
        missing.extend(install(Path::new("web"))?);
    }
    Ok(missing)
}

fn said(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

fn npm(web: &Path, args: &[&str]) -> Result<()> {
    let status = Command::new("npm").args(args).current_dir(web).status().context("npm cannot be started")?;
    if !status.success() {
        bail!("npm {} failed in web/: {status}", args.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_cannot_be_reached_is_told_from_other_failures() {
        let said = "npm error code ECONNREFUSED\nnpm error syscall connect\nnpm error errno ECONNREFUSED\n";
        assert_eq!(unreachable(said), Some("ECONNREFUSED"));
        assert_eq!(unreachable("npm ERR! code EAI_AGAIN\nnpm ERR! getaddrinfo EAI_AGAIN"), Some("EAI_AGAIN"));
        for said in ["npm error code EINTEGRITY\nnpm error ENOTFOUND", "npm error code E404", ""] {
            assert_eq!(unreachable(said), None, "{said}");
        }
    }
}
