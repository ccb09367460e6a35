//! The connection to a server that has keys, made anew when it is lost. Many use it at once.

use crate::{
    error::SubjectError,
    keys::{KeysId, Missing},
};
use fairway_ledger_postgres::{Address, AddressError};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{Client, Error, types::Type};

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
    client: Mutex<Option<Open>>,
}

/// A connection, and whether the schema was seen to have its tables.
#[derive(Debug)]
struct Open {
    client: Arc<Client>,
    has_tables: bool,
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

    /// Does some work in the schema, which is made if it is not there.
    pub(crate) async fn make<T, F>(
        &self,
        work: impl Fn(Arc<Client>) -> F + Send + Sync,
    ) -> Result<T, SubjectError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        Ok(self.work(Missing::IsMade, work).await?.expect("it was made"))
    }

    /// Does some work in the schema; if it is not there, it stays so, and nothing is found.
    pub(crate) async fn find<T: Default, F>(
        &self,
        work: impl Fn(Arc<Client>) -> F + Send + Sync,
    ) -> Result<T, SubjectError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        Ok(self.work(Missing::IsLeft, work).await?.unwrap_or_default())
    }

    /// Does some work, and again if the server was away. Work that is done twice has to come to the
    /// same.
    async fn work<T, F>(
        &self,
        missing: Missing,
        work: impl Fn(Arc<Client>) -> F + Send + Sync,
    ) -> Result<Option<T>, SubjectError>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let deadline = Instant::now() + REACH_MAX;
        loop {
            match self.try_work(missing, &work).await {
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
        missing: Missing,
        work: &(impl Fn(Arc<Client>) -> F + Send + Sync),
    ) -> Result<Option<T>, Fault>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let work = async {
            let Some(client) = self.client(missing).await? else { return Ok(None) };
            Ok(Some(work(client).await?))
        };
        timeout(PATIENCE, work).await.unwrap_or(Err(Fault::Silent))
    }

    /// A connection to tables that are there; none if they are not, and are left so.
    async fn client(&self, missing: Missing) -> Result<Option<Arc<Client>>, Fault> {
        let mut kept = self.client.lock().await;
        // One that is given up here may be in the middle of something.
        let mut open = match kept.take().filter(|open| !open.client.is_closed()) {
            Some(open) => open,
            None => Open { client: Arc::new(self.connect().await?), has_tables: false },
        };
        if !open.has_tables {
            open.has_tables = self.find_tables(&open.client).await?;
            if !open.has_tables && missing == Missing::IsMade {
                self.make_tables(&open.client).await?;
                open.has_tables = true;
            }
        }
        let open = kept.insert(open);
        Ok(open.has_tables.then(|| open.client.clone()))
    }

    async fn connect(&self) -> Result<Client, Fault> {
        let (client, _) = self.address.database().connect().await?;
        let schema = self.address.schema();
        client.batch_execute(&format!("{SETTINGS} SET search_path = \"{schema}\";")).await?;
        Ok(client)
    }

    /// Whether the tables are there. Fails if the schema is there and may not be used.
    async fn find_tables(&self, client: &Client) -> Result<bool, Fault> {
        let name = format!("\"{}\".about", self.address.schema());
        let found = "SELECT to_regclass($1) IS NOT NULL";
        Ok(client.query_typed_one(found, &[(&name, Type::TEXT)]).await?.get(0))
    }

    async fn make_tables(&self, client: &Client) -> Result<(), Fault> {
        let schema = self.address.schema();
        let KeysId(id) = KeysId::generate()?;
        let make = format!(
            "BEGIN;
            SELECT pg_advisory_xact_lock(hashtext('fairway subjects'), hashtext('{schema}'));
            CREATE SCHEMA IF NOT EXISTS \"{schema}\"; {TABLES}
            INSERT INTO about (one, id) VALUES (1, '{id}') ON CONFLICT DO NOTHING;
            COMMIT;"
        );
        Ok(client.batch_execute(&make).await?)
    }
}
