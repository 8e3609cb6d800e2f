#![doc = include_str!("../README.md")]

pub mod access;
mod admit;
mod audit;
mod backup;
mod books;
mod clock;
mod config;
mod control;
mod depot;
mod desk;
mod directory;
mod disk;
mod house;
mod job;
mod lease;
pub mod queue;
mod rate;
mod reading;
mod sampled;
mod secret;
mod store;
mod sweep;
mod tally;
mod uploads;
mod vetting;
mod watch;
mod writer;

pub use backup::{BackupContents, BackupError, backup, restore};
pub use clock::{Clock, Hands};
pub use config::{Config, Vetting};
pub use control::*;
pub use vetting::{told, told_module};
