//! As many submissions as go in: clients that each send the next one when the last was answered.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gambeson_api::client::{Client, Connection};

use super::super::percentile;
use super::super::processes::cpu;
use super::side;

const CLIENTS: usize = 32;
const TIME: Duration = Duration::from_secs(20);

/// What the server's writer says of itself now and then, summed.
#[derive(Default)]
struct Writer {
    period_ms: f64,
    busy_ms: f64,
    commit_ms: f64,
    commits: f64,
    operations: f64,
}

pub(super) fn measure(binary: &Path) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(pour(binary))
}

async fn pour(binary: &Path) -> anyhow::Result<String> {
    let (platform, secrets) = side::populate(binary).await?;
    let pid = platform.process.pid();
    let clients = secrets.iter().take(CLIENTS).map(|secret| -> anyhow::Result<Client> {
        // A connection of its own for each.
        Ok(Client::new(Connection::new(platform.url.parse().map_err(anyhow::Error::msg)?, Some(secret.clone()), None)?))
    });
    let clients: Vec<Client> = clients.collect::<anyhow::Result<_>>()?;
    let (said_before, cpu_before, own_before) = (platform.process.said().len(), cpu(pid)?, cpu(std::process::id())?);
    let begun = Instant::now();
    let stop = Arc::new(begun + TIME);
    let mut tasks = tokio::task::JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        let stop = Arc::clone(&stop);
        tasks.spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < *stop {
                let begun = Instant::now();
                side::submit(&client, number * 1_000_000 + times.len()).await?;
                times.push(begun.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    let took = begun.elapsed().as_secs_f64();
    let (cpu_after, own_after) = (cpu(pid)?, cpu(std::process::id())?);
    let each = |share: f64| share * took / times.len() as f64 * 1e6;
    let writer = Writer::read(&platform.process.said()[said_before..]);
    let mut report = format!(
        "\n{CLIENTS} clients, each with a connection of its own, for {} s: **{:.0} durable submissions a second**, median \
         {:.2} ms, 99th percentile {:.2} ms. {:.1} operations to a commit, {:.0} commits a second.\n\n\
         | who | CPUs busy | CPU time of a submission |\n|---|---|---|\n",
        TIME.as_secs(),
        times.len() as f64 / took,
        percentile(&times, 50).as_secs_f64() * 1000.0,
        percentile(&times, 99).as_secs_f64() * 1000.0,
        writer.operations / writer.commits.max(1.0),
        writer.commits / writer.period_ms.max(1.0) * 1000.0,
    );
    for (name, after) in &cpu_after {
        let share = (after - cpu_before.get(name).copied().unwrap_or(0.0)) / took;
        if share >= 0.005 {
            report.push_str(&format!("| server, threads `{name}` | {share:.2} | {:.0} µs |\n", each(share)));
        }
    }
    let own: f64 = own_after.values().sum::<f64>() - own_before.values().sum::<f64>();
    report.push_str(&format!(
        "| the clients themselves | {:.2} | {:.0} µs |\n\nThe writer's thread is busy for {:.0} % of the time; of that, commits (the \
         disk included) are {:.0} %.\n",
        own / took,
        each(own / took),
        100.0 * writer.busy_ms / writer.period_ms.max(1.0),
        100.0 * writer.commit_ms / writer.busy_ms.max(1.0),
    ));
    Ok(report)
}

impl Writer {
    fn read(log: &str) -> Writer {
        let mut writer = Writer::default();
        for line in log.lines().filter(|line| line.contains("writer.commits")) {
            let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let number = |name: &str| line["fields"][name].as_f64().unwrap_or(0.0);
            writer.period_ms += number("writer.period_ms");
            writer.busy_ms += number("writer.busy_ms");
            writer.commit_ms += number("writer.commit_ms");
            writer.commits += number("writer.commits");
            writer.operations += number("writer.operations");
        }
        writer
    }
}
