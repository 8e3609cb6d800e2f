//! How a job ended, in values and in words.

use serde::{Deserialize, Serialize};

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// The program ended by itself.
    Exited {
        /// Its exit code.
        code: u8,
    },
    /// A signal ended the program.
    Signalled {
        /// Its number.
        signal: i32,
    },
    /// A limit was reached.
    LimitHit {
        /// Which.
        limit: String,
        /// How much was used: bytes, a count, or milliseconds.
        used: u64,
        /// How much was allowed, in the same unit.
        allowed: u64,
    },
    /// An act that no policy allows, or a host that lacks a layer.
    Refused {},
    /// Somebody asked for its end.
    Cancelled {},
    /// Its worker vanished after the program had started, and it may not run twice.
    Lost {},
    /// A failure of ours; never charged.
    Fault {
        /// What we tried.
        step: String,
    },
}

impl End {
    /// The word for it on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            End::Exited { .. } => "exited",
            End::Signalled { .. } => "signalled",
            End::LimitHit { .. } => "limit_hit",
            End::Refused {} => "refused",
            End::Cancelled {} => "cancelled",
            End::Lost {} => "lost",
            End::Fault { .. } => "fault",
        }
    }

    /// Whether what the run used is charged: what was our fault is not.
    pub const fn is_charged(&self) -> bool {
        match self {
            End::Exited { .. } | End::Signalled { .. } | End::LimitHit { .. } | End::Refused {} | End::Cancelled {} => {
                true
            }
            End::Lost {} | End::Fault { .. } => false,
        }
    }
}

/// How a job ended, with a sentence for its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// How.
    #[serde(flatten)]
    pub end: End,
    /// What happened and what to do about it.
    pub message: String,
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Time on the clock, milliseconds.
    pub wall_ms: f64,
    /// CPU time of the whole tree, milliseconds.
    pub cpu_ms: f64,
    /// The most memory at once, bytes, where it is counted.
    pub memory_peak_bytes: Option<u64>,
    /// The most processes and threads at once, where they are counted.
    pub pids_peak: Option<u64>,
    /// The most bytes seen in the scratch space.
    pub disk_bytes: u64,
    /// Bytes on stdout and stderr, those that were not kept included.
    pub output_bytes: u64,
}

/// Whether a layer held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LayerState {
    /// It held.
    Held,
    /// The host lacks it, and its absence was accepted by name, or it is an extra.
    Missing,
}

/// One layer of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayerReport {
    /// Which.
    pub name: String,
    /// Whether it held.
    pub state: LayerState,
    /// With which values, and how we know.
    pub detail: String,
}

/// One refused act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Denial {
    /// What was tried.
    pub act: String,
    /// Which layer refused it.
    pub layer: String,
    /// Why.
    pub why: String,
    /// What its author can do.
    pub remedy: String,
    /// How often.
    pub count: u64,
}

/// From what a cell started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The interpreter was executed for this run alone.
    Cold,
    /// It was forked from one that waited, whose layout in memory it shares with others.
    Warm,
}

/// Everything that a worker says of one ended run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// What held; empty where no cell was built.
    pub layers: Vec<LayerReport>,
    /// What was refused.
    pub denials: Vec<Denial>,
    /// From what it started.
    pub start: Start,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_has_the_form_that_gambeson_run_prints() {
        let outcome = Outcome { end: End::Exited { code: 0 }, message: "fine".into() };
        let json = serde_json::to_string(&outcome).unwrap();
        assert_eq!(json, r#"{"kind":"exited","code":0,"message":"fine"}"#);
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
        let lost = Outcome { end: End::Lost {}, message: String::new() };
        assert_eq!(serde_json::to_string(&lost).unwrap(), r#"{"kind":"lost","message":""}"#);
    }
}
