//! Reading events, on connections that are kept for the next reader.

use crate::{
    database::Database,
    error::LedgerError,
    event::{Event, Json, Position, Version},
    stream_name::StreamName,
};
use fairway_model::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, Params, Row, types::Type};
use std::sync::{Arc, Mutex, PoisonError};

/// Most events of one page, whatever limit a reader asks for.
pub const PAGE_EVENTS_MAX: usize = 10_000;
/// A page ends with the event that reaches this many bytes.
pub const PAGE_BYTES_MAX: usize = 16 << 20;
/// Most connections that are kept open while nobody reads.
const IDLE_MAX: usize = 4;

/// Reads from a ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    database: Arc<Database>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Reader {
    pub(crate) fn new(database: Database) -> Self {
        Self { database: Arc::new(database), idle: Arc::default() }
    }

    /// Opens a connection of the caller's own.
    pub(crate) fn connect(&self) -> Result<Connection, LedgerError> {
        self.database.connect()
    }

    /// Runs a read on a thread where it may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let reader = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let connection = match reader.take() {
                Some(connection) => connection,
                None => reader.connect()?,
            };
            let result = read(&connection);
            reader.put(connection);
            result
        });
        task.await.map_err(|_| LedgerError::Closed)?
    }

    pub(crate) fn error(&self, error: Error) -> LedgerError {
        self.database.error(error)
    }

    fn take(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }
}

macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT e.position, s.name, e.version, e.kind, e.recorded, e.data, e.metadata ",
            "FROM events e JOIN streams s ON s.id = e.stream WHERE ",
            $rest
        )
    };
}

/// Events after a position, in order.
pub(crate) fn all(
    connection: &Connection,
    after: Position,
    limit: usize,
) -> Result<Vec<Event>, Error> {
    let sql = select_events!("e.position > ?1 ORDER BY e.position LIMIT ?2");
    page(connection, sql, (after.0, limit.min(PAGE_EVENTS_MAX)))
}

/// Events of a stream after a version, in order.
pub(crate) fn stream(
    connection: &Connection,
    name: &StreamName,
    after: Version,
    limit: usize,
) -> Result<Vec<Event>, Error> {
    let sql = select_events!("s.name = ?1 AND e.version > ?2 ORDER BY e.version LIMIT ?3");
    page(connection, sql, (name.as_str(), after.0, limit.min(PAGE_EVENTS_MAX)))
}

/// The number of events of a stream.
pub(crate) fn version(connection: &Connection, name: &StreamName) -> Result<Version, Error> {
    let mut find = connection.prepare_cached("SELECT version FROM streams WHERE name = ?1")?;
    let found = find.query_row([name.as_str()], |row| row.get(0)).optional()?;
    Ok(Version(found.unwrap_or(0)))
}

fn page(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Event>, Error> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params)?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let event = event(row)?;
        bytes += event.data.as_str().len() + event.metadata.as_str().len();
        events.push(event);
        if bytes >= PAGE_BYTES_MAX {
            break;
        }
    }
    Ok(events)
}

fn event(row: &Row<'_>) -> Result<Event, Error> {
    let name: String = row.get(1)?;
    let stream = StreamName::try_from(name)
        .map_err(|error| Error::FromSqlConversionFailure(1, Type::Text, Box::new(error)))?;
    Ok(Event {
        position: Position(row.get(0)?),
        stream,
        version: Version(row.get(2)?),
        kind: row.get(3)?,
        recorded: Timestamp(row.get(4)?),
        data: Json::trusted(row.get(5)?),
        metadata: Json::trusted(row.get(6)?),
    })
}
