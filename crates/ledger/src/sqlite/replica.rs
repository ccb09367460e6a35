//! The SQLite backend as a ledger that can be copied and be a copy. It writes on connections of its
//! own, past the writer's thread, which takes nothing for a ledger that lives elsewhere.

use crate::{
    error::LedgerError,
    event::{Event, Position, Version},
    event_id::{EventId, LedgerId},
    faults::Fault,
    judge::Place,
    kind::Kind,
    portable::{Home, ListSnapshots, PAGE_SNAPSHOTS_MAX, Part, Portable, TruncatedId},
    read::{PAGE_EVENTS_MAX, Snapshot, Standing, StreamState},
    sqlite::{
        check, snapshots,
        store::Sqlite,
        streams::{self, Found},
        writer,
    },
    store::Store,
    stream_name::StreamName,
    sweeping::{Piece, SWEEP_EVENTS},
};
use async_trait::async_trait;
use fairway_model::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, TransactionBehavior::Immediate};
use std::collections::HashMap;

#[async_trait]
impl Portable for Sqlite {
    async fn home(&self) -> Result<Home, LedgerError> {
        self.reader.read(|link| home(&link.connection)).await
    }

    async fn set_home(&self, home: Home) -> Result<(), LedgerError> {
        let moved = match home {
            Home::Here => None,
            Home::At(place) => Some(place),
        };
        // One statement is one transaction, which comes before or after those of writers.
        let set = move |connection: &Connection| {
            connection.execute("UPDATE about SET moved = ?1", [&moved]).map(drop)
        };
        self.reader.read(move |link| set(&link.connection)).await
    }

    async fn adopt(&self, ledger: LedgerId, home: String) -> Result<bool, LedgerError> {
        self.reader.read(move |link| adopt(&mut link.connection, ledger, &home)).await
    }

    async fn replicate(&self, part: Part) -> Result<bool, LedgerError> {
        let ledger = self.id();
        let written =
            self.reader.read(move |link| replicate(&mut link.connection, &part, ledger)).await?;
        self.wake();
        Ok(written)
    }

    async fn snapshots(
        &self,
        list: ListSnapshots,
    ) -> Result<Vec<(StreamName, Snapshot)>, LedgerError> {
        self.reader.read(move |link| list_snapshots(&link.connection, &list)).await
    }

    async fn truncated_ids(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<TruncatedId>, LedgerError> {
        let limit = limit.min(PAGE_EVENTS_MAX);
        self.reader.read(move |link| list_truncated_ids(&link.connection, after, limit)).await
    }

    async fn check(&self) -> Result<Vec<Fault>, LedgerError> {
        self.reader.read(|link| check::check(&mut link.connection)).await
    }
}

fn home(connection: &Connection) -> Result<Home, Error> {
    let moved: Option<String> =
        connection.query_row("SELECT moved FROM about", (), |row| row.get(0))?;
    Ok(moved.map_or(Home::Here, Home::At))
}

fn adopt(connection: &mut Connection, ledger: LedgerId, place: &str) -> Result<bool, Error> {
    let transaction = connection.transaction_with_behavior(Immediate)?;
    let own: i64 = transaction.query_row("SELECT ledger FROM about", (), |row| row.get(0))?;
    let is_empty = writer::position(&transaction)? == Position(0);
    let is_copy = own == ledger.0.cast_signed() && home(&transaction)? != Home::Here;
    if !is_empty && !is_copy {
        return Ok(false);
    }
    let adopt = "UPDATE about SET ledger = ?1, moved = ?2";
    transaction.execute(adopt, (ledger.0.cast_signed(), place))?;
    transaction.commit()?;
    Ok(true)
}

fn replicate(connection: &mut Connection, part: &Part, ledger: LedgerId) -> Result<bool, Error> {
    let transaction = connection.transaction_with_behavior(Immediate)?;
    let is_next = writer::position(&transaction)? == part.after;
    if !is_next || home(&transaction)? == Home::Here {
        return Ok(false);
    }
    insert(&transaction, &part.events, ledger)?;
    for state in &part.streams {
        merge(&transaction, state)?;
    }
    for (stream, snapshot) in &part.snapshots {
        // One of a stream that was deleted meanwhile has no place any more.
        snapshots::save(&transaction, stream, snapshot)?;
    }
    insert_truncated_ids(&transaction, &part.truncated_ids)?;
    transaction.commit()?;
    sweep(connection)?;
    Ok(true)
}

/// Writes events as they are, and what they say of their streams.
fn insert(connection: &Connection, events: &[Event], ledger: LedgerId) -> Result<(), Error> {
    let mut known: HashMap<&StreamName, Found> = HashMap::new();
    let mut insert = connection.prepare_cached(
        "INSERT INTO events
            (position, stream, version, category, kind, recorded, id, data, metadata)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for event in events {
        if !known.contains_key(&event.stream) {
            known.insert(&event.stream, find_or_make(connection, &event.stream)?);
        }
        let found = known.get_mut(&event.stream).expect("it was just put there");
        if event.version > found.state.version {
            found.state.version = event.version;
            found.state.standing = Standing::Live;
        }
        let is_given = event.id != EventId::derived(ledger, event.position);
        let id = is_given.then_some(event.id.0.as_slice());
        let (position, version, recorded) = (event.position.0, event.version.0, event.recorded.0);
        let (kind, category) = (event.kind.as_str(), found.category);
        let (data, metadata) = (&event.data, &event.metadata);
        insert
            .execute((position, found.id, version, category, kind, recorded, id, data, metadata))?;
    }
    let update = "UPDATE streams SET version = ?2, standing = ?3 WHERE id = ?1";
    let mut update = connection.prepare_cached(update)?;
    for found in known.values() {
        update.execute((found.id, found.state.version.0, found.state.standing))?;
    }
    Ok(())
}

fn find_or_make(connection: &Connection, name: &StreamName) -> Result<Found, Error> {
    match streams::find(connection, name)? {
        Some(found) => Ok(found),
        None => Found::make(connection, name),
    }
}

/// Takes over how a stream stands, if that is later than what is known. Events that are not there
/// count as swept.
fn merge(connection: &Connection, state: &StreamState) -> Result<(), Error> {
    let found = find_or_make(connection, &state.name)?;
    if !state.is_later_than(&found.state) {
        return Ok(());
    }
    let first = "SELECT MIN(version) FROM events WHERE stream = ?1";
    let first: Option<u64> = connection.query_row(first, [found.id], |row| row.get(0))?;
    let truncated = state.truncated.0;
    let swept = first.map_or(truncated, |first| truncated.min(first.saturating_sub(1)));
    let mut update = connection.prepare_cached(
        "UPDATE streams SET version = ?2, truncated = ?3, swept = ?4, standing = ?5 WHERE id = ?1",
    )?;
    update.execute((found.id, state.version.0, truncated, swept, state.standing))?;
    if state.standing != Standing::Live {
        connection.execute("DELETE FROM snapshots WHERE stream = ?1", [found.id])?;
    }
    Ok(())
}

/// Removes what is truncated, in pieces between which others can write.
fn sweep(connection: &mut Connection) -> Result<(), Error> {
    loop {
        let transaction = connection.transaction_with_behavior(Immediate)?;
        let piece = streams::sweep(&transaction, SWEEP_EVENTS)?;
        transaction.commit()?;
        if piece == Piece::Nothing {
            return Ok(());
        }
    }
}

fn insert_truncated_ids(connection: &Connection, ids: &[TruncatedId]) -> Result<(), Error> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO truncated_ids (position, stream, version, id)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for TruncatedId { stream, id, place } in ids {
        let stream = find_or_make(connection, stream)?.id;
        insert.execute((place.position.0, stream, place.version.0, id.0.as_slice()))?;
    }
    Ok(())
}

fn list_truncated_ids(
    connection: &Connection,
    after: Position,
    limit: usize,
) -> Result<Vec<TruncatedId>, Error> {
    let mut select = connection.prepare_cached(
        "SELECT t.position, t.version, t.id, s.name FROM truncated_ids t
         JOIN streams s ON s.id = t.stream WHERE t.position > ?1 ORDER BY t.position LIMIT ?2",
    )?;
    let rows = select.query_map((after.0, limit), |row| {
        let place = Place { position: Position(row.get(0)?), version: Version(row.get(1)?) };
        let stream = StreamName::trusted(row.get_ref(3)?.as_str()?);
        Ok(TruncatedId { stream, id: EventId(row.get(2)?), place })
    })?;
    rows.collect()
}

fn list_snapshots(
    connection: &Connection,
    list: &ListSnapshots,
) -> Result<Vec<(StreamName, Snapshot)>, Error> {
    let after = match &list.after {
        None => (0, 0),
        Some((stream, version)) => {
            let find = "SELECT id FROM streams WHERE name = ?1";
            let id: Option<i64> =
                connection.query_row(find, [stream.as_str()], |row| row.get(0)).optional()?;
            (id.unwrap_or(i64::MAX), version.0)
        }
    };
    let mut select = connection.prepare_cached(
        "SELECT streams.name, s.version, s.kind, s.recorded, s.data FROM snapshots s
         JOIN streams ON streams.id = s.stream
         WHERE (s.stream, s.version) > (?1, ?2) ORDER BY s.stream, s.version LIMIT ?3",
    )?;
    let limit = list.limit.min(PAGE_SNAPSHOTS_MAX);
    let rows = select.query_map((after.0, after.1, limit), |row| {
        let snapshot = Snapshot {
            version: Version(row.get(1)?),
            kind: Kind::trusted(row.get_ref(2)?.as_str()?),
            recorded: Timestamp(row.get(3)?),
            data: row.get(4)?,
        };
        Ok((StreamName::trusted(row.get_ref(0)?.as_str()?), snapshot))
    })?;
    rows.collect()
}
