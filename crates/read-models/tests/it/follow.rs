//! A read model follows a ledger, and is asked.

use crate::place::{ORDERS, Place, ask, at_least, declaration, name, order, until};
use fairway_read_models::{Applied, Consistency, Parameters, Question, ReadModelError};
use serde_json::json;
use std::time::Duration;

/// As many questions as are answered at once.
const QUESTIONS_MAX: usize = 16;

#[tokio::test]
async fn rows_are_there_for_who_waits_for_its_own_write() {
    let place = Place::new();
    let ledger = place.ledger();
    order(&ledger, 1, "order-created", json!({"total": 7})).await;
    let (models, following) = place.start(&ledger);
    assert_eq!(models.apply(&declaration(ORDERS)).await.unwrap(), Applied::Declared);
    for number in 2..30 {
        let at = order(&ledger, number, "order-created", json!({"total": number})).await;
        let answer = ask(&models, "sum", &[], at_least(at)).await;
        assert!(answer.position >= at);
        assert_eq!(answer.rows[0][0], json!(number));
    }
    let at = order(&ledger, 1, "order-paid", json!({})).await;
    let answer = ask(&models, "by_state", &[("state", json!("paid"))], at_least(at)).await;
    assert_eq!(
        (answer.columns, answer.rows),
        (vec!["id".into(), "total".into()], vec![vec![json!("1"), json!(7)]])
    );
    assert_eq!(models.apply(&declaration(ORDERS)).await.unwrap(), Applied::Unchanged);
    following.stop().await;
}

#[tokio::test]
async fn who_cannot_have_a_position_is_told_how_far_it_is() {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    let at = order(&ledger, 1, "order-created", json!({"total": 1})).await;
    ask(&models, "sum", &[], at_least(at)).await;
    following.stop().await;
    let later = order(&ledger, 2, "order-created", json!({"total": 1})).await;
    let consistency = Consistency::AtLeast(later, Duration::from_millis(30));
    let asked = (Question::Named("sum".into()), Parameters::new());
    let error = models.query(&name("orders"), asked, consistency).await.unwrap_err();
    assert!(
        matches!(error, ReadModelError::Behind { position, .. } if position >= at && position < later),
        "{error}"
    );
    let stale = ask(&models, "sum", &[], Consistency::Now).await;
    assert!(stale.position < later);
    assert_eq!(stale.rows[0][0], json!(1));
}

#[tokio::test]
async fn a_query_that_there_is_not_is_answered_with_those_that_there_are() {
    let place = Place::new();
    let (models, following) = place.start(&place.ledger());
    models.apply(&declaration(ORDERS)).await.unwrap();
    models.settled(&name("orders")).await.unwrap();
    let asked = (Question::Named("total".into()), Parameters::new());
    let missing = models.query(&name("orders"), asked, Consistency::Now).await.unwrap_err();
    let said = "read model `orders` has no query `total`; it has `by_state`, `sum`";
    assert_eq!(missing.to_string(), said);
    following.stop().await;
}

#[tokio::test]
async fn only_one_process_drives() {
    let place = Place::new();
    let ledger = place.ledger();
    let (_, following) = place.start(&ledger);
    let second = fairway_read_models::ReadModels::start(ledger, place.places());
    assert!(matches!(second, Err(ReadModelError::DrivenElsewhere(_))));
    following.stop().await;
}

#[tokio::test]
async fn a_question_has_limits_and_changes_nothing() {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    models.settled(&name("orders")).await.unwrap();
    let ask = async |sql: &str| {
        let asked = (Question::Sql(sql.to_owned()), Parameters::new());
        models.query(&name("orders"), asked, Consistency::Now).await
    };
    let numbers = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)";
    let answer = ask(&format!("{numbers} SELECT x FROM n")).await.unwrap();
    assert_eq!((answer.rows.len(), answer.is_cut), (fairway_read_models::ROWS_MAX, true));
    let endless = format!("{numbers} SELECT count(*) FROM n");
    // Who asks and goes away leaves nothing running for ever, which would be in the way of others.
    for _ in 0..QUESTIONS_MAX {
        let left = tokio::time::timeout(Duration::from_millis(5), ask(&endless)).await;
        assert!(left.is_err(), "it is not answered so soon");
    }
    // A turn may be waited for as long as a query takes at most.
    until(async || ask("SELECT 1").await.ok()).await;
    let slow = ask(&endless).await.unwrap_err();
    assert!(matches!(slow, ReadModelError::TooSlow(_)), "{slow}");
    let twice = ask("SELECT id, total AS id FROM orders").await.unwrap_err();
    assert!(twice.to_string().contains("two columns are named `id`"), "{twice}");
    for sql in ["DELETE FROM orders", "ATTACH 'x' AS y", "SELECT 1; DROP TABLE orders", "PRAGMA x"]
    {
        let refused = ask(sql).await.unwrap_err();
        assert!(matches!(refused, ReadModelError::Query(_)), "{sql}: {refused}");
    }
    following.stop().await;
}
