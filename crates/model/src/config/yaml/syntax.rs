//! What the parser says about text that is not YAML, in words that help.

use super::position;
use crate::config::reporter::Reporter;
use crate::{Diagnostic, Span};
use saphyr_parser::ScanError;

/// What the parser says, and what a user should then do.
const ADVICE: &[(&str, &str)] = &[
    ("mapping values are not allowed", "a value with `: ` in it needs quotes"),
    ("found unknown anchor", "there is no `&` with this name before"),
    ("unexpected end of stream", "its quote is never closed"),
    ("did not find expected ',' or '}'", "a brace is never closed"),
    ("expected ',' or ']'", "a bracket is never closed"),
    ("did not find expected key", "is it indented like its neighbours?"),
];

/// Explains a fault of the parser.
pub(super) fn explain(error: &ScanError, text: &str, log: &Reporter) -> Box<Diagnostic> {
    let place = position::point(error.marker());
    if let Some(span) = tab_indent(text, place.line) {
        let wrong = log.diagnose(span, "not YAML: a tab indents this line");
        return Box::new(wrong.label("indent with spaces"));
    }
    let wrong = log.diagnose(place, format!("not YAML: {}", error.info()));
    Box::new(match ADVICE.iter().find(|(info, _)| error.info().contains(info)) {
        Some((_, advice)) => wrong.label(*advice),
        None => wrong,
    })
}

/// The indentation with a tab at or after a line: what mostly is the reason, though the parser
/// stumbles at other places.
fn tab_indent(text: &str, from: u32) -> Option<Span> {
    for (number, line) in (1..).zip(text.lines()) {
        let content = line.trim_start_matches([' ', '\t']);
        let indent = &line[..line.len() - content.len()];
        if number >= from && indent.contains('\t') && !content.is_empty() {
            let length = u32::try_from(indent.len()).unwrap_or(u32::MAX);
            return Some(Span { line: number, column: 1, length });
        }
    }
    None
}
