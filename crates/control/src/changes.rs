//! Which jobs changed, for those who listen to all that they may see: noted by the writer, told by a task of its own.
//!
//! Invariants:
//! 1. The writer only notes an id, and nothing while nobody listens.
//! 2. What is told of a job was read after it was noted: of two changes that come as one, the later one is told.
//! 3. No backlog grows: where too much is noted, or somebody listens too slowly, it is said that something was missed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gambeson_api::{EventBody, JobId};
use tokio::sync::{Notify, broadcast};

/// Between two tellings of one job, milliseconds.
const JOB_MS: u64 = 250;
/// Between two tellings of the queue, milliseconds.
const QUEUE_MS: u64 = 1000;
/// Between two times that something is said to be missed: whoever hears it reads lists again, milliseconds.
const MISSED_MS: u64 = 1000;
/// Jobs that are noted and not told yet.
const NOTED_MOST: usize = 2000;
/// Jobs of one round.
const ROUND_MOST: usize = 200;
/// Rounds that wait for the slowest of those who listen; all share them.
const ROUNDS_MOST: usize = 16;

/// What an event changes of what lists show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touches {
    Nothing,
    /// The job.
    Job,
    /// The job, and with it the queue.
    Queue,
}

impl Touches {
    pub(crate) fn by(body: &EventBody) -> Touches {
        match body {
            EventBody::Queued {}
            | EventBody::Leased { .. }
            | EventBody::Started {}
            | EventBody::Requeued { .. }
            | EventBody::Ended { .. } => Touches::Queue,
            EventBody::CancelRequested {} => Touches::Job,
            // What a job uses now is noted where it is known.
            EventBody::Sample(_)
            | EventBody::Output { .. }
            | EventBody::Elided { .. }
            | EventBody::Denied { .. }
            | EventBody::Egress(_) => Touches::Nothing,
        }
    }
}

/// What is to be told now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    pub jobs: Vec<JobId>,
    pub queue: bool,
    pub missed: bool,
}

impl Due {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Due::default()
    }
}

/// What was noted, and when each was told last.
#[derive(Debug, Default)]
struct Noted {
    jobs: HashSet<JobId>,
    told: HashMap<JobId, u64>,
    queue: bool,
    queue_told: Option<u64>,
    missed: bool,
    missed_told: Option<u64>,
}

impl Noted {
    fn note(&mut self, job: JobId, touches: Touches) {
        self.queue |= touches == Touches::Queue;
        // Whoever hears that something was missed reads everything after that.
        if self.missed || touches == Touches::Nothing {
            return;
        }
        if self.jobs.len() == NOTED_MOST && !self.jobs.contains(&job) {
            self.jobs.clear();
            self.missed = true;
        } else {
            self.jobs.insert(job);
        }
    }

    fn is_empty(&self) -> bool {
        self.jobs.is_empty() && !self.queue && !self.missed
    }

    /// Takes out what may be told at `now_ms`.
    fn due(&mut self, now_ms: u64) -> Due {
        let rested = |told: Option<u64>, ms: u64| told.is_none_or(|told| now_ms.saturating_sub(told) >= ms);
        self.told.retain(|_, told| !rested(Some(*told), JOB_MS));
        let mut jobs: Vec<JobId> = self.jobs.iter().filter(|job| !self.told.contains_key(job)).copied().collect();
        // The oldest first, and the same ones whenever the same were noted.
        jobs.sort_unstable();
        jobs.truncate(ROUND_MOST);
        for job in &jobs {
            self.jobs.remove(job);
            self.told.insert(*job, now_ms);
        }
        let queue = self.queue && rested(self.queue_told, QUEUE_MS);
        if queue {
            (self.queue, self.queue_told) = (false, Some(now_ms));
        }
        let missed = self.missed && rested(self.missed_told, MISSED_MS);
        if missed {
            (self.missed, self.missed_told) = (false, Some(now_ms));
        }
        Due { jobs, queue, missed }
    }
}

/// Where changes are noted, and rounds of them are handed out. `T` is a round.
#[derive(Debug)]
pub(crate) struct Changes<T> {
    /// Whether anybody listens.
    heard: AtomicBool,
    noted: Mutex<Noted>,
    wake: Notify,
    rounds: Mutex<Rounds<T>>,
}

#[derive(Debug)]
enum Rounds<T> {
    /// Nobody listens.
    Idle,
    Told(broadcast::Sender<Arc<T>>),
    /// The server stops.
    Closed,
}

/// What somebody gets who wants to listen.
pub(crate) struct Joined<T> {
    pub rounds: broadcast::Receiver<Arc<T>>,
    /// Whether they are the first, and somebody has to begin telling.
    pub first: bool,
}

impl<T> Default for Changes<T> {
    fn default() -> Changes<T> {
        Changes {
            heard: AtomicBool::new(false),
            noted: Mutex::default(),
            wake: Notify::new(),
            rounds: Mutex::new(Rounds::Idle),
        }
    }
}

impl<T> Changes<T> {
    /// Something about a job changed. Called by the writer, after the commit.
    pub(crate) fn note(&self, job: JobId, touches: Touches) {
        if touches == Touches::Nothing || !self.heard.load(Ordering::Acquire) {
            return;
        }
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).note(job, touches);
        self.wake.notify_one();
    }

    /// Listens from now on; `None` while the server stops.
    pub(crate) fn join(&self) -> Option<Joined<T>> {
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        match &*rounds {
            Rounds::Closed => None,
            Rounds::Told(sender) => Some(Joined { rounds: sender.subscribe(), first: false }),
            Rounds::Idle => {
                let (sender, receiver) = broadcast::channel(ROUNDS_MOST);
                *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Noted::default();
                self.heard.store(true, Ordering::Release);
                *rounds = Rounds::Told(sender);
                Some(Joined { rounds: receiver, first: true })
            }
        }
    }

    /// Whether there is still somebody to tell. If not, the next who joins is the first.
    pub(crate) fn is_heard(&self) -> bool {
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        match &*rounds {
            Rounds::Told(sender) if sender.receiver_count() > 0 => true,
            Rounds::Told(_) => {
                self.heard.store(false, Ordering::Release);
                *rounds = Rounds::Idle;
                false
            }
            Rounds::Idle | Rounds::Closed => false,
        }
    }

    /// Waits until something is noted.
    pub(crate) async fn noted(&self) {
        self.wake.notified().await;
    }

    /// What may be told at `now_ms`, and whether more is noted.
    pub(crate) fn due(&self, now_ms: u64) -> (Due, bool) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        (noted.due(now_ms), !noted.is_empty())
    }

    /// Hands out a round.
    pub(crate) fn tell(&self, round: T) {
        if let Rounds::Told(sender) = &*self.rounds.lock().unwrap_or_else(PoisonError::into_inner) {
            // Those who listened may have gone.
            let _ = sender.send(Arc::new(round));
        }
    }

    /// Lets all who listen go, and takes nobody any more.
    pub(crate) fn close(&self) {
        self.heard.store(false, Ordering::Release);
        *self.rounds.lock().unwrap_or_else(PoisonError::into_inner) = Rounds::Closed;
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: usize) -> JobId {
        JobId::from_u128(number as u128)
    }

    #[test]
    fn a_job_is_told_at_once_and_then_four_times_a_second_at_most() {
        let mut noted = Noted::default();
        let mut told = Vec::new();
        for now_ms in (0..1000).step_by(10) {
            noted.note(job(1), Touches::Job);
            told.extend(noted.due(now_ms).jobs.iter().map(|_| now_ms));
        }
        assert_eq!(told, [0, 250, 500, 750]);
        assert_eq!(noted.due(1000).jobs, [job(1)], "the last change is told as well");
        assert!(noted.is_empty());
    }

    #[test]
    fn the_queue_is_told_once_a_second_and_a_sample_does_not_touch_it() {
        let mut noted = Noted::default();
        noted.note(job(1), Touches::Job);
        assert!(!noted.due(0).queue);
        let mut told = Vec::new();
        for now_ms in (0..3000).step_by(100) {
            noted.note(job(1), Touches::Queue);
            told.extend(noted.due(now_ms).queue.then_some(now_ms));
        }
        assert_eq!(told, [0, 1000, 2000]);
    }

    #[test]
    fn what_is_too_much_is_missed_once_and_not_kept() {
        let mut noted = Noted::default();
        for number in 0..100_000 {
            noted.note(job(number), Touches::Queue);
            assert!(noted.jobs.len() <= NOTED_MOST);
        }
        assert_eq!(noted.due(0), Due { jobs: Vec::new(), queue: true, missed: true });
        noted.note(job(1), Touches::Job);
        assert_eq!(noted.due(0), Due { jobs: vec![job(1)], ..Due::default() });
        (0..100_000).for_each(|number| noted.note(job(number), Touches::Job));
        assert!(noted.due(999).is_empty(), "lists are read again once a second at most");
        assert!(noted.due(1000).missed);
    }

    #[test]
    fn a_round_has_a_bound_and_the_rest_comes_with_the_next() {
        let mut noted = Noted::default();
        (0..ROUND_MOST + 1).rev().for_each(|number| noted.note(job(number), Touches::Job));
        assert_eq!(noted.due(0).jobs, (0..ROUND_MOST).map(job).collect::<Vec<_>>());
        assert_eq!(noted.due(0).jobs, [job(ROUND_MOST)]);
    }

    #[tokio::test]
    async fn nothing_is_noted_while_nobody_listens_and_who_is_slow_is_told_so() {
        let changes = Changes::<u32>::default();
        changes.note(job(1), Touches::Queue);
        let mut joined = changes.join().unwrap();
        assert!(joined.first);
        assert_eq!(changes.due(0), (Due::default(), false));
        assert!(!changes.join().unwrap().first);
        changes.note(job(1), Touches::Job);
        assert_eq!(changes.due(0).0.jobs, [job(1)]);
        (0..=ROUNDS_MOST as u32).for_each(|round| changes.tell(round));
        assert!(matches!(joined.rounds.recv().await, Err(broadcast::error::RecvError::Lagged(1))));
        assert_eq!(*joined.rounds.recv().await.unwrap(), 1);
        drop(joined);
        assert!(!changes.is_heard());
        assert!(changes.join().unwrap().first);
        changes.close();
        assert!(changes.join().is_none());
    }
}
