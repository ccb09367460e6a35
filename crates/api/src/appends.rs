//! Appending: to one stream, or to several at once.

use crate::{
    access::Right,
    answer,
    call::Call,
    events_in,
    expected::Expectation,
    form::{JSON, LINES},
    problem::{Problem, ProblemKind},
};
use axum::response::Response;
use fairway_ledger::{Appended, NewEvent, StreamName};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// `POST /v1/streams/{stream}`.
pub(crate) async fn append(mut call: Call) -> Result<Response, Problem> {
    let stream = call.stream(Right::Append)?;
    let expectation = Expectation::of(&mut call.params, &call.headers)?;
    std::mem::take(&mut call.params).end()?;
    let events = events(&mut call).await?;
    let appended = call.api.ledger.append(&stream, expectation.expected(), events).await;
    let appended = appended.map_err(|error| expectation.problem(error.into()))?;
    let response = answer::json(StatusCode::CREATED, &place(&stream, appended));
    Ok(answer::tagged(answer::at(response, appended.position), appended.version))
}

/// `POST /v1/append`.
pub(crate) async fn append_all(mut call: Call) -> Result<Response, Problem> {
    std::mem::take(&mut call.params).end()?;
    if media(&call.headers)?.as_deref() != Some(JSON) {
        return Err(unknown_media(JSON));
    }
    let appends = events_in::appends(&call.body().await?.bytes)?;
    for append in &appends {
        call.allowed(Right::Append, &append.stream)?;
    }
    let streams: Vec<StreamName> = appends.iter().map(|append| append.stream.clone()).collect();
    let appended = match appends.is_empty() {
        true => Vec::new(),
        false => call.api.ledger.append_all(appends).await?,
    };
    let places: Vec<Value> =
        streams.iter().zip(&appended).map(|(stream, appended)| place(stream, *appended)).collect();
    let response = answer::json(StatusCode::CREATED, &Value::Array(places));
    match appended.iter().map(|appended| appended.position).max() {
        Some(position) => Ok(answer::at(response, position)),
        None => Ok(response),
    }
}

fn place(stream: &StreamName, Appended { position, version }: Appended) -> Value {
    json!({ "stream": stream, "position": position, "version": version })
}

/// The events of a body, by its media type.
async fn events(call: &mut Call) -> Result<Vec<NewEvent>, Problem> {
    let media = media(&call.headers)?;
    let body = call.body().await?;
    match media.as_deref() {
        Some(JSON) => events_in::events(&body.bytes),
        Some(LINES) => events_in::lines(&body.bytes),
        _ => Err(unknown_media(&[JSON, LINES].join("`, `"))),
    }
}

fn unknown_media(known: &str) -> Problem {
    Problem::new(ProblemKind::MediaType, format!("the media type of the body has to be `{known}`"))
}

/// The media type of a body, in small letters and without parameters; its text is UTF-8.
fn media(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = value.to_str().map_err(|_| unknown_media(JSON))?;
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media = parts.next().unwrap_or_default();
    let charset = parts.find_map(|part| part.strip_prefix("charset=").map(str::to_owned));
    match charset.as_deref().map(|charset| charset.trim_matches('"')) {
        None | Some("utf-8" | "us-ascii") => Ok(Some(media)),
        Some(_) => Err(Problem::new(ProblemKind::MediaType, "the text of a body has to be UTF-8")),
    }
}
