//! Appending.

use crate::world::World;
use axum::body::Body;
use http::Request;
use serde_json::json;

#[tokio::test]
async fn an_append_answers_where_the_events_went() {
    let world = World::start();
    let events = json!([{ "kind": "created", "data": { "a": 1 } }, { "kind": "paid" }]);
    let answer = world.post("/v1/streams/order-7?expected=none", &events).await.is(201);
    assert_eq!(answer.json(), json!({ "stream": "order-7", "position": 2, "version": 2 }));
    assert_eq!(answer.headers["fairway-position"], "2");
    assert_eq!(answer.headers["etag"], "\"2\"");
    world.end().await;
}

#[tokio::test]
async fn a_conflict_says_which_version_there_is() {
    let world = World::start();
    let event = json!({ "kind": "created" });
    world.post("/v1/streams/order-7", &event).await.is(201);
    let answer = world.post("/v1/streams/order-7?expected=none", &event).await;
    let problem = answer.problem(409, "conflict").json();
    assert_eq!((&problem["stream"], &problem["version"]), (&json!("order-7"), &json!(1)));
    let request = Request::post("/v1/streams/order-7").header("if-match", "\"3\"");
    let request = request.header("content-type", "application/json");
    world.ask(request, event.to_string()).await.problem(412, "precondition");
    world.end().await;
}

#[tokio::test]
async fn an_append_that_is_sent_again_does_nothing_twice() {
    let world = World::start();
    let event = json!({ "id": "018f4a3e-0000-7000-8000-000000000001", "kind": "created" });
    let first = world.post("/v1/streams/order-7?expected=0", &event).await.is(201);
    let again = world.post("/v1/streams/order-7?expected=0", &event).await.is(201);
    assert_eq!(first.json(), again.json());
    world.end().await;
}

#[tokio::test]
async fn appends_to_several_streams_are_done_all_or_none() {
    let world = World::start();
    let event = json!([{ "kind": "moved" }]);
    let both = json!([
        { "stream": "a", "events": event, "expected": "none" },
        { "stream": "b/c-1", "events": event },
    ]);
    let answer = world.post("/v1/append", &both).await.is(201);
    let places = json!([
        { "stream": "a", "position": 1, "version": 1 },
        { "stream": "b/c-1", "position": 2, "version": 1 },
    ]);
    assert_eq!(answer.json(), places);
    world.post("/v1/append", &both).await.problem(409, "conflict");
    assert_eq!(world.ledger.head().await.unwrap().0, 2);
    world.end().await;
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let world = World::start();
    let send = async |media: &str, body: &str| {
        let request = Request::post("/v1/streams/a").header("content-type", media);
        world.ask(request, body.to_owned()).await
    };
    send("text/plain", "{}").await.problem(415, "media-type");
    send("application/json; charset=utf-16", "{}").await.problem(415, "media-type");
    send("application/json; charset=UTF-8", r#"{"kind":"a"}"#).await.is(201);
    send("application/x-ndjson", "{\"kind\":\"b\"}\n{\"kind\":\"c\"}\n").await.is(201);
    send("application/json", "{").await.problem(422, "content");
    world.ask(Request::post("/v1/streams/a"), Body::empty()).await.problem(415, "media-type");
    let compressed = Request::post("/v1/streams/a").header("content-type", "application/json");
    let compressed = compressed.header("content-encoding", "gzip");
    world.ask(compressed, r#"{"kind":"a"}"#).await.problem(415, "media-type");
    world.end().await;
}
