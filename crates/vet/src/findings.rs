//! Collects findings: each once, so many of each rule and no more, in words that are fit to print.

use std::collections::{BTreeMap, HashMap};

use crate::printable::printable;
use crate::report::{Finding, MOST_OF_RULE, Place};
use crate::rule::{Act, Confidence, Rule, Severity};

/// Characters of what comes from the source in a finding.
const LONGEST: usize = 120;

/// A finding that is being made.
pub(crate) struct Remark {
    pub(crate) rule: Rule,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) message: String,
    pub(crate) subject: Option<String>,
    pub(crate) acts: Vec<Act>,
    pub(crate) target: Option<String>,
    pub(crate) amount: Option<u64>,
}

impl Remark {
    pub(crate) fn new(rule: Rule, message: impl Into<String>) -> Remark {
        Remark {
            rule,
            severity: rule.severity(),
            confidence: Confidence::High,
            message: message.into(),
            subject: None,
            acts: Vec::new(),
            target: None,
            amount: None,
        }
    }

    pub(crate) fn subject(mut self, subject: &str) -> Remark {
        self.subject = Some(subject.to_owned());
        self
    }

    pub(crate) fn severity(mut self, severity: Severity) -> Remark {
        self.severity = severity;
        self
    }

    pub(crate) fn confidence(mut self, confidence: Confidence) -> Remark {
        self.confidence = confidence;
        self
    }

    pub(crate) fn acts(mut self, acts: &[Act]) -> Remark {
        self.acts = acts.to_vec();
        self
    }

    pub(crate) fn target(mut self, target: Option<impl Into<String>>) -> Remark {
        self.target = target.map(Into::into);
        self
    }

    pub(crate) fn amount(mut self, amount: Option<u64>) -> Remark {
        self.amount = amount;
        self
    }
}

/// What was remarked so far.
#[derive(Default)]
pub(crate) struct Findings {
    kept: Vec<Finding>,
    known: HashMap<(Rule, String, u32, Option<String>), usize>,
    counts: BTreeMap<Rule, usize>,
    pub(crate) more: BTreeMap<Rule, u64>,
}

impl Findings {
    pub(crate) fn add(&mut self, place: Place, remark: Remark) {
        let clean = |text: String| printable(&text, LONGEST);
        let target = remark.target.map(clean);
        let key = (remark.rule, place.file.clone(), place.start, target.clone());
        if let Some(at) = self.known.get(&key) {
            let kept = &mut self.kept[*at];
            kept.confidence = kept.confidence.max(remark.confidence);
            kept.severity = kept.severity.max(remark.severity);
            return;
        }
        let count = self.counts.entry(remark.rule).or_default();
        if *count >= MOST_OF_RULE {
            *self.more.entry(remark.rule).or_default() += 1;
            return;
        }
        *count += 1;
        self.known.insert(key, self.kept.len());
        self.kept.push(Finding {
            rule: remark.rule,
            severity: remark.severity,
            confidence: remark.confidence,
            place,
            message: printable(&remark.message, 4 * LONGEST),
            subject: remark.subject.map(clean),
            acts: remark.acts,
            target,
            amount: remark.amount,
        });
    }

    /// By file and line.
    pub(crate) fn sorted(self) -> (Vec<Finding>, BTreeMap<Rule, u64>) {
        let mut kept = self.kept;
        kept.sort_by(|a, b| (&a.place, a.rule, &a.target).cmp(&(&b.place, b.rule, &b.target)));
        (kept, self.more)
    }
}
