//! The stored rows of projections.

use crate::{
    event::Position,
    projection::Key,
    store::{RowChange, RowSet, Rows},
};
use rusqlite::{
    Connection, Error, OptionalExtension,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef},
};

/// A set of rows in the file.
struct Found {
    id: i64,
    position: Position,
}

fn find(connection: &Connection, set: &RowSet) -> Result<Option<Found>, Error> {
    let mut find = connection
        .prepare_cached("SELECT id, position FROM projections WHERE name = ?1 AND version = ?2")?;
    let found = find.query_row((&set.name, set.version), |row| {
        Ok(Found { id: row.get(0)?, position: Position(row.get(1)?) })
    });
    found.optional()
}

/// Up to where the rows of a set are true.
pub(crate) fn position(connection: &Connection, set: &RowSet) -> Result<Position, Error> {
    Ok(find(connection, set)?.map_or(Position(0), |found| found.position))
}

/// Rows of a set.
pub(crate) fn read(
    connection: &Connection,
    set: &RowSet,
    rows: &Rows,
) -> Result<Vec<(Key, String)>, Error> {
    let Some(Found { id, .. }) = find(connection, set)? else { return Ok(Vec::new()) };
    match rows {
        Rows::Keys(keys) => {
            let mut find = connection
                .prepare_cached("SELECT value FROM rows WHERE projection = ?1 AND key = ?2")?;
            let mut found = Vec::new();
            for key in keys {
                let row = find.query_row((id, key), |row| row.get(0)).optional()?;
                found.extend(row.map(|row| (key.clone(), row)));
            }
            Ok(found)
        }
        // SQLite orders numbers before texts before blobs.
        Rows::Last { limit } => {
            last(connection, id, (Value::Integer(0), Value::Blob(Vec::new())), *limit)
        }
        Rows::LastWithPrefix { prefix, limit } => {
            let end = format!("{prefix}{}", char::MAX);
            last(connection, id, (Value::Text(prefix.clone()), Value::Text(end)), *limit)
        }
    }
}

fn last(
    connection: &Connection,
    id: i64,
    (lowest, end): (Value, Value),
    limit: usize,
) -> Result<Vec<(Key, String)>, Error> {
    let mut select = connection.prepare_cached(
        "SELECT key, value FROM rows WHERE projection = ?1 AND key >= ?2 AND key < ?3
         ORDER BY key DESC LIMIT ?4",
    )?;
    select.query_map((id, lowest, end, limit), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Changes rows if they are true up to where the change starts, inside the writer's transaction.
pub(crate) fn store(connection: &Connection, change: &RowChange) -> Result<bool, Error> {
    if position(connection, &change.set)? != change.from {
        return Ok(false);
    }
    let id = match find(connection, &change.set)? {
        Some(found) => found.id,
        None => make(connection, &change.set)?,
    };
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO rows (projection, key, value) VALUES (?1, ?2, ?3)",
    )?;
    let mut remove =
        connection.prepare_cached("DELETE FROM rows WHERE projection = ?1 AND key = ?2")?;
    for (key, value) in &change.rows {
        match value {
            Some(value) => put.execute((id, key, value))?,
            None => remove.execute((id, key))?,
        };
    }
    let update = "UPDATE projections SET position = ?2 WHERE id = ?1";
    connection.prepare_cached(update)?.execute((id, change.to.0))?;
    Ok(true)
}

/// Makes a set and removes its earlier versions.
fn make(connection: &Connection, RowSet { name, version }: &RowSet) -> Result<i64, Error> {
    connection.execute(
        "DELETE FROM rows WHERE projection IN
            (SELECT id FROM projections WHERE name = ?1 AND version < ?2)",
        (name, version),
    )?;
    connection
        .execute("DELETE FROM projections WHERE name = ?1 AND version < ?2", (name, version))?;
    connection.query_row(
        "INSERT INTO projections (name, version, position) VALUES (?1, ?2, 0) RETURNING id",
        (name, version),
        |row| row.get(0),
    )
}

impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

impl FromSql for Key {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(_) => u64::column_result(value).map(Self::Number),
            ValueRef::Text(_) => String::column_result(value).map(Self::Text),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}
