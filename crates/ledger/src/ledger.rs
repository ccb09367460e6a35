//! The ledger as the rest of Fairway sees it.

use crate::{
    append::{Append, AppendError, Appended, Expected},
    clock::Clock,
    data::Data,
    error::LedgerError,
    event::{Event, NewEvent, Position, Version},
    event_id::LedgerId,
    filter::Filter,
    fold,
    kind::Kind,
    projection::{Key, Projection},
    read::{From, ListStreams, Read, Scope, Snapshot, StreamState},
    retention::Retention,
    sqlite::Sqlite,
    store::{Rows, Store},
    stream_name::StreamName,
    subscription::Subscription,
};
use fairway_model::Timestamp;
use std::{path::Path, sync::Arc};

/// An open ledger. Cheap to clone; its methods need a Tokio runtime.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Ledger {
    /// Opens the ledger in a file, which is made if it is not there; its directory has to be.
    /// Blocks for some milliseconds.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_with(path, Clock::system())
    }

    /// Opens the ledger with another clock than the machine's.
    pub fn open_with(path: &Path, clock: Clock) -> Result<Self, LedgerError> {
        let store = Sqlite::open(path, clock.clone())?;
        Ok(Self::of(Arc::new(store), clock))
    }

    /// Opens the ledger in a file that has to be there: [`LedgerError::Missing`]. One that may not be
    /// written is opened to be read: then appends get [`LedgerError::NotWritable`]. Blocks for some
    /// milliseconds.
    pub fn open_existing(path: &Path) -> Result<Self, LedgerError> {
        let clock = Clock::system();
        let store = Sqlite::open_existing(path, clock.clone())?;
        Ok(Self::of(Arc::new(store), clock))
    }

    /// A ledger that another backend keeps, with the clock that the backend stamps events by.
    pub fn of(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Where the ledger is, without secrets: a path or an address.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// The id that the ledger got when it was made.
    pub fn id(&self) -> LedgerId {
        self.store.id()
    }

    /// The clock that stamps this process's events.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The backend.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Appends events to a stream; they are on disk when this returns. Dropped before that, they
    /// may be there or not. Tried again with the same ids, it does nothing twice.
    pub async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let append = Append { stream: stream.clone(), expected, events };
        let appended = self.append_all(vec![append]).await?;
        Ok(*appended.first().expect("one append has one answer"))
    }

    /// Appends to several streams, each named once: to all or to none.
    pub async fn append_all(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        self.store.append(appends).await
    }

    /// Reads one page.
    pub async fn read(&self, read: Read) -> Result<Vec<Event>, LedgerError> {
        self.store.read(read).await
    }

    /// Reads events of a stream after a version (`Version(0)`: from its start), one page.
    pub async fn read_stream(
        &self,
        stream: &StreamName,
        after: Version,
        limit: usize,
    ) -> Result<Vec<Event>, LedgerError> {
        self.read(Read::new(Scope::Stream(stream.clone(), From::After(after)), limit)).await
    }

    /// Reads events of the ledger after a position (`Position(0)`: from its start), one page.
    pub async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<Event>, LedgerError> {
        self.read(Read::new(Scope::All(From::After(after)), limit)).await
    }

    /// What is known of a stream.
    pub async fn stream(&self, name: &StreamName) -> Result<StreamState, LedgerError> {
        self.store.stream(name).await
    }

    /// One page of the list of streams, by name.
    pub async fn streams(&self, list: ListStreams) -> Result<Vec<StreamState>, LedgerError> {
        self.store.streams(list).await
    }

    /// The number of events that a stream ever had; 0 if there is no such stream.
    pub async fn stream_version(&self, stream: &StreamName) -> Result<Version, LedgerError> {
        Ok(self.store.stream(stream).await?.version)
    }

    /// The position of the last event.
    pub async fn head(&self) -> Result<Position, LedgerError> {
        self.store.head().await
    }

    /// The position of the last event that was recorded at a moment or before: what to read the
    /// ledger as of, to see it as it was then.
    pub async fn position_at(&self, moment: Timestamp) -> Result<Position, LedgerError> {
        self.store.position_at(moment).await
    }

    /// Removes events from the start of a stream, deletes the stream, or closes it for ever. That
    /// holds when this returns, and is itself an event, of the stream's stream of metadata. Who reads
    /// a category, or everything, does not see these events any more either, but for what goes wrong
    /// with their removal, which is tried again then.
    pub async fn retain(
        &self,
        stream: &StreamName,
        expected: Expected,
        retention: Retention,
    ) -> Result<Appended, AppendError> {
        let about = stream.metadata_stream();
        let about = about.ok_or_else(|| AppendError::OfMetadata(stream.clone()))?;
        let check = Append { stream: stream.clone(), expected, events: Vec::new() };
        let fact =
            Append { stream: about, expected: Expected::Any, events: vec![retention.event()] };
        let appended = self.append_all(vec![check, fact]).await?;
        Ok(appended[1])
    }

    /// Saves what a stream's events amount to up to a version; false if it has no such version, or is
    /// deleted.
    pub async fn save_snapshot(
        &self,
        stream: &StreamName,
        version: Version,
        (kind, data): (Kind, Data),
    ) -> Result<bool, LedgerError> {
        let snapshot = Snapshot { version, kind, data, recorded: self.clock.now() };
        self.store.save_snapshot(stream, snapshot).await
    }

    /// The newest snapshot of a stream up to a version ([`Version::END`]: of all).
    pub async fn snapshot(
        &self,
        stream: &StreamName,
        up_to: Version,
    ) -> Result<Option<Snapshot>, LedgerError> {
        self.store.snapshot(stream, up_to).await
    }

    /// Follows the ledger after a position: what is there, then what is appended by anybody.
    pub fn subscribe(&self, after: Position) -> Result<Subscription, LedgerError> {
        self.subscribe_to(Filter::all(), after)
    }

    /// Follows those events after a position that pass a filter.
    pub fn subscribe_to(
        &self,
        filter: Filter,
        after: Position,
    ) -> Result<Subscription, LedgerError> {
        Subscription::new(self.store.clone(), filter, after)
    }

    /// Makes subscriptions look at once, because another process said that it appended.
    pub fn wake(&self) {
        self.store.wake();
    }

    /// The one row of a projection that has [`Key::only`] for all its events.
    pub async fn project<P: Projection>(&self) -> Result<P::Row, LedgerError>
    where
        P::Row: Default,
    {
        Ok(self.row::<P>(Key::only()).await?.unwrap_or_default())
    }

    /// The row of a projection with a key.
    pub async fn row<P: Projection>(
        &self,
        key: impl Into<Key>,
    ) -> Result<Option<P::Row>, LedgerError> {
        let rows = self.rows::<P>(Rows::Keys(vec![key.into()])).await?;
        Ok(rows.into_iter().next().map(|(_, row)| row))
    }

    /// The rows of a projection with the highest keys, from the highest down.
    pub async fn last_rows<P: Projection>(
        &self,
        limit: usize,
    ) -> Result<Vec<(Key, P::Row)>, LedgerError> {
        self.rows::<P>(Rows::Last { limit }).await
    }

    /// Of the rows whose keys are texts that start so: those with the highest keys.
    pub async fn last_rows_with_prefix<P: Projection>(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(Key, P::Row)>, LedgerError> {
        self.rows::<P>(Rows::LastWithPrefix { prefix: prefix.to_owned(), limit }).await
    }

    async fn rows<P: Projection>(&self, rows: Rows) -> Result<Vec<(Key, P::Row)>, LedgerError> {
        fold::read::<P>(&*self.store, &rows).await
    }
}
