//! At which line of Python a thread of a cell is, read from outside: no code of ours is in the program, nothing is
//! started or stopped for it, and an undisturbed program pays nothing.
//!
//! The memory is the program's, which may write anything there: an answer is its own claim. It is bounded, fit to be
//! printed, and never decides anything.
//!
//! 1. A layout that was not found by trying (`guest/layout.py`) is none: then there is no answer, and a reason.
//! 2. A program that was mapped from another file than the layout was found in is not read by it.
//! 3. Only pages that are there are read: to look makes no memory, neither the program's nor the kernel's.
//! 4. What cannot be made sense of ends in no answer, after a bounded number of bounded reads. None of them can be made
//!    to wait by a program in a cell: what would (userfaultfd(2), a file system of its own) is refused to it.
//!
//! Reading takes the rights to trace (ptrace(2), "Ptrace access mode checking"): a supervisor has them over its cells,
//! as root, and as anybody else since it made their user namespace.
//!
//! Process numbers are used again. Who asks holds something that tells whether the thread was the same before and
//! after: a notification that is still valid, or a pidfd that has not ended.

mod layout;
mod lines;
mod process;
mod walk;

pub use layout::Layout;

use crate::environment::Environment;
pub(crate) use process::Opened;
use process::{Thread, mapped};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use walk::Memory;
#[cfg(not(any(test, feature = "fuzzing")))]
use walk::Memory;
use walk::{Frame, Walk};

/// A stack that moves is looked at again so many times.
const ATTEMPTS: usize = 2;
/// Characters of a name that are told.
const NAME_MOST: usize = 200;
/// Where a submission lies, and in it what it brought from others.
const OWN: &str = "/work/";
const BROUGHT: &str = "/work/.local/";

/// Tells lines of the programs of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frames {
    layout: Layout,
}

/// What a program says of itself: true of one that does not lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Of the code; within `/work`, from there. At most 200 characters, and what is no plain text is escaped.
    pub file: String,
    /// From one.
    pub line: u32,
    /// As Python qualifies its name; like the file.
    pub function: String,
}

impl Frames {
    /// For programs of this environment.
    ///
    /// # Errors
    /// Why there are no lines.
    pub fn of(environment: &Environment) -> Result<Frames, String> {
        environment.layout.clone().map(|layout| Frames { layout })
    }

    /// Where the thread `tid` of the process `pid` (as numbered here; any thread's number names its process) is: the
    /// innermost line of the submission's own files, or else the innermost.
    ///
    /// The thread is best stopped: in a system call that waits for an answer, or by a signal. One that runs is told at
    /// a line where it was.
    pub fn claim(&self, pid: i32, tid: i32) -> Option<Claim> {
        let (mut walk, frames) = self.look(pid, tid)?;
        choose(&mut walk, &frames)
    }

    /// Its stack, innermost first: at most so many, without what is of the interpreter's own making.
    pub fn stack(&self, pid: i32, tid: i32, most: usize) -> Vec<Claim> {
        let Some((mut walk, frames)) = self.look(pid, tid) else { return Vec::new() };
        stack(&mut walk, &frames, most)
    }

    fn look(&self, pid: i32, tid: i32) -> Option<(Walk<'_, Opened>, Vec<Frame>)> {
        let thread = Thread::of(pid, tid)?;
        // Held before the map is read: another program's map and this one's memory make no sense together.
        let memory = Opened::of(pid).ok()?;
        let base = mapped(pid, &self.layout.file)?;
        let mut walk = Walk::new(&self.layout, base, memory);
        let state = match walk.state(thread.number) {
            Ok(state) => state,
            Err(states) => match (thread.lender(), &states[..]) {
                (Some(lender), _) => walk.state(lender.number).ok()?,
                // A fork past the C library leaves it a number of before: then it is the only one, or nobody knows.
                (None, [only]) if thread.alone => *only,
                (None, _) => return None,
            },
        };
        let frames = settled(&mut walk, state);
        (!frames.is_empty()).then_some((walk, frames))
    }
}

/// The frames of a thread when they stayed as they were, or as they were seen last.
fn settled<M: Memory>(walk: &mut Walk<'_, M>, state: u64) -> Vec<Frame> {
    let mut last = Vec::new();
    for _ in 0..ATTEMPTS {
        let (frames, stayed) = walk.frames(state);
        if stayed {
            return frames;
        }
        if !frames.is_empty() {
            last = frames;
        }
    }
    last
}

fn choose<M: Memory>(walk: &mut Walk<'_, M>, frames: &[Frame]) -> Option<Claim> {
    let mut innermost = None;
    for frame in frames {
        let Some(file) = walk.file(frame) else { continue };
        if !is_own(&file) {
            if innermost.is_none() && !is_made(&file) {
                innermost = claim(walk, frame, &file);
            }
            continue;
        }
        if let Some(claim) = claim(walk, frame, &file) {
            return Some(claim);
        }
    }
    innermost
}

fn stack<M: Memory>(walk: &mut Walk<'_, M>, frames: &[Frame], most: usize) -> Vec<Claim> {
    let mut found = Vec::new();
    for frame in frames {
        if found.len() == most {
            break;
        }
        let Some(file) = walk.file(frame).filter(|file| !is_made(file)) else { continue };
        found.extend(claim(walk, frame, &file));
    }
    found
}

fn claim<M: Memory>(walk: &mut Walk<'_, M>, frame: &Frame, file: &str) -> Option<Claim> {
    let line = walk.line(frame)?;
    let function = walk.name(frame)?;
    Some(Claim { file: plain(file.strip_prefix(OWN).unwrap_or(file)), line, function: plain(&function) })
}

/// A submission's own.
fn is_own(file: &str) -> bool {
    file.starts_with(OWN) && !file.starts_with(BROUGHT)
}

/// What no file holds: the importer's own code, and what stands for a call from C.
fn is_made(file: &str) -> bool {
    file == "<shim>" || file.starts_with("<frozen ")
}

/// A name as a person can see it: its end, where it is long.
fn plain(name: &str) -> String {
    let mut text: Vec<char> = Vec::new();
    for c in name.chars() {
        match c {
            '\'' | '"' | '\\' => text.push(c),
            _ => text.extend(c.escape_debug()),
        }
    }
    match text.len().checked_sub(NAME_MOST) {
        None | Some(0) => text.into_iter().collect(),
        Some(more) => std::iter::once('…').chain(text.into_iter().skip(more + 1)).collect(),
    }
}

/// All that is told of one thread in any memory, for fuzzing.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn all<M: Memory>(layout: &Layout, base: u64, memory: M, number: i32) -> (Vec<Claim>, M) {
    let mut walk = Walk::new(layout, base, memory);
    let frames = walk.state(number).map_or_else(|_| Vec::new(), |state| settled(&mut walk, state));
    let mut claims = stack(&mut walk, &frames, usize::MAX);
    claims.extend(choose(&mut walk, &frames));
    (claims, walk.into_memory())
}

/// Reads bytes as each form of a table.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn any_line(table: &[u8], first: i32, at: i64) {
    for form in lines::Form::ALL {
        let line = form.line(table, first, at);
        assert!(line.is_none_or(|line| (1..=i32::MAX as u32).contains(&line)));
    }
}
