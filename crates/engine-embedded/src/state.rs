//! What a helper publishes about its container.

use crate::process::ProcessId;
use fairway_engine::{EngineError, Exit};
use fairway_model::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// How a container stands. Written by its helper alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) helper: ProcessId,
    pub(crate) init: ProcessId,
    pub(crate) address: SocketAddr,
    pub(crate) started: Timestamp,
    pub(crate) ready: bool,
    pub(crate) exit: Option<Exit>,
}

impl State {
    fn path(dir: &Path) -> PathBuf {
        dir.join("state.json")
    }

    /// Publishes it in the runtime directory of its container: whole or not at all.
    pub(crate) fn save(&self, dir: &Path) -> Result<(), EngineError> {
        let (path, fresh) = (Self::path(dir), dir.join("state.new"));
        let bytes = serde_json::to_vec(self).expect("a state is plain data");
        fs::write(&fresh, bytes)
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(EngineError::io(format!("write `{}`", path.display())))
    }

    /// Reads the state of a container; `None` before it runs and after it was removed.
    pub(crate) fn load(dir: &Path) -> Result<Option<Self>, EngineError> {
        let path = Self::path(dir);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(EngineError::io(format!("read `{}`", path.display())))?,
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            EngineError::Broken(format!("`{}` is not a state: {error}", path.display()))
        })
    }
}

/// This moment. The only clock of this crate.
#[expect(clippy::disallowed_methods, reason = "logs and exits are stamped by the helper")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
