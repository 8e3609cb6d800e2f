//! The entry of a function at another place: of the library itself, which no test can be built of.

#![allow(unsafe_code, reason = "of the file that is looked at")]
#![allow(dead_code, reason = "only what decides is looked at")]

#[path = "../../nursery/src/moved.rs"]
mod moved;

use moved::{READ, moved};

fn jump_to(place: usize) -> Vec<u8> {
    [&[0xff, 0x25, 0, 0, 0, 0][..], &place.to_le_bytes()].concat()
}

#[test]
fn what_means_the_same_anywhere_is_moved_as_it_is() {
    // push r15, r14, r13, r12, rbp, rbx; sub rsp, 0x18.
    let code = [0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x55, 0x53, 0x48, 0x83, 0xec, 0x18, 0x44, 0x8b];
    assert_eq!(moved(&code, 0x1000), Some([&code[..14], &jump_to(0x100e)].concat()));
}

#[test]
fn what_tells_a_place_by_its_distance_tells_the_place() {
    // mov r12, [rip + 0x17fd6f]; mov ebx, [r12 + 0xc].
    let code = [0x4c, 0x8b, 0x25, 0x6f, 0xfd, 0x17, 0x00, 0x41, 0x8b, 0x5c, 0x24, 0x0c];
    let mut expected = vec![0x49, 0xbc];
    expected.extend((0x1f_3fba_usize + 7 + 0x17_fd6f).to_le_bytes());
    expected.extend([0x4d, 0x8b, 0x24, 0x24, 0x41, 0x8b, 0x5c, 0x24, 0x0c]);
    expected.extend(jump_to(0x1f_3fba + 12));
    assert_eq!(moved(&code, 0x1f_3fba), Some(expected));
}

#[test]
fn what_is_not_known_is_not_moved() {
    // jne; call; cmp [rip + x], 0; ret.
    for code in [[0x75, 7], [0xe8, 0], [0x83, 0x3d], [0xc3, 0]] {
        let mut whole = [0x53; READ];
        whole[10..12].copy_from_slice(&code);
        assert_eq!(moved(&whole, 0x1000), None, "{code:x?}");
    }
    assert_eq!(moved(&[0x53; 11], 0x1000), None, "too short");
}
