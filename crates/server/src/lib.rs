#![doc = include_str!("../README.md")]

mod bearer;
mod blob;
mod body;
mod console;
mod cookie;
mod document;
mod envelope;
mod exposition;
mod failure;
mod follow;
mod guarded;
mod listen;
mod listener;
mod options;
mod peers;
mod place;
mod query;
mod routes;
mod serve;
mod strict;
mod tls;

pub use console::is_built_in as console_is_built_in;
pub use document::openapi;
pub use options::{Address, Options};
pub use routes::router;
pub use serve::{ServeError, serve};
