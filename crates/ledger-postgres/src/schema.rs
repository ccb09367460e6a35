//! The tables of a ledger, and how they are made.

use crate::{address::Address, connection::Link, error::Fault};
use fairway_ledger::{LedgerError, LedgerId};

/// The newest schema that this code writes and understands.
const SCHEMA: u32 = 2;

/// `about` and `appender` have one row each. An event without an id has one that follows from the
/// ledger's id and its position. The last row of `batches` is where the ledger ends: `recorded` is
/// when, `streams` and `categories` are the last ids that were given, and `largest` is the most bytes
/// of one event.
///
/// No row is changed by every append. While anybody reads the database as it was long ago, as a dump
/// does, PostgreSQL keeps what rows were since then, and who wants such a row steps over all of it.
const TABLES: &str = r#"
    CREATE TABLE about (
        one integer PRIMARY KEY CHECK (one = 1),
        schema integer NOT NULL,
        ledger bigint NOT NULL,
        moved text
    );
    CREATE TABLE appender (
        one integer PRIMARY KEY CHECK (one = 1),
        token bigint NOT NULL,
        holder text NOT NULL,
        expires timestamptz NOT NULL,
        wanted boolean NOT NULL
    ) WITH (fillfactor = 10);
    INSERT INTO appender VALUES (1, 0, '', now(), false);
    CREATE TABLE batches (
        position bigint PRIMARY KEY,
        token bigint NOT NULL,
        recorded bigint NOT NULL,
        streams bigint NOT NULL,
        categories bigint NOT NULL,
        largest bigint NOT NULL
    );
    INSERT INTO batches VALUES (0, 0, 0, 0, 0, 0);
    CREATE VIEW head AS SELECT * FROM batches ORDER BY position DESC LIMIT 1;
    CREATE TABLE categories (
        id bigint PRIMARY KEY,
        name text COLLATE "C" NOT NULL UNIQUE
    );
    CREATE TABLE streams (
        id bigint PRIMARY KEY,
        name text COLLATE "C" NOT NULL UNIQUE,
        category bigint NOT NULL,
        truncated bigint NOT NULL DEFAULT 0,
        swept bigint NOT NULL DEFAULT 0,
        standing smallint NOT NULL DEFAULT 0
    );
    CREATE INDEX streams_to_sweep ON streams (id) WHERE swept < truncated;
    CREATE TABLE events (
        position bigint PRIMARY KEY,
        stream bigint NOT NULL,
        version bigint NOT NULL,
        category bigint NOT NULL,
        recorded bigint NOT NULL,
        data_is_json boolean NOT NULL,
        metadata_is_json boolean NOT NULL,
        kind text COLLATE "C" NOT NULL,
        id bytea,
        data bytea NOT NULL,
        metadata bytea NOT NULL
    );
    CREATE UNIQUE INDEX events_of_stream ON events (stream, version);
    CREATE INDEX events_of_category ON events (category, position);
    CREATE UNIQUE INDEX events_by_id ON events (stream, id) WHERE id IS NOT NULL;
    CREATE VIEW states AS
        SELECT id, name, category, truncated, standing, greatest(truncated,
            coalesce((SELECT max(version) FROM events WHERE stream = streams.id), 0)) AS version
        FROM streams;
    CREATE TABLE snapshots (
        stream bigint NOT NULL,
        version bigint NOT NULL,
        kind text COLLATE "C" NOT NULL,
        recorded bigint NOT NULL,
        data_is_json boolean NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (stream, version)
    );
    CREATE TABLE projections (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text COLLATE "C" NOT NULL,
        version bigint NOT NULL,
        position bigint NOT NULL,
        UNIQUE (name, version)
    );
    CREATE TABLE rows (
        projection bigint NOT NULL,
        key bytea NOT NULL,
        value text NOT NULL,
        PRIMARY KEY (projection, key)
    );
"#;

/// What schema 2 added. The ids of events that are gone still tell a retry from an append.
const TABLES_SINCE_2: &str = "
    CREATE TABLE truncated_ids (
        position bigint PRIMARY KEY,
        stream bigint NOT NULL,
        version bigint NOT NULL,
        id bytea NOT NULL
    );
    CREATE UNIQUE INDEX truncated_by_id ON truncated_ids (stream, id);
";

/// What is done if there is no ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It is made.
    Make,
    /// That is told.
    Refuse,
}

/// Checks that the ledger can be used, and brings it up to the newest schema.
pub(crate) async fn prepare(
    link: &Link,
    address: &Address,
    absent: Absent,
) -> Result<LedgerId, LedgerError> {
    let at = |fault: Fault| fault.at(address.place());
    let mut found = version(link).await.map_err(at)?;
    if found == 0 && absent == Absent::Refuse {
        return Err(LedgerError::Missing(address.place().to_owned()));
    }
    if found < SCHEMA {
        bring_up(link, address).await.map_err(at)?;
        found = version(link).await.map_err(at)?;
    }
    if found > SCHEMA {
        let ledger = address.place().to_owned();
        return Err(LedgerError::Newer { ledger, found, known: SCHEMA });
    }
    let about = link.query_one("SELECT ledger FROM about", &[]).await.map_err(at)?;
    Ok(LedgerId(about.get::<_, i64>(0).cast_unsigned()))
}

/// The version of the tables; 0 if there are none.
async fn version(link: &Link) -> Result<u32, Fault> {
    let is_there = "SELECT to_regclass('about') IS NOT NULL";
    if !link.query_one(is_there, &[]).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    let about = link.query_one("SELECT schema FROM about", &[]).await?;
    Ok(u32::try_from(about.get::<_, i32>(0)).unwrap_or(u32::MAX))
}

/// Makes the tables that are missing, unless somebody else just did. The lock is waited for outside
/// a transaction, which would not see what was made meanwhile.
async fn bring_up(link: &Link, address: &Address) -> Result<(), Fault> {
    let schema = &address.schema;
    let key = format!("hashtext('fairway ledger'), hashtext('{schema}')");
    link.prepare_tables(&format!("SELECT pg_advisory_lock({key})")).await?;
    let encoding: String = link.query_one("SHOW server_encoding", &[]).await?.get(0);
    if encoding != "UTF8" {
        return Err(Fault::Encoding(encoding));
    }
    let found = version(link).await?;
    if found == 0 {
        let id = LedgerId::random().0.cast_signed();
        let tables = format!(
            "
            BEGIN;
            CREATE SCHEMA IF NOT EXISTS \"{schema}\";
            {TABLES} {TABLES_SINCE_2}
            INSERT INTO about (one, schema, ledger) VALUES (1, {SCHEMA}, {id});
            COMMIT;
        "
        );
        link.prepare_tables(&tables).await?;
    } else if found < SCHEMA {
        let update = format!("UPDATE about SET schema = {SCHEMA}");
        link.prepare_tables(&format!("BEGIN; {TABLES_SINCE_2} {update}; COMMIT;")).await?;
    }
    link.run(&format!("SELECT pg_advisory_unlock({key})")).await
}
