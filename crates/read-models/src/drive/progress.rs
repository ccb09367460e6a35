//! What is told of a build while it is driven.

use crate::target::Standing;

/// What a build does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// It takes in what there is.
    #[default]
    CatchingUp,
    /// It has all that there was at its last look, and waits for more.
    Following,
    /// Its target does not work; it is tried again. With the reason.
    Failing(String),
    /// It has all there is, and is read only when a person accepts it. With the reason.
    Withheld(String),
}

/// How far a build is, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How far it is; none before its target was opened.
    pub standing: Option<Standing>,
    /// What it does.
    pub state: State,
}
