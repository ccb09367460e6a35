//! Takes requests for runs.

use super::{
    Cancel, Progress, RunContext, RunReport, RunRequest,
    context::Tools,
    drive::Drive,
    flight::Flights,
    memo::Memo,
    progress::Reporter,
    resume::{self, Seat},
    secrets::RunSecrets,
};
use crate::{
    ImageSource, Plan, PlanError, RecordError, RunLogs, Schedule, SeamError, ServiceSource,
};
use fairway_blobs::Blobs;
use fairway_engine::Sandbox;
use fairway_ledger::{Ledger, LedgerError};
use fairway_secrets::Secrets;
use std::{io, sync::Arc};
use tokio::sync::{Mutex, Semaphore, mpsc};

/// What runs are made with.
pub struct RunnerParts {
    /// Where runs are recorded.
    pub ledger: Ledger,
    /// Where sources and artifacts are.
    pub blobs: Blobs,
    /// The secrets of environments.
    pub secrets: Secrets,
    /// What runs containers. Its file trees are in `blobs`.
    pub sandbox: Arc<dyn Sandbox>,
    /// What has images.
    pub images: Arc<dyn ImageSource>,
    /// What knows colleagues' services.
    pub services: Arc<dyn ServiceSource>,
    /// Where logs go.
    pub logs: RunLogs,
    /// How many stages do something at once, over all runs of this process.
    pub side_by_side: usize,
}

/// Runs pipelines. Any number of runs may go on at once, in one process or several.
pub struct Runner {
    tools: Arc<Tools>,
}

/// Why a run could not be made, or had to be given up. A stage that fails is none of these.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The pipeline cannot be run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The run cannot be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An image that a release needs is not here.
    #[error(transparent)]
    Seam(#[from] SeamError),
    /// The folder of the run cannot be used.
    #[error("could not use the folder of the run")]
    Folder(#[source] io::Error),
    /// A bug of Fairway in a stage.
    #[error("a stage ended abnormally")]
    Stage(#[source] tokio::task::JoinError),
}

impl From<LedgerError> for RunError {
    fn from(error: LedgerError) -> Self {
        Self::Record(error.into())
    }
}

impl Runner {
    /// Makes a runner.
    pub fn new(parts: RunnerParts) -> Self {
        let side_by_side = parts.side_by_side.max(1);
        let tools = Tools {
            ledger: parts.ledger,
            blobs: parts.blobs,
            sandbox: parts.sandbox,
            images: parts.images,
            services: parts.services,
            secrets: parts.secrets,
            logs: parts.logs,
            side_by_side,
            room: Arc::new(Semaphore::new(side_by_side)),
            flights: Flights::default(),
        };
        Self { tools: Arc::new(tools) }
    }

    /// A runner for a run inside of another one.
    pub(crate) fn with(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    /// Runs a pipeline and tells about it on the way. If the last run of the service was of the
    /// same and its driver was killed, that run is continued. When this returns, nothing of the run
    /// is left but its records, logs and what it handed on; so do not drop it but cancel.
    pub async fn run(
        &self,
        request: RunRequest,
        progress: mpsc::Sender<Progress>,
        cancel: Cancel,
    ) -> Result<RunReport, RunError> {
        let plan = Plan::new(&request.checkout.service, &request.fleet, &request.selection)?;
        let start = resume::start_of(&request, &plan);
        let plan_digest = start.plan;
        let seat = resume::take_seat(&self.tools.ledger, &self.tools.logs, start).await?;
        let Seat { recorder, lock, beginning, done } = seat;
        let run = recorder.run();
        let schedule = Schedule::new(&plan, self.tools.side_by_side, request.on_failure);
        let ctx = RunContext {
            tools: Arc::clone(&self.tools),
            run,
            plan: plan_digest,
            done,
            reporter: Reporter::new(run, request.checkout.service.name.clone(), progress),
            recorder: Mutex::new(recorder),
            secrets: RunSecrets::new(self.tools.secrets.clone(), request.target.clone()),
            cancel,
            folder: self.tools.logs.folder(run),
            images: Memo::default(),
            services: Memo::default(),
            request,
        };
        let report = Drive::new(Arc::new(ctx), plan, schedule).run(beginning).await;
        lock.finish().map_err(RunError::Folder)?;
        report
    }
}
