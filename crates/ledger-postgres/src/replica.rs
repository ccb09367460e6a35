//! The PostgreSQL backend as a ledger that can be copied and be a copy.
//!
//! While a ledger is a copy, or was moved, nobody gets the lease; what is written here is written
//! past the appender. Whoever says that a ledger lives elsewhere takes the lease for that, so that it
//! is true for all appenders from then on.

use crate::{
    appender::lease::{self, Claim},
    back_off::BackOff,
    check,
    connection::{APPENDER_PATIENCE, Link},
    error::Fault,
    part,
    reader::{data, signed, unsigned},
    store::Postgres,
    streams,
};
use async_trait::async_trait;
use fairway_ledger::{
    EventId, Home, Kind, LedgerError, LedgerId, ListSnapshots, PAGE_EVENTS_MAX, PAGE_SNAPSHOTS_MAX,
    Part, Piece, Place, Portable, Position, SWEEP_EVENTS, Snapshot, Store, StreamName, TruncatedId,
    Version,
};
use fairway_model::Timestamp;
use std::{sync::Arc, time::Duration};

/// How long another process may take to hand over the lease.
const WAIT_MAX: Duration = Duration::from_secs(15);

const SNAPSHOTS: &str = "
    SELECT streams.name, s.version, s.kind, s.recorded, s.data_is_json, s.data
    FROM snapshots s JOIN streams ON streams.id = s.stream
    WHERE (s.stream, s.version) > ($1, $2) ORDER BY s.stream, s.version LIMIT $3";

const TRUNCATED_IDS: &str = "
    SELECT t.position, t.version, t.id, s.name
    FROM truncated_ids t JOIN streams s ON s.id = t.stream
    WHERE t.position > $1 ORDER BY t.position LIMIT $2";

#[async_trait]
impl Portable for Postgres {
    async fn home(&self) -> Result<Home, LedgerError> {
        self.pool.read(|link| async move { home(&link).await }).await
    }

    async fn set_home(&self, home: Home) -> Result<(), LedgerError> {
        match home {
            Home::At(place) => self.leave_for(&place).await,
            Home::Here => self.pool.write(|link| async move { come_home(&link).await }).await,
        }
    }

    async fn adopt(&self, ledger: LedgerId, home: String) -> Result<bool, LedgerError> {
        if !self.is_free_for(ledger).await? {
            return Ok(false);
        }
        self.leave_for(&home).await?;
        // Somebody may have appended in between; from here on nobody does.
        if !self.is_free_for(ledger).await? {
            self.set_home(Home::Here).await?;
            return Ok(false);
        }
        let id = ledger.0.cast_signed();
        let adopt = |link: Arc<Link>| async move {
            link.query("UPDATE about SET ledger = $1", &[&id]).await.map(drop)
        };
        self.pool.write(adopt).await?;
        Ok(true)
    }

    async fn replicate(&self, part: Part) -> Result<bool, LedgerError> {
        let (id, part, channel) = (self.id(), &part, self.address.events_channel());
        let channel = &channel;
        let write = |link: Arc<Link>| async move {
            let is_written = part::write(&link, id, part).await?;
            if is_written && !part.events.is_empty() {
                link.query("SELECT pg_notify($1, '')", &[channel]).await?;
            }
            Ok(is_written)
        };
        let is_written = self.pool.write(write).await?;
        if is_written && !part.streams.is_empty() {
            let sweep = |link: Arc<Link>| async move { streams::sweep(&link, SWEEP_EVENTS).await };
            while self.pool.write(sweep).await? != Piece::Nothing {}
        }
        self.wake();
        Ok(is_written)
    }

    async fn snapshots(
        &self,
        list: ListSnapshots,
    ) -> Result<Vec<(StreamName, Snapshot)>, LedgerError> {
        let list = &list;
        self.pool.read(|link| async move { snapshots(&link, list).await }).await
    }

    async fn truncated_ids(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<TruncatedId>, LedgerError> {
        self.pool.read(|link| async move { truncated_ids(&link, after, limit).await }).await
    }

    async fn check(&self) -> Result<Vec<fairway_ledger::Fault>, LedgerError> {
        let checked = async {
            let link = Link::connect(&self.address, check::PATIENCE).await?;
            check::check(&link).await
        };
        checked.await.map_err(|fault: Fault| fault.at(self.address.place()))
    }
}

impl Postgres {
    /// Whether this has no events, or is a copy of that ledger.
    async fn is_free_for(&self, ledger: LedgerId) -> Result<bool, LedgerError> {
        let sql = "SELECT position, ledger, moved IS NOT NULL FROM head, about";
        let look = |link: Arc<Link>| async move {
            let row = link.query_one(sql, &[]).await?;
            let is_copy = row.get::<_, i64>(1) == ledger.0.cast_signed() && row.get(2);
            Ok(row.get::<_, i64>(0) == 0 || is_copy)
        };
        self.pool.read(look).await
    }

    /// Says that the ledger lives elsewhere. What was appended before is on disk.
    async fn leave_for(&self, place: &str) -> Result<(), LedgerError> {
        let left = async {
            let link = Link::connect(&self.address, APPENDER_PATIENCE).await?;
            link.run(&format!("LISTEN {}", self.address.appender_channel())).await?;
            let me = lease::new_holder();
            let mut back_off = BackOff::until(WAIT_MAX);
            loop {
                match lease::claim(&link, &self.address, &me).await? {
                    Claim::Taken(lease) if leave(&link, lease.token, place).await? => {
                        lease::release(&link, &self.address, lease.token).await?;
                        return Ok(true);
                    }
                    Claim::Moved(_) => {
                        link.query("UPDATE about SET moved = $1", &[&place]).await?;
                        return Ok(true);
                    }
                    Claim::Taken(_) | Claim::Held if back_off.is_over() => return Ok(false),
                    Claim::Taken(_) | Claim::Held => tokio::select! {
                        () = link.told.notified() => {}
                        () = back_off.pause() => {}
                    },
                }
            }
        };
        match left.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(LedgerError::Busy(self.place())),
            Err(fault) => Err(Fault::at(fault, self.address.place())),
        }
    }
}

/// Says that the ledger lives elsewhere, if the token is still that of the lease.
async fn leave(link: &Link, token: i64, place: &str) -> Result<bool, Fault> {
    link.run("BEGIN").await?;
    let held = link.query_one("SELECT token = $1 FROM appender FOR UPDATE", &[&token]).await?;
    if !held.get::<_, bool>(0) {
        link.run("ROLLBACK").await?;
        return Ok(false);
    }
    link.query("UPDATE about SET moved = $1", &[&place]).await?;
    link.run("COMMIT").await?;
    Ok(true)
}

async fn come_home(link: &Link) -> Result<(), Fault> {
    link.run("UPDATE about SET moved = NULL").await
}

async fn home(link: &Link) -> Result<Home, Fault> {
    let row = link.query_one("SELECT moved FROM about", &[]).await?;
    Ok(row.get::<_, Option<String>>(0).map_or(Home::Here, Home::At))
}

async fn snapshots(
    link: &Link,
    list: &ListSnapshots,
) -> Result<Vec<(StreamName, Snapshot)>, Fault> {
    let after = match &list.after {
        None => (0, 0),
        Some((stream, version)) => {
            let find = "SELECT id FROM streams WHERE name = $1";
            let id = link.query_opt(find, &[&stream.as_str()]).await?;
            (id.map_or(i64::MAX, |row| row.get(0)), signed(version.0))
        }
    };
    let limit = signed(list.limit.min(PAGE_SNAPSHOTS_MAX) as u64);
    let rows = link.query(SNAPSHOTS, &[&after.0, &after.1, &limit]).await?;
    let snapshot = |row: &tokio_postgres::Row| {
        let snapshot = Snapshot {
            version: Version(unsigned(row.get(1))),
            kind: Kind::trusted(row.get(2)),
            recorded: Timestamp(unsigned(row.get(3))),
            data: data(row, 4),
        };
        (StreamName::trusted(row.get(0)), snapshot)
    };
    Ok(rows.iter().map(snapshot).collect())
}

async fn truncated_ids(
    link: &Link,
    after: Position,
    limit: usize,
) -> Result<Vec<TruncatedId>, Fault> {
    let limit = signed(limit.min(PAGE_EVENTS_MAX) as u64);
    let rows = link.query(TRUNCATED_IDS, &[&signed(after.0), &limit]).await?;
    let truncated = |row: &tokio_postgres::Row| {
        let position = Position(unsigned(row.get(0)));
        let id = EventId(row.get::<_, &[u8]>(2).try_into().ok()?);
        let place = Place { position, version: Version(unsigned(row.get(1))) };
        Some(TruncatedId { stream: StreamName::trusted(row.get(3)), id, place })
    };
    Ok(rows.iter().filter_map(truncated).collect())
}
