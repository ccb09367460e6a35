//! The schema of a build: its name, how it is made and removed.

use super::link::{Link, unusable};
use crate::{registry::Built, target::TargetError};
use std::time::Duration;
use tokio_postgres::Error;

/// What the driver keeps beside the tables of the declaration.
const OWN_TABLES: &str = "
    CREATE TABLE fairway_standing (
        one BOOLEAN PRIMARY KEY CHECK (one),
        ledger TEXT NOT NULL,
        position BIGINT NOT NULL,
        asks BIGINT NOT NULL
    );
    CREATE TABLE fairway_parked (
        position BIGINT PRIMARY KEY,
        key TEXT NOT NULL,
        event_id TEXT NOT NULL,
        stream TEXT NOT NULL,
        kind TEXT NOT NULL,
        tries INTEGER NOT NULL,
        error TEXT
    );
    CREATE INDEX fairway_parked_by_key ON fairway_parked (key, position);
";

/// What is done about another connection that writes to a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rival {
    /// It is waited for: it ends with its process, which is on this machine.
    Waited,
    /// It is ended: its process may be paused, and does not have the ledger any more.
    Ended,
}

/// Takes the lock of a schema; one who has it has that of the schema and the ledger, too.
const LOCK: &str = "
    SELECT CASE WHEN pg_try_advisory_lock(hashtextextended($1, 0))
    THEN pg_try_advisory_lock_shared(hashtextextended($2, 0)) ELSE false END";
/// Ends whoever has both.
const END: &str = "
    WITH held AS (
        SELECT pid, (classid::bigint << 32) | objid::bigint AS key FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    SELECT pg_terminate_backend(one.pid) FROM held one JOIN held two USING (pid)
    WHERE one.key = hashtextextended($1, 0) AND two.key = hashtextextended($2, 0)";

/// How often the lock is tried again after its holder was ended, and the pause before each try.
const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Where a build is: an address, which is a secret, and a schema.
#[derive(Clone)]
pub(crate) struct Place {
    pub(super) address: String,
    pub(super) schema: String,
}

impl Place {
    pub(crate) fn of(address: String, built: &Built) -> Self {
        let model = built.declaration.model();
        let name = model.name.as_str().replace('-', "_");
        Self { address, schema: format!("{name}_v{}_b{}", model.version, built.id) }
    }

    /// Connects, with the schema as the place of all names. Makes the schema with its tables if it
    /// is not there.
    pub(super) async fn open(
        &self,
        built: &Built,
        (ledger, rival): (&str, Rival),
    ) -> Result<Link, TargetError> {
        let link = Link::connect(&self.address).await?;
        self.lock(&link, (ledger, rival)).await?;
        let make = async {
            link.client.batch_execute("BEGIN").await?;
            if !self.is_made(&link).await? {
                let schema = &self.schema;
                let make = format!(
                    "CREATE SCHEMA IF NOT EXISTS {schema}; SET LOCAL search_path = {schema}, public;
                     {OWN_TABLES}"
                );
                link.client.batch_execute(&make).await?;
                if let Some(tables) = &built.declaration.model().tables {
                    link.client.batch_execute(&tables.text).await?;
                }
                let insert = "INSERT INTO fairway_standing VALUES (true, $1, 0, $2)";
                link.client.execute(insert, &[&ledger, &built.id.cast_signed()]).await?;
            }
            let path = format!("COMMIT; SET search_path = {}, public", self.schema);
            link.client.batch_execute(&path).await
        };
        make.await.map_err(|error| unusable("make the tables", error))?;
        Ok(link)
    }

    /// One writer at a time; the server lets go when the connection ends.
    async fn lock(&self, link: &Link, (ledger, rival): (&str, Rival)) -> Result<(), TargetError> {
        let schema = format!("fairway {}", self.schema);
        let names = [&schema, &format!("{schema} of {ledger}")];
        if try_lock(link, names).await? {
            return Ok(());
        }
        if rival == Rival::Ended {
            let ended = link.client.query(END, &[names[0], names[1]]).await;
            ended.map_err(|error| unusable("end the connection that wrote before", error))?;
            for _ in 0..LOCK_TRIES {
                tokio::time::sleep(LOCK_PAUSE).await;
                if try_lock(link, names).await? {
                    return Ok(());
                }
            }
        }
        let message = format!("another process writes to schema `{}`", self.schema);
        Err(TargetError::Foreign(message))
    }

    /// Whether the schema is there with its tables.
    pub(super) async fn is_made(&self, link: &Link) -> Result<bool, Error> {
        let ask = "SELECT to_regclass($1) IS NOT NULL";
        let name = format!("{}.fairway_standing", self.schema);
        Ok(link.client.query_one(ask, &[&name]).await?.get(0))
    }

    /// Removes the schema with all that is in it.
    pub(super) async fn remove(&self) -> Result<(), TargetError> {
        let link = Link::connect(&self.address).await?;
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
        let dropped = link.client.batch_execute(&drop).await;
        dropped.map_err(|error| unusable("remove the tables", error))
    }
}

/// Takes the lock of a schema and that of the schema and the ledger; false if another has it.
async fn try_lock(link: &Link, [schema, of_ledger]: [&String; 2]) -> Result<bool, TargetError> {
    let row = link.client.query_one(LOCK, &[schema, of_ledger]).await;
    Ok(row.map_err(|error| unusable("lock the tables", error))?.get(0))
}
