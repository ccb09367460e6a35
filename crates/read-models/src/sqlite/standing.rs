//! What the file of a build says of itself: how far it is, and what is parked.

use crate::target::{Parked, ParkedOf};
use fairway_ledger::{Event, Position};
use rusqlite::{Connection, Error, Row};
use std::collections::HashSet;

/// A row of the driver's own table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) ledger: String,
    pub(crate) position: Position,
    pub(crate) asks: u64,
}

pub(crate) fn read(connection: &Connection) -> Result<Stored, Error> {
    let mut select =
        connection.prepare_cached("SELECT ledger, position, asks FROM fairway_standing")?;
    select.query_row((), |row| {
        let number = |at| row.get(at).map(i64::cast_unsigned);
        Ok(Stored { ledger: row.get(0)?, position: Position(number(1)?), asks: number(2)? })
    })
}

pub(crate) fn write(connection: &Connection, position: Position, asks: u64) -> Result<(), Error> {
    let mut update =
        connection.prepare_cached("UPDATE fairway_standing SET position = ?1, asks = ?2")?;
    update.execute((position.0.cast_signed(), asks.cast_signed()))?;
    Ok(())
}

/// Puts an event among the parked ones; without an error it waits behind one of its key.
pub(crate) fn park(
    connection: &Connection,
    event: &Event,
    key: &str,
    error: Option<&str>,
) -> Result<(), Error> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO fairway_parked
         (position, key, event_id, stream, kind, tries, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let (id, tries) = (event.id.to_string(), u32::from(error.is_some()));
    let (position, stream) = (event.position.0.cast_signed(), event.stream.as_str());
    insert.execute((position, key, id, stream, event.kind.as_str(), tries, error))?;
    Ok(())
}

/// Notes that a parked event failed once more; says how often it was tried.
pub(crate) fn fail(connection: &Connection, position: u64, error: &str) -> Result<u32, Error> {
    let mut update = connection.prepare_cached(
        "UPDATE fairway_parked SET tries = tries + 1, error = ?2 WHERE position = ?1
         RETURNING tries",
    )?;
    update.query_row((position.cast_signed(), error), |row| row.get(0))
}

pub(crate) fn unpark(connection: &Connection, position: u64) -> Result<(), Error> {
    let mut delete = connection.prepare_cached("DELETE FROM fairway_parked WHERE position = ?1")?;
    delete.execute([position.cast_signed()])?;
    Ok(())
}

pub(crate) fn parked_count(connection: &Connection) -> Result<u64, Error> {
    let count: i64 =
        connection.query_row("SELECT count(*) FROM fairway_parked", (), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// The keys that wait, each with how often its first event was tried.
pub(crate) fn held(connection: &Connection) -> Result<Vec<(String, u32)>, Error> {
    let mut select =
        connection.prepare("SELECT key, max(tries) FROM fairway_parked GROUP BY key")?;
    select.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The keys of events that wait.
pub(crate) fn keys(connection: &Connection) -> Result<HashSet<String>, Error> {
    let mut select = connection.prepare_cached("SELECT DISTINCT key FROM fairway_parked")?;
    select.query_map((), |row| row.get(0))?.collect()
}

/// Parked events by position, looked for in turn.
pub(crate) fn parked(
    connection: &Connection,
    looks: &[ParkedOf],
    limit: usize,
) -> Result<Vec<Parked>, Error> {
    let mut all = Vec::new();
    for of in looks {
        all.append(&mut parked_of(connection, of, limit - all.len())?);
        if all.len() == limit {
            break;
        }
    }
    all.sort_by_key(|parked| parked.position);
    Ok(all)
}

fn parked_of(connection: &Connection, of: &ParkedOf, limit: usize) -> Result<Vec<Parked>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let columns = "SELECT position, event_id, stream, kind, key, tries, error FROM fairway_parked";
    match of {
        ParkedOf::Key(key) => {
            let sql = format!("{columns} WHERE key = ?2 ORDER BY position LIMIT ?1");
            let mut select = connection.prepare_cached(&sql)?;
            select.query_map((limit, key), row)?.collect()
        }
        ParkedOf::At(position) => {
            let sql = format!("{columns} WHERE position = ?2 LIMIT ?1");
            let mut select = connection.prepare_cached(&sql)?;
            select.query_map((limit, position.cast_signed()), row)?.collect()
        }
        ParkedOf::All | ParkedOf::Due => {
            let sql = format!("{columns} ORDER BY position LIMIT ?1");
            let mut select = connection.prepare_cached(&sql)?;
            select.query_map([limit], row)?.collect()
        }
    }
}

fn row(row: &Row) -> Result<Parked, Error> {
    Ok(Parked {
        position: row.get::<_, i64>(0)?.cast_unsigned(),
        event_id: row.get(1)?,
        stream: row.get(2)?,
        kind: row.get(3)?,
        key: row.get(4)?,
        tries: row.get(5)?,
        error: row.get(6)?,
    })
}
