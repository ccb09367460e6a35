//! Appending: what is asked for, what is answered, and the statements in between.

use crate::{
    error::LedgerError,
    event::{METADATA_BYTES_MAX, NewEvent, Position, Version},
    stream_name::StreamName,
};
use fairway_model::Timestamp;
use rusqlite::{Error, OptionalExtension, Transaction};

/// Most bytes of one event: kind, data and metadata.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// Most events of one append.
pub const BATCH_EVENTS_MAX: usize = 5_000;
/// Most bytes of one append.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

/// What has to be true of a stream for an append to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Any,
    /// It has no event yet.
    NoStream,
    /// It has an event.
    Exists,
    /// It has exactly this version.
    Exact(Version),
}

impl Expected {
    fn holds(self, actual: Version) -> bool {
        match self {
            Self::Any => true,
            Self::NoStream => actual == Version(0),
            Self::Exists => actual > Version(0),
            Self::Exact(version) => actual == version,
        }
    }
}

/// Events for one stream.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream; it is made by its first event.
    pub stream: StreamName,
    /// What has to be true of it.
    pub expected: Expected,
    /// The events in order. Without any, this only checks what is expected.
    pub events: Vec<NewEvent>,
}

/// Where events went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The position of the last event; without events, of the last event of the ledger.
    pub position: Position,
    /// The version that the stream has now.
    pub version: Version,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not as expected: somebody else appended meanwhile.
    #[error("stream `{stream}` has version {actual}, which is not as expected")]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// Its version; 0 if it has no event.
        actual: Version,
    },
    /// An event is too large.
    #[error(
        "event `{kind}` is too large: at most {EVENT_BYTES_MAX} bytes, metadata at most {METADATA_BYTES_MAX}"
    )]
    EventTooLarge {
        /// The kind of the event.
        kind: String,
    },
    /// Too much at once.
    #[error("an append has at most {BATCH_EVENTS_MAX} events and {BATCH_BYTES_MAX} bytes")]
    BatchTooLarge,
    /// One append names a stream twice.
    #[error("an append names stream `{0}` twice")]
    SameStream(StreamName),
    /// The ledger could not be written. Unless the disk is full, the events may be there or not.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Refuses what is over a limit.
pub(crate) fn check(appends: &[Append]) -> Result<(), AppendError> {
    let events = || appends.iter().flat_map(|append| &append.events);
    if let Some(event) = events().find(|event| is_too_large(event)) {
        return Err(AppendError::EventTooLarge { kind: event.kind.clone() });
    }
    let bytes: usize = events().map(NewEvent::bytes).sum();
    if events().count() > BATCH_EVENTS_MAX || bytes > BATCH_BYTES_MAX {
        return Err(AppendError::BatchTooLarge);
    }
    let mut streams: Vec<_> = appends.iter().map(|append| &append.stream).collect();
    streams.sort();
    match streams.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(AppendError::SameStream(pair[0].clone())),
        None => Ok(()),
    }
}

fn is_too_large(event: &NewEvent) -> bool {
    event.bytes() > EVENT_BYTES_MAX || event.metadata.as_str().len() > METADATA_BYTES_MAX
}

/// What came of an append inside a transaction.
pub(crate) type Outcome = Result<Vec<Appended>, Conflict>;

/// A stream that is not as expected.
pub(crate) struct Conflict {
    stream: StreamName,
    actual: Version,
}

impl From<Conflict> for AppendError {
    fn from(Conflict { stream, actual }: Conflict) -> Self {
        Self::Conflict { stream, actual }
    }
}

/// The end of the ledger within a transaction.
pub(crate) struct Head {
    pub(crate) position: Position,
    pub(crate) now: Timestamp,
}

/// Appends to all streams or, on a conflict, to none.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    head: &mut Head,
    appends: &[Append],
) -> Result<Outcome, Error> {
    let mut streams: Vec<Stream<'_>> = Vec::with_capacity(appends.len());
    for append in appends {
        let stream = Stream::find(transaction, &append.stream)?;
        if !append.expected.holds(stream.version) {
            let name = append.stream.clone();
            return Ok(Err(Conflict { stream: name, actual: stream.version }));
        }
        streams.push(stream);
    }
    let appended = appends.iter().zip(streams);
    let appended = appended.map(|(append, stream)| insert(transaction, head, &stream, append));
    appended.collect::<Result<_, _>>().map(Ok)
}

struct Stream<'a> {
    name: &'a StreamName,
    id: Option<i64>,
    version: Version,
}

impl<'a> Stream<'a> {
    fn find(transaction: &Transaction<'_>, name: &'a StreamName) -> Result<Self, Error> {
        let mut find =
            transaction.prepare_cached("SELECT id, version FROM streams WHERE name = ?1")?;
        let found = find.query_row([name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
        let (id, version) = match found.optional()? {
            Some((id, version)) => (Some(id), version),
            None => (None, 0),
        };
        Ok(Self { name, id, version: Version(version) })
    }

    /// The row of the stream, made if it is not there.
    fn row(&self, transaction: &Transaction<'_>) -> Result<i64, Error> {
        if let Some(id) = self.id {
            return Ok(id);
        }
        let mut make = transaction
            .prepare_cached("INSERT INTO streams (name, version) VALUES (?1, 0) RETURNING id")?;
        make.query_row([self.name.as_str()], |row| row.get(0))
    }
}

fn insert(
    transaction: &Transaction<'_>,
    head: &mut Head,
    stream: &Stream<'_>,
    append: &Append,
) -> Result<Appended, Error> {
    let mut version = stream.version.0;
    if append.events.is_empty() {
        return Ok(Appended { position: head.position, version: stream.version });
    }
    let row = stream.row(transaction)?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO events (position, stream, version, kind, recorded, data, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for event in &append.events {
        version += 1;
        head.position.0 += 1;
        let (data, metadata) = (event.data.as_str(), event.metadata.as_str());
        insert.execute((head.position.0, row, version, &event.kind, head.now.0, data, metadata))?;
    }
    transaction
        .prepare_cached("UPDATE streams SET version = ?2 WHERE id = ?1")?
        .execute((row, version))?;
    Ok(Appended { position: head.position, version: Version(version) })
}
