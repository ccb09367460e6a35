//! Forgetting subjects.

use crate::world::World;
use axum::body::Body;
use fairway_api::{Api, Server};
use fairway_subjects::Subjects;
use http::Request;
use serde_json::json;

#[tokio::test]
async fn what_is_personal_of_a_subject_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let subjects = Subjects::new(&folder.path().join("subjects.db"));
    let kept = subjects.clone();
    let world = World::over(
        |ledger| fairway_subjects::over(&ledger, kept),
        |api: Api| Server::new(api.with_subjects(subjects)),
    );
    let event = json!({
        "kind": "order-created",
        "data": { "name": "Ada Lovelace", "total": 7 },
        "metadata": { "$personal": { "subject": "shop/ada 7", "fields": ["/name"] } },
    });
    world.post("/v1/streams/order-1", &event).await.is(201);
    let snapshot = json!({ "version": 1, "kind": "order", "data": { "name": "Ada Lovelace" } });
    let uri = "/v1/streams/order-1/snapshot";
    world.send_json(http::Method::PUT, uri, &snapshot).await.is(204);
    let data =
        async || world.get("/v1/streams/order-1/events/1").await.is(200).json()["data"].clone();
    assert_eq!(data().await, json!({ "name": "Ada Lovelace", "total": 7 }));
    let forget =
        async || world.ask(Request::delete("/v1/subjects/shop%2Fada%207"), Body::empty()).await;
    forget().await.is(204);
    assert_eq!(data().await, json!({ "name": null, "total": 7 }));
    world.get(uri).await.problem(404, "missing");
    forget().await.problem(404, "missing");
    let page = world.get("/v1/streams/$subjects").await.is(200).json();
    assert_eq!(page["events"][0]["data"], json!({ "subject": "shop/ada 7" }));
    let long = format!("/v1/subjects/{}", "a".repeat(256));
    world.ask(Request::delete(long), Body::empty()).await.problem(400, "request");
    world.end().await;
}

#[tokio::test]
async fn a_server_without_keys_forgets_nobody() {
    let world = World::start();
    world.ask(Request::delete("/v1/subjects/a"), Body::empty()).await.problem(404, "missing");
    world.end().await;
}
