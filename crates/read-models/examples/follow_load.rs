//! How fast a read model takes in a ledger: `follow_load DIR EVENTS`. Fills a ledger with orders of
//! about 256 bytes, every fourth event one that pays an order, and builds a SQL read model of them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

use fairway_ledger::{Append, Expected, Ledger, NewEvent, Position, StreamName};
use fairway_read_models::{Consistency, Declaration, Parameters, Places, Question, ReadModels};
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};

const MODEL: &str = "
read-model: orders
version: 1
from: { category: order }
tables: CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, state TEXT NOT NULL, total INTEGER NOT NULL)
on:
  order-created: INSERT INTO orders VALUES (:stream_id, :customer, 'created', :total)
  order-paid: UPDATE orders SET state = 'paid' WHERE id = :stream_id
queries:
  sum: SELECT count(*), sum(total), sum(state = 'paid') FROM orders
";
const FILL: u64 = 5_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().expect("a directory");
    let events: u64 = arguments.next().expect("a number of events").parse().unwrap();
    let dir = Path::new(&dir);
    let ledger = Ledger::open(&dir.join("events.db")).unwrap();
    fill(&ledger, events).await;
    let places = Places { dir: dir.join("read-models"), ..Places::default() };
    let declaration = Declaration::read("orders.yaml", MODEL).unwrap();
    let name = declaration.name().clone();
    let (models, following) = ReadModels::start(ledger, places).unwrap();
    let start = Instant::now();
    models.apply(&declaration).await.unwrap();
    let wait = Consistency::AtLeast(Position(events), Duration::from_hours(1));
    let asked = (Question::Named("sum".to_owned()), Parameters::new());
    models.wait(&name, wait).await.unwrap();
    let took = start.elapsed().as_secs_f64();
    let answer = models.query(&name, asked, Consistency::Now).await.unwrap();
    let per_second = events as f64 / took;
    println!(
        "{}",
        json!({ "events": events, "seconds": took, "per_second": per_second, "rows": answer.rows })
    );
    following.stop().await;
}

async fn fill(ledger: &Ledger, events: u64) {
    let filler = "x".repeat(180);
    let mut next = ledger.head().await.unwrap().0;
    while next < events {
        let last = events.min(next + FILL);
        let appends = (next..last).filter(|number| number % 4 != 3).map(|number| {
            let created = json!({"customer": format!("customer-{}", number % 1000), "total": number % 100, "note": filler});
            let mut all = vec![NewEvent::new("order-created", &created).unwrap()];
            if number % 4 == 2 && number + 1 < last {
                let paid = json!({"method": "card", "note": filler, "reference": number});
                all.push(NewEvent::new("order-paid", &paid).unwrap());
            }
            Append { stream: StreamName::of("order", number).unwrap(), expected: Expected::Any, events: all }
        });
        ledger.append_all(appends.collect()).await.unwrap();
        next = ledger.head().await.unwrap().0;
    }
}
