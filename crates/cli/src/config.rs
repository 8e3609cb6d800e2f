//! The configuration of the roles `up`, `serve` and `worker`: a file, environment variables and flags.
//!
//! Invariants:
//! 1. A flag beats a variable, a variable beats the file, the file beats the default.
//! 2. Every setting knows where its value came from.
//! 3. A name that is no setting, and a value of another type or out of range, is a problem and never ignored.
//! 4. A setting may name the file of a secret and never holds one; what looks like a key is printed shortened.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

mod check;
mod contradiction;
#[cfg(test)]
mod document;
mod file;
mod machine;
mod table;
#[cfg(test)]
mod tests;
mod value;

use self::contradiction::contradictions;
use self::table::{Basis, Otherwise, Texts, Verdict};
use self::value::Shape;
use crate::profile::redacted;

pub use self::check::{ConfigOptions, config};
pub use self::table::{LOCAL_SOCKET, SETTINGS, Setting, Settings};
pub use self::value::{ServerUrl, Value};
// The names of what the roles take apart.
#[allow(unused_imports)]
pub use self::{
    check::Sources,
    machine::Machine,
    table::{Ceilings, Log, Queue, Quota, Retention, Server, Worker},
    value::{LogFormat, LogLevel, Percent, Program, WorkerName},
};

/// The variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "GAMBESON_CONFIG";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) => write!(f, "env {name}"),
            Origin::Flag => f.write_str("flag"),
        }
    }
}

/// A setting in force, and where its value came from.
pub struct Provenance {
    /// Which.
    pub setting: &'static Setting,
    /// As it was written; `None` where it is not set and has no default.
    pub value: Option<String>,
    /// Who wrote it.
    pub origin: Origin,
}

impl Provenance {
    /// The value for people: never a key.
    pub fn shown(&self) -> String {
        match &self.value {
            Some(value) if value.is_empty() => "none".into(),
            Some(value) => redacted(value),
            None => match self.setting.otherwise {
                Otherwise::Unset { meaning, .. } => format!("not set ({meaning})"),
                Otherwise::Is(_) | Otherwise::Found { .. } => "not set".into(),
            },
        }
    }
}

/// Why there is no configuration: a sentence for each thing that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Each begins with the place, where there is one.
    pub sentences: Vec<String>,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences.join("\n"))
    }
}

impl std::error::Error for ConfigProblem {}

impl From<String> for ConfigProblem {
    fn from(sentence: String) -> ConfigProblem {
        ConfigProblem { sentences: vec![sentence] }
    }
}

impl Settings {
    /// The settings in force on this machine. `config` is the file that was named on the command line; else
    /// `GAMBESON_CONFIG` names it, else it is `/etc/gambeson/gambeson.toml` where that exists. `flags` are names
    /// of settings and their values. A variable with an empty value is one that is not set.
    ///
    /// # Errors
    /// When a named file cannot be read, and for everything in the file, the variables and the flags that is no
    /// setting, no value of one, or contradicts another: all of it at once.
    pub fn load(
        config: Option<&Path>,
        environment: impl Fn(&str) -> Option<OsString>,
        flags: &[(&'static str, String)],
    ) -> Result<(Settings, Vec<Provenance>), ConfigProblem> {
        Settings::load_on(&Machine::seen(), config, environment, flags)
    }

    /// The same, on a machine that is described.
    ///
    /// # Errors
    /// Those of [`Settings::load`].
    pub fn load_on(
        machine: &Machine,
        config: Option<&Path>,
        environment: impl Fn(&str) -> Option<OsString>,
        flags: &[(&'static str, String)],
    ) -> Result<(Settings, Vec<Provenance>), ConfigProblem> {
        let environment = |name: &str| environment(name).filter(|value| !value.is_empty());
        let mut problems = Vec::new();
        let mut given = Given::default();
        if let Some((path, text)) = read_file(machine, config, &environment)? {
            let (lines, wrong) = file::decode(&path, &text);
            problems.extend(wrong);
            for line in lines {
                given.put(line.setting, line.text, Origin::File { path: path.clone(), line: line.line });
            }
        }
        for setting in SETTINGS {
            let name = setting.variable();
            match environment(&name).map(OsString::into_string) {
                Some(Ok(text)) => given.judge(setting, text, Origin::Variable(name), &mut problems),
                Some(Err(_)) => problems.push(format!("env {name}: {} is not UTF-8", setting.name)),
                None => {}
            }
        }
        for (name, text) in flags {
            match Setting::named(name) {
                Some(setting) => given.judge(setting, text.clone(), Origin::Flag, &mut problems),
                None => problems.push(format!("flag: {}", unknown(name))),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigProblem { sentences: problems });
        }
        let in_force = given.with_defaults(machine, &environment)?;
        let Some(settings) = Settings::from_texts(&in_force) else {
            return Err("a setting is no value of its type, although it was judged to be one".to_owned().into());
        };
        let found = contradictions(&settings);
        if found.is_empty() { Ok((settings, in_force.0)) } else { Err(ConfigProblem { sentences: found }) }
    }
}

/// The configuration file in force, and its text. A file that was named must exist.
fn read_file(
    machine: &Machine,
    config: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<(PathBuf, String)>, ConfigProblem> {
    let named = config.map(Path::to_owned).or_else(|| environment(CONFIG_VARIABLE).map(PathBuf::from));
    let path = named.as_ref().unwrap_or(&machine.file);
    let cannot = |error: io::Error| format!("the configuration {} cannot be read: {error}", path.display());
    let path = std::path::absolute(path).map_err(cannot)?;
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(error).into()),
    }
}

/// What was set so far; what comes later beats it.
#[derive(Default)]
struct Given(BTreeMap<&'static str, (String, Origin)>);

impl Given {
    fn put(&mut self, setting: &'static Setting, text: String, origin: Origin) {
        self.0.insert(setting.name, (text, origin));
    }

    /// Puts a text of a variable or a flag, if it is a value.
    fn judge(&mut self, setting: &'static Setting, text: String, origin: Origin, problems: &mut Vec<String>) {
        let text = match std::path::absolute(&text) {
            Ok(path) if setting.shape == Shape::Path => path.display().to_string(),
            _ => text,
        };
        match (setting.verdict)(setting, &text) {
            Verdict::Good => self.put(setting, text, origin),
            verdict => problems.push(complaint(setting, &origin, &text, verdict)),
        }
    }

    /// Every setting, in the order of the table.
    fn with_defaults(
        mut self,
        machine: &Machine,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<InForce, ConfigProblem> {
        let mut in_force = InForce(Vec::with_capacity(SETTINGS.len()));
        for setting in SETTINGS {
            let (value, origin) = match self.0.remove(setting.name) {
                Some((text, origin)) => (Some(text), origin),
                None => {
                    let basis = Basis { machine, environment, data_dir: in_force.text("data_dir") };
                    (default_of(setting, &basis)?, Origin::Default)
                }
            };
            in_force.0.push(Provenance { setting, value, origin });
        }
        Ok(in_force)
    }
}

fn default_of(setting: &Setting, basis: &Basis<'_>) -> Result<Option<String>, ConfigProblem> {
    match &setting.otherwise {
        Otherwise::Is(text) => Ok(Some((*text).to_owned())),
        Otherwise::Unset { .. } => Ok(None),
        Otherwise::Found { says, from, .. } => match from(basis) {
            Some(text) if (setting.verdict)(setting, &text) == Verdict::Good => Ok(Some(text)),
            _ => Err(ConfigProblem::from(format!(
                "{} has no default here ({says}); set it, or {}",
                setting.name,
                setting.variable()
            ))),
        },
    }
}

/// Every setting with its text.
struct InForce(Vec<Provenance>);

impl Texts for InForce {
    fn text(&self, name: &'static str) -> Option<&str> {
        self.0.iter().find(|one| one.setting.name == name)?.value.as_deref()
    }
}

/// The sentence about a text that is no value.
fn complaint(setting: &Setting, origin: &Origin, text: &str, verdict: Verdict) -> String {
    let should = match (verdict, setting.range) {
        (Verdict::OutOfRange, Some((least, most))) => format!("it must be from {least} to {most}"),
        _ => format!("write {}", setting.how),
    };
    format!("{origin}: {} is {:?}; {should}", setting.name, redacted(text))
}

/// The sentence about a name that is no setting.
fn unknown(name: &str) -> String {
    let same_key = SETTINGS.iter().find(|setting| Some(setting.key) == name.rsplit('.').next());
    let nearest = suggestion(name, SETTINGS.iter().map(|setting| setting.name))
        .or_else(|| same_key.map(|setting| setting.name))
        .map_or_else(|| "gambeson config check lists them".to_owned(), |near| format!("did you mean {near}?"));
    format!("there is no setting {}; {nearest}", redacted(name))
}

/// The one among `known` that `name` most likely means.
fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = 1 + name.chars().count() / 5;
    known.map(|one| (distance(name, one), one)).filter(|(far, _)| *far <= near).min().map(|(_, one)| one)
}

/// How many letters must be put in, left out, replaced, or exchanged with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}
