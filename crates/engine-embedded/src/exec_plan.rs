//! What the helper of a command in a running container is told, and what it answers.

use fairway_engine::{ExecStreams, ExitStatus};
use rustix::{
    stdio::{stdin, stdout},
    termios::isatty,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A command to run in a container. Holds secrets, so it is written to the runtime directory only.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExecPlan {
    pub(crate) args: Vec<String>,
    /// Beyond the container's.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) user: Option<String>,
    pub(crate) input: Input,
    /// The first process of the container.
    pub(crate) init: u32,
}

/// What standard input of the helper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Input {
    /// A pipe that ends when the asker is gone or has no more patience; the command has no input.
    Lifeline,
    /// The command's.
    Command,
    /// A terminal; the command gets one in the container.
    Terminal,
}

impl Input {
    /// What it is for the streams that are asked for.
    pub(crate) fn of(streams: ExecStreams) -> Self {
        let is_terminal = || isatty(stdin()) && isatty(stdout());
        match streams {
            ExecStreams::Collected => Self::Lifeline,
            ExecStreams::Inherited if is_terminal() => Self::Terminal,
            ExecStreams::Inherited => Self::Command,
        }
    }
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// The command ended.
    Ended(ExitStatus),
    /// It could not be started; why.
    Refused(String),
}

/// The file for the outcome of a plan.
pub(crate) fn outcome_path(plan: &Path) -> PathBuf {
    plan.with_extension("outcome")
}
