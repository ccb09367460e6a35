//! The service on a listener.

use crate::{
    api::{Api, Services},
    patience::Patience,
    socket::Impatient,
    tls::Tls,
};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{io, net::TcpListener, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Most connections at once; more wait in the listener's backlog.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Most bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Most requests at once on a connection of HTTP/2.
const STREAMS_MAX: u32 = 250;
/// How often a quiet connection of HTTP/2 is asked whether it is still there.
const ALIVE_EVERY: Duration = Duration::from_secs(30);
/// How long is waited when no connection can be accepted, as when files run out.
const PAUSE: Duration = Duration::from_millis(50);

/// A service that is about to be put on a listener.
#[derive(Debug)]
pub struct Server {
    api: Api,
    tls: Option<Tls>,
    patience: Patience,
}

/// What all connections share.
#[derive(Clone)]
struct Host {
    services: Services,
    tls: Option<TlsAcceptor>,
    patience: Patience,
    closing: watch::Receiver<bool>,
}

impl Server {
    /// A server without TLS.
    pub fn new(api: Api) -> Self {
        Self { api, tls: None, patience: Patience::default() }
    }

    /// Speaks TLS alone.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Waits for clients for other times.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Serves until `stop` comes; then lets requests end for a while.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (close, closing) = watch::channel(false);
        let (patience, groups) = (self.patience, self.api.groups().clone());
        let host = Host {
            services: self.api.services(closing.clone(), patience),
            tls: self.tls.map(|tls| TlsAcceptor::from(tls.0)),
            patience,
            closing,
        };
        let mut connections = JoinSet::new();
        tokio::select! {
            () = accept(&listener, &host, &mut connections) => {}
            () = stop => {}
        }
        drop(listener);
        close.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        // Those that go on for longer end with the set.
        drop(timeout(patience.drain, drained).await);
        groups.close().await;
        Ok(())
    }
}

async fn accept(listener: &tokio::net::TcpListener, host: &Host, connections: &mut JoinSet<()>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let host = host.clone();
        connections.spawn(async move {
            host.welcome(stream).await;
            drop(slot);
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Host {
    async fn welcome(self, stream: TcpStream) {
        // A socket that cannot be set so is slower.
        drop(stream.set_nodelay(true));
        match self.tls.clone() {
            None => self.connection(stream).await,
            Some(tls) => {
                let greeted = timeout(self.patience.head, tls.accept(stream)).await;
                if let Ok(Ok(stream)) = greeted {
                    self.connection(stream).await;
                }
            }
        }
    }

    async fn connection(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { services, patience, mut closing, .. } = self;
        let stream = Impatient::new(stream, patience);
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(patience.head)
            .max_buf_size(HEAD_BYTES_MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .keep_alive_interval(ALIVE_EVERY)
            .keep_alive_timeout(patience.write);
        let service = service_fn(move |request| services.call(request));
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        // How a connection ended is known to its client.
        tokio::select! {
            ended = connection.as_mut() => return drop(ended),
            _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
        }
        drop(connection.await);
    }
}
