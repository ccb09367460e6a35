//! Replacing the table while requests are under way.

use crate::{
    backend::{Backend, answer},
    site::{Site, route, table},
    wire::{Wire, soon},
};
use std::{
    future::{pending, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

const CLIENTS: usize = 32;
const SWAPS: usize = 1000;
const LASTS: Duration = Duration::from_secs(3);

/// Asks again and again over one connection, until told to stop; every answer must be right.
async fn ask(address: SocketAddr, is_over: Arc<AtomicBool>) -> usize {
    let mut client = Wire::connect(address).await;
    let mut count = 0;
    while !is_over.load(SeqCst) {
        let request = match count % 3 {
            0 => "GET /orders/1 HTTP/1.1\r\nHost: h\r\n\r\n",
            1 => "POST /orders HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
            _ => "HEAD /orders HTTP/1.1\r\nHost: h\r\n\r\n",
        };
        client.send(request).await;
        let head = client.head().await;
        assert_eq!(head.status(), 200);
        if count % 3 != 2 {
            assert_eq!(client.body(&head).await, b"hello");
        }
        count += 1;
    }
    count
}

/// Answers every request with `hello`, and HEAD without a body.
async fn hello(mut wire: Wire, _: usize) {
    while let Some(head) = wire.try_head().await {
        wire.body(&head).await;
        let text = answer("hello");
        let is_head = head.first.starts_with("HEAD");
        wire.send(if is_head { &text[..text.len() - 5] } else { &text }).await;
    }
}

/// What a future gives when asked once.
async fn poll_immediate<T>(what: impl Future<Output = T>) -> Option<T> {
    let mut what = pin!(what);
    poll_fn(|cx| match what.as_mut().poll(cx) {
        Poll::Ready(given) => Poll::Ready(Some(given)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn no_request_fails_while_tables_are_swapped_under_load() {
    let backends =
        [Backend::start(hello).await, Backend::start(hello).await, Backend::start(hello).await];
    let [a, b, c] = backends.each_ref().map(|backend| backend.address);
    let site = Site::to(&[a]).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(ask(site.address, is_over.clone()))).collect();
    let mut tick = tokio::time::interval(LASTS / u32::try_from(SWAPS).unwrap());
    let choices = [vec![a], vec![a, b], vec![b, c], vec![c]];
    for swap in 0..SWAPS {
        tick.tick().await;
        let routes = vec![route("/orders"), route(&format!("/other{swap}"))];
        site.gateway.set_table(table(routes, &choices[swap % choices.len()]));
    }
    is_over.store(true, SeqCst);
    let mut total = 0;
    for client in clients {
        total += soon(client).await.expect("no client saw an error");
    }
    assert!(total > CLIENTS, "{total} requests");
}

#[tokio::test]
async fn a_request_in_flight_finishes_at_a_backend_that_left_the_table() {
    let (go, gate) = watch::channel(false);
    let old = Backend::start(move |mut wire, _| {
        let mut gate = gate.clone();
        async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nold ").await;
            gate.wait_for(|open| *open).await.unwrap();
            wire.send("done").await;
        }
    })
    .await;
    let new = Backend::answering("new").await;
    let site = Site::to(&[old.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let head = client.head().await;
    let drain = site.gateway.set_table(table(vec![route("/")], &[new.address]));
    assert_eq!(site.client().await.get("/").await.body, "new");
    assert_eq!(drain.in_flight(), 1);
    assert!(poll_immediate(drain.finished()).await.is_none());
    go.send(true).unwrap();
    assert_eq!(client.body(&head).await, b"old done");
    soon(drain.finished()).await;
    assert_eq!(client.get("/").await.body, "new");
}

#[tokio::test]
async fn a_backend_is_drained_only_when_no_request_can_still_choose_it() {
    let (go, gate) = watch::channel(false);
    let old = Backend::start(move |mut wire, _| {
        let mut gate = gate.clone();
        async move {
            wire.head().await;
            gate.wait_for(|open| *open).await.unwrap();
            wire.send(answer("old")).await;
        }
    })
    .await;
    let site = Site::to(&[old.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    soon(async {
        while old.connections() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let unchanged = site.gateway.set_table(table(vec![route("/")], &[old.address]));
    soon(unchanged.finished()).await;
    let drain = site.gateway.set_table(table(vec![], &[]));
    assert!(poll_immediate(drain.finished()).await.is_none());
    go.send(true).unwrap();
    assert_eq!(client.answer().await.body, "old");
    soon(drain.finished()).await;
    assert_eq!(drain.in_flight(), 0);
}

#[tokio::test]
async fn two_listeners_serve_by_one_table() {
    let (one, two) = (Backend::answering("one").await, Backend::answering("two").await);
    let site = Site::to(&[one.address]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = listener.local_addr().unwrap();
    let gateway = site.gateway.clone();
    tokio::spawn(async move { gateway.serve(listener, pending()).await });
    let mut clients = [site.client().await, Wire::connect(second).await];
    for client in &mut clients {
        assert_eq!(client.get("/").await.body, "one");
    }
    site.gateway.set_table(table(vec![route("/")], &[two.address]));
    for client in &mut clients {
        assert_eq!(client.get("/").await.body, "two");
    }
}
