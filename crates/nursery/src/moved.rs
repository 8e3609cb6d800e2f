//! The entry of a function at another place, so that it can be called although its own entry is written over.
//!
//! The instructions that stood there go to code memory of this library, and after them a jump to what follows. Nothing is
//! written when a program ends: it may have lost the right to (RLIMIT_DATA, the number of mappings).

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Bytes of what is written over an entry.
pub(crate) const JUMP: usize = 12;
/// Bytes that are read of a function.
pub(crate) const READ: usize = 48;
/// Bytes of room for the moved instructions.
const ROOM: usize = 128;

std::arch::global_asm!(
    ".pushsection .text",
    ".p2align 4",
    ".hidden gambeson_moved_entry",
    ".globl gambeson_moved_entry",
    "gambeson_moved_entry:",
    ".fill 128, 1, 0xcc",
    ".popsection"
);

unsafe extern "C" {
    fn gambeson_moved_entry();
}

/// Puts the entry of the function at `entry` there. Returns where it can be called. `None` where its first instructions are
/// others than are known to mean the same elsewhere; `memory` is this process'.
pub(crate) fn entry_of(entry: usize, memory: &File) -> Option<usize> {
    let mut code = [0; READ];
    memory.read_exact_at(&mut code, entry as u64).ok()?;
    let moved = moved(&code, entry)?;
    let place = gambeson_moved_entry as *const () as usize;
    memory.write_all_at(&moved, place as u64).ok()?;
    Some(place)
}

/// `code`, which stands at `entry`, as far as it is written over, made to mean the same at any place.
pub(crate) fn moved(code: &[u8], entry: usize) -> Option<Vec<u8>> {
    let (mut at, mut moved) = (0, Vec::new());
    while at < JUMP {
        at += instruction(code.get(at..)?, entry + at, &mut moved)?;
    }
    // jmp [rip]: the address stands behind it, and no register is needed for it.
    moved.extend([0xff, 0x25, 0, 0, 0, 0]);
    moved.extend((entry + at).to_le_bytes());
    (moved.len() <= ROOM).then_some(moved)
}

/// Moves one instruction that stands at `at`, and says how long it was: of those that compilers begin a function with (Intel
/// 64 and IA-32 manual, volume 2, "Instruction Format").
fn instruction(code: &[u8], at: usize, moved: &mut Vec<u8>) -> Option<usize> {
    if code.starts_with(&[0xf3, 0x0f, 0x1e, 0xfa]) {
        // endbr64
        moved.extend(&code[..4]);
        return Some(4);
    }
    let (rex, start) = match code.first()? {
        rex @ 0x40..=0x4f => (*rex, 1),
        _ => (0x40, 0),
    };
    let operation = *code.get(start)?;
    let length = match operation {
        // push
        0x50..=0x57 => start + 1,
        // sub rsp
        0x83 if rex == 0x48 && code.get(2) == Some(&0xec) => 4,
        0x81 if rex == 0x48 && code.get(2) == Some(&0xec) => 7,
        // xor, test, mov, lea, of registers and what they point to
        0x31 | 0x33 | 0x85 | 0x89 | 0x8b | 0x8d => {
            let form = *code.get(start + 1)?;
            let (mode, register, base) = (form >> 6, form >> 3 & 7, form & 7);
            if (mode, base) == (0, 5) {
                // From a place that is told by its distance: the place itself instead, by way of the register that takes it.
                let length = start + 6;
                let distance = i32::from_le_bytes(code.get(start + 2..length)?.try_into().ok()?);
                let place = (at + length).checked_add_signed(distance as isize)?;
                let high = rex >> 2 & 1;
                moved.extend([0x48 | high, 0xb8 | register]);
                moved.extend(place.to_le_bytes());
                match operation {
                    0x8d if rex & 8 != 0 => {}
                    0x8b => {
                        let rex = rex & 8 | 0x40 | high << 2 | high;
                        match register {
                            // These two mean something else without a byte more.
                            4 => moved.extend([rex, 0x8b, register << 3 | 4, 0x24]),
                            5 => moved.extend([rex, 0x8b, 0x40 | register << 3 | 5, 0]),
                            _ => moved.extend([rex, 0x8b, register << 3 | register]),
                        }
                    }
                    _ => return None,
                }
                return Some(length);
            }
            let scaled = usize::from(mode != 3 && base == 4);
            // One more form that is told by a number alone.
            if mode == 0 && scaled == 1 && code.get(start + 2)? & 7 == 5 {
                return None;
            }
            start + 2 + scaled + [0, 1, 4, 0][usize::from(mode)]
        }
        _ => return None,
    };
    moved.extend(code.get(..length)?);
    Some(length)
}
