//! One stage of one run, from looking at what it depends on to its recorded result.

use super::{
    cached::Turn,
    end::{StageEnd, Stopped},
    log::{LineKind, LogWriter},
};
use crate::{
    PlannedStage, ProgressEvent, RecordError, RunEvent, StageOutcome, StagePhase, StageResult,
    Talk, Work, run::RunContext,
};
use fairway_blobs::{Tree, TreeError};
use fairway_engine::LogStream;
use fairway_model::{Digest, StageName, Timestamp, TreeDigest};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{sync::mpsc, time::Instant};

/// Most lines of other contexts that wait to be told.
const TALK_MAX: usize = 64;

/// What the stages handed on that this one needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handed {
    /// The image that `build` built.
    pub(crate) image: Option<Digest>,
    /// Artifacts by stage.
    pub(crate) artifacts: BTreeMap<StageName, TreeDigest>,
    /// How often this stage was lost before.
    pub(crate) lost: u32,
}

/// What happens to a piece of work of another context when the run is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnCancel {
    /// It is dropped, which ends it.
    Drop,
    /// It knows itself, and ends in an orderly way.
    Wait,
}

/// One stage of one run.
pub(crate) struct StageRun {
    pub(crate) ctx: Arc<RunContext>,
    pub(crate) stage: PlannedStage,
    pub(crate) handed: Handed,
    pub(crate) log: LogWriter,
    /// Filled as the stage goes on, so that a stage that is stopped says how far it came.
    pub(crate) result: StageResult,
    /// Whether the result is one that the run's last driver recorded.
    pub(crate) is_recorded: bool,
    /// Since when it works; waiting for its turn does not count.
    pub(crate) began: Instant,
    /// Held until the result is recorded, so that who waits for the same finds it.
    pub(crate) turn: Option<Turn>,
}

impl StageRun {
    pub(crate) fn new(ctx: Arc<RunContext>, stage: PlannedStage, handed: Handed) -> Self {
        let log = LogWriter::new(ctx.folder.clone(), stage.name.clone());
        let mut result = StageResult::bare(StageOutcome::Passed);
        result.notes.lost = handed.lost;
        let began = Instant::now();
        Self { ctx, stage, handed, log, result, is_recorded: false, began, turn: None }
    }

    /// Runs the stage and records its result.
    pub(crate) async fn run(mut self) -> Result<StageEnd, RecordError> {
        let cancel = self.ctx.cancel.clone();
        if cancel.is_cancelled() {
            return self.finish(Err(Stopped::Cancelled)).await;
        }
        self.enter(StagePhase::Preparing).await;
        let stopped = self.work().await;
        self.finish(stopped).await
    }

    async fn work(&mut self) -> Result<(), Stopped> {
        if self.handed.lost > 0 {
            self.note("lost: what watched a container was killed; the stage runs again").await?;
        }
        match self.stage.work.clone() {
            Work::Build(build) => self.build(&build).await,
            Work::Steps(work) => self.steps(&work).await,
        }
    }

    async fn finish(&mut self, stopped: Result<(), Stopped>) -> Result<StageEnd, RecordError> {
        let stopped = stopped.and(self.log.flush().map_err(Stopped::from));
        match stopped {
            Ok(()) => {}
            Err(Stopped::Failed(cause)) => self.result.outcome = StageOutcome::Failed { cause },
            Err(Stopped::Cancelled) => self.result.outcome = StageOutcome::Cancelled,
            Err(Stopped::Record(error)) => return Err(error),
            Err(Stopped::Lost) => {
                let event = RunEvent::StageLost { stage: self.stage.name.clone() };
                self.ctx.recorder.lock().await.write(&event).await?;
                self.enter(StagePhase::Lost).await;
                return Ok(StageEnd::Lost);
            }
        }
        if !self.is_recorded {
            self.result.duration = self.began.elapsed();
        }
        if !self.result.outcome.is_green() {
            self.result.outputs.image = None;
            self.result.outputs.artifacts = None;
        }
        let (stage, result) = (self.stage.name.clone(), Box::new(self.result.clone()));
        let event = RunEvent::StageFinished { stage: stage.clone(), result: result.clone() };
        match result.outcome {
            _ if self.is_recorded => {}
            StageOutcome::Cached { .. } => self.ctx.recorder.lock().await.hold(&event)?,
            _ => self.ctx.recorder.lock().await.write(&event).await?,
        }
        self.ctx.reporter.tell(ProgressEvent::StageFinished { stage, result }).await;
        Ok(StageEnd::Finished(Box::new(self.result.clone())))
    }

    /// Records that the stage starts to do something.
    pub(crate) async fn record_start(&mut self, key: Option<Digest>) -> Result<(), Stopped> {
        self.log.open()?;
        let event = RunEvent::StageStarted { stage: self.stage.name.clone(), key };
        Ok(self.ctx.recorder.lock().await.write(&event).await?)
    }

    pub(crate) async fn enter(&self, phase: StagePhase) {
        self.ctx.reporter.enter(&self.stage.name, phase).await;
    }

    /// Adds a line without secrets to the log and tells it.
    pub(crate) async fn say(
        &mut self,
        at: Timestamp,
        kind: LineKind,
        text: &[u8],
    ) -> Result<(), Stopped> {
        self.log.line(at, kind, text)?;
        let stream = match kind {
            LineKind::Stdout => Some(LogStream::Stdout),
            LineKind::Stderr => Some(LogStream::Stderr),
            LineKind::Note => None,
        };
        let text = String::from_utf8_lossy(text).into_owned();
        let stage = self.stage.name.clone();
        self.ctx.reporter.tell(ProgressEvent::Line { stage, stream, text }).await;
        Ok(())
    }

    /// Does a piece of work of another context and passes on what it says.
    pub(crate) async fn talking<T, E, W>(
        &mut self,
        on_cancel: OnCancel,
        work: impl FnOnce(Talk) -> W,
    ) -> Result<T, Stopped>
    where
        W: Future<Output = Result<T, E>>,
        Stopped: From<E>,
    {
        let (talk, mut lines) = mpsc::channel(TALK_MAX);
        let cancel = self.ctx.cancel.clone();
        let mut work = Box::pin(work(talk));
        let done = loop {
            tokio::select! {
                biased;
                Some(line) = lines.recv() => self.note(&line).await?,
                () = cancel.cancelled(), if on_cancel == OnCancel::Drop => return Err(Stopped::Cancelled),
                done = &mut work => break done,
            }
        };
        drop(work);
        while let Ok(line) = lines.try_recv() {
            self.note(&line).await?;
        }
        Ok(done?)
    }

    /// Adds something about the stage to its log.
    pub(crate) async fn note(&mut self, text: &str) -> Result<(), Stopped> {
        let now = self.ctx.tools.ledger.clock().now();
        let text = self.ctx.secrets.masker().mask_text(text);
        self.say(now, LineKind::Note, text.as_bytes()).await
    }

    /// The sources with the artifacts of the stages that this one needs.
    pub(crate) fn tree(&self) -> Result<TreeDigest, TreeError> {
        let source = self.ctx.request.checkout.revision.tree;
        if self.handed.artifacts.is_empty() {
            return Ok(source);
        }
        let blobs = &self.ctx.tools.blobs;
        let mut tree = Tree::load(blobs, &source)?;
        for artifacts in self.handed.artifacts.values() {
            tree = tree.overlay(&Tree::load(blobs, artifacts)?);
        }
        tree.store(blobs)
    }
}
