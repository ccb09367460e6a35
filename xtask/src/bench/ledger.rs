//! The ledger: appends and reads of 256-byte events, held against the disk and against other stores.

use super::{
    peers::{MessageDb, Nats, Postgres},
    place::Place,
    samples::median,
    table::{Quantity, Row},
};
use crate::shell::{self, Outcome};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const ROUNDS: usize = 5;
const SECONDS: &str = "3";
const WRITERS: &str = "64";
const BATCHERS: &str = "16";
const BATCH: &str = "100";
const LIVE_RATE: &str = "5000";
const LIVE_EVENTS: &str = "15000";
const CATCH_UP_EVENTS: &str = "1000000";
const CATCH_UP_STREAMS: &str = "1000";
const MANY_EVENTS: &str = "10000000";
const MANY_STREAMS: &str = "1000000";
const MANY_READS: &str = "20000";
/// A disk that syncs within this many milliseconds lets the ledger reach its goal in events; a
/// slower one in multiples of its own rate.
const FAST_SYNC_MS: f64 = 0.3;
const FAST_GOAL: f64 = 25_000.0;
const SLOW_GOAL: f64 = 8.0;

/// The programs that measure, and the crates they belong to.
const PROGRAMS: [(&str, &str); 6] = [
    ("fairway-ledger", "ledger_load"),
    ("fairway-ledger", "nats_load"),
    ("fairway-ledger-postgres", "postgres_load"),
    ("fairway-api", "catch_up"),
    ("fairway-api", "live_delivery"),
    ("fairway-read-models", "follow_load"),
];

/// What `ledger_load` and the programs that measure peers say.
#[derive(Debug, Default)]
struct Figures {
    per_second: Vec<f64>,
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
}

impl Figures {
    fn add(&mut self, said: &Value) {
        let take = |name: &str, list: &mut Vec<f64>| list.extend(said[name].as_f64());
        take("per_second", &mut self.per_second);
        take("p50_ms", &mut self.p50_ms);
        take("p99_ms", &mut self.p99_ms);
    }

    fn rate(&mut self) -> f64 {
        median(&mut self.per_second)
    }

    fn p50(&mut self) -> f64 {
        median(&mut self.p50_ms)
    }

    fn p99(&mut self) -> f64 {
        median(&mut self.p99_ms)
    }
}

/// Measures.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    for (package, example) in PROGRAMS {
        place.example(package, example)?;
    }
    let load = Load { program: place.example("fairway-ledger", "ledger_load")? };
    let dir = place.fresh("ledger")?;
    let mut rows = appends(place, &load, &dir)?;
    rows.extend(reads(&load, &dir)?);
    rows.extend(over_http(place)?);
    rows.extend(many_streams(&load, &dir)?);
    rows.push(read_model(place)?);
    Ok(rows)
}

/// The program that measures ledgers.
struct Load {
    program: PathBuf,
}

impl Load {
    fn run(&self, arguments: &[&str]) -> Outcome<Value> {
        said(Command::new(&self.program).args(arguments))
    }
}

/// What a measuring program prints in its last line.
pub fn said(command: &mut Command) -> Outcome<Value> {
    let said = shell::read(command)?;
    Ok(serde_json::from_str(said.lines().last().unwrap_or_default())?)
}

fn appends(place: &Place, load: &Load, dir: &Path) -> Outcome<Vec<Row>> {
    let at = dir.to_str().ok_or("a path of text")?;
    let (nats, postgres) = (Nats::start(place)?, Postgres::start(place)?);
    let message_db = MessageDb::install(place, &postgres)?;
    let [mut floor, mut best, mut one, mut many, mut batches] =
        [(); 5].map(|()| Figures::default());
    let [mut of_nats, mut plain, mut of_message_db, mut on_postgres] =
        [(); 4].map(|()| Figures::default());
    for _ in 0..ROUNDS {
        floor.add(&load.run(&["floor", "append", at, SECONDS])?);
        best.add(&load.run(&["floor", "overwrite", at, SECONDS])?);
        one.add(&load.run(&["append", at, "1", "1", SECONDS])?);
        many.add(&load.run(&["append", at, WRITERS, "1", SECONDS])?);
        plain.add(&postgres.plain_inserts(WRITERS, SECONDS)?);
        on_postgres.add(&postgres.ledger(WRITERS, SECONDS)?);
        of_message_db.add(&message_db.writes(WRITERS, SECONDS)?);
        of_nats.add(&nats.publishes(WRITERS, SECONDS)?);
        batches.add(&load.run(&["append", at, BATCHERS, BATCH, SECONDS])?);
    }
    let (floor_ms, floor) = (floor.p50(), floor.rate());
    shell::say(&format!("the disk appends and syncs 4 KiB in {floor_ms:.2} ms"));
    let best = best.rate();
    let goal = if floor_ms <= FAST_SYNC_MS { FAST_GOAL } else { SLOW_GOAL * floor };
    let rate = |value| Quantity { value, unit: "events/s" };
    let (one, fast) = (rate(one.rate()), rate(many.rate()));
    let p99 = Quantity { value: many.p99(), unit: "ms" };
    Ok(vec![
        Row::times("durable appends, 1 writer", one, ("append, fdatasync", floor), 0.8),
        Row::times("durable appends, 1 writer", one, ("overwrite, fdatasync", best), 0.5),
        Row::goal("durable appends, 64 writers", fast, goal.round()),
        Row::limit("their 99th percentile", p99, 10.0),
        Row::times("durable appends, 64 writers", fast, ("PostgreSQL insert", plain.rate()), 2.0),
        Row::times("durable appends, 64 writers", fast, ("NATS, synced", of_nats.rate()), 5.0),
        Row::times("durable appends, 64 writers", fast, ("Message DB", of_message_db.rate()), 10.0),
        Row::times(
            "the same on PostgreSQL",
            rate(on_postgres.rate()),
            ("PostgreSQL insert", plain.rate()),
            1.0,
        ),
        Row::goal("durable appends of 100, 16 writers", rate(batches.rate()), 150_000.0),
    ])
}

fn reads(load: &Load, dir: &Path) -> Outcome<Vec<Row>> {
    let at = dir.to_str().ok_or("a path of text")?;
    let file = dir.join("catch-up");
    let file = file.to_str().ok_or("a path of text")?;
    load.run(&["fill", file, CATCH_UP_EVENTS, CATCH_UP_STREAMS])?;
    let [mut live, mut catch_up] = [(); 2].map(|()| Figures::default());
    for _ in 0..ROUNDS {
        live.add(&load.run(&["live", at, LIVE_RATE, SECONDS])?);
        catch_up.add(&load.run(&["read", file])?);
    }
    let milliseconds = |value| Quantity { value, unit: "ms" };
    let rate = Quantity { value: catch_up.rate(), unit: "events/s" };
    Ok(vec![
        Row::limit("append to delivery, 5,000 events/s", milliseconds(live.p50()), 1.0),
        Row::limit("its 99th percentile", milliseconds(live.p99()), 5.0),
        Row::goal("catch-up in process", rate, 1_000_000.0),
    ])
}

fn over_http(place: &Place) -> Outcome<Vec<Row>> {
    let catch_up = place.example("fairway-api", "catch_up")?;
    let live = place.example("fairway-api", "live_delivery")?;
    let (mut rates, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let caught = said(Command::new(&catch_up).arg(CATCH_UP_EVENTS))?;
        rates.extend(caught["per_second"].as_f64());
        let lived = said(Command::new(&live).args([LIVE_EVENTS, LIVE_RATE]))?;
        p50.extend(lived["p50_us"].as_f64());
        p99.extend(lived["p99_us"].as_f64());
    }
    let milliseconds = |times: &mut [f64]| Quantity { value: median(times) / 1e3, unit: "ms" };
    let rate = Quantity { value: median(&mut rates), unit: "events/s" };
    Ok(vec![
        Row::goal("catch-up over HTTP", rate, 300_000.0),
        Row::limit("append to delivery over HTTP", milliseconds(&mut p50), 1.0),
        Row::limit("its 99th percentile", milliseconds(&mut p99), 5.0),
    ])
}

fn read_model(place: &Place) -> Outcome<Row> {
    let load = place.example("fairway-read-models", "follow_load")?;
    let dir = place.fresh("read-models")?;
    let said = said(Command::new(load).arg(&dir).arg(MANY_EVENTS))?;
    let seconds = said["seconds"].as_f64().ok_or("a figure")?;
    std::fs::remove_dir_all(dir)?;
    let taken = Quantity { value: seconds, unit: "s" };
    Ok(Row::limit("SQL read model of 10 million events", taken, 60.0))
}

fn many_streams(load: &Load, dir: &Path) -> Outcome<Vec<Row>> {
    let file = dir.join("many");
    let file = file.to_str().ok_or("a path of text")?;
    load.run(&["fill", file, MANY_EVENTS, MANY_STREAMS])?;
    let figure = |name: &str, unit| -> Outcome<Quantity> {
        let mut values = Vec::new();
        for _ in 0..ROUNDS {
            let said = load.run(&["open", file, MANY_STREAMS, MANY_READS])?;
            values.push(said[name].as_f64().ok_or("a figure")?);
        }
        Ok(Quantity { value: median(&mut values), unit })
    };
    let rows = vec![
        Row::limit("10 million events: opened in", figure("open_ms", "ms")?, 500.0),
        Row::limit("their largest resident memory", figure("resident_mb", "MB")?, 100.0),
        Row::limit("last event of a stream, 99th percentile", figure("p99_ms", "ms")?, 1.0),
    ];
    std::fs::remove_dir_all(dir)?;
    Ok(rows)
}
