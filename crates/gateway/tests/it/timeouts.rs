//! How long the gateway waits.

use crate::{
    backend::Backend,
    site::{SHORT, Site, route, table, with_timeouts},
    wire::soon,
};
use fairway_gateway::{Connector, Ending, Route};
use std::{future::pending, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::interval};

/// A timeout that a busy machine does not reach by itself.
const LONG: Duration = Duration::from_secs(1);

/// A network in which every packet is lost.
struct BlackHole;

#[async_trait::async_trait]
impl Connector for BlackHole {
    async fn connect(&self, _: SocketAddr) -> io::Result<TcpStream> {
        pending().await
    }
}

async fn silent() -> Backend {
    Backend::start(|mut wire, _| async move { drop(wire.rest().await) }).await
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_gets_504() {
    let settings = with_timeouts(|timeouts| timeouts.connect = SHORT);
    let site = Site::start(settings, Arc::new(BlackHole)).await;
    site.gateway.set_table(table(vec![route("/")], &["192.0.2.1:80".parse().unwrap()]));
    assert_eq!(site.client().await.get("/").await.head.status(), 504);
}

#[tokio::test]
async fn a_response_that_does_not_begin_gets_504() {
    let backend = silent().await;
    let settings = with_timeouts(|timeouts| timeouts.response = SHORT);
    let site = Site::with(settings, &[backend.address]).await;
    let mut client = site.client().await;
    for _ in 0..2 {
        let answer = client.get("/").await;
        assert_eq!(answer.head.status(), 504);
        assert!(answer.body.contains("urn:fairway:problem:response-timeout"));
    }
    assert_eq!(backend.connections(), 2, "a request that timed out is not sent again");
}

#[tokio::test]
async fn a_route_has_its_own_timeout() {
    let backend = silent().await;
    let site = Site::to(&[]).await;
    let hasty = Route { timeout: Some(SHORT), ..route("/") };
    site.gateway.set_table(table(vec![hasty], &[backend.address]));
    let mut client = site.client().await;
    assert_eq!(client.get("/").await.head.status(), 504);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody").await;
    assert_eq!(client.answer().await.head.status(), 504);
}

#[tokio::test]
async fn a_response_that_pauses_for_too_long_is_broken_off() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").await;
        wire.rest().await;
    })
    .await;
    let settings = with_timeouts(|timeouts| timeouts.body = SHORT);
    let mut site = Site::with(settings, &[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    client.head().await;
    assert_eq!(client.rest().await, b"hello");
    let record = site.record().await;
    assert_eq!((record.ending, record.bytes_out), (Ending::BackendGone, 5));
}

#[tokio::test]
async fn a_client_that_pauses_in_its_body_gets_408() {
    let backend = silent().await;
    let settings = with_timeouts(|timeouts| timeouts.body = SHORT);
    let site = Site::with(settings, &[backend.address]).await;
    let mut client = site.client().await;
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello").await;
    assert_eq!(client.answer().await.head.status(), 408);
}

#[tokio::test]
async fn a_client_that_does_not_take_its_response_is_cut() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
        let block = vec![0; 1 << 20];
        while tokio::io::AsyncWriteExt::write_all(&mut wire.stream, &block).await.is_ok() {}
    })
    .await;
    let settings = with_timeouts(|timeouts| timeouts.body = SHORT);
    let mut site = Site::with(settings, &[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    client.head().await;
    assert_eq!(site.record().await.ending, Ending::ClientGone);
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_ends_the_connection() {
    let settings = with_timeouts(|timeouts| timeouts.head = SHORT);
    let site = Site::with(settings, &[]).await;
    for start in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: h\r\n"] {
        let mut client = site.client().await;
        client.send(start).await;
        assert!(client.is_closed().await, "{start}");
    }
}

#[tokio::test]
async fn a_head_cannot_be_kept_alive_by_drops() {
    let settings = with_timeouts(|timeouts| timeouts.head = SHORT);
    let site = Site::with(settings, &[]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n").await;
    let mut pace = interval(SHORT / 8);
    let drip = async {
        loop {
            pace.tick().await;
            if client.stream.try_write(b"X-A: a\r\n").is_err() {
                return;
            }
        }
    };
    soon(drip).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let backend = Backend::answering("reached").await;
    let settings = with_timeouts(|timeouts| timeouts.keep_alive = LONG);
    let site = Site::with(settings, &[backend.address]).await;
    let mut client = site.client().await;
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < LONG * 2 {
        assert_eq!(client.get("/").await.body, "reached");
    }
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_slow_response_is_not_cut_while_it_goes_on() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n").await;
        let mut pace = interval(LONG / 6);
        for _ in 0..10 {
            pace.tick().await;
            wire.send("x").await;
        }
    })
    .await;
    let settings = with_timeouts(|timeouts| {
        timeouts.body = LONG;
        timeouts.response = LONG;
    });
    let site = Site::with(settings, &[backend.address]).await;
    assert_eq!(site.client().await.get("/").await.body, "xxxxxxxxxx");
}
