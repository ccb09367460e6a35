//! Where users come in: the seam between an environment and its gateway.

use fairway_engine::GroupId;
use fairway_model::{EnvironmentName, ServiceName, config::Route};
use futures_util::future::BoxFuture;
use std::{collections::BTreeMap, io, net::SocketAddr};

/// Where requests go: routes to services, and the ready replicas of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directions {
    /// A match and the service it goes to.
    pub routes: Vec<(Route, ServiceName)>,
    /// Addresses in the environment's network, by service.
    pub backends: BTreeMap<ServiceName, Vec<SocketAddr>>,
}

/// Completes when no request is left where none goes any more.
pub type Drained = BoxFuture<'static, ()>;

/// The gateways of all environments of this machine.
#[async_trait::async_trait]
pub trait Edge: Send + Sync {
    /// Opens the gateway of an environment on the loopback interface, on this port or, without one,
    /// on any that is free, with these directions from its first request on. Returns the port. One
    /// that is open on that port stays, and is directed.
    async fn open(
        &self,
        environment: &EnvironmentName,
        group: &GroupId,
        port: Option<u16>,
        directions: Directions,
    ) -> io::Result<u16>;

    /// Directs requests from now on; requests under way go on as they began. What is given back
    /// completes when none is left at a backend that is not among the directions any more.
    fn direct(&self, environment: &EnvironmentName, directions: Directions) -> Drained;

    /// Closes the gateway once the requests under way are answered.
    async fn close(&self, environment: &EnvironmentName);
}
