//! Ports of the host that lead into a network, carried by the helper.

use crate::error::Fault;
use crate::names::{Found, Zone};
use crate::namespace::Namespace;
use crate::state::Published;
use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};

/// Most connections of one port at a time.
const CONNECTIONS_MAX: usize = 1024;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pause after an error that all connections would share.
const PAUSE: Duration = Duration::from_millis(50);

/// The published ports of one network.
#[derive(Default)]
pub(super) struct Ports(HashMap<SocketAddr, JoinHandle<()>>);

/// What a connection needs to find its way.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) inner: Arc<Namespace>,
    pub(super) names: watch::Receiver<Zone>,
    pub(super) gateway: Ipv4Addr,
}

impl Ports {
    /// Listens, and says where: port 0 becomes one that is free.
    pub(super) async fn open(
        &mut self,
        published: &Published,
        way: Way,
    ) -> Result<SocketAddr, Fault> {
        let listen = published.listen;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(Fault::doing(format!("listen on `{listen}`")))?;
        let bound = listener.local_addr().map_err(Fault::doing("look at the port"))?;
        let task = tokio::spawn(accept(listener, published.clone(), way));
        self.0.insert(bound, task);
        Ok(bound)
    }

    /// Stops listening, and ends what goes through.
    pub(super) fn close(&mut self, listen: SocketAddr) {
        if let Some(task) = self.0.remove(&listen) {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, published: Published, way: Way) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((from, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (published, way) = (published.clone(), way.clone());
        tokio::spawn(async move {
            // The end of a connection, however it comes, is seen by both its sides.
            drop(carry(from, &published, &way).await);
            drop(permit);
        });
    }
}

async fn carry(mut from: TcpStream, published: &Published, way: &Way) -> io::Result<()> {
    let found = way.names.borrow().find(way.gateway, &published.name);
    let address = match found {
        Found::Addresses(addresses) => addresses.first().copied(),
        Found::Outside(_) | Found::Nothing => None,
    };
    let address = address.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let socket = way.inner.enter(TcpSocket::new_v4)??;
    let to = SocketAddr::from((address, published.port));
    let mut to = timeout(PATIENCE, socket.connect(to)).await??;
    from.set_nodelay(true)?;
    to.set_nodelay(true)?;
    copy_bidirectional(&mut from, &mut to).await.map(drop)
}
