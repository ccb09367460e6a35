//! Streams as a whole: how they stand, their list, and what is kept of them.

use crate::{
    access::Right,
    answer,
    call::Call,
    events_in,
    expected::Expectation,
    problem::{Problem, ProblemKind},
    segment, waiting,
};
use axum::response::Response;
use fairway_ledger::{
    AppendError, ListStreams, PAGE_STREAMS_MAX, Retention, Standing, StreamState, Version,
};
use http::{HeaderName, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// Streams of a page, unless the client says.
const LIMIT: u64 = 100;
/// Most names that are looked at for one page.
const LOOKED_AT_MAX: usize = 100_000;
/// How many events are gone from the start of a stream.
const TRUNCATED: HeaderName = HeaderName::from_static("fairway-truncated");

/// What is truncated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Truncation {
    up_to: u64,
}

/// `HEAD /v1/streams/{stream}`: the version as an entity tag.
pub(crate) async fn state(mut call: Call) -> Result<Response, Problem> {
    let stream = call.stream(Right::Read)?;
    waiting::wait(&call.api, &mut call.params).await?;
    let state = call.api.ledger.stream(&stream).await?;
    match state.standing {
        Standing::Tombstoned => {
            let detail = format!("stream `{stream}` is closed for ever");
            Err(Problem::new(ProblemKind::Tombstoned, detail))
        }
        Standing::Live if state.exists() => {
            let mut response = answer::empty(StatusCode::OK);
            response.headers_mut().insert(TRUNCATED, state.truncated.0.into());
            Ok(answer::tagged(response, state.version))
        }
        Standing::Live | Standing::Deleted => {
            Err(Problem::new(ProblemKind::Missing, format!("there is no stream `{stream}`")))
        }
    }
}

/// `GET /v1/streams`.
pub(crate) async fn list(mut call: Call) -> Result<Response, Problem> {
    waiting::wait(&call.api, &mut call.params).await?;
    let prefix = call.params.text("prefix")?.unwrap_or_default();
    let mut after = call.params.text("after")?.unwrap_or_default();
    let limit = call.params.limit()?.unwrap_or(LIMIT).min(PAGE_STREAMS_MAX as u64);
    let limit = usize::try_from(limit).unwrap_or(PAGE_STREAMS_MAX);
    let with_system = call.params.switch("system")?;
    std::mem::take(&mut call.params).end()?;
    let (mut found, mut looked_at, mut is_end) = (Vec::new(), 0, false);
    while found.len() < limit && looked_at < LOOKED_AT_MAX && !is_end {
        let look = limit - found.len();
        let list = ListStreams { prefix: prefix.clone(), after: after.clone(), limit: look };
        let page = call.api.ledger.streams(list).await?;
        is_end = page.len() < look;
        looked_at += page.len();
        if let Some(last) = page.last() {
            last.name.as_str().clone_into(&mut after);
        }
        let is_shown = |state: &StreamState| {
            (with_system || !state.name.is_system()) && call.access.may(Right::Read, &state.name)
        };
        found.extend(page.into_iter().filter(is_shown));
    }
    let streams: Vec<Value> = found.iter().map(shown).collect();
    let mut page = json!({ "streams": streams, "end": is_end });
    if !is_end {
        let query =
            format!("prefix={}&after={}", segment::encode(&prefix), segment::encode(&after));
        let system = if with_system { "&system=true" } else { "" };
        page["next"] = format!("/v1/streams?{query}&limit={limit}{system}").into();
    }
    Ok(answer::json(StatusCode::OK, &page))
}

fn shown(state: &StreamState) -> Value {
    let standing = match state.standing {
        Standing::Live => "live",
        Standing::Deleted => "deleted",
        Standing::Tombstoned => "tombstoned",
    };
    json!({
        "stream": state.name.as_str(),
        "version": state.version,
        "truncated": state.truncated,
        "standing": standing,
    })
}

/// `DELETE /v1/streams/{stream}`.
pub(crate) async fn delete(mut call: Call) -> Result<Response, Problem> {
    let is_for_ever = call.params.switch("tombstone")?;
    let retention = if is_for_ever { Retention::Tombstoned } else { Retention::Deleted };
    retain(call, retention).await
}

/// `POST /v1/streams/{stream}/truncate`.
pub(crate) async fn truncate(mut call: Call) -> Result<Response, Problem> {
    call.stream(Right::Manage)?;
    let Truncation { up_to } = events_in::json(&call.json_body().await?.bytes)?;
    retain(call, Retention::Truncated(Version(up_to.min(Version::END.0 - 1)))).await
}

async fn retain(mut call: Call, retention: Retention) -> Result<Response, Problem> {
    let stream = call.stream(Right::Manage)?;
    let expectation = Expectation::of(&mut call.params, &call.headers)?;
    std::mem::take(&mut call.params).end()?;
    let retained = call.api.ledger.retain(&stream, expectation.expected(), retention).await;
    let of = |error: AppendError| expectation.problem(error.into());
    let position = retained.map_err(of)?.position;
    let response = answer::json(StatusCode::OK, &json!({ "position": position }));
    Ok(answer::at(response, position))
}
