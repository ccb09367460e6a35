//! What was asked of a group, on record for whoever opens it next. It holds secrets, so it is in
//! the runtime directory, for root only.

use crate::place::Places;
use fairway_engine::{ContainerSpec, EngineError, GroupId};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

/// What was asked of a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its sets by name.
    pub(super) sets: BTreeMap<String, Wanted>,
    /// The shares of its names: set and weight.
    pub(super) routes: BTreeMap<String, Vec<(String, u16)>>,
}

/// A set that is wanted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// What each replica is.
    pub(super) spec: ContainerSpec,
    /// How many.
    pub(super) replicas: u16,
}

fn path(places: &Places, group: &GroupId) -> PathBuf {
    places.group(group).join("host.json")
}

impl Record {
    /// Reads the record of a group; empty if there is none.
    pub(super) fn load(places: &Places, group: &GroupId) -> Result<Self, EngineError> {
        let bytes = match fs::read(path(places, group)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(EngineError::io(format!("read the sets of `{group}`")))?,
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            EngineError::Broken(format!("the sets of `{group}` are unreadable: {error}"))
        })
    }

    /// Writes it, whole or not at all.
    pub(super) fn save(&self, places: &Places, group: &GroupId) -> Result<(), EngineError> {
        let (path, fresh) = (path(places, group), places.group(group).join("host.new"));
        let bytes = serde_json::to_vec(self).expect("a record is plain data");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(&fresh)
            .and_then(|mut file| file.write_all(&bytes))
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(EngineError::io(format!("record the sets of `{group}`")))
    }
}
