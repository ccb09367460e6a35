//! The PostgreSQL backend as a store.

use crate::{
    address::Address,
    appender::{Appender, Appending},
    connection::{Link, READER_PATIENCE},
    listener::{self, Commits},
    names::Names,
    pool::Pool,
    reader, rows,
    schema::{self, Absent},
    snapshots, streams,
    task::Task,
};
use async_trait::async_trait;
use fairway_ledger::{
    Append, AppendError, Appended, Clock, Event, Key, Ledger, LedgerError, LedgerId, ListStreams,
    Position, Read, RowChange, RowSet, Rows, Snapshot, Store, StreamName, StreamState, Sweeping,
    Version, Watch, check,
};
use fairway_model::Timestamp;
use std::sync::{Arc, OnceLock};
use tokio::sync::watch::Sender;

/// Opens the ledger in a database, which is made if it is not there; the database has to be.
///
/// `url` is `postgres://user:password@host:port/database`. After a `?` it may have `schema=` (by
/// default `fairway`), `sslmode=` (`disable`, `require` or `verify-full`), `sslrootcert=` and what
/// else PostgreSQL knows. Fails at once if the server cannot be reached.
pub async fn open(url: &str, clock: Clock) -> Result<Ledger, LedgerError> {
    let store = Postgres::open(url, clock.clone()).await?;
    Ok(Ledger::of(Arc::new(store), clock))
}

/// Opens the ledger in a database, as [`open`] does, where it has to be: else nothing is made, and it
/// is [`LedgerError::Missing`].
pub async fn open_existing(url: &str, clock: Clock) -> Result<Ledger, LedgerError> {
    let store = Postgres::open_existing(url, clock.clone()).await?;
    Ok(Ledger::of(Arc::new(store), clock))
}

/// A ledger in a PostgreSQL database. Its methods need the Tokio runtime it was opened in.
#[derive(Debug)]
pub struct Postgres {
    id: LedgerId,
    pub(crate) address: Arc<Address>,
    pub(crate) pool: Pool,
    names: Names,
    appender: Appender,
    head: Sender<Position>,
    listening: OnceLock<Task>,
}

impl Postgres {
    /// Opens the ledger in a database; see [`open`].
    pub async fn open(url: &str, clock: Clock) -> Result<Self, LedgerError> {
        Self::open_if(url, clock, Absent::Make).await
    }

    /// Opens the ledger in a database where it has to be; see [`open_existing`].
    pub async fn open_existing(url: &str, clock: Clock) -> Result<Self, LedgerError> {
        Self::open_if(url, clock, Absent::Refuse).await
    }

    async fn open_if(url: &str, clock: Clock, absent: Absent) -> Result<Self, LedgerError> {
        let address: Address = url.parse().map_err(|error| LedgerError::Backend {
            ledger: "postgres://".to_owned(),
            source: Arc::new(error),
        })?;
        let address = Arc::new(address);
        let link = Link::connect(&address, READER_PATIENCE).await;
        let link = link.map_err(|fault| fault.at(address.place()))?;
        let id = schema::prepare(&link, &address, absent).await?;
        let is_some_to_sweep = streams::is_some_to_sweep(&link).await;
        let is_some_to_sweep = is_some_to_sweep.map_err(|fault| fault.at(address.place()))?;
        let mut sweeping = Sweeping::default();
        if is_some_to_sweep {
            sweeping.begin();
        }
        let head = Sender::new(Position(0));
        let appending = Appending::new(id, address.clone(), (clock, head.clone()), sweeping);
        let appender = Appender::start(appending);
        let pool = Pool::new(address.clone(), link);
        let (names, listening) = (Names::default(), OnceLock::new());
        Ok(Self { id, address, pool, names, appender, head, listening })
    }
}

#[async_trait]
impl Store for Postgres {
    fn place(&self) -> String {
        self.address.place().to_owned()
    }

    fn id(&self) -> LedgerId {
        self.id
    }

    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        check(&appends)?;
        self.appender.append(appends).await
    }

    async fn read(&self, read: Read) -> Result<Vec<Event>, LedgerError> {
        let (id, names, read) = (self.id, &self.names, &read);
        self.pool.read(|link| async move { reader::events(&link, names, id, read).await }).await
    }

    async fn stream(&self, name: &StreamName) -> Result<StreamState, LedgerError> {
        self.pool.read(|link| async move { streams::find(&link, name).await }).await
    }

    async fn streams(&self, list: ListStreams) -> Result<Vec<StreamState>, LedgerError> {
        let list = &list;
        self.pool.read(|link| async move { streams::list(&link, list).await }).await
    }

    async fn head(&self) -> Result<Position, LedgerError> {
        self.pool.read(|link| async move { reader::head(&link).await }).await
    }

    async fn position_at(&self, moment: Timestamp) -> Result<Position, LedgerError> {
        self.pool.read(|link| async move { reader::position_at(&link, moment).await }).await
    }

    async fn save_snapshot(
        &self,
        stream: &StreamName,
        snapshot: Snapshot,
    ) -> Result<bool, LedgerError> {
        let snapshot = &snapshot;
        self.pool.write(|link| async move { snapshots::save(&link, stream, snapshot).await }).await
    }

    async fn snapshot(
        &self,
        stream: &StreamName,
        up_to: Version,
    ) -> Result<Option<Snapshot>, LedgerError> {
        self.pool.read(|link| async move { snapshots::newest(&link, stream, up_to).await }).await
    }

    async fn rows_position(&self, set: RowSet) -> Result<Position, LedgerError> {
        let set = &set;
        self.pool.read(|link| async move { rows::position(&link, set).await }).await
    }

    async fn rows(&self, set: RowSet, rows: Rows) -> Result<Vec<(Key, String)>, LedgerError> {
        let (set, rows) = (&set, &rows);
        self.pool.read(|link| async move { rows::read(&link, set, rows).await }).await
    }

    async fn store_rows(&self, change: RowChange) -> Result<bool, LedgerError> {
        let change = &change;
        self.pool.write(|link| async move { rows::store(&link, change).await }).await
    }

    fn watch(&self) -> Result<Box<dyn Watch>, LedgerError> {
        self.listening.get_or_init(|| listener::listen(self.address.clone(), self.head.clone()));
        Ok(Box::new(Commits::new(&self.head)))
    }

    fn wake(&self) {
        self.head.send_modify(|_| {});
    }
}
