//! The stages of all running pipelines, folded from their progress into lines. Draws nothing.

use super::{
    paint::{Paint, cut, width},
    stage_line::{StageLine, StageState},
};
use crate::moment::span;
use fairway_pipeline::{Beginning, Progress, ProgressEvent, StagePhase};
use std::time::Instant;

/// Most columns of a stage's name.
const NAME_MAX: usize = 40;

/// How much a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Of a line.
    pub columns: usize,
    /// Of the screen.
    pub rows: usize,
}

/// All stages.
#[derive(Debug)]
pub struct Board {
    stages: Vec<StageLine>,
    begun: Instant,
    asked: Asked,
}

/// What somebody wants of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    GoOn,
    Stop,
}

impl Board {
    /// Nothing goes on yet.
    pub fn new(now: Instant) -> Self {
        Self { stages: Vec::new(), begun: now, asked: Asked::GoOn }
    }

    /// Somebody asked to stop.
    pub fn stop(&mut self) {
        self.asked = Asked::Stop;
    }

    /// Takes in what happened. Returns the lines that stay.
    pub fn apply(&mut self, progress: &Progress, now: Instant) -> Vec<String> {
        let name_width = self.name_width();
        let run = progress.run;
        match &progress.event {
            ProgressEvent::RunStarted { stages, beginning, .. } => {
                let lines =
                    stages.iter().map(|stage| StageLine::new(run, &progress.service, stage));
                self.stages.extend(lines);
                match beginning {
                    Beginning::New => Vec::new(),
                    Beginning::Continued => {
                        vec![format!("  {}: run {run} goes on", progress.service)]
                    }
                }
            }
            ProgressEvent::StageEntered { stage, phase } => {
                self.on(|line| line.is(run, stage), |line| line.enter(phase, now));
                Vec::new()
            }
            ProgressEvent::Line { stage, text, .. } => {
                self.on(|line| line.is(run, stage), |line| line.wrote(text));
                Vec::new()
            }
            ProgressEvent::StageFinished { stage, result } => {
                let end = |line: &mut StageLine| line.end(result, name_width);
                self.on(|line| line.is(run, stage), end).unwrap_or_default()
            }
            ProgressEvent::RunFinished { .. } => Vec::new(),
        }
    }

    /// The lines that change: a line for each busy stage as far as there is room, and a count.
    pub fn lines(&self, size: Size, now: Instant) -> Vec<String> {
        let mut busy: Vec<&StageLine> = self
            .stages
            .iter()
            .filter(|line| matches!(line.state, StageState::Busy { .. }))
            .collect();
        let room = size.rows.saturating_sub(3);
        let mut hidden = 0;
        if busy.len() > room {
            busy.sort_by_key(|line| is_waiting(line));
            hidden = busy.len() - room;
            busy.truncate(room);
        }
        let name_width = self.name_width();
        let lines = busy.iter().filter_map(|line| line.busy(name_width, size.columns, now));
        let mut lines: Vec<String> = lines.collect();
        lines.push(Paint::Faint.on(&cut(&self.count(hidden, now), size.columns)));
        lines
    }

    fn count(&self, hidden: usize, now: Instant) -> String {
        let ended = self.stages.iter().filter(|line| line.state == StageState::Ended).count();
        let took = span(now.saturating_duration_since(self.begun));
        let more = if hidden > 0 { format!("{hidden} more, ") } else { String::new() };
        let stopping = match self.asked {
            Asked::GoOn => "",
            Asked::Stop => "; stopping, Ctrl-C once more ends at once",
        };
        format!("  {more}{ended} of {} stages ended, {took}{stopping}", self.stages.len())
    }

    fn on<T>(
        &mut self,
        is_meant: impl Fn(&StageLine) -> bool,
        act: impl FnOnce(&mut StageLine) -> T,
    ) -> Option<T> {
        self.stages.iter_mut().find(|line| is_meant(line)).map(act)
    }

    fn name_width(&self) -> usize {
        self.stages.iter().map(|line| width(&line.name)).max().unwrap_or(0).min(NAME_MAX)
    }
}

fn is_waiting(line: &StageLine) -> bool {
    matches!(&line.state, StageState::Busy { phase: StagePhase::Queued, .. })
}

#[cfg(test)]
mod tests;
