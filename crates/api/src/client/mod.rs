//! A typed client, for workers and people.
//!
//! [`Connection`] is the one way to a server: TCP, TLS or a Unix socket, a bearer token, and problems decoded.
//! [`Client`] has a method for each public operation; [`Follower`] is the events of one job, whole and in order;
//! [`Listener`] is what changes of all that one may see.

mod changes;
mod connection;
pub mod events;
pub mod otlp;
pub mod people;
pub mod worker;

pub use changes::Listener;
pub use connection::{ClientError, Connection, Target};
pub use events::{FollowError, Follower};
pub use people::{AuditFilter, Client, Download, JobFilter};
