//! `cargo xtask bench followers`: many who follow one job that says much, over HTTP, each on a connection of its own.
//!
//! What they read is looked at as bytes: a client that decoded every event would be what is measured.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use gambeson_api::{Accepted, JobId, LimitsAsked, Quantity, Submission, Time};
use gambeson_testkit::Platform;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::processes::{Times, busy};
use super::{cpus, publish, said};

const FOLLOWERS: usize = 500;
const SECONDS: u64 = 20;
const LINES_PER_SECOND: u64 = 2000;
/// How long the program is silent at first, so that all are there when it begins.
const SILENCE: u64 = 5;
/// How long all may take to hear of the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// `args`: how many follow, and for how many seconds the program writes, instead of [`FOLLOWERS`] and [`SECONDS`]; `debug`
/// before them takes what is built already. Then nothing is published.
pub(crate) fn followers(args: &[String]) -> anyhow::Result<()> {
    let (debug, numbers) = match args {
        [first, rest @ ..] if first == "debug" => (true, rest),
        all => (false, all),
    };
    if cfg!(debug_assertions) && !debug {
        let build = ["build", "--release", "--package", "gambeson", "--package", "xtask"];
        ensure!(Command::new("cargo").args(build).status()?.success(), "the build failed");
        let error = Command::new("target/release/xtask").args(["bench", "followers"]).args(args).exec();
        return Err(error).context("target/release/xtask cannot be started");
    }
    let (count, seconds) = match numbers {
        [] => (FOLLOWERS, SECONDS),
        [count] => (count.parse()?, SECONDS),
        [count, seconds] => (count.parse()?, seconds.parse()?),
        _ => bail!("write how many follow, and for how many seconds"),
    };
    let binary = Path::new(if debug { "target/debug/gambeson" } else { "target/release/gambeson" }).canonicalize()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure(&binary, count, seconds))?;
    print!("{report}");
    if args.is_empty() { publish("followers", &report) } else { Ok(()) }
}

/// What one of them got.
struct Got {
    /// The last event's place; all before it came, in order.
    last: u64,
    /// From an event's time to its receipt, of those that happened while it followed, milliseconds.
    lags: Vec<u64>,
    bytes: u64,
}

async fn measure(binary: &Path, count: usize, seconds: u64) -> anyhow::Result<String> {
    let most = (count + 64).to_string();
    let flags = [
        format!("server.open_per_key={most}"),
        format!("server.connections_per_address={most}"),
        format!("server.connections_max={most}"),
        "server.rate_per_key=100000".into(),
        "server.rate_burst=100000".into(),
    ];
    let flags: Vec<&str> = flags.iter().flat_map(|flag| ["--set", flag.as_str()]).collect();
    let platform = Platform::up(binary, &flags);
    let (server, _) = platform.children();
    let source = format!(
        "import sys, time\ntime.sleep({SILENCE})\nbegun, n = time.monotonic(), 0\n\
         while (now := time.monotonic() - begun) < {seconds}:\n\
         \x20   while n < now * {LINES_PER_SECOND}:\n\
         \x20       print('line', n, 'x' * 60)\n\
         \x20       n += 1\n\
         \x20   sys.stdout.flush()\n\
         \x20   time.sleep(0.005)\n"
    );
    let limits = LimitsAsked {
        output: Some(Quantity("64M".into())),
        wall: Some(Quantity(format!("{}s", seconds + SILENCE + 60))),
        cpu: Some(Quantity(format!("{}s", seconds + 10))),
        ..LimitsAsked::default()
    };
    let submission = Submission { limits, ..Submission::of_source(source) };
    let Accepted::Job(job) = platform.client().job_submit(&submission, None).await? else { bail!("one job") };
    let before = resident(server)?;
    let address = platform.url.strip_prefix("http://").context("a plain address")?.to_owned();
    let mut following = Vec::new();
    for _ in 0..count {
        following.push(tokio::spawn(follow(address.clone(), platform.key.clone(), job.id)));
    }
    // All are there, and it is still silent.
    tokio::time::sleep(Duration::from_secs(SILENCE - 1)).await;
    let (quiet, begun) = (resident(server)?, Instant::now());
    let (server_cpu, all_cpu, own_cpu) =
        (Times::of_process(server)?.own, busy()?.whole, Times::of_process(std::process::id())?.own);
    let mut peak = quiet;
    let deadline = begun + Duration::from_secs(seconds) + PATIENCE;
    while following.iter().any(|one| !one.is_finished()) {
        ensure!(Instant::now() < deadline, "not all heard of the end in time");
        tokio::time::sleep(Duration::from_millis(250)).await;
        peak = peak.max(resident(server)?);
    }
    let took = begun.elapsed().as_secs_f64();
    let share = |before: f64, after: f64| (after - before) / took * 100.0;
    let server_cpu = share(server_cpu, Times::of_process(server)?.own);
    let (all_cpu, own_cpu) =
        (share(all_cpu, busy()?.whole), share(own_cpu, Times::of_process(std::process::id())?.own));
    let end = resident(server)?;
    let mut got = Vec::new();
    for one in following {
        got.push(one.await??);
    }
    let last = got.first().map_or(0, |got| got.last);
    ensure!(got.iter().all(|got| got.last == last), "not all heard of as many events");
    let job = platform.client().job(job.id, None).await?;
    ensure!(job.outcome.is_some_and(|outcome| outcome.end == gambeson_api::End::Exited { code: 0 }), "the job failed");
    let mut lags: Vec<u64> = got.iter().flat_map(|got| got.lags.iter().copied()).collect();
    lags.sort_unstable();
    let lag =
        |percent: usize| lags.get((lags.len() * percent / 100).min(lags.len().saturating_sub(1))).copied().unwrap_or(0);
    let mb = |bytes: u64| format!("{:.0} MB", bytes as f64 / 1e6);
    let sent: u64 = got.iter().map(|got| got.bytes).sum();
    Ok(format!(
        "On {} ({}, Linux {}): {count} followers of one job that writes {LINES_PER_SECOND} lines a second for {seconds} s. All \
         of them got all {last} events, in order; {} in all.\n\n\
         | | |\n|---|---|\n\
         | CPU of the server | {server_cpu:.0} % of one |\n\
         | of those who follow, in one process | {own_cpu:.0} % of one |\n\
         | of the whole machine, worker and program included | {all_cpu:.0} % of one |\n\
         | memory of the server before, with all there and silence, at most, at the end | {}, {}, {}, {} |\n\
         | from an event to its receipt: median, 99th percentile, most | {} ms, {} ms, {} ms |\n",
        said("date", &["-u", "+%F"])?,
        cpus()?,
        said("uname", &["-r"])?,
        mb(sent),
        mb(before),
        mb(quiet),
        mb(peak),
        mb(end),
        lag(50),
        lag(99),
        lag(100),
    ))
}

/// Follows a job to its end.
async fn follow(address: String, key: String, job: JobId) -> anyhow::Result<Got> {
    let mut stream = TcpStream::connect(&address).await?;
    let request = format!(
        "GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let begun = Time::now();
    let mut scan = Scan { got: Got { last: 0, lags: Vec::new(), bytes: 0 }, line: Vec::new(), ended: false };
    let mut bytes = vec![0; 64 << 10];
    loop {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            break;
        }
        scan.take(&bytes[..count], begun, Time::now())?;
    }
    ensure!(scan.ended, "it broke off after event {}: {:?}", scan.got.last, String::from_utf8_lossy(&scan.line));
    Ok(scan.got)
}

/// Looks for the beginnings of frames. What HTTP puts between them are lines of their own.
struct Scan {
    got: Got,
    /// The beginning of the line that is not over.
    line: Vec<u8>,
    ended: bool,
}

/// As much of a line as is looked at.
const LINE_MOST: usize = 80;

impl Scan {
    fn take(&mut self, bytes: &[u8], begun: Time, now: Time) -> anyhow::Result<()> {
        self.got.bytes += bytes.len() as u64;
        for (place, piece) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if place > 0 {
                self.line_over(begun, now)?;
            }
            let room = LINE_MOST - self.line.len();
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        Ok(())
    }

    fn line_over(&mut self, begun: Time, now: Time) -> anyhow::Result<()> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if let Some(id) = line.strip_prefix("id: ") {
            let id: u64 = id.trim().parse()?;
            ensure!(id == self.got.last + 1, "after event {} came event {id}", self.got.last);
            self.got.last = id;
        } else if let Some(at) = line.strip_prefix("data: {").and_then(|line| line.split("\"at\":\"").nth(1)) {
            let at: Time =
                at.split('"').next().unwrap_or_default().parse().map_err(|error| anyhow::anyhow!("{error}"))?;
            if at > begun {
                self.got.lags.push(now.since_ms(at));
            }
        } else if line.starts_with("HTTP/1.1 ") {
            ensure!(line.starts_with("HTTP/1.1 200"), "{line}");
        }
        self.ended |= line == "event: ended";
        Ok(())
    }
}

/// Bytes of memory that a process has.
fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_they_are_cut_and_a_gap_is_an_error() {
        let frame = |id: u64, kind: &str| {
            format!("1f\r\nid: {id}\nevent: {kind}\ndata: {{\"seq\":{id},\"at\":\"1970-01-01T00:00:01.000Z\"}}\n\n\r\n")
        };
        let text = ["HTTP/1.1 200 OK\r\n\r\n:\n\n".into(), frame(1, "queued"), frame(2, "ended")].concat();
        for piece in [1, 7, 1000] {
            let mut scan = Scan { got: Got { last: 0, lags: Vec::new(), bytes: 0 }, line: Vec::new(), ended: false };
            for bytes in text.as_bytes().chunks(piece) {
                scan.take(bytes, Time(0), Time(1500)).unwrap();
            }
            assert_eq!((scan.got.last, scan.got.lags.as_slice(), scan.ended), (2, &[500, 500][..], true));
            assert!(scan.take(frame(4, "output").as_bytes(), Time(0), Time(0)).is_err());
        }
    }
}
