//! One job, in words: what it is, how it is doing, how it ended, what held, what was refused and where.

use gambeson_api::{Job, JobState, LayerState, Network, Time};

use super::model::{Model, Open};
use super::palette::Role;
use super::rows::{end_role, short, short_size};
use super::text::{folded, safe};
use crate::client::jobs::{finding, limits, outcome_word, places_words};
use crate::client::table::{duration, size};

/// The line above both panes.
pub fn title(model: &Model, open: &Open) -> String {
    let Some(job) = &open.job else { return format!("Job {}", open.id) };
    let state = match &job.outcome {
        Some(outcome) => outcome_word(&outcome.end),
        None if job.cancel_requested => format!("{}, its end was asked for", job.state.name()),
        None => job.state.name().to_owned(),
    };
    let dot = model.letters.dot();
    format!(
        "Job {} {dot} {} {dot} {} of {} {dot} {state}",
        short(open.id),
        safe(&job.entry),
        safe(&job.project_name),
        safe(&job.user_name)
    )
}

/// Lines of words, and what each is for.
struct Lines {
    room: usize,
    lines: Vec<(String, Role)>,
}

impl Lines {
    /// A name and what it is, folded below itself.
    fn add(&mut self, name: &str, value: &str, role: Role) {
        const NAME: usize = 10;
        for (at, line) in folded(&safe(value), self.room.saturating_sub(NAME + 1)).iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            self.lines.push((format!("{name:NAME$} {line}"), role));
        }
    }

    fn head(&mut self, text: &str) {
        self.lines.push((String::new(), Role::Plain));
        self.lines.push((text.to_owned(), Role::Head));
    }

    fn text(&mut self, text: &str, role: Role) {
        for line in folded(&safe(text), self.room) {
            self.lines.push((line, role));
        }
    }
}

fn when(time: Time, now: Time) -> String {
    match time > now {
        true => format!("in {}", duration(time.since_ms(now) / 1000 * 1000)),
        false => format!("{} ago ({})", duration(now.since_ms(time) / 1000 * 1000), time),
    }
}

/// The detail of a job, line by line.
pub fn lines(model: &Model, open: &Open, columns: usize) -> Vec<(String, Role)> {
    let mut lines = Lines { room: columns.saturating_sub(2).max(24), lines: Vec::new() };
    if let Some(why) = &open.refused {
        lines.text(why, Role::Warn);
    }
    let Some(job) = &open.job else {
        if open.refused.is_none() {
            lines.text("Not known yet.", Role::Dim);
        }
        return lines.lines;
    };
    if let Some(outcome) = &job.outcome {
        lines.add("Outcome", &outcome_word(&outcome.end), end_role(&outcome.end));
        lines.text(&outcome.message, end_role(&outcome.end));
    }
    waiting(&mut lines, job, model.now);
    used(&mut lines, job, open, model);
    denials(&mut lines, job);
    layers(&mut lines, job);
    if !job.findings.is_empty() {
        lines.head("What was remarked before it ran");
        for one in &job.findings {
            lines.text(&finding(one), Role::Plain);
        }
        if job.findings_more > 0 {
            lines.text(&format!("and {} more", job.findings_more), Role::Dim);
        }
    }
    lines.head("The job");
    lines.add("Id", &job.id.to_string(), Role::Plain);
    lines.add("Project", &job.project_name, Role::Plain);
    lines.add("User", &job.user_name, Role::Plain);
    lines.add("Entry", &job.entry, Role::Plain);
    for (name, value) in &job.labels {
        lines.add("Label", &format!("{name}={value}"), Role::Plain);
    }
    lines.add("Class", job.class.name(), Role::Plain);
    if let Some(place) = job.array {
        lines.add("Array", &format!("{} of {} in {}", place.index, place.size, place.id), Role::Plain);
    }
    lines.add("Limits", &limits(&job.limits), Role::Plain);
    let network = match &job.network {
        Network::None | Network::Loopback => job.network.name().to_owned(),
        Network::Allow(places) => format!("allow {}", places_words(places)),
    };
    lines.add("Network", &network, Role::Plain);
    lines.add("Submitted", &when(job.submitted_at, model.now), Role::Plain);
    if let Some(at) = job.started_at {
        lines.add("Started", &when(at, model.now), Role::Plain);
    }
    if let Some(at) = job.ended_at {
        lines.add("Ended", &when(at, model.now), Role::Plain);
    }
    lines.add("Attempt", &job.attempt.to_string(), Role::Plain);
    if let Some(worker) = job.worker {
        let known = model.workers.value.iter().flat_map(|list| &list.workers).find(|known| known.id == worker);
        lines.add("Worker", &known.map_or(worker.to_string(), |known| known.name.clone()), Role::Plain);
    }
    for artifact in &job.artifacts {
        lines.add("Artifact", &format!("{} ({})", artifact.path, size(artifact.size)), Role::Plain);
    }
    lines.lines
}

fn waiting(lines: &mut Lines, job: &Job, now: Time) {
    let Some(waiting) = &job.waiting else { return };
    if waiting.held {
        lines.add("Held", "It waits for somebody who approves it (a).", Role::Warn);
    }
    lines.add("Waits", &waiting.why, Role::Plain);
    if let Some(position) = waiting.position {
        lines.add("Before it", &position.to_string(), Role::Plain);
    }
    if let Some(half) = waiting.expected_start_p50 {
        lines.add("Starts", &format!("{}, in half of the cases", when(half, now)), Role::Plain);
    }
    if let Some(most) = waiting.expected_start_p90 {
        lines.add("At latest", &format!("{}, in nine of ten cases", when(most, now)), Role::Plain);
    }
}

fn used(lines: &mut Lines, job: &Job, open: &Open, model: &Model) {
    let limits = &job.limits;
    let picture = lines.room.saturating_sub(11 + 22).clamp(6, 40);
    let bar = |part: f64| model.letters.bar(part, picture);
    let role = |part: f64| if part >= 0.9 { Role::Warn } else { Role::Good };
    let add = |lines: &mut Lines, name: &str, used: u64, most: u64, words: fn(u64) -> String| {
        let part = used as f64 / most.max(1) as f64;
        let sign = if part >= 0.9 { "!" } else { "" };
        let text = format!("{name:10} {} {} of {}{sign}", bar(part), words(used), words(most));
        lines.lines.push((text, role(part)));
    };
    if let Some(usage) = &job.usage {
        lines.head("What it used");
        add(lines, "Time", usage.wall_ms as u64, limits.wall_ms, duration);
        add(lines, "CPU", usage.cpu_ms as u64, limits.cpu_ms, duration);
        if let Some(peak) = usage.memory_peak_bytes {
            add(lines, "Memory", peak, limits.memory_bytes, short_size);
        }
        if let Some(peak) = usage.pids_peak {
            add(lines, "Processes", peak, limits.pids.into(), |count| count.to_string());
        }
        add(lines, "Disk", usage.disk_bytes, limits.disk_bytes, short_size);
        add(lines, "Output", usage.output_bytes, limits.output_bytes, short_size);
        return;
    }
    if job.state != JobState::Running {
        return;
    }
    lines.head("What it uses");
    let passed = job.started_at.map_or(0, |started| model.now.since_ms(started)) / 1000 * 1000;
    add(lines, "Time", passed, limits.wall_ms, duration);
    let Some(now) = job.now else { return };
    add(lines, "CPU", now.cpu_ms, limits.cpu_ms, duration);
    if let Some(bytes) = now.memory_bytes {
        add(lines, "Memory", bytes, limits.memory_bytes, short_size);
    }
    if let Some(pids) = now.pids {
        add(lines, "Processes", pids, limits.pids.into(), |count| count.to_string());
    }
    if let Some(bytes) = now.disk_bytes {
        add(lines, "Disk", bytes, limits.disk_bytes, short_size);
    }
    if let Some(track) = model.tracks.get(&open.id) {
        let spark = |values: &std::collections::VecDeque<f64>| {
            model.letters.spark(values.iter().copied(), lines.room.saturating_sub(11), 1.0)
        };
        let (cpu, memory) = (spark(&track.cpu), spark(&track.memory));
        lines.lines.push((format!("{:10} {cpu}", "CPU now"), Role::Good));
        lines.lines.push((format!("{:10} {memory}", "Memory now"), Role::Good));
    }
}

fn denials(lines: &mut Lines, job: &Job) {
    let denials = job.denials.as_deref().unwrap_or_default();
    if denials.is_empty() {
        return;
    }
    lines.head("What was refused");
    for denial in denials {
        lines.text(&denial.sentence(), Role::Warn);
    }
    for missed in &job.missed {
        let target = missed.target.as_ref().map_or_else(String::new, |target| format!(" {target}"));
        lines.text(&format!("not foretold: {}{target} ({} times)", missed.act, missed.count), Role::Dim);
    }
}

fn layers(lines: &mut Lines, job: &Job) {
    let Some(layers) = &job.layers else { return };
    let of = |state: LayerState| -> Vec<&str> {
        layers.iter().filter(|layer| layer.state == state).map(|layer| layer.name.as_str()).collect()
    };
    let (held, missing) = (of(LayerState::Held), of(LayerState::Missing));
    lines.head(&format!("Layers: {} held, {} missing", held.len(), missing.len()));
    if !missing.is_empty() {
        lines.add("Missing", &missing.join(" "), Role::Warn);
    }
    lines.add("Held", &held.join(" "), Role::Good);
}
