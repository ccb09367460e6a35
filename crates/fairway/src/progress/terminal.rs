//! The terminal on which lines change in place.

use super::board::Size;
use rustix::{
    process::getpgrp,
    termios::{LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr},
};
use std::io;

/// What is taken for the size of a terminal that does not tell.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// How much the terminal on standard error shows now.
pub fn size() -> Size {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
        }
        _ => USUAL,
    }
}

/// While this lives, the terminal does not show Ctrl-C as `^C`, which would shift the lines that
/// change. Does nothing without a terminal, or in the background, where a change would stop the
/// process.
pub struct QuietKeys {
    taken: LocalModes,
}

impl QuietKeys {
    /// Keeps control characters from being shown.
    pub fn begin() -> Self {
        Self { taken: change(|modes| modes - LocalModes::ECHOCTL) }
    }
}

impl Drop for QuietKeys {
    fn drop(&mut self) {
        change(|modes| modes | self.taken);
    }
}

/// Changes the modes of the terminal; returns those that were taken away. A terminal that cannot
/// be changed stays as it is: only its looks suffer.
fn change(to: impl Fn(LocalModes) -> LocalModes) -> LocalModes {
    let keys = io::stdin();
    let is_ours = tcgetpgrp(&keys).is_ok_and(|group| group == getpgrp());
    let Some(mut terminal) = is_ours.then(|| tcgetattr(&keys).ok()).flatten() else {
        return LocalModes::empty();
    };
    let before = terminal.local_modes;
    terminal.local_modes = to(before);
    let taken = before - terminal.local_modes;
    match tcsetattr(&keys, OptionalActions::Now, &terminal) {
        Ok(()) => taken,
        Err(_) => LocalModes::empty(),
    }
}
