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
    problem::Problem,
    reads::Reading,
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use fairway_ledger::{Event, LedgerError, Pace, Watch};
use futures_util::stream;
use http::{HeaderValue, StatusCode};
use std::{convert::Infallible, sync::Arc};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};

/// One reader. It reads from the ledger only when the client has taken what was read before.
struct Follower {
    api: Arc<Shared>,
    /// What the client showed of who it is: it has to hold for as long as it reads.
    authorization: Option<HeaderValue>,
    feed: Feed,
    watch: Box<dyn Watch>,
    closing: watch::Receiver<bool>,
    writer: EventWriter,
    shape: Shape,
    pace: Pace,
    left: u64,
    is_greeted: bool,
    /// Whether there was nothing more at the last look.
    is_up_to_date: bool,
    /// When the reader is told that it is still connected, unless something comes.
    quiet_until: Instant,
    _permit: OwnedSemaphorePermit,
}

/// Why a reader is woken.
enum Woken {
    Changed,
    Quiet,
    Closing,
}

/// All events of a feed and those that come. Ends when the server does, when the ledger fails, or
/// when the token is taken away or expires: the client comes again with the id of the last event that
/// it got.
pub(crate) fn answer(
    api: &Arc<Shared>,
    reading: Reading,
    authorization: Option<HeaderValue>,
) -> Result<Response, Problem> {
    let follower = Follower {
        api: api.clone(),
        authorization,
        watch: api.ledger.store().watch()?,
        feed: reading.feed,
        closing: api.closing.clone(),
        writer: EventWriter::default(),
        shape: reading.shape,
        pace: Pace::default(),
        left: reading.limit.unwrap_or(u64::MAX),
        is_greeted: false,
        is_up_to_date: false,
        quiet_until: Instant::now() + api.patience.quiet,
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
            let woken = if self.is_up_to_date { self.wait().await? } else { Woken::Changed };
            let Ok(access) = self.api.access(self.authorization.as_ref()) else { return Ok(None) };
            match woken {
                Woken::Closing => return Ok(None),
                Woken::Quiet => return Ok(Some(self.heartbeat())),
                Woken::Changed => self.feed.give(access.clone()),
            }
            let mut events = self.feed.next(self.pace.events()).await?;
            // What was read with rights that were taken away meanwhile is not sent.
            if self.api.access(self.authorization.as_ref()).ok() != Some(access) {
                return Ok(None);
            }
            self.is_up_to_date = self.feed.is_at_end();
            if !events.is_empty() || !self.is_up_to_date {
                self.pace.seen(&events);
            }
            if !events.is_empty() {
                events.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= events.len() as u64;
                return Ok(Some(self.chunk(&events)));
            }
            if Instant::now() >= self.quiet_until {
                return Ok(Some(self.heartbeat()));
            }
        }
    }

    /// Waits for what comes after the last look. What came during that look is told at once.
    async fn wait(&mut self) -> Result<Woken, LedgerError> {
        tokio::select! {
            changed = self.watch.changed() => changed.map(|()| Woken::Changed),
            _ = self.closing.changed() => Ok(Woken::Closing),
            () = sleep_until(self.quiet_until) => Ok(Woken::Quiet),
        }
    }

    /// Says up to where nothing passed, so that a reader that comes again need not look there.
    fn heartbeat(&mut self) -> Bytes {
        self.quiet_until = Instant::now() + self.api.patience.quiet;
        match self.feed.cursor() {
            Cursor::After(place) | Cursor::Before(place) => {
                Bytes::from(format!(": nothing new\nid: {place}\n\n"))
            }
        }
    }

    fn chunk(&mut self, events: &[Event]) -> Bytes {
        self.quiet_until = Instant::now() + self.api.patience.quiet;
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
