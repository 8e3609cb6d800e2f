//! The frame: what the model says, put into cells. Changes nothing.

use gambeson_api::{LayerState, Moment, Time};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::job;
use super::model::{Link, Model, Open, Over, Pane, View};
use super::palette::Role;
use super::rows::{self, Cell, Column, Picture};
use super::text::{Letters, cut, fit, folded, safe, width};
use crate::client::table::duration;

/// Below this nothing useful can be shown.
const LEAST: (u16, u16) = (40, 10);
/// From this height on there is room for charts.
const TALL: u16 = 30;
/// Rows of a chart, without its head.
const CHART: u16 = 4;
/// From this width on a job's detail and its log stand side by side.
const WIDE: u16 = 110;

/// Rows above the table.
fn head_rows(size: (u16, u16)) -> u16 {
    if size.1 >= TALL { 4 + CHART + 2 } else { 4 }
}

/// How many lines of a view are seen at once.
pub fn body_rows(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(head_rows(size) + 2))
}

/// Where the parts of an open job are.
pub struct Panes {
    pub detail: Option<Rect>,
    pub log: Option<Rect>,
}

/// Where they are on a screen of this size.
pub fn panes(size: (u16, u16), pane: Pane) -> Panes {
    let area = Rect::new(0, 2, size.0, size.1.saturating_sub(3));
    if size.0 >= WIDE {
        let left = size.0 * 2 / 5;
        return Panes {
            detail: Some(Rect { width: left, ..area }),
            log: Some(Rect { x: left, width: size.0 - left, ..area }),
        };
    }
    match pane {
        Pane::Log => Panes { detail: None, log: Some(area) },
        Pane::Detail => Panes { detail: Some(area), log: None },
    }
}

/// Rows and columns for the lines of a log: one row is its head, two columns say where a line was written.
pub fn log_size(area: Rect) -> (usize, usize) {
    (usize::from(area.height.saturating_sub(1)).max(1), usize::from(area.width.saturating_sub(2)).max(1))
}

/// A pen on a buffer.
pub struct Pen<'a> {
    pub buffer: &'a mut Buffer,
    pub model: &'a Model,
}

impl Pen<'_> {
    fn style(&self, role: Role) -> Style {
        self.model.palette.style(role)
    }

    /// Puts a text at a place, within `most` columns, and returns the column after it.
    pub fn put(&mut self, x: u16, y: u16, most: u16, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() {
            return x;
        }
        let most = most.min(area.right() - x);
        self.buffer.set_stringn(x, y, text, usize::from(most), style).0
    }

    fn words(&mut self, x: u16, y: u16, most: u16, text: &str, role: Role) -> u16 {
        let text = cut(text, usize::from(most), self.model.letters.more());
        self.put(x, y, most, &text, self.style(role))
    }

    fn rule(&mut self, y: u16) {
        let columns = self.buffer.area.width;
        let rule = self.model.letters.rule().repeat(usize::from(columns));
        self.put(0, y, columns, &rule, self.style(Role::Dim));
    }
}

/// Everything.
pub fn frame(model: &Model, buffer: &mut Buffer) {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let mut pen = Pen { buffer, model };
    if columns < LEAST.0 || rows < LEAST.1 {
        for (y, line) in
            folded(&format!("The terminal is too small: {}x{} at least.", LEAST.0, LEAST.1), columns.into())
                .iter()
                .enumerate()
        {
            pen.put(0, y as u16, columns, line, Style::new());
        }
        return;
    }
    title(&mut pen);
    match &model.over {
        Over::Nothing => {
            figures(&mut pen);
            attention(&mut pen);
            if rows >= TALL {
                charts(&mut pen, 3);
            }
            tabs(&mut pen, head_rows((columns, rows)) - 1);
            table(&mut pen);
        }
        Over::Job(open) => open_job(&mut pen, open),
        Over::Worker(..) => worker(&mut pen),
    }
    foot(&mut pen, rows - 1);
    if model.help {
        help(&mut pen);
    }
    if let Some((_, question)) = &model.asking {
        ask(&mut pen, question);
    }
}

/// Hours, minutes and seconds, UTC.
fn clock(time: Time) -> String {
    time.to_string().get(11..19).unwrap_or("").to_owned()
}

fn title(pen: &mut Pen) {
    let model = pen.model;
    let columns = pen.buffer.area.width;
    let right = match &model.link {
        Link::Lost { since, .. } => {
            format!("STALE since {} ({})", clock(*since), duration(model.now.since_ms(*since) / 1000 * 1000))
        }
        Link::Here => format!("{} UTC", clock(model.now)),
        Link::Unknown => "connecting".into(),
    };
    let who = match &model.who {
        Some(who) => format!(" {} {}", model.letters.dot(), safe(&who.user.name)),
        None => String::new(),
    };
    let space = columns.saturating_sub(width(&right) as u16 + 1);
    let x = pen.words(0, 0, space, "gambeson top", Role::Head);
    let says = format!(" {} {}{who}", model.letters.dot(), safe(&model.server));
    pen.words(x, 0, space.saturating_sub(x + 1), &says, Role::Dim);
    let role = if matches!(model.link, Link::Lost { .. }) { Role::Bad } else { Role::Dim };
    pen.words(space, 0, columns - space, &right, role);
}

/// A figure with its name.
struct Figure {
    name: &'static str,
    value: String,
    picture: String,
    role: Role,
}

/// The moments of the history, if there is one that is newer than a few seconds.
fn moments(model: &Model) -> Option<(&[Moment], u64)> {
    let history = model.history.value.as_ref()?;
    (!history.moments.is_empty()).then_some((&history.moments[..], history.step_ms.max(1)))
}

/// Jobs that ended in the last minute.
pub fn jobs_a_minute(model: &Model) -> Option<f64> {
    if let Some((moments, step)) = moments(model) {
        let count = (60_000 / step).max(1) as usize;
        let ended: u64 = moments.iter().rev().take(count).map(|moment| moment.ended).sum();
        return Some(ended as f64 * 60_000.0 / (step * count.min(moments.len()) as u64) as f64);
    }
    let listed = model.recent.value.as_ref()?;
    if model.asked != Default::default() {
        return None;
    }
    let ended = |job: &gambeson_api::Job| job.ended_at.map(|at| model.now.since_ms(at));
    let lately = listed.jobs.iter().filter_map(ended).filter(|ago| *ago < 60_000);
    let (count, oldest) = lately.fold((0u64, 0), |(count, oldest), ago| (count + 1, oldest.max(ago)));
    // There were more than were listed.
    let seconds = if listed.more && count as usize == listed.jobs.len() { oldest.max(1000) } else { 60_000 };
    Some(count as f64 * 60_000.0 / seconds as f64)
}

fn figures(pen: &mut Pen) {
    let model = pen.model;
    let letters = model.letters;
    let columns = pen.buffer.area.width;
    let roomy = columns >= 110;
    let points = match columns {
        150.. => 20,
        110.. => 10,
        _ => 6,
    };
    let number = |value: Option<u64>| value.map_or("-".into(), |value| value.to_string());
    let queue = model.queue.value.as_ref();
    let spark = |of: fn(&Moment) -> u64, pulse: &std::collections::VecDeque<f64>| {
        let values: Vec<f64> = match moments(model) {
            Some((moments, _)) => moments.iter().map(|moment| of(moment) as f64).collect(),
            None => pulse.iter().copied().collect(),
        };
        let most = values.iter().rev().take(points).copied().fold(1.0, f64::max);
        letters.spark(values.into_iter(), points, most)
    };
    let mut figures = vec![
        Figure {
            name: "Queued",
            value: number(queue.map(|queue| queue.queued)),
            picture: spark(|moment| moment.queued, &model.pulse.queued),
            role: Role::Good,
        },
        Figure {
            name: "Running",
            value: number(queue.map(|queue| queue.running)),
            picture: spark(|moment| moment.running, &model.pulse.running),
            role: Role::Good,
        },
    ];
    if let Some(rate) = jobs_a_minute(model) {
        figures.push(Figure {
            name: "Jobs/min",
            value: format!("{rate:.0}"),
            picture: match moments(model) {
                Some(_) if roomy => spark(|moment| moment.ended, &model.pulse.queued),
                _ => String::new(),
            },
            role: Role::Good,
        });
    }
    match (&model.workers.value, &model.workers.refused) {
        (Some(list), _) => {
            let here = || list.workers.iter().filter(|worker| worker.connected);
            let (slots, running) = here()
                .fold((0, 0), |(slots, running), worker| (slots + u64::from(worker.slots), running + worker.running));
            let part = running as f64 / slots.max(1) as f64;
            let all = here().count() == list.workers.len();
            figures.push(Figure {
                name: "Workers",
                value: format!("{}/{}{}", here().count(), list.workers.len(), if all { "" } else { "!" }),
                picture: String::new(),
                role: if all { Role::Good } else { Role::Warn },
            });
            figures.push(Figure {
                name: "Slots",
                value: format!("{running}/{slots}"),
                picture: letters.bar(part, points),
                role: Role::Good,
            });
        }
        (None, Some(_)) => figures.push(Figure {
            name: "Workers",
            value: "not yours to see".into(),
            picture: String::new(),
            role: Role::Dim,
        }),
        (None, None) => {}
    }
    let mut x = 0;
    for figure in figures {
        let needs = figure.name.len()
            + 1
            + width(&figure.value)
            + usize::from(!figure.picture.is_empty())
            + width(&figure.picture);
        if usize::from(x) + needs > usize::from(columns) {
            break;
        }
        x = pen.words(x, 1, columns, figure.name, Role::Dim);
        let role = if figure.role == Role::Warn { Role::Warn } else { Role::Head };
        x = pen.words(x + 1, 1, columns, &figure.value, role);
        if !figure.picture.is_empty() {
            x = pen.words(x + 1, 1, columns, &figure.picture, figure.role);
        }
        x += 2;
    }
}

/// What wants attention: what the server says, or, of an older one, what can be seen from here.
pub fn matters(model: &Model) -> Vec<(Role, String)> {
    if let Link::Lost { why, again_at, .. } = &model.link {
        let (why, again) = (safe(why), again_at.since_ms(model.now).div_ceil(1000));
        return vec![(
            Role::Bad,
            format!("The server does not answer: {why}. Asked again in {again}s; what you see is old."),
        )];
    }
    if let Some(list) = &model.attention.value {
        let role = |severity: &str| if severity == "error" { Role::Bad } else { Role::Warn };
        return list
            .matters
            .iter()
            .map(|matter| (role(&matter.severity), safe(&format!("{} {}", matter.says, matter.remedy))))
            .collect();
    }
    let mut matters = Vec::new();
    let queued = model.queue.value.as_ref().map_or(0, |queue| queue.queued);
    if let Some(list) = &model.workers.value {
        let takes = list.workers.iter().filter(|worker| worker.connected && !worker.draining).count();
        if queued > 0 && takes == 0 {
            matters.push((Role::Bad, format!("{queued} jobs wait, and no worker takes jobs.")));
        }
        for worker in list.workers.iter().filter(|worker| !worker.connected && !worker.draining) {
            let ago = duration(model.now.since_ms(worker.seen_at) / 1000 * 1000);
            matters.push((Role::Warn, format!("{} was not heard of for {ago}.", safe(&worker.name))));
        }
    }
    let held = model.waits.values().filter(|(waiting, _)| waiting.held).count();
    if held > 0 {
        matters.push((Role::Warn, format!("{held} jobs wait for somebody who approves them (a).")));
    }
    let faults = model.recent.value.iter().flat_map(|listed| &listed.jobs).filter(|job| {
        let lately = job.ended_at.is_some_and(|at| model.now.since_ms(at) < 600_000);
        lately && job.outcome.as_ref().is_some_and(|outcome| rows::end_role(&outcome.end) == Role::Bad)
    });
    match faults.count() {
        0 => {}
        count => matters.push((Role::Warn, format!("{count} jobs of the last 10 minutes ended by a fault of ours."))),
    }
    matters
}

fn attention(pen: &mut Pen) {
    let columns = pen.buffer.area.width;
    let matters = matters(pen.model);
    match matters.first() {
        None if pen.model.link == Link::Unknown => {}
        None => drop(pen.words(0, 2, columns, "Nothing wants attention.", Role::Dim)),
        Some((role, says)) => {
            let more = if matters.len() > 1 { format!(" (and {} more)", matters.len() - 1) } else { String::new() };
            let x = pen.words(0, 2, columns, "! ", *role);
            let space = columns - x - (width(&more) as u16).min(columns - x);
            let x = pen.words(x, 2, space, says, *role);
            pen.words(x, 2, columns - x, &more, Role::Dim);
        }
    }
}

/// Three charts side by side.
fn charts(pen: &mut Pen, y: u16) {
    let model = pen.model;
    let columns = pen.buffer.area.width;
    type Of = fn(&Moment) -> f64;
    let none = std::collections::VecDeque::new();
    let all: [(&str, Of, &std::collections::VecDeque<f64>); 3] = [
        ("Queued", |moment| moment.queued as f64, &model.pulse.queued),
        ("Running", |moment| moment.running as f64, &model.pulse.running),
        ("Ended", |moment| moment.ended as f64, &none),
    ];
    let count = if moments(model).is_some() { 3 } else { 2 };
    let each = columns / count as u16;
    for (at, (name, of, pulse)) in all.into_iter().take(count).enumerate() {
        let x = each * at as u16;
        let room = usize::from(each.saturating_sub(2));
        let (values, step): (Vec<f64>, u64) = match moments(model) {
            Some((moments, step)) => (moments.iter().map(of).collect(), step),
            None => (pulse.iter().copied().collect(), 1000),
        };
        let values = &values[values.len().saturating_sub(room)..];
        let most = values.iter().copied().fold(1.0, f64::max);
        let head = format!("{name}, the last {}, at most {most:.0}", duration(values.len() as u64 * step));
        pen.words(x, y, each - 2, &head, Role::Dim);
        for (row, line) in chart(model.letters, values, room, usize::from(CHART), most).iter().enumerate() {
            pen.words(x, y + 1 + row as u16, each - 2, line, Role::Good);
        }
    }
}

/// Values as columns of blocks, the newest on the right.
fn chart(letters: Letters, values: &[f64], columns: usize, rows: usize, most: f64) -> Vec<String> {
    let part = |row: usize, value: f64| {
        // How much of this row is below the value; the lowest row shows a little of whatever is not nothing.
        let height = value / most * rows as f64 - (rows - 1 - row) as f64;
        if height <= 0.0 { 0.0 } else { height.min(1.0) }
    };
    (0..rows).map(|row| letters.spark(values.iter().map(|value| part(row, *value)), columns, 1.0)).collect()
}

fn tabs(pen: &mut Pen, y: u16) {
    let model = pen.model;
    let columns = pen.buffer.area.width;
    let count = |view: View| match view {
        View::Queue => model.queue.value.as_ref().map(|queue| queue.queued),
        View::Running => model.queue.value.as_ref().map(|queue| queue.running),
        View::Workers => model.workers.value.as_ref().map(|list| list.workers.len() as u64),
        View::Recent | View::Shares => None,
    };
    // A filter is to be read whole rather than the names of what is not looked at.
    let narrow = columns < 70 || columns < 110 && !model.filter_now().is_empty();
    let mut x = 0;
    for view in View::ALL {
        let chosen = view == model.view;
        let count = count(view).filter(|_| !narrow).map_or(String::new(), |count| format!(" {count}"));
        let text = match (narrow, chosen) {
            (true, false) => format!(" {} ", view.place() + 1),
            _ => format!(" {} {}{count} ", view.place() + 1, view.name()),
        };
        let style = if chosen { pen.style(Role::Chosen).add_modifier(Modifier::BOLD) } else { pen.style(Role::Plain) };
        x = pen.put(x, y, columns, &text, style);
    }
    let filter = model.filter_now();
    if !filter.is_empty() {
        let text = format!("  filter: {} ({})", safe(filter), model.lines.len());
        pen.words(x, y, columns.saturating_sub(x), &text, Role::Warn);
    }
}

/// The columns that there is room for, and how wide each is.
fn widths(columns: &[Column], room: usize) -> Vec<Option<usize>> {
    let mut shown: Vec<bool> = vec![true; columns.len()];
    let needs = |shown: &[bool]| -> usize {
        columns.iter().zip(shown).filter(|(_, shown)| **shown).map(|(column, _)| column.least + 1).sum()
    };
    while needs(&shown) > room + 1 {
        let last = (0..columns.len()).filter(|at| shown[*at]).max_by_key(|at| (columns[*at].rank, *at));
        let Some(last) = last else { break };
        if columns[last].rank == 0 {
            break;
        }
        shown[last] = false;
    }
    let mut widths: Vec<Option<usize>> =
        columns.iter().zip(&shown).map(|(column, shown)| shown.then_some(column.least)).collect();
    let mut left = (room + 1).saturating_sub(needs(&shown));
    // A column after the other, so that all grow alike.
    while left > 0 {
        let mut grew = false;
        for (width, column) in widths.iter_mut().zip(columns) {
            if let Some(width) = width
                && *width < column.most
                && left > 0
            {
                *width += 1;
                left -= 1;
                grew = true;
            }
        }
        if !grew {
            break;
        }
    }
    widths
}

fn table(pen: &mut Pen) {
    let model = pen.model;
    let size = (pen.buffer.area.width, pen.buffer.area.height);
    let (columns, first) = (rows::columns(model.view), head_rows(size));
    let widths = widths(columns, usize::from(size.0));
    let cursor = model.cursor();
    let mut x = 0;
    for (at, (column, width)) in columns.iter().zip(&widths).enumerate() {
        let Some(width) = *width else { continue };
        let sorted = cursor.sort == Some(at);
        let mark = match (sorted, cursor.reversed) {
            (false, _) => "",
            (true, false) => "^",
            (true, true) => "v",
        };
        let text = fit(&format!("{}{mark}", column.title), width, column.right, model.letters.more());
        let style = pen.style(if sorted { Role::Warn } else { Role::Dim }).add_modifier(Modifier::BOLD);
        pen.put(x, first, size.0, &text, style);
        // The letter that sorts by it.
        let letter = text.char_indices().find(|(_, c)| c.eq_ignore_ascii_case(&column.key));
        if let Some((letter, c)) = letter {
            let style = style.add_modifier(Modifier::UNDERLINED);
            pen.put(x + letter as u16, first, 1, &c.to_string(), style);
        }
        x += width as u16 + 1;
    }
    let refused = match model.view {
        View::Queue | View::Shares => model.queue.refused.as_ref(),
        View::Running => model.running.refused.as_ref(),
        View::Recent => model.recent.refused.as_ref(),
        View::Workers => model.workers.refused.as_ref(),
    };
    if let Some(why) = refused {
        for (row, line) in folded(&safe(why), usize::from(size.0)).iter().enumerate().take(body_rows(size)) {
            pen.words(0, first + 1 + row as u16, size.0, line, Role::Warn);
        }
        return;
    }
    if model.lines.is_empty() {
        let known = match model.view {
            View::Queue | View::Shares => model.queue.value.is_some(),
            View::Running => model.running.value.is_some(),
            View::Recent => model.recent.value.is_some(),
            View::Workers => model.workers.value.is_some(),
        };
        let says = match (known, model.filter_now().is_empty(), model.view) {
            (false, ..) => "Not known yet.",
            (true, false, _) => "Nothing that the filter lets through.",
            (true, true, View::Queue) => "No job waits.",
            (true, true, View::Running) => "No job runs.",
            (true, true, View::Recent) => "No job ended yet.",
            (true, true, View::Workers) => "No worker has joined.",
            (true, true, View::Shares) => "Nobody used anything yet.",
        };
        pen.words(0, first + 1, size.0, says, Role::Dim);
        return;
    }
    for (row, line) in model.lines.iter().skip(cursor.top).take(body_rows(size)).enumerate() {
        let y = first + 1 + row as u16;
        let chosen = cursor.top + row == cursor.at;
        let mut x = 0;
        for ((cell, column), width) in line.cells.iter().zip(columns).zip(&widths) {
            let Some(width) = *width else { continue };
            cell_at(pen, x, y, width, cell, column.right);
            x += width as u16 + 1;
        }
        if chosen {
            pen.buffer.set_style(Rect::new(0, y, size.0, 1), pen.style(Role::Chosen));
        }
    }
}

fn cell_at(pen: &mut Pen, x: u16, y: u16, columns: usize, cell: &Cell, right: bool) {
    let letters = pen.model.letters;
    match &cell.picture {
        Picture::Text(text) => {
            let text = fit(text, columns, right, letters.more());
            pen.put(x, y, columns as u16, &text, pen.style(cell.role));
        }
        Picture::Spark(values, words) => {
            let beside = 6.min(columns);
            drawn_beside(pen, cell.role, words, (x, y), (columns, beside), |drawn| {
                letters.spark(values.iter().copied(), drawn, 1.0)
            });
        }
        Picture::Bar(part, words) => {
            // As wide in every line, so that the bars are compared.
            let beside = width(words).max(if columns < 16 { 4 } else { 9 }).min(columns);
            drawn_beside(pen, cell.role, words, (x, y), (columns, beside), |drawn| letters.bar(*part, drawn));
        }
    }
}

/// A drawing, and words in the last `beside` of its columns.
fn drawn_beside(
    pen: &mut Pen,
    role: Role,
    words: &str,
    (x, y): (u16, u16),
    (columns, beside): (usize, usize),
    draw: impl FnOnce(usize) -> String,
) {
    let drawn = columns.saturating_sub(beside + 1);
    let x = pen.put(x, y, columns as u16, &draw(drawn), pen.style(role));
    let role = if role == Role::Warn { Role::Warn } else { Role::Plain };
    let more = pen.model.letters.more();
    pen.put(x + u16::from(drawn > 0), y, beside as u16, &fit(words, beside, true, more), pen.style(role));
}

fn open_job(pen: &mut Pen, open: &Open) {
    let size = (pen.buffer.area.width, pen.buffer.area.height);
    pen.words(0, 1, size.0, &job::title(pen.model, open), Role::Head);
    let panes = panes(size, open.pane);
    if let Some(area) = panes.detail {
        let room = usize::from(area.width.saturating_sub(1));
        let lines = job::lines(pen.model, open, usize::from(area.width));
        let head = if open.pane == Pane::Detail || size.0 < WIDE { Role::Chosen } else { Role::Dim };
        let head = pen.style(head);
        pen.put(area.x, area.y, area.width - 1, &fit(" Detail", room, false, ' '), head);
        for (row, (line, role)) in lines.iter().skip(open.detail_top).take(usize::from(area.height) - 1).enumerate() {
            pen.words(area.x, area.y + 1 + row as u16, room as u16, line, *role);
        }
    }
    if let Some(area) = panes.log {
        log(pen, open, area);
    }
}

fn log(pen: &mut Pen, open: &Open, area: Rect) {
    let model = pen.model;
    let (rows, columns) = log_size(area);
    let wrapped = open.wrap.then_some(columns);
    let place = if open.follow { open.log.last_screen(rows, wrapped) } else { open.place };
    let mut head = format!(" Log {} {} lines", model.letters.dot(), open.log.count());
    if open.log.lost() > 0 {
        head.push_str(&format!(", the first {} not kept", open.log.lost()));
    }
    head.push_str(if open.follow { ", following" } else { ", held still" });
    head.push_str(if open.wrap { ", wrapped" } else { ", cut off" });
    if open.across > 0 {
        head.push_str(&format!(" from column {}", open.across + 1));
    }
    let chosen = if open.pane == Pane::Log || pen.buffer.area.width < WIDE { Role::Chosen } else { Role::Dim };
    let head = fit(&head, usize::from(area.width), false, model.letters.more());
    pen.put(area.x, area.y, area.width, &head, pen.style(chosen));
    if open.log.is_empty() {
        let says = match &open.silent {
            Some(why) if why.is_empty() => "It wrote nothing.",
            Some(why) => why,
            None => "Nothing was written yet.",
        };
        let says = safe(says);
        for (row, line) in folded(&says, columns).iter().take(rows).enumerate() {
            pen.words(area.x, area.y + 1 + row as u16, area.width, line, Role::Dim);
        }
        return;
    }
    let (mut y, mut skip) = (0, place.row);
    'lines: for line in open.log.from(place) {
        let (sign, role) = match line.stream {
            Some(gambeson_api::OutputStream::Stdout) => (" ", Role::Plain),
            // In a sign as well as in a colour.
            Some(gambeson_api::OutputStream::Stderr) => ("!", Role::Warn),
            None => ("#", Role::Dim),
        };
        let own = pen.style(if line.stream.is_none() { Role::Dim } else { Role::Plain });
        // From a column on that is not seen: before the first one, or after it.
        let (mut row, mut x) = (0, 0);
        let mut across = if open.wrap { 0 } else { open.across };
        let mut begun = false;
        for (piece, look) in line.pieces() {
            let style = own.patch(look.style(model.palette));
            for c in piece.chars() {
                let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
                if across > 0 {
                    across = across.saturating_sub(wide);
                    continue;
                }
                if x + wide > columns {
                    if !open.wrap {
                        continue;
                    }
                    (row, x) = (row + 1, 0);
                }
                if row < skip {
                    x += wide;
                    continue;
                }
                let screen = y + row - skip;
                if screen >= rows {
                    break 'lines;
                }
                let at = (area.x + 2 + x as u16, area.y + 1 + screen as u16);
                if !begun {
                    begun = true;
                    pen.put(area.x, at.1, 1, sign, pen.style(role));
                }
                if wide == 0 {
                    // A mark belongs to the letter before it.
                    if x > 0
                        && !('\u{fe00}'..='\u{fe0f}').contains(&c)
                        && let Some(cell) = pen.buffer.cell_mut((at.0 - 1, at.1))
                        && cell.symbol().len() < 16
                    {
                        let marked = format!("{}{c}", cell.symbol());
                        cell.set_symbol(&marked);
                    }
                } else {
                    pen.put(at.0, at.1, wide as u16, c.encode_utf8(&mut [0; 4]), style);
                }
                x += wide;
            }
        }
        if !begun && skip <= row {
            pen.put(area.x, area.y + 1 + y as u16, 1, sign, pen.style(role));
        }
        y += row + 1 - skip.min(row + 1);
        skip = 0;
        if y >= rows {
            break;
        }
    }
    if let Some(why) = open.silent.as_ref().filter(|why| !why.is_empty()) {
        let at = area.y + 1 + (y.min(rows - 1)) as u16;
        pen.words(area.x, at, area.width, &safe(why), Role::Warn);
    }
}

fn worker(pen: &mut Pen) {
    let model = pen.model;
    let size = (pen.buffer.area.width, pen.buffer.area.height);
    let Over::Worker(id, top) = model.over else { return };
    let workers = model.workers.value.iter().flat_map(|list| &list.workers);
    let found = workers.into_iter().find(|worker| worker.id == id);
    let Some(found) = found else {
        pen.words(0, 1, size.0, "This worker is not known any more.", Role::Warn);
        return;
    };
    let (state, role) = rows::worker_state(found);
    let x = pen.words(0, 1, size.0, &format!("Worker {}  ", safe(&found.name)), Role::Head);
    pen.words(x, 1, size.0 - x.min(size.0), state, role);
    let line = format!(
        "{}  {} of {} slots in use, CPUs {}, memory {}, joined {}",
        found.id,
        found.running,
        found.slots,
        f64::from(found.cpus_milli) / 1000.0,
        rows::short_size(found.memory_bytes),
        found.enrolled_at
    );
    pen.words(0, 2, size.0, &line, Role::Dim);
    pen.words(0, 3, size.0, &safe(&found.environment), Role::Dim);
    pen.rule(4);
    let layers = match (&model.posture.value, &model.posture.refused) {
        (_, Some(why)) => {
            pen.words(0, 5, size.0, &safe(why), Role::Warn);
            return;
        }
        (None, None) => {
            pen.words(0, 5, size.0, "Its layers are not known yet.", Role::Dim);
            return;
        }
        (Some(posture), None) => posture.workers.iter().find(|worker| worker.worker == id),
    };
    let layers = layers.map_or(&[][..], |worker| &worker.layers);
    for (row, layer) in layers.iter().skip(top).take(usize::from(size.1.saturating_sub(6))).enumerate() {
        let y = 5 + row as u16;
        let (word, role) = match layer.state {
            LayerState::Held => ("held   ", Role::Good),
            LayerState::Missing => ("MISSING", Role::Warn),
        };
        let x = pen.words(0, y, size.0, word, role);
        let x = pen.words(x + 1, y, size.0, &fit(&safe(&layer.name), 20, false, model.letters.more()), Role::Plain);
        pen.words(x + 1, y, size.0.saturating_sub(x + 1), &safe(&layer.detail), Role::Dim);
    }
}

fn foot(pen: &mut Pen, y: u16) {
    let model = pen.model;
    let columns = pen.buffer.area.width;
    if let Some(typing) = &model.typing {
        let typing = safe(typing);
        // Its end is where one types.
        let room = usize::from(columns).saturating_sub(3);
        let mut shown = typing.as_str();
        while width(shown) > room {
            let first = shown.chars().next().map_or(1, char::len_utf8);
            shown = &shown[first..];
        }
        let x = pen.words(0, y, columns, "/", Role::Head);
        let x = pen.words(x, y, columns, shown, Role::Plain);
        let x = pen.put(x, y, 1, " ", pen.style(Role::Chosen));
        let says = "   words, or project:NAME user:NAME label=value; Enter keeps, Esc leaves it";
        pen.words(x, y, columns.saturating_sub(x), says, Role::Dim);
        return;
    }
    if let Some((note, bad, _)) = &model.note {
        pen.words(0, y, columns, &safe(note), if *bad { Role::Bad } else { Role::Head });
        return;
    }
    let keys: &[(&str, &str)] = match (&model.over, model.view) {
        (Over::Job(_), _) => &[
            ("Esc", "back"),
            ("Tab", "log/detail"),
            ("f", "follow"),
            ("w", "wrap"),
            ("c", "cancel"),
            ("a", "approve"),
            ("?", "help"),
        ],
        (Over::Worker(..), _) => &[("Esc", "back"), ("d", "drain"), ("u", "undrain"), ("?", "help"), ("q", "quit")],
        (Over::Nothing, View::Workers) => &[
            ("?", "help"),
            ("q", "quit"),
            ("Enter", "layers"),
            ("d", "drain"),
            ("u", "undrain"),
            ("/", "filter"),
            ("s", "sort"),
            ("Tab", "next view"),
        ],
        (Over::Nothing, View::Shares) => {
            &[("?", "help"), ("q", "quit"), ("/", "filter"), ("s", "sort"), ("r", "reverse"), ("Tab", "next view")]
        }
        (Over::Nothing, _) => &[
            ("?", "help"),
            ("q", "quit"),
            ("Enter", "open"),
            ("/", "filter"),
            ("s", "sort"),
            ("c", "cancel"),
            ("a", "approve"),
            ("Tab", "next view"),
        ],
    };
    // Which part of the lines is seen.
    let mut room = columns;
    if matches!(model.over, Over::Nothing) && !model.lines.is_empty() {
        let more = match model.view {
            View::Queue => {
                model.queue.value.as_ref().is_some_and(|queue| queue.queued as usize > model.lines.len())
                    && model.filter_now().is_empty()
            }
            View::Running => model.running.value.as_ref().is_some_and(|listed| listed.more),
            View::Recent => model.recent.value.as_ref().is_some_and(|listed| listed.more),
            View::Workers | View::Shares => false,
        };
        let text = format!("{} of {}{}", model.cursor().at + 1, model.lines.len(), if more { "+" } else { "" });
        room = columns.saturating_sub(width(&text) as u16 + 1);
        pen.words(room + 1, y, columns - room, &text, Role::Dim);
    }
    let mut x = 0;
    for (key, what) in keys {
        if usize::from(x) + key.len() + what.len() + 1 > usize::from(room) {
            break;
        }
        x = pen.words(x, y, room, key, Role::Head);
        x = pen.words(x + 1, y, room, what, Role::Dim) + 2;
    }
}

/// A box in the middle, emptied, with a frame; returns what is inside.
fn boxed(pen: &mut Pen, columns: u16, rows: u16) -> Rect {
    let area = pen.buffer.area;
    let (columns, rows) = (columns.min(area.width), rows.min(area.height));
    let outer = Rect::new((area.width - columns) / 2, (area.height - rows) / 2, columns, rows);
    for y in outer.top()..outer.bottom() {
        // A wide letter that the edge would cut in two goes as a whole.
        if outer.x > 0
            && let Some(cell) = pen.buffer.cell_mut((outer.x - 1, y))
            && width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
        for x in outer.left()..outer.right() {
            if let Some(cell) = pen.buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
        let letters = pen.model.letters;
        if y == outer.top() || y + 1 == outer.bottom() {
            let corner = if letters == Letters::Blocks {
                if y == outer.top() { ("┌", "┐") } else { ("└", "┘") }
            } else {
                ("+", "+")
            };
            let rule = letters.rule().repeat(usize::from(columns.saturating_sub(2)));
            pen.put(outer.x, y, columns, &format!("{}{rule}{}", corner.0, corner.1), pen.style(Role::Good));
        } else {
            pen.put(outer.x, y, 1, letters.post(), pen.style(Role::Good));
            pen.put(outer.right() - 1, y, 1, letters.post(), pen.style(Role::Good));
        }
    }
    Rect::new(outer.x + 2, outer.y + 1, columns.saturating_sub(4), rows.saturating_sub(2))
}

/// A question, and what answers it, which is always in view: names in it may be longer than the terminal. Then it is cut in the middle,
/// since it ends with whose it is.
fn ask(pen: &mut Pen, question: &str) {
    let area = pen.buffer.area;
    let fold = |columns: u16| folded(question, usize::from(columns.saturating_sub(4)));
    let room = usize::from(area.height.saturating_sub(4)).max(1);
    let mut columns = 60.min(area.width);
    let mut lines = fold(columns);
    if lines.len() > room {
        columns = area.width;
        lines = fold(columns);
    }
    if lines.len() > room {
        let end = lines.split_off(lines.len() - room / 3);
        lines.truncate(room - room / 3 - 1);
        lines.push(pen.model.letters.more().to_string());
        lines.extend(end);
    }
    let inside = boxed(pen, columns, lines.len() as u16 + 4);
    for (row, line) in lines.iter().enumerate() {
        pen.words(inside.x, inside.y + row as u16, inside.width, line, Role::Head);
    }
    let last = inside.y + lines.len() as u16 + 1;
    let x = pen.words(inside.x, last, inside.width, "y", Role::Bad);
    let x = pen.words(x, last, inside.width, " yes    ", Role::Plain);
    let x = pen.words(x, last, inside.width, "any other key", Role::Head);
    pen.words(x, last, inside.width, " no", Role::Plain);
}

const HELP: [(&str, &str); 19] = [
    ("1 2 3 4 5, Tab", "Queue, Running, Recent, Workers, Shares; the next one"),
    ("Up Down, j k", "choose a line; PgUp PgDn, Home End (g G)"),
    ("/", "filter: every word must occur in id, project, user, labels,"),
    ("", "entry or state; project:A, user:B, label=c ask the server"),
    ("Esc", "back; in a list: no filter"),
    ("Shift+letter", "sort by the column of that letter; again: reversed"),
    ("s  r", "sort by the next column; reverse"),
    ("Enter", "open a job, or the layers of a worker"),
    ("c  a", "cancel a job; let a held one run (both ask first)"),
    ("d  u", "drain a worker; let it take jobs again (both ask first)"),
    ("", ""),
    ("In a job:", ""),
    ("Tab, l d", "log or detail"),
    ("f  w", "follow the log, or hold it; wrap lines, or cut them off"),
    ("Left Right", "across, where lines are cut off"),
    ("", ""),
    ("F5  Ctrl-L", "ask the server now; draw anew"),
    ("Ctrl-Z", "to the background"),
    ("q  Ctrl-C", "quit"),
];

fn help(pen: &mut Pen) {
    let inside = boxed(pen, 80, HELP.len() as u16 + 2);
    for (row, (keys, what)) in HELP.iter().take(usize::from(inside.height)).enumerate() {
        let y = inside.y + row as u16;
        pen.words(inside.x, y, inside.width, keys, Role::Head);
        pen.words(inside.x + 16, y, inside.width.saturating_sub(16), what, Role::Plain);
    }
}

/// A frame as text, without colours.
pub fn plain(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        let mut x = area.left();
        while x < area.right() {
            let symbol = buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            line.push_str(symbol);
            x += (width(symbol) as u16).max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
