//! Runs as people look at them.

use super::lock::RunLock;
use crate::{RecordError, RunLogs, RunOutcome, RunRecord, RunSummaries, RunSummary, StageOutcome};
use fairway_ledger::Ledger;
use fairway_model::{RunId, StageName};
use serde::Serialize;

/// Looks at the runs of a data directory.
#[derive(Debug, Clone)]
pub struct Runs {
    ledger: Ledger,
    logs: RunLogs,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Somebody drives it.
    Running,
    /// Its driver was killed; the same request continues it.
    Abandoned,
    /// It ended.
    Ended(RunOutcome),
}

/// A run with how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunView<T> {
    /// What is known of it.
    #[serde(flatten)]
    pub run: T,
    /// How it stands.
    pub standing: Standing,
}

impl Runs {
    /// The runs of a ledger with their logs.
    pub fn new(ledger: Ledger, logs: RunLogs) -> Self {
        Self { ledger, logs }
    }

    /// The newest runs, the newest first.
    pub async fn last(&self, limit: usize) -> Result<Vec<RunView<RunSummary>>, RecordError> {
        let rows = self.ledger.last_rows::<RunSummaries>(limit).await?;
        let view = |(_, run): (_, RunSummary)| {
            let standing = self.standing(run.run, run.outcome);
            RunView { run, standing }
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// All that is known of one run.
    pub async fn get(&self, run: RunId) -> Result<Option<RunView<RunRecord>>, RecordError> {
        let found = RunRecord::read(&self.ledger, run).await?;
        Ok(found.map(|(record, _)| {
            let standing = self.standing(run, record.outcome);
            RunView { run: record, standing }
        }))
    }

    /// The run whose log has a stage's output: this one, or the one in which it passed before. None
    /// if there is no such run or stage.
    pub async fn origin(
        &self,
        run: RunId,
        stage: &StageName,
    ) -> Result<Option<RunId>, RecordError> {
        let found = RunRecord::read(&self.ledger, run).await?;
        let Some((record, _)) = found else { return Ok(None) };
        let has_stage = record.stages.iter().any(|found| &found.stage == stage);
        Ok(has_stage.then(|| match record.result(stage).map(|result| &result.outcome) {
            Some(StageOutcome::Cached { run }) => *run,
            _ => run,
        }))
    }

    fn standing(&self, run: RunId, outcome: Option<RunOutcome>) -> Standing {
        match outcome {
            Some(outcome) => Standing::Ended(outcome),
            None if RunLock::is_held(&self.logs.folder(run)) => Standing::Running,
            None => Standing::Abandoned,
        }
    }
}
