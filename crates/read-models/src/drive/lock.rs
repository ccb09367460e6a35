//! Which process of a machine drives: the one that holds a lock in the directory. The system releases
//! it when the process ends, however it does.

use crate::error::ReadModelError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
    sync::Arc,
};

/// Held while the read models of a ledger are driven.
#[derive(Debug)]
pub(crate) struct DriverLock {
    _file: File,
}

impl DriverLock {
    /// Takes the lock, or says that somebody else has it.
    pub(crate) fn take(dir: &Path, ledger: &str) -> Result<Self, ReadModelError> {
        let path = dir.join("driver.lock");
        let failed = |error: io::Error| ReadModelError::Directory {
            path: path.display().to_string(),
            source: Arc::new(error),
        };
        std::fs::create_dir_all(dir).map_err(failed)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(ReadModelError::DrivenElsewhere(ledger.to_owned()))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
