//! Everything and what comes, as server-sent events (the HTML standard, section 9.2).

use crate::{
    answer,
    api::Shared,
    cloud_events,
    feed::{Cursor, Feed},
    form::{LIVE, Shape},
    json_out::{self, EventWriter},
    lines,
    monitoring::Metrics,
    pace::Pace,
    problem::Problem,
    reads::Reading,
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use fairway_ledger::{Event, LedgerError, Watch};
use futures_util::stream;
use http::StatusCode;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::sleep,
};

/// How often a reader is told that it is still connected, while nothing comes.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// One reader. It reads from the ledger only when the client has taken what was read before.
struct Follower {
    api: Arc<Shared>,
    feed: Feed,
    watch: Box<dyn Watch>,
    closing: watch::Receiver<bool>,
    writer: EventWriter,
    shape: Shape,
    pace: Pace,
    left: u64,
    is_greeted: bool,
    _permit: OwnedSemaphorePermit,
}

/// All events of a feed and those that come. Ends when the server does, or when the ledger fails:
/// the client comes again with the id of the last event that it got.
pub(crate) fn answer(api: &Arc<Shared>, reading: Reading) -> Result<Response, Problem> {
    let follower = Follower {
        api: api.clone(),
        watch: api.ledger.store().watch()?,
        feed: reading.feed,
        closing: api.closing.clone(),
        writer: EventWriter::default(),
        shape: reading.shape,
        pace: Pace::default(),
        left: reading.limit.unwrap_or(u64::MAX),
        is_greeted: false,
        _permit: lines::permit(api)?,
    };
    let chunks = stream::unfold(follower, |mut follower| async move {
        match follower.next().await {
            Ok(Some(chunk)) => Some((Ok::<_, Infallible>(chunk), follower)),
            Ok(None) | Err(_) => None,
        }
    });
    Ok(answer::typed(StatusCode::OK, LIVE, Body::from_stream(chunks)))
}

impl Follower {
    /// What is sent next; nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, LedgerError> {
        if self.left == 0 || *self.closing.borrow() {
            return Ok(None);
        }
        if !self.is_greeted {
            self.is_greeted = true;
            return Ok(Some(Bytes::from_static(b": connected\n\n")));
        }
        loop {
            let mut events = self.feed.next(self.pace.events()).await?;
            if !events.is_empty() {
                self.pace.seen(&events);
                events.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= events.len() as u64;
                return Ok(Some(self.chunk(&events)));
            }
            if !self.feed.is_at_end() {
                continue;
            }
            let is_quiet = tokio::select! {
                changed = self.watch.changed() => changed.map(|()| false)?,
                _ = self.closing.changed() => return Ok(None),
                () = sleep(HEARTBEAT) => true,
            };
            if is_quiet {
                return Ok(Some(self.heartbeat()));
            }
        }
    }

    /// Says up to where nothing passed, so that a reader that comes again need not look there.
    fn heartbeat(&self) -> Bytes {
        match self.feed.cursor() {
            Cursor::After(place) | Cursor::Before(place) => {
                Bytes::from(format!(": nothing new\nid: {place}\n\n"))
            }
        }
    }

    fn chunk(&mut self, events: &[Event]) -> Bytes {
        Metrics::count(&self.api.metrics.events_read, events.len());
        let mut out = Vec::new();
        for event in events {
            out.extend_from_slice(b"id: ");
            json_out::number(&mut out, self.feed.source().place(event));
            out.extend_from_slice(b"\ndata: ");
            match self.shape {
                Shape::Plain => self.writer.event(&mut out, event),
                Shape::CloudEvent => cloud_events::write(&mut out, event),
            }
            out.extend_from_slice(b"\n\n");
        }
        out.into()
    }
}
