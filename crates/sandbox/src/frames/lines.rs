//! From an instruction to its line, by the table that a code object carries: three forms, one after the other in time.
//!
//! The bytes are the guest's. Each form reads the table once from the front, and gives a line or none.

use serde::{Deserialize, Serialize};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    /// Up to 3.9: pairs of steps, of bytes and of lines (`Objects/lnotab_notes.txt`).
    Steps,
    /// 3.10: pairs of a range's length and the step of its line, or that it has none (PEP 626).
    Ranges,
    /// From 3.11: entries of several lengths, with columns (`Objects/locations.md`, PEP 657).
    Locations,
}

impl Form {
    pub(super) const ALL: [Form; 3] = [Form::Steps, Form::Ranges, Form::Locations];

    /// The line of the instruction at byte `at` of a code that begins on line `first`.
    ///
    /// Before the first instruction it is the function's own.
    pub(super) fn line(self, table: &[u8], first: i32, at: i64) -> Option<u32> {
        let line = if at < 0 {
            Some(i64::from(first))
        } else {
            match self {
                Form::Steps => Some(steps(table, first.into(), at)),
                Form::Ranges => ranges(table, first.into(), at),
                Form::Locations => locations(table, first.into(), at),
            }
        };
        line.and_then(|line| u32::try_from(line).ok()).filter(|line| (1..=i32::MAX as u32).contains(line))
    }
}

/// What a table of any length adds up to fits: each step is of at most 32 bits, and a table of at most as many bytes.
fn steps(table: &[u8], first: i64, at: i64) -> i64 {
    let (mut line, mut start) = (first, 0);
    for [bytes, lines] in table.as_chunks::<2>().0 {
        start += i64::from(*bytes);
        if start > at {
            break;
        }
        line += i64::from(lines.cast_signed());
    }
    line
}

fn ranges(table: &[u8], first: i64, at: i64) -> Option<i64> {
    let (mut line, mut end) = (first, 0);
    for [bytes, lines] in table.as_chunks::<2>().0 {
        let step = lines.cast_signed();
        if step != i8::MIN {
            line += i64::from(step);
        }
        end += i64::from(*bytes);
        if at < end {
            return (step != i8::MIN).then_some(line);
        }
    }
    None
}

fn locations(table: &[u8], first: i64, at: i64) -> Option<i64> {
    const NO_LINE: u8 = 15;
    let (mut line, mut end) = (first, 0);
    let mut rest = table;
    while let Some((head, after)) = rest.split_first() {
        // The bytes of one entry are those up to the next that has the top bit.
        let size = after.iter().position(|byte| byte & 0x80 != 0).unwrap_or(after.len());
        let (entry, next) = after.split_at(size);
        let kind = head >> 3 & 15;
        line += match kind {
            10..=12 => i64::from(kind - 10),
            13 | 14 => signed(entry),
            _ => 0,
        };
        // Instructions are of two bytes.
        end += 2 * i64::from((head & 7) + 1);
        if at < end {
            return (kind != NO_LINE).then_some(line);
        }
        rest = next;
    }
    None
}

/// A number of six bits a byte, the lowest first; its own lowest bit is the sign.
fn signed(bytes: &[u8]) -> i64 {
    let mut number = 0;
    // More would not be a line.
    for (at, byte) in bytes.iter().take(6).enumerate() {
        number |= i64::from(byte & 63) << (6 * at);
        if byte & 64 == 0 {
            break;
        }
    }
    if number & 1 == 0 { number >> 1 } else { -(number >> 1) }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::environment::Environment;

    fn interpreters() -> Vec<Environment> {
        let versions = std::fs::read_dir("/root/.pyenv/versions").into_iter().flatten().flatten();
        let mut names = vec![PathBuf::from("/usr/bin/python3")];
        names.extend(versions.map(|version| version.path().join("bin/python3")));
        names.iter().filter_map(|name| Environment::discover(name).ok()).collect()
    }

    /// The script says what every code object of the standard library's modules has where.
    fn compare(environment: &Environment) -> usize {
        let form = environment.layout.as_ref().unwrap_or_else(|why| panic!("{environment:?}: {why}")).lines;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/lines.py");
        let told = Command::new(&environment.executable).args(["-I", "-W", "ignore"]).arg(script).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let told = String::from_utf8(told.stdout).unwrap();
        for code in told.lines() {
            let mut words = code.split(' ');
            let first = words.next().unwrap().parse().unwrap();
            let table: Vec<u8> = words
                .next()
                .map(|hex| hex.trim_start_matches('-').as_bytes())
                .unwrap()
                .chunks(2)
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            let mut at = 0;
            for run in words.filter(|run| !run.is_empty()) {
                let (end, line) = run.split_once(':').unwrap();
                // A module begins on line 0, before its first.
                let line = line.parse().ok().filter(|line| *line > 0);
                let end = end.parse().unwrap();
                // The ends of each run: within it no line can begin.
                for at in [at, end - 2].into_iter().filter(|_| at < end) {
                    assert_eq!(form.line(&table, first, at), line, "{form:?} at {at} of {code}");
                }
                at = end;
            }
            if form != Form::Steps {
                assert_eq!(form.line(&table, first, at), None, "beyond the end of {code}");
            }
        }
        told.lines().count()
    }

    #[test]
    fn every_run_of_instructions_in_modules_of_the_standard_library_has_the_line_that_its_interpreter_gives_it() {
        let interpreters = interpreters();
        let mut compared = 0;
        for environment in interpreters.iter().filter(|one| one.layout.is_ok()) {
            let codes = compare(environment);
            eprintln!("{}: {codes} code objects", environment.version);
            assert!(codes > 1000, "{codes}");
            compared += 1;
        }
        assert!(compared > 0, "no interpreter here has a layout: {interpreters:?}");
    }

    proptest! {
        #[test]
        fn any_table_has_a_line_or_none(
            table in proptest::collection::vec(any::<u8>(), 0..400), first: i32, at: i64,
        ) {
            for form in Form::ALL {
                for at in [at, at & 0xff] {
                    if let Some(line) = form.line(&table, first, at) {
                        prop_assert!((1..=i32::MAX as u32).contains(&line));
                    }
                }
            }
        }
    }
}
