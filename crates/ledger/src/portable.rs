//! What a backend does so that its ledger can be copied, move to another backend, and be checked.

use crate::{
    clock::Clock,
    error::LedgerError,
    event::{Event, Position, Version},
    event_id::{EventId, LedgerId},
    faults::Fault,
    judge::Place,
    read::{Snapshot, StreamState},
    sqlite::Sqlite,
    store::Store,
    stream_name::StreamName,
};
use async_trait::async_trait;
use std::{path::Path, sync::Arc};

/// Most snapshots of one page.
pub const PAGE_SNAPSHOTS_MAX: usize = 100;

/// Where a ledger takes appends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// Here.
    Here,
    /// At another place: this is a copy of the ledger there, or was left behind by a move.
    At(String),
}

/// A part of a ledger, as it is there, for a copy of it.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The last position that the copy has.
    pub after: Position,
    /// What comes next, in order; positions may be missing if their events were truncated.
    pub events: Vec<Event>,
    /// What is known of some streams at a position that the copy has, with these events.
    pub streams: Vec<StreamState>,
    /// Snapshots of versions that the copy has, with these events.
    pub snapshots: Vec<(StreamName, Snapshot)>,
    /// Ids of events that were truncated.
    pub truncated_ids: Vec<TruncatedId>,
}

/// The id that was given to an event that is gone: an append that repeats it is a retry still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruncatedId {
    /// The event's stream.
    pub stream: StreamName,
    /// The id.
    pub id: EventId,
    /// Where the event was.
    pub place: Place,
}

/// A page of all snapshots, in an order of the backend's own.
#[derive(Debug, Clone, Default)]
pub struct ListSnapshots {
    /// Those that come after this one.
    pub after: Option<(StreamName, Version)>,
    /// At most so many.
    pub limit: usize,
}

/// A ledger that can be copied event by event, with everything as it is: positions, versions, ids,
/// times, and how streams stand. Projections are not copied: they are folded anew.
#[async_trait]
pub trait Portable: Store {
    /// Where the ledger takes appends.
    async fn home(&self) -> Result<Home, LedgerError>;

    /// Says where the ledger takes appends. An append that is committed after this returns, by
    /// anybody, goes by it: elsewhere than at home, it gets [`LedgerError::Moved`].
    async fn set_home(&self, home: Home) -> Result<(), LedgerError>;

    /// Makes a ledger without events a copy of another, with that one's id; false if it has events,
    /// unless it is such a copy already. The ledger has to be opened anew then.
    async fn adopt(&self, ledger: LedgerId, home: String) -> Result<bool, LedgerError>;

    /// Writes a part in one commit; false, and nothing is written, if this is not a copy or has
    /// another last position. Of a stream's states the later one holds: see
    /// [`StreamState::is_later_than`].
    async fn replicate(&self, part: Part) -> Result<bool, LedgerError>;

    /// One page of all snapshots.
    async fn snapshots(
        &self,
        list: ListSnapshots,
    ) -> Result<Vec<(StreamName, Snapshot)>, LedgerError>;

    /// Ids of truncated events after a position, in order; at most so many.
    async fn truncated_ids(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<TruncatedId>, LedgerError>;

    /// Looks at everything, and names what is wrong: at most [`crate::FAULTS_MAX`].
    async fn check(&self) -> Result<Vec<Fault>, LedgerError>;
}

/// Opens the ledger in a file as one that can be copied; makes it if it is not there. Blocks for some
/// milliseconds.
pub fn open_portable(path: &Path, clock: Clock) -> Result<Arc<dyn Portable>, LedgerError> {
    Ok(Arc::new(Sqlite::open(path, clock)?))
}

/// Opens the ledger in a file that has to be there as one that can be copied and checked; see
/// [`crate::Ledger::open_existing`].
pub fn open_existing(path: &Path, clock: Clock) -> Result<Arc<dyn Portable>, LedgerError> {
    Ok(Arc::new(Sqlite::open_existing(path, clock)?))
}

impl StreamState {
    /// Whether the stream was in this state after it was in another: a stream only gets more
    /// events, loses more of them, and, without new ones, is deleted.
    pub fn is_later_than(&self, other: &Self) -> bool {
        let rank = |state: &Self| (state.version, state.truncated, state.standing.rank());
        rank(self) > rank(other)
    }
}
