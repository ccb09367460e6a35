//! Sets of replicas for environments.

use crate::{
    ContainerId, ContainerSpec, EngineError, Exec, ExecOutput, Exit, GroupId, LogEvent, LogFrom,
    Volume,
};
use fairway_model::Timestamp;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::{fmt, net::SocketAddr};

/// Keeps sets of replicas running in the group of an environment.
///
/// Rolling and canary are two sets and shares, so an engine knows nothing of rollouts. A replica
/// that ends is started again after a pause that doubles from 100 ms to 30 s. What runs goes on
/// when the process that asked for it ends; opening the group again and ensuring the same sets
/// adopts it.
#[async_trait::async_trait]
pub trait Host: Send + Sync {
    /// Opens the group of an environment, or adopts it.
    async fn open(&self, group: &GroupId) -> Result<(), EngineError>;

    /// Makes the set exist with so many replicas; returns before they are ready. A set of this id
    /// with another specification is an error: a set is immutable but for its size.
    async fn ensure(&self, set: &ReplicaSet) -> Result<(), EngineError>;

    /// Stops the replicas of a set with their grace, and forgets it. Returns when they are gone.
    async fn remove(&self, set: &SetId) -> Result<(), EngineError>;

    /// Directs connections made inside the group to a name: each new one goes to a ready replica
    /// of one of the sets, by share. Connections that exist stay where they are.
    async fn route(
        &self,
        group: &GroupId,
        address: &ServiceAddress,
        shares: &[Share],
    ) -> Result<(), EngineError>;

    /// The sets of a group.
    async fn sets(&self, group: &GroupId) -> Result<Vec<SetId>, EngineError>;

    /// How every replica of the group stands now and each change from here on.
    async fn observe(
        &self,
        group: &GroupId,
    ) -> Result<BoxStream<'static, Observation>, EngineError>;

    /// Runs a command in one replica and waits for it.
    async fn exec(&self, replica: &ContainerId, exec: &Exec) -> Result<ExecOutput, EngineError>;

    /// Reads the output of one replica.
    async fn logs(
        &self,
        replica: &ContainerId,
        from: LogFrom,
    ) -> Result<BoxStream<'static, Result<LogEvent, EngineError>>, EngineError>;

    /// Closes the group: removes its sets and its network. Volumes stay.
    async fn close(&self, group: &GroupId) -> Result<(), EngineError>;

    /// Removes named volumes for good.
    async fn remove_volumes(&self, scope: &str) -> Result<Vec<Volume>, EngineError>;
}

/// Names a set of replicas in the group of an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SetId {
    /// The environment's group.
    pub group: GroupId,
    /// Unique in the group: `orders-7`, `db.orders`.
    pub name: String,
}

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.name)
    }
}

/// Replicas of one release or one neighbour.
#[derive(Debug, Clone)]
pub struct ReplicaSet {
    /// Which set.
    pub id: SetId,
    /// What each replica is. `names.own` is left empty: names come from [`Host::route`].
    pub spec: ContainerSpec,
    /// How many.
    pub replicas: u16,
}

/// A name inside a group with a stable address behind which ready replicas are balanced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceAddress {
    /// Fleet-wide: `catalog`, `db.orders`.
    pub name: String,
}

/// How much of new connections a set gets, relative to the other shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The set.
    pub set: SetId,
    /// Its weight; 0 gets nothing.
    pub weight: u16,
}

/// How one replica stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The set it is of.
    pub set: SetId,
    /// Which container; a replica that was started again has a new one.
    pub replica: ContainerId,
    /// How it stands.
    pub state: ReplicaState,
}

/// How one replica stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaState {
    /// It runs and is not ready yet.
    Starting,
    /// It takes traffic here.
    Ready(SocketAddr),
    /// It runs, and its readiness deadline passed; what the last attempt said.
    Unready(String),
    /// It ended and is started again at this time.
    Ended(Exit, Timestamp),
    /// It was removed with its set.
    Gone,
}
