//! What others wrote, made fit for a terminal: nothing that it would obey gets through, and nothing is dropped.
//!
//! Names, labels and errors come from other people; escape sequences in them could hide text, retitle windows, or
//! answer questions in the user's name.

use std::fmt::Write as _;

/// Whether a terminal shows the character instead of obeying it, and no reader is misled about the order of text.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            // Marks and overrides of direction (CVE-2021-42574), line and paragraph separators, invisible letters.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

fn push_visible(text: &mut String, c: char) {
    let _ = match c {
        '\n' => write!(text, "\\n"),
        '\r' => write!(text, "\\r"),
        '\t' => write!(text, "\\t"),
        c if (c as u32) < 0x100 => write!(text, "\\x{:02x}", c as u32),
        c => write!(text, "\\u{{{:x}}}", c as u32),
    };
}

/// On one line: for names and cells of tables.
pub fn line(given: &str) -> String {
    given.chars().fold(String::with_capacity(given.len()), |mut text, c| {
        if is_plain(c) {
            text.push(c)
        } else {
            push_visible(&mut text, c)
        }
        text
    })
}

/// On several lines: newlines stay, tabs become spaces.
pub fn text(given: &str) -> String {
    given.chars().fold(String::with_capacity(given.len()), |mut text, c| {
        match c {
            '\n' => text.push(c),
            '\t' => text.push_str("    "),
            c if is_plain(c) => text.push(c),
            c => push_visible(&mut text, c),
        }
        text
    })
}

/// JSON that means the same, with every such character as `\uXXXX`: outside of strings there are none but newlines.
pub fn json(given: &str) -> String {
    given.chars().fold(String::with_capacity(given.len()), |mut text, c| {
        if c == '\n' || is_plain(c) {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
        text
    })
}

/// The most bytes of the parameters of a colour.
const SGR_MOST: usize = 64;

/// The output of a program on its way to a terminal: text, newlines, tabs, returns to the line's begin and colours
/// (SGR) pass; every other control character is made visible. Pieces may be cut anywhere, also within a character.
#[derive(Debug, Default)]
pub struct Passage {
    /// The beginning of a character or of an escape sequence.
    held: Vec<u8>,
    coloured: bool,
}

/// What the bytes held so far are.
enum Held {
    /// Nothing that can be told yet.
    Unfinished,
    /// Something that passes.
    Passes,
    /// Something that is shown instead.
    Shown,
}

impl Passage {
    /// What to write for the next piece.
    pub fn pass(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len());
        for byte in piece {
            self.held.push(*byte);
            self.settle(&mut out);
        }
        out
    }

    /// What to write at the end: what was held, and the usual colour.
    pub fn end(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        for byte in std::mem::take(&mut self.held) {
            show_byte(&mut out, byte);
        }
        if std::mem::take(&mut self.coloured) {
            out.extend_from_slice(b"\x1b[0m");
        }
        out
    }

    fn settle(&mut self, out: &mut Vec<u8>) {
        // A byte that spoils what was held before it is looked at again, on its own.
        while !self.held.is_empty() {
            match self.looked_at() {
                Held::Unfinished => return,
                Held::Passes => {
                    self.coloured |= self.held[0] == 0x1b;
                    out.append(&mut self.held);
                }
                Held::Shown => {
                    let first = self.held.remove(0);
                    // The first byte alone is shown; those after it may be harmless.
                    let whole = std::str::from_utf8(&[&[first], self.held.as_slice()].concat()).ok().and_then(|text| {
                        let mut chars = text.chars();
                        chars.next().filter(|_| first >= 0x80 && chars.next().is_none())
                    });
                    match whole {
                        Some(c) => {
                            self.held.clear();
                            let mut shown = String::new();
                            push_visible(&mut shown, c);
                            out.extend_from_slice(shown.as_bytes());
                        }
                        None => show_byte(out, first),
                    }
                }
            }
        }
    }

    fn looked_at(&self) -> Held {
        match self.held.as_slice() {
            [b'\n' | b'\r' | b'\t', ..] => Held::Passes,
            [0x1b] | [0x1b, b'['] => Held::Unfinished,
            [0x1b, b'[', parameters @ .., b'm'] if parameters.iter().all(is_parameter) => Held::Passes,
            [0x1b, b'[', parameters @ ..] if parameters.len() < SGR_MOST && parameters.iter().all(is_parameter) => {
                Held::Unfinished
            }
            [0x1b, ..] => Held::Shown,
            held => match std::str::from_utf8(held) {
                Ok(text) if text.chars().all(is_plain) => Held::Passes,
                Ok(_) => Held::Shown,
                Err(error) if error.error_len().is_none() => Held::Unfinished,
                Err(_) => Held::Shown,
            },
        }
    }
}

fn is_parameter(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b';' | b':')
}

fn show_byte(out: &mut Vec<u8>, byte: u8) {
    if byte.is_ascii_graphic() || byte == b' ' {
        out.push(byte);
    } else {
        out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(pieces: &[&[u8]]) -> String {
        let mut passage = Passage::default();
        let mut out = Vec::new();
        for piece in pieces {
            out.extend(passage.pass(piece));
        }
        out.extend(passage.end());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_cannot_command_a_terminal() {
        assert_eq!(line("a\x1b]0;x\x07b\u{9b}31mc\u{202e}d\ne"), r"a\x1b]0;x\x07b\x9b31mc\u{202e}d\ne");
        assert_eq!(line("grüße 日本 🦀"), "grüße 日本 🦀");
        assert_eq!(text("a\n\tb\x1b[2J\r"), "a\n    b\\x1b[2J\\r");
    }

    #[test]
    fn json_for_a_terminal_means_the_same() {
        let value = serde_json::json!({"name": "a\u{9b}\u{202e}\u{e0041}ü\x1b"});
        let shown = json(&value.to_string());
        assert_eq!(shown, "{\"name\":\"a\\u009b\\u202e\\udb40\\udc41ü\\u001b\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn text_and_colours_pass_and_other_escapes_are_shown() {
        assert_eq!(passed(&[b"a\tb\r\nc"]), "a\tb\r\nc");
        assert_eq!(passed(&[b"\x1b[1;31mred\x1b[0m"]), "\x1b[1;31mred\x1b[0m\x1b[0m");
        assert_eq!(passed(&[b"\x1b[2Jx\x1b]0;t\x07\x1b[?25l\x08"]), r"\x1b[2Jx\x1b]0;t\x07\x1b[?25l\x08");
        assert_eq!(passed(&[b"\x9b31m\xff \xc2\x9b2J"]), r"\x9b31m\xff \x9b2J");
        assert_eq!(passed(&["\u{202e}x".as_bytes()]), r"\u{202e}x");
        assert_eq!(passed(&[b"\x1b\x1b[0m"]), "\\x1b\x1b[0m\x1b[0m");
        let endless = [b"\x1b[".as_slice(), &[b'1'; 100], b"m"].concat();
        assert_eq!(passed(&[&endless]), format!("\\x1b[{}m", "1".repeat(100)));
    }

    #[test]
    fn pieces_may_be_cut_anywhere() {
        let whole = "x\x1b[32mgrün\x1b[0m€🦀\x1b[2J\u{9b}\n".as_bytes();
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(passed(&single), passed(&[whole]));
        assert_eq!(passed(&[b"\xe2\x82", b"\xac"]), "€");
        assert_eq!(passed(&[b"\xe2\x82"]), r"\xe2\x82");
    }
}
