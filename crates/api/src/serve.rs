//! The service on a listener.

use crate::api::{Api, Services};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{future::Future, io, net::TcpListener, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

/// Most connections at once; more wait in the listener's backlog.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Longest time in which the head of a request comes.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long requests may go on when the server is about to end.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Serves until `stop` comes; then lets requests end for a while.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (close, closing) = watch::channel(false);
    let services = api.services(closing.clone());
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (mut stop, mut connections) = (pin!(stop), JoinSet::new());
    loop {
        let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        // One that went away before it was accepted is nothing to end for.
        let Ok((stream, _)) = accepted else { continue };
        let (services, closing) = (services.clone(), closing.clone());
        connections.spawn(async move {
            connection(stream, services, closing).await;
            drop(slot);
        });
        while connections.try_join_next().is_some() {}
    }
    close.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    drop(timeout(DRAIN_TIME_MAX, drained).await);
    Ok(())
}

async fn connection(stream: TcpStream, services: Services, mut closing: watch::Receiver<bool>) {
    drop(stream.set_nodelay(true));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    builder.http2().timer(TokioTimer::new());
    let service = service_fn(move |request| services.call(request));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    // How a connection ended is known to its client.
    tokio::select! {
        ended = connection.as_mut() => return drop(ended),
        _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}
