//! A process that outlives its supervisor by a moment and removes cgroups: after a normal end off the path of whoever
//! waits for the result, and just so when the supervisor dies in the middle. It is alone in its session, holds one
//! pipe and nothing else, and serves every cell that this process has below the same cgroups: to fork one for each
//! cell would cost as much as the cell's own processes.
//!
//! Between its fork and its end it neither allocates nor locks: the supervisor may have threads.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;
use rustix::time::{ClockId, clock_gettime};

use crate::cgroup::{Hierarchies, Name};
use crate::launch::unblock;
use crate::sys::clone::Side;
use crate::{children, sys};

/// The janitor's care for one cell. Its cgroups are removed when this is dropped, in whatever way.
#[derive(Debug)]
pub(crate) struct Janitor {
    link: Arc<Link>,
    number: u32,
    /// When it is to kill.
    until: Option<Instant>,
}

impl Janitor {
    /// Has the cgroups of this name below `hierarchies` looked after, before they exist.
    pub(crate) fn start(hierarchies: &Hierarchies, name: Name) -> Result<Janitor, Errno> {
        let number = name.number();
        let link = Link::to(hierarchies.parents())?;
        // The one that served so far may have been killed; what it leaves is swept by a later run.
        let link = match link.say(Word::Watch, number, 0) {
            Ok(()) => link,
            Err(_) => {
                Link::forget(&link);
                let link = Link::to(hierarchies.parents())?;
                link.say(Word::Watch, number, 0)?;
                link
            }
        };
        Ok(Janitor { link, number, until: None })
    }

    /// Has it kill what is in the cgroups `from now` of its own accord: a second watch on the clock, should the
    /// supervisor be stopped or stuck.
    pub(crate) fn kill_after(&mut self, from_now: Duration) -> Result<(), Errno> {
        self.until = Instant::now().checked_add(from_now);
        self.say_until().or_else(|_| self.replace())
    }

    fn say_until(&self) -> Result<(), Errno> {
        let Some(until) = self.until else { return Ok(()) };
        let left = until.saturating_duration_since(Instant::now()).as_millis();
        self.link.say(Word::KillAfter, self.number, u64::try_from(left).unwrap_or(u64::MAX))
    }

    /// Has another look after the cell where the janitor was killed: else nobody would until the end.
    pub(crate) fn see_to_it(&mut self) {
        if self.link.is_dead() {
            // Tried again at the next look.
            let _ = self.replace();
        }
    }

    fn replace(&mut self) -> Result<(), Errno> {
        Link::forget(&self.link);
        let link = Link::to(self.link.parents.clone())?;
        link.say(Word::Watch, self.number, 0)?;
        self.link = link;
        self.say_until()
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        let done = |janitor: &Janitor| janitor.link.say(Word::Done, janitor.number, 0);
        // If there is none any more, a later run sweeps.
        let _ = done(self).or_else(|_| self.replace().and_then(|()| done(self)));
    }
}

/// What it is told of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Watch,
    KillAfter,
    Done,
}

/// Bytes of one message.
const SIZE: usize = 13;

impl Word {
    fn encode(self, number: u32, milliseconds: u64) -> [u8; SIZE] {
        let mut bytes = [self as u8; SIZE];
        bytes[1..5].copy_from_slice(&number.to_le_bytes());
        bytes[5..].copy_from_slice(&milliseconds.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; SIZE]) -> Option<(Word, u32, u64)> {
        let word = [Word::Watch, Word::KillAfter, Word::Done].into_iter().find(|word| *word as u8 == bytes[0])?;
        let (number, milliseconds) = bytes[1..].split_first_chunk()?;
        Some((word, u32::from_le_bytes(*number), u64::from_le_bytes(milliseconds.try_into().ok()?)))
    }
}

/// Cells that one janitor serves at most; of what is dying it keeps as many more in mind.
const MOST: usize = 1024;

/// The janitor's process, as its supervisor has it. It ends when this is dropped.
#[derive(Debug)]
struct Link {
    pid: Pid,
    /// Its other end is all that the janitor looks at.
    pipe: OwnedFd,
    parents: Vec<PathBuf>,
}

/// Those that serve this process.
static LINKS: Mutex<Vec<Weak<Link>>> = Mutex::new(Vec::new());

impl Link {
    /// To the janitor that serves these hierarchies, or to a new one.
    fn to(parents: Vec<PathBuf>) -> Result<Arc<Link>, Errno> {
        // For each cell that comes, those that have gone: as long as nobody waits for a process, its cgroups stay as well.
        children::reap();
        let mut links = LINKS.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.strong_count() > 0);
        let free = |link: &Arc<Link>| link.parents == parents && Arc::strong_count(link) <= MOST;
        if let Some(link) = links.iter().filter_map(Weak::upgrade).find(free) {
            return Ok(link);
        }
        let link = Arc::new(Link::start(parents)?);
        links.push(Arc::downgrade(&link));
        Ok(link)
    }

    fn start(parents: Vec<PathBuf>) -> Result<Link, Errno> {
        let stem = |parent: &PathBuf| parent.join(Name::stem()).into_os_string().as_bytes().to_vec();
        let stems: Vec<Vec<u8>> = parents.iter().map(stem).collect();
        if stems.iter().any(|stem| stem.len() + 64 > PATH || stem.contains(&0)) {
            return Err(Errno::NAMETOOLONG);
        }
        let mut cells = vec![Cell::default(); 2 * MOST];
        let (theirs, pipe) = pipe_with(PipeFlags::CLOEXEC)?;
        // What is said of as many cells as it serves fits into a pipe; one that does not read is given up, not waited for.
        unblock(&pipe)?;
        match sys::clone::clone3(0, None)? {
            Side::Child => serve(&theirs, &stems, &mut cells),
            Side::Parent(child) => Ok(Link { pid: child.pid, pipe, parents }),
        }
    }

    /// Has it serve nobody new.
    fn forget(link: &Arc<Link>) {
        let mut links = LINKS.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|one| !std::ptr::eq(one.as_ptr(), Arc::as_ptr(link)));
    }

    /// Whether nobody holds the other end.
    fn is_dead(&self) -> bool {
        let mut polled = [PollFd::new(&self.pipe, PollFlags::empty())];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(1)
    }

    fn say(&self, word: Word, number: u32, milliseconds: u64) -> Result<(), Errno> {
        // Whole or not at all: it is shorter than PIPE_BUF (pipe(7)). Rust ignores SIGPIPE, and so does whoever embeds us.
        rustix::io::write(&self.pipe, &word.encode(number, milliseconds)).map(drop)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        children::leave(self.pid);
    }
}

/// A cell that the janitor has in mind; of number zero is a place that is free.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    number: u32,
    /// How often its cgroups could not be removed since it was done.
    tries: u16,
    done: bool,
    /// When to try again.
    next: u64,
    /// When to kill it, milliseconds of the clock below.
    until: Option<u64>,
}

/// Between two tries to remove what still holds a dying process, at first.
const PAUSE: u64 = 2;
/// After as many tries the pauses are twice as long, up to half a second.
const LONGER_AFTER: u16 = 512;
/// As many tries, which takes a quarter of an hour, and it is given up: something lives in there that nobody can kill.
const TRIES: u16 = 5200;
const PATH: usize = 4096;

/// Its whole life.
fn serve(pipe: &OwnedFd, stems: &[Vec<u8>], cells: &mut [Cell]) -> ! {
    let _ = rustix::process::setsid();
    if sys::fd::close_from(0, &[pipe.as_raw_fd()]).is_err() {
        sys::exec::exit(1);
    }
    let mut open = true;
    loop {
        let now = now();
        let mut next: Option<u64> = None;
        let mut sooner = |at: u64| next = Some(next.map_or(at, |next| next.min(at)));
        let (mut all, mut free) = (true, false);
        for cell in cells.iter_mut() {
            if cell.number == 0 {
                free = true;
                continue;
            }
            all = false;
            if cell.done {
                if now >= cell.next {
                    clear(cell, stems);
                    cell.next = now + (PAUSE << (cell.tries / LONGER_AFTER).min(8));
                }
                if cell.number != 0 {
                    sooner(cell.next);
                }
            } else if let Some(until) = cell.until {
                if now >= until {
                    kill(cell.number, stems);
                    cell.until = None;
                } else {
                    sooner(until);
                }
            }
        }
        if all && !open {
            sys::exec::exit(0);
        }
        let timeout = next.map(|next| {
            let left = next.saturating_sub(now);
            Timespec { tv_sec: (left / 1000) as i64, tv_nsec: (left % 1000 * 1_000_000) as i64 }
        });
        let readable = if open && free {
            poll(&mut [PollFd::new(pipe, PollFlags::IN)], timeout.as_ref()) == Ok(1)
        } else {
            let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: PAUSE as i64 * 1_000_000 }));
            false
        };
        if !readable {
            continue;
        }
        let mut bytes = [0; SIZE];
        match rustix::io::read(pipe, &mut bytes) {
            Ok(SIZE) => {
                if let Some((word, number, milliseconds)) = Word::decode(&bytes) {
                    hear(cells, word, number, milliseconds);
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // The supervisor is done with all of them, or gone.
            _ => {
                open = false;
                cells.iter_mut().for_each(|cell| cell.done = true);
            }
        }
    }
}

fn hear(cells: &mut [Cell], word: Word, number: u32, milliseconds: u64) {
    let wanted = if word == Word::Watch { 0 } else { number };
    let Some(cell) = cells.iter_mut().find(|cell| cell.number == wanted && !cell.done) else { return };
    match word {
        Word::Watch => *cell = Cell { number, ..Cell::default() },
        Word::KillAfter => cell.until = Some(now().saturating_add(milliseconds)),
        Word::Done => cell.done = true,
    }
}

/// Milliseconds of a clock that nobody sets.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec.unsigned_abs() * 1000 + time.tv_nsec.unsigned_abs() / 1_000_000
}

/// The cell is dead or dying, but its last process may not be gone yet.
fn clear(cell: &mut Cell, stems: &[Vec<u8>]) {
    // Whoever was forked in the very moment of the first is killed by another.
    if cell.tries.is_multiple_of(16) {
        kill(cell.number, stems);
    }
    // At once it would seldom succeed: its last process is on its way out.
    let busy = |path: &CStr| rustix::fs::rmdir(path) == Err(Errno::BUSY);
    let left = cell.tries == 0 || stems.iter().any(|stem| with_path(stem, cell.number, b"\0", busy));
    cell.tries += 1;
    if !left || cell.tries == TRIES {
        *cell = Cell::default();
    }
}

/// Absent on version 1, and before Linux 5.14; there the death of the pid namespace has to do.
fn kill(number: u32, stems: &[Vec<u8>]) {
    for stem in stems {
        with_path(stem, number, b"/cgroup.kill\0", |path| {
            if let Ok(file) = rustix::fs::open(path, rustix::fs::OFlags::WRONLY, rustix::fs::Mode::empty()) {
                let _ = rustix::io::write(&file, b"1");
            }
        });
    }
}

/// `stem`, the number and `end`, which ends in a NUL.
fn with_path<T>(stem: &[u8], number: u32, end: &[u8], with: impl FnOnce(&CStr) -> T) -> T {
    let mut path = [0u8; PATH];
    let mut used = stem.len();
    path[..used].copy_from_slice(stem);
    let mut digit = 1_000_000_000;
    while digit > 0 {
        if number >= digit || digit == 1 {
            path[used] = b'0' + (number / digit % 10) as u8;
            used += 1;
        }
        digit /= 10;
    }
    path[used..used + end.len()].copy_from_slice(end);
    with(CStr::from_bytes_until_nul(&path).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_together_as_the_name_is() {
        let stem = format!("/sys/fs/cgroup/{}", Name::stem());
        for number in [1, 9, 10, 4_294_967_295] {
            let path = with_path(stem.as_bytes(), number, b"/cgroup.kill\0", |path| path.to_owned());
            assert_eq!(path.to_str(), Ok(format!("{stem}{number}/cgroup.kill").as_str()));
        }
    }

    #[test]
    fn a_word_comes_as_it_was_said() {
        for word in [Word::Watch, Word::KillAfter, Word::Done] {
            assert_eq!(Word::decode(&word.encode(7, 1 << 40)), Some((word, 7, 1 << 40)));
        }
        assert_eq!(Word::decode(&[9; SIZE]), None);
    }

    #[test]
    fn a_cell_whose_janitor_is_killed_gets_another() {
        let dir = std::env::temp_dir().join(format!("gambeson-janitor-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let name = Name::new();
        let place = dir.join(name.to_string());
        let link = Link::to(vec![dir.clone()]).unwrap();
        link.say(Word::Watch, name.number(), 0).unwrap();
        let mut janitor = Janitor { link, number: name.number(), until: None };
        janitor.kill_after(Duration::from_secs(60)).unwrap();
        let first = janitor.link.pid;
        janitor.see_to_it();
        assert_eq!(janitor.link.pid, first);
        rustix::process::kill_process(first, rustix::process::Signal::KILL).unwrap();
        while !janitor.link.is_dead() {
            std::thread::yield_now();
        }
        janitor.see_to_it();
        assert!(janitor.link.pid != first && !janitor.link.is_dead());
        // The new one does what the first was to do, and so does one that comes at the very end.
        rustix::process::kill_process(janitor.link.pid, rustix::process::Signal::KILL).unwrap();
        while !janitor.link.is_dead() {
            std::thread::yield_now();
        }
        std::fs::create_dir(&place).unwrap();
        drop(janitor);
        let deadline = Instant::now() + Duration::from_secs(20);
        while place.exists() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(!place.exists());
        std::fs::remove_dir(&dir).unwrap();
    }

    #[test]
    fn a_cell_is_heard_of_again_only_until_it_is_done() {
        let mut cells = [Cell::default(); 2];
        hear(&mut cells, Word::Watch, 5, 0);
        hear(&mut cells, Word::KillAfter, 5, 10);
        assert!(cells[0].until.is_some());
        hear(&mut cells, Word::Done, 5, 0);
        hear(&mut cells, Word::Watch, 6, 0);
        assert_eq!(cells.map(|cell| (cell.number, cell.done)), [(5, true), (6, false)]);
    }
}
