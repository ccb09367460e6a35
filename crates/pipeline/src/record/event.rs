//! The events of runs.

use crate::{RunEvidence, RunOutcome, Selection, StageResult};
use fairway_ledger::{EventError, NewEvent};
use fairway_model::{Digest, EnvironmentName, Revision, ServiceName, StageName};
use serde::{Deserialize, Serialize};

/// A fact about one run; the events of the stream `run-ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    /// Somebody started a run.
    RunStarted(RunStart),
    /// Who drove the run was killed, and somebody else drives it on.
    RunContinued,
    /// A stage's result was not known yet, and it was started.
    StageStarted {
        /// The stage.
        stage: StageName,
        /// All that its result depends on; none for one that is never taken from before.
        key: Option<Digest>,
    },
    /// What watched the stage's container was killed, or who drove the run.
    StageLost {
        /// The stage.
        stage: StageName,
    },
    /// A stage ended, or its result was known from before.
    StageFinished {
        /// The stage.
        stage: StageName,
        /// How.
        result: Box<StageResult>,
    },
    /// The run ended.
    RunFinished {
        /// Whose pipeline it was.
        service: ServiceName,
        /// All that was decided before it started.
        plan: Digest,
        /// How.
        outcome: RunOutcome,
        /// What it proved, if it passed.
        evidence: Option<RunEvidence>,
    },
}

/// What a run is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStart {
    /// Whose pipeline it is.
    pub service: ServiceName,
    /// The sources.
    pub revision: Revision,
    /// The text of the service's `fairway.yaml`, a blob.
    pub config: Digest,
    /// Which part of the pipeline.
    pub selection: Selection,
    /// The environment whose secrets and releases it uses.
    pub target: Option<EnvironmentName>,
    /// All that was decided before it started, as one digest.
    pub plan: Digest,
    /// Its stages, each after those it needs.
    pub stages: Vec<StageName>,
}

impl RunEvent {
    /// The kind of event in the ledger.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "run-started",
            Self::RunContinued => "run-continued",
            Self::StageStarted { .. } => "stage-started",
            Self::StageLost { .. } => "stage-lost",
            Self::StageFinished { .. } => "stage-finished",
            Self::RunFinished { .. } => "run-finished",
        }
    }

    pub(crate) fn to_new(&self) -> Result<NewEvent, EventError> {
        NewEvent::new(self.kind(), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, StageOutcome};
    use expect_test::expect;

    #[test]
    fn an_event_survives_its_stored_form() {
        let mut result = StageResult::bare(StageOutcome::Failed {
            cause: Cause::Step { step: Some(1), code: 3 },
        });
        result.notes.lost = 1;
        let stage = "unit".parse().unwrap();
        let event = RunEvent::StageFinished { stage, result: Box::new(result) };
        let json = serde_json::to_string(&event).unwrap();
        expect![[r#"{"type":"stage_finished","stage":"unit","result":{"outcome":{"name":"failed","cause":{"kind":"step","step":1,"code":3}},"key":null,"outputs":{"image":null,"artifacts":null,"tests":null},"steps":[],"neighbours":[],"notes":{"memory_kills":0,"process_refusals":0,"log_dropped":0,"lost":1},"duration_ms":0}}"#]].assert_eq(&json);
        assert_eq!(serde_json::from_str::<RunEvent>(&json).unwrap(), event);
    }
}
