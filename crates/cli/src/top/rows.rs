//! The lines of each view, made of what is known: plain values with what they are sorted by.

use std::cmp::Ordering;

use gambeson_api::{End, Job, JobId, JobState, QueuedJob, Share, UserId, Waiting, Worker};

use super::model::{Key, Model, View};
use super::palette::Role;
use super::text::safe;
use crate::client::jobs::outcome_word;
use crate::client::table::{duration, size};

/// A column of a view.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub title: &'static str,
    /// The capital letter that sorts by it; it stands in the title, in whichever case.
    pub key: char,
    /// Columns of the screen at least.
    pub least: usize,
    /// And at most; what is left over goes to those that may have more.
    pub most: usize,
    /// Those of a higher rank go first where there is no room.
    pub rank: u8,
    pub right: bool,
}

const fn column(title: &'static str, key: char, least: usize, most: usize, rank: u8) -> Column {
    Column { title, key, least, most, rank, right: false }
}

const fn number(title: &'static str, key: char, least: usize, rank: u8) -> Column {
    Column { title, key, least, most: least, rank, right: true }
}

/// The columns of a view.
pub const fn columns(view: View) -> &'static [Column] {
    match view {
        View::Queue => {
            const COLUMNS: [Column; 9] = [
                number("Place", 'P', 6, 0),
                column("Job", 'J', 8, 8, 0),
                column("Starts in", 'S', 15, 16, 1),
                column("Class", 'C', 6, 6, 4),
                column("Project", 'O', 8, 20, 2),
                column("User", 'U', 8, 20, 3),
                column("Entry", 'E', 8, 24, 5),
                number("Age", 'A', 6, 2),
                column("Why", 'W', 22, 120, 1),
            ];
            &COLUMNS
        }
        View::Running => {
            const COLUMNS: [Column; 8] = [
                column("Job", 'J', 8, 8, 0),
                column("Entry", 'E', 8, 28, 2),
                column("Project", 'O', 7, 20, 3),
                column("User", 'U', 7, 20, 4),
                column("CPU", 'C', 13, 36, 0),
                column("Memory", 'M', 15, 36, 1),
                column("Time", 'T', 16, 32, 0),
                column("Worker", 'W', 8, 24, 5),
            ];
            &COLUMNS
        }
        View::Recent => {
            const COLUMNS: [Column; 9] = [
                column("Job", 'J', 8, 8, 0),
                number("Ago", 'A', 7, 0),
                column("Ended", 'D', 11, 20, 0),
                column("Entry", 'E', 8, 24, 2),
                column("Project", 'O', 7, 20, 3),
                column("User", 'U', 7, 20, 4),
                number("Time", 'T', 7, 4),
                number("CPU", 'C', 7, 5),
                column("What happened", 'W', 30, 160, 1),
            ];
            &COLUMNS
        }
        View::Workers => {
            const COLUMNS: [Column; 10] = [
                column("Name", 'N', 10, 28, 0),
                column("State", 'S', 9, 13, 0),
                column("Jobs", 'J', 15, 30, 0),
                number("Spares", 'R', 6, 2),
                number("CPUs", 'C', 5, 3),
                number("Memory", 'M', 8, 3),
                column("Pressure", 'P', 21, 28, 1),
                number("Heard", 'H', 7, 4),
                column("Version", 'V', 8, 16, 5),
                column("Interpreter", 'I', 10, 40, 6),
            ];
            &COLUMNS
        }
        View::Shares => {
            const COLUMNS: [Column; 7] = [
                column("Project and user", 'O', 15, 36, 0),
                number("Queued", 'Q', 7, 1),
                number("Running", 'R', 7, 1),
                number("Weight", 'W', 6, 3),
                column("Used", 'U', 11, 40, 0),
                column("Due", 'D', 11, 40, 0),
                column("", ' ', 10, 24, 2),
            ];
            &COLUMNS
        }
    }
}

/// What a cell is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum By {
    Number(f64),
    Text(String),
    /// After all others.
    Nothing,
}

impl By {
    fn compare(&self, other: &By) -> Ordering {
        match (self, other) {
            (By::Number(a), By::Number(b)) => a.total_cmp(b),
            (By::Text(a), By::Text(b)) => a.cmp(b),
            (By::Nothing, By::Nothing) => Ordering::Equal,
            (By::Nothing, _) => Ordering::Greater,
            (_, By::Nothing) => Ordering::Less,
            (By::Number(_), By::Text(_)) => Ordering::Less,
            (By::Text(_), By::Number(_)) => Ordering::Greater,
        }
    }
}

/// What is in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Picture {
    Text(String),
    /// The newest values, each a part of the most, and words beside them.
    Spark(Vec<f64>, String),
    /// A part of the whole, and words beside it.
    Bar(f64, String),
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub picture: Picture,
    pub role: Role,
    pub by: By,
}

fn words(text: impl Into<String>) -> Cell {
    let text = safe(&text.into());
    Cell { by: By::Text(text.to_lowercase()), picture: Picture::Text(text), role: Role::Plain }
}

fn counted(text: impl Into<String>, by: f64) -> Cell {
    Cell { picture: Picture::Text(text.into()), role: Role::Plain, by: By::Number(by) }
}

fn nothing() -> Cell {
    Cell { picture: Picture::Text("-".into()), role: Role::Dim, by: By::Nothing }
}

impl Cell {
    fn role(self, role: Role) -> Cell {
        Cell { role, ..self }
    }

    fn or_nothing(cell: Option<Cell>) -> Cell {
        cell.unwrap_or_else(nothing)
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub key: Key,
    pub cells: Vec<Cell>,
    /// What the filter looks at, in small letters.
    words: String,
}

/// The last digits of an id: those that differ.
pub fn short(id: JobId) -> String {
    let id = id.to_string();
    id[id.len() - 8..].to_owned()
}

/// What is left of a jobs's words for the filter.
fn job_words(job: &Job) -> String {
    let mut words = format!(
        "{} project:{} user:{} {} {} class:{}",
        job.id,
        job.project_name,
        job.user_name,
        job.entry,
        job.state.name(),
        job.class.name()
    );
    for (name, value) in &job.labels {
        words.push_str(&format!(" {name}={value}"));
    }
    if let Some(outcome) = &job.outcome {
        words.push(' ');
        words.push_str(&outcome_word(&outcome.end));
    }
    words.to_lowercase()
}

/// The lines of the view, filtered and sorted.
pub fn lines(model: &Model) -> Vec<Row> {
    let mut rows = match model.view {
        View::Queue => queue(model),
        View::Running => running(model),
        View::Recent => recent(model),
        View::Workers => workers(model),
        View::Shares => return shares(model),
    };
    let filter = model.filter_now().to_lowercase();
    rows.retain(|row| filter.split_whitespace().all(|word| row.words.contains(word)));
    let cursor = model.cursor();
    match cursor.sort {
        Some(at) => rows.sort_by(|a, b| {
            let order = a.cells[at].by.compare(&b.cells[at].by);
            // What is not known stays at the end, whichever way.
            let known = a.cells[at].by != By::Nothing && b.cells[at].by != By::Nothing;
            if cursor.reversed && known { order.reverse() } else { order }
        }),
        None if cursor.reversed => rows.reverse(),
        None => {}
    }
    rows
}

fn user_name(model: &Model, user: UserId) -> Option<String> {
    if let Some(who) = model.who.as_ref().filter(|who| who.user.id == user) {
        return Some(who.user.name.clone());
    }
    let recent = model.recent.value.iter().flat_map(|listed| &listed.jobs);
    model.known.values().chain(recent).find(|job| job.user == user).map(|job| job.user_name.clone())
}

/// `12s - 40s`: when half of such jobs have started, and nine of ten.
fn starts(waiting: &Waiting, model: &Model) -> Cell {
    let until = |time: gambeson_api::Time| {
        if time > model.now { duration(time.since_ms(model.now) / 1000 * 1000) } else { "now".into() }
    };
    match (waiting.expected_start_p50, waiting.expected_start_p90) {
        (Some(half), Some(most)) if until(half) != until(most) => {
            counted(format!("{} - {}", until(half), until(most)), half.0 as f64)
        }
        (Some(half), _) => counted(until(half), half.0 as f64),
        (None, _) => nothing(),
    }
}

fn queue(model: &Model) -> Vec<Row> {
    let next = model.queue.value.as_ref().map_or(&[][..], |queue| &queue.next);
    let names = |project| {
        let shares = model.queue.value.iter().flat_map(|queue| &queue.shares);
        shares.into_iter().find(|share| share.project == project).map(|share| share.project_name.clone())
    };
    let mut rows: Vec<Row> = Vec::with_capacity(next.len());
    // Those of the lists that the server did not look ahead for; held ones among them.
    let others = model.queued.value.iter().flat_map(|listed| &listed.jobs);
    let others = others.filter(|job| job.state == JobState::Queued && !next.iter().any(|next| next.id == job.id));
    let line = |id: JobId, place: Option<u64>, queued: Option<&QueuedJob>, job: Option<&Job>| {
        let waiting = model.waits.get(&id).map(|(waiting, _)| waiting);
        let held = waiting.is_some_and(|waiting| waiting.held);
        let class = queued.map(|queued| queued.class).or(job.map(|job| job.class));
        let project =
            job.map(|job| job.project_name.clone()).or_else(|| queued.and_then(|queued| names(queued.project)));
        let user = job.map(|job| job.user_name.clone()).or_else(|| queued.and_then(|one| user_name(model, one.user)));
        let came = queued.map(|queued| queued.submitted_at).or(job.map(|job| job.submitted_at)).unwrap_or_default();
        let age = model.now.since_ms(came);
        let cells = vec![
            match place {
                _ if held => Cell { by: By::Nothing, ..words("held").role(Role::Warn) },
                Some(place) => counted((place + 1).to_string(), place as f64),
                None => nothing(),
            },
            words(short(id)),
            Cell::or_nothing(waiting.filter(|_| !held).map(|waiting| starts(waiting, model))),
            Cell::or_nothing(class.map(|class| Cell { by: By::Number(class as u8 as f64), ..words(class.name()) })),
            Cell::or_nothing(project.clone().map(words)),
            Cell::or_nothing(user.clone().map(words)),
            Cell::or_nothing(job.map(|job| words(&job.entry))),
            counted(duration(age / 1000 * 1000), age as f64),
            Cell::or_nothing(waiting.map(|waiting| words(&waiting.why))),
        ];
        let known = job.map(job_words).unwrap_or_else(|| {
            format!("{id} project:{} user:{}", project.unwrap_or_default(), user.unwrap_or_default()).to_lowercase()
        });
        let held = if held { " held" } else { "" };
        Row { key: Key::Job(id), cells, words: known + " queued" + held }
    };
    rows.extend(next.iter().map(|next| line(next.id, Some(next.position), Some(next), model.known.get(&next.id))));
    // Oldest first, as they will come; the server lists the newest first.
    let rest: Vec<Row> = others.map(|job| line(job.id, None, None, Some(job))).collect();
    rows.extend(rest.into_iter().rev());
    rows
}

fn running(model: &Model) -> Vec<Row> {
    let jobs = model.running.value.iter().flat_map(|listed| &listed.jobs);
    let worker_name = |id| {
        let workers = model.workers.value.iter().flat_map(|list| &list.workers);
        workers.into_iter().find(|worker: &&Worker| worker.id == id).map(|worker| worker.name.clone())
    };
    let line = |job: &Job| {
        let track = model.tracks.get(&job.id);
        let (cpu, memory) = used(job, track.map(|track| (&track.cpu, &track.memory)));
        let worker = job.worker.map(|id| worker_name(id).unwrap_or_else(|| id.to_string()));
        let words_of = job_words(job) + " " + &worker.clone().unwrap_or_default().to_lowercase();
        let cells = vec![
            words(short(job.id)),
            words(&job.entry),
            words(&job.project_name),
            words(&job.user_name),
            cpu,
            memory,
            time_left(job, model),
            Cell::or_nothing(worker.map(words)),
        ];
        Row { key: Key::Job(job.id), cells, words: words_of }
    };
    jobs.filter(|job| matches!(job.state, JobState::Running | JobState::Starting)).map(line).collect()
}

/// CPU and memory against their limits, as pictures.
fn used(
    job: &Job,
    track: Option<(&std::collections::VecDeque<f64>, &std::collections::VecDeque<f64>)>,
) -> (Cell, Cell) {
    let Some((cpu, memory)) = track else { return (nothing(), nothing()) };
    let part = |points: &std::collections::VecDeque<f64>, words: String| {
        let last = points.back().copied()?;
        // Who is near a limit is told so in a sign, not in a colour alone.
        let (role, sign) = if last >= 0.9 { (Role::Warn, "!") } else { (Role::Good, "") };
        let picture = Picture::Spark(points.iter().copied().collect(), words + sign);
        Some(Cell { picture, role, by: By::Number(last) })
    };
    let percent = cpu.back().map_or(String::new(), |cpu| format!("{:.0}%", cpu * 100.0));
    let bytes = job.now.and_then(|now| now.memory_bytes).map_or(String::new(), short_size);
    // A program that uses all of its CPU does what it is there for.
    let cpu = part(cpu, percent).map(|cell| {
        let picture = match cell.picture {
            Picture::Spark(points, words) => Picture::Spark(points, words.trim_end_matches('!').to_owned()),
            other => other,
        };
        Cell { picture, role: Role::Good, ..cell }
    });
    (Cell::or_nothing(cpu), Cell::or_nothing(part(memory, bytes)))
}

/// `120M`.
pub fn short_size(bytes: u64) -> String {
    size(bytes).replace(" B", "").replace("iB", "").replace(' ', "")
}

fn time_left(job: &Job, model: &Model) -> Cell {
    let Some(started) = job.started_at.filter(|_| job.state == JobState::Running) else {
        return Cell { by: By::Number(0.0), ..words("starting").role(Role::Dim) };
    };
    let passed = model.now.since_ms(started);
    let part = passed as f64 / job.limits.wall_ms.max(1) as f64;
    let sign = if job.cancel_requested {
        " ending"
    } else if part >= 0.9 {
        "!"
    } else {
        ""
    };
    let words = format!("{} of {}{sign}", duration(passed / 1000 * 1000), duration(job.limits.wall_ms));
    let role = if part >= 0.9 { Role::Warn } else { Role::Good };
    Cell { picture: Picture::Bar(part, words), role, by: By::Number(passed as f64) }
}

/// How an end looks.
pub fn end_role(end: &End) -> Role {
    match end {
        End::Exited { code: 0 } => Role::Good,
        End::Exited { .. } | End::Signalled { .. } | End::LimitHit { .. } | End::Refused {} => Role::Warn,
        End::Cancelled {} => Role::Dim,
        End::Lost {} | End::Fault { .. } => Role::Bad,
    }
}

fn recent(model: &Model) -> Vec<Row> {
    let jobs = model.recent.value.iter().flat_map(|listed| &listed.jobs);
    let line = |job: &Job| {
        let ended = job.ended_at.unwrap_or_default();
        let ago = model.now.since_ms(ended);
        let took = job.started_at.map(|started| ended.since_ms(started));
        let outcome = job.outcome.as_ref();
        let cells = vec![
            words(short(job.id)),
            counted(duration(ago / 1000 * 1000), ago as f64),
            Cell::or_nothing(outcome.map(|outcome| words(outcome_word(&outcome.end)).role(end_role(&outcome.end)))),
            words(&job.entry),
            words(&job.project_name),
            words(&job.user_name),
            Cell::or_nothing(took.map(|took| counted(duration(took), took as f64))),
            Cell::or_nothing(job.usage.map(|usage| counted(duration(usage.cpu_ms as u64), usage.cpu_ms))),
            Cell::or_nothing(outcome.map(|outcome| words(&outcome.message))),
        ];
        Row { key: Key::Job(job.id), cells, words: job_words(job) }
    };
    jobs.map(line).collect()
}

/// The word for how a worker is, and how it looks.
pub fn worker_state(worker: &Worker) -> (&'static str, Role) {
    match (worker.connected, worker.draining) {
        (true, false) => ("connected", Role::Good),
        (true, true) if worker.running == 0 => ("drained", Role::Dim),
        (true, true) => ("draining", Role::Warn),
        (false, false) => ("away", Role::Bad),
        (false, true) => ("drained, away", Role::Dim),
    }
}

fn workers(model: &Model) -> Vec<Row> {
    let workers = model.workers.value.iter().flat_map(|list| &list.workers);
    let line = |worker: &Worker| {
        let (state, role) = worker_state(worker);
        let part = worker.running as f64 / f64::from(worker.slots.max(1));
        let vitals = worker.vitals;
        let pressed = vitals.filter(|vitals| vitals.cpu_pressure.is_some());
        let pressure = pressed.map(|vitals| {
            let of = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.0}"));
            let worst = [vitals.cpu_pressure, vitals.memory_pressure, vitals.io_pressure]
                .into_iter()
                .flatten()
                .fold(0.0, f64::max);
            let sign = if worst >= 50.0 { "!" } else { "" };
            let text = format!(
                "cpu {} mem {} io {}%{sign}",
                of(vitals.cpu_pressure),
                of(vitals.memory_pressure),
                of(vitals.io_pressure)
            );
            counted(text, worst).role(if worst >= 50.0 { Role::Warn } else { Role::Plain })
        });
        let heard = model.now.since_ms(worker.seen_at);
        let cells = vec![
            words(&worker.name),
            words(state).role(role),
            Cell {
                picture: Picture::Bar(part, format!("{} of {}", worker.running, worker.slots)),
                role: Role::Good,
                by: By::Number(part),
            },
            Cell::or_nothing(vitals.map(|vitals| counted(vitals.spares.to_string(), vitals.spares as f64))),
            counted(format!("{}", f64::from(worker.cpus_milli) / 1000.0), f64::from(worker.cpus_milli)),
            counted(short_size(worker.memory_bytes), worker.memory_bytes as f64),
            Cell::or_nothing(pressure),
            counted(duration(heard / 1000 * 1000), heard as f64),
            words(&worker.version),
            words(&worker.environment),
        ];
        let words = format!("{} {} {state} {}", worker.id, worker.name, worker.version).to_lowercase();
        Row { key: Key::Worker(worker.id), cells, words }
    };
    workers.map(line).collect()
}

/// A tree: each project, and below it its users. A project stays where one of its users passes the filter.
fn shares(model: &Model) -> Vec<Row> {
    let shares = model.queue.value.as_ref().map_or(&[][..], |queue| &queue.shares);
    let line = |share: &Share| {
        let name = match share.user {
            None => safe(&share.project_name),
            Some(user) => {
                let known = share.user_name.clone().or_else(|| user_name(model, user));
                let name = known.unwrap_or_else(|| user.to_string());
                format!("{} {}", if model.letters == super::text::Letters::Blocks { "└" } else { "`-" }, safe(&name))
            }
        };
        let bar = |part: f64, role| Cell {
            picture: Picture::Bar(part, format!("{:.0}%", part * 100.0)),
            role,
            by: By::Number(part),
        };
        let more = share.used - share.due;
        let (says, role) = if more > 0.05 {
            ("more than due", Role::Warn)
        } else if more < -0.05 && share.queued + share.running > 0 {
            ("less than due", Role::Good)
        } else {
            ("", Role::Dim)
        };
        let cells = vec![
            Cell {
                by: By::Text(name.to_lowercase()),
                picture: Picture::Text(name.clone()),
                role: if share.user.is_none() { Role::Head } else { Role::Plain },
            },
            counted(share.queued.to_string(), share.queued as f64),
            counted(share.running.to_string(), share.running as f64),
            counted(share.weight.to_string(), f64::from(share.weight)),
            bar(share.used, role),
            bar(share.due, Role::Plain),
            words(says).role(role),
        ];
        let words = format!("project:{} {name}", share.project_name).to_lowercase();
        Row { key: Key::Share(share.project, share.user), cells, words }
    };
    let cursor = model.cursor();
    let sort = |rows: &mut Vec<Row>| match cursor.sort {
        Some(at) => rows.sort_by(|a, b| {
            let order = a.cells[at].by.compare(&b.cells[at].by);
            if cursor.reversed { order.reverse() } else { order }
        }),
        None if cursor.reversed => rows.reverse(),
        None => {}
    };
    let filter = model.filter_now().to_lowercase();
    let passes = |row: &Row| filter.split_whitespace().all(|word| row.words.contains(word));
    let mut projects: Vec<Row> = shares.iter().filter(|share| share.user.is_none()).map(line).collect();
    sort(&mut projects);
    let mut rows = Vec::new();
    for project in projects {
        let Key::Share(id, _) = project.key else { continue };
        let users = shares.iter().filter(|share| share.project == id && share.user.is_some());
        let mut users: Vec<Row> = users.map(line).filter(passes).collect();
        sort(&mut users);
        if passes(&project) || !users.is_empty() {
            rows.push(project);
            rows.append(&mut users);
        }
    }
    rows
}
