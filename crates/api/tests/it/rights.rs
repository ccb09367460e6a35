//! Rights, on every method of every route: who has none to a stream learns nothing of it and changes
//! nothing.

use crate::{
    described,
    world::{Answer, World},
};
use fairway_api::{Access, Grants, Server, Token, Tokens};
use fairway_ledger::{Expected, NewEvent};
use http::{Method, Request};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::watch;

/// What those who have no right to it may not see.
const SECRET: &str = "very-secret";

/// Operations that everybody who is known may do, and what they give is what may be read.
const FOR_ALL: &[&str] = &[
    "readAll",
    "readCategory",
    "listStreams",
    "listGroups",
    "getHead",
    "getPositionAt",
    "getDescription",
    "getHealth",
    "getMetrics",
];

fn token(name: &str, access: Access) -> (Token, String) {
    Token::new(name.parse().unwrap(), access, None).unwrap()
}

async fn call(world: &World, (method, uri): (&Method, &str), secret: &str, body: &str) -> Answer {
    let media =
        if body.starts_with("read-model") { "application/yaml" } else { "application/json" };
    let request = Request::builder().method(method).uri(uri).header("content-type", media);
    let request = match secret {
        "" => request,
        secret => request.header("authorization", format!("Bearer {secret}")),
    };
    world.ask(request, body.to_owned()).await
}

/// A body that an operation takes.
fn body(operation: &str) -> String {
    let event = json!({ "kind": "forged" });
    let answers = json!({ "consumer": "c", "events": [1] });
    match operation {
        "append" => event.to_string(),
        "appendAll" => json!([
            { "stream": "other-1", "events": [event] }, { "stream": "secret-1", "events": [event] },
        ])
        .to_string(),
        "truncateStream" => json!({ "up_to": 1 }).to_string(),
        "saveSnapshot" => json!({ "version": 1, "kind": "s", "data": 1 }).to_string(),
        "ackEvents" | "extendEvents" | "nackEvents" => answers.to_string(),
        "skipEvent" | "skipParked" => json!({ "event": 1 }).to_string(),
        "queryReadModelBySql" => json!({ "sql": "SELECT 1" }).to_string(),
        "declareReadModel" => "read-model: secret\nversion: 1\n".to_owned(),
        _ => "{}".to_owned(),
    }
}

/// The addresses of a path: of streams, groups and read models to which there is no right.
fn addresses(path: &str) -> Vec<String> {
    let streams = ["secret-1", "$$secret-1", "$own", "$subjects"];
    let sources = ["secret-1", "$ce-secret", "$all"];
    let fill = |stream: &str, source: &str| {
        let mut uri = path.to_owned();
        for (hole, with) in [
            ("{stream}", stream),
            ("{source}", source),
            ("{group}", "g"),
            ("{category}", "secret"),
            ("{position}", "1"),
            ("{version}", "1"),
            ("{model}", "secret"),
            ("{query}", "q"),
            ("{subject}", "secret"),
        ] {
            uri = uri.replace(hole, with);
        }
        let query = if path.ends_with("take") { "?consumer=c" } else { "" };
        let query = if path == "/v1/position" { "?at=2030-01-01T00:00:00Z" } else { query };
        uri + query
    };
    let mut all: Vec<String> =
        streams.into_iter().flat_map(|stream| sources.map(|source| fill(stream, source))).collect();
    all.sort();
    all.dedup();
    all
}

/// A server that has secrets, the secret of who may do everything, and of who may do it elsewhere.
async fn guarded() -> (World, String, String) {
    let other = || vec!["other-".to_owned()];
    let grants = Grants { read: other(), append: other(), manage: other() };
    let (other, other_secret) = token("other", Access::Granted(Arc::new(grants)));
    let (root, root_secret) = token("root", Access::All);
    let file = Tokens::parse(&format!("{other}\n{root}")).unwrap();
    let tokens = watch::Sender::new(Arc::new(file));
    let world = World::start_with(|api| Server::new(api.with_tokens(tokens.subscribe())));
    let secret = || vec![NewEvent::new("hidden", &json!({ "is": SECRET })).unwrap()];
    for name in ["secret-1", "$own", "$subjects"] {
        let stream = name.parse().unwrap();
        world.ledger.append(&stream, Expected::Any, secret()).await.unwrap();
    }
    let about = NewEvent::new("$metadata", &json!({ "is": SECRET })).unwrap();
    world.ledger.append(&"$$secret-1".parse().unwrap(), Expected::Any, vec![about]).await.unwrap();
    let snapshot = json!({ "version": 1, "kind": "s", "data": SECRET }).to_string();
    let uri = "/v1/streams/secret-1/snapshot";
    call(&world, (&Method::PUT, uri), &root_secret, &snapshot).await.is(204);
    for source in ["secret-1", "$ce-secret", "$all"] {
        let uri = format!("/v1/groups/{source}/g");
        let settings = json!({ "notes": { "is": SECRET } }).to_string();
        call(&world, (&Method::PUT, &uri), &root_secret, &settings).await.is(201);
    }
    (world, root_secret, other_secret)
}

fn operations() -> impl Iterator<Item = (&'static str, Method, &'static Value)> {
    described::paths().iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| {
            (path.as_str(), method.to_ascii_uppercase().parse().unwrap(), operation)
        })
    })
}

#[tokio::test]
async fn who_is_not_known_is_answered_nothing_but_that() {
    let (world, ..) = guarded().await;
    let head = world.ledger.head().await.unwrap();
    for (path, method, operation) in operations() {
        for uri in addresses(path) {
            let body = body(operation["operationId"].as_str().unwrap());
            for secret in ["", "forged"] {
                let answer = call(&world, (&method, &uri), secret, &body).await;
                if operation["security"] == json!([]) {
                    answer.is(200);
                } else {
                    answer.is(401);
                }
            }
        }
    }
    assert_eq!(world.ledger.head().await.unwrap(), head);
    world.end().await;
}

#[tokio::test]
async fn who_has_no_right_to_a_stream_learns_nothing_of_it_and_changes_nothing() {
    let (world, root, other) = guarded().await;
    let head = world.ledger.head().await.unwrap();
    for (path, method, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        for uri in addresses(path) {
            let answer = call(&world, (&method, &uri), &other, &body(id)).await;
            let text = String::from_utf8_lossy(&answer.body);
            assert!(!text.contains(SECRET), "{method} {uri}: {text}");
            match id {
                "getEvent" | "listReadModels" => drop(answer.is(404)),
                id if FOR_ALL.contains(&id) => {
                    let is_hidden = !text.contains("secret-1");
                    assert!(answer.status == 200 && is_hidden, "{method} {uri}: {answer:?}");
                }
                _ => drop(answer.is(403)),
            }
        }
    }
    assert_eq!(world.ledger.head().await.unwrap(), head);
    // It is all there for who has the right.
    for uri in ["/v1/events?system=true", "/v1/streams/secret-1/snapshot", "/v1/groups/$all/g"] {
        let seen = call(&world, (&Method::GET, uri), &root, "").await.is(200);
        assert!(String::from_utf8_lossy(&seen.body).contains(SECRET), "{uri}");
    }
    world.end().await;
}

#[tokio::test]
async fn rights_are_those_of_whole_prefixes_however_names_are_written() {
    let (world, _, other) = guarded().await;
    let event = json!({ "kind": "a" }).to_string();
    let append = async |name: &str| {
        call(&world, (&Method::POST, &format!("/v1/streams/{name}")), &other, &event).await
    };
    append("other-1").await.is(201);
    append("%6fther-2").await.is(201);
    append("%73ecret-1").await.is(403);
    append("other-%2F..%2Fsecret-1").await.is(400);
    append("$$other-1").await.is(201);
    append("%24%24secret-1").await.is(403);
    for cloud in ["fairwaystream", "stream"] {
        let request = Request::post("/v1/streams/other-3")
            .header("authorization", format!("Bearer {other}"))
            .header("ce-specversion", "1.0")
            .header("ce-id", "1")
            .header("ce-type", "t")
            .header("ce-source", "/s")
            .header(format!("ce-{cloud}"), "secret-1");
        world.ask(request, "").await.is(201);
    }
    let state = world.ledger.stream(&"secret-1".parse().unwrap()).await.unwrap();
    assert_eq!(state.version.0, 1);
    world.end().await;
}
