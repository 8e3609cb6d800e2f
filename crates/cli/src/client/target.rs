//! Which server, and with which key.

use gambeson_api::client::{Client, Connection, Target};

use super::args::ServerOptions;
use super::failure::Failure;
use crate::profile::{self, Choice};

/// The server that the options name, else the environment, else a profile, else the one on this machine.
///
/// # Errors
/// When what was given is no server, or a profile cannot be used.
pub fn target(options: &ServerOptions) -> Result<Client, Failure> {
    let choice = Choice {
        server: options.server.clone(),
        key: options.key.clone(),
        ca: options.ca.clone(),
        profile: options.profile.clone(),
    };
    let chosen = profile::resolve(&choice, |name| std::env::var_os(name)).map_err(Failure::usage)?;
    let target: Target = chosen.server.parse().map_err(Failure::usage)?;
    Ok(Client::new(Connection::new(target, chosen.key, chosen.ca.as_deref())?))
}
