//! Views of runs that stay fast however many runs there were.

use super::{RunEvent, run::CATEGORY};
use crate::{NeighbourFact, Outputs, RunOutcome, StageOutcome};
use fairway_ledger::{DecodeError, Event, Key, Projection};
use fairway_model::{Digest, Revision, RunId, ServiceName, StageName, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fn run_of(event: &Event) -> Option<RunId> {
    let id = (event.stream.category() == CATEGORY).then(|| event.stream.id()).flatten()?;
    id.parse().ok()
}

fn is_kind(event: &Event, kinds: &[&str]) -> bool {
    kinds.contains(&event.kind.as_str()) && event.stream.category() == CATEGORY
}

/// One line of a list of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub run: RunId,
    /// Whose pipeline it is.
    pub service: ServiceName,
    /// The sources.
    pub revision: Revision,
    /// How many stages it has.
    pub stages: usize,
    /// Those that ended, and how.
    pub marks: BTreeMap<StageName, StageMark>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended; without it, it goes on or its driver was killed.
    pub outcome: Option<RunOutcome>,
}

/// How a stage ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageMark {
    /// It passed.
    Passed,
    /// It had passed before with the same key.
    Cached,
    /// It failed.
    Failed,
    /// It was not started.
    Skipped,
    /// The run was cancelled while it ran.
    Cancelled,
}

impl StageMark {
    /// The word for an outcome.
    pub fn of(outcome: &StageOutcome) -> Self {
        match outcome {
            StageOutcome::Passed => Self::Passed,
            StageOutcome::Cached { .. } => Self::Cached,
            StageOutcome::Failed { .. } => Self::Failed,
            StageOutcome::Skipped { .. } => Self::Skipped,
            StageOutcome::Cancelled => Self::Cancelled,
        }
    }
}

/// All runs by their number.
pub struct RunSummaries;

impl Projection for RunSummaries {
    const NAME: &'static str = "runs";
    const VERSION: u32 = 1;
    type Row = RunSummary;

    fn key(event: &Event) -> Option<Key> {
        let kinds = ["run-started", "stage-finished", "run-finished"];
        is_kind(event, &kinds).then(|| run_of(event)).flatten().map(|run| run.0.into())
    }

    fn apply(row: Option<RunSummary>, event: &Event) -> Result<Option<RunSummary>, DecodeError> {
        Ok(match (row, event.decode()?, run_of(event)) {
            (None, RunEvent::RunStarted(start), Some(run)) => Some(RunSummary {
                run,
                service: start.service,
                revision: start.revision,
                stages: start.stages.len(),
                marks: BTreeMap::new(),
                started: event.recorded,
                ended: None,
                outcome: None,
            }),
            (Some(row), fact, _) => Some(row.after(fact, event.recorded)),
            (None, _, _) => None,
        })
    }
}

impl RunSummary {
    /// How many stages ended so.
    pub fn count(&self, mark: StageMark) -> usize {
        self.marks.values().filter(|&&found| found == mark).count()
    }

    fn after(mut self, fact: RunEvent, at: Timestamp) -> Self {
        match fact {
            RunEvent::StageFinished { stage, result } => {
                self.marks.insert(stage, StageMark::of(&result.outcome));
            }
            RunEvent::RunFinished { outcome, .. } => {
                self.outcome = Some(outcome);
                self.ended = Some(at);
            }
            _ => {}
        }
        self
    }
}

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRun {
    /// Its id.
    pub run: RunId,
    /// All that was decided before it started.
    pub plan: Digest,
}

/// The runs that have not ended, by service and plan.
pub struct OpenRuns;

impl OpenRuns {
    /// What the keys of a service's runs start with.
    pub fn prefix(service: &ServiceName) -> String {
        format!("{service}/")
    }

    fn key_of(service: &ServiceName, plan: &Digest) -> Key {
        format!("{}{}", Self::prefix(service), plan.hex()).into()
    }
}

impl Projection for OpenRuns {
    const NAME: &'static str = "open-runs";
    const VERSION: u32 = 1;
    type Row = OpenRun;

    fn key(event: &Event) -> Option<Key> {
        if !is_kind(event, &["run-started", "run-finished"]) {
            return None;
        }
        match event.decode().ok()? {
            RunEvent::RunStarted(start) => Some(Self::key_of(&start.service, &start.plan)),
            RunEvent::RunFinished { service, plan, .. } => Some(Self::key_of(&service, &plan)),
            _ => None,
        }
    }

    fn apply(row: Option<OpenRun>, event: &Event) -> Result<Option<OpenRun>, DecodeError> {
        Ok(match (event.decode()?, run_of(event)) {
            (RunEvent::RunStarted(start), Some(run)) => Some(OpenRun { run, plan: start.plan }),
            (RunEvent::RunFinished { .. }, Some(run)) => row.filter(|row| row.run != run),
            _ => row,
        })
    }
}

/// A stage that passed, and what it hands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedStage {
    /// The run in which it passed.
    pub run: RunId,
    /// What it hands on.
    pub outputs: Outputs,
    /// What took part beside it.
    pub neighbours: Vec<NeighbourFact>,
}

/// The stages that passed, by their key: the cache of stages.
pub struct PassedStages;

impl Projection for PassedStages {
    const NAME: &'static str = "passed-stages";
    const VERSION: u32 = 1;
    type Row = PassedStage;

    fn key(event: &Event) -> Option<Key> {
        if !is_kind(event, &["stage-finished"]) {
            return None;
        }
        match event.decode().ok()? {
            RunEvent::StageFinished { result, .. } if result.outcome == StageOutcome::Passed => {
                result.key.map(|key| key.hex().into())
            }
            _ => None,
        }
    }

    fn apply(_row: Option<PassedStage>, event: &Event) -> Result<Option<PassedStage>, DecodeError> {
        Ok(match (event.decode()?, run_of(event)) {
            (RunEvent::StageFinished { result, .. }, Some(run)) => {
                Some(PassedStage { run, outputs: result.outputs, neighbours: result.neighbours })
            }
            _ => None,
        })
    }
}
