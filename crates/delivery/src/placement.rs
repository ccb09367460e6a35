//! A release in an environment.

use fairway_model::{Digest, EnvironmentName, Hasher, ReleaseId, SecretName};
use serde::{Deserialize, Serialize};

/// A release with the configuration it has in one environment, as a set of replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// What runs.
    pub release: ReleaseId,
    /// The name of its set of replicas: `orders-7-1f3a5b`. It changes with the release and with
    /// the secrets it was given, so that a changed secret is rolled out like a new release.
    pub set: String,
    /// How many replicas.
    pub replicas: u16,
}

impl Placement {
    /// Places a release. `secrets` are the versions of the secrets it is given.
    pub fn new(
        release: ReleaseId,
        environment: &EnvironmentName,
        secrets: &[(SecretName, u64)],
        replicas: u16,
    ) -> Self {
        let mut hasher = Hasher::new();
        hasher.field(environment.as_str());
        for (name, version) in secrets {
            hasher.field(name.as_str());
            hasher.field(version.to_le_bytes());
        }
        let digest: Digest = hasher.finish();
        let set = format!("{}-{}-{}", release.service, release.number, &digest.hex()[..6]);
        Self { release, set, replicas }
    }
}
