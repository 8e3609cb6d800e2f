//! Words and small pictures of known width. What others wrote comes through [`safe`].

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::client::visible;

/// Marks that are put upon one letter at most; more would be a tower across other lines.
const MARKS_MOST: usize = 3;

/// On one line, fit for a cell: nothing that a terminal obeys, and every letter as wide as it is counted.
pub fn safe(given: &str) -> String {
    let shown = visible::line(given);
    if shown.is_ascii() {
        return shown;
    }
    let mut text = String::with_capacity(shown.len());
    let mut marks = 0;
    for c in shown.chars() {
        match c {
            // These choose between two pictures of one letter, which terminals count as one or as two columns.
            '\u{fe00}'..='\u{fe0f}' => {}
            c if c.width() == Some(0) => {
                marks += 1;
                // The first letter of a cell has nothing to be put upon.
                if marks > MARKS_MOST || text.is_empty() {
                    text.push_str(&format!("\\u{{{:x}}}", c as u32));
                } else {
                    text.push(c);
                }
            }
            c => {
                marks = 0;
                text.push(c);
            }
        }
    }
    text
}

/// Columns of a text that is safe.
pub fn width(text: &str) -> usize {
    text.width()
}

/// At most `most` columns; what is cut off is told by `…` (`~` where there are no such letters).
pub fn cut(text: &str, most: usize, more: char) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > most {
            break;
        }
        used += wide;
        kept.push(c);
    }
    if most > 0 {
        kept.push(more);
    }
    kept
}

/// Exactly `columns` wide.
pub fn fit(text: &str, columns: usize, right: bool, more: char) -> String {
    let text = cut(text, columns, more);
    let space = " ".repeat(columns.saturating_sub(text.width()));
    if right { space + &text } else { text + &space }
}

/// The lines of a text of words, each at most `most` columns; a word that is wider is cut in pieces.
pub fn folded(text: &str, most: usize) -> Vec<String> {
    let most = most.max(4);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("it begins with one");
        let gap = usize::from(!last.is_empty());
        if last.width() + gap + word.width() <= most {
            if gap == 1 {
                last.push(' ');
            }
            last.push_str(word);
            continue;
        }
        if !last.is_empty() {
            lines.push(String::new());
        }
        for c in word.chars() {
            let last = lines.last_mut().expect("it begins with one");
            if last.width() + c.width().unwrap_or(0) > most {
                lines.push(c.to_string());
            } else {
                last.push(c);
            }
        }
    }
    lines
}

/// Which letters pictures are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// Blocks of Unicode.
    Blocks,
    /// Those of ASCII, for terminals in other locales.
    Ascii,
}

impl Letters {
    /// What a value from 0 to 1 looks like in one column; what is above nothing is never shown as nothing.
    fn step(self, value: f64) -> char {
        const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const ASCII: [char; 9] = [' ', '_', '.', '-', '~', '=', '+', '*', '#'];
        let value = if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 };
        let step = if value > 0.0 { ((value * 8.0).round() as usize).max(1) } else { 0 };
        match self {
            Letters::Blocks => BLOCKS[step],
            Letters::Ascii => ASCII[step],
        }
    }

    /// The newest values of `values` in `columns`, the newest on the right, each against `most`.
    pub fn spark(self, values: impl DoubleEndedIterator<Item = f64>, columns: usize, most: f64) -> String {
        let mut steps: Vec<char> =
            values.rev().take(columns).map(|value| self.step(if most > 0.0 { value / most } else { 0.0 })).collect();
        steps.resize(columns, ' ');
        steps.iter().rev().collect()
    }

    /// A bar of `columns` that is full where `part` is 1.
    pub fn bar(self, part: f64, columns: usize) -> String {
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        let full = (part * columns as f64).round() as usize;
        let (on, off) = match self {
            Letters::Blocks => ("━", "╌"),
            Letters::Ascii => ("#", "."),
        };
        on.repeat(full) + &off.repeat(columns - full)
    }

    /// What says that something was cut off.
    pub fn more(self) -> char {
        match self {
            Letters::Blocks => '…',
            Letters::Ascii => '~',
        }
    }

    /// What stands between two words of one line.
    pub fn dot(self) -> &'static str {
        match self {
            Letters::Blocks => "·",
            Letters::Ascii => "|",
        }
    }

    /// A line across.
    pub fn rule(self) -> &'static str {
        match self {
            Letters::Blocks => "─",
            Letters::Ascii => "-",
        }
    }

    /// A line down.
    pub fn post(self) -> &'static str {
        match self {
            Letters::Blocks => "│",
            Letters::Ascii => "|",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_filled_by_columns_and_not_by_letters() {
        assert_eq!(fit("日本語", 6, false, '…'), "日本語");
        assert_eq!(fit("日本語", 5, false, '…'), "日本…");
        assert_eq!(fit("日本語", 4, false, '…'), "日… ");
        assert_eq!(fit("ab", 4, true, '…'), "  ab");
        assert_eq!(fit("abc", 0, false, '…'), "");
        for columns in 0..9 {
            assert_eq!(width(&fit("a日e\u{301}本", columns, false, '~')), columns);
        }
    }

    #[test]
    fn a_name_cannot_turn_the_line_around_nor_grow_towers() {
        assert_eq!(safe("a\u{202e}b\u{1b}[2J"), "a\\u{202e}b\\x1b[2J");
        assert_eq!(safe("\u{301}a"), "\\u{301}a");
        assert_eq!(safe("a\u{301}\u{301}\u{301}\u{301}b"), "a\u{301}\u{301}\u{301}\\u{301}b");
        assert_eq!(safe("❤\u{fe0f}"), "❤");
        assert_eq!(safe("שלום"), "שלום");
        assert_eq!(width(&safe("שלום")), 4);
    }

    #[test]
    fn words_are_folded_and_none_is_lost() {
        assert_eq!(folded("one two three", 7), ["one two", "three"]);
        assert_eq!(folded("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(folded("", 10), [""]);
        assert_eq!(folded("a abcdefgh b", 5), ["a", "abcde", "fgh b"]);
    }

    #[test]
    fn a_little_is_never_shown_as_nothing() {
        assert_eq!(Letters::Blocks.spark([0.0, 0.001, 0.5, 1.0, 7.0].into_iter(), 6, 1.0), "  ▁▄██");
        assert_eq!(Letters::Ascii.spark([0.0, 0.001, 0.5, 1.0].into_iter(), 3, 1.0), "_~#");
        assert_eq!(Letters::Blocks.spark([1.0, f64::NAN].into_iter(), 2, 0.0), "  ");
        assert_eq!(Letters::Blocks.bar(0.5, 4), "━━╌╌");
        assert_eq!(Letters::Ascii.bar(2.0, 3), "###");
    }
}
