//! `gambeson jobs`, `job`, `cancel` and `source`.

use std::fmt::Write as _;

use gambeson_api::client::{Client, JobFilter};
use gambeson_api::{
    ArrayId, Destination, FileContent, Finding, Job, JobId, JobList, JobSource, LayerState, Limits, Network, Sample,
    Time,
};

use super::args::JobsOptions;
use super::failure::Failure;
use super::table::{Cell, Form, Table, duration, show, show_words, size};
use super::visible;
use crate::terminal::remark;

/// `gambeson jobs`.
pub async fn jobs(client: &Client, options: &JobsOptions, form: Form) -> Result<(), Failure> {
    let mut filter = JobFilter {
        state: options.state,
        project: options.project.clone(),
        user: options.user.clone(),
        labels: options.labels.clone(),
        array: options.array,
        limit: options.limit,
        cursor: options.cursor.clone(),
    };
    let mut list = client.job_list(&filter).await?;
    while options.all
        && let Some(next) = list.next.take()
    {
        filter.cursor = Some(next);
        let page = client.job_list(&filter).await?;
        list.jobs.extend(page.jobs);
        // A page that leads to itself would never end.
        list.next = page.next.filter(|next| filter.cursor.as_ref() != Some(next));
    }
    show(form, &list, table);
    if let (Some(next), Form::People) = (&list.next, form) {
        remark(&format!("there are more: --all, or --cursor {}", visible::line(next)));
    }
    Ok(())
}

fn table(list: &JobList) -> Table {
    let mut table = Table::new(["id", "state", "project", "user", "entry", "age"]);
    for job in &list.jobs {
        let state = match &job.outcome {
            Some(outcome) => outcome_word(&outcome.end),
            None if job.waiting.as_ref().is_some_and(|waiting| waiting.held) => "held".to_owned(),
            None => job.state.name().to_owned(),
        };
        let entry = match job.array {
            Some(place) => format!("{} [{} of {}]", job.entry, place.index, place.size),
            None => job.entry.clone(),
        };
        table.row([
            job.id.into(),
            state.into(),
            (&job.project_name).into(),
            (&job.user_name).into(),
            entry.into(),
            Cell::Age(job.submitted_at),
        ]);
    }
    table
}

/// The word for an end, with its number or limit.
pub fn outcome_word(end: &gambeson_api::End) -> String {
    use gambeson_api::End;
    match end {
        End::Exited { code } => format!("exited {code}"),
        End::Signalled { signal } => format!("signalled {signal}"),
        End::LimitHit { limit, .. } => format!("limit_hit {limit}"),
        End::Refused {} | End::Cancelled {} | End::Lost {} | End::Fault { .. } => end.kind().to_owned(),
    }
}

/// `gambeson job`.
pub async fn job(client: &Client, id: JobId, form: Form) -> Result<(), Failure> {
    show_words(form, &client.job(id, None).await?, |job| words(job, Time::now()));
    Ok(())
}

/// Lines of a name and a value, made visible.
#[derive(Default)]
pub struct Lines(String);

impl Lines {
    pub fn add(&mut self, name: &str, value: impl AsRef<str>) {
        let _ = writeln!(self.0, "{name:12} {}", visible::line(value.as_ref()));
    }

    pub fn head(&mut self, text: &str) {
        let _ = writeln!(self.0, "\n{text}");
    }

    /// Several lines as they are, but for what a terminal would obey.
    pub fn block(&mut self, text: &str) {
        self.0.push_str(&visible::text(text));
        if !text.ends_with('\n') {
            self.0.push('\n');
        }
    }

    pub fn text(self) -> String {
        self.0
    }
}

/// Places to connect to, in words.
pub fn places_words(places: &[Destination]) -> String {
    let words: Vec<String> = places.iter().map(Destination::to_string).collect();
    if words.is_empty() { "nowhere".into() } else { words.join(" ") }
}

/// Every limit in words.
pub fn limits(limits: &Limits) -> String {
    format!(
        "memory {}, wall {}, cpu {}, cpus {}, pids {}, disk {}, files {}, open_files {}, output {}",
        size(limits.memory_bytes),
        duration(limits.wall_ms),
        duration(limits.cpu_ms),
        f64::from(limits.cpus_milli) / 1000.0,
        limits.pids,
        size(limits.disk_bytes),
        limits.files,
        limits.open_files,
        size(limits.output_bytes),
    )
}

fn words(job: &Job, now: Time) -> String {
    let mut lines = Lines::default();
    let time = |time: Time| {
        let between = if time > now { time.since_ms(now) } else { now.since_ms(time) };
        let ago = if time > now { format!("in {}", duration(between)) } else { format!("{} ago", duration(between)) };
        format!("{time} ({ago})")
    };
    lines.add("id", job.id.to_string());
    lines.add("state", job.state.name());
    if let Some(outcome) = &job.outcome {
        lines.add("outcome", format!("{}: {}", outcome_word(&outcome.end), outcome.message));
    }
    if let Some(waiting) = &job.waiting {
        lines.add("waits", &waiting.why);
        if let Some(position) = waiting.position {
            lines.add("position", format!("{position} before it"));
        }
        if let Some(start) = waiting.expected_start_p50 {
            lines.add("starts", time(start));
        }
        if let Some(start) = waiting.expected_start_p90 {
            lines.add("at latest", format!("{}, in nine of ten cases", time(start)));
        }
    }
    if job.cancel_requested {
        lines.add("cancel", "was asked for");
    }
    lines.add("project", &job.project_name);
    lines.add("user", &job.user_name);
    lines.add("entry", &job.entry);
    if let Some(place) = job.array {
        lines.add("array", format!("{}, element {} of {}", place.id, place.index, place.size));
    }
    for (name, value) in &job.labels {
        lines.add("label", format!("{name}={value}"));
    }
    lines.add("class", job.class.name());
    lines.add("limits", limits(&job.limits));
    lines.add(
        "network",
        match &job.network {
            Network::None | Network::Loopback => job.network.name().to_owned(),
            Network::Allow(places) => format!("allow {}", places_words(places)),
        },
    );
    lines.add("may rerun", if job.may_rerun { "yes" } else { "no" });
    lines.add("submitted", time(job.submitted_at));
    if let Some(started) = job.started_at {
        lines.add("started", time(started));
    }
    if let Some(ended) = job.ended_at {
        lines.add("ended", time(ended));
    }
    lines.add("attempt", job.attempt.to_string());
    if let Some(worker) = job.worker {
        lines.add("worker", worker.to_string());
    }
    if let Some(now) = &job.now {
        lines.add("uses", uses(now));
    }
    if let Some(usage) = &job.usage {
        let counted = |value: Option<String>| value.unwrap_or_else(|| "not counted".into());
        lines.add(
            "used",
            format!(
                "time {}, CPU {}, memory {}, processes {}, disk {}, output {}",
                duration(usage.wall_ms as u64),
                duration(usage.cpu_ms as u64),
                counted(usage.memory_peak_bytes.map(size)),
                counted(usage.pids_peak.map(|peak| peak.to_string())),
                size(usage.disk_bytes),
                size(usage.output_bytes),
            ),
        );
    }
    for denial in job.denials.iter().flatten() {
        lines.add("refused", denial.sentence());
    }
    for remark in &job.findings {
        lines.add("finding", finding(remark));
        for line in remark.excerpt.iter().flat_map(|excerpt| excerpt.lines()) {
            lines.add("", line);
        }
    }
    if job.findings_more > 0 {
        lines.add("", format!("and {} more", job.findings_more));
    }
    for missed in &job.missed {
        let target = missed.target.as_ref().map_or_else(String::new, |target| format!(" {target}"));
        lines.add("not foretold", format!("{}{target} ({} times)", missed.act, missed.count));
    }
    for artifact in &job.artifacts {
        lines.add("artifact", format!("{} ({})", artifact.path, size(artifact.size)));
    }
    for layer in job.layers.iter().flatten() {
        let state = match layer.state {
            LayerState::Held => "held",
            LayerState::Missing => "missing",
        };
        lines.add("layer", format!("{:18} {state:8} {}", layer.name, layer.detail));
    }
    for (name, stream) in [("stdout", &job.stdout), ("stderr", &job.stderr)] {
        if let Some(text) = stream.as_ref().filter(|text| !text.is_empty()) {
            lines.head(&format!("{name}:"));
            lines.block(text);
        }
    }
    lines.text()
}

/// What a running job uses, of what is counted.
fn uses(now: &Sample) -> String {
    let mut said = format!("time {}, CPU {}", duration(now.wall_ms), duration(now.cpu_ms));
    for (name, value) in [
        ("memory", now.memory_bytes.map(size)),
        ("processes", now.pids.map(|pids| pids.to_string())),
        ("disk", now.disk_bytes.map(size)),
        ("read", now.read_bytes.map(size)),
        ("written", now.write_bytes.map(size)),
    ] {
        if let Some(value) = value {
            said.push_str(&format!(", {name} {value}"));
        }
    }
    said
}

/// `gambeson cancel`: every one is tried; the first failure is ours.
pub async fn cancel(client: &Client, ids: &[JobId], array: Option<ArrayId>, form: Form) -> Result<(), Failure> {
    if let Some(array) = array {
        let said = client.array_cancel(array).await?;
        show(form, &said, |said| {
            let mut table = Table::new(["state", "jobs"]);
            for (state, count) in &said.states {
                table.row([state.into(), count.into()]);
            }
            table
        });
        return Ok(());
    }
    let mut failure: Option<Failure> = None;
    for id in ids {
        match client.job_cancel(*id).await {
            Ok(job) => show_words(form, &job, |job| {
                let how =
                    job.outcome.as_ref().map_or("its end was asked for".into(), |outcome| outcome_word(&outcome.end));
                format!("{}\t{}\n", job.id, visible::line(&how))
            }),
            Err(error) => {
                if let Some(earlier) = failure.replace(error.into()) {
                    earlier.say();
                }
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// `gambeson approve`: every one is tried; the first failure is ours.
pub async fn approve(client: &Client, ids: &[JobId], form: Form) -> Result<(), Failure> {
    let mut failure: Option<Failure> = None;
    for id in ids {
        match client.job_approve(*id).await {
            Ok(job) => show_words(form, &job, |job| format!("{}\t{}\n", job.id, job.state.name())),
            Err(error) => {
                if let Some(earlier) = failure.replace(error.into()) {
                    earlier.say();
                }
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// One finding in words: where, what, and what its cell does about it.
pub fn finding(finding: &Finding) -> String {
    let place = match finding.file.as_str() {
        "" => String::new(),
        file => format!("{file}:{}:{}: ", finding.line, finding.column),
    };
    let foretold = match finding.prediction.as_str() {
        "refused" => format!("; will be refused: {}", finding.why),
        "not_in_environment" => format!("; not in this environment: {}", finding.why),
        "limited_by" => format!("; limited: {}", finding.why),
        _ => String::new(),
    };
    let verdict = match finding.verdict.as_deref() {
        None => "",
        Some("confirmed") => " (it was)",
        Some(_) => " (nothing of it was refused)",
    };
    format!("{place}{} {}: {}{foretold}{verdict}", finding.severity, finding.rule, finding.message)
}

/// `gambeson source`.
pub async fn source(client: &Client, id: JobId, form: Form) -> Result<(), Failure> {
    show_words(form, &client.job_source(id).await?, source_words);
    Ok(())
}

fn source_words(source: &JobSource) -> String {
    let mut lines = Lines::default();
    lines.add("entry", &source.entry);
    for arg in &source.args {
        lines.add("argument", arg);
    }
    for (name, value) in &source.env {
        lines.add("variable", format!("{name}={value}"));
    }
    for (path, content) in &source.files {
        match content {
            FileContent::Blob { digest, size: bytes, .. } => {
                let bytes = bytes.map_or("size not known".into(), size);
                lines.add("file", format!("{path} ({bytes}, {digest})"));
            }
            FileContent::Inline { bytes, .. } => lines.add("file", format!("{path} ({})", size(bytes.len() as u64))),
        }
    }
    for (path, content) in &source.files {
        if let FileContent::Inline { bytes, .. } = content
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            lines.head(&visible::line(&format!("{path}:")));
            lines.block(text);
        }
    }
    if !source.stdin.0.is_empty() {
        lines.head("standard input:");
        lines.block(&String::from_utf8_lossy(&source.stdin.0));
    }
    lines.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_job_is_told_with_its_reason_and_without_escapes() {
        let job: Job = serde_json::from_str(include_str!("../../tests/client/job.json")).unwrap();
        let text = words(&job, "2026-11-25T08:30:00Z".parse().unwrap());
        assert!(text.contains("waits        2 jobs of your project run\\x1b[2J; its limit is 2\n"), "{text}");
        assert!(text.contains("starts       2026-11-25T08:30:40.000Z (in 40s)\n"), "{text}");
        assert!(text.contains("limits       memory 256 MiB, wall 1m, cpu 30s, cpus 1, pids 64, "), "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn a_running_job_is_told_with_what_it_uses_of_what_is_counted() {
        let mut job: Job = serde_json::from_str(include_str!("../../tests/client/job.json")).unwrap();
        job.now = Some(Sample { wall_ms: 90_000, cpu_ms: 1500, memory_bytes: Some(12 << 20), ..Sample::default() });
        let text = words(&job, Time(0));
        assert!(text.contains("uses         time 1m 30s, CPU 1s, memory 12 MiB\n"), "{text}");
    }

    #[test]
    fn a_file_cannot_pretend_to_be_another() {
        let json =
            r#"{"files":{"a\nb.py":"print(1)\u001b[2J\n"},"entry":"a\nb.py","args":[],"env":{},"stdin":{"text":""}}"#;
        let text = source_words(&serde_json::from_str(json).unwrap());
        assert!(text.ends_with("\na\\nb.py:\nprint(1)\\x1b[2J\n"), "{text}");
    }
}
