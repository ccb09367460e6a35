//! What is known of streams, and removing what was truncated of them.

use crate::{
    address::Address,
    connection::{Link, READER_PATIENCE},
    error::Fault,
    reader::{signed, unsigned},
    task::Task,
};
use fairway_ledger::{ListStreams, PAGE_STREAMS_MAX, Standing, StreamName, StreamState, Version};
use std::sync::Arc;
use tokio_postgres::Row;

/// Most events that one sweep removes, so that writers wait for milliseconds only.
const SWEEP_MAX: u64 = 2_000;

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

/// Removes what a killed process left of truncated events, beside what else is done; none if there
/// is nothing. What goes wrong, whoever truncates next is told.
pub(crate) async fn sweep_rest(link: &Link, address: &Arc<Address>) -> Result<Option<Task>, Fault> {
    let sql = "SELECT EXISTS (SELECT FROM streams WHERE swept < truncated)";
    if !link.query_one(sql, &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let address = address.clone();
    Ok(Some(Task::start(async move {
        let Ok(link) = Link::connect(&address, READER_PATIENCE).await else { return };
        while let Ok(true) = sweep(&link).await {}
    })))
}

/// Removes some events of a stream that has truncated ones, but for the ids that they were given;
/// false if there is no such stream. The row of the stream is locked only at the end, so that the appender hardly waits.
pub(crate) async fn sweep(link: &Link) -> Result<bool, Fault> {
    link.run(
        "BEGIN; SELECT pg_advisory_xact_lock(hashtext('fairway sweep'), hashtext(current_schema()));",
    )
    .await?;
    let next = "SELECT id, swept, truncated FROM streams WHERE swept < truncated LIMIT 1";
    let Some(row) = link.query_opt(next, &[]).await? else {
        link.run("COMMIT").await?;
        return Ok(false);
    };
    let (id, swept, truncated): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let end = truncated.min(swept + signed(SWEEP_MAX));
    let keep = "INSERT INTO truncated_ids (position, stream, version, id)
        SELECT position, stream, version, id FROM events
        WHERE stream = $1 AND version > $2 AND version <= $3 AND id IS NOT NULL
        ON CONFLICT DO NOTHING";
    link.query(keep, &[&id, &swept, &end]).await?;
    let delete = "DELETE FROM events WHERE stream = $1 AND version > $2 AND version <= $3";
    link.query(delete, &[&id, &swept, &end]).await?;
    link.query("UPDATE streams SET swept = $2 WHERE id = $1", &[&id, &end]).await?;
    link.run("COMMIT").await?;
    Ok(true)
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
