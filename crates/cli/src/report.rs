//! What `--json` prints, and the summary for people.

use std::fmt::Write as _;

use gambeson_sandbox::{Amount, Collected, Denial, End, Ended, Exit, Held, LayerReport, Usage};
use serde_json::{Value, json};

/// One JSON object for a run.
pub fn json(ended: &Ended, collected: Option<&Collected>) -> Value {
    let Exit { end, usage, layers } = &ended.exit;
    let mut report = json!({
        "outcome": outcome(end),
        "stdout": String::from_utf8_lossy(&ended.stdout),
        "stderr": String::from_utf8_lossy(&ended.stderr),
        "usage": usage_json(usage),
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
        "denials": denials(end),
        "start": "cold",
    });
    if let Some(collected) = collected {
        report["artifacts"] = collected
            .artifacts
            .iter()
            .map(|artifact| json!({"path": artifact.path.to_string_lossy(), "bytes": artifact.size.0}))
            .collect();
        report["skipped"] =
            collected.skipped.iter().map(|skipped| json!({"path": skipped.path, "why": skipped.why})).collect();
    }
    report
}

/// One JSON object for a run that never began.
pub fn json_of_end(end: &End) -> Value {
    json(
        &Ended {
            exit: Exit { end: end.clone(), usage: Usage::default(), layers: Vec::new() },
            stdout: Vec::new(),
            stderr: Vec::new(),
            elided: (0, 0),
            work: None,
        },
        None,
    )
}

fn outcome(end: &End) -> Value {
    let message = end.message();
    match end {
        End::Exited(code) => json!({"kind": "exited", "code": code, "message": message}),
        End::Signalled(signal) => json!({"kind": "signalled", "signal": signal, "message": message}),
        End::LimitHit { limit, used, allowed } => json!({
            "kind": "limit_hit",
            "limit": limit.name(),
            "used": amount(used),
            "allowed": amount(allowed),
            "message": message,
        }),
        End::Refused(_) => json!({"kind": "refused", "message": message}),
        End::Cancelled => json!({"kind": "cancelled", "message": message}),
        End::Fault { step, .. } => json!({"kind": "fault", "step": step, "message": message}),
    }
}

/// Bytes, a count, or milliseconds.
fn amount(amount: &Amount) -> Value {
    match amount {
        Amount::Bytes(bytes) => json!(bytes.0),
        Amount::Count(count) => json!(count),
        Amount::Time(time) => json!(time.as_millis() as u64),
    }
}

fn usage_json(usage: &Usage) -> Value {
    json!({
        "wall_ms": round_ms(usage.wall),
        "cpu_ms": round_ms(usage.cpu),
        "memory_peak_bytes": usage.memory_peak.map(|bytes| bytes.0),
        "pids_peak": usage.pids_peak,
        "disk_bytes": usage.disk.0,
        "output_bytes": usage.output.0,
    })
}

fn round_ms(time: std::time::Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

fn layer(report: &LayerReport) -> Value {
    let state = match report.held {
        Held::Held => "held",
        Held::Missing => "missing",
    };
    json!({"name": report.layer.name(), "state": state, "detail": report.detail})
}

fn denials(end: &End) -> Value {
    match end {
        End::Refused(Denial { act, layer, why, remedy }) => {
            json!([{"act": act, "layer": layer.name(), "why": why, "remedy": remedy, "count": 1}])
        }
        _ => json!([]),
    }
}

/// The summary that `demo` prints after a run.
pub fn summary(ended: &Ended, limits: &gambeson_sandbox::Limits) -> String {
    let Exit { end, usage, layers } = &ended.exit;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:10} {value}");
    };
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| "not counted".into());
    line("outcome", end.message());
    line("time", format!("{:.3} s of {:.0} s", usage.wall.as_secs_f64(), limits.wall.as_secs_f64()));
    line(
        "CPU",
        format!("{:.3} s of {:.0} s, at most {} CPUs", usage.cpu.as_secs_f64(), limits.cpu.as_secs_f64(), limits.cpus),
    );
    line(
        "memory",
        format!("peak {} of {}", or_unknown(usage.memory_peak.map(|bytes| bytes.to_string())), limits.memory),
    );
    line("processes", format!("peak {} of {}", or_unknown(usage.pids_peak.map(|peak| peak.to_string())), limits.pids));
    line("disk", format!("{} of {}", usage.disk, limits.disk));
    line("output", format!("{} of {}", usage.output, limits.output));
    let _ = writeln!(text, "\n  layers that held, from the outside in:");
    for report in layers {
        let state = match report.held {
            Held::Held => "held",
            Held::Missing => "missing",
        };
        let _ = writeln!(text, "  {:18} {state:8} {}", report.layer.name(), short(&report.detail, 90));
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
