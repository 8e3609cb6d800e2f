//! What the server says, asked for as often as somebody looks at it.
//!
//! Invariants:
//! 1. Lists are asked for page by page, and only as many pages as somebody scrolled to.
//! 2. A server that does not answer is asked again after a pause that grows; a right that is missing is no failure.
//! 3. What is told waits in a bounded queue: a job that writes faster than a terminal shows is read as fast as it is shown.

use std::collections::BTreeMap;
use std::time::Duration;

use gambeson_api::client::{Client, ClientError, JobFilter};
use gambeson_api::{Change, Code, Job, JobId, JobState, Time};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::model::{Act, Asked, Got, Listed, PAGE, Told, View, Wish};

/// How long an answer may take before the server counts as lost.
const ANSWER_MOST: Duration = Duration::from_secs(10);
/// Pieces of news that wait to be shown.
const TOLD_MOST: usize = 256;
/// The pauses between tries, seconds.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 15];

/// What is looked at.
#[derive(Debug, Clone, Default)]
struct Interest {
    view: View,
    pages: BTreeMap<usize, usize>,
    asked: Asked,
    open: Option<JobId>,
    /// Rises when everything is to be asked for anew.
    again: u64,
}

/// The tasks that ask. They end when this is dropped.
pub struct Feed {
    client: Client,
    interest: watch::Sender<Interest>,
    say: mpsc::Sender<Told>,
    polling: JoinHandle<()>,
    changes: JoinHandle<()>,
    follower: Option<JoinHandle<()>>,
    looking: Option<JoinHandle<()>>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.polling.abort();
        self.changes.abort();
        for task in [&self.follower, &self.looking].into_iter().flatten() {
            task.abort();
        }
    }
}

impl Feed {
    /// Begins to ask.
    pub fn begin(client: Client, view: View) -> (Feed, mpsc::Receiver<Told>) {
        let (say, told) = mpsc::channel(TOLD_MOST);
        let (interest, seen) = watch::channel(Interest { view, ..Interest::default() });
        let (live, is_live) = watch::channel(false);
        let polling = tokio::spawn(poll(client.clone(), seen, is_live, say.clone()));
        let changes = tokio::spawn(changes(client.clone(), live, interest.clone(), say.clone()));
        (Feed { client, interest, say, polling, changes, follower: None, looking: None }, told)
    }

    /// Does what is wanted of the server.
    pub fn wish(&mut self, wish: Wish) {
        match wish {
            Wish::View(view) => self.interest.send_modify(|interest| interest.view = view),
            Wish::Pages(view, pages) => {
                self.interest.send_modify(|interest| {
                    interest.pages.insert(view.place(), pages);
                });
            }
            Wish::Narrow(asked) => self.interest.send_modify(|interest| {
                interest.pages.clear();
                interest.asked = asked;
            }),
            Wish::Again => self.interest.send_modify(|interest| interest.again += 1),
            Wish::Open(id) => {
                self.close();
                self.interest.send_modify(|interest| interest.open = Some(id));
                self.follower = Some(tokio::spawn(follow(self.client.clone(), id, self.say.clone())));
            }
            Wish::Close => {
                self.close();
                self.interest.send_modify(|interest| interest.open = None);
            }
            Wish::LookAt(ids) => {
                if self.looking.as_ref().is_none_or(JoinHandle::is_finished) {
                    self.looking = Some(tokio::spawn(look_at(self.client.clone(), ids, self.say.clone())));
                }
            }
            Wish::Do(act) => {
                let (client, say) = (self.client.clone(), self.say.clone());
                let interest = self.interest.clone();
                // It goes on by itself: what was confirmed is done, whatever is looked at next.
                tokio::spawn(async move {
                    let got = done(&client, act).await;
                    let _ = say.send(Told::Done(act, got)).await;
                    interest.send_modify(|interest| interest.again += 1);
                });
            }
            Wish::Quit | Wish::Suspend | Wish::Redraw => {}
        }
    }

    fn close(&mut self) {
        if let Some(follower) = self.follower.take() {
            follower.abort();
        }
    }
}

/// A sentence on why there is no answer.
fn sentence(error: &ClientError) -> String {
    match error {
        ClientError::Problem(problem) if matches!(problem.code, Code::Forbidden) => {
            format!("This is not yours to see: {}.", problem.detail.trim_end_matches('.'))
        }
        ClientError::Problem(problem) => {
            format!("{}: {} {}", problem.title, problem.detail, problem.remedy)
        }
        ClientError::Unreachable { source, .. } => {
            let mut cause: &dyn std::error::Error = source;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            let text = cause.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
        ClientError::Nonsense { .. } | ClientError::Setup(_) => error.to_string(),
    }
}

/// An answer, within the time that one may take.
async fn timely<T>(answer: impl Future<Output = Result<T, ClientError>>) -> Result<T, Trouble> {
    match tokio::time::timeout(ANSWER_MOST, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) if error.is_passing() => Err(Trouble::Passing(sentence(&error))),
        Ok(Err(error)) => Err(Trouble::Refused(sentence(&error))),
        Err(_) => Err(Trouble::Passing(format!("no answer within {} s", ANSWER_MOST.as_secs()))),
    }
}

/// Why there is no answer.
enum Trouble {
    /// It may come later.
    Passing(String),
    /// It will not.
    Refused(String),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Queue,
    Running,
    Recent,
    Queued,
    Workers,
    Attention,
    History,
    Who,
    Posture,
    Open,
}

const SOURCES: [Source; 10] = [
    Source::Queue,
    Source::Running,
    Source::Recent,
    Source::Queued,
    Source::Workers,
    Source::Attention,
    Source::History,
    Source::Who,
    Source::Posture,
    Source::Open,
];

/// How often a source is asked, given what is looked at; `None` for not at all.
fn period(source: Source, interest: &Interest, live: bool) -> Option<Duration> {
    let seen = |view: View| interest.view == view;
    let pages = |view: View| interest.pages.get(&view.place()).copied().unwrap_or(1) as u64;
    let seconds = match source {
        // What is told as it changes is asked for only in case something was missed.
        Source::Queue => {
            if live {
                10
            } else {
                1
            }
        }
        Source::Running if live => 15 * pages(View::Running),
        Source::Running => (if seen(View::Running) { 1 } else { 5 }) * pages(View::Running),
        Source::Recent if live => 15 * pages(View::Recent),
        Source::Recent => (if seen(View::Recent) { 1 } else { 3 }) * pages(View::Recent),
        Source::Queued => {
            if seen(View::Queue) {
                3 * pages(View::Queue)
            } else {
                return None;
            }
        }
        Source::Workers => {
            if seen(View::Workers) {
                1
            } else {
                3
            }
        }
        Source::Attention => 3,
        Source::History => 5,
        Source::Who => 300,
        Source::Posture => {
            if seen(View::Workers) {
                10
            } else {
                60
            }
        }
        Source::Open => {
            interest.open?;
            2
        }
    };
    Some(Duration::from_secs(seconds))
}

async fn poll(
    client: Client,
    mut seen: watch::Receiver<Interest>,
    mut live: watch::Receiver<bool>,
    say: mpsc::Sender<Told>,
) {
    let mut due: BTreeMap<Source, Instant> = BTreeMap::new();
    let mut failures = 0;
    let mut known = seen.borrow().clone();
    loop {
        let interest = seen.borrow_and_update().clone();
        let is_live = *live.borrow_and_update();
        // What is looked at anew is asked for at once.
        if interest.again != known.again || interest.asked != known.asked {
            due.clear();
        }
        if interest.view != known.view || interest.pages != known.pages {
            for source in [Source::Running, Source::Recent, Source::Queued, Source::Workers, Source::Posture] {
                due.remove(&source);
            }
        }
        if interest.open != known.open {
            due.remove(&Source::Open);
        }
        known = interest.clone();
        let now = Instant::now();
        let ask: Vec<Source> = SOURCES
            .into_iter()
            .filter(|source| period(*source, &interest, is_live).is_some())
            .filter(|source| due.get(source).is_none_or(|due| *due <= now))
            .collect();
        let answers = ask.iter().map(|source| fetch(&client, *source, &interest));
        let answers = futures_util::future::join_all(answers).await;
        let mut lost = None;
        for (source, answer) in ask.into_iter().zip(answers) {
            let mut pause = period(source, &interest, is_live).unwrap_or(Duration::from_secs(1));
            match answer {
                Ok(told) => {
                    if matches!(&told, Some(Told::Job(_, Ok(job))) if job.state == JobState::Ended) {
                        pause = Duration::from_secs(60);
                    }
                    if matches!(&told, Some(told) if is_refusal(told)) {
                        pause = Duration::from_secs(30);
                    }
                    // An address that this server does not have.
                    let Some(told) = told else {
                        due.insert(source, now + Duration::from_secs(60));
                        continue;
                    };
                    if say.send(told).await.is_err() {
                        return;
                    }
                }
                Err(why) => {
                    lost = Some(why);
                    continue;
                }
            }
            due.insert(source, now + pause);
        }
        let until = match lost {
            Some(why) => {
                let seconds = PAUSES[failures.min(PAUSES.len() - 1)];
                failures += 1;
                if say.send(Told::Lost { why, again_ms: seconds * 1000 }).await.is_err() {
                    return;
                }
                Instant::now() + Duration::from_secs(seconds)
            }
            None => {
                failures = 0;
                if say.send(Told::Here).await.is_err() {
                    return;
                }
                let waits = SOURCES.into_iter().filter(|source| period(*source, &interest, is_live).is_some());
                waits
                    .filter_map(|source| due.get(&source).copied())
                    .min()
                    .unwrap_or(now)
                    .max(Instant::now() + Duration::from_millis(50))
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            changed = seen.changed() => if changed.is_err() { return },
            changed = live.changed() => if changed.is_err() { return },
        }
    }
}

fn is_refusal(told: &Told) -> bool {
    match told {
        Told::Queue(got) => got.is_err(),
        Told::Workers(got) => got.is_err(),
        Told::Posture(got) => got.is_err(),
        _ => false,
    }
}

/// Asks for one source. `None` where the server has no such address; an error where it does not answer.
async fn fetch(client: &Client, source: Source, interest: &Interest) -> Result<Option<Told>, String> {
    /// A refusal becomes part of what is told.
    fn got<T>(answer: Result<T, Trouble>) -> Result<Got<T>, String> {
        match answer {
            Ok(value) => Ok(Ok(value)),
            Err(Trouble::Refused(why)) => Ok(Err(why)),
            Err(Trouble::Passing(why)) => Err(why),
        }
    }
    /// Of an older server, and of a caller who may not: nothing.
    fn offered<T>(answer: Result<T, Trouble>) -> Result<Option<T>, String> {
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(Trouble::Refused(..)) => Ok(None),
            Err(Trouble::Passing(why)) => Err(why),
        }
    }
    let pages = |view: View| interest.pages.get(&view.place()).copied().unwrap_or(1);
    Ok(Some(match source {
        Source::Queue => Told::Queue(got(timely(client.queue()).await)?),
        Source::Running => {
            let starting = listed(client, JobState::Starting, &interest.asked, 1).await;
            let mut starting = got(starting)?;
            if let Ok(listed_now) = &mut starting {
                let running = got(listed(client, JobState::Running, &interest.asked, pages(View::Running)).await)?;
                match running {
                    Ok(running) => {
                        listed_now.jobs.extend(running.jobs);
                        listed_now.more |= running.more;
                    }
                    Err(why) => starting = Err(why),
                }
            }
            Told::Running(starting)
        }
        Source::Recent => {
            Told::Recent(got(listed(client, JobState::Ended, &interest.asked, pages(View::Recent)).await)?)
        }
        Source::Queued => {
            Told::Queued(got(listed(client, JobState::Queued, &interest.asked, pages(View::Queue)).await)?)
        }
        Source::Workers => Told::Workers(got(timely(client.worker_list()).await)?),
        Source::Posture => Told::Posture(got(timely(client.posture()).await)?),
        Source::Who => match offered(timely(client.whoami()).await)? {
            Some(who) => Told::Who(Box::new(who)),
            None => return Ok(None),
        },
        Source::History => match offered(timely(client.history(None, Some("15m"))).await)? {
            Some(history) => Told::History(Ok(history)),
            None => return Ok(None),
        },
        Source::Attention => match offered(timely(client.attention()).await)? {
            Some(list) => Told::Attention(Ok(list)),
            None => return Ok(None),
        },
        Source::Open => {
            let Some(id) = interest.open else { return Ok(None) };
            Told::Job(id, got(timely(client.job(id, None)).await)?.map(Box::new))
        }
    }))
}

/// So many pages of the jobs in one state.
async fn listed(client: &Client, state: JobState, asked: &Asked, pages: usize) -> Result<Listed, Trouble> {
    let mut filter = JobFilter {
        state: Some(state),
        project: asked.project.clone(),
        user: asked.user.clone(),
        labels: asked.labels.clone(),
        limit: Some(PAGE as u32),
        ..JobFilter::default()
    };
    let mut jobs: Vec<Job> = Vec::new();
    for _ in 0..pages {
        let page = timely(client.job_list(&filter)).await?;
        jobs.extend(page.jobs);
        // A page that leads to itself would never end.
        if page.next.is_none() || page.next == filter.cursor {
            return Ok(Listed { jobs, more: false });
        }
        filter.cursor = page.next;
    }
    Ok(Listed { jobs, more: true })
}

/// What a server tells as it changes, where it can. Lists are read when it listens, and again when something was missed.
async fn changes(
    client: Client,
    live: watch::Sender<bool>,
    interest: watch::Sender<Interest>,
    say: mpsc::Sender<Told>,
) {
    let again = || interest.send_modify(|interest| interest.again += 1);
    loop {
        let pause = match client.changes(None).await {
            Ok(mut listener) => {
                live.send_replace(true);
                again();
                while let Ok(change) = listener.next().await {
                    if change == (Change::Missed {}) {
                        again();
                    } else if say.send(Told::Change(Box::new(change))).await.is_err() {
                        return;
                    }
                }
                live.send_replace(false);
                again();
                5
            }
            Err(error) if error.is_passing() => 5,
            // An older server, or a caller who may not.
            Err(_) => 60,
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

/// Why these wait.
async fn look_at(client: Client, ids: Vec<JobId>, say: mpsc::Sender<Told>) {
    for id in ids {
        match timely(client.job(id, None)).await {
            Ok(job) => drop(say.send(Told::Job(id, Ok(Box::new(job)))).await),
            // The polling finds out what is wrong; a single job may be gone.
            Err(Trouble::Passing(_)) => return,
            Err(Trouble::Refused(..)) => {}
        }
    }
}

/// What a job writes, from its beginning to its end. A follower connects again by itself; when it gives up, we begin
/// after the last event that came.
async fn follow(client: Client, id: JobId, say: mpsc::Sender<Told>) {
    use gambeson_api::client::FollowError;
    let mut last = 0;
    loop {
        let mut follower = client.follow(id, last);
        let error = loop {
            match follower.next().await {
                Ok(Some(event)) => {
                    last = event.seq;
                    if say.send(Told::Event(id, Box::new(event))).await.is_err() {
                        return;
                    }
                }
                Ok(None) => {
                    let _ = say.send(Told::Silent(id, None)).await;
                    return;
                }
                Err(error) => break error,
            }
        };
        match &error {
            FollowError::Client(error) if error.is_passing() => {}
            FollowError::Broken(_) => {}
            FollowError::Client(error) => {
                let _ = say.send(Told::Silent(id, Some(sentence(error)))).await;
                return;
            }
            FollowError::Gap { .. } | FollowError::Unreadable { .. } => {
                let _ = say.send(Told::Silent(id, Some(error.to_string()))).await;
                return;
            }
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

async fn done(client: &Client, act: Act) -> Got<String> {
    let said = |error: ClientError| sentence(&error);
    match act {
        Act::Cancel(id) => {
            let job = client.job_cancel(id).await.map_err(said)?;
            Ok(match job.state {
                JobState::Ended => "It ended.".into(),
                JobState::Queued | JobState::Starting | JobState::Running => "Its end was asked for.".into(),
            })
        }
        Act::Approve(id) => client.job_approve(id).await.map(|_| "It may run now.".to_owned()).map_err(said),
        Act::Drain(id) => {
            let worker = client.worker_drain(id).await.map_err(said)?;
            Ok(format!("{} gets no more jobs; {} go on.", worker.name, worker.running))
        }
        Act::Undrain(id) => {
            client.worker_undrain(id).await.map(|worker| format!("{} takes jobs again.", worker.name)).map_err(said)
        }
    }
}

/// Everything that one frame shows, asked for once.
pub async fn once(client: &Client, model: &mut super::model::Model) -> Result<(), String> {
    let interest = Interest { view: model.view, ..Interest::default() };
    let sources = SOURCES.into_iter().filter(|source| period(*source, &interest, false).is_some());
    let answers = futures_util::future::join_all(sources.map(|source| fetch(client, source, &interest))).await;
    for answer in answers {
        if let Some(told) = answer? {
            model.told(told);
        }
    }
    model.told(Told::Here);
    model.now = Time::now();
    for wish in model.settled(Vec::new()) {
        let Wish::LookAt(ids) = wish else { continue };
        for id in ids {
            if let Ok(job) = timely(client.job(id, None)).await {
                model.told(Told::Job(id, Ok(Box::new(job))));
            }
        }
    }
    model.settled(Vec::new());
    Ok(())
}
