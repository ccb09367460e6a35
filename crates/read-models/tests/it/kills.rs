//! The process that drives is killed at any moment; nothing is taken in twice or not at all.

use crate::place::{Place, ask, at_least, declaration, name};
use fairway_ledger::{Append, Expected, Ledger, NewEvent, Position, StreamName};
use fairway_read_models::{Places, ReadModels};
use serde_json::json;
use std::{
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

const PATH: &str = "FAIRWAY_TEST_READ_MODELS";

fn child(dir: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["kills::drive", "--exact", "--ignored", "--nocapture"])
        .env(PATH, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the way from a test to the process it starts")]
fn given_path() -> Option<PathBuf> {
    std::env::var_os(PATH).map(PathBuf::from)
}

/// Not a test of its own: drives until it is killed.
#[tokio::test]
#[ignore = "started by another test"]
async fn drive() {
    let Some(dir) = given_path() else { return };
    let ledger = Ledger::open(&dir.join("events.db")).unwrap();
    let places = Places { dir: dir.join("read-models"), ..Places::default() };
    let (_models, following) = ReadModels::start(ledger, places).unwrap();
    println!("\nit drives");
    tokio::time::sleep(Duration::from_mins(10)).await;
    following.stop().await;
}

/// Appends orders of one and a sum that counts each once.
async fn append(ledger: &Ledger, numbers: std::ops::Range<u64>) -> Position {
    let append = |number| Append {
        stream: StreamName::of("order", number).unwrap(),
        expected: Expected::Any,
        events: vec![NewEvent::new("order-created", &json!({"total": number})).unwrap()],
    };
    ledger.append_all(numbers.map(append).collect()).await.unwrap()[0].position
}

const COUNTED: &str = "
read-model: orders
version: 1
from: { category: order }
tables: |
  CREATE TABLE totals (one INTEGER PRIMARY KEY, events INTEGER NOT NULL, total INTEGER NOT NULL);
  INSERT INTO totals VALUES (1, 0, 0);
on:
  order-created: UPDATE totals SET events = events + 1, total = total + :total
queries:
  sum: SELECT events, total FROM totals
";

#[tokio::test]
async fn kills_in_rebuilds_and_in_live_following_lose_and_double_nothing() {
    let place = Place::new();
    let ledger = place.ledger();
    let mut count = 0;
    let reader = ReadModels::open(ledger.clone(), place.places());
    for round in 0..30_u64 {
        if round % 5 == 0 {
            let version = format!("version: {}", round / 5 + 1);
            let text = COUNTED.replace("version: 1", &version);
            reader.apply(&declaration(&text)).await.unwrap();
        }
        let mut child = child(place.dir().parent().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next().unwrap().unwrap() != "it drives" {}
        let moment = RandomState::new().hash_one(round) % 20;
        for _ in 0..moment {
            append(&ledger, count..count + 700).await;
            count += 700;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = append(&ledger, count..count + 1).await;
    count += 1;
    let (models, following) = place.start(&ledger);
    models.wait(&name("orders"), at_least(last)).await.unwrap();
    let answer = ask(&models, "sum", &[], at_least(last)).await;
    assert_eq!(
        (answer.version, answer.rows),
        (6, vec![vec![json!(count), json!(count * (count - 1) / 2)]])
    );
    following.stop().await;
}
