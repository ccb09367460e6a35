//! Clients that mean no good.

use crate::world::World;
use axum::body::Body;
use bytes::Bytes;
use fairway_api::{BODY_BYTES_MAX, Patience, Server};
use futures_util::stream;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// How long a server waits in these tests.
const SHORT: Duration = Duration::from_millis(200);
/// How long a test waits.
const LONG: Duration = Duration::from_secs(20);

fn impatient() -> World {
    World::start_with(|api| {
        let patience = Patience {
            head: SHORT,
            pause: SHORT,
            body: SHORT * 3,
            write: SHORT,
            drain: SHORT,
            ..Patience::default()
        };
        Server::new(api).with_patience(patience)
    })
}

#[tokio::test]
async fn names_with_path_tricks_are_refused() {
    let world = World::start();
    for name in [
        "..%2Fa",
        "a%2F..%2Fb",
        "%2Fa",
        "a%2F",
        "a%00",
        "a%20b",
        "%C3%A4",
        "a%ff",
        "%24",
        &"a".repeat(256),
    ] {
        let uri = format!("/v1/streams/{name}");
        world.post(&uri, &json!({ "kind": "a" })).await.problem(400, "request");
    }
    // A bare slash makes another path, where nothing is.
    world.post("/v1/streams/a/b", &json!({ "kind": "a" })).await.problem(404, "missing");
    world.get("/v1/categories/a-b").await.problem(400, "request");
    world.get("/v1/events?limit=5&limit=6").await.problem(400, "request");
    world.get("/v1/events?from=5").await.problem(400, "request");
    world.get("/nothing").await.problem(404, "missing");
    assert_eq!(world.ledger.head().await.unwrap().0, 0);
    world.end().await;
}

#[tokio::test]
async fn oversized_and_nested_bodies_are_refused() {
    let world = World::start();
    let post = async |body: Body| {
        let request = Request::post("/v1/streams/a").header("content-type", "application/json");
        world.ask(request, body).await
    };
    post(vec![b' '; BODY_BYTES_MAX + 1].into()).await.problem(413, "too-large");
    let chunks = (0..30).map(|_| Ok::<_, Infallible>(Bytes::from(vec![b' '; 1 << 20])));
    post(Body::from_stream(stream::iter(chunks))).await.problem(413, "too-large");
    post("[".repeat(1 << 20).into()).await.problem(422, "content");
    let deep = format!("{{\"kind\":\"a\",\"data\":{}1{}}}", "[".repeat(101), "]".repeat(101));
    post(deep.into()).await.problem(422, "content");
    post(vec![b'{', b'"', 0xff, 0xfe].into()).await.problem(422, "content");
    let large = json!({ "kind": "a", "data": "x".repeat(1 << 20) });
    post(large.to_string().into()).await.problem(413, "too-large");
    let many: Vec<_> = (0..5001).map(|_| json!({ "kind": "a" })).collect();
    post(json!(many).to_string().into()).await.problem(413, "too-large");
    world.end().await;
}

#[tokio::test]
async fn who_sends_slowly_is_given_up() {
    let world = impatient();
    let mut head = TcpStream::connect(world.address).await.unwrap();
    head.write_all(b"GET /v1/head HTTP/1.1\r\nhost: a\r\nx: ").await.unwrap();
    let mut answer = Vec::new();
    timeout(LONG, head.read_to_end(&mut answer)).await.expect("it is closed").unwrap();
    let mut body = TcpStream::connect(world.address).await.unwrap();
    let start = "POST /v1/streams/a HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                 content-length: 100\r\n\r\n{";
    body.write_all(start.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(LONG, body.read_to_end(&mut answer)).await.expect("it is closed").unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    world.get("/v1/head").await.is(200);
    world.end().await;
}

#[tokio::test]
async fn who_does_not_say_which_http_it_speaks_is_given_up() {
    let world = impatient();
    for start in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n"] {
        let mut silent = TcpStream::connect(world.address).await.unwrap();
        silent.write_all(start.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // It may be closed with what was sent unread.
        let closed = timeout(LONG, silent.read_to_end(&mut answer)).await;
        drop(closed.unwrap_or_else(|_| panic!("who sends {start:?} is given up")));
        assert!(answer.is_empty(), "{answer:?}");
    }
    world.get("/v1/head").await.is(200);
    world.end().await;
}

#[tokio::test]
async fn floods_of_headers_are_refused() {
    let world = World::start();
    let flood = |count: usize, bytes: usize| {
        let header = |at| format!("x-{at}: {}\r\n", "a".repeat(bytes));
        let headers: String = (0..count).map(header).collect();
        format!("GET /v1/head HTTP/1.1\r\nhost: a\r\n{headers}\r\n")
    };
    for flood in [flood(5_000, 1), flood(50, 10_000)] {
        let mut client = TcpStream::connect(world.address).await.unwrap();
        // The rest may not be taken any more.
        drop(client.write_all(flood.as_bytes()).await);
        let mut answer = vec![0; 12];
        timeout(LONG, client.read_exact(&mut answer)).await.expect("it is answered").unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 431");
    }
    world.end().await;
}

#[tokio::test]
async fn a_method_that_is_not_known_is_told_which_are() {
    let world = World::start();
    let allowed = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let refused = world.ask(request, Body::empty()).await.problem(405, "method");
        let mut allowed: Vec<String> = refused.headers["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .map(|method| method.trim().to_owned())
            .collect();
        allowed.sort();
        allowed
    };
    assert_eq!(allowed("POST", "/v1/head").await, ["GET", "HEAD"]);
    assert_eq!(allowed("PATCH", "/v1/streams/a").await, ["DELETE", "GET", "HEAD", "POST"]);
    assert_eq!(allowed("GET", "/v1/subjects/a").await, ["DELETE"]);
    world.end().await;
}

#[tokio::test]
async fn who_takes_nothing_is_given_up_and_holds_up_nobody() {
    let world = impatient();
    let event = json!({ "kind": "a", "data": "x".repeat(500_000) });
    let events: Vec<_> = (0..20).map(|_| &event).collect();
    for _ in 0..3 {
        world.post("/v1/streams/a", &json!(events)).await.is(201);
    }
    let request = Request::get("/v1/events").header("accept", "text/event-stream");
    let mut lazy = world.send(request, Body::empty()).await.into_body();
    // The connection is closed, though the client never takes more than the first bytes.
    let readers = async || {
        let metrics = world.get("/metrics").await;
        String::from_utf8_lossy(&metrics.body).contains("\nfairway_readers 0\n")
    };
    let given_up = async { while !readers().await {} };
    timeout(LONG, given_up).await.expect("it is given up");
    while let Some(Ok(_)) = lazy.frame().await {}
    world.post("/v1/streams/a", &json!({ "kind": "b" })).await.is(201);
    world.end().await;
}
