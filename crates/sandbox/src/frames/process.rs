//! A process of a cell as `/proc` shows it: its memory, where a file is mapped, and which thread is which.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;

use super::walk::Memory;

/// The most that is read of a memory map, whose length the guest chooses.
const MAPS_MOST: u64 = 256 << 10;
/// The most threads of a parent that are looked at.
const THREADS_MOST: usize = 1024;

const PAGE: u64 = 4096;

/// The memory of one process, held: what is read is that of the program that it was opened in, even if its
/// number comes to mean another process, or the process executes another program (proc_pid_mem(5)).
#[derive(Debug)]
pub(crate) struct Opened {
    memory: File,
    pages: File,
}

impl Opened {
    pub(crate) fn of(pid: i32) -> std::io::Result<Opened> {
        let open = |name: &str| File::open(format!("/proc/{pid}/{name}"));
        Ok(Opened { memory: open("mem")?, pages: open("pagemap")? })
    }

    /// Fills the buffer with what is at `address`, if all of it is there already. To read a page that its process never
    /// touched would make it, and page tables for it that are charged to us: memory without a limit for who has us read.
    pub(crate) fn fill(&self, address: u64, buffer: &mut [u8]) -> bool {
        self.is_there(address, buffer.len()) && self.memory.read_exact_at(buffer, address).is_ok()
    }

    /// As the page tables say, which are not changed by asking (proc_pid_pagemap(5)).
    fn is_there(&self, address: u64, size: usize) -> bool {
        let Some(last) = address.checked_add((size as u64).saturating_sub(1)) else { return false };
        let (first, last) = (address / PAGE, last / PAGE);
        let mut entries = vec![[0; 8]; (last - first + 1) as usize];
        let present = |entry: &[u8; 8]| u64::from_le_bytes(*entry) >> 63 == 1;
        self.pages.read_exact_at(entries.as_flattened_mut(), first * 8).is_ok() && entries.iter().all(present)
    }
}

impl Memory for Opened {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.fill(address, buffer)
    }
}

/// Where `file` (device and inode) is first mapped to be executed.
pub(super) fn mapped(pid: i32, file: &(String, u64)) -> Option<u64> {
    let mut maps = File::open(format!("/proc/{pid}/maps")).ok()?.take(MAPS_MOST);
    // The kernel gives a page of lines at a time; what was not asked for is not made.
    let mut text = Vec::with_capacity(8192);
    let mut piece = [0; 4096];
    let mut seen = 0;
    loop {
        let count = maps.read(&mut piece).ok()?;
        if count == 0 {
            return None;
        }
        text.extend(&piece[..count]);
        while let Some(end) = text[seen..].iter().position(|byte| *byte == b'\n') {
            if let Some(start) = executed(&text[seen..seen + end], file) {
                return Some(start);
            }
            seen += end + 1;
        }
        text.drain(..seen);
        seen = 0;
    }
}

/// Where a line of the map begins, if it is one of `file` that can be executed (proc_pid_maps(5)).
fn executed(line: &[u8], file: &(String, u64)) -> Option<u64> {
    // Most lines are of what cannot be executed: "55d0-55d1 r--p ...".
    let rights = line.iter().position(|byte| *byte == b' ')? + 1;
    if line.get(rights + 2) != Some(&b'x') {
        return None;
    }
    // The name of the file comes last, and need not be text.
    let line = &line[..line.len().min(100)];
    let line = std::str::from_utf8(line)
        .unwrap_or_else(|error| std::str::from_utf8(&line[..error.valid_up_to()]).expect("valid up to there"));
    let mut words = line.split_ascii_whitespace();
    let (range, _, _, device) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let inode = words.next()?.parse::<u64>().ok()?;
    if device != file.0 || inode != file.1 {
        return None;
    }
    u64::from_str_radix(range.split_once('-')?.0, 16).ok()
}

/// A thread, in the numbers of its own pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thread {
    pub(super) number: i32,
    /// It is the only one of its process.
    pub(super) alone: bool,
    parent: i32,
}

impl Thread {
    pub(super) fn of(pid: i32, tid: i32) -> Option<Thread> {
        let status = fs::read_to_string(format!("/proc/{pid}/task/{tid}/status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        // The innermost namespace's is the last (proc_pid_status(5)).
        let number = field("NSpid")?.split_ascii_whitespace().next_back()?.parse().ok()?;
        let parent = field("PPid")?.trim().parse().ok()?;
        Some(Thread { number, alone: field("Threads")?.trim() == "1", parent })
    }

    /// The thread that lent this one its memory and waits for it to execute a program, as vfork(2) and
    /// posix_spawn(3) do it.
    pub(super) fn lender(self) -> Option<Thread> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.parent)).ok()?;
        for task in tasks.take(THREADS_MOST).flatten() {
            let tid: i32 = task.file_name().to_str()?.parse().ok()?;
            let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
            if stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('D')) {
                return Thread::of(self.parent, tid);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_executed_part_of_the_very_file_is_taken() {
        let file = ("fe:00".to_owned(), 117_268);
        let start = |line: &str| executed(line.as_bytes(), &file);
        let line =
            "7f3a1c000000-7f3a1c100000 r-xp 0006c000 fe:00 117268                     /usr/lib/libpython3.13.so.1.0";
        assert_eq!(start(line), Some(0x7f3a_1c00_0000));
        assert_eq!(start(&line.replace("r-xp", "r--p")), None, "it is mapped to be read first");
        assert_eq!(start(&line.replace("117268", "117269")), None);
        assert_eq!(start(&line.replace("fe:00", "fe:01")), None);
        assert_eq!(start(&format!("{}{}", line, "\u{e9}".repeat(200))), Some(0x7f3a_1c00_0000));
        assert_eq!(start("7f3a1c000000-7f3a1c100000 r-xp"), None);
    }

    #[test]
    fn a_page_that_was_never_touched_is_not_read_and_stays_so() {
        let memory = Opened::of(std::process::id() as i32).unwrap();
        let mut large: Vec<u8> = Vec::with_capacity(64 << 20);
        let place = (large.as_ptr() as u64 + (32 << 20)) / PAGE * PAGE;
        let mut buffer = [7; 16];
        for address in [place, place - 8] {
            assert!(!memory.fill(address, &mut buffer));
            assert!(!memory.is_there(address, 16));
        }
        // The control: read without asking, it is made.
        memory.memory.read_exact_at(&mut buffer, place).unwrap();
        assert!(memory.is_there(place, 16) && !memory.is_there(place - 8, 16));
        assert!(memory.fill(place, &mut buffer));
        // What was touched is read, over the end of a page too.
        large.extend([3; 3 * PAGE as usize]);
        assert!(memory.fill((large.as_ptr() as u64 / PAGE + 1) * PAGE - 8, &mut buffer));
        assert_eq!(buffer, [3; 16]);
        assert!(!memory.fill(u64::MAX - 3, &mut buffer) && !memory.fill(u64::MAX / 2, &mut buffer));
    }

    #[test]
    fn a_thread_of_ours_is_found_by_its_own_number() {
        let (pid, tid) = (std::process::id() as i32, rustix::thread::gettid().as_raw_nonzero().get());
        let thread = Thread::of(pid, tid).unwrap();
        assert_eq!((thread.number, thread.alone), (tid, false));
    }
}
