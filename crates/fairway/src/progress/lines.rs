//! Progress as plain lines, in the order in which things happen.

use super::stage_line::more_of;
use crate::{moment::span, printer::Printer};
use fairway_pipeline::{Beginning, Progress, ProgressEvent};

/// Says what happened.
pub fn show(progress: &Progress, printer: &mut Printer) {
    let (service, run) = (&progress.service, progress.run);
    match &progress.event {
        ProgressEvent::RunStarted { revision, beginning, .. } => {
            let goes_on = match beginning {
                Beginning::New => "",
                Beginning::Continued => " goes on",
            };
            printer.talk(&format!("{service}: run {run} of {revision}{goes_on}\n"));
        }
        ProgressEvent::StageEntered { .. } => {}
        ProgressEvent::Line { stage, text, .. } => {
            printer.talk(&format!("{service}/{stage} | {text}\n"));
        }
        ProgressEvent::StageFinished { stage, result } => {
            let outcome = result.outcome.to_string();
            let said = outcome.lines().next().unwrap_or_default();
            printer.talk(&format!("{service}/{stage}: {said}\n"));
            for line in more_of(&result.outcome) {
                printer.talk(&format!("  {line}\n"));
            }
        }
        ProgressEvent::RunFinished { outcome, duration } => {
            printer.talk(&format!("{service}: {outcome} in {}\n", span(*duration)));
        }
    }
}
