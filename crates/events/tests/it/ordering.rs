use crate::place::{Place, ack_all, id, name, next, quick, soon, until};
use fairway_events::{AfterPark, Consumer, Groups, Nack, OrderBy, Settings, Strategy};
use fairway_ledger::{Expected, NewEvent, Position};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

const EVENTS: u64 = 240;
const KEYS: u64 = 6;

/// Events of some customers, spread over streams.
async fn append(groups: &Groups) {
    for number in 0..EVENTS {
        let customer = format!("customer {}", number % KEYS);
        let event = NewEvent::new("order-paid", &json!({ "customer": customer, "number": number }));
        let stream = format!("order-{}", number % 17).parse().unwrap();
        groups.ledger().append(&stream, Expected::Any, vec![event.unwrap()]).await.unwrap();
    }
}

/// What consumers were given, in order: who, of which customer, which event, which try.
type Given = Arc<Mutex<Vec<(usize, String, u64, u32)>>>;

/// Takes events until it is stopped; every seventh event fails twice.
async fn consume(mut consumer: Consumer, who: usize, given: Given) {
    while let Ok(delivery) = consumer.next().await {
        let data: Value = delivery.event.decode().unwrap();
        let customer = data["customer"].as_str().unwrap().to_owned();
        let number = data["number"].as_u64().unwrap();
        given.lock().unwrap().push((who, customer, number, delivery.attempt));
        let token = [delivery.token()];
        if number.is_multiple_of(7) && delivery.attempt < 3 {
            consumer.nack(token, Nack::Retry, "not today").await.unwrap();
        } else {
            consumer.ack(token).await.unwrap();
        }
    }
}

async fn given(settings: Settings) -> Vec<(usize, String, u64, u32)> {
    let place = Place::new();
    let groups = place.open();
    let id = id("$all");
    groups.create(&id, settings).await.unwrap();
    let given = Given::default();
    let mut consumers = tokio::task::JoinSet::new();
    for who in 0..4 {
        let consumer = groups.connect(&id, &name("worker"), 8).await.unwrap();
        consumers.spawn(consume(consumer, who, given.clone()));
    }
    append(&groups).await;
    until(&groups, &id, |info| info.checkpoint.position.0 > EVENTS && info.unfinished == 0).await;
    soon(groups.close()).await;
    while let Some(ended) = consumers.join_next().await {
        ended.unwrap();
    }
    let given = given.lock().unwrap();
    given.clone()
}

#[tokio::test]
async fn order_of_a_field_is_kept_across_consumers_and_failures() {
    let settings = Settings { order_by: OrderBy::Field("customer".to_owned()), ..quick() };
    let given = given(settings).await;
    let mut by_customer: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (_, customer, number, _) in &given {
        let numbers = by_customer.entry(customer.clone()).or_default();
        if numbers.last() != Some(number) {
            numbers.push(*number);
        }
    }
    for (key, numbers) in (0..).zip(by_customer.values()) {
        assert_eq!(*numbers, (key..EVENTS).step_by(6).collect::<Vec<_>>());
    }
    let consumers: BTreeSet<usize> = given.iter().map(|(who, ..)| *who).collect();
    assert!(consumers.len() > 1, "several share the work");
    let retried = given.iter().filter(|(.., attempt)| *attempt == 3).count();
    assert_eq!(retried, (0..EVENTS).step_by(7).count());
}

#[tokio::test]
async fn pinned_events_of_a_key_go_to_one_consumer() {
    let order_by = OrderBy::Field("customer".to_owned());
    let given = given(Settings { order_by, strategy: Strategy::Pinned, ..quick() }).await;
    let mut by_customer: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (who, customer, ..) in &given {
        by_customer.entry(customer).or_default().insert(*who);
    }
    assert!(by_customer.values().all(|who| who.len() == 1), "{by_customer:?}");
}

#[tokio::test]
async fn without_an_order_what_waits_holds_back_nothing() {
    let place = Place::new();
    let groups = place.open();
    let id = id("order-1");
    let settings = Settings { order_by: OrderBy::Nothing, ..quick() };
    let backoff = fairway_events::Backoff { initial: Duration::from_mins(1), ..settings.backoff };
    groups.create(&id, Settings { backoff, ..settings }).await.unwrap();
    crate::place::append(groups.ledger(), "order-1", 1..=3).await;
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    let first = next(&mut consumer).await;
    consumer.nack([first.token()], Nack::Retry, "later").await.unwrap();
    assert_eq!(crate::place::ack_all(&mut consumer, 2).await, [2, 3]);
}

#[tokio::test]
async fn a_key_can_wait_for_its_parked_event_while_others_go_on() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$ce-order");
    let settings = Settings { after_park: AfterPark::KeyWaits, buffer: 5, ..quick() };
    groups.create(&id, settings).await.unwrap();
    crate::place::append(groups.ledger(), "order-1", 1..=30).await;
    crate::place::append(groups.ledger(), "order-2", 31..=35).await;
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    let first = next(&mut consumer).await;
    consumer.nack([first.token()], Nack::Park, "no paper").await.unwrap();
    assert_eq!(ack_all(&mut consumer, 5).await, (31..=35).collect::<Vec<_>>());
    until(&groups, &id, |info| info.parked == 30 && info.unfinished == 0).await;
    let parked = groups.parked(&id, Position(0), 100).await.unwrap();
    let failed: Vec<u64> =
        parked.iter().filter(|parked| !parked.is_behind).map(|it| it.version.0).collect();
    assert_eq!(failed, [1]);
    soon(groups.close()).await;
    let groups = place.open();
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    groups.replay_parked(&id, 1).await.unwrap();
    assert_eq!(ack_all(&mut consumer, 30).await, (1..=30).collect::<Vec<_>>());
    until(&groups, &id, |info| info.parked == 0 && info.unfinished == 0).await;
}
