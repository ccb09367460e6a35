//! The example of `docs/events/read-models.md`: two sites write the same key while they are cut off
//! from each other; whoever sees all events, in whatever order, ends with the same value.

use crate::place::{PATIENCE, Place, ask, at_least, declaration, name};
use async_trait::async_trait;
use fairway_ledger::{Event, EventId, Expected, Filter, Ledger, NewEvent, Position, StreamName};
use fairway_model::Timestamp;
use fairway_read_models::{Projector, ProjectorError, follow};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A value with what decides between it and others: when it was written, and which event said so.
type Written = ((Timestamp, EventId), Value);

/// A register for every key. Taking in a write is commutative, associative and idempotent: the
/// highest one wins.
#[derive(Debug, Clone, Default, PartialEq)]
struct Registers(BTreeMap<String, Written>);

impl Registers {
    fn take(&mut self, key: &str, written: Written) {
        match self.0.get(key) {
            Some((known, _)) if *known >= written.0 => {}
            _ => {
                self.0.insert(key.to_owned(), written);
            }
        }
    }
}

/// Follows one site's ledger for a replica.
struct Site {
    position: Position,
    replica: Arc<Mutex<Registers>>,
}

#[async_trait]
impl Projector for Site {
    async fn position(&mut self) -> Result<Position, ProjectorError> {
        Ok(self.position)
    }

    async fn apply(&mut self, events: &[Event], to: Position) -> Result<(), ProjectorError> {
        let mut replica = self.replica.lock().unwrap();
        for event in events {
            let written = ((event.recorded, event.id), event.decode()?);
            replica.take(event.stream.as_str(), written);
        }
        self.position = to;
        Ok(())
    }
}

async fn set(ledger: &Ledger, key: &str, value: u64) {
    let stream = StreamName::of("price", key).unwrap();
    let event = NewEvent::new("price-set", &value).unwrap();
    ledger.append(&stream, Expected::Any, vec![event]).await.unwrap();
}

#[tokio::test]
async fn two_replicas_fed_by_two_sites_that_were_cut_off_converge() {
    let places = [Place::new(), Place::new()];
    let ledgers = [places[0].ledger(), places[1].ledger()];
    for round in 0..50 {
        set(&ledgers[round % 2], ["tea", "coffee"][round % 3 % 2], round as u64).await;
    }
    let mut replicas = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let replica = Arc::new(Mutex::new(Registers::default()));
        for site in order {
            let projector = Site { position: Position(0), replica: replica.clone() };
            let followed = follow(
                &ledgers[site],
                name("prices"),
                Filter::category("price"),
                Box::new(projector),
            );
            followed.wait(ledgers[site].head().await.unwrap(), PATIENCE).await.unwrap();
            assert_eq!(followed.failing(), None);
            followed.stop().await;
        }
        replicas.push(replica.lock().unwrap().clone());
    }
    assert_eq!(replicas[0], replicas[1]);
    assert_eq!(replicas[0].0.len(), 2);
}

/// The same in SQL, as the page has it.
fn sql() -> String {
    let page = include_str!("../../../../docs/events/read-models.md");
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let found = blocks.filter(|block| block.contains("read-model: prices")).last();
    found.expect("the page has the example").replace("read-model: prices", "read-model: orders")
}

#[tokio::test]
async fn the_sql_of_the_page_converges_too() {
    let id = |number: u8| EventId([number; 16]);
    let writes: Vec<NewEvent> = [(5, 1, 100), (7, 2, 110), (7, 3, 120), (6, 4, 130)]
        .map(|(at, number, price)| {
            let data =
                json!({"sku": "tea", "price": price, "set_at": format!("2026-03-01T00:00:0{at}Z")});
            NewEvent::new("price-set", &data).unwrap().with_id(id(number))
        })
        .into();
    let mut found = Vec::new();
    for turn in 0..writes.len() {
        let place = Place::new();
        let ledger = place.ledger();
        let mut order = writes.clone();
        order.rotate_left(turn);
        let stream = StreamName::of("price", "tea").unwrap();
        let last = ledger.append(&stream, Expected::Any, order).await.unwrap().position;
        let (models, following) = place.start(&ledger);
        models.apply(&declaration(&sql())).await.unwrap();
        let answer = ask(&models, "price_of", &[("sku", json!("tea"))], at_least(last)).await;
        found.push(answer.rows);
        following.stop().await;
    }
    assert!(found.iter().all(|rows| *rows == [[json!(120)]]), "{found:?}");
}

#[tokio::test]
async fn two_sites_that_hand_each_other_their_events_show_the_same_prices() {
    let places = [Place::new(), Place::new()];
    let ledgers = [places[0].ledger(), places[1].ledger()];
    for number in 0..20_u8 {
        let sku = ["tea", "coffee"][usize::from(number) % 3 % 2];
        let data = json!({
            "sku": sku,
            "price": number,
            "set_at": format!("2026-03-01T00:00:{:02}Z", number * 7 % 10),
        });
        let event = NewEvent::new("price-set", &data).unwrap().with_id(EventId([number; 16]));
        let stream = StreamName::of("price", sku).unwrap();
        let site = &ledgers[usize::from(number) % 2];
        site.append(&stream, Expected::Any, vec![event]).await.unwrap();
    }
    // They reach each other again, and do not know what of it arrived before.
    for (from, to) in [(0, 1), (1, 0), (0, 1)] {
        for event in ledgers[from].read_all(Position(0), 1_000).await.unwrap() {
            let same = NewEvent { id: Some(event.id), ..again(&event) };
            ledgers[to].append(&event.stream, Expected::Any, vec![same]).await.unwrap();
        }
    }
    let mut found = Vec::new();
    for (place, ledger) in places.iter().zip(&ledgers) {
        let last = ledger.head().await.unwrap();
        assert_eq!(last, Position(20), "every event is there once");
        let (models, following) = place.start(ledger);
        models.apply(&declaration(&sql())).await.unwrap();
        for sku in ["tea", "coffee"] {
            let of = [("sku", json!(sku))];
            found.push(ask(&models, "price_of", &of, at_least(last)).await.rows);
        }
        following.stop().await;
    }
    assert_eq!(found[..2], found[2..]);
    assert_ne!(found[0], found[1]);
}

fn again(event: &Event) -> NewEvent {
    let (kind, data, metadata) = (event.kind.clone(), event.data.clone(), event.metadata.clone());
    NewEvent { id: None, kind, data, metadata }
}

proptest! {
    #[test]
    fn every_order_with_any_repetition_ends_the_same(
        writes in prop::collection::vec((0..3_u64, 0..4_u8, 0..2_u8), 1..6),
        more in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let all: Vec<(String, Written)> = writes
            .iter()
            .map(|(at, id, key)| {
                // An event has one value, whoever hands it on.
                let value = json!([at, id, key]);
                (key.to_string(), ((Timestamp(*at), EventId([*id; 16])), value))
            })
            .collect();
        let mut first = None;
        permute(&mut (0..all.len()).collect(), 0, &mut |order| {
            let again = more.iter().map(|index| index.index(all.len()));
            let mut registers = Registers::default();
            for at in order.iter().copied().chain(again) {
                let (key, written) = all[at].clone();
                registers.take(&key, written);
            }
            assert_eq!(*first.get_or_insert_with(|| registers.clone()), registers);
        });
    }
}

/// Calls for every order of the items from a place on.
fn permute(items: &mut Vec<usize>, from: usize, call: &mut impl FnMut(&[usize])) {
    if from == items.len() {
        return call(items);
    }
    for at in from..items.len() {
        items.swap(from, at);
        permute(items, from + 1, call);
        items.swap(from, at);
    }
}
