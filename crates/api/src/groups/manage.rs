//! Groups as a whole: made, changed, removed, looked at.

use crate::{access::Right, answer, call::Call, events_in, json_out, problem::Problem};
use axum::response::Response;
use fairway_events::{
    ConsumerInfo, Counters, GroupError, GroupInfo, GroupSummary, Lag, Live, Mark, Settings, Way,
};
use http::StatusCode;
use serde_json::{Value, json};

/// `GET /v1/groups`: those that the caller may manage or read from.
pub(crate) async fn list(mut call: Call) -> Result<Response, Problem> {
    std::mem::take(&mut call.params).end()?;
    let groups = call.api.groups.list().await?;
    let seen = groups.iter().filter(|group| call.may_see(group.id.source()));
    let groups: Vec<Value> = seen.map(summary).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "groups": groups })))
}

fn summary(GroupSummary { id, settings }: &GroupSummary) -> Value {
    json!({ "source": id.source(), "group": id.name(), "settings": settings })
}

/// `PUT /v1/groups/{source}/{group}`: makes a group, or changes the one that is there.
pub(crate) async fn put(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Manage)?;
    std::mem::take(&mut call.params).end()?;
    let settings: Settings = events_in::json(&call.json_body().await?.bytes)?;
    let groups = &call.api.groups;
    let status = match groups.create(&id, settings.clone()).await {
        Ok(()) => StatusCode::CREATED,
        Err(GroupError::Exists(_)) => {
            groups.update(&id, settings).await?;
            StatusCode::OK
        }
        Err(error) => return Err(error.into()),
    };
    let settings = groups.settings(&id).await?;
    Ok(answer::json(status, &summary(&GroupSummary { id, settings })))
}

/// `DELETE /v1/groups/{source}/{group}`.
pub(crate) async fn remove(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Manage)?;
    std::mem::take(&mut call.params).end()?;
    call.api.groups.remove(&id).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// `GET /v1/groups/{source}/{group}`.
pub(crate) async fn info(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Manage).or_else(|_| call.group(Right::Read))?;
    std::mem::take(&mut call.params).end()?;
    let info = call.api.groups.info(&id).await?;
    Ok(answer::json(StatusCode::OK, &shown(&info)))
}

fn shown(info: &GroupInfo) -> Value {
    let mark = |mark: Mark| json!({ "position": mark.position, "version": mark.version });
    let (lag, is_exact) = match info.lag {
        Lag::Exactly(events) => (events, true),
        Lag::AtMost(events) => (events, false),
    };
    let oldest = info.oldest.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    json!({
        "source": info.id.source(),
        "group": info.id.name(),
        "settings": info.settings,
        "checkpoint": mark(info.checkpoint),
        "taken": mark(info.taken),
        "lag": lag,
        "lag_is_exact": is_exact,
        "oldest_ms": oldest,
        "unfinished": info.unfinished,
        "parked": info.parked,
        "live": info.live.as_ref().map(live),
    })
}

fn live(live: &Live) -> Value {
    let Counters { delivered, acked, retried, timed_out, parked, skipped, replayed } =
        live.counters;
    json!({
        "since": json_out::moment(live.since),
        "in_flight": live.in_flight,
        "waiting": live.waiting,
        "delivered": delivered,
        "acked": acked,
        "retried": retried,
        "timed_out": timed_out,
        "parked": parked,
        "skipped": skipped,
        "replayed": replayed,
        "consumers": live.consumers.iter().map(consumer).collect::<Vec<_>>(),
    })
}

fn consumer(consumer: &ConsumerInfo) -> Value {
    let way = match consumer.way {
        Way::Pushed => "pushed",
        Way::Taken => "taken",
    };
    json!({
        "consumer": consumer.name,
        "way": way,
        "since": json_out::moment(consumer.since),
        "credit": consumer.credit,
        "in_flight": consumer.in_flight,
        "delivered": consumer.delivered,
        "acked": consumer.acked,
    })
}
