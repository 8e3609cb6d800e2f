//! `gambeson profile`: servers and keys under names.

use std::io::{BufRead, IsTerminal};

use super::args::{ProfileCommand, ServerOptions};
use super::failure::Failure;
use super::table::{Form, Table};
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
            let mut table = Table::new(&["name", "server", "key", "default"]);
            for one in listed {
                let default = if one.is_default { "yes" } else { "" };
                table.row([one.name, one.server, one.key.unwrap_or_default(), default.into()]);
            }
            table.print(form);
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
