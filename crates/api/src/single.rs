//! One event alone.

use crate::{
    access::{Access, Right},
    answer,
    call::Call,
    cloud_events,
    form::{Alone, CLOUD_EVENT, JSON},
    json_out::EventWriter,
    problem::{Problem, ProblemKind},
    waiting,
};
use axum::response::Response;
use fairway_ledger::{Event, From, Ledger, Position, Read, Scope, Version};
use http::StatusCode;

/// `GET /v1/events/{position}`.
pub(crate) async fn by_position(mut call: Call) -> Result<Response, Problem> {
    let form = Alone::of(&call.headers, &mut call.params)?;
    waiting::wait(&call.api, &mut call.params).await?;
    std::mem::take(&mut call.params).end()?;
    let position = number(&call, "position")?;
    let scope = Scope::All(From::After(Position(position - 1)));
    let event = first(&call.api.ledger, scope).await?.filter(|event| event.position.0 == position);
    let is_readable = |event: &Event| may_read(&call.access, event);
    answer(event.filter(is_readable), form)
}

/// `GET /v1/streams/{stream}/events/{version}`.
pub(crate) async fn by_version(mut call: Call) -> Result<Response, Problem> {
    let stream = call.stream(Right::Read)?;
    let form = Alone::of(&call.headers, &mut call.params)?;
    waiting::wait(&call.api, &mut call.params).await?;
    std::mem::take(&mut call.params).end()?;
    let version = number(&call, "version")?;
    let scope = Scope::Stream(stream, From::After(Version(version - 1)));
    answer(first(&call.api.ledger, scope).await?.filter(|event| event.version.0 == version), form)
}

/// What may not be read is not there, for who asks.
fn may_read(access: &Access, event: &Event) -> bool {
    access.may(Right::Read, &event.stream)
}

fn number(call: &Call, name: &str) -> Result<u64, Problem> {
    let number = call.segment(name).parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Problem::request(format!("the {name} in the path is a number from 1 on")))
}

async fn first(ledger: &Ledger, scope: Scope) -> Result<Option<Event>, Problem> {
    Ok(ledger.read(Read::new(scope, 1)).await?.into_iter().next())
}

fn answer(event: Option<Event>, form: Alone) -> Result<Response, Problem> {
    let missing = || Problem::new(ProblemKind::Missing, "there is no such event");
    let event = event.ok_or_else(missing)?;
    let mut out = Vec::new();
    Ok(match form {
        Alone::Plain => {
            EventWriter::default().event(&mut out, &event);
            answer::typed(StatusCode::OK, JSON, out)
        }
        Alone::Structured => {
            cloud_events::write(&mut out, &event);
            answer::typed(StatusCode::OK, CLOUD_EVENT, out)
        }
        Alone::Binary => cloud_events::to_response(&event),
    })
}
