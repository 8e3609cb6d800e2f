//! What `/proc/PID/cmdline` and `environ` show of a process (proc_pid_cmdline(5)): prctl(2), PR_SET_MM_MAP.
//!
//! A process that was forked instead of executed shows its parent's; a program is to find its own.

use std::ffi::CString;
use std::fs;
use std::ptr;

use super::{Errno, answer};

/// `struct prctl_mm_map` of linux/prctl.h.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Map {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: u64,
    auxv_size: u32,
    exe_fd: u32,
}

/// Where the kernel looks, as this process was executed.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    map: Map,
    /// The auxiliary vector (getauxval(3)), which tells the ids as well.
    vector: Vec<u64>,
}

/// A place of our own that it looks at instead.
#[derive(Debug)]
pub(crate) struct Dress {
    place: &'static mut [u8],
}

impl Shown {
    /// Reads what is in force (proc_pid_stat(5)), and tries whether it can be changed.
    pub(crate) fn own() -> Result<Shown, Errno> {
        let stat = fs::read_to_string("/proc/self/stat").map_err(|_| Errno::NOENT)?;
        let (_, fields) = stat.rsplit_once(") ").ok_or(Errno::INVAL)?;
        let fields: Vec<u64> = fields.split_whitespace().map(|word| word.parse().unwrap_or(0)).collect();
        // The first of these is the third of the manual's.
        let field = |number: usize| fields.get(number - 3).copied().filter(|value| *value != 0).ok_or(Errno::INVAL);
        let map = Map {
            start_code: field(26)?,
            end_code: field(27)?,
            start_stack: field(28)?,
            start_data: field(45)?,
            end_data: field(46)?,
            start_brk: field(47)?,
            brk: 0,
            arg_start: field(48)?,
            arg_end: field(49)?,
            env_start: field(50)?,
            env_end: field(51)?,
            auxv: 0,
            auxv_size: 0,
            exe_fd: u32::MAX,
        };
        let bytes = fs::read("/proc/self/auxv").map_err(|_| Errno::NOENT)?;
        let vector = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect();
        let shown = Shown { map, vector };
        shown.set(map, &shown.vector)?;
        Ok(shown)
    }

    /// Shows these instead, and the ids that the process has. The place lives as long as the process.
    pub(crate) fn replace(&self, args: &[CString], env: &[CString]) -> Result<Dress, Errno> {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let mut vector = self.vector.clone();
        for pair in vector.chunks_exact_mut(2) {
            match pair[0] {
                libc::AT_UID | libc::AT_EUID => pair[1] = uid.into(),
                libc::AT_GID | libc::AT_EGID => pair[1] = gid.into(),
                _ => {}
            }
        }
        let (args_size, env_size) = (size(args), size(env));
        let place = Box::leak(vec![0u8; args_size + env_size].into_boxed_slice());
        let start = place.as_ptr() as u64;
        let middle = start + args_size as u64;
        let end = middle + env_size as u64;
        let map = Map { arg_start: start, arg_end: middle, env_start: middle, env_end: end, ..self.map };
        self.set(map, &vector)?;
        let mut dress = Dress { place };
        dress.rewrite(args, env)?;
        Ok(dress)
    }

    fn set(&self, map: Map, vector: &[u64]) -> Result<(), Errno> {
        // SAFETY: sbrk(0) changes nothing.
        let brk = unsafe { libc::sbrk(0) } as u64;
        let map = Map { brk, auxv: vector.as_ptr() as u64, auxv_size: size_of_val(vector) as u32, ..map };
        let (option, size) = (libc::PR_SET_MM_MAP, size_of::<Map>());
        // SAFETY: `map` and `vector` live across the call and their sizes are passed; the kernel checks every address.
        let value =
            unsafe { libc::syscall(libc::SYS_prctl, libc::PR_SET_MM, option, &raw const map, size, ptr::null::<u8>()) };
        answer(value).map(drop)
    }
}

impl Dress {
    /// Writes others of the same lengths in their place.
    pub(crate) fn rewrite(&mut self, args: &[CString], env: &[CString]) -> Result<(), Errno> {
        if size(args) + size(env) != self.place.len() {
            return Err(Errno::INVAL);
        }
        let mut rest = &mut *self.place;
        for text in args.iter().chain(env) {
            let text = text.as_bytes_with_nul();
            let (here, after) = rest.split_at_mut(text.len());
            here.copy_from_slice(text);
            rest = after;
        }
        Ok(())
    }
}

/// Bytes of them all, as the kernel lays them out: each with the NUL that ends it.
pub(crate) fn size(strings: &[CString]) -> usize {
    strings.iter().map(|one| one.as_bytes_with_nul().len()).sum()
}
