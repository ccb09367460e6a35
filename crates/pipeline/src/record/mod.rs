//! What the ledger says of runs.

mod event;
mod projection;
mod recorder;
mod run;

pub use event::{RunEvent, RunStart};
pub use projection::{
    OpenRun, OpenRuns, PassedStage, PassedStages, RunSummaries, RunSummary, StageMark,
};
pub use recorder::RecordError;
pub(crate) use recorder::Recorder;
pub use run::{RunRecord, StageRecord, StageStatus, run_stream};
