//! Connects containers to the network of their group.

use crate::{embedded::Embedded, process::ProcessId, text::chain, wire::Connected};
use fairway_engine::{ContainerId, Dial, EngineError, GroupId, Names};
use fairway_network::{Member, Network, NetworkError};
use std::{
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::net::TcpStream;

/// An adapter for `map_err`.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives values")]
pub(crate) fn failed(error: NetworkError) -> EngineError {
    EngineError::Broken(chain(&error))
}

fn of(engine: &Embedded, group: &GroupId) -> Result<Network, EngineError> {
    let network = engine.networks().get(group);
    network.ok_or_else(|| EngineError::NoGroup(group.clone()))
}

/// Connects a container whose helper sits in a fresh network namespace.
pub(crate) async fn connect(
    engine: &Embedded,
    id: &ContainerId,
    pid: u32,
    names: Names,
    port: u16,
) -> Result<Connected, EngineError> {
    let network = of(engine, &id.group)?;
    let Names { own, private } = names;
    let member = Member { name: id.name.clone(), pid, own, private };
    let attached = match network.attach(&member).await {
        // Whoever started a container of this name before was killed while he did.
        Err(NetworkError::Refused { .. }) => {
            network.detach(&member.name).await.map_err(failed)?;
            network.attach(&member).await
        }
        attached => attached,
    };
    let attachment = attached.map_err(|error| {
        if ProcessId::of(pid).is_none() {
            return EngineError::Lost(id.clone());
        }
        EngineError::Start { container: id.clone(), why: chain(&error) }
    })?;
    Ok(Connected {
        address: SocketAddr::new(IpAddr::V4(attachment.address), port),
        resolver: format!("nameserver {}\noptions ndots:0\n", attachment.gateway),
    })
}

/// Forgets a container that is gone, with its names.
pub(crate) async fn disconnect(engine: &Embedded, id: &ContainerId) -> Result<(), EngineError> {
    match engine.networks().get(&id.group) {
        None => Ok(()),
        Some(network) => match network.detach(&id.name).await {
            Err(NetworkError::NotOpen(_)) => Ok(()),
            detached => detached.map_err(failed),
        },
    }
}

/// Removes the network of a group.
pub(crate) async fn remove(engine: &Embedded, group: &GroupId) -> Result<(), EngineError> {
    match engine.networks().get(group) {
        None => Ok(()),
        Some(network) => network.remove().await.map_err(failed),
    }
}

#[async_trait::async_trait]
impl Dial for Embedded {
    async fn dial(&self, group: &GroupId, address: SocketAddr) -> io::Result<TcpStream> {
        of(self, group).map_err(io::Error::other)?.dial(address).await
    }
}
