//! The SQLite file: how it is opened and what is in it.

use crate::error::LedgerError;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// The newest schema that this code writes and understands.
const SCHEMA: u32 = 1;
/// How often a locked ledger is tried again, once a millisecond: half a minute.
const TRIES_MAX: i32 = 30_000;
const PAUSE: Duration = Duration::from_millis(1);

const TABLES: &str = "
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        version INTEGER NOT NULL,
        kind TEXT NOT NULL,
        recorded INTEGER NOT NULL,
        data TEXT NOT NULL,
        metadata TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_of_stream ON events (stream, version);
    CREATE TABLE projections (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        position INTEGER NOT NULL,
        UNIQUE (name, version)
    ) STRICT;
    CREATE TABLE rows (
        projection INTEGER NOT NULL,
        key ANY NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (projection, key)
    ) STRICT, WITHOUT ROWID;
";

/// Where a ledger is; opens connections to it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    path: PathBuf,
}

impl Database {
    /// Makes the ledger if it is not there and checks that it can be used.
    pub(crate) fn open(path: &Path) -> Result<(Self, Connection), LedgerError> {
        let database = Self { path: path.to_owned() };
        let mut connection = database.connect()?;
        database.prepare(&mut connection)?;
        Ok((database, connection))
    }

    /// Opens one more connection.
    pub(crate) fn connect(&self) -> Result<Connection, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let mut connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_handler(Some(wait))?;
            connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;")?;
            Ok(connection)
        };
        open().map_err(|error| self.error(error))
    }

    pub(crate) fn error(&self, error: Error) -> LedgerError {
        LedgerError::sqlite(&self.path, error)
    }

    fn prepare(&self, connection: &mut Connection) -> Result<(), LedgerError> {
        let version = schema(connection).map_err(|error| self.error(error))?;
        if version > SCHEMA {
            return Err(LedgerError::Newer {
                path: self.path.clone(),
                found: version,
                known: SCHEMA,
            });
        }
        if version == SCHEMA {
            return Ok(());
        }
        let mode = write_ahead(connection).map_err(|error| self.error(error))?;
        if mode != "wal" {
            return Err(LedgerError::Unsupported(self.path.clone()));
        }
        create(connection).map_err(|error| self.error(error))
    }
}

fn schema(connection: &Connection) -> Result<u32, Error> {
    connection.query_row("PRAGMA user_version", (), |row| row.get(0))
}

/// Several processes may do this at once, and then SQLite does not wait by itself.
fn write_ahead(connection: &Connection) -> Result<String, Error> {
    let mut tries = 0;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && wait(tries) =>
            {
                tries += 1;
            }
            result => return result,
        }
    }
}

fn create(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if schema(&transaction)? == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
    }
    transaction.commit()
}

/// Waits for a lock; false gives up.
fn wait(tries: i32) -> bool {
    thread::sleep(PAUSE);
    tries < TRIES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_ledger_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let (_, connection) = Database::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 7).unwrap();
        let error = Database::open(&path).unwrap_err();
        assert!(matches!(error, LedgerError::Newer { found: 7, known: SCHEMA, .. }), "{error}");
    }

    #[test]
    fn another_file_is_not_a_ledger() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        std::fs::write(&path, "some text that is surely not a database".repeat(100)).unwrap();
        let error = Database::open(&path).unwrap_err();
        assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
        let error = Database::open(&dir.path().join("no/such/dir")).unwrap_err();
        assert!(matches!(error, LedgerError::NotWritable { .. }), "{error}");
    }
}
