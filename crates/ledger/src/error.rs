//! What can go wrong with the ledger.

use crate::event::DecodeError;
use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why the ledger could not be opened, read or written. Cheap to clone: all appends of a group that
/// failed get the same one.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// A later Fairway wrote this ledger.
    #[error(
        "ledger `{}` has schema {found}, this Fairway knows up to {known}; use a newer Fairway",
        path.display()
    )]
    Newer {
        /// The ledger's file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that is understood.
        known: u32,
    },
    /// The file is not a ledger, or its pages are damaged.
    #[error("`{}` is damaged or is not a ledger", path.display())]
    Damaged {
        /// The ledger's file.
        path: PathBuf,
        /// What SQLite found.
        source: Arc<rusqlite::Error>,
    },
    /// No space is left; nothing of what was asked has been stored.
    #[error("the disk that holds ledger `{}` is full", path.display())]
    DiskFull {
        /// The ledger's file.
        path: PathBuf,
        /// What SQLite found.
        source: Arc<rusqlite::Error>,
    },
    /// The directory is not there, is read-only, or may not be written.
    #[error("ledger `{}` cannot be opened for writing", path.display())]
    NotWritable {
        /// The ledger's file.
        path: PathBuf,
        /// What SQLite found.
        source: Arc<rusqlite::Error>,
    },
    /// The file system cannot share memory between processes.
    #[error("the file system of ledger `{}` cannot hold it; use a local disk", .0.display())]
    Unsupported(PathBuf),
    /// Another process has been writing for longer than anybody should.
    #[error("ledger `{}` is kept busy by another process", .0.display())]
    Busy(PathBuf),
    /// Another failure of SQLite.
    #[error("could not use ledger `{}`", path.display())]
    Sqlite {
        /// The ledger's file.
        path: PathBuf,
        /// What SQLite found.
        source: Arc<rusqlite::Error>,
    },
    /// An event or a stored row is not what a projection expects.
    #[error("projection `{projection}` cannot be folded")]
    Projection {
        /// The projection's name.
        projection: &'static str,
        /// Which event, and why.
        source: Arc<DecodeError>,
    },
    /// A stored row of a projection is not what its version says.
    #[error("a row of projection `{projection}` cannot be read or written")]
    Row {
        /// The projection's name.
        projection: &'static str,
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// The writer of this process has ended.
    #[error("the ledger is closed")]
    Closed,
}

impl LedgerError {
    pub(crate) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let code = error.sqlite_error_code();
        let extended = error.sqlite_extended_error_code();
        let source = Arc::new(error);
        match code {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path, source },
            // Making the file that processes share failed for want of space.
            Some(ErrorCode::SystemIoFailure) if extended == Some(SQLITE_IOERR_SHMSIZE) => {
                Self::DiskFull { path, source }
            }
            Some(ErrorCode::SystemIoFailure) if is_shared_memory(extended) => {
                Self::Unsupported(path)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, source }
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::NotWritable { path, source }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(path),
            _ => Self::Sqlite { path, source },
        }
    }
}

fn is_shared_memory(extended: Option<i32>) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN};
    matches!(extended, Some(SQLITE_IOERR_SHMMAP | SQLITE_IOERR_SHMOPEN))
}
