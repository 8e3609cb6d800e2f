//! Jobs: as they come in, and as they are shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::content::{Content, Digest, FileContent};
use crate::destination::Destination;
use crate::id::{ArrayId, JobId, ProjectId, UserId, WorkerId};
use crate::limits::{Limits, LimitsAsked};
use crate::outcome::{Denial, LayerReport, Outcome, Start, Usage};
use crate::time::Time;
use crate::vet::{Finding, Missed};
use crate::watching::Sample;

/// Priority class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Runs when nothing else wants to.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Before the others, within its ceiling.
    High,
}

impl Class {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Low => "low",
            Class::Normal => "normal",
            Class::High => "high",
        }
    }
}

/// How an interpreter may come to a program; each is stricter than the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StartAsked {
    /// The fastest: forked, where the worker can, from an interpreter whose layout in memory others share.
    #[default]
    Warm,
    /// With a layout of its own. Today that is a cold start.
    Fresh,
    /// Executed for this program alone.
    Cold,
}

impl StartAsked {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            StartAsked::Warm => "warm",
            StartAsked::Fresh => "fresh",
            StartAsked::Cold => "cold",
        }
    }
}

/// Which sockets a program may make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// No internet socket can be made.
    #[default]
    None,
    /// A loopback interface of its own.
    Loopback,
    /// As `loopback`, and through a proxy there TCP connections to these places, each within what the project allows.
    Allow(Vec<Destination>),
}

impl Network {
    /// The word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Network::None => "none",
            Network::Loopback => "loopback",
            Network::Allow(_) => "allow",
        }
    }
}

fn main_py() -> String {
    "main.py".into()
}

/// A job, or an array of jobs, as it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Files by their path below `/work`.
    pub files: BTreeMap<String, FileContent>,
    /// Which of them is run.
    #[serde(default = "main_py")]
    #[cfg_attr(feature = "openapi", schema(default = "main.py"))]
    pub entry: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Standard input.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stdin: String,
    /// What it may use.
    #[serde(default)]
    pub limits: LimitsAsked,
    /// Which sockets it may make.
    #[serde(default)]
    pub network: Network,
    /// How its interpreter may start; the project may demand a stricter one.
    #[serde(default)]
    pub start: StartAsked,
    /// The project that pays, by name or id; the key's own, or the only one, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Labels for finding it again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Priority class.
    #[serde(default)]
    pub class: Class,
    /// A second submission with the same key of the same user in the same project is the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Whether it may run again when its worker vanished in the middle. Then it also starts sooner: nobody waits until it is
    /// on the disk that it does.
    #[serde(default)]
    pub may_rerun: bool,
    /// As many elements as this, each told its own by `GAMBESON_ARRAY_INDEX` (from 0) and `GAMBESON_ARRAY_SIZE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub array: Option<u32>,
    /// Not offered yet: a submission with one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

impl Submission {
    /// The most elements of an array.
    pub const ARRAY_MOST: u32 = 10_000;

    /// One file, everything else as by default.
    pub fn of_source(source: impl Into<String>) -> Submission {
        Submission {
            files: BTreeMap::from([(main_py(), FileContent::text(source))]),
            entry: main_py(),
            args: Vec::new(),
            env: BTreeMap::new(),
            stdin: String::new(),
            limits: LimitsAsked::default(),
            network: Network::None,
            start: StartAsked::Warm,
            project: None,
            labels: BTreeMap::new(),
            class: Class::Normal,
            idempotency_key: None,
            may_rerun: false,
            array: None,
            webhook: None,
        }
    }
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker has it; the program has not started.
    Starting,
    /// The program runs.
    Running,
    /// It ended; `outcome` says how.
    Ended,
}

impl JobState {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Starting => "starting",
            JobState::Running => "running",
            JobState::Ended => "ended",
        }
    }
}

/// Its place in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArrayPlace {
    /// Which array.
    pub id: ArrayId,
    /// Which element, from 0.
    pub index: u32,
    /// How many there are.
    pub size: u32,
}

/// Why a job waits, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Waiting {
    /// Jobs that are expected to start before it; absent, as the times are, where the server was too busy to look ahead.
    pub position: Option<u64>,
    /// When it will have started in half of the cases; absent where nobody can say.
    pub expected_start_p50: Option<Time>,
    /// When it will have started in nine of ten cases.
    pub expected_start_p90: Option<Time>,
    /// A sentence.
    pub why: String,
    /// Whether it waits for somebody who approves it, and not for a worker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// A file that a job left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artifact {
    /// Path below `/work/out`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Where it is in its life.
    pub state: JobState,
    /// Who pays.
    pub project: ProjectId,
    /// The project's name.
    pub project_name: String,
    /// Who asked.
    pub user: UserId,
    /// The user's name.
    pub user_name: String,
    /// Which file runs.
    pub entry: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Priority class.
    pub class: Class,
    /// What it may use.
    pub limits: Limits,
    /// Which sockets it may make.
    pub network: Network,
    /// Whether it may run again when its worker vanished in the middle.
    pub may_rerun: bool,
    /// Its place in an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<ArrayPlace>,
    /// When it was accepted.
    pub submitted_at: Time,
    /// When the program started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// How often a worker took it.
    pub attempt: u32,
    /// Which worker has it, or had it last; only for those who may see workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
    /// Whether its end was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_requested: bool,
    /// While it waits: for what and how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// While it runs: what it used when that was last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Sample>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The beginning of its standard output, invalid UTF-8 replaced; only once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
    /// The beginning of its standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// What it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<LayerReport>>,
    /// What was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denials: Option<Vec<Denial>>,
    /// What was remarked when its source was read, for those who may see the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Findings that are not shown, since there are so many.
    #[serde(default, skip_serializing_if = "crate::vet::is_zero")]
    pub findings_more: u64,
    /// What was refused and no finding had foretold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Missed>,
    /// From what it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// What it left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

impl Job {
    /// The most bytes of one stream in `stdout` or `stderr`; the events have all of it.
    pub const STREAM_MOST: usize = 1 << 20;
}

/// What a submission became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Accepted {
    /// One job.
    Job(Box<Job>),
    /// An array of jobs.
    Array(SubmittedArray),
}

/// An array of jobs that was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmittedArray {
    /// Its id.
    pub array: ArrayId,
    /// How many elements.
    pub size: u32,
    /// The first element; the others are listed by `GET /v1/jobs?array=…`.
    pub first: JobId,
}

/// How the elements of an array are doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Array {
    /// Its id.
    pub array: ArrayId,
    /// Who pays.
    pub project: ProjectId,
    /// How many elements.
    pub size: u32,
    /// How many are in each state.
    pub states: BTreeMap<String, u64>,
    /// How many ended in each way.
    pub outcomes: BTreeMap<String, u64>,
}

/// A page of jobs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobList {
    /// The jobs, without output, usage and layers.
    pub jobs: Vec<Job>,
    /// What to ask for to get the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The files of a job, as `GET /v1/jobs/{id}/source` shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobSource {
    /// Files by their path below `/work`.
    pub files: BTreeMap<String, FileContent>,
    /// Which of them is run.
    pub entry: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Standard input.
    pub stdin: Content,
}
