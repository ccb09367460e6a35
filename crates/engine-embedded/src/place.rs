//! Where the engine keeps what: persistent things below the data directory, and what a restart of
//! the machine must forget (specifications with secrets, sockets, process ids) in a runtime
//! directory in memory.

use fairway_engine::{ContainerId, EngineError, GroupId, Volume};
use fairway_model::{Digest, TreeDigest};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Longest name of a container, volume or scope in bytes.
const NAME_MAX: usize = 100;

/// The directories of one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Places {
    /// `<data directory>/engine`.
    pub(crate) data: PathBuf,
    /// On tmpfs, for root only.
    pub(crate) runtime: PathBuf,
    /// Tells the control groups of different data directories apart.
    pub(crate) tag: String,
}

impl Places {
    /// The directories below a data directory (canonical) and a runtime directory.
    pub(crate) fn of(data_dir: &Path, runtime_dir: &Path) -> Self {
        Self { data: data_dir.join("engine"), runtime: runtime_dir.to_owned(), tag: tag(data_dir) }
    }

    /// The runtime directories of all groups.
    pub(crate) fn groups(&self) -> PathBuf {
        self.runtime.join("groups")
    }

    /// The runtime directory of a group.
    pub(crate) fn group(&self, group: &GroupId) -> PathBuf {
        self.groups().join(group.as_str())
    }

    /// The runtime directories of the containers of a group.
    pub(crate) fn containers(&self, group: &GroupId) -> PathBuf {
        self.group(group).join("containers")
    }

    /// The runtime directory of a container.
    pub(crate) fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers(&id.group).join(&id.name)
    }

    /// The files of all containers of all groups.
    pub(crate) fn files(&self) -> PathBuf {
        self.data.join("containers")
    }

    /// The files of all containers of a group.
    pub(crate) fn group_files(&self, group: &GroupId) -> PathBuf {
        self.files().join(group.as_str())
    }

    /// The files of a container: what it changed in its image, and its log.
    pub(crate) fn container_files(&self, id: &ContainerId) -> PathBuf {
        self.group_files(&id.group).join(&id.name)
    }

    /// The named volumes of a scope.
    pub(crate) fn volumes(&self, scope: &str) -> PathBuf {
        self.data.join("volumes").join(scope)
    }

    /// The files of a named volume.
    pub(crate) fn volume(&self, volume: &Volume) -> PathBuf {
        self.volumes(&volume.scope).join(&volume.name)
    }

    /// A lowest layer for all containers: what is mounted over in each of them.
    pub(crate) fn skeleton(&self) -> PathBuf {
        self.data.join("skeleton")
    }

    /// File trees that were unpacked once and are shared, read-only, by containers.
    pub(crate) fn trees(&self) -> PathBuf {
        self.data.join("trees")
    }

    /// One of them, unpacked for a user and group.
    pub(crate) fn tree(&self, tree: &TreeDigest, uid: u32, gid: u32) -> PathBuf {
        self.trees().join(format!("{}-{uid}-{gid}", tree.0.hex()))
    }

    /// What the names of this engine's control groups start with.
    pub(crate) fn cgroup_prefix(&self) -> String {
        format!("fairway-{}-", self.tag)
    }

    /// The control group of a container, as a path from the root of each hierarchy. It has no
    /// parent but the root, so that no parent is left behind.
    pub(crate) fn cgroup(&self, id: &ContainerId) -> String {
        format!("/{}{}-{}", self.cgroup_prefix(), id.group, id.name)
    }
}

/// A short name of a data directory.
pub(crate) fn tag(data_dir: &Path) -> String {
    Digest::of(data_dir.as_os_str().as_encoded_bytes()).short()
}

/// Refuses a name that could not be one component of a path.
pub(crate) fn check_name(name: &str) -> Result<(), EngineError> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(good) && !name.starts_with('.') {
        return Ok(());
    }
    let shown: String = name.chars().take(NAME_MAX).collect();
    Err(EngineError::Broken(format!(
        "`{shown}` is not a name; use at most {NAME_MAX} lower-case letters, digits, `-` and `.`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_directory_are_refused() {
        for bad in ["", ".", "..", ".a", "a/b", "A", "a b", &"a".repeat(101)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        for good in ["db.orders", "stage-1", "a"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
    }
}
