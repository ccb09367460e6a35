//! What is asked of a run, and what comes back.

use crate::{Checkout, OnFailure, RunEvidence, RunOutcome, Selection, StageResult};
use fairway_model::{Digest, EnvironmentName, RunId, ServiceName, StageName, config::Service};
use std::{collections::BTreeMap, sync::Arc};

/// One execution of a pipeline that somebody asks for.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Whose pipeline, and its sources.
    pub checkout: Checkout,
    /// All services of the fleet.
    pub fleet: Arc<BTreeMap<ServiceName, Arc<Service>>>,
    /// Which part of the pipeline.
    pub selection: Selection,
    /// The environment whose secrets and releases are used.
    pub target: Option<EnvironmentName>,
    /// What happens when a stage fails.
    pub on_failure: OnFailure,
    /// The services whose runs wait for this one, outermost first.
    pub waiting: Vec<ServiceName>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// Its id.
    pub run: RunId,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Its stages, each after those it needs.
    pub stages: Vec<(StageName, StageResult)>,
    /// What it proved, if it passed.
    pub evidence: Option<RunEvidence>,
}

impl RunReport {
    /// The image of the service, if this run built it or knew it.
    pub fn image(&self) -> Option<Digest> {
        self.stages.iter().find_map(|(_, result)| result.outputs.image)
    }

    /// The code with which the command of `fairway run -- CMD` ended; it ran as the last stage.
    pub fn exit_code(&self) -> Option<u8> {
        let (_, last) = self.stages.last()?;
        match &last.outcome {
            crate::StageOutcome::Passed | crate::StageOutcome::Cached { .. } => Some(0),
            crate::StageOutcome::Failed { cause } => cause.exit_code(),
            crate::StageOutcome::Skipped { .. } | crate::StageOutcome::Cancelled => None,
        }
    }
}
