#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]

mod asking;
mod backlog;
mod beat;
mod blobs;
mod boot_time;
mod cell;
mod config;
mod egress;
mod holding;
mod inputs;
mod job;
mod local;
mod outage;
mod room;
mod spares;
mod state_dir;
mod stream;
mod trail;
mod translate;
mod vitals;
mod worker;

pub use config::{Config, Flush};
pub use egress::OneProxy;
pub use local::{Local, Lost, Taken, Told, ask};
pub use spares::Warmth;
pub use state_dir::{StateError, is_enrolled};
pub use translate::{posture, refusal, report, report_of_end};
pub use worker::{WorkerError, lacking, run};
