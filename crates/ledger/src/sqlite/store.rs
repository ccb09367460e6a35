//! The SQLite backend as a store.

use crate::{
    append::{self, Append, AppendError, Appended},
    clock::Clock,
    error::LedgerError,
    event::{Event, Position, Version},
    event_id::LedgerId,
    projection::Key,
    read::{ListStreams, Read, Snapshot, StreamState},
    sqlite::{
        database::{self, Database},
        reader::Reader,
        rows, snapshots, streams,
        watch::{self, Commits, Looking},
        writer::{self, Writer},
    },
    store::{RowChange, RowSet, Rows, Store, Watch},
    stream_name::StreamName,
};
use async_trait::async_trait;
use fairway_model::Timestamp;
use rusqlite::Connection;
use std::{path::Path, sync::OnceLock};
use tokio::sync::watch::Sender;

/// A ledger in a SQLite file: one thread writes, others read.
#[derive(Debug)]
pub(crate) struct Sqlite {
    id: LedgerId,
    database: Database,
    pub(super) reader: Reader,
    writer: Writer,
    head: Sender<Position>,
    looking: OnceLock<Looking>,
}

impl Sqlite {
    /// Opens the ledger in a file, which is made if it is not there.
    pub(crate) fn open(path: &Path, clock: Clock) -> Result<Self, LedgerError> {
        Self::start(Database::open(path)?, clock)
    }

    /// Opens the ledger in a file that has to be there, if need be only to read it.
    pub(crate) fn open_existing(path: &Path, clock: Clock) -> Result<Self, LedgerError> {
        Self::start(Database::open_existing(path)?, clock)
    }

    fn start(
        (database, connection): (Database, Connection),
        clock: Clock,
    ) -> Result<Self, LedgerError> {
        let id = database::ledger_id(&connection).map_err(|error| database.error(error))?;
        let head = Sender::new(Position(0));
        let reader = Reader::new(database.clone(), id);
        let writer = Writer::start(id, (database.clone(), connection), clock, head.clone())?;
        Ok(Self { id, database, reader, writer, head, looking: OnceLock::new() })
    }
}

#[async_trait]
impl Store for Sqlite {
    fn place(&self) -> String {
        self.database.place()
    }

    fn id(&self) -> LedgerId {
        self.id
    }

    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        append::check(&appends)?;
        self.writer.append(appends).await
    }

    async fn read(&self, read: Read) -> Result<Vec<Event>, LedgerError> {
        self.reader.read(move |link| link.events(&read)).await
    }

    async fn stream(&self, name: &StreamName) -> Result<StreamState, LedgerError> {
        let wanted = name.clone();
        let found = self.reader.read(move |link| streams::find(&link.connection, &wanted)).await?;
        Ok(found.map_or_else(|| StreamState::none(name.clone()), |found| found.state))
    }

    async fn streams(&self, list: ListStreams) -> Result<Vec<StreamState>, LedgerError> {
        self.reader.read(move |link| streams::list(&link.connection, &list)).await
    }

    async fn head(&self) -> Result<Position, LedgerError> {
        self.reader.read(|link| writer::position(&link.connection)).await
    }

    async fn position_at(&self, moment: Timestamp) -> Result<Position, LedgerError> {
        self.reader.read(move |link| link.position_at(moment)).await
    }

    async fn save_snapshot(
        &self,
        stream: &StreamName,
        snapshot: Snapshot,
    ) -> Result<bool, LedgerError> {
        let stream = stream.clone();
        self.writer.work(move |connection| snapshots::save(connection, &stream, &snapshot)).await
    }

    async fn snapshot(
        &self,
        stream: &StreamName,
        up_to: Version,
    ) -> Result<Option<Snapshot>, LedgerError> {
        let stream = stream.clone();
        self.reader.read(move |link| snapshots::newest(&link.connection, &stream, up_to)).await
    }

    async fn rows_position(&self, set: RowSet) -> Result<Position, LedgerError> {
        self.reader.read(move |link| rows::position(&link.connection, &set)).await
    }

    async fn rows(&self, set: RowSet, rows: Rows) -> Result<Vec<(Key, String)>, LedgerError> {
        self.reader.read(move |link| rows::read(&link.connection, &set, &rows)).await
    }

    async fn store_rows(&self, change: RowChange) -> Result<bool, LedgerError> {
        self.writer.work(move |connection| rows::store(connection, &change)).await
    }

    fn watch(&self) -> Result<Box<dyn Watch>, LedgerError> {
        if self.looking.get().is_none() {
            let looking = watch::look(self.database.connect()?, self.head.clone())?;
            // Who came first has started one as well; this one ends at once.
            drop(self.looking.set(looking));
        }
        Ok(Box::new(Commits::new(&self.head)))
    }

    fn wake(&self) {
        self.head.send_modify(|_| {});
    }
}
