//! How far read models are, for people and programs.

use crate::{drive::State, registry::BuildId, target::Standing};
use fairway_ledger::Position;
use fairway_model::ReadModelName;

/// How far a read model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub name: ReadModelName,
    /// How far the ledger is.
    pub head: Position,
    /// What is read; none before the first build is done.
    pub live: Option<Building>,
    /// What is built to take its place.
    pub candidate: Option<Building>,
}

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Building {
    /// The build.
    pub build: BuildId,
    /// The version of its declaration.
    pub version: u32,
    /// How far it is.
    pub standing: Standing,
    /// What it does; of one that another process drives, only if it fails or is withheld.
    pub state: Option<State>,
}

impl Building {
    /// How many events the ledger is ahead.
    pub fn lag(&self, head: Position) -> u64 {
        head.0.saturating_sub(self.standing.position.0)
    }
}
