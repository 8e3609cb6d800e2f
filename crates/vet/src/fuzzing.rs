//! What must hold for whatever text the reader is given: for libFuzzer (`cargo xtask fuzz`) and for the tests below.
//!
//! Each panics when a promise is broken, and says which.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::predict::{HappenedDenial, Policy, Verdict, compare, predict_all};
use crate::printable::deceives;
use crate::report::{MOST_OF_RULE, Report};
use crate::rule::Rule;
use crate::source::Source;
use crate::{Style, read, sarif, text};

/// What reading may take of time, a byte: a hundred times what it takes, since what is built for fuzzing is slow. What is
/// worse than linear is far beyond it.
const PER_BYTE: Duration = Duration::from_micros(50);
/// What it may take in any case: budgets that a short text can use up.
const AT_LEAST: Duration = Duration::from_secs(8);

/// Any bytes as a submission: a first file, and after each zero byte another one. It is read in bounded time, said in bounded words
/// that are fit to print, and gives the same again.
pub fn reading(data: &[u8]) {
    let mut source = Source::default();
    for (at, bytes) in data.split(|byte| *byte == 0).take(4).enumerate() {
        source.add(["main.py", "helper.py", "package/__init__.py", "package/part.py"][at], bytes);
    }
    let before = Instant::now();
    let report = read(&source);
    let most = AT_LEAST + PER_BYTE * data.len() as u32;
    assert!(before.elapsed() < most, "{:?} for {} bytes", before.elapsed(), data.len());
    assert!(report.findings.iter().all(|finding| finding.rule != Rule::V004), "{:?}", report.findings);
    holds(&report, &source);
    assert_eq!(report, read(&source), "a second reading says the same");
}

/// What holds for any report.
fn holds(report: &Report, source: &Source) {
    let mut counts: BTreeMap<Rule, usize> = BTreeMap::new();
    for finding in report.findings.iter().chain(&report.silenced) {
        *counts.entry(finding.rule).or_default() += 1;
        let words = [Some(&finding.message), finding.subject.as_ref(), finding.target.as_ref()];
        for word in words.into_iter().flatten() {
            assert!(word.chars().count() <= 8 * 500, "{} is long: {word}", finding.rule);
            assert!(!word.chars().any(deceives), "{word:?} deceives");
        }
        let place = &finding.place;
        assert!(place.line >= 1 && place.column >= 1, "{place:?}");
        assert!((place.line, place.column) <= (place.end_line, place.end_column), "{place:?}");
    }
    assert!(counts.values().all(|count| *count <= MOST_OF_RULE), "{counts:?}");

    let encoded = serde_json::to_vec(report).expect("a report is plain data");
    assert_eq!(&serde_json::from_slice::<Report>(&encoded).expect("and is read again"), report);

    let policy = Policy::default();
    let predicted = predict_all(&report.findings, &policy);
    assert_eq!(predicted.len(), report.findings.len());
    let denial = HappenedDenial { act: "connect".into(), ..HappenedDenial::default() };
    for verdict in compare(&predicted, &[denial]) {
        match verdict {
            Verdict::Confirmed { prediction, denial } => assert!(prediction < predicted.len() && denial == 0),
            Verdict::NotReached { prediction } => assert!(prediction < predicted.len()),
            Verdict::Missed { denial } => assert_eq!(denial, 0),
        }
    }

    let shown = text(report, source, Some(&predicted), Style::default());
    assert!(!shown.chars().any(|c| c != '\n' && deceives(c)), "the text deceives: {shown:?}");
    let most = 2000 * (1 + report.findings.len() + report.hints.len());
    assert!(
        shown.chars().count() < most,
        "{} characters for {} findings",
        shown.chars().count(),
        report.findings.len()
    );
    let log = serde_json::to_value(sarif(report, Some(&predicted))).expect("a log is plain data");
    let results = log["runs"][0]["results"].as_array().expect("there is a list");
    assert_eq!(results.len(), report.findings.len() + report.silenced.len());
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::reading;

    #[test]
    fn any_text_is_read_in_bounded_time_and_said_in_bounded_words() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/vet");
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            eprintln!("{}", path.display());
            reading(&fs::read(path).unwrap());
        }
        proptest!(ProptestConfig::with_cases(64), |(data in proptest::collection::vec(any::<u8>(), 0..512))| reading(&data));
    }

    /// Pieces of real programs, put together at random: most of it is Python, and some of it is nearly.
    fn piece() -> impl Strategy<Value = String> {
        let pieces = [
            "import os\n",
            "import os as o, sys\n",
            "from os import system as s\n",
            "import helper\n",
            "from helper import *\n",
            "x = o.system\n",
            "x('id')\n",
            "o.fork()\n",
            "while True:\n    o.fork()\n",
            "for c in 'abc':\n    x = c\n",
            "def f(a, b=x, *c, **d):\n    return a(b)\n",
            "f(f, x)\n",
            "f(o.system, 'ls')\n",
            "class C(x):\n    def m(self):\n        self.y = x\n        return self.m()\n",
            "C().m()\n",
            "x = [x, x]\n",
            "x = x + x\n",
            "x = x * 10\n",
            "x = {x: x, 'a': x}\n",
            "x = x[0]\n",
            "x = x[::-1]\n",
            "exec('exec(x)')\n",
            "exec(''.join(chr(i) for i in [112, 97, 115, 115]))\n",
            "x = lambda: x()\n",
            "x()\n",
            "y = f'{x}{x!r}{x:>{x}}'\n",
            "x = '%s' % (x,)\n",
            "x = '{}'.format(x)\n",
            "try:\n    x\nexcept x as y:\n    x = y\nfinally:\n    pass\n",
            "with open('/etc/passwd') as x:\n    x.write('a')\n",
            "if x:\n    x = 1\nelif y:\n    x = 'a'\nelse:\n    x = o\n",
            "match x:\n    case [a, *b] if a:\n        x = b\n    case {'k': v, **r}:\n        x = v\n    case str(z) | z:\n        pass\n",
            "x: int = 3\n",
            "global x\n",
            "del x\n",
            "x = yield x\n",
            "async def g():\n    async for x in y:\n        await x\n",
            "@f\n@x\ndef h(): pass\n",
            "x = __import__('base64').b64decode('aGk=')\n",
            "getattr(o, 'sys' + 'tem')('id')\n",
            "import socket; socket.socket().connect(('1.2.3.4', 5))\n",
            "x = 'a' * (10 ** 12)\n",
            "x = 2 ** 99999999999\n",
            "x = -x if not x else ~x\n",
            "assert x, y\n",
            "x = (y := x)\n",
            "print(*x, **y)\n",
            "\u{202e}\n",
            "# gambeson: ignore[V201]\n",
            "x = [[[x for x in x] for x in x] for x in x]\n",
            "x = {**x}\n",
            "x.x = x\n",
            "x[x] = x\n",
            "(",
            ")",
            "'",
            "\"\"\"",
            "\\\n",
            "\t",
            "    ",
            "\0",
            ":",
            "lambda ",
            "not ",
            "- ",
        ];
        proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned)
    }

    #[test]
    fn any_program_is_read_in_bounded_time_and_said_in_bounded_words() {
        proptest!(ProptestConfig::with_cases(192), |(pieces in proptest::collection::vec(piece(), 0..40))| {
            reading(pieces.concat().as_bytes());
        });
    }
}
