//! Events that a group has parked.

use crate::{access::Right, answer, call::Call, events_in, json_out, problem::Problem};
use axum::response::Response;
use fairway_events::{PARKED_MAX, Parked};
use fairway_ledger::Position;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// Events of a page, unless the client says.
const LIMIT: usize = 100;

/// Which parked events are handed out again; all, if nothing is said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    events: Option<Vec<Position>>,
    limit: Option<usize>,
}

/// Which event is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    event: Position,
    #[serde(default)]
    reason: String,
}

/// `GET /v1/groups/{source}/{group}/parked`.
pub(crate) async fn parked(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Manage).or_else(|_| call.group(Right::Read))?;
    let after = Position(call.params.number("after")?.unwrap_or(0));
    let limit = call.params.limit()?.and_then(|limit| usize::try_from(limit).ok());
    std::mem::take(&mut call.params).end()?;
    let limit = limit.unwrap_or(LIMIT).min(PARKED_MAX);
    let parked = call.api.groups.parked(&id, after, limit).await?;
    let events: Vec<Value> = parked.iter().map(shown).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "events": events })))
}

fn shown(parked: &Parked) -> Value {
    json!({
        "position": parked.position,
        "stream": parked.stream,
        "version": parked.version,
        "id": parked.id,
        "attempts": parked.attempts,
        "reason": parked.reason,
        "at": json_out::moment(parked.at),
    })
}

/// `POST /v1/groups/{source}/{group}/replay`.
pub(crate) async fn replay(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Manage)?;
    std::mem::take(&mut call.params).end()?;
    let wanted: Replay = events_in::json(&call.json_body().await?.bytes)?;
    let groups = &call.api.groups;
    let replayed = match (wanted.events, wanted.limit) {
        (Some(_), Some(_)) => {
            return Err(Problem::content("either `events` or `limit`, not both"));
        }
        (Some(events), None) => groups.replay(&id, &events).await?,
        (None, limit) => groups.replay_parked(&id, limit.unwrap_or(PARKED_MAX)).await?,
    };
    Ok(answer::json(StatusCode::OK, &json!({ "replayed": replayed })))
}

/// `POST /v1/groups/{source}/{group}/skip`.
pub(crate) async fn skip(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Manage)?;
    std::mem::take(&mut call.params).end()?;
    let Skip { event, reason } = events_in::json(&call.json_body().await?.bytes)?;
    call.api.groups.skip(&id, event, &reason).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
