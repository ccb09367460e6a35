//! Events before and after they are in the ledger.

use crate::stream_name::StreamName;
use fairway_model::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// Longest kind of an event in bytes.
pub const KIND_MAX: usize = 128;
/// Most bytes of an event's metadata.
pub const METADATA_BYTES_MAX: usize = 64 << 10;

/// Where an event is in the whole ledger, counted from 1 without gaps. `Position(0)` is before the
/// first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

/// Where an event is in its stream, counted from 1 without gaps; of a stream: the number of its
/// events.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Version(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Text that is valid JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// Writes a value as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, EventError> {
        serde_json::to_string(value).map(Self).map_err(EventError::Json)
    }

    /// Checks that a text is JSON and keeps it as it is.
    pub fn parse(text: String) -> Result<Self, EventError> {
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(EventError::Json)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

/// Why something cannot be an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Data or metadata are not JSON.
    #[error("an event's data and metadata have to be JSON")]
    Json(#[source] serde_json::Error),
    /// The kind is empty, too long or has other than printable ASCII characters.
    #[error("`{0}` is not a kind of event; use 1 to {KIND_MAX} printable ASCII characters")]
    Kind(String),
}

/// An event that is to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub(crate) kind: String,
    pub(crate) data: Json,
    pub(crate) metadata: Json,
}

impl NewEvent {
    /// Makes an event of a kind, such as `run-started`, with data that is kept as JSON.
    pub fn new(kind: impl Into<String>, data: &impl Serialize) -> Result<Self, EventError> {
        Self::from_json(kind, Json::of(data)?)
    }

    /// Makes an event with data that is JSON already.
    pub fn from_json(kind: impl Into<String>, data: Json) -> Result<Self, EventError> {
        let kind = kind.into();
        let is_plain = kind.bytes().all(|byte| byte.is_ascii_graphic());
        if kind.is_empty() || kind.len() > KIND_MAX || !is_plain {
            return Err(EventError::Kind(kind.chars().take(KIND_MAX).collect()));
        }
        Ok(Self { kind, data, metadata: Json::trusted("{}".to_owned()) })
    }

    /// Adds metadata: what is about the event but no part of the fact, such as who caused it.
    pub fn with_metadata(self, metadata: &impl Serialize) -> Result<Self, EventError> {
        Ok(Self { metadata: Json::of(metadata)?, ..self })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.kind.len() + self.data.0.len() + self.metadata.0.len()
    }
}

/// An event of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where it is in the ledger.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Where it is in its stream.
    pub version: Version,
    /// What kind of fact it is.
    pub kind: String,
    /// When it was committed, by the clock of the process that did.
    pub recorded: Timestamp,
    /// The fact.
    pub data: Json,
    /// What is about it.
    pub metadata: Json,
}

/// An event's data is not of the expected type.
#[derive(Debug, thiserror::Error)]
#[error("event {position} of kind `{kind}` cannot be read")]
pub struct DecodeError {
    position: Position,
    kind: String,
    source: serde_json::Error,
}

impl Event {
    /// Reads the data as a type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_str(self.data.as_str()).map_err(|source| DecodeError {
            position: self.position,
            kind: self.kind.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_and_plain_kinds_become_events() {
        assert!(NewEvent::new("run-started", &serde_json::json!({"a": 1})).is_ok());
        assert!(NewEvent::new("", &1).is_err());
        assert!(NewEvent::new("a b", &1).is_err());
        assert!(NewEvent::new("a".repeat(KIND_MAX + 1), &1).is_err());
        assert!(Json::parse("{\"a\":".to_owned()).is_err());
        assert!(Json::parse("[".repeat(1 << 20)).is_err(), "deep nesting does not crash");
    }
}
