//! Measures durable appends of 256-byte events in PostgreSQL. Prints one JSON object.
//!
//! Usage: `postgres_load HOW URL WRITERS SECONDS`, where HOW is `insert`: every writer has a
//! connection and inserts into one table with a `bigserial` position and a unique
//! (stream, version); `message-db`: every writer calls Message DB's `write_message`; `ledger`: every
//! writer appends to a Fairway ledger.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for measuring alone"
)]

use fairway_ledger::{Clock, Expected, Json, Ledger, NewEvent, StreamName};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

const EVENT_BYTES: usize = 256;
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS plain_events (
        position bigserial PRIMARY KEY,
        stream text NOT NULL,
        version bigint NOT NULL,
        kind text NOT NULL,
        recorded timestamptz NOT NULL DEFAULT now(),
        data text NOT NULL,
        UNIQUE (stream, version)
    )";
const INSERT: &str =
    "INSERT INTO plain_events (stream, version, kind, data) VALUES ($1, $2, 'measured', $3)";
const WRITE_MESSAGE: &str = "SELECT message_store.write_message(gen_random_uuid()::varchar, $1, 'measured', $2::text::jsonb)";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [how, url, writers, seconds] = arguments.as_slice() else {
        panic!("see the head of this program for what it takes")
    };
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    let (start, mut all) = (Instant::now(), JoinSet::new());
    let ledger = match how.as_str() {
        "ledger" => Some(fairway_ledger_postgres::open(url, Clock::system()).await.unwrap()),
        "insert" => {
            connect(url).await.batch_execute(TABLE).await.unwrap();
            None
        }
        _ => None,
    };
    for number in 0..writers.parse::<u64>().unwrap() {
        // Streams of one run are its own, so that versions start anew.
        let stream = format!("writer-{}x{number}", std::process::id());
        let writer = match (how.as_str(), &ledger) {
            (_, Some(ledger)) => Writer::Ledger(ledger.clone()),
            ("insert", _) => Writer::Statement(connect(url).await, INSERT),
            ("message-db", _) => Writer::Statement(connect(url).await, WRITE_MESSAGE),
            _ => panic!("there is no `{how}`"),
        };
        all.spawn(writer.write(stream, start, time));
    }
    let mut times: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    times.sort();
    println!(
        "{}",
        json!({
            "per_second": times.len() as f64 / start.elapsed().as_secs_f64(),
            "p50_ms": times[times.len() / 2].as_secs_f64() * 1e3,
            "p99_ms": times[times.len() * 99 / 100].as_secs_f64() * 1e3,
        })
    );
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

enum Writer {
    Ledger(Ledger),
    Statement(Client, &'static str),
}

impl Writer {
    async fn write(self, stream: String, start: Instant, time: Duration) -> Vec<Duration> {
        let text = format!("\"{}\"", "x".repeat(EVENT_BYTES - 2));
        let (name, mut times): (StreamName, _) = (stream.parse().unwrap(), Vec::new());
        let statement = match &self {
            Self::Statement(client, sql) => Some(client.prepare(sql).await.unwrap()),
            Self::Ledger(_) => None,
        };
        while start.elapsed() < time {
            let before = Instant::now();
            match (&self, &statement) {
                (Self::Ledger(ledger), _) => {
                    let data = Json::parse(text.clone()).unwrap();
                    let event = NewEvent::from_json("measured", data).unwrap();
                    ledger.append(&name, Expected::Any, vec![event]).await.unwrap();
                }
                (Self::Statement(client, INSERT), Some(statement)) => {
                    let version = i64::try_from(times.len()).unwrap();
                    client.execute(statement, &[&stream, &version, &text]).await.unwrap();
                }
                (Self::Statement(client, _), Some(statement)) => {
                    client.execute(statement, &[&stream, &text]).await.unwrap();
                }
                (Self::Statement(..), None) => unreachable!("it was prepared"),
            }
            times.push(before.elapsed());
        }
        times
    }
}
