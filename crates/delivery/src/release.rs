//! An immutable release: what was built, from what, and what was proven about it.

use fairway_model::{Digest, ImageRef, ReleaseId, Revision, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What runs in environments. Nothing in it changes, and nothing is built again on promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// What it was made of.
    pub content: ReleaseContent,
    /// When it was made.
    pub at: Timestamp,
}

/// What a release is made of. Two green runs with equal content are one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseContent {
    /// The sources it was built from.
    pub revision: Revision,
    /// The image of the service.
    pub image: Digest,
    /// The text of the service's `fairway.yaml`, a blob.
    pub config: Digest,
    /// The images of the neighbours that the service names, as they were tested.
    pub neighbours: BTreeMap<ImageRef, Digest>,
    /// What was proven.
    pub evidence: Evidence,
}

impl ReleaseContent {
    /// Whether an environment could not tell the two apart. A commit that changes nothing that the
    /// service is made of makes no difference.
    pub fn runs_like(&self, other: &Self) -> bool {
        self.revision.tree == other.revision.tree
            && self.image == other.image
            && self.config == other.config
            && self.neighbours == other.neighbours
    }
}

/// What one green run proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The run.
    pub run: RunId,
    /// Tests that ran, over all reports.
    pub tests: u64,
    /// Tests among them that were skipped.
    pub skipped: u64,
    /// The digest of every neighbour that took part, by its fleet-wide name.
    pub neighbours: BTreeMap<String, Digest>,
}
