//! From a thread's number to its frames, in memory that is somebody else's.
//!
//! 1. No pointer, length or number in it is believed: every read is counted against one budget, every list ends
//!    after so many members, and a text is as long as a line of a terminal at most.
//! 2. What an object is said to be is looked at before it is read as one.

use std::borrow::Cow;

use super::layout::{Instruction, Layout};

/// Memory that is read from outside.
pub(crate) trait Memory {
    /// Fills the buffer with what is at `address`; false where that cannot be.
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool;
}

/// For one question, all attempts together.
const READS_MOST: usize = 512;
const BYTES_MOST: usize = 4 << 20;
/// Interpreters, and threads of them all.
const INTERPRETERS_MOST: usize = 64;
const STATES_MOST: usize = 1024;
/// Frames of a stack, those without code included.
const FRAMES_MOST: usize = 64;
/// Characters of a text that are read.
const TEXT_MOST: u64 = 1024;
/// Bytes of a table of lines.
const TABLE_MOST: u64 = 1 << 20;
/// Newer interpreters keep notes in the low bits of a pointer.
const TAGS: u64 = 7;

/// One interpreter's memory, and where it is mapped.
pub(super) struct Walk<'a, M> {
    layout: &'a Layout,
    base: u64,
    memory: M,
    reads: usize,
    bytes: usize,
}

/// A frame that holds code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    code: Code,
    /// Byte of the code.
    at: i64,
}

/// What is read of a code object first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Code {
    file: u64,
    name: u64,
    lines: u64,
    first: i32,
}

impl<'a, M: Memory> Walk<'a, M> {
    pub(super) fn new(layout: &'a Layout, base: u64, memory: M) -> Walk<'a, M> {
        Walk { layout, base, memory, reads: READS_MOST, bytes: BYTES_MOST }
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn into_memory(self) -> M {
        self.memory
    }

    /// The state of the thread that the C library calls `number`, or all the states that there are.
    pub(super) fn state(&mut self, number: i32) -> Result<u64, Vec<u64>> {
        let (mut found, mut others) = (None, Vec::new());
        // What was found before the list made no sense any more stands.
        let _ = self.search(number, &mut found, &mut others);
        found.ok_or(others)
    }

    fn search(&mut self, number: i32, found: &mut Option<u64>, others: &mut Vec<u64>) -> Option<()> {
        let layout = self.layout;
        let runtime = self.base.checked_add_signed(layout.runtime)?;
        let mut interpreter = self.word(at(runtime, layout.runtime_interpreters)?)?;
        for _ in 0..INTERPRETERS_MOST {
            let mut state = self.word(at(interpreter, layout.interpreter_states)?)?;
            for _ in 0..STATES_MOST {
                if state == 0 {
                    break;
                }
                let [next, thread] = self.words(state, [layout.state_next, layout.state_thread])?;
                // A thread that has ended may leave a state, while its memory is given back.
                if at(thread, layout.thread_number).and_then(|place| self.number(place)) == Some(number) {
                    *found = Some(state);
                    // A thread has a state in each interpreter that it made; the newest that runs is where it is.
                    if self.innermost(state).is_some_and(|frame| frame != 0) {
                        return Some(());
                    }
                }
                others.push(state);
                state = next;
            }
            // Where there is only one, the list ends with it.
            interpreter = self.word(at(interpreter, layout.interpreter_next?)?)?;
        }
        None
    }

    /// The frames of a thread, innermost first, and whether they stayed while they were looked at.
    pub(super) fn frames(&mut self, state: u64) -> (Vec<Frame>, bool) {
        let mut found = Vec::new();
        let Some(mut frame) = self.innermost(state) else { return (found, false) };
        let first = frame;
        for _ in 0..FRAMES_MOST {
            if frame == 0 {
                break;
            }
            let Some((code, before, instruction)) = self.frame(frame) else { return (found, false) };
            if let Some(code) = self.code(code, instruction) {
                found.push(code);
            }
            frame = before;
        }
        let stayed = self.innermost(state) == Some(first);
        (found, stayed)
    }

    fn innermost(&mut self, state: u64) -> Option<u64> {
        let frame = self.word(at(state, self.layout.state_frame)?)?;
        match self.layout.state_frame_inner {
            Some(inner) if frame != 0 => self.word(at(frame, inner)?),
            _ => Some(frame),
        }
    }

    /// Code, frame before, and what tells the instruction: in one read, so that they belong together.
    fn frame(&mut self, frame: u64) -> Option<(u64, u64, u64)> {
        let layout = self.layout;
        let place = match layout.frame_instruction {
            Instruction::Pointer(place, _) | Instruction::Number(place, _) => place,
        };
        let [code, before, instruction] = self.words(frame, [layout.frame_code, layout.frame_before, place])?;
        Some((code & !TAGS, before, instruction))
    }

    /// `None` for what is no code object: what stands for a call from C.
    fn code(&mut self, address: u64, instruction: u64) -> Option<Frame> {
        let layout = self.layout;
        let places = [layout.object_type, layout.code_file, layout.code_name, layout.code_lines, layout.code_line];
        let [kind, file, name, lines, first] = self.words(address, places)?;
        if kind != self.base.checked_add_signed(layout.code_type)? {
            return None;
        }
        let at = match layout.frame_instruction {
            Instruction::Pointer(_, start) => instruction.wrapping_sub(at(address, start)?).cast_signed(),
            Instruction::Number(_, scale) => i64::from(low(instruction)) * i64::from(scale),
        };
        Some(Frame { code: Code { file, name, lines, first: low(first) }, at })
    }

    /// The file that a frame's code says that it is from.
    pub(super) fn file(&mut self, frame: &Frame) -> Option<String> {
        self.text(frame.code.file)
    }

    /// Its function.
    pub(super) fn name(&mut self, frame: &Frame) -> Option<String> {
        self.text(frame.code.name)
    }

    /// Its line.
    pub(super) fn line(&mut self, frame: &Frame) -> Option<u32> {
        let layout = self.layout;
        let places = [layout.object_type, layout.bytes_length];
        let [kind, length] = self.words(frame.code.lines, places)?;
        if kind != self.base.checked_add_signed(layout.bytes_type)? {
            return None;
        }
        let table = self.read(at(frame.code.lines, layout.bytes_data)?, length.min(TABLE_MOST))?;
        layout.lines.line(&table, frame.code.first, frame.at)
    }

    /// The beginning of a `str`, with half pairs written as Python writes them.
    fn text(&mut self, address: u64) -> Option<String> {
        let layout = self.layout;
        let [kind, length, state] = self.words(address, [layout.object_type, layout.text_length, layout.text_state])?;
        if kind != self.base.checked_add_signed(layout.text_type)? {
            return None;
        }
        let state = low(state).cast_unsigned();
        let (width, ascii) = (state >> layout.text_state_width & 7, state >> layout.text_state_ascii & 1 == 1);
        let data = at(address, if ascii { layout.text_data_ascii } else { layout.text_data })?;
        let length = length.min(TEXT_MOST);
        let bytes = self.read(data, length * u64::from(width.min(4)))?;
        let numbers: Vec<u32> = match width {
            1 => bytes.iter().map(|byte| u32::from(*byte)).collect(),
            2 => bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair).into()).collect(),
            4 => bytes.as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four)).collect(),
            _ => return None,
        };
        let character = |number: u32| match char::from_u32(number) {
            Some(c) => Cow::from(c.to_string()),
            None => Cow::from(format!("\\u{number:x}")),
        };
        Some(numbers.into_iter().map(character).collect())
    }

    /// Words at some places of one structure, in one read.
    fn words<const N: usize>(&mut self, address: u64, places: [usize; N]) -> Option<[u64; N]> {
        let (from, to) = (*places.iter().min()?, *places.iter().max()?);
        let size = to - from + 8;
        let bytes = self.read(at(address, from)?, size as u64)?;
        Some(places.map(|place| {
            let word = &bytes[place - from..][..8];
            u64::from_le_bytes(word.try_into().expect("eight bytes"))
        }))
    }

    fn word(&mut self, address: u64) -> Option<u64> {
        self.words(address, [0]).map(|[word]| word)
    }

    fn number(&mut self, address: u64) -> Option<i32> {
        let bytes = self.read(address, 4)?;
        Some(i32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn read(&mut self, address: u64, size: u64) -> Option<Vec<u8>> {
        let size = usize::try_from(size).ok()?;
        self.reads = self.reads.checked_sub(1)?;
        self.bytes = self.bytes.checked_sub(size)?;
        let mut buffer = vec![0; size];
        self.memory.read(address, &mut buffer).then_some(buffer)
    }
}

fn at(address: u64, place: usize) -> Option<u64> {
    address.checked_add(place as u64).filter(|_| address != 0)
}

/// The number of 32 bits that a word begins with.
fn low(word: u64) -> i32 {
    (word as u32).cast_signed()
}
