//! Asking a read model.

use crate::{
    access::{Access, Right},
    answer,
    call::Call,
    events_in,
    problem::{Problem, ProblemKind},
    waiting,
};
use axum::response::Response;
use fairway_ledger::Position;
use fairway_read_models::{Answer, Consistency, Parameters, Question};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// SQL that reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sql {
    sql: String,
    #[serde(default)]
    parameters: Parameters,
}

/// `GET /v1/read-models/{model}/queries/{query}`: what is left of the query of the address are the
/// values of parameters.
pub(crate) async fn named(mut call: Call) -> Result<Response, Problem> {
    let name = call.read_model(Right::Read)?;
    let consistency = consistency(&mut call)?;
    let question = Question::Named(call.segment("query").to_owned());
    let parameters = std::mem::take(&mut call.params).rest()?;
    let parameters = parameters.into_iter().map(|(name, text)| (name, value(text))).collect();
    let asked = call.read_models()?.query(&name, (question, parameters), consistency);
    Ok(answered(asked.await?))
}

/// `POST /v1/read-models/{model}/sql`: for those who may do everything.
pub(crate) async fn sql(mut call: Call) -> Result<Response, Problem> {
    let name = call.read_model(Right::Read)?;
    if call.access != Access::All {
        return Err(Problem::new(ProblemKind::Forbidden, "only `admin` may use SQL of its own"));
    }
    let consistency = consistency(&mut call)?;
    std::mem::take(&mut call.params).end()?;
    let Sql { sql, parameters } = events_in::json(&call.json_body().await?.bytes)?;
    let question = (Question::Sql(sql), parameters);
    let models = call.read_models()?.clone();
    Ok(answered(models.query(&name, question, consistency).await?))
}

fn consistency(call: &mut Call) -> Result<Consistency, Problem> {
    Ok(match waiting::wanted(&mut call.params)? {
        None => Consistency::Now,
        Some((position, wait)) => Consistency::AtLeast(position, wait),
    })
}

/// A value of the query of an address: a whole number is one, anything else is text.
fn value(text: String) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => number.into(),
        _ => text.into(),
    }
}

fn answered(answer: Answer) -> Response {
    let Answer { version, position, columns, rows, is_cut } = answer;
    let row = |row: Vec<Value>| columns.iter().cloned().zip(row).collect::<Map<_, _>>();
    let rows: Vec<Map<String, Value>> = rows.into_iter().map(row).collect();
    let Position(at) = position;
    let json = json!({ "position": at, "version": version, "rows": rows, "cut": is_cut });
    answer::at(answer::json(StatusCode::OK, &json), position)
}
