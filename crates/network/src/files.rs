//! The files of one network in the runtime directory.

use crate::process::Process;
use fairway_engine::GroupId;
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// No file of a network is larger.
const FILE_LIMIT: u64 = 16 << 20;

/// The directory of one network.
#[derive(Debug, Clone)]
pub(crate) struct Files(PathBuf);

impl Files {
    /// The directory of a network under the directory of all.
    pub(crate) fn of(networks: &Path, id: &GroupId) -> Self {
        Self(networks.join(id.as_str()))
    }

    /// A directory that is known by its path.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Creates it; only its owner may look in.
    pub(crate) fn create(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }

    /// Whether it is there.
    pub(crate) fn exists(&self) -> bool {
        self.0.is_dir()
    }

    /// Removes all.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.0
    }

    /// Where the helper listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    /// What the helper knows.
    pub(crate) fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// Held by the helper as long as it runs.
    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// What the helper says when it fails.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("helper.log")
    }

    fn holder_path(&self) -> PathBuf {
        self.0.join("holder.json")
    }

    /// The process that keeps the namespace, if it still does.
    pub(crate) fn holder(&self) -> Option<Process> {
        let bytes = read(&self.holder_path()).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|process: &Process| process.is_alive())
    }

    /// Records the process that keeps the namespace.
    pub(crate) fn set_holder(&self, process: Process) -> io::Result<()> {
        write(&self.holder_path(), &serde_json::to_vec(&process)?)
    }
}

/// Reads a whole file of a stated size at most.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Replaces a file so that a reader sees all of the old or all of the new.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&new)?.write_all(bytes)?;
    fs::rename(new, path)
}
