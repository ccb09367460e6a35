//! Which requests are sent again.

use crate::{
    backend::{Backend, answer, request, serve},
    site::{SHORT, Site, route, table, with_timeouts},
    wire::{Wire, soon},
};
use fairway_gateway::Connector;
use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::net::TcpStream;

/// Keeps the connection after a first answer, reads the next request whole and closes without a word.
async fn dies_on_second(mut wire: Wire, number: usize) {
    if number > 0 {
        return serve(wire, "again").await;
    }
    request(&mut wire).await;
    wire.send(answer("first")).await;
    request(&mut wire).await;
}

async fn second_answer(method_and_body: (&str, &str)) -> (u16, u32, usize) {
    let backend = Backend::start(dies_on_second).await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    assert_eq!(client.get("/").await.body, "first");
    site.record().await;
    let (method, body) = method_and_body;
    let length = body.len();
    let request =
        format!("{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}");
    client.send(request).await;
    let status = client.answer().await.head.status();
    (status, site.record().await.retries, backend.connections())
}

#[tokio::test]
async fn an_idempotent_request_is_sent_again_when_a_kept_connection_ends_silently() {
    for method in ["GET", "DELETE", "PUT", "OPTIONS"] {
        assert_eq!(second_answer((method, "")).await, (200, 1, 2), "{method}");
    }
}

#[tokio::test]
async fn a_request_that_may_have_acted_is_not_sent_again() {
    for request in [("POST", ""), ("PATCH", ""), ("POST", "body"), ("PUT", "body")] {
        assert_eq!(second_answer(request).await, (502, 0, 1), "{request:?}");
    }
}

#[tokio::test]
async fn a_body_that_had_not_come_yet_goes_with_the_next_attempt() {
    let backend = Backend::start(|mut wire, number| async move {
        if number == 0 {
            request(&mut wire).await;
            wire.send(answer("first")).await;
            wire.head().await;
            return;
        }
        let (_, body) = request(&mut wire).await;
        wire.send(answer(&String::from_utf8(body).unwrap())).await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.get("/").await;
    client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n").await;
    soon(async {
        while backend.connections() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client.send("late").await;
    assert_eq!(client.answer().await.body, "late");
}

#[tokio::test]
async fn a_kept_connection_that_the_backend_closed_is_not_used() {
    let (closed, mut was_closed) = tokio::sync::mpsc::channel(1);
    let backend = Backend::start(move |mut wire, _| {
        let closed = closed.clone();
        async move {
            request(&mut wire).await;
            wire.send(answer("once")).await;
            drop(wire);
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    for count in 1..20 {
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody").await;
        assert_eq!(client.answer().await.body, "once");
        assert_eq!(backend.connections(), count);
        soon(was_closed.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_fresh_connection_that_ends_silently_is_a_bad_gateway() {
    let backend = Backend::start(|mut wire, _| async move { drop(wire.head().await) }).await;
    let site = Site::to(&[backend.address]).await;
    assert_eq!(site.client().await.get("/").await.head.status(), 502);
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn a_response_that_has_begun_is_never_asked_for_again() {
    let backend = Backend::start(|mut wire, _| async move {
        request(&mut wire).await;
        wire.send(answer("first")).await;
        request(&mut wire).await;
        wire.send("HTTP/1.1 20").await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.get("/").await;
    assert_eq!(client.get("/").await.head.status(), 502);
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn a_request_goes_to_the_next_backend_when_one_does_not_accept() {
    let backend = Backend::answering("reached").await;
    let (gone, also_gone) = (Backend::nowhere().await, Backend::nowhere().await);
    let site = Site::to(&[gone, backend.address, also_gone]).await;
    for _ in 0..10 {
        let mut client = site.client().await;
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody").await;
        assert_eq!(client.answer().await.body, "reached");
    }
}

/// Loses every packet to one address, and counts the attempts.
struct Lossy {
    lost: SocketAddr,
    attempts: Arc<AtomicUsize>,
}

#[async_trait::async_trait]
impl Connector for Lossy {
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        if address == self.lost {
            self.attempts.fetch_add(1, SeqCst);
            return pending().await;
        }
        TcpStream::connect(address).await
    }
}

#[tokio::test]
async fn a_backend_that_did_not_accept_rests_for_a_while() {
    let (up, lost) = (Backend::answering("reached").await, Backend::nowhere().await);
    let attempts = Arc::new(AtomicUsize::new(0));
    let settings = with_timeouts(|timeouts| {
        timeouts.connect = SHORT;
        timeouts.rest = Duration::from_hours(1);
        timeouts.pool = Duration::ZERO;
    });
    let site = Site::start(settings, Arc::new(Lossy { lost, attempts: attempts.clone() })).await;
    site.gateway.set_table(table(vec![route("/")], &[up.address, lost]));
    let mut client = site.client().await;
    for _ in 0..50 {
        assert_eq!(client.get("/").await.body, "reached");
    }
    assert_eq!(attempts.load(SeqCst), 1);
}

#[tokio::test]
async fn no_more_attempts_are_made_than_allowed() {
    let mut addresses = Vec::new();
    for _ in 0..9 {
        addresses.push(Backend::nowhere().await);
    }
    let mut site = Site::to(&addresses).await;
    assert_eq!(site.client().await.get("/").await.head.status(), 502);
    assert_eq!(site.record().await.retries, 2);
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_closed() {
    let backend = Backend::answering("reached").await;
    let settings = with_timeouts(|timeouts| timeouts.pool = Duration::ZERO);
    let site = Site::with(settings, &[backend.address]).await;
    let mut client = site.client().await;
    client.get("/").await;
    client.get("/").await;
    assert_eq!(backend.connections(), 2);
}

#[tokio::test]
async fn connections_to_a_backend_that_left_the_table_are_closed() {
    let (closed, mut was_closed) = tokio::sync::mpsc::channel(1);
    let backend = Backend::start(move |wire, _| {
        let closed = closed.clone();
        async move {
            serve(wire, "reached").await;
            closed.send(()).await.unwrap();
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    site.client().await.get("/").await;
    site.gateway.set_table(table(vec![route("/")], &[]));
    soon(was_closed.recv()).await.unwrap();
}
