//! The bodies of requests: whole, within limits of size and time, and not too many at once.

use crate::{
    patience::Patience,
    problem::{Problem, ProblemKind},
};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::BodyExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::{Instant, timeout, timeout_at};

/// Most bytes of a body: an append of the greatest size in base64, and something around it.
pub const BODY_BYTES_MAX: usize = 24 << 20;
/// Most bytes of all bodies that are being read or worked on.
pub const BODIES_BYTES_MAX: usize = 256 << 20;

/// How many bytes bodies take up.
#[derive(Debug, Default)]
pub(crate) struct Room(AtomicUsize);

/// A body with the room that it takes up.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    pub(crate) bytes: Bytes,
    _taken: Taken<'a>,
}

#[derive(Debug)]
struct Taken<'a> {
    room: &'a Room,
    bytes: usize,
}

impl Taken<'_> {
    fn take(&mut self, more: usize) -> Result<(), Problem> {
        let before = self.room.0.fetch_add(more, Ordering::Relaxed);
        self.bytes += more;
        if before + more > BODIES_BYTES_MAX {
            return Err(Problem::new(ProblemKind::Busy, "too many large bodies at once"));
        }
        Ok(())
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn too_large() -> Problem {
    Problem::new(ProblemKind::TooLarge, format!("a body has at most {BODY_BYTES_MAX} bytes"))
}

/// Reads a body to its end.
pub(crate) async fn read<'a>(
    (room, patience): (&'a Room, Patience),
    headers: &HeaderMap,
    mut body: Body,
) -> Result<Held<'a>, Problem> {
    let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(ProblemKind::MediaType, "a body cannot be compressed"));
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = announced.and_then(|length| length.parse().ok()).unwrap_or(0_usize);
    if announced > BODY_BYTES_MAX {
        return Err(too_large());
    }
    let mut taken = Taken { room, bytes: 0 };
    let mut bytes = BytesMut::new();
    let end = Instant::now() + patience.body;
    let slow = |_| Problem::new(ProblemKind::Slow, "the body did not come in time");
    loop {
        let frame = timeout(patience.pause, timeout_at(end, body.frame())).await;
        let Some(frame) = frame.map_err(slow)?.map_err(slow)? else { break };
        let frame = frame.map_err(|_| Problem::request("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > BODY_BYTES_MAX {
            return Err(too_large());
        }
        taken.take(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok(Held { bytes: bytes.freeze(), _taken: taken })
}

/// The media type of a body, in small letters and without parameters; its text is UTF-8.
pub(crate) fn media(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(None) };
    let text = value
        .to_str()
        .map_err(|_| Problem::new(ProblemKind::MediaType, "the media type is not text"))?;
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media = parts.next().unwrap_or_default();
    let charset = parts.find_map(|part| part.strip_prefix("charset=").map(str::to_owned));
    match charset.as_deref().map(|charset| charset.trim_matches('"')) {
        None | Some("utf-8" | "us-ascii") => Ok(Some(media)),
        Some(_) => Err(Problem::new(ProblemKind::MediaType, "the text of a body has to be UTF-8")),
    }
}
