//! What was refused: acts that are alike are one line with a count.

use crate::exit::{Act, Denial};
use crate::host::Layer;

/// Kinds of denials that are told apart.
pub(crate) const KINDS_MOST: usize = 64;

/// The denials of one run.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    denials: Vec<Denial>,
    beyond: u64,
}

impl Ledger {
    /// Counts it. The line for it, if it is a new one. What was not `looked` for is counted where the same act was last
    /// seen, wherever that was.
    pub(crate) fn note(&mut self, denial: Denial, looked: bool) -> Option<&mut Denial> {
        let place = |one: &Denial| one.at.as_ref().map(|at| (at.line, at.file.clone()));
        let here = place(&denial);
        let alike =
            |one: &&mut Denial| one.act == denial.act && one.target == denial.target && (!looked || place(one) == here);
        if let Some(known) = self.denials.iter_mut().rev().find(alike) {
            known.count = known.count.saturating_add(denial.count);
            return None;
        }
        if self.denials.len() == KINDS_MOST {
            self.beyond = self.beyond.saturating_add(denial.count);
            return None;
        }
        self.denials.push(denial);
        self.denials.last_mut()
    }

    /// All of them, and one for those that were too many.
    pub(crate) fn close(mut self) -> Vec<Denial> {
        if self.beyond > 0 {
            self.denials.push(Denial {
                act: Act::Other,
                target: Some(format!("{} more", self.beyond)),
                rule: String::new(),
                layer: Layer::Seccomp,
                why: format!("only {KINDS_MOST} kinds of refused acts are told apart"),
                remedy: String::new(),
                at: None,
                source: None,
                count: self.beyond,
            });
        }
        self.denials
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::Claim;

    fn denial(target: &str, line: Option<u32>) -> Denial {
        Denial {
            act: Act::Socket,
            target: Some(target.into()),
            rule: "r".into(),
            layer: Layer::Seccomp,
            why: "w".into(),
            remedy: "m".into(),
            at: line.map(|line| Claim { file: "main.py".into(), line, function: "f".into() }),
            source: None,
            count: 1,
        }
    }

    #[test]
    fn acts_that_are_alike_are_counted_and_told_once() {
        let mut ledger = Ledger::default();
        assert!(ledger.note(denial("a", Some(1)), true).is_some());
        assert!(ledger.note(denial("a", Some(1)), true).is_none());
        assert!(ledger.note(denial("a", Some(2)), true).is_some());
        // Nobody looked where it was: it is counted with the last.
        assert!(ledger.note(denial("a", None), false).is_none());
        assert!(ledger.note(denial("b", None), false).is_some());
        let counts: Vec<u64> = ledger.close().iter().map(|denial| denial.count).collect();
        assert_eq!(counts, [2, 2, 1]);
    }

    #[test]
    fn a_million_kinds_are_a_bounded_number_of_lines() {
        let mut ledger = Ledger::default();
        let told = (0..1_000_000).filter(|at| ledger.note(denial(&at.to_string(), None), true).is_some()).count();
        assert_eq!(told, KINDS_MOST);
        let closed = ledger.close();
        assert_eq!(closed.len(), KINDS_MOST + 1);
        assert_eq!(closed[KINDS_MOST].count, 1_000_000 - KINDS_MOST as u64);
        assert_eq!(closed.iter().map(|denial| denial.count).sum::<u64>(), 1_000_000);
    }
}
