//! The labelled corpus, and how well a reader does on it. `cargo xtask bench vet` uses this file as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A program of the corpus, and the right answers. `corpus/README.md` says what they mean.
pub struct Program {
    /// `hostile/NAME`.
    pub name: String,
    /// Its files, the one that begins first; named as they are submitted.
    pub files: Vec<(String, PathBuf)>,
    pub hostile: bool,
    pub obfuscated: bool,
    pub expected: BTreeSet<String>,
    pub allowed: BTreeSet<String>,
}

/// What a reader did with one rule, or with all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    pub found: u32,
    pub missed: u32,
    pub false_alarms: u32,
}

impl Score {
    pub fn precision(self) -> Option<f64> {
        let said = self.found + self.false_alarms;
        (said > 0).then(|| f64::from(self.found) / f64::from(said))
    }

    pub fn recall(self) -> Option<f64> {
        let expected = self.found + self.missed;
        (expected > 0).then(|| f64::from(self.found) / f64::from(expected))
    }

    fn add(&mut self, other: Score) {
        self.found += other.found;
        self.missed += other.missed;
        self.false_alarms += other.false_alarms;
    }
}

/// All programs.
pub fn programs(corpus: &Path) -> io::Result<Vec<Program>> {
    let mut programs = Vec::new();
    for kind in ["benign", "hostile"] {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(corpus.join(kind))?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        entries.sort();
        for path in entries {
            let mut files = Vec::new();
            if path.is_dir() {
                collect(&path, &path, &mut files)?;
                files.sort_by_key(|(name, _)| (name != "main.py", name.clone()));
            } else if path.extension().is_some_and(|ending| ending == "py") {
                files.push(("main.py".to_owned(), path.clone()));
            }
            let Some((_, first)) = files.first() else { continue };
            let text = String::from_utf8_lossy(&fs::read(first)?).into_owned();
            let head: Vec<&str> = text.lines().take(12).take_while(|line| line.starts_with('#')).collect();
            let label =
                |key: &str| head.iter().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(':'));
            let rules = |key: &str| -> BTreeSet<String> {
                label(key).unwrap_or("").split_whitespace().map(str::to_owned).collect()
            };
            programs.push(Program {
                name: format!("{kind}/{}", path.file_stem().unwrap_or_default().to_string_lossy()),
                hostile: kind == "hostile",
                obfuscated: label("obfuscated").is_some(),
                expected: rules("expect"),
                allowed: rules("allow"),
                files,
            });
        }
    }
    Ok(programs)
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).map_err(io::Error::other)?.to_string_lossy().into_owned();
            files.push((name, path));
        }
    }
    Ok(())
}

/// Modules of the environment that the labels are for.
pub fn environment(corpus: &Path) -> io::Result<BTreeSet<String>> {
    let text = fs::read_to_string(corpus.join("environment.txt"))?;
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(names.map(str::to_owned).collect())
}

/// Of each rule, by what fired in each program.
pub fn score<'a>(programs: impl Iterator<Item = (&'a Program, &'a BTreeSet<String>)>) -> BTreeMap<String, Score> {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for (program, fired) in programs {
        for rule in program.expected.union(fired) {
            let one = match (program.expected.contains(rule), fired.contains(rule)) {
                (true, true) => Score { found: 1, ..Score::default() },
                (true, false) => Score { missed: 1, ..Score::default() },
                (false, _) if program.allowed.contains(rule) => continue,
                (false, _) => Score { false_alarms: 1, ..Score::default() },
            };
            scores.entry(rule.clone()).or_default().add(one);
        }
    }
    scores
}

/// Of all rules together.
pub fn total(scores: &BTreeMap<String, Score>) -> Score {
    scores.values().fold(Score::default(), |mut all, one| {
        all.add(*one);
        all
    })
}
