//! The gateway as its owner sees it.

use crate::{
    access::AccessLog,
    connection,
    connector::{Connector, TcpConnector},
    drain::Drain,
    settings::Settings,
    table::Table,
    worker::{Shared, Worker},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration, time::Instant};
use tokio::{
    net::{TcpListener, TcpStream},
    pin,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often idle connections to backends are looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// The data plane of one environment's gateway. Clones are the same gateway.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were still busy after the grace period and were cut.
    pub cut: usize,
}

impl Gateway {
    /// Makes a gateway with an empty table that connects from the network it is in.
    pub fn new(settings: Settings) -> Self {
        Self::with(settings, Arc::new(TcpConnector), None)
    }

    /// Makes a gateway with an empty table.
    pub fn with(settings: Settings, connector: Arc<dyn Connector>, log: Option<AccessLog>) -> Self {
        Self { shared: Arc::new(Shared::new(settings, connector, log)) }
    }

    /// Serves by another table from the next request on. Requests under way finish by the old one,
    /// also at backends that are gone from it; idle connections to those are closed. What is given
    /// back tells when such backends can be stopped.
    pub fn set_table(&self, table: Arc<Table>) -> Drain {
        self.shared.set_table(table)
    }

    /// Serves a listener until `stop` completes; then finishes the requests in flight, at most for
    /// the grace period. Several listeners can be served at once: for all cores, serve clones of one
    /// listener on a current-thread runtime each.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) -> Stopped {
        let worker = Worker::start(&self.shared);
        let mut connections = JoinSet::new();
        pin!(stop);
        let mut sweep = interval(SWEEP_EVERY);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_room = connections.len() < worker.settings().limits.connections;
            tokio::select! {
                () = &mut stop => break,
                accepted = accept(&listener), if has_room => {
                    if let Some((stream, peer)) = accepted {
                        connections.spawn(connection::serve(worker.clone(), stream, peer));
                    }
                }
                Some(_) = connections.join_next() => {}
                _ = sweep.tick() => worker.pool.sweep(Instant::now()),
            }
        }
        drop(listener);
        drain(&worker, connections).await
    }
}

/// Waits for a client. None if it left at once or nothing can be accepted for now.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok((stream, peer)) => stream.set_nodelay(true).is_ok().then_some((stream, peer)),
        Err(error) => {
            if is_exhaustion(&error) {
                sleep(ACCEPT_PAUSE).await;
            }
            None
        }
    }
}

fn is_exhaustion(error: &io::Error) -> bool {
    const ENOMEM: i32 = 12;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = 105;
    matches!(error.raw_os_error(), Some(ENOMEM | ENFILE | EMFILE | ENOBUFS))
}

async fn drain(worker: &Worker, mut connections: JoinSet<()>) -> Stopped {
    worker.start_draining();
    let all = async { while connections.join_next().await.is_some() {} };
    let is_done = timeout(worker.settings().timeouts.grace, all).await.is_ok();
    let cut = if is_done { 0 } else { connections.len() };
    connections.shutdown().await;
    Stopped { cut }
}
