//! Read models in a real PostgreSQL.

use crate::{
    place::{PATIENCE, Place, ask, at_least, declaration, name, order, until},
    server::Server,
};
use fairway_read_models::{Places, Question, ReadModelError, ReadModels};
use serde_json::json;

const ORDERS: &str = "
read-model: orders
version: 1
into: { postgres: \"${secret:database}\" }
from: { category: order }
tables: |
  CREATE TABLE orders (id TEXT PRIMARY KEY, state TEXT NOT NULL, total NUMERIC(12, 2) NOT NULL,
    at TIMESTAMPTZ NOT NULL, event UUID NOT NULL, data JSONB NOT NULL, gift BOOLEAN);
on:
  order-created: >-
    INSERT INTO orders VALUES (:stream_id, ':created'::text, :total, :recorded, :event_id, :data,
    (:data::jsonb ->> 'gift')::boolean)
  order-paid:
    - UPDATE orders SET state = 'paid' WHERE id = :stream_id
queries:
  by_state: SELECT id, total, data, gift FROM orders WHERE state = :state ORDER BY id
  sum: SELECT count(*) AS count, coalesce(sum(total), 0) AS sum FROM orders;
";

/// The address of a database of a test's own.
async fn database(server: &Server, name: &str) -> String {
    server.ask(&format!("CREATE DATABASE {name}")).await;
    let url = server.url("x");
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}

fn places(place: &Place, address: &str) -> Places {
    let secrets = [("database".parse().unwrap(), address.to_owned())].into();
    Places { dir: place.dir(), secrets }
}

#[tokio::test]
async fn tables_in_postgres_follow_are_asked_are_rebuilt_and_are_removed() {
    let (place, server) = (Place::new(), Server::shared());
    let address = database(server, "follows").await;
    let ledger = place.ledger();
    for id in 0..3_000 {
        order(&ledger, id, "order-created", json!({"total": 1.25, "gift": id == 7})).await;
    }
    let paid = order(&ledger, 7, "order-paid", json!({})).await;
    let (models, following) = ReadModels::start(ledger.clone(), places(&place, &address)).unwrap();
    models.apply(&declaration(ORDERS)).await.unwrap();
    models.wait(&name("orders"), at_least(paid)).await.unwrap();
    let answer = ask(&models, "sum", &[], at_least(paid)).await;
    assert_eq!(answer.rows, [[json!(3_000), json!(3_750.0)]]);
    let answer = ask(&models, "by_state", &[("state", json!("paid"))], at_least(paid)).await;
    assert_eq!(
        answer.rows,
        [[json!("7"), json!(1.25), json!({"total": 1.25, "gift": true}), json!(true)]]
    );
    for version in 2..4 {
        let next = ORDERS.replace("version: 1", &format!("version: {version}"));
        models.apply(&declaration(&next)).await.unwrap();
        let last = order(&ledger, version, "order-paid", json!({})).await;
        models.wait(&name("orders"), at_least(last)).await.unwrap();
        models.settled(&name("orders")).await.unwrap();
    }
    let write = (
        Question::Sql("WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x".into()),
        fairway_read_models::Parameters::new(),
    );
    let refused = models.query(&name("orders"), write, at_least(paid)).await.unwrap_err();
    assert!(matches!(refused, ReadModelError::Query(_)), "{refused}");
    models.remove(&name("orders")).await.unwrap();
    models.settled(&name("orders")).await.unwrap();
    following.stop().await;
    let left = "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'orders%'";
    let (client, connection) =
        tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let count: i64 = client.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(count, 0);
    connection.abort();
}

#[tokio::test]
async fn a_value_that_postgres_refuses_is_parked_with_what_it_said() {
    let (place, server) = (Place::new(), Server::shared());
    let address = database(server, "parks").await;
    let ledger = place.ledger();
    let bad = order(&ledger, 1, "order-created", json!({"total": "many"})).await;
    order(&ledger, 2, "order-created", json!({"total": 1})).await;
    let last = order(&ledger, 1, "order-paid", json!({})).await;
    let (models, following) = ReadModels::start(ledger.clone(), places(&place, &address)).unwrap();
    models.apply(&declaration(ORDERS)).await.unwrap();
    models.wait(&name("orders"), at_least(last)).await.unwrap();
    let parked = models.parked(&name("orders"), 10).await.unwrap();
    let shown: Vec<_> = parked.iter().map(|one| (one.position, one.error.as_deref())).collect();
    let error = Some("invalid input syntax for type numeric: \"many\"");
    assert_eq!(shown, [(bad.0, error), (last.0, None)]);
    assert_eq!(ask(&models, "sum", &[], at_least(last)).await.rows[0][0], json!(1));
    models.skip(&name("orders"), bad).await.unwrap();
    models.settled(&name("orders")).await.unwrap();
    assert_eq!(models.parked(&name("orders"), 10).await.unwrap(), []);
    following.stop().await;
}

#[tokio::test]
async fn a_server_that_goes_away_and_comes_back_is_caught_up() {
    let (place, server) = (Place::new(), Server::start_apart().await);
    let address = database(&server, "cut").await;
    let ledger = place.ledger();
    let (models, following) = ReadModels::start(ledger.clone(), places(&place, &address)).unwrap();
    models.apply(&declaration(ORDERS)).await.unwrap();
    let mut last = order(&ledger, 0, "order-created", json!({"total": 1})).await;
    models.wait(&name("orders"), at_least(last)).await.unwrap();
    for round in 1..4 {
        for id in 0..200 {
            last = order(&ledger, round * 1_000 + id, "order-created", json!({"total": 1})).await;
            if id == 100 {
                server.restart("immediate");
            }
        }
    }
    let answer = until(async || {
        let asked = (Question::Named("sum".into()), fairway_read_models::Parameters::new());
        let consistency = fairway_read_models::Consistency::AtLeast(last, PATIENCE);
        models.query(&name("orders"), asked, consistency).await.ok()
    })
    .await;
    assert_eq!(answer.rows[0][0], json!(601));
    following.stop().await;
}

#[tokio::test]
async fn what_postgres_says_of_sql_is_shown_in_the_file() {
    let (place, server) = (Place::new(), Server::shared());
    let address = database(server, "shows").await;
    let (models, following) = ReadModels::start(place.ledger(), places(&place, &address)).unwrap();
    let wrong = ORDERS.replace("SET state", "SET stat").replace("count(*) AS", "cuont(:a) AS");
    let error = models.apply(&declaration(&wrong)).await.unwrap_err();
    let ReadModelError::Declaration(found) = error else { panic!("{error}") };
    let shown: Vec<_> = found.iter().map(|one| (one.span.line, one.span.column)).collect();
    assert_eq!(shown, [(14, 25), (17, 15)], "{found:?}");
    following.stop().await;
}
