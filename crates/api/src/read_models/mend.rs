//! Declaring read models, and mending what failed.

use crate::{
    access::{Access, Right},
    answer, body,
    call::Call,
    events_in,
    problem::{Problem, ProblemKind},
};
use axum::response::Response;
use fairway_ledger::Position;
use fairway_model::{Colour, ReadModelName, render_all};
use fairway_read_models::{Applied, Declaration};
use http::StatusCode;
use serde::Deserialize;

/// The media types of declarations.
const YAML: [&str; 2] = ["application/yaml", "text/yaml"];

/// Which parked events are tried again; all, if nothing is said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    key: Option<String>,
}

/// Which parked event is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    event: Position,
}

/// `PUT /v1/read-models/{model}`: declares it by the text of a file. A declaration says what SQL
/// runs where, so that only those may who may do everything.
pub(crate) async fn apply(mut call: Call) -> Result<Response, Problem> {
    let name = only_admin(&call)?;
    std::mem::take(&mut call.params).end()?;
    let media = body::media(&call.headers)?;
    if !media.is_some_and(|media| YAML.contains(&media.as_str())) {
        return Err(Problem::new(ProblemKind::MediaType, format!("it has to be `{}`", YAML[0])));
    }
    let models = call.read_models()?.clone();
    let declaration = declaration(&name, &call.body().await?.bytes)?;
    match models.apply(&declaration).await? {
        Applied::Declared => Ok(answer::empty(StatusCode::CREATED)),
        Applied::Unchanged => Ok(answer::empty(StatusCode::NO_CONTENT)),
    }
}

fn declaration(name: &ReadModelName, body: &[u8]) -> Result<Declaration, Problem> {
    let wrong = || Problem::content("the body is not UTF-8");
    let text = std::str::from_utf8(body).map_err(|_| wrong())?;
    let read = Declaration::read(&format!("{name}.yaml"), text);
    let declaration = read.map_err(|wrong| Problem::content(render_all(&wrong, Colour::Off)))?;
    if declaration.name() != name {
        let detail = format!("it declares `{}`, not `{name}`", declaration.name());
        return Err(Problem::content(detail));
    }
    Ok(declaration)
}

/// `DELETE /v1/read-models/{model}`.
pub(crate) async fn remove(mut call: Call) -> Result<Response, Problem> {
    let name = only_admin(&call)?;
    std::mem::take(&mut call.params).end()?;
    call.read_models()?.clone().remove(&name).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}

/// `POST /v1/read-models/{model}/rebuild`.
pub(crate) async fn rebuild(mut call: Call) -> Result<Response, Problem> {
    let name = call.read_model(Right::Manage)?;
    std::mem::take(&mut call.params).end()?;
    call.read_models()?.clone().rebuild(&name).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}

/// `POST /v1/read-models/{model}/retry`.
pub(crate) async fn retry(mut call: Call) -> Result<Response, Problem> {
    let name = call.read_model(Right::Manage)?;
    std::mem::take(&mut call.params).end()?;
    let Retry { key } = events_in::json(&call.json_body().await?.bytes)?;
    call.read_models()?.clone().retry(&name, key).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}

/// `POST /v1/read-models/{model}/skip`.
pub(crate) async fn skip(mut call: Call) -> Result<Response, Problem> {
    let name = call.read_model(Right::Manage)?;
    std::mem::take(&mut call.params).end()?;
    let Skip { event } = events_in::json(&call.json_body().await?.bytes)?;
    call.read_models()?.clone().skip(&name, event).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}

fn only_admin(call: &Call) -> Result<ReadModelName, Problem> {
    let name = call.read_model(Right::Manage)?;
    if call.access == Access::All {
        return Ok(name);
    }
    Err(Problem::new(ProblemKind::Forbidden, "only `admin` may declare read models"))
}
