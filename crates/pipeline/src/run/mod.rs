//! Running pipelines: what is asked, who drives, what is told on the way.

mod cancel;
mod context;
mod drive;
mod evidence;
mod flight;
mod lock;
mod memo;
mod nested;
mod progress;
mod request;
mod resume;
mod runner;
mod secrets;
mod views;

pub use cancel::{Cancel, Canceller};
pub(crate) use context::RunContext;
pub use evidence::{NeighbourFact, RunEvidence, Scope};
pub use progress::{Beginning, Progress, ProgressEvent, StagePhase};
pub use request::{RunReport, RunRequest};
pub use runner::{RunError, Runner, RunnerParts};
pub use secrets::SecretMark;
pub use views::{RunView, Runs, Standing};
