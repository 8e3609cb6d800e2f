//! Keys, tokens and passwords that stand in a text.
//!
//! A finding says of what kind a secret is and how it begins, and no more: reports are stored and read by many.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use crate::findings::{Findings, Remark};
use crate::rule::{Confidence, Rule};
use crate::syntax::TextRange;
use crate::units::Unit;

/// Secrets of one kind that are looked at in one text.
const MOST: usize = 1024;

/// What is known by how it is spelt: what it begins with, and how many characters of which kind follow.
struct Spelling {
    kind: &'static str,
    begins: &'static str,
    follows: fn(u8) -> bool,
    least: usize,
    most: usize,
}

const fn spelling(kind: &'static str, begins: &'static str, follows: fn(u8) -> bool, least: usize) -> Spelling {
    Spelling { kind, begins, follows, least, most: 400 }
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn dotted(byte: u8) -> bool {
    dashed(byte) || byte == b'.'
}

fn path(byte: u8) -> bool {
    dashed(byte) || byte == b'/'
}

const SPELLINGS: &[Spelling] = &[
    Spelling { kind: "an AWS access key", begins: "AKIA", follows: upper, least: 16, most: 16 },
    Spelling { kind: "an AWS access key", begins: "ASIA", follows: upper, least: 16, most: 16 },
    spelling("a GitHub token", "ghp_", plain, 36),
    spelling("a GitHub token", "gho_", plain, 36),
    spelling("a GitHub token", "ghu_", plain, 36),
    spelling("a GitHub token", "ghs_", plain, 36),
    spelling("a GitHub token", "ghr_", plain, 36),
    spelling("a GitHub token", "github_pat_", word, 60),
    spelling("a GitLab token", "glpat-", dashed, 20),
    spelling("a Slack token", "xoxa-", dashed, 10),
    spelling("a Slack token", "xoxb-", dashed, 10),
    spelling("a Slack token", "xoxp-", dashed, 10),
    spelling("a Slack token", "xoxr-", dashed, 10),
    spelling("a Slack token", "xoxs-", dashed, 10),
    spelling("a Slack token", "xoxe-", dashed, 10),
    spelling("a Slack webhook", "hooks.slack.com/services/T", path, 30),
    spelling("a Discord webhook", "discord.com/api/webhooks/", path, 40),
    spelling("a Discord webhook", "discordapp.com/api/webhooks/", path, 40),
    spelling("a Stripe key", "sk_live_", plain, 20),
    spelling("a Stripe key", "rk_live_", plain, 20),
    spelling("a Google API key", "AIza", dashed, 35),
    spelling("an API key", "sk-", dashed, 32),
    spelling("an npm token", "npm_", plain, 36),
    spelling("a PyPI token", "pypi-AgE", dashed, 40),
    spelling("a Hugging Face token", "hf_", plain, 30),
    spelling("a SendGrid key", "SG.", dotted, 44),
    spelling("a JSON web token", "eyJ", dotted, 40),
    spelling("a Gambeson key", "gmb_", word, 20),
    spelling("a Gambeson token", "gml_", word, 16),
];

/// After the spellings, in the list of what is looked for.
const PRIVATE_KEY: &str = "-----BEGIN ";
const TELEGRAM: &str = ":AA";
const URL: &str = "://";

/// Names that promise a secret.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "accesskey",
    "auth_key",
    "private_key",
    "credential",
];

static SPELT: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let all = SPELLINGS.iter().map(|spelling| spelling.begins).chain([PRIVATE_KEY, TELEGRAM, URL]);
    AhoCorasick::new(all).expect("a short list of short texts")
});
static NAMED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasickBuilder::new().ascii_case_insensitive(true).build(NAMES).expect("a short list of short texts")
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
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for at in SPELT.find_overlapping_iter(text) {
        let (which, start, end) = (at.pattern().as_usize(), at.start(), at.end());
        let spelt = match SPELLINGS.get(which) {
            Some(spelling) => spelt(text, spelling, start, end).map(|range| (spelling.kind, range)),
            None if which == SPELLINGS.len() => private_key(text, start, end).map(|range| ("a private key", range)),
            None if which == SPELLINGS.len() + 1 => {
                telegram(text, start, end).map(|range| ("a Telegram bot's token", range))
            }
            None => in_url(text, end).map(|range| ("a password in a URL", range)),
        };
        let Some((kind, range)) = spelt else { continue };
        let count = counts.entry(kind).or_default();
        let within = found.last().is_some_and(|last| last.range.start <= range.start && range.end <= last.range.end);
        if *count < MOST && !within && (kind == "a private key" || !is_placeholder(&text[range.clone()])) {
            *count += 1;
            found.push(Secret { kind, range, sure: true });
        }
    }
    found.sort_by_key(|secret| secret.range.start);
    let spelt = found.len();
    let mut last_end = 0;
    for at in NAMED.find_iter(text) {
        if found.len() - spelt >= MOST {
            break;
        }
        let Some(range) = given_to(text, at.end()) else { continue };
        let next = found[..spelt].partition_point(|secret| secret.range.end <= range.start);
        let known = found[..spelt].get(next).is_some_and(|secret| secret.range.start < range.end);
        if range.start >= last_end && !known && looks_secret(&text[range.clone()]) {
            last_end = range.end;
            found.push(Secret { kind: "a password or token", range, sure: false });
        }
    }
    found
}

/// As many bytes from here as `keep` takes, at most so many.
fn run(text: &str, from: usize, most: usize, keep: fn(u8) -> bool) -> usize {
    text.as_bytes()[from..].iter().take(most).take_while(|byte| keep(**byte)).count()
}

fn spelt(text: &str, spelling: &Spelling, start: usize, end: usize) -> Option<Range<usize>> {
    // In the middle of a longer word it is a part of something else.
    if start > 0 && word(text.as_bytes()[start - 1]) {
        return None;
    }
    let length = run(text, end, spelling.most + 1, spelling.follows);
    if !(spelling.least..=spelling.most).contains(&length) {
        return None;
    }
    let range = start..end + length;
    let fits = match spelling.kind {
        "a JSON web token" => {
            let parts: Vec<&str> = text[range.clone()].split('.').collect();
            parts.len() >= 3 && parts[1].starts_with("eyJ") && parts.iter().take(3).all(|part| part.len() >= 10)
        }
        // Words that begin so are many; digits and both cases are in a key.
        "an API key" | "a Hugging Face token" => {
            let text = &text[range.clone()];
            text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_uppercase())
        }
        _ => true,
    };
    fits.then_some(range)
}

fn private_key(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let length = run(text, end, 40, |byte| byte.is_ascii_uppercase() || byte == b' ');
    let rest = &text[end + length..];
    let what = &text[end..end + length];
    (what.contains("PRIVATE KEY") && rest.starts_with("-----")).then_some(start..end + length + 5)
}

/// Eight to ten digits, `:AA`, and more.
fn telegram(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let digits = text.as_bytes()[..start].iter().rev().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    let length = run(text, end, 60, dashed);
    ((8..=10).contains(&digits) && (32..=60).contains(&length)).then_some(start - digits..end + length)
}

/// What stands between `user:` and `@host` after `://`.
fn in_url(text: &str, from: usize) -> Option<Range<usize>> {
    let ends = |byte: u8| !byte.is_ascii_whitespace() && !b"/:@\"'{}<>".contains(&byte) && byte.is_ascii();
    let user = run(text, from, 65, ends);
    let begin = from + user + 1;
    if text.as_bytes().get(from + user) != Some(&b':') || !(1..=64).contains(&user) {
        return None;
    }
    let length = run(text, begin, 129, ends);
    let after = text.as_bytes().get(begin + length..begin + length + 2)?;
    let range = begin..begin + length;
    let password = &text[range.clone()];
    (after[0] == b'@' && word(after[1]) && (4..=128).contains(&length) && !password.contains(['$', '%']))
        .then_some(range)
}

/// The text that is given to a name which ends here, or goes on a little: `_KEY: str = "..."`, `": "..."`.
fn given_to(text: &str, end: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = end + run(text, end, 32, word);
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    at += usize::from(is(at, b"\"'"));
    at += usize::from(is(at, b"]"));
    at += run(text, at.min(bytes.len()), 8, |byte| byte == b' ');
    if !is(at, b":=") {
        return None;
    }
    at += 1;
    at += run(text, at, 8, |byte| byte == b' ');
    if bytes[at..].starts_with(b"str") {
        at += 3 + run(text, at + 3, 8, |byte| byte == b' ');
        if !is(at, b"=") {
            return None;
        }
        at += 1;
        at += run(text, at, 8, |byte| byte == b' ');
    }
    at += run(text, at, 2, |byte| b"rbufRBUF".contains(&byte));
    let quote = *bytes.get(at).filter(|byte| b"\"'".contains(byte))?;
    let begin = at + 1;
    let length = bytes[begin..].iter().take(201).take_while(|byte| ![quote, b'\n', b'\\'].contains(byte)).count();
    ((8..=200).contains(&length) && bytes.get(begin + length) == Some(&quote)).then_some(begin..begin + length)
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
        "example",
        "changeme",
        "change_me",
        "change-me",
        "placeholder",
        "your",
        "xxxx",
        "dummy",
        "redacted",
        "insert",
        "replace",
        "todo",
        "<",
        ">",
        "{",
        "}",
        "...",
        "****",
        "not-a-",
        "notreal",
        "not_real",
        "sample",
    ];
    words.iter().any(|word| lower.contains(word))
}

fn looks_secret(text: &str) -> bool {
    let has = |kind: fn(&char) -> bool| text.chars().any(|c| kind(&c));
    let mixed = has(|c| c.is_ascii_digit()) && has(|c| c.is_alphabetic());
    // Words, sentences, paths and names of other things are no secrets.
    let plain = text.contains(' ')
        || text.starts_with(['/', '$', '%', '~', '.'])
        || text.contains("://")
        || text.contains('\u{fffd}');
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
