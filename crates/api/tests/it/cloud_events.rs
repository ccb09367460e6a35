//! CloudEvents, as they are on the wire.

use crate::world::World;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

#[tokio::test]
async fn a_cloud_event_in_headers_is_an_event() {
    let world = World::start();
    let request = Request::post("/v1/streams/order-7")
        .header("content-type", "text/xml")
        .header("ce-specversion", "1.0")
        .header("ce-id", "A-1")
        .header("ce-type", "order-paid")
        .header("ce-source", "/shop")
        .header("ce-subject", "caf%C3%A9%20au lait")
        .header("ce-traceparent", "00-a-b-01");
    world.ask(request, "<sum/>").await.is(201);
    let event = world.get("/v1/events/1").await.is(200).json();
    assert_eq!((&event["kind"], &event["data_base64"]), (&json!("order-paid"), &json!("PHN1bS8+")));
    assert_eq!(
        (&event["metadata"]["subject"], &event["metadata"]["traceparent"]),
        (&json!("café au lait"), &json!("00-a-b-01"))
    );
    let back = world.get("/v1/events/1?format=cloudevents-binary").await.is(200);
    let header = |name: &str| back.headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        [header("ce-id"), header("ce-source"), header("content-type")],
        ["A-1", "/shop", "text/xml"]
    );
    assert_eq!(
        [header("ce-subject"), header("ce-fairwayposition")],
        ["caf%C3%A9%20au%20lait", "1"]
    );
    assert_eq!(back.body, "<sum/>");
    world.end().await;
}

#[tokio::test]
async fn a_batch_goes_out_as_it_came_in() {
    let world = World::start();
    let event = |id: &str| {
        json!({
            "specversion": "1.0", "id": id, "source": "/shop", "type": "order-paid",
            "time": "2026-03-01T12:00:00+01:00", "datacontenttype": "application/json",
            "retries": 3, "urgent": true, "data": { "sum": 5 },
        })
    };
    let batch = json!([event("1"), event("018f4a3e-0000-7000-8000-000000000001")]);
    let send = async || {
        let request = Request::post("/v1/streams/order-7?expected=0");
        let request = request.header("content-type", "application/cloudevents-batch+json");
        world.ask(request, batch.to_string()).await
    };
    send().await.is(201);
    // Sent again, they are the same events.
    send().await.is(201);
    let request = Request::get("/v1/streams/order-7?limit=5");
    let request = request.header("accept", "application/cloudevents-batch+json");
    let answer = world.ask(request, Body::empty()).await.is(200);
    assert_eq!(answer.headers["content-type"], "application/cloudevents-batch+json");
    let mut back: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
    for (at, event) in back.iter_mut().enumerate() {
        let event = event.as_object_mut().unwrap();
        assert_eq!(event.remove("fairwayversion"), Some((at + 1).to_string().into()));
        event.remove("fairwayposition");
        event.remove("fairwaystream");
    }
    assert_eq!(Value::Array(back), batch);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_cloud_event_is_refused() {
    let world = World::start();
    let send = async |media: &str, body: &str| {
        let request = Request::post("/v1/streams/a").header("content-type", media);
        world.ask(request, body.to_owned()).await
    };
    let structured = "application/cloudevents+json";
    send(structured, r#"{"specversion":"1.0"}"#).await.problem(422, "content");
    send(structured, "[]").await.problem(422, "content");
    send("application/cloudevents+avro", "").await.problem(415, "media-type");
    send("application/cloudevents-batch+json", "{}").await.problem(422, "content");
    let twice = Request::post("/v1/streams/a").header("ce-specversion", "1.0");
    let twice = twice.header("ce-id", "1").header("ce-id", "2");
    world.ask(twice, Body::empty()).await.problem(422, "content");
    assert_eq!(world.ledger.head().await.unwrap().0, 0);
    world.end().await;
}
