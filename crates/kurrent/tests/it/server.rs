//! A ledger in a temporary directory, served over HTTP/2 in the clear.

use fairway_events::Groups;
use fairway_kurrent::{Kurrent, Open, Rights, is_grpc};
use fairway_ledger::Ledger;
use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) ledger: Ledger,
    pub(crate) groups: Groups,
    pub(crate) kurrent: Kurrent,
    accepting: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn open() -> Self {
        Self::guarded(Arc::new(Open)).await
    }

    pub(crate) async fn guarded(rights: Arc<dyn Rights>) -> Self {
        Self::with(rights, |kurrent| kurrent).await
    }

    /// A server of which something was changed.
    pub(crate) async fn with(
        rights: Arc<dyn Rights>,
        change: impl FnOnce(Kurrent) -> Kurrent,
    ) -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let ledger = Ledger::open(&dir.path().join("events.db")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let groups = Groups::open(ledger.clone());
        let kurrent = change(Kurrent::new(groups.clone(), rights));
        let accepting = tokio::spawn(accept(listener, kurrent.clone()));
        Self { address, ledger, groups, kurrent, accepting, _dir: dir }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, kurrent: Kurrent) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let kurrent = kurrent.clone();
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let kurrent = kurrent.clone();
            async move {
                assert!(is_grpc(request.headers()));
                Ok::<_, Infallible>(kurrent.handle(request).await)
            }
        });
        let served = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(served);
    }
}
