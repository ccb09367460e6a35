//! The file of a build: where it is, how it is made, opened and removed.

use crate::{registry::Built, target::TargetError};
use rusqlite::{Connection, Error, OpenFlags, TransactionBehavior, limits::Limit};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a reader or writer of the user's own is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// The largest value in bytes that is read.
const VALUE_BYTES_MAX: i32 = 32 << 20;
/// Statements that are kept prepared.
const STATEMENTS_MAX: usize = 512;

/// What the driver keeps beside the tables of the declaration.
const OWN_TABLES: &str = "
    CREATE TABLE fairway_standing (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        ledger TEXT NOT NULL,
        position INTEGER NOT NULL,
        asks INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE fairway_parked (
        position INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        event_id TEXT NOT NULL,
        stream TEXT NOT NULL,
        kind TEXT NOT NULL,
        tries INTEGER NOT NULL,
        error TEXT
    ) STRICT;
    CREATE INDEX fairway_parked_by_key ON fairway_parked (key, position);
";

/// Where the file of a build is.
#[derive(Debug, Clone)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn of(dir: &Path, built: &Built) -> Self {
        let model = built.declaration.model();
        Self(dir.join(format!("{}.v{}.b{}.db", model.name, model.version, built.id)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// An error that says which file it is about.
    pub(crate) fn error(&self, what: &str, error: Error) -> TargetError {
        TargetError::unusable(format!("could not {what} `{}`", self.0.display()), error)
    }

    /// Opens the file to write; makes it with its tables if it is not there.
    pub(crate) fn open(&self, built: &Built, ledger: &str) -> Result<Connection, TargetError> {
        let open = || {
            let mut connection = Connection::open(&self.0)?;
            limit(&connection)?;
            connection.busy_timeout(BUSY)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
                 PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;
                 PRAGMA wal_autocheckpoint = 16384; PRAGMA foreign_keys = ON;",
            )?;
            make(&mut connection, built, ledger)?;
            Ok(connection)
        };
        open().map_err(|error| self.error("open", error))
    }

    /// Opens the file to read; none if it is not there.
    pub(crate) fn open_to_read(&self) -> Result<Option<Connection>, TargetError> {
        if !self.0.exists() {
            return Ok(None);
        }
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&self.0, flags)?;
            limit(&connection)?;
            connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
            connection.busy_timeout(BUSY)?;
            connection.execute_batch("PRAGMA query_only = ON;")?;
            Ok(is_made(&connection)?.then_some(connection))
        };
        open().map_err(|error| self.error("open", error))
    }

    /// Whether the file is not there.
    pub(crate) fn is_gone(&self) -> bool {
        !self.0.exists()
    }

    /// Removes the file. Who reads it goes on reading what was there.
    pub(crate) fn remove(&self) -> Result<(), TargetError> {
        for suffix in ["", "-wal", "-shm"] {
            let path = PathBuf::from(format!("{}{suffix}", self.0.display()));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let what = format!("could not remove `{}`", path.display());
                    return Err(TargetError::unusable(what, error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Keeps SQL of a declaration to its own file.
pub(super) fn limit(connection: &Connection) -> Result<(), Error> {
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map(drop)
}

fn make(connection: &mut Connection, built: &Built, ledger: &str) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !is_made(&transaction)? {
        transaction.execute_batch(OWN_TABLES)?;
        if let Some(tables) = &built.declaration.model().tables {
            transaction.execute_batch(&tables.text)?;
        }
        let asks = built.id.cast_signed();
        transaction.execute(
            "INSERT INTO fairway_standing (one, ledger, position, asks) VALUES (1, ?1, 0, ?2)",
            (ledger, asks),
        )?;
    }
    transaction.commit()
}

/// Whether the tables are there.
fn is_made(connection: &Connection) -> Result<bool, Error> {
    let has = "SELECT count(*) FROM sqlite_schema WHERE name = 'fairway_standing'";
    let found: u32 = connection.query_row(has, (), |row| row.get(0))?;
    Ok(found > 0)
}
