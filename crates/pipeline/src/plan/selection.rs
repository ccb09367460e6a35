//! Which part of a pipeline is run.

use fairway_model::StageName;
use serde::{Deserialize, Serialize};

/// Which part of a pipeline is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All stages, with `build`.
    All,
    /// One stage and those it needs.
    Stage(StageName),
    /// One command in the place of a stage's steps, after the stages it needs. Without a stage, it
    /// has the pipeline's image and all neighbours of the service.
    Command {
        /// The stage, if any.
        stage: Option<StageName>,
        /// Program and arguments.
        command: Vec<String>,
    },
}

impl Selection {
    /// Whether a green run of it proves all that a release needs.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::All)
    }
}
