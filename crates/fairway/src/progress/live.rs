//! Draws the board at the bottom of a terminal; lines that stay go above it.

use super::board::{Board, Size};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;
use std::{io, time::Instant};

/// How often a terminal is drawn at most, in a second.
const DRAWN_MAX: u8 = 20;
/// What is taken for the size of a terminal that does not tell.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// A board on a terminal.
pub struct Live {
    board: Board,
    bar: ProgressBar,
}

impl Live {
    /// Takes the bottom of the terminal on standard error.
    pub fn open() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWN_MAX);
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{msg}").expect("the template is right"));
        Self { board: Board::new(Instant::now()), bar }
    }

    /// Takes in what happened.
    pub fn show(&mut self, progress: &fairway_pipeline::Progress) {
        let lines = self.board.apply(progress, Instant::now());
        if !lines.is_empty() {
            self.bar.println(lines.join("\n"));
            self.draw();
        }
    }

    /// Draws the board as it is now.
    pub fn draw(&self) {
        self.bar.set_message(self.board.lines(size(), Instant::now()).join("\n"));
    }

    /// Says that somebody asked to stop.
    pub fn stopping(&mut self) {
        self.board.stop();
        self.draw();
    }

    /// Gives the bottom of the terminal back.
    pub fn close(&self) {
        self.bar.finish_and_clear();
    }
}

fn size() -> Size {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
        }
        _ => USUAL,
    }
}
