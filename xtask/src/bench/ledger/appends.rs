//! Durable appends.

use super::{Effort, Figures, Load};
use crate::{
    bench::{
        peers::{Fairway, MessageDb, Nats, Postgres},
        place::Place,
        table::{Quantity, Row},
    },
    shell::{self, Outcome},
};
use std::path::Path;

const WRITERS: &str = "64";
const BATCHERS: &str = "16";
const BATCH: &str = "100";
/// A disk that syncs within this many milliseconds lets the ledger reach its goal in events; a
/// slower one in multiples of its own rate.
const FAST_SYNC_MS: f64 = 0.3;
const FAST_GOAL: f64 = 25_000.0;
const SLOW_GOAL: f64 = 8.0;

/// Measures the disk, Fairway and its peers in turns.
pub(super) fn measure(
    place: &Place,
    (load, dir): (&Load, &Path),
    effort: &Effort,
) -> Outcome<Vec<Row>> {
    let seconds = effort.seconds;
    let at = dir.to_str().ok_or("a path of text")?;
    let (nats, postgres) = (Nats::start(place)?, Postgres::start(place)?);
    let (message_db, server) = (MessageDb::install(place, &postgres)?, Fairway::start(place)?);
    let [mut floor, mut best, mut one, mut many, mut over_http, mut batches] =
        [(); 6].map(|()| Figures::default());
    let [mut of_nats, mut plain, mut of_message_db, mut on_postgres] =
        [(); 4].map(|()| Figures::default());
    for _ in 0..effort.rounds {
        let disk = load.run(&["floor", "append", at, seconds])?;
        shell::say(&format!("the disk appends and syncs 4 KiB in {} ms", disk["p50_ms"]));
        floor.add(&disk);
        best.add(&load.run(&["floor", "overwrite", at, seconds])?);
        one.add(&load.run(&["append", at, "1", "1", seconds])?);
        many.add(&load.run(&["append", at, WRITERS, "1", seconds])?);
        over_http.add(&server.appends(WRITERS, seconds)?);
        plain.add(&postgres.plain_inserts(WRITERS, seconds)?);
        on_postgres.add(&postgres.ledger(WRITERS, seconds)?);
        of_message_db.add(&message_db.writes(WRITERS, seconds)?);
        of_nats.add(&nats.publishes(WRITERS, seconds)?);
        batches.add(&load.run(&["append", at, BATCHERS, BATCH, seconds])?);
    }
    let (floor_ms, floor) = (floor.p50(), floor.rate());
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
            "the same over HTTP",
            rate(over_http.rate()),
            ("NATS, synced", of_nats.rate()),
            1.0,
        ),
        Row::times(
            "the same on PostgreSQL",
            rate(on_postgres.rate()),
            ("PostgreSQL insert", plain.rate()),
            1.0,
        ),
        Row::goal("durable appends of 100, 16 writers", rate(batches.rate()), 150_000.0),
    ])
}
