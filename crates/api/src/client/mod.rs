//! A typed client, for workers and people.
//!
//! [`Connection`] is the one way to a server: TCP, TLS or a Unix socket, a bearer token, and problems decoded.

mod connection;
pub mod people;
pub mod worker;

pub use connection::{ClientError, Connection, Target};
