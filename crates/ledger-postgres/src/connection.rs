//! One connection to the server, with the statements that it knows.

use crate::{address::Address, error::Fault, task::Task, tls::Tls};
use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::timeout,
};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Row, Statement, types::ToSql};

/// How long a server may take to answer one statement of an appender.
pub(crate) const APPENDER_PATIENCE: Duration = Duration::from_secs(6);
/// How long a server may take to answer one statement of a reader.
pub(crate) const READER_PATIENCE: Duration = Duration::from_secs(30);
/// How long making the tables may take.
const PREPARE_PATIENCE: Duration = Duration::from_mins(1);

/// What holds in every session. Locks are waited for less long than answers. A session that is cut
/// off in a transaction holds its locks for seconds only. All queries go by an index, also while the
/// server knows nothing yet of how large the tables are.
const SESSION: &str = "
    SET lock_timeout = '4s';
    SET idle_in_transaction_session_timeout = '3s';
    SET statement_timeout = 0;
    SET client_min_messages = warning;
    SET jit = off;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET enable_bitmapscan = off;
    SET enable_sort = off;
    SET default_transaction_isolation = 'read committed';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';
";

pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection. It ends when this is dropped; what it was doing is undone, unless it was done.
#[derive(Debug)]
pub(crate) struct Link {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    patience: Duration,
    /// Is told when the server sends a notification.
    pub(crate) told: Arc<Notify>,
    _driver: Task,
}

impl Link {
    pub(crate) async fn connect(address: &Address, patience: Duration) -> Result<Self, Fault> {
        let connect = async {
            Ok::<Self, Fault>(match &address.tls {
                Tls::Plain => {
                    let (client, connection) = address.config.connect(NoTls).await?;
                    Self::drive(client, connection, patience)
                }
                Tls::Encrypted(tls) => {
                    let (client, connection) = address.config.connect(tls.clone()).await?;
                    Self::drive(client, connection, patience)
                }
            })
        };
        let link = timeout(patience, connect).await.map_err(|_| Fault::Silent)??;
        let path = format!("{SESSION} SET search_path = \"{}\";", address.schema);
        link.run(&path).await?;
        Ok(link)
    }

    fn drive<S, T>(client: Client, mut connection: Connection<S, T>, patience: Duration) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let told = Arc::new(Notify::new());
        let tell = told.clone();
        let driver = Task::start(async move {
            // An error ends the connection, which whoever uses it finds out.
            while let Some(Ok(message)) = poll_fn(|ctx| connection.poll_message(ctx)).await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    tell.notify_one();
                }
            }
            tell.notify_one();
        });
        Self { client, statements: Mutex::default(), patience, told, _driver: driver }
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs statements without parameters.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), Fault> {
        self.answered(self.client.batch_execute(sql)).await
    }

    /// Runs statements that make tables.
    pub(crate) async fn prepare_tables(&self, sql: &str) -> Result<(), Fault> {
        let made = timeout(PREPARE_PATIENCE, self.client.batch_execute(sql)).await;
        Ok(made.map_err(|_| Fault::Silent)??)
    }

    /// The rows of a query, which is planned once per connection.
    pub(crate) async fn query(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Fault> {
        let statement = self.statement(sql).await?;
        self.answered(self.client.query(&statement, params)).await
    }

    /// The row of a query that has at most one.
    pub(crate) async fn query_opt(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Option<Row>, Fault> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// The row of a query that always has one.
    pub(crate) async fn query_one(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Row, Fault> {
        let statement = self.statement(sql).await?;
        self.answered(self.client.query_one(&statement, params)).await
    }

    async fn statement(&self, sql: &'static str) -> Result<Statement, Fault> {
        if let Some(statement) = self.known(sql) {
            return Ok(statement);
        }
        let statement = self.answered(self.client.prepare(sql)).await?;
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        statements.insert(sql, statement.clone());
        Ok(statement)
    }

    fn known(&self, sql: &'static str) -> Option<Statement> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned()
    }

    async fn answered<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        Ok(timeout(self.patience, asked).await.map_err(|_| Fault::Silent)??)
    }
}
