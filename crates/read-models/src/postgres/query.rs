//! Reads the schema of a build, beside who writes it.

use super::{
    link::{Link, Text, unusable},
    schema::Place,
    standing,
};
use crate::{
    error::ReadModelError,
    read::{BYTES_MAX, Found, Parameters, QUERY_TIME_MAX, ROWS_MAX},
    sql::{Dialect, TokenKind, number_parameters, tokens},
    target::{Parked, ParkedOf, Standing},
    value::Value,
};
use futures_util::{StreamExt, pin_mut};
use serde_json::{Map, Value as Json};
use tokio_postgres::{Client, Error, error::SqlState};

/// Reads the schema of a build, with a connection for every question.
#[derive(Clone)]
pub(crate) struct PostgresReader(pub(crate) Place);

impl PostgresReader {
    /// How far the build is; none if it is not there.
    pub(crate) async fn standing(&self) -> Result<Option<Standing>, ReadModelError> {
        let Some(link) = self.connect().await? else { return Ok(None) };
        let read = async {
            let stored = standing::read(&link.client).await?;
            let parked = standing::parked_count(&link.client).await?;
            Ok(Standing { position: stored.position, asks: stored.asks, parked, due: None })
        };
        read.await.map(Some).map_err(said)
    }

    /// What is parked; none if the build is not there.
    pub(crate) async fn parked(
        &self,
        of: ParkedOf,
        limit: usize,
    ) -> Result<Option<Vec<Parked>>, ReadModelError> {
        let Some(link) = self.connect().await? else { return Ok(None) };
        standing::parked(&link.client, &of, limit).await.map(Some).map_err(said)
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
        let Some(link) = self.connect().await? else { return Ok(None) };
        rows(&link.client, one_statement(&numbered.sql), values).await.map(Some).map_err(said)
    }

    /// A connection with a transaction that reads one moment; none if the build is not there.
    async fn connect(&self) -> Result<Option<Link>, ReadModelError> {
        let link = Link::connect(&self.0.address).await?;
        let begin = format!(
            "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ;
             SET LOCAL statement_timeout = {}; SET LOCAL search_path = {}, public",
            QUERY_TIME_MAX.as_millis(),
            self.0.schema
        );
        link.client.batch_execute(&begin).await.map_err(|error| unusable("read", error))?;
        // Who has read a row here is waited for by who removes the schema.
        let look = format!("SELECT 1 FROM {}.fairway_standing", self.0.schema);
        match link.client.query_opt(&look, &[]).await {
            Ok(found) => Ok(found.map(|_| link)),
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

async fn rows(client: &Client, sql: &str, values: Vec<Text>) -> Result<Found, Error> {
    let position = standing::read(client).await?.position;
    let inner = client.prepare(sql).await?;
    let columns: Vec<String> = inner.columns().iter().map(|one| one.name().to_owned()).collect();
    // The server knows best how its types are written as JSON.
    let limit = ROWS_MAX + 1;
    let outer = format!("SELECT row_to_json(answer)::text FROM ({sql}\n) AS answer LIMIT {limit}");
    let found = client.query_raw(&client.prepare(&outer).await?, values).await?;
    pin_mut!(found);
    let (mut rows, mut bytes, mut is_cut) = (Vec::new(), 0, false);
    while let Some(row) = found.next().await {
        is_cut = rows.len() == ROWS_MAX || bytes > BYTES_MAX;
        if is_cut {
            break;
        }
        let text: String = row?.get(0);
        bytes += text.len();
        let mut cells: Map<String, Json> = serde_json::from_str(&text).unwrap_or_default();
        rows.push(columns.iter().map(|name| cells.remove(name).unwrap_or_default()).collect());
    }
    Ok(Found { position, columns, rows, is_cut })
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
