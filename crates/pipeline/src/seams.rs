//! What a run needs from other contexts: images, and which release of a colleague's service to use.

use async_trait::async_trait;
use fairway_model::{
    Digest, EnvironmentName, ImageRef, ReleaseId, Revision, ServiceName, TreeDigest,
    config::Service,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, error::Error, sync::Arc};
use tokio::sync::mpsc;

/// Takes the lines that a long piece of work says about itself.
pub type Talk = mpsc::Sender<String>;

/// Has images or makes them. A call that is dropped stops and leaves nothing half done.
#[async_trait]
pub trait ImageSource: Send + Sync {
    /// The digest of an image, which is on this machine when this returns.
    async fn resolve(&self, image: &ImageRef, talk: &Talk) -> Result<Digest, SeamError>;

    /// All that the result of a build depends on, as one digest; the build context counts without
    /// what `.dockerignore` leaves out. Builds nothing but may have to make base images.
    async fn fingerprint(&self, build: &BuildRequest, talk: &Talk) -> Result<Digest, SeamError>;

    /// Builds an image; it is on this machine when this returns.
    async fn build(&self, build: &BuildRequest, talk: &Talk) -> Result<Digest, SeamError>;

    /// Whether an image is on this machine.
    async fn contains(&self, image: &Digest) -> bool;
}

/// An image to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// Whose image it is.
    pub service: ServiceName,
    /// The service's folder, with the artifacts the build needs.
    pub tree: TreeDigest,
    /// The Dockerfile in the tree; its folder is the build context.
    pub dockerfile: String,
    /// The stage of the Dockerfile to build, if not its last.
    pub target: Option<String>,
    /// Values for `ARG`.
    pub args: BTreeMap<String, String>,
}

/// Knows the releases and sources of colleagues' services.
#[async_trait]
pub trait ServiceSource: Send + Sync {
    /// The release in the target environment, else the newest release, if there is any.
    async fn release(
        &self,
        service: &ServiceName,
        target: Option<&EnvironmentName>,
    ) -> Result<Option<ServiceImage>, SeamError>;

    /// The service in the fleet at this revision, from which it is built if it has no release.
    async fn checkout(&self, service: &ServiceName) -> Result<Checkout, SeamError>;
}

/// A service as it is in the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its configuration.
    pub service: Arc<Service>,
    /// The text of its `fairway.yaml`, a blob.
    pub config: Digest,
    /// Its sources; the tree's root is the service's folder.
    pub revision: Revision,
}

/// A service as it is run beside a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceImage {
    /// Its configuration, which is that of the release.
    pub service: Arc<Service>,
    /// Its image.
    pub image: Digest,
    /// Where it came from.
    pub origin: ServiceOrigin,
}

/// Where a service that runs beside a stage came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceOrigin {
    /// It is a release.
    Release(ReleaseId),
    /// It was built from the fleet.
    Revision(Revision),
}

/// Why another context could not help.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SeamError {
    /// What could not be done.
    pub what: String,
    /// Why.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
    /// Whether doing it again may help.
    pub remedy: Remedy,
}

/// What may help when another context could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Remedy {
    /// Nothing but another input.
    #[default]
    None,
    /// To do it again: what watched it was killed.
    Again,
}

impl SeamError {
    /// Something could not be done, for this reason.
    pub fn new(what: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..Self::plain(what) }
    }

    /// Something that says all itself.
    pub fn plain(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None, remedy: Remedy::None }
    }

    /// The same with something that may help.
    #[must_use]
    pub fn remedied_by(self, remedy: Remedy) -> Self {
        Self { remedy, ..self }
    }
}

/// A message with those of its causes, one a line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let line = cause.to_string();
        if !text.ends_with(&line) {
            text.push_str("\ncaused by: ");
            text.push_str(&line);
        }
        source = cause.source();
    }
    text
}
