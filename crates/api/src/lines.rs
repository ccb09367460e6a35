//! Everything at once: an event per line, as fast as the client takes it.

use crate::{
    answer,
    api::Shared,
    cloud_events,
    feed::Feed,
    form::{LINES, Shape},
    json_out::EventWriter,
    monitoring::Metrics,
    problem::{Problem, ProblemKind},
    reads::Reading,
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use fairway_ledger::{Event, LedgerError, Pace};
use futures_util::stream;
use http::StatusCode;
use std::{io, sync::Arc};
use tokio::{sync::OwnedSemaphorePermit, task::JoinHandle};

/// Reads the next page while the one before is sent.
struct Reader {
    api: Arc<Shared>,
    ahead: JoinHandle<(Feed, Pace, Result<Vec<Event>, LedgerError>)>,
    writer: EventWriter,
    shape: Shape,
    left: u64,
    _permit: OwnedSemaphorePermit,
}

/// The right to be one of the readers that are given everything.
pub(crate) fn permit(api: &Shared) -> Result<OwnedSemaphorePermit, Problem> {
    let permit = api.readers.clone().try_acquire_owned();
    permit.map_err(|_| Problem::new(ProblemKind::Busy, "too many readers at once"))
}

/// All events of a feed, an event per line. Should the ledger fail in the middle, the body breaks
/// off, so that nobody takes a part for the whole.
pub(crate) fn answer(api: &Arc<Shared>, reading: Reading) -> Result<Response, Problem> {
    let reader = Reader {
        api: api.clone(),
        ahead: read(reading.feed, Pace::default()),
        writer: EventWriter::default(),
        shape: reading.shape,
        left: reading.limit.unwrap_or(u64::MAX),
        _permit: permit(api)?,
    };
    let chunks = stream::try_unfold(Some(reader), |reader| async move {
        match reader {
            Some(reader) => reader.next().await.map_err(io::Error::other),
            None => Ok(None),
        }
    });
    Ok(answer::typed(StatusCode::OK, LINES, Body::from_stream(chunks)))
}

fn read(
    mut feed: Feed,
    mut pace: Pace,
) -> JoinHandle<(Feed, Pace, Result<Vec<Event>, LedgerError>)> {
    tokio::spawn(async move {
        let events = feed.next(pace.events()).await;
        if let Ok(events) = &events {
            pace.seen(events);
        }
        (feed, pace, events)
    })
}

impl Reader {
    /// The next chunk, and what reads the one after it.
    async fn next(mut self) -> Result<Option<(Bytes, Option<Self>)>, LedgerError> {
        loop {
            let (feed, pace, events) = (&mut self.ahead).await.map_err(|_| LedgerError::Closed)?;
            let (mut events, is_last) = (events?, feed.is_at_end());
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            events.truncate(left);
            self.left -= events.len() as u64;
            let goes_on = !is_last && self.left > 0;
            if goes_on {
                self.ahead = read(feed, pace);
            }
            if !events.is_empty() {
                let chunk = self.chunk(&events);
                return Ok(Some((chunk, goes_on.then_some(self))));
            }
            if !goes_on {
                return Ok(None);
            }
        }
    }

    fn chunk(&mut self, events: &[Event]) -> Bytes {
        Metrics::count(&self.api.metrics.events_read, events.len());
        let bytes: usize = events.iter().map(Event::bytes).sum();
        let mut out = Vec::with_capacity(bytes + events.len() * 224);
        for event in events {
            match self.shape {
                Shape::Plain => self.writer.event(&mut out, event),
                Shape::CloudEvent => cloud_events::write(&mut out, event),
            }
            out.push(b'\n');
        }
        out.into()
    }
}
