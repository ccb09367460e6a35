//! From a placement to its manifest: reads the release, its configuration and the secrets.

use crate::{Manifest, ManifestError, Placement, Release, Releases, releases::DeliveryError};
use fairway_blobs::{BlobError, Blobs};
use fairway_ledger::Ledger;
use fairway_model::{
    Diagnostic, EnvironmentName, ReleaseId, SecretName,
    config::{FILE_MAX, Service},
};
use fairway_secrets::{Masker, SecretError, Secrets};

/// Why a placement has no manifest.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is no such release.
    #[error("there is no release `{0}`")]
    NoRelease(ReleaseId),
    /// The release could not be read.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The configuration could not be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The configuration was written for another version of Fairway.
    #[error("the configuration of `{0}` cannot be read by this version: {1}")]
    Config(ReleaseId, String),
    /// A secret could not be read.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// The release cannot run there.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// What to do about a secret without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingSecrets {
    /// It is an error.
    Refused,
    /// It is empty: what runs already was given its value when it had one.
    Blank,
}

/// Finds what a placement is.
#[derive(Debug, Clone)]
pub struct Library {
    releases: Releases,
    blobs: Blobs,
    secrets: Secrets,
}

impl Library {
    /// A library over a ledger, its blobs and secrets.
    pub fn new(ledger: Ledger, blobs: Blobs, secrets: Secrets) -> Self {
        Self { releases: Releases::new(ledger), blobs, secrets }
    }

    /// The configuration of a release, as it was when it was made.
    pub fn service(&self, release: &Release) -> Result<Service, LibraryError> {
        let bytes = self.blobs.get(&release.content.config, FILE_MAX as u64)?;
        let text = String::from_utf8_lossy(&bytes);
        Service::decode("fairway.yaml", &text).map_err(|wrong: Vec<Diagnostic>| {
            let first = wrong.into_iter().next().map(|first| first.message).unwrap_or_default();
            LibraryError::Config(release.id.clone(), first)
        })
    }

    /// What a placement is in an environment, with the values of its secrets.
    pub async fn manifest(
        &self,
        placement: &Placement,
        environment: &EnvironmentName,
        missing: MissingSecrets,
    ) -> Result<Manifest, LibraryError> {
        let release = self.releases.get(&placement.release).await?;
        let release = release.ok_or_else(|| LibraryError::NoRelease(placement.release.clone()))?;
        let service = self.service(&release)?;
        let values = self.values(&service, environment)?;
        let secret = |name: &SecretName| {
            let value = values.iter().find(|(known, _)| known == name);
            match (value, missing) {
                (Some((_, value)), _) => Some(value.clone()),
                (None, MissingSecrets::Blank) => Some(String::new()),
                (None, MissingSecrets::Refused) => None,
            }
        };
        let mut manifest = Manifest::new(&release, &service, environment, &secret)?;
        manifest.replicas = placement.replicas;
        Ok(manifest)
    }

    /// Masks the secrets of an environment.
    pub fn masker(&self, environment: &EnvironmentName) -> Result<Masker, LibraryError> {
        Ok(self.secrets.masker(environment)?)
    }

    fn values(
        &self,
        service: &Service,
        environment: &EnvironmentName,
    ) -> Result<Vec<(SecretName, String)>, LibraryError> {
        let mut values = Vec::new();
        for name in crate::secrets_of(service, environment) {
            if let Some((value, _)) = self.secrets.get(environment, &name)? {
                values.push((name, value.expose().to_owned()));
            }
        }
        Ok(values)
    }
}
