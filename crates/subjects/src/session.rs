//! The connection to a server that has keys, made anew when it is lost. Many use it at once.

use crate::{error::SubjectError, keys::KeysId};
use fairway_ledger_postgres::{Address, AddressError};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{Client, Error};

/// How long a server may take to answer, and to be connected to before.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server that is away is tried.
const REACH_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// What holds in every session. A key is on disk before anything is sealed with it, and removed there
/// before anybody is told so.
const SETTINGS: &str = "
    SET statement_timeout = '8s';
    SET idle_in_transaction_session_timeout = '8s';
    SET client_min_messages = warning;
    SET default_transaction_isolation = 'read committed';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';
";

/// A subject is bytes, because texts of PostgreSQL cannot have every character. Rows that are removed
/// are cleaned up as soon as the server looks.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS about (
        one integer PRIMARY KEY CHECK (one = 1),
        id text NOT NULL
    );
    CREATE TABLE IF NOT EXISTS keys (
        subject bytea PRIMARY KEY,
        key bytea NOT NULL CHECK (length(key) = 32)
    ) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
    CREATE TABLE IF NOT EXISTS streams (
        stream text COLLATE \"C\" NOT NULL,
        subject bytea NOT NULL,
        PRIMARY KEY (stream, subject)
    );
    CREATE INDEX IF NOT EXISTS streams_of_subject ON streams (subject);
";

/// A schema with keys, and the way to it.
#[derive(Debug)]
pub(crate) struct Session {
    address: Address,
    client: Mutex<Option<Arc<Client>>>,
}

/// What went wrong between us and the server.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Postgres(#[from] Error),
    #[error("the server does not answer in time")]
    Silent,
    #[error(transparent)]
    Subject(#[from] SubjectError),
}

impl Fault {
    /// Whether another try with a new connection may go well.
    fn is_passing(&self) -> bool {
        let Self::Postgres(error) = self else { return matches!(self, Self::Silent) };
        let Some(code) = error.code() else { return true };
        // The server is away or full, or others were in the way.
        ["08", "57P", "53300", "40", "55P03"].iter().any(|class| code.code().starts_with(class))
    }

    fn at(self, place: &str) -> SubjectError {
        let (place, is_passing) = (place.to_owned(), self.is_passing());
        match self {
            Self::Subject(error) => error,
            Self::Postgres(error) if !is_passing => {
                SubjectError::Server { place, source: Arc::new(error) }
            }
            fault => SubjectError::Unreachable { place, source: Arc::new(fault) },
        }
    }
}

impl Session {
    pub(crate) fn new(url: &str, default_schema: &str) -> Result<Self, AddressError> {
        Ok(Self { address: Address::of(url, default_schema)?, client: Mutex::default() })
    }

    /// The address without secrets.
    pub(crate) fn place(&self) -> &str {
        self.address.place()
    }

    /// Does some work in the schema, which is made if it is not there; again, if the server was away.
    /// Work that is done twice has to come to the same.
    pub(crate) async fn work<T, F>(
        &self,
        work: impl Fn(Arc<Client>) -> F + Send + Sync,
    ) -> Result<T, SubjectError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let deadline = Instant::now() + REACH_MAX;
        loop {
            match self.try_work(&work).await {
                Err(fault) if fault.is_passing() && Instant::now() < deadline => {
                    if let (Fault::Silent, Ok(mut open)) = (&fault, self.client.try_lock()) {
                        // It may have been cut off without a word.
                        *open = None;
                    }
                    sleep(PAUSE).await;
                }
                done => return done.map_err(|fault| fault.at(self.place())),
            }
        }
    }

    async fn try_work<T, F>(
        &self,
        work: &(impl Fn(Arc<Client>) -> F + Send + Sync),
    ) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let work = async { Ok(work(self.client().await?).await?) };
        timeout(PATIENCE, work).await.unwrap_or(Err(Fault::Silent))
    }

    async fn client(&self) -> Result<Arc<Client>, Fault> {
        let mut open = self.client.lock().await;
        if let Some(client) = open.as_ref().filter(|client| !client.is_closed()) {
            return Ok(client.clone());
        }
        let client = self.connect().await?;
        Ok(open.insert(Arc::new(client)).clone())
    }

    async fn connect(&self) -> Result<Client, Fault> {
        let (client, _) = self.address.database().connect().await?;
        let schema = self.address.schema();
        client.batch_execute(&format!("{SETTINGS} SET search_path = \"{schema}\";")).await?;
        let is_there = client.query_one("SELECT to_regclass('about') IS NOT NULL", &[]).await?;
        if !is_there.get::<_, bool>(0) {
            let KeysId(id) = KeysId::generate()?;
            let make = format!(
                "BEGIN;
                SELECT pg_advisory_xact_lock(hashtext('fairway subjects'), hashtext('{schema}'));
                CREATE SCHEMA IF NOT EXISTS \"{schema}\"; {TABLES}
                INSERT INTO about (one, id) VALUES (1, '{id}') ON CONFLICT DO NOTHING;
                COMMIT;"
            );
            client.batch_execute(&make).await?;
        }
        Ok(client)
    }
}
