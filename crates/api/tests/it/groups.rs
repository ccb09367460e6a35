//! Groups.

use crate::world::World;
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// How long a test waits.
const LONG: Duration = Duration::from_secs(20);
const GROUP: &str = "/v1/groups/$ce-order/mailer";

async fn take(world: &World, query: &str) -> Vec<(u64, u64)> {
    let request = Request::post(format!("{GROUP}/take?{query}"));
    let taken = world.ask(request, Body::empty()).await.is(200).json();
    let each = |one: &Value| {
        (one["event"]["position"].as_u64().unwrap(), one["attempt"].as_u64().unwrap())
    };
    taken["events"].as_array().unwrap().iter().map(each).collect()
}

/// What is answered when something is true of it.
async fn seen(world: &World, uri: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let seen = async {
        loop {
            let answer = world.get(uri).await.is(200).json();
            if is_so(&answer) {
                return answer;
            }
        }
    };
    timeout(LONG, seen).await.expect("it comes to be so")
}

#[tokio::test]
async fn consumers_take_events_and_say_what_became_of_them() {
    let world = World::start();
    let settings = json!({ "retries_max": 1, "backoff": { "initial_ms": 0 } });
    let made = world.send_json(Method::PUT, GROUP, &settings).await.is(201).json();
    assert_eq!((&made["group"], &made["settings"]["retries_max"]), (&json!("mailer"), &json!(1)));
    world.send_json(Method::PUT, GROUP, &settings).await.is(200);
    // What was decided of the group are the first two events.
    for stream in ["order-1", "cart-1", "order-2"] {
        world.post(&format!("/v1/streams/{stream}"), &json!({ "kind": "made" })).await.is(201);
    }
    assert_eq!(take(&world, "consumer=a&wait=20s").await, [(3, 1), (5, 1)]);
    let ack = json!({ "consumer": "a", "events": [3, 4] });
    let acked = world.post(&format!("{GROUP}/ack"), &ack).await.is(200).json();
    assert_eq!(acked, json!({ "not_held": [4] }));
    let nack =
        |action: &str| json!({ "consumer": "a", "events": [5], "action": action, "reason": "no" });
    world.post(&format!("{GROUP}/nack"), &nack("retry")).await.is(200);
    assert_eq!(take(&world, "consumer=a&wait=20s").await, [(5, 2)]);
    world.post(&format!("{GROUP}/nack"), &nack("park")).await.is(200);
    // It is parked when that is in the ledger.
    let parked =
        seen(&world, &format!("{GROUP}/parked"), |it| it["events"][0] != Value::Null).await;
    let event = &parked["events"][0];
    assert_eq!((&event["position"], &event["reason"]), (&json!(5), &json!("no")));
    let replayed = world.post(&format!("{GROUP}/replay"), &json!({})).await.is(200).json();
    assert_eq!(replayed, json!({ "replayed": 1 }));
    assert_eq!(take(&world, "consumer=b&wait=20s").await[0].0, 5);
    world.post(&format!("{GROUP}/ack"), &json!({ "consumer": "b", "events": [5] })).await.is(200);
    let info = seen(&world, GROUP, |it| it["lag"] == 0 && it["parked"] == 0).await;
    assert_eq!(info["live"]["acked"], 2);
    let metrics = world.get("/metrics").await.is(200).body;
    let line = "\nfairway_group_lag{source=\"$ce-order\",group=\"mailer\"} 0\n";
    assert!(String::from_utf8_lossy(&metrics).contains(line));
    world.end().await;
}

#[tokio::test]
async fn a_consumer_that_is_still_at_work_keeps_what_it_has() {
    let world = World::start();
    let settings = json!({ "ack_timeout_ms": 3_000 });
    world.send_json(Method::PUT, GROUP, &settings).await.is(201);
    for stream in ["order-1", "order-2"] {
        world.post(&format!("/v1/streams/{stream}"), &json!({ "kind": "made" })).await.is(201);
    }
    assert_eq!(take(&world, "consumer=a&wait=20s").await, [(2, 1), (3, 1)]);
    let first = json!({ "consumer": "a", "events": [2] });
    let none: Vec<u64> = Vec::new();
    let at_work = async {
        loop {
            let kept = world.post(&format!("{GROUP}/extend"), &first).await.is(200).json();
            assert_eq!(kept, json!({ "not_held": none }));
            let taken = take(&world, "consumer=b&wait=10ms").await;
            if !taken.is_empty() {
                return taken;
            }
        }
    };
    let late = timeout(LONG, at_work).await.expect("the other event comes again");
    assert_eq!(late, [(3, 2)]);
    let done = world.post(&format!("{GROUP}/ack"), &first).await.is(200).json();
    assert_eq!(done, json!({ "not_held": none }));
    let gone = world.post(&format!("{GROUP}/extend"), &first).await.is(200).json();
    assert_eq!(gone, json!({ "not_held": [2] }));
    world.end().await;
}

#[tokio::test]
async fn a_consumer_that_stops_gives_back_all_that_it_has() {
    let world = World::start();
    world.send_json(Method::PUT, GROUP, &json!({})).await.is(201);
    for stream in ["order-1", "order-2"] {
        world.post(&format!("/v1/streams/{stream}"), &json!({ "kind": "made" })).await.is(201);
    }
    assert_eq!(take(&world, "consumer=a&wait=20s").await, [(2, 1), (3, 1)]);
    let stop = json!({ "consumer": "a", "events": [], "action": "stop", "reason": "enough" });
    world.post(&format!("{GROUP}/nack"), &stop).await.is(200);
    let again = async {
        let mut again = Vec::new();
        while again.len() < 2 {
            again.extend(take(&world, "consumer=b&wait=20s").await);
        }
        again.sort_unstable();
        again
    };
    let again = timeout(LONG, again).await.expect("it does not wait for the time-out");
    assert_eq!(again, [(2, 2), (3, 2)]);
    let info = world.get(GROUP).await.is(200).json();
    assert_eq!(info["live"]["consumers"].as_array().unwrap().len(), 1, "{info}");
    world.end().await;
}

#[tokio::test]
async fn groups_are_listed_and_removed() {
    let world = World::start();
    world.send_json(Method::PUT, GROUP, &json!({})).await.is(201);
    let groups = world.get("/v1/groups").await.is(200).json();
    assert_eq!(groups["groups"][0]["source"], "$ce-order");
    world.ask(Request::delete(GROUP), Body::empty()).await.is(204);
    world.get(GROUP).await.problem(404, "missing");
    world.send_json(Method::PUT, GROUP, &json!({ "more": 1 })).await.problem(422, "content");
    world.send_json(Method::PUT, "/v1/groups/a%2F/b", &json!({})).await.problem(400, "request");
    world.end().await;
}
