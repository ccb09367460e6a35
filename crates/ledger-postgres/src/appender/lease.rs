//! The lease: one row of the database says who appends. Its token rises with every holder, and a
//! batch whose token is not the row's stores nothing.
//!
//! Who holds the lease also holds a lock of its session that is named by the token: if that is free,
//! its connection has ended, and nobody has to wait until the lease expires.

use crate::{
    address::Address,
    connection::Link,
    error::Fault,
    reader::{signed, unsigned},
};
use fairway_ledger::Position;
use fairway_model::Timestamp;
use std::time::Duration;
use tokio_postgres::Row;

/// How long a lease is good after each batch, by the database's clock.
pub(crate) const LEASE: Duration = Duration::from_secs(5);
/// After how much of that it is renewed.
pub(crate) const RENEW_AFTER: Duration = Duration::from_secs(1);
/// So many batches are remembered, to find out what became of one.
pub(crate) const BATCHES_KEPT: u64 = 10_000;
/// Every how many tokens batches are forgotten, if nobody holds one for long enough to do it.
const FORGET_EVERY: i64 = 1_000;

/// What the holder of the lease knows of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) token: i64,
    /// The position of the last event, and when it was recorded.
    pub(crate) position: Position,
    pub(crate) recorded: Timestamp,
    /// The last ids that were given.
    pub(crate) stream: i64,
    pub(crate) category: i64,
    /// The bytes of the largest event.
    pub(crate) largest: i64,
}

/// Identifies a batch: a token has no two that end at one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchId {
    pub(crate) token: i64,
    pub(crate) end: Position,
}

/// What came of asking for the lease.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is ours.
    Taken(Lease),
    /// Somebody else holds it, and is asked to hand over.
    Held,
    /// The ledger lives elsewhere.
    Moved(String),
}

const LOOK: &str = "
    SELECT token, holder, expires < clock_timestamp() AS is_expired, wanted
    FROM appender FOR UPDATE";
/// Asked only when the row is locked: who changes this has it locked, too.
const HEAD: &str = "
    SELECT position, recorded, streams, categories, largest, (SELECT moved FROM about) AS moved
    FROM head";
const IS_DEAD: &str = "
    SELECT pg_try_advisory_xact_lock(hashtext(current_schema()), ($1::bigint % 2147483647)::integer)";
const TAKE: &str = "
    UPDATE appender SET token = $1, holder = $2, wanted = false,
        expires = clock_timestamp() + $3 * interval '1 second'";
const LOCK: &str = "
    SELECT pg_advisory_unlock_all(),
        pg_advisory_lock(hashtext(current_schema()), ($1::bigint % 2147483647)::integer)";
const WANT: &str = "
    WITH wanting AS (UPDATE appender SET wanted = true WHERE NOT wanted)
    SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')";
const RENEW: &str = "
    UPDATE appender SET expires = clock_timestamp() + $2 * interval '1 second' WHERE token = $1
    RETURNING set_config('synchronous_commit', 'off', true)";
const FORGET: &str = "
    DELETE FROM batches WHERE position <
        (SELECT position FROM batches ORDER BY position DESC OFFSET $1 LIMIT 1)";
const RELEASE: &str = "
    WITH released AS (UPDATE appender SET holder = '', wanted = false WHERE token = $1)
    SELECT pg_advisory_unlock_all(), set_config('synchronous_commit', 'off', true),
        pg_notify($2, '')";
const WAS_COMMITTED: &str = "
    SELECT EXISTS (SELECT FROM batches WHERE position = $1 AND token = $2),
        $1 >= (SELECT min(position) FROM batches)";

/// Names somebody who may hold the lease, unlike all others: the process by its number, for who looks
/// at the table, and what nobody guesses. Panics if the system has no randomness.
pub(crate) fn new_holder() -> String {
    let number = getrandom::u64().expect("the system gives random numbers to every process");
    format!("{}-{number:016x}", std::process::id())
}

/// Takes the lease if nobody who lives has it, or asks who has it to hand over. If we held it
/// under another token, that one is over.
pub(crate) async fn claim(link: &Link, address: &Address, me: &str) -> Result<Claim, Fault> {
    link.run("BEGIN").await?;
    let row = link.query_one(LOOK, &[]).await?;
    let head = link.query_one(HEAD, &[]).await?;
    if let Some(to) = head.get("moved") {
        link.run("ROLLBACK").await?;
        return Ok(Claim::Moved(to));
    }
    if !is_free(link, &row, me).await? {
        if !row.get::<_, bool>("wanted") {
            link.query(WANT, &[&address.appender_channel()]).await?;
        }
        link.run("COMMIT").await?;
        return Ok(Claim::Held);
    }
    let token = row.get::<_, i64>("token") + 1;
    link.query(TAKE, &[&token, &me, &LEASE.as_secs_f64()]).await?;
    link.query(LOCK, &[&token]).await?;
    link.run("COMMIT").await?;
    if token % FORGET_EVERY == 0 {
        forget(link).await?;
    }
    Ok(Claim::Taken(Lease {
        token,
        position: Position(unsigned(head.get("position"))),
        recorded: Timestamp(unsigned(head.get("recorded"))),
        stream: head.get("streams"),
        category: head.get("categories"),
        largest: head.get("largest"),
    }))
}

async fn is_free(link: &Link, row: &Row, me: &str) -> Result<bool, Fault> {
    let holder: &str = row.get("holder");
    if holder.is_empty() || holder == me || row.get("is_expired") {
        return Ok(true);
    }
    let token: i64 = row.get("token");
    Ok(link.query_one(IS_DEAD, &[&token]).await?.get(0))
}

/// Whether somebody asks the holder of a token to hand over, or it has lost the lease.
pub(crate) async fn is_wanted(link: &Link, token: i64) -> Result<bool, Fault> {
    let sql = "SELECT wanted OR token <> $1 FROM appender";
    Ok(link.query_one(sql, &[&token]).await?.get(0))
}

/// Whether a token is still that of the lease.
pub(crate) async fn is_held(link: &Link, token: i64) -> Result<bool, Fault> {
    Ok(link.query_one("SELECT token = $1 FROM appender", &[&token]).await?.get(0))
}

/// Gives the lease back.
pub(crate) async fn release(link: &Link, address: &Address, token: i64) -> Result<(), Fault> {
    link.query(RELEASE, &[&token, &address.appender_channel()]).await.map(drop)
}

/// Makes the lease good for its whole time again; false if it was lost.
pub(crate) async fn renew(link: &Link, token: i64) -> Result<bool, Fault> {
    let renewed = link.query_opt(RENEW, &[&token, &LEASE.as_secs_f64()]).await?;
    Ok(renewed.is_some())
}

/// Forgets batches that nobody will ask about.
pub(crate) async fn forget(link: &Link) -> Result<(), Fault> {
    link.query(FORGET, &[&signed(BATCHES_KEPT)]).await.map(drop)
}

/// Whether a batch of a token that is over was committed; none if that is too long ago.
pub(crate) async fn was_committed(link: &Link, id: BatchId) -> Result<Option<bool>, Fault> {
    let row = link.query_one(WAS_COMMITTED, &[&signed(id.end.0), &id.token]).await?;
    Ok(row.get::<_, bool>(1).then(|| row.get(0)))
}
