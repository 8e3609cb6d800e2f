//! From files to a report.

use std::collections::HashMap;
use std::io;
use std::thread;

use crate::bounds;
use crate::findings::{Findings, Remark};
use crate::hidden;
use crate::ignore;
use crate::lines::Lines;
use crate::meaning::Interpreter;
use crate::report::{Finding, Place, Report};
use crate::rule::Rule;
use crate::secrets;
use crate::source::{MOST_BYTES, MOST_BYTES_OF_FILE, MOST_FILES, Source, SourceFile, Unread};
use crate::syntax;
use crate::units::{Unit, Units};

/// Address space for the stack that trees are walked and dropped on; only what is used is memory.
const STACK: usize = 256 << 20;

/// Reads the files of a submission.
///
/// In this process: a defect of the parser, or of ours, ends it. For files of strangers there is
/// [`process::Reader`](crate::process::Reader).
pub fn read(source: &Source) -> Report {
    read_confined(source, || Ok(()))
}

/// The same in a thread that confines itself before it looks at the text.
pub(crate) fn read_confined(source: &Source, confine: impl FnOnce() -> io::Result<()> + Send) -> Report {
    let reading = move || match confine() {
        Ok(()) => read_here(source),
        Err(error) => died(&format!("the reader could not confine itself: {error}")),
    };
    let ended = thread::scope(|scope| {
        let thread = thread::Builder::new().name("vet".into()).stack_size(STACK);
        thread.spawn_scoped(scope, reading).map(|thread| thread.join())
    });
    match ended {
        Ok(Ok(report)) => report,
        Ok(Err(_)) => died("the reader met a defect of its own"),
        Err(error) => died(&format!("there was no thread to read in: {error}")),
    }
}

/// The report of a reader that did not come to its end.
pub(crate) fn died(why: &str) -> Report {
    let mut findings = Findings::default();
    findings.add(beginning(""), Remark::new(Rule::V004, why));
    Report { findings: findings.sorted().0, incomplete: true, ..Report::default() }
}

fn beginning(path: &str) -> Place {
    Place { file: path.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1, start: 0, end: 0 }
}

fn read_here(source: &Source) -> Report {
    let mut findings = Findings::default();
    let mut report = Report::default();
    let mut units = Vec::new();
    for file in source.files() {
        units.extend(unit(file, &mut findings, &mut report));
    }
    report.files_read = units.len() as u32;
    report.bytes_read = units.iter().map(|unit| unit.text.len() as u64).sum();
    let count = units.len();
    let mut own = HashMap::new();
    let mut position = 0;
    for file in source.files() {
        let unit = (file.unread.is_none()).then(|| {
            position += 1;
            position - 1
        });
        if let Some(module) = file.module() {
            own.entry(module).or_insert(unit);
        }
    }
    let units = Units::new(units);
    let mut interpreter = Interpreter::new(&units, own, source.modules.as_ref());
    interpreter.findings = findings;
    interpreter.run(count);
    report.incomplete |= interpreter.incomplete;
    report.modules = std::mem::take(&mut interpreter.imports);
    let mut findings = std::mem::take(&mut interpreter.findings);
    drop(interpreter);
    let mut ignored = HashMap::new();
    for unit in units.iter().filter(|unit| unit.executed_at.is_none()) {
        hidden::scan(unit, &mut findings);
        secrets::scan(unit, &mut findings);
        ignored.insert(unit.path.as_str(), ignore::read(unit, &mut report.hints));
    }
    let (all, more) = findings.sorted();
    report.more = more;
    let silences =
        |finding: &Finding| ignored.get(finding.place.file.as_str()).is_some_and(|ignored| ignored.silences(finding));
    (report.silenced, report.findings) = all.into_iter().partition(silences);
    report
}

/// Parses one file; that it cannot be is a finding.
fn unit(file: &SourceFile, findings: &mut Findings, report: &mut Report) -> Option<Unit> {
    let unread = match file.unread {
        None => None,
        Some(Unread::NotPython) => return None,
        Some(Unread::TooLarge { bytes }) => {
            Some((Rule::V002, format!("it has {bytes} bytes, and at most {MOST_BYTES_OF_FILE} are read")))
        }
        Some(Unread::TooMany) => {
            Some((Rule::V002, format!("at most {MOST_FILES} files of {MOST_BYTES} bytes in all are read")))
        }
        Some(Unread::NotText { at }) => {
            Some((Rule::V001, format!("byte {at} is not UTF-8, and the file declares no other encoding that is known")))
        }
    };
    if let Some((rule, why)) = unread {
        findings.add(beginning(&file.path), Remark::new(rule, why));
        report.incomplete = true;
        return None;
    }
    let lines = Lines::of(&file.text);
    let mut unit = Unit { path: file.path.clone(), text: file.text.clone(), lines, tree: None, executed_at: None };
    if let Err(why) = bounds::check(&file.text) {
        findings.add(beginning(&file.path), Remark::new(Rule::V002, why));
        report.incomplete = true;
        return Some(unit);
    }
    let tree = syntax::parse(&file.text);
    match tree.errors.first() {
        // What follows from the first error is no news.
        Some(error) => findings.add(unit.place(error.range), Remark::new(Rule::V001, error.message.clone())),
        None => unit.tree = Some(tree),
    }
    Some(unit)
}
