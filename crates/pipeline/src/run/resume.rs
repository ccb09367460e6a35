//! Whether a run is new or goes on where a killed driver stopped.

use super::{Beginning, RunError, RunRequest, lock::RunLock};
use crate::{
    LastRun, LastRuns, Plan, RecordError, RunEvent, RunLogs, RunOutcome, RunRecord, RunStart,
    Selection, StageStatus, record::Recorder,
};
use fairway_ledger::Ledger;
use fairway_model::{Digest, Hasher, RunId};

/// The place of a run's only driver.
pub(crate) struct Seat {
    pub(crate) recorder: Recorder,
    pub(crate) lock: RunLock,
    pub(crate) beginning: Beginning,
}

/// What a run is of.
pub(crate) fn start_of(request: &RunRequest, plan: &Plan) -> RunStart {
    RunStart {
        service: request.service.name.clone(),
        revision: request.revision.clone(),
        config: request.config,
        selection: request.selection.clone(),
        target: request.target.clone(),
        plan: plan_digest(request, plan),
        stages: plan.stages.iter().map(|stage| stage.name.clone()).collect(),
    }
}

/// All that was decided before a run starts. Where the checkout is does not count.
fn plan_digest(request: &RunRequest, plan: &Plan) -> Digest {
    let selection = serde_json::to_string(&request.selection).expect("a selection has a JSON form");
    let mut hasher = Hasher::new();
    hasher.field(request.service.name.as_str());
    hasher.field(request.config.as_bytes());
    hasher.field(request.revision.tree.0.as_bytes());
    hasher.field(request.revision.to_string());
    hasher.field(selection);
    hasher.field(request.target.as_ref().map_or("", |target| target.as_str()));
    for stage in &plan.stages {
        hasher.field(stage.name.as_str());
    }
    hasher.finish()
}

/// Continues the service's last run if it is of the same and nobody drives it; else starts one.
pub(crate) async fn take_seat(
    ledger: &Ledger,
    logs: &RunLogs,
    start: RunStart,
) -> Result<Seat, RunError> {
    let last = ledger.row::<LastRuns>(start.service.as_str()).await?;
    if let Some(LastRun { run, plan, outcome: None }) = last
        && let Some(lock) = RunLock::take(&logs.folder(run)).map_err(RunError::Folder)?
    {
        let is_same = plan == start.plan && !matches!(start.selection, Selection::Command { .. });
        if is_same && let Some(recorder) = continue_run(ledger, run).await? {
            return Ok(Seat { recorder, lock, beginning: Beginning::Continued });
        }
        interrupt(ledger, run).await?;
        lock.finish().map_err(RunError::Folder)?;
    }
    let recorder = Recorder::start(ledger, start).await?;
    let lock = RunLock::take(&logs.folder(recorder.run())).map_err(RunError::Folder)?;
    let lock = lock.ok_or(RecordError::Busy)?;
    Ok(Seat { recorder, lock, beginning: Beginning::New })
}

/// Takes over a run; none if it has ended meanwhile.
async fn continue_run(ledger: &Ledger, run: RunId) -> Result<Option<Recorder>, RecordError> {
    let Some((record, version)) = RunRecord::read(ledger, run).await? else { return Ok(None) };
    if record.outcome.is_some() {
        return Ok(None);
    }
    let mut recorder = Recorder::continue_at(ledger, run, version);
    for stage in record.stages.iter().filter(|stage| stage.status == StageStatus::Running) {
        recorder.hold(&RunEvent::StageLost { stage: stage.stage.clone() })?;
    }
    recorder.write(&RunEvent::RunContinued).await?;
    Ok(Some(recorder))
}

/// Ends a run whose driver was killed and which nobody will continue.
async fn interrupt(ledger: &Ledger, run: RunId) -> Result<(), RecordError> {
    let Some((record, version)) = RunRecord::read(ledger, run).await? else { return Ok(()) };
    if record.outcome.is_some() {
        return Ok(());
    }
    let finished = RunEvent::RunFinished {
        service: record.start.service,
        outcome: RunOutcome::Interrupted,
        evidence: None,
    };
    Recorder::continue_at(ledger, run, version).write(&finished).await
}
