//! How read models do.

use crate::{access::Right, answer, call::Call, problem::Problem};
use axum::response::Response;
use fairway_read_models::{Building, PARKED_MAX, State, Status};
use http::StatusCode;
use serde_json::{Value, json};

/// Parked events of an answer, unless the client says.
const LIMIT: usize = 100;

/// `GET /v1/read-models`: those that the caller may ask.
pub(crate) async fn list(mut call: Call) -> Result<Response, Problem> {
    std::mem::take(&mut call.params).end()?;
    let models = call.read_models()?.clone();
    let all = models.list().await?;
    let seen = all.iter().filter(|status| call.may_model(Right::Read, &status.name));
    let shown: Vec<Value> = seen.map(shown).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "read_models": shown })))
}

/// `GET /v1/read-models/{model}`.
pub(crate) async fn status(mut call: Call) -> Result<Response, Problem> {
    let name = call.read_model(Right::Read)?;
    std::mem::take(&mut call.params).end()?;
    let models = call.read_models()?.clone();
    Ok(answer::json(StatusCode::OK, &shown(&models.status(&name).await?)))
}

fn shown(status: &Status) -> Value {
    json!({
        "read_model": status.name.as_str(),
        "head": status.head,
        "live": status.live.as_ref().map(|build| building(build, status)),
        "candidate": status.candidate.as_ref().map(|build| building(build, status)),
    })
}

fn building(building: &Building, status: &Status) -> Value {
    let (state, reason) = match &building.state {
        None => (Value::Null, Value::Null),
        Some(State::CatchingUp) => ("catching_up".into(), Value::Null),
        Some(State::Following) => ("following".into(), Value::Null),
        Some(State::Failing(reason)) => ("failing".into(), reason.as_str().into()),
        Some(State::Withheld(reason)) => ("withheld".into(), reason.as_str().into()),
    };
    json!({
        "version": building.version,
        "position": building.standing.position,
        "parked": building.standing.parked,
        "lag": building.lag(status.head),
        "state": state,
        "reason": reason,
    })
}

/// `GET /v1/read-models/{model}/parked`.
pub(crate) async fn parked(mut call: Call) -> Result<Response, Problem> {
    let name = call.read_model(Right::Manage)?;
    let limit = call.params.limit()?.and_then(|limit| usize::try_from(limit).ok());
    std::mem::take(&mut call.params).end()?;
    let most = usize::try_from(PARKED_MAX).unwrap_or(usize::MAX);
    let limit = limit.unwrap_or(LIMIT).min(most);
    let models = call.read_models()?.clone();
    let parked = models.parked(&name, limit).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "events": parked })))
}
