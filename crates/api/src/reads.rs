//! Reading events: of a stream, of a category, of everything.

use crate::{
    access::Right,
    answer,
    call::Call,
    feed::{Cursor, Feed, Sieve, Source},
    form::{Form, Shape},
    lines, live,
    monitoring::Metrics,
    page,
    params::Params,
    problem::{Problem, ProblemKind},
    waiting,
};
use axum::response::Response;
use fairway_ledger::{FILTER_TEXTS_MAX, Filter, Ledger, Position, Standing, StreamName, System};
use http::header::AUTHORIZATION;

/// A read that is understood.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) feed: Feed,
    pub(crate) shape: Shape,
    /// At most so many events.
    pub(crate) limit: Option<u64>,
}

/// `GET /v1/streams/{stream}`.
pub(crate) async fn read_stream(call: Call) -> Result<Response, Problem> {
    let stream = call.stream(Right::Read)?;
    read(call, Source::Stream(stream)).await
}

/// `GET /v1/categories/{category}`.
pub(crate) async fn read_category(call: Call) -> Result<Response, Problem> {
    let category = call.segment("category").to_owned();
    if category.parse::<StreamName>().is_err() || category.contains('-') {
        return Err(Problem::request("that cannot be the name of a category"));
    }
    read(call, Source::Category(category)).await
}

/// `GET /v1/events`.
pub(crate) async fn read_all(call: Call) -> Result<Response, Problem> {
    read(call, Source::All).await
}

async fn read(mut call: Call, source: Source) -> Result<Response, Problem> {
    let (form, shape) = Form::of(&call.headers, &mut call.params)?;
    waiting::wait(&call.api, &mut call.params).await?;
    let ledger = call.api.ledger.clone();
    let sieve = Sieve { filter: filter(&mut call.params, &source)?, access: call.access.clone() };
    let limit = call.params.limit()?;
    if form == Form::Live {
        let cursor = live_cursor(&mut call, &ledger, &source).await?;
        std::mem::take(&mut call.params).end()?;
        let feed = Feed::new(ledger, source, cursor, sieve);
        let authorization = call.headers.get(AUTHORIZATION).cloned();
        return live::answer(&call.api, Reading { feed, shape, limit }, authorization);
    }
    let cursor = cursor(&mut call.params)?;
    let as_of = as_of(&mut call.params, &ledger).await?;
    std::mem::take(&mut call.params).end()?;
    let feed = Feed::new(ledger.clone(), source.clone(), cursor, sieve).at(as_of);
    let reading = Reading { feed, shape, limit };
    let response = match form {
        Form::Lines => {
            is_readable(&ledger, &source).await?;
            lines::answer(&call.api, reading)?
        }
        Form::Page | Form::CloudBatch | Form::Live => {
            let page = page::read(reading).await?;
            if page.events.is_empty() {
                is_readable(&ledger, &source).await?;
            }
            Metrics::count(&call.api.metrics.events_read, page.events.len());
            page::answer(&page, &call.uri)
        }
    };
    Ok(answer::at(response, as_of))
}

/// Refuses a stream that nobody appended to, or that is gone.
async fn is_readable(ledger: &Ledger, source: &Source) -> Result<(), Problem> {
    let Source::Stream(stream) = source else { return Ok(()) };
    let state = ledger.stream(stream).await?;
    match state.standing {
        Standing::Tombstoned => {
            let detail = format!("stream `{stream}` is closed for ever");
            Err(Problem::new(ProblemKind::Tombstoned, detail))
        }
        Standing::Live if state.exists() => Ok(()),
        Standing::Live | Standing::Deleted => {
            Err(Problem::new(ProblemKind::Missing, format!("there is no stream `{stream}`")))
        }
    }
}

fn cursor(params: &mut Params) -> Result<Cursor, Problem> {
    match (params.number("after")?, params.text("before")?.as_deref()) {
        (Some(_), Some(_)) => Err(Problem::request("either `after` or `before`, not both")),
        (after, None) => Ok(Cursor::After(after.unwrap_or(0))),
        (None, Some("end")) => Ok(Cursor::Before(Position::END.0)),
        (None, Some(before)) => before.parse().map(Cursor::Before).map_err(|_| {
            Problem::request("`before` has to be a number, or `end` to begin with the newest")
        }),
    }
}

/// Where a live reader begins: after the last event that it got, after that which it names, after
/// all that is there, or at the start.
async fn live_cursor(call: &mut Call, ledger: &Ledger, source: &Source) -> Result<Cursor, Problem> {
    let after = call.params.text("after")?;
    let last = call.headers.get("last-event-id").map(|last| last.to_str().unwrap_or("?"));
    match last.or(after.as_deref()) {
        None => Ok(Cursor::After(0)),
        Some("end") => match source {
            Source::Stream(stream) => Ok(Cursor::After(ledger.stream_version(stream).await?.0)),
            Source::All | Source::Category(_) => Ok(Cursor::After(ledger.head().await?.0)),
        },
        Some(place) => place.parse().map(Cursor::After).map_err(|_| {
            Problem::request("`after` and `Last-Event-ID` have to be a number or `end`")
        }),
    }
}

/// The position as of which is read: what is appended meanwhile is no part of an answer.
async fn as_of(params: &mut Params, ledger: &Ledger) -> Result<Position, Problem> {
    let head = ledger.head().await?;
    match (params.number("as_of")?, params.moment("as_of_time")?) {
        (Some(_), Some(_)) => Err(Problem::request("either `as_of` or `as_of_time`, not both")),
        (Some(position), None) => Ok(head.min(Position(position))),
        (None, Some(moment)) => Ok(head.min(ledger.position_at(moment).await?)),
        (None, None) => Ok(head),
    }
}

fn filter(params: &mut Params, source: &Source) -> Result<Filter, Problem> {
    let kinds = params.all("kind_prefix");
    let filter = match source {
        Source::Stream(_) => Filter { kinds, ..Filter::default() },
        Source::All | Source::Category(_) => {
            let is_included = params.switch("system")?;
            let system = if is_included { System::Included } else { System::Left };
            let streams = params.all("stream_prefix");
            let categories = match source {
                Source::All => params.all("category"),
                Source::Category(_) | Source::Stream(_) => Vec::new(),
            };
            Filter { categories, streams, kinds, system }
        }
    };
    let lists = [&filter.categories, &filter.streams, &filter.kinds];
    if lists.iter().any(|list| list.len() > FILTER_TEXTS_MAX) {
        return Err(Problem::request(format!("a filter has at most {FILTER_TEXTS_MAX} texts")));
    }
    Ok(filter)
}
