//! Live readers.

use crate::{memory::resident, world::World};
use axum::body::Body;
use fairway_api::{Patience, Server};
use fairway_ledger::{Expected, NewEvent};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long an event may be on its way.
const SOON: Duration = Duration::from_secs(10);

/// A live reader, and what it got and did not look at yet.
struct Reader {
    body: Incoming,
    text: String,
}

/// An event as it was sent.
#[derive(Debug, PartialEq)]
struct Sent {
    id: u64,
    event: Value,
}

impl Reader {
    async fn open(world: &World, uri: &str, last: Option<u64>) -> Self {
        let request = Request::get(uri).header("accept", "text/event-stream");
        let request = match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        };
        let response = world.send(request, Body::empty()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; remarks are left out.
    async fn next(&mut self) -> Sent {
        loop {
            if let Some((block, _)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(str::to_owned)
                };
                let sent = field("data: ").map(|data| Sent {
                    id: field("id: ").unwrap().parse().unwrap(),
                    event: serde_json::from_str(&data).unwrap(),
                });
                self.text.drain(..block.len() + 2);
                match sent {
                    Some(sent) => return sent,
                    None => continue,
                }
            }
            let frame = timeout(SOON, self.body.frame()).await.expect("it comes soon");
            let data = frame.unwrap().unwrap().into_data().unwrap();
            self.text += std::str::from_utf8(&data).unwrap();
        }
    }
}

#[tokio::test]
async fn a_live_reader_gets_what_is_there_and_what_comes() {
    let world = World::start();
    let event = json!({ "kind": "created" });
    world.post("/v1/streams/order-1", &event).await.is(201);
    let mut all = Reader::open(&world, "/v1/events", None).await;
    let mut one = Reader::open(&world, "/v1/streams/order-2", None).await;
    assert_eq!(all.next().await.id, 1);
    world.post("/v1/streams/order-2", &event).await.is(201);
    assert_eq!(all.next().await.event["stream"], "order-2");
    // The id of an event of a stream is its version.
    assert_eq!(one.next().await.id, 1);
    world.end().await;
}

#[tokio::test]
async fn readers_that_never_read_hold_up_nobody_take_no_memory_and_miss_nothing() {
    const READERS: usize = 32;
    const BATCHES: u64 = 32;
    const EACH: u64 = 1_000;
    // A page of a mebibyte as events and as text, and a reader's share of what other tests do meanwhile.
    const HELD_MAX: usize = 4 << 20;
    let world = World::start();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(Reader::open(&world, "/v1/events", None).await);
    }
    let event = json!({ "kind": "a", "data": "x".repeat(1_000) });
    let batch = json!(vec![event; usize::try_from(EACH).unwrap()]);
    let before = resident();
    for _ in 0..BATCHES {
        let appended = timeout(SOON, world.post("/v1/streams/order-1", &batch)).await;
        appended.expect("no writer waits for a reader").is(201);
    }
    let grown = resident().saturating_sub(before);
    // What the readers have not read yet is 1000 MB.
    assert!(grown < READERS * HELD_MAX, "{} MB", grown >> 20);
    for id in 1..=BATCHES * EACH {
        assert_eq!(readers[0].next().await.id, id);
    }
    drop(readers);
    world.end().await;
}

#[tokio::test]
async fn a_reader_that_comes_again_goes_on_after_what_it_got() {
    let world = World::start();
    let events = json!([{ "kind": "a" }, { "kind": "b" }, { "kind": "c" }]);
    world.post("/v1/streams/order-1", &events).await.is(201);
    let mut again = Reader::open(&world, "/v1/events?after=0", Some(2)).await;
    let sent = again.next().await;
    assert_eq!((sent.id, &sent.event["kind"]), (3, &json!("c")));
    let mut new = Reader::open(&world, "/v1/categories/order?after=end", None).await;
    world.post("/v1/streams/order-1", &json!({ "kind": "d" })).await.is(201);
    assert_eq!(new.next().await.event["kind"], "d");
    let uri = "/v1/events?format=cloudevents&kind_prefix=d";
    let mut cloud = Reader::open(&world, uri, None).await;
    assert_eq!(cloud.next().await.event["type"], "d");
    world.end().await;
}

#[tokio::test]
async fn live_readers_end_when_the_server_does() {
    let world = World::start();
    let mut reader = Reader::open(&world, "/v1/events", None).await;
    world.end().await;
    let end = async { while reader.body.frame().await.is_some_and(|frame| frame.is_ok()) {} };
    timeout(SOON, end).await.expect("it ends");
}

#[tokio::test]
async fn a_read_waits_for_a_position() {
    let world = World::start();
    let waiting = world.get("/v1/streams/order-1?at_least=1&wait=30s");
    let appending = async {
        let event = json!({ "kind": "created" });
        world.post("/v1/streams/order-1", &event).await.is(201)
    };
    let (read, _) = tokio::join!(waiting, appending);
    assert_eq!(read.is(200).json()["events"][0]["kind"], "created");
    let late = world.get("/v1/head?at_least=2&wait=1ms").await.problem(503, "behind");
    assert_eq!(late.headers["retry-after"], "1");
    world.end().await;
}

#[tokio::test]
async fn a_reader_who_wants_little_is_told_how_far_it_is_while_much_comes() {
    let world = World::start_with(|api| {
        let quiet = Duration::from_millis(500);
        Server::new(api).with_patience(Patience { quiet, ..Patience::default() })
    });
    let mut reader = Reader::open(&world, "/v1/events?kind_prefix=rare", None).await;
    let stream = "order-1".parse().unwrap();
    let appending = async {
        loop {
            // So often that it is never quiet for long.
            let event = NewEvent::new("common", &1).unwrap();
            world.ledger.append(&stream, Expected::Any, vec![event]).await.unwrap();
        }
    };
    let told = async {
        while !reader.text.contains(": nothing new\nid: ") {
            let data = reader.body.frame().await.unwrap().unwrap().into_data().unwrap();
            reader.text += std::str::from_utf8(&data).unwrap();
        }
    };
    tokio::select! {
        () = appending => {}
        told = timeout(SOON, told) => told.expect("it is told how far it is"),
    }
    world.end().await;
}

#[tokio::test]
async fn readers_that_come_again_and_again_miss_nothing_and_get_nothing_twice() {
    const EVENTS: u64 = 300;
    let world = World::start();
    let appending = async {
        for at in 0..EVENTS {
            let event = json!({ "kind": if at % 3 == 0 { "wanted" } else { "other" }, "data": at });
            world.post(&format!("/v1/streams/order-{}", at % 7), &event).await.is(201);
        }
    };
    let reading = async {
        let (mut seen, mut last) = (Vec::new(), None);
        while seen.last() != Some(&(EVENTS - 3)) {
            let uri = "/v1/categories/order?kind_prefix=wanted";
            let mut reader = Reader::open(&world, uri, last).await;
            // Each goes away after a few events, in the middle of what it was sent.
            for _ in 0..5 {
                let sent = reader.next().await;
                last = Some(sent.id);
                seen.push(sent.event["data"].as_u64().unwrap());
                if seen.last() == Some(&(EVENTS - 3)) {
                    break;
                }
            }
        }
        seen
    };
    let (seen, ()) = tokio::join!(reading, appending);
    assert_eq!(seen, (0..EVENTS).step_by(3).collect::<Vec<_>>());
    world.end().await;
}
