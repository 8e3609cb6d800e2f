//! Hostile text made fit for a terminal, a log and a page.

use std::fmt::Write;

/// Whether a character does something to what is around it, or is not seen.
pub(crate) fn deceives(c: char) -> bool {
    c.is_control() || is_bidi(c) || is_invisible(c)
}

/// All that Unicode lists as Bidi_Control (PropList.txt).
pub(crate) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that take no room, or look like none (Default_Ignorable_Code_Point and kin).
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// At most so many characters; what deceives is written as Rust writes it.
pub(crate) fn printable(text: &str, longest: usize) -> String {
    let mut printed = String::with_capacity(text.len().min(4 * longest));
    for (count, c) in text.chars().enumerate() {
        if count == longest {
            printed.push('…');
            break;
        }
        push(&mut printed, c);
    }
    printed
}

/// One character, so that it is seen. A tabulator is four spaces.
pub(crate) fn push(printed: &mut String, c: char) {
    match c {
        '\n' => printed.push_str("\\n"),
        '\r' => printed.push_str("\\r"),
        '\t' => printed.push_str("    "),
        _ if deceives(c) => write!(printed, "\\u{{{:x}}}", u32::from(c)).expect("a string takes everything"),
        _ => printed.push(c),
    }
}
