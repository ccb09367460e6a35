//! What PostgreSQL's errors mean for a ledger.

use fairway_ledger::{Cause, LedgerError, Position};
use std::sync::Arc;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// What went wrong between us and the server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The server or the connection says so.
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    /// Nothing came in time.
    #[error("the server does not answer in time")]
    Silent,
    /// Texts would not come back as they were given.
    #[error("the database has the encoding `{0}`, but a ledger needs `UTF8`")]
    Encoding(String),
    /// A row is missing that others belong to.
    #[error("event {0} belongs to no stream")]
    Stray(Position),
}

impl Fault {
    fn database(&self) -> Option<&DbError> {
        match self {
            Self::Postgres(error) => error.as_db_error(),
            Self::Silent | Self::Encoding(_) | Self::Stray(_) => None,
        }
    }

    /// Whether the server refused a statement and undid it, and its connection is fine. With any
    /// other fault, a statement may have been done or not.
    pub(crate) fn is_refusal(&self) -> bool {
        self.database().is_some_and(|error| error.parsed_severity() == Some(Severity::Error))
    }

    /// Whether another try with a new connection may go well.
    pub(crate) fn is_passing(&self) -> bool {
        match self.database() {
            Some(error) => is_away(error.code()) || is_in_the_way(error.code()),
            None => !matches!(self, Self::Encoding(_) | Self::Stray(_)),
        }
    }

    /// The error of a ledger whose last batch may have been committed or not.
    pub(crate) fn unsettled_at(self, place: &str) -> LedgerError {
        LedgerError::Unreachable { ledger: place.to_owned(), source: Arc::new(self) }
    }

    /// The error of the ledger at a place.
    pub(crate) fn at(self, place: &str) -> LedgerError {
        let ledger = place.to_owned();
        let code = self.database().map(|error| error.code().clone());
        let is_connection = code.is_none() && self.is_passing();
        let is_stray = matches!(self, Self::Stray(_));
        let source: Cause = Arc::new(self);
        match code {
            _ if is_stray => LedgerError::Damaged { ledger, source },
            _ if is_connection => LedgerError::Unreachable { ledger, source },
            Some(code) if code == SqlState::DISK_FULL => LedgerError::DiskFull { ledger, source },
            Some(code) if is_forbidden(&code) => LedgerError::NotWritable { ledger, source },
            Some(code) if code == SqlState::LOCK_NOT_AVAILABLE => LedgerError::Busy(ledger),
            Some(code) if is_away(&code) => LedgerError::Unreachable { ledger, source },
            _ => LedgerError::Backend { ledger, source },
        }
    }
}

/// The server ends, begins, or ended this connection; or has no room for one more.
fn is_away(code: &SqlState) -> bool {
    let is_of = |class: &str| code.code().starts_with(class);
    is_of("08")
        || is_of("57") && *code != SqlState::QUERY_CANCELED
        || *code == SqlState::TOO_MANY_CONNECTIONS
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
}

/// Another transaction has a lock, or this one had to give way.
fn is_in_the_way(code: &SqlState) -> bool {
    *code == SqlState::LOCK_NOT_AVAILABLE || code.code().starts_with("40")
}

fn is_forbidden(code: &SqlState) -> bool {
    *code == SqlState::READ_ONLY_SQL_TRANSACTION || *code == SqlState::INSUFFICIENT_PRIVILEGE
}
