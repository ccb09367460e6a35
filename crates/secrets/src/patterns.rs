//! The texts by which a secret shows in a log.

use crate::value::SecretValue;
use aho_corasick::AhoCorasick;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};

/// What stands for a secret in a log.
pub const MASK: &str = "***";
/// Shorter values, in bytes, are not masked: they would blot out ordinary text.
pub const MASKED_MIN: usize = 4;
/// Shorter lines, in bytes, of a value of several lines are not masked by themselves.
const LINE_MIN: usize = 8;

/// All patterns of some secrets: each value as it is, the lines of one of several lines, and in
/// base64 (both alphabets) at each of the three places where it can start in a group.
pub(crate) struct Patterns {
    automaton: AhoCorasick,
    sorted: Vec<Vec<u8>>,
    longest: usize,
}

impl Patterns {
    pub(crate) fn new<'a>(values: impl IntoIterator<Item = &'a SecretValue>) -> Self {
        let mut sorted: Vec<Vec<u8>> = values.into_iter().flat_map(patterns).collect();
        sorted.sort();
        sorted.dedup();
        let longest = sorted.iter().map(Vec::len).max().unwrap_or(0);
        let automaton = AhoCorasick::new(&sorted);
        let automaton = automaton.expect("patterns of bounded secrets fit into an automaton");
        Self { automaton, sorted, longest }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Where patterns are, from left to right; those that overlap are one.
    pub(crate) fn find(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let found = self.automaton.find_overlapping_iter(text);
        let mut spans: Vec<(usize, usize)> = found.map(|at| (at.start(), at.end())).collect();
        spans.sort_unstable();
        merge(spans)
    }

    /// Where the first pattern may start that goes on after the end of the text; the end if none.
    pub(crate) fn open_end(&self, text: &[u8]) -> usize {
        let first = text.len().saturating_sub(self.longest.saturating_sub(1));
        (first..text.len()).find(|&start| self.is_beginning(&text[start..])).unwrap_or(text.len())
    }

    /// Whether a pattern starts with this text and goes on.
    fn is_beginning(&self, text: &[u8]) -> bool {
        let next = self.sorted.partition_point(|pattern| pattern.as_slice() <= text);
        self.sorted.get(next).is_some_and(|pattern| pattern.starts_with(text))
    }
}

/// Joins sorted spans that overlap.
pub(crate) fn merge(spans: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut merged: Vec<(usize, usize)> = Vec::with_capacity(spans.len());
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn patterns(value: &SecretValue) -> Vec<Vec<u8>> {
    let text = value.expose();
    if text.len() < MASKED_MIN {
        return Vec::new();
    }
    let lines = text.lines().map(str::trim).filter(|line| line.len() >= LINE_MIN);
    let mut patterns: Vec<Vec<u8>> = lines.map(|line| line.as_bytes().to_vec()).collect();
    patterns.push(text.as_bytes().to_vec());
    for before in 0..3 {
        patterns.push(base64_core(&BASE64_STANDARD_NO_PAD, text.as_bytes(), before));
        patterns.push(base64_core(&BASE64_URL_SAFE_NO_PAD, text.as_bytes(), before));
    }
    patterns
}

/// The characters of a value's base64 that depend on nothing but the value, when `before` bytes of
/// its first group of three are something else.
fn base64_core(engine: &impl Engine, value: &[u8], before: usize) -> Vec<u8> {
    let padded = [&[0; 3][..before], value].concat();
    let mut encoded = engine.encode(&padded).into_bytes();
    encoded.truncate(padded.len() * 8 / 6);
    let mixed = (before * 8).div_ceil(6);
    encoded.split_off(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_found_wherever_it_starts() {
        let patterns = Patterns::new([&"hunter2".parse().unwrap()]);
        for before in 0..4 {
            for after in 0..4 {
                let text = format!("{}hunter2{}", "<".repeat(before), "?".repeat(after));
                for encoded in
                    [BASE64_STANDARD_NO_PAD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)]
                {
                    assert_eq!(patterns.find(encoded.as_bytes()).len(), 1, "{text} {encoded}");
                }
            }
        }
    }

    #[test]
    fn an_open_end_is_the_start_of_a_pattern() {
        let patterns = Patterns::new([&"hunter2".parse().unwrap()]);
        for (text, end) in [("", 0), ("see", 3), ("see hun", 4), ("hunter2", 7), ("hhunter", 1)] {
            assert_eq!(patterns.open_end(text.as_bytes()), end, "{text}");
        }
    }
}
