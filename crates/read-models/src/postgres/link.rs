//! A connection to the server, and values in the form in which every type takes them.

use crate::{target::TargetError, value::Value};
use fairway_ledger_postgres::Database;
use std::{error::Error as StdError, time::Duration};
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Error,
    types::{Format, IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// A connection. It ends when this is dropped; what was not committed is undone.
pub(super) struct Link {
    pub(super) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    /// Runs statements that read nothing.
    pub(super) async fn run(&self, sql: &str) -> Result<(), TargetError> {
        self.client.batch_execute(sql).await.map_err(|error| unusable("use the database", error))
    }

    pub(super) async fn connect(address: &str) -> Result<Self, TargetError> {
        let wrong = |error| TargetError::unusable("the address of the database is wrong", error);
        let database: Database = address.parse().map_err(wrong)?;
        let connect = async {
            let (client, task) = database.connect().await?;
            let link = Self { client, task };
            let session = "SET client_min_messages = warning; SET jit = off;
                SET idle_in_transaction_session_timeout = '60s'";
            link.client.batch_execute(session).await?;
            Ok(link)
        };
        match tokio::time::timeout(CONNECT_MAX, connect).await {
            Ok(connected) => connected.map_err(|error| unusable("reach the database", error)),
            Err(late) => Err(TargetError::unusable("could not reach the database", late)),
        }
    }
}

/// The error of something that could not be done. Says nothing of the address.
pub(super) fn unusable(what: &str, error: Error) -> TargetError {
    TargetError::unusable(format!("could not {what}"), error)
}

/// What an event did wrong, in words; none if the error is not of its making.
pub(super) fn of_event(error: &Error) -> Option<String> {
    /// Classes of SQLSTATE (PostgreSQL, appendix A) that say something of values and statements.
    const CLASSES: &[&str] = &["0A", "21", "22", "23", "27", "2F", "38", "39", "42", "44", "P0"];
    let error = error.as_db_error()?;
    let is_of_event = CLASSES.iter().any(|class| error.code().code().starts_with(class));
    is_of_event.then(|| match error.detail() {
        Some(detail) => format!("{}: {detail}", error.message()),
        None => error.message().to_owned(),
    })
}

/// A value as text, which the server reads as what the statement needs.
#[derive(Debug)]
pub(super) struct Text(Option<String>);

impl From<&Value<'_>> for Text {
    fn from(value: &Value) -> Self {
        Self(value.to_text().map(std::borrow::Cow::into_owned))
    }
}

impl ToSql for Text {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match &self.0 {
            None => Ok(IsNull::Yes),
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
