//! What the schema of a build says of itself: how far it is, and what is parked.

use crate::target::{Parked, ParkedOf};
use fairway_ledger::{Event, Position};
use std::collections::HashSet;
use tokio_postgres::{Client, Error, Row};

/// A row of the driver's own table.
pub(super) struct Stored {
    pub(super) ledger: String,
    pub(super) position: Position,
    pub(super) asks: u64,
}

pub(super) async fn read(client: &Client) -> Result<Stored, Error> {
    let select = "SELECT ledger, position, asks FROM fairway_standing";
    let row = client.query_one(select, &[]).await?;
    let number = |at| row.get::<_, i64>(at).cast_unsigned();
    Ok(Stored { ledger: row.get(0), position: Position(number(1)), asks: number(2) })
}

/// Moves the checkpoint; false if it is not where it should be.
pub(super) async fn write(
    client: &Client,
    from: Position,
    (to, asks): (Position, u64),
) -> Result<bool, Error> {
    let update = "UPDATE fairway_standing SET position = $1, asks = $2 WHERE position = $3";
    let values = [to.0.cast_signed(), asks.cast_signed(), from.0.cast_signed()];
    Ok(client.execute(update, &[&values[0], &values[1], &values[2]]).await? == 1)
}

pub(super) async fn park(
    client: &Client,
    event: &Event,
    (key, error): (&str, Option<&str>),
) -> Result<(), Error> {
    let insert = "INSERT INTO fairway_parked (position, key, event_id, stream, kind, tries, error)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (position) DO NOTHING";
    let (position, id) = (event.position.0.cast_signed(), event.id.to_string());
    let (stream, kind) = (event.stream.as_str(), event.kind.as_str());
    let tries = i32::from(error.is_some());
    client.execute(insert, &[&position, &key, &id, &stream, &kind, &tries, &error]).await?;
    Ok(())
}

/// Notes that a parked event failed once more; says how often it was tried.
pub(super) async fn fail(client: &Client, position: u64, error: &str) -> Result<u32, Error> {
    let update = "UPDATE fairway_parked SET tries = tries + 1, error = $2 WHERE position = $1
        RETURNING tries";
    let row = client.query_one(update, &[&position.cast_signed(), &error]).await?;
    Ok(row.get::<_, i32>(0).cast_unsigned())
}

pub(super) async fn unpark(client: &Client, position: u64) -> Result<(), Error> {
    let delete = "DELETE FROM fairway_parked WHERE position = $1";
    client.execute(delete, &[&position.cast_signed()]).await.map(drop)
}

pub(super) async fn parked_count(client: &Client) -> Result<u64, Error> {
    let row = client.query_one("SELECT count(*) FROM fairway_parked", &[]).await?;
    Ok(row.get::<_, i64>(0).cast_unsigned())
}

/// The keys that wait, each with how often its first event was tried.
pub(super) async fn held(client: &Client) -> Result<Vec<(String, u32)>, Error> {
    let select = "SELECT key, max(tries) FROM fairway_parked GROUP BY key";
    let rows = client.query(select, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get::<_, i32>(1).cast_unsigned())).collect())
}

/// The keys of events that wait.
pub(super) async fn keys(client: &Client) -> Result<HashSet<String>, Error> {
    let rows = client.query("SELECT DISTINCT key FROM fairway_parked", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Parked events by position, looked for in turn.
pub(super) async fn parked(
    client: &Client,
    looks: &[ParkedOf],
    limit: usize,
) -> Result<Vec<Parked>, Error> {
    let mut all = Vec::new();
    for of in looks {
        all.append(&mut parked_of(client, of, limit - all.len()).await?);
        if all.len() == limit {
            break;
        }
    }
    all.sort_by_key(|parked| parked.position);
    Ok(all)
}

async fn parked_of(client: &Client, of: &ParkedOf, limit: usize) -> Result<Vec<Parked>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let columns = "SELECT position, event_id, stream, kind, key, tries, error FROM fairway_parked";
    let rows = match of {
        ParkedOf::Key(key) => {
            let sql = format!("{columns} WHERE key = $2 ORDER BY position LIMIT $1");
            client.query(&sql, &[&limit, key]).await?
        }
        ParkedOf::At(position) => {
            let sql = format!("{columns} WHERE position = $2 LIMIT $1");
            client.query(&sql, &[&limit, &position.cast_signed()]).await?
        }
        ParkedOf::All | ParkedOf::Due => {
            let sql = format!("{columns} ORDER BY position LIMIT $1");
            client.query(&sql, &[&limit]).await?
        }
    };
    Ok(rows.iter().map(row).collect())
}

fn row(row: &Row) -> Parked {
    Parked {
        position: row.get::<_, i64>(0).cast_unsigned(),
        event_id: row.get(1),
        stream: row.get(2),
        kind: row.get(3),
        key: row.get(4),
        tries: row.get::<_, i32>(5).cast_unsigned(),
        error: row.get(6),
    }
}
