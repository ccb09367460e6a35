//! Removal of what a container consists of, by its helper, or by somebody else after the helper
//! was killed.

use crate::{
    helper::{Cgroup, Hierarchies},
    place::Places,
};
use fairway_engine::{ContainerId, EngineError};
use std::{fs, io, path::Path};

/// Removes the control group, the files and at last the runtime directory of a container whose
/// processes are gone or are to be killed.
pub(crate) fn remove(places: &Places, id: &ContainerId) -> Result<(), EngineError> {
    let hierarchies = Hierarchies::here()?;
    Cgroup::new(&hierarchies, &places.cgroup(id)).remove()?;
    remove_files(places, id)
}

/// Removes the files and at last the runtime directory of a container that has no processes. The
/// directory of its group's files goes with the group.
pub(crate) fn remove_files(places: &Places, id: &ContainerId) -> Result<(), EngineError> {
    // Volumes are mounted below it: nothing may be removed while this process sees them there.
    remove_empty(&places.container(id).join("rootfs"))?;
    remove_directory(&places.container_files(id))?;
    remove_directory(&places.container(id))
}

/// Removes a directory with all below it, if it is there.
pub(crate) fn remove_directory(path: &Path) -> Result<(), EngineError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(EngineError::io(format!("remove `{}`", path.display()))),
    }
}

/// Removes a directory in which nothing may be, if it is there.
fn remove_empty(path: &Path) -> Result<(), EngineError> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(EngineError::io(format!("remove `{}`", path.display()))),
    }
}

/// Removes a directory unless something is in it.
pub(crate) fn remove_if_empty(path: &Path) -> Result<(), EngineError> {
    match fs::remove_dir(path) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Ok(())
        }
        removed => removed.map_err(EngineError::io(format!("remove `{}`", path.display()))),
    }
}

/// Removes what is left of a container; nothing if its helper removed all.
pub(crate) fn remove_if_left(places: &Places, id: &ContainerId) -> Result<(), EngineError> {
    if places.container(id).exists() { remove(places, id) } else { Ok(()) }
}
