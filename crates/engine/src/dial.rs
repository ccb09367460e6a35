//! Connections into a group from outside.

use crate::GroupId;
use std::{io, net::SocketAddr};
use tokio::net::TcpStream;

/// Opens connections into the network of a group, for gateways, probes and tests.
#[async_trait::async_trait]
pub trait Dial: Send + Sync {
    /// Connects to an address of the group's network.
    async fn dial(&self, group: &GroupId, address: SocketAddr) -> io::Result<TcpStream>;
}
