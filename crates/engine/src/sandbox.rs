//! Groups of containers for pipeline runs.

use crate::{ContainerId, ContainerSpec, EngineError, Env, Exit, GroupId, Keep, LogEvent, LogFrom};
use fairway_model::TreeDigest;
use futures_util::stream::BoxStream;
use std::{net::SocketAddr, time::Duration};

/// A group of containers with its own network and names.
///
/// Every call may be repeated: opening an open group, removing what is gone and closing a closed
/// group succeed.
#[async_trait::async_trait]
pub trait Sandbox: Send + Sync {
    /// Opens a group, or adopts one that is open.
    async fn open(&self, group: &GroupId, keep: Keep) -> Result<(), EngineError>;

    /// Starts a container; it runs when this returns. Its name is free again after `remove`.
    async fn start(&self, id: &ContainerId, spec: &ContainerSpec) -> Result<(), EngineError>;

    /// Runs a command in a running container and waits for it.
    async fn exec(&self, id: &ContainerId, exec: &Exec) -> Result<ExecOutput, EngineError>;

    /// Reads its output; also after it ended, until it is removed.
    async fn logs(
        &self,
        id: &ContainerId,
        from: LogFrom,
    ) -> Result<BoxStream<'static, Result<LogEvent, EngineError>>, EngineError>;

    /// Says how it stands now and each change from here on; ends after `Exited`.
    async fn watch(
        &self,
        id: &ContainerId,
    ) -> Result<BoxStream<'static, ContainerEvent>, EngineError>;

    /// The containers of a group, by name.
    async fn list(&self, group: &GroupId) -> Result<Vec<ContainerStatus>, EngineError>;

    /// Stops a container with its signal and grace; it can be read until it is removed.
    async fn stop(&self, id: &ContainerId) -> Result<Exit, EngineError>;

    /// Takes a file or folder out of a container that runs or has ended. A path that does not
    /// exist gives `None`; a file gives a tree with that file alone, under its own name.
    async fn take_tree(
        &self,
        id: &ContainerId,
        path: &str,
    ) -> Result<Option<TreeDigest>, EngineError>;

    /// Removes a container with its files and log; kills it if it runs.
    async fn remove(&self, id: &ContainerId) -> Result<(), EngineError>;

    /// Closes a group: removes its containers and its network. Volumes stay.
    async fn close(&self, group: &GroupId) -> Result<(), EngineError>;
}

/// What becomes of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerEvent {
    /// It runs and has this address in the group's network (port: the one others reach it at, 0
    /// if it has none).
    Started(SocketAddr),
    /// Its readiness probe passed.
    Ready,
    /// Its readiness deadline passed; what the last attempt said. It still runs.
    Unready(String),
    /// It ended.
    Exited(Exit),
}

/// How a container of a group stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerStatus {
    /// Which.
    pub id: ContainerId,
    /// Its address in the group's network.
    pub address: SocketAddr,
    /// How it ended, if it did.
    pub exit: Option<Exit>,
}

/// A command to run in a running container.
#[derive(Debug, Clone)]
pub struct Exec {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables beyond those of the container.
    pub env: Env,
    /// A user other than the container's.
    pub user: Option<String>,
    /// Where its standard streams go.
    pub streams: ExecStreams,
    /// After this it is killed.
    pub timeout: Option<Duration>,
}

/// Where the standard streams of a command go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecStreams {
    /// No input; output is collected, at most [`ExecOutput::LIMIT`] bytes of each stream.
    Collected,
    /// The caller's own standard streams.
    Inherited,
}

/// What a command in a container said and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutput {
    /// How it ended.
    pub status: crate::ExitStatus,
    /// Collected standard output.
    pub stdout: Vec<u8>,
    /// Collected standard error.
    pub stderr: Vec<u8>,
}

impl ExecOutput {
    /// How many bytes of each stream are collected; what comes after is dropped.
    pub const LIMIT: usize = 1 << 20;
}
