//! Runs the statements for one event.

use crate::{
    plan::{Handler, Plan},
    value::Value,
};
use fairway_ledger::Event;
use rusqlite::{
    CachedStatement, Connection, Error, ErrorCode, ToSql,
    types::{ToSqlOutput, ValueRef},
};

/// Why an event was not taken in.
#[derive(Debug)]
pub(super) enum Failed {
    /// Because of what it is; in words.
    Event(String),
    /// Because of the file.
    File(Error),
}

/// The statements of a declaration, prepared on a connection.
pub(super) struct Prepared<'c> {
    connection: &'c Connection,
    handlers: Vec<Vec<CachedStatement<'c>>>,
}

impl<'c> Prepared<'c> {
    pub(super) fn new(connection: &'c Connection, plan: &Plan) -> Result<Self, Error> {
        let of = |handler: &Handler| -> Result<Vec<_>, Error> {
            let all = handler.statements.iter();
            all.map(|statement| connection.prepare_cached(&statement.sql.text)).collect()
        };
        let handlers = plan.handlers().iter().map(of).collect::<Result<_, _>>()?;
        Ok(Self { connection, handlers })
    }

    /// Runs all statements for an event or leaves no trace. `found` is room that is used again.
    pub(super) fn run<'e>(
        &mut self,
        (at, handler): (usize, &Handler),
        event: &'e Event,
        found: &mut Vec<Option<&'e str>>,
    ) -> Result<(), Failed> {
        handler.find(event, found);
        let all = &mut self.handlers[at];
        if let ([statement], true) = (all.as_mut_slice(), handler.is_atomic) {
            return execute(statement, (handler, 0), event, found);
        }
        self.connection.execute_batch("SAVEPOINT event").map_err(Failed::File)?;
        for (number, statement) in all.iter_mut().enumerate() {
            if let Err(failed) = execute(statement, (handler, number), event, found) {
                if !self.connection.is_autocommit() {
                    let undo = "ROLLBACK TO event; RELEASE event";
                    self.connection.execute_batch(undo).map_err(Failed::File)?;
                }
                return Err(failed);
            }
        }
        self.connection.execute_batch("RELEASE event").map_err(Failed::File)
    }
}

fn execute(
    statement: &mut CachedStatement<'_>,
    (handler, number): (&Handler, usize),
    event: &Event,
    found: &[Option<&str>],
) -> Result<(), Failed> {
    // SQLite numbers named parameters in the order in which they first appear, as the plan does.
    for (at, (_, parameter)) in handler.statements[number].parameters.iter().enumerate() {
        let value = parameter.value(event, found);
        let value = value.map_err(|place| Failed::Event(handler.missing(place)))?;
        statement.raw_bind_parameter(at + 1, value).map_err(failed)?;
    }
    statement.raw_execute().map(drop).map_err(failed)
}

/// Whose fault an error is.
pub(super) fn failed(error: Error) -> Failed {
    match error.sqlite_error_code() {
        Some(code) if is_of_file(code) => Failed::File(error),
        Some(_) | None => Failed::Event(error.to_string()),
    }
}

/// Whether an error says something of the file, not of a statement or its values.
pub(super) fn is_of_file(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NotADatabase
            | ErrorCode::OperationInterrupted
    )
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(is_true) => ValueRef::Integer(i64::from(*is_true)),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number, _) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
