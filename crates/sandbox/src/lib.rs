#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]

mod birth;
mod cell;
mod cgroup;
mod children;
mod collect;
mod environment;
mod exit;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod host;
mod janitor;
mod limits;
mod output;
mod plan;
mod seccomp;
mod spec;
mod sys;
mod wire;

pub use cell::{Cell, Ended, Input, LaunchError, Streams, launch};
pub use collect::{Artifact, Collected, Skipped, collect};
pub use environment::{Environment, EnvironmentError};
pub use exit::{Amount, Denial, End, Exit, Held, LayerReport, Usage};
pub use host::{Authority, Host, Layer, Missing, Selinux};
pub use limits::{Bytes, Limit, LimitOutOfRange, Limits, MilliCpus};
pub use output::Sink;
pub use plan::{Plan, Refusal, Step, plan};
pub use seccomp::{Action, Policy, PolicyError};
pub use spec::{Network, Spec, Staged, Terminal};
