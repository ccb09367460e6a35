//! What a container is to be.

use crate::GroupId;
use fairway_model::{
    ByteSize, Digest, TreeDigest,
    config::{Readiness, Resources},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};

/// One container of one group. A replaced container gets a new id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerId {
    /// The group it is in.
    pub group: GroupId,
    /// Its own name, unique in the group: lower-case letters, digits, `-` and `.`.
    pub name: String,
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.name)
    }
}

/// What a container is to be. Absent fields take the image's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// The digest of the image's manifest.
    pub image: Digest,
    /// What it runs.
    pub command: Command,
    /// Environment variables beyond the image's.
    pub env: Env,
    /// `user`, `uid`, `user:group` or `uid:gid`.
    pub user: Option<String>,
    /// An absolute path.
    pub working_dir: Option<String>,
    /// What is mounted besides the image.
    pub mounts: Vec<Mount>,
    /// Its limits.
    pub limits: Resources,
    /// Whether the image's files can be changed.
    pub root: RootAccess,
    /// What it is called and what it calls others.
    pub names: Names,
    /// The port others reach it at; without one, the image's first exposed port.
    pub port: Option<u16>,
    /// When it is ready; without one, the image's HEALTHCHECK, else its port accepts, else at once.
    pub ready: Option<Readiness>,
    /// How it is stopped.
    pub stop: Stop,
    /// How much of its output is kept.
    pub log_limit: ByteSize,
}

impl ContainerSpec {
    /// How much output is kept if nothing else is said.
    pub const LOG_LIMIT: ByteSize = ByteSize(64 << 20);

    /// A container of this image with everything else as the image says.
    pub fn of(image: Digest) -> Self {
        Self {
            image,
            command: Command::Image,
            env: Env::default(),
            user: None,
            working_dir: None,
            mounts: Vec::new(),
            limits: Resources::default(),
            root: RootAccess::Writable,
            names: Names::default(),
            port: None,
            ready: None,
            stop: Stop::default(),
            log_limit: Self::LOG_LIMIT,
        }
    }
}

/// What a container runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The image's entrypoint with the image's arguments.
    Image,
    /// The image's entrypoint with these arguments.
    Arguments(Vec<String>),
    /// This and nothing of the image's.
    Process(Vec<String>),
}

/// Environment variables. Values may be secret, so only names are shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Env(pub BTreeMap<String, String>);

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What a container is called, and what it calls others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Fleet-wide names of this container in its group: `catalog`, `db.orders`.
    pub own: Vec<String>,
    /// Names that only this container knows, each standing for a fleet-wide name, or for a host
    /// outside: `db` for `db.orders`.
    pub private: BTreeMap<String, String>,
}

/// Whether the image's files can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootAccess {
    /// Changes are kept as long as the container.
    Writable,
    /// Only mounts can be written.
    ReadOnly,
}

/// What is mounted in a container at an absolute path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mount {
    /// A private, writable copy of a file tree.
    Tree {
        /// Where.
        at: String,
        /// What.
        tree: TreeDigest,
    },
    /// A named volume, created when first used. What the image has at this path is copied into an
    /// empty one, with its owners (as Docker does).
    Volume {
        /// Where.
        at: String,
        /// What.
        volume: Volume,
    },
    /// Memory that is gone with the container.
    Tmpfs {
        /// Where.
        at: String,
        /// How much it may hold.
        size: ByteSize,
    },
}

/// A named volume; it outlives containers and groups until it is removed by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Volume {
    /// What it belongs to: `env-staging`.
    pub scope: String,
    /// Its name there: `db.orders`.
    pub name: String,
}

/// How a container is stopped: its signal, then after the grace SIGKILL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The signal's name (`SIGTERM`); without one, the image's STOPSIGNAL, else SIGTERM.
    pub signal: Option<String>,
    /// How long it may take before it is killed.
    pub grace: Duration,
}

impl Default for Stop {
    fn default() -> Self {
        Self { signal: None, grace: Duration::from_secs(10) }
    }
}
