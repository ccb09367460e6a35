//! Chooses how progress is shown.

use super::{command::CommandView, lines, live::Live};
use crate::{
    printer::{Format, Printer},
    settings::Audience,
};
use fairway_pipeline::Progress;

/// How progress is shown.
pub enum View {
    /// Lines for people and files.
    Lines,
    /// A JSON object per event.
    Json,
    /// What a command writes, as it is.
    Command(CommandView),
    /// Lines that change in place.
    Live(Live),
}

impl View {
    /// The view for who reads.
    pub fn of(printer: &Printer) -> Self {
        match printer.format {
            Format::Json => Self::Json,
            Format::Text => Self::for_people(printer),
        }
    }

    /// The view on standard error, whatever form data takes.
    pub fn for_people(printer: &Printer) -> Self {
        match (printer.audience, printer.format) {
            (Audience::Terminal, Format::Text) => Live::open().map_or(Self::Lines, Self::Live),
            _ => Self::Lines,
        }
    }

    /// The view of a command that so many services run. That of a single one is passed on.
    pub fn of_command(printer: &Printer, services: usize) -> Self {
        match (printer.format, services) {
            (Format::Json, _) => Self::Json,
            (Format::Text, 1) => Self::Command(CommandView::default()),
            (Format::Text, _) => Self::Lines,
        }
    }

    /// Shows what happened.
    pub fn show(&mut self, progress: &Progress, printer: &mut Printer) {
        match self {
            Self::Lines => lines::show(progress, printer),
            Self::Json => printer.json(progress),
            Self::Command(command) => command.show(progress, printer),
            Self::Live(live) => live.show(progress),
        }
    }

    /// Shows that time passes.
    pub fn tick(&mut self) {
        if let Self::Live(live) = self {
            live.draw();
        }
    }

    /// Says that somebody asked to stop.
    pub fn stopping(&mut self, printer: &mut Printer) {
        match self {
            Self::Live(live) => live.stopping(),
            Self::Lines | Self::Json | Self::Command(_) => {
                printer.talk("stopping; once more ends at once\n");
            }
        }
    }

    /// Leaves on the terminal what is worth keeping.
    pub fn close(&mut self) {
        if let Self::Live(live) = self {
            live.close();
        }
    }
}
