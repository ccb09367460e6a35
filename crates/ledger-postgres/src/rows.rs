//! The stored rows of projections.

use crate::{
    connection::Link,
    error::Fault,
    reader::{signed, unsigned},
};
use fairway_ledger::{Key, Position, RowChange, RowSet, Rows};
use std::collections::BTreeMap;
use tokio_postgres::Row;

/// What a key begins with that is a number, and one that is a text: bytes in this order are keys
/// in theirs.
const NUMBER: u8 = 0;
const TEXT: u8 = 1;
const AFTER_TEXTS: u8 = 2;

const BY_KEYS: &str = "
    SELECT key, value FROM rows WHERE key = ANY($3)
    AND projection = (SELECT id FROM projections WHERE name = $1 AND version = $2)";
const LAST: &str = "
    SELECT key, value FROM rows WHERE key >= $3 AND key < $4
    AND projection = (SELECT id FROM projections WHERE name = $1 AND version = $2)
    ORDER BY key DESC LIMIT $5";
const PUT: &str = "
    INSERT INTO rows (projection, key, value)
    SELECT $1, u.key, u.value FROM unnest($2::bytea[], $3::text[]) AS u(key, value)
    ON CONFLICT (projection, key) DO UPDATE SET value = excluded.value";

/// Up to where the rows of a set are true.
pub(crate) async fn position(link: &Link, set: &RowSet) -> Result<Position, Fault> {
    let sql = "SELECT position FROM projections WHERE name = $1 AND version = $2";
    let found = link.query_opt(sql, &[&set.name, &i64::from(set.version)]).await?;
    Ok(found.map_or(Position(0), |row| Position(unsigned(row.get(0)))))
}

/// Rows of a set.
pub(crate) async fn read(
    link: &Link,
    set: &RowSet,
    rows: &Rows,
) -> Result<Vec<(Key, String)>, Fault> {
    let version = i64::from(set.version);
    let last = async |lowest: Vec<u8>, end: Vec<u8>, limit: usize| {
        let limit = signed(limit as u64);
        link.query(LAST, &[&set.name, &version, &lowest, &end, &limit]).await
    };
    let found = match rows {
        Rows::Keys(keys) => {
            let keys: Vec<Vec<u8>> = keys.iter().map(bytes).collect();
            link.query(BY_KEYS, &[&set.name, &version, &keys]).await?
        }
        Rows::Last { limit } => last(vec![NUMBER], vec![AFTER_TEXTS], *limit).await?,
        Rows::LastWithPrefix { prefix, limit } => {
            let lowest = bytes(&Key::Text(prefix.clone()));
            // No text has this byte.
            let end = [lowest.as_slice(), &[u8::MAX]].concat();
            last(lowest, end, *limit).await?
        }
    };
    Ok(found.iter().filter_map(|row| Some((key(row.get(0))?, row.get(1)))).collect())
}

/// Changes rows if they are true up to where the change starts.
pub(crate) async fn store(link: &Link, change: &RowChange) -> Result<bool, Fault> {
    link.run("BEGIN").await?;
    let Some(id) = claim(link, change).await? else {
        link.run("ROLLBACK").await?;
        return Ok(false);
    };
    // The last one counts if a key is there twice.
    let rows: BTreeMap<Vec<u8>, Option<&String>> =
        change.rows.iter().map(|(key, value)| (bytes(key), value.as_ref())).collect();
    let removed: Vec<&[u8]> =
        rows.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key.as_slice()).collect();
    let (keys, values): (Vec<&[u8]>, Vec<&String>) =
        rows.iter().filter_map(|(key, value)| Some((key.as_slice(), (*value)?))).unzip();
    if !keys.is_empty() {
        link.query(PUT, &[&id, &keys, &values]).await?;
    }
    if !removed.is_empty() {
        let delete = "DELETE FROM rows WHERE projection = $1 AND key = ANY($2)";
        link.query(delete, &[&id, &removed]).await?;
    }
    let update = "UPDATE projections SET position = $2 WHERE id = $1";
    link.query(update, &[&id, &signed(change.to.0)]).await?;
    link.run("COMMIT").await?;
    Ok(true)
}

/// Locks a set that is true up to where the change starts, or makes it; none if it is not.
async fn claim(link: &Link, change: &RowChange) -> Result<Option<i64>, Fault> {
    let RowSet { name, version } = &change.set;
    let version = i64::from(*version);
    let sql = "SELECT id, position FROM projections WHERE name = $1 AND version = $2 FOR UPDATE";
    let found = link.query_opt(sql, &[name, &version]).await?;
    let is_due = |row: &Row| Position(unsigned(row.get(1))) == change.from;
    match found {
        Some(row) => return Ok(is_due(&row).then(|| row.get(0))),
        None if change.from > Position(0) => return Ok(None),
        None => {}
    }
    let make = "INSERT INTO projections (name, version, position) VALUES ($1, $2, 0)
        ON CONFLICT (name, version) DO NOTHING RETURNING id";
    let Some(row) = link.query_opt(make, &[name, &version]).await? else { return Ok(None) };
    link.query(
        "WITH earlier AS (DELETE FROM projections WHERE name = $1 AND version < $2 RETURNING id)
         DELETE FROM rows WHERE projection IN (SELECT id FROM earlier)",
        &[name, &version],
    )
    .await?;
    Ok(Some(row.get(0)))
}

fn bytes(key: &Key) -> Vec<u8> {
    match key {
        Key::Number(number) => [&[NUMBER], number.to_be_bytes().as_slice()].concat(),
        Key::Text(text) => [&[TEXT], text.as_bytes()].concat(),
    }
}

fn key(bytes: &[u8]) -> Option<Key> {
    match bytes.split_first()? {
        (&NUMBER, number) => number.try_into().ok().map(u64::from_be_bytes).map(Key::Number),
        (_, text) => str::from_utf8(text).ok().map(|text| Key::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> impl Strategy<Value = Key> {
        let number = (0..=i64::MAX as u64).prop_map(Key::Number);
        prop_oneof![number, ".*".prop_map(Key::Text)]
    }

    proptest! {
        #[test]
        fn bytes_of_keys_are_in_the_order_of_keys(one in keys(), two in keys()) {
            prop_assert_eq!(one.cmp(&two), bytes(&one).cmp(&bytes(&two)));
            prop_assert_eq!(key(&bytes(&one)), Some(one));
        }
    }
}
