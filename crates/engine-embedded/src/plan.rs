//! What a helper is told to run. A plan holds secrets, so it is written to the runtime directory
//! only.

use crate::{place::Places, process::ProcessId};
use fairway_engine::{ContainerId, EngineError, Mount, Names, RootAccess};
use fairway_model::{
    ByteSize,
    config::{Readiness, Resources},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// One container, with everything that does not need its file system to be known.
#[derive(Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) id: ContainerId,
    pub(crate) places: Places,
    /// The image's layers, top first.
    pub(crate) lowers: Vec<PathBuf>,
    /// Where changes go.
    pub(crate) upper: Upper,
    pub(crate) process: Process,
    /// Its file trees are unpacked already, as root's.
    pub(crate) mounts: Vec<Mount>,
    pub(crate) limits: Resources,
    pub(crate) root: RootAccess,
    pub(crate) network: Networking,
    /// When it is ready; `None` if at once.
    pub(crate) ready: Option<Readiness>,
    pub(crate) stop: StopSignal,
    pub(crate) log_limit: ByteSize,
    /// Whose end also ends the container.
    pub(crate) owner: Option<ProcessId>,
}

/// Where the changes of a container go.
#[derive(Serialize, Deserialize)]
pub(crate) enum Upper {
    /// Into the container's own files.
    Own,
    /// Into a directory of the caller, who reads them afterwards.
    Given {
        upper: PathBuf,
        /// Empty, on the same file system.
        work: PathBuf,
    },
}

/// What is run first in a container.
#[derive(Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    /// `user`, `uid`, `user:group` or `uid:gid`; empty for root.
    pub(crate) user: String,
    pub(crate) cwd: String,
    pub(crate) hostname: String,
}

/// Which network a container is in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Networking {
    /// None.
    None,
    /// Its group's, to which it is connected while the helper prepares the files.
    Group {
        names: Names,
        /// Where others reach it; 0 if nowhere.
        port: u16,
    },
}

/// How a container is stopped.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StopSignal {
    pub(crate) signal: u8,
    pub(crate) grace: Duration,
}

impl Plan {
    /// The file of a plan in the runtime directory of its container.
    pub(crate) fn path(dir: &Path) -> PathBuf {
        dir.join("plan.json")
    }

    /// Writes it where its helper looks for it.
    pub(crate) fn save(&self) -> Result<PathBuf, EngineError> {
        let path = Self::path(&self.places.container(&self.id));
        let bytes = serde_json::to_vec(self).expect("a plan is plain data");
        fs::write(&path, bytes).map_err(EngineError::io(format!("write `{}`", path.display())))?;
        Ok(path)
    }

    /// Reads the plan of a container.
    pub(crate) fn load(path: &Path) -> Result<Self, EngineError> {
        let bytes =
            fs::read(path).map_err(EngineError::io(format!("read `{}`", path.display())))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            EngineError::Broken(format!("`{}` is not a plan: {error}", path.display()))
        })
    }
}
