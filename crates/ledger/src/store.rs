//! What a backend of the ledger does. The SQLite one is in this crate; others are crates of their
//! own, and all pass one test suite.

use crate::{
    append::{Append, AppendError, Appended},
    error::LedgerError,
    event::{Event, Position, Version},
    event_id::LedgerId,
    projection::Key,
    read::{ListStreams, Read, Snapshot, StreamState},
    stream_name::StreamName,
};
use async_trait::async_trait;
use fairway_model::Timestamp;
use std::fmt;

/// Keeps events, and beside them what is derived from them. One that is dropped in the middle of a
/// call may have done it or not, never half of it.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Where the ledger is, without secrets: a path or an address.
    fn place(&self) -> String;

    /// The id that the ledger got when it was made.
    fn id(&self) -> LedgerId;

    /// Appends to all streams or to none, after `append::check`. Events are synced to disk when
    /// this returns. Positions have no gap and are in the order of commits; what is committed is
    /// visible to all readers before anything with a higher position is. Appends of a process that are
    /// first polled in an order are committed in that order.
    ///
    /// What an append says of [`Append::retentions`] holds from the same commit on. Whoever owns the
    /// writes removes what is truncated after that, whether anybody waits for it or not, and again
    /// after a failure or a restart: see [`crate::Sweeping`]. This returns when that is done, or as
    /// soon as it fails, which is no failure of the append.
    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError>;

    /// Reads one page.
    async fn read(&self, read: Read) -> Result<Vec<Event>, LedgerError>;

    /// What is known of a stream.
    async fn stream(&self, name: &StreamName) -> Result<StreamState, LedgerError>;

    /// One page of the list of streams, by name.
    async fn streams(&self, list: ListStreams) -> Result<Vec<StreamState>, LedgerError>;

    /// The position of the last event that was appended.
    async fn head(&self) -> Result<Position, LedgerError>;

    /// The position of the last event that was recorded at a moment or before.
    async fn position_at(&self, moment: Timestamp) -> Result<Position, LedgerError>;

    /// Saves a snapshot and drops the oldest over [`crate::SNAPSHOTS_MAX`]; false if the stream has
    /// no such version, or is deleted.
    async fn save_snapshot(
        &self,
        stream: &StreamName,
        snapshot: Snapshot,
    ) -> Result<bool, LedgerError>;

    /// The newest snapshot of a stream up to a version.
    async fn snapshot(
        &self,
        stream: &StreamName,
        up_to: Version,
    ) -> Result<Option<Snapshot>, LedgerError>;

    /// Up to where the rows of a set are true; `Position(0)` if there is no such set.
    async fn rows_position(&self, set: RowSet) -> Result<Position, LedgerError>;

    /// Rows of a set, by key.
    async fn rows(&self, set: RowSet, rows: Rows) -> Result<Vec<(Key, String)>, LedgerError>;

    /// Changes rows and says up to where they are now true, in one commit; does nothing and says
    /// false if they are not true up to `change.from`. Removes sets of lower versions.
    async fn store_rows(&self, change: RowChange) -> Result<bool, LedgerError>;

    /// A way to wait for commits.
    fn watch(&self) -> Result<Box<dyn Watch>, LedgerError>;

    /// Makes all watches look at once, because another process said that it appended.
    fn wake(&self);
}

/// Waits for commits of anybody.
#[async_trait]
pub trait Watch: fmt::Debug + Send {
    /// Returns when something may have been committed since it last returned; the first time at
    /// once. Dropping a call loses nothing.
    async fn changed(&mut self) -> Result<(), LedgerError>;
}

/// Names rows that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowSet {
    /// The name; one per ledger.
    pub name: String,
    /// Rows of different versions have nothing to do with each other.
    pub version: u32,
}

/// Which rows of a set are read.
#[derive(Debug, Clone)]
pub enum Rows {
    /// Those with one of these keys, in any order; at most [`crate::ROWS_MAX`] keys.
    Keys(Vec<Key>),
    /// Those with the highest keys, from the highest down.
    Last {
        /// At most so many.
        limit: usize,
    },
    /// Of those whose keys are texts that start so, those with the highest keys.
    LastWithPrefix {
        /// How the keys start.
        prefix: String,
        /// At most so many.
        limit: usize,
    },
}

/// A change of rows.
#[derive(Debug, Clone)]
pub struct RowChange {
    /// The set; it is made if it is not there.
    pub set: RowSet,
    /// Up to where the rows have to be true before.
    pub from: Position,
    /// Up to where they are true afterwards.
    pub to: Position,
    /// New values; none removes a row.
    pub rows: Vec<(Key, Option<String>)>,
}
