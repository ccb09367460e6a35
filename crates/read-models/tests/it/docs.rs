//! The examples of the page are right.

use crate::place::{Place, name, order, until};
use fairway_read_models::{Declaration, ReadModels};
use serde_json::json;

const PAGE: &str = include_str!("../../../../docs/events/read-models.md");

fn examples() -> Vec<&'static str> {
    PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[tokio::test]
async fn every_declaration_of_the_page_is_right() {
    assert!(examples().len() > 3);
    for text in examples() {
        let place = Place::new();
        let declaration = Declaration::read("read-models.md", text).unwrap();
        if text.contains("into: {") {
            continue;
        }
        let models = ReadModels::open(place.ledger(), place.places());
        models.apply(&declaration).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[tokio::test]
async fn who_is_forgotten_is_removed_as_the_page_says() {
    let place = Place::new();
    let ledger = place.ledger();
    let text = examples().into_iter().find(|text| text.contains("subject-forgotten")).unwrap();
    order(&ledger, 1, "order-created", json!({"customer": "customer-7", "name": "Ada"})).await;
    let (models, following) = place.start(&ledger);
    let declaration = Declaration::read("customers.yaml", text).unwrap();
    models.apply(&declaration).await.unwrap();
    models.settled(declaration.name()).await.unwrap();
    let stream = "$subjects".parse().unwrap();
    let fact =
        fairway_ledger::NewEvent::new("subject-forgotten", &json!({"subject": "customer-7"}));
    ledger.append(&stream, fairway_ledger::Expected::Any, vec![fact.unwrap()]).await.unwrap();
    until(async || {
        let asked = (
            fairway_read_models::Question::Named("all".into()),
            fairway_read_models::Parameters::new(),
        );
        let now = fairway_read_models::Consistency::Now;
        let answer = models.query(&name("customers"), asked, now).await.unwrap();
        (answer.rows == [[json!("1"), json!(null)]]).then_some(())
    })
    .await;
    following.stop().await;
}
