//! What clients are told when something with a read model is not done.

use crate::problem::{Problem, ProblemKind};
use fairway_model::{Colour, render_all};
use fairway_read_models::ReadModelError;

impl From<ReadModelError> for Problem {
    fn from(error: ReadModelError) -> Self {
        let detail = error.to_string();
        let kind = match error {
            ReadModelError::Missing(_)
            | ReadModelError::MissingQuery { .. }
            | ReadModelError::NotParked { .. } => ProblemKind::Missing,
            ReadModelError::SameVersion { .. } | ReadModelError::LowerVersion { .. } => {
                ProblemKind::Conflict
            }
            ReadModelError::Building { .. } | ReadModelError::Behind { .. } => ProblemKind::Behind,
            ReadModelError::MissingParameter { .. } => ProblemKind::Request,
            ReadModelError::NoQueries(_) | ReadModelError::Query(_) => ProblemKind::Content,
            ReadModelError::TooSlow(_) => ProblemKind::Busy,
            ReadModelError::Declaration(diagnostics) => {
                return Self::content(render_all(&diagnostics, Colour::Off));
            }
            ReadModelError::DrivenElsewhere(_)
            | ReadModelError::Closed
            | ReadModelError::Target(_) => ProblemKind::Unavailable,
            ReadModelError::Secret(_)
            | ReadModelError::Append { .. }
            | ReadModelError::Directory { .. } => ProblemKind::Fault,
            ReadModelError::Ledger(error) => return error.into(),
        };
        Self::new(kind, detail)
    }
}
