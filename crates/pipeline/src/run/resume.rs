//! Whether a run is new or goes on where a killed driver stopped.

use super::{Beginning, RunError, RunRequest, lock::RunLock};
use crate::{
    OpenRuns, Plan, RecordError, RunEvent, RunLogs, RunOutcome, RunRecord, RunStart, Selection,
    StageResult, StageStatus, record::Recorder,
};
use fairway_ledger::Ledger;
use fairway_model::{Digest, Hasher, RunId, StageName};
use std::{collections::BTreeMap, time::Duration};

/// How often another number is tried when somebody else takes one at the same moment.
const TRIES_MAX: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(1);
/// Most open runs of a service that are looked at.
const OPEN_MAX: usize = 100;

/// The place of a run's only driver.
pub(crate) struct Seat {
    pub(crate) recorder: Recorder,
    pub(crate) lock: RunLock,
    pub(crate) beginning: Beginning,
    /// Stages that are green in this run already.
    pub(crate) done: BTreeMap<StageName, StageResult>,
}

/// What a run is of.
pub(crate) fn start_of(request: &RunRequest, plan: &Plan) -> RunStart {
    RunStart {
        service: request.checkout.service.name.clone(),
        revision: request.checkout.revision.clone(),
        config: request.checkout.config,
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
    hasher.field(request.checkout.service.name.as_str());
    hasher.field(request.checkout.config.as_bytes());
    hasher.field(request.checkout.revision.tree.0.as_bytes());
    hasher.field(request.checkout.revision.to_string());
    hasher.field(selection);
    hasher.field(request.target.as_ref().map_or("", |target| target.as_str()));
    for stage in &plan.stages {
        hasher.field(stage.name.as_str());
    }
    hasher.finish()
}

/// Continues a run of the same that nobody drives any more; else starts one. Runs of the service
/// that nobody can continue, as the sources have changed, are ended.
pub(crate) async fn take_seat(
    ledger: &Ledger,
    logs: &RunLogs,
    start: RunStart,
) -> Result<Seat, RunError> {
    let prefix = OpenRuns::prefix(&start.service);
    for (_, open) in ledger.last_rows_with_prefix::<OpenRuns>(&prefix, OPEN_MAX).await? {
        let lock = RunLock::take(&logs.folder(open.run)).map_err(RunError::Folder)?;
        let Some(lock) = lock else { continue };
        let is_same = open.plan == start.plan && !is_command(&start.selection);
        if is_same && let Some((recorder, done)) = continue_run(ledger, open.run).await? {
            return Ok(Seat { recorder, lock, beginning: Beginning::Continued, done });
        }
        interrupt(ledger, open.run).await?;
        lock.finish().map_err(RunError::Folder)?;
    }
    take_new_seat(ledger, logs, start).await
}

/// Starts a run. Its lock is held before it is recorded, so that nobody takes it for abandoned.
async fn take_new_seat(ledger: &Ledger, logs: &RunLogs, start: RunStart) -> Result<Seat, RunError> {
    for _ in 0..TRIES_MAX {
        let run = Recorder::next_number(ledger).await?;
        let lock = RunLock::take(&logs.folder(run)).map_err(RunError::Folder)?;
        if let Some(lock) = lock {
            if let Some(recorder) = Recorder::start(ledger, run, start.clone()).await? {
                let (beginning, done) = (Beginning::New, BTreeMap::new());
                return Ok(Seat { recorder, lock, beginning, done });
            }
            lock.finish().map_err(RunError::Folder)?;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(RecordError::Busy.into())
}

/// A command is run anew whenever it is asked for.
fn is_command(selection: &Selection) -> bool {
    matches!(selection, Selection::Command { .. })
}

type Continued = (Recorder, BTreeMap<StageName, StageResult>);

/// Takes over a run, with the stages that are green in it; none if it has ended meanwhile.
async fn continue_run(ledger: &Ledger, run: RunId) -> Result<Option<Continued>, RecordError> {
    let Some((record, version)) = RunRecord::read(ledger, run).await? else { return Ok(None) };
    if record.outcome.is_some() {
        return Ok(None);
    }
    let mut recorder = Recorder::continue_at(ledger, run, version);
    for stage in record.stages.iter().filter(|stage| stage.status == StageStatus::Running) {
        recorder.hold(&RunEvent::StageLost { stage: stage.stage.clone() })?;
    }
    recorder.write(&RunEvent::RunContinued).await?;
    let finished = record.stages.into_iter().filter_map(|stage| match stage.status {
        StageStatus::Finished { result } => Some((stage.stage, *result)),
        StageStatus::Waiting | StageStatus::Running | StageStatus::Lost => None,
    });
    let done = finished.filter(|(_, result)| result.outcome.is_green()).collect();
    Ok(Some((recorder, done)))
}

/// Ends a run whose driver was killed and which nobody will continue.
async fn interrupt(ledger: &Ledger, run: RunId) -> Result<(), RecordError> {
    let Some((record, version)) = RunRecord::read(ledger, run).await? else { return Ok(()) };
    if record.outcome.is_some() {
        return Ok(());
    }
    let finished = RunEvent::RunFinished {
        service: record.start.service,
        plan: record.start.plan,
        outcome: RunOutcome::Interrupted,
        evidence: None,
    };
    Recorder::continue_at(ledger, run, version).write(&finished).await
}
