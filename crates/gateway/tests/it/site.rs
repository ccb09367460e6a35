//! A gateway that serves on a free port.

use crate::wire::{Wire, soon};
use fairway_gateway::{
    AccessLog, AccessRecord, AccessRecords, Backend, Connector, Gateway, Route, Settings, Stopped,
    Table, TcpConnector, Timeouts,
};
use fairway_model::{ServiceName, Timestamp};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A gateway that serves.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    pub(crate) records: AccessRecords,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Stopped>,
}

pub(crate) fn service() -> ServiceName {
    "orders".parse().unwrap()
}

pub(crate) fn route(path: &str) -> Route {
    Route {
        host: None,
        path: path.parse().unwrap(),
        service: service(),
        strip_prefix: false,
        timeout: None,
    }
}

/// A table that leads everything by these routes to these addresses.
pub(crate) fn table(routes: Vec<Route>, addresses: &[SocketAddr]) -> Arc<Table> {
    let backend = |&address: &SocketAddr| Backend { address, weight: 1 };
    let backends = addresses.iter().map(backend).collect();
    Arc::new(Table::new(routes, [(service(), backends)].into()).unwrap())
}

/// Settings with one timeout changed.
pub(crate) fn with_timeouts(change: impl FnOnce(&mut Timeouts)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings.timeouts);
    settings
}

pub(crate) const SHORT: Duration = Duration::from_millis(150);

impl Site {
    /// Starts a gateway that leads everything to these addresses.
    pub(crate) async fn to(addresses: &[SocketAddr]) -> Self {
        Self::with(Settings::default(), addresses).await
    }

    pub(crate) async fn with(settings: Settings, addresses: &[SocketAddr]) -> Self {
        let site = Self::start(settings, Arc::new(TcpConnector)).await;
        site.gateway.set_table(table(vec![route("/")], addresses));
        site
    }

    pub(crate) async fn start(settings: Settings, connector: Arc<dyn Connector>) -> Self {
        let (log, records) = AccessLog::bounded(1024, || Timestamp(0));
        let gateway = Gateway::with(settings, connector, Some(log));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = gateway.clone();
        let serving = tokio::spawn(async move {
            served.serve(listener, async { stopped.await.unwrap_or(()) }).await
        });
        Self { gateway, address, records, stop: Some(stop), serving }
    }

    pub(crate) async fn client(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// The next access record.
    pub(crate) async fn record(&mut self) -> AccessRecord {
        let mut records = Vec::new();
        soon(self.records.receive(&mut records, 1)).await;
        records.pop().expect("the gateway is alive")
    }

    /// Tells the gateway to stop.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(&mut self) -> Stopped {
        soon(&mut self.serving).await.unwrap()
    }
}
