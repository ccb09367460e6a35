//! Taking events from a group, and saying what became of them.

use crate::{
    access::Right,
    answer,
    call::Call,
    cloud_events, events_in,
    form::{JSON, Shape},
    json_out::{self, EventWriter},
    lines,
    monitoring::Metrics,
    problem::Problem,
};
use axum::response::Response;
use fairway_events::{ConsumerName, Delivery, GroupId, Nack, TAKE_WAIT_MAX, Take, Token};
use fairway_ledger::Position;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// Events that are taken, unless the client says.
const LIMIT: u64 = 10;
/// Most events that are taken at once.
const LIMIT_MAX: u64 = 1_000;
/// Most events that are answered at once.
const ANSWERS_MAX: usize = 10_000;

/// Events of which a consumer says something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    consumer: ConsumerName,
    events: Vec<Position>,
}

/// What did not become of events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failed {
    consumer: ConsumerName,
    events: Vec<Position>,
    #[serde(default)]
    action: Action,
    #[serde(default)]
    reason: String,
}

/// What is to become of events that failed.
#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    #[default]
    Retry,
    Park,
    Skip,
    Stop,
}

impl Action {
    fn nack(self) -> Nack {
        match self {
            Self::Retry => Nack::Retry,
            Self::Park => Nack::Park,
            Self::Skip => Nack::Skip,
            Self::Stop => Nack::Stop,
        }
    }
}

/// `POST /v1/groups/{source}/{group}/take`.
pub(crate) async fn take(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Read)?;
    let consumer = call.params.text("consumer")?;
    let consumer = consumer.ok_or_else(|| Problem::request("`consumer` is needed, a name"))?;
    let consumer: ConsumerName =
        consumer.parse().map_err(|error| Problem::request(format!("{error}")))?;
    let most = call.params.limit()?.unwrap_or(LIMIT).min(LIMIT_MAX);
    let most = u32::try_from(most).expect("it is clamped");
    let wait = call.params.duration("wait")?.unwrap_or(Duration::ZERO).min(TAKE_WAIT_MAX);
    let shape = match call.params.text("format")?.as_deref() {
        None | Some("plain") => Shape::Plain,
        Some("cloudevents") => Shape::CloudEvent,
        Some(_) => return Err(Problem::request("`format` has to be `plain` or `cloudevents`")),
    };
    std::mem::take(&mut call.params).end()?;
    let api = call.api;
    let _permit = lines::permit(&api)?;
    let mut closing = api.closing.clone();
    let taken = tokio::select! {
        taken = api.groups.take(&id, Take { consumer, most, wait }) => taken?,
        _ = closing.wait_for(|closing| *closing) => Vec::new(),
    };
    Metrics::count(&api.metrics.events_read, taken.len());
    Ok(answer::typed(StatusCode::OK, JSON, written(&taken, shape)))
}

fn written(taken: &[Delivery], shape: Shape) -> Vec<u8> {
    let mut writer = EventWriter::default();
    let mut out = b"{\"events\":[".to_vec();
    for (at, delivery) in taken.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"\n{\"attempt\":" } else { b",\n{\"attempt\":" });
        json_out::number(&mut out, u64::from(delivery.attempt));
        out.extend_from_slice(b",\"event\":");
        match shape {
            Shape::Plain => writer.event(&mut out, &delivery.event),
            Shape::CloudEvent => cloud_events::write(&mut out, &delivery.event),
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"\n]}\n");
    out
}

/// `POST /v1/groups/{source}/{group}/ack`.
pub(crate) async fn ack(mut call: Call) -> Result<Response, Problem> {
    let (id, consumer, tokens) = named(&mut call).await?;
    let unknown = call.api.groups.ack(&id, &consumer, tokens).await?;
    Ok(unknown_events(unknown))
}

/// `POST /v1/groups/{source}/{group}/extend`.
pub(crate) async fn extend(mut call: Call) -> Result<Response, Problem> {
    let (id, consumer, tokens) = named(&mut call).await?;
    let unknown = call.api.groups.extend(&id, &consumer, tokens).await?;
    Ok(unknown_events(unknown))
}

/// The events that a consumer of a group names.
async fn named(call: &mut Call) -> Result<(GroupId, ConsumerName, Vec<Token>), Problem> {
    let id = call.group(Right::Read)?;
    std::mem::take(&mut call.params).end()?;
    let Named { consumer, events } = events_in::json(&call.json_body().await?.bytes)?;
    Ok((id, consumer, tokens(events)?))
}

/// `POST /v1/groups/{source}/{group}/nack`.
pub(crate) async fn nack(mut call: Call) -> Result<Response, Problem> {
    let id = call.group(Right::Read)?;
    std::mem::take(&mut call.params).end()?;
    let failed: Failed = events_in::json(&call.json_body().await?.bytes)?;
    let Failed { consumer, events, action, reason } = failed;
    let answers = (&consumer, tokens(events)?);
    let unknown = call.api.groups.nack(&id, answers, action.nack(), &reason).await?;
    Ok(unknown_events(unknown))
}

fn tokens(events: Vec<Position>) -> Result<Vec<Token>, Problem> {
    if events.len() > ANSWERS_MAX {
        return Err(Problem::content(format!("at most {ANSWERS_MAX} events at once")));
    }
    Ok(events.into_iter().map(Token::Position).collect())
}

/// Says which events the consumer did not have: too late, mostly.
fn unknown_events(unknown: Vec<Token>) -> Response {
    let positions = unknown.into_iter().filter_map(|token| match token {
        Token::Position(position) => Some(position),
        Token::Id(_) => None,
    });
    let positions: Vec<Position> = positions.collect();
    answer::json(StatusCode::OK, &json!({ "not_held": positions }))
}
