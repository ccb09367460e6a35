//! What SQLite's errors mean for a ledger.

use crate::error::{Cause, LedgerError};
use rusqlite::{
    Error, ErrorCode,
    ffi::{
        SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE,
        SQLITE_IOERR_WRITE,
    },
};
use std::sync::Arc;

/// The error of the ledger at a place.
pub(crate) fn of(ledger: String, error: Error) -> LedgerError {
    let code = error.sqlite_error_code();
    let extended = error.sqlite_extended_error_code();
    let is_refused = is_refusal(&error);
    let source: Cause = Arc::new(error);
    match code {
        _ if is_refused => LedgerError::NotWritable { ledger, source },
        Some(ErrorCode::DiskFull) => LedgerError::DiskFull { ledger, source },
        // Making the file that processes share failed for want of space.
        Some(ErrorCode::SystemIoFailure) if extended == Some(SQLITE_IOERR_SHMSIZE) => {
            LedgerError::DiskFull { ledger, source }
        }
        Some(ErrorCode::SystemIoFailure) if is_shared_memory(extended) => {
            LedgerError::Unsupported(ledger)
        }
        Some(ErrorCode::SystemIoFailure) if is_write(extended) => {
            LedgerError::NotWritable { ledger, source }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LedgerError::Damaged { ledger, source }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy(ledger),
        _ => LedgerError::Backend { ledger, source },
    }
}

/// Whether the file or its folder may not be written.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
    )
}

fn is_write(extended: Option<i32>) -> bool {
    matches!(extended, Some(SQLITE_IOERR_WRITE | SQLITE_IOERR_FSYNC))
}

fn is_shared_memory(extended: Option<i32>) -> bool {
    matches!(extended, Some(SQLITE_IOERR_SHMMAP | SQLITE_IOERR_SHMOPEN))
}
