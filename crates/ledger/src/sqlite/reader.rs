//! Reading events, on connections that are kept for the next reader.

use crate::{
    error::LedgerError,
    event::{Event, Position, Version},
    event_id::{EventId, LedgerId},
    kind::Kind,
    read::{From, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Read, Scope, Standing},
    sqlite::{database::Database, streams},
    stream_name::StreamName,
};
use fairway_model::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, Params, Row, Statement};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// Most connections at once, each with pages in memory; who comes later waits.
const LINKS_MAX: usize = 16;
/// Most connections that are kept open while nobody reads.
const IDLE_MAX: usize = 4;
/// Most names that a connection remembers of each sort.
const NAMES_MAX: usize = 10_000;

/// Reads from a ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    database: Arc<Database>,
    ledger: LedgerId,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Link>>>,
}

/// A connection with names that it read before.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) connection: Connection,
    ledger: LedgerId,
    streams: HashMap<i64, StreamName>,
    kinds: HashMap<Box<str>, Kind>,
}

impl Reader {
    pub(crate) fn new(database: Database, ledger: LedgerId) -> Self {
        let permits = Arc::new(Semaphore::new(LINKS_MAX));
        Self { database: Arc::new(database), ledger, permits, idle: Arc::default() }
    }

    /// Opens a connection of the caller's own.
    pub(crate) fn connect(&self) -> Result<Connection, LedgerError> {
        self.database.connect()
    }

    /// Runs a read on a thread where it may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Link) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let reader = self.clone();
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| LedgerError::Closed)?;
        let task = tokio::task::spawn_blocking(move || {
            let mut link = match reader.take() {
                Some(link) => link,
                None => Link::new(reader.connect()?, reader.ledger),
            };
            let result = read(&mut link).map_err(|error| reader.database.error(error));
            reader.put(link);
            drop(permit);
            result
        });
        task.await.map_err(|_| LedgerError::Closed)?
    }

    fn take(&self) -> Option<Link> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, link: Link) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(link);
        }
    }
}

macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT position, stream, version, kind, recorded, id, data, metadata FROM events ",
            "WHERE ",
            $rest
        )
    };
}

impl Link {
    fn new(connection: Connection, ledger: LedgerId) -> Self {
        Self { connection, ledger, streams: HashMap::new(), kinds: HashMap::new() }
    }

    /// One page of events.
    pub(crate) fn events(&mut self, read: &Read) -> Result<Vec<Event>, Error> {
        let limit = read.limit.min(PAGE_EVENTS_MAX);
        let as_of = bound(read.as_of.0);
        match &read.scope {
            Scope::All(From::After(after)) => {
                let sql =
                    select_events!("position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3");
                self.page(sql, (bound(after.0), as_of, limit))
            }
            Scope::All(From::Before(before)) => {
                let sql = select_events!(
                    "position < ?1 AND position <= ?2 ORDER BY position DESC LIMIT ?3"
                );
                self.page(sql, (bound(before.0), as_of, limit))
            }
            Scope::Category(name, from) => self.category(name, *from, (as_of, limit)),
            Scope::Stream(name, from) => self.stream(name, *from, (as_of, limit)),
        }
    }

    fn category(
        &mut self,
        name: &str,
        from: From<Position>,
        (as_of, limit): (i64, usize),
    ) -> Result<Vec<Event>, Error> {
        let Some(category) = streams::category(&self.connection, name)? else {
            return Ok(Vec::new());
        };
        let (sql, from) = match from {
            From::After(after) => (
                select_events!(
                    "category = ?1 AND position > ?2 AND position <= ?3 ORDER BY position LIMIT ?4"
                ),
                after,
            ),
            From::Before(before) => (
                select_events!(
                    "category = ?1 AND position < ?2 AND position <= ?3
                     ORDER BY position DESC LIMIT ?4"
                ),
                before,
            ),
        };
        self.page(sql, (category, bound(from.0), as_of, limit))
    }

    fn stream(
        &mut self,
        name: &StreamName,
        from: From<Version>,
        (as_of, limit): (i64, usize),
    ) -> Result<Vec<Event>, Error> {
        let Some(stream) = streams::find(&self.connection, name)? else { return Ok(Vec::new()) };
        let gone = match stream.state.standing {
            Standing::Live => stream.state.truncated,
            Standing::Deleted | Standing::Tombstoned => return Ok(Vec::new()),
        };
        match from {
            From::After(after) => {
                let sql = select_events!(
                    "stream = ?1 AND version > ?2 AND position <= ?3 ORDER BY version LIMIT ?4"
                );
                self.page(sql, (stream.id, bound(after.max(gone).0), as_of, limit))
            }
            From::Before(before) => {
                let sql = select_events!(
                    "stream = ?1 AND version > ?2 AND version < ?3 AND position <= ?4
                     ORDER BY version DESC LIMIT ?5"
                );
                self.page(sql, (stream.id, gone.0, bound(before.0), as_of, limit))
            }
        }
    }

    fn page(&mut self, sql: &str, params: impl Params) -> Result<Vec<Event>, Error> {
        let Self { connection, ledger, streams, kinds } = self;
        let mut name_of = connection.prepare_cached("SELECT name FROM streams WHERE id = ?1")?;
        let mut select = connection.prepare_cached(sql)?;
        let mut rows = select.query(params)?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let stream = stream_name(&mut name_of, streams, row.get(1)?)?;
            let kind = kind(kinds, row.get_ref(3)?.as_str()?);
            let event = event(row, *ledger, stream, kind)?;
            bytes += event.bytes();
            events.push(event);
            if bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
        Ok(events)
    }

    /// The position of the last event recorded at a moment or before. Events are recorded in the
    /// order of their positions, so that it can be searched for by halves.
    pub(crate) fn position_at(&self, moment: Timestamp) -> Result<Position, Error> {
        let (mut low, mut high) = (0, super::writer::position(&self.connection)?.0);
        let mut at = self.connection.prepare_cached(
            "SELECT recorded FROM events WHERE position <= ?1 ORDER BY position DESC LIMIT 1",
        )?;
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let recorded: Option<u64> = at.query_row([middle], |row| row.get(0)).optional()?;
            if recorded.is_none_or(|recorded| recorded <= moment.0) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(Position(low))
    }
}

/// A number as SQLite has it; the highest there is for a higher one.
pub(super) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn stream_name(
    name_of: &mut Statement<'_>,
    known: &mut HashMap<i64, StreamName>,
    id: i64,
) -> Result<StreamName, Error> {
    if let Some(name) = known.get(&id) {
        return Ok(name.clone());
    }
    let name = name_of.query_row([id], |row| Ok(StreamName::trusted(row.get_ref(0)?.as_str()?)))?;
    if known.len() >= NAMES_MAX {
        known.clear();
    }
    known.insert(id, name.clone());
    Ok(name)
}

fn kind(known: &mut HashMap<Box<str>, Kind>, text: &str) -> Kind {
    if let Some(kind) = known.get(text) {
        return kind.clone();
    }
    if known.len() >= NAMES_MAX {
        known.clear();
    }
    let kind = Kind::trusted(text);
    known.insert(text.into(), kind.clone());
    kind
}

fn event(row: &Row<'_>, ledger: LedgerId, stream: StreamName, kind: Kind) -> Result<Event, Error> {
    let position = Position(row.get(0)?);
    let given: Option<[u8; 16]> = row.get(5)?;
    Ok(Event {
        position,
        stream,
        version: Version(row.get(2)?),
        id: given.map_or_else(|| EventId::derived(ledger, position), EventId),
        kind,
        recorded: Timestamp(row.get(4)?),
        data: row.get(6)?,
        metadata: row.get(7)?,
    })
}
