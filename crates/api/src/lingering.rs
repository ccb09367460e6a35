//! Bodies of requests that are answered before they are read.
//!
//! A stream of HTTP/2 whose body nobody reads is reset after its answer. That is allowed (RFC 9113,
//! section 8.1), but some clients that are still sending, such as curl 7.88, then miss the answer. So
//! the rest is taken in for a while and dropped.

use crate::body::BODY_BYTES_MAX;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{runtime::Handle, time::timeout};

/// Most bytes that are taken in after an answer.
const REST_BYTES_MAX: usize = 2 * BODY_BYTES_MAX;

/// A body, of which the rest is taken in when it is dropped.
#[derive(Debug)]
pub(crate) struct Lingering {
    body: Option<Incoming>,
    limit: Duration,
}

impl Lingering {
    /// A body, and how long its rest is waited for.
    pub(crate) fn new(body: Incoming, limit: Duration) -> Self {
        Self { body: Some(body), limit }
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            // What breaks off is known to the client.
            runtime.spawn(timeout(self.limit, take_in(rest)));
        }
    }
}

async fn take_in(mut rest: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = rest.frame().await
        && bytes < REST_BYTES_MAX
    {
        bytes += frame.into_data().map_or(0, |data| data.len());
    }
}
