//! `gambeson config check`: every setting in force, and where it came from.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{ConfigProblem, Provenance, Setting, Settings, unknown};
use crate::exit_code::ExitCode;
use crate::profile::redacted;
use crate::terminal::{complain, print};

/// Where a role's settings come from; the roles and `config check` have these flags in common.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Sources {
    /// The configuration file, instead of GAMBESON_CONFIG or /etc/gambeson/gambeson.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one setting, before the environment and the file: --set server.listen=127.0.0.1:8080.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

impl Sources {
    /// The settings in force, from the file, our environment and the flags; `more` are a role's own flags, which
    /// come after `--set`.
    ///
    /// # Errors
    /// Those of [`Settings::load`], and a `--set` that sets nothing.
    pub fn load(&self, more: &[(&'static str, String)]) -> Result<(Settings, Vec<Provenance>), ConfigProblem> {
        let mut flags = self.flags()?;
        flags.extend_from_slice(more);
        Settings::load(self.config.as_deref(), |name| std::env::var_os(name), &flags)
    }

    fn flags(&self) -> Result<Vec<(&'static str, String)>, ConfigProblem> {
        let flag = |text: &String| {
            let (name, value) = text
                .split_once('=')
                .ok_or_else(|| "--set needs NAME=VALUE, for example server.drain=10s".to_owned())?;
            let setting = Setting::named(name).ok_or_else(|| format!("--set: {}", unknown(name)))?;
            Ok((setting.name, value.to_owned()))
        };
        self.set.iter().map(flag).collect::<Result<_, String>>().map_err(ConfigProblem::from)
    }
}

/// `gambeson config`.
#[derive(Debug, clap::Args)]
pub struct ConfigOptions {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every setting in force, and where it came from; complain of what makes no sense.
    Check(CheckOptions),
}

#[derive(Debug, clap::Args)]
struct CheckOptions {
    #[command(flatten)]
    sources: Sources,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `gambeson config` and returns our exit code.
pub fn config(options: &ConfigOptions) -> ExitCode {
    let ConfigCommand::Check(options) = &options.command;
    match options.sources.load(&[]) {
        Ok((_, in_force)) => {
            print(&if options.json { format!("{}\n", to_json(&in_force)) } else { to_text(&in_force) });
            ExitCode::Program(0)
        }
        Err(problem) => {
            if options.json {
                print(&format!("{}\n", json!({"problems": problem.sentences})));
            } else {
                problem.sentences.iter().for_each(|sentence| complain(sentence));
            }
            ExitCode::Usage
        }
    }
}

fn to_json(in_force: &[Provenance]) -> Value {
    let setting = |one: &Provenance| {
        json!({
            "name": one.setting.name,
            "value": one.value.as_deref().map(redacted),
            "origin": one.origin.to_string(),
            "variable": one.setting.variable(),
            "what": one.setting.what(),
        })
    };
    json!({"settings": in_force.iter().map(setting).collect::<Vec<_>>()})
}

fn to_text(in_force: &[Provenance]) -> String {
    let mut text = String::new();
    for one in in_force {
        let line = format!("{:27} {:40} {}", one.setting.name, one.shown(), one.origin);
        text.push_str(&format!("{}\n{:27} {}\n", line.trim_end(), "", one.setting.what()));
    }
    text
}
