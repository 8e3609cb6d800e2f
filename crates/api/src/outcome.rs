//! How a job ended, in values and in words.

use serde::{Deserialize, Serialize};

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// The program ended by itself.
    Exited {
        /// Its exit code.
        code: u8,
    },
    /// A signal ended the program.
    Signalled {
        /// Its number.
        signal: i32,
    },
    /// A limit was reached.
    LimitHit {
        /// Which.
        limit: String,
        /// How much was used: bytes, a count, or milliseconds.
        used: u64,
        /// How much was allowed, in the same unit.
        allowed: u64,
    },
    /// An act that no policy allows, or a host that lacks a layer.
    Refused {},
    /// Somebody asked for its end.
    Cancelled {},
    /// Its worker vanished after the program had started, and it may not run twice.
    Lost {},
    /// A failure of ours; never charged.
    Fault {
        /// What we tried.
        step: String,
    },
}

impl End {
    /// The word for it on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            End::Exited { .. } => "exited",
            End::Signalled { .. } => "signalled",
            End::LimitHit { .. } => "limit_hit",
            End::Refused {} => "refused",
            End::Cancelled {} => "cancelled",
            End::Lost {} => "lost",
            End::Fault { .. } => "fault",
        }
    }

    /// Whether what the run used is charged: what was our fault is not.
    pub const fn is_charged(&self) -> bool {
        match self {
            End::Exited { .. } | End::Signalled { .. } | End::LimitHit { .. } | End::Refused {} | End::Cancelled {} => {
                true
            }
            End::Lost {} | End::Fault { .. } => false,
        }
    }
}

/// How a job ended, with a sentence for its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// How.
    #[serde(flatten)]
    pub end: End,
    /// What happened and what to do about it.
    pub message: String,
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Time on the clock, milliseconds.
    pub wall_ms: f64,
    /// CPU time of the whole tree, milliseconds.
    pub cpu_ms: f64,
    /// The most memory at once, bytes, where it is counted.
    pub memory_peak_bytes: Option<u64>,
    /// The most processes and threads at once, where they are counted.
    pub pids_peak: Option<u64>,
    /// The most bytes seen in the scratch space.
    pub disk_bytes: u64,
    /// Bytes on stdout and stderr, those that were not kept included.
    pub output_bytes: u64,
}

/// Whether a layer held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LayerState {
    /// It held.
    Held,
    /// The host lacks it, and its absence was accepted by name, or it is an extra.
    Missing,
}

/// One layer of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayerReport {
    /// Which.
    pub name: String,
    /// Whether it held.
    pub state: LayerState,
    /// With which values, and how we know.
    pub detail: String,
}

impl LayerReport {
    /// Whether cells run without it where the host does not offer it, without anyone's consent (`Layer::is_extra` of the sandbox).
    pub fn is_extra(&self) -> bool {
        self.name == "selinux"
    }
}

/// One refused act, or several that are alike. What it says of the program it has from the program: a target, a
/// file and a line are claims, and nothing was decided by them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Denial {
    /// What was tried: `socket`, `connect`, `bind`, `listen`, `execve`, `fork`, `ptrace`, `mount`, `namespace`, `bpf`,
    /// `perf`, `io_uring`, `keyring`, `signal`, `open`, `module`, `reboot`, `clock`, `trace` or `other`.
    pub act: String,
    /// On what, such as `example.org:443` or `/etc/shadow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Which line of a policy, or which setting, refused it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Which layer refused it.
    pub layer: String,
    /// Why.
    pub why: String,
    /// What its author can do.
    pub remedy: String,
    /// The file that the program says it was in, below `/work` from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What that line says, where the file is one of the submission's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How often.
    pub count: u64,
}

impl Denial {
    /// The most bytes of all its texts together.
    pub const BYTES_MOST: usize = 8 << 10;

    /// Bytes of all its texts together.
    pub fn bytes(&self) -> usize {
        let Denial { act, target, rule, layer, why, remedy, file, line: _, source, count: _ } = self;
        let optional = [target, file, source].into_iter().flatten();
        [act, rule, layer, why, remedy].into_iter().chain(optional).map(String::len).sum()
    }

    /// A sentence for people. It has words of the program's in it: whoever prints it makes it fit to print.
    pub fn sentence(&self) -> String {
        let mut sentence = String::new();
        if let Some(file) = &self.file {
            sentence.push_str(file);
            if let Some(line) = self.line {
                sentence.push_str(&format!(":{line}"));
            }
            if let Some(source) = &self.source {
                sentence.push_str(&format!("  {source}"));
            }
            sentence.push_str("  →  ");
        }
        sentence.push_str(&self.tried());
        sentence.push_str(&format!(" refused: {}", self.why.trim_end_matches('.')));
        if self.count > 1 {
            sentence.push_str(&format!(" ({} times)", self.count));
        }
        let mut remedy = self.remedy.trim_end_matches('.').chars();
        if let Some(first) = remedy.next() {
            sentence.push_str(&format!(". {}{}.", first.to_uppercase(), remedy.as_str()));
        }
        sentence
    }

    /// The act with its target, as the subject of a sentence.
    fn tried(&self) -> String {
        let (alone, with) = match self.act.as_str() {
            "socket" => ("a socket", "a socket for"),
            "connect" => ("a connection", "connect to"),
            "bind" => ("an address of its own", "bind to"),
            "listen" => ("waiting for connections", "listen on"),
            "execve" => ("executing a program", "execute"),
            "fork" => ("another process", "fork of"),
            "ptrace" => ("tracing a process", "trace by"),
            "mount" => ("a change of mounts", "a change of mounts by"),
            "namespace" => ("another namespace", "another namespace by"),
            "bpf" => ("a program for the kernel", "a program for the kernel by"),
            "perf" => ("performance counters", "performance counters by"),
            "io_uring" => ("io_uring", "io_uring by"),
            "keyring" => ("the kernel's keyrings", "the kernel's keyrings by"),
            "signal" => ("a signal", "signal to"),
            "open" => ("opening a file", "open"),
            "module" => ("a kernel module", "a kernel module by"),
            "reboot" => ("a restart of the machine", "a restart of the machine by"),
            "clock" => ("setting a clock", "setting a clock by"),
            "trace" => ("watching the system", "watching the system by"),
            "other" => ("an act", ""),
            act => (act, act),
        };
        match &self.target {
            Some(target) => format!("{with} {target}").trim_start().to_owned(),
            None => alone.to_owned(),
        }
    }
}

/// From what a cell started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The interpreter was executed for this run alone.
    Cold,
    /// It was forked from one that waited, whose layout in memory it shares with others.
    Warm,
}

/// Everything that a worker says of one ended run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// What held; empty where no cell was built.
    pub layers: Vec<LayerReport>,
    /// What was refused.
    pub denials: Vec<Denial>,
    /// From what it started.
    pub start: Start,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_a_sentence_with_the_line_that_led_to_it() {
        let denial = Denial {
            act: "connect".into(),
            target: Some("example.org:443".into()),
            rule: "network".into(),
            layer: "namespace.net".into(),
            why: "this job has no network".into(),
            remedy: "ask for network.allow = [\"example.org:443\"], which project \"lab\" permits".into(),
            file: Some("main.py".into()),
            line: Some(12),
            source: Some("requests.get(...)".into()),
            count: 1,
        };
        assert_eq!(
            denial.sentence(),
            "main.py:12  requests.get(...)  →  connect to example.org:443 refused: this job has no network. Ask for \
             network.allow = [\"example.org:443\"], which project \"lab\" permits."
        );
    }

    #[test]
    fn a_denial_of_an_older_writer_is_read() {
        let old = r#"{"act":"a call","layer":"seccomp","why":"w","remedy":"r","count":2}"#;
        let read: Denial = serde_json::from_str(old).unwrap();
        assert_eq!(read.sentence(), "a call refused: w (2 times). R.");
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }

    #[test]
    fn an_outcome_has_the_form_that_gambeson_run_prints() {
        let outcome = Outcome { end: End::Exited { code: 0 }, message: "fine".into() };
        let json = serde_json::to_string(&outcome).unwrap();
        assert_eq!(json, r#"{"kind":"exited","code":0,"message":"fine"}"#);
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
        let lost = Outcome { end: End::Lost {}, message: String::new() };
        assert_eq!(serde_json::to_string(&lost).unwrap(), r#"{"kind":"lost","message":""}"#);
    }
}
