//! The description of the service.

use crate::world::World;
use axum::body::Body;
use expect_test::expect_file;
use http::Request;
use serde_json::Value;

/// A path of the description with something in its holes.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{position}" | "{version}" => "1",
        hole if hole.starts_with('{') => "none",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn the_description_is_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/events.openapi.json");
    expect_file![path].assert_eq(&format!("{:#}\n", fairway_api::openapi()));
}

#[test]
fn what_the_description_refers_to_is_there() {
    let description = fairway_api::openapi();
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(description.pointer(pointer).is_some(), "{pointer}");
    }
}

#[tokio::test]
async fn the_description_has_every_method_of_every_route() {
    let world = World::start();
    let description = world.get("/v1/openapi.json").await.is(200).json();
    assert_eq!(description, fairway_api::openapi());
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"] {
            let request = Request::builder().method(method).uri(filled(path));
            let request = request.header("content-type", "application/json");
            let response = world.ask(request, Body::empty()).await;
            let is_head_of_get = method == "HEAD" && operations["get"] != Value::Null;
            let is_there = operations[method.to_ascii_lowercase()] != Value::Null;
            let is_refused = response.status == 405;
            assert_eq!(!is_refused, is_there || is_head_of_get, "{method} {path} {response:?}");
        }
    }
    world.end().await;
}
