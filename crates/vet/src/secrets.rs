//! Keys, tokens and passwords that stand in a text.
//!
//! A finding says of what kind a secret is and how it begins, and no more: reports are stored and read by many.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use crate::findings::{Findings, Remark};
use crate::rule::{Confidence, Rule};
use crate::syntax::TextRange;
use crate::units::Unit;

/// What is known by how it is spelt.
const PATTERNS: &[(&str, &str)] = &[
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    ("a GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abeprs]-[0-9A-Za-z-]{10,}"),
    ("a Slack webhook", r"hooks\.slack\.com/services/T[A-Za-z0-9_]{6,}/B[A-Za-z0-9_]{6,}/[A-Za-z0-9]{16,}"),
    ("a Discord webhook", r"discord(?:app)?\.com/api/webhooks/[0-9]{10,}/[A-Za-z0-9_-]{30,}"),
    ("a Telegram bot's token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}"),
    ("a Stripe key", r"\b[sr]k_live_[0-9a-zA-Z]{20,}\b"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("an API key", r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a PyPI token", r"\bpypi-AgE[A-Za-z0-9_-]{40,}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}\b"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("a Gambeson key", r"\bgm[bl]_[A-Za-z0-9]{4,}_?[A-Za-z0-9]{16,}\b"),
    ("a password in a URL", r#"\b[a-z][a-z0-9+]{2,15}://[^\s:/@"'{}<>]{1,64}:([^\s:/@"'{}<>$%]{4,128})@[A-Za-z0-9]"#),
];

/// A name that promises a secret, and a text that is given to it.
const NAMED: &str = r#"(?i)(?:passw(?:or)?d|passphrase|secret|token|api_?key|apikey|access_?key|auth_?key|private_?key|credential)[a-z0-9_]{0,32}["']?\]?\s{0,8}(?::\s{0,4}str\s{0,4})?[:=]\s{0,8}[rbuf]{0,2}["']([^"'\n\\]{8,200})["']"#;

struct Patterns {
    any: RegexSet,
    each: Vec<Regex>,
    named: Regex,
}

static PATTERN: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    any: RegexSet::new(PATTERNS.iter().map(|(_, pattern)| pattern)).expect("checked by a test"),
    each: PATTERNS.iter().map(|(_, pattern)| Regex::new(pattern).expect("checked by a test")).collect(),
    named: Regex::new(NAMED).expect("checked by a test"),
});

/// A secret and where it stands.
pub(crate) struct Secret {
    pub(crate) kind: &'static str,
    pub(crate) range: Range<usize>,
    sure: bool,
}

/// Finds what looks like a secret.
pub(crate) fn find(text: &str) -> Vec<Secret> {
    let mut found: Vec<Secret> = Vec::new();
    for which in PATTERN.any.matches(text) {
        let kind = PATTERNS[which].0;
        for captures in PATTERN.each[which].captures_iter(text).take(256) {
            let Some(whole) = captures.get(1).or_else(|| captures.get(0)) else { continue };
            if !is_placeholder(whole.as_str()) || kind == "a private key" {
                found.push(Secret { kind, range: whole.range(), sure: true });
            }
        }
    }
    for captures in PATTERN.named.captures_iter(text).take(1024) {
        let Some(value) = captures.get(1) else { continue };
        let known = found.iter().any(|secret| secret.range.start < value.end() && value.start() < secret.range.end);
        if !known && looks_secret(value.as_str()) {
            found.push(Secret { kind: "a password or token", range: value.range(), sure: false });
        }
    }
    found
}

/// Adds what is found in a file.
pub(crate) fn scan(unit: &Unit, findings: &mut Findings) {
    for secret in find(&unit.text) {
        let range = TextRange::new((secret.range.start as u32).into(), (secret.range.end as u32).into());
        let text = &unit.text[secret.range.clone()];
        let begins: String = text.chars().take(if text.len() > 16 { 4 } else { 1 }).collect();
        let message = match secret.kind {
            "a private key" => "a private key stands in the source".to_owned(),
            kind => format!("{kind} stands in the source: {begins}*** ({} characters)", text.chars().count()),
        };
        let remark = Remark::new(Rule::V802, message);
        let confidence = if secret.sure { Confidence::High } else { Confidence::Medium };
        findings.add(unit.place(range), remark.confidence(confidence));
    }
}

/// Names of what is meant to be replaced.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = [
        "example", "changeme", "change_me", "change-me", "placeholder", "your", "xxxx", "dummy", "redacted", "insert", "replace",
        "todo", "<", ">", "{", "}", "...", "****", "not-a-", "notreal", "not_real", "sample",
    ];
    words.iter().any(|word| lower.contains(word))
}

fn looks_secret(text: &str) -> bool {
    let has = |kind: fn(&char) -> bool| text.chars().any(|c| kind(&c));
    let mixed = has(|c| c.is_ascii_digit()) && has(|c| c.is_alphabetic());
    // Words, sentences, paths and names of other things are no secrets.
    let plain = text.contains(' ') || text.starts_with(['/', '$', '%', '~', '.']) || text.contains("://") || text.contains('\u{fffd}');
    mixed && !plain && !is_placeholder(text) && entropy(text) >= 3.0
}

/// Bits of a character, by how often each occurs.
fn entropy(text: &str) -> f64 {
    let mut counts: HashMap<char, f64> = HashMap::new();
    let mut length = 0.0;
    for c in text.chars() {
        *counts.entry(c).or_default() += 1.0;
        length += 1.0;
    }
    counts.values().map(|count| -(count / length) * (count / length).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::find;

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text).iter().map(|secret| secret.kind).collect()
    }

    #[test]
    fn a_secret_is_known_by_its_spelling_or_by_its_name() {
        // Put together here, so that whoever scans this repository finds none.
        let aws = format!("key = '{}{}'", "AKIA", "Z7QK3M2PVN4RTLB6");
        assert_eq!(kinds(&aws), ["an AWS access key"]);
        assert_eq!(kinds(&format!("t = 'ghp_{}'", "a1B2".repeat(9))), ["a GitHub token"]);
        assert_eq!(kinds("DB = 'postgres://app:s3cr3tpw@db.internal/x'"), ["a password in a URL"]);
        assert_eq!(kinds("password = 'tr0ub4dor&3x'"), ["a password or token"]);
        assert_eq!(kinds("{\"api_key\": \"9f8e7d6c5b4a39281706\"}"), ["a password or token"]);
    }

    #[test]
    fn what_only_speaks_of_secrets_is_none() {
        for text in [
            "password = input('Password: ')",
            "password = os.environ['DB_PASSWORD']",
            "token = 'your-token-here-123'",
            "PASSWORD_FIELD = 'password_field_name'",
            "secret_path = '/run/secrets/x1'",
            "key = 'AKIAIOSFODNN7EXAMPLE'",
            "token_url = 'https://example.org/oauth2/token'",
        ] {
            assert_eq!(kinds(text), [""; 0], "{text}");
        }
    }
}
