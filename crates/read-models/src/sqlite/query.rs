//! Reads the file of a build, beside who writes it.

use super::{file::Place, run::is_of_file, standing};
use crate::{
    error::ReadModelError,
    read::{self, BYTES_MAX, Found, Parameters, QUERY_TIME_MAX, ROWS_MAX},
    target::{Parked, ParkedOf, Standing, TargetError},
    value::hex,
};
use rusqlite::{Connection, Error, ErrorCode, InterruptHandle, Row, Statement, types::ValueRef};
use serde_json::Value;
use std::time::Duration;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    task::{JoinError, JoinHandle},
    time::timeout,
};

/// How long a read that is interrupted may take to notice, before it is interrupted once more.
const INTERRUPT_AGAIN: Duration = Duration::from_millis(100);

/// Reads the file of a build. Cheap to make; opens the file for every question.
#[derive(Debug, Clone)]
pub(crate) struct SqliteReader(pub(crate) Place);

impl SqliteReader {
    /// How far the build is; none if it is not there.
    pub(crate) async fn standing(&self) -> Result<Option<Standing>, ReadModelError> {
        self.with(|connection| {
            let stored = standing::read(connection)?;
            let (position, asks) = (stored.position, stored.asks);
            let parked = standing::parked_count(connection)?;
            Ok(Ok(Standing { position, asks, parked, due: None }))
        })
        .await
    }

    /// What is parked; none if the build is not there.
    pub(crate) async fn parked(
        &self,
        of: ParkedOf,
        limit: usize,
    ) -> Result<Option<Vec<Parked>>, ReadModelError> {
        self.with(move |connection| Ok(Ok(standing::parked(connection, &[of], limit)?))).await
    }

    /// Asks; none if the build is not there.
    pub(crate) async fn query(
        &self,
        (name, sql): (String, String),
        parameters: Parameters,
        turn: OwnedSemaphorePermit,
    ) -> Result<Option<Found>, ReadModelError> {
        self.with(move |connection| {
            let found = rows(connection, (&name, &sql), &parameters);
            drop(turn);
            found
        })
        .await
    }

    /// Reads in one transaction on a thread where it may block, within the time of a query.
    async fn with<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<Result<T, ReadModelError>, Error> + Send + 'static,
    ) -> Result<Option<T>, ReadModelError> {
        let place = self.0.clone();
        let (sender, interrupt) = oneshot::channel();
        let task = tokio::task::spawn_blocking(move || {
            let connection = match place.open_to_read() {
                Ok(Some(connection)) => connection,
                Ok(None) => return Ok(None),
                // It was removed in this moment.
                Err(_) if place.is_gone() => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            // Who waits for it may be gone.
            sender.send(connection.get_interrupt_handle()).unwrap_or_default();
            let in_transaction = || {
                let transaction = connection.unchecked_transaction()?;
                let done = read(&transaction)?;
                transaction.finish()?;
                Ok(done)
            };
            match in_transaction() {
                Ok(done) => done.map(Some),
                Err(_) if place.is_gone() => Ok(None),
                Err(error) => Err(said(&place, error)),
            }
        });
        // It ends in time also if whoever asked is gone.
        let joined = tokio::spawn(in_time(task, interrupt)).await.and_then(|joined| joined);
        joined.map_err(|error| TargetError::unusable("a thread ended", error))?
    }
}

/// Waits for a read, and interrupts it when it takes too long.
async fn in_time<T>(
    mut task: JoinHandle<T>,
    interrupt: oneshot::Receiver<InterruptHandle>,
) -> Result<T, JoinError> {
    if let Ok(joined) = timeout(QUERY_TIME_MAX, &mut task).await {
        return joined;
    }
    let Ok(handle) = interrupt.await else { return task.await };
    loop {
        // Between two statements it is not heard.
        handle.interrupt();
        if let Ok(joined) = timeout(INTERRUPT_AGAIN, &mut task).await {
            return joined;
        }
    }
}

fn said(place: &Place, error: Error) -> ReadModelError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => ReadModelError::TooSlow(QUERY_TIME_MAX),
        Some(code) if code != ErrorCode::ReadOnly && is_of_file(code) => {
            place.error("read", error).into()
        }
        Some(_) | None => ReadModelError::Query(error.to_string()),
    }
}

fn rows(
    connection: &Connection,
    (name, sql): (&str, &str),
    parameters: &Parameters,
) -> Result<Result<Found, ReadModelError>, Error> {
    let position = standing::read(connection)?.position;
    let mut statement = connection.prepare(sql)?;
    if !statement.readonly() {
        return Ok(Err(ReadModelError::Query("it would change something".to_owned())));
    }
    if let Err(parameter) = bind(&mut statement, parameters)? {
        return Ok(Err(ReadModelError::MissingParameter { query: name.to_owned(), parameter }));
    }
    let columns = match read::columns(statement.column_names()) {
        Ok(columns) => columns,
        Err(wrong) => return Ok(Err(ReadModelError::Query(wrong))),
    };
    let (mut rows, mut is_cut, mut bytes) = (Vec::new(), false, 0);
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        is_cut = rows.len() == ROWS_MAX || bytes > BYTES_MAX;
        if is_cut {
            break;
        }
        let cells: Vec<Value> =
            (0..columns.len()).map(|at| cell(row, at)).collect::<Result<_, _>>()?;
        bytes += cells.iter().map(|cell| cell.as_str().map_or(8, str::len)).sum::<usize>();
        rows.push(cells);
    }
    Ok(Ok(Found { position, columns, rows, is_cut }))
}

/// Gives parameters their values; or the name of one that has none.
fn bind(statement: &mut Statement, parameters: &Parameters) -> Result<Result<(), String>, Error> {
    for at in 1..=statement.parameter_count() {
        let name = statement.parameter_name(at).unwrap_or("?").trim_start_matches([':', '@', '$']);
        let Some(value) = parameters.get(name) else { return Ok(Err(name.to_owned())) };
        let json = value.to_string();
        statement.raw_bind_parameter(at, crate::value::Value::of_json(&json))?;
    }
    Ok(Ok(()))
}

fn cell(row: &Row, at: usize) -> Result<Value, Error> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => hex(bytes).into(),
    })
}
