//! An event that a group has not finished.

use crate::{decide::member::MemberId, key::Key};
use fairway_ledger::{EventId, Position, StreamName, Version};
use fairway_model::Timestamp;
use serde::{Deserialize, Serialize};

/// A place in a group's source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// In the ledger.
    pub position: Position,
    /// In the stream, if the source is one.
    pub version: Version,
}

/// What is to be known of an event to decide about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) at: Mark,
    pub(crate) stream: StreamName,
    pub(crate) id: EventId,
    /// What it is ordered by.
    pub(crate) key: Option<Key>,
    /// What pins it to a consumer.
    pub(crate) pin: Option<Key>,
    pub(crate) bytes: usize,
}

/// An event that is not finished.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(super) at: Mark,
    /// Known before the event is read, of those that were parked.
    pub(super) key: Option<Key>,
    /// None while the event is not in memory.
    pub(super) event: Option<Taken>,
    /// How often it was handed out.
    pub(super) attempts: u32,
    pub(super) status: Status,
    /// Why it failed the last time.
    pub(super) reason: String,
    /// Whether it was read by its position, not as the next of the source.
    pub(super) is_fetched: bool,
}

/// What an event waits for. Before it is read: for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Absent,
    /// For its turn.
    Ready,
    InFlight {
        member: MemberId,
        until: Timestamp,
    },
    /// For its next try.
    Waiting {
        until: Timestamp,
    },
    /// For a fact about it to be in the ledger.
    Recording,
}

impl Entry {
    /// An event that was just read.
    pub(super) fn read(event: Taken) -> Self {
        Self {
            at: event.at,
            key: event.key,
            event: Some(event),
            attempts: 0,
            status: Status::Ready,
            reason: String::new(),
            is_fetched: false,
        }
    }

    /// An event that is yet to be read.
    pub(super) fn absent(at: Mark, key: Option<Key>, attempts: u32) -> Self {
        Self {
            at,
            key,
            event: None,
            attempts,
            status: Status::Absent,
            reason: String::new(),
            is_fetched: true,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.event.as_ref().map_or(0, |event| event.bytes)
    }
}
