//! The graph of stages that turns a revision into images and evidence.

use super::{Neighbour, Resources, Template};
use crate::{ImageRef, NeighbourName, StageName};
use std::{collections::BTreeMap, time::Duration};

/// A graph of stages without cycles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pipeline {
    /// The image of stages that name none; without one, the service's built image.
    pub image: Option<ImageRef>,
    /// The stages in the order of the file. The implicit stage `build` is not among them.
    pub stages: Vec<Stage>,
}

/// One container that runs its steps in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name, unique in the pipeline and not `build`.
    pub name: StageName,
    /// Stages that must pass first and whose artifacts it gets; `build` may be among them.
    pub needs: Vec<StageName>,
    /// What is started beside it.
    pub uses: Vec<StageUse>,
    /// Its image, if not the pipeline's.
    pub image: Option<ImageRef>,
    /// Shell commands, run in one session; the first that fails ends the stage.
    pub steps: Vec<String>,
    /// JUnit files below the source, as globs.
    pub reports: Vec<String>,
    /// Files and folders below the source that later stages get, as globs.
    pub artifacts: Vec<String>,
    /// Folders kept from one run to the next; `~/` stands for the home of the container's user.
    pub cache: Vec<String>,
    /// Environment variables beyond those of the service.
    pub env: BTreeMap<String, Template>,
    /// The longest time it may take.
    pub timeout: Duration,
    /// Its limits.
    pub resources: Resources,
}

impl Stage {
    /// The longest time a stage may take if it says nothing.
    pub const TIMEOUT: Duration = Duration::from_mins(30);
}

/// A neighbour of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageUse {
    /// One of the service's own `uses`, by its name.
    Named(NeighbourName),
    /// One for this stage only.
    Inline(NeighbourName, Neighbour),
}

impl StageUse {
    /// The short name of the neighbour.
    pub fn name(&self) -> &NeighbourName {
        match self {
            Self::Named(name) | Self::Inline(name, _) => name,
        }
    }
}
