//! Reads the schema of a build, beside who writes it.

use super::{
    link::{Link, Text, unusable},
    links::Links,
    schema::Place,
    standing,
};
use crate::{
    error::ReadModelError,
    read::{self, BYTES_MAX, Found, Parameters, QUERY_TIME_MAX, ROWS_MAX},
    sql::{Dialect, TokenKind, number_parameters, tokens},
    target::{Parked, ParkedOf, Standing, TargetError},
    value::Value,
};
use futures_util::{StreamExt, pin_mut};
use serde_json::{Map, Value as Json};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{
    Client, Column, Error,
    error::SqlState,
    types::{Kind, Type},
};

/// How long a question may take altogether: somewhat longer than the server lets its query run.
const SILENCE_MAX: Duration = QUERY_TIME_MAX.saturating_add(Duration::from_secs(7));

/// Reads the schema of a build.
#[derive(Clone)]
pub(crate) struct PostgresReader {
    pub(crate) place: Place,
    pub(crate) links: Links,
}

impl PostgresReader {
    /// How far the build is; none if it is not there.
    pub(crate) async fn standing(&self) -> Result<Option<Standing>, ReadModelError> {
        self.with(async |client| {
            let stored = standing::read(client).await.map_err(said)?;
            let parked = standing::parked_count(client).await.map_err(said)?;
            Ok(Standing { position: stored.position, asks: stored.asks, parked, due: None })
        })
        .await
    }

    /// What is parked; none if the build is not there.
    pub(crate) async fn parked(
        &self,
        of: ParkedOf,
        limit: usize,
    ) -> Result<Option<Vec<Parked>>, ReadModelError> {
        let of = [of];
        self.with(async |client| standing::parked(client, &of, limit).await.map_err(said)).await
    }

    /// Asks; none if the build is not there.
    pub(crate) async fn query(
        &self,
        (name, sql): (String, String),
        parameters: Parameters,
    ) -> Result<Option<Found>, ReadModelError> {
        let numbered = number_parameters(&sql);
        let mut values = Vec::new();
        for parameter in &numbered.names {
            let missing = || ReadModelError::MissingParameter {
                query: name.clone(),
                parameter: parameter.clone(),
            };
            let json = parameters.get(parameter).ok_or_else(missing)?.to_string();
            values.push(Text::from(&Value::of_json(&json)));
        }
        let sql = one_statement(&numbered.sql);
        self.with(async |client| rows(client, sql, values).await).await
    }

    /// Reads on a connection; a server that is silent is not waited for. None if the build is not
    /// there.
    async fn with<T>(
        &self,
        read: impl AsyncFnOnce(&Client) -> Result<T, ReadModelError>,
    ) -> Result<Option<T>, ReadModelError> {
        let read = async {
            let link = self.begin().await?;
            let Some(()) = self.look(&link).await? else { return Ok(None) };
            let read = read(&link.client).await?;
            // A connection that cannot even do this is not kept.
            if link.run("ROLLBACK").await.is_ok() {
                self.links.put(&self.place.address, link);
            }
            Ok(Some(read))
        };
        let silent = |late| TargetError::unusable("the database does not answer", late);
        timeout(SILENCE_MAX, read).await.map_err(silent)?
    }

    /// A connection with a transaction that reads one moment.
    async fn begin(&self) -> Result<Link, TargetError> {
        let begin = format!(
            "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ;
             SET LOCAL statement_timeout = {}; SET LOCAL search_path = {}, public",
            QUERY_TIME_MAX.as_millis(),
            self.place.schema
        );
        self.links.take(&self.place.address, &begin).await
    }

    /// Looks whether the build is there.
    async fn look(&self, link: &Link) -> Result<Option<()>, ReadModelError> {
        // Who has read a row here is waited for by who removes the schema.
        let look = format!("SELECT 1 FROM {}.fairway_standing", self.place.schema);
        match link.client.query_opt(&look, &[]).await {
            Ok(found) => Ok(found.map(drop)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(unusable("read", error).into()),
        }
    }
}

/// Whether there is no such schema or table.
fn is_missing(error: &Error) -> bool {
    let missing = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    error.code().is_some_and(|code| missing.contains(code))
}

/// The SQL without what ends it.
fn one_statement(sql: &str) -> &str {
    let end = tokens(sql, Dialect::Postgres).into_iter().find(|token| token.kind == TokenKind::End);
    end.map_or(sql, |end| &sql[..end.offset])
}

async fn rows(client: &Client, sql: &str, values: Vec<Text>) -> Result<Found, ReadModelError> {
    let position = standing::read(client).await.map_err(said)?.position;
    let inner = client.prepare(sql).await.map_err(said)?;
    let columns = read::columns(inner.columns().iter().map(Column::name));
    let columns = columns.map_err(ReadModelError::Query)?;
    let outer = client.prepare(&as_json(sql, inner.columns())).await.map_err(said)?;
    let found = client.query_raw(&outer, values).await.map_err(said)?;
    pin_mut!(found);
    let (mut rows, mut bytes, mut is_cut) = (Vec::new(), 0, false);
    while let Some(row) = found.next().await {
        is_cut = rows.len() == ROWS_MAX || bytes > BYTES_MAX;
        if is_cut {
            break;
        }
        let text: String = row.map_err(said)?.get(0);
        bytes += text.len();
        let mut cells: Map<String, Json> = serde_json::from_str(&text).unwrap_or_default();
        rows.push(columns.iter().map(|name| cells.remove(name).unwrap_or_default()).collect());
    }
    Ok(Found { position, columns, rows, is_cut })
}

/// SQL for the rows as JSON, which the server writes: it knows its types best. Decimals become texts,
/// as few clients read JSON numbers with all their digits.
fn as_json(sql: &str, columns: &[Column]) -> String {
    let cell = |column: &Column| {
        let name = format!("\"{}\"", column.name().replace('"', "\"\""));
        match text_of(column.type_()) {
            Some(text) => format!("{name}::{text} AS {name}"),
            None => name,
        }
    };
    let cells: Vec<String> = columns.iter().map(cell).collect();
    let (cells, limit) = (cells.join(", "), ROWS_MAX + 1);
    format!(
        "SELECT row_to_json(answer)::text
         FROM (SELECT {cells} FROM ({sql}\n) AS asked LIMIT {limit}) AS answer"
    )
}

/// The type of text that stands for decimals; none if it is another type.
fn text_of(of: &Type) -> Option<&'static str> {
    match of.kind() {
        Kind::Domain(of) => text_of(of),
        Kind::Array(of) => text_of(of).map(|_| "text[]"),
        _ if *of == Type::NUMERIC => Some("text"),
        _ => None,
    }
}

fn said(error: Error) -> ReadModelError {
    match error.as_db_error() {
        Some(found) if *found.code() == SqlState::QUERY_CANCELED => {
            ReadModelError::TooSlow(QUERY_TIME_MAX)
        }
        Some(found) => ReadModelError::Query(found.message().to_owned()),
        None => unusable("read", error).into(),
    }
}
