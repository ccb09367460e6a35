//! A ledger in a temporary directory, and short ways to use its read models.

use fairway_ledger::{Expected, Ledger, NewEvent, Position, StreamName};
use fairway_model::ReadModelName;
use fairway_read_models::{
    Answer, Consistency, Declaration, Following, Parameters, Places, Question, ReadModels,
};
use serde_json::Value;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// The longest that anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const ORDERS: &str = "
read-model: orders
version: 1
from: { category: order }
tables: |
  CREATE TABLE orders (id TEXT PRIMARY KEY, state TEXT NOT NULL, total INTEGER NOT NULL);
on:
  order-created: INSERT INTO orders (id, state, total) VALUES (:stream_id, 'created', :total)
  order-paid:
    - UPDATE orders SET state = 'paid' WHERE id = :stream_id
queries:
  by_state: SELECT id, total FROM orders WHERE state = :state ORDER BY id
  sum: SELECT count(*), coalesce(sum(total), 0) FROM orders
";

pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir_in("/var/tmp").unwrap() }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::open(&self.dir.path().join("events.db")).unwrap()
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().join("read-models")
    }

    pub(crate) fn places(&self) -> Places {
        Places { dir: self.dir(), ..Places::default() }
    }

    pub(crate) fn start(&self, ledger: &Ledger) -> (ReadModels, Following) {
        ReadModels::start(ledger.clone(), self.places()).unwrap()
    }
}

pub(crate) fn name(text: &str) -> ReadModelName {
    text.parse().unwrap()
}

pub(crate) fn declaration(text: &str) -> Declaration {
    Declaration::read("orders.yaml", text).unwrap()
}

/// Appends an event to the stream of an order; says where it is.
pub(crate) async fn order(ledger: &Ledger, id: u64, kind: &str, data: Value) -> Position {
    let stream = StreamName::of("order", id).unwrap();
    let event = NewEvent::new(kind, &data).unwrap();
    ledger.append(&stream, Expected::Any, vec![event]).await.unwrap().position
}

pub(crate) fn at_least(position: Position) -> Consistency {
    Consistency::AtLeast(position, PATIENCE)
}

pub(crate) async fn ask(
    models: &ReadModels,
    query: &str,
    parameters: &[(&str, Value)],
    consistency: Consistency,
) -> Answer {
    let parameters: Parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let question = Question::Named(query.to_owned());
    models.query(&name("orders"), (question, parameters), consistency).await.unwrap()
}

/// Waits until something holds.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "it did not come to hold");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
