//! Kinds of events, parsed once.

use crate::event::EventError;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// Longest kind of an event in bytes.
pub const KIND_MAX: usize = 128;

/// What kind of fact an event is, such as `run-started`: 1 to [`KIND_MAX`] bytes of text without
/// control characters. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kind(Arc<str>);

impl Kind {
    /// The kind as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a ledger holds was checked when it was appended.
    pub fn trusted(text: &str) -> Self {
        Self(text.into())
    }
}

impl FromStr for Kind {
    type Err = EventError;
    fn from_str(text: &str) -> Result<Self, EventError> {
        let is_plain = !text.is_empty() && !text.chars().any(char::is_control);
        if is_plain && text.len() <= KIND_MAX {
            Ok(Self(text.into()))
        } else {
            Err(EventError::Kind(text.chars().take(KIND_MAX).collect()))
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = EventError;
    fn try_from(text: String) -> Result<Self, EventError> {
        text.parse()
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> String {
        kind.0.as_ref().to_owned()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Kind {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Kind {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}
