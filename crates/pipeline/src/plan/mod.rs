//! What a run of a pipeline is made of, worked out before anything starts.

mod closure;
mod graph;
mod key;
mod selection;
mod specs;

pub use closure::{Closure, Link, Part, PartKind, Root, Use};
pub use graph::{Plan, PlanError, PlannedStage, StageImage, StepsWork, Task, Work};
pub use key::{BuildFacts, StepsFacts};
pub use selection::Selection;
pub(crate) use specs::{Wave, fill_env, part_spec, private_names};
