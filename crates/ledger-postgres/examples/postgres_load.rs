//! Measures a ledger in PostgreSQL, and plain inserts into a table of the same server. Prints one
//! JSON object.
//!
//! Usage: `postgres_load append URL WRITERS BATCH SECONDS`: writers with a stream each append
//! 256-byte events to a ledger in a schema of its own; `insert URL WRITERS BATCH SECONDS`: as many
//! connections insert as large rows into a plain table with a `bigserial` and a unique index by
//! stream and version; `message-db URL WRITERS SECONDS`: as many connections call Message DB's
//! `write_message`, each with a stream of one category. What is made is dropped afterwards.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for measuring alone"
)]

use fairway_ledger::{Clock, Expected, Json, Ledger, NewEvent, StreamName};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

/// Bytes of data of one event.
const EVENT_BYTES: usize = 256;

const TABLE: &str = "
    DROP TABLE IF EXISTS plain_inserts;
    CREATE TABLE plain_inserts (
        position bigserial PRIMARY KEY,
        stream text NOT NULL,
        version bigint NOT NULL,
        kind text NOT NULL,
        recorded timestamptz NOT NULL DEFAULT now(),
        data text NOT NULL,
        UNIQUE (stream, version)
    )";
const INSERT: &str =
    "INSERT INTO plain_inserts (stream, version, kind, data) VALUES ($1, $2, 'measured', $3)";

const WRITE_MESSAGE: &str = "
    SELECT message_store.write_message(
        gen_random_uuid()::varchar, $1::varchar, 'measured'::varchar, $2::text::jsonb)";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u64>().unwrap();
    let seconds = |word: &str| Duration::from_secs_f64(word.parse().unwrap());
    let figures = match words.as_slice() {
        ["append", url, writers, batch, time] => {
            append(url, number(writers), number(batch), seconds(time)).await
        }
        ["insert", url, writers, batch, time] => {
            insert(url, number(writers), number(batch), seconds(time)).await
        }
        ["message-db", url, writers, time] => message_db(url, number(writers), seconds(time)).await,
        _ => panic!("see the head of this program for what it takes"),
    };
    println!("{figures}");
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A ledger that is there for one measurement only.
async fn fresh(url: &str) -> (Ledger, String) {
    let schema = format!("load_{}", std::process::id());
    let url = format!("{url}?schema={schema}");
    let ledger = fairway_ledger_postgres::open(&url, Clock::system()).await.unwrap();
    (ledger, format!("DROP SCHEMA {schema} CASCADE"))
}

async fn append(url: &str, writers: u64, batch: u64, time: Duration) -> Value {
    let (ledger, drop) = fresh(url).await;
    let start = Instant::now();
    let mut all = JoinSet::new();
    for writer in 0..writers {
        let (ledger, stream) = (ledger.clone(), StreamName::of("writer", writer).unwrap());
        all.spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < time {
                let before = Instant::now();
                let events = (0..batch).map(|_| event()).collect();
                ledger.append(&stream, Expected::Any, events).await.unwrap();
                times.push(before.elapsed());
            }
            times
        });
    }
    let times: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    let figures = rates(times.len() as u64 * batch, start.elapsed(), times);
    connect(url).await.batch_execute(&drop).await.unwrap();
    figures
}

async fn insert(url: &str, writers: u64, batch: u64, time: Duration) -> Value {
    let first = connect(url).await;
    first.batch_execute(TABLE).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..writers {
        let client = connect(url).await;
        let statement = client.prepare(INSERT).await.unwrap();
        clients.push((client, statement));
    }
    let start = Instant::now();
    let mut all = JoinSet::new();
    for (writer, (mut client, insert)) in clients.into_iter().enumerate() {
        all.spawn(async move {
            let (mut times, mut version, stream) = (Vec::new(), 0_i64, format!("writer-{writer}"));
            while start.elapsed() < time {
                let before = Instant::now();
                let data = data();
                if batch == 1 {
                    version += 1;
                    client.execute(&insert, &[&stream, &version, &data]).await.unwrap();
                } else {
                    let transaction = client.transaction().await.unwrap();
                    for _ in 0..batch {
                        version += 1;
                        transaction.execute(&insert, &[&stream, &version, &data]).await.unwrap();
                    }
                    transaction.commit().await.unwrap();
                }
                times.push(before.elapsed());
            }
            times
        });
    }
    let times: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    let figures = rates(times.len() as u64 * batch, start.elapsed(), times);
    first.batch_execute("DROP TABLE plain_inserts").await.unwrap();
    figures
}

async fn message_db(url: &str, writers: u64, time: Duration) -> Value {
    let mut clients = Vec::new();
    for _ in 0..writers {
        let client = connect(url).await;
        client.batch_execute("SET search_path TO message_store, public").await.unwrap();
        let statement = client.prepare(WRITE_MESSAGE).await.unwrap();
        clients.push((client, statement));
    }
    let start = Instant::now();
    let mut all = JoinSet::new();
    for (writer, (client, write)) in clients.into_iter().enumerate() {
        all.spawn(async move {
            let (mut times, stream) = (Vec::new(), format!("writer-{writer}"));
            while start.elapsed() < time {
                let before = Instant::now();
                client.query(&write, &[&stream, &data()]).await.unwrap();
                times.push(before.elapsed());
            }
            times
        });
    }
    let times: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    rates(times.len() as u64, start.elapsed(), times)
}

fn data() -> String {
    format!("\"{}\"", "x".repeat(EVENT_BYTES - 2))
}

fn event() -> NewEvent {
    NewEvent::from_json("measured", Json::parse(data()).unwrap()).unwrap()
}

fn rates(events: u64, elapsed: Duration, mut times: Vec<Duration>) -> Value {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    json!({
        "events": events,
        "per_second": events as f64 / elapsed.as_secs_f64(),
        "p50_ms": millis(at(50)),
        "p99_ms": millis(at(99)),
    })
}
