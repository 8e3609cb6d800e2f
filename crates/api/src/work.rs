//! What workers and the server say to each other, over connections that the worker opens.
//!
//! A worker makes itself an id and a credential (`gmw_…`), and enrols once with a join token. With the credential, it asks for leases and beats.
//! Everything about one job is asked with that lease's own token (`gml_…`), which is worth nothing when the lease is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::content::{Content, Digest, FileContent};
use crate::event::{Egress, OutputStream};
use crate::id::{JobId, LeaseId, WorkerId};
use crate::job::{ArrayPlace, Artifact, Network, StartAsked};
use crate::limits::Limits;
use crate::outcome::{Denial, LayerReport, Report};
use crate::watching::{Sample, Vitals};

wire! {
    /// Resources: of a worker, or what is free of them.
    #[derive(Copy, Eq, Default)]
    pub struct Room {
        /// Cells at once.
        pub slots: u32,
        /// CPUs, thousandths.
        pub cpus_milli: u32,
        /// Bytes of memory.
        pub memory_bytes: u64,
    }

    /// A worker that wants to be known. Its join token is the request's bearer token.
    ///
    /// It says who it will be, so that one whose answer was lost asks again and is the same worker.
    pub struct Enrol {
        /// The id that it chose.
        pub worker: WorkerId,
        /// The digest of the credential that it made (see [`credential`]) and keeps to itself.
        pub credential: Digest,
        /// Its name, shown to operators.
        pub name: String,
        /// What it gives to cells.
        pub room: Room,
        /// Its program's version.
        pub version: String,
        /// Its interpreter, such as `CPython 3.11.7`.
        pub environment: String,
        /// Its layers, as probed.
        pub layers: Vec<LayerReport>,
    }

    /// A worker that is known.
    pub struct Enrolled {
        /// The id that it chose.
        pub worker: WorkerId,
    }

    /// Asks for work. Answered when there is some, or empty after `wait_ms`.
    pub struct LeaseRequest {
        /// What this start of the worker gives to cells; it may differ from the enrolment's.
        pub room: Room,
        /// What is free of it.
        pub free: Room,
        /// How long to wait, milliseconds; at most 60,000.
        pub wait_ms: u64,
        /// Its program's version.
        pub version: String,
        /// Its interpreter.
        pub environment: String,
        /// Its layers, as probed at its start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub layers: Option<Vec<LayerReport>>,
    }

    /// Leases that were granted.
    pub struct Leases {
        /// None, one or several.
        pub leases: Vec<Lease>,
    }

    /// A worker's right to one attempt at one job, until a time.
    pub struct Lease {
        /// Its id.
        pub id: LeaseId,
        /// The token for everything about this job.
        pub token: String,
        /// Which job.
        pub job: JobId,
        /// Which attempt: the fencing number.
        pub attempt: u32,
        /// How long it holds without a heartbeat, milliseconds from the sending of the request.
        pub ttl_ms: u64,
        /// Files below `/work`.
        pub files: BTreeMap<String, FileContent>,
        /// Which of them is run.
        pub entry: String,
        /// Its arguments.
        pub args: Vec<String>,
        /// Environment variables.
        pub env: BTreeMap<String, String>,
        /// Standard input.
        pub stdin: Content,
        /// What it may use.
        pub limits: Limits,
        /// Which sockets it may make.
        pub network: Network,
        /// How its interpreter may start.
        #[serde(default)]
        pub start: StartAsked,
        /// Its place in an array.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub array: Option<ArrayPlace>,
        /// Whether the server takes [`Entry::Denied`]: one of before that does not say so.
        #[serde(default)]
        pub denials: bool,
        /// Whether the server takes [`Entry::Sample`].
        #[serde(default)]
        pub samples: bool,
        /// Whether it may run twice: then it may start before the server has recorded that it does.
        #[serde(default)]
        pub may_rerun: bool,
    }

    /// "I live, and I still have these." Answered at once when there is something to do, else after `wait_ms`.
    pub struct Heartbeat {
        /// The leases that it has, which are renewed.
        pub leases: Vec<LeaseId>,
        /// How long to wait for something to do, milliseconds; less than half of the lease's time.
        pub wait_ms: u64,
        /// How it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub vitals: Option<Vitals>,
    }

    /// What a worker has to do.
    #[derive(Default)]
    pub struct HeartbeatAnswer {
        /// Leases whose jobs are to be cancelled.
        pub cancel: Vec<LeaseId>,
        /// Leases that it no longer has: their cells are to be killed, and nothing of them reported.
        pub lost: Vec<LeaseId>,
        /// Whether it gets no more work: it finishes what runs, hands back what does not, and beats on, since this may
        /// change.
        pub drain: bool,
        /// How long the leases hold from the sending of the request, milliseconds.
        pub ttl_ms: u64,
    }

    /// What happened in an attempt since the last report.
    pub struct Append {
        /// The place of the first entry among all entries of this attempt, from 0: what the server already has, it
        /// passes over.
        pub first: u64,
        /// In order.
        pub entries: Vec<Entry>,
    }

    /// How far the server has recorded.
    pub struct Appended {
        /// The place of the next entry.
        pub next: u64,
    }

    /// The end of an attempt, with the last entries.
    pub struct Settle {
        /// As in [`Append`].
        pub first: u64,
        /// As in [`Append`].
        pub entries: Vec<Entry>,
        /// Everything about the end.
        pub report: Report,
        /// What it left; each is uploaded before.
        pub artifacts: Vec<Artifact>,
        /// What it left that was not collected.
        pub skipped: Vec<Skipped>,
    }

    /// "I did not start it and will not": the job waits again.
    pub struct HandBack {
        /// Why, in a sentence for operators.
        pub why: String,
    }

    /// Something below `/work/out` that was not collected.
    #[derive(Eq)]
    pub struct Skipped {
        /// Its path, fit to print.
        pub path: String,
        /// Why.
        pub why: String,
    }

    /// Nothing to say.
    #[derive(Default)]
    pub struct Done {}
}

/// One thing that happened in an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// The program is about to start. Recorded before it is.
    Started {},
    /// The program wrote something.
    Output {
        /// Where.
        stream: OutputStream,
        /// What.
        data: Content,
    },
    /// Output that was not kept.
    Elided {
        /// Which stream.
        stream: OutputStream,
        /// How many bytes.
        bytes: u64,
    },
    /// An act was refused. Only where the lease says that the server knows of these.
    Denied {
        /// Which, and why.
        denial: Box<Denial>,
    },
    /// It connected to a place outside, and that connection is over.
    Egress(Egress),
    /// What it uses now. Only where the lease says that the server knows of these.
    Sample(Sample),
}

/// The credential of the worker with this id: `secret` is 32 bytes that nobody can guess.
pub fn credential(worker: WorkerId, secret: &[u8; 32]) -> String {
    let head = format!("gmw_{:032x}_", worker.as_u128());
    secret.iter().fold(head, |text, byte| text + &format!("{byte:02x}"))
}

impl Append {
    /// The most entries of one attempt that tell of denials.
    pub const DENIALS_MOST: usize = 128;
    /// The most samples of one attempt that are kept, about what a day has: of those that come later only the last is
    /// known.
    pub const SAMPLES_MOST: usize = 10_000;
    /// The most entries of one report.
    pub const ENTRIES_MOST: usize = 1000;
    /// The most bytes of output in one report.
    pub const BYTES_MOST: usize = 1 << 20;
}
