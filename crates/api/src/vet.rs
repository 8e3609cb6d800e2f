//! What a reading of a submission says before it runs, and what became of it. Advice, and never a boundary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::job::StartAsked;

wire! {
    /// One remark about a submission's source, with what this job's cell would do about it.
    pub struct Finding {
        /// Which rule, such as `V301`; `docs/rules/` has a page about each.
        pub rule: String,
        /// Its name, such as `network-connect`.
        pub name: String,
        /// How bad: `note`, `low`, `medium` or `high`.
        pub severity: String,
        /// How sure: `low`, `medium` or `high`.
        pub confidence: String,
        /// What the program does there, as a sentence.
        pub message: String,
        /// The file, from `/work`; empty where it is about no file.
        pub file: String,
        /// The line, from 1.
        pub line: u32,
        /// The column of its first character, from 1.
        pub column: u32,
        /// The last line.
        pub end_line: u32,
        /// The column after its last character.
        pub end_column: u32,
        /// What is used, such as `requests.get`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub subject: Option<String>,
        /// On what, where it is literal: `example.org:443`, `/etc/shadow`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub target: Option<String>,
        /// The line with a caret, where the text itself is what is wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub excerpt: Option<String>,
        /// What the cell will do, if the line runs: `allowed`, `refused`, `not_in_environment`, `limited_by` or `unknown`.
        pub prediction: String,
        /// Why.
        pub why: String,
        /// What to do about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub remedy: Option<String>,
        /// After the run, where a refusal was predicted: `confirmed` or `not_reached`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub verdict: Option<String>,
    }

    /// An act that was refused, and that no finding had foretold.
    pub struct Missed {
        /// What was tried, as a denial says it.
        pub act: String,
        /// On what.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub target: Option<String>,
        /// How often.
        pub count: u64,
    }

    /// A module that a submission imports.
    pub struct Module {
        /// Its whole name.
        pub name: String,
        /// Whose it is: `standard_library`, `submission`, `environment`, `missing` or `unknown`.
        pub origin: String,
    }

    /// What the project's policy would do with a submission.
    pub struct VetDecision {
        /// `accepted`, `held` until somebody approves it, or `refused`.
        pub decision: String,
        /// Why, unless it is accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub why: Option<String>,
        /// The policies that decided.
        pub policies: Vec<String>,
        /// How its interpreter would start.
        pub start: StartAsked,
    }

    /// What a reading of a submission says.
    pub struct Vetted {
        /// What was remarked, by file and line.
        pub findings: Vec<Finding>,
        /// What a comment in the source silenced. Policies see it all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub silenced: Vec<Finding>,
        /// Findings that are not shown, since there are so many.
        #[serde(default, skip_serializing_if = "is_zero")]
        pub more: u64,
        /// What is imported.
        pub modules: Vec<Module>,
        /// Files that were read.
        pub files_read: u32,
        /// Their bytes.
        pub bytes_read: u64,
        /// Whether something was left unread.
        pub incomplete: bool,
        /// What the project's policy would do.
        pub policy: VetDecision,
    }

    /// How good the advice was: what was foretold, set beside what happened.
    pub struct VetRecord {
        /// By rule.
        pub rules: BTreeMap<String, RuleRecord>,
        /// Refusals that no finding had foretold, by act.
        pub missed: BTreeMap<String, u64>,
    }

    /// How good the advice of one rule was.
    #[derive(Copy, Default)]
    pub struct RuleRecord {
        /// Foretold refusals that happened.
        pub confirmed: u64,
        /// Those that did not: the line was not reached, or the rule was wrong.
        pub not_reached: u64,
    }
}

pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}
