//! Where in a text something stands.

use serde::Serialize;

/// A part of one line. Lines and columns are counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The line, from 1.
    pub line: u32,
    /// The first character, from 1.
    pub column: u32,
    /// The number of characters; 0 for a place between two.
    pub length: u32,
}

impl Span {
    /// The first character of a text.
    pub const START: Span = Span { line: 1, column: 1, length: 0 };

    /// The whole of what follows on a line from a column on; it ends where the line ends.
    pub fn rest_of_line(line: u32, column: u32) -> Self {
        Self { line, column, length: u32::MAX }
    }
}
