//! Where a program says that it is.

/// A place in a program's source, by the program's own claim: it is read from memory that the program can write to,
/// so that nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The file, below `/work` from there.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The function.
    pub function: String,
}
