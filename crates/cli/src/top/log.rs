//! What a job writes, as lines with colours. Everything that a terminal would obey was made visible before
//! ([`Passage`]); of what is left, colours become values here and never reach the terminal as the program wrote them.
//!
//! Invariants:
//! 1. At most [`LINES_MOST`] lines and [`BYTES_MOST`] bytes are kept, the newest; it is told that there were more.
//! 2. A place in the log is the number of a line since its beginning, so that it stays when old lines go.

use std::collections::VecDeque;

use gambeson_api::OutputStream;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthChar;

use super::palette::{Palette, Shade};
use crate::client::visible::Passage;

/// The most lines kept.
pub const LINES_MOST: usize = 20_000;
/// The most bytes kept.
pub const BYTES_MOST: usize = 8 << 20;
/// A longer line goes on in the next one.
const LINE_MOST: usize = 4096;

/// How a piece of text looks, as the program asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    fg: Option<Shade>,
    bg: Option<Shade>,
    modifiers: Modifier,
}

impl Look {
    /// As a style of this terminal. Text in the colour of its ground would be hidden, so that the ground is left out.
    pub fn style(self, palette: Palette) -> Style {
        let (fg, bg) = (self.fg.and_then(|fg| palette.shade(fg)), self.bg.and_then(|bg| palette.shade(bg)));
        let mut style = Style::new().add_modifier(self.modifiers);
        if let Some(fg) = fg {
            style = style.fg(fg);
        }
        match bg {
            Some(bg) if fg != Some(bg) => style.bg(bg),
            _ => style,
        }
    }

    /// Takes the parameters of one SGR, such as `1;38;5;208`.
    fn take(&mut self, parameters: &str) {
        let mut numbers = parameters.split([';', ':']).map(|number| number.parse::<u16>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Look::default(),
                1 => self.modifiers |= Modifier::BOLD,
                2 => self.modifiers |= Modifier::DIM,
                3 => self.modifiers |= Modifier::ITALIC,
                4 => self.modifiers |= Modifier::UNDERLINED,
                7 => self.modifiers |= Modifier::REVERSED,
                9 => self.modifiers |= Modifier::CROSSED_OUT,
                22 => self.modifiers -= Modifier::BOLD | Modifier::DIM,
                23 => self.modifiers -= Modifier::ITALIC,
                24 => self.modifiers -= Modifier::UNDERLINED,
                27 => self.modifiers -= Modifier::REVERSED,
                29 => self.modifiers -= Modifier::CROSSED_OUT,
                30..=37 => self.fg = Some(Shade::Index(number as u8 - 30)),
                90..=97 => self.fg = Some(Shade::Index(number as u8 - 90 + 8)),
                40..=47 => self.bg = Some(Shade::Index(number as u8 - 40)),
                100..=107 => self.bg = Some(Shade::Index(number as u8 - 100 + 8)),
                39 => self.fg = None,
                49 => self.bg = None,
                38 | 48 => {
                    let shade = match numbers.next() {
                        Some(5) => numbers.next().map(|index| Shade::Index(index as u8)),
                        Some(2) => {
                            let mut part = || numbers.next().map(|part| part as u8);
                            part().zip(part()).zip(part()).map(|((r, g), b)| Shade::Rgb(r, g, b))
                        }
                        _ => None,
                    };
                    let ground = if number == 38 { &mut self.fg } else { &mut self.bg };
                    *ground = shade.or(*ground);
                }
                // Blinking and hiding (5, 6, 8) among them: nobody is to be annoyed or deceived.
                _ => {}
            }
        }
    }
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    pub text: String,
    /// From which byte on it looks how.
    pub looks: Vec<(usize, Look)>,
    /// Where it was written; `None` for what we say ourselves.
    pub stream: Option<OutputStream>,
}

impl Line {
    /// The pieces that are alike.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, Look)> {
        let begins = self.looks.iter().map(|(begin, _)| *begin).skip(1).chain([self.text.len()]);
        let first = self.looks.first().map_or(self.text.len(), |(begin, _)| *begin);
        let before = (&self.text[..first], Look::default());
        std::iter::once(before)
            .chain(self.looks.iter().zip(begins).map(|((begin, look), end)| (&self.text[*begin..end], *look)))
    }

    /// How many rows it takes in `columns`.
    pub fn rows(&self, columns: usize) -> usize {
        let columns = columns.max(2);
        if self.text.is_ascii() {
            return self.text.len().div_ceil(columns).max(1);
        }
        let (mut rows, mut used) = (1, 0);
        for c in self.text.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns {
                rows += 1;
                used = 0;
            }
            used += wide;
        }
        rows
    }
}

/// The part of a stream that is being written.
#[derive(Debug, Default)]
struct Pen {
    passage: Passage,
    look: Look,
    /// The number of the line that goes on.
    line: Option<u64>,
    /// A return to the line's begin: what comes next is written over it.
    returned: bool,
}

/// A place in the log: the line that is the first on the screen, and which of its rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub row: usize,
}

/// Everything that is kept of what a job wrote.
#[derive(Debug, Default)]
pub struct Log {
    lines: VecDeque<Line>,
    bytes: usize,
    /// The number of the first line that is kept.
    first: u64,
    pens: [Pen; 2],
}

impl Log {
    /// Takes what was written next.
    pub fn write(&mut self, stream: OutputStream, piece: &[u8]) {
        let at = pen(stream);
        let passed = self.pens[at].passage.pass(piece);
        self.put(stream, &String::from_utf8_lossy(&passed));
    }

    /// Nothing more comes: what was held of a character is shown.
    pub fn end(&mut self) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            let rest = self.pens[pen(stream)].passage.end();
            self.put(stream, &String::from_utf8_lossy(&rest));
        }
    }

    /// A sentence of ours between the lines.
    pub fn say(&mut self, text: &str) {
        self.open(None);
        let text = super::text::safe(text);
        let last = self.lines.back_mut().expect("it was just put there");
        last.text = text;
        self.bytes += last.text.len();
        self.pens.iter_mut().for_each(|pen| pen.line = None);
        self.shorten();
    }

    fn put(&mut self, stream: OutputStream, text: &str) {
        let at = pen(stream);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            match c {
                '\n' => {
                    // An empty line is one, too.
                    if self.pens[at].line.is_none() {
                        self.open(Some(stream));
                    }
                    self.pens[at].line = None;
                    self.pens[at].returned = false;
                    rest = &rest[1..];
                }
                '\r' => {
                    self.pens[at].returned = true;
                    rest = &rest[1..];
                }
                '\x1b' => {
                    // Only colours came through.
                    let end = rest.find('m').unwrap_or(rest.len() - 1);
                    self.pens[at].look.take(rest[1..end].trim_start_matches('['));
                    rest = &rest[end + 1..];
                }
                '\t' => {
                    self.ink(stream, "    ");
                    rest = &rest[1..];
                }
                _ => {
                    let end = rest.find(['\n', '\r', '\t', '\x1b']).unwrap_or(rest.len());
                    self.ink(stream, &rest[..end]);
                    rest = &rest[end..];
                }
            }
        }
        self.shorten();
    }

    /// Letters at the end of the stream's line.
    fn ink(&mut self, stream: OutputStream, mut text: &str) {
        let at = pen(stream);
        while !text.is_empty() {
            let number = match self.pens[at].line {
                Some(number) if number >= self.first => number,
                _ => self.open(Some(stream)),
            };
            let pen = &mut self.pens[at];
            let line = &mut self.lines[(number - self.first) as usize];
            if std::mem::take(&mut pen.returned) {
                self.bytes -= line.text.len();
                line.text.clear();
                line.looks.clear();
            }
            if line.looks.last().map_or(Look::default(), |(_, look)| *look) != pen.look {
                line.looks.push((line.text.len(), pen.look));
            }
            let room = LINE_MOST.saturating_sub(line.text.len());
            let cut = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            line.text.push_str(&text[..cut]);
            self.bytes += cut;
            text = &text[cut..];
            if !text.is_empty() {
                pen.line = None;
            }
        }
    }

    /// Begins a line, and returns its number.
    fn open(&mut self, stream: Option<OutputStream>) -> u64 {
        self.lines.push_back(Line { stream, ..Line::default() });
        let number = self.end_place() - 1;
        if let Some(stream) = stream {
            self.pens[pen(stream)].line = Some(number);
        }
        number
    }

    fn shorten(&mut self) {
        while self.lines.len() > LINES_MOST || self.bytes > BYTES_MOST && self.lines.len() > 1 {
            if let Some(line) = self.lines.pop_front() {
                self.bytes -= line.text.len();
                self.first += 1;
            }
        }
    }

    fn end_place(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many lines were not kept.
    pub fn lost(&self) -> u64 {
        self.first
    }

    /// How many lines there were.
    pub fn count(&self) -> u64 {
        self.end_place()
    }

    /// The line of this number, and those after it.
    pub fn from(&self, place: Place) -> impl Iterator<Item = &Line> {
        let skipped = place.line.saturating_sub(self.first) as usize;
        self.lines.iter().skip(skipped)
    }

    /// Where a screen of so many rows begins that shows the end.
    pub fn last_screen(&self, rows: usize, columns: Option<usize>) -> Place {
        let mut left = rows;
        for (at, line) in self.lines.iter().enumerate().rev() {
            let needs = columns.map_or(1, |columns| line.rows(columns));
            if needs >= left {
                return Place { line: self.first + at as u64, row: needs - left };
            }
            left -= needs;
        }
        Place { line: self.first, row: 0 }
    }

    /// So many rows further down, or up; never before the beginning nor after the last screen.
    pub fn moved(&self, from: Place, by: i64, rows: usize, columns: Option<usize>) -> Place {
        let needs = |line: u64| {
            let line = line.checked_sub(self.first).and_then(|at| self.lines.get(at as usize));
            line.map_or(1, |line| columns.map_or(1, |columns| line.rows(columns)))
        };
        let mut place = if from.line < self.first { Place { line: self.first, row: 0 } } else { from };
        for _ in 0..by.unsigned_abs() {
            if by < 0 {
                match place {
                    Place { row: 1.., .. } => place.row -= 1,
                    Place { line, .. } if line > self.first => {
                        place = Place { line: line - 1, row: needs(line - 1) - 1 };
                    }
                    _ => break,
                }
            } else if place.row + 1 < needs(place.line) {
                place.row += 1;
            } else if place.line + 1 < self.end_place() {
                place = Place { line: place.line + 1, row: 0 };
            } else {
                break;
            }
        }
        place.min(self.last_screen(rows, columns))
    }
}

fn pen(stream: OutputStream) -> usize {
    match stream {
        OutputStream::Stdout => 0,
        OutputStream::Stderr => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::palette::Depth;
    use OutputStream::{Stderr, Stdout};

    fn texts(log: &Log) -> Vec<&str> {
        log.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn only_colours_become_values_and_everything_else_is_shown() {
        let mut log = Log::default();
        log.write(Stdout, b"a\x1b[1;38;5;208mb\x1b[48;2;1;2;3");
        log.write(Stdout, b"mc\x1b[0md\x1b[2J\x1b]0;t\x07\x1b[8mhidden\n");
        assert_eq!(texts(&log), ["abcd\\x1b[2J\\x1b]0;t\\x07hidden"]);
        let pieces: Vec<(&str, Look)> = log.lines[0].pieces().collect();
        assert_eq!(pieces[0], ("a", Look::default()));
        let orange = Look { fg: Some(Shade::Index(208)), modifiers: Modifier::BOLD, bg: None };
        assert_eq!(pieces[1], ("b", orange));
        assert_eq!(pieces[2], ("c", Look { bg: Some(Shade::Rgb(1, 2, 3)), ..orange }));
        assert_eq!(pieces[3], ("d\\x1b[2J\\x1b]0;t\\x07hidden", Look::default()));
    }

    #[test]
    fn no_text_is_hidden_by_the_colour_of_its_ground() {
        let palette = Palette { depth: Depth::True };
        let look = Look { fg: Some(Shade::Index(1)), bg: Some(Shade::Index(1)), modifiers: Modifier::empty() };
        assert_eq!((look.style(palette).fg, look.style(palette).bg), (palette.shade(Shade::Index(1)), None));
        let look = Look { bg: Some(Shade::Index(2)), ..look };
        assert!(look.style(palette).bg.is_some());
    }

    #[test]
    fn both_streams_have_lines_of_their_own_and_a_return_writes_over() {
        let mut log = Log::default();
        log.write(Stdout, b"10%");
        log.write(Stderr, b"war");
        log.write(Stdout, b"\r20%\r\n\nx");
        log.write(Stderr, b"ning\n");
        assert_eq!(texts(&log), ["20%", "warning", "", "x"]);
        assert_eq!(log.lines[1].stream, Some(Stderr));
        log.write(Stdout, b"\xe2\x82");
        log.end();
        assert_eq!(texts(&log)[3], "x\\xe2\\x82");
    }

    #[test]
    fn a_log_is_bounded_and_a_long_line_goes_on() {
        let mut log = Log::default();
        log.write(Stdout, "é".repeat(5000).as_bytes());
        assert_eq!(log.count(), 3);
        log.write(Stdout, "\n".repeat(LINES_MOST + 10).as_bytes());
        assert_eq!(log.lines.len(), LINES_MOST);
        assert!(log.lost() >= 12);
        let mut log = Log::default();
        for _ in 0..5000 {
            log.write(Stderr, "x".repeat(4000).as_bytes());
        }
        assert!(log.bytes <= BYTES_MOST, "{}", log.bytes);
        assert_eq!(log.bytes, log.lines.iter().map(|line| line.text.len()).sum::<usize>());
    }

    #[test]
    fn a_place_stays_within_the_log_and_counts_rows_of_wrapped_lines() {
        let mut log = Log::default();
        log.write(Stdout, b"aaaaaaaaaa\nb\nc\nd\n");
        assert_eq!(log.last_screen(2, None), Place { line: 2, row: 0 });
        assert_eq!(log.last_screen(5, Some(4)), Place { line: 0, row: 1 });
        assert_eq!(log.last_screen(50, Some(4)), Place { line: 0, row: 0 });
        let up = log.moved(Place { line: 2, row: 0 }, -2, 2, Some(4));
        assert_eq!(up, Place { line: 0, row: 2 });
        assert_eq!(log.moved(up, -100, 2, Some(4)), Place { line: 0, row: 0 });
        assert_eq!(log.moved(up, 100, 2, Some(4)), Place { line: 2, row: 0 });
    }
}
