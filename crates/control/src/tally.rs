//! What happens so often that the audit log has one row for many of them.
//!
//! Invariants:
//! 1. Of acts that are alike the first is told at once, and what follows within [`TOGETHER_MS`] by one row with its count.
//! 2. What was counted and not told is counted again if the commit that was to tell it failed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gambeson_api::{AuditRow, KeyId, Time};

/// Acts within this time are told together, milliseconds.
const TOGETHER_MS: u64 = 60_000;
/// Kinds of acts that are counted at once; what comes beyond is told one by one.
const MANY: usize = 50_000;

/// Acts that differ in nothing of this are alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Alike {
    key: Option<KeyId>,
    actor: String,
    action: String,
    resource: String,
    allowed: bool,
    code: Option<String>,
}

impl Alike {
    fn of(row: &AuditRow) -> Alike {
        Alike {
            key: row.key,
            actor: row.actor.clone(),
            action: row.action.clone(),
            resource: row.resource.clone(),
            allowed: row.allowed,
            code: row.detail["code"].as_str().map(str::to_owned),
        }
    }
}

/// Acts of one kind.
#[derive(Debug)]
struct Acts {
    row: AuditRow,
    /// Those that no row tells of.
    untold: u64,
    /// When the last row was told, by a clock that nobody sets, milliseconds; and its date.
    told: Option<(u64, Time)>,
}

/// A row that is due, of how many acts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Due {
    pub row: AuditRow,
    count: u64,
}

/// Counts what is alike.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    acts: Mutex<HashMap<Alike, Acts>>,
}

impl Tally {
    fn acts(&self) -> MutexGuard<'_, HashMap<Alike, Acts>> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one whose row is written by us, soon.
    pub(crate) fn note(&self, row: AuditRow) {
        self.add(row, 1);
    }

    fn add(&self, row: AuditRow, count: u64) {
        self.acts().entry(Alike::of(&row)).or_insert(Acts { row, untold: 0, told: None }).untold += count;
    }

    /// Whether it is the first of its kind in its time, whose row the caller writes; else it is counted.
    pub(crate) fn is_first(&self, row: &AuditRow, steady_ms: u64) -> bool {
        let mut acts = self.acts();
        if let Some(acts) = acts.get_mut(&Alike::of(row)) {
            acts.untold += 1;
            return false;
        }
        if acts.len() < MANY {
            let told = Some((steady_ms, row.at));
            acts.insert(Alike::of(row), Acts { row: row.clone(), untold: 0, told });
        }
        true
    }

    /// The rows to be written now, as of a clock that nobody sets and the date; `last` has all of them.
    pub(crate) fn due(&self, steady_ms: u64, now: Time, last: bool) -> Vec<Due> {
        let mut due = Vec::new();
        self.acts().retain(|_, acts| {
            let over = acts.told.is_none_or(|(told, _)| steady_ms.saturating_sub(told) >= TOGETHER_MS);
            if !over && !last {
                return true;
            }
            if acts.untold == 0 {
                return false;
            }
            let mut row = AuditRow { at: now, ..acts.row.clone() };
            if acts.told.is_some() || acts.untold > 1 {
                let since = acts.told.map_or(acts.row.at, |(_, since)| since);
                if !row.detail.is_object() {
                    row.detail = serde_json::json!({});
                }
                row.detail["count"] = acts.untold.into();
                row.detail["since"] = since.to_string().into();
            }
            due.push(Due { row, count: acts.untold });
            acts.untold = 0;
            acts.told = Some((steady_ms, now));
            true
        });
        due
    }

    /// What was due, and was not told after all.
    pub(crate) fn give_back(&self, due: Vec<Due>) {
        for Due { row, count } in due {
            self.add(row, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(action: &str) -> AuditRow {
        AuditRow { allowed: false, ..crate::audit::row(Time(0), "nobody", action, "platform") }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_of_a_minute_by_one_row() {
        let tally = Tally::default();
        tally.note(row("a"));
        let first = tally.due(0, Time(1000), false);
        assert_eq!((first.len(), first[0].row.detail.is_null()), (1, true));
        for _ in 0..500 {
            tally.note(row("a"));
        }
        assert_eq!(tally.due(59_999, Time(60_999), false), []);
        let rest = tally.due(60_000, Time(61_000), false);
        assert_eq!((rest.len(), rest[0].row.detail["count"].as_u64()), (1, Some(500)));
        assert_eq!(rest[0].row.detail["since"], "1970-01-01T00:00:01.000Z");
        // The commit failed.
        tally.give_back(rest);
        assert_eq!(tally.due(60_200, Time(61_200), true)[0].row.detail["count"], 500);
        assert_eq!(tally.due(130_000, Time(131_000), false), []);
        assert!(tally.acts().is_empty(), "what is over takes no room");
    }

    #[test]
    fn what_the_caller_tells_of_is_counted_from_the_second_on() {
        let tally = Tally::default();
        assert!(tally.is_first(&row("a"), 0) && tally.is_first(&row("b"), 0));
        assert!(!tally.is_first(&row("a"), 10));
        let due = tally.due(60_000, Time(60_000), false);
        assert_eq!(due.iter().map(|due| (due.row.action.as_str(), due.count)).collect::<Vec<_>>(), [("a", 1)]);
    }
}
