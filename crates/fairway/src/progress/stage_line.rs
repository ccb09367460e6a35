//! One stage as a line that changes until it ends.

use super::paint::{Paint, cut, pad, visible, width};
use crate::moment::span;
use fairway_model::{RunId, ServiceName, StageName};
use fairway_pipeline::{StageOutcome, StagePhase, StageResult};
use std::{collections::VecDeque, time::Instant};

/// How many of its last lines a failed stage shows.
const TAIL_MAX: usize = 10;
/// Most characters of a line that are kept.
const LINE_MAX: usize = 400;
/// Columns of what a stage is doing.
const DOING_WIDTH: usize = 9;
/// Columns of a time.
const TIME_WIDTH: usize = 7;
/// What turns while a stage is busy, ten times a second.
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// A stage of a running pipeline.
#[derive(Debug)]
pub struct StageLine {
    run: RunId,
    /// `orders/unit`.
    pub name: String,
    stage: StageName,
    /// How it stands.
    pub state: StageState,
    tail: VecDeque<String>,
}

/// How a stage stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageState {
    /// It has not begun.
    Waiting,
    /// It does something.
    Busy {
        /// What.
        phase: StagePhase,
        /// Since when it is not waiting for its turn.
        since: Instant,
    },
    /// It ended.
    Ended,
}

impl StageLine {
    /// A stage that has not begun.
    pub fn new(run: RunId, service: &ServiceName, stage: &StageName) -> Self {
        Self {
            run,
            name: format!("{service}/{stage}"),
            stage: stage.clone(),
            state: StageState::Waiting,
            tail: VecDeque::new(),
        }
    }

    /// Whether this is the stage of a run.
    pub fn is(&self, run: RunId, stage: &StageName) -> bool {
        self.run == run && self.stage == *stage
    }

    /// It does something else from now on. The time it waits for its turn does not count.
    pub fn enter(&mut self, phase: &StagePhase, now: Instant) {
        let since = match &self.state {
            StageState::Busy { phase, since } if *phase != StagePhase::Queued => *since,
            StageState::Busy { .. } | StageState::Waiting | StageState::Ended => now,
        };
        self.state = StageState::Busy { phase: phase.clone(), since };
    }

    /// It wrote a line.
    pub fn wrote(&mut self, text: &str) {
        let shown: String = visible(text).chars().take(LINE_MAX).collect();
        if shown.trim().is_empty() {
            return;
        }
        self.tail.push_back(shown);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_MAX));
    }

    /// What it does now, as one line; none if it does nothing.
    pub fn busy(&self, name_width: usize, columns: usize, now: Instant) -> Option<String> {
        let StageState::Busy { phase, since } = &self.state else { return None };
        let took = now.saturating_duration_since(*since);
        let (doing, about) = described(phase);
        let head = format!(
            " {} {} {:>TIME_WIDTH$}  ",
            pad(&self.name, name_width),
            pad(doing, DOING_WIDTH),
            span(took)
        );
        let spinner = SPINNER[usize::try_from(took.as_millis() / 100).unwrap_or(0) % SPINNER.len()];
        let last = self.tail.back().cloned().or(about).unwrap_or_default();
        let room = columns.saturating_sub(1 + width(&head));
        let (spinner, last) = (Paint::Busy.on(spinner), Paint::Faint.on(&cut(&last, room)));
        let line = format!("{spinner}{}{last}", cut(&head, columns.saturating_sub(1)));
        Some(line.trim_end().to_owned())
    }

    /// It ended. Returns the lines that stay.
    pub fn end(&mut self, result: &StageResult, name_width: usize) -> Vec<String> {
        self.state = StageState::Ended;
        let text = result.outcome.to_string();
        let said = text.lines().next().unwrap_or_default();
        let (mark, paint) = match &result.outcome {
            StageOutcome::Passed | StageOutcome::Cached { .. } => ("✓", Paint::Good),
            StageOutcome::Failed { .. } => ("✗", Paint::Bad),
            StageOutcome::Skipped { .. } | StageOutcome::Cancelled => ("-", Paint::Faint),
        };
        let took = match &result.outcome {
            StageOutcome::Passed | StageOutcome::Failed { .. } | StageOutcome::Cancelled => {
                Paint::Faint.on(&format!("  {}", span(result.duration)))
            }
            StageOutcome::Cached { .. } | StageOutcome::Skipped { .. } => String::new(),
        };
        let name = pad(&self.name, name_width);
        let mut lines = vec![format!("{} {name} {said}{took}", paint.on(mark))];
        if matches!(result.outcome, StageOutcome::Failed { .. }) {
            lines.extend(self.failure(&result.outcome));
        }
        self.tail.clear();
        lines
    }

    /// What helps to understand a failure.
    fn failure(&self, outcome: &StageOutcome) -> Vec<String> {
        let tail = self.tail.iter().map(|line| Paint::Faint.on(&format!("  │ {line}")));
        let more = more_of(outcome).into_iter().map(|line| format!("  {line}"));
        let logs = format!("  all it wrote: `fairway logs {} {}`", self.run, self.stage);
        tail.chain(more).chain([logs]).collect()
    }
}

/// What is known of an outcome beyond its first line: causes, and the last lines of a neighbour.
pub fn more_of(outcome: &StageOutcome) -> Vec<String> {
    let text = outcome.to_string();
    let mut more: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    if let StageOutcome::Failed { cause } = outcome {
        more.extend(cause.log().iter().map(|line| format!("│ {}", visible(line))));
    }
    more
}

/// A phase in a word, and what there is to say of it until the stage writes a line.
fn described(phase: &StagePhase) -> (&'static str, Option<String>) {
    match phase {
        StagePhase::Preparing => ("preparing", None),
        StagePhase::Queued => ("queued", None),
        StagePhase::Neighbours { waiting_for } => {
            ("waiting", Some(format!("for {}", waiting_for.join(", "))))
        }
        StagePhase::Running => ("running", None),
        StagePhase::Step { text, .. } => {
            ("running", Some(format!("$ {}", text.lines().next().unwrap_or_default())))
        }
        StagePhase::Collecting => ("finishing", None),
        StagePhase::Lost => ("restarted", Some("what watched it was killed".to_owned())),
    }
}
