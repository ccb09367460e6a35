//! Snapshots of streams.

use crate::{
    event::Version,
    kind::Kind,
    read::{SNAPSHOTS_MAX, Snapshot},
    sqlite::{reader::bound, streams},
    stream_name::StreamName,
};
use fairway_model::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension};

/// Saves a snapshot, inside the writer's transaction; false if the stream has no such version, or is
/// deleted.
pub(crate) fn save(
    connection: &Connection,
    stream: &StreamName,
    snapshot: &Snapshot,
) -> Result<bool, Error> {
    let Some(found) = streams::find(connection, stream)? else { return Ok(false) };
    if !found.state.exists() || found.state.version < snapshot.version {
        return Ok(false);
    }
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO snapshots (stream, version, kind, recorded, data)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let Snapshot { version, kind, data, recorded } = snapshot;
    put.execute((found.id, version.0, kind.as_str(), recorded.0, data))?;
    let mut drop_oldest = connection.prepare_cached(
        "DELETE FROM snapshots WHERE stream = ?1 AND version <=
            (SELECT version FROM snapshots WHERE stream = ?1
             ORDER BY version DESC LIMIT 1 OFFSET ?2)",
    )?;
    drop_oldest.execute((found.id, SNAPSHOTS_MAX))?;
    Ok(true)
}

/// The newest snapshot up to a version.
pub(crate) fn newest(
    connection: &Connection,
    stream: &StreamName,
    up_to: Version,
) -> Result<Option<Snapshot>, Error> {
    let mut select = connection.prepare_cached(
        "SELECT s.version, s.kind, s.recorded, s.data FROM snapshots s
         JOIN streams ON streams.id = s.stream
         WHERE streams.name = ?1 AND s.version <= ?2 ORDER BY s.version DESC LIMIT 1",
    )?;
    let newest = select.query_row((stream.as_str(), bound(up_to.0)), |row| {
        Ok(Snapshot {
            version: Version(row.get(0)?),
            kind: Kind::trusted(row.get_ref(1)?.as_str()?),
            recorded: Timestamp(row.get(2)?),
            data: row.get(3)?,
        })
    });
    newest.optional()
}
