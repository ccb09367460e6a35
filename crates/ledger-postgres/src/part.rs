//! Writing a part of another ledger, as it is there, in one transaction.

use crate::{
    connection::Link,
    error::Fault,
    reader::{signed, unsigned},
    snapshots,
    streams::{self, number},
};
use fairway_ledger::{
    Event, EventId, LedgerId, Part, Position, Standing, StreamName, StreamState, TruncatedId,
    Version,
};
use fairway_model::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whoever writes a part locks this row first.
const LOCK: &str = "SELECT token FROM appender FOR UPDATE";
const HEAD: &str = "SELECT position, recorded, streams, categories, largest FROM head";
const IS_COPY: &str = "SELECT moved IS NOT NULL FROM about";
const STREAMS: &str =
    "SELECT id, category, name, version, truncated, standing FROM states WHERE name = ANY($1)";
const CATEGORIES: &str = "SELECT id, name FROM categories WHERE name = ANY($1)";
const PUT_CATEGORIES: &str = "
    INSERT INTO categories (id, name) SELECT * FROM unnest($1::bigint[], $2::text[])";
const PUT_EVENTS: &str = "
    INSERT INTO events (position, recorded, stream, version, category, kind, id, data_is_json, data,
        metadata_is_json, metadata)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
        $6::text[], $7::bytea[], $8::boolean[], $9::bytea[], $10::boolean[], $11::bytea[])";
/// Events that are not there count as swept.
const PUT_STREAMS: &str = "
    INSERT INTO streams AS s (id, name, category, truncated, standing, swept)
    SELECT u.id, u.name, u.category, u.truncated, u.standing, least(u.truncated,
        coalesce((SELECT min(e.version) - 1 FROM events e WHERE e.stream = u.id), u.truncated))
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[])
        AS u(id, name, category, truncated, standing)
    ON CONFLICT (id) DO UPDATE SET truncated = excluded.truncated,
        standing = excluded.standing, swept = excluded.swept";
const PUT_TRUNCATED_IDS: &str = "
    INSERT INTO truncated_ids (position, stream, version, id)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])
    ON CONFLICT DO NOTHING";
const DROP_SNAPSHOTS: &str = "DELETE FROM snapshots WHERE stream = ANY($1)";
/// No appender has token 0.
const PUT_HEAD: &str = "
    INSERT INTO batches (position, token, recorded, streams, categories, largest)
    VALUES ($1, 0, $2, $3, $4, $5)
    ON CONFLICT (position) DO UPDATE SET streams = excluded.streams,
        categories = excluded.categories";

/// The end of the ledger within the transaction.
struct Head {
    position: Position,
    recorded: Timestamp,
    /// The last ids that were given.
    stream: i64,
    category: i64,
}

/// A stream that the part tells of.
struct Known {
    id: i64,
    category: i64,
    state: StreamState,
}

/// Writes a part; false if this is no copy, or the part does not come next.
pub(crate) async fn write(link: &Link, ledger: LedgerId, part: &Part) -> Result<bool, Fault> {
    link.run("BEGIN").await?;
    link.query_one(LOCK, &[]).await?;
    let row = link.query_one(HEAD, &[]).await?;
    let mut head = Head {
        position: Position(unsigned(row.get(0))),
        recorded: Timestamp(unsigned(row.get(1))),
        stream: row.get(2),
        category: row.get(3),
    };
    let largest: i64 = row.get(4);
    let is_copy: bool = link.query_one(IS_COPY, &[]).await?.get(0);
    if head.position != part.after || !is_copy {
        link.run("ROLLBACK").await?;
        return Ok(false);
    }
    let mut known = learn(link, &mut head, part).await?;
    put_events(link, ledger, &mut known, &part.events).await?;
    put_streams(link, &mut known, &part.streams).await?;
    for (stream, snapshot) in &part.snapshots {
        // One of a stream that was deleted meanwhile has no place any more.
        snapshots::save(link, stream, snapshot).await?;
    }
    put_truncated_ids(link, &known, &part.truncated_ids).await?;
    if let Some(last) = part.events.last() {
        (head.position, head.recorded) = (last.position, last.recorded);
    }
    let (position, recorded) = (signed(head.position.0), signed(head.recorded.0));
    let largest =
        largest.max(signed(part.events.iter().map(Event::bytes).max().unwrap_or(0) as u64));
    link.query(PUT_HEAD, &[&position, &recorded, &head.stream, &head.category, &largest]).await?;
    link.run("COMMIT").await?;
    Ok(true)
}

/// The streams that a part tells of, with ids for those that are new.
async fn learn<'a>(
    link: &Link,
    head: &mut Head,
    part: &'a Part,
) -> Result<BTreeMap<&'a StreamName, Known>, Fault> {
    let of_events = part.events.iter().map(|event| &event.stream);
    let of_states = part.streams.iter().map(|state| &state.name);
    let of_ids = part.truncated_ids.iter().map(|gone| &gone.stream);
    let names: BTreeSet<&StreamName> = of_events.chain(of_states).chain(of_ids).collect();
    let texts: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let mut found: HashMap<String, Known> = HashMap::new();
    for row in link.query(STREAMS, &[&texts]).await? {
        let known = Known { id: row.get(0), category: row.get(1), state: streams::state(&row, 2) };
        found.insert(row.get(2), known);
    }
    let categories = learn_categories(link, head, &names).await?;
    let mut known = BTreeMap::new();
    for name in names {
        let entry = found.remove(name.as_str()).unwrap_or_else(|| {
            head.stream += 1;
            let category = categories[name.category()];
            Known { id: head.stream, category, state: StreamState::none(name.clone()) }
        });
        known.insert(name, entry);
    }
    Ok(known)
}

/// The ids of categories; those that are new are written.
async fn learn_categories(
    link: &Link,
    head: &mut Head,
    streams: &BTreeSet<&StreamName>,
) -> Result<HashMap<String, i64>, Fault> {
    let wanted: BTreeSet<&str> = streams.iter().map(|stream| stream.category()).collect();
    let texts: Vec<&str> = wanted.iter().copied().collect();
    let rows = link.query(CATEGORIES, &[&texts]).await?;
    let mut known: HashMap<String, i64> = rows.iter().map(|row| (row.get(1), row.get(0))).collect();
    let new: Vec<&str> = wanted.into_iter().filter(|name| !known.contains_key(*name)).collect();
    let mut ids = Vec::with_capacity(new.len());
    for name in &new {
        head.category += 1;
        ids.push(head.category);
        known.insert((*name).to_owned(), head.category);
    }
    if !new.is_empty() {
        link.query(PUT_CATEGORIES, &[&ids, &new]).await?;
    }
    Ok(known)
}

/// Writes events as they are, and notes what they say of their streams.
async fn put_events(
    link: &Link,
    ledger: LedgerId,
    known: &mut BTreeMap<&StreamName, Known>,
    events: &[Event],
) -> Result<(), Fault> {
    if events.is_empty() {
        return Ok(());
    }
    let (mut streams, mut categories) = (Vec::new(), Vec::new());
    for event in events {
        let stream = known.get_mut(&event.stream).expect("all streams were learnt");
        streams.push(stream.id);
        categories.push(stream.category);
        if event.version > stream.state.version {
            stream.state.version = event.version;
            stream.state.standing = Standing::Live;
        }
    }
    let numbers = |of: fn(&Event) -> u64| events.iter().map(|event| signed(of(event))).collect();
    let positions: Vec<i64> = numbers(|event| event.position.0);
    let recorded: Vec<i64> = numbers(|event| event.recorded.0);
    let versions: Vec<i64> = numbers(|event| event.version.0);
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    let ids: Vec<Option<&[u8]>> = events.iter().map(|event| given_id(ledger, event)).collect();
    let is_json: Vec<bool> = events.iter().map(|event| event.data.as_json().is_some()).collect();
    let data: Vec<&[u8]> = events.iter().map(|event| event.data.as_bytes()).collect();
    let about_is_json: Vec<bool> =
        events.iter().map(|event| event.metadata.as_json().is_some()).collect();
    let about: Vec<&[u8]> = events.iter().map(|event| event.metadata.as_bytes()).collect();
    let params: crate::connection::Params<'_> = &[
        &positions,
        &recorded,
        &streams,
        &versions,
        &categories,
        &kinds,
        &ids,
        &is_json,
        &data,
        &about_is_json,
        &about,
    ];
    link.query(PUT_EVENTS, params).await?;
    Ok(())
}

/// The id that was given to an event; none if it follows from its position.
fn given_id(ledger: LedgerId, event: &Event) -> Option<&[u8]> {
    (event.id != EventId::derived(ledger, event.position)).then_some(event.id.0.as_slice())
}

/// Writes how streams stand: of what was known, what events say, and what the part says, the latest.
async fn put_streams(
    link: &Link,
    known: &mut BTreeMap<&StreamName, Known>,
    states: &[StreamState],
) -> Result<(), Fault> {
    for state in states {
        let known = known.get_mut(&state.name).expect("all streams were learnt");
        if state.is_later_than(&known.state) {
            known.state = state.clone();
        }
    }
    let all = || known.values();
    let ids: Vec<i64> = all().map(|known| known.id).collect();
    let names: Vec<&str> = all().map(|known| known.state.name.as_str()).collect();
    let categories: Vec<i64> = all().map(|known| known.category).collect();
    let version = |version: Version| signed(version.0);
    let truncated: Vec<i64> = all().map(|known| version(known.state.truncated)).collect();
    let standings: Vec<i16> = all().map(|known| number(known.state.standing)).collect();
    link.query(PUT_STREAMS, &[&ids, &names, &categories, &truncated, &standings]).await?;
    let is_gone = |known: &&Known| known.state.standing != Standing::Live;
    let gone: Vec<i64> = all().filter(is_gone).map(|known| known.id).collect();
    if !gone.is_empty() {
        link.query(DROP_SNAPSHOTS, &[&gone]).await?;
    }
    Ok(())
}

async fn put_truncated_ids(
    link: &Link,
    known: &BTreeMap<&StreamName, Known>,
    gone: &[TruncatedId],
) -> Result<(), Fault> {
    if gone.is_empty() {
        return Ok(());
    }
    let positions: Vec<i64> = gone.iter().map(|gone| signed(gone.place.position.0)).collect();
    let streams: Vec<i64> = gone.iter().map(|gone| known[&gone.stream].id).collect();
    let versions: Vec<i64> = gone.iter().map(|gone| signed(gone.place.version.0)).collect();
    let ids: Vec<&[u8]> = gone.iter().map(|gone| gone.id.0.as_slice()).collect();
    link.query(PUT_TRUNCATED_IDS, &[&positions, &streams, &versions, &ids]).await?;
    Ok(())
}
