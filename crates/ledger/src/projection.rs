//! What a projection is: a pure fold of events into rows by key.

use crate::event::{DecodeError, Event};
use serde::{Serialize, de::DeserializeOwned};

/// Folds events into rows, each found by its key. Rows are stored with the position up to which they
/// are true; what came after is folded in when they are read, so a read is never behind.
///
/// A projection of one state instead of many has [`Key::only`] for all its events.
pub trait Projection: 'static {
    /// Names the projection; one name per ledger.
    const NAME: &'static str;
    /// To be raised when `key`, `apply` or the rows' shape change; the rows are then folded anew.
    const VERSION: u32;
    /// One row, kept as JSON.
    type Row: Serialize + DeserializeOwned + Send + 'static;

    /// Which row an event changes, if any.
    fn key(event: &Event) -> Option<Key>;

    /// What the row is after the event; `None` removes it or leaves it out.
    fn apply(row: Option<Self::Row>, event: &Event) -> Result<Option<Self::Row>, DecodeError>;
}

/// The key of a row. Numbers come before texts; texts are ordered by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A number, at most `i64::MAX`.
    Number(u64),
    /// A text.
    Text(String),
}

impl Key {
    /// The key of the only row of a projection.
    pub fn only() -> Self {
        Self::Number(0)
    }

    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        matches!(self, Self::Text(text) if text.starts_with(prefix))
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
