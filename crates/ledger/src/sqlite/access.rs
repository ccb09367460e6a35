//! What may be done with a ledger file that is there. SQLite needs files beside it even to read it, and
//! on a disk or in a folder that takes none it does not know by itself what to do.

use crate::{
    error::LedgerError,
    sqlite::error::{self, of},
};
use rusqlite::{Connection, Error, MAIN_DB, OpenFlags};
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// How a ledger file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// It is read and written, and made if it is not there.
    Making,
    /// It is read and written.
    Writing,
    /// It is read, while others may write.
    Reading,
    /// It is read as a file that nobody changes: without locks, and without a log beside it.
    Frozen,
}

impl Access {
    /// Finds out what may be done with a file that is there, and makes nothing beside one that may
    /// not be written.
    pub(super) fn find(path: &Path) -> Result<Self, LedgerError> {
        let failed = |error| of(path.display().to_string(), error);
        let written = Self::Writing.open(path).and_then(|connection| {
            if connection.is_readonly(MAIN_DB)? {
                return Ok(false);
            }
            read(&connection).map(|()| true)
        });
        match written {
            Ok(true) => return Ok(Self::Writing),
            Err(error) if !error::is_refusal(&error) => return Err(failed(error)),
            Ok(false) | Err(_) => {}
        }
        match Self::find_reading(path) {
            Ok(Self::Frozen) => {
                let readable = File::open(path).map(|_| Self::Frozen);
                readable.map_err(|error| LedgerError::Backend {
                    ledger: path.display().to_string(),
                    source: Arc::new(error),
                })
            }
            Err(error) if error::is_refusal(&error) => {
                let why = format!(
                    "`{}` has events that are not in the file yet; copy both to where they can be \
                     written",
                    beside(path, "-wal").display()
                );
                Err(refused(path.display().to_string(), io::Error::other(why)))
            }
            found => found.map_err(failed),
        }
    }

    /// How a file is read where nothing may be written. Refused if it has a log that cannot be read.
    fn find_reading(path: &Path) -> Result<Self, Error> {
        // SQLite would make these files even for who only reads, and then their owner could not
        // write them.
        if has_log(path) || is_shared(path) {
            match Self::Reading.open(path).and_then(|connection| read(&connection)) {
                Err(error) if error::is_refusal(&error) && !has_log(path) => {}
                done => return done.map(|()| Self::Reading),
            }
        }
        Ok(Self::Frozen)
    }

    pub(super) fn is_writing(self) -> bool {
        matches!(self, Self::Making | Self::Writing)
    }

    /// Opens a connection, and reads nothing yet.
    pub(super) fn open(self, path: &Path) -> Result<Connection, Error> {
        let flags = match self {
            Self::Making => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Self::Writing => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Self::Reading => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Self::Frozen => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        match self {
            Self::Frozen => Connection::open_with_flags(frozen(path), flags),
            _ => Connection::open_with_flags(path, flags),
        }
    }
}

/// Opens a file of SQLite where nothing may be written, and makes nothing beside it. Fails if it has a
/// log that cannot be read there. What others write later may not be seen: do not keep the connection.
pub fn open_read_only(path: &Path) -> Result<Connection, Error> {
    Access::find_reading(path)?.open(path)
}

/// The error of a ledger at a place that may not be used so.
pub(super) fn refused(ledger: String, error: io::Error) -> LedgerError {
    LedgerError::NotWritable { ledger, source: Arc::new(error) }
}

/// Whether something is in the log beside a file, which is not in the file itself.
fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Whether the files are there by which processes that have the ledger open share it. Their log may
/// still be empty.
fn is_shared(path: &Path) -> bool {
    ["-wal", "-shm"].iter().all(|suffix| beside(path, suffix).exists())
}

/// The path of a file that belongs to a ledger file.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Reads something, for which SQLite needs all that it needs.
fn read(connection: &Connection) -> Result<(), Error> {
    connection.query_row("SELECT COUNT(*) FROM sqlite_schema", (), |_| Ok(()))
}

/// The address of a file that nobody changes.
fn frozen(path: &Path) -> PathBuf {
    let mut address = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => address.extend(format!("%{byte:02X}").bytes()),
            byte => address.push(*byte),
        }
    }
    address.extend(b"?immutable=1");
    OsString::from_vec(address).into()
}
