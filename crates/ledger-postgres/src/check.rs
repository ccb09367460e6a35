//! A look at everything in the tables, as it is at one moment, while others write.

use crate::{
    connection::Link,
    error,
    reader::{self, signed, unsigned},
    streams,
};
use fairway_ledger::{
    FAULTS_MAX, Fault, Findings, Json, Looked, Position, Span, StreamName, StreamState, Version,
};
use fairway_model::Timestamp;
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
    let mut findings = Findings::default();
    streams(link, &mut findings).await?;
    events(link, &mut findings).await?;
    findings.end(reader::head(link).await?);
    rest(link, &mut findings).await?;
    link.run("COMMIT").await?;
    Ok(findings.faults())
}

/// Versions without gaps, and streams that know theirs.
async fn streams(link: &Link, findings: &mut Findings) -> Result<(), error::Fault> {
    let mut after = 0_i64;
    while !findings.is_full() {
        let rows = link.query(STREAMS_AFTER, &[&after, &STREAMS]).await?;
        let Some(last) = rows.last() else { break };
        after = last.get(0);
        for row in &rows {
            let (state, has) = (streams::state(row, 1), span(row));
            findings.stream(&state, row.get(5), has);
            if let Some(has) = has.filter(Span::has_gap) {
                findings.add(gap(link, row.get(0), &state, has).await?);
            }
        }
    }
    Ok(())
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

/// Events one by one.
async fn events(link: &Link, findings: &mut Findings) -> Result<(), error::Fault> {
    let mut after = 0_i64;
    while !findings.is_full() {
        let rows = link.query(EVENTS_AFTER, &[&after, &EVENTS]).await?;
        let Some(last) = rows.last() else { break };
        after = last.get(0);
        for row in &rows {
            let is_unsound = |column| row.get(column) && !is_json(row.get(column + 1));
            let unsound = [(2, "data"), (4, "metadata")]
                .into_iter()
                .filter_map(|(column, part)| is_unsound(column).then_some(part));
            findings.event(Looked {
                position: Position(unsigned(row.get(0))),
                recorded: Timestamp(unsigned(row.get(1))),
                unsound: unsound.collect(),
                belongs: row.get(6),
            });
        }
    }
    Ok(())
}

fn is_json(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| Json::parse(text.to_owned()).is_ok())
}

/// Ids, snapshots, projections.
async fn rest(link: &Link, findings: &mut Findings) -> Result<(), error::Fault> {
    let limit = signed(FAULTS_MAX as u64);
    for row in link.query(DOUBLE_IDS, &[&limit]).await? {
        findings.add(Fault::DoubleId(Position(unsigned(row.get(0)))));
    }
    for row in link.query(SNAPSHOTS, &[&limit]).await? {
        let (stream, version) = (StreamName::trusted(row.get(0)), Version(unsigned(row.get(1))));
        findings.add(Fault::Snapshot { stream, version });
    }
    for row in link.query(PROJECTIONS, &[&limit]).await? {
        let position = Position(unsigned(row.get(1)));
        findings.add(Fault::Projection { name: row.get(0), position });
    }
    Ok(())
}
