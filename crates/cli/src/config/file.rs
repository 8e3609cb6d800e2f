//! The configuration file: TOML, with only the settings of the table in it.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{SECTIONS, SETTINGS, Setting, Verdict};
use super::value::Shape;
use super::{Origin, complaint, suggestion};
use crate::profile::redacted;

/// A setting as a file has it.
pub(super) struct Line {
    pub(super) setting: &'static Setting,
    pub(super) text: String,
    pub(super) line: usize,
}

/// The settings of a file and, as sentences that begin with `path:line:`, what is wrong with it.
pub(super) fn decode(path: &Path, text: &str) -> (Vec<Line>, Vec<String>) {
    let mut decoded = Decoded { path, text, lines: Vec::new(), problems: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => decoded.table(table.get_ref()),
        Err(error) => {
            // Only its message: its Display also prints the line, which may hold what nobody is to see.
            let message = redacted(&error.message().replace('\n', ", "));
            let start = error.span().map_or(0, |span| span.start);
            let hint = if bare_quantity(text, start) { "; a size or a time stands in quotes" } else { "" };
            decoded.problem(start, format!("this is no TOML: {message}{hint}"));
        }
    }
    (decoded.lines, decoded.problems)
}

/// Whether the line of this place sets something to a number with a unit and no quotes.
fn bare_quantity(text: &str, place: usize) -> bool {
    let line = text.lines().nth(line_of(text, place) - 1).unwrap_or_default();
    let value = line.split_once('=').map_or("", |(_, value)| value.trim());
    let digits = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    digits.len() < value.len() && digits.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn line_of(text: &str, place: usize) -> usize {
    1 + text.bytes().take(place).filter(|byte| *byte == b'\n').count()
}

struct Decoded<'a> {
    path: &'a Path,
    text: &'a str,
    lines: Vec<Line>,
    problems: Vec<String>,
}

impl Decoded<'_> {
    fn problem(&mut self, place: usize, sentence: String) {
        self.problems.push(format!("{}:{}: {sentence}", self.path.display(), line_of(self.text, place)));
    }

    fn table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let is_section = SECTIONS.iter().any(|(section, _)| *section == name);
            match value.get_ref() {
                DeValue::Table(section) if is_section => self.section(name, section),
                DeValue::Table(_) if Setting::named(name).is_none() => {
                    let nearest = suggestion(name, SECTIONS.iter().map(|(section, _)| *section));
                    let more = nearest.map(|section| format!("; did you mean [{section}]?")).unwrap_or_default();
                    self.problem(key.span().start, format!("there is no section [{}]{more}", redacted(name)));
                }
                _ if is_section => {
                    let sentence = format!("{name} is a section; write [{name}], and its settings below");
                    self.problem(key.span().start, sentence);
                }
                _ => self.setting(name, key.span().start, value),
            }
        }
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            self.setting(&format!("{section}.{}", key.get_ref()), key.span().start, value);
        }
    }

    fn setting(&mut self, name: &str, place: usize, value: &Spanned<DeValue<'_>>) {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            return self.problem(place, super::unknown(name));
        };
        let line = line_of(self.text, place);
        let text = match text(setting.shape, value.get_ref()) {
            Ok(text) => text,
            Err(given) => {
                return self
                    .problem(place, format!("{name} is {given}; write {}{}", setting.how, quotes(setting.shape)));
            }
        };
        // A path of a file means the same wherever we are started.
        let text = match self.path.parent() {
            Some(parent) if setting.shape == Shape::Path && !text.is_empty() => parent.join(text).display().to_string(),
            _ => text,
        };
        match (setting.verdict)(setting, &text) {
            Verdict::Good => self.lines.push(Line { setting, text, line }),
            verdict => {
                let origin = Origin::File { path: self.path.to_owned(), line };
                self.problems.push(complaint(setting, &origin, &text, verdict));
            }
        }
    }
}

fn quotes(shape: Shape) -> &'static str {
    match shape {
        Shape::Text | Shape::Path => ", in quotes",
        Shape::List => ", each in quotes, in brackets",
        Shape::Count | Shape::Decimal | Shape::Switch => "",
    }
}

/// The value as one text, or what it is instead of a value of this shape.
fn text(shape: Shape, value: &DeValue<'_>) -> Result<String, &'static str> {
    match (shape, value) {
        (Shape::Text | Shape::Path | Shape::Decimal, DeValue::String(text)) => Ok(text.to_string()),
        (Shape::Count | Shape::Decimal, DeValue::Integer(integer)) => {
            i128::from_str_radix(integer.as_str(), integer.radix())
                .map(|number| number.to_string())
                .map_err(|_| "a number too large")
        }
        (Shape::Decimal, DeValue::Float(float)) => Ok(float.as_str().to_owned()),
        (Shape::Switch, DeValue::Boolean(switch)) => Ok(switch.to_string()),
        (Shape::List, DeValue::Array(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(|item| item.get_ref().as_str()).collect();
            texts.map(|texts| texts.join(",")).ok_or("an array of other things than texts")
        }
        (_, DeValue::String(_)) => Err("a text"),
        (_, DeValue::Integer(_) | DeValue::Float(_)) => Err("a number"),
        (_, DeValue::Boolean(_)) => Err("true or false"),
        (_, DeValue::Datetime(_)) => Err("a date"),
        (_, DeValue::Array(_)) => Err("an array"),
        (_, DeValue::Table(_)) => Err("a table"),
    }
}
