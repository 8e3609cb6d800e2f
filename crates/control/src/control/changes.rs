//! Listening to all that changes, as far as one may see it.
//!
//! What many hear is made once: a task reads the jobs that were noted and writes each as JSON, and whoever listens
//! picks from that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gambeson_api::{Change, Code, KeyId, Problem, ProjectId, UserId};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;

use super::platform::LineUp;
use super::standing::{DECIDE, LOOK, Standing};
use super::vet::Approvers;
use super::{Answer, Caller, Control, Target, unseen};
use crate::access::Action;
use crate::changes::{Due, Joined};
use crate::directory::{Directory, Rights};
use crate::meters::Following;

/// What comes within this time after a silence comes in one round.
const GATHER: Duration = Duration::from_millis(20);
/// Between two rounds.
const ROUND: Duration = Duration::from_millis(100);
/// How often it is looked whether anybody is left, while nothing happens.
const QUIET: Duration = Duration::from_secs(5);

/// One thing that is told, as it is sent.
#[derive(Debug)]
pub struct News {
    kind: &'static str,
    json: String,
}

impl News {
    fn of(change: &Change) -> Arc<News> {
        let kind = match change {
            Change::Job { .. } => "job",
            Change::Queue { .. } => "queue",
            Change::Missed {} => "missed",
        };
        Arc::new(News { kind, json: serde_json::to_string(change).unwrap_or_default() })
    }

    /// The word of its type.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// A [`Change`], in one line.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// A job that changed.
#[derive(Debug)]
struct ToldJob {
    project: ProjectId,
    user: UserId,
    /// For who may see workers, and for everybody else.
    whole: Arc<News>,
    plain: Arc<News>,
}

/// Projects, and whether all of each is seen or only what is one's own.
type Seen = Vec<(ProjectId, bool)>;

/// The queue, and how those see it who asked: many see the same.
struct ToldQueue {
    line_up: LineUp,
    directory: Arc<Directory>,
    #[expect(clippy::type_complexity, reason = "what is seen, by whom if that matters, and how it is told")]
    told: Mutex<HashMap<(Seen, Option<UserId>), Arc<News>>>,
}

impl ToldQueue {
    fn seen_by(&self, seen: &Seen, me: UserId) -> Arc<News> {
        let whose = seen.iter().any(|(_, all)| !all).then_some(me);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let news = told.entry((seen.clone(), whose)).or_insert_with(|| {
            let queue = Box::new(self.line_up.seen_by(&self.directory, seen, me));
            News::of(&Change::Queue { queue })
        });
        Arc::clone(news)
    }
}

/// What is told at once to all who listen.
pub(crate) struct Round {
    jobs: Vec<ToldJob>,
    queue: Option<ToldQueue>,
    missed: bool,
}

/// What somebody may see of what changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct View {
    jobs: Seen,
    queue: Seen,
    workers: bool,
}

impl View {
    fn pick(&self, round: &Round, me: UserId) -> Vec<Arc<News>> {
        let mut news: Vec<Arc<News>> = round.missed.then(|| News::of(&Change::Missed {})).into_iter().collect();
        let visible =
            |job: &ToldJob| self.jobs.iter().any(|(seen, all)| *seen == job.project && (*all || job.user == me));
        let told = |job: &ToldJob| Arc::clone(if self.workers { &job.whole } else { &job.plain });
        news.extend(round.jobs.iter().filter(|job| visible(job)).map(told));
        if let Some(queue) = round.queue.as_ref().filter(|_| !self.queue.is_empty()) {
            news.push(queue.seen_by(&self.queue, me));
        }
        news
    }
}

/// What the keys that listen may see: decided once for all listeners of a key.
#[derive(Debug, Default)]
pub(crate) struct Views(Mutex<HashMap<(KeyId, Option<ProjectId>), Decided>>);

/// A view, of which users, projects and roles it is, and when it was decided.
#[derive(Debug, Clone)]
struct Decided {
    view: Arc<View>,
    rights: Rights,
    at: Instant,
}

/// Views that are kept though nobody may have them any more.
const VIEWS_KEPT: usize = 64;

impl Views {
    /// One that still holds, or else one that is decided now.
    fn of(
        &self,
        key: (KeyId, Option<ProjectId>),
        holds: impl Fn(&Decided) -> bool,
        decide: impl FnOnce() -> Answer<Decided>,
    ) -> Answer<Decided> {
        let views = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = views().get(&key).filter(|kept| holds(kept)).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let decided = decide()?;
        let mut views = views();
        if views.len() >= VIEWS_KEPT {
            views.retain(|_, kept| Arc::strong_count(&kept.view) > 1);
        }
        views.insert(key, decided.clone());
        Ok(decided)
    }
}

/// Somebody who listens to changes. Dropping it ends that.
pub struct Listener {
    control: Control,
    caller: Caller,
    /// Only of this project.
    project: Option<ProjectId>,
    standing: Standing,
    view: Decided,
    rounds: broadcast::Receiver<Arc<Round>>,
    /// Counted as long as it listens.
    _following: Following,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listener({})", self.caller.key())
    }
}

impl Listener {
    /// What is told next, waiting for it; `None` when the server stops.
    ///
    /// # Errors
    /// When the key or the right by which it listens is no more.
    pub async fn next(&mut self) -> Answer<Option<Vec<Arc<News>>>> {
        loop {
            let heard = tokio::time::timeout(LOOK, self.rounds.recv()).await;
            self.standing.check()?;
            let missed = || News::of(&Change::Missed {});
            let mut news = Vec::new();
            // What was told before to somebody who may see more or less now does not fit any more.
            if self.look_again()? {
                news.push(missed());
            }
            match heard {
                // Silence.
                Err(_) => {}
                Ok(Ok(round)) => news.extend(self.view.view.pick(&round, self.caller.user)),
                Ok(Err(RecvError::Lagged(_))) => news.push(missed()),
                Ok(Err(RecvError::Closed)) => return Ok(None),
            }
            if !news.is_empty() {
                return Ok(Some(news));
            }
        }
    }

    /// Decides anew what may be seen, if something changed or, where operators' policies may know the time, some time
    /// has passed. Whether it is something else than before.
    fn look_again(&mut self) -> Answer<bool> {
        let directory = self.control.shared.directory();
        if self.control.holds(&directory, &self.view) {
            return Ok(false);
        }
        let decided = self.control.view(&directory, &self.caller, self.project)?;
        Ok(std::mem::replace(&mut self.view, decided).view != self.view.view)
    }
}

impl Control {
    /// Listens to what changes from now on of the jobs and the queue that the caller may see, or of one project. Who
    /// listens first and reads lists then misses nothing.
    ///
    /// # Errors
    /// When the caller may not list jobs, or not of that project.
    pub async fn changes(&self, caller: &Caller, project: Option<&str>) -> Answer<Listener> {
        let directory = self.shared.directory();
        let named = match project {
            Some(name) => Some(self.named_project(&directory, caller, Action::JobList, name).await?),
            None => None,
        };
        if let Some(id) = named {
            let looked = self.look(caller, Action::JobList, Target::Project(id)).await;
            drop(looked.map_err(unseen(id, project))?);
        }
        let view = self.view(&directory, caller, named)?;
        if named.is_none() {
            // One row for all, on the first project that it shows.
            match view.view.jobs.first() {
                Some((first, _)) => drop(self.look(caller, Action::JobList, Target::Project(*first)).await?),
                None => self.nothing_to_list(&directory, caller, Action::JobList).await?,
            }
        }
        let standing = self.standing(caller, named.map(|id| (Action::JobList, Target::Project(id))))?;
        let stopping = || Problem::new(Code::Unavailable, "the server is stopping").retry_after(5);
        let Joined { rounds, first } = self.shared.changes.join().ok_or_else(stopping)?;
        if first {
            tokio::spawn(tell(self.clone()));
        }
        let _following = self.meters().follow("changes");
        let (control, caller) = (self.clone(), caller.clone());
        Ok(Listener { control, caller, project: named, standing, view, rounds, _following })
    }

    /// Whether what was decided still is what would be: nothing changed that it hangs on, nor, where operators' policies may know the
    /// time, has much of that passed.
    fn holds(&self, directory: &Directory, decided: &Decided) -> bool {
        let actions = [Action::JobList, Action::JobView, Action::QueueView, Action::WorkerView];
        let moods = || actions.iter().any(|action| self.shared.authority.has_operators(*action));
        decided.rights == directory.rights && (decided.at.elapsed() < DECIDE || !moods())
    }

    /// What the caller may see, decided now if it was not before.
    fn view(&self, directory: &Directory, caller: &Caller, only: Option<ProjectId>) -> Answer<Decided> {
        let holds = |kept: &Decided| self.holds(directory, kept);
        self.shared.views.of((caller.key, only), holds, || {
            let view = Arc::new(self.decide_view(directory, caller, only)?);
            Ok(Decided { view, rights: directory.rights, at: Instant::now() })
        })
    }

    fn decide_view(&self, directory: &Directory, caller: &Caller, only: Option<ProjectId>) -> Answer<View> {
        let mut view =
            View { workers: self.may(directory, caller, Action::WorkerView, Target::Platform)?, ..View::default() };
        let reached = self.within_reach(directory, caller, &[Action::JobList, Action::QueueView])?;
        for project in reached.into_iter().filter(|project| only.is_none_or(|only| only == *project)) {
            let jobs = self.may(directory, caller, Action::JobList, Target::Project(project))?;
            let queue = self.may(directory, caller, Action::QueueView, Target::Project(project))?;
            if jobs || queue {
                let seen = (project, self.sees_all(directory, caller, project)?);
                view.jobs.extend(jobs.then_some(seen));
                view.queue.extend(queue.then_some(seen));
            }
        }
        Ok(view)
    }

    async fn round(&self, due: Due) -> Round {
        let directory = self.shared.directory();
        let ids = due.jobs;
        let rows = self.read(move |store| {
            // One that is gone was forgotten: lists lose it as quietly.
            ids.into_iter().filter_map(|id| store.job(id).transpose()).collect::<Result<Vec<_>, _>>()
        });
        let mut missed = due.missed;
        let rows = rows.await.unwrap_or_else(|_| {
            missed = true;
            Vec::new()
        });
        let mut approvers = Approvers::default();
        let told = |row: crate::store::JobRow| {
            let (project, user, worker) = (row.project, row.user, row.worker);
            let job = Box::new(self.listed(&directory, row, true, &mut approvers));
            let whole = News::of(&Change::Job { job: job.clone() });
            let plain = match worker {
                None => Arc::clone(&whole),
                Some(_) => News::of(&Change::Job { job: Box::new(gambeson_api::Job { worker: None, ..*job }) }),
            };
            ToldJob { project, user, whole, plain }
        };
        let jobs = rows.into_iter().map(told).collect();
        let line_up = if due.queue { self.line_up().await.ok() } else { None };
        let queue =
            line_up.map(|line_up| ToldQueue { line_up, directory: Arc::clone(&directory), told: Mutex::default() });
        Round { jobs, queue, missed }
    }
}

/// Tells what is noted, in rounds, while anybody listens.
async fn tell(control: Control) {
    let changes = &control.shared.changes;
    while changes.is_heard() {
        if tokio::time::timeout(QUIET, changes.noted()).await.is_err() {
            continue;
        }
        tokio::time::sleep(GATHER).await;
        loop {
            let (due, more) = changes.due(control.shared.clock.steady_ms());
            if due.is_empty() && !more {
                break;
            }
            // Whoever joins after this begins a telling of their own.
            if !changes.is_heard() {
                return;
            }
            if !due.is_empty() {
                changes.tell(control.round(due).await);
            }
            tokio::time::sleep(ROUND).await;
        }
    }
}
