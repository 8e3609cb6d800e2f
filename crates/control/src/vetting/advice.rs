//! What is kept of a reading with a job: findings with what is predicted of each, and afterwards what happened.

use std::collections::{BTreeMap, BTreeSet};

use gambeson_api as api;
use gambeson_vet::{
    Finding, HappenedDenial, Import, Origin, Policy, PredictedFinding, Prediction, Rule, Severity, Verdict, compare,
    predict,
};
use serde::{Deserialize, Serialize};

use super::Read;
use crate::access::FindingsFacts;
use crate::store::Ask;

/// Findings that are kept with a job.
const KEPT_MOST: usize = 100;
/// Their bytes, as they are stored.
const KEPT_BYTES_MOST: usize = 64 << 10;
/// Denials that nobody foretold, of which a job tells.
const MISSED_MOST: usize = 50;

/// Findings as they are kept, the worst of them where there are too many; by file and line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub findings: Vec<KeptFinding>,
    /// How many more there were.
    pub more: u64,
    /// Whether something was left unread.
    pub incomplete: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptFinding {
    #[serde(flatten)]
    pub predicted: PredictedFinding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

/// What a reading comes to for one submission.
#[derive(Debug, Clone)]
pub(crate) struct Advice {
    pub kept: Kept,
    pub facts: FindingsFacts,
}

/// What became of the findings of a job, by their places in the list, and of the denials of its report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdicts {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed: Vec<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_reached: Vec<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<usize>,
}

/// What the cell of this job will allow, as predictions need it.
fn policy(ask: &Ask, project: &api::Project) -> Policy {
    let limits = &ask.limits;
    Policy {
        network: match &ask.network {
            api::Network::None => gambeson_vet::Network::None,
            api::Network::Loopback => gambeson_vet::Network::Loopback,
            api::Network::Allow(places) => {
                gambeson_vet::Network::Allow(places.iter().map(ToString::to_string).collect())
            }
        },
        network_ceiling: project.network_allow.iter().map(ToString::to_string).collect(),
        memory: Some(limits.memory_bytes),
        disk: Some(limits.disk_bytes),
        output: Some(limits.output_bytes),
        pids: Some(limits.pids),
        cpu_ms: Some(limits.cpu_ms),
        wall_ms: Some(limits.wall_ms),
        // What an environment has is its worker's to know, and which worker it will be is not known yet.
        ..Policy::default()
    }
}

impl Advice {
    pub(crate) fn of(read: &Read, ask: &Ask, project: &api::Project) -> Advice {
        let policy = policy(ask, project);
        let findings = &read.report.findings;
        let predicted =
            |finding: &Finding| PredictedFinding { finding: finding.clone(), prediction: predict(finding, &policy) };
        let mut all: Vec<(usize, KeptFinding)> = findings
            .iter()
            .enumerate()
            .map(|(index, finding)| {
                let excerpt = read.excerpts.iter().find(|(of, _)| *of == index).map(|(_, text)| text.clone());
                (index, KeptFinding { predicted: predicted(finding), excerpt })
            })
            .collect();
        let beyond: u64 = read.report.more.values().sum();
        // The worst first, so that harmless ones crowd out nothing; then they go back to their places.
        all.sort_by_key(|(index, kept)| (std::cmp::Reverse(kept.predicted.finding.severity), *index));
        let count = all.len();
        let mut bytes = 0;
        let mut room = |kept: &KeptFinding| {
            bytes += serde_json::to_vec(kept).map_or(KEPT_BYTES_MOST, |json| json.len());
            bytes <= KEPT_BYTES_MOST
        };
        let mut few: Vec<(usize, KeptFinding)> =
            all.into_iter().take(KEPT_MOST).take_while(|(_, kept)| room(kept)).collect();
        few.sort_by_key(|(index, _)| *index);
        let refused = findings
            .iter()
            .chain(&read.report.silenced)
            .filter(|finding| matches!(predict(finding, &policy), Prediction::Refused { .. }))
            .map(|finding| finding.rule);
        Advice {
            facts: facts(read, refused.collect()),
            kept: Kept {
                more: beyond + (count - few.len()) as u64,
                findings: few.into_iter().map(|(_, kept)| kept).collect(),
                incomplete: read.report.incomplete,
            },
        }
    }

    /// Findings that a comment silenced, with what is predicted of them.
    pub(crate) fn silenced(read: &Read, ask: &Ask, project: &api::Project) -> Vec<api::Finding> {
        let policy = policy(ask, project);
        let predicted =
            |finding: &Finding| PredictedFinding { finding: finding.clone(), prediction: predict(finding, &policy) };
        let silenced = read.report.silenced.iter().take(KEPT_MOST);
        silenced.map(|finding| told(&predicted(finding))).collect()
    }
}

/// What policies are told. A comment silences advice, and no fact.
fn facts(read: &Read, refused: BTreeSet<Rule>) -> FindingsFacts {
    let (findings, silenced) = (&read.report.findings, &read.report.silenced);
    let all = || findings.iter().chain(silenced);
    let count = |severity: Severity| all().filter(|finding| finding.severity == severity).count() as u64;
    let ids = |rules: BTreeSet<Rule>| rules.into_iter().map(|rule| rule.id().to_owned()).collect();
    FindingsFacts {
        rules: ids(all().map(|finding| finding.rule).chain(read.report.more.keys().copied()).collect()),
        silenced: ids(silenced.iter().map(|finding| finding.rule).collect()),
        refused: ids(refused),
        highest: all().map(|finding| finding.severity).max().map_or("none", Severity::as_str).to_owned(),
        high: count(Severity::High),
        medium: count(Severity::Medium),
        unread: read.report.incomplete,
    }
}

impl Kept {
    /// Sets what was predicted beside what was refused, in the program's own words where they are about its lines.
    pub(crate) fn verdicts(&self, denials: &[api::Denial]) -> Verdicts {
        let predicted: Vec<PredictedFinding> = self.findings.iter().map(|kept| kept.predicted.clone()).collect();
        let happened: Vec<HappenedDenial> = denials.iter().map(happened).collect();
        let mut verdicts = Verdicts::default();
        for verdict in compare(&predicted, &happened) {
            match verdict {
                Verdict::Confirmed { prediction, .. } => verdicts.confirmed.push(prediction),
                Verdict::NotReached { prediction } => verdicts.not_reached.push(prediction),
                Verdict::Missed { denial } => verdicts.missed.push(denial),
            }
        }
        verdicts
    }

    /// The same as counts: of what, how it came out, how often.
    pub(crate) fn counts(&self, verdicts: &Verdicts, denials: &[api::Denial]) -> BTreeMap<(String, &'static str), u64> {
        let mut counts = BTreeMap::new();
        let rule = |place: &usize| Some(self.findings.get(*place)?.predicted.finding.rule.id().to_owned());
        let confirmed = verdicts.confirmed.iter().filter_map(rule).map(|rule| (rule, "confirmed"));
        let not_reached = verdicts.not_reached.iter().filter_map(rule).map(|rule| (rule, "not_reached"));
        let missed = verdicts.missed.iter().filter_map(|place| {
            // A worker's word becomes a row here: only a plain one.
            let act = &denials.get(*place)?.act;
            let known = act.len() <= 32 && act.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            Some((if known { act.clone() } else { "other".into() }, "missed"))
        });
        for key in confirmed.chain(not_reached).chain(missed) {
            *counts.entry(key).or_default() += 1;
        }
        counts
    }
}

fn happened(denial: &api::Denial) -> HappenedDenial {
    HappenedDenial {
        act: denial.act.clone(),
        target: denial.target.clone(),
        file: denial.file.clone(),
        line: denial.line,
    }
}

/// Findings as they are shown, with what became of them.
pub(crate) fn shown(kept: &Kept, verdicts: Option<&Verdicts>) -> Vec<api::Finding> {
    let verdict = |place: usize| {
        let verdicts = verdicts?;
        if verdicts.confirmed.contains(&place) {
            Some("confirmed")
        } else if verdicts.not_reached.contains(&place) {
            Some("not_reached")
        } else {
            None
        }
    };
    kept.findings.iter().enumerate().map(|(place, kept)| shown_one(kept, verdict(place))).collect()
}

/// A finding with what is predicted of it, in the words of the API.
pub fn told(predicted: &PredictedFinding) -> api::Finding {
    shown_one(&KeptFinding { predicted: predicted.clone(), excerpt: None }, None)
}

/// A module that is imported, in the words of the API.
pub fn told_module(import: &Import) -> api::Module {
    let origin = match import.origin {
        Origin::StandardLibrary => "standard_library",
        Origin::Submission => "submission",
        Origin::Environment => "environment",
        Origin::Missing => "missing",
        Origin::Unknown => "unknown",
    };
    api::Module { name: import.module.clone(), origin: origin.into() }
}

fn shown_one(kept: &KeptFinding, verdict: Option<&str>) -> api::Finding {
    let PredictedFinding { finding, prediction } = &kept.predicted;
    let (why, remedy) = match prediction {
        Prediction::Allowed { why } | Prediction::Unknown { why } | Prediction::LimitedBy { why, .. } => (why, None),
        Prediction::Refused { why, remedy } | Prediction::NotInEnvironment { why, remedy } => (why, Some(remedy)),
    };
    api::Finding {
        rule: finding.rule.id().into(),
        name: finding.rule.name().into(),
        severity: finding.severity.as_str().into(),
        confidence: finding.confidence.as_str().into(),
        message: finding.message.clone(),
        file: finding.place.file.clone(),
        line: finding.place.line,
        column: finding.place.column,
        end_line: finding.place.end_line,
        end_column: finding.place.end_column,
        subject: finding.subject.clone(),
        target: finding.target.clone(),
        excerpt: kept.excerpt.clone(),
        prediction: prediction.kind().into(),
        why: why.clone(),
        remedy: remedy.cloned(),
        verdict: verdict.map(Into::into),
    }
}

impl Verdicts {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Verdicts::default()
    }

    /// The denials that nobody foretold.
    pub(crate) fn missed(&self, denials: &[api::Denial]) -> Vec<api::Missed> {
        let missed = self.missed.iter().filter_map(|place| denials.get(*place)).take(MISSED_MOST);
        missed
            .map(|denial| api::Missed { act: denial.act.clone(), target: denial.target.clone(), count: denial.count })
            .collect()
    }
}
