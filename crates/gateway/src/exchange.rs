//! One request and its response, accounted for: whatever becomes of it, one record is handed to the
//! access log when it is dropped.

use crate::{
    access::{AccessLog, AccessRecord, Ending},
    answer::{Answer, Relay},
    chance::is_request_id,
    client::Client,
    forwarding::{X_REQUEST_ID, settle_framing, strip_hop_by_hop},
    live::{InFlight, LiveBackend},
    problem::Problem,
    progress::Phase,
    upload::{Stage, Upload},
    upstream::Upstream,
};
use fairway_model::{ServiceName, Timestamp};
use http::{HeaderValue, Method, Response, StatusCode, Uri, Version, request::Parts};
use hyper::body::Incoming;
use std::{sync::Arc, time::Instant};

/// One request and its response.
pub(crate) struct Exchange {
    pub(crate) client: Arc<Client>,
    pub(crate) request_id: HeaderValue,
    pub(crate) upload: Option<Arc<Upload>>,
    pub(crate) service: Option<Arc<ServiceName>>,
    pub(crate) retries: u32,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    in_flight: Option<InFlight>,
    method: Method,
    target: Uri,
    status: Option<StatusCode>,
    ending: Ending,
    started: Instant,
    time: Timestamp,
}

impl Exchange {
    pub(crate) fn begin(client: Arc<Client>, head: &Parts) -> Self {
        client.progress.enter(Phase::Exchange);
        let worker = &client.worker;
        let given = head.headers.get(X_REQUEST_ID).filter(|id| is_request_id(id));
        Self {
            request_id: given.cloned().unwrap_or_else(|| worker.chance.request_id()),
            upload: None,
            service: None,
            retries: 0,
            bytes_in: 0,
            bytes_out: 0,
            in_flight: None,
            method: head.method.clone(),
            target: head.uri.clone(),
            status: None,
            ending: Ending::ClientGone,
            started: Instant::now(),
            time: worker.access_log().map_or(Timestamp(0), AccessLog::now),
            client,
        }
    }

    /// Counts the request at the backend it goes to now.
    pub(crate) fn assign(&mut self, backend: Arc<LiveBackend>) {
        self.in_flight = Some(InFlight::new(backend));
    }

    pub(crate) fn backend(&self) -> Option<&LiveBackend> {
        self.in_flight.as_ref().map(|in_flight| &*in_flight.0)
    }

    /// Answers with a problem document.
    pub(crate) fn refuse(mut self, problem: &Problem) -> Response<Answer> {
        let document = problem.document(self.request_id.to_str().ok());
        let (mut head, ()) = problem.head().into_parts();
        head.headers.insert(X_REQUEST_ID, self.request_id.clone());
        self.status = Some(head.status);
        self.bytes_out = document.len() as u64;
        self.end(Ending::Complete);
        Response::from_parts(head, Answer::Whole(Some(document)))
    }

    /// Answers with what a backend answers.
    pub(crate) fn relay(
        mut self,
        response: Response<Incoming>,
        upstream: Box<Upstream>,
    ) -> Response<Answer> {
        let (mut head, incoming) = response.into_parts();
        if settle_framing(&mut head.headers).is_err() {
            return self.refuse(&Problem::BadResponse);
        }
        strip_hop_by_hop(&mut head.headers);
        head.headers.insert(X_REQUEST_ID, self.request_id.clone());
        head.version = Version::HTTP_11;
        self.status = Some(head.status);
        let mut relay = Relay::new(incoming, upstream, self);
        let answer = if relay.is_end_stream() {
            relay.finish(&mut std::task::Context::from_waker(std::task::Waker::noop()));
            Answer::Whole(None)
        } else {
            Answer::Relay(Box::new(relay))
        };
        Response::from_parts(head, answer)
    }

    /// Answers that the protocol changes.
    pub(crate) fn switch(&mut self, response: Response<Incoming>) -> Response<Answer> {
        let (mut head, _) = response.into_parts();
        self.status = Some(head.status);
        head.extensions.clear();
        head.headers.insert(X_REQUEST_ID, self.request_id.clone());
        Response::from_parts(head, Answer::Whole(None))
    }

    /// Notes how it ended; the response is made.
    pub(crate) fn end(&mut self, ending: Ending) {
        self.ending = ending;
        if let Some(upload) = &self.upload {
            self.bytes_in = upload.bytes();
            if upload.stage() != Stage::Done {
                self.client.set_unread_body();
            }
        }
        self.client.progress.enter(Phase::Answered);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let Some(log) = self.client.worker.access_log() else { return };
        log.hand_on(AccessRecord {
            time: self.time,
            method: Some(std::mem::take(&mut self.method)),
            target: Some(std::mem::take(&mut self.target)),
            status: self.status,
            ending: self.ending,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            duration: self.started.elapsed(),
            service: self.service.take(),
            backend: self.backend().map(|backend| backend.address),
            request_id: Some(self.request_id.clone()),
            retries: self.retries,
        });
    }
}
