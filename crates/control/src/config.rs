//! What an operator decides about an installation, as values.

use std::path::PathBuf;

use gambeson_api::trace::Tracer;
use gambeson_api::{Limits, Quota};

/// How what is submitted is read before it runs.
#[derive(Debug, Clone)]
pub enum Vetting {
    /// Not at all.
    Off,
    /// In this process, which a defect of the reader would end: for tests.
    Here,
    /// In processes of their own, a few of which wait at any time.
    Processes(gambeson_vet::process::Reader),
}

/// Everything that [`Control`](crate::Control) is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the store, the blobs and the seal of the audit log lie; made with mode 0700.
    pub data_dir: PathBuf,
    /// Texts of the operator's own policies, by file name.
    pub policies: Vec<(String, String)>,
    /// The most that any job may ask for.
    pub ceiling: Limits,
    /// What a new project may use.
    pub quota: Quota,
    /// What each user of a new project may use.
    pub user_quota: Quota,
    /// How long a lease holds without a heartbeat, milliseconds.
    pub lease_ms: u64,
    /// How often a job is tried before it ends as a fault; attempts given back unstarted count a tenth.
    pub attempts_max: u32,
    /// Half-life of what counts against a fair share, milliseconds.
    pub half_life_ms: u64,
    /// After this time of waiting a job counts as one class higher, milliseconds.
    pub age_step_ms: u64,
    /// The most of all workers that jobs of class low, normal and high may hold, percent.
    pub class_ceiling_percent: [u8; 3],
    /// Requests per second of one key.
    pub rate_per_second: u32,
    /// Requests at once of one key.
    pub rate_burst: u32,
    /// Waits, followed jobs and downloads at once of one key.
    pub open_per_key: u32,
    /// After this time without use a browser has to sign in again, milliseconds.
    pub session_idle_ms: u64,
    /// After this time it has to however much it is used.
    pub session_most_ms: u64,
    /// Valid keys of one user.
    pub keys_per_user: u32,
    /// How long artifacts are kept, milliseconds after the end.
    pub keep_artifacts_ms: u64,
    /// How long ended jobs are kept, milliseconds.
    pub keep_jobs_ms: u64,
    /// How long events (the whole output) are kept, milliseconds after the end.
    pub keep_events_ms: u64,
    /// How long blobs are kept that nothing refers to, milliseconds.
    pub keep_blobs_ms: u64,
    /// How long a job is held for somebody who approves it, milliseconds.
    pub keep_held_ms: u64,
    /// How submissions are read.
    pub vetting: Vetting,
    /// The largest blob, bytes.
    pub blob_max: u64,
    /// With less free bytes on the disk the server is not ready: the store's log grows before it shrinks.
    pub room_least: u64,
    /// Where spans of jobs are told, if anywhere.
    pub tracer: Tracer,
    /// A join token that is valid from the start, once: of the worker that `gambeson up` starts beside us.
    pub local_join_token: Option<String>,
}

impl Config {
    /// The defaults, in a directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Config {
        const HOUR: u64 = 3_600_000;
        let quota = Quota { running: 64, queued: 100_000, cpu_ms_per_day: 100 * HOUR, stored_bytes: 10 << 30 };
        Config {
            data_dir: data_dir.into(),
            policies: Vec::new(),
            ceiling: Limits {
                memory_bytes: 4 << 30,
                wall_ms: HOUR,
                cpu_ms: HOUR,
                cpus_milli: 4000,
                pids: 1024,
                disk_bytes: 4 << 30,
                files: 1 << 20,
                open_files: 65_536,
                output_bytes: 256 << 20,
            },
            quota,
            user_quota: quota,
            lease_ms: 30_000,
            attempts_max: 3,
            half_life_ms: HOUR,
            age_step_ms: 600_000,
            class_ceiling_percent: [100, 100, 50],
            rate_per_second: 200,
            rate_burst: 400,
            open_per_key: 64,
            session_idle_ms: HOUR,
            session_most_ms: 12 * HOUR,
            keys_per_user: 50,
            keep_artifacts_ms: 7 * 24 * HOUR,
            keep_jobs_ms: 30 * 24 * HOUR,
            keep_events_ms: 7 * 24 * HOUR,
            keep_blobs_ms: 24 * HOUR,
            keep_held_ms: 7 * 24 * HOUR,
            vetting: Vetting::Off,
            blob_max: 1 << 30,
            room_least: 64 << 20,
            tracer: Tracer::default(),
            local_join_token: None,
        }
    }
}
