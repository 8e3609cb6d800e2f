//! `cargo xtask bench metrics`: what a scrape costs while many jobs wait.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::super::{ms, percentile};
use super::side::Side;
use super::thousands;

/// Scrapes of each length, and those before that do not count.
const SCRAPES: usize = 200;
const WARM_UP: usize = 20;

/// A table with a line for each length: scrapes one after the other, and with a job that comes, starts and ends before each.
pub(super) async fn measure(binary: &Path, lengths: &[u32]) -> anyhow::Result<String> {
    let mut report = String::from(
        "\n| queued | a scrape, median | p99 | between submissions, median | p99 | bytes | CPU time of a scrape |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for &length in lengths {
        let mut side = Side::start(binary, length).await?;
        for number in 0..WARM_UP {
            side.scrape().await?;
            side.round(number).await?;
        }
        let (mut idle, mut busy, mut bytes) = (Vec::new(), Vec::new(), 0);
        let before = side.cpu()?;
        for _ in 0..SCRAPES {
            let (took, text) = side.scrape().await?;
            bytes = text.len();
            // The rounds before took from one project what they gave to another.
            let waiting: f64 = text.lines().filter_map(queued).sum();
            ensure!((waiting - f64::from(length)).abs() <= 1.0, "{length} jobs wait, and the scrape shows {waiting}");
            idle.push(took);
        }
        let cpu = (side.cpu()? - before) * 1000.0 / SCRAPES as f64;
        for number in 0..SCRAPES {
            side.round(WARM_UP + number).await?;
            busy.push(side.scrape().await?.0);
        }
        let row = [&idle, &busy].map(|times: &Vec<Duration>| [percentile(times, 50), percentile(times, 99)].map(ms));
        let [[median, worst], [busy_median, busy_worst]] = row;
        report.push_str(&format!(
            "| {} | {median} | {worst} | {busy_median} | {busy_worst} | {bytes} | {cpu:.2} ms |\n",
            thousands(length)
        ));
    }
    Ok(report)
}

/// Of a line about the queue, how many jobs it shows.
fn queued(line: &str) -> Option<f64> {
    line.strip_prefix("gambeson_queue_jobs{")?.rsplit(' ').next()?.parse().ok()
}

impl Side {
    /// One scrape by the owner: how long it took, and what it said.
    async fn scrape(&self) -> anyhow::Result<(Duration, String)> {
        let begun = Instant::now();
        let text = self.owner.metrics().await?;
        Ok((begun.elapsed(), text))
    }
}
