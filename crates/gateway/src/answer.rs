//! The body of a response on its way to a client.

use crate::{access::Ending, exchange::Exchange, upstream::Upstream};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

/// The body of a response.
pub(crate) enum Answer {
    /// All of it.
    Whole(Option<Bytes>),
    /// As a backend sends it.
    Relay(Box<Relay>),
}

/// A response's body that comes from a backend. Drives the connection it comes from.
pub(crate) struct Relay {
    incoming: Incoming,
    upstream: Option<Box<Upstream>>,
    exchange: Exchange,
    /// Whether the backend is to send more.
    is_waiting: bool,
    /// Why it broke off, until the client has what came before.
    failure: Option<AnswerError>,
}

/// Why a response's body broke off. The client sees its connection end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    #[error("the service broke off its response")]
    Broken(#[source] hyper::Error),
    #[error("the service paused for too long in its response")]
    Stalled,
}

impl Relay {
    pub(crate) fn new(incoming: Incoming, upstream: Box<Upstream>, exchange: Exchange) -> Self {
        Self { incoming, upstream: Some(upstream), exchange, is_waiting: false, failure: None }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    /// Keeps the connection for the next request and closes the account.
    pub(crate) fn finish(&mut self, cx: &mut Context<'_>) {
        let Some(mut upstream) = self.upstream.take() else { return };
        let worker = &self.exchange.client.worker;
        if let Some(backend) = self.exchange.backend()
            && upstream.is_reusable(cx)
        {
            worker.pool.put(backend, upstream, Instant::now());
        }
        self.exchange.end(Ending::Complete);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Poll::Ready(frame) = self.poll_incoming(cx) else {
            self.wait(cx);
            return Poll::Pending;
        };
        self.is_waiting = false;
        match frame {
            Some(Ok(frame)) => {
                self.count(&frame, cx);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.fail(AnswerError::Broken(error), cx);
                Poll::Pending
            }
            None => {
                self.finish(cx);
                Poll::Ready(None)
            }
        }
    }

    /// What has come already, else what comes of driving the connection.
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let come = Pin::new(&mut self.incoming).poll_frame(cx);
        match &mut self.upstream {
            Some(upstream) if come.is_pending() => upstream.drive(cx),
            _ => return come,
        }
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn count(&mut self, frame: &Frame<Bytes>, cx: &mut Context<'_>) {
        if let Some(data) = frame.data_ref() {
            self.exchange.bytes_out += data.len() as u64;
        }
        if self.incoming.is_end_stream() {
            self.finish(cx);
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) {
        let client = &self.exchange.client;
        if !self.is_waiting {
            self.is_waiting = true;
            client.progress.allow(client.settings().timeouts.body);
        } else if client.progress.is_late() {
            self.fail(AnswerError::Stalled, cx);
        }
    }

    /// Breaks off the next time it is asked. `hyper` throws away what it has not flushed when a body
    /// fails, and flushes when one is not ready.
    fn fail(&mut self, error: AnswerError, cx: &mut Context<'_>) {
        self.upstream = None;
        self.exchange.end(Ending::BackendGone);
        self.failure = Some(error);
        cx.waker().wake_by_ref();
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Relay(relay) => relay.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Relay(relay) => relay.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Relay(relay) => relay.incoming.size_hint(),
        }
    }
}
