//! Pipelines: turns a revision of a service into an image and evidence, inside containers, next to
//! the real databases, queues and colleagues' services it needs.
//!
//! A [`Plan`] is the graph of stages of one run, a [`Schedule`] decides which starts when, and a
//! [`Runner`] does what is decided, through a [`Sandbox`](fairway_engine::Sandbox) and the small
//! traits [`ImageSource`] and [`ServiceSource`]. What happened is in the ledger, so that a run whose
//! driver was killed goes on from its last finished stage, and a stage whose key is known is not
//! run again.

mod junit;
mod millis;
mod outcome;
mod plan;
mod record;
mod run;
mod schedule;
mod seams;
mod session;
mod stage;

pub use junit::{FAILING_MAX, JUnitError, JUnitSummary, REPORT_MAX, parse_junit};
pub use outcome::{
    Cause, Notes, Outputs, RunOutcome, StageOutcome, StageResult, StepResult, StepState,
};
pub use plan::{
    BuildFacts, Closure, Link, Part, PartKind, Plan, PlanError, PlannedStage, Root, Selection,
    StageImage, StepsFacts, StepsWork, Task, Use, Work,
};
pub use record::{
    OpenRun, OpenRuns, PassedStage, PassedStages, RecordError, RunEvent, RunRecord, RunStart,
    RunSummaries, RunSummary, StageMark, StageRecord, StageStatus, run_stream,
};
pub use run::{
    Beginning, Cancel, Canceller, NeighbourFact, Progress, ProgressEvent, RunError, RunEvidence,
    RunReport, RunRequest, RunView, Runner, RunnerParts, Runs, Scope, SecretMark, StagePhase,
    Standing,
};
pub use schedule::{Action, Happened, OnFailure, Schedule};
pub use seams::{
    BuildRequest, Checkout, ImageSource, Remedy, SeamError, ServiceImage, ServiceOrigin,
    ServiceSource, Talk,
};
pub use session::SCRIPT_MAX;
pub use stage::{LineKind, RunLogs, StageLogLine};
