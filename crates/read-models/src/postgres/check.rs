//! Tries a declaration's SQL on the database it is for, and leaves nothing there.

use super::link::{Link, unusable};
use crate::{
    plan::Plan,
    read,
    sql::{SqlFault, Use, number_parameters},
    target::TargetError,
};
use fairway_model::config::{ReadModel, Sql};
use tokio_postgres::{Client, Column, Error, error::ErrorPosition};

/// Checks that the tables can be made and all statements can be prepared; says what is wrong.
pub(crate) async fn check(
    address: &str,
    model: &ReadModel,
    plan: &Plan,
) -> Result<Vec<SqlFault>, TargetError> {
    let link = Link::connect(address).await?;
    let client = &link.client;
    let trial = format!("fairway_trial_{}", std::process::id());
    let begin = format!("BEGIN; CREATE SCHEMA {trial}; SET LOCAL search_path = {trial}, public");
    client.batch_execute(&begin).await.map_err(|error| unusable("make a schema", error))?;
    let faults = faults(client, model, plan).await;
    client.batch_execute("ROLLBACK").await.map_err(|error| unusable("end the trial", error))?;
    Ok(faults)
}

async fn faults(client: &Client, model: &ReadModel, plan: &Plan) -> Vec<SqlFault> {
    if let Some(tables) = &model.tables
        && let Err(error) = client.batch_execute(&tables.text).await
    {
        let offset = position(&error, &tables.text).unwrap_or(0);
        return vec![fault(tables, offset, &error)];
    }
    let changes = plan.handlers().iter().flat_map(|handler| &handler.statements);
    let changes = changes.map(|statement| (&statement.sql, Use::Change));
    let queries = model.queries.values().map(|sql| (sql, Use::Query));
    let mut faults = Vec::new();
    for (sql, of) in changes.chain(queries) {
        let numbered = number_parameters(&sql.text);
        // An error ends what the server lets a transaction do, so each has a part of its own.
        let tried = async {
            client.batch_execute("SAVEPOINT one").await?;
            client.prepare(&numbered.sql).await
        };
        match tried.await {
            Ok(prepared) if of == Use::Query => {
                let wrong = read::columns(prepared.columns().iter().map(Column::name)).err();
                faults.extend(wrong.map(|wrong| SqlFault::at(sql, (0, 1), wrong)));
            }
            Ok(_) => {}
            Err(error) => {
                let offset = position(&error, &numbered.sql).map_or(0, |at| numbered.original(at));
                faults.push(fault(sql, offset, &error));
                if client.batch_execute("ROLLBACK TO one").await.is_err() {
                    return faults;
                }
            }
        }
    }
    faults
}

/// Where in the SQL an error is, in bytes.
fn position(error: &Error, sql: &str) -> Option<usize> {
    let ErrorPosition::Original(character) = error.as_db_error()?.position()? else { return None };
    let before = usize::try_from(*character).ok()?.checked_sub(1)?;
    sql.char_indices().nth(before).map(|(offset, _)| offset)
}

fn fault(sql: &Sql, offset: usize, error: &Error) -> SqlFault {
    let said =
        error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    let rest = &sql.text[sql.text.floor_char_boundary(offset)..];
    let word = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').count();
    SqlFault::at(sql, (offset, word.max(1)), format!("PostgreSQL says: {said}"))
}
