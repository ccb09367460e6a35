//! What a pipeline runs on.

use crate::TreeDigest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A service's sources at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The commit of the repository, if there is a repository with one.
    pub commit: Option<CommitId>,
    /// The inputs of the service.
    pub tree: TreeDigest,
    /// Whether the commit holds these very inputs.
    pub state: RevisionState,
}

/// Whether a revision's inputs are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevisionState {
    /// The commit holds these very inputs.
    Clean,
    /// Something differs from the commit, or there is none.
    Dirty,
}

/// The id of a git commit: 40 or 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

/// Why a text is not the id of a commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of a commit")]
pub struct CommitIdError(String);

impl CommitId {
    /// The first digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }

    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommitId {
    type Error = CommitIdError;
    fn try_from(text: String) -> Result<Self, CommitIdError> {
        let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if digits && matches!(text.len(), 40 | 64) {
            Ok(Self(text))
        } else {
            Err(CommitIdError(text.chars().take(80).collect()))
        }
    }
}

impl std::str::FromStr for CommitId {
    type Err = CommitIdError;
    fn from_str(text: &str) -> Result<Self, CommitIdError> {
        text.to_owned().try_into()
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> String {
        id.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short form for people: the commit, with `+` for changes beyond it, else the tree.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.commit, self.state) {
            (Some(commit), RevisionState::Clean) => f.write_str(commit.short()),
            (Some(commit), RevisionState::Dirty) => write!(f, "{}+", commit.short()),
            (None, _) => write!(f, "tree {}", self.tree.0.short()),
        }
    }
}
