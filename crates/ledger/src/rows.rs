//! The stored rows of projections.

use crate::{event::Position, projection::Key};
use rusqlite::{Connection, Error, OptionalExtension, types::Value};

/// Most rows that one read returns, whatever it asks for.
pub const ROWS_MAX: usize = 10_000;

/// A projection in the ledger: up to where its rows are true.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    /// None before anything was stored.
    id: Option<i64>,
    pub(crate) position: Position,
}

/// A part of all keys.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    All,
    Prefix(String),
}

impl Keys {
    pub(crate) fn contain(&self, key: &Key) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => key.has_prefix(prefix),
        }
    }

    /// Lowest key, and the one after the last. SQLite orders numbers before texts before blobs.
    fn bounds(&self) -> (Value, Value) {
        match self {
            Self::All => (Value::Integer(0), Value::Blob(Vec::new())),
            Self::Prefix(prefix) => {
                (Value::Text(prefix.clone()), Value::Text(format!("{prefix}{}", char::MAX)))
            }
        }
    }
}

impl Stored {
    pub(crate) fn find(connection: &Connection, name: &str, version: u32) -> Result<Self, Error> {
        let mut find = connection.prepare_cached(
            "SELECT id, position FROM projections WHERE name = ?1 AND version = ?2",
        )?;
        let found = find.query_row((name, version), |row| {
            Ok(Self { id: Some(row.get(0)?), position: Position(row.get(1)?) })
        });
        Ok(found.optional()?.unwrap_or(Self { id: None, position: Position(0) }))
    }

    /// The JSON of one row.
    pub(crate) fn get(&self, connection: &Connection, key: &Key) -> Result<Option<String>, Error> {
        let Some(id) = self.id else { return Ok(None) };
        let mut find = connection
            .prepare_cached("SELECT value FROM rows WHERE projection = ?1 AND key = ?2")?;
        find.query_row((id, key), |row| row.get(0)).optional()
    }

    /// The rows with the highest keys, from the highest down.
    pub(crate) fn last(
        &self,
        connection: &Connection,
        keys: &Keys,
        limit: usize,
    ) -> Result<Vec<(Key, String)>, Error> {
        let Some(id) = self.id else { return Ok(Vec::new()) };
        let mut select = connection.prepare_cached(
            "SELECT key, value FROM rows WHERE projection = ?1 AND key >= ?2 AND key < ?3
             ORDER BY key DESC LIMIT ?4",
        )?;
        let (lowest, end) = keys.bounds();
        let rows =
            select.query_map((id, lowest, end, limit), |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }
}

/// Writes the rows of one projection, inside the writer's transaction.
pub(crate) struct Saving<'a> {
    connection: &'a Connection,
    id: i64,
}

impl<'a> Saving<'a> {
    /// Makes the projection if it is not there, and then removes its earlier versions.
    pub(crate) fn start(
        connection: &'a Connection,
        name: &str,
        version: u32,
    ) -> Result<Self, Error> {
        if let Some(id) = Stored::find(connection, name, version)?.id {
            return Ok(Self { connection, id });
        }
        connection.execute(
            "DELETE FROM rows WHERE projection IN
                (SELECT id FROM projections WHERE name = ?1 AND version < ?2)",
            (name, version),
        )?;
        connection
            .execute("DELETE FROM projections WHERE name = ?1 AND version < ?2", (name, version))?;
        let id = connection.query_row(
            "INSERT INTO projections (name, version, position) VALUES (?1, ?2, 0) RETURNING id",
            (name, version),
            |row| row.get(0),
        )?;
        Ok(Self { connection, id })
    }

    /// Writes or removes one row.
    pub(crate) fn put(&self, key: &Key, value: Option<&str>) -> Result<(), Error> {
        let sql = match value {
            Some(_) => "INSERT OR REPLACE INTO rows (projection, key, value) VALUES (?1, ?2, ?3)",
            None => "DELETE FROM rows WHERE projection = ?1 AND key = ?2 AND ?3 IS NULL",
        };
        self.connection.prepare_cached(sql)?.execute((self.id, key, value)).map(drop)
    }

    /// Notes up to where the rows are true.
    pub(crate) fn finish(self, position: Position) -> Result<(), Error> {
        let mut update =
            self.connection.prepare_cached("UPDATE projections SET position = ?2 WHERE id = ?1")?;
        update.execute((self.id, position.0)).map(drop)
    }
}
