//! Words of an instruction with their places.

use std::ops::Range;

/// A word as it was written, with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) at: Range<usize>,
}

/// Splits at white space.
pub(crate) fn split_plain(line: &str, from: usize) -> Vec<Word> {
    split(line, from, |_, _| false)
}

/// Splits at white space outside quotes and not escaped.
pub(crate) fn split_quoted(line: &str, from: usize, escape: char) -> Vec<Word> {
    let mut quote = None;
    let mut is_escaped = false;
    split(line, from, |character, _| {
        if is_escaped {
            is_escaped = false;
            return true;
        }
        match quote {
            None if matches!(character, '"' | '\'') => quote = Some(character),
            Some(open) if open == character => quote = None,
            // Nothing escapes between single quotes.
            open if character == escape && open != Some('\'') => is_escaped = true,
            _ => {}
        }
        quote.is_some() || is_escaped
    })
}

/// The words of a text that has been filled in, without places.
pub(crate) fn split_words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Splits at white space for which `holds` is false; it sees every character once.
fn split(line: &str, from: usize, mut holds: impl FnMut(char, usize) -> bool) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, character) in line[from..].char_indices().map(|(at, c)| (at + from, c)) {
        let is_held = holds(character, at);
        if character.is_whitespace() && !is_held {
            words.extend(start.take().map(|start| word(line, start..at)));
        } else if start.is_none() {
            start = Some(at);
        }
    }
    words.extend(start.map(|start| word(line, start..line.len())));
    words
}

fn word(line: &str, at: Range<usize>) -> Word {
    Word { text: line[at.clone()].to_owned(), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_hold_a_word_together() {
        let texts = |line| -> Vec<String> {
            split_quoted(line, 0, '\\').into_iter().map(|word| word.text).collect()
        };
        assert_eq!(texts(r#"a="b c"  d=e\ f 'g "h'"#), [r#"a="b c""#, r"d=e\ f", r#"'g "h'"#]);
        assert_eq!(texts(r#""a\" b" c"#), [r#""a\" b""#, "c"]);
        assert_eq!(texts("  "), Vec::<String>::new());
        assert_eq!(split_plain("ab  c", 2)[0].at, 4..5);
    }
}
