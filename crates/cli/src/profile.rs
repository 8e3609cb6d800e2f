//! The servers that a person uses, and the key for each: `$XDG_CONFIG_HOME/gambeson/profiles.toml`.
//!
//! Invariants:
//! 1. The file is its owner's alone: made with mode 0600 in a directory of mode 0700, and not read if anybody else
//!    could have read it, or written to its directory.
//! 2. A key of a profile goes to the server of that profile and to no other.
//! 3. No key is printed, nor part of an error.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::config::{ServerUrl, Value};

/// Where a client looks when nobody said anything.
const LOCAL_SERVER: &str = "http://127.0.0.1:7373";

const HEAD: &str = "# The servers that you use. `gambeson profile` writes this file; comments in it are lost.\n\n";

/// What the command line says about the server.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// `--server`.
    pub server: Option<String>,
    /// A key that was given with the command.
    pub key: Option<String>,
    /// The file of the certificates to trust, PEM.
    pub ca: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<String>,
}

/// Which server, with which key.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// `http://…`, `https://…` or `unix:/…`.
    pub server: String,
    /// `gmb_…`.
    pub key: Option<String>,
    /// The certificates to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
    /// Who named the server: `--server`, `GAMBESON_SERVER`, `profile lab`, `default`.
    pub server_origin: String,
    /// Who gave the key; `None` without one.
    pub key_origin: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("server", &self.server)
            .field("key", &self.key.as_deref().map(shown_key))
            .field("ca", &self.ca)
            .field("server_origin", &self.server_origin)
            .field("key_origin", &self.key_origin)
            .finish()
    }
}

/// A profile for people: what it is, without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its server.
    pub server: String,
    /// `gmb_<id>_…`.
    pub key: Option<String>,
    /// The certificates it trusts.
    pub ca: Option<PathBuf>,
    /// Whether it is used when none is named.
    pub is_default: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profiles {
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<PathBuf>,
}

/// Which server and which key a client uses: what the command line says, else `GAMBESON_SERVER`, `GAMBESON_KEY` and
/// `GAMBESON_CA`, else the profile that `--profile` or `GAMBESON_PROFILE` names, else the default profile, else
/// the server of this machine without a key. A profile's key and certificates are used with its own server only.
///
/// # Errors
/// A sentence: a profile that does not exist, a server that is no URL, a file of profiles that others can read.
pub fn resolve(choice: &Choice, environment: impl Fn(&str) -> Option<OsString>) -> Result<Target, String> {
    let variable = |name: &str| -> Result<Option<String>, String> {
        match environment(name).filter(|value| !value.is_empty()) {
            Some(value) => value.into_string().map(Some).map_err(|_| format!("{name} is not UTF-8")),
            None => Ok(None),
        }
    };
    let first = |flag: &Option<String>, option: &str, name: &str| -> Result<Option<(String, String)>, String> {
        match flag {
            Some(value) => Ok(Some((value.clone(), option.to_owned()))),
            None => Ok(variable(name)?.map(|value| (value, name.to_owned()))),
        }
    };
    let server = match first(&choice.server, "--server", "GAMBESON_SERVER")? {
        Some((url, origin)) => Some((checked_server(&url, &origin)?, origin)),
        None => None,
    };
    let key = match first(&choice.key, "--key", "GAMBESON_KEY")? {
        Some((key, origin)) => Some((checked_key(&key, &origin)?, origin)),
        None => None,
    };
    let ca = match (&choice.ca, variable("GAMBESON_CA")?) {
        (Some(ca), _) => Some(ca.clone()),
        (None, ca) => ca.map(PathBuf::from),
    };
    let named = first(&choice.profile, "--profile", "GAMBESON_PROFILE")?;
    let profile = match (&server, &key, &named) {
        // Whoever says both needs no profiles, and no home either.
        (Some(_), Some(_), None) => None,
        _ => match file_path(&environment) {
            Some(path) => chosen(&path, named.as_ref().map(|(name, _)| name.as_str()))?,
            None if named.is_some() => return Err(no_home()),
            None => None,
        },
    };
    let Some((name, profile)) = profile else {
        let (server, server_origin) = server.unwrap_or_else(|| (LOCAL_SERVER.into(), "default".into()));
        let (key, key_origin) = key.unzip();
        return Ok(Target { server, key, ca, server_origin, key_origin });
    };
    let origin = format!("profile {name}");
    let its_server = checked_server(&profile.server, &origin)?;
    let (server, server_origin) = server.unwrap_or_else(|| (its_server.clone(), origin.clone()));
    let its_own = server == its_server;
    let its_key = match profile.key.filter(|_| its_own) {
        Some(its_key) if key.is_none() => Some((checked_key(&its_key, &origin)?, origin)),
        _ => None,
    };
    let (key, key_origin) = key.or(its_key).unzip();
    Ok(Target { server, key, ca: ca.or(profile.ca.filter(|_| its_own)), server_origin, key_origin })
}

/// Writes a profile, in place of one of the same name.
///
/// # Errors
/// A sentence: a name, a server or a key that is none, or a file that cannot be read or written.
pub fn save(
    name: &str,
    server: &str,
    key: Option<&str>,
    ca: Option<&Path>,
    make_default: bool,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err(format!("{:?} is no name of a profile; write up to 64 letters, digits, . _ or -", redacted(name)));
    }
    let server = checked_server(server, "the server")?;
    let key = key.map(|key| checked_key(key, "the key")).transpose()?;
    // Read from another directory, a relative path would be another file.
    let ca = ca.map(std::path::absolute).transpose().map_err(|error| format!("the certificates: {error}"))?;
    change(&environment, |profiles| {
        profiles.profile.insert(name.to_owned(), Profile { server, key, ca });
        if make_default {
            profiles.default = Some(name.to_owned());
        }
        Ok(())
    })
}

/// Removes a profile, and the default if it was that.
///
/// # Errors
/// A sentence: there is none of this name, or the file cannot be read or written.
pub fn remove(name: &str, environment: impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    change(&environment, |profiles| {
        if profiles.profile.remove(name).is_none() {
            return Err(no_such(name, profiles));
        }
        profiles.default = profiles.default.take().filter(|default| default != name);
        Ok(())
    })
}

/// Every profile, by name.
///
/// # Errors
/// A sentence: the file cannot be read, or others can read it.
pub fn list(environment: impl Fn(&str) -> Option<OsString>) -> Result<Vec<Listed>, String> {
    let Some(path) = file_path(&environment) else { return Ok(Vec::new()) };
    let profiles = read(&path)?;
    let listed = |(name, profile): (String, Profile)| Listed {
        is_default: profiles.default.as_ref() == Some(&name),
        name,
        server: redacted(&profile.server),
        key: profile.key.as_deref().map(shown_key),
        ca: profile.ca,
    };
    Ok(profiles.profile.into_iter().map(listed).collect())
}

/// A key for people: `gmb_<id>_…`.
pub fn shown_key(key: &str) -> String {
    match key.strip_prefix("gmb_").and_then(|rest| rest.split_once('_')) {
        Some((id, secret)) if !id.is_empty() && !secret.is_empty() => format!("gmb_{id}_…"),
        _ => "gmb_…".into(),
    }
}

/// A text with every key in it shortened, and without the user and password of its URLs.
pub fn redacted(text: &str) -> String {
    let part_of_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("gmb_") {
        let (before, key_on) = rest.split_at(start);
        let end = key_on.find(|c| !part_of_key(c)).unwrap_or(key_on.len());
        safe.push_str(before);
        safe.push_str(&shown_key(&key_on[..end]));
        rest = &key_on[end..];
    }
    safe.push_str(rest);
    match safe.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('@') {
            Some((_, host)) => format!("{scheme}://…@{host}"),
            None => safe,
        },
        None => safe,
    }
}

fn checked_server(url: &str, origin: &str) -> Result<String, String> {
    match ServerUrl::read(url) {
        Some(url) => Ok(url.as_str().to_owned()),
        None => Err(format!("{origin}: {:?} is no server; write {}", redacted(url), ServerUrl::HOW)),
    }
}

/// A key goes into a header as it is, so that nothing but a key may pass.
fn checked_key(key: &str, origin: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let key = key.trim();
    if key.strip_prefix("gmb_").is_some_and(|rest| rest.contains('_')) && key.len() <= 512 && key.chars().all(plain) {
        return Ok(key.to_owned());
    }
    Err(format!("{origin}: this is no key; a key reads gmb_<id>_<secret>"))
}

fn no_such(name: &str, profiles: &Profiles) -> String {
    let names: Vec<&str> = profiles.profile.keys().map(String::as_str).collect();
    let there_are = if names.is_empty() { "there are none".into() } else { format!("there are {}", names.join(", ")) };
    format!("there is no profile {:?}; {there_are}", redacted(name))
}

fn no_home() -> String {
    "there is no place for profiles; set HOME or XDG_CONFIG_HOME".into()
}

fn file_path(environment: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let directory = |name: &str| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = directory("XDG_CONFIG_HOME").or_else(|| Some(directory("HOME")?.join(".config")))?;
    Some(config.join("gambeson/profiles.toml"))
}

/// The profile of this name, else the default one, if there is one.
fn chosen(path: &Path, name: Option<&str>) -> Result<Option<(String, Profile)>, String> {
    let mut profiles = read(path)?;
    let Some(name) = name.map(str::to_owned).or_else(|| profiles.default.clone()) else { return Ok(None) };
    match profiles.profile.remove(&name) {
        Some(profile) => Ok(Some((name, profile))),
        None => Err(no_such(&name, &profiles)),
    }
}

/// The profiles of the file; none where there is no file.
fn read(path: &Path) -> Result<Profiles, String> {
    let cannot = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Profiles::default()),
        Err(error) => return Err(cannot(error)),
    };
    let us = rustix::process::geteuid().as_raw();
    let found = file.metadata().map_err(cannot)?;
    if found.uid() != us {
        return Err(format!(
            "{} belongs to user {}, and we are {us}; its keys are not read",
            path.display(),
            found.uid()
        ));
    }
    if found.mode() & 0o077 != 0 {
        let path = path.display();
        return Err(format!("{path} holds keys and others can read it; chmod 600 {path}, and replace the keys"));
    }
    if let Some(directory) = path.parent()
        && fs::metadata(directory).map_err(cannot)?.mode() & 0o022 != 0
    {
        let directory = directory.display();
        return Err(format!("others can write to {directory}, which holds your keys; chmod 700 {directory}"));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(cannot)?;
    toml::from_str(&text).map_err(|error| {
        // Only its message: its Display also prints the line, which may hold a key.
        let line =
            1 + error.span().map_or(0, |span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count());
        format!("{}:{line}: {}", path.display(), redacted(&error.message().replace('\n', ", ")))
    })
}

/// Reads, changes and writes the file, while nobody else does.
fn change(
    environment: &impl Fn(&str) -> Option<OsString>,
    edit: impl FnOnce(&mut Profiles) -> Result<(), String>,
) -> Result<(), String> {
    let path = file_path(environment).ok_or_else(no_home)?;
    let directory = path.parent().ok_or_else(no_home)?;
    let cannot = |error: io::Error| format!("{} cannot be written: {error}", path.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(cannot)?;
    // The directory and not the file is locked, since the file is replaced. The lock goes with the descriptor.
    let locked = File::open(directory).map_err(cannot)?;
    rustix::fs::flock(&locked, FlockOperation::LockExclusive).map_err(|errno| cannot(errno.into()))?;
    let mut profiles = read(&path)?;
    edit(&mut profiles)?;
    let text = toml::to_string(&profiles).map_err(|_| cannot(io::ErrorKind::InvalidData.into()))?;
    write(&path, &format!("{HEAD}{text}")).and_then(|()| locked.sync_all()).map_err(cannot)
}

/// Replaces the file: a reader sees the old one or the new one, and nobody else sees either.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension(format!("toml.{}.new", std::process::id()));
    // What a process of the same id left when it was killed.
    let _ = fs::remove_file(&new);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(&new, flags, Mode::from_raw_mode(0o600))?);
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
