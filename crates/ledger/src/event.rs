//! Events before and after they are in the ledger.

use crate::{
    data::{Data, JSON_DEPTH_MAX, Json},
    event_id::EventId,
    kind::{KIND_MAX, Kind},
    stream_name::StreamName,
};
use fairway_model::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt;

/// Most bytes of an event's metadata.
pub const METADATA_BYTES_MAX: usize = 64 << 10;
/// The metadata that name what an event belongs to, as KurrentDB writes it.
pub const CORRELATION: &str = "$correlationId";
/// The metadata that name the event that led to this one, as KurrentDB writes it.
pub const CAUSATION: &str = "$causationId";

/// Where an event is in the whole ledger, counted from 1 without gaps. `Position(0)` is before the
/// first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

/// Where an event is in its stream, counted from 1 without gaps; of a stream: the number of events
/// that it ever had.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Position {
    /// After every event.
    pub const END: Self = Self(i64::MAX as u64);
}

impl Version {
    /// After every event of a stream.
    pub const END: Self = Self(i64::MAX as u64);
}

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

/// Why something cannot be an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Data or metadata are not JSON.
    #[error("an event's data and metadata have to be JSON")]
    Json(#[source] serde_json::Error),
    /// Data or metadata are nested too deeply.
    #[error("an event's data and metadata are nested at most {JSON_DEPTH_MAX} deep")]
    Nested,
    /// The kind is empty, too long or has control characters.
    #[error("`{}` is not a kind of event; use 1 to {KIND_MAX} bytes of printable text", .0.escape_debug())]
    Kind(String),
}

/// An event that is to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What makes the append of it a retry; without one, the ledger derives one.
    pub id: Option<EventId>,
    /// What kind of fact it is.
    pub kind: Kind,
    /// The fact.
    pub data: Data,
    /// What is about the event but no part of the fact, such as who caused it.
    pub metadata: Data,
}

impl NewEvent {
    /// Makes an event of a kind, such as `run-started`, with data that is kept as JSON.
    pub fn new(kind: impl AsRef<str>, data: &impl Serialize) -> Result<Self, EventError> {
        Self::from_json(kind, Json::of(data)?)
    }

    /// Makes an event with data that is JSON already.
    pub fn from_json(kind: impl AsRef<str>, data: Json) -> Result<Self, EventError> {
        let (kind, metadata) = (kind.as_ref().parse()?, Data::empty_object());
        Ok(Self { id: None, kind, data: data.into(), metadata })
    }

    /// Gives the event an id.
    #[must_use]
    pub fn with_id(self, id: EventId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Gives the event metadata.
    pub fn with_metadata(self, metadata: &impl Serialize) -> Result<Self, EventError> {
        Ok(Self { metadata: Json::of(metadata)?.into(), ..self })
    }

    /// Notes in the metadata which event led to this one. Metadata that are no JSON object stay as
    /// they are, and say nothing of it.
    pub fn caused_by(self, cause: &Event) -> Result<Self, EventError> {
        let correlation = cause.correlation().unwrap_or_else(|| cause.id.to_string());
        let metadata = self.metadata.as_json().and_then(|text| serde_json::from_str(text).ok());
        let Some(Value::Object(mut metadata)) = metadata else { return Ok(self) };
        metadata.insert(CORRELATION.to_owned(), correlation.into());
        metadata.insert(CAUSATION.to_owned(), cause.id.to_string().into());
        self.with_metadata(&metadata)
    }

    /// Bytes that count towards limits.
    pub fn bytes(&self) -> usize {
        self.kind.as_str().len() + self.data.len() + self.metadata.len()
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
    /// Its id, unlike that of every other event.
    pub id: EventId,
    /// What kind of fact it is.
    pub kind: Kind,
    /// When it was committed; never earlier than the event before it, even if a clock goes back.
    pub recorded: Timestamp,
    /// The fact.
    pub data: Data,
    /// What is about it.
    pub metadata: Data,
}

/// An event's data is not of the expected type.
#[derive(Debug, thiserror::Error)]
#[error("event {position} of kind `{kind}` cannot be read")]
pub struct DecodeError {
    position: Position,
    kind: Kind,
    source: serde_json::Error,
}

impl Event {
    /// Bytes that count towards limits.
    pub fn bytes(&self) -> usize {
        self.kind.as_str().len() + self.data.len() + self.metadata.len()
    }

    /// Reads the data as a type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_slice(self.data.as_bytes()).map_err(|source| DecodeError {
            position: self.position,
            kind: self.kind.clone(),
            source,
        })
    }

    /// What the event belongs to, by its metadata.
    pub fn correlation(&self) -> Option<String> {
        self.about(CORRELATION)
    }

    /// The id of the event that led to this one, by its metadata.
    pub fn causation(&self) -> Option<String> {
        self.about(CAUSATION)
    }

    fn about(&self, name: &str) -> Option<String> {
        let metadata: Value = serde_json::from_str(self.metadata.as_json()?).ok()?;
        metadata.get(name)?.as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_and_plain_kinds_become_events() {
        assert!(NewEvent::new("run-started", &serde_json::json!({"a": 1})).is_ok());
        assert!(NewEvent::new("", &1).is_err());
        assert!(NewEvent::new("a\nb", &1).is_err());
        assert!(NewEvent::new("a".repeat(KIND_MAX + 1), &1).is_err());
    }

    #[test]
    fn an_event_says_what_led_to_it() {
        let cause = |metadata: &str| Event {
            position: Position(1),
            stream: "a".parse().unwrap(),
            version: Version(1),
            id: EventId([7; 16]),
            kind: "asked".parse().unwrap(),
            recorded: Timestamp(0),
            data: Data::empty_object(),
            metadata: Data::trusted_json(metadata.to_owned()),
        };
        let caused = |metadata: &str| {
            let event =
                NewEvent::new("done", &1).unwrap().with_metadata(&serde_json::json!({"by": 1}));
            let event = event.unwrap().caused_by(&cause(metadata)).unwrap();
            event.metadata.as_json().unwrap().to_owned()
        };
        let id = EventId([7; 16]);
        let first = format!(r#"{{"$causationId":"{id}","$correlationId":"{id}","by":1}}"#);
        assert_eq!(caused("{}"), first);
        assert_eq!(caused("[1]"), first);
        let later = format!(r#"{{"$causationId":"{id}","$correlationId":"c","by":1}}"#);
        assert_eq!(caused(r#"{"$correlationId":"c"}"#), later);
        let bytes = NewEvent { metadata: Data::Bytes(vec![1]), ..NewEvent::new("a", &1).unwrap() };
        assert_eq!(bytes.clone().caused_by(&cause("{}")).unwrap(), bytes);
    }
}
