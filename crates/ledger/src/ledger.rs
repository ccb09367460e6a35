//! The ledger as the rest of Fairway sees it.

use crate::{
    append::{Append, AppendError, Appended, Expected},
    clock::Clock,
    database::Database,
    error::LedgerError,
    event::{Event, NewEvent, Position, Version},
    fold::{self, FOLD_MAX, Fold, FoldError},
    projection::{Key, Projection},
    reader::{self, Reader},
    rows::Keys,
    stream_name::StreamName,
    subscription::Subscription,
    writer::{self, Work, Writer},
};
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

/// An open ledger. Cheap to clone; its methods need a Tokio runtime.
#[derive(Debug, Clone)]
pub struct Ledger {
    reader: Reader,
    writer: Writer,
    clock: Clock,
    head: watch::Sender<Position>,
}

impl Ledger {
    /// Opens the ledger in a file, which is made if it is not there; its directory has to be.
    /// Blocks for some milliseconds.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_with(path, Clock::system())
    }

    /// Opens the ledger with another clock than the machine's.
    pub fn open_with(path: &Path, clock: Clock) -> Result<Self, LedgerError> {
        let (database, connection) = Database::open(path)?;
        let head = watch::Sender::new(Position(0));
        let reader = Reader::new(database.clone());
        let writer = Writer::start(database, connection, clock.clone(), head.clone())?;
        Ok(Self { reader, writer, clock, head })
    }

    /// The clock that stamps this process's events.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Appends events to a stream; they are on disk when this returns. Dropped before that, they
    /// may be there or not.
    pub async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let append = Append { stream: stream.clone(), expected, events };
        let appended = self.writer.append(vec![append]).await?;
        Ok(*appended.first().expect("one append has one answer"))
    }

    /// Appends to several streams, each named once: to all or to none.
    pub async fn append_all(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        self.writer.append(appends).await
    }

    /// Reads events of a stream after a version (`Version(0)`: from its start), one page.
    pub async fn read_stream(
        &self,
        stream: &StreamName,
        after: Version,
        limit: usize,
    ) -> Result<Vec<Event>, LedgerError> {
        let stream = stream.clone();
        self.sql(move |connection| reader::stream(connection, &stream, after, limit)).await
    }

    /// Reads events of the ledger after a position (`Position(0)`: from its start), one page.
    pub async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<Event>, LedgerError> {
        self.sql(move |connection| reader::all(connection, after, limit)).await
    }

    /// The number of events of a stream; 0 if there is no such stream.
    pub async fn stream_version(&self, stream: &StreamName) -> Result<Version, LedgerError> {
        let stream = stream.clone();
        self.sql(move |connection| reader::version(connection, &stream)).await
    }

    /// The position of the last event.
    pub async fn head(&self) -> Result<Position, LedgerError> {
        self.sql(writer::position).await
    }

    /// Follows the ledger after a position: what is there, then what is appended by anybody.
    pub fn subscribe(&self, after: Position) -> Result<Subscription, LedgerError> {
        Subscription::new(self.reader.clone(), self.head.subscribe(), after)
    }

    /// Makes subscriptions look at once, because another process said that it appended.
    pub fn wake(&self) {
        self.head.send_modify(|_| {});
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
        let key = key.into();
        self.fold::<P, _>(move |fold| fold.row(&key)).await
    }

    /// The rows of a projection with the highest keys, from the highest down.
    pub async fn last_rows<P: Projection>(
        &self,
        limit: usize,
    ) -> Result<Vec<(Key, P::Row)>, LedgerError> {
        self.fold::<P, _>(move |fold| fold.last(&Keys::All, limit)).await
    }

    /// Of the rows whose keys are texts that start so: those with the highest keys.
    pub async fn last_rows_with_prefix<P: Projection>(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(Key, P::Row)>, LedgerError> {
        let keys = Keys::Prefix(prefix.to_owned());
        self.fold::<P, _>(move |fold| fold.last(&keys, limit)).await
    }

    /// Reads a projection as it is now.
    async fn fold<P: Projection, T: Send + 'static>(
        &self,
        ask: impl FnOnce(Fold<'_, P>) -> Result<T, FoldError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.store_rows::<P>().await?;
        let reader = self.reader.clone();
        let read = move |connection: &Connection| {
            let answer = || {
                let view = connection.unchecked_transaction()?;
                ask(Fold::whole(&view)?)
            };
            answer().map_err(|error| reader.fold_error::<P>(error))
        };
        self.reader.read(read).await
    }

    /// Stores the rows of a projection if they are far behind. That a ledger cannot be written is no
    /// reason not to read it.
    async fn store_rows<P: Projection>(&self) -> Result<(), LedgerError> {
        while self.lag::<P>().await? > FOLD_MAX {
            let reader = self.reader.clone();
            let work: Work = Box::new(move |connection| {
                fold::store::<P>(connection).map_err(|error| reader.fold_error::<P>(error))
            });
            match self.writer.work(work).await {
                Err(LedgerError::DiskFull { .. } | LedgerError::NotWritable { .. }) => {
                    return Ok(());
                }
                result => result?,
            }
        }
        Ok(())
    }

    async fn lag<P: Projection>(&self) -> Result<u64, LedgerError> {
        let reader = self.reader.clone();
        let read = move |connection: &Connection| {
            fold::lag::<P>(connection).map_err(|error| reader.fold_error::<P>(error))
        };
        self.reader.read(read).await
    }

    async fn sql<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let reader = self.reader.clone();
        self.reader.read(move |connection| read(connection).map_err(|e| reader.error(e))).await
    }
}

impl Reader {
    fn fold_error<P: Projection>(&self, error: FoldError) -> LedgerError {
        let projection = P::NAME;
        match error {
            FoldError::Sqlite(error) => self.error(error),
            FoldError::Decode(error) => {
                LedgerError::Projection { projection, source: Arc::new(error) }
            }
            FoldError::Row(error) => LedgerError::Row { projection, source: Arc::new(error) },
        }
    }
}
