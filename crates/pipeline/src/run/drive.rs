//! The small loop that does what the schedule decides.

use super::{Beginning, ProgressEvent, RunContext, RunError, RunEvidence, RunReport, Scope};
use crate::{
    Action, Cause, Happened, JUnitSummary, Plan, PlannedStage, RecordError, RunEvent, RunOutcome,
    Schedule, StageOutcome, StageResult,
    stage::{Handed, StageEnd, StageRun},
};
use fairway_model::{
    ImageRef, StageName,
    config::{Neighbour, Stage},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

type Ended = (StageName, Result<StageEnd, RecordError>);

/// One run while it goes on.
pub(crate) struct Drive {
    ctx: Arc<RunContext>,
    plan: Plan,
    schedule: Schedule,
    results: BTreeMap<StageName, StageResult>,
    running: JoinSet<Ended>,
}

impl Drive {
    pub(crate) fn new(ctx: Arc<RunContext>, plan: Plan, schedule: Schedule) -> Self {
        Self { ctx, plan, schedule, results: BTreeMap::new(), running: JoinSet::new() }
    }

    /// Drives the run to its end.
    pub(crate) async fn run(mut self, beginning: Beginning) -> Result<RunReport, RunError> {
        let began = Instant::now();
        let stages = self.plan.stages.iter().map(|stage| stage.name.clone()).collect();
        let revision = self.ctx.request.checkout.revision.clone();
        let started = ProgressEvent::RunStarted { revision, stages, beginning };
        self.ctx.reporter.tell(started).await;
        let driven = self.drive().await;
        // After an error of the ledger, what still runs is ended in an orderly way.
        while self.running.join_next().await.is_some() {}
        let outcome = driven?;
        let report = self.finish(outcome).await?;
        let duration = began.elapsed();
        self.ctx.reporter.tell(ProgressEvent::RunFinished { outcome, duration }).await;
        Ok(report)
    }

    async fn drive(&mut self) -> Result<RunOutcome, RunError> {
        let cancel = self.ctx.cancel.clone();
        let mut is_cancelled = false;
        let mut happened = Happened::Begun;
        loop {
            if let Some(outcome) = self.step(&happened).await? {
                return Ok(outcome);
            }
            happened = tokio::select! {
                () = cancel.cancelled(), if !is_cancelled => {
                    is_cancelled = true;
                    Happened::Cancelled
                }
                Some(ended) = self.running.join_next() => {
                    let (stage, end) = ended.map_err(RunError::Stage)?;
                    self.ended(stage, end?)
                }
            };
        }
    }

    async fn step(&mut self, happened: &Happened) -> Result<Option<RunOutcome>, RunError> {
        let (schedule, actions) = self.schedule.clone().step(happened);
        self.schedule = schedule;
        let mut outcome = None;
        for action in actions {
            match action {
                Action::Start { stage, lost } => self.start(&stage, lost),
                Action::GiveUp(stage) => {
                    let outcome = StageOutcome::Failed { cause: Cause::Lost };
                    self.decide(stage, outcome).await?;
                }
                Action::Skip { stage, because } => {
                    self.decide(stage, StageOutcome::Skipped { because }).await?;
                }
                // Every stage watches for that itself, to end in an orderly way.
                Action::StopAll => {}
                Action::End(ended) => outcome = Some(ended),
            }
        }
        Ok(outcome)
    }

    fn start(&mut self, name: &StageName, lost: u32) {
        let stage = self.plan.stages.iter().find(|stage| &stage.name == name);
        let stage = stage.expect("the schedule has the stages of the plan").clone();
        let handed = Handed { lost, ..self.handed(&stage) };
        let run = StageRun::new(Arc::clone(&self.ctx), stage, handed);
        let name = name.clone();
        self.running.spawn(async move { (name, run.run().await) });
    }

    fn handed(&self, stage: &PlannedStage) -> Handed {
        let built = self.results.get(&Stage::build());
        let artifacts = stage.needs.iter().filter_map(|need| {
            let artifacts = self.results.get(need)?.outputs.artifacts?;
            Some((need.clone(), artifacts))
        });
        Handed {
            image: built.and_then(|result| result.outputs.image),
            artifacts: artifacts.collect(),
            lost: 0,
        }
    }

    fn ended(&mut self, stage: StageName, end: StageEnd) -> Happened {
        match end {
            StageEnd::Lost => Happened::Lost(stage),
            StageEnd::Finished(result) => {
                let is_green = result.outcome.is_green();
                self.results.insert(stage.clone(), *result);
                if is_green { Happened::Green(stage) } else { Happened::Failed(stage) }
            }
        }
    }

    /// Records a result that no container had a part in.
    async fn decide(&mut self, stage: StageName, outcome: StageOutcome) -> Result<(), RecordError> {
        let result = StageResult::bare(outcome);
        let boxed = Box::new(result.clone());
        let event = RunEvent::StageFinished { stage: stage.clone(), result: boxed.clone() };
        self.ctx.recorder.lock().await.hold(&event)?;
        let told = ProgressEvent::StageFinished { stage: stage.clone(), result: boxed };
        self.ctx.reporter.tell(told).await;
        self.results.insert(stage, result);
        Ok(())
    }

    async fn finish(&mut self, outcome: RunOutcome) -> Result<RunReport, RunError> {
        let evidence = match outcome {
            RunOutcome::Passed => Some(self.evidence().await?),
            RunOutcome::Failed | RunOutcome::Cancelled | RunOutcome::Interrupted => None,
        };
        let finished = RunEvent::RunFinished {
            service: self.ctx.request.checkout.service.name.clone(),
            plan: self.ctx.plan,
            outcome,
            evidence: evidence.clone(),
        };
        self.ctx.recorder.lock().await.write(&finished).await?;
        let result = |stage: &PlannedStage| {
            self.results.remove(&stage.name).map(|result| (stage.name.clone(), result))
        };
        let stages = self.plan.stages.iter().filter_map(result).collect();
        Ok(RunReport { run: self.ctx.run, outcome, stages, evidence })
    }

    async fn evidence(&self) -> Result<RunEvidence, RunError> {
        let request = &self.ctx.request;
        let is_complete = request.selection.is_complete();
        let mut evidence = RunEvidence {
            run: self.ctx.run,
            scope: if is_complete { Scope::Complete } else { Scope::Partial },
            revision: request.checkout.revision.clone(),
            config: request.checkout.config,
            image: None,
            tests: JUnitSummary::default(),
            neighbours: Vec::new(),
            images: BTreeMap::new(),
        };
        evidence.gather(self.results.iter());
        if is_complete {
            for image in self.named_images() {
                let (talk, _unheard) = mpsc::channel(1);
                let digest = self.ctx.image(&image, &talk).await?;
                evidence.images.insert(image, digest);
            }
        }
        Ok(evidence)
    }

    /// The images that the service's neighbours name, in any environment.
    fn named_images(&self) -> BTreeSet<ImageRef> {
        let service = &self.ctx.request.checkout.service;
        let overlays = service.environments.values().flat_map(|overlay| overlay.uses.values());
        let images = service.uses.values().chain(overlays).filter_map(|used| match used {
            Neighbour::Image(image) => Some(image.image.clone()),
            Neighbour::Service(_) | Neighbour::External(_) => None,
        });
        images.collect()
    }
}
