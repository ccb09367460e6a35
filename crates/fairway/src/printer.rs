//! The only place that writes to standard output and standard error.

use crate::{
    failure::{Doing, Failure},
    settings::Audience,
};
use fairway_model::{Colour, Diagnostic, render_all};
use indicatif::ProgressBar;
use rustix::termios::tcgetwinsize;
use serde::Serialize;
use std::{
    io::{self, BufRead, IsTerminal, Write},
    time::Duration,
};

/// How often the sign of life of a live line moves.
const TICK: Duration = Duration::from_millis(100);

/// Writes data to standard output and talk to standard error.
pub struct Printer {
    /// What form data takes.
    pub format: Format,
    /// Who reads.
    pub audience: Audience,
}

/// What form data takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value, or one per line for streams.
    Json,
}

/// A line at the bottom of a terminal, gone with the value.
pub struct LiveLine {
    bar: ProgressBar,
}

impl LiveLine {
    fn open() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// Shows another text.
    pub fn show(&self, text: String) {
        self.bar.set_message(text);
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Printer {
    /// Writes text data; a closed pipe ends the program quietly.
    pub fn data(&mut self, text: &str) {
        write(io::stdout().lock(), text);
    }

    /// Writes one JSON value on a line.
    pub fn json(&mut self, value: &impl Serialize) {
        let text = serde_json::to_string(value).expect("what is printed has a JSON form");
        self.data(&(text + "\n"));
    }

    /// Says something to the person.
    pub fn talk(&mut self, text: &str) {
        write(io::stderr().lock(), text);
    }

    /// A line at the bottom of the terminal that changes; none if nobody watches.
    pub fn live_line(&self) -> Option<LiveLine> {
        let is_watched = (self.format, self.audience) == (Format::Text, Audience::Terminal);
        is_watched.then(LiveLine::open)
    }

    /// How many columns the terminal has that shows the data; none if something else takes them, or
    /// colour is not wanted.
    pub fn columns(&self) -> Option<usize> {
        let is_shown = self.audience == Audience::Terminal && io::stdout().is_terminal();
        let size = is_shown.then(|| tcgetwinsize(io::stdout()).ok()).flatten()?;
        (size.ws_col > 0).then_some(size.ws_col.into())
    }

    /// Shows what is going to happen and asks whether to go on. Without a terminal nobody can
    /// answer, which is wrong usage.
    pub fn confirm(&mut self, verb: &str, what: &str) -> Result<bool, Failure> {
        if self.audience != Audience::Terminal {
            let message = format!("`{verb}` asks first, and nobody is there to answer");
            return Err(Failure::usage(message).hint("add `--yes`"));
        }
        self.talk(&format!("{what}\ngo on? [y/N] "));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).doing("read the answer")?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Reports what is wrong in files: to the person as text, to programs as one JSON array.
    pub fn diagnostics(&mut self, diagnostics: &[Diagnostic]) {
        match (self.format, self.audience) {
            (Format::Json, _) => self.json(&diagnostics),
            (Format::Text, Audience::Terminal) => self.talk(&render_all(diagnostics, Colour::On)),
            (Format::Text, Audience::Plain) => self.talk(&render_all(diagnostics, Colour::Off)),
        }
    }

    /// Writes rows under a header with aligned columns.
    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>]) {
        self.data(&aligned(header, rows));
    }
}

fn write(mut stream: impl Write, text: &str) {
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    if written.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        std::process::exit(0);
    }
}

fn aligned(header: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut header.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [vec!["orders".to_owned(), "1".to_owned()], vec!["ä".to_owned(), "22".to_owned()]];
        expect_test::expect![[r"
            NAME    RUN
            orders  1
            ä       22
        "]]
        .assert_eq(&aligned(&["NAME", "RUN"], &rows));
    }
}
