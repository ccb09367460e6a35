//! What events carry: JSON, or bytes of which the ledger knows nothing.

use crate::event::EventError;
use serde::{Serialize, de::IgnoredAny};

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
        serde_json::from_str::<IgnoredAny>(&text).map_err(EventError::Json)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The data or metadata of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// JSON, kept as it was given.
    Json(Json),
    /// Other bytes.
    Bytes(Vec<u8>),
}

impl Data {
    /// The empty object, which is what metadata are when none are given.
    pub fn empty_object() -> Self {
        Self::trusted_json("{}".to_owned())
    }

    /// What a ledger holds was checked when it was appended.
    pub fn trusted_json(text: String) -> Self {
        Self::Json(Json(text))
    }

    /// The bytes, of JSON its text.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Json(json) => json.as_str().as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The text, if it is JSON.
    pub fn as_json(&self) -> Option<&str> {
        match self {
            Self::Json(json) => Some(json.as_str()),
            Self::Bytes(_) => None,
        }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there is not even one byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Json> for Data {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}
