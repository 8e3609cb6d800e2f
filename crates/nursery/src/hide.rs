//! Takes the name of this library out of the memory map that a program can read (proc_pid_maps(5)).

use std::fs;
use std::ptr;

use libc::c_void;

/// Puts copies of this library's pages, which belong to no file, in their place.
pub(crate) fn hide() -> Result<(), String> {
    let maps = fs::read_to_string("/proc/self/maps").map_err(|error| error.to_string())?;
    let failed = |what: &str| format!("cannot {what} its own pages: {}", std::io::Error::last_os_error());
    for line in maps.lines().filter(|line| line.contains("/memfd:gambeson-nursery")) {
        let (range, rest) = line.split_once(' ').ok_or("a line of the memory map is odd")?;
        let (start, end) = range.split_once('-').ok_or("a range of the memory map is odd")?;
        let parse = |text| usize::from_str_radix(text, 16).map_err(|error| error.to_string());
        let (start, end) = (parse(start)?, parse(end)?);
        let protection = rest.bytes().zip([(b'r', libc::PROT_READ), (b'w', libc::PROT_WRITE), (b'x', libc::PROT_EXEC)]);
        let protection = protection.filter(|(is, (is_set, _))| is == is_set).fold(0, |all, (_, (_, bit))| all | bit);
        let (place, size) = (start as *mut c_void, end - start);
        let (writable, private) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, wherever the kernel has room.
        let copy = unsafe { libc::mmap(ptr::null_mut(), size, writable, private, -1, 0) };
        if copy == libc::MAP_FAILED {
            return Err(failed("copy"));
        }
        if protection & libc::PROT_READ != 0 {
            // SAFETY: `place` is mapped and readable for `size` bytes, and `copy` is new memory of as many.
            unsafe { ptr::copy_nonoverlapping(place.cast::<u8>(), copy.cast::<u8>(), size) };
        }
        // SAFETY: `copy` is ours.
        if unsafe { libc::mprotect(copy, size, protection) } != 0 {
            return Err(failed("protect"));
        }
        // SAFETY: what is put in this place holds the same bytes with the same protection, at once, so that neither
        // running code nor a pointer notices; this process has one thread.
        let moved = unsafe { libc::mremap(copy, size, size, libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED, place) };
        if moved == libc::MAP_FAILED {
            return Err(failed("replace"));
        }
    }
    Ok(())
}
