//! Which process drives a group, where a ledger is a file: the one that holds a lock beside it. The
//! system releases it when the process ends, however it does.

use crate::{error::GroupError, group_id::GroupId};
use fairway_ledger::Ledger;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Held while a group is driven; none where the ledger is no file.
#[derive(Debug)]
pub(crate) struct GroupLock(Option<File>);

impl GroupLock {
    /// Whether the ledger is a file, so that no other process can drive the group now.
    pub(crate) fn is_held(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the lock of a group, or says that somebody else has it.
    pub(crate) fn take(ledger: &Ledger, id: &GroupId) -> Result<Self, GroupError> {
        let place = ledger.place();
        if !Path::new(&place).is_file() {
            return Ok(Self(None));
        }
        let failed = |error| GroupError::Lock { group: id.clone(), source: Arc::new(error) };
        // Whoever comes by another path to the same file meets the same lock.
        let place = Path::new(&place).canonicalize().map_err(failed)?;
        let file = open(&path(place, id)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => Err(GroupError::DrivenElsewhere(id.clone())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// A file of the directory `<ledger>-groups`. Names of streams have no `%`, and no more bytes than
/// names of files.
fn path(place: PathBuf, id: &GroupId) -> PathBuf {
    let mut dir = place.into_os_string();
    dir.push("-groups");
    PathBuf::from(dir).join(id.stream().as_str().replace('/', "%"))
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}
