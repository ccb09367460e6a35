//! Diagnostics as text for people.

use super::Diagnostic;
use std::fmt::Write;
use unicode_width::UnicodeWidthChar;

const TAB: &str = "    ";

/// Whether a text is coloured with ANSI escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// Plain text.
    #[default]
    Off,
    /// ANSI escapes.
    On,
}

/// The parts of a diagnostic that have a colour (ECMA-48, section 8.3.117).
#[derive(Clone, Copy)]
enum Paint {
    Error,
    Frame,
    Strong,
}

impl Colour {
    fn paint(self, paint: Paint, text: &str) -> String {
        let code = match (self, paint) {
            (Colour::Off, _) => return text.to_owned(),
            (Colour::On, Paint::Error) => "1;31",
            (Colour::On, Paint::Frame) => "1;34",
            (Colour::On, Paint::Strong) => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

impl Diagnostic {
    /// Shows the message, the place, the line with a caret under it, and what to do.
    pub fn render(&self, colour: Colour) -> String {
        let number = self.span.line.to_string();
        let margin = " ".repeat(number.len());
        let frame = |text: &str| colour.paint(Paint::Frame, text);
        let (before, marked) = self.excerpt.split(self.span.column, self.span.length);
        let cut = if self.excerpt.skipped > 0 { "…" } else { "" };
        let indent = " ".repeat(width(cut) + width(&printable(&before)));
        let carets = "^".repeat(width(&printable(&marked)).max(1));
        let mut caret = carets;
        if let Some(text) = self.caret_text() {
            caret = format!("{caret} {}", printable(&text));
        }
        let mut text = String::new();
        let lines = [
            format!(
                "{}{}",
                colour.paint(Paint::Error, "error"),
                colour.paint(Paint::Strong, &format!(": {}", printable(&self.message)))
            ),
            format!(
                "{margin}{} {}:{}:{}",
                frame("-->"),
                printable(&self.path),
                self.span.line,
                self.span.column
            ),
            format!("{margin} {}", frame("|")),
            format!("{} {cut}{}", frame(&format!("{number} |")), printable(&self.excerpt.text)),
            format!("{margin} {} {indent}{}", frame("|"), colour.paint(Paint::Error, &caret)),
        ];
        for line in lines {
            push_line(&mut text, &line);
        }
        if let Some(hint) = &self.hint {
            push_line(&mut text, &format!("{margin} {} hint: {}", frame("="), printable(hint)));
        }
        text
    }
}

/// Shows several diagnostics, in order of file and place, with an empty line between two.
pub fn render_all(diagnostics: &[Diagnostic], colour: Colour) -> String {
    let texts: Vec<_> = diagnostics.iter().map(|one| one.render(colour)).collect();
    texts.join("\n")
}

fn push_line(text: &mut String, line: &str) {
    writeln!(text, "{}", line.trim_end()).expect("writing to a string cannot fail");
}

/// Text without control characters, which could move a terminal's cursor, and with tabs of a fixed
/// width.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push_str(TAB),
            character if character.is_control() => shown.push(char::REPLACEMENT_CHARACTER),
            '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.push(char::REPLACEMENT_CHARACTER);
            }
            character => shown.push(character),
        }
    }
    shown
}

/// The columns that a text takes on a terminal (Unicode Standard Annex 11).
fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::{SourceText, Span};
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_diagnostic_shows_its_line_and_what_was_meant() {
        let source = SourceText::new("services/orders/fairway.yaml", "a: 1\nb: 2\ndepliy: x\n");
        let span = Span { line: 3, column: 1, length: 6 };
        let diagnostic = source.diagnose(span, "unknown key `depliy`").suggest(Some("deploy"));
        expect![[r"
            error: unknown key `depliy`
             --> services/orders/fairway.yaml:3:1
              |
            3 | depliy: x
              | ^^^^^^ did you mean `deploy`?
        "]]
        .assert_eq(&diagnostic.render(Colour::Off));
        assert!(diagnostic.render(Colour::On).starts_with("\u{1b}[1;31merror\u{1b}[0m"));
    }

    #[test]
    fn carets_stand_right_under_wide_characters_and_tabs() {
        let source = SourceText::new("f.yaml", "日本: [\tx, y]\n");
        let span = Span { line: 1, column: 7, length: 1 };
        expect![[r"
            error: wrong
             --> f.yaml:1:7
              |
            1 | 日本: [    x, y]
              |            ^
        "]]
        .assert_eq(&source.diagnose(span, "wrong").render(Colour::Off));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = format!("{}here{}", "a".repeat(1000), "b".repeat(1000));
        let source = SourceText::new("f.yaml", &line);
        let shown = source.diagnose(Span { line: 1, column: 1001, length: 4 }, "wrong");
        let shown = shown.render(Colour::Off);
        let line = shown.lines().nth(3).unwrap().find("here");
        let caret = shown.lines().nth(4).unwrap().find('^');
        // The sign for what was cut takes three bytes and one column.
        assert_eq!(line.map(|at| at - 2), caret);
        assert!(shown.len() < 500);
    }

    #[test]
    fn nothing_in_a_file_can_move_the_cursor() {
        let source = SourceText::new("f.yaml", "a: \u{1b}[2Jb\u{202e}c");
        let shown = source.diagnose(Span::START, "wrong \u{7}").render(Colour::Off);
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
    }
}
