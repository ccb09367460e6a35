//! Tokens and their rights.

use crate::world::{Answer, World};
use axum::body::Body;
use fairway_api::{Access, Grants, Server, Token, Tokens};
use fairway_ledger::{Expected, NewEvent};
use fairway_model::Timestamp;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// How long a test waits.
const LONG: Duration = Duration::from_secs(20);

/// A token with rights to prefixes, and its secret.
fn token(name: &str, rights: [&[&str]; 3], expires: Option<Timestamp>) -> (Token, String) {
    let own = |prefixes: &[&str]| prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
    let [read, append, manage] = rights.map(own);
    let access = Access::Granted(Arc::new(Grants { read, append, manage }));
    Token::new(name.parse().unwrap(), access, expires).unwrap()
}

fn file(tokens: &[&Token]) -> Arc<Tokens> {
    let lines: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    Arc::new(Tokens::parse(&lines.join("\n")).unwrap())
}

async fn call(world: &World, secret: &str, (method, uri): (Method, &str), json: &Value) -> Answer {
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("authorization", format!("Bearer {secret}"));
    world.ask(request.header("content-type", "application/json"), json.to_string()).await
}

#[tokio::test]
async fn a_token_reaches_what_it_has_rights_to() {
    let (orders, orders_secret) = token("orders", [&["order-"], &["order-"], &[]], None);
    let (carts, carts_secret) =
        token("carts", [&["order-", "cart-"], &["cart-"], &["cart-"]], None);
    let tokens = watch::Sender::new(file(&[&orders, &carts]));
    let world = World::start_with(|api| Server::new(api.with_tokens(tokens.subscribe())));
    let event = json!({ "kind": "created" });
    let post =
        async |secret: &str, uri: &str| call(&world, secret, (Method::POST, uri), &event).await;
    post(&orders_secret, "/v1/streams/order-1").await.is(201);
    post(&carts_secret, "/v1/streams/cart-1").await.is(201);
    post(&carts_secret, "/v1/streams/order-1").await.problem(403, "forbidden");
    post(&orders_secret, "/v1/streams/$own").await.problem(403, "forbidden");
    let both = json!([{ "stream": "order-1", "events": [event] }, { "stream": "cart-1", "events": [event] }]);
    let all = call(&world, &orders_secret, (Method::POST, "/v1/append"), &both).await;
    all.problem(403, "forbidden");
    let get =
        async |secret: &str, uri: &str| call(&world, secret, (Method::GET, uri), &json!(0)).await;
    // Of everything, a token is given what it may read.
    let page = get(&orders_secret, "/v1/events").await.is(200).json();
    assert_eq!(page["events"].as_array().unwrap().len(), 1);
    assert_eq!(
        get(&orders_secret, "/v1/streams").await.is(200).json()["streams"][0]["stream"],
        "order-1"
    );
    get(&orders_secret, "/v1/streams/cart-1").await.problem(403, "forbidden");
    get(&orders_secret, "/v1/events/2").await.problem(404, "missing");
    get(&carts_secret, "/v1/events/2").await.is(200);
    call(&world, &orders_secret, (Method::DELETE, "/v1/streams/order-1"), &json!(0))
        .await
        .problem(403, "forbidden");
    call(&world, &carts_secret, (Method::DELETE, "/v1/streams/cart-1"), &json!(0)).await.is(200);
    world.end().await;
}

#[tokio::test]
async fn who_has_no_valid_token_is_refused() {
    let (old, old_secret) = token("old", [&["a"], &[], &[]], Some(Timestamp(1)));
    let (new, secret) = token("new", [&["a"], &[], &[]], None);
    let tokens = watch::Sender::new(file(&[&old, &new]));
    let world = World::start_with(|api| Server::new(api.with_tokens(tokens.subscribe())));
    let refused = world.get("/v1/head").await.problem(401, "token");
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    let head =
        async |secret: &str| call(&world, secret, (Method::GET, "/v1/head"), &json!(0)).await;
    head(&old_secret).await.problem(401, "token");
    head(&secret.replace("fairway_", "fairway-")).await.problem(401, "token");
    head("").await.problem(401, "token");
    head(&"x".repeat(5000)).await.problem(401, "token");
    head(&secret).await.is(200);
    for open in ["/healthz", "/v1/openapi.json"] {
        world.get(open).await.is(200);
    }
    world.get("/metrics").await.problem(401, "token");
    // A token that is taken out of the file is refused from then on.
    tokens.send_replace(file(&[&old]));
    head(&secret).await.problem(401, "token");
    let basic = Request::get("/v1/head").header("authorization", "Basic !");
    world.ask(basic, Body::empty()).await.problem(401, "token");
    world.end().await;
}

#[tokio::test]
async fn a_live_reader_whose_token_is_taken_away_gets_nothing_more() {
    let (reader, secret) = token("reader", [&["order-"], &[], &[]], None);
    let tokens = watch::Sender::new(file(&[&reader]));
    let world = World::start_with(|api| Server::new(api.with_tokens(tokens.subscribe())));
    let append = async || {
        let event = NewEvent::new("created", &1).unwrap();
        world.ledger.append(&"order-1".parse().unwrap(), Expected::Any, vec![event]).await.unwrap()
    };
    append().await;
    let request = Request::get("/v1/streams/order-1")
        .header("accept", "text/event-stream")
        .header("authorization", format!("Bearer {secret}"));
    let mut body = world.send(request, Body::empty()).await.into_body();
    let mut text = String::new();
    while !text.contains("id: 1\n") {
        let frame = timeout(LONG, body.frame()).await.unwrap().unwrap().unwrap();
        text += std::str::from_utf8(&frame.into_data().unwrap()).unwrap();
    }
    tokens.send_replace(file(&[]));
    append().await;
    let rest = timeout(LONG, body.collect()).await.expect("it ends").unwrap().to_bytes();
    assert!(!String::from_utf8_lossy(&rest).contains("id: 2\n"));
    world.end().await;
}
