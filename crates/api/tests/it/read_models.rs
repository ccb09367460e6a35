//! Read models.

use crate::world::World;
use axum::body::Body;
use fairway_api::Server;
use fairway_read_models::{Places, ReadModels};
use http::Request;
use serde_json::json;

const ORDERS: &str = "
read-model: orders
version: 1
from: { category: order }
tables: |
  CREATE TABLE orders (stream TEXT PRIMARY KEY, total INTEGER NOT NULL);
on:
  order-created: INSERT INTO orders VALUES (:stream, :total)
queries:
  above: SELECT stream, total FROM orders WHERE total > :least ORDER BY total
";

#[tokio::test]
async fn read_models_are_declared_and_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut following = None;
    let world = World::start_with(|api| {
        let places = Places { dir: folder.path().to_owned(), ..Places::default() };
        let started = ReadModels::start(api.groups().ledger().clone(), places);
        let (models, follows) = started.unwrap();
        following = Some(follows);
        Server::new(api.with_read_models(models))
    });
    let put = async |body: &'static str| {
        let request = Request::put("/v1/read-models/orders");
        world.ask(request.header("content-type", "application/yaml"), body).await
    };
    put("read-model: [").await.problem(422, "content");
    put(ORDERS).await.is(201);
    put(ORDERS).await.is(204);
    let order = json!({ "kind": "order-created", "data": { "total": 7 } });
    let appended = world.post("/v1/streams/order-1", &order).await.is(201).json();
    let position = appended["position"].as_u64().unwrap();
    // Who waits for a position reads what was written there.
    let uri = format!("/v1/read-models/orders/queries/above?least=5&at_least={position}&wait=20s");
    let answer = world.get(&uri).await.is(200);
    assert_eq!(answer.headers["fairway-position"], answer.json()["position"].to_string());
    assert_eq!(answer.json()["rows"], json!([{ "stream": "order-1", "total": 7 }]));
    let above =
        async |query: &str| world.get(&format!("/v1/read-models/orders/queries/{query}")).await;
    assert_eq!(above("above?least=7").await.is(200).json()["rows"], json!([]));
    above("above").await.problem(400, "request");
    above("below").await.problem(404, "missing");
    above("above?least=1&at_least=99&wait=1ms").await.problem(503, "behind");
    let sql = json!({ "sql": "SELECT count(*) AS n FROM orders" });
    let counted = world.post("/v1/read-models/orders/sql", &sql).await.is(200).json();
    assert_eq!(counted["rows"], json!([{ "n": 1 }]));
    let drop = json!({ "sql": "DROP TABLE orders" });
    world.post("/v1/read-models/orders/sql", &drop).await.problem(422, "content");
    let status = world.get("/v1/read-models/orders").await.is(200).json();
    assert_eq!((&status["live"]["version"], &status["candidate"]), (&json!(1), &json!(null)));
    world.ask(Request::delete("/v1/read-models/orders"), Body::empty()).await.is(202);
    world.get("/v1/read-models/orders").await.problem(404, "missing");
    following.unwrap().stop().await;
    world.end().await;
}
