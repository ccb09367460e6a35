//! Reading events.

use crate::{
    connection::{Link, Params},
    error::Fault,
    names::{Kinds, Names},
};
use fairway_ledger::{
    Data, Event, EventId, From, Kind, LedgerId, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Position, Read,
    Scope, StreamName, Version,
};
use fairway_model::Timestamp;
use tokio_postgres::Row;

/// Selects some events of a page in two ways, each of which leaves out what would be too many bytes.
/// By the largest event there is: as many as are asked for, unless so many of that one could be too
/// large. By size: those that are not, which takes the server a little longer.
macro_rules! select_events {
    ($where:literal, $order:literal) => {
        Select {
            by_largest: concat!(
                "SELECT position, stream, version, kind, recorded, id, data_is_json, data,
                    metadata_is_json, metadata
                 FROM events WHERE ",
                $where,
                " ORDER BY ",
                $order,
                " LIMIT least($3, (SELECT greatest($4 / greatest(largest, 1), 1) FROM head))"
            ),
            by_size: concat!(
                "SELECT position, stream, version, kind, recorded, id, data_is_json, data,
                    metadata_is_json, metadata
                 FROM (
                    SELECT *, sum(octet_length(data) + octet_length(metadata))
                        OVER (ORDER BY ",
                $order,
                " ROWS UNBOUNDED PRECEDING) AS bytes
                    FROM (SELECT * FROM events WHERE ",
                $where,
                " ORDER BY ",
                $order,
                " LIMIT $3) asked
                 ) summed
                 WHERE bytes - octet_length(data) - octet_length(metadata) < $4
                 ORDER BY ",
                $order
            ),
        }
    };
}

/// One question, asked in two ways.
#[derive(Debug, Clone, Copy)]
struct Select {
    by_largest: &'static str,
    by_size: &'static str,
}

/// Which way to ask.
#[derive(Debug, Clone, Copy)]
enum Way {
    ByLargest,
    BySize,
}

const ALL_AFTER: Select = select_events!("position > $1 AND position <= $2", "position");
const ALL_BEFORE: Select = select_events!("position < $1 AND position <= $2", "position DESC");
const CATEGORY_AFTER: Select = select_events!(
    "category = (SELECT id FROM categories WHERE name = $5) AND position > $1 AND position <= $2",
    "position"
);
const CATEGORY_BEFORE: Select = select_events!(
    "category = (SELECT id FROM categories WHERE name = $5) AND position < $1 AND position <= $2",
    "position DESC"
);
const STREAM_AFTER: Select = select_events!(
    "stream = (SELECT id FROM streams WHERE name = $5 AND standing = 0)
     AND version > (SELECT greatest(truncated, $1) FROM streams WHERE name = $5)
     AND position <= $2",
    "version"
);
const STREAM_BEFORE: Select = select_events!(
    "stream = (SELECT id FROM streams WHERE name = $5 AND standing = 0)
     AND version > (SELECT truncated FROM streams WHERE name = $5)
     AND version < $1 AND position <= $2",
    "version DESC"
);

/// The position of the last event recorded at a moment or before. Events are recorded in the order
/// of their positions, so that it can be searched for by halves.
const POSITION_AT: &str = "
    WITH RECURSIVE search(low, high) AS (
        SELECT 0::bigint, position FROM head
        UNION ALL
        SELECT CASE WHEN is_early THEN middle ELSE low END,
            CASE WHEN is_early THEN high ELSE middle - 1 END
        FROM (
            SELECT low, high, middle, coalesce(
                (SELECT recorded FROM events WHERE position <= middle
                 ORDER BY position DESC LIMIT 1) <= $1, true) AS is_early
            FROM (SELECT low, high, low + (high - low + 1) / 2 AS middle FROM search
                  WHERE low < high) half
        ) halves
    )
    SELECT low FROM search WHERE low = high";

/// One page of events.
pub(crate) async fn events(
    link: &Link,
    names: &Names,
    ledger: LedgerId,
    read: &Read,
) -> Result<Vec<Event>, Fault> {
    let mut rest = read.clone();
    rest.limit = read.limit.min(PAGE_EVENTS_MAX);
    let (mut page, mut bytes, mut way) = (Vec::new(), 0, Way::ByLargest);
    while rest.limit > 0 && bytes < PAGE_BYTES_MAX {
        let rows = select(link, &rest, way, PAGE_BYTES_MAX - bytes).await?;
        way = Way::BySize;
        let Some(last) = rows.last() else { break };
        rest.scope = scope_from(rest.scope, last);
        rest.limit -= rows.len();
        let streams = names.of(link, &rows).await?;
        let mut kinds = Kinds::default();
        for row in &rows {
            let stray = || Fault::Stray(Position(unsigned(row.get(0))));
            let stream = streams.get(&row.get(1)).ok_or_else(stray)?;
            let event = event(row, ledger, stream.clone(), kinds.get(row.get(3)));
            bytes += event.bytes();
            page.push(event);
            if bytes >= PAGE_BYTES_MAX {
                break;
            }
        }
    }
    Ok(page)
}

/// The next rows of a page; none only if there are none.
async fn select(link: &Link, read: &Read, way: Way, bytes: usize) -> Result<Vec<Row>, Fault> {
    let (limit, bytes) = (signed(read.limit as u64), signed(bytes as u64));
    let as_of = signed(read.as_of.0);
    let (select, from, name) = match &read.scope {
        Scope::All(From::After(after)) => (ALL_AFTER, after.0, None),
        Scope::All(From::Before(before)) => (ALL_BEFORE, before.0, None),
        Scope::Category(name, From::After(after)) => (CATEGORY_AFTER, after.0, Some(name.as_str())),
        Scope::Category(name, From::Before(before)) => {
            (CATEGORY_BEFORE, before.0, Some(name.as_str()))
        }
        Scope::Stream(name, From::After(after)) => (STREAM_AFTER, after.0, Some(name.as_str())),
        Scope::Stream(name, From::Before(before)) => (STREAM_BEFORE, before.0, Some(name.as_str())),
    };
    if name.is_some_and(|name| name.contains('\0')) {
        // No text of PostgreSQL has one, so nothing is named so.
        return Ok(Vec::new());
    }
    let sql = match way {
        Way::ByLargest => select.by_largest,
        Way::BySize => select.by_size,
    };
    let from = signed(from);
    let params: Params<'_> = match &name {
        Some(name) => &[&from, &as_of, &limit, &bytes, name],
        None => &[&from, &as_of, &limit, &bytes],
    };
    link.query(sql, params).await
}

/// The rest of a scope, from a row on.
fn scope_from(scope: Scope, row: &Row) -> Scope {
    let (position, version) = (Position(unsigned(row.get(0))), Version(unsigned(row.get(2))));
    match scope {
        Scope::All(from) => Scope::All(moved(&from, position)),
        Scope::Category(name, from) => Scope::Category(name, moved(&from, position)),
        Scope::Stream(name, from) => Scope::Stream(name, moved(&from, version)),
    }
}

fn moved<T>(from: &From<T>, to: T) -> From<T> {
    match from {
        From::After(_) => From::After(to),
        From::Before(_) => From::Before(to),
    }
}

/// The position of the last event.
pub(crate) async fn head(link: &Link) -> Result<Position, Fault> {
    let row = link.query_one("SELECT position FROM head", &[]).await?;
    Ok(Position(unsigned(row.get(0))))
}

/// The position of the last event recorded at a moment or before.
pub(crate) async fn position_at(link: &Link, moment: Timestamp) -> Result<Position, Fault> {
    let row = link.query_one(POSITION_AT, &[&signed(moment.0)]).await?;
    Ok(Position(unsigned(row.get(0))))
}

fn event(row: &Row, ledger: LedgerId, stream: StreamName, kind: Kind) -> Event {
    let position = Position(unsigned(row.get(0)));
    let given: Option<&[u8]> = row.get(5);
    let given = given.and_then(|id| <[u8; 16]>::try_from(id).ok());
    Event {
        position,
        stream,
        version: Version(unsigned(row.get(2))),
        id: given.map_or_else(|| EventId::derived(ledger, position), EventId),
        kind,
        recorded: Timestamp(unsigned(row.get(4))),
        data: data(row, 6),
        metadata: data(row, 8),
    }
}

/// Data from a column that says whether it is JSON, and the next, which has the bytes.
pub(crate) fn data(row: &Row, column: usize) -> Data {
    let bytes: &[u8] = row.get(column + 1);
    match str::from_utf8(bytes) {
        Ok(text) if row.get(column) => Data::trusted_json(text.to_owned()),
        _ => Data::Bytes(bytes.to_vec()),
    }
}

/// A number as PostgreSQL has it; the highest there is for a higher one.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that PostgreSQL has, which is never negative.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
