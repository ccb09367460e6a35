//! Connections into a network from the host.

use crate::files::Files;
use crate::namespace::Namespace;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::oneshot,
    time::{Instant, sleep},
};

/// How long a network whose holder was killed may take to get another one.
const HELD_AGAIN_WITHIN: Duration = Duration::from_secs(1);
/// How often it is looked for.
const RETRY: Duration = Duration::from_millis(5);

/// Connects to an address in a network. The namespace is looked up each time: keeping it open
/// would keep it alive after its network. The socket is made by a short-lived thread of its own,
/// so no other thread ever leaves its namespace.
pub(crate) async fn dial(files: &Files, address: SocketAddr) -> io::Result<TcpStream> {
    if address.is_ipv6() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "networks have no IPv6"));
    }
    socket_in(namespace(files).await?).await?.connect(address).await
}

async fn namespace(files: &Files) -> io::Result<Namespace> {
    let gone = || io::Error::new(io::ErrorKind::NotFound, "the network is not open");
    let deadline = Instant::now() + HELD_AGAIN_WITHIN;
    loop {
        let found = files.holder().ok_or_else(gone).and_then(|holder| Namespace::of(holder.pid));
        match found {
            Err(_) if files.exists() && Instant::now() < deadline => sleep(RETRY).await,
            found => return found,
        }
    }
}

async fn socket_in(namespace: Namespace) -> io::Result<TcpSocket> {
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new().name("dial".to_owned()).stack_size(64 << 10).spawn(move || {
        let made = namespace.enter(TcpSocket::new_v4).and_then(|socket| socket);
        // Who asked may have given up.
        drop(answer.send(made));
    })?;
    answered.await.map_err(io::Error::other)?
}
