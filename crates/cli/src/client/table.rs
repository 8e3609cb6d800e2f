//! Tables: aligned on a terminal, else fields between tabs, one row a line, for other programs.

use std::io::{self, IsTerminal};

use comfy_table::{ContentArrangement, Table as Grid, presets};
use gambeson_api::Time;
use serde::Serialize;

use super::visible;
use crate::terminal::{print, width};

/// How a table, or a value, is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    People,
    /// Fields between tabs, in full.
    Fields,
    /// JSON on one line.
    Json,
    /// JSON on several lines, for a terminal.
    JsonForPeople,
}

impl Form {
    /// What suits standard output.
    pub fn of_stdout(json: bool) -> Form {
        match (json, io::stdout().is_terminal()) {
            (false, true) => Form::People,
            (false, false) => Form::Fields,
            (true, false) => Form::Json,
            (true, true) => Form::JsonForPeople,
        }
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// As it is.
    Text(String),
    /// How long ago, or in how long; the time itself in fields.
    Age(Time),
    /// Bytes.
    Size(u64),
    /// Milliseconds.
    Duration(u64),
    /// Nothing.
    None,
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::Text(text.to_string())
    }
}

impl Cell {
    /// A cell of something that may not be there.
    pub fn of<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
        value.map_or(Cell::None, cell)
    }

    fn for_people(&self, now: Time) -> String {
        match self {
            Cell::Text(text) => visible::line(text),
            Cell::Age(time) if *time > now => format!("in {}", duration(time.since_ms(now))),
            Cell::Age(time) => duration(now.since_ms(*time)),
            Cell::Size(bytes) => size(*bytes),
            Cell::Duration(ms) => duration(*ms),
            Cell::None => "-".into(),
        }
    }

    fn for_programs(&self) -> String {
        match self {
            Cell::Text(text) => visible::line(text),
            Cell::Age(time) => time.to_string(),
            Cell::Size(number) | Cell::Duration(number) => number.to_string(),
            Cell::None => String::new(),
        }
    }
}

/// `1.5 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" || value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// `250ms`, `12s`, `3m 5s`, `2h 10m` or `4d 3h`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let two = |large: u64, unit: char, small: u64, small_unit: char| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit} {small}{small_unit}") }
    };
    match seconds {
        0 => format!("{ms}ms"),
        1..60 => format!("{seconds}s"),
        60..3600 => two(seconds / 60, 'm', seconds % 60, 's'),
        3600..86_400 => two(seconds / 3600, 'h', seconds % 3600 / 60, 'm'),
        _ => two(seconds / 86_400, 'd', seconds % 86_400 / 3600, 'h'),
    }
}

/// Rows under a head.
#[derive(Debug, Clone)]
pub struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Without rows.
    pub fn new<const N: usize>(head: [&'static str; N]) -> Table {
        Table { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as the head has.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        debug_assert_eq!(cells.len(), self.head.len());
        self.rows.push(cells.into());
    }

    /// The whole text; `width` in columns, where it is known.
    pub fn text(&self, form: Form, now: Time, width: Option<u16>) -> String {
        if form != Form::People {
            let line = |row: &Vec<Cell>| row.iter().map(Cell::for_programs).collect::<Vec<_>>().join("\t") + "\n";
            return self.rows.iter().map(line).collect();
        }
        if self.rows.is_empty() {
            return "Nothing.\n".into();
        }
        let mut grid = Grid::new();
        grid.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(width) = width {
            grid.set_width(width);
        }
        grid.set_header(self.head.iter().map(|name| name.to_uppercase()));
        for row in &self.rows {
            grid.add_row(row.iter().map(|cell| cell.for_people(now)));
        }
        for column in grid.column_iter_mut() {
            column.set_padding((0, 2));
        }
        grid.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// Prints what the server said: as JSON where that is wished, else as the table that `table` makes of it.
pub fn show<T: Serialize>(form: Form, said: &T, table: impl FnOnce(&T) -> Table) {
    match form {
        Form::Json | Form::JsonForPeople => show_json(form, said),
        Form::People | Form::Fields => print(&table(said).text(form, Time::now(), width())),
    }
}

/// Prints what the server said: as JSON where that is wished, else as the text that `words` makes of it, which has
/// passed through [`visible`].
pub fn show_words<T: Serialize>(form: Form, said: &T, words: impl FnOnce(&T) -> String) {
    match form {
        Form::Json | Form::JsonForPeople => show_json(form, said),
        Form::People | Form::Fields => print(&words(said)),
    }
}

fn show_json<T: Serialize>(form: Form, said: &T) {
    let text = if form == Form::JsonForPeople {
        serde_json::to_string_pretty(said).map(|text| visible::json(&text))
    } else {
        serde_json::to_string(said)
    };
    print(&(text.expect("wire types have text for keys, and no error of their own") + "\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let mut table = Table::new(["id", "name", "age", "size", "cpu", "worker"]);
        let hostile = "x\x1b[2J\ty";
        table.row([
            "job_1".into(),
            hostile.into(),
            Cell::Age(Time(0)),
            Cell::Size(1536),
            Cell::Duration(250),
            Cell::None,
        ]);
        table.row([
            "job_2".into(),
            "n".into(),
            Cell::Age(Time(90_000)),
            Cell::Size(7),
            Cell::Duration(7_260_000),
            3.into(),
        ]);
        table
    }

    #[test]
    fn a_table_for_people_is_aligned() {
        let text = example().text(Form::People, Time(65_000), Some(100));
        assert_eq!(
            text,
            "ID     NAME         AGE     SIZE     CPU    WORKER\n\
             job_1  x\\x1b[2J\\ty  1m 5s   1.5 KiB  250ms  -\n\
             job_2  n            in 25s  7 B      2h 1m  3\n"
        );
        assert_eq!(Table::new(["id"]).text(Form::People, Time(0), None), "Nothing.\n");
    }

    #[test]
    fn a_table_for_programs_has_a_line_a_row_and_everything_in_full() {
        let text = example().text(Form::Fields, Time(65_000), None);
        assert_eq!(
            text,
            "job_1\tx\\x1b[2J\\ty\t1970-01-01T00:00:00.000Z\t1536\t250\t\n\
             job_2\tn\t1970-01-01T00:01:30.000Z\t7\t7260000\t3\n"
        );
    }

    #[test]
    fn sizes_and_durations_are_short() {
        assert_eq!([size(0), size(1023), size(1 << 20), size(3 << 29)], ["0 B", "1023 B", "1 MiB", "1.5 GiB"]);
        assert_eq!([duration(0), duration(59_999), duration(86_400_000)], ["0ms", "59s", "1d"]);
    }
}
