//! How backends are reached. They may live in another network namespace, so it is a trait.

use std::{io, net::SocketAddr};
use tokio::net::TcpStream;

/// Opens connections to backends.
#[async_trait::async_trait]
pub trait Connector: Send + Sync + 'static {
    /// Connects to a backend. Dropped when it takes longer than the gateway's connect timeout.
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// Connects from the network namespace the process is in.
#[derive(Debug, Clone, Copy, Default)]
pub struct TcpConnector;

#[async_trait::async_trait]
impl Connector for TcpConnector {
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}
