//! From the parser's positions to ours.

use crate::Span;
use saphyr_parser::{Marker, ScalarStyle};

/// The place from one position to another; what goes over several lines is cut after the first.
pub(super) fn span(of: saphyr_parser::Span) -> Span {
    let (line, column) = place(&of.start);
    if of.end.line() == of.start.line() {
        Span { line, column, length: number(of.end.col().saturating_sub(of.start.col())) }
    } else {
        Span::rest_of_line(line, column)
    }
}

/// The place of a scalar's text, without the anchor or tag that the parser counts in.
pub(super) fn scalar_span(of: saphyr_parser::Span, text: &str, style: ScalarStyle) -> Span {
    let length = text.chars().count();
    if style != ScalarStyle::Plain || of.end.line() != of.start.line() || of.end.col() < length {
        return span(of);
    }
    let (line, end) = place(&of.end);
    Span { line, column: end.saturating_sub(number(length)), length: number(length) }
}

/// A place of no length.
pub(super) fn point(at: &Marker) -> Span {
    let (line, column) = place(at);
    Span { line, column, length: 0 }
}

fn place(at: &Marker) -> (u32, u32) {
    (number(at.line()).max(1), number(at.col()).saturating_add(1))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The column after the bracket that ends a list or mapping on the line where it began.
pub(super) fn end_on_line(end: saphyr_parser::Span, line: u32) -> Option<u32> {
    let (end_line, column) = place(&end.end);
    (end_line == line && !end.is_empty()).then_some(column)
}
