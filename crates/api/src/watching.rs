//! What is watched from outside: how a running job is doing, how a worker is, what changed, what was, what wants attention.

use serde::{Deserialize, Serialize};

use crate::id::{JobId, ProjectId, WorkerId};
use crate::job::Job;
use crate::people::{Queue, WhoAmI};
use crate::time::Time;

wire! {
    /// What a running job uses, at one moment. What a host does not count is absent.
    #[derive(Copy, Default)]
    pub struct Sample {
        /// Time on the clock since the program started, milliseconds.
        pub wall_ms: u64,
        /// CPU time of the whole tree since then, milliseconds.
        pub cpu_ms: u64,
        /// Memory now, bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub memory_bytes: Option<u64>,
        /// Processes and threads now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub pids: Option<u64>,
        /// Bytes now in the scratch space.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub disk_bytes: Option<u64>,
        /// Bytes read from block devices since the start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub read_bytes: Option<u64>,
        /// Bytes written to block devices since the start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub write_bytes: Option<u64>,
    }

    /// How a worker is, as it said with its last heartbeat.
    #[derive(Copy, Default)]
    pub struct Vitals {
        /// Cells in which a program runs.
        pub cells: u64,
        /// Warm cells that wait for a program.
        pub spares: u64,
        /// Part of the last ten seconds in which somebody waited for a CPU, percent; absent where the kernel has no pressure
        /// stall information (`/proc/pressure/cpu`, `some avg10`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub cpu_pressure: Option<f64>,
        /// The same for memory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub memory_pressure: Option<f64>,
        /// The same for input and output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub io_pressure: Option<f64>,
    }

    /// A browser that wants to sign in.
    #[serde(deny_unknown_fields)]
    pub struct NewSession {
        /// The key, `gmb_…`, which the browser does not keep.
        pub key: String,
    }

    /// A browser that is signed in, by a cookie that its programs cannot read.
    pub struct Session {
        /// Who the key makes it.
        pub who: WhoAmI,
        /// What a request that changes something carries as `X-CSRF-Token`.
        pub csrf: String,
        /// When the session ends unless it is used.
        pub expires_at: Time,
        /// Which lists it may read: pages ask for no others, since each refusal is in the audit log.
        pub sees: Sees,
    }

    /// Which lists somebody may read, as it was decided when they asked.
    pub struct Sees {
        /// The own keys.
        pub keys: bool,
        /// All users.
        pub users: bool,
        /// Any project.
        pub projects: bool,
        /// What was used in any project.
        pub usage: bool,
        /// Who holds which role, everywhere.
        pub members: bool,
        /// Without that: in which projects.
        pub members_of: Vec<ProjectId>,
    }

    /// How it was with the projects that the caller sees, over time. It is kept in memory: a server that starts begins anew.
    pub struct History {
        /// Time from one moment to the next, milliseconds.
        pub step_ms: u64,
        /// The moments, oldest first; at most 720.
        pub moments: Vec<Moment>,
    }

    /// What was so at one moment, and what happened since the one before.
    #[derive(Copy)]
    pub struct Moment {
        /// When.
        pub at: Time,
        /// Jobs waiting for a worker.
        pub queued: u64,
        /// Jobs starting or running.
        pub running: u64,
        /// Jobs that came.
        pub submitted: u64,
        /// Jobs whose programs started.
        pub started: u64,
        /// Jobs that ended.
        pub ended: u64,
        /// Of these, those that ended by anything but exit code 0.
        pub failed: u64,
        /// How long those that started had waited, at the median, milliseconds; absent where none started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub wait_p50_ms: Option<u64>,
        /// How long nine of ten had waited at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub wait_p90_ms: Option<u64>,
        /// CPUs that running jobs were given, thousandths.
        pub cpus_milli: u64,
        /// Memory that running jobs were given, bytes.
        pub memory_bytes: u64,
        /// CPUs of the connected workers, thousandths; 0 for who may not see workers.
        pub cpus_milli_most: u64,
        /// Memory of the connected workers, bytes.
        pub memory_bytes_most: u64,
    }

    /// What wants somebody's attention, the gravest first.
    pub struct AttentionList {
        /// The matters, of what the caller may see.
        pub matters: Vec<Matter>,
    }

    /// One matter.
    pub struct Matter {
        /// `error` or `warning`.
        pub severity: String,
        /// A stable word: `worker_silent`, `layer_missing`, `held_jobs`, `quota_near`, `faults`, `disk_low`, `no_worker`, …
        pub kind: String,
        /// A sentence.
        pub says: String,
        /// What to do.
        pub remedy: String,
        /// The job that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub job: Option<JobId>,
        /// The project that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub project: Option<ProjectId>,
        /// The worker that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub worker: Option<WorkerId>,
    }
}

/// One thing that `GET /v1/changes` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// A job as it is now, as lists show it: it came, started, was sampled, ended, or something else about it changed.
    Job {
        /// The job.
        job: Box<Job>,
    },
    /// The queue as it is now; at most once a second, and only where it changed.
    Queue {
        /// The queue.
        queue: Box<Queue>,
    },
    /// So much changed that not all of it is told: lists are to be read again.
    Missed {},
}
