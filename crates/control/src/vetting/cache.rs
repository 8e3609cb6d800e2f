//! What was read lately, by the digest of its source: bounded in number and bytes, the least lately asked for goes first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Name, Read};

const READS_MOST: usize = 4096;
const BYTES_MOST: usize = 16 << 20;

#[derive(Debug, Default)]
pub(super) struct Cache {
    known: HashMap<Name, Known>,
    /// By the number of the question in which it was asked for last.
    order: BTreeMap<u64, Name>,
    asked: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Known {
    read: Arc<Read>,
    asked: u64,
    bytes: usize,
}

impl Cache {
    pub fn get(&mut self, name: &Name) -> Option<Arc<Read>> {
        let known = self.known.get_mut(name)?;
        self.asked += 1;
        if let Some(name) = self.order.remove(&known.asked) {
            self.order.insert(self.asked, name);
        }
        known.asked = self.asked;
        Some(Arc::clone(&known.read))
    }

    pub fn put(&mut self, name: Name, read: Arc<Read>) {
        let bytes = weight(&read) + name.1.len();
        if self.known.contains_key(&name) || bytes > BYTES_MOST / 4 {
            return;
        }
        self.asked += 1;
        self.bytes += bytes;
        self.order.insert(self.asked, name.clone());
        self.known.insert(name, Known { read, asked: self.asked, bytes });
        while self.known.len() > READS_MOST || self.bytes > BYTES_MOST {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            if let Some(known) = self.known.remove(&oldest) {
                self.bytes -= known.bytes;
            }
        }
    }
}

/// About how much memory it takes.
fn weight(read: &Read) -> usize {
    let findings = read.report.findings.iter().chain(&read.report.silenced);
    let findings: usize = findings
        .map(|finding| {
            let optional = [&finding.subject, &finding.target];
            let texts = optional.into_iter().flatten().map(String::len).sum::<usize>();
            300 + finding.message.len() + finding.place.file.len() + texts
        })
        .sum();
    let modules: usize =
        read.report.modules.iter().map(|import| 150 + import.module.len() + import.place.file.len()).sum();
    let excerpts: usize = read.excerpts.iter().map(|(_, text)| text.len()).sum();
    500 + findings + modules + excerpts
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_api::Digest;
    use gambeson_vet::{Import, Origin, Place, Report};

    fn name(index: usize) -> Name {
        (Digest::of(&index.to_be_bytes()), "main.py".into())
    }

    fn of_modules(count: usize) -> Arc<Read> {
        let import = || Import { module: "m".repeat(1000), place: Place::default(), origin: Origin::Unknown };
        let report = Report { modules: (0..count).map(|_| import()).collect(), ..Report::default() };
        Arc::new(Read { report, excerpts: Vec::new() })
    }

    #[test]
    fn what_was_asked_for_lately_stays_and_the_oldest_goes() {
        let mut cache = Cache::default();
        for index in 0..READS_MOST {
            cache.put(name(index), of_modules(0));
        }
        assert!(cache.get(&name(0)).is_some());
        cache.put(name(READS_MOST), of_modules(0));
        assert!(cache.get(&name(0)).is_some() && cache.get(&name(1)).is_none());
        assert_eq!((cache.known.len(), cache.order.len()), (READS_MOST, READS_MOST));
    }

    #[test]
    fn large_reads_are_bounded_together() {
        let mut cache = Cache::default();
        for index in 0..100 {
            cache.put(name(index), of_modules(1000));
        }
        assert!(cache.bytes <= BYTES_MOST && cache.known.len() >= 10, "{} of {}", cache.bytes, cache.known.len());
        let sum: usize = cache.known.values().map(|known| known.bytes).sum();
        assert_eq!(cache.bytes, sum);
        cache.put(name(1000), of_modules(10_000));
        assert!(cache.get(&name(1000)).is_none(), "one does not push out all others");
    }
}
