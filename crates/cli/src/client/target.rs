//! Which server, and with which key.

use gambeson_api::client::{Client, Connection, Target};

use super::args::ServerOptions;
use super::failure::Failure;

const DEFAULT: &str = "http://127.0.0.1:7373";

/// The server that the options name, else the environment, else the one on this machine.
///
/// # Errors
/// When what was given is no server.
pub fn target(options: &ServerOptions) -> Result<Client, Failure> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(profile) = &options.profile {
        return Err(Failure::usage(format!("there is no profile {profile:?}")));
    }
    let server = options.server.clone().or_else(|| set("GAMBESON_SERVER")).unwrap_or_else(|| DEFAULT.to_owned());
    let key = options.key.clone().or_else(|| set("GAMBESON_KEY"));
    let target: Target = server.parse().map_err(Failure::usage)?;
    Ok(Client::new(Connection::new(target, key, None)?))
}
