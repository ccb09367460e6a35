//! What is known of streams, and removing what was truncated of them.

use crate::{
    connection::Link,
    error::Fault,
    reader::{signed, unsigned},
};
use fairway_ledger::{
    ListStreams, PAGE_STREAMS_MAX, Piece, Remains, SWEEP_STREAMS_MAX, Standing, StreamName,
    StreamState, Version, first_of,
};
use std::time::Instant;
use tokio_postgres::Row;

/// One process at a time sweeps.
const BEGIN_SWEEP: &str = "
    BEGIN; SELECT pg_advisory_xact_lock(hashtext('fairway sweep'), hashtext(current_schema()));";
const REMAINS: &str =
    "SELECT id, swept, truncated FROM streams WHERE swept < truncated ORDER BY id LIMIT $1";
const KEEP_IDS: &str = "
    INSERT INTO truncated_ids (position, stream, version, id)
    SELECT e.position, e.stream, e.version, e.id
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS gone(stream, after, up_to)
    JOIN events e ON e.stream = gone.stream AND e.version > gone.after AND e.version <= gone.up_to
    WHERE e.id IS NOT NULL
    ON CONFLICT DO NOTHING";
const DELETE: &str = "
    DELETE FROM events e
    USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS gone(stream, after, up_to)
    WHERE e.stream = gone.stream AND e.version > gone.after AND e.version <= gone.up_to";
const LOCK_APPENDER: &str = "SELECT token FROM appender FOR UPDATE";
const NOTE_SWEPT: &str = "
    UPDATE streams SET swept = gone.up_to
    FROM unnest($1::bigint[], $2::bigint[]) AS gone(stream, up_to) WHERE id = gone.stream";

/// What is known of a stream.
pub(crate) async fn find(link: &Link, name: &StreamName) -> Result<StreamState, Fault> {
    let sql = "SELECT name, version, truncated, standing FROM states WHERE name = $1";
    let found = link.query_opt(sql, &[&name.as_str()]).await?;
    Ok(found.map_or_else(|| StreamState::none(name.clone()), |row| state(&row, 0)))
}

/// One page of streams by name.
pub(crate) async fn list(link: &Link, list: &ListStreams) -> Result<Vec<StreamState>, Fault> {
    let sql = "SELECT name, version, truncated, standing FROM states
        WHERE name > $1 AND name >= $2 AND name < $3 ORDER BY name LIMIT $4";
    if list.prefix.contains('\0') {
        return Ok(Vec::new());
    }
    // A name that comes after this text comes after what is before its first zero, which names no
    // stream itself.
    let after = list.after.split('\0').next().unwrap_or_default();
    let end = format!("{}{}", list.prefix, char::MAX);
    let limit = signed(list.limit.min(PAGE_STREAMS_MAX) as u64);
    let rows = link.query(sql, &[&after, &list.prefix, &end, &limit]).await?;
    Ok(rows.iter().map(|row| state(row, 0)).collect())
}

/// Whether a stream has events that are truncated.
pub(crate) async fn is_some_to_sweep(link: &Link) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT FROM streams WHERE swept < truncated)";
    Ok(link.query_one(sql, &[]).await?.get(0))
}

/// Removes at most so many of the events that are truncated, but for the ids that they were given.
/// Of the rows that appenders change it locks some only at the end, and in
/// their order: that of the lease first.
pub(crate) async fn sweep(link: &Link, events: u64) -> Result<Piece, Fault> {
    link.run(BEGIN_SWEEP).await?;
    let remains = link.query(REMAINS, &[&signed(SWEEP_STREAMS_MAX as u64)]).await?;
    let version = |row: &Row, column| Version(unsigned(row.get(column)));
    let remains = remains.iter().map(|row| Remains {
        stream: row.get(0),
        after: version(row, 1),
        up_to: version(row, 2),
    });
    let piece = first_of(remains.collect(), events);
    if piece.is_empty() {
        link.run("COMMIT").await?;
        return Ok(Piece::Nothing);
    }
    let streams: Vec<i64> = piece.iter().map(|gone| gone.stream).collect();
    let after: Vec<i64> = piece.iter().map(|gone| signed(gone.after.0)).collect();
    let up_to: Vec<i64> = piece.iter().map(|gone| signed(gone.up_to.0)).collect();
    let start = Instant::now();
    link.query(KEEP_IDS, &[&streams, &after, &up_to]).await?;
    link.query(DELETE, &[&streams, &after, &up_to]).await?;
    let took = start.elapsed();
    link.query(LOCK_APPENDER, &[]).await?;
    link.query(NOTE_SWEPT, &[&streams, &up_to]).await?;
    link.run("COMMIT").await?;
    Ok(Piece::Removed(took))
}

/// What is known of a stream by four columns from one on: name, version, truncated, standing.
pub(crate) fn state(row: &Row, column: usize) -> StreamState {
    StreamState {
        name: StreamName::trusted(row.get(column)),
        version: Version(unsigned(row.get(column + 1))),
        truncated: Version(unsigned(row.get(column + 2))),
        standing: standing(row.get(column + 3)),
    }
}

/// The number of a standing.
pub(crate) fn number(standing: Standing) -> i16 {
    match standing {
        Standing::Live => 0,
        Standing::Deleted => 1,
        Standing::Tombstoned => 2,
    }
}

fn standing(number: i16) -> Standing {
    match number {
        0 => Standing::Live,
        1 => Standing::Deleted,
        _ => Standing::Tombstoned,
    }
}
