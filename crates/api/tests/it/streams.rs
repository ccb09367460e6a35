//! Streams as a whole, snapshots and single events.

use crate::world::World;
use axum::body::Body;
use http::{Method, Request};
use serde_json::json;

#[tokio::test]
async fn a_stream_is_truncated_deleted_and_made_anew() {
    let world = World::start();
    let events = json!([{ "kind": "a" }, { "kind": "b" }, { "kind": "c" }]);
    world.post("/v1/streams/order-1", &events).await.is(201);
    let bad = json!({ "up_to": 1, "more": 2 });
    world.post("/v1/streams/order-1/truncate", &bad).await.problem(422, "content");
    let answer = world.post("/v1/streams/order-1/truncate", &json!({ "up_to": 2 })).await.is(200);
    assert_eq!(answer.json(), json!({ "position": 4 }));
    let page = world.get("/v1/streams/order-1").await.is(200).json();
    assert_eq!(
        (page["events"].as_array().unwrap().len(), &page["events"][0]["kind"]),
        (1, &json!("c"))
    );
    let head = world.ask(Request::head("/v1/streams/order-1"), Body::empty()).await.is(200);
    assert_eq!(
        (&head.headers["etag"], &head.headers["fairway-truncated"]),
        (&"\"3\"".parse().unwrap(), &"2".parse().unwrap())
    );
    let delete = async |uri: &str| world.ask(Request::delete(uri), Body::empty()).await;
    delete("/v1/streams/order-1?expected=2").await.problem(409, "conflict");
    delete("/v1/streams/order-1?expected=3").await.is(200);
    world.get("/v1/streams/order-1").await.problem(404, "missing");
    let append = "/v1/streams/order-1?expected=none";
    assert_eq!(world.post(append, &json!({ "kind": "d" })).await.is(201).json()["version"], 4);
    delete("/v1/streams/order-1?tombstone=true").await.is(200);
    world.get("/v1/streams/order-1").await.problem(410, "tombstoned");
    world.post("/v1/streams/order-1", &json!({ "kind": "e" })).await.problem(410, "tombstoned");
    world.end().await;
}

#[tokio::test]
async fn streams_are_listed_page_by_page() {
    let world = World::start();
    for name in ["a-1", "a-2", "b-1", "a-3"] {
        world.post(&format!("/v1/streams/{name}"), &json!({ "kind": "k" })).await.is(201);
    }
    let page = world.get("/v1/streams?prefix=a-&limit=2").await.is(200).json();
    assert_eq!((&page["streams"][1]["stream"], &page["end"]), (&json!("a-2"), &json!(false)));
    let page = world.get(page["next"].as_str().unwrap()).await.is(200).json();
    let last = json!({ "stream": "a-3", "version": 1, "truncated": 0, "standing": "live" });
    assert_eq!(page, json!({ "streams": [last], "end": true }));
    world.end().await;
}

#[tokio::test]
async fn a_snapshot_is_kept_with_its_version() {
    let world = World::start();
    world.post("/v1/streams/order-1", &json!([{ "kind": "a" }, { "kind": "b" }])).await.is(201);
    let uri = "/v1/streams/order-1/snapshot";
    world.get(uri).await.problem(404, "missing");
    let snapshot =
        |version: u64| json!({ "version": version, "kind": "order-v1", "data": { "n": version } });
    world.send_json(Method::PUT, uri, &snapshot(1)).await.is(204);
    world.send_json(Method::PUT, uri, &snapshot(2)).await.is(204);
    world.send_json(Method::PUT, uri, &snapshot(3)).await.problem(409, "conflict");
    let newest = world.get(uri).await.is(200).json();
    assert_eq!((&newest["version"], &newest["data"]), (&json!(2), &json!({ "n": 2 })));
    let older = world.get(&format!("{uri}?up_to=1")).await.is(200).json();
    assert_eq!(older["version"], 1);
    world.end().await;
}

#[tokio::test]
async fn events_are_got_alone() {
    let world = World::start();
    world
        .post("/v1/streams/shop%2Forder-1", &json!([{ "kind": "a" }, { "kind": "b" }]))
        .await
        .is(201);
    let by_position = world.get("/v1/events/2").await.is(200).json();
    let by_version = world.get("/v1/streams/shop%2Forder-1/events/2").await.is(200).json();
    assert_eq!(by_position, by_version);
    assert_eq!(by_position["kind"], "b");
    world.get("/v1/events/3").await.problem(404, "missing");
    world.get("/v1/events/0").await.problem(400, "request");
    let moment = by_position["recorded"].as_str().unwrap();
    let at = world.get(&format!("/v1/position?at={moment}")).await.is(200).json();
    assert_eq!(at, json!({ "position": 2 }));
    world.end().await;
}

#[tokio::test]
async fn the_server_tells_how_it_is() {
    let world = World::start();
    world.post("/v1/streams/a", &json!([{ "kind": "a" }, { "kind": "b" }])).await.is(201);
    world.post("/v1/streams/a?expected=9", &json!({ "kind": "a" })).await.is(409);
    world.get("/v1/events").await.is(200);
    assert_eq!(world.get("/healthz").await.is(200).body, "ok\n");
    let metrics = world.get("/metrics").await.is(200);
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        "fairway_appends_total 1",
        "fairway_events_appended_total 2",
        "fairway_conflicts_total 1",
        "fairway_events_read_total 2",
        "fairway_readers 0",
        "fairway_ledger_position 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    world.end().await;
}
