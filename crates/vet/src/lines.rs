//! From bytes to lines and columns.

/// Bytes between two counts of characters: a column costs at most that much to find.
const STRIDE: usize = 1024;

/// Where the lines of a text begin.
pub(crate) struct Lines {
    starts: Vec<u32>,
    /// Characters before each multiple of [`STRIDE`]; empty if every character is one byte.
    characters: Vec<u32>,
    length: u32,
}

impl Lines {
    /// Of a text of less than 4 GiB.
    pub(crate) fn of(text: &str) -> Lines {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            // Python ends a line at each of "\n", "\r\n" and "\r".
            if *byte == b'\n' || *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n') {
                starts.push(at as u32 + 1);
            }
        }
        let mut characters = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for stride in bytes.chunks(STRIDE) {
                characters.push(count);
                count += stride.iter().filter(|byte| begins_character(**byte)).count() as u32;
            }
        }
        Lines { starts, characters, length: text.len() as u32 }
    }

    /// Line and column of a byte, both from 1.
    pub(crate) fn place(&self, text: &str, offset: u32) -> (u32, u32) {
        let offset = offset.min(self.length);
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let start = self.starts[line];
        (line as u32 + 1, self.characters_before(text, offset) - self.characters_before(text, start) + 1)
    }

    /// The bytes of a line, without its end.
    pub(crate) fn line<'a>(&self, text: &'a str, line: u32) -> (u32, &'a str) {
        let at = (line as usize - 1).min(self.starts.len() - 1);
        let (from, to) = (self.starts[at], self.starts.get(at + 1).copied().unwrap_or(self.length));
        (from, text[from as usize..to as usize].trim_end_matches(['\n', '\r']))
    }

    fn characters_before(&self, text: &str, offset: u32) -> u32 {
        if self.characters.is_empty() {
            return offset;
        }
        let stride = (offset as usize / STRIDE).min(self.characters.len() - 1);
        let rest = &text.as_bytes()[stride * STRIDE..offset as usize];
        self.characters[stride] + rest.iter().filter(|byte| begins_character(**byte)).count() as u32
    }
}

fn begins_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}
