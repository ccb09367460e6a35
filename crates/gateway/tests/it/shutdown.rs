//! Stopping.

use crate::{
    backend::{Backend, answer},
    site::{SHORT, Site, with_timeouts},
    wire::{Wire, soon},
};
use tokio::{net::TcpStream, sync::watch};

/// A backend that answers when told to.
async fn gated() -> (Backend, watch::Sender<bool>) {
    let (go, gate) = watch::channel(false);
    let backend = Backend::start(move |mut wire, _| {
        let mut gate = gate.clone();
        async move {
            wire.head().await;
            gate.wait_for(|open| *open).await.unwrap();
            wire.send(answer("finished")).await;
        }
    })
    .await;
    (backend, go)
}

async fn in_flight(site: &Site, backend: &Backend) -> Wire {
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    soon(async {
        while backend.connections() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client
}

#[tokio::test]
async fn requests_in_flight_finish_and_say_that_the_connection_closes() {
    let (backend, go) = gated().await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = in_flight(&site, &backend).await;
    let mut idle = site.client().await;
    site.stop();
    assert!(idle.is_closed().await);
    go.send(true).unwrap();
    let answer = client.answer().await;
    assert_eq!(answer.body, "finished");
    assert_eq!(answer.head.get("connection"), Some("close"));
    assert!(client.is_closed().await);
    assert_eq!(site.stopped().await.cut, 0);
    assert!(TcpStream::connect(site.address).await.is_err());
}

#[tokio::test]
async fn an_idle_kept_connection_is_closed_on_stop() {
    let backend = Backend::answering("hello").await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    assert_eq!(client.get("/").await.body, "hello");
    site.stop();
    assert!(client.is_closed().await);
    assert_eq!(site.stopped().await.cut, 0);
}

#[tokio::test]
async fn what_takes_longer_than_the_grace_period_is_cut() {
    let (backend, _go) = gated().await;
    let settings = with_timeouts(|timeouts| timeouts.grace = SHORT);
    let mut site = Site::with(settings, &[backend.address]).await;
    let mut client = in_flight(&site, &backend).await;
    site.stop();
    assert_eq!(site.stopped().await.cut, 1);
    assert!(client.is_closed().await);
}
