//! What a reading says: values for programs; `text` and `sarif` make words of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rule::{Act, Confidence, Rule, Severity};

/// Findings of one rule that are kept; what is beyond them is counted. For each rule by itself, so that harmless ones cannot
/// crowd out the others.
pub const MOST_OF_RULE: usize = 25;

/// What was read, and what was remarked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was remarked, by file and line.
    pub findings: Vec<Finding>,
    /// What a comment in the source silenced. The advice is silenced, not the fact: policy may look at both.
    pub silenced: Vec<Finding>,
    /// Remarks beyond [`MOST_OF_RULE`], which are not kept: how many.
    pub more: BTreeMap<Rule, u64>,
    /// What is wrong with a comment to the reader.
    pub hints: Vec<Hint>,
    /// Every module that is imported, once.
    pub modules: Vec<Import>,
    /// Files that were read as Python.
    pub files_read: u32,
    /// Their bytes.
    pub bytes_read: u64,
    /// Whether something was left unread: a file, or a part that would have taken too long.
    pub incomplete: bool,
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// Where.
    pub place: Place,
    /// What the program does there, as a sentence for people. Never holds a secret, nor a character that deceives.
    pub message: String,
    /// What is used, as the program could have written it: `requests.get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What the cell would be asked for, if the line runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<Act>,
    /// On what, where it is literal: `example.org:443`, `/etc/shadow`, `sh`, a module's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How much, where it is known: bytes that are wanted at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
}

/// A piece of a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file's path; empty where it is no file's.
    pub file: String,
    /// The first line.
    pub line: u32,
    /// The column of its first character.
    pub column: u32,
    /// The last line.
    pub end_line: u32,
    /// The column after its last character.
    pub end_column: u32,
    /// The same in bytes: from.
    pub start: u32,
    /// To.
    pub end: u32,
}

/// What is wrong with a comment to the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The comment.
    pub place: Place,
    /// What is wrong and how it is meant to be.
    pub message: String,
}

/// A module that is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Its whole name: `numpy.random`.
    pub module: String,
    /// Where it is first imported.
    pub place: Place,
    /// Whose it is.
    pub origin: Origin,
}

/// Whose a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Python's own.
    StandardLibrary,
    /// A file of the submission.
    Submission,
    /// The environment is known to have it.
    Environment,
    /// The environment is known not to have it.
    Missing,
    /// Nothing is known of the environment.
    Unknown,
}

impl Report {
    /// The worst of what was remarked.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Whether a file could not be read because it is not Python: nothing need be queued.
    pub fn is_syntax_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule == Rule::V001)
    }
}
