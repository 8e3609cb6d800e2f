//! `gambeson artifacts`: what a job left, listed or fetched.
//!
//! The names come from a program that is hostile, over a server that may be. Invariants:
//! 1. Nothing is written outside of the directory that the person named, and no link in it is followed.
//! 2. Nothing is replaced unless that is wished; then a file, never a directory.
//! 3. A file appears under its name only when it is whole and its digest is the listed one.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use gambeson_api::client::Client;
use gambeson_api::{Artifact, ArtifactList, JobId, OutputStream};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::args::ArtifactsOptions;
use super::failure::Failure;
use super::output::Output;
use super::table::{Cell, Form, Table, show};
use super::{submit, visible};
use crate::exit_code::ExitCode;
use crate::terminal::{complain, remark};

/// How often a download that breaks is begun again.
const TRIES: u32 = 4;

/// `gambeson artifacts`.
pub async fn artifacts(client: &Client, options: &ArtifactsOptions, form: Form) -> Result<ExitCode, Failure> {
    let list = client.artifact_list(options.id).await?;
    let named = |path: &String| {
        let found = list.artifacts.iter().find(|artifact| artifact.path == *path);
        found.cloned().ok_or_else(|| {
            Failure::refused(format!("{} left no {path:?}", options.id), "gambeson artifacts ID lists what it left.")
        })
    };
    match (&options.path, &options.output) {
        (None, None) => {
            show(form, &list, table);
            if form == Form::People {
                say_skipped(&list);
            }
            Ok(ExitCode::Program(0))
        }
        (Some(path), None) => to_stdout(client, options.id, &named(path)?).await.map(|()| ExitCode::Program(0)),
        (None, Some(dir)) => {
            say_skipped(&list);
            fetch(client, options.id, &list.artifacts, dir, options.force).await
        }
        (Some(path), Some(dir)) => fetch(client, options.id, &[named(path)?], dir, options.force).await,
    }
}

/// Fetches everything that a job left to `dir`.
pub async fn fetch_all(client: &Client, job: JobId, dir: &Path, force: bool) -> Result<ExitCode, Failure> {
    let list = client.artifact_list(job).await?;
    say_skipped(&list);
    fetch(client, job, &list.artifacts, dir, force).await
}

fn table(list: &ArtifactList) -> Table {
    let mut table = Table::new(["path", "size", "digest"]);
    for artifact in &list.artifacts {
        table.row([(&artifact.path).into(), Cell::Size(artifact.size), artifact.digest.into()]);
    }
    table
}

fn say_skipped(list: &ArtifactList) {
    for skipped in &list.skipped {
        remark(&visible::line(&format!("not kept: {}: {}", skipped.path, skipped.why)));
    }
}

async fn to_stdout(client: &Client, job: JobId, artifact: &Artifact) -> Result<(), Failure> {
    let mut download = client.artifact(job, &artifact.path).await?;
    let mut output = Output::new(false);
    while let Some(piece) = download.next().await? {
        output.write(OutputStream::Stdout, &piece);
        if !output.is_read() {
            return Ok(());
        }
    }
    output.end();
    if download.came() != (artifact.size, artifact.digest) {
        return Err(is_other(&artifact.path));
    }
    Ok(())
}

fn is_other(path: &str) -> Failure {
    Failure::fault(format!("what came as {path:?} is not what the server listed")).remedy("Fetch it again.")
}

/// The parts of a path that may be made below a directory.
///
/// # Errors
/// Why it may not.
fn checked(path: &str) -> Result<Vec<&str>, &'static str> {
    if path.len() > 1024 {
        return Err("its path is longer than 1024 bytes");
    }
    if path.starts_with('/') {
        return Err("its path is absolute");
    }
    // What the terminal could not show, a person could not have meant.
    if visible::line(path) != path {
        return Err("its path has control characters");
    }
    let parts: Vec<&str> = path.split('/').collect();
    for part in &parts {
        match *part {
            "" => return Err("its path has an empty part"),
            ".." | "." => return Err("its path leads elsewhere"),
            // Workers never collect them, and in some directories they are obeyed.
            part if part.starts_with('.') => return Err("its path has a hidden part"),
            part if part.len() > 255 => return Err("a part of its path is longer than 255 bytes"),
            _ => {}
        }
    }
    Ok(parts)
}

/// Fetches `artifacts` to `dir`. Those that are refused are told, and the others are fetched.
async fn fetch(
    client: &Client,
    job: JobId,
    artifacts: &[Artifact],
    dir: &Path,
    force: bool,
) -> Result<ExitCode, Failure> {
    let said = |error: io::Error| Failure::usage(format!("--output {}: {error}", dir.display()));
    std::fs::create_dir_all(dir).map_err(said)?;
    // The directory itself is the person's own choice, so that a link there is followed.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, dir, flags, Mode::empty()).map_err(|error| said(error.into()))?;
    let total = artifacts.iter().map(|artifact| artifact.size).sum();
    let bar = submit::bar(total, "{spinner} fetching {bar:30} {bytes} of {total_bytes}, {eta} left");
    let mut refused = 0;
    for artifact in artifacts {
        let fetched = match Place::new(&root, &artifact.path, force) {
            Ok(place) => place.fill(client, job, artifact, |came| bar.inc(came)).await,
            Err(why) => Err(Stop::Refused(why)),
        };
        match fetched {
            Ok(()) => {}
            Err(Stop::Refused(why)) => {
                refused += 1;
                bar.suspend(|| complain(&visible::line(&format!("{}: {why}", artifact.path))));
            }
            Err(Stop::Failed(failure)) => return Err(failure),
        }
    }
    bar.finish_and_clear();
    if refused == 0 {
        return Ok(ExitCode::Program(0));
    }
    Ok(ExitCode::Refused)
}

/// Why an artifact was not written.
enum Stop {
    /// It may not be; others may.
    Refused(String),
    /// Nothing more can be.
    Failed(Failure),
}

impl From<Errno> for Stop {
    fn from(error: Errno) -> Stop {
        Stop::Failed(Failure::fault(format!("failed to write: {}", io::Error::from(error))))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Failed(Failure::fault(format!("failed to write: {error}")))
    }
}

/// Where one artifact goes: an open directory, and a name in it.
struct Place<'a> {
    directory: OwnedFd,
    name: &'a str,
    force: bool,
}

impl<'a> Place<'a> {
    /// Makes the directories below `root` that are missing; follows no link.
    fn new(root: &OwnedFd, path: &'a str, force: bool) -> Result<Place<'a>, String> {
        let parts = checked(path).map_err(|why| format!("refused: {why}"))?;
        let (name, directories) = parts.split_last().expect("a split has at least one part");
        let os = |error: Errno| io::Error::from(error).to_string();
        let mut directory = root.try_clone().map_err(|error| error.to_string())?;
        for part in directories {
            match rustix::fs::mkdirat(&directory, *part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(os(error)),
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            directory = rustix::fs::openat(&directory, *part, flags, Mode::empty()).map_err(|error| match error {
                Errno::NOTDIR | Errno::LOOP => format!("refused: {part:?} is there, and is a link or no directory"),
                error => os(error),
            })?;
        }
        if !force && rustix::fs::statat(&directory, *name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Err(IS_THERE.into());
        }
        Ok(Place { directory, name, force })
    }

    /// Downloads to a name of our own beside it; a whole file gets its name.
    async fn fill(&self, client: &Client, job: JobId, artifact: &Artifact, came: impl Fn(u64)) -> Result<(), Stop> {
        // Hidden, and not to be guessed by whoever else writes there.
        let part = format!(".gambeson-{}", JobId::new());
        let mut tries = 1;
        let filled = loop {
            match self.download(&part, client, job, artifact, &came).await {
                Err(Stop::Failed(failure)) if failure.code == ExitCode::Fault && tries < TRIES => {
                    let _ = rustix::fs::unlinkat(&self.directory, &part, AtFlags::empty());
                    tokio::time::sleep(std::time::Duration::from_millis(200 << tries)).await;
                    tries += 1;
                }
                filled => break filled,
            }
        };
        let named = filled.and_then(|()| self.give_name(&part));
        if named.is_err() {
            let _ = rustix::fs::unlinkat(&self.directory, &part, AtFlags::empty());
        }
        named
    }

    async fn download(
        &self,
        part: &str,
        client: &Client,
        job: JobId,
        artifact: &Artifact,
        came: &impl Fn(u64),
    ) -> Result<(), Stop> {
        let failed = |error: gambeson_api::client::ClientError| Stop::Failed(error.into());
        let mut download = client.artifact(job, &artifact.path).await.map_err(failed)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.directory, part, flags, Mode::from_raw_mode(0o666))?);
        let mut length = 0;
        while let Some(piece) = download.next().await.map_err(failed)? {
            length += piece.len() as u64;
            // More than was listed would fill the disk.
            if length > artifact.size {
                return Err(Stop::Refused("refused: it is larger than the server listed".into()));
            }
            file.write_all(&piece)?;
            came(piece.len() as u64);
        }
        if download.came() != (artifact.size, artifact.digest) {
            return Err(Stop::Refused("refused: what came is not what the server listed".into()));
        }
        Ok(())
    }

    fn give_name(&self, part: &str) -> Result<(), Stop> {
        let (directory, name) = (&self.directory, self.name);
        if self.force {
            return rustix::fs::renameat(directory, part, directory, name).map_err(|error| match error {
                Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST => {
                    Stop::Refused("refused: a directory of that name is there".into())
                }
                error => error.into(),
            });
        }
        let there = |error: Errno| if error == Errno::EXIST { Stop::Refused(IS_THERE.into()) } else { error.into() };
        match rustix::fs::renameat_with(directory, part, directory, name, RenameFlags::NOREPLACE) {
            // Some file systems have no such rename; a second name never replaces anything either.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(directory, part, directory, name, AtFlags::empty()).map_err(there)?;
                Ok(rustix::fs::unlinkat(directory, part, AtFlags::empty())?)
            }
            done => done.map_err(there),
        }
    }
}

const IS_THERE: &str = "refused: something of that name is there; --force replaces it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let long = "a/".repeat(600) + "a";
        for bad in [
            "",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a//b",
            "a/",
            "./a",
            ".bashrc",
            "a/.git/hooks/x",
            "a\0b",
            "a\nb",
            "a\x1b[2J",
            "a\u{202e}b",
            &"x".repeat(256),
            &long,
        ] {
            assert!(checked(bad).is_err(), "{bad:?}");
        }
        assert_eq!(checked("a/b c/ü.png"), Ok(vec!["a", "b c", "ü.png"]));
    }
}
