#![doc = include_str!("../README.md")]

#[macro_use]
mod wire;

#[cfg(feature = "client")]
pub mod client;
mod content;
mod destination;
mod event;
mod id;
mod job;
mod limits;
pub mod local;
mod outcome;
mod people;
mod problem;
mod quantity;
mod time;
pub mod trace;
mod vet;
mod watching;
pub mod work;

pub use content::{BadDigest, Content, Digest, FileContent};
pub use destination::{BadDestination, Destination, Host, address_is_public, split as split_host_and_port};
pub use event::{Egress, Event, EventBody, OutputStream};
pub use id::{ArrayId, BadId, JobId, KeyId, LeaseId, ProjectId, UserId, WorkerId};
pub use job::{
    Accepted, Array, ArrayPlace, Artifact, Class, Job, JobList, JobSource, JobState, Network, StartAsked, Submission,
    SubmittedArray, Waiting,
};
pub use limits::{Limits, LimitsAsked, LimitsProblem};
pub use outcome::{Denial, End, LayerReport, LayerState, Outcome, Report, Start, Usage};
pub use people::*;
pub use problem::{Code, Problem};
pub use quantity::{BadQuantity, COUNT, CPUS, Quantity, SIZE, TIME, bytes, count, cpus, duration_ms};
pub use time::{BadTime, Time};
pub use vet::{Finding, Missed, Module, RuleRecord, VetDecision, VetRecord, Vetted};
pub use watching::{AttentionList, Change, History, Matter, Moment, NewSession, Sample, Sees, Session, Vitals};
