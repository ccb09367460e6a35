//! Groups: who owns one, and what is left when nobody does.
//!
//! A group that lives as long as its owner is locked by him; the kernel opens the lock when he ends,
//! however he ends. Whoever can lock such a group may remove it.

use crate::{place::Places, process::ProcessId, remains};
use fairway_engine::{EngineError, GroupId, Keep};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

/// The lock of a group that this process owns.
#[derive(Debug)]
pub(crate) struct Ownership {
    _lock: File,
}

/// What is known of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) keep: Keep,
    /// Whose end also ends it.
    pub(crate) owner: Option<ProcessId>,
}

fn record(places: &Places, group: &GroupId) -> PathBuf {
    places.group(group).join("group.json")
}

/// Whether a group is open.
pub(crate) fn is_open(places: &Places, group: &GroupId) -> bool {
    record(places, group).exists()
}

/// Reads what is known of a group that is open.
pub(crate) fn load(places: &Places, group: &GroupId) -> Result<Group, EngineError> {
    let bytes = match fs::read(record(places, group)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(EngineError::NoGroup(group.clone()));
        }
        read => read.map_err(EngineError::io(format!("read group `{group}`")))?,
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| EngineError::Broken(format!("group `{group}` is unreadable: {error}")))
}

/// Makes a group; the lock is given back for one that this process then owns.
pub(crate) fn open(
    places: &Places,
    group: &GroupId,
    keep: Keep,
) -> Result<Option<Ownership>, EngineError> {
    let doing = || format!("open group `{group}`");
    fs::create_dir_all(places.containers(group)).map_err(EngineError::io(doing()))?;
    let (ownership, owner) = match keep {
        Keep::UntilClosed => (None, None),
        Keep::WhileOwned => {
            let lock = try_lock(places, group)?.ok_or_else(|| {
                EngineError::Broken(format!("group `{group}` is owned by another process"))
            })?;
            (Some(lock), Some(ProcessId::own()?))
        }
    };
    let bytes = serde_json::to_vec(&Group { keep, owner }).expect("a group is plain data");
    let (path, fresh) = (record(places, group), places.group(group).join("group.new"));
    fs::write(&fresh, bytes)
        .and_then(|()| fs::rename(&fresh, &path))
        .map_err(EngineError::io(doing()))?;
    Ok(ownership)
}

/// Locks a group; `None` if another process holds it.
pub(crate) fn try_lock(places: &Places, group: &GroupId) -> Result<Option<Ownership>, EngineError> {
    let path = places.group(group).join("lock");
    let file =
        File::create(&path).map_err(EngineError::io(format!("open `{}`", path.display())))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Ownership { _lock: file })),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(EngineError::io(format!("lock `{}`", path.display()))(error.into())),
    }
}

/// The groups, by name.
pub(crate) fn all(places: &Places) -> Result<Vec<GroupId>, EngineError> {
    let names = names_in(&places.groups())?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// The names in a directory, sorted; none if it is not there.
pub(crate) fn names_in(directory: &std::path::Path) -> Result<Vec<String>, EngineError> {
    let doing = || format!("read `{}`", directory.display());
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(EngineError::io(doing()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(EngineError::io(doing()))?.file_name();
        names.extend(name.into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Removes the directories of a group whose containers are gone.
pub(crate) fn remove(places: &Places, group: &GroupId) -> Result<(), EngineError> {
    remains::remove_directory(&places.group_files(group))?;
    remains::remove_directory(&places.group(group))
}
