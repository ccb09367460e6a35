//! A look at everything in the tables, as it is at one moment, while others write.

use crate::{
    connection::Link,
    error,
    reader::{signed, unsigned},
    streams,
};
use fairway_ledger::{FAULTS_MAX, Fault, Json, Position, Span, StreamName, StreamState, Version};
use std::time::Duration;
use tokio_postgres::Row;

/// How long one statement may take.
pub(crate) const PATIENCE: Duration = Duration::from_hours(1);
/// How many streams and events are looked at in one statement.
const STREAMS: i64 = 5_000;
const EVENTS: i64 = 200;

const STREAMS_AFTER: &str = "
    SELECT s.id, s.name, s.version, s.truncated, s.standing, c.name, e.count, e.low, e.high
    FROM (SELECT * FROM states WHERE id > $1 ORDER BY id LIMIT $2) s
    LEFT JOIN categories c ON c.id = s.category
    LEFT JOIN LATERAL (SELECT count(*) AS count, min(version) AS low, max(version) AS high
        FROM events WHERE stream = s.id) e ON true
    ORDER BY s.id";
const GAP: &str = "
    SELECT min(version) + 1 FROM events e WHERE stream = $1 AND version < $2
    AND NOT EXISTS (SELECT 1 FROM events n WHERE n.stream = e.stream AND n.version = e.version + 1)";
const EVENTS_AFTER: &str = "
    SELECT e.position, e.recorded, e.data_is_json, e.data, e.metadata_is_json, e.metadata,
        s.category IS NOT DISTINCT FROM e.category
    FROM events e LEFT JOIN streams s ON s.id = e.stream
    WHERE e.position > $1 ORDER BY e.position LIMIT $2";
const DOUBLE_IDS: &str = "
    SELECT max(position) FROM events WHERE id IS NOT NULL
    GROUP BY stream, id HAVING count(*) > 1 LIMIT $1";
const SNAPSHOTS: &str = "
    SELECT s.name, n.version FROM snapshots n JOIN states s ON s.id = n.stream
    WHERE n.version > s.version LIMIT $1";
const PROJECTIONS: &str = "
    SELECT name, position FROM projections
    WHERE position > (SELECT position FROM head) LIMIT $1";

/// Names what is wrong.
pub(crate) async fn check(link: &Link) -> Result<Vec<Fault>, error::Fault> {
    link.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut faults = Vec::new();
    let truncated = streams(link, &mut faults).await?;
    let present = events(link, &mut faults).await?;
    let head: i64 = link.query_one("SELECT position FROM head", &[]).await?.get(0);
    let holes = unsigned(head).saturating_sub(present);
    // After so many faults neither number means anything.
    if holes != truncated && faults.len() < FAULTS_MAX {
        faults.push(Fault::Holes { holes, truncated });
    }
    rest(link, &mut faults).await?;
    link.run("COMMIT").await?;
    faults.truncate(FAULTS_MAX);
    Ok(faults)
}

/// Versions without gaps, and streams that know theirs. Says how many events were truncated.
async fn streams(link: &Link, faults: &mut Vec<Fault>) -> Result<u64, error::Fault> {
    let (mut after, mut truncated): (i64, u64) = (0, 0);
    while faults.len() < FAULTS_MAX {
        let rows = link.query(STREAMS_AFTER, &[&after, &STREAMS]).await?;
        let Some(last) = rows.last() else { break };
        after = last.get(0);
        for row in &rows {
            let state = streams::state(row, 1);
            if row.get::<_, Option<&str>>(5) != Some(state.name.category()) {
                let category = format!("stream `{}` is in another category", state.name);
                faults.push(Fault::Storage(category));
            }
            let has = span(row);
            let count = has.map_or(0, |has| has.count);
            truncated += state.version.0.saturating_sub(count);
            faults.extend(state.faults(has));
            if let Some(has) = has.filter(Span::has_gap) {
                faults.push(gap(link, row.get(0), &state, has).await?);
            }
        }
    }
    Ok(truncated)
}

fn span(row: &Row) -> Option<Span> {
    let version = |column| row.get::<_, Option<i64>>(column).map(|at| Version(unsigned(at)));
    Some(Span { count: unsigned(row.get(6)), low: version(7)?, high: version(8)? })
}

/// The first version that is missing between others.
async fn gap(link: &Link, id: i64, state: &StreamState, has: Span) -> Result<Fault, error::Fault> {
    let row = link.query_one(GAP, &[&id, &signed(has.high.0)]).await?;
    let version = row.get::<_, Option<i64>>(0).map_or(0, unsigned);
    Ok(Fault::Missing { stream: state.name.clone(), version: Version(version) })
}

/// Events one by one: their stream, their order in time, their JSON. Says how many there are.
async fn events(link: &Link, faults: &mut Vec<Fault>) -> Result<u64, error::Fault> {
    let (mut after, mut before, mut count): (i64, i64, u64) = (0, 0, 0);
    while faults.len() < FAULTS_MAX {
        let rows = link.query(EVENTS_AFTER, &[&after, &EVENTS]).await?;
        let Some(last) = rows.last() else { break };
        after = last.get(0);
        count += rows.len() as u64;
        for row in &rows {
            let (position, recorded) = (Position(unsigned(row.get(0))), row.get(1));
            if recorded < before {
                faults.push(Fault::Time(position));
            }
            before = recorded;
            for (column, part) in [(2, "data"), (4, "metadata")] {
                if row.get::<_, bool>(column) && !is_json(row.get(column + 1)) {
                    faults.push(Fault::Json { position, part });
                }
            }
            if !row.get::<_, bool>(6) {
                faults.push(Fault::Stray(position));
            }
        }
    }
    Ok(count)
}

fn is_json(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| Json::parse(text.to_owned()).is_ok())
}

/// Ids, snapshots, projections.
async fn rest(link: &Link, faults: &mut Vec<Fault>) -> Result<(), error::Fault> {
    let limit = signed(FAULTS_MAX as u64);
    for row in link.query(DOUBLE_IDS, &[&limit]).await? {
        faults.push(Fault::DoubleId(Position(unsigned(row.get(0)))));
    }
    for row in link.query(SNAPSHOTS, &[&limit]).await? {
        let (stream, version) = (StreamName::trusted(row.get(0)), Version(unsigned(row.get(1))));
        faults.push(Fault::Snapshot { stream, version });
    }
    for row in link.query(PROJECTIONS, &[&limit]).await? {
        let position = Position(unsigned(row.get(1)));
        faults.push(Fault::Projection { name: row.get(0), position });
    }
    Ok(())
}
