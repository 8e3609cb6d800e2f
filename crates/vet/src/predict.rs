//! What the cell will do about a finding, and afterwards: whether it did.
//!
//! 1. A prediction is made from plain values: this crate knows of no job and of no sandbox.
//! 2. It is advice. Nothing is allowed or refused because of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::report::Finding;
use crate::rule::{Act, Rule};

/// What the cell of this job allows, as far as predictions need it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What network it has.
    pub network: Network,
    /// Destinations that the project would permit if a job asked for them: `pypi.org:443`.
    pub network_ceiling: Vec<String>,
    /// Memory, bytes.
    pub memory: Option<u64>,
    /// What may be written, bytes.
    pub disk: Option<u64>,
    /// Output, bytes.
    pub output: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u32>,
    /// CPU time, milliseconds.
    pub cpu_ms: Option<u64>,
    /// Time on the clock, milliseconds.
    pub wall_ms: Option<u64>,
    /// Top-level modules of the environment beside Python's own. `None`: not known.
    pub modules: Option<BTreeSet<String>>,
    /// Programs that are in the environment, by name. `None`: not known.
    pub programs: Option<BTreeSet<String>>,
    /// Directories and files that can be seen beside `/work`, `/tmp`, `/dev/shm` and what every cell has. `None`: not known.
    pub readable: Option<Vec<String>>,
}

/// What network a cell has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "hosts")]
pub enum Network {
    /// None: no internet socket can be made.
    #[default]
    None,
    /// Its own loopback interface.
    Loopback,
    /// Named destinations, through us: `pypi.org:443`.
    Allow(Vec<String>),
}

/// What the cell will do, if the line runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "prediction")]
pub enum Prediction {
    /// It works.
    Allowed {
        /// Why it may.
        why: String,
    },
    /// It is refused at run time.
    Refused {
        /// Why.
        why: String,
        /// What to do about it.
        remedy: String,
    },
    /// What is wanted is not there.
    NotInEnvironment {
        /// What, and why not.
        why: String,
        /// What to do about it.
        remedy: String,
    },
    /// It works until a limit ends it.
    LimitedBy {
        /// Which limit, in the words of the outcome: `memory`.
        limit: String,
        /// The limit, in bytes, a count, or milliseconds.
        allowed: Option<u64>,
        /// Whether what the source says is more than that.
        exceeded: bool,
        /// What happens then.
        why: String,
    },
    /// The source does not tell.
    Unknown {
        /// What is missing.
        why: String,
    },
}

impl Prediction {
    /// The word for it on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Prediction::Allowed { .. } => "allowed",
            Prediction::Refused { .. } => "refused",
            Prediction::NotInEnvironment { .. } => "not_in_environment",
            Prediction::LimitedBy { .. } => "limited_by",
            Prediction::Unknown { .. } => "unknown",
        }
    }
}

/// A finding with what was predicted of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictedFinding {
    /// What was remarked.
    #[serde(flatten)]
    pub finding: Finding,
    /// What the cell will do.
    #[serde(flatten)]
    pub prediction: Prediction,
}

/// What a cell refused, in the words of its denials.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HappenedDenial {
    /// `connect`.
    pub act: String,
    /// `example.org:443`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The program's own claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The program's own claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What became of a prediction, or what was not predicted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It was predicted, and it was refused.
    Confirmed {
        /// Which of the predictions.
        prediction: usize,
        /// Which of the denials.
        denial: usize,
    },
    /// It was predicted, and nothing of the kind was refused: the line did not run, or did something else.
    NotReached {
        /// Which of the predictions.
        prediction: usize,
    },
    /// It was refused, and nothing had predicted it.
    Missed {
        /// Which of the denials.
        denial: usize,
    },
}

/// What a project would have to ask for.
fn ask(target: Option<&str>, policy: &Policy) -> String {
    let Some(target) = target else {
        return "Ask for network.allow = [\"HOST:PORT\"].".into();
    };
    let asked = format!("Ask for network.allow = [\"{target}\"]");
    if policy.network_ceiling.iter().any(|pattern| destination_matches(pattern, target)) {
        return format!("{asked}, which the project permits.");
    }
    format!("{asked}; whether the project permits it is its owner's to say.")
}

/// Whether a destination of a policy is this one. `*.example.org:443` stands for everything below; without a port it is 443.
fn destination_matches(pattern: &str, target: &str) -> bool {
    let (host, port) = host_and_port(pattern);
    let (wanted, wanted_port) = host_and_port(target);
    let same_port = wanted_port.is_none() || port.unwrap_or("443") == wanted_port.unwrap_or_default();
    let same_host = match host.strip_prefix("*.") {
        Some(domain) => wanted.strip_suffix(domain).is_some_and(|front| front.ends_with('.')),
        None => host.eq_ignore_ascii_case(wanted),
    };
    same_host && same_port
}

pub(crate) fn host_and_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']')) => {
            (host, Some(port))
        }
        _ => (text, None),
    }
}

pub(crate) fn is_loopback(target: &str) -> bool {
    let host = host_and_port(target).0.trim_matches(['[', ']']);
    host == "localhost" || host.starts_with("127.") || host == "::1" || host.ends_with(".localhost")
}

/// What every cell has of its own in a place where hosts have theirs.
const OWN_FILES: &[&str] = &["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf"];

fn allowed(why: &str) -> Prediction {
    Prediction::Allowed { why: why.into() }
}

fn refused(why: &str, remedy: impl Into<String>) -> Prediction {
    Prediction::Refused { why: why.into(), remedy: remedy.into() }
}

/// What the cell of a job with this policy will do, if the line of this finding runs.
pub fn predict(finding: &Finding, policy: &Policy) -> Prediction {
    let target = finding.target.as_deref();
    let limited = |limit: &str, allowed: Option<u64>, exceeded: bool, why: String| Prediction::LimitedBy {
        limit: limit.into(),
        allowed,
        exceeded,
        why,
    };
    match finding.rule {
        Rule::V001 => Prediction::Unknown { why: "Python ends with this error before the first line runs".into() },
        Rule::V002 | Rule::V004 => Prediction::Unknown { why: "what was not read is not predicted".into() },
        Rule::V003 => module(target, policy),
        Rule::V005 => allowed("the text misleads readers, not the cell"),
        Rule::V101 => file(target, policy),
        Rule::V102 => Prediction::NotInEnvironment {
            why: "no file of the host but the interpreter's can be seen from a cell".into(),
            remedy: "Submit the file with the job, if the job is to have it.".into(),
        },
        Rule::V103 => refused(
            "nothing but /work, /tmp and /dev/shm can be written or removed",
            "Write below /work; what is to be kept goes to /work/out.",
        ),
        Rule::V201 => program(target, policy),
        Rule::V202 if finding.acts.contains(&Act::Ptrace) => refused(
            "no process may be traced in a cell",
            "Use a debugger that is part of the interpreter, such as pdb.",
        ),
        Rule::V202 => allowed("only the cell's own processes are there to be signalled"),
        Rule::V203 => limited(
            "pids",
            policy.pids.map(u64::from),
            false,
            "processes and threads may be started, up to the limit on both together".into(),
        ),
        Rule::V204 => limited(
            "pids",
            policy.pids.map(u64::from),
            true,
            "at the limit on processes and threads the next one is refused".into(),
        ),
        Rule::V301 => network(target, policy),
        Rule::V302 => listen(policy),
        Rule::V303 => refused(
            "private, link-local and metadata addresses are refused whatever the policy allows",
            "Submit what is needed with the job.",
        ),
        Rule::V401 if finding.acts.iter().any(|act| *act != Act::Other) => system_call(finding, policy),
        Rule::V401 => allowed("native code runs under the same filter and in the same cell as everything else"),
        Rule::V402 => system_call(finding, policy),
        Rule::V501 | Rule::V502 | Rule::V503 | Rule::V504 | Rule::V601 | Rule::V602 | Rule::V603 | Rule::V604 => {
            allowed("no boundary rests on the interpreter: what it does is refused or allowed as it happens")
        }
        Rule::V701 => allowed("code that runs while data is read runs in the cell"),
        Rule::V801 => allowed("a cell's environment holds only what the job was given"),
        Rule::V802 => allowed("nothing stops it, and whoever may read the job may read it"),
        Rule::V901 => match policy.cpu_ms {
            Some(ms) => limited("cpu", Some(ms), true, "it is ended when its CPU time is used up".into()),
            None => limited("wall", policy.wall_ms, true, "it is ended at its deadline".into()),
        },
        Rule::V902 => {
            let exceeded = match (finding.amount, policy.memory) {
                (Some(amount), Some(limit)) => amount > limit,
                (None, _) => true,
                (_, None) => false,
            };
            let why = if exceeded { "it is ended when it reaches the limit" } else { "it fits into the limit" };
            limited("memory", policy.memory, exceeded, why.into())
        }
        Rule::V903 if finding.acts.contains(&Act::Open) => {
            limited("disk", policy.disk, true, "what does not fit any more is refused: no space left".into())
        }
        Rule::V903 => limited("output", policy.output, true, "it is ended when it has written that much".into()),
    }
}

fn module(target: Option<&str>, policy: &Policy) -> Prediction {
    match (target, &policy.modules) {
        (Some(name), Some(modules)) => {
            let top = name.split('.').next().unwrap_or(name);
            if modules.contains(top) {
                return allowed("the environment has it");
            }
            Prediction::NotInEnvironment {
                why: format!("the environment has no module {top}"),
                remedy: format!("Choose an environment with {top}, or submit it as a file."),
            }
        }
        _ => Prediction::Unknown { why: "what modules the environment has is not known here".into() },
    }
}

fn file(target: Option<&str>, policy: &Policy) -> Prediction {
    let Some(path) = target else {
        return Prediction::Unknown { why: "which file it is is not in the source".into() };
    };
    if OWN_FILES.contains(&path) {
        return allowed("the cell has a file of its own there, which tells nothing of the host");
    }
    if let Some(readable) = &policy.readable {
        let below =
            |dir: &String| path == dir || path.strip_prefix(dir.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if readable.iter().any(below) {
            return allowed("it is part of the environment, and read-only");
        }
    }
    Prediction::NotInEnvironment {
        why: format!("{path} is not there: a cell sees /work, /tmp and the interpreter's own files"),
        remedy: "Submit the file with the job; it will be below /work.".into(),
    }
}

fn program(target: Option<&str>, policy: &Policy) -> Prediction {
    match (target, &policy.programs) {
        (Some(program), Some(programs)) => {
            let name = program.rsplit('/').next().unwrap_or(program);
            if programs.contains(name) {
                return allowed("processes may be started, up to the limit, and run in the same cell");
            }
            Prediction::NotInEnvironment {
                why: format!("there is no {name} in the environment"),
                remedy: "Do it in Python, or choose an environment that has the program.".into(),
            }
        }
        _ => Prediction::Unknown {
            why: "processes may be started; whether the program is there is not known here".into(),
        },
    }
}

fn network(target: Option<&str>, policy: &Policy) -> Prediction {
    if target.is_some_and(|target| target.starts_with('/')) {
        return file(target, policy);
    }
    let loopback = target.is_some_and(is_loopback);
    match &policy.network {
        Network::None => refused("this job has no network", ask(target, policy)),
        Network::Loopback if loopback => allowed("the cell has a loopback interface of its own"),
        Network::Loopback => match target {
            Some(_) => refused("this job has nothing but its own loopback interface", ask(target, policy)),
            None => Prediction::Unknown { why: "only the cell's own loopback interface can be reached".into() },
        },
        Network::Allow(_) if loopback => {
            Prediction::Unknown { why: "only the cell itself is behind that address".into() }
        }
        Network::Allow(hosts) => match target {
            Some(target) if hosts.iter().any(|pattern| destination_matches(pattern, target)) => {
                allowed("the job's policy names this destination")
            }
            Some(target) => refused("the job's policy does not name this destination", ask(Some(target), policy)),
            None => Prediction::Unknown { why: "the destination is not in the source".into() },
        },
    }
}

fn listen(policy: &Policy) -> Prediction {
    match &policy.network {
        Network::None => {
            refused("this job has no network", "Ask for the loopback network, if only the job itself connects.")
        }
        Network::Loopback => allowed("only the cell itself can connect to it"),
        Network::Allow(_) => Prediction::Unknown { why: "nobody outside of the cell can connect to it".into() },
    }
}

fn system_call(finding: &Finding, policy: &Policy) -> Prediction {
    let target = finding.target.as_deref();
    let Some(act) = finding.acts.first() else {
        return Prediction::Unknown { why: "which system call it is is not in the source".into() };
    };
    match act {
        Act::Socket | Act::Connect => match policy.network {
            Network::None => refused("this job has no network", ask(None, policy)),
            Network::Loopback | Network::Allow(_) => network(target, policy),
        },
        Act::Bind | Act::Listen => listen(policy),
        Act::Ptrace | Act::Mount | Act::Namespace | Act::Bpf | Act::Perf | Act::IoUring | Act::Keyring => {
            refused("the cell's filter refuses this system call", "There is no setting that allows it.")
        }
        Act::Module | Act::Reboot | Act::Clock => {
            refused("it is the host's, and a cell has no capability", "There is no setting that allows it.")
        }
        Act::Signal => allowed("only the cell's own processes are there to be signalled"),
        Act::Fork => allowed("processes may be started, up to the limit"),
        Act::Execve => program(None, policy),
        Act::Open => file(None, policy),
        Act::Trace | Act::Other => Prediction::Unknown { why: "the filter decides by its list of system calls".into() },
    }
}

/// Adds to each finding what is predicted of it.
pub fn predict_all(findings: &[Finding], policy: &Policy) -> Vec<PredictedFinding> {
    findings
        .iter()
        .map(|finding| PredictedFinding { finding: finding.clone(), prediction: predict(finding, policy) })
        .collect()
}

/// Sets what was predicted beside what was refused.
///
/// A prediction that something is refused, or is not there, is confirmed by a denial of the same act on the same
/// target or at the same line. Several denials may confirm one prediction, and one denial several predictions; a denial
/// that nobody predicted was missed, also where a finding said that it would be allowed.
pub fn compare(predictions: &[PredictedFinding], denials: &[HappenedDenial]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut explained = vec![false; denials.len()];
    for (at, predicted) in predictions.iter().enumerate() {
        let expects = match &predicted.prediction {
            Prediction::Refused { .. } | Prediction::NotInEnvironment { .. } => true,
            // At a limit on processes the next fork is refused.
            Prediction::LimitedBy { exceeded, .. } => *exceeded && !predicted.finding.acts.is_empty(),
            Prediction::Allowed { .. } | Prediction::Unknown { .. } => false,
        };
        if !expects || predicted.finding.acts.is_empty() {
            continue;
        }
        let mut first = None;
        for (which, denial) in denials.iter().enumerate() {
            if matches(&predicted.finding, denial) {
                explained[which] = true;
                first.get_or_insert(which);
            }
        }
        verdicts.push(match first {
            Some(denial) => Verdict::Confirmed { prediction: at, denial },
            None => Verdict::NotReached { prediction: at },
        });
    }
    let missed = explained.iter().enumerate().filter(|(_, explained)| !**explained);
    verdicts.extend(missed.map(|(denial, _)| Verdict::Missed { denial }));
    verdicts
}

/// Whether this denial is what the finding spoke of.
fn matches(finding: &Finding, denial: &HappenedDenial) -> bool {
    if !finding.acts.iter().any(|act| act.as_str() == denial.act) {
        return false;
    }
    let same_target = match (&finding.target, &denial.target) {
        (Some(said), Some(happened)) => Some(targets_agree(said, happened)),
        _ => None,
    };
    // The line is the program's own claim, and may be one of a library: then it neither helps nor harms.
    let same_line = match (&denial.file, denial.line) {
        (file, Some(line)) if file.as_ref().is_none_or(|file| same_file(file, &finding.place.file)) => {
            Some((finding.place.line..=finding.place.end_line).contains(&line))
        }
        _ => None,
    };
    match (same_line, same_target) {
        (Some(true), _) | (_, Some(true)) => true,
        (Some(false), _) | (_, Some(false)) => false,
        (None, None) => true,
    }
}

/// The guest says `/work/main.py`, or what it made of it.
fn same_file(claimed: &str, ours: &str) -> bool {
    claimed.strip_prefix("/work/").unwrap_or(claimed) == ours
}

fn targets_agree(said: &str, happened: &str) -> bool {
    let ((host, port), (other, other_port)) = (host_and_port(said), host_and_port(happened));
    let file = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
    said == happened
        || host.eq_ignore_ascii_case(other) && (port.is_none() || other_port.is_none() || port == other_port)
        // A program is found by its name on the path.
        || !said.contains('/') && file(happened) == said
}
