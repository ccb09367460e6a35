//! One connection to a backend. It has no task of its own: whoever waits for something from it
//! drives it.

use crate::{
    connector::Connector,
    progress::Progress,
    retry::{Failure, RequestFault},
    settings::{Limits, Settings},
    socket::Socket,
    upload::{Stage, Upload, UploadBody},
};
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{Builder, Connection, Parts, SendRequest},
    },
};
use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll},
};
use tokio::time::timeout;

/// A connection to a backend.
pub(crate) struct Upstream {
    sender: SendRequest<UploadBody>,
    connection: Connection<Socket, UploadBody>,
    has_ended: bool,
}

/// An attempt that failed, with the request if no byte of it was written.
pub(crate) struct Rejected {
    pub(crate) failure: Failure,
    pub(crate) request: Option<Request<UploadBody>>,
}

impl From<Failure> for Rejected {
    fn from(failure: Failure) -> Self {
        Self { failure, request: None }
    }
}

/// What is waited for while a request is under way.
pub(crate) struct Watch<'a> {
    pub(crate) progress: &'a Progress,
    pub(crate) upload: Option<&'a Upload>,
}

impl Upstream {
    /// Connects to a backend.
    pub(crate) async fn open(
        connector: &dyn Connector,
        address: SocketAddr,
        settings: &Settings,
    ) -> Result<Box<Self>, Failure> {
        let stream = timeout(settings.timeouts.connect, connector.connect(address))
            .await
            .map_err(|_| Failure::ConnectTimeout)?
            .map_err(|_| Failure::Connect)?;
        stream.set_nodelay(true).map_err(|_| Failure::Connect)?;
        let (sender, connection) = Builder::new()
            .max_buf_size(Limits::BUFFER)
            .handshake(Socket::new(stream))
            .await
            .map_err(|_| Failure::Connect)?;
        Ok(Box::new(Self { sender, connection, has_ended: false }))
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        mut self: Box<Self>,
        request: Request<UploadBody>,
        watch: Watch<'_>,
    ) -> Result<(Box<Self>, Response<Incoming>), Rejected> {
        let mut response = pin!(self.sender.try_send_request(request));
        let outcome = poll_fn(|cx| {
            self.drive(cx);
            match response.as_mut().poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
                Poll::Pending => watch.failure().map_or(Poll::Pending, |f| Poll::Ready(Err(f))),
            }
        })
        .await?;
        match outcome {
            Ok(response) => Ok((self, response)),
            Err(error) => Err(self.rejected(error, &watch)),
        }
    }

    fn rejected(
        self: Box<Self>,
        error: TrySendError<Request<UploadBody>>,
        watch: &Watch<'_>,
    ) -> Rejected {
        let mut error = error;
        if let Some(request) = error.take_message() {
            return Rejected { failure: Failure::NotSent, request: Some(request) };
        }
        if let Some(Stage::Failed(fault)) = watch.upload.map(Upload::stage) {
            return Failure::Request(fault).into();
        }
        let is_silent = !error.error().is_parse() && self.into_parts().read_buf.is_empty();
        if is_silent { Failure::Silent.into() } else { Failure::Broken.into() }
    }

    /// Reads and writes what can be. Errors reach whoever waits for the response or its body.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.has_ended {
            self.has_ended = self.connection.poll_without_shutdown(cx).is_ready();
        }
    }

    /// Whether the next request can be sent on it.
    pub(crate) fn is_reusable(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.has_ended && !self.sender.is_ready() {
            self.drive(cx);
        }
        !self.has_ended && self.sender.is_ready()
    }

    /// The socket, and what was read from it beyond HTTP.
    pub(crate) fn into_parts(self) -> Parts<Socket> {
        self.connection.into_parts()
    }
}

impl Watch<'_> {
    fn failure(&self) -> Option<Failure> {
        if !self.progress.is_late() {
            return None;
        }
        Some(match self.upload.map(Upload::stage) {
            Some(Stage::AwaitsClient) => Failure::Request(RequestFault::Stalled),
            _ => Failure::Timeout,
        })
    }
}
