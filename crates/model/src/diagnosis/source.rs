//! A text that a user wrote, with its lines.

use super::{Diagnostic, Excerpt, Span};

/// A text with the path it is known by. Lines end with `\n`, `\r\n` or `\r`, as in YAML.
#[derive(Debug, Clone)]
pub struct SourceText<'t> {
    path: &'t str,
    lines: Vec<&'t str>,
}

impl<'t> SourceText<'t> {
    /// Splits a text into its lines. A byte order mark is not part of the first line.
    pub fn new(path: &'t str, text: &'t str) -> Self {
        Self { path, lines: lines(text.strip_prefix('\u{feff}').unwrap_or(text)) }
    }

    /// The path it is known by.
    pub fn path(&self) -> &'t str {
        self.path
    }

    /// A line, counted from 1, without its end.
    pub fn line(&self, number: u32) -> Option<&'t str> {
        self.lines.get((number as usize).checked_sub(1)?).copied()
    }

    /// A diagnostic of this text at a place. A length beyond the line is cut.
    pub fn diagnose(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        let line = (span.line as usize).checked_sub(1).and_then(|index| self.lines.get(index));
        let line = line.copied().unwrap_or_default();
        Diagnostic {
            path: self.path.to_owned(),
            span: Span { length: cut(line, span), ..span },
            message: message.into(),
            label: None,
            suggestion: None,
            hint: None,
            excerpt: Excerpt::around(line, span.column),
        }
    }
}

/// The length of a span, cut where the text of its line ends.
fn cut(line: &str, span: Span) -> u32 {
    let before = (span.column as usize).saturating_sub(1);
    let left = line.trim_end().chars().skip(before).take(span.length as usize).count();
    u32::try_from(left).unwrap_or(u32::MAX)
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        lines.push(&rest[..end]);
        let broken = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + broken..];
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_yaml() {
        assert_eq!(lines("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(lines(""), [""]);
        assert_eq!(SourceText::new("f", "\u{feff}a").lines, ["a"]);
    }

    #[test]
    fn a_span_ends_where_its_line_ends() {
        let source = SourceText::new("f", "key: value  \nnext");
        let diagnostic = source.diagnose(Span::rest_of_line(1, 6), "wrong");
        assert_eq!(diagnostic.span.length, 5);
    }
}
