//! The rows of streams and of their categories.

use crate::{
    event::Version,
    read::{ListStreams, PAGE_STREAMS_MAX, Standing, StreamState},
    retention::Retention,
    stream_name::StreamName,
    sweeping::{Piece, Remains, SWEEP_STREAMS_MAX, first_of},
};
use rusqlite::{
    Connection, Error, OptionalExtension, Row,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef},
};
use std::time::Instant;

/// A stream in the file.
pub(crate) struct Found {
    pub(crate) id: i64,
    pub(crate) category: i64,
    pub(crate) state: StreamState,
}

macro_rules! select_streams {
    ($rest:literal) => {
        concat!(
            "SELECT id, category, name, version, truncated, standing FROM streams WHERE ",
            $rest
        )
    };
}

impl Found {
    fn of(row: &Row<'_>) -> Result<Self, Error> {
        let state = StreamState {
            name: StreamName::trusted(row.get_ref(2)?.as_str()?),
            version: Version(row.get(3)?),
            truncated: Version(row.get(4)?),
            standing: row.get(5)?,
        };
        Ok(Self { id: row.get(0)?, category: row.get(1)?, state })
    }

    /// Makes the stream.
    pub(crate) fn make(connection: &Connection, name: &StreamName) -> Result<Self, Error> {
        let category = match category(connection, name.category())? {
            Some(category) => category,
            None => connection
                .prepare_cached("INSERT INTO categories (name) VALUES (?1) RETURNING id")?
                .query_row([name.category()], |row| row.get(0))?,
        };
        let mut make = connection.prepare_cached(
            "INSERT INTO streams (name, category, version) VALUES (?1, ?2, 0) RETURNING id",
        )?;
        let id = make.query_row((name.as_str(), category), |row| row.get(0))?;
        Ok(Self { id, category, state: StreamState::none(name.clone()) })
    }
}

/// A stream by its name.
pub(crate) fn find(connection: &Connection, name: &StreamName) -> Result<Option<Found>, Error> {
    let sql = select_streams!("name = ?1");
    connection.prepare_cached(sql)?.query_row([name.as_str()], Found::of).optional()
}

/// A category by its name.
pub(crate) fn category(connection: &Connection, name: &str) -> Result<Option<i64>, Error> {
    let mut find = connection.prepare_cached("SELECT id FROM categories WHERE name = ?1")?;
    find.query_row([name], |row| row.get(0)).optional()
}

/// One page of streams by name.
pub(crate) fn list(connection: &Connection, list: &ListStreams) -> Result<Vec<StreamState>, Error> {
    let sql = select_streams!("name >= ?1 AND name < ?2 ORDER BY name LIMIT ?3");
    let mut select = connection.prepare_cached(sql)?;
    // One bound, because only one is looked up in the index. What comes next after a text is that
    // with a zero.
    let first = list.prefix.clone().max(format!("{}\0", list.after));
    let end = format!("{}{}", list.prefix, char::MAX);
    let limit = list.limit.min(PAGE_STREAMS_MAX);
    let rows = select.query_map((first, end, limit), Found::of)?;
    rows.map(|found| Ok(found?.state)).collect()
}

/// Applies what was decided of a stream, which is made if it is not there and that changes something.
pub(crate) fn retain(
    connection: &Connection,
    name: &StreamName,
    retention: Retention,
) -> Result<(), Error> {
    let found = find(connection, name)?;
    let state = match &found {
        Some(found) => found.state.retained(retention),
        None => StreamState::none(name.clone()).retained(retention),
    };
    let Some(StreamState { truncated, standing, .. }) = state else { return Ok(()) };
    let id = match found {
        Some(found) => found.id,
        None => Found::make(connection, name)?.id,
    };
    let mut update = connection
        .prepare_cached("UPDATE streams SET truncated = ?2, standing = ?3 WHERE id = ?1")?;
    update.execute((id, truncated.0, standing))?;
    if standing != Standing::Live {
        connection.execute("DELETE FROM snapshots WHERE stream = ?1", [id])?;
    }
    Ok(())
}

/// Whether a stream has events that are truncated.
pub(crate) fn is_some_to_sweep(connection: &Connection) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM streams WHERE swept < truncated)";
    connection.query_row(sql, (), |row| row.get(0))
}

/// Removes at most so many of the events that are truncated, but for the ids that they were given.
pub(crate) fn sweep(connection: &Connection, events: u64) -> Result<Piece, Error> {
    let start = Instant::now();
    let next = "SELECT id, swept, truncated FROM streams WHERE swept < truncated LIMIT ?1";
    let mut next = connection.prepare_cached(next)?;
    let remains = next.query_map([SWEEP_STREAMS_MAX], |row| {
        let (after, up_to) = (Version(row.get(1)?), Version(row.get(2)?));
        Ok(Remains { stream: row.get(0)?, after, up_to })
    })?;
    let piece = first_of(remains.collect::<Result<_, _>>()?, events);
    if piece.is_empty() {
        return Ok(Piece::Nothing);
    }
    let mut keep = connection.prepare_cached(
        "INSERT OR IGNORE INTO truncated_ids (position, stream, version, id)
         SELECT position, stream, version, id FROM events
         WHERE stream = ?1 AND version > ?2 AND version <= ?3 AND id IS NOT NULL",
    )?;
    let mut delete = connection.prepare_cached(
        "DELETE FROM events WHERE stream = ?1 AND version > ?2 AND version <= ?3",
    )?;
    let mut note = connection.prepare_cached("UPDATE streams SET swept = ?2 WHERE id = ?1")?;
    for Remains { stream, after, up_to } in &piece {
        keep.execute((stream, after.0, up_to.0))?;
        delete.execute((stream, after.0, up_to.0))?;
        note.execute((stream, up_to.0))?;
    }
    Ok(Piece::Removed(start.elapsed()))
}

impl ToSql for Standing {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(match self {
            Self::Live => 0,
            Self::Deleted => 1,
            Self::Tombstoned => 2,
        }))
    }
}

impl FromSql for Standing {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Live),
            1 => Ok(Self::Deleted),
            2 => Ok(Self::Tombstoned),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}
