//! Appending: what is asked for, and what is answered. What decides between the two is in
//! [`crate::judge`].

use crate::{
    error::{Cause, LedgerError},
    event::{METADATA_BYTES_MAX, NewEvent, Position, Version},
    kind::Kind,
    read::StreamState,
    stream_name::StreamName,
};

/// Most bytes of one event: kind, data and metadata.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// Most events of one append, and most streams.
pub const BATCH_EVENTS_MAX: usize = 5_000;
/// Most bytes of one append.
pub const BATCH_BYTES_MAX: usize = 16 << 20;
/// Most events that a stream ever has.
pub const STREAM_EVENTS_MAX: u64 = 1 << 40;

/// What has to be true of a stream for an append to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Any,
    /// It has no event yet, or was deleted.
    NoStream,
    /// It has an event.
    Exists,
    /// It has exactly this version.
    Exact(Version),
}

impl Expected {
    pub(crate) fn holds(self, actual: &StreamState) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => !actual.exists(),
            Self::Exists => actual.exists(),
            Self::Exact(version) => actual.version == version,
        }
    }

    /// Whether the events from `first` on can be what an earlier try of this append left.
    pub(crate) fn held_before(self, first: Version) -> bool {
        match self {
            Self::Any | Self::NoStream | Self::Exists => true,
            Self::Exact(version) => version.0.checked_add(1) == Some(first.0),
        }
    }
}

/// Events for one stream.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream; it is made by its first event.
    pub stream: StreamName,
    /// What has to be true of it.
    pub expected: Expected,
    /// The events in order. Without any, this only checks what is expected.
    pub events: Vec<NewEvent>,
}

/// Where events went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The position of the last event; without events, of the last event of the ledger.
    pub position: Position,
    /// The version that the stream has now.
    pub version: Version,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not as expected: somebody else appended meanwhile.
    #[error("stream `{stream}` has version {actual}, which is not as expected")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// Its version; 0 if it has no event.
        actual: Version,
    },
    /// The stream is closed for ever.
    #[error("stream `{0}` has a tombstone, so nothing can be appended to it")]
    Tombstoned(StreamName),
    /// A stream of metadata cannot be truncated or deleted.
    #[error("`{0}` holds what is about another stream, so it cannot be truncated or deleted")]
    OfMetadata(StreamName),
    /// What an event's metadata say of personal fields cannot be followed.
    #[error("the personal fields of event `{kind}` cannot be sealed")]
    Personal {
        /// The kind of the event.
        kind: Kind,
        /// Why.
        source: Cause,
    },
    /// A stream is full.
    #[error("stream `{0}` has {STREAM_EVENTS_MAX} events, which is the most")]
    StreamFull(StreamName),
    /// An event is too large.
    #[error(
        "event `{kind}` is too large: at most {EVENT_BYTES_MAX} bytes, metadata at most {METADATA_BYTES_MAX}"
    )]
    EventTooLarge {
        /// The kind of the event.
        kind: Kind,
    },
    /// Too much at once.
    #[error(
        "an append has at most {BATCH_EVENTS_MAX} events or streams and {BATCH_BYTES_MAX} bytes"
    )]
    BatchTooLarge,
    /// One append names a stream twice.
    #[error("an append names stream `{0}` twice")]
    SameStream(StreamName),
    /// One append gives two events of a stream one id.
    #[error("an append to stream `{0}` gives two events one id")]
    SameId(StreamName),
    /// The ledger could not be written. Unless the disk is full, the events may be there or not.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Refuses what is over a limit, whatever is in the ledger.
pub fn check(appends: &[Append]) -> Result<(), AppendError> {
    let events = || appends.iter().flat_map(|append| &append.events);
    if let Some(event) = events().find(|event| is_too_large(event)) {
        return Err(AppendError::EventTooLarge { kind: event.kind.clone() });
    }
    let bytes: usize = events().map(NewEvent::bytes).sum();
    let count = events().count().max(appends.len());
    if count > BATCH_EVENTS_MAX || bytes > BATCH_BYTES_MAX {
        return Err(AppendError::BatchTooLarge);
    }
    let mut streams: Vec<_> = appends.iter().map(|append| &append.stream).collect();
    streams.sort();
    if let Some(pair) = streams.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(AppendError::SameStream(pair[0].clone()));
    }
    match appends.iter().find(|append| has_same_ids(append)) {
        Some(append) => Err(AppendError::SameId(append.stream.clone())),
        None => Ok(()),
    }
}

fn has_same_ids(append: &Append) -> bool {
    let mut ids: Vec<_> = append.events.iter().filter_map(|event| event.id).collect();
    ids.sort();
    ids.windows(2).any(|two| two[0] == two[1])
}

fn is_too_large(event: &NewEvent) -> bool {
    event.bytes() > EVENT_BYTES_MAX || event.metadata.len() > METADATA_BYTES_MAX
}
