//! The SQLite file: how it is opened and what is in it.

use crate::{
    error::LedgerError,
    event_id::LedgerId,
    sqlite::{
        access::{self, Access},
        error,
    },
};
use rusqlite::{Connection, Error, ErrorCode, TransactionBehavior};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

/// The newest schema that this code writes and understands.
const SCHEMA: u32 = 3;
/// How often a locked ledger is tried again, once a millisecond: half a minute.
const TRIES_MAX: i32 = 30_000;
const PAUSE: Duration = Duration::from_millis(1);

/// `data` and `metadata` are texts where they are JSON, else blobs. An event without an id has one
/// that follows from the ledger's id and its position.
const TABLES: &str = "
    CREATE TABLE about (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        ledger INTEGER NOT NULL,
        moved TEXT
    ) STRICT;
    CREATE TABLE categories (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        category INTEGER NOT NULL,
        version INTEGER NOT NULL,
        truncated INTEGER NOT NULL DEFAULT 0,
        swept INTEGER NOT NULL DEFAULT 0,
        standing INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX streams_to_sweep ON streams (id) WHERE swept < truncated;
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        version INTEGER NOT NULL,
        category INTEGER NOT NULL,
        kind TEXT NOT NULL,
        recorded INTEGER NOT NULL,
        id BLOB,
        data ANY NOT NULL,
        metadata ANY NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_of_stream ON events (stream, version);
    CREATE INDEX events_of_category ON events (category);
    CREATE UNIQUE INDEX events_by_id ON events (stream, id) WHERE id IS NOT NULL;
    CREATE TABLE snapshots (
        stream INTEGER NOT NULL,
        version INTEGER NOT NULL,
        kind TEXT NOT NULL,
        recorded INTEGER NOT NULL,
        data ANY NOT NULL,
        PRIMARY KEY (stream, version)
    ) STRICT, WITHOUT ROWID;
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

/// What schema 3 added. The ids of events that are gone still tell a retry from an append.
const TABLES_SINCE_3: &str = "
    CREATE TABLE truncated_ids (
        position INTEGER PRIMARY KEY,
        stream INTEGER NOT NULL,
        version INTEGER NOT NULL,
        id BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX truncated_by_id ON truncated_ids (stream, id);
";

/// Puts aside the tables of schema 1 that became others.
const BEFORE_TABLES_OF_1: &str = "
    ALTER TABLE streams RENAME TO streams_1;
    ALTER TABLE events RENAME TO events_1;
    DROP INDEX events_of_stream;
    DROP TABLE projections;
    DROP TABLE rows;
";

/// Fills the new tables from those of schema 1. Projections are folded anew.
const AFTER_TABLES_OF_1: &str = "
    INSERT INTO categories (name)
        SELECT DISTINCT substr(name, 1, instr(name || '-', '-') - 1) FROM streams_1;
    INSERT INTO streams (id, name, category, version)
        SELECT s.id, s.name, c.id, s.version FROM streams_1 s
        JOIN categories c ON c.name = substr(s.name, 1, instr(s.name || '-', '-') - 1);
    INSERT INTO events (position, stream, version, category, kind, recorded, data, metadata)
        SELECT e.position, e.stream, e.version, s.category, e.kind, e.recorded, e.data, e.metadata
        FROM events_1 e JOIN streams s ON s.id = e.stream ORDER BY e.position;
    DROP TABLE events_1;
    DROP TABLE streams_1;
";

/// Where a ledger is; opens connections to it.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    path: PathBuf,
    access: Access,
}

impl Database {
    /// Makes the ledger if it is not there and checks that it can be used.
    pub(crate) fn open(path: &Path) -> Result<(Self, Connection), LedgerError> {
        let database = Self { path: path.to_owned(), access: Access::Making };
        let mut connection = database.connect()?;
        database.prepare(&mut connection)?;
        Ok((database, connection))
    }

    /// Opens a ledger that is there, in the best way that the file and its folder let us, and checks
    /// that it can be used.
    pub(crate) fn open_existing(path: &Path) -> Result<(Self, Connection), LedgerError> {
        let place = || path.display().to_string();
        if !path.try_exists().map_err(|error| access::refused(place(), error))? {
            return Err(LedgerError::Missing(place()));
        }
        let access = Access::find(path)?;
        let database = Self { path: path.to_owned(), access };
        let mut connection = database.connect()?;
        let failed = |error| database.error(error);
        match schema(&connection).map_err(failed)? {
            0 if is_empty(&connection).map_err(failed)? => {
                return Err(LedgerError::Missing(place()));
            }
            version if version < SCHEMA && !access.is_writing() => {
                let why = format!("it has schema {version}, and cannot be brought up to {SCHEMA}");
                return Err(access::refused(place(), io::Error::other(why)));
            }
            _ => database.prepare(&mut connection)?,
        }
        Ok((database, connection))
    }

    /// Opens one more connection.
    pub(crate) fn connect(&self) -> Result<Connection, LedgerError> {
        let open = || {
            let mut connection = self.access.open(&self.path)?;
            connection.busy_handler(Some(wait))?;
            connection.set_prepared_statement_cache_capacity(64);
            connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;")?;
            Ok(connection)
        };
        open().map_err(|error| self.error(error))
    }

    /// The path as text.
    pub(crate) fn place(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn error(&self, error: Error) -> LedgerError {
        error::of(self.place(), error)
    }

    fn prepare(&self, connection: &mut Connection) -> Result<(), LedgerError> {
        let version = schema(connection).map_err(|error| self.error(error))?;
        if version == 0 && !is_empty(connection).map_err(|error| self.error(error))? {
            let source = Arc::new(io::Error::other("it is a database of something else"));
            return Err(LedgerError::Damaged { ledger: self.place(), source });
        }
        if version > SCHEMA {
            return Err(LedgerError::Newer { ledger: self.place(), found: version, known: SCHEMA });
        }
        if version == SCHEMA {
            return Ok(());
        }
        let mode = write_ahead(connection).map_err(|error| self.error(error))?;
        if mode != "wal" {
            return Err(LedgerError::Unsupported(self.place()));
        }
        create(connection).map_err(|error| self.error(error))
    }
}

/// The id of a ledger, made with it.
pub(crate) fn ledger_id(connection: &Connection) -> Result<LedgerId, Error> {
    let id: i64 = connection.query_row("SELECT ledger FROM about", (), |row| row.get(0))?;
    Ok(LedgerId(id.cast_unsigned()))
}

pub(super) fn schema(connection: &Connection) -> Result<u32, Error> {
    connection.query_row("PRAGMA user_version", (), |row| row.get(0))
}

/// Whether there is no table, unless somebody else just made those of a ledger.
pub(super) fn is_empty(connection: &Connection) -> Result<bool, Error> {
    let sql = "SELECT user_version > 0 OR NOT EXISTS (SELECT 1 FROM sqlite_schema)
        FROM pragma_user_version";
    connection.query_row(sql, (), |row| row.get(0))
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
    let found = schema(&transaction)?;
    if found == 1 {
        transaction.execute_batch(BEFORE_TABLES_OF_1)?;
    }
    if found < 2 {
        transaction.execute_batch(TABLES)?;
        let id = LedgerId::random().0.cast_signed();
        transaction.execute("INSERT INTO about (one, ledger) VALUES (1, ?1)", [id])?;
    }
    if found == 1 {
        transaction.execute_batch(AFTER_TABLES_OF_1)?;
    }
    if found < 3 {
        transaction.execute_batch(TABLES_SINCE_3)?;
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

    const TABLES_OF_1: &str = "
        CREATE TABLE streams (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE events (
            position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, version INTEGER NOT NULL,
            kind TEXT NOT NULL, recorded INTEGER NOT NULL, data TEXT NOT NULL,
            metadata TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX events_of_stream ON events (stream, version);
        CREATE TABLE projections (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL,
            position INTEGER NOT NULL, UNIQUE (name, version)
        ) STRICT;
        CREATE TABLE rows (
            projection INTEGER NOT NULL, key ANY NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (projection, key)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO streams VALUES (1, 'run-1', 2), (2, 'fleet', 1);
        INSERT INTO events VALUES (1, 1, 1, 'a', 5, '1', '{}'), (2, 2, 1, 'b', 6, '2', '{}'),
            (3, 1, 2, 'c', 7, '3', '{}');
        PRAGMA user_version = 1;
    ";

    #[test]
    fn a_ledger_of_the_first_schema_is_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        Connection::open(&path).unwrap().execute_batch(TABLES_OF_1).unwrap();
        let (_, connection) = Database::open(&path).unwrap();
        let ask =
            |sql: &str| -> String { connection.query_row(sql, (), |row| row.get(0)).unwrap() };
        assert_eq!(ask("SELECT group_concat(kind, '' ORDER BY position) FROM events"), "abc");
        let categories = "SELECT group_concat(s.name || '=' || c.name, ' ' ORDER BY s.id)
            FROM streams s JOIN categories c ON c.id = s.category";
        assert_eq!(ask(categories), "run-1=run fleet=fleet");
        drop(connection);
        Database::open(&path).unwrap();
    }

    #[test]
    fn a_ledger_of_the_second_schema_is_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger");
        let second = Connection::open(&path).unwrap();
        second.execute_batch(TABLES).unwrap();
        second
            .execute_batch("INSERT INTO about VALUES (1, 7, NULL); PRAGMA user_version = 2")
            .unwrap();
        drop(second);
        let (_, connection) = Database::open(&path).unwrap();
        assert_eq!(ledger_id(&connection).unwrap(), LedgerId(7));
        assert_eq!(schema(&connection).unwrap(), SCHEMA);
        connection.execute("INSERT INTO truncated_ids VALUES (1, 1, 1, x'00')", ()).unwrap();
    }

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
        let other = dir.path().join("other");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
        let before = std::fs::read(&other).unwrap();
        let error = Database::open(&other).unwrap_err();
        assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read(&other).unwrap(), before, "it stays as it is");
        let error = Database::open(&dir.path().join("no/such/dir")).unwrap_err();
        assert!(matches!(error, LedgerError::NotWritable { .. }), "{error}");
    }
}
