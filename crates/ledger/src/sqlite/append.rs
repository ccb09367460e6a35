//! The statements of an append.

use crate::{
    append::{Append, AppendError, Appended},
    data::Data,
    event::{NewEvent, Position, Version},
    event_id::LedgerId,
    judge::{Before, Place, Step, judge},
    read::{Standing, StreamState},
    sqlite::streams::{self, Found},
};
use fairway_model::Timestamp;
use rusqlite::{
    Connection, Error, OptionalExtension, Row,
    types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef},
};

/// What came of an append inside a transaction.
pub(crate) type Outcome = Result<Vec<Appended>, AppendError>;

/// The end of the ledger within a transaction.
pub(crate) struct Head {
    pub(crate) ledger: LedgerId,
    pub(crate) position: Position,
    pub(crate) now: Timestamp,
}

/// Appends to all streams or, on a conflict, to none.
pub(crate) fn apply(
    connection: &Connection,
    head: &mut Head,
    appends: &[Append],
) -> Result<Outcome, Error> {
    let (mut streams, mut before) = (Vec::new(), Vec::new());
    for append in appends {
        let stream = streams::find(connection, &append.stream)?;
        before.push(match &stream {
            Some(Found { id, state, .. }) => Before {
                state: state.clone(),
                places: places(connection, head.ledger, *id, &append.events)?,
            },
            None => Before { state: StreamState::none(append.stream.clone()), places: Vec::new() },
        });
        streams.push(stream);
    }
    let judged = match judge(appends, &before, head.position) {
        Ok(judged) => judged,
        Err(error) => return Ok(Err(error)),
    };
    for ((append, stream), step) in appends.iter().zip(streams).zip(&judged.steps) {
        if let Step::Store(end) = step {
            insert(connection, head, (stream, append), *end)?;
        }
    }
    for (about, retention) in &judged.retentions {
        streams::retain(connection, about, *retention)?;
    }
    Ok(Ok(judged.appended()))
}

/// Where events are, or were, whose ids a stream has already; empty if none was given an id.
fn places(
    connection: &Connection,
    ledger: LedgerId,
    stream: i64,
    events: &[NewEvent],
) -> Result<Vec<Option<Place>>, Error> {
    if events.iter().all(|event| event.id.is_none()) {
        return Ok(Vec::new());
    }
    let mut find = connection.prepare_cached(
        "SELECT position, version FROM events WHERE stream = ?1 AND id = ?2
         UNION ALL SELECT position, version FROM truncated_ids WHERE stream = ?1 AND id = ?2",
    )?;
    let mut find_derived = connection.prepare_cached(
        "SELECT position, version FROM events WHERE position = ?1 AND stream = ?2 AND id IS NULL",
    )?;
    let of = |row: &Row<'_>| {
        Ok(Place { position: Position(row.get(0)?), version: Version(row.get(1)?) })
    };
    let place = |event: &NewEvent| {
        let Some(id) = event.id else { return Ok(None) };
        match id.derived_from(ledger) {
            None => find.query_row((stream, id.0), of).optional(),
            Some(position) => match find_derived.query_row((position.0, stream), of).optional()? {
                None => find.query_row((stream, id.0), of).optional(),
                found => Ok(found),
            },
        }
    };
    events.iter().map(place).collect()
}

/// Writes events that end somewhere.
fn insert(
    connection: &Connection,
    head: &mut Head,
    (stream, append): (Option<Found>, &Append),
    end: Appended,
) -> Result<(), Error> {
    let stream = match stream {
        Some(stream) => stream,
        None => Found::make(connection, &append.stream)?,
    };
    let mut insert = connection.prepare_cached(
        "INSERT INTO events
            (position, stream, version, category, kind, recorded, id, data, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let count = append.events.len() as u64;
    let places = (end.position.0 - count + 1..).zip(end.version.0 - count + 1..);
    for (event, (position, version)) in append.events.iter().zip(places) {
        let id = event.id.as_ref().map(|id| id.0.as_slice());
        let (kind, recorded, category) = (event.kind.as_str(), head.now.0, stream.category);
        let (data, metadata) = (&event.data, &event.metadata);
        insert.execute((
            position, stream.id, version, category, kind, recorded, id, data, metadata,
        ))?;
    }
    head.position = end.position;
    connection
        .prepare_cached("UPDATE streams SET version = ?2, standing = ?3 WHERE id = ?1")?
        .execute((stream.id, end.version.0, Standing::Live))?;
    Ok(())
}

impl ToSql for Data {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Json(json) => ValueRef::Text(json.as_str().as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl FromSql for Data {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => Ok(Self::Bytes(bytes.to_vec())),
            text => text.as_str().map(|text| Self::trusted_json(text.to_owned())),
        }
    }
}
