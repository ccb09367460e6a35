//! Processes that drive read models, which can be killed and paused: this test binary starts itself
//! again.

use crate::{place::Place, tables::Tables};
use fairway_ledger::{Append, Clock, Expected, Ledger, NewEvent, Position, StreamName};
use fairway_read_models::{Places, ReadModels};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

const GIVEN: &str = "FAIRWAY_TEST_READ_MODELS";

/// Counts every event as often as it is taken in.
pub(crate) const COUNTED: &str = "
read-model: orders
version: 1
from: { category: order }
tables: CREATE TABLE counted (total BIGINT NOT NULL)
on:
  order-created: INSERT INTO counted VALUES (:total)
queries:
  sum: SELECT count(*) AS events, CAST(sum(total) AS BIGINT) AS total FROM counted
";

/// Appends an order for each number.
pub(crate) async fn append(ledger: &Ledger, numbers: std::ops::Range<u64>) -> Position {
    let append = |number| Append {
        stream: StreamName::of("order", number).unwrap(),
        expected: Expected::Any,
        events: vec![NewEvent::new("order-created", &json!({"total": number})).unwrap()],
    };
    ledger.append_all(numbers.map(append).collect()).await.unwrap()[0].position
}

/// What [`COUNTED`] answers when orders up to a number were counted once each.
pub(crate) fn counted(count: u64) -> [[Value; 2]; 1] {
    [[json!(count), json!(count * (count - 1) / 2)]]
}

/// Opens the ledger in a file, or the one at an address.
pub(crate) async fn open(ledger: &str) -> Ledger {
    if ledger.starts_with("postgres://") {
        return fairway_ledger_postgres::open(ledger, Clock::system()).await.unwrap();
    }
    Ledger::open(ledger.as_ref()).unwrap()
}

/// A process that drives, or waits until it may. It is killed when this is dropped.
pub(crate) struct Driver(Child);

impl Driver {
    /// Starts one on a ledger; returns when it has begun.
    pub(crate) fn start(ledger: &str, (place, tables): (&Place, &Tables)) -> Self {
        let Places { dir, secrets } = tables.places(place);
        let given = json!({"ledger": ledger, "dir": dir, "database": secrets.values().next()});
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["drivers::drive", "--exact", "--ignored", "--nocapture"])
            .env(GIVEN, given.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next().unwrap().unwrap() != "it drives" {}
        Self(child)
    }

    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn wake(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        kill.arg(format!("-{signal}")).arg(self.0.id().to_string());
        assert!(kill.status().unwrap().success());
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the way from a test to the process it starts")]
fn given() -> Option<Value> {
    Some(serde_json::from_str(&std::env::var(GIVEN).ok()?).unwrap())
}

/// Not a test of its own: drives until it is killed.
#[tokio::test]
#[ignore = "started by another test"]
async fn drive() {
    let Some(given) = given() else { return };
    let text = |key: &str| given[key].as_str().unwrap_or_default().to_owned();
    let secrets = [("database".parse().unwrap(), text("database"))].into();
    let places = Places { dir: text("dir").into(), secrets };
    let (_models, following) = ReadModels::start(open(&text("ledger")).await, places).unwrap();
    println!("\nit drives");
    tokio::time::sleep(Duration::from_mins(10)).await;
    following.stop().await;
}
