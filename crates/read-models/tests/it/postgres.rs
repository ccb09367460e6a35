//! Read models in a real PostgreSQL.

use crate::{
    place::{PATIENCE, Place, ask, at_least, declaration, name, order, until},
    server::Server,
    tables::Tables,
};
use fairway_ledger::{Expected, Json, NewEvent};
use fairway_read_models::{Applied, Question, ReadModelError, ReadModels, State};
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

#[tokio::test]
async fn tables_in_postgres_follow_are_asked_are_rebuilt_and_are_removed() {
    let (place, server) = (Place::new(), Server::shared());
    let tables = Tables::in_postgres(server, "follows").await;
    let ledger = place.ledger();
    for id in 0..3_000 {
        order(&ledger, id, "order-created", json!({"total": 1.25, "gift": id == 7})).await;
    }
    let paid = order(&ledger, 7, "order-paid", json!({})).await;
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
    models.apply(&declaration(ORDERS)).await.unwrap();
    models.wait(&name("orders"), at_least(paid)).await.unwrap();
    let answer = ask(&models, "sum", &[], at_least(paid)).await;
    assert_eq!(answer.rows, [[json!(3_000), json!("3750.00")]]);
    let answer = ask(&models, "by_state", &[("state", json!("paid"))], at_least(paid)).await;
    assert_eq!(
        answer.rows,
        [[json!("7"), json!("1.25"), json!({"total": 1.25, "gift": true}), json!(true)]]
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
    assert_eq!(tables.builds(&place).await, 0);
}

#[tokio::test]
async fn money_keeps_all_its_digits_on_its_way_in_and_out() {
    let (place, server) = (Place::new(), Server::shared());
    let tables = Tables::in_postgres(server, "money").await;
    let ledger = place.ledger();
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
    let text = ORDERS.replace("NUMERIC(12, 2)", "NUMERIC");
    let text = text.replace(
        "queries:",
        "queries:\n  money: >-
    SELECT total, ARRAY[total] AS many, 1.10 AS \"a \"\"b\", 7::bigint AS whole FROM orders",
    );
    models.apply(&declaration(&text)).await.unwrap();
    let data = Json::parse(r#"{"total":12345678901234567890.12}"#.to_owned()).unwrap();
    let event = NewEvent::from_json("order-created", data).unwrap();
    let stream = "order-1".parse().unwrap();
    let at = ledger.append(&stream, Expected::Any, vec![event]).await.unwrap().position;
    let answer = ask(&models, "money", &[], at_least(at)).await;
    let total = json!("12345678901234567890.12");
    assert_eq!(answer.rows, [[total.clone(), json!([total]), json!("1.10"), json!(7)]]);
    assert_eq!(answer.columns[2], "a \"b");
    following.stop().await;
}

#[tokio::test]
async fn a_value_that_postgres_refuses_is_parked_with_what_it_said() {
    let (place, server) = (Place::new(), Server::shared());
    let tables = Tables::in_postgres(server, "parks").await;
    let ledger = place.ledger();
    let bad = order(&ledger, 1, "order-created", json!({"total": "many"})).await;
    order(&ledger, 2, "order-created", json!({"total": 1})).await;
    let last = order(&ledger, 1, "order-paid", json!({})).await;
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
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
    let tables = Tables::in_postgres(&server, "cut").await;
    let ledger = place.ledger();
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
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
async fn a_database_that_is_away_is_in_the_way_of_nothing_else() {
    let (place, server) = (Place::new(), Server::start_apart().await);
    let tables = Tables::in_postgres(&server, "away").await;
    let ledger = place.ledger();
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
    models.apply(&declaration(ORDERS)).await.unwrap();
    models.settled(&name("orders")).await.unwrap();
    following.stop().await;
    server.stop();
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
    let again = models.apply(&declaration(ORDERS)).await.unwrap();
    assert_eq!(again, Applied::Unchanged, "it needs no look at the database");
    let other = crate::place::ORDERS.replace("read-model: orders", "read-model: other");
    models.apply(&declaration(&other)).await.unwrap();
    let last = order(&ledger, 1, "order-created", json!({"total": 1})).await;
    models.wait(&name("other"), at_least(last)).await.unwrap();
    let all = models.list().await.unwrap();
    let failing = |of: &str| {
        let status = all.iter().find(|status| status.name == name(of)).unwrap();
        matches!(status.live.as_ref().unwrap().state, Some(State::Failing(_)))
    };
    assert!(failing("orders") && !failing("other"), "{all:?}");
    following.stop().await;
}

#[tokio::test]
async fn connections_are_encrypted_when_the_address_asks_for_it() {
    let (place, server) = (Place::new(), Server::shared());
    Tables::in_postgres(server, "encrypts").await;
    server.ask("CREATE ROLE guarded_reader LOGIN SUPERUSER").await;
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let of = |options: &str| {
        let port = server.port();
        format!("postgres://guarded_reader@127.0.0.1:{port}/encrypts{options}")
    };
    let authorities =
        format!("?sslmode=verify-full&sslrootcert={}", server.certificate().display());
    for (version, options, is_encrypted) in [(1, "", false), (2, authorities.as_str(), true)] {
        let places = Tables::Postgres(of(options)).places(&place);
        let (models, following) = ReadModels::start(place.ledger(), places).unwrap();
        let text = ORDERS.replace("version: 1", &format!("version: {version}"));
        let text = text.replace("queries:", &format!("queries:\n  encrypted: {encrypted}"));
        models.apply(&declaration(&text)).await.unwrap();
        models.settled(&name("orders")).await.unwrap();
        let answer = ask(&models, "encrypted", &[], fairway_read_models::Consistency::Now).await;
        assert_eq!(answer.rows, [[json!(is_encrypted)]], "{options}");
        following.stop().await;
    }
    let unknown = Tables::Postgres(of("?sslmode=verify-full")).places(&place);
    let (models, following) = ReadModels::start(place.ledger(), unknown).unwrap();
    let text = ORDERS.replace("version: 1", "version: 3");
    let refused = models.apply(&declaration(&text)).await.unwrap_err();
    assert!(format!("{refused:?}").contains("UnknownIssuer"), "{refused:?}");
    following.stop().await;
}

#[tokio::test]
async fn what_postgres_says_of_sql_is_shown_in_the_file() {
    let (place, server) = (Place::new(), Server::shared());
    let tables = Tables::in_postgres(server, "shows").await;
    let (models, following) = ReadModels::start(place.ledger(), tables.places(&place)).unwrap();
    let wrong = ORDERS
        .replace("SET state", "SET stat")
        .replace("count(*) AS", "cuont(:a) AS")
        .replace("data, gift FROM", "data, gift AS data FROM");
    let error = models.apply(&declaration(&wrong)).await.unwrap_err();
    let ReadModelError::Declaration(found) = error else { panic!("{error}") };
    let shown: Vec<_> = found.iter().map(|one| (one.span.line, one.span.column)).collect();
    assert_eq!(shown, [(14, 25), (16, 13), (17, 15)], "{found:?}");
    following.stop().await;
}
