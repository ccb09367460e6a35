//! One stage: what its result depends on, whether that is known, and if not, running it.

mod build;
mod cached;
mod collect;
mod container;
mod end;
mod follow;
mod globs;
mod log;
mod masked;
mod neighbours;
mod prepare;
mod stage_run;
mod steps;
mod verdict;

pub(crate) use end::StageEnd;
pub use log::{LineKind, RunLogs, StageLogLine};
pub(crate) use stage_run::{Handed, StageRun};
