//! What a green run proved.

use crate::{JUnitSummary, ServiceOrigin, StageResult};
use fairway_model::{Digest, ImageRef, Revision, RunId, StageName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One container that took part beside a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeighbourFact {
    /// Its fleet-wide name.
    pub name: String,
    /// Its image.
    pub image: Digest,
    /// Where it came from, if it is a service.
    pub origin: Option<ServiceOrigin>,
}

/// What a green run proved about a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEvidence {
    /// The run.
    pub run: RunId,
    /// Whether it ran all that a release needs.
    pub scope: Scope,
    /// The sources.
    pub revision: Revision,
    /// The text of the service's `fairway.yaml`, a blob.
    pub config: Digest,
    /// The image of the service, if the stage `build` was among the stages.
    pub image: Option<Digest>,
    /// What the reports of all stages say.
    pub tests: JUnitSummary,
    /// What took part beside the stages.
    pub neighbours: Vec<NeighbourFact>,
    /// The digest of each image that the service's neighbours name, in any environment.
    pub images: BTreeMap<ImageRef, Digest>,
}

/// How much of a pipeline a run ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of it.
    Complete,
    /// A part of it.
    Partial,
}

impl RunEvidence {
    /// Adds what the stages proved.
    pub(crate) fn gather<'a>(
        &mut self,
        stages: impl IntoIterator<Item = (&'a StageName, &'a StageResult)>,
    ) {
        for (_, result) in stages {
            self.image = self.image.or(result.outputs.image);
            if let Some(tests) = &result.outputs.tests {
                self.tests.add(tests.clone());
            }
            for fact in &result.neighbours {
                if !self.neighbours.contains(fact) {
                    self.neighbours.push(fact.clone());
                }
            }
        }
        self.neighbours.sort_by(|a, b| a.name.cmp(&b.name));
    }
}
