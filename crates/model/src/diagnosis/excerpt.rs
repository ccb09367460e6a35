//! The line a diagnostic speaks of, cut to what a terminal can show.

/// The most characters of a line that are shown.
pub const EXCERPT_MAX: usize = 160;

/// How much of a longer line is shown before the place in question.
const BEFORE_MAX: usize = 40;

/// A line, or the part of a long line around a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Excerpt {
    /// The text, without its line break.
    pub text: String,
    /// How many characters of the line were left out before it.
    pub skipped: usize,
}

impl Excerpt {
    /// Cuts a line around a column (from 1).
    pub fn around(line: &str, column: u32) -> Self {
        let before = (column as usize).saturating_sub(1);
        let is_short = line.len() <= EXCERPT_MAX || line.chars().nth(EXCERPT_MAX).is_none();
        let skipped = if is_short { 0 } else { before.saturating_sub(BEFORE_MAX) };
        Self { text: line.chars().skip(skipped).take(EXCERPT_MAX).collect(), skipped }
    }

    /// The text before a column (from 1) of the line, and the text of a length from there on.
    pub fn split(&self, column: u32, length: u32) -> (String, String) {
        let before = (column as usize).saturating_sub(1).saturating_sub(self.skipped);
        let mut characters = self.text.chars();
        let head = characters.by_ref().take(before).collect();
        (head, characters.take(length as usize).collect())
    }
}
