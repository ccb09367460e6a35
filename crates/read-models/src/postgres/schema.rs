//! The schema of a build: its name, how it is made and removed.

use super::link::{Link, unusable};
use crate::{registry::Built, target::TargetError};
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
    pub(super) async fn open(&self, built: &Built, ledger: &str) -> Result<Link, TargetError> {
        let link = Link::connect(&self.address).await?;
        self.lock(&link).await?;
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
    async fn lock(&self, link: &Link) -> Result<(), TargetError> {
        let lock = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
        let row = link.client.query_one(lock, &[&format!("fairway {}", self.schema)]).await;
        let is_ours: bool = row.map_err(|error| unusable("lock the tables", error))?.get(0);
        if is_ours {
            return Ok(());
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
