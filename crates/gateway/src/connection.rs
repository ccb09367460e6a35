//! Serves one client's connection, from its first byte to its last.

use crate::{
    client::Client, client_io::ClientIo, forward::handle, settings::Limits, worker::Worker,
};
use hyper::{server::conn::http1::Builder, service::service_fn};
use std::{
    future::{Future as _, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tokio::{
    net::TcpStream,
    time::{Sleep, sleep_until},
};

/// A timer that is moved only when it must be: when it has rung, or when it would ring too late.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: Instant,
}

/// Serves a connection. Ends when the client or the gateway closes it, or when it is late.
pub(crate) async fn serve(worker: Arc<Worker>, stream: TcpStream, peer: SocketAddr) {
    let client = Arc::new(Client::new(worker.clone(), peer));
    let _leaving = Leaving(client.clone());
    let io = ClientIo::new(stream, client.clone());
    let service = service_fn(|request| handle(client.clone(), request));
    let http = builder(&worker).serve_connection(io, service).with_upgrades();
    let mut http = pin!(http);
    let mut drain = pin!(worker.drain.notified());
    let mut alarm = Alarm::new(client.progress.deadline());
    let mut state = Notice::Unknown;
    poll_fn(|cx| {
        if state == Notice::Unknown {
            // Only to be woken: whether it is draining is asked below.
            state =
                if drain.as_mut().poll(cx).is_ready() { Notice::Unknown } else { Notice::Awaited };
        }
        if state != Notice::Told && worker.is_draining() {
            state = Notice::Told;
            http.as_mut().graceful_shutdown();
        }
        // Twice, because what waits in there is to see the deadline pass before it is cut.
        for _ in 0..2 {
            if http.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if alarm.poll(&client, cx).is_pending() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    })
    .await;
    if let Some(tunnel) = client.take_tunnel() {
        tunnel.run().await;
    }
}

/// Takes a tunnel that was left but never run with it: the two would keep each other alive.
struct Leaving(Arc<Client>);

impl Drop for Leaving {
    fn drop(&mut self) {
        drop(self.0.take_tunnel());
    }
}

/// What the connection knows of the gateway's wish to stop.
#[derive(PartialEq, Eq)]
enum Notice {
    Unknown,
    Awaited,
    Told,
}

fn builder(worker: &Worker) -> Builder {
    let mut builder = Builder::new();
    builder
        .max_buf_size(Limits::BUFFER)
        .max_header_size(worker.settings().limits.head_bytes)
        .header_read_timeout(None);
    builder
}

impl Alarm {
    fn new(at: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(at.into())), at }
    }

    /// Ready when the deadline has passed and nobody has moved it.
    fn poll(&mut self, client: &Client, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = client.progress.deadline();
        if deadline < self.at {
            self.set(deadline);
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            if client.progress.check() {
                return Poll::Ready(());
            }
            self.set(client.progress.deadline());
        }
        Poll::Pending
    }

    fn set(&mut self, at: Instant) {
        self.at = at;
        self.sleep.as_mut().reset(at.into());
    }
}
