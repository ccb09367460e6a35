//! Truncation, deletion and tombstones: facts in the stream of metadata of the stream they are about,
//! in the form in which KurrentDB's clients write them.

use crate::{
    append::Append,
    event::{NewEvent, Version},
    kind::Kind,
    stream_name::StreamName,
};
use serde_json::{Value, json};

/// The kind of an event of metadata.
pub const METADATA_KIND: &str = "$metadata";
/// The kind of the event that closes a stream for ever.
pub const TOMBSTONE_KIND: &str = "$streamDeleted";
/// How many events from the start of the stream are gone; [`Version::END`] deletes it.
pub const TRUNCATE_BEFORE: &str = "$tb";

/// How much of a stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Its events up to this version are gone.
    Truncated(Version),
    /// It has no events; its next one makes it anew and goes on counting.
    Deleted,
    /// It has no events, and never will again.
    Tombstoned,
}

impl Retention {
    /// What an event of metadata says.
    pub fn of(event: &NewEvent) -> Option<Self> {
        if event.kind == TOMBSTONE_KIND {
            return Some(Self::Tombstoned);
        }
        if event.kind != METADATA_KIND {
            return None;
        }
        let metadata: Value = serde_json::from_str(event.data.as_json()?).ok()?;
        match metadata.get(TRUNCATE_BEFORE)?.as_u64()? {
            gone if gone >= Version::END.0 => Some(Self::Deleted),
            gone => Some(Self::Truncated(Version(gone))),
        }
    }

    /// The event of metadata that says this.
    pub fn event(self) -> NewEvent {
        let (kind, data) = match self {
            Self::Truncated(gone) => (METADATA_KIND, json!({ TRUNCATE_BEFORE: gone })),
            Self::Deleted => (METADATA_KIND, json!({ TRUNCATE_BEFORE: Version::END })),
            Self::Tombstoned => (TOMBSTONE_KIND, json!({})),
        };
        NewEvent::new(Kind::trusted(kind).as_str(), &data).expect("a known kind")
    }
}

impl Append {
    /// What this append decides of the stream that it is about, and of what is appended to that in
    /// the same commit; in order.
    pub fn retentions(&self) -> Vec<(StreamName, Retention)> {
        let Some(about) = self.stream.is_about() else { return Vec::new() };
        self.events
            .iter()
            .filter_map(|event| Some((about.clone(), Retention::of(event)?)))
            .collect()
    }
}
