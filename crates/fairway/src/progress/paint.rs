//! Text on a terminal: its width, its colours, and nothing that moves the cursor.

use unicode_width::UnicodeWidthChar;

/// What a text is coloured for (ECMA-48, section 8.3.117).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Something is green.
    Good,
    /// Something failed.
    Bad,
    /// Something goes on.
    Busy,
    /// Something of less weight.
    Faint,
}

impl Paint {
    /// The text in its colour.
    pub fn on(self, text: &str) -> String {
        let code = match self {
            Self::Good => 32,
            Self::Bad => 31,
            Self::Busy => 36,
            Self::Faint => 2,
        };
        if text.is_empty() { String::new() } else { format!("\u{1b}[{code}m{text}\u{1b}[0m") }
    }
}

/// What a terminal would show of a line that a program wrote, without colours: what comes after the
/// last return of the carriage, without escape sequences and control characters.
pub fn visible(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let shown = line.rsplit('\r').next().unwrap_or_default();
    let mut text = String::with_capacity(shown.len());
    let mut characters = shown.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // A control sequence ends with the first character from `@` to `~` (ECMA-48, 5.4).
            '\u{1b}' if characters.next_if_eq(&'[').is_some() => {
                while characters.next_if(|next| !('@'..='~').contains(next)).is_some() {}
                characters.next();
            }
            '\t' => text.push(' '),
            other if other.is_control() => {}
            other => text.push(other),
        }
    }
    text
}

/// The text, cut to so many columns with `…` at the end.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |character: &char| {
        let needed = character.width().unwrap_or(0);
        let is_room = needed <= left;
        left = left.saturating_sub(needed);
        is_room
    };
    let mut shown: String = text.chars().take_while(fits).collect();
    if columns > 0 {
        shown.push('…');
    }
    shown
}

/// The text with blanks up to so many columns.
pub fn pad(text: &str, columns: usize) -> String {
    text.to_owned() + &" ".repeat(columns.saturating_sub(width(text)))
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_programs_write_is_made_harmless() {
        assert_eq!(visible("10 %\r50 %\r\u{1b}[1;32mdone\u{1b}[0m\u{7}\tok\r"), "done ok");
        assert_eq!(visible("\u{1b}[2J\u{1b}]0;title\u{7}x"), "]0;titlex");
        assert_eq!(visible("\u{1b}["), "");
    }

    #[test]
    fn a_text_is_cut_by_columns() {
        assert_eq!(cut("checking", 8), "checking");
        assert_eq!(cut("checking", 5), "chec…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("checking", 0), "");
        assert_eq!(pad("日", 4), "日  ");
    }

    proptest! {
        #[test]
        fn a_line_never_breaks_out_of_its_columns(line in ".*", columns in 0_usize..40) {
            let shown = cut(&visible(&line), columns);
            prop_assert!(width(&shown) <= columns);
            prop_assert!(!shown.contains(char::is_control));
        }
    }
}
