//! How a file of keys is opened, and what it has.

use crate::{
    error::SubjectError,
    keys::{KeysId, Missing},
};
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::{
    fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration,
};

/// Only the owner may read keys.
const MODE: u32 = 0o600;
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// What is removed is overwritten with zeros.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
";
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS about (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS keys (
        subject TEXT PRIMARY KEY,
        key BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS streams (
        stream TEXT NOT NULL,
        subject TEXT NOT NULL,
        PRIMARY KEY (stream, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS streams_of_subject ON streams (subject);
";

/// Opens a file that may be written.
pub(crate) fn connect(path: &Path, missing: Missing) -> Result<Connection, SubjectError> {
    let is_made = missing == Missing::IsMade;
    let private = OpenOptions::new().append(true).create(is_made).mode(MODE).open(path);
    private.map_err(|source| file_error(path, source))?;
    let fresh = KeysId::generate()?;
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch(SETTINGS)?;
        let is_made = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'about')";
        if !connection.query_row(is_made, (), |row| row.get::<_, bool>(0))? {
            in_transaction(&mut connection, |transaction| {
                transaction.execute_batch(TABLES)?;
                let put = "INSERT OR IGNORE INTO about (one, id) VALUES (1, ?1)";
                transaction.execute(put, [fresh.0])
            })?;
        }
        Ok(connection)
    };
    open().map_err(|error| keys_error(path, error))
}

/// Whether the file or its folder may not be written.
pub(crate) fn is_refusal(error: &SubjectError) -> bool {
    match error {
        SubjectError::File { source, .. } => {
            matches!(
                source.kind(),
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
            )
        }
        SubjectError::Keys { source, .. } => matches!(
            source.sqlite_error_code(),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
        ),
        _ => false,
    }
}

pub(crate) fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

pub(crate) fn is_there(path: &Path) -> Result<bool, SubjectError> {
    path.try_exists().map_err(|source| file_error(path, source))
}

fn file_error(path: &Path, source: io::Error) -> SubjectError {
    SubjectError::File { path: path.to_owned(), source: Arc::new(source) }
}

pub(crate) fn keys_error(path: &Path, error: Error) -> SubjectError {
    SubjectError::Keys { path: path.to_owned(), source: Arc::new(error) }
}
