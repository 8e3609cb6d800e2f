//! Text that does not read as it runs (CVE-2021-42574 and kin).

use unicode_normalization::UnicodeNormalization;

use crate::findings::{Findings, Remark};
use crate::printable::{is_bidi, is_invisible};
use crate::rule::{Confidence, Rule, Severity};
use crate::source::declared_encoding;
use crate::syntax::{TextRange, TokenKind};
use crate::units::Unit;

/// Blanks between two pieces of code that put the second one out of sight.
const FAR: usize = 100;

/// Looks at the text and the tokens of a file.
pub(crate) fn scan(unit: &Unit, findings: &mut Findings) {
    let text = &unit.text;
    let mut add = |start: usize, end: usize, remark: Remark| {
        let range = TextRange::new((start as u32).into(), (end as u32).into());
        findings.add(unit.place(range), remark);
    };
    if let Some(encoding) = declared_encoding(text.as_bytes()) {
        let plain: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
        let known = ["utf8", "u8", "utf8sig", "ascii", "usascii", "latin1", "iso88591", "iso885915", "cp1252", "l1"];
        if !known.contains(&plain.as_str()) && !plain.is_empty() {
            add(
                0,
                0,
                Remark::new(
                    Rule::V005,
                    format!("the file says that its text is {encoding}, so it may run as other text than is read here"),
                ),
            );
        }
    }
    let tokens = unit.tree.as_ref().map_or(&[][..], |tree| &tree.tokens);
    characters(text, tokens, &mut add);
    let mut last = 0;
    for (kind, range) in tokens {
        let (start, end) = (range.start().to_usize(), range.end().to_usize());
        let unseen = matches!(
            kind,
            TokenKind::Comment
                | TokenKind::Newline
                | TokenKind::NonLogicalNewline
                | TokenKind::Indent
                | TokenKind::Dedent
        );
        if start >= last + FAR && !unseen {
            let between = &text[last..start];
            if !between.contains(['\n', '\r', '\\']) && between.bytes().all(|byte| byte == b' ' || byte == b'\t') {
                let message = "code stands so far to the right that an editor does not show it";
                add(start, end, Remark::new(Rule::V005, message).severity(Severity::Medium));
            }
        }
        last = last.max(end);
        if *kind == TokenKind::Name && !text[start..end].is_ascii() {
            identifier(&text[start..end], start, &mut add);
        }
    }
}

fn characters(text: &str, tokens: &[(TokenKind, TextRange)], add: &mut dyn FnMut(usize, usize, Remark)) {
    // Strings and comments, in which joiners and variants have a meaning to people.
    let mut prose = tokens
        .iter()
        .filter(|(kind, _)| {
            matches!(kind, TokenKind::String | TokenKind::FStringMiddle | TokenKind::TStringMiddle | TokenKind::Comment)
        })
        .map(|(_, range)| (range.start().to_usize(), range.end().to_usize()))
        .peekable();
    let mixed_ends = text.contains('\n');
    let mut variants = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c.is_ascii() && c >= ' ' && c != '\x7f' || c == '\n' || c == '\t' {
            before = c;
            continue;
        }
        while prose.next_if(|(_, end)| *end <= at).is_some() {}
        let in_prose = tokens.is_empty() || prose.peek().is_some_and(|(start, _)| *start <= at);
        let end = at + c.len_utf8();
        let shown = format!("U+{:04X}", u32::from(c));
        let variant = matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
        variants = if variant { variants + 1 } else { 0 };
        let message = match c {
            '\r' if text[end..].starts_with('\n') => None,
            '\r' if mixed_ends => Some("a carriage return ends a line here, which many editors do not show".to_owned()),
            '\r' | '\x0c' => None,
            '\u{200e}' | '\u{200f}' | '\u{61c}' if in_prose => None,
            _ if is_bidi(c) => Some(format!("{shown} changes the direction in which the text is shown")),
            _ if c.is_control() => Some(format!("the control character {shown} is in the text")),
            '\u{feff}' if at == 0 => None,
            // Joiners between letters or emoji, and a variant after a sign.
            '\u{200c}' | '\u{200d}' if in_prose && !before.is_ascii() => None,
            '\u{200d}' if in_prose => Some(format!("the invisible character {shown} is in the text")),
            _ if variant && in_prose => {
                (variants == 4).then(|| format!("a row of {shown}, which is not shown, can hide data"))
            }
            // Flags of regions are spelt in tags.
            '\u{e0020}'..='\u{e007f}'
                if in_prose && (before == '\u{1f3f4}' || ('\u{e0020}'..='\u{e007f}').contains(&before)) =>
            {
                None
            }
            '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{fffc}' | '\u{fffd}' | '\u{200c}' if in_prose => None,
            _ if is_invisible(c) => Some(format!("the invisible character {shown} is in the text")),
            _ => None,
        };
        before = c;
        if let Some(message) = message {
            add(at, end, Remark::new(Rule::V005, message));
        }
    }
}

/// Letters of other scripts that look like Latin ones.
const LOOK_ALIKE: &str = "аеорсухіјѕԁԛԝһӏкмтвнАВЕКМНОРСТХІЈЅοναρυιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";

fn identifier(name: &str, start: usize, add: &mut dyn FnMut(usize, usize, Remark)) {
    let normal: String = name.nfkc().collect();
    let end = start + name.len();
    if normal.is_ascii() {
        let message = format!("Python reads this name as {normal:?}");
        add(start, end, Remark::new(Rule::V005, message));
        return;
    }
    let latin = normal.chars().any(|c| c.is_ascii_alphabetic());
    let alike = normal.chars().filter(|c| LOOK_ALIKE.contains(*c)).count();
    let letters = normal.chars().filter(|c| c.is_alphabetic()).count();
    if alike > 0 && (latin || alike == letters && letters > 1) {
        let message = "letters of another script in this name look like Latin ones";
        let confidence = if latin { Confidence::High } else { Confidence::Medium };
        add(start, end, Remark::new(Rule::V005, message).confidence(confidence));
    }
}
