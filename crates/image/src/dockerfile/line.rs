//! Lines of a Dockerfile joined to instructions: comments go, continued lines are joined, and every
//! character still knows where it stood.

use fairway_model::Span;
use std::ops::Range;

/// What a line ends with to go on in the next one.
pub(crate) const ESCAPE: char = '\\';

/// One instruction's text on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The text without line breaks.
    pub(crate) text: String,
    pieces: Vec<Piece>,
}

/// Where a part of the text came from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Where it starts in the text.
    at: usize,
    line: u32,
    column: u32,
}

impl Line {
    /// The place of a part of the text; it ends where the line of the file ends.
    pub(crate) fn span(&self, range: &Range<usize>) -> Span {
        let index = self.pieces.partition_point(|piece| piece.at <= range.start).max(1) - 1;
        let end = self.pieces.get(index + 1).map_or(self.text.len(), |next| next.at);
        let piece = &self.pieces[index];
        let start = range.start.min(self.text.len());
        let before = characters(&self.text[piece.at..start]);
        let length = characters(&self.text[start..range.end.clamp(start, end.max(start))]);
        Span { line: piece.line, column: piece.column + before, length }
    }

    /// The place of the whole, as far as its first line goes.
    pub(crate) fn whole(&self) -> Span {
        self.span(&(0..self.text.len()))
    }
}

fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// The escape character that a `# escape=` directive sets. Directives stand before all else.
pub(crate) fn escape_of(text: &str) -> Result<char, u32> {
    for (number, line) in (1..).zip(text.lines()) {
        let Some(comment) = line.trim().strip_prefix('#') else { break };
        let Some((name, value)) = comment.split_once('=') else { break };
        if !name.trim().eq_ignore_ascii_case("escape") {
            continue;
        }
        return match value.trim() {
            "\\" => Ok('\\'),
            "`" => Ok('`'),
            _ => Err(number),
        };
    }
    Ok(ESCAPE)
}

/// Joins the lines of a Dockerfile to instructions.
pub(crate) fn join(text: &str, escape: char) -> Vec<Line> {
    let mut done = Vec::new();
    let mut open: Option<Line> = None;
    for (number, raw) in (1..).zip(text.lines()) {
        let is_comment = raw.trim_start().starts_with('#');
        if is_comment || raw.trim().is_empty() {
            continue;
        }
        let content = if open.is_some() { raw } else { raw.trim_start() };
        let column = characters(&raw[..raw.len() - content.len()]) + 1;
        let (content, goes_on) = match continued(content, escape) {
            Some(content) => (content, true),
            None => (content, false),
        };
        let line = open.get_or_insert_with(|| Line { text: String::new(), pieces: Vec::new() });
        line.pieces.push(Piece { at: line.text.len(), line: number, column });
        line.text.push_str(content);
        if !goes_on {
            done.extend(open.take());
        }
    }
    done.extend(open);
    done
}

/// The line without the escape at its end, if it has one. Two of them are not an escape.
fn continued(line: &str, escape: char) -> Option<&str> {
    let line = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    if line.ends_with(escape) { None } else { Some(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_are_joined_and_keep_their_places() {
        let lines = join("# c\nRUN a \\\n  # comment\n\n  && b\n\n  USER x\n", ESCAPE);
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["RUN a   && b", "USER x"]);
        assert_eq!(lines[0].span(&(8..10)), Span { line: 5, column: 3, length: 2 });
        assert_eq!(lines[0].whole(), Span { line: 2, column: 1, length: 6 });
        assert_eq!(lines[1].whole(), Span { line: 7, column: 3, length: 6 });
    }

    #[test]
    fn the_escape_directive_stands_first() {
        assert_eq!(escape_of("# syntax=x\n# escape=`\nFROM a"), Ok('`'));
        assert_eq!(escape_of("FROM a\n# escape=`"), Ok('\\'));
        assert_eq!(escape_of("# note\n# escape=`"), Ok('\\'));
        assert_eq!(escape_of("# escape=x"), Err(1));
        assert_eq!(join("RUN a `\n b", '`')[0].text, "RUN a  b");
        assert_eq!(join(r"RUN a \\", '\\')[0].text, r"RUN a \\");
    }
}
