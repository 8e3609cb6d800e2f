//! One server with a queue, its users, and a worker that runs nothing.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use gambeson_api::client::Client;
use gambeson_api::client::worker::{LeaseClient, WorkerClient};
use gambeson_api::work::{Append, Enrol, Entry, LeaseRequest, Room, Settle};
use gambeson_api::{
    Accepted, Digest, End, FileContent, Job, JobId, MemberChange, NewKey, NewProject, NewUser, Outcome, ProjectChange,
    Report, Start, Submission, Usage, UserKind, Waiting, WorkerId,
};
use gambeson_testkit::Platform;

use super::super::processes::cpu;

/// Users, and the projects that they are in.
pub(super) const USERS: u32 = 200;
const PROJECTS: u32 = 10;

/// What the worker gives. One slot fewer is always in use, so that each question is answered with one lease.
const ROOM: Room = Room { slots: 8, cpus_milli: 8_000, memory_bytes: 16 << 30 };

/// Flags of a server that refuses nothing for being too much.
pub(super) const FLAGS: [&str; 22] = [
    "--set",
    "server.rate_per_key=1000000",
    "--set",
    "server.rate_burst=1000000",
    "--set",
    "quota.queued=10000000",
    "--set",
    "quota.user_queued=10000000",
    "--set",
    "quota.running=1000000",
    "--set",
    "quota.user_running=1000000",
    "--set",
    "quota.cpu_per_day=36500d",
    "--set",
    "quota.user_cpu_per_day=36500d",
    // The worker sends no heartbeats.
    "--set",
    "queue.lease=10m",
    // Where the writer's time goes.
    "--set",
    "log.level=info,gambeson_control::writer=debug",
    "--set",
    "log.format=json",
];

pub(super) struct Side {
    /// Jobs that wait all the time.
    pub length: u32,
    platform: Platform,
    /// Whose connections stay open, as a scraper's do.
    pub owner: Client,
    users: Vec<Client>,
    worker: WorkerClient,
    held: VecDeque<LeaseClient>,
    /// The first elements of the arrays that fill the queue.
    arrays: Vec<JobId>,
}

/// A submission like many: a small program that nobody else has.
pub(super) fn submission(number: usize) -> Submission {
    let source = format!("# {number}\nimport json, sys\nprint(json.dumps({{'argv': sys.argv, 'n': {number}}}))\n");
    let mut submission = Submission::of_source(source);
    submission.files.insert("data.txt".into(), FileContent::text("a few words\n".repeat(20)));
    submission
}

/// A server, and the keys of its users.
pub(super) async fn populate(binary: &Path) -> anyhow::Result<(Platform, Vec<String>)> {
    let platform = Platform::serve(binary, &FLAGS);
    let owner = platform.client();
    for project in 0..PROJECTS {
        let settings = ProjectChange::default();
        owner.project_create(&NewProject { name: format!("project-{project}"), settings }).await?;
    }
    let mut secrets = Vec::new();
    for number in 0..USERS {
        let (name, project) = (format!("user-{number}"), format!("project-{}", number % PROJECTS));
        owner.user_create(&NewUser { name: name.clone(), kind: UserKind::Person }).await?;
        let role = "submitter".into();
        owner.member_add(&MemberChange { project: project.clone(), user: name.clone(), role }).await?;
        let key = NewKey {
            name: "bench".into(),
            user: Some(name),
            project: Some(project),
            scopes: vec!["jobs:read".into(), "jobs:write".into()],
            expires_in: None,
        };
        secrets.push(owner.key_create(&key).await?.secret);
    }
    Ok((platform, secrets))
}

/// Submits one job.
pub(super) async fn submit(user: &Client, number: usize) -> anyhow::Result<Job> {
    match user.job_submit(&submission(number), None).await? {
        Accepted::Job(job) => Ok(*job),
        Accepted::Array(_) => bail!("one job became an array"),
    }
}

impl Side {
    /// Starts a server and fills its queue.
    pub(super) async fn start(binary: &Path, length: u32) -> anyhow::Result<Side> {
        let (platform, secrets) = populate(binary).await?;
        let owner = platform.client();
        let connection = owner.connection();
        let users = secrets.into_iter().map(|secret| Client::new(connection.with_token(secret))).collect();
        let join = owner.join_token_create().await?.token;
        let id = WorkerId::new();
        let credential = gambeson_api::work::credential(id, &[7; 32]);
        WorkerClient::new(connection.with_token(join))
            .enrol(&Enrol {
                worker: id,
                credential: Digest::of(credential.as_bytes()),
                name: "bench".into(),
                room: ROOM,
                version: "1".into(),
                environment: "none".into(),
                layers: Vec::new(),
            })
            .await?;
        let worker = WorkerClient::new(connection.with_token(credential));
        let mut side = Side { length, platform, owner, users, worker, held: VecDeque::new(), arrays: Vec::new() };
        for number in 1..ROOM.slots {
            submit(&side.users[number as usize], 0).await?;
            side.lease().await?;
        }
        let each = length.div_ceil(USERS);
        for (number, user) in side.users.iter().enumerate().filter(|_| each > 0) {
            let submission = Submission { array: Some(each), ..submission(number) };
            match user.job_submit(&submission, None).await? {
                Accepted::Array(array) => side.arrays.push(array.first),
                Accepted::Job(_) => bail!("an array became one job"),
            }
        }
        Ok(side)
    }

    /// Takes one lease, and starts its job.
    async fn lease(&mut self) -> anyhow::Result<Duration> {
        let ask = LeaseRequest {
            room: ROOM,
            free: Room { slots: 1, ..ROOM },
            wait_ms: 10_000,
            version: "1".into(),
            environment: "none".into(),
            layers: None,
        };
        let begun = Instant::now();
        let mut leases = self.worker.leases(&ask).await?.leases;
        let took = begun.elapsed();
        let lease = leases.pop().context("no lease came")?;
        ensure!(leases.is_empty(), "more leases than slots");
        let lease = self.worker.lease(lease.id, &lease.token);
        lease.append(&Append { first: 0, entries: vec![Entry::Started {}] }).await?;
        self.held.push_back(lease);
        Ok(took)
    }

    /// One job comes, one starts, one ends: how long submitting, leasing and settling took.
    pub(super) async fn round(&mut self, number: usize) -> anyhow::Result<[Duration; 3]> {
        let begun = Instant::now();
        submit(&self.users[number % self.users.len()], number).await?;
        let submitted = begun.elapsed();
        let leased = self.lease().await?;
        let oldest = self.held.pop_front().context("nothing runs")?;
        let report = Report {
            outcome: Outcome { end: End::Exited { code: 0 }, message: "it ended by itself".into() },
            usage: Usage { wall_ms: 10.0, cpu_ms: 10.0, ..Usage::default() },
            layers: Vec::new(),
            denials: Vec::new(),
            start: Start::Cold,
        };
        let settle = Settle { first: 1, entries: Vec::new(), report, artifacts: Vec::new(), skipped: Vec::new() };
        let begun = Instant::now();
        oldest.settle(&settle).await?;
        Ok([submitted, leased, begun.elapsed()])
    }

    /// Asks when the job in the middle (part 0) or at the end (part 1) of somebody's array is to start: how long that took,
    /// and what was said.
    pub(super) async fn expected(&self, question: usize, part: usize) -> anyhow::Result<(Duration, Waiting)> {
        let user = question % self.users.len();
        let each = self.length.div_ceil(USERS);
        let index = if part == 0 { each / 2 } else { each - 1 };
        let id = JobId::from_u128(self.arrays[user].as_u128() + u128::from(index));
        let begun = Instant::now();
        let job = self.users[user].job(id, None).await?;
        let took = begun.elapsed();
        Ok((took, job.waiting.with_context(|| format!("{id} does not wait"))?))
    }

    /// The server's resident memory, bytes.
    pub(super) fn resident(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.platform.process.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?.parse()?;
        Ok(kib * 1024)
    }

    /// CPU time of the server so far, seconds. It has ended no thread in between that counts.
    pub(super) fn cpu(&self) -> anyhow::Result<f64> {
        Ok(cpu(self.platform.process.pid())?.values().sum())
    }

    /// Kills the server, and starts it again: how long until it listens.
    pub(super) fn restart(&mut self) -> Duration {
        self.platform.process.kill();
        let begun = Instant::now();
        self.platform.restart();
        begun.elapsed()
    }
}
