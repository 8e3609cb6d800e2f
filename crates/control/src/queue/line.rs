//! The jobs of one lane, by their order, in chunks: a forecast goes past a million of them by the number of chunks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::lanes::{Head, Item};

/// The most jobs of one chunk. What is moved at a change in the midst of a chunk is less than half of that.
const CHUNK: usize = 128;

/// A sorted sequence: ends are cheap, every other place costs O(log n) and the move of part of a chunk.
///
/// A chunk's key is at most the least order in it, and more than all orders of the chunk before. None is empty.
///
/// A clone shares everything, and costs nothing that grows with the number of jobs; what is changed while it lives is
/// copied then, a chunk and the list of chunks at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    chunks: Arc<BTreeMap<u64, Chunk>>,
}

type Chunk = Arc<VecDeque<Head>>;

impl Line {
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub fn get(&self, order: u64) -> Option<Item> {
        let (_, chunk) = self.chunks.range(..=order).next_back()?;
        let at = chunk.binary_search_by_key(&order, |head| head.order).ok()?;
        chunk.get(at).map(|head| head.item)
    }

    /// Adds a job whose order is not here yet.
    pub fn insert(&mut self, order: u64, item: Item) {
        let new = Head { order, item };
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some((&key, chunk)) = chunks.range_mut(..=order).next_back() else {
            // Before all others: the first chunk begins here now, or a new one does.
            let mut chunk = match chunks.first_entry() {
                Some(first) if first.get().len() < CHUNK => first.remove(),
                _ => Chunk::default(),
            };
            Arc::make_mut(&mut chunk).push_front(new);
            chunks.insert(order, chunk);
            return;
        };
        let at = chunk.partition_point(|head| head.order < order);
        if chunk.len() < CHUNK {
            Arc::make_mut(chunk).insert(at, new);
        } else if at == CHUNK {
            // Behind a full chunk, as nearly all are: it stays full.
            chunks.insert(order, Arc::new(VecDeque::from([new])));
        } else {
            let chunk = Arc::make_mut(chunk);
            let mut upper = chunk.split_off(CHUNK / 2);
            let half = if at <= CHUNK / 2 { &mut *chunk } else { &mut upper };
            let at = if at <= CHUNK / 2 { at } else { at - CHUNK / 2 };
            half.insert(at, new);
            debug_assert!(key <= order);
            if let Some(first) = upper.front() {
                chunks.insert(first.order, Arc::new(upper));
            }
        }
    }

    pub fn remove(&mut self, order: u64) -> Option<Item> {
        let chunks = Arc::make_mut(&mut self.chunks);
        let (&key, chunk) = chunks.range_mut(..=order).next_back()?;
        let at = chunk.binary_search_by_key(&order, |head| head.order).ok()?;
        let chunk = Arc::make_mut(chunk);
        let removed = chunk.remove(at)?;
        if chunk.is_empty() {
            chunks.remove(&key);
        }
        Some(removed.item)
    }

    fn chunks_from(&self, order: u64) -> impl Iterator<Item = &VecDeque<Head>> + '_ {
        let key = self.chunks.range(..=order).next_back().map_or(0, |(&key, _)| key);
        self.chunks.range(key..).map(|(_, chunk)| &**chunk)
    }

    /// The jobs from `order` on.
    pub fn range(&self, order: u64) -> impl Iterator<Item = Head> + '_ {
        self.chunks_from(order).flat_map(move |chunk| chunk.range(place_in(chunk, order)..).copied())
    }

    /// Goes past up to `most` jobs from `order` on. How many there were, and the one behind them.
    pub fn skip(&self, order: u64, most: usize) -> (usize, Option<Head>) {
        let mut skipped = 0;
        for chunk in self.chunks_from(order) {
            let from = place_in(chunk, order);
            if let Some(&head) = chunk.get(from + most - skipped) {
                return (most, Some(head));
            }
            skipped += chunk.len() - from;
        }
        (skipped, None)
    }
}

/// Where the jobs of a chunk from `order` on begin. Nearly always at its front.
fn place_in(chunk: &VecDeque<Head>, order: u64) -> usize {
    match chunk.front() {
        Some(first) if first.order < order => chunk.partition_point(|head| head.order < order),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::queued::{Demand, JobKey};
    use super::*;

    fn item(order: u64) -> Item {
        Item { job: JobKey(order.into()), submitted_ms: 0, wall_ms: 0, demand: Demand::default() }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_line_is_a_sorted_map_with_a_faster_skip(
            starts in prop::collection::vec((0u64..3000, 1u64..400, any::<bool>()), 1..30),
            looks in prop::collection::vec((0u64..3500, 0usize..1000), 20),
        ) {
            let (mut line, mut map) = (Line::default(), BTreeMap::new());
            // A clone of every moment: what comes later is not seen in it.
            let mut clones = Vec::new();
            for (start, n, adds) in starts {
                clones.push((line.clone(), map.keys().copied().collect::<Vec<u64>>()));
                for order in start..start + n {
                    if adds && !map.contains_key(&order) {
                        line.insert(order, item(order));
                        map.insert(order, item(order));
                    } else if !adds {
                        let removed = |item: Option<Item>| item.map(|item| item.job);
                        prop_assert_eq!(removed(line.remove(order)), removed(map.remove(&order)));
                    }
                }
                prop_assert!(line.chunks.values().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK));
            }
            prop_assert_eq!(line.is_empty(), map.is_empty());
            for (clone, expected) in clones {
                prop_assert_eq!(clone.range(0).map(|head| head.order).collect::<Vec<u64>>(), expected);
            }
            for (from, n) in looks {
                let expected: Vec<u64> = map.range(from..).map(|(&order, _)| order).collect();
                let seen: Vec<u64> = line.range(from).map(|head| head.order).collect();
                prop_assert_eq!(&seen, &expected);
                let (skipped, next) = line.skip(from, n);
                prop_assert_eq!(skipped, n.min(expected.len()));
                prop_assert_eq!(next.map(|head| head.order), expected.get(n).copied());
                prop_assert_eq!(line.get(from).map(|item| item.job), map.get(&from).map(|item| item.job));
            }
        }
    }
}
