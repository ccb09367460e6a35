//! What one commit stores, as columns, and the one statement that stores it.

use crate::{
    appender::{
        known::{Known, StreamIds},
        lease::Lease,
    },
    connection::{Link, Params},
    error::Fault,
    reader::signed,
    streams,
};
use fairway_ledger::{NewEvent, Position, StreamName, Version};
use std::collections::BTreeSet;

/// Stores a batch if the token is that of the lease, in one transaction: else no row is changed.
/// Whoever changes the lease waits for this to be committed, or this for that.
const STORE: &str = "
    WITH held AS MATERIALIZED (
        SELECT wanted FROM appender WHERE token = $1 FOR UPDATE
    ), new_batch AS (
        INSERT INTO batches (position, token, recorded, streams, categories, largest)
        SELECT $3, $1, $4, $5, $6, $7 WHERE (SELECT count(*) FROM held) = 1
    ), new_categories AS (
        INSERT INTO categories (id, name)
        SELECT * FROM unnest($8::bigint[], $9::text[]) WHERE (SELECT count(*) FROM held) = 1
    ), new_streams AS (
        INSERT INTO streams AS s (id, name, category, truncated, standing)
        SELECT * FROM unnest($10::bigint[], $11::text[], $12::bigint[], $13::bigint[],
            $14::smallint[])
        WHERE (SELECT count(*) FROM held) = 1
        ON CONFLICT (id) DO UPDATE SET truncated = excluded.truncated,
            standing = excluded.standing
    ), gone_snapshots AS (
        DELETE FROM snapshots WHERE stream = ANY($15) AND (SELECT count(*) FROM held) = 1
    ), new_events AS (
        INSERT INTO events (position, recorded, stream, version, category, kind, id, data_is_json,
            data, metadata_is_json, metadata)
        SELECT $2 + u.number, $4, u.stream, u.version, u.category, u.kind, u.id, u.data_is_json,
            u.data, u.metadata_is_json, u.metadata
        FROM unnest($16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::bytea[],
            $21::boolean[], $22::bytea[], $23::boolean[], $24::bytea[]) WITH ORDINALITY
            AS u(stream, version, category, kind, id, data_is_json, data, metadata_is_json,
                metadata, number)
        WHERE (SELECT count(*) FROM held) = 1
    )
    SELECT wanted FROM held";

/// Columns of what is to be stored.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    events: Events<'a>,
    touched: BTreeSet<StreamName>,
    streams: Streams,
    category_ids: Vec<i64>,
    category_names: Vec<String>,
    snapshots_of: Vec<i64>,
}

#[derive(Debug, Default)]
struct Events<'a> {
    streams: Vec<i64>,
    versions: Vec<i64>,
    categories: Vec<i64>,
    kinds: Vec<&'a str>,
    ids: Vec<Option<&'a [u8]>>,
    data_is_json: Vec<bool>,
    data: Vec<&'a [u8]>,
    metadata_is_json: Vec<bool>,
    metadata: Vec<&'a [u8]>,
}

#[derive(Debug, Default)]
struct Streams {
    ids: Vec<i64>,
    names: Vec<String>,
    categories: Vec<i64>,
    truncated: Vec<i64>,
    standings: Vec<i16>,
}

/// What became of a batch that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is on disk.
    Done { is_wanted: bool },
    /// Somebody else has the lease; nothing was stored.
    Fenced,
}

impl<'a> Batch<'a> {
    pub(crate) fn add_event(&mut self, ids: StreamIds, version: Version, event: &'a NewEvent) {
        let events = &mut self.events;
        events.streams.push(ids.stream);
        events.versions.push(signed(version.0));
        events.categories.push(ids.category);
        events.kinds.push(event.kind.as_str());
        events.ids.push(event.id.as_ref().map(|id| id.0.as_slice()));
        events.data_is_json.push(event.data.as_json().is_some());
        events.data.push(event.data.as_bytes());
        events.metadata_is_json.push(event.metadata.as_json().is_some());
        events.metadata.push(event.metadata.as_bytes());
    }

    pub(crate) fn add_category(&mut self, id: i64, name: &str) {
        self.category_ids.push(id);
        self.category_names.push(name.to_owned());
    }

    /// Notes that a stream is new, or something else than its version is not as it was.
    pub(crate) fn touch(&mut self, name: &StreamName) {
        if !self.touched.contains(name) {
            self.touched.insert(name.clone());
        }
    }

    pub(crate) fn forget_snapshots(&mut self, stream: i64) {
        self.snapshots_of.push(stream);
    }

    /// Takes in what touched streams are after all appends.
    pub(crate) fn set_streams(&mut self, known: &Known) {
        for entry in self.touched.iter().filter_map(|name| known.streams.get(name)) {
            let Some(ids) = entry.ids else { continue };
            let (streams, state) = (&mut self.streams, &entry.state);
            streams.ids.push(ids.stream);
            streams.names.push(state.name.as_str().to_owned());
            streams.categories.push(ids.category);
            streams.truncated.push(signed(state.truncated.0));
            streams.standings.push(streams::number(state.standing));
        }
    }

    /// The number of events.
    pub(crate) fn events(&self) -> usize {
        self.events.data.len()
    }

    /// Stores all in one commit. `end` is where the ledger ends afterwards, `before` where it ends
    /// now.
    pub(crate) async fn store(
        &self,
        link: &Link,
        before: Position,
        end: &Lease,
    ) -> Result<Stored, Fault> {
        let (events, streams) = (&self.events, &self.streams);
        let params: Params<'_> = &[
            &end.token,
            &signed(before.0),
            &signed(end.position.0),
            &signed(end.recorded.0),
            &end.stream,
            &end.category,
            &end.largest,
            &self.category_ids,
            &self.category_names,
            &streams.ids,
            &streams.names,
            &streams.categories,
            &streams.truncated,
            &streams.standings,
            &self.snapshots_of,
            &events.streams,
            &events.versions,
            &events.categories,
            &events.kinds,
            &events.ids,
            &events.data_is_json,
            &events.data,
            &events.metadata_is_json,
            &events.metadata,
        ];
        Ok(match link.query_opt(STORE, params).await? {
            Some(row) => Stored::Done { is_wanted: row.get(0) },
            None => Stored::Fenced,
        })
    }
}
