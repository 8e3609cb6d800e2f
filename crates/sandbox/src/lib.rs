#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]

mod birth;
mod cell;
mod cgroup;
mod children;
mod collect;
mod environment;
mod exit;
mod feed;
mod frames;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod host;
mod janitor;
mod launch;
mod limits;
#[cfg(feature = "mutation")]
mod mutation;
mod nursery;
mod output;
mod plan;
mod relay;
mod sample;
mod seccomp;
mod seen;
mod spec;
mod step;
mod sys;
mod verdict;
mod warden;
mod wire;

pub use cell::{Cell, Denied, Ended, Listeners, Streams};
pub use collect::{Artifact, Collected, Place, Skipped, collect, has_output};
pub use environment::{Environment, EnvironmentError};
pub use exit::{Act, Amount, Denial, End, Exit, Held, LayerReport, Start, Usage};
pub use feed::Input;
pub use frames::{Claim, Frames, Layout};
pub use host::{Authority, Host, Layer, Missing, Selinux};
pub use launch::{LaunchError, launch};
pub use limits::{Bytes, Limit, LimitOutOfRange, Limits, MilliCpus};
pub use nursery::{Dressed, HandOver, Newborn, Nursery, NurseryError, Spare, Wanted, inside};
pub use output::Sink;
pub use plan::{Plan, Refusal, plan};
pub use relay::{Relayed, Remote, relay};
pub use sample::{Sample, Sampled};
pub use seccomp::{Action, Policy, PolicyError};
pub use spec::{Network, OpenFile, PROXY, Spec, Staged, Terminal};
pub use step::Step;
pub use sys::peer::{Peer, peer, refuse_descriptors};
