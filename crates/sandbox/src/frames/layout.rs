//! Where an interpreter keeps what tells at which line a thread is, as `guest/layout.py` found it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lines::Form;

/// The largest place within a structure that is believed.
const PLACE_MOST: usize = 1 << 16;
/// More samples or longer ones are no answer of `layout.py`.
const SAMPLES_MOST: usize = 256;

/// The places of one interpreter, found and tried in its own memory. A place is a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Device and inode of the file that holds the interpreter's code, as `/proc/PID/maps` writes them.
    pub(super) file: (String, u64),
    /// `_PyRuntime`, counted from where that file is first mapped to be executed.
    pub(super) runtime: i64,
    pub(super) runtime_interpreters: usize,
    /// Where there can be only one, none.
    pub(super) interpreter_next: Option<usize>,
    pub(super) interpreter_states: usize,
    pub(super) state_next: usize,
    pub(super) state_thread: usize,
    /// Of the C library: its number of the thread, as the kernel gave it.
    pub(super) thread_number: usize,
    pub(super) state_frame: usize,
    /// Where what a state names is not the frame yet.
    pub(super) state_frame_inner: Option<usize>,
    pub(super) frame_code: usize,
    pub(super) frame_before: usize,
    pub(super) frame_instruction: Instruction,
    pub(super) object_type: usize,
    /// These are counted as `runtime` is.
    pub(super) code_type: i64,
    pub(super) text_type: i64,
    pub(super) bytes_type: i64,
    pub(super) code_file: usize,
    pub(super) code_name: usize,
    pub(super) code_lines: usize,
    pub(super) code_line: usize,
    pub(super) bytes_length: usize,
    pub(super) bytes_data: usize,
    pub(super) text_length: usize,
    pub(super) text_state: usize,
    /// Bits of the state: three for the width of a character, one for ASCII.
    pub(super) text_state_width: u32,
    pub(super) text_state_ascii: u32,
    pub(super) text_data_ascii: usize,
    pub(super) text_data: usize,
    pub(super) lines: Form,
}

/// How a frame tells its instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Instruction {
    /// A pointer at this place, into the code, which starts at that place of its object.
    Pointer(usize, usize),
    /// A number at this place, of units of so many bytes.
    Number(usize, i32),
}

impl Layout {
    /// Reads the answer of `layout.py`.
    ///
    /// # Errors
    /// What is wrong with it. The form of the tables of lines is not told but tried: it is the one that gives
    /// each sample the line that the interpreter gives it.
    pub(crate) fn parse(text: &str) -> Result<Layout, String> {
        let mut facts = Facts::default();
        for line in text.lines() {
            let (key, value) = line.split_once('\t').ok_or("an answer without a value")?;
            if key == "sample" {
                facts.samples.push(value);
            } else if facts.values.insert(key, value).is_some() {
                return Err(format!("two answers for {key:?}"));
            }
        }
        let instruction = if facts.values.contains_key("frame.pointer") {
            Instruction::Pointer(facts.place("frame.pointer")?, facts.place("code.start")?)
        } else {
            let scale = facts.number("frame.number.scale", 1, 2)?;
            Instruction::Number(facts.place("frame.number")?, i32::try_from(scale).expect("checked just now"))
        };
        let file = facts.value("file")?;
        let (device, inode) = file.split_once(' ').ok_or_else(|| format!("no file: {file:?}"))?;
        let file = (device.to_owned(), inode.parse().map_err(|_| format!("no file: {file:?}"))?);
        let bit = |name: &str, most| facts.number(name, 0, most).map(|bit| u32::try_from(bit).expect("at most 31"));
        Ok(Layout {
            file,
            runtime: facts.distance("runtime")?,
            runtime_interpreters: facts.place("runtime.interpreters")?,
            interpreter_next: facts.place_if_any("interpreter.next")?,
            interpreter_states: facts.place("interpreter.states")?,
            state_next: facts.place("state.next")?,
            state_thread: facts.place("state.thread")?,
            thread_number: facts.place("thread.number")?,
            state_frame: facts.place("state.frame")?,
            state_frame_inner: facts.place_if_any("state.frame.inner")?,
            frame_code: facts.place("frame.code")?,
            frame_before: facts.place("frame.before")?,
            frame_instruction: instruction,
            object_type: facts.place("object.type")?,
            code_type: facts.distance("code.type")?,
            text_type: facts.distance("text.type")?,
            bytes_type: facts.distance("bytes.type")?,
            code_file: facts.place("code.file")?,
            code_name: facts.place("code.name")?,
            code_lines: facts.place("code.lines")?,
            code_line: facts.place("code.line")?,
            bytes_length: facts.place("bytes.length")?,
            bytes_data: facts.place("bytes.data")?,
            text_length: facts.place("text.length")?,
            text_state: facts.place("text.state")?,
            text_state_width: bit("text.state.width", 29)?,
            text_state_ascii: bit("text.state.ascii", 31)?,
            text_data_ascii: facts.place("text.data.ascii")?,
            text_data: facts.place("text.data")?,
            lines: facts.form()?,
        })
    }
}

/// An answer, by names.
#[derive(Default)]
struct Facts<'a> {
    values: BTreeMap<&'a str, &'a str>,
    samples: Vec<&'a str>,
}

impl Facts<'_> {
    fn value(&self, name: &str) -> Result<&str, String> {
        self.values.get(name).copied().ok_or_else(|| format!("no {name}"))
    }

    fn number(&self, name: &str, least: i64, most: i64) -> Result<i64, String> {
        let value = self.value(name)?;
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("{name} cannot be {value:?}"))
    }

    fn place(&self, name: &str) -> Result<usize, String> {
        let number = self.number(name, 0, PLACE_MOST as i64)?;
        Ok(usize::try_from(number).expect("not negative"))
    }

    fn place_if_any(&self, name: &str) -> Result<Option<usize>, String> {
        self.values.contains_key(name).then(|| self.place(name)).transpose()
    }

    fn distance(&self, name: &str) -> Result<i64, String> {
        self.number(name, -(1 << 31), 1 << 31)
    }

    /// The form that agrees with the interpreter about every sample.
    fn form(&self) -> Result<Form, String> {
        if self.samples.len() > SAMPLES_MOST {
            return Err("too many samples".into());
        }
        let samples: Option<Vec<Sample>> = self.samples.iter().map(|text| Sample::parse(text)).collect();
        let samples = samples.ok_or("a sample that is none")?;
        // Fewer could agree by chance.
        if samples.len() < 8 {
            return Err("too few samples".into());
        }
        let agrees = |form: &Form| samples.iter().all(|one| form.line(&one.table, one.first, one.at) == Some(one.line));
        Form::ALL.into_iter().find(agrees).ok_or_else(|| "its tables of lines have an unknown form".into())
    }
}

/// What the interpreter says of one instruction.
struct Sample {
    at: i64,
    line: u32,
    first: i32,
    table: Vec<u8>,
}

impl Sample {
    fn parse(text: &str) -> Option<Sample> {
        let mut words = text.split(' ');
        let (at, line, first) = (words.next()?, words.next()?, words.next()?);
        let hex = words.next()?.as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let pair = |pair: &[u8; 2]| u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok();
        let (pairs, rest) = hex.as_chunks::<2>();
        if !rest.is_empty() || words.next().is_some() {
            return None;
        }
        let table = pairs.iter().map(pair).collect::<Option<Vec<u8>>>()?;
        Some(Sample { at: at.parse().ok()?, line: line.parse().ok()?, first: first.parse().ok()?, table })
    }
}
