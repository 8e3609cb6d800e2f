//! `# gambeson: ignore[V301]`: a comment that silences advice, at its line, or in its file if it stands before all code.

use std::collections::{HashMap, HashSet};

use crate::report::{Finding, Hint};
use crate::rule::Rule;
use crate::syntax::TokenKind;
use crate::units::Unit;

/// Hints that are kept.
const MOST_HINTS: usize = 50;

/// What is silenced in one file.
#[derive(Default)]
pub(crate) struct Ignored {
    everywhere: HashSet<Rule>,
    at: HashMap<u32, HashSet<Rule>>,
}

impl Ignored {
    /// Whether the finding, which is one of this file, is silenced.
    pub(crate) fn silences(&self, finding: &Finding) -> bool {
        if !finding.rule.can_be_silenced() {
            return false;
        }
        let place = &finding.place;
        self.everywhere.contains(&finding.rule)
            || [place.line, place.end_line]
                .iter()
                .any(|line| self.at.get(line).is_some_and(|rules| rules.contains(&finding.rule)))
    }
}

/// Reads the comments of a file.
pub(crate) fn read(unit: &Unit, hints: &mut Vec<Hint>) -> Ignored {
    let mut ignored = Ignored::default();
    let Some(tree) = &unit.tree else { return ignored };
    let mut code_before = false;
    let mut code_on_line = false;
    for (kind, range) in &tree.tokens {
        match kind {
            TokenKind::Newline | TokenKind::NonLogicalNewline => code_on_line = false,
            TokenKind::Indent | TokenKind::Dedent => {}
            TokenKind::Comment => {
                let Some(wanted) = directive(unit.slice(*range)) else { continue };
                let place = unit.place(*range);
                let mut hint = |message: String| {
                    if hints.len() < MOST_HINTS {
                        hints.push(Hint { place: place.clone(), message: crate::printable::printable(&message, 300) });
                    }
                };
                let Some(ids) = wanted else {
                    hint("say which rules are meant: # gambeson: ignore[V301]".into());
                    continue;
                };
                let mut rules = HashSet::new();
                for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
                    match id.parse::<Rule>() {
                        Ok(rule) if rule.can_be_silenced() => {
                            rules.insert(rule);
                        }
                        Ok(rule) => hint(format!("{rule} is no advice and cannot be silenced")),
                        Err(_) => hint(format!("there is no rule {id}")),
                    }
                }
                if code_on_line {
                    ignored.at.entry(place.line).or_default().extend(rules);
                } else if code_before {
                    hint("nothing is on this line: the comment belongs at the end of the line that it is about".into());
                } else {
                    ignored.everywhere.extend(rules);
                }
            }
            _ => (code_before, code_on_line) = (true, true),
        }
    }
    ignored
}

/// The rules that a comment names, `None` if it names none; or that it is no comment to the reader.
#[expect(clippy::option_option, reason = "no directive, one without rules, one with rules")]
fn directive(comment: &str) -> Option<Option<&str>> {
    let rest = comment.trim_start_matches('#').trim_start();
    let rest = rest.strip_prefix("gambeson:")?.trim_start().strip_prefix("ignore")?;
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let ids = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(ids, _)| ids);
    Some(ids.filter(|ids| !ids.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::directive;

    #[test]
    fn a_comment_names_rules_or_is_none_of_ours() {
        assert_eq!(directive("# gambeson: ignore[V301, V302]"), Some(Some("V301, V302")));
        assert_eq!(directive("#gambeson:ignore[V301] because"), Some(Some("V301")));
        assert_eq!(directive("# gambeson: ignore"), Some(None));
        assert_eq!(directive("# gambeson: ignore[]"), Some(None));
        assert_eq!(directive("# gambeson: ignored"), None);
        assert_eq!(directive("# type: ignore"), None);
    }
}
