//! What can be asked of a ledger, and what is known of a stream.

use crate::{
    data::Data,
    event::{Position, Version},
    kind::Kind,
    stream_name::StreamName,
};
use fairway_model::Timestamp;

/// Most events of one page, whatever limit a reader asks for.
pub const PAGE_EVENTS_MAX: usize = 10_000;
/// A page ends with the event that reaches this many bytes.
pub const PAGE_BYTES_MAX: usize = 16 << 20;
/// Most streams of one page of their list.
pub const PAGE_STREAMS_MAX: usize = 10_000;

/// Where a read begins and in which direction it goes; the event there is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From<T> {
    /// Forward, in order.
    After(T),
    /// Backward, the newest first.
    Before(T),
}

/// Which events are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All(From<Position>),
    /// Those of all streams of a category.
    Category(String, From<Position>),
    /// Those of one stream.
    Stream(StreamName, From<Version>),
}

/// One page of events that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Which events.
    pub scope: Scope,
    /// As the ledger was when this was its last position; [`Position::END`]: as it is.
    pub as_of: Position,
    /// At most so many; the page may have fewer because of [`PAGE_EVENTS_MAX`] and
    /// [`PAGE_BYTES_MAX`], but has none only if there are none.
    pub limit: usize,
}

impl Read {
    /// A page of the present ledger.
    pub fn new(scope: Scope, limit: usize) -> Self {
        Self { scope, as_of: Position::END, limit }
    }

    /// The same as the ledger was at a position.
    #[must_use]
    pub fn as_of(self, as_of: Position) -> Self {
        Self { as_of, ..self }
    }
}

/// Whether a stream can be read and appended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Live,
    /// It is deleted; its next event makes it anew.
    Deleted,
    /// It is deleted for ever.
    Tombstoned,
}

impl Standing {
    /// Without new events, a stream only ever gets a higher rank.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Deleted => 1,
            Self::Tombstoned => 2,
        }
    }
}

/// What is known of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// Its name.
    pub name: StreamName,
    /// How many events it ever had.
    pub version: Version,
    /// How many of these, from its start, are gone.
    pub truncated: Version,
    /// Whether it can be read and appended to.
    pub standing: Standing,
}

impl StreamState {
    /// A stream that nobody appended to.
    pub fn none(name: StreamName) -> Self {
        Self { name, version: Version(0), truncated: Version(0), standing: Standing::Live }
    }

    /// Whether there is an event to read, as far as an append's expectation is concerned.
    pub fn exists(&self) -> bool {
        self.version > Version(0) && self.standing == Standing::Live
    }
}

/// A page of the list of streams, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListStreams {
    /// Only those whose names start so.
    pub prefix: String,
    /// Only those whose names come after this text, by bytes.
    pub after: String,
    /// At most so many.
    pub limit: usize,
}

/// What a stream's events amount to up to a version, so that they need not all be read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The version up to which events are taken in.
    pub version: Version,
    /// What kind of state it is, such as `order-v2`: who knows another kind replays instead.
    pub kind: Kind,
    /// The state.
    pub data: Data,
    /// When it was saved.
    pub recorded: Timestamp,
}

/// Most snapshots that are kept of a stream; the oldest go first.
pub const SNAPSHOTS_MAX: u64 = 32;
