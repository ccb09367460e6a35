//! A group of containers with its own network and names.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Names a group: lower-case letters, digits and `-`, at most 40 characters, for example
/// `run-17-contract` or `env-staging`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupId(String);

/// Longest id of a group in bytes.
const GROUP_ID_MAX: usize = 40;

/// Why a text is not the id of a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a group; use at most {GROUP_ID_MAX} lower-case letters, digits and `-`")]
pub struct GroupIdError(String);

impl GroupId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupId {
    type Err = GroupIdError;
    fn from_str(text: &str) -> Result<Self, GroupIdError> {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=GROUP_ID_MAX).contains(&text.len()) && text.bytes().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(GroupIdError(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for GroupId {
    type Error = GroupIdError;
    fn try_from(text: String) -> Result<Self, GroupIdError> {
        text.parse()
    }
}

impl From<GroupId> for String {
    fn from(id: GroupId) -> String {
        id.0
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long a group lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// As long as the process that opened it: when that one ends, however it ends, the group's
    /// containers, networks and files go within five seconds.
    WhileOwned,
    /// Until it is closed or the machine restarts; whoever opens it again adopts what still runs.
    UntilClosed,
}
