//! One run as a fold of its events.

use super::{RunEvent, RunStart};
use crate::{RunEvidence, RunOutcome, StageResult};
use fairway_ledger::StreamName;
use fairway_model::{RunId, StageName, Timestamp};
use serde::{Deserialize, Serialize};

/// The category of the streams of runs.
pub(crate) const CATEGORY: &str = "run";

/// The stream of a run.
pub fn run_stream(run: RunId) -> StreamName {
    StreamName::of(CATEGORY, run).expect("a category and a number name a stream")
}

/// All that is known of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub run: RunId,
    /// What it is of.
    pub start: RunStart,
    /// Its stages, each after those it needs.
    pub stages: Vec<StageRecord>,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// What it proved, if it passed.
    pub evidence: Option<RunEvidence>,
}

/// A stage of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Its name.
    pub stage: StageName,
    /// How it stands.
    pub status: StageStatus,
}

/// How a stage of a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StageStatus {
    /// Nothing was recorded of it yet.
    Waiting,
    /// It was started.
    Running,
    /// What watched it was killed; it is to be run again.
    Lost,
    /// It ended.
    Finished {
        /// How.
        result: Box<StageResult>,
    },
}

impl RunRecord {
    /// A run that has just started.
    pub fn new(run: RunId, start: RunStart, at: Timestamp) -> Self {
        let waiting =
            |stage: &StageName| StageRecord { stage: stage.clone(), status: StageStatus::Waiting };
        let stages = start.stages.iter().map(waiting).collect();
        Self { run, start, stages, started: at, ended: None, outcome: None, evidence: None }
    }

    /// Folds in one event.
    pub fn apply(&mut self, event: RunEvent, at: Timestamp) {
        match event {
            RunEvent::RunStarted(_) | RunEvent::RunContinued => {}
            RunEvent::StageStarted { stage, .. } => self.set(&stage, StageStatus::Running),
            RunEvent::StageLost { stage } => self.set(&stage, StageStatus::Lost),
            RunEvent::StageFinished { stage, result } => {
                self.set(&stage, StageStatus::Finished { result });
            }
            RunEvent::RunFinished { outcome, evidence, .. } => {
                self.outcome = Some(outcome);
                self.evidence = evidence;
                self.ended = Some(at);
            }
        }
    }

    fn set(&mut self, stage: &StageName, status: StageStatus) {
        if let Some(found) = self.stages.iter_mut().find(|found| &found.stage == stage) {
            found.status = status;
        }
    }

    /// How a stage ended, if it did.
    pub fn result(&self, stage: &StageName) -> Option<&StageResult> {
        let found = self.stages.iter().find(|found| &found.stage == stage)?;
        match &found.status {
            StageStatus::Finished { result } => Some(result),
            StageStatus::Waiting | StageStatus::Running | StageStatus::Lost => None,
        }
    }
}
