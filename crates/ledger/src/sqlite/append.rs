//! The statements of an append.

use crate::{
    append::{Append, AppendError, Appended, Place, Verdict, judge, judge_all},
    data::Data,
    event::{NewEvent, Position, Version},
    event_id::LedgerId,
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
    let mut found = Vec::with_capacity(appends.len());
    let mut verdicts = Vec::with_capacity(appends.len());
    for append in appends {
        let stream = streams::find(connection, &append.stream)?;
        let state = match &stream {
            Some(stream) => stream.state.clone(),
            None => StreamState::none(append.stream.clone()),
        };
        let places = match &stream {
            Some(stream) => places(connection, head.ledger, stream.id, &append.events)?,
            None => Vec::new(),
        };
        verdicts.push(judge(append, &state, &places));
        found.push((stream, state));
    }
    let states: Vec<StreamState> = found.iter().map(|(_, state)| state.clone()).collect();
    let verdicts = match judge_all(appends, &states, verdicts) {
        Ok(verdicts) => verdicts,
        Err(error) => return Ok(Err(error)),
    };
    let (mut appended, mut facts) = (Vec::with_capacity(appends.len()), Vec::new());
    for ((append, (stream, state)), verdict) in appends.iter().zip(found).zip(verdicts) {
        appended.push(match verdict {
            Verdict::Repeated(Place { position, version }) => Appended { position, version },
            Verdict::Fresh if append.events.is_empty() => {
                Appended { position: head.position, version: state.version }
            }
            Verdict::Fresh => {
                facts.extend(append.retention());
                insert(connection, head, stream, append)?
            }
        });
    }
    // What is said of a stream is said of all that comes with it, before or after.
    for (about, retention) in facts {
        streams::retain(connection, &about, retention)?;
    }
    Ok(Ok(appended))
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

fn insert(
    connection: &Connection,
    head: &mut Head,
    stream: Option<Found>,
    append: &Append,
) -> Result<Appended, Error> {
    let stream = match stream {
        Some(stream) => stream,
        None => Found::make(connection, &append.stream)?,
    };
    let mut version = stream.state.version.0;
    let mut insert = connection.prepare_cached(
        "INSERT INTO events
            (position, stream, version, category, kind, recorded, id, data, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for event in &append.events {
        version += 1;
        head.position.0 += 1;
        let id = event.id.as_ref().map(|id| id.0.as_slice());
        let (kind, recorded) = (event.kind.as_str(), head.now.0);
        let (position, category) = (head.position.0, stream.category);
        let (data, metadata) = (&event.data, &event.metadata);
        insert.execute((
            position, stream.id, version, category, kind, recorded, id, data, metadata,
        ))?;
    }
    connection
        .prepare_cached("UPDATE streams SET version = ?2, standing = ?3 WHERE id = ?1")?
        .execute((stream.id, version, Standing::Live))?;
    Ok(Appended { position: head.position, version: Version(version) })
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
