//! Findings for people, with the line that each is about.
//!
//! 1. Nothing of a hostile text reaches a terminal as it is: what deceives is written as an escape.
//! 2. A secret is not shown, also where another finding is about its line.
//! 3. A line of a megabyte is shown in part.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::lines::Lines;
use crate::predict::{PredictedFinding, Prediction};
use crate::printable::{printable, push};
use crate::report::{Finding, Place, Report};
use crate::rule::Severity;
use crate::secrets;
use crate::source::Source;

/// Characters of a line that are shown, and how many of them before the place in question.
const WIDTH: usize = 120;
const BEFORE: usize = 40;

/// How it is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// With the colours of a terminal.
    pub color: bool,
}

/// All findings as text, with what is predicted of each where that is given, and a last line that counts.
pub fn text(report: &Report, source: &Source, predicted: Option<&[PredictedFinding]>, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH + 20);
    let texts: Vec<(&str, &str, Lines)> = source
        .files()
        .iter()
        .filter(|file| file.unread.is_none())
        .map(|file| (file.path.as_str(), file.text.as_str(), Lines::of(&file.text)))
        .collect();
    let excerpt = |place: &Place| {
        let (_, text, lines) = texts.iter().find(|(path, _, _)| *path == place.file)?;
        Some(excerpt(text, lines, place))
    };
    let mut out = String::new();
    match predicted {
        Some(predicted) => {
            for one in predicted {
                out.push_str(&finding(&renderer, &one.finding, Some(&one.prediction), excerpt(&one.finding.place)));
            }
        }
        None => {
            for one in &report.findings {
                out.push_str(&finding(&renderer, one, None, excerpt(&one.place)));
            }
        }
    }
    for hint in &report.hints {
        let title = printable(&hint.message, 400);
        let level = Level::HELP.primary_title(&title);
        out.push_str(&shown(&renderer, level, &hint.place, excerpt(&hint.place), &[]));
    }
    out.push_str(&summary(report));
    out
}

fn summary(report: &Report) -> String {
    let mut out = String::new();
    let count = |severity: Severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let files = if report.files_read == 1 { "file" } else { "files" };
    write!(out, "{} {files} read: ", report.files_read).expect("a string takes everything");
    if report.findings.is_empty() {
        out.push_str("nothing to remark");
    } else {
        let counts = [Severity::High, Severity::Medium, Severity::Low, Severity::Note]
            .into_iter()
            .filter(|severity| count(*severity) > 0)
            .map(|severity| format!("{} {}", count(severity), severity.as_str()));
        out.push_str(&counts.collect::<Vec<_>>().join(", "));
    }
    for (rule, more) in &report.more {
        write!(out, "; and {more} more of {rule}").expect("as above");
    }
    if !report.silenced.is_empty() {
        write!(out, "; {} silenced by comments", report.silenced.len()).expect("as above");
    }
    if report.incomplete {
        out.push_str("; not everything was read");
    }
    out.push('\n');
    out
}

fn finding(
    renderer: &Renderer,
    finding: &Finding,
    prediction: Option<&Prediction>,
    excerpt: Option<(String, Range<usize>)>,
) -> String {
    let title = printable(&finding.message, 500);
    let id = format!("{} {}", finding.rule.id(), finding.rule.name());
    let level = match finding.severity {
        Severity::High => Level::ERROR.with_name("high"),
        Severity::Medium => Level::WARNING.with_name("medium"),
        Severity::Low => Level::NOTE.with_name("low"),
        Severity::Note => Level::INFO.with_name("note"),
    };
    let notes: Vec<String> = prediction.map(words).into_iter().flatten().collect();
    shown(renderer, level.primary_title(&title).id(&id), &finding.place, excerpt, &notes)
}

/// What a prediction says, in one or two lines.
fn words(prediction: &Prediction) -> Vec<String> {
    let lines = match prediction {
        Prediction::Allowed { why } => vec![format!("allowed: {why}")],
        Prediction::Refused { why, remedy } => vec![format!("will be refused: {why}"), remedy.clone()],
        Prediction::NotInEnvironment { why, remedy } => vec![format!("not in this environment: {why}"), remedy.clone()],
        Prediction::LimitedBy { limit, why, .. } => vec![format!("limited by {limit}: {why}")],
        Prediction::Unknown { why } => vec![format!("cannot be told: {why}")],
    };
    lines.iter().map(|line| printable(line, 400)).collect()
}

fn shown(
    renderer: &Renderer,
    title: annotate_snippets::Title<'_>,
    place: &Place,
    excerpt: Option<(String, Range<usize>)>,
    notes: &[String],
) -> String {
    let path = printable(&place.file, 200);
    let mut group = annotate_snippets::Group::with_title(title);
    if let Some((line, span)) = &excerpt {
        let snippet = Snippet::source(line.as_str())
            .line_start(place.line as usize)
            .path(path.as_str())
            .fold(false)
            .annotation(AnnotationKind::Primary.span(span.clone()));
        group = group.element(snippet);
    }
    for note in notes {
        group = group.element(Level::NOTE.no_name().message(note.as_str()));
    }
    let mut out = renderer.render(&[group]).to_string();
    out.push_str("\n\n");
    out
}

/// The line of a place, fit to print, and where in it the place is.
fn excerpt(text: &str, lines: &Lines, place: &Place) -> (String, Range<usize>) {
    let (from, line) = lines.line(text, place.line);
    let start = (place.start.saturating_sub(from) as usize).min(line.len());
    let end = if place.end_line == place.line {
        (place.end.saturating_sub(from) as usize).min(line.len())
    } else {
        line.len()
    };
    // A part around the place, cut where characters begin.
    let mut first = start;
    let mut count = 0;
    while first > 0 && count < BEFORE {
        first -= 1;
        while !line.is_char_boundary(first) {
            first -= 1;
        }
        count += 1;
    }
    if line[..start].chars().take(WIDTH).count() < WIDTH / 2 {
        first = 0;
    }
    let mut last = first;
    for c in line[first..].chars().take(WIDTH) {
        last += c.len_utf8();
    }
    // Secrets are looked for in more than is shown: one may begin before it.
    let around = neighbourhood(line, first, last);
    let secrets: Vec<Range<usize>> = secrets::find(&line[around.clone()])
        .into_iter()
        .map(|secret| secret.range.start + around.start..secret.range.end + around.start)
        .collect();
    let mut shown = String::new();
    if first > 0 {
        shown.push_str("...");
    }
    let (mut span_start, mut span_end) = (shown.len(), shown.len());
    for (at, c) in line[first..last].char_indices() {
        let at = at + first;
        if at == start {
            span_start = shown.len();
        }
        match secrets.iter().find(|secret| secret.contains(&at)) {
            Some(_) => shown.push('*'),
            None => push(&mut shown, c),
        }
        if at < end {
            span_end = shown.len();
        }
    }
    if start >= last {
        span_start = shown.len();
    }
    if last < line.len() {
        shown.push_str("...");
    }
    (shown, span_start..span_end.max(span_start))
}

fn neighbourhood(line: &str, first: usize, last: usize) -> Range<usize> {
    let (mut from, mut to) = (first.saturating_sub(1000), (last + 1000).min(line.len()));
    while !line.is_char_boundary(from) {
        from -= 1;
    }
    while !line.is_char_boundary(to) {
        to += 1;
    }
    from..to
}
