//! The graph of stages that one run has to get through.

use super::{Root, Selection, Use};
use fairway_model::{
    ImageRef, ServiceName, StageName,
    config::{Build, Neighbour, Resources, Service, Stage, StageUse, Template},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The stages of one run, each after those it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Whose pipeline it is.
    pub service: ServiceName,
    /// The stages; those that are needed come first.
    pub stages: Vec<PlannedStage>,
}

/// One stage of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStage {
    /// Its name.
    pub name: StageName,
    /// What must be green first.
    pub needs: BTreeSet<StageName>,
    /// What it does.
    pub work: Work,
}

/// What a stage does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Builds the service's image.
    Build(Build),
    /// Runs steps in a container.
    Steps(Box<StepsWork>),
}

/// Steps in a container with neighbours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepsWork {
    /// The container's image.
    pub image: StageImage,
    /// What runs.
    pub task: Task,
    /// What is started beside it.
    pub root: Root,
    /// Its environment variables: those of the service, if it has neighbours, and its own.
    pub env: BTreeMap<String, Template>,
    /// JUnit files, as globs relative to the service.
    pub reports: Vec<String>,
    /// What it hands on, as globs relative to the service.
    pub artifacts: Vec<String>,
    /// Folders kept from one run to the next.
    pub cache: Vec<String>,
    /// The longest time the steps may take.
    pub timeout: Duration,
    /// The container's limits.
    pub resources: Resources,
}

/// The image of a stage's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageImage {
    /// What the stage `build` built.
    Built,
    /// An image by name.
    Named(ImageRef),
}

/// What runs in a stage's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Shell commands in one session.
    Steps(Vec<String>),
    /// One command, without a shell.
    Command(Vec<String>),
}

/// Why a pipeline cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is no such stage.
    #[error("`{service}` has no stage `{stage}`; it has {known}")]
    NoStage {
        /// The service.
        service: ServiceName,
        /// What was asked for or needed.
        stage: StageName,
        /// The stages there are.
        known: String,
    },
    /// A stage uses something the service does not.
    #[error("stage `{stage}` uses `{name}`, which `{service}` does not use")]
    NoNeighbour {
        /// The service.
        service: ServiceName,
        /// The stage.
        stage: StageName,
        /// What it uses.
        name: String,
    },
    /// Stages wait for each other.
    #[error("the stages {0} of `{1}` need each other")]
    Cycle(String, ServiceName),
    /// A command cannot stand in for it.
    #[error("stage `{0}` builds the image; it has no steps that a command could replace")]
    NoSteps(StageName),
    /// There is nothing to run.
    #[error("the command is empty")]
    EmptyCommand,
}

/// The name of the stage that a command without a stage runs as; no other stage has it.
fn command_stage(stages: &[PlannedStage]) -> StageName {
    let mut name = "command".to_owned();
    while stages.iter().any(|stage| stage.name.as_str() == name) {
        name = format!("x-{name}");
    }
    name.parse().expect("`command` with a short prefix is a name")
}

impl Plan {
    /// Works out the stages of a run. `fleet` is used to find out whether a neighbour uses the
    /// service itself, which then has to be built first.
    pub fn new(
        service: &Service,
        fleet: &BTreeMap<ServiceName, Arc<Service>>,
        selection: &Selection,
    ) -> Result<Self, PlanError> {
        let planner = Planner { service, fleet };
        let mut stages = planner.all()?;
        let wanted = match selection {
            Selection::All => None,
            Selection::Stage(stage) => Some(stage.clone()),
            Selection::Command { stage, command } => {
                Some(planner.put_command(&mut stages, stage.as_ref(), command)?)
            }
        };
        let stages = planner.in_order(stages, wanted)?;
        Ok(Self { service: service.name.clone(), stages })
    }
}

struct Planner<'a> {
    service: &'a Service,
    fleet: &'a BTreeMap<ServiceName, Arc<Service>>,
}

type Stages = Vec<PlannedStage>;

impl Planner<'_> {
    fn all(&self) -> Result<Stages, PlanError> {
        let build = PlannedStage {
            name: Stage::build(),
            needs: self.service.build.needs.iter().cloned().collect(),
            work: Work::Build(self.service.build.clone()),
        };
        let stages = self.service.pipeline.stages.iter().map(|stage| self.stage(stage));
        std::iter::once(Ok(build)).chain(stages).collect()
    }

    fn stage(&self, stage: &Stage) -> Result<PlannedStage, PlanError> {
        let uses = stage.uses.iter().map(|used| self.resolve(&stage.name, used));
        let uses = uses.collect::<Result<Vec<_>, _>>()?;
        let image = match stage.image.as_ref().or(self.service.pipeline.image.as_ref()) {
            Some(image) => StageImage::Named(image.clone()),
            None => StageImage::Built,
        };
        let work = StepsWork {
            image,
            task: Task::Steps(stage.steps.clone()),
            env: self.env(&uses, &stage.env),
            root: Root { service: self.service.name.clone(), uses },
            reports: stage.reports.clone(),
            artifacts: stage.artifacts.clone(),
            cache: stage.cache.clone(),
            timeout: stage.timeout,
            resources: stage.resources,
        };
        Ok(self.planned(stage.name.clone(), stage.needs.iter().cloned().collect(), work))
    }

    fn planned(
        &self,
        name: StageName,
        mut needs: BTreeSet<StageName>,
        work: StepsWork,
    ) -> PlannedStage {
        if work.image == StageImage::Built || self.reaches_itself(&work.root) {
            needs.insert(Stage::build());
        }
        PlannedStage { name, needs, work: Work::Steps(Box::new(work)) }
    }

    fn resolve(&self, stage: &StageName, used: &StageUse) -> Result<Use, PlanError> {
        let name = used.name().clone();
        match used {
            StageUse::Named(_) => match self.service.uses.get(&name) {
                Some(neighbour) => Ok(self.named(name, neighbour)),
                None => Err(PlanError::NoNeighbour {
                    service: self.service.name.clone(),
                    stage: stage.clone(),
                    name: name.to_string(),
                }),
            },
            StageUse::Inline(_, neighbour) => Ok(Use {
                fleet_wide: format!("{name}.{stage}.{}", self.service.name),
                name,
                neighbour: neighbour.clone(),
            }),
        }
    }

    fn named(&self, name: fairway_model::NeighbourName, neighbour: &Neighbour) -> Use {
        let fleet_wide = format!("{name}.{}", self.service.name);
        Use { fleet_wide, name, neighbour: neighbour.clone() }
    }

    /// A stage with neighbours inherits what the service is given to reach them.
    fn env(&self, uses: &[Use], own: &BTreeMap<String, Template>) -> BTreeMap<String, Template> {
        let mut env = if uses.is_empty() { BTreeMap::new() } else { self.service.env.clone() };
        env.extend(own.clone());
        env
    }

    /// Whether a neighbour, or one of its neighbours, is the service itself.
    fn reaches_itself(&self, root: &Root) -> bool {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&ServiceName> = root.uses.iter().filter_map(Use::service).collect();
        while let Some(name) = open.pop() {
            if name == &self.service.name {
                return true;
            }
            if let Some(service) = self.fleet.get(name).filter(|_| seen.insert(name)) {
                open.extend(service.uses.values().filter_map(|neighbour| match neighbour {
                    Neighbour::Service(name) => Some(name),
                    Neighbour::Image(_) | Neighbour::External(_) => None,
                }));
            }
        }
        false
    }

    /// Puts a command in the place of a stage's steps; such a stage hands nothing on.
    fn put_command(
        &self,
        stages: &mut Stages,
        stage: Option<&StageName>,
        command: &[String],
    ) -> Result<StageName, PlanError> {
        if command.is_empty() {
            return Err(PlanError::EmptyCommand);
        }
        let name = stage.cloned().unwrap_or_else(|| command_stage(stages));
        if stage.is_none() {
            stages.push(self.command_stage(name.clone()));
        }
        let known = known(stages);
        match stages.iter_mut().find(|stage| stage.name == name).map(|stage| &mut stage.work) {
            Some(Work::Steps(work)) => {
                work.task = Task::Command(command.to_vec());
                work.reports.clear();
                work.artifacts.clear();
                Ok(name)
            }
            Some(Work::Build(_)) => Err(PlanError::NoSteps(name)),
            None => {
                Err(PlanError::NoStage { service: self.service.name.clone(), stage: name, known })
            }
        }
    }

    fn command_stage(&self, name: StageName) -> PlannedStage {
        let uses: Vec<Use> =
            self.service.uses.iter().map(|(name, used)| self.named(name.clone(), used)).collect();
        let image = self.service.pipeline.image.clone();
        let work = StepsWork {
            image: image.map_or(StageImage::Built, StageImage::Named),
            task: Task::Command(Vec::new()),
            env: self.env(&uses, &BTreeMap::new()),
            root: Root { service: self.service.name.clone(), uses },
            reports: Vec::new(),
            artifacts: Vec::new(),
            cache: Vec::new(),
            timeout: Stage::TIMEOUT,
            resources: self.service.resources,
        };
        self.planned(name, BTreeSet::new(), work)
    }

    /// Orders stages so that what is needed comes first, and leaves out what is not wanted.
    fn in_order(
        &self,
        mut stages: Stages,
        wanted: Option<StageName>,
    ) -> Result<Vec<PlannedStage>, PlanError> {
        self.keep_wanted(&mut stages, wanted)?;
        let mut ordered: Vec<PlannedStage> = Vec::new();
        let mut done = BTreeSet::new();
        while !stages.is_empty() {
            let Some(next) = stages.iter().position(|stage| stage.needs.is_subset(&done)) else {
                return Err(PlanError::Cycle(known(&stages), self.service.name.clone()));
            };
            let stage = stages.remove(next);
            done.insert(stage.name.clone());
            ordered.push(stage);
        }
        Ok(ordered)
    }

    fn keep_wanted(&self, stages: &mut Stages, wanted: Option<StageName>) -> Result<(), PlanError> {
        let mut kept = BTreeSet::new();
        let mut open: Vec<StageName> = match wanted {
            Some(stage) => vec![stage],
            None => stages.iter().map(|stage| stage.name.clone()).collect(),
        };
        while let Some(name) = open.pop() {
            let Some(stage) = stages.iter().find(|stage| stage.name == name) else {
                return Err(PlanError::NoStage {
                    service: self.service.name.clone(),
                    known: known(stages),
                    stage: name,
                });
            };
            if kept.insert(name) {
                open.extend(stage.needs.iter().cloned());
            }
        }
        stages.retain(|stage| kept.contains(&stage.name));
        Ok(())
    }
}

fn known(stages: &Stages) -> String {
    let names: Vec<String> = stages.iter().map(|stage| format!("`{}`", stage.name)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
