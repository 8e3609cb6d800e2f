//! A process of a cell as `/proc` shows it: its memory, where a file is mapped, and which thread is which.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;

use super::walk::Memory;

/// The most that is read of a memory map, whose length the guest chooses.
const MAPS_MOST: u64 = 1 << 20;
/// The most threads of a parent that are looked at.
const THREADS_MOST: usize = 1024;

/// The memory of one process, held: what is read is that of the program that it was opened in, even if its
/// number comes to mean another process, or the process executes another program (proc_pid_mem(5)).
#[derive(Debug)]
pub(super) struct Opened(File);

impl Opened {
    pub(super) fn of(pid: i32) -> std::io::Result<Opened> {
        File::open(format!("/proc/{pid}/mem")).map(Opened)
    }
}

impl Memory for Opened {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.0.read_exact_at(buffer, address).is_ok()
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
    fn a_thread_of_ours_is_found_by_its_own_number() {
        let (pid, tid) = (std::process::id() as i32, rustix::thread::gettid().as_raw_nonzero().get());
        let thread = Thread::of(pid, tid).unwrap();
        assert_eq!((thread.number, thread.alone), (tid, false));
    }
}
