//! Whole answers on their way to clients: all together take up only so much, however slowly they are
//! taken. What a client has not taken yet counts until it has, or is gone.

use crate::problem::{Problem, ProblemKind};
use axum::{
    body::{Body, HttpBody as _},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of all large answers on their way.
pub const ANSWERS_BYTES_MAX: usize = 256 << 20;
/// Answers of fewer bytes are not counted.
const SMALL: u64 = 64 << 10;

/// The room that large answers take up.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing(Arc<Semaphore>);

impl Default for Outgoing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ANSWERS_BYTES_MAX)))
    }
}

impl Outgoing {
    /// The same response if there is room for it. Those that are made while they are sent have
    /// limits of their own.
    pub(crate) fn admit(&self, response: Response) -> Response {
        let Some(bytes) = response.body().size_hint().exact().filter(|bytes| *bytes > SMALL) else {
            return response;
        };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Ok(room) = self.0.clone().try_acquire_many_owned(bytes) else {
            let detail = "too many large answers are on their way";
            return Problem::new(ProblemKind::Busy, detail).into_response();
        };
        response.map(|body| Body::new(Counted { body, room: Some(room) }))
    }
}

/// A body with its room.
struct Counted {
    body: Body,
    room: Option<OwnedSemaphorePermit>,
}

/// Bytes with the room that they take up for as long as anything has a part of them.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        frame.map_ok(|frame| {
            frame.map_data(|bytes| match self.room.take() {
                Some(room) => Bytes::from_owner(Held { bytes, _room: room }),
                None => bytes,
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn an_answer_takes_up_room_until_the_last_of_it_is_gone() {
        let outgoing = Outgoing::default();
        let large = || Response::new(Body::from(vec![0; ANSWERS_BYTES_MAX / 2]));
        let first = outgoing.admit(large());
        assert_eq!(first.body().size_hint().exact(), Some(ANSWERS_BYTES_MAX as u64 / 2));
        let mut bytes = first.into_body().collect().await.unwrap().to_bytes();
        let second = outgoing.admit(large());
        assert_eq!(outgoing.admit(large()).status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(second);
        let part = bytes.split_to(10);
        drop(bytes);
        assert_eq!(outgoing.admit(large()).status(), StatusCode::OK);
        let _third = outgoing.admit(large());
        assert_eq!(outgoing.admit(large()).status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(part);
        assert_eq!(outgoing.admit(large()).status(), StatusCode::OK);
        let small = Response::new(Body::from("small"));
        assert_eq!(outgoing.admit(small).status(), StatusCode::OK);
    }
}
