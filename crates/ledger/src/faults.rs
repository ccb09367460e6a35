//! What can be wrong with a ledger that is there and can be opened.

use crate::{
    event::{Position, Version},
    stream_name::StreamName,
};

/// Most faults that a check names.
pub const FAULTS_MAX: usize = 100;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The backend finds its own structures damaged.
    #[error("the storage is damaged: {0}")]
    Storage(String),
    /// An event is gone that nobody truncated.
    #[error("stream `{stream}` lacks its event of version {version}, which was not truncated")]
    Missing {
        /// The stream.
        stream: StreamName,
        /// The first version that is missing.
        version: Version,
    },
    /// A stream has another version than its last event.
    #[error("stream `{stream}` is noted with version {noted}, its last event has version {last}")]
    StreamVersion {
        /// The stream.
        stream: StreamName,
        /// What is noted.
        noted: Version,
        /// What its events say.
        last: Version,
    },
    /// There are more positions without event than events that were truncated, or fewer.
    #[error("{holes} positions have no event, but {truncated} events were truncated")]
    Holes {
        /// Positions without event.
        holes: u64,
        /// Events that were truncated.
        truncated: u64,
    },
    /// An event belongs to no stream, or to another category than its stream.
    #[error("event {0} does not belong to a stream and its category")]
    Stray(Position),
    /// Data or metadata that have to be JSON are not.
    #[error("{part} of event {position} are not JSON")]
    Json {
        /// The event.
        position: Position,
        /// Data or metadata.
        part: &'static str,
    },
    /// Two events of a stream have one id.
    #[error("event {0} has the id of an earlier event of its stream")]
    DoubleId(Position),
    /// An event was recorded before the one in front of it.
    #[error("event {0} is recorded earlier than the one before it")]
    Time(Position),
    /// A snapshot is of a version that its stream does not have.
    #[error("a snapshot of stream `{stream}` is of version {version}, which is not there")]
    Snapshot {
        /// The stream.
        stream: StreamName,
        /// The snapshot's version.
        version: Version,
    },
    /// Stored rows claim to know events that are not there.
    #[error("projection `{name}` is at position {position}, after the last event")]
    Projection {
        /// The projection.
        name: String,
        /// Its position.
        position: Position,
    },
}

impl Fault {
    /// Whether this says itself why events are missing, or why there are more than there should be.
    pub(crate) fn is_of_events(&self) -> bool {
        match self {
            Self::Storage(_)
            | Self::Missing { .. }
            | Self::StreamVersion { .. }
            | Self::Holes { .. }
            | Self::Stray(_) => true,
            Self::Json { .. }
            | Self::DoubleId(_)
            | Self::Time(_)
            | Self::Snapshot { .. }
            | Self::Projection { .. } => false,
        }
    }
}
