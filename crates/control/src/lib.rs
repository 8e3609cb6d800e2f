#![doc = include_str!("../README.md")]

mod clock;
mod config;
mod control;

pub use clock::Clock;
pub use config::Config;
pub use control::*;
