//! Draws the board at the bottom of a terminal; lines that stay go above it.

use super::{
    board::Board,
    terminal::{QuietKeys, size},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Instant;

/// How often a terminal is drawn at most, in a second.
const DRAWN_MAX: u8 = 20;
/// A board on a terminal.
pub struct Live {
    board: Board,
    bar: ProgressBar,
    keys: Option<QuietKeys>,
}

impl Live {
    /// Takes the bottom of the terminal on standard error; none if that is too simple a terminal.
    pub fn open() -> Option<Self> {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWN_MAX);
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{msg}").expect("the template is right"));
        let begin = || Self {
            board: Board::new(Instant::now()),
            bar: bar.clone(),
            keys: Some(QuietKeys::begin()),
        };
        (!bar.is_hidden()).then(begin)
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
    pub fn close(&mut self) {
        self.bar.finish_and_clear();
        self.keys = None;
    }
}
