//! What all stages of one run share.

use crate::{
    Cancel, ImageSource, RunLogs, RunRequest, SeamError, ServiceImage, ServiceSource, StageResult,
    Talk,
    record::Recorder,
    run::{memo::Memo, progress::Reporter, secrets::RunSecrets},
};
use fairway_blobs::Blobs;
use fairway_engine::Sandbox;
use fairway_ledger::Ledger;
use fairway_model::{Digest, ImageRef, RunId, ServiceName, StageName};
use fairway_secrets::Secrets;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tokio::sync::{Mutex, Semaphore};

use super::{flight::Flights, nested};

/// What runs are made with.
pub(crate) struct Tools {
    pub(crate) ledger: Ledger,
    pub(crate) blobs: Blobs,
    pub(crate) sandbox: Arc<dyn Sandbox>,
    pub(crate) images: Arc<dyn ImageSource>,
    pub(crate) services: Arc<dyn ServiceSource>,
    pub(crate) secrets: Secrets,
    pub(crate) logs: RunLogs,
    /// How many stages do something at once.
    pub(crate) side_by_side: usize,
    /// Room for stages that do something, over all runs of this process.
    pub(crate) room: Arc<Semaphore>,
    /// Stages that are being run right now, over all runs of this process.
    pub(crate) flights: Flights,
}

/// What all stages of one run share.
pub(crate) struct RunContext {
    pub(crate) tools: Arc<Tools>,
    pub(crate) run: RunId,
    /// All that was decided before the run started.
    pub(crate) plan: Digest,
    /// Stages that are green in this run already, as its last driver recorded.
    pub(crate) done: BTreeMap<StageName, StageResult>,
    pub(crate) request: RunRequest,
    pub(crate) reporter: Reporter,
    pub(crate) recorder: Mutex<Recorder>,
    pub(crate) secrets: RunSecrets,
    pub(crate) cancel: Cancel,
    /// Where the run's logs are.
    pub(crate) folder: PathBuf,
    pub(crate) images: Memo<ImageRef, Digest>,
    pub(crate) services: Memo<ServiceName, ServiceImage>,
}

impl RunContext {
    /// The digest of an image, the same throughout the run.
    pub(crate) async fn image(&self, image: &ImageRef, talk: &Talk) -> Result<Digest, SeamError> {
        self.images.get(image, self.tools.images.resolve(image, talk)).await
    }

    /// What to run as a colleague's service, the same throughout the run.
    pub(crate) async fn service(
        &self,
        service: &ServiceName,
        talk: &Talk,
    ) -> Result<ServiceImage, SeamError> {
        self.services.get(service, self.find_service(service, talk)).await
    }

    async fn find_service(
        &self,
        service: &ServiceName,
        talk: &Talk,
    ) -> Result<ServiceImage, SeamError> {
        let target = self.request.target.as_ref();
        match self.tools.services.release(service, target).await? {
            Some(release) => Ok(release),
            None => nested::build(self, service, talk).await,
        }
    }
}
