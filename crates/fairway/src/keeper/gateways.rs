//! The gateways of environments: an [`Edge`] whose requests are served by threads of their own.

use super::access_log;
use fairway_delivery::{Directions, Drained, Edge};
use fairway_engine::{Dial, GroupId};
use fairway_gateway::{AccessLog, Backend, Connector, Gateway, Route, Settings, Table};
use fairway_ledger::Clock;
use fairway_model::{
    EnvironmentName, ServiceName,
    config::{Prefix, Route as RouteConfig},
};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    thread,
};
use tokio::{net::TcpStream, sync::watch};

/// How many records of requests may wait to be written.
const RECORDS_MAX: usize = 4096;
/// How many threads serve one gateway at most.
const THREADS_MAX: usize = 4;

/// The gateways of all environments of this machine, on the loopback interface.
pub struct Gateways {
    dial: Arc<dyn Dial>,
    logs: PathBuf,
    open: Mutex<BTreeMap<EnvironmentName, Open>>,
}

/// A gateway that serves.
struct Open {
    port: u16,
    gateway: Gateway,
    stop: watch::Sender<bool>,
    threads: Vec<thread::JoinHandle<io::Result<()>>>,
}

impl Gateways {
    /// Gateways that reach replicas through `dial` and keep their access logs in a folder.
    pub fn new(dial: Arc<dyn Dial>, logs: PathBuf) -> Self {
        Self { dial, logs, open: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<EnvironmentName, Open>> {
        self.open.lock().expect("no holder of this lock panics")
    }

    fn start(
        &self,
        environment: &EnvironmentName,
        group: &GroupId,
        port: Option<u16>,
        directions: Directions,
    ) -> io::Result<Open> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))?;
        listener.set_nonblocking(true)?;
        let (log, records) = AccessLog::bounded(RECORDS_MAX, || Clock::system().now());
        tokio::spawn(access_log::keep(records, self.logs.join(format!("{environment}.log"))));
        let connector = Replicas { dial: self.dial.clone(), group: group.clone() };
        let gateway = Gateway::with(Settings::default(), Arc::new(connector), Some(log));
        drop(gateway.set_table(Arc::new(table(directions))));
        let (stop, stopped) = watch::channel(false);
        let mut open =
            Open { port: listener.local_addr()?.port(), gateway, stop, threads: Vec::new() };
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for _ in 0..cores.min(THREADS_MAX) {
            let (gateway, listener) = (open.gateway.clone(), listener.try_clone()?);
            let stopped = stopped.clone();
            let thread = thread::Builder::new()
                .name(format!("gateway-{environment}"))
                .spawn(move || serve(&gateway, listener, stopped))?;
            open.threads.push(thread);
        }
        Ok(open)
    }
}

/// Serves a listener on this thread until it is told to stop.
fn serve(
    gateway: &Gateway,
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        // Whoever could stop it is gone: it stops.
        let stop = async { drop(stopped.wait_for(|stopped| *stopped).await) };
        gateway.serve(listener, stop).await;
        Ok(())
    })
}

impl Open {
    /// Stops it once its requests are answered.
    async fn close(self) {
        self.stop.send_replace(true);
        let joined = tokio::task::spawn_blocking(move || {
            self.threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        drop(joined.await);
    }
}

#[async_trait::async_trait]
impl Edge for Gateways {
    async fn open(
        &self,
        environment: &EnvironmentName,
        group: &GroupId,
        port: Option<u16>,
        directions: Directions,
    ) -> io::Result<u16> {
        let known = self.all().get(environment).map(|open| open.port);
        if let Some(known) = known.filter(|known| port.is_none_or(|port| port == *known)) {
            drop(self.direct(environment, directions));
            return Ok(known);
        }
        let open = self.start(environment, group, port, directions)?;
        let port = open.port;
        let before = self.all().insert(environment.clone(), open);
        if let Some(before) = before {
            before.close().await;
        }
        Ok(port)
    }

    fn direct(&self, environment: &EnvironmentName, directions: Directions) -> Drained {
        let drain = self
            .all()
            .get(environment)
            .map(|open| open.gateway.set_table(Arc::new(table(directions))));
        Box::pin(async move {
            if let Some(drain) = drain {
                drain.finished().await;
            }
        })
    }

    async fn close(&self, environment: &EnvironmentName) {
        let open = self.all().remove(environment);
        if let Some(open) = open {
            open.close().await;
        }
    }
}

/// Connects into the network of an environment.
struct Replicas {
    dial: Arc<dyn Dial>,
    group: GroupId,
}

#[async_trait::async_trait]
impl Connector for Replicas {
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.dial.dial(&self.group, address).await
    }
}

/// The table of a gateway. Of two services with the same route the first by name has it: releases
/// of different commits can differ from what was checked together.
fn table(directions: Directions) -> Table {
    let backends = |(service, addresses): (ServiceName, Vec<SocketAddr>)| {
        let backend = |address| Backend { address, weight: 1 };
        (service, addresses.into_iter().map(backend).collect())
    };
    let services: BTreeMap<_, Vec<Backend>> =
        directions.backends.into_iter().map(backends).collect();
    let mut routes: Vec<Route> = Vec::new();
    for (route, service) in directions.routes {
        let Some(route) = route_to(&route, service) else { continue };
        let is_same =
            |other: &Route| other.host == route.host && other.path.matches_like(&route.path);
        if services.contains_key(&route.service) && !routes.iter().any(is_same) {
            routes.push(route);
        }
    }
    Table::new(routes, services).expect("routes are distinct and lead to services that are there")
}

/// A route of a release; none if this version reads paths and hosts otherwise than the one that
/// checked it.
fn route_to(route: &RouteConfig, service: ServiceName) -> Option<Route> {
    let host = route.host.as_deref().map(str::parse).transpose().ok()?;
    let strip_prefix = route.prefix == Prefix::Stripped;
    Some(Route { host, path: route.path.parse().ok()?, service, strip_prefix, timeout: None })
}
