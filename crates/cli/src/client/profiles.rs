//! `gambeson profile`: servers and keys under names.

use std::io::{BufRead, IsTerminal};

use super::args::{ProfileCommand, ServerOptions};
use super::failure::Failure;
use super::table::{Cell, Form, Table, show};
use crate::profile;

/// Saves, removes or lists profiles. Asks no server.
pub fn profiles(command: &ProfileCommand, options: &ServerOptions, form: Form) -> Result<(), Failure> {
    let environment = |name: &str| std::env::var_os(name);
    match command {
        ProfileCommand::Save { name, url, default } => {
            let key = key(options)?;
            profile::save(name, url, key.as_deref(), options.ca.as_deref(), *default, environment)
                .map_err(Failure::usage)
        }
        ProfileCommand::Remove { name } => profile::remove(name, environment).map_err(Failure::usage),
        ProfileCommand::List => {
            let listed = profile::list(environment).map_err(Failure::usage)?;
            let said: Vec<serde_json::Value> = listed
                .iter()
                .map(|one| {
                    serde_json::json!({
                        "name": one.name, "server": one.server, "key": one.key, "default": one.is_default,
                    })
                })
                .collect();
            show(form, &said, |_| {
                let mut table = Table::new(["name", "server", "key", "default"]);
                for one in &listed {
                    let default = if one.is_default { Cell::from("yes") } else { Cell::None };
                    let key = Cell::of(one.key.as_ref(), Cell::from);
                    table.row([Cell::from(&one.name), Cell::from(&one.server), key, default]);
                }
                table
            });
            Ok(())
        }
    }
}

/// A key on the command line is seen by others on this machine: so it comes another way.
fn key(options: &ServerOptions) -> Result<Option<String>, Failure> {
    if let Some(key) = options.key.clone().or_else(|| std::env::var("GAMBESON_KEY").ok()) {
        return Ok(Some(key));
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("key (it is shown while you type; empty for none):");
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|error| Failure::usage(format!("standard input: {error}")))?;
    Ok(Some(line.trim().to_owned()).filter(|key| !key.is_empty()))
}
