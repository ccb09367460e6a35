//! An event that fails is parked and named, the rest of its key waits, other keys go on.

use crate::{
    place::{ORDERS, Place, ask, at_least, declaration, name, order, until},
    server::Server,
    tables::Tables,
};
use fairway_ledger::Position;
use fairway_read_models::{Parked, ReadModelError, ReadModels};
use serde_json::json;

async fn parked(models: &ReadModels) -> Vec<Parked> {
    models.parked(&name("orders"), 100).await.unwrap()
}

/// One order whose first event lacks a field, and another that is right.
async fn broken(place: &Place) -> (fairway_ledger::Ledger, Vec<Position>) {
    let ledger = place.ledger();
    let events = [
        (1, "order-created", json!({"totl": 7})),
        (2, "order-created", json!({"total": 8})),
        (1, "order-paid", json!({})),
        (2, "order-paid", json!({})),
    ];
    let mut at = Vec::new();
    for (id, kind, data) in events {
        at.push(order(&ledger, id, kind, data).await);
    }
    (ledger, at)
}

#[tokio::test]
async fn an_event_that_fails_is_named_and_only_its_key_waits() {
    let place = Place::new();
    let (ledger, at) = broken(&place).await;
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    let answer = ask(&models, "by_state", &[("state", json!("paid"))], at_least(at[3])).await;
    assert_eq!(answer.rows, [[json!("2"), json!(8)]]);
    let found = parked(&models).await;
    let shown: Vec<_> =
        found.iter().map(|one| (one.position, one.key.as_str(), one.error.as_deref())).collect();
    let error = Some("the data have no field `total`");
    assert_eq!(shown, [(at[0].0, "order-1", error), (at[2].0, "order-1", None)]);
    let tried =
        until(async || Some(parked(&models).await[0].tries).filter(|tries| *tries > 1)).await;
    assert!(tried >= 2, "it was tried again by itself");
    following.stop().await;
}

#[tokio::test]
async fn a_new_version_takes_in_what_was_parked() {
    let place = Place::new();
    let (ledger, at) = broken(&place).await;
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    ask(&models, "sum", &[], at_least(at[3])).await;
    let mended = ORDERS
        .replace("version: 1", "version: 2")
        .replace(":total)", "coalesce(:data ->> 'total', 0))");
    models.apply(&declaration(&mended)).await.unwrap();
    models.wait(&name("orders"), at_least(at[3])).await.unwrap();
    assert_eq!(parked(&models).await, []);
    let paid = ask(&models, "by_state", &[("state", json!("paid"))], at_least(at[3])).await;
    assert_eq!((paid.version, paid.rows.len()), (2, 2));
    following.stop().await;
}

#[tokio::test]
async fn a_skipped_event_is_left_out_and_its_key_goes_on_also_after_a_rebuild() {
    let place = Place::new();
    let (ledger, at) = broken(&place).await;
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    ask(&models, "sum", &[], at_least(at[3])).await;
    let nothing = models.skip(&name("orders"), Position(99)).await.unwrap_err();
    assert!(matches!(nothing, ReadModelError::NotParked { .. }), "{nothing}");
    models.skip(&name("orders"), at[0]).await.unwrap();
    until(async || parked(&models).await.is_empty().then_some(())).await;
    let late = order(&ledger, 1, "order-created", json!({"total": 5})).await;
    let created = async || {
        let state = [("state", json!("created"))];
        ask(&models, "by_state", &state, at_least(late)).await.rows
    };
    assert_eq!(created().await, [[json!("1"), json!(5)]], "the key goes on");
    models.rebuild(&name("orders")).await.unwrap();
    models.wait(&name("orders"), at_least(late)).await.unwrap();
    assert_eq!(created().await, [[json!("1"), json!(5)]]);
    assert_eq!(parked(&models).await, []);
    following.stop().await;
}

async fn a_row_is_waited_for(tables: &Tables) {
    let place = Place::new();
    let ledger = place.ledger();
    let text = ORDERS
        .replace(
            "total INTEGER NOT NULL);",
            "total INTEGER NOT NULL);
  CREATE TABLE lines (order_id TEXT NOT NULL REFERENCES orders (id));",
        )
        .replace("  order-paid:", "  line-added: INSERT INTO lines VALUES (:of)\n  order-paid:");
    let early = order(&ledger, 1, "line-added", json!({"of": "2"})).await;
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
    models.apply(&tables.declaration(&text, 1)).await.unwrap();
    models.wait(&name("orders"), at_least(early)).await.unwrap();
    until(async || Some(parked(&models).await[0].tries).filter(|tries| *tries > 1)).await;
    order(&ledger, 2, "order-created", json!({"total": 8})).await;
    until(async || parked(&models).await.is_empty().then_some(())).await;
    following.stop().await;
}

#[tokio::test]
async fn what_failed_for_want_of_another_row_is_taken_in_when_it_is_there() {
    a_row_is_waited_for(&Tables::Sqlite).await;
}

#[tokio::test]
async fn what_failed_for_want_of_another_row_is_taken_in_by_postgres_when_it_is_there() {
    a_row_is_waited_for(&Tables::in_postgres(Server::shared(), "waited_for").await).await;
}

#[tokio::test]
async fn a_statement_that_would_keep_what_it_did_before_it_failed_leaves_no_trace() {
    let place = Place::new();
    let ledger = place.ledger();
    let text = ORDERS.replace(
        "    - UPDATE orders SET state = 'paid' WHERE id = :stream_id",
        "    - INSERT OR FAIL INTO orders VALUES (:event_id, 'x', 1), (:stream_id, 'x', 1)",
    );
    order(&ledger, 1, "order-created", json!({"total": 7})).await;
    let last = order(&ledger, 1, "order-paid", json!({})).await;
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(&text)).await.unwrap();
    let answer = ask(&models, "sum", &[], at_least(last)).await;
    assert_eq!(answer.rows, [[json!(1), json!(7)]]);
    assert_eq!(parked(&models).await.len(), 1);
    following.stop().await;
}

#[tokio::test]
async fn statements_of_one_event_are_all_done_or_none() {
    let place = Place::new();
    let ledger = place.ledger();
    let text = ORDERS.replace("    - UPDATE", "    - UPDATE orders SET total = total + 1 WHERE id = :stream_id\n    - INSERT OR ROLLBACK INTO orders VALUES (:stream_id, 'x', 1)\n    - UPDATE");
    order(&ledger, 1, "order-created", json!({"total": 7})).await;
    let at = order(&ledger, 1, "order-paid", json!({})).await;
    let last = order(&ledger, 2, "order-created", json!({"total": 1})).await;
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(&text)).await.unwrap();
    let answer = ask(&models, "sum", &[], at_least(last)).await;
    assert_eq!(answer.rows, [[json!(2), json!(8)]]);
    let found = parked(&models).await;
    assert_eq!((found.len(), found[0].position), (1, at.0));
    following.stop().await;
}
