//! Appending: to one stream, or to several at once.

use crate::{
    access::Right,
    answer, body,
    call::Call,
    cloud_events::{self, CloudEventError},
    events_in,
    expected::Expectation,
    form::{CLOUD_BATCH, CLOUD_EVENT, JSON, LINES},
    monitoring::Metrics,
    problem::{Problem, ProblemKind},
};
use axum::response::Response;
use fairway_ledger::{AppendError, Appended, NewEvent, StreamName};
use http::StatusCode;
use serde_json::{Value, json};

/// How the media types of CloudEvents in all forms begin.
const CLOUD_OTHER: &str = "application/cloudevents";

/// `POST /v1/streams/{stream}`.
pub(crate) async fn append(mut call: Call) -> Result<Response, Problem> {
    let stream = call.stream(Right::Append)?;
    let expectation = Expectation::of(&mut call.params, &call.headers)?;
    std::mem::take(&mut call.params).end()?;
    let events = events(&mut call).await?;
    let count = events.len();
    let appended = call.api.ledger.append(&stream, expectation.expected(), events).await;
    let appended = counted(&call.api.metrics, appended, count)
        .map_err(|problem| expectation.problem(problem))?;
    let response = answer::json(StatusCode::CREATED, &place(&stream, appended));
    Ok(answer::tagged(answer::at(response, appended.position), appended.version))
}

/// `POST /v1/append`.
pub(crate) async fn append_all(mut call: Call) -> Result<Response, Problem> {
    std::mem::take(&mut call.params).end()?;
    let appends = events_in::appends(&call.json_body().await?.bytes)?;
    for append in &appends {
        call.allowed(Right::Append, &append.stream)?;
    }
    let streams: Vec<StreamName> = appends.iter().map(|append| append.stream.clone()).collect();
    let count = appends.iter().map(|append| append.events.len()).sum();
    let appended = if appends.is_empty() {
        Vec::new()
    } else {
        counted(&call.api.metrics, call.api.ledger.append_all(appends).await, count)?
    };
    let places: Vec<Value> =
        streams.iter().zip(&appended).map(|(stream, appended)| place(stream, *appended)).collect();
    let response = answer::json(StatusCode::CREATED, &Value::Array(places));
    match appended.iter().map(|appended| appended.position).max() {
        Some(position) => Ok(answer::at(response, position)),
        None => Ok(response),
    }
}

/// Counts an append, or that it was not done.
fn counted<T>(
    metrics: &Metrics,
    result: Result<T, AppendError>,
    events: usize,
) -> Result<T, Problem> {
    match &result {
        Ok(_) => {
            Metrics::count(&metrics.appends, 1);
            Metrics::count(&metrics.events_appended, events);
        }
        Err(AppendError::Conflict { .. }) => Metrics::count(&metrics.conflicts, 1),
        Err(_) => {}
    }
    Ok(result?)
}

fn place(stream: &StreamName, Appended { position, version }: Appended) -> Value {
    json!({ "stream": stream, "position": position, "version": version })
}

/// The events of a body, by its media type.
async fn events(call: &mut Call) -> Result<Vec<NewEvent>, Problem> {
    let media = body::media(&call.headers)?;
    let headers = call.headers.clone();
    let body = call.body().await?;
    match media.as_deref() {
        Some(CLOUD_BATCH) => Ok(cloud_events::batch(&body.bytes)?),
        Some(CLOUD_EVENT) => Ok(vec![cloud_events::structured(&body.bytes)?]),
        Some(media) if media.starts_with(CLOUD_OTHER) => Err(unknown_media()),
        _ if cloud_events::is_binary(&headers) => {
            Ok(vec![cloud_events::from_headers(&headers, &body.bytes)?])
        }
        Some(JSON) => events_in::events(&body.bytes),
        Some(LINES) => events_in::lines(&body.bytes),
        _ => Err(unknown_media()),
    }
}

fn unknown_media() -> Problem {
    let known = [JSON, LINES, CLOUD_EVENT, CLOUD_BATCH].join("`, `");
    Problem::new(ProblemKind::MediaType, format!("the media type of a body has to be `{known}`"))
}

impl From<CloudEventError> for Problem {
    fn from(error: CloudEventError) -> Self {
        Self::content(error.to_string())
    }
}
