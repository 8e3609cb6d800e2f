//! What one job's proxy did: which connections there were, and what was refused. Bounded, whatever the program does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gambeson_api::work::Entry;
use gambeson_api::{Denial, Egress};
use tokio::sync::Notify;

/// Refusals that are told one by one; of one place and reason they are counted.
const DENIALS_MOST: usize = 50;

/// One job's. Written by its connections, read by who tells the server.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    book: Mutex<Book>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Book {
    told: usize,
    news: Vec<Entry>,
    rest: Option<Egress>,
    denials: Vec<Denial>,
    /// Refusals of places beyond those.
    more: u64,
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection is over.
    pub(super) fn over(&self, connection: Egress) {
        let mut book = self.book();
        if book.told < Egress::ENTRIES_MOST {
            book.told += 1;
            book.news.push(Entry::Egress(connection));
            drop(book);
            return self.changed.notify_one();
        }
        let others = Egress { host: "*".into(), port: 0, connections: 0, up_bytes: 0, down_bytes: 0, ms: 0 };
        let rest = book.rest.get_or_insert(others);
        rest.connections += connection.connections;
        rest.up_bytes = rest.up_bytes.saturating_add(connection.up_bytes);
        rest.down_bytes = rest.down_bytes.saturating_add(connection.down_bytes);
        rest.ms = rest.ms.saturating_add(connection.ms);
    }

    /// Something was refused. The first of its kind is news.
    pub(super) fn refused(&self, denial: Denial) {
        let mut book = self.book();
        let same = |one: &&mut Denial| one.target == denial.target && one.rule == denial.rule && one.why == denial.why;
        if let Some(one) = book.denials.iter_mut().find(same) {
            one.count = one.count.saturating_add(denial.count);
        } else if book.denials.len() < DENIALS_MOST {
            book.news.push(Entry::Denied { denial: Box::new(denial.clone()) });
            book.denials.push(denial);
            drop(book);
            self.changed.notify_one();
        } else {
            book.more = book.more.saturating_add(denial.count);
        }
    }

    /// Waits until there is something new to tell.
    pub(crate) async fn news(&self) -> Vec<Entry> {
        loop {
            let news = std::mem::take(&mut self.book().news);
            if !news.is_empty() {
                return news;
            }
            self.changed.notified().await;
        }
    }

    /// What is left to tell when nothing can come any more.
    pub(crate) fn close(&self) -> (Vec<Entry>, Vec<Denial>) {
        let mut book = std::mem::take(&mut *self.book());
        book.news.extend(book.rest.map(Entry::Egress));
        if book.more > 0 {
            let mut others = super::denial("other places".into(), super::RULE, "many places were refused".into());
            others.count = book.more;
            book.denials.push(others);
        }
        (book.news, book.denials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(host: &str) -> Egress {
        Egress { host: host.into(), port: 443, connections: 1, up_bytes: 10, down_bytes: 20, ms: 5 }
    }

    #[test]
    fn the_first_connections_are_told_one_by_one_and_the_others_together() {
        let ledger = Ledger::default();
        for number in 0..Egress::ENTRIES_MOST + 1000 {
            ledger.over(connection(&format!("h{number}.org")));
        }
        let (entries, _) = ledger.close();
        assert_eq!(entries.len(), Egress::ENTRIES_MOST + 1);
        let Some(Entry::Egress(rest)) = entries.last() else { panic!("{entries:?}") };
        assert_eq!((&*rest.host, rest.connections, rest.up_bytes, rest.ms), ("*", 1000, 10_000, 5000));
    }

    #[test]
    fn refusals_of_one_place_are_counted_and_those_of_many_are_bounded() {
        let ledger = Ledger::default();
        for number in 0..10_000 {
            ledger.refused(super::super::denial(format!("h{}.org:443", number % 1000), "rule", "why".into()));
        }
        let (entries, denials) = ledger.close();
        assert_eq!(entries.len(), DENIALS_MOST, "each is told once");
        assert_eq!(denials.len(), DENIALS_MOST + 1);
        assert_eq!(denials[0].count, 10);
        assert_eq!(denials.iter().map(|denial| denial.count).sum::<u64>(), 10_000);
    }
}
