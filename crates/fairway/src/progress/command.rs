//! A command in the place of a stage's steps: what it writes is passed on as it is, the rest is
//! told as lines.

use super::lines;
use crate::printer::Printer;
use fairway_engine::LogStream;
use fairway_model::StageName;
use fairway_pipeline::{Progress, ProgressEvent};

/// The command of one run.
#[derive(Debug, Default)]
pub struct CommandView {
    /// The stage as which it runs, as soon as that is known.
    stage: Option<StageName>,
}

impl CommandView {
    /// Shows what happened.
    pub fn show(&mut self, progress: &Progress, printer: &mut Printer) {
        match &progress.event {
            ProgressEvent::RunStarted { stages, .. } => self.stage = stages.last().cloned(),
            ProgressEvent::Line { stage, stream: Some(stream), text } if self.is(stage) => {
                let line = format!("{text}\n");
                return match stream {
                    LogStream::Stdout => printer.data(&line),
                    LogStream::Stderr => printer.talk(&line),
                };
            }
            _ => {}
        }
        lines::show(progress, printer);
    }

    fn is(&self, stage: &StageName) -> bool {
        self.stage.as_ref() == Some(stage)
    }
}
