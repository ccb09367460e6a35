//! The body of a request on its way to a backend.

use crate::{client::Client, retry::RequestFault};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

/// How far the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nobody has asked for it yet.
    Whole,
    /// The client is to send more.
    AwaitsClient,
    /// The backend is to take more.
    AwaitsBackend,
    Done,
    Failed(RequestFault),
}

/// The state of a request's body. It outlives the attempt that sends it.
pub(crate) struct Upload {
    client: Arc<Client>,
    /// The body while no attempt has it.
    resting: Mutex<Option<Incoming>>,
    stage: AtomicU8,
    bytes: AtomicU64,
    /// How long the response may take once the body is sent.
    response_timeout: Duration,
}

/// A request's body as one attempt sends it. Given back when dropped before anything of it came.
pub(crate) struct UploadBody {
    incoming: Option<Incoming>,
    upload: Option<Arc<Upload>>,
}

/// Why a request's body broke off.
#[derive(Debug, thiserror::Error)]
#[error("the client's body broke off")]
pub(crate) struct UploadError;

impl Upload {
    pub(crate) fn new(client: Arc<Client>, body: Incoming, response_timeout: Duration) -> Self {
        Self {
            client,
            resting: Mutex::new(Some(body)),
            stage: AtomicU8::new(0),
            bytes: AtomicU64::new(0),
            response_timeout,
        }
    }

    /// Hands the body to an attempt; without content if an earlier one used it up.
    pub(crate) fn body(self: &Arc<Self>) -> UploadBody {
        let incoming = self.resting.lock().unwrap_or_else(PoisonError::into_inner).take();
        UploadBody { incoming, upload: Some(self.clone()) }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Relaxed) {
            0 => Stage::Whole,
            1 => Stage::AwaitsClient,
            2 => Stage::AwaitsBackend,
            3 => Stage::Done,
            4 => Stage::Failed(RequestFault::Broken),
            5 => Stage::Failed(RequestFault::Stalled),
            _ => Stage::Failed(RequestFault::TooLong),
        }
    }

    fn enter(&self, stage: Stage) {
        let number = match stage {
            Stage::Whole => 0,
            Stage::AwaitsClient => 1,
            Stage::AwaitsBackend => 2,
            Stage::Done => 3,
            Stage::Failed(RequestFault::Broken) => 4,
            Stage::Failed(RequestFault::Stalled) => 5,
            Stage::Failed(RequestFault::TooLong) => 6,
        };
        self.stage.store(number, Relaxed);
    }

    /// Whether nothing of it has come yet, so that another attempt can have it.
    pub(crate) fn is_whole(&self) -> bool {
        self.bytes() == 0 && matches!(self.stage(), Stage::Whole | Stage::AwaitsClient)
    }

    fn finish(&self) {
        if self.stage() != Stage::Done {
            self.enter(Stage::Done);
            self.client.progress.allow(self.response_timeout);
        }
    }

    fn fail(&self, fault: RequestFault) -> UploadError {
        self.enter(Stage::Failed(fault));
        UploadError
    }

    /// Counts a piece of the body against the limit.
    fn count(&self, length: usize) -> Result<(), UploadError> {
        let bytes = self.bytes.fetch_add(length as u64, Relaxed) + length as u64;
        let settings = self.client.settings();
        self.client.progress.allow(settings.timeouts.body);
        match settings.limits.body_bytes {
            Some(limit) if bytes > limit => Err(self.fail(RequestFault::TooLong)),
            _ => Ok(()),
        }
    }
}

impl UploadBody {
    pub(crate) fn empty() -> Self {
        Self { incoming: None, upload: None }
    }
}

impl Body for UploadBody {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let Self { incoming: Some(incoming), upload: Some(upload) } = &mut *self else {
            return Poll::Ready(None);
        };
        upload.enter(Stage::AwaitsClient);
        let frame = match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
            None => {
                upload.finish();
                return Poll::Ready(None);
            }
            Some(Err(_)) => return Poll::Ready(Some(Err(upload.fail(RequestFault::Broken)))),
            Some(Ok(frame)) => frame,
        };
        upload.enter(Stage::AwaitsBackend);
        if let Some(data) = frame.data_ref() {
            upload.count(data.len())?;
        }
        if incoming.is_end_stream() {
            upload.finish();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for UploadBody {
    fn drop(&mut self) {
        if let Some(upload) = &self.upload
            && upload.is_whole()
        {
            upload.enter(Stage::Whole);
            *upload.resting.lock().unwrap_or_else(PoisonError::into_inner) = self.incoming.take();
        }
    }
}
