//! How stages and runs end, named as what it was.

use crate::{JUnitSummary, NeighbourFact};
use fairway_engine::Exit;
use fairway_model::{ByteSize, Digest, RunId, StageName, TreeDigest};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum StageOutcome {
    /// All its steps ended with 0 and what it promised to hand on was there.
    Passed,
    /// It passed before with the same key; what it handed on then is handed on again.
    Cached {
        /// The run in which it passed.
        run: RunId,
    },
    /// It failed.
    Failed {
        /// Why.
        cause: Cause,
    },
    /// It was not started.
    Skipped {
        /// The stage whose failure is the reason; without one, the run was stopping.
        because: Option<StageName>,
    },
    /// The run was cancelled while it ran.
    Cancelled,
}

impl StageOutcome {
    /// It passed, now or before.
    pub fn is_green(&self) -> bool {
        matches!(self, Self::Passed | Self::Cached { .. })
    }
}

impl fmt::Display for StageOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Cached { run } => write!(f, "cached from run {run}"),
            Self::Failed { cause } => write!(f, "failed: {cause}"),
            Self::Skipped { because: Some(stage) } => write!(f, "skipped as `{stage}` failed"),
            Self::Skipped { because: None } => f.write_str("skipped"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// Why a stage failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// A step returned another code than 0.
    Step {
        /// Which, from 0; without one, the log was cut before it.
        step: Option<usize>,
        /// What it returned.
        code: u8,
    },
    /// A signal ended the shell of the steps.
    Signal {
        /// Which step, from 0; without one, the log was cut before it.
        step: Option<usize>,
        /// Which signal.
        signal: u8,
    },
    /// The kernel ended a process of the stage for want of memory, and the stage with it.
    OutOfMemory {
        /// The limit of the stage.
        limit: Option<ByteSize>,
    },
    /// The stage could make no more processes.
    ProcessLimit {
        /// The limit of the stage, if it sets one itself.
        limit: Option<u32>,
    },
    /// It took too long.
    TimedOut {
        /// Which step, from 0, was running.
        step: Option<usize>,
        /// The longest time it may take.
        #[serde(rename = "limit_ms", with = "crate::millis")]
        limit: Duration,
    },
    /// A neighbour ended while the stage needed it.
    NeighbourDied {
        /// Its fleet-wide name.
        neighbour: String,
        /// How it ended.
        exit: Exit,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// A neighbour missed its readiness deadline.
    NeighbourUnready {
        /// Its fleet-wide name.
        neighbour: String,
        /// What the last attempt said.
        because: String,
        /// The last lines it wrote.
        log: Vec<String>,
    },
    /// The steps passed, but nothing matches what the stage promised to hand on.
    NothingMatches {
        /// The glob of the report or artifact.
        pattern: String,
    },
    /// A report is there but cannot be read as JUnit.
    BadReport {
        /// The file below the source.
        path: String,
        /// What is wrong with it.
        because: String,
    },
    /// An image could not be had or built.
    Image {
        /// What was wrong, with its causes, one a line.
        message: String,
    },
    /// The engine could not do what it was asked.
    Engine {
        /// What was wrong, with its causes, one a line.
        message: String,
    },
    /// What watched its container was killed, twice.
    Lost,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step: Some(step), code } => {
                write!(f, "step {} exited with {code}", step + 1)
            }
            Self::Step { step: None, code } => write!(f, "a step exited with {code}"),
            Self::Signal { signal, .. } => write!(f, "its shell was ended by signal {signal}"),
            Self::OutOfMemory { limit: Some(limit) } => {
                write!(f, "it needed more memory than its limit of {limit}")
            }
            Self::OutOfMemory { limit: None } => f.write_str("the machine ran out of memory"),
            Self::ProcessLimit { limit: Some(limit) } => {
                write!(f, "it reached its limit of {limit} processes")
            }
            Self::ProcessLimit { limit: None } => f.write_str("it reached the limit of processes"),
            Self::TimedOut { limit, .. } => write!(f, "it took longer than {limit:?}"),
            Self::NeighbourDied { neighbour, exit, .. } => {
                write!(f, "neighbour `{neighbour}` {exit}")
            }
            Self::NeighbourUnready { neighbour, because, .. } => {
                write!(f, "neighbour `{neighbour}` did not get ready: {because}")
            }
            Self::NothingMatches { pattern } => {
                write!(f, "its steps passed but left nothing that matches `{pattern}`")
            }
            Self::BadReport { path, because } => write!(f, "report `{path}` {because}"),
            Self::Image { message } | Self::Engine { message } => f.write_str(message),
            Self::Lost => f.write_str("what watched its container was killed, twice"),
        }
    }
}

impl Cause {
    /// The code with which the command of the stage ended, if it came so far: what
    /// `fairway run -- CMD` exits with.
    pub fn exit_code(&self) -> Option<u8> {
        match self {
            Self::Step { code, .. } => Some(*code),
            Self::Signal { signal, .. } => Some(128_u8.saturating_add(*signal)),
            Self::OutOfMemory { .. } => Some(137),
            Self::TimedOut { .. } => Some(124),
            _ => None,
        }
    }

    /// The last lines of the neighbour that is to blame.
    pub fn log(&self) -> &[String] {
        match self {
            Self::NeighbourDied { log, .. } | Self::NeighbourUnready { log, .. } => log,
            _ => &[],
        }
    }
}

/// How far a step came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// Its text in the config.
    pub text: String,
    /// What became of it.
    pub state: StepState,
    /// How long it took, as far as is known.
    #[serde(rename = "duration_ms", with = "crate::millis")]
    pub duration: Duration,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// An earlier one ended the stage.
    NotReached,
    /// It began, and the stage was ended from outside.
    Interrupted,
    /// It ended with 0.
    Passed,
    /// It ended the stage.
    Failed,
    /// The log was cut before it ended.
    Unknown,
}

/// What a stage ran into without failing for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Processes that the kernel ended for want of memory.
    pub memory_kills: u32,
    /// New processes that were refused because of the limit.
    pub process_refusals: u32,
    /// Bytes of output that were dropped because the log has a limit.
    pub log_dropped: u64,
    /// How many times what watched it was killed, and it was run again.
    pub lost: u32,
}

/// What a green stage hands on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// The image, of the stage `build`.
    pub image: Option<Digest>,
    /// The artifacts, relative to the source.
    pub artifacts: Option<TreeDigest>,
    /// What its reports say.
    pub tests: Option<JUnitSummary>,
}

/// All that is known of a stage that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageResult {
    /// How it ended.
    pub outcome: StageOutcome,
    /// What its result depends on, if it came so far.
    pub key: Option<Digest>,
    /// What it hands on.
    pub outputs: Outputs,
    /// Its steps.
    pub steps: Vec<StepResult>,
    /// What took part beside it.
    pub neighbours: Vec<NeighbourFact>,
    /// What it ran into without failing for it.
    pub notes: Notes,
    /// How long it took once it was its turn.
    #[serde(rename = "duration_ms", with = "crate::millis")]
    pub duration: Duration,
}

impl StageResult {
    /// A stage of which nothing is known but how it ended.
    pub fn bare(outcome: StageOutcome) -> Self {
        Self {
            outcome,
            key: None,
            outputs: Outputs::default(),
            steps: Vec::new(),
            neighbours: Vec::new(),
            notes: Notes::default(),
            duration: Duration::ZERO,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// All stages that were asked for are green.
    Passed,
    /// A stage failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Who drove it was killed, and the sources have changed since.
    Interrupted,
}

impl fmt::Display for RunOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        })
    }
}
