//! One request with events.

use super::body;
use crate::{plan::Plan, target::TargetError};
use bytes::Bytes;
use fairway_ledger::{Event, Position};
use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The first pause before a request is sent again; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_millis(400);
/// Most bytes of an answer's body that are looked at.
const BODY_MAX: usize = 4096;

/// Sends requests to one address.
pub(super) struct Post {
    client: Client<HttpConnector, Full<Bytes>>,
    address: String,
    /// The read model and the build.
    of: (String, u64),
}

/// Events that were refused, by position, with the reason.
pub(super) type Refused = BTreeMap<u64, String>;

/// What was answered.
enum Answered {
    /// All was taken in.
    Taken,
    /// These events will never be taken in as they are; with the reason.
    Refused(String),
}

impl Post {
    pub(super) fn new(address: String, of: (String, u64)) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), address, of }
    }

    /// Sends again, with growing pauses, what may be taken in later; but not for ever.
    async fn send_patiently(
        &self,
        events: &[&Event],
        to: Position,
    ) -> Result<Answered, TargetError> {
        let mut pause = PAUSE;
        loop {
            match self.send(events, to).await {
                Err(_) if pause <= PAUSE_MAX => tokio::time::sleep(pause).await,
                done => return done,
            }
            pause *= 2;
        }
    }

    /// Tells of events, after which nothing is left out up to a position.
    async fn send(&self, events: &[&Event], to: Position) -> Result<Answered, TargetError> {
        let failed = |error| TargetError::unusable("could not write events as JSON", error);
        let body = body::of(events).map_err(failed)?;
        let first = events.first().map_or(to, |event| event.position);
        let (name, build) = &self.of;
        let request = Request::post(&self.address)
            .header(CONTENT_TYPE, "application/json")
            .header("fairway-read-model", name)
            .header("fairway-build", *build)
            .header("fairway-position", to.0)
            .header("idempotency-key", format!("{name}-{build}-{first}-{to}"))
            .body(Full::new(body.into()))
            .map_err(|error| {
                TargetError::unusable("the address of the callback is wrong", error)
            })?;
        let answer = tokio::time::timeout(ANSWER_MAX, self.client.request(request)).await;
        let answer = answer
            .map_err(|late| TargetError::unusable("the callback does not answer", late))?
            .map_err(|error| TargetError::unusable("the callback cannot be reached", error))?;
        let status = answer.status();
        let text = Limited::new(answer.into_body(), BODY_MAX).collect();
        let text = tokio::time::timeout(ANSWER_MAX, text).await;
        if status.is_success() {
            return Ok(Answered::Taken);
        }
        let said = match text {
            Ok(Ok(text)) => String::from_utf8_lossy(&text.to_bytes()).trim().to_owned(),
            Ok(Err(_)) | Err(_) => String::new(),
        };
        let said = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
        if status.is_client_error() && !is_for_a_while(status) {
            return Ok(Answered::Refused(said));
        }
        let error = std::io::Error::other(said);
        Err(TargetError::unusable("the callback did not take events in", error))
    }

    /// Tells of events; those that are refused are looked for by halves. What has the key of one
    /// that was refused is not told after it.
    pub(super) async fn tell(
        &self,
        plan: &Plan,
        events: Vec<&Event>,
        to: Position,
    ) -> Result<Refused, TargetError> {
        let mut refused = Refused::new();
        let mut keys = BTreeSet::new();
        let mut left = vec![events];
        while let Some(mut part) = left.pop() {
            part.retain(|event| keys.is_empty() || !keys.contains(&plan.key(event)));
            if part.is_empty() {
                continue;
            }
            let last = part.last().map_or(to, |event| event.position);
            let to = if left.is_empty() { to } else { last };
            if let Answered::Refused(why) = self.send_patiently(&part, to).await? {
                if let [event] = part.as_slice() {
                    refused.insert(event.position.0, why);
                    keys.insert(plan.key(event));
                } else {
                    let second = part.split_off(part.len() / 2);
                    left.extend([second, part]);
                }
            }
        }
        Ok(refused)
    }
}

/// Whether the same request may be taken in later (RFC 9110, section 15.5; RFC 6585).
fn is_for_a_while(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
    )
}
