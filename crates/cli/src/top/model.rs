//! What the cockpit knows and shows, and how keys and news change it: plain values in, values and wishes out.
//!
//! Invariants:
//! 1. Nothing here asks a server, a clock or a terminal; a test can press every key.
//! 2. What was known stays when the server is lost; it is told since when it is old.
//! 3. Nothing is ended, let run, drained or undrained without a `y` to a question that names it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use gambeson_api::{
    AttentionList, Change, Event, EventBody, History, Job, JobId, JobState, Posture, ProjectId, Queue, Sample, Time,
    UserId, Waiting, WhoAmI, Worker, WorkerId, WorkerList,
};

use super::log::{Log, Place};
use super::palette::Palette;
use super::rows::{self, Row};
use super::text::{self, Letters};

/// Points of a small picture that are kept.
const POINTS_MOST: usize = 160;
/// Jobs of which something is remembered beyond the lists.
const KNOWN_MOST: usize = 4000;
/// Jobs on one page of a list.
pub const PAGE: usize = 200;
/// Pages of a list at most: whoever wants to see more filters.
const PAGES_MOST: usize = 25;
/// How long what we say at the foot stays.
const NOTE_MS: u64 = 6000;

/// One of the five views.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum View {
    /// Waiting jobs in the order in which they are expected to start.
    #[default]
    Queue,
    /// Jobs that run.
    Running,
    /// Jobs that ended, the newest first.
    Recent,
    /// Workers.
    Workers,
    /// Who used how much, against what is due.
    Shares,
}

impl View {
    pub const ALL: [View; 5] = [View::Queue, View::Running, View::Recent, View::Workers, View::Shares];

    pub const fn name(self) -> &'static str {
        match self {
            View::Queue => "Queue",
            View::Running => "Running",
            View::Recent => "Recent",
            View::Workers => "Workers",
            View::Shares => "Shares",
        }
    }

    pub const fn place(self) -> usize {
        match self {
            View::Queue => 0,
            View::Running => 1,
            View::Recent => 2,
            View::Workers => 3,
            View::Shares => 4,
        }
    }
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Job(JobId),
    Worker(WorkerId),
    Share(ProjectId, Option<UserId>),
}

/// What somebody can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Cancel(JobId),
    Approve(JobId),
    Drain(WorkerId),
    Undrain(WorkerId),
}

/// What the server is asked to narrow its lists to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub project: Option<String>,
    pub user: Option<String>,
    pub labels: Vec<(String, String)>,
}

impl Asked {
    /// `project:lab user:ann team=blue` of a filter.
    fn of(filter: &str) -> Asked {
        let mut asked = Asked::default();
        for word in filter.split_whitespace() {
            if let Some(project) = word.strip_prefix("project:").filter(|name| !name.is_empty()) {
                asked.project = Some(project.to_owned());
            } else if let Some(user) = word.strip_prefix("user:").filter(|name| !name.is_empty()) {
                asked.user = Some(user.to_owned());
            } else if let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) {
                asked.labels.push((name.to_owned(), value.to_owned()));
            }
        }
        asked
    }

    /// Whether the server would have listed it.
    fn takes(&self, job: &Job) -> bool {
        let named = |asked: &Option<String>, name: &str, id: String| {
            asked.as_ref().is_none_or(|asked| *asked == name || *asked == id)
        };
        named(&self.project, &job.project_name, job.project.to_string())
            && named(&self.user, &job.user_name, job.user.to_string())
            && self.labels.iter().all(|(name, value)| job.labels.get(name) == Some(value))
    }
}

/// What is to be done about a key or a piece of news.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Quit,
    Suspend,
    /// Everything is to be drawn anew.
    Redraw,
    /// This view is looked at now.
    View(View),
    /// So many pages of the view's list are wanted.
    Pages(View, usize),
    Narrow(Asked),
    /// Why these wait, and until when.
    LookAt(Vec<JobId>),
    /// Follow this job.
    Open(JobId),
    Close,
    Do(Act),
    /// Ask again, now.
    Again,
}

/// An answer, or a sentence on why there is none for this caller.
pub type Got<T> = Result<T, String>;

/// Some jobs of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listed {
    pub jobs: Vec<Job>,
    /// Whether the server has more.
    pub more: bool,
}

/// What the server said.
#[derive(Debug)]
pub enum Told {
    Who(Box<WhoAmI>),
    Queue(Got<Queue>),
    Queued(Got<Listed>),
    Running(Got<Listed>),
    Recent(Got<Listed>),
    Workers(Got<WorkerList>),
    Posture(Got<Posture>),
    History(Got<History>),
    Attention(Got<AttentionList>),
    Job(JobId, Got<Box<Job>>),
    Event(JobId, Box<Event>),
    /// No more events of this job come; why, unless it ended.
    Silent(JobId, Option<String>),
    Change(Box<Change>),
    /// The server answered.
    Here,
    /// It did not; why, and when it is asked again.
    Lost {
        why: String,
        again_ms: u64,
    },
    Done(Act, Got<String>),
}

/// What is shown of one answer, or why there is none.
#[derive(Debug)]
pub struct Panel<T> {
    pub value: Option<T>,
    pub refused: Option<String>,
}

impl<T> Default for Panel<T> {
    fn default() -> Panel<T> {
        Panel { value: None, refused: None }
    }
}

impl<T> Panel<T> {
    fn take(&mut self, got: Got<T>) {
        match got {
            Ok(value) => *self = Panel { value: Some(value), refused: None },
            // A right that was taken away takes what was seen by it.
            Err(why) => *self = Panel { value: None, refused: Some(why) },
        }
    }
}

/// What a job used, over time, as parts of its limits.
#[derive(Debug, Default)]
pub struct Track {
    last: Option<Sample>,
    pub cpu: VecDeque<f64>,
    pub memory: VecDeque<f64>,
}

impl Track {
    fn take(&mut self, sample: Sample, limits: &gambeson_api::Limits) {
        let before = self.last.unwrap_or_default();
        // A new attempt begins anew; what is only a little older came twice, by a list and by the job's events.
        if sample.wall_ms + 5000 < before.wall_ms {
            *self = Track::default();
            return self.take(sample, limits);
        }
        if sample.wall_ms <= before.wall_ms {
            return;
        }
        let passed = sample.wall_ms - before.wall_ms;
        let cpus = f64::from(limits.cpus_milli.max(1)) / 1000.0;
        push(&mut self.cpu, sample.cpu_ms.saturating_sub(before.cpu_ms) as f64 / passed as f64 / cpus);
        if let Some(bytes) = sample.memory_bytes {
            push(&mut self.memory, bytes as f64 / limits.memory_bytes.max(1) as f64);
        }
        self.last = Some(sample);
    }
}

fn push(points: &mut VecDeque<f64>, value: f64) {
    if points.len() == POINTS_MOST {
        points.pop_front();
    }
    points.push_back(value);
}

/// How often something was, over time, where the server has no history: one point a second.
#[derive(Debug, Default)]
pub struct Pulse {
    pub queued: VecDeque<f64>,
    pub running: VecDeque<f64>,
    last: u64,
}

/// The chosen line of a view, and how it is sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    pub key: Option<Key>,
    /// Its place among the lines, and the first line on the screen.
    pub at: usize,
    pub top: usize,
    /// By which column; as it comes otherwise.
    pub sort: Option<usize>,
    pub reversed: bool,
}

/// What of an open job is shown where there is no room for both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Log,
    Detail,
}

/// A job that is looked at.
#[derive(Debug)]
pub struct Open {
    pub id: JobId,
    pub job: Option<Box<Job>>,
    pub refused: Option<String>,
    pub log: Log,
    /// Why no more of its output comes; empty where it simply ended.
    pub silent: Option<String>,
    pub pane: Pane,
    pub follow: bool,
    pub wrap: bool,
    pub place: Place,
    pub across: usize,
    pub detail_top: usize,
}

/// What covers the views.
#[derive(Debug, Default)]
pub enum Over {
    #[default]
    Nothing,
    Job(Box<Open>),
    /// The layers of a worker, from this line on.
    Worker(WorkerId, usize),
}

/// Whether the server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Not yet.
    Unknown,
    Here,
    Lost {
        since: Time,
        why: String,
        again_at: Time,
    },
}

/// Everything.
#[derive(Debug)]
pub struct Model {
    pub now: Time,
    pub size: (u16, u16),
    pub server: String,
    pub palette: Palette,
    pub letters: Letters,
    pub who: Option<Box<WhoAmI>>,
    pub link: Link,
    pub view: View,
    pub cursors: [Cursor; 5],
    pub pages: [usize; 5],
    pub filter: String,
    /// The filter while it is typed.
    pub typing: Option<String>,
    pub asked: Asked,
    pub help: bool,
    pub asking: Option<(Act, String)>,
    pub note: Option<(String, bool, Time)>,
    pub over: Over,
    pub queue: Panel<Queue>,
    pub queued: Panel<Listed>,
    pub running: Panel<Listed>,
    pub recent: Panel<Listed>,
    pub workers: Panel<WorkerList>,
    pub posture: Panel<Posture>,
    pub history: Panel<History>,
    pub attention: Panel<AttentionList>,
    /// Jobs as they were seen last, and why they wait.
    pub known: BTreeMap<JobId, Job>,
    pub waits: BTreeMap<JobId, (Waiting, Time)>,
    pub tracks: BTreeMap<JobId, Track>,
    pub pulse: Pulse,
    /// The lines of the view, filtered and sorted.
    pub lines: Vec<Row>,
    looked_at: Time,
    /// Whether a key moved the choice down.
    went_down: bool,
}

impl Model {
    pub fn new(server: String, view: View, size: (u16, u16), palette: Palette, letters: Letters, now: Time) -> Model {
        Model {
            now,
            size,
            server,
            palette,
            letters,
            who: None,
            link: Link::Unknown,
            view,
            cursors: Default::default(),
            pages: [1; 5],
            filter: String::new(),
            typing: None,
            asked: Asked::default(),
            help: false,
            asking: None,
            note: None,
            over: Over::Nothing,
            queue: Panel::default(),
            queued: Panel::default(),
            running: Panel::default(),
            recent: Panel::default(),
            workers: Panel::default(),
            posture: Panel::default(),
            history: Panel::default(),
            attention: Panel::default(),
            known: BTreeMap::new(),
            waits: BTreeMap::new(),
            tracks: BTreeMap::new(),
            pulse: Pulse::default(),
            lines: Vec::new(),
            looked_at: Time(0),
            went_down: false,
        }
    }

    pub fn cursor(&self) -> &Cursor {
        &self.cursors[self.view.place()]
    }

    /// What the filter is now, also while it is typed.
    pub fn filter_now(&self) -> &str {
        self.typing.as_deref().unwrap_or(&self.filter)
    }

    /// A second went by.
    pub fn passed(&mut self, now: Time) -> Vec<Wish> {
        self.now = now;
        if self.note.as_ref().is_some_and(|(_, _, until)| now > *until) {
            self.note = None;
        }
        self.settled(Vec::new())
    }

    pub fn resized(&mut self, columns: u16, rows: u16) -> Vec<Wish> {
        self.size = (columns, rows);
        if let Over::Job(open) = &mut self.over {
            // Rows of lines are others now.
            open.place.row = 0;
        }
        self.settled(Vec::new())
    }

    /// What the server said.
    pub fn told(&mut self, told: Told) {
        match told {
            Told::Who(who) => self.who = Some(who),
            Told::Here => self.link = Link::Here,
            Told::Lost { why, again_ms } => {
                let since = match &self.link {
                    Link::Lost { since, .. } => *since,
                    Link::Unknown | Link::Here => self.now,
                };
                self.link = Link::Lost { since, why, again_at: self.now.plus_ms(again_ms) };
            }
            Told::Queue(got) => {
                self.queue.take(got);
                self.beat();
            }
            Told::Queued(got) => {
                self.know(&got);
                self.queued.take(got);
            }
            Told::Running(got) => {
                self.know(&got);
                for job in got.iter().flat_map(|listed| &listed.jobs) {
                    if let Some(now) = job.now {
                        self.tracks.entry(job.id).or_default().take(now, &job.limits);
                    }
                }
                if let Ok(listed) = &got {
                    let here: BTreeSet<JobId> = listed.jobs.iter().map(|job| job.id).collect();
                    self.tracks.retain(|id, _| here.contains(id));
                }
                self.running.take(got);
            }
            Told::Recent(got) => self.recent.take(got),
            Told::Workers(got) => self.workers.take(got),
            Told::Posture(got) => self.posture.take(got),
            Told::History(got) => self.history.take(got),
            Told::Attention(got) => self.attention.take(got),
            Told::Job(id, got) => self.told_job(id, got),
            Told::Event(id, event) => self.happened(id, &event),
            Told::Silent(id, why) => {
                if let Over::Job(open) = &mut self.over
                    && open.id == id
                {
                    open.log.end();
                    open.silent = Some(why.unwrap_or_default());
                }
            }
            Told::Change(change) => self.changed(*change),
            Told::Done(act, got) => {
                let (says, bad) = match got {
                    Ok(says) => (says, false),
                    Err(why) => (format!("{}: {why}", act_words(act)), true),
                };
                self.say(says, bad);
            }
        }
    }

    fn say(&mut self, says: impl Into<String>, bad: bool) {
        self.note = Some((says.into(), bad, self.now.plus_ms(NOTE_MS)));
    }

    fn know(&mut self, got: &Got<Listed>) {
        for job in got.iter().flat_map(|listed| &listed.jobs) {
            self.known.insert(job.id, job.clone());
        }
        self.forget();
    }

    /// The oldest go: ids sort by the time of their making.
    fn forget(&mut self) {
        while self.known.len() > KNOWN_MOST {
            self.known.pop_first();
        }
    }

    fn told_job(&mut self, id: JobId, got: Got<Box<Job>>) {
        if let Ok(job) = &got {
            match &job.waiting {
                Some(waiting) => {
                    self.waits.insert(id, (waiting.clone(), self.now));
                }
                None => {
                    self.waits.remove(&id);
                }
            }
            while self.waits.len() > KNOWN_MOST {
                self.waits.pop_first();
            }
            let small = Job { stdout: None, stderr: None, layers: None, ..(**job).clone() };
            self.known.insert(id, small);
        }
        if let Over::Job(open) = &mut self.over
            && open.id == id
        {
            match got {
                Ok(job) => (open.job, open.refused) = (Some(job), None),
                Err(why) => open.refused = Some(why),
            }
        }
    }

    fn happened(&mut self, id: JobId, event: &Event) {
        let Over::Job(open) = &mut self.over else { return };
        if open.id != id {
            return;
        }
        match &event.body {
            EventBody::Output { stream, data } => open.log.write(*stream, &data.0),
            EventBody::Elided { bytes, .. } => open.log.say(&format!("-- {bytes} bytes were not kept --")),
            EventBody::Denied { denial } => open.log.say(&format!("-- {} --", denial.sentence())),
            EventBody::Requeued { why } => open.log.say(&format!("-- it waits again: {why} --")),
            EventBody::CancelRequested {} => open.log.say("-- its end was asked for --"),
            EventBody::Sample(sample) => {
                if let Some(job) = &mut open.job {
                    job.now = Some(*sample);
                    self.tracks.entry(id).or_default().take(*sample, &job.limits);
                }
            }
            EventBody::Queued {}
            | EventBody::Leased { .. }
            | EventBody::Started {}
            | EventBody::Egress(_)
            | EventBody::Ended { .. } => {}
        }
    }

    fn changed(&mut self, change: Change) {
        match change {
            Change::Missed {} => {}
            Change::Queue { queue } => {
                self.queue.take(Ok(*queue));
                self.beat();
            }
            Change::Job { job } => {
                if let Some(now) = job.now.filter(|_| job.state == JobState::Running) {
                    self.tracks.entry(job.id).or_default().take(now, &job.limits);
                }
                let without = |panel: &mut Panel<Listed>| {
                    if let Some(listed) = &mut panel.value {
                        listed.jobs.retain(|other| other.id != job.id);
                    }
                };
                let replace = |panel: &mut Panel<Listed>| {
                    let Some(listed) = &mut panel.value else { return };
                    match listed.jobs.iter_mut().find(|other| other.id == job.id) {
                        Some(other) => *other = (*job).clone(),
                        None => listed.jobs.insert(0, (*job).clone()),
                    }
                };
                self.known.insert(job.id, (*job).clone());
                self.forget();
                if let Over::Job(open) = &mut self.over
                    && open.id == job.id
                    && let Some(shown) = &mut open.job
                {
                    (shown.state, shown.now, shown.attempt) = (job.state, job.now, job.attempt);
                }
                if !self.asked.takes(&job) {
                    return;
                }
                match job.state {
                    JobState::Queued => without(&mut self.running),
                    JobState::Starting | JobState::Running => {
                        without(&mut self.queued);
                        replace(&mut self.running);
                    }
                    JobState::Ended => {
                        without(&mut self.queued);
                        without(&mut self.running);
                        replace(&mut self.recent);
                        if let Some(listed) = &mut self.recent.value {
                            listed.jobs.truncate(PAGE * PAGES_MOST);
                        }
                    }
                }
            }
        }
    }

    /// A point of the pulse, at most one a second.
    fn beat(&mut self) {
        if let Some(queue) = &self.queue.value
            && self.now.0 / 1000 != self.pulse.last
        {
            self.pulse.last = self.now.0 / 1000;
            push(&mut self.pulse.queued, queue.queued as f64);
            push(&mut self.pulse.running, queue.running as f64);
        }
    }

    /// Lines, cursor and what is wanted of the server after a change. Called before each frame.
    pub fn settled(&mut self, mut wishes: Vec<Wish>) -> Vec<Wish> {
        let lines = rows::lines(self);
        let screen = super::draw::body_rows(self.size);
        let cursor = &mut self.cursors[self.view.place()];
        // The choice stays on its job when the list moves; else on its line.
        if let Some(at) = cursor.key.and_then(|key| lines.iter().position(|line| line.key == key)) {
            cursor.at = at;
        }
        cursor.at = cursor.at.min(lines.len().saturating_sub(1));
        cursor.key = lines.get(cursor.at).map(|line| line.key);
        cursor.top = cursor.top.min(cursor.at).max((cursor.at + 1).saturating_sub(screen.max(1)));
        cursor.top = cursor.top.min(lines.len().saturating_sub(screen));
        let (at, top) = (cursor.at, cursor.top);
        self.lines = lines;
        // Somebody went to the end of what was loaded, and there is more. Not whoever merely stays there.
        let listed = match self.view {
            View::Queue => self.queued.value.as_ref(),
            View::Running => self.running.value.as_ref(),
            View::Recent => self.recent.value.as_ref(),
            View::Workers | View::Shares => None,
        };
        let pages = &mut self.pages[self.view.place()];
        if std::mem::take(&mut self.went_down)
            && at + screen >= self.lines.len()
            && listed.is_some_and(|listed| listed.more && listed.jobs.len() >= *pages * PAGE)
            && *pages < PAGES_MOST
        {
            *pages += 1;
            wishes.push(Wish::Pages(self.view, *pages));
        }
        if self.view == View::Queue && self.now.since_ms(self.looked_at) >= 1000 {
            self.looked_at = self.now;
            let shown = self.lines.iter().skip(top).take(screen);
            let old: Vec<JobId> = shown
                .filter_map(|line| match line.key {
                    Key::Job(id) => Some(id),
                    _ => None,
                })
                .filter(|id| {
                    // Every look is a line of the audit log: seldom, and the chosen one more often.
                    let most = if self.cursor().key == Some(Key::Job(*id)) { 5_000 } else { 60_000 };
                    self.waits.get(id).is_none_or(|(_, at)| self.now.since_ms(*at) >= most)
                })
                .take(8)
                .collect();
            if !old.is_empty() {
                wishes.push(Wish::LookAt(old));
            }
        }
        wishes
    }

    /// A key was pressed.
    pub fn pressed(&mut self, key: KeyEvent) -> Vec<Wish> {
        let wishes = self.pressed_unsettled(key);
        self.settled(wishes)
    }

    /// Text was pasted: it is typed where one types, and means nothing elsewhere.
    pub fn pasted(&mut self, text: &str) -> Vec<Wish> {
        if let Some(typing) = &mut self.typing {
            let line = text.lines().next().unwrap_or("");
            typing.extend(line.chars().filter(|c| !c.is_control()).take(200_usize.saturating_sub(typing.len())));
        }
        self.settled(Vec::new())
    }

    fn pressed_unsettled(&mut self, key: KeyEvent) -> Vec<Wish> {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') => return vec![Wish::Quit],
                KeyCode::Char('z') => return vec![Wish::Suspend],
                KeyCode::Char('l') => return vec![Wish::Redraw],
                _ => {}
            }
        }
        if let Some((act, _)) = self.asking.take() {
            return match key.code {
                KeyCode::Char('y') => {
                    self.say(format!("{} …", act_words(act)), false);
                    vec![Wish::Do(act)]
                }
                _ => {
                    self.say("Nothing was done.", false);
                    Vec::new()
                }
            };
        }
        if self.typing.is_some() {
            return self.typed(key);
        }
        if self.help {
            self.help = false;
            return if key.code == KeyCode::Char('q') { vec![Wish::Quit] } else { Vec::new() };
        }
        match key.code {
            KeyCode::Char('q') => return vec![Wish::Quit],
            KeyCode::Char('?') | KeyCode::F(1) => {
                self.help = true;
                return Vec::new();
            }
            _ => {}
        }
        match std::mem::take(&mut self.over) {
            Over::Nothing => self.pressed_in_list(key),
            Over::Job(open) => self.pressed_in_job(open, key),
            Over::Worker(id, top) => self.pressed_in_worker(id, top, key),
        }
    }

    fn typed(&mut self, key: KeyEvent) -> Vec<Wish> {
        let Some(mut typing) = self.typing.take() else { return Vec::new() };
        match key.code {
            KeyCode::Esc => return Vec::new(),
            KeyCode::Enter => {
                self.filter = typing.trim().to_owned();
                let asked = Asked::of(&self.filter);
                if asked != self.asked {
                    self.asked = asked.clone();
                    self.pages = [1; 5];
                    return vec![Wish::Narrow(asked)];
                }
                return Vec::new();
            }
            KeyCode::Backspace => {
                typing.pop();
            }
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => typing.clear(),
            KeyCode::Char('w') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                let kept = typing.trim_end().rfind(' ').map_or(0, |at| at + 1);
                typing.truncate(kept);
            }
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) && typing.len() < 200 => typing.push(c),
            _ => {}
        }
        self.typing = Some(typing);
        Vec::new()
    }

    fn pressed_in_list(&mut self, key: KeyEvent) -> Vec<Wish> {
        let screen = super::draw::body_rows(self.size).max(2);
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.chosen_by(-1),
            KeyCode::Down | KeyCode::Char('j') => self.chosen_by(1),
            KeyCode::PageUp => self.chosen_by(1 - screen as i64),
            KeyCode::PageDown => self.chosen_by(screen as i64 - 1),
            KeyCode::Home | KeyCode::Char('g') => self.chosen_by(i64::MIN),
            KeyCode::End | KeyCode::Char('G') => self.chosen_by(i64::MAX),
            KeyCode::Tab | KeyCode::Right => return self.viewed(View::ALL[(self.view.place() + 1) % 5]),
            KeyCode::BackTab | KeyCode::Left => return self.viewed(View::ALL[(self.view.place() + 4) % 5]),
            KeyCode::Char(digit @ '1'..='5') => return self.viewed(View::ALL[digit as usize - '1' as usize]),
            KeyCode::Char('/') => self.typing = Some(self.filter.clone()),
            KeyCode::Esc => {
                self.filter.clear();
                if self.asked != Asked::default() {
                    self.asked = Asked::default();
                    return vec![Wish::Narrow(Asked::default())];
                }
            }
            KeyCode::Char('r') => {
                let cursor = &mut self.cursors[self.view.place()];
                cursor.reversed = !cursor.reversed;
            }
            KeyCode::Char('s') => {
                let columns = rows::columns(self.view).len();
                let cursor = &mut self.cursors[self.view.place()];
                cursor.sort = match cursor.sort {
                    None => Some(0),
                    Some(at) if at + 1 < columns => Some(at + 1),
                    Some(_) => None,
                };
                cursor.reversed = false;
            }
            KeyCode::F(5) => return vec![Wish::Again],
            KeyCode::Enter => match self.cursor().key {
                Some(Key::Job(id)) => return self.opened(id),
                Some(Key::Worker(id)) => self.over = Over::Worker(id, 0),
                Some(Key::Share(..)) | None => {}
            },
            KeyCode::Char('c') => {
                if let Some(Key::Job(id)) = self.cursor().key {
                    self.ask(Act::Cancel(id));
                }
            }
            KeyCode::Char('a') => {
                if let Some(Key::Job(id)) = self.cursor().key {
                    self.ask(Act::Approve(id));
                }
            }
            KeyCode::Char(which @ ('d' | 'u')) => {
                if let Some(Key::Worker(id)) = self.cursor().key {
                    self.ask(if which == 'd' { Act::Drain(id) } else { Act::Undrain(id) });
                }
            }
            KeyCode::Char(letter @ 'A'..='Z') => {
                if let Some(at) = rows::columns(self.view).iter().position(|column| column.key == letter) {
                    let cursor = &mut self.cursors[self.view.place()];
                    cursor.reversed = cursor.sort == Some(at) && !cursor.reversed;
                    cursor.sort = Some(at);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn chosen_by(&mut self, by: i64) {
        self.went_down = by > 0;
        let last = self.lines.len().saturating_sub(1);
        let cursor = &mut self.cursors[self.view.place()];
        cursor.at = cursor.at.saturating_add_signed(by.clamp(-(1 << 40), 1 << 40) as isize).min(last);
        cursor.key = self.lines.get(cursor.at).map(|line| line.key);
    }

    fn viewed(&mut self, view: View) -> Vec<Wish> {
        self.view = view;
        self.looked_at = Time(0);
        vec![Wish::View(view)]
    }

    /// Looks at a job.
    pub fn opened(&mut self, id: JobId) -> Vec<Wish> {
        let known = self.known.get(&id).cloned();
        let recent = || self.recent.value.iter().flat_map(|listed| &listed.jobs).find(|job| job.id == id).cloned();
        self.over = Over::Job(Box::new(Open {
            id,
            job: known.or_else(recent).map(Box::new),
            refused: None,
            log: Log::default(),
            silent: None,
            pane: Pane::Log,
            follow: true,
            wrap: true,
            place: Place::default(),
            across: 0,
            detail_top: 0,
        }));
        vec![Wish::Open(id)]
    }

    fn pressed_in_job(&mut self, mut open: Box<Open>, key: KeyEvent) -> Vec<Wish> {
        let panes = super::draw::panes(self.size, open.pane);
        let (rows, columns) = panes.log.map_or((1, 1), super::draw::log_size);
        let columns = open.wrap.then_some(columns);
        let mut wishes = Vec::new();
        // Where both are seen, arrows move the one that is chosen.
        let in_log = open.pane == Pane::Log;
        let page = if in_log { rows as i64 - 1 } else { panes.detail.map_or(1, |detail| i64::from(detail.height) - 2) };
        let mut by = 0;
        match key.code {
            KeyCode::Esc | KeyCode::Backspace => {
                return vec![Wish::Close];
            }
            KeyCode::Up | KeyCode::Char('k') => by = -1,
            KeyCode::Down | KeyCode::Char('j') => by = 1,
            KeyCode::PageUp | KeyCode::Char('b') => by = -page.max(1),
            KeyCode::PageDown | KeyCode::Char(' ') => by = page.max(1),
            KeyCode::Home | KeyCode::Char('g') => by = i64::MIN,
            KeyCode::End | KeyCode::Char('G') if in_log => open.follow = true,
            KeyCode::End | KeyCode::Char('G') => by = i64::MAX,
            KeyCode::Left | KeyCode::Char('h') => open.across = open.across.saturating_sub(8),
            KeyCode::Right if !open.wrap => open.across = (open.across + 8).min(4096),
            KeyCode::Char('f') => {
                open.follow = !open.follow;
                open.place = open.log.last_screen(rows, columns);
            }
            KeyCode::Char('w') => {
                open.wrap = !open.wrap;
                open.across = 0;
                open.place.row = 0;
            }
            KeyCode::Tab | KeyCode::BackTab => {
                open.pane = if in_log { Pane::Detail } else { Pane::Log };
            }
            KeyCode::Char('l') => open.pane = Pane::Log,
            KeyCode::Char('d') => open.pane = Pane::Detail,
            KeyCode::Char('c') => self.ask(Act::Cancel(open.id)),
            KeyCode::Char('a') => self.ask(Act::Approve(open.id)),
            KeyCode::F(5) => wishes.push(Wish::Again),
            _ => {}
        }
        if by != 0 && in_log {
            let from = if open.follow { open.log.last_screen(rows, columns) } else { open.place };
            let most = open.log.count() as i64 * 64;
            open.place = open.log.moved(from, by.clamp(-most, most), rows, columns);
            open.follow = false;
        } else if by != 0 {
            let lines = panes.detail.map_or(0, |detail| super::job::lines(self, &open, detail.width as usize).len());
            let last = lines.saturating_sub(page.max(1) as usize);
            open.detail_top = open.detail_top.saturating_add_signed(by.clamp(-(1 << 40), 1 << 40) as isize).min(last);
        }
        self.over = Over::Job(open);
        wishes
    }

    fn pressed_in_worker(&mut self, id: WorkerId, top: usize, key: KeyEvent) -> Vec<Wish> {
        let layers = |posture: &Posture| {
            posture.workers.iter().find(|worker| worker.worker == id).map_or(0, |worker| worker.layers.len())
        };
        let most = self.posture.value.as_ref().map_or(0, layers).saturating_sub(1);
        let top = match key.code {
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Enter => return Vec::new(),
            KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => (top + 1).min(most),
            KeyCode::PageUp => top.saturating_sub(10),
            KeyCode::PageDown => (top + 10).min(most),
            KeyCode::Char('d') => {
                self.ask(Act::Drain(id));
                top
            }
            KeyCode::Char('u') => {
                self.ask(Act::Undrain(id));
                top
            }
            _ => top,
        };
        self.over = Over::Worker(id, top);
        Vec::new()
    }

    /// Asks before something is done, if it makes sense at all.
    fn ask(&mut self, act: Act) {
        let question = match act {
            Act::Cancel(id) | Act::Approve(id) => {
                let job = self.known.get(&id);
                let recent = || self.recent.value.iter().flat_map(|listed| &listed.jobs).find(|job| job.id == id);
                let job = job.or_else(recent);
                let ended = job.is_some_and(|job| job.state == JobState::Ended)
                    || recent().is_some_and(|job| job.state == JobState::Ended);
                let held = self.waits.get(&id).is_some_and(|(waiting, _)| waiting.held);
                let name = match job {
                    Some(job) => {
                        format!("{} ({} of {})", rows::short(id), text::safe(&job.entry), text::safe(&job.user_name))
                    }
                    None => rows::short(id),
                };
                match act {
                    Act::Cancel(_) if ended => return self.say("It ended already.", false),
                    Act::Approve(_) if !held => {
                        return self.say("It does not wait for somebody who approves it.", false);
                    }
                    Act::Approve(_) => format!("Let job {name} run?"),
                    _ => format!("End job {name}?"),
                }
            }
            Act::Drain(id) | Act::Undrain(id) => {
                let workers = self.workers.value.iter().flat_map(|list| &list.workers);
                let Some(worker) = workers.into_iter().find(|worker: &&Worker| worker.id == id) else { return };
                let name = text::safe(&worker.name);
                match act {
                    Act::Drain(_) if worker.draining => return self.say(format!("{name} is drained already."), false),
                    Act::Undrain(_) if !worker.draining => return self.say(format!("{name} takes jobs."), false),
                    Act::Drain(_) => format!("Give {name} no more jobs?"),
                    _ => format!("Let {name} take jobs again?"),
                }
            }
        };
        self.asking = Some((act, question));
    }
}

/// What is done, in words.
pub fn act_words(act: Act) -> String {
    match act {
        Act::Cancel(id) => format!("Ending {}", rows::short(id)),
        Act::Approve(id) => format!("Letting {} run", rows::short(id)),
        Act::Drain(_) => "Draining".into(),
        Act::Undrain(_) => "Undraining".into(),
    }
}
