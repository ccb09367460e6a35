//! Goes through the stages of a Dockerfile.

use super::{
    settings::{Settings, Wrong},
    stage::StageState,
};
use crate::{
    cache::{BuildCache, Effect},
    context::Context,
    dockerfile::{Copy, Dockerfile, Instruction, Located, parse_trigger},
    error::BuildError,
    event::{BuildEvent, Built, Events, Outcome},
    plan::{Origin, Plan, copy_origin},
    root::LazyRoot,
    scope::Scope,
};
use fairway_layers::{Draft, Execution, LAYERS_MAX, Layer, Layers};
use fairway_model::{Digest, ImageRef, Span};
use std::{collections::BTreeMap, time::Instant};

/// Whether what an instruction makes was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recalled {
    /// It was, and is taken.
    Found,
    /// It has to be made.
    Missing,
}

/// One build of one Dockerfile. All images from outside are here already.
pub(crate) struct Builder<'a> {
    pub(crate) layers: &'a Layers,
    pub(crate) cache: &'a BuildCache,
    pub(crate) root: &'a mut LazyRoot,
    pub(crate) events: &'a Events,
    pub(crate) context: &'a Context,
    pub(crate) plan: &'a Plan,
    /// The images from outside, by name.
    pub(crate) images: &'a BTreeMap<ImageRef, Digest>,
    /// The base that is being made; none for the image of a service.
    pub(crate) base: Option<ImageRef>,
    /// Stages that are built.
    pub(crate) done: BTreeMap<usize, StageState>,
    /// The stage that is being built.
    pub(crate) stage: usize,
    pub(crate) outcomes: Vec<Outcome>,
}

impl<'a> Builder<'a> {
    /// Builds the stages that the plan names.
    pub(crate) async fn build(mut self) -> Result<Built, BuildError> {
        for planned in &self.plan.stages {
            self.stage = planned.index;
            let state = self.stage(&planned.origin).await?;
            self.done.insert(planned.index, state);
        }
        let last = self.done.get(&self.stage).expect("a plan has a stage");
        let image = self.layers.assemble(last.config(), &last.layers)?;
        Ok(Built { image, instructions: self.outcomes })
    }

    async fn stage(&mut self, origin: &Origin) -> Result<StageState, BuildError> {
        let file = &self.context.dockerfile;
        let described = &file.stages[self.stage];
        let mut state = self.start(origin)?;
        for text in std::mem::take(&mut state.settings.execution.on_build) {
            self.trigger(&mut state, text, described.from.span).await?;
        }
        for located in &described.instructions {
            self.instruction(&mut state, located).await?;
        }
        Ok(state)
    }

    /// Performs an instruction that the base left. Its places are not of this file, so what is wrong
    /// is said of the FROM.
    async fn trigger(
        &mut self,
        state: &mut StageState,
        text: String,
        from: Span,
    ) -> Result<(), BuildError> {
        let file = self.file();
        let wrong = |message: &str| {
            let message = format!("`ONBUILD {text}` of the base: {message}");
            BuildError::at(file.diagnose(from, message))
        };
        let instruction = parse_trigger(&text).map_err(|message| wrong(&message))?;
        let located = Located { span: from, text: text.clone(), instruction };
        match self.instruction(state, &located).await {
            Err(BuildError::Invalid(all)) => {
                Err(wrong(&all.first().map_or(String::new(), |one| one.message.clone())))
            }
            done => done,
        }
    }

    /// What a stage starts with.
    fn start(&self, origin: &Origin) -> Result<StageState, BuildError> {
        let scope = Scope::new(self.plan.globals.clone(), self.file().escape);
        let (execution, layers, history) = match origin {
            Origin::Scratch => (Execution::default(), Vec::new(), Vec::new()),
            Origin::Stage(index) => {
                let stage = self.done.get(index).expect("earlier stages are built first");
                let StageState { layers, settings, history } = stage.clone();
                (settings.execution, layers, history)
            }
            Origin::Image(name, _) => {
                let (config, layers) = self.layers.describe(self.image(name))?;
                (config.config, layers, config.history)
            }
        };
        Ok(StageState { layers, settings: Settings::new(execution, scope), history })
    }

    async fn instruction(
        &mut self,
        state: &mut StageState,
        located: &Located,
    ) -> Result<(), BuildError> {
        let started = Instant::now();
        let outcome = match &located.instruction {
            Instruction::Run(form) => self.run(state, located, form).await?,
            Instruction::Copy(copy) => self.copy(state, located, copy).await?,
            Instruction::Workdir(path) => self.workdir(state, located, path).await?,
            other => {
                state.settings.apply(other).map_err(|wrong| self.wrong(wrong))?;
                state.record(&located.text, Effect::Nothing);
                Outcome::Settings
            }
        };
        if state.layers.len() > LAYERS_MAX {
            let message = format!("an image has at most {LAYERS_MAX} layers");
            return Err(self.wrong((located.span, message)));
        }
        self.outcomes.push(outcome);
        let (number, took) = (self.outcomes.len(), started.elapsed());
        self.events.send(BuildEvent::Done { number, outcome, took });
        Ok(())
    }

    /// Takes what was made before under a key; without it, says that the instruction begins.
    pub(super) fn recall(
        &self,
        state: &mut StageState,
        located: &Located,
        key: &Digest,
    ) -> Result<Recalled, BuildError> {
        if let Some(effect) = self.cache.effect(key)? {
            state.record(&located.text, effect);
            return Ok(Recalled::Found);
        }
        let number = self.outcomes.len() + 1;
        let total = self.total().max(number);
        let (base, text) = (self.base.clone(), located.text.clone());
        self.events.send(BuildEvent::Instruction { base, number, total, text });
        Ok(Recalled::Missing)
    }

    fn total(&self) -> usize {
        let stages = self.plan.stages.iter();
        stages.map(|planned| self.file().stages[planned.index].instructions.len()).sum()
    }

    fn wrong(&self, (span, message): Wrong) -> BuildError {
        BuildError::at(self.file().diagnose(span, message))
    }

    /// The layers that a COPY takes files from; `None` for the context.
    pub(super) fn copy_layers(&self, copy: &Copy) -> Result<Option<Vec<Layer>>, BuildError> {
        let span = copy.from.as_ref().map_or(Span::START, |from| from.span);
        let unplanned = |message| self.wrong((span, message));
        Ok(match copy_origin(self.file(), self.stage, copy)? {
            None => None,
            Some(Origin::Scratch) => Some(Vec::new()),
            // Only what the base of a stage left can name something that was not planned.
            Some(Origin::Stage(index)) => match self.done.get(&index) {
                Some(stage) => Some(stage.layers.clone()),
                None => return Err(unplanned(format!("stage {index} is not built before it"))),
            },
            Some(Origin::Image(name, _)) => match self.images.get(&name) {
                Some(image) => Some(self.layers.describe(image)?.1),
                None => return Err(unplanned(format!("image `{name}` is not used otherwise"))),
            },
        })
    }

    fn image(&self, name: &ImageRef) -> &Digest {
        self.images.get(name).expect("images from outside are found before the build")
    }

    /// Makes a layer of a draft.
    pub(super) async fn commit(&self, draft: Draft) -> Result<Effect, BuildError> {
        let layers = self.layers.clone();
        blocking(move || Ok(Effect::Layer(layers.commit(&draft.upper())?))).await
    }

    pub(super) fn file(&self) -> &'a Dockerfile {
        &self.context.dockerfile
    }

    pub(super) fn context(&self) -> &'a Context {
        self.context
    }

    pub(super) fn layers(&self) -> &'a Layers {
        self.layers
    }

    pub(super) fn cache(&self) -> &'a BuildCache {
        self.cache
    }

    pub(super) fn root(&mut self) -> &mut LazyRoot {
        self.root
    }

    pub(super) fn events(&self) -> Events {
        self.events.clone()
    }
}

/// Runs blocking work on a thread for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, BuildError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
