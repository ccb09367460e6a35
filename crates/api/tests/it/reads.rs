//! Reading.

use crate::world::World;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

/// Appends events to two streams in turn.
async fn fill(world: &World, pairs: usize) {
    for at in 0..pairs {
        let event = json!({ "kind": format!("kind-{at}"), "data": at });
        world.post("/v1/streams/order-1", &event).await.is(201);
        world.post("/v1/streams/shop%2Fcart-1", &event).await.is(201);
    }
}

fn positions(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["position"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn pages_link_to_the_next() {
    let world = World::start();
    fill(&world, 3).await;
    let page = world.get("/v1/streams/order-1?limit=2").await.is(200);
    assert_eq!(page.headers["fairway-position"], "6");
    let page = page.json();
    assert_eq!((positions(&page), &page["end"]), (vec![1, 3], &json!(false)));
    let page = world.get(page["next"].as_str().unwrap()).await.is(200).json();
    assert_eq!((positions(&page), &page["end"]), (vec![5], &json!(true)));
    let page = world.get(page["next"].as_str().unwrap()).await.is(200).json();
    assert_eq!((positions(&page), &page["end"]), (vec![], &json!(true)));
    let page = world.get("/v1/streams/shop%2Fcart-1?before=end&limit=1").await.is(200).json();
    assert_eq!(positions(&page), [6]);
    world.end().await;
}

#[tokio::test]
async fn all_events_are_read_with_a_filter() {
    let world = World::start();
    fill(&world, 3).await;
    let read = async |uri: &str| positions(&world.get(uri).await.is(200).json());
    assert_eq!(read("/v1/events").await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(read("/v1/events?stream_prefix=shop/").await, [2, 4, 6]);
    assert_eq!(read("/v1/events?kind_prefix=kind-1&kind_prefix=kind-2").await, [3, 4, 5, 6]);
    assert_eq!(read("/v1/events?category=order&limit=2").await, [1, 3]);
    assert_eq!(read("/v1/categories/order?before=end&limit=2").await, [5, 3]);
    assert_eq!(read("/v1/events?as_of=3").await, [1, 2, 3]);
    assert_eq!(read("/v1/events?as_of_time=2020-01-01T00:00:00Z").await, [0; 0]);
    world.end().await;
}

#[tokio::test]
async fn lines_are_everything_there_is() {
    let world = World::start();
    fill(&world, 3).await;
    let request = || Request::get("/v1/events?after=1").header("accept", "application/x-ndjson");
    let answer = world.ask(request(), Body::empty()).await.is(200);
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let lines = String::from_utf8(answer.body.to_vec()).unwrap();
    let positions: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, [2, 3, 4, 5, 6]);
    world.end().await;
}
