//! Snapshots of streams.

use crate::{
    connection::Link,
    error::Fault,
    reader::{data, signed, unsigned},
};
use fairway_ledger::{Kind, SNAPSHOTS_MAX, Snapshot, StreamName, Version};
use fairway_model::Timestamp;

const SAVE: &str = "
    INSERT INTO snapshots (stream, version, kind, recorded, data_is_json, data)
    SELECT id, $2, $3, $4, $5, $6 FROM states
    WHERE name = $1 AND version >= $2 AND standing = 0
    ON CONFLICT (stream, version) DO UPDATE SET kind = excluded.kind,
        recorded = excluded.recorded, data_is_json = excluded.data_is_json, data = excluded.data
    RETURNING stream";
const DROP_OLDEST: &str = "
    DELETE FROM snapshots WHERE stream = $1 AND version <=
        (SELECT version FROM snapshots WHERE stream = $1 ORDER BY version DESC LIMIT 1 OFFSET $2)";
const NEWEST: &str = "
    SELECT version, kind, recorded, data_is_json, data FROM snapshots
    WHERE stream = (SELECT id FROM streams WHERE name = $1) AND version <= $2
    ORDER BY version DESC LIMIT 1";

/// Saves a snapshot; false if the stream has no such version, or is deleted.
pub(crate) async fn save(
    link: &Link,
    stream: &StreamName,
    snapshot: &Snapshot,
) -> Result<bool, Fault> {
    let Snapshot { version, kind, data, recorded } = snapshot;
    let (version, recorded) = (signed(version.0), signed(recorded.0));
    let is_json = data.as_json().is_some();
    let (name, kind, bytes) = (stream.as_str(), kind.as_str(), data.as_bytes());
    let saved =
        link.query_opt(SAVE, &[&name, &version, &kind, &recorded, &is_json, &bytes]).await?;
    let Some(saved) = saved else { return Ok(false) };
    let id: i64 = saved.get(0);
    link.query(DROP_OLDEST, &[&id, &signed(SNAPSHOTS_MAX)]).await?;
    Ok(true)
}

/// The newest snapshot up to a version.
pub(crate) async fn newest(
    link: &Link,
    stream: &StreamName,
    up_to: Version,
) -> Result<Option<Snapshot>, Fault> {
    let found = link.query_opt(NEWEST, &[&stream.as_str(), &signed(up_to.0)]).await?;
    Ok(found.map(|row| Snapshot {
        version: Version(unsigned(row.get(0))),
        kind: Kind::trusted(row.get(1)),
        recorded: Timestamp(unsigned(row.get(2))),
        data: data(&row, 3),
    }))
}
