//! What `--json` prints, and the summary for people.

use std::fmt::Write as _;

use gambeson_api::{Egress, LayerState, Limits, Report};
use gambeson_sandbox::{Artifact, Bytes, End, MilliCpus};
use serde_json::{Value, json};

/// A run that ended, whoever watched its cell.
pub struct Run {
    pub report: Report,
    /// What was kept of its output.
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Connections of its proxy.
    pub connections: Vec<Egress>,
    /// What it left, where that was asked for.
    pub left: Option<Left>,
}

/// What a program left in `/work/out`.
pub struct Left {
    pub artifacts: Vec<Artifact>,
    /// What was not collected, and why.
    pub skipped: Vec<(String, String)>,
}

/// One JSON object for a run.
pub fn json(run: &Run) -> Value {
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let mut object = object(&run.report, &stdout, &stderr);
    if !run.connections.is_empty() {
        object["egress"] = json!(run.connections);
    }
    if let Some(Left { artifacts, skipped }) = &run.left {
        object["artifacts"] = artifacts
            .iter()
            .map(|artifact| json!({"path": artifact.path.to_string_lossy(), "bytes": artifact.size.0}))
            .collect();
        object["skipped"] = skipped.iter().map(|(path, why)| json!({"path": path, "why": why})).collect();
    }
    object
}

/// One JSON object for a run that never began.
pub fn json_of_end(end: &End) -> Value {
    object(&gambeson_worker::report_of_end(end), "", "")
}

/// The same report as a server gives of a job, with the output where people look for it first.
fn object(report: &Report, stdout: &str, stderr: &str) -> Value {
    json!({
        "outcome": report.outcome,
        "stdout": stdout,
        "stderr": stderr,
        "usage": report.usage,
        "layers": report.layers,
        "denials": report.denials,
        "start": report.start,
    })
}

/// The summary that `demo` prints after a run: what was used of what limits, and which layers held.
pub fn summary(report: &Report, limits: &Limits) -> String {
    let Report { outcome, usage, layers, denials, .. } = report;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:10} {value}");
    };
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "not counted".into());
    let seconds = |ms: f64| format!("{:.3} s", ms / 1000.0);
    line("outcome", outcome.message.clone());
    line("time", format!("{} of {} s", seconds(usage.wall_ms), limits.wall_ms / 1000));
    let cpus = MilliCpus(limits.cpus_milli);
    line("CPU", format!("{} of {} s, at most {cpus} CPUs", seconds(usage.cpu_ms), limits.cpu_ms / 1000));
    let peak = or_unknown(usage.memory_peak_bytes.map(|bytes| Bytes(bytes).to_string()));
    line("memory", format!("peak {peak} of {}", Bytes(limits.memory_bytes)));
    line("processes", format!("peak {} of {}", or_unknown(usage.pids_peak.map(|peak| peak.to_string())), limits.pids));
    line("disk", format!("{} of {}", Bytes(usage.disk_bytes), Bytes(limits.disk_bytes)));
    line("output", format!("{} of {}", Bytes(usage.output_bytes), Bytes(limits.output_bytes)));
    for denial in denials {
        line("refused", crate::client::visible::line(&denial.sentence()));
    }
    let _ = writeln!(text, "\n  layers that held, from the outside in:");
    for report in layers {
        let state = match report.state {
            LayerState::Held => "held",
            LayerState::Missing => "missing",
        };
        let _ = writeln!(text, "  {:18} {state:8} {}", report.name, short(&report.detail, 90));
    }
    text
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}
