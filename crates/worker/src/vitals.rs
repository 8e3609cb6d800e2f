//! How this worker is, for people who look at it from afar.

use std::sync::atomic::{AtomicU64, Ordering};

use gambeson_api::Vitals;

use crate::spares::Spares;

/// How many cells run a program.
#[derive(Debug, Default)]
pub(crate) struct Running(AtomicU64);

/// One of them. Dropping it is its end.
pub(crate) struct One<'a>(&'a Running);

impl Running {
    /// One more.
    pub(crate) fn one(&self) -> One<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        One(self)
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How it is now.
pub(crate) fn vitals(running: &Running, spares: Option<&Spares>) -> Vitals {
    Vitals {
        cells: running.0.load(Ordering::Relaxed),
        spares: spares.map_or(0, |spares| spares.count() as u64),
        cpu_pressure: pressure("cpu"),
        memory_pressure: pressure("memory"),
        io_pressure: pressure("io"),
    }
}

/// Part of the last ten seconds in which somebody waited for `what`, percent (Documentation/accounting/psi.rst). Made in the
/// kernel's memory, so that nobody waits for a disk.
fn pressure(what: &str) -> Option<f64> {
    some_avg10(&std::fs::read_to_string(format!("/proc/pressure/{what}")).ok()?)
}

fn some_avg10(text: &str) -> Option<f64> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    some.split(' ').find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pressure_is_that_of_some_over_ten_seconds() {
        let text = "some avg10=1.53 avg60=4.87 avg300=4.73 total=176\nfull avg10=0.20 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(some_avg10(text), Some(1.53));
        assert_eq!(some_avg10(""), None, "a kernel that says nothing");
    }

    #[test]
    fn a_cell_counts_from_its_start_to_its_end() {
        let running = Running::default();
        let (one, other) = (running.one(), running.one());
        drop(one);
        assert_eq!(vitals(&running, None).cells, 1);
        drop(other);
        assert_eq!(vitals(&running, None).cells, 0);
    }
}
